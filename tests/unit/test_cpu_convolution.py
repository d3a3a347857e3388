"""Convolutions on the CPU: like the composed definition on ``ref``, whatever the plan; and how they run."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import genesis
import genesis.nn.functional as F
from genesis_cpu import _pool

CLOSE = {"float32": 1e-5, "float64": 1e-12}  # of the largest element: sums of up to a thousand terms

# input, weight, options; the first axis of a weight is that of the results, for a transpose of the channels
GEOMETRIES: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ((3, 3, 9, 10), (20, 3, 3, 3), {"padding": 1}),
    ((5, 20, 4, 4), (70, 20, 3, 3), {"padding": 1}),  # borders are cut off
    ((2, 9, 11, 12), (40, 9, 4, 3), {"stride": (2, 3), "padding": (1, 2), "dilation": (2, 1)}),
    ((2, 10, 9, 9), (5, 10, 3, 3), {"padding": 2}),  # few results: along planes
    ((2, 6, 9, 9), (6, 1, 3, 5), {"padding": 1, "stride": 2, "groups": 6}),
    ((2, 12, 7, 7), (30, 4, 1, 1), {"groups": 3, "stride": 2}),
    ((1, 8, 40), (50, 8, 7), {"stride": 2, "padding": 3}),
    ((2, 2, 5, 6, 4), (9, 2, 3, 2, 2), {"padding": (1, 0, 1), "stride": (1, 2, 1)}),
]


def both(
    device: str, function: str, arrays: list[np.ndarray], options: dict[str, Any]
) -> Iterator[np.ndarray]:
    """The result and all gradients."""
    tensors = [genesis.tensor(a, device=device).requires_grad_() for a in arrays]
    out = getattr(F, function)(*tensors, **options)
    weights = np.linspace(-1, 1, out.numel()).reshape(tuple(out.shape)).astype(arrays[0].dtype)
    (out * genesis.tensor(weights, device=device)).sum().backward()
    yield out.detach().numpy()
    for t in tensors:
        assert t.grad is not None
        yield t.grad.numpy()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("x", "weight", "options"), GEOMETRIES, ids=lambda v: str(v))
def test_like_the_composed_definition(
    x: tuple[int, ...], weight: tuple[int, ...], options: dict[str, Any], dtype: str
) -> None:
    rng = np.random.default_rng(0)
    axes = len(x) - 2
    for transposed in (False, True):
        if transposed:  # from where the convolution leads, back
            groups = options.get("groups", 1)
            shape, outs = (x[0], weight[0], *x[2:]), weight[1] * groups
        else:
            shape, outs = x, weight[0]
        arrays = [rng.standard_normal(s).astype(dtype) for s in (shape, weight, (outs,))]
        function = f"conv{'_transpose' if transposed else ''}{axes}d"
        for got, want in zip(
            both("cpu", function, arrays, options), both("ref", function, arrays, options), strict=True
        ):
            np.testing.assert_allclose(got, want, rtol=0, atol=CLOSE[dtype] * max(1.0, np.abs(want).max()))


def test_random_geometries() -> None:
    dice = random.Random(5)
    rng = np.random.default_rng(5)
    for _ in range(25):
        groups = dice.choice([1, 1, 2, 4])
        channels, outs = groups * dice.choice([1, 2, 5, 17]), groups * dice.choice([1, 3, 8, 33])
        kernel = [dice.randint(1, 4) for _ in range(2)]
        options = {
            "stride": (dice.randint(1, 3), dice.randint(1, 3)),
            "padding": (dice.randint(0, 2), dice.randint(0, 2)),
            "dilation": (dice.randint(1, 2), dice.randint(1, 2)),
            "groups": groups,
        }
        size = [dice.randint(7, 12) for _ in range(2)]
        shapes = (dice.choice([1, 2, 9]), channels, *size), (outs, channels // groups, *kernel), (outs,)
        arrays = [rng.standard_normal(s) for s in shapes]
        for got, want in zip(
            both("cpu", "conv2d", arrays, options), both("ref", "conv2d", arrays, options), strict=True
        ):
            np.testing.assert_allclose(got, want, rtol=0, atol=1e-11, err_msg=f"{shapes} {options}")


def test_views_that_are_not_contiguous() -> None:
    x = genesis.randn(4, 9, 9, 12).permute(0, 3, 1, 2)
    weight = genesis.randn(3, 3, 12, 20).permute(3, 2, 0, 1)
    bias = genesis.randn(40)[::2]
    want = F.conv2d(x.contiguous(), weight.contiguous(), bias.contiguous(), padding=1)
    assert F.conv2d(x, weight, bias, padding=1).tolist() == want.tolist()
    # a gradient that comes from a sum has strides of 0
    x, weight = x.contiguous().requires_grad_(), weight.contiguous().requires_grad_()
    F.conv2d(x, weight).sum().backward()
    assert x.grad is not None
    first = x.grad.numpy().copy()
    x.grad = None
    out = F.conv2d(x, weight)
    out.backward(genesis.ones(*out.shape))
    assert x.grad is not None
    np.testing.assert_array_equal(first, x.grad.numpy())


def test_the_same_again() -> None:
    x, weight, bias = genesis.randn(9, 20, 14, 14), genesis.randn(40, 20, 3, 3), genesis.randn(40)
    runs = []
    for _ in range(2):
        leaves = [t.clone().requires_grad_() for t in (x, weight, bias)]
        out = F.conv2d(*leaves, padding=1)
        (out * out).sum().backward()
        runs.append([out.detach().numpy(), *[t.grad.numpy() for t in leaves if t.grad is not None]])
    for a, b in zip(*runs, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_warm_step_allocates_nothing() -> None:
    x, weight, bias = genesis.randn(16, 16, 20, 20), genesis.randn(32, 16, 3, 3), genesis.randn(32)
    leaves = [t.requires_grad_() for t in (x, weight, bias)]

    def step() -> None:
        for t in leaves:
            t.grad = None
        F.conv2d(*leaves, padding=1).sum().backward()

    for _ in range(3):
        step()
    made = _pool.pool.made
    for _ in range(3):
        step()
    assert _pool.pool.made == made


def test_only_what_is_wanted() -> None:
    for wants in itertools.product([False, True], repeat=3):
        leaves = [
            t.requires_grad_(w)
            for t, w in zip(
                (genesis.randn(2, 9, 6, 6), genesis.randn(20, 9, 3, 3), genesis.randn(20)), wants, strict=True
            )
        ]
        out = F.conv2d(*leaves)
        assert out.requires_grad == any(wants)
        if any(wants):
            out.sum().backward()
        assert [t.grad is not None for t in leaves] == list(wants)
