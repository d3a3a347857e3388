"""The types of results under ``autocast``, beside PyTorch's, over the samples of tests/parity/table."""

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
from table import ENTRIES, Case
from table._entry import EVERY, leaves
from test_halves_torch import HalfSide, leaves_layer
from test_table import Side, flat, name_of

pytestmark = pytest.mark.parity
torch.set_num_threads(1)

#: what differs: a pseudo-inverse is one operation here, not products; the cell state of an LSTM has the type
#: of its output; what sums up losses of equal shapes; norms and hooks of layers that torch computes by pieces
DIFFERS = (
    "func.jacfwd-matrix0", "linalg.pinv", "lu-0", "Tensor.lu-0", "nn.functional.max_unpool3d-0", "nn.LSTM",
    "nn.AdaptiveLogSoftmaxWithLoss-0", "nn.functional.mse_loss-0-bfloat16",
    "nn.functional.l1_loss-0-bfloat16",
)  # fmt: skip


def cases() -> list[Any]:
    """The first sample with floats of an entry, or each: in float32 and, for functions, in bfloat16."""
    out = []
    for entry in ENTRIES:
        if "float32" not in entry.dtypes or entry.name.startswith(
            ("optim", "distributions", "autograd", "nn.utils")
        ):
            continue
        floating = [
            s
            for s in entry.samples
            if any(
                isinstance(a, np.ndarray) and a.dtype.kind == "f" and a.size
                for a in leaves((s.args, s.kwargs))
            )
        ]
        for i, sample in enumerate(floating if EVERY else floating[:1]):
            for dtype in ("float32", "bfloat16"):
                case = Case(entry, sample, dtype, "plain", f"{entry.name}-{sample.label or i}-{dtype}")
                if case.id.startswith(DIFFERS) or (entry.call and leaves_layer(case)):
                    continue
                if dtype == "float32" or not leaves_layer(case):
                    out.append(case)
    return out


def types(library: Any, case: Case) -> list[Any]:
    """The types of the results within an autocast, in which layers keep parameters of float32."""
    side = (HalfSide if case.dtype == "bfloat16" else Side)(library, case)
    with library.autocast("cpu", dtype=library.bfloat16):
        results = flat(side.run(case.sample))
    return [name_of(r.dtype) for r in results if isinstance(r, library.Tensor)]


@pytest.mark.parametrize("case", cases(), ids=lambda c: c.id)
def test_types(case: Case) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = types(torch, case)
        except Exception:
            return  # PyTorch refuses it
        assert types(genesis, case) == expected


def trained(library: Any, dtype: str) -> tuple[list[float], list[np.ndarray]]:
    """A few steps of a small network with products, convolutions, norms and a loss, under autocast."""
    nn = library.nn
    layers = [
        nn.Conv1d(3, 8, 3, padding=1), nn.BatchNorm1d(8), nn.ReLU(), nn.Flatten(), nn.Linear(40, 16),
        nn.LayerNorm(16), nn.GELU(), nn.Linear(16, 4),
    ]  # fmt: skip
    model = nn.Sequential(*layers)
    rng = np.random.default_rng(5)
    with library.no_grad():
        for p in model.parameters():
            p.copy_(library.tensor((rng.standard_normal(tuple(p.shape)) * 0.2).astype("float32")))
    x = library.tensor(rng.standard_normal((16, 3, 5)).astype("float32"))
    y = library.tensor(rng.integers(0, 4, 16))
    optimizer = library.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    scaler = library.amp.GradScaler("cpu", init_scale=2.0**8)
    losses = []
    for _ in range(6):
        optimizer.zero_grad()
        with library.autocast("cpu", dtype=getattr(library, dtype)):
            out = model(x)
            loss = nn.functional.cross_entropy(out, y)
        assert (name_of(out.dtype), name_of(loss.dtype)) == (dtype, "float32")
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        losses.append(loss.item())
    assert all(name_of(p.grad.dtype) == "float32" for p in model.parameters())
    return losses, [p.detach().numpy() for p in model.parameters()]


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_training(dtype: str) -> None:
    losses, parameters = trained(genesis, dtype)
    expected, others = trained(torch, dtype)
    step = {"bfloat16": 2.0**-7, "float16": 2.0**-10}[dtype]
    # roundings of single operations that differ grow over the steps
    np.testing.assert_allclose(losses, expected, rtol=2 * step)
    for a, b in zip(parameters, others, strict=True):
        np.testing.assert_allclose(a, b, atol=4 * step * max(float(np.abs(b).max()), 0.25))
