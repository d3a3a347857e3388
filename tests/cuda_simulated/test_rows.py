"""Rows whose elements lie apart: softmax along any axis, losses of images."""

from __future__ import annotations

import numpy as np
import pytest

import genesis
import genesis.nn.functional as F
from genesis_cuda import _rows

LIMIT = {"float32": 2e-6, "float64": 1e-14}
SHAPES = [((3, 5, 4), 1), ((3, 5, 4), 0), ((2, 35), 0), ((37, 2), 0), ((1, 7), 1), ((2, 3, 2, 3), -2)]


@pytest.fixture(params=["thread", "block"])
def form(request, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rows are done by blocks, where each is long."""
    monkeypatch.setattr(_rows, "_SHORT", 1000 if request.param == "thread" else 0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize(("shape", "dim"), SHAPES)
def test_softmax_along_any_axis(form, name, shape, dim, dtype) -> None:
    rng = np.random.default_rng(0)
    values, weights = rng.standard_normal((2, *shape)).astype(dtype) * 3
    found = []
    for device in ("cuda", "cpu"):
        x = genesis.tensor(values, device=device, requires_grad=True)
        out = getattr(F, name)(x, dim)
        (out * genesis.tensor(weights, device=device)).sum().backward()
        found.append((out.detach().numpy(), x.grad.numpy()))
    for here, there in zip(*found, strict=True):
        np.testing.assert_allclose(here, there, rtol=LIMIT[dtype], atol=4 * LIMIT[dtype])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize(("smoothing", "weighted"), [(0.0, False), (0.1, True)])
@pytest.mark.parametrize("shape", [(2, 5, 3), (1, 37, 2, 2), (3, 2, 1)])
def test_losses_of_images(form, shape, smoothing, weighted, reduction, dtype) -> None:
    rng = np.random.default_rng(1)
    scores = rng.standard_normal(shape).astype(dtype)
    classes = rng.integers(0, shape[1], (shape[0], *shape[2:]))
    classes.reshape(-1)[1] = -100
    weight = rng.random(shape[1]).astype(dtype)
    found = []
    for device in ("cuda", "cpu"):
        x = genesis.tensor(scores, device=device, requires_grad=True)
        w = genesis.tensor(weight, device=device) if weighted else None
        target = genesis.tensor(classes, device=device)
        loss = F.cross_entropy(x, target, w, reduction=reduction, label_smoothing=smoothing)
        loss.sum().backward()
        found.append((loss.detach().numpy(), x.grad.numpy()))
    for here, there in zip(*found, strict=True):
        np.testing.assert_allclose(here, there, rtol=2 * LIMIT[dtype], atol=4 * LIMIT[dtype])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(5, 3), (2, 5, 3), (2, 3, 2, 2)])
def test_losses_of_logarithms(shape, weighted, reduction, dtype) -> None:
    rng = np.random.default_rng(1)
    scores = rng.standard_normal(shape).astype(dtype)
    classes = rng.integers(0, shape[1], (shape[0], *shape[2:]))
    classes.reshape(-1)[1] = -100
    weight = rng.random(shape[1]).astype(dtype)
    found = []
    for device in ("cuda", "cpu"):
        x = genesis.tensor(scores, device=device, requires_grad=True)
        w = genesis.tensor(weight, device=device) if weighted else None
        loss = F.nll_loss(x, genesis.tensor(classes, device=device), w, reduction=reduction)
        (loss * 2).sum().backward()
        found.append((loss.detach().numpy(), x.grad.numpy()))
    for here, there in zip(*found, strict=True):
        np.testing.assert_allclose(here, there, rtol=2 * LIMIT[dtype], atol=4 * LIMIT[dtype])
