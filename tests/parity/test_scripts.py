"""Whole scripts in PyTorch's style, run with PyTorch and with Genesis from one source: the losses agree.

The weights at the start are PyTorch's, through the script's own ``--save`` and ``--init``, so files go from
one library to the other.  What is drawn at random comes from NumPy in both.  All is computed in float64,
where rounding is too small for training to magnify it, and once more in float32, a few steps.
"""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import genesis
from genesis.cli._porting import swap_imports

pytestmark = pytest.mark.parity

FOLDER = Path(__file__).parents[2] / "docs" / "examples" / "scripts"

#: options that make a script short and free of dropout, and those that end it before the first step
SCRIPTS = {
    "char_lstm": (["--steps", "40", "--dropout", "0", "--sample", "20"], ["--steps", "0"]),
    "dcgan": (["--steps", "12"], ["--steps", "0"]),
    "diffusion": (["--steps", "20", "--sample", "3"], ["--steps", "0"]),
    "gcn": (["--epochs", "60", "--dropout", "0"], ["--epochs", "0"]),
    "gpt": (["--steps", "30", "--sample", "20"], ["--steps", "0"]),
    "image_classifier": (["--epochs", "2", "--count", "512", "--dropout", "0"], ["--epochs", "0"]),
    "maml": (["--steps", "12"], ["--steps", "0"]),
    "moe_lm": (["--steps", "12", "--sample", "20"], ["--steps", "0"]),
    "ppo": (["--updates", "2"], ["--updates", "0"]),
    "regression": (["--steps", "100"], ["--steps", "0"]),
    "siamese": (["--steps", "30"], ["--steps", "0"]),
    "time_series": (["--steps", "25"], ["--steps", "0"]),
    "translation": (["--steps", "40", "--dropout", "0"], ["--steps", "0"]),
    "vae": (["--epochs", "3"], ["--epochs", "0"]),
    "vit": (["--epochs", "2", "--count", "640", "--dropout", "0"], ["--epochs", "0"]),
    "wgan_gp": (["--steps", "20"], ["--steps", "0"]),
}

# float64: sums in another order differ by some 1e-15 of their terms; what training magnifies stayed below
# 1e-9 in every script.  float32: 1e-7 of the terms, compared over the first steps only, before it grows.
EXACT, ROUGH = 1e-8, 2e-4
FIRST = 8


class Draws:
    """Random functions that draw from NumPy, for either library."""

    def __init__(self, library: Any) -> None:
        self.library, self.rng = library, np.random.default_rng(11)

    def _made(self, array: Any, dtype: Any = None, **ignored: Any) -> Any:
        return self.library.tensor(array, dtype=dtype)

    @staticmethod
    def _size(size: Any) -> tuple[int, ...]:
        return tuple(size[0]) if len(size) == 1 and not isinstance(size[0], int) else tuple(size)

    def randn(self, *size: Any, dtype: Any = None, **rest: Any) -> Any:
        return self._made(self.rng.normal(size=self._size(size)), dtype or self.library.get_default_dtype())

    def rand(self, *size: Any, dtype: Any = None, **rest: Any) -> Any:
        return self._made(self.rng.random(self._size(size)), dtype or self.library.get_default_dtype())

    def randn_like(self, x: Any, **rest: Any) -> Any:
        return self.randn(*x.shape, dtype=x.dtype)

    def randint(self, *bounds: Any, **rest: Any) -> Any:
        *bounds, size = bounds
        return self._made(self.rng.integers(*[int(b) for b in bounds], size=tuple(size)))

    def randperm(self, n: int, **rest: Any) -> Any:
        return self._made(self.rng.permutation(n))

    def multinomial(self, weights: Any, num_samples: int, *rest: Any, **options: Any) -> Any:
        p = np.atleast_2d(weights.detach().numpy().astype(np.float64))
        # rounded, so that a difference in the last bits cannot choose another one
        p = np.round(p / p.sum(-1, keepdims=True), 6)
        picked = np.stack([self.rng.choice(len(row), num_samples, p=row / row.sum()) for row in p])
        return self._made(picked if weights.dim() == 2 else picked[0])

    def order(self, sampler: Any) -> Iterator[int]:
        yield from self.rng.permutation(len(sampler.data_source)).tolist()

    def split(self, dataset: Any, lengths: Any, generator: Any = None) -> list[Any]:
        subset = importlib.import_module(f"{self.library.__name__}.utils.data").Subset
        order = self.rng.permutation(sum(lengths)).tolist()
        ends = np.cumsum([0, *lengths])
        return [subset(dataset, order[a:b]) for a, b in pairwise(ends)]


def run(library: Any, name: str, arguments: list[str], dtype: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a script's ``main`` with one of the libraries."""
    source = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    source = swap_imports(source) if library is genesis else source
    with monkeypatch.context() as patch:
        draws = Draws(library)
        for function in ("randn", "rand", "randn_like", "randint", "randperm", "multinomial"):
            patch.setattr(library, function, getattr(draws, function))
        data = importlib.import_module(f"{library.__name__}.utils.data")
        patch.setattr(data.RandomSampler, "__iter__", lambda sampler: draws.order(sampler))
        patch.setattr(data, "random_split", draws.split)
        patch.setattr(sys, "argv", [name])
        patch.chdir(FOLDER.parents[2])
        module = types.ModuleType(f"script_{name}")
        module.__file__ = str(FOLDER / f"{name}.py")
        patch.setitem(sys.modules, module.__name__, module)  # dataclasses look there
        before = library.get_default_dtype()
        library.set_default_dtype(getattr(library, dtype))
        try:
            exec(compile(source, module.__file__, "exec"), module.__dict__)
            return module.main(arguments)
        finally:
            library.set_default_dtype(before)


@pytest.fixture
def losses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Any, Any]]:
    def both(name: str, dtype: str) -> tuple[Any, Any]:
        arguments, none = SCRIPTS[name]
        start = str(tmp_path / "start.pth")
        run(torch, name, [*arguments, *none, "--save", start], dtype, monkeypatch)
        options = [*arguments, "--init", start]
        return tuple(
            np.array(run(library, name, options, dtype, monkeypatch)) for library in (genesis, torch)
        )  # type: ignore[return-value]

    return both


def test_every_script_is_here() -> None:
    assert sorted(SCRIPTS) == sorted(path.stem for path in FOLDER.glob("*.py"))


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.filterwarnings("ignore:enable_nested_tensor:UserWarning")
def test_losses_agree_step_by_step(name: str, losses: Callable[..., tuple[Any, Any]]) -> None:
    ours, theirs = losses(name, "float64")
    assert len(theirs) > 10
    assert np.isfinite(theirs).all()
    np.testing.assert_allclose(ours, theirs, rtol=EXACT, atol=EXACT)


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.filterwarnings("ignore:enable_nested_tensor:UserWarning")
def test_first_steps_agree_in_single_precision(name: str, losses: Callable[..., tuple[Any, Any]]) -> None:
    ours, theirs = (each[:FIRST] for each in losses(name, "float32"))
    np.testing.assert_allclose(ours, theirs, rtol=ROUGH, atol=ROUGH)
