"""Checks of ``reduce``: operations, types, axes, layouts, lengths, nothing, nan."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from genesis.testing._check import Question
from genesis.testing.backend_checks._agree import agree
from genesis.testing.backend_checks._bench import FLOATS, LAYOUTS, Array, Bench, ignored
from genesis.testing.backend_checks._map import LARGE
from genesis.testing.backend_checks._names import ordinary

FUNCTIONS: dict[str, Any] = {
    "sum": np.sum, "prod": np.prod, "max": np.max, "min": np.min, "argmax": np.argmax, "argmin": np.argmin,
}  # fmt: skip
TYPES = {
    "sum": ("int64", *FLOATS),
    "prod": ("int64", *FLOATS),
    "max": ("uint8", "int8", "int16", "int32", "int64", *FLOATS),
    "min": ("uint8", "int8", "int16", "int32", "int64", *FLOATS),
    "argmax": ("uint8", "int8", "int16", "int32", "int64", *FLOATS),
    "argmin": ("uint8", "int8", "int16", "int32", "int64", *FLOATS),
}
#: around the sizes of vectors, work groups and blocks
LENGTHS = (1, 2, 3, 7, 8, 9, 31, 33, 63, 64, 65, 127, 129, 255, 256, 257, 511, 1023, 1025)


def questions(bench: Bench) -> Iterator[Question]:
    for op, types in TYPES.items():
        for dtype in types:
            yield f"reduce/{op}/{dtype}", partial(values, bench, op, dtype)
        yield f"reduce/{op}/every axis", partial(every_axis, bench, op)
        yield f"reduce/{op}/lengths", partial(lengths, bench, op)
    for op in ("sum", "max", "argmin"):
        for layout in LAYOUTS:
            yield f"reduce/{op}/layout/{layout} input", partial(layout_of_input, bench, op, layout)
        for layout in ("transposed", "columns"):
            yield f"reduce/{op}/layout/{layout} output", partial(layout_of_output, bench, op, layout)
        yield f"reduce/{op}/broadcast", partial(broadcast, bench, op)
    for op in ("sum", "prod"):
        yield f"reduce/{op}/empty", partial(empty, bench, op)
    yield "reduce/nothing to write", partial(nothing, bench)
    for op in ("max", "min", "argmax", "argmin", "sum"):
        yield f"reduce/{op}/nan", partial(nan, bench, op)
    for op in ("max", "min"):
        yield f"reduce/{op}/infinite", partial(infinite, bench, op)
    for op in ("argmax", "argmin"):
        yield f"reduce/{op}/first of equals", partial(first_of_equals, bench, op)
    yield "reduce/no axis", partial(no_axis, bench)
    yield "reduce/deterministic", partial(deterministic, bench)


def kept(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def expected(op: str, x: Array, axes: tuple[int, ...]) -> Array:
    if op.startswith("arg"):
        if not axes:
            return np.zeros(x.shape, "int64")
        found: Array = np.asarray(FUNCTIONS[op](x, axis=axes[0], keepdims=True)).astype("int64")
        return found
    wide = x.astype("float64") if x.dtype == np.float32 else x
    with np.errstate(all="ignore"):
        return np.asarray(FUNCTIONS[op](wide, axis=axes, keepdims=True), x.dtype)


def tolerance(op: str, x: Array, axes: tuple[int, ...]) -> tuple[Any, str]:
    if x.dtype.kind != "f" or op not in ("sum", "prod"):
        return 0.0, "equal in every bit: nothing is rounded"
    n = int(np.prod([x.shape[i] for i in axes], initial=1))
    eps = float(np.finfo(x.dtype).eps)
    with np.errstate(all="ignore"):
        if op == "prod":
            total = np.abs(expected(op, x, axes).astype("float64"))
            return (n + 4) * eps * total, f"{n} roundings of eps = {eps:.2g}"
        total = np.nansum(np.where(np.isfinite(x), np.abs(x.astype("float64")), 0), axis=axes, keepdims=True)
    text = f"sqrt(n) eps times the sum of magnitudes, n = {n}: the roundings of a plain running sum"
    return (n**0.5 + 4) * eps * total, text


def check(bench: Bench, op: str, x: Array, axes: tuple[int, ...], **more: Any) -> None:
    """Reduce a contiguous array and compare."""
    want = expected(op, x, axes)
    before = np.full(want.shape, 77).astype(want.dtype)
    out = bench.put(before)
    bench.backend.reduce(op, out, bench.put(x))
    allowed, why = tolerance(op, x, axes)
    what = f"reduce {op} of {x.dtype} {x.shape} over the axes {axes}"
    agree(bench.read(out), want, what, allowed=allowed, why=why, before=before, **more)


def data(op: str, shape: tuple[int, ...], dtype: str, seed: int = 0) -> Array:
    x = ordinary(shape, dtype, seed)
    if op == "prod" and dtype in FLOATS:
        # factors near 1, whose product stays in range
        return np.asarray(1 + x / (100 * max(x.size, 1) ** 0.5)).astype(dtype)
    if op == "prod":
        return np.where(x % 5 == 0, 3, 1).astype(dtype)  # wraps, as integers do
    return x


def values(bench: Bench, op: str, dtype: str) -> None:
    check(bench, op, data(op, (LARGE,), dtype), (0,))
    for axis in (0, 1):
        check(bench, op, data(op, (130, 257), dtype, 1), (axis,))
    if not op.startswith("arg"):
        check(bench, op, data(op, (130, 257), dtype, 2), (0, 1))


def every_axis(bench: Bench, op: str) -> None:
    shape = (3, 4, 2, 5)
    x = data(op, shape, "float64", 3)
    most = 1 if op.startswith("arg") else 4
    for count in range(1, most + 1):
        for axes in combinations(range(4), count):
            check(
                bench, op, x, axes,
                advice="the axes to reduce are those of length 1 in out and not in x",
            )  # fmt: skip


def lengths(bench: Bench, op: str) -> None:
    for n in LENGTHS:
        check(bench, op, data(op, (3, n), "float32", n), (1,), advice=f"length {n} is wrong")


def layout_of_input(bench: Bench, op: str, layout: str) -> None:
    x = ordinary((60, 71), "float64", 2)
    place = bench.place(x, layout)
    for axis in (0, 1):
        want = expected(op, x, (axis,))
        out = bench.put(np.full(want.shape, 77).astype(want.dtype))
        bench.backend.reduce(op, out, place.view)
        allowed, why = tolerance(op, x, (axis,))
        agree(
            bench.read(out), want,
            f"reduce {op} over axis {axis} of layout {layout!r} ({LAYOUTS[layout].meaning}: {place.view!r})",
            allowed=allowed, why=why, 
            guesses={ignored(place.view, "input"): expected(op, place.misread(), (axis,))},
            advice=partial(_plain, bench, op, x, axis) if layout != "contiguous" else "",
        )  # fmt: skip


def _plain(bench: Bench, op: str, x: Array, axis: int) -> str:
    try:
        check(bench, op, x, (axis,))
    except Exception:
        return "the same array, contiguous, gives a wrong result too"
    return "the same array, contiguous, gives the right result: are the strides, or the offset, ignored?"


def layout_of_output(bench: Bench, op: str, layout: str) -> None:
    x = ordinary((6, 7, 11), "float32", 2)
    want = expected(op, x, (1,))
    out = bench.place(np.full(want.shape, 77).astype(want.dtype), layout)
    bench.backend.reduce(op, out.view, bench.put(x))
    allowed, why = tolerance(op, x, (1,))
    what = f"reduce {op} over axis 1 into layout {layout!r} ({out.view!r})"
    out.expect(want, what, allowed=allowed, why=why)


def broadcast(bench: Bench, op: str) -> None:
    x = ordinary((5, 1, 7), "float64")
    wide = np.broadcast_to(x, (5, 9, 7))
    for axis in (0, 1, 2):
        want = expected(op, wide, (axis,))
        out = bench.put(np.full(want.shape, 77).astype(want.dtype))
        view = bench.put(x).expand((5, 9, 7))
        bench.backend.reduce(op, out, view)
        allowed, why = tolerance(op, wide, (axis,))
        agree(bench.read(out), want, f"reduce {op} over axis {axis} of {view!r}", allowed=allowed, why=why)


def empty(bench: Bench, op: str) -> None:
    value = {"sum": 0, "prod": 1}[op]
    for shape, axes in (((3, 0), (1,)), ((0,), (0,)), ((2, 0, 3), (0, 1))):
        for dtype in ("float32", "int64", "uint8"):
            want = np.full(kept(shape, axes), value, dtype)
            out = bench.put(np.full(want.shape, 77, dtype))
            bench.backend.reduce(op, out, bench.empty(shape, dtype))
            agree(
                bench.read(out), want, f"reduce {op} of {dtype} {shape} over the axes {axes}, of length 0",
                before=np.full(want.shape, 77, dtype),
                advice=f"the {op} of nothing is {value}, and has to be written",
            )  # fmt: skip


def nothing(bench: Bench) -> None:
    for op in ("sum", "max"):
        out = bench.empty((0, 1), "float32")
        bench.backend.reduce(op, out, bench.empty((0, 3), "float32"))
        agree(bench.read(out), np.empty((0, 1), "float32"), f"reduce {op} of shape (0, 3) over axis 1")


def nan(bench: Bench, op: str) -> None:
    x = ordinary((40, 300), "float32", 5)
    x[3, 0] = x[7, 299] = x[9, 150] = x[20, 64] = x[20, 65] = np.nan
    for axis in (0, 1):
        check(
            bench, op, x, (axis,),
            advice="a nan wins: every comparison with it is false, so it has to be asked for. For argmax "
            "and argmin the position is that of the first nan",
        )  # fmt: skip


def infinite(bench: Bench, op: str) -> None:
    x = np.full((3, 70), -np.inf if op == "max" else np.inf, "float32")
    x[1, 5] = 1.0
    check(
        bench, op, x, (1,),
        advice="start from the first element, or from an infinite value: the largest finite number is "
        "not the identity",
    )  # fmt: skip
    k = np.full((3, 70), np.iinfo("int64").min if op == "max" else np.iinfo("int64").max)
    check(bench, op, k, (1,), advice="start from the first element")


def first_of_equals(bench: Bench, op: str) -> None:
    x = np.random.default_rng(3).integers(-3, 3, (40, 700)).astype("float32")
    for axis in (0, 1):
        check(bench, op, x, (axis,), advice="of equal extremes the first one counts")


def no_axis(bench: Bench) -> None:
    x = ordinary((4, 1, 3), "float32")
    for op in ("sum", "max"):
        out = bench.put(np.full(x.shape, 77, "float32"))
        bench.backend.reduce(op, out, bench.put(x))
        agree(bench.read(out), x, f"reduce {op} of shape (4, 1, 3) into the same shape, which is a copy")
        one = bench.put(np.full((), 77, "float32"))
        bench.backend.reduce(op, one, bench.put(np.full((), 5, "float32")))
        agree(bench.read(one), np.full((), 5, "float32"), f"reduce {op} of a single number, which is a copy")
    where = bench.put(np.full((), 77))
    bench.backend.reduce("argmax", where, bench.put(np.full((), 5, "float32")))
    agree(bench.read(where), np.zeros((), "int64"), "reduce argmax of a single number")


def deterministic(bench: Bench) -> None:
    x = bench.put(ordinary((33, LARGE // 33), "float32"))
    for shape in ((1, 1), (33, 1), (1, LARGE // 33)):
        results = []
        for _ in range(3):
            out = bench.empty(shape, "float32")
            bench.backend.reduce("sum", out, x)
            results.append(bench.read(out))
        for again in results[1:]:
            agree(
                again, results[0], f"reduce sum into {shape}, computed again", why="the same bits in every "
                "run",
                advice="add in an order that does not depend on which thread is first: no atomic adds",
            )  # fmt: skip
