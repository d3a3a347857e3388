"""Every method of a backend against NumPy: types, layouts of memory, edge values and wrong indices."""

from __future__ import annotations

import math

import numpy as np
import pytest

import genesis
from genesis.backend import ALPHABET, View, arg, call, cast, const, philox
from genesis.backend.dispatch import run_map
from genesis.backend.expr import INDEX

FLOATS = ["float32", "float64"]
INTEGERS = ["uint8", "int8", "int16", "int32", "int64"]
KINDS = {
    "any": ["bool", "int64", *FLOATS],
    "number": ["uint8", "int32", "int64", *FLOATS],
    "float": FLOATS,
    "integer": ["uint8", "int64"],
    "bits": ["bool", "uint8", "int64"],
}
ORACLE = {
    "neg": np.negative, "abs": np.abs, "sign": np.sign, "floor": np.floor, "ceil": np.ceil, "round": np.rint,
    "exp": np.exp, "expm1": np.expm1, "log": np.log, "log1p": np.log1p, "sqrt": np.sqrt, "sin": np.sin,
    "cos": np.cos, "tanh": np.tanh, "erf": np.vectorize(math.erf, otypes=[float]), "not": np.invert,
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.true_divide, "pow": np.power,
    "floordiv": np.floor_divide, "mod": np.remainder, "max": np.maximum, "min": np.minimum, "eq": np.equal,
    "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "and": np.bitwise_and, "or": np.bitwise_or,
    "xor": np.bitwise_xor, "shl": np.left_shift, "shr": np.right_shift, "where": np.where,
}  # fmt: skip
#: exact in every type: one IEEE operation, or none
EXACT = {
    "neg",
    "abs",
    "sign",
    "floor",
    "ceil",
    "round",
    "sqrt",
    "add",
    "sub",
    "mul",
    "div",
    "max",
    "min",
    "where",
}


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

    def map(self, expr, like, *inputs, out=None):
        out = self.empty(like.shape, like.dtype.name) if out is None else out
        run_map(self.backend, expr, out, *[self.put(x) if isinstance(x, np.ndarray) else x for x in inputs])
        return self.backend.read(out)


@pytest.fixture
def bench(device: str) -> Bench:
    return Bench(device)


def numbers(shape: tuple[int, ...], dtype: str, seed: int = 0) -> np.ndarray:
    """Varied values; floats hold the special ones too."""
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype in INTEGERS:
        return rng.integers(0 if dtype == "uint8" else -20, 20, shape).astype(dtype)
    x = (rng.standard_normal(shape) * 4).astype(dtype)
    special = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 1e-40, 1e-30, 88.0, -100.0], dtype)
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


def close(got: np.ndarray, want: np.ndarray, dtype: str, exact: bool = False) -> None:
    assert got.shape == want.shape
    if exact or dtype not in FLOATS:
        np.testing.assert_array_equal(got, want)
    else:
        # three units in the last place, and results below the normal range may lose digits
        unit = np.finfo(dtype).eps
        np.testing.assert_allclose(got, want, rtol=3 * unit, atol=float(np.finfo(dtype).tiny))


NAMES = [(n, t) for n, entry in ALPHABET.items() for t in KINDS[entry.operands]]


@pytest.mark.parametrize(("name", "dtype"), NAMES)
@pytest.mark.parametrize("shape", [(41, 60), (3, 5)], ids=["large", "small"])
def test_map_of_each_name(bench: Bench, name: str, dtype: str, shape: tuple[int, int]) -> None:
    entry = ALPHABET[name]
    operands = [numbers(shape, dtype, seed) for seed in range(entry.arity)]
    if name == "where":
        operands[0] = numbers(shape, "bool")
    if name in ("shl", "shr") or (name == "pow" and dtype in INTEGERS):
        operands[1] = np.abs(operands[1].astype("int64") % 5).astype(dtype)
    with np.errstate(all="ignore"):
        exact = [x.astype("float64") if x.dtype == np.float32 and name not in EXACT else x for x in operands]
        want = ORACLE[name](*exact)
        want = want.astype("bool" if entry.result == "bool" else dtype)
    out = np.empty(shape, want.dtype)
    got = bench.map(call(name, *[arg(i) for i in range(entry.arity)]), out, *operands)
    if name in ("floordiv", "mod"):  # by zero, IEEE leaves more than one answer; the rest must agree
        usual = np.isfinite(want) & (operands[1] != 0)
        got, want = np.where(usual, got, 0), np.where(usual, want, 0)
    close(got, want, want.dtype.name, exact=name in EXACT)


@pytest.mark.parametrize("source", ["bool", *INTEGERS, *FLOATS])
@pytest.mark.parametrize("target", ["bool", "uint8", "int64", *FLOATS])
def test_casts(bench: Bench, source: str, target: str) -> None:
    x = np.abs(np.nan_to_num(numbers((50, 60), source), posinf=3, neginf=2)).clip(0, 100)
    if target in FLOATS or target == "bool":
        x = numbers((50, 60), source)
    want = x.astype(target)
    close(bench.map(cast(arg(0), getattr(genesis, target)), want, x), want, target, exact=True)


@pytest.mark.parametrize("first", ["contiguous", "transposed", "sliced", "rows", "reversed"])
@pytest.mark.parametrize("second", ["contiguous", "transposed", "sliced"])
def test_map_walks_any_layout(bench: Bench, first: str, second: str) -> None:
    x, y = numbers((30, 80), "float32", 1), numbers((30, 80), "float32", 2)
    a, b = layouts(bench, x)[first], layouts(bench, y)[second]
    for where, out in layouts(bench, np.zeros_like(x)).items():
        run_map(bench.backend, arg(0) * arg(1) + arg(0), out, a, b)
        with np.errstate(all="ignore"):
            close(bench.backend.read(out), x * y + x, "float32"), where


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
    x, y = numbers(shape, "float32"), numbers(small, "float32", 3)
    with np.errstate(all="ignore"):
        want = x * y + y
    got = bench.map(
        arg(0) * arg(1) + arg(1), want, bench.put(x).expand(want.shape), bench.put(y).expand(want.shape)
    )
    close(got, want, "float32")


@pytest.mark.parametrize("shape", [(0, 3), (), (1, 1)])
def test_map_of_little(bench: Bench, shape: tuple[int, ...]) -> None:
    x = np.full(shape, 2.0, "float32")
    np.testing.assert_array_equal(bench.map(arg(0) * arg(0) + 1.0, x, x), x * x + 1)


@pytest.mark.parametrize("n", [10, 5000])
def test_map_in_place(bench: Bench, n: int) -> None:
    x, y = numbers((n,), "float32", 1), numbers((n,), "float32", 2)
    out = bench.put(x)
    run_map(bench.backend, arg(0) * arg(1) - arg(0), out, out, bench.put(y))
    with np.errstate(all="ignore"):
        close(bench.backend.read(out), x * y - x, "float32")


@pytest.mark.parametrize("n", [10, 5000])
def test_map_of_numbers_constants_and_positions(bench: Bench, n: int) -> None:
    x = np.linspace(-1, 1, n).astype("float32")
    f = genesis.float32
    got = bench.map(arg(0) * cast(arg(1), f) + cast(arg(2), f), x, x, 3, 0.5)
    close(got, x * np.float32(3) + np.float32(0.5), "float32")
    np.testing.assert_array_equal(bench.map(const(7), np.empty(n, "int64")), np.full(n, 7))
    np.testing.assert_array_equal(bench.map(INDEX, np.empty((n, 2), "int64")), np.arange(2 * n).reshape(n, 2))
    got = bench.map(call("where", arg(0), INDEX, const(-1)), np.empty(n, "int64"), x > 0)
    np.testing.assert_array_equal(got, np.where(x > 0, np.arange(n), -1))
    np.testing.assert_array_equal(bench.map(call("max", arg(0), const(0)), x, x), np.maximum(x, 0))


def test_map_uses_the_number_of_each_call(bench: Bench) -> None:
    x = np.ones(3000, "float32")
    expr = arg(0) * cast(arg(1), genesis.float32) + 1.0
    results = [float(bench.map(expr, x, x, value)[0]) for value in (2.0, 3.0, 4)]
    assert results == [3.0, 4.0, 5.0]


# -- reductions --------------------------------------------------------------------------------------------
SHAPES = [(5,), (2000,), (40000,), (70, 90), (3, 5000), (5000, 3), (6, 50, 20), (2, 3, 4, 50)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(
    ("op", "dtype"), [("sum", "float32"), ("sum", "int64"), ("max", "float32"), ("min", "int32")]
)
def test_reduce(bench: Bench, shape: tuple[int, ...], op: str, dtype: str) -> None:
    rng = np.random.default_rng(1)
    x = (rng.standard_normal(shape) * 9).astype(dtype)
    function = {"sum": np.sum, "max": np.max, "min": np.min}[op]
    for chosen in range(1, 2 ** len(shape)):
        axes = tuple(i for i in range(len(shape)) if chosen >> i & 1)
        kept = tuple(1 if i in axes else n for i, n in enumerate(shape))
        out = bench.empty(kept, dtype)
        bench.backend.reduce(op, out, bench.put(x))
        want = function(x.astype("float64") if dtype == "float32" else x, axis=axes, keepdims=True)
        # a sum of n float32 values may be off by a few units of the sum of their magnitudes
        scale = np.abs(x).sum(axis=axes, keepdims=True) if op == "sum" else 0
        assert (np.abs(bench.backend.read(out) - want) <= 2e-7 * scale).all()


def test_reduce_of_other_walks(bench: Bench) -> None:
    x = np.random.default_rng(2).standard_normal((60, 70)).astype("float64")
    for name, view in layouts(bench, x).items():
        for axis, kept in ((0, (1, 70)), (1, (60, 1))):
            out = bench.empty((kept[1], kept[0]), "float64").permute((1, 0))
            bench.backend.reduce("sum", out, view)
            np.testing.assert_allclose(
                bench.backend.read(out), x.sum(axis, keepdims=True), atol=1e-12, err_msg=name
            )


def test_reductions_of_nothing(bench: Bench) -> None:
    for op, want in (("sum", 0), ("prod", 1)):
        out = bench.empty((3, 1), "float32")
        bench.backend.reduce(op, out, bench.empty((3, 0), "float32"))
        np.testing.assert_array_equal(bench.backend.read(out), np.full((3, 1), want, "float32"))


@pytest.mark.parametrize("op", ["max", "min", "argmax", "argmin"])
@pytest.mark.parametrize("axis", [0, 1])
def test_extremes(bench: Bench, op: str, axis: int) -> None:
    x = np.random.default_rng(3).integers(-5, 5, (40, 30)).astype("float32")
    x[7, 9] = x[20, 9] = np.nan
    out = bench.empty((1, 30) if axis == 0 else (40, 1), "int64" if op.startswith("arg") else "float32")
    bench.backend.reduce(op, out, bench.put(x))
    want = {"max": np.max, "min": np.min, "argmax": np.argmax, "argmin": np.argmin}[op](
        x, axis=axis, keepdims=True
    )
    np.testing.assert_array_equal(bench.backend.read(out), want)


# -- products ----------------------------------------------------------------------------------------------
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


def test_a_product_over_nothing_is_zero(bench: Bench) -> None:
    out = bench.put(np.ones((4, 3), "float32"))
    bench.backend.matmul(out, bench.empty((4, 0), "float32"), bench.empty((0, 3), "float32"))
    np.testing.assert_array_equal(bench.backend.read(out), np.zeros((4, 3)))


def test_batches_of_products(bench: Bench) -> None:
    rng = np.random.default_rng(5)

    def check(a: View, b: View, shape: tuple[int, ...]) -> None:
        out = bench.empty(shape, "float64")
        bench.backend.matmul(out, a, b)
        x, y = bench.backend.read(a), bench.backend.read(b)
        np.testing.assert_allclose(bench.backend.read(out), x @ y, atol=1e-11)

    heads = bench.put(rng.standard_normal((2, 9, 3, 8)))  # (batch, time, heads, width), as attention has it
    check(heads.permute((0, 2, 1, 3)), heads.permute((0, 2, 3, 1)), (2, 3, 9, 9))
    many = bench.put(rng.standard_normal((7, 40, 50)))
    check(many, bench.put(rng.standard_normal((50, 60))).expand((7, 50, 60)), (7, 40, 60))
    check(bench.put(rng.standard_normal((30, 40))).expand((7, 30, 40)), many, (7, 30, 50))
    deep = bench.put(rng.standard_normal((2, 3, 4, 5, 6))).permute((2, 1, 0, 3, 4))
    check(deep, bench.put(rng.standard_normal((4, 3, 2, 6, 7))), (4, 3, 2, 5, 7))


# -- indexing ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "int64", *FLOATS])
@pytest.mark.parametrize(("shape", "axis"), [((5,), 0), ((40, 6), 0), ((4, 60), 1), ((3, 40, 5), 1)], ids=str)
def test_gather_and_scatter(bench: Bench, dtype: str, shape: tuple[int, ...], axis: int) -> None:
    rng = np.random.default_rng(6)
    x = numbers(shape, dtype)
    count = tuple(17 if i == axis else n for i, n in enumerate(shape))
    row = tuple(17 if i == axis else 1 for i in range(len(shape)))
    for index_shape in (count, row):  # an index for each element, and one for a whole row
        index = rng.integers(0, shape[axis], index_shape)
        where = bench.put(index).expand(count)
        full = np.broadcast_to(index, count)
        out = bench.empty(count, dtype)
        bench.backend.gather(out, bench.put(x), where, axis)
        np.testing.assert_array_equal(bench.backend.read(out), np.take_along_axis(x, full, axis))
        source = numbers(count, dtype, 1)
        grid = list(np.ogrid[tuple(slice(n) for n in count)])
        grid[axis] = full
        want = x.copy()
        want[tuple(grid)] = source
        target = bench.put(x)
        bench.backend.scatter("set", target, where, bench.put(source), axis)
        np.testing.assert_array_equal(bench.backend.read(target), want)
        if dtype != "bool":
            want = x.copy()
            with np.errstate(all="ignore"):
                np.add.at(want, tuple(grid), source)
            target = bench.put(x)
            bench.backend.scatter("add", target, where, bench.put(source), axis)
            np.testing.assert_array_equal(bench.backend.read(target), want)


@pytest.mark.parametrize("bad", [3, -1])
def test_an_index_out_of_range_is_named_and_nothing_is_written(bench: Bench, bad: int) -> None:
    index = bench.put(np.array([0, bad, 1]))
    x = bench.put(np.arange(3.0))
    with pytest.raises(IndexError, match=rf"{bad} is out of range.*3"):
        bench.backend.gather(bench.empty((3,), "float64"), x, index, 0)
    with pytest.raises(IndexError, match=rf"{bad} is out of range.*3"):
        bench.backend.scatter("set", x, index, bench.put(np.full(3, 9.0)), 0)
    np.testing.assert_array_equal(bench.backend.read(x), np.arange(3.0))


# -- the rest ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "dtype"), [("uniform", "float32"), ("normal", "float32"), ("bits", "int64")]
)
@pytest.mark.parametrize(("n", "seed", "offset"), [(1, 0, 0), (1000, 2**63 + 5, 3), (30001, 7, 2**34 + 1)])
def test_random_numbers_are_the_defined_ones(
    bench: Bench, kind: str, dtype: str, n: int, seed: int, offset: int
) -> None:
    out = bench.empty((n,), dtype)
    bench.backend.random(kind, out, seed, offset)
    want = philox.fill(kind, (n,), dtype, seed, offset)
    if kind == "normal":  # through logarithm and cosine, which may differ in the last bit
        np.testing.assert_allclose(bench.backend.read(out), want, rtol=3e-7, atol=1e-7)
    else:
        np.testing.assert_array_equal(bench.backend.read(out), want)


def test_random_numbers_follow_the_shape_not_the_memory(bench: Bench) -> None:
    out = bench.empty((8, 5), "float32").permute((1, 0))
    bench.backend.random("uniform", out, 1, 2)
    np.testing.assert_array_equal(bench.backend.read(out), philox.fill("uniform", (5, 8), "float32", 1, 2))


@pytest.mark.parametrize("dtype", ["bool", *INTEGERS, *FLOATS])
def test_write_and_read(bench: Bench, dtype: str) -> None:
    x = numbers((4, 6), dtype)
    for name, view in layouts(bench, x).items():
        np.testing.assert_array_equal(bench.backend.read(view), x, err_msg=name)
        bench.backend.write(view, x[::-1])
        np.testing.assert_array_equal(bench.backend.read(view), x[::-1], err_msg=name)
    copy = bench.backend.read(bench.put(x))
    copy[...] = 0
    np.testing.assert_array_equal(bench.backend.read(bench.put(x)), x)


def test_memory_of_the_host_is_shared_where_it_can_be(bench: Bench) -> None:
    base = np.arange(24.0).reshape(4, 6)
    for host in (base, base[::-1, ::2], base.T):
        view = bench.backend.from_numpy(host, bench.device)
        if view is None:
            continue
        np.testing.assert_array_equal(bench.backend.read(view), host)
        run_map(bench.backend, arg(0) + 1.0, view, view)
        np.testing.assert_array_equal(bench.backend.read(view), host)
        shared = bench.backend.as_numpy(view)
        assert shared is None or np.shares_memory(shared, host)
    frozen = np.arange(3.0)
    frozen.flags.writeable = False
    assert bench.backend.from_numpy(frozen, bench.device) is None
