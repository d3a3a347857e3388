"""The table of tests/parity/table: values, types, shapes and gradients beside PyTorch's."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import genesis

sys.path.insert(0, str(Path(__file__).parent))
from table import ENTRIES, Case, Entry, Init, S
from table._entry import cases

pytestmark = pytest.mark.parity

# Threads of PyTorch that wait spin: on a busy machine small arrays take ten times as long with them.
torch.set_num_threads(1)

# Both sides compute the same formulas, but sum in another order and have their own exp, log and tanh: a few
# ulps (1.2e-7 in float32, 2.2e-16 in float64) of the largest term of a sum of a few dozen terms.
TOLERANCE = {"float32": (1e-5, 2e-6), "float64": (1e-11, 1e-13)}
KINDS = (IndexError, NotImplementedError, TypeError, ValueError, AssertionError, RuntimeError)


def found(library: Any, path: str) -> Any:
    for part in path.split("."):
        library = getattr(library, part)
    return library


def laid_out(a: np.ndarray, layout: str) -> tuple[np.ndarray, Any]:
    """An array, and the view to take of its tensor to get the elements of ``a`` in their order."""
    if layout == "transposed" and sum(n > 1 for n in a.shape) > 1:
        order = tuple(reversed(range(a.ndim)))
        return np.ascontiguousarray(a.transpose(order)), lambda t: t.permute(order)
    if layout == "strided" and a.size > 1:
        wide = np.zeros((*a.shape[:-1], 2 * a.shape[-1] + 1), a.dtype)
        wide[..., 1::2] = a
        return wide, lambda t: t[..., 1::2]
    return np.array(a), lambda t: t


class Side:
    """One of the two libraries, and the tensors that a case made in it."""

    def __init__(self, library: Any, case: Case) -> None:
        self.library, self.case = library, case
        self.inputs: list[Any] = []

    def tensor(self, a: np.ndarray) -> Any:
        floating = a.dtype.kind == "f"
        stored, view = laid_out(
            a.astype(self.case.dtype) if floating and self.case.dtype else a, self.case.layout
        )
        leaf = self.library.tensor(stored)
        if floating and self.case.entry.grad and leaf.is_floating_point():
            leaf.requires_grad_()
            self.inputs.append(leaf)
            if self.case.entry.name.endswith("_"):  # an operation in place needs a tensor that is no leaf
                leaf = leaf.clone()
        return view(leaf)

    def value(self, x: Any) -> Any:
        """Arguments of this library: tensors for arrays, its own types for PyTorch's."""
        if isinstance(x, np.ndarray):
            return self.tensor(x)
        if isinstance(x, torch.dtype):
            return getattr(self.library, str(x).removeprefix("torch."))
        if isinstance(x, dict):
            return {k: self.value(v) for k, v in x.items()}
        if isinstance(x, list | tuple):
            return type(x)(self.value(v) for v in x)
        return x

    def run(self, sample: S, state: Any = None) -> Any:
        """Call it; for a layer also give PyTorch's weights to ours, and keep the parameters as inputs."""
        target = found(self.library, self.case.entry.name)
        args = sample.args
        if args and isinstance(args[0], Init):
            dtype = getattr(self.library, self.case.dtype or "float32")
            layer = target(*self.value(args[0].args), **self.value(args[0].kwargs)).to(dtype)
            if state is not None:
                layer.load_state_dict({k: self.library.tensor(v.numpy()) for k, v in state.items()})
            layer.train(not args[0].eval)
            self.layer = layer
            target, args = layer, args[1:]
        args, kwargs = self.value(args), self.value(sample.kwargs)
        call = self.case.entry.call
        result = call(self.library, target, *args, **kwargs) if call else target(*args, **kwargs)
        if hasattr(self, "layer"):
            self.inputs += [p for p in self.layer.parameters() if p.requires_grad]
        return result


def flat(x: Any) -> list[Any]:
    """Results in order, without the containers around them."""
    if isinstance(x, dict):
        return [y for k in sorted(x) for y in flat(x[k])]
    if isinstance(x, list | tuple):
        return [y for v in x for y in flat(v)]
    return [x]


def name_of(dtype: Any) -> str:
    return str(dtype).split(".")[-1]


def compare(ours: Any, theirs: Any, entry: Entry, what: str) -> None:
    if not isinstance(theirs, torch.Tensor):
        if isinstance(theirs, float):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, err_msg=what)
        elif isinstance(theirs, torch.dtype):
            assert name_of(ours) == name_of(theirs), what
        else:
            assert ours == theirs, what
        return
    assert isinstance(ours, genesis.Tensor), f"{what}: got {type(ours).__name__}"
    assert name_of(ours.dtype) == name_of(theirs.dtype), what
    assert tuple(ours.shape) == tuple(theirs.shape), what
    if entry.values:
        name = name_of(theirs.dtype)
        rtol, atol = entry.tolerance.get(name, TOLERANCE.get(name, (0.0, 0.0)))
        np.testing.assert_allclose(
            ours.detach().numpy(), theirs.detach().numpy(), rtol=rtol, atol=atol, err_msg=what
        )


def both(case: Case) -> tuple[Side, Side, list[Any], list[Any]]:
    theirs, ours = Side(torch, case), Side(genesis, case)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # each library has its own
        torch.manual_seed(0)
        expected = theirs.run(case.sample)
        state = theirs.layer.state_dict() if hasattr(theirs, "layer") else None
        if state is not None and theirs.layer.training:
            # what running statistics were before the call: a fresh layer's
            torch.manual_seed(0)
            fresh = Side(torch, case)
            init = case.sample.args[0]
            state = (
                found(torch, case.entry.name)(*fresh.value(init.args), **fresh.value(init.kwargs))
                .to(getattr(torch, case.dtype or "float32"))
                .state_dict()
            )
        genesis.manual_seed(0)
        return ours, theirs, flat(ours.run(case.sample, state)), flat(expected)


def check(case: Case) -> None:
    entry = case.entry
    ours, theirs, results, expected = both(case)
    assert len(results) == len(expected), f"{len(results)} results, expected {len(expected)}"
    for i, (a, b) in enumerate(zip(results, expected, strict=True)):
        compare(a, b, entry, f"result {i}")
    if hasattr(theirs, "layer"):
        mine, state = ours.layer.state_dict(), theirs.layer.state_dict()
        assert list(mine) == list(state)
        for key, value in state.items():
            compare(mine[key], value, entry, f"{key} after the call")
    if not (entry.grad and entry.values):
        return
    pairs = [
        (a, b)
        for a, b in zip(results, expected, strict=True)
        if isinstance(b, torch.Tensor) and b.requires_grad
    ]
    for a, _ in pairs:
        assert a.requires_grad, "the result has no history"
    if not pairs:
        return
    seeds = [np.linspace(-1, 2, b.numel()).reshape(tuple(b.shape)).astype(name_of(b.dtype)) for _, b in pairs]
    genesis.autograd.backward([a for a, _ in pairs], [genesis.tensor(s) for s in seeds])
    torch.autograd.backward([b for _, b in pairs], [torch.tensor(s) for s in seeds])
    assert len(ours.inputs) == len(theirs.inputs)
    for i, (a, b) in enumerate(zip(ours.inputs, theirs.inputs, strict=True)):
        if b.grad is None:
            assert a.grad is None or not a.grad.any()  # torch leaves out some that are zero everywhere
        else:
            assert a.grad is not None, f"no gradient of input {i}"
            compare(a.grad, b.grad, entry, f"gradient of input {i}")


CASES = list(cases(ENTRIES))
REFUSED = [
    Case(e, s, "float32", "plain", f"{e.name}-{s.label or i}")
    for e in ENTRIES
    for i, s in enumerate(e.errors)
]


@pytest.fixture(params=["cpu"])
def place(request: pytest.FixtureRequest) -> Any:
    before = genesis.get_default_device()
    genesis.set_default_device(request.param)
    yield request.param
    genesis.set_default_device(before)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_agrees(place: str, case: Case) -> None:
    check(case)


@pytest.mark.parametrize("case", REFUSED, ids=lambda c: c.id)
def test_both_refuse(case: Case) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(KINDS) as theirs:
            Side(torch, case).run(case.sample)
        with pytest.raises(KINDS) as ours:
            Side(genesis, case).run(case.sample)
    kind = next(k for k in KINDS if issubclass(theirs.type, k))
    assert issubclass(ours.type, kind), f"torch raises {theirs.value!r}, we raise {ours.value!r}"


def test_the_table_is_large() -> None:
    assert len(CASES) + len(REFUSED) >= 3000
