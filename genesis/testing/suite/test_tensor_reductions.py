"""Reductions, sorting, joining and splitting, against NumPy."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import genesis

rng = np.random.default_rng(3)
X = rng.normal(size=(2, 3, 4))
AXES = [None, 0, -1, (0, 2), (0, 1, 2)]

REDUCTIONS = {
    "sum": np.sum,
    "mean": np.mean,
    "prod": np.prod,
    "amax": np.max,
    "amin": np.min,
    "all": np.all,
    "any": np.any,
}


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("keepdim", [False, True])
def test_reductions(device, name, keepdim):
    strided = genesis.tensor(np.ascontiguousarray(X.transpose(2, 0, 1))).permute(1, 2, 0)
    for axes, x in itertools.product(AXES, (genesis.tensor(X), strided)):
        out = getattr(x, name)(dim=axes, keepdim=keepdim)
        expected = REDUCTIONS[name](X, axis=axes, keepdims=keepdim)
        assert out.shape == np.shape(expected)
        np.testing.assert_allclose(out.numpy(), expected, rtol=1e-13)  # sums of 24 terms in another order


@pytest.mark.parametrize("axes", AXES)
def test_moments_and_norms(device, axes):
    x = genesis.tensor(X)
    count = X.size if axes is None else np.prod([X.shape[a] for a in np.atleast_1d(axes)])
    for correction in (0, 1):
        expected = X.var(axis=axes) * count / (count - correction)
        np.testing.assert_allclose(x.var(axes, correction=correction).numpy(), expected, rtol=1e-12)
        np.testing.assert_allclose(x.std(axes, correction=correction).numpy(), expected**0.5, rtol=1e-12)
    assert x.std(axes, False, True).tolist() == x.std(axes, correction=0, keepdim=True).tolist()
    assert x.var(False).item() == x.var(unbiased=False).item() == x.var(correction=0).item()
    np.testing.assert_allclose(x.norm(2, axes).numpy(), np.sqrt((X**2).sum(axes)), rtol=1e-12)
    np.testing.assert_allclose(x.norm(3, axes).numpy(), (abs(X) ** 3).sum(axes) ** (1 / 3), rtol=1e-12)
    np.testing.assert_allclose(x.logsumexp(axes).numpy(), np.log(np.exp(X).sum(axes)), rtol=1e-12)


def test_reductions_of_nothing(device):
    x = genesis.zeros(3, 0)
    assert x.sum().item() == 0
    assert x.prod(1).tolist() == [1, 1, 1]
    assert x.sum(0).shape == (0,)
    assert math.isnan(x.mean().item())
    assert x.all().item() is True
    assert x.any().item() is False
    assert x.logsumexp(1).tolist() == [-math.inf] * 3
    assert x.amax(0).shape == (0,)
    assert math.isnan(genesis.ones(1).var().item())
    for name in ("amax", "amin", "max", "min", "argmax"):
        with pytest.raises((RuntimeError, IndexError), match=r"shape \((3, )?0,?\)"):
            getattr(x, name)()


def test_reductions_of_one_number(device):
    x = genesis.tensor(3.0)
    for name in ("sum", "mean", "prod", "amax", "amin", "norm"):
        for dim in (None, 0, -1):
            assert getattr(x, name)(dim=dim).item() == 3
    assert x.argmax(0).item() == x.argmax().item() == 0
    assert x.max(0).values.item() == 3
    assert x.sort(0).values.item() == 3
    assert x.cumsum(0).item() == x.cumprod(0).item() == 3
    assert x.softmax(0).item() == 1


def test_integers_are_summed_as_int64(device):
    for dtype in (genesis.uint8, genesis.int32, genesis.bool):
        x = genesis.ones(300, dtype=dtype)
        assert x.sum().item() == 300
        assert x.sum().dtype is x.prod().dtype is x.cumsum(0).dtype is genesis.int64
    assert genesis.ones(3, dtype=genesis.int64).sum(dtype=genesis.float64).dtype is genesis.float64
    assert genesis.ones(3).sum(dtype=genesis.int64).item() == 3


def test_long_float32_sums_are_accurate(device):
    x = genesis.full((100_000,), 0.1)
    # one addition after another would be off by 1e-4 relative; any sensible grouping stays within a few ulps
    assert x.sum().item() == pytest.approx(0.1 * 100_000, rel=1e-6)
    assert x.reshape(1000, 100).sum(0).sum().item() == pytest.approx(0.1 * 100_000, rel=1e-5)


def test_extremes_and_their_places(device):
    x = np.array([[3.0, 1.0, 3.0], [0.0, 5.0, -2.0]])
    t = genesis.tensor(x)
    assert t.argmax().item() == 4
    assert t.argmax(1).tolist() == [0, 1]  # the first of equal ones
    assert t.argmin(0).tolist() == [1, 0, 1]
    assert t.argmax(1, keepdim=True).tolist() == [[0], [1]]
    values, indices = t.max(1)
    assert values.tolist() == [3, 5]
    assert indices.tolist() == [0, 1]
    assert t.max(0, keepdim=True).values.tolist() == [[3, 5, 3]]
    assert t.min().item() == -2
    assert t.max(genesis.zeros(3)).tolist() == [[3, 1, 3], [0, 5, 0]]
    assert genesis.tensor([True, False]).max().item() is True


def test_nan_wins(device):
    x = genesis.tensor([1.0, math.nan, 3.0])
    for name in ("sum", "amax", "amin", "max", "min", "mean", "prod"):
        assert math.isnan(getattr(x, name)().item())
    assert x.argmax().item() == x.argmin().item() == 1


def test_equal_extremes_share_the_gradient(device):
    x = genesis.tensor([1.0, 3.0, 3.0], requires_grad=True)
    x.max().backward()
    assert x.grad.tolist() == [0, 0.5, 0.5]
    x.grad = None
    x.max(0).values.backward()
    assert x.grad.tolist() == [0, 1, 0]


def test_running_totals(device):
    x = genesis.tensor(X)
    for axis in (0, 1, -1):
        np.testing.assert_allclose(x.cumsum(axis).numpy(), X.cumsum(axis), rtol=1e-13)
        np.testing.assert_allclose(x.cumprod(axis).numpy(), X.cumprod(axis), rtol=1e-13)


# -- order -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "int64", "uint8"])
def test_sorting(device, descending, dtype):
    x = rng.integers(0, 5, (3, 7, 2)).astype(dtype)  # with many equal elements
    for axis in (0, 1, -1):
        values, indices = genesis.tensor(x).sort(axis, descending)
        key = -x.astype(np.int64) if descending else x
        order = np.argsort(key, axis=axis, kind="stable")
        assert indices.tolist() == order.tolist()
        assert values.tolist() == np.take_along_axis(x, order, axis).tolist()
        assert genesis.tensor(x).argsort(axis, descending).tolist() == order.tolist()


def test_nan_sorts_last(device):
    x = genesis.tensor([math.nan, 2.0, -math.inf, 1.0])
    assert x.argsort().tolist() == [2, 3, 1, 0]
    assert x.argsort(descending=True).tolist() == [0, 1, 3, 2]


def test_topk(device):
    x = genesis.tensor([[1.0, 5.0, 3.0], [9.0, 7.0, 8.0]])
    values, indices = x.topk(2)
    assert values.tolist() == [[5, 3], [9, 8]]
    assert indices.tolist() == [[1, 2], [0, 2]]
    assert x.topk(1, 0, largest=False).values.tolist() == [[1, 5, 3]]
    assert x.topk(0).values.shape == (2, 0)


# -- joining and splitting ---------------------------------------------------------------------------------
def test_joining(device):
    a, b = np.ones((2, 3)), np.zeros((2, 1))
    x, y = genesis.tensor(a), genesis.tensor(b)
    assert genesis.cat([x, y, x], 1).tolist() == np.concatenate([a, b, a], 1).tolist()
    assert genesis.cat([x, genesis.zeros(0)]).shape == (2, 3)
    assert genesis.cat([genesis.ones(1), genesis.ones(1, dtype=genesis.int64)]).dtype is genesis.float32
    assert genesis.stack([x, x], -1).shape == (2, 3, 2)
    assert genesis.stack([genesis.tensor(1), genesis.tensor(2)]).tolist() == [1, 2]
    for axis in (0, 1, 2, -1):
        assert genesis.stack([x, x * 2], axis).tolist() == np.stack([a, a * 2], axis).tolist()


def test_splitting(device):
    x = genesis.arange(7)
    assert [p.tolist() for p in x.split(3)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert [p.tolist() for p in x.split([2, 0, 5])] == [[0, 1], [], [2, 3, 4, 5, 6]]
    assert [p.tolist() for p in x.chunk(3)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert [p.numel() for p in x.chunk(5)] == [2, 2, 2, 1]
    assert [p.item() for p in x.unbind()] == list(range(7))
    assert len(genesis.zeros(0, 2).split(2)) == 1


def test_repeating_and_rolling(device):
    x = np.arange(6).reshape(2, 3)
    t = genesis.tensor(x)
    assert t.repeat(2, 1, 2).tolist() == np.tile(x, (2, 1, 2)).tolist()
    assert t.repeat_interleave(2).tolist() == np.repeat(x, 2).tolist()
    assert t.repeat_interleave(3, 0).tolist() == np.repeat(x, 3, 0).tolist()
    assert t.roll(2).tolist() == np.roll(x, 2).tolist()
    assert t.roll((1, -1), (0, 1)).tolist() == np.roll(x, (1, -1), (0, 1)).tolist()
    assert t.flip(0, 1).tolist() == np.flip(x).tolist()
    assert t.flip(()).tolist() == x.tolist()
