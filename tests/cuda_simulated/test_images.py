"""Convolutions, pooling and batch norm at awkward shapes: as on the CPU, forward and backward."""

from __future__ import annotations

import numpy as np
import pytest

import genesis
import genesis.nn.functional as F
from genesis_cuda.fused import _gathered
from genesis_cuda.fused import batch_norm as norms

LIMIT = {"float32": 2e-5, "float64": 1e-13}


def both(function, *arrays: np.ndarray | None) -> None:
    """The same results and gradients on the CPU and on the device."""

    def run(device: str) -> list[np.ndarray]:
        leaves = [None if a is None else genesis.tensor(a, device=device, requires_grad=True) for a in arrays]
        out = function(*leaves)
        weights = np.random.default_rng(3).standard_normal(tuple(out.shape)).astype(arrays[0].dtype)
        (out * genesis.tensor(weights, device=device)).sum().backward()
        return [out.detach().numpy(), *[x.grad.numpy() for x in leaves if x is not None]]

    limit = LIMIT[arrays[0].dtype.name]
    for here, there in zip(run("cuda"), run("cpu"), strict=True):
        np.testing.assert_allclose(here, there, rtol=limit, atol=limit * max(1, np.abs(there).max()))


def normal(*shape: int, dtype: str = "float32", seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


CONVOLUTIONS = [
    ((2, 3, 5, 6), (4, 3, 3, 2), {"stride": (2, 1), "padding": (1, 0), "dilation": (1, 2)}),
    ((1, 10, 4, 3), (9, 10, 1, 1), {}),  # more than a tile of rows
    ((2, 4, 5, 5), (4, 1, 3, 3), {"groups": 4, "padding": 1}),  # a channel a group
    ((1, 4, 6, 5), (10, 2, 2, 3), {"groups": 2, "stride": 3, "padding": 2}),
    ((2, 2, 7), (5, 2, 3), {"stride": 2, "padding": 1, "dilation": 2}),
    ((1, 2, 3, 4, 3), (3, 2, 2, 1, 2), {"padding": (1, 0, 1), "stride": (1, 2, 1)}),
    ((3, 6, 6), (6, 3, 2, 2), {}),  # no batch
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("x", "weight", "options"), CONVOLUTIONS)
def test_convolutions(x, weight, options, dtype) -> None:
    axes = len(weight) - 2
    arrays = (normal(*x, dtype=dtype), normal(*weight, dtype=dtype, seed=1), normal(weight[0], dtype=dtype))
    both(lambda *t: getattr(F, f"conv{axes}d")(*t, **options), *arrays)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("x", "weight", "options"),
    [
        ((2, 3, 3, 4), (3, 4, 3, 2), {"stride": 2, "padding": 1, "output_padding": (1, 0)}),
        ((1, 4, 4), (4, 5, 3), {"groups": 2, "stride": 3, "dilation": 2, "padding": 2}),
        ((1, 2, 3), (2, 10, 1), {"stride": 2}),  # places that no element reaches
    ],
)
def test_transposes(x, weight, options, dtype) -> None:
    axes = len(weight) - 2
    outs = weight[1] * options.get("groups", 1)
    arrays = (normal(*x, dtype=dtype), normal(*weight, dtype=dtype, seed=1), normal(outs, dtype=dtype))
    both(lambda *t: getattr(F, f"conv_transpose{axes}d")(*t, **options), *arrays)


@pytest.mark.parametrize(("weight", "groups"), [((3, 3, 3, 3), 1), ((1, 1, 2, 2), 1), ((3, 1, 3, 3), 3)])
def test_the_gradient_of_a_weight_in_parts(weight, groups, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    parts = _gathered.Product.parts
    monkeypatch.setattr(
        _gathered.Product, "parts", lambda self, unit, along: asked.append(parts(self, unit, along) or 1) or 3
    )
    x, w = normal(2, weight[1] * groups, 7, 6), normal(*weight, seed=1)
    both(lambda a, b: F.conv2d(a, b, padding=1, groups=groups), x, w)
    assert asked


def test_parts_are_as_many_as_the_gpu_has_work_for() -> None:
    class Large:
        processors = 132

    ones, none = (1, 1, 1), (0, 0, 0)
    steps = (none, (0,) * 6, (0,) * 6)
    plan = _gathered.Product(1, 64, 128, (1, 56, 56), 3, (1, 3, 3), (1, 56, 56), ones, ones, none, *steps)
    assert plan.depth == 128 * 56 * 56
    assert 8 < plan.parts(Large(), True) <= 4 * 132
    assert plan.parts(Large(), False) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("name", "shape", "options"),
    [
        ("max_pool2d", (2, 2, 5, 7), {"kernel_size": (2, 3), "stride": (1, 2), "padding": (1, 0)}),
        ("max_pool2d", (1, 2, 6, 7), {"kernel_size": 2, "stride": 1, "padding": 1, "dilation": (2, 3)}),
        ("max_pool1d", (2, 3, 8), {"kernel_size": 3, "padding": 1, "ceil_mode": True}),
        ("max_pool3d", (1, 2, 3, 4, 5), {"kernel_size": 2, "stride": 1}),
        ("avg_pool2d", (2, 2, 5, 7), {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
        ("avg_pool2d", (2, 5, 7), {"kernel_size": 3, "padding": 1, "count_include_pad": False}),
        ("avg_pool3d", (1, 1, 4, 3, 4), {"kernel_size": 2, "divisor_override": 3}),
        ("adaptive_avg_pool2d", (2, 2, 5, 7), {"output_size": (3, 4)}),
        ("adaptive_avg_pool2d", (2, 2, 5, 7), {"output_size": 1}),
        ("adaptive_max_pool2d", (2, 2, 5, 3), {"output_size": (7, 2)}),
        ("adaptive_avg_pool1d", (2, 2, 5), {"output_size": 9}),
    ],
)  # fmt: skip
def test_pooling(name, shape, options, dtype) -> None:
    both(lambda x: getattr(F, name)(x, **options), normal(*shape, dtype=dtype))


def test_where_the_largest_are_and_what_a_nan_does() -> None:
    x = normal(1, 1, 6, 6)
    x[0, 0, 1, 2] = x[0, 0, 2, 1] = np.nan
    x[0, 0, 4:, 4:] = 1  # equal ones: the first
    found = []
    for device in ("cuda", "cpu"):
        out, where = F.max_pool2d(genesis.tensor(x, device=device), 3, 2, 1, return_indices=True)
        found.append((out.numpy(), where.numpy()))
    np.testing.assert_array_equal(*[f[0] for f in found])
    np.testing.assert_array_equal(*[f[1] for f in found])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(9, 3), (2, 3, 5), (3, 2, 7, 6), (40, 2)])
@pytest.mark.parametrize("training", [True, False])
def test_batch_norm(shape, training, dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(norms, "_BESIDE", 6)
    c = shape[1]
    x = normal(*shape, dtype=dtype) + 10 * np.arange(c, dtype=dtype).reshape(1, c, *[1] * (len(shape) - 2))
    stats = [normal(c, dtype=dtype), np.abs(normal(c, dtype=dtype, seed=2)) + 1]
    kept = {}

    def run(x, w, b):
        kept[str(x.device)] = running = [genesis.tensor(s, device=x.device) for s in stats]
        return F.batch_norm(x, *running, w, b, training=training, momentum=0.3)

    both(run, x, normal(c, dtype=dtype, seed=4), normal(c, dtype=dtype, seed=5))
    for here, there in zip(kept["cuda"], kept["cpu"], strict=True):
        np.testing.assert_allclose(here.numpy(), there.numpy(), rtol=LIMIT[dtype])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("shape", "groups"), [((3, 6), 3), ((2, 6, 5), 2), ((2, 4, 3, 3), 1), ((1, 2, 67), 2)]
)
def test_group_norm(shape, groups, dtype) -> None:
    x = normal(*shape, dtype=dtype) + 5
    weight, bias = normal(shape[1], dtype=dtype, seed=4), normal(shape[1], dtype=dtype, seed=5)
    both(lambda x, w, b: F.group_norm(x, groups, w, b), x, weight, bias)
    both(lambda x: F.group_norm(x, groups), x)
    if len(shape) > 2:
        both(lambda x, w: F.instance_norm(x, weight=w), x, weight)
