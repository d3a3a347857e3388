"""Combinations of layouts, sizes and axes, which the kit (``check_backend``) tries one at a time."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import genesis
from genesis.backend import View, arg
from genesis.backend.dispatch import run_map

FLOATS = ["float32", "float64"]


class Bench:
    """A backend with NumPy arrays at both ends."""

    def __init__(self, name: str) -> None:
        self.device = genesis.device(name)
        self.backend = self.device.backend

    def empty(self, shape: tuple[int, ...], dtype: str) -> View:
        return self.backend.empty(shape, getattr(genesis, dtype), self.device)

    def put(self, array: np.ndarray) -> View:
        out = self.empty(array.shape, array.dtype.name)
        self.backend.write(out, array)
        return out


@pytest.fixture
def bench(device: str) -> Bench:
    return Bench(device)


def numbers(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Varied values, the special ones too."""
    x = (np.random.default_rng(seed).standard_normal(shape) * 4).astype("float32")
    special = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 1e-30, 88.0, -100.0], "float32")
    if x.size > 2 * special.size:
        x.reshape(-1)[seed : seed + special.size] = special
    return x


def layouts(bench: Bench, x: np.ndarray) -> dict[str, View]:
    """Views that hold ``x`` (two axes) in different ways."""
    wide = np.zeros((x.shape[0], 2 * x.shape[1] + 1), x.dtype)
    wide[:, 1::2] = x
    return {
        "contiguous": bench.put(x),
        "transposed": bench.put(np.ascontiguousarray(x.T)).permute((1, 0)),
        "sliced": bench.put(wide).narrow(1, 1, x.shape[1], 2),
        "rows": bench.put(np.concatenate([x, x])).narrow(0, x.shape[0], x.shape[0]),
        "reversed": bench.put(np.ascontiguousarray(x[::-1, ::-1])).flip((0, 1)),
    }


def close(got: np.ndarray, want: np.ndarray, where: str = "") -> None:
    # three units in the last place, and results below the normal range may lose digits
    info = np.finfo("float32")
    np.testing.assert_allclose(got, want, rtol=3 * info.eps, atol=float(info.tiny), err_msg=where)


@pytest.mark.parametrize("first", ["contiguous", "transposed", "sliced", "rows", "reversed"])
@pytest.mark.parametrize("second", ["contiguous", "transposed", "sliced"])
def test_map_walks_any_layout(bench: Bench, first: str, second: str) -> None:
    x, y = numbers((30, 80), 1), numbers((30, 80), 2)
    a, b = layouts(bench, x)[first], layouts(bench, y)[second]
    for where, out in layouts(bench, np.zeros_like(x)).items():
        run_map(bench.backend, arg(0) * arg(1) + arg(0), out, a, b)
        with np.errstate(all="ignore"):
            close(bench.backend.read(out), x * y + x, where)


@pytest.mark.parametrize(
    ("shape", "small"),
    [
        ((6, 500), (500,)),
        ((6, 500), (6, 1)),
        ((500, 6), ()),
        ((4, 1, 9, 70), (3, 1, 70)),
        ((7, 5, 3), (7, 1, 1)),
    ],
)
def test_map_broadcasts(bench: Bench, shape: tuple[int, ...], small: tuple[int, ...]) -> None:
    x, y = numbers(shape), numbers(small, 3)
    with np.errstate(all="ignore"):
        want = x * y + y
    out = bench.empty(want.shape, "float32")
    views = [bench.put(v).expand(want.shape) for v in (x, y)]
    run_map(bench.backend, arg(0) * arg(1) + arg(1), out, *views)
    close(bench.backend.read(out), want)


SHAPES = [(5,), (2000,), (40000,), (70, 90), (3, 5000), (5000, 3), (6, 50, 20), (2, 3, 4, 50)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(
    ("op", "dtype"), [("sum", "float32"), ("sum", "int64"), ("max", "float32"), ("min", "int32")]
)
def test_reduce(bench: Bench, shape: tuple[int, ...], op: str, dtype: str) -> None:
    rng = np.random.default_rng(1)
    x = (rng.standard_normal(shape) * 9).astype(dtype)
    function = {"sum": np.sum, "max": np.max, "min": np.min}[op]
    for count in range(1, len(shape) + 1):
        for axes in itertools.combinations(range(len(shape)), count):
            kept = tuple(1 if i in axes else n for i, n in enumerate(shape))
            out = bench.empty(kept, dtype)
            bench.backend.reduce(op, out, bench.put(x))
            want = function(x.astype("float64") if dtype == "float32" else x, axis=axes, keepdims=True)
            # a sum of n float32 values may be off by a few units of the sum of their magnitudes
            scale = np.abs(x).sum(axis=axes, keepdims=True) if op == "sum" else 0
            assert (np.abs(bench.backend.read(out) - want) <= 2e-7 * scale).all()


@pytest.mark.parametrize("dtype", [*FLOATS, "int64"])
@pytest.mark.parametrize("sizes", [(1, 1, 1), (3, 40, 5), (130, 257, 70), (1, 300, 7), (300, 1, 7)], ids=str)
def test_matmul(bench: Bench, dtype: str, sizes: tuple[int, int, int]) -> None:
    m, k, n = sizes
    rng = np.random.default_rng(4)
    x, y = ((rng.standard_normal(s) * 5).round(1).astype(dtype) for s in ((m, k), (k, n)))
    want = x.astype("float64") @ y.astype("float64")
    for a in layouts(bench, x).values():
        for b in layouts(bench, y).values():
            for out in (bench.empty((m, n), dtype), bench.empty((n, m), dtype).permute((1, 0))):
                bench.backend.matmul(out, a, b)
                # products are at most 20 * 20 each
                tolerance = k * 400 * np.finfo(dtype).eps if dtype in FLOATS else 0
                np.testing.assert_allclose(bench.backend.read(out), want, rtol=0, atol=tolerance)
