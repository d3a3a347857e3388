"""Checks of ``gather`` and ``scatter``."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from genesis.testing._check import Question
from genesis.testing.backend_checks._agree import agree
from genesis.testing.backend_checks._bench import LAYOUTS, Array, Bench, ignored
from genesis.testing.backend_checks._names import ordinary

TYPES = ("bool", "uint8", "int16", "int64", "float32", "float64")
SHAPES: tuple[tuple[tuple[int, ...], int], ...] = (
    ((5,), 0), ((40, 6), 0), ((4, 60), 1), ((3, 40, 5), 1), ((2, 3, 4, 30), 3),
)  # fmt: skip


def questions(bench: Bench) -> Iterator[Question]:
    for dtype in TYPES:
        yield f"gather/{dtype}", partial(gather, bench, dtype)
        yield f"scatter/set/{dtype}", partial(scatter, bench, "set", dtype)
        if dtype != "bool":
            yield f"scatter/add/{dtype}", partial(scatter, bench, "add", dtype)
    yield "gather/large", partial(large, bench, "gather")
    yield "scatter/set/large", partial(large, bench, "set")
    yield "scatter/add/large", partial(large, bench, "add")
    for layout in LAYOUTS:
        if layout != "contiguous":
            yield f"gather/layout/{layout}", partial(gather_layouts, bench, layout)
            yield f"scatter/layout/{layout}", partial(scatter_layouts, bench, layout)
    yield "gather/row index", partial(row_index, bench, "gather")
    yield "scatter/row index", partial(row_index, bench, "scatter")
    yield "gather/longer input", partial(longer, bench)
    yield "scatter/longer output", partial(longer_output, bench)
    yield "scatter/broadcast source", partial(broadcast_source, bench)
    yield "scatter/set/repeated", partial(repeated, bench, "set")
    yield "scatter/add/repeated", partial(repeated, bench, "add")
    yield "scatter/add/order", partial(order, bench)
    yield "gather/empty", partial(empty, bench)
    for bad in (3, -1, 2**40):
        yield f"gather/index {bad} out of range", partial(out_of_range, bench, "gather", bad)
        yield f"scatter/index {bad} out of range", partial(out_of_range, bench, "scatter", bad)


def grid(index: Array, axis: int) -> tuple[Array, ...]:
    places = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    places[axis] = index
    return tuple(places)


def scattered(op: str, x: Array, index: Array, source: Array, axis: int) -> Array:
    out = x.copy()
    with np.errstate(all="ignore"):
        if op == "add":
            np.add.at(out, grid(index, axis), source)
        else:
            # one index after the other along the axis, so that the last one stays
            for i in range(index.shape[axis]):
                at = tuple(slice(i, i + 1) if a == axis else slice(None) for a in range(x.ndim))
                part = list(np.ogrid[tuple(slice(n) for n in index[at].shape)])
                part[axis] = index[at]
                out[tuple(part)] = source[at]
    return out


def _indices(shape: tuple[int, ...], axis: int, count: int, length: int) -> Array:
    wide = tuple(count if i == axis else n for i, n in enumerate(shape))
    return np.random.default_rng(6).integers(0, length, wide)


def gather(bench: Bench, dtype: str) -> None:
    for shape, axis in SHAPES:
        x = ordinary(shape, dtype)
        index = _indices(shape, axis, 17, shape[axis])
        check_gather(bench, x, index, axis)


def check_gather(bench: Bench, x: Array, index: Array, axis: int, **more: Any) -> None:
    before = np.full(index.shape, 77).astype(x.dtype)
    out = bench.put(before)
    bench.backend.gather(out, bench.put(x), bench.put(index), axis)
    agree(
        bench.read(out), np.take_along_axis(x, index, axis),
        f"gather of {x.dtype} {x.shape} by an index of shape {index.shape} along axis {axis}",
        before=before, element=lambda at: f"index {index[at]}", **more,
    )  # fmt: skip


def check_scatter(
    bench: Bench, op: str, x: Array, index: Array, source: Array, axis: int, **more: Any
) -> None:
    out = bench.put(x)
    bench.backend.scatter(op, out, bench.put(index), bench.put(source), axis)
    want = scattered(op, x, index, source, axis)
    guesses: dict[str, Any] = {}
    if op == "add":
        guesses["of repeated indices only the last one is added: += on a copy of the elements"] = lambda: (
            x + scattered("set", np.zeros_like(x), index, source, axis)
        )
        guesses["the old elements are overwritten; add keeps them"] = lambda: scattered(
            "set", x, index, source, axis
        )
        guesses["the sums replace the old elements, and have to be added to them"] = lambda: scattered(
            "add", np.where(want == x, x, 0).astype(x.dtype), index, source, axis
        )
    agree(
        bench.read(out), want,
        f"scatter {op} into {x.dtype} {x.shape} by an index of shape {index.shape} along axis {axis}",
        guesses=guesses, **more,
    )  # fmt: skip


def scatter(bench: Bench, op: str, dtype: str) -> None:
    for shape, axis in SHAPES:
        # eighths, whose sums are exact in any order
        x = (
            (np.round(ordinary(shape, "float64") * 8) / 8).astype(dtype)
            if dtype[0] == "f"
            else ordinary(shape, dtype)
        )
        if op == "add":
            index = _indices(shape, axis, 17, shape[axis])
        else:  # each index once
            index = np.argsort(np.random.default_rng(7).random(shape), axis=axis)
        source = ordinary(index.shape, dtype, 1)
        if dtype[0] == "f":
            source = (np.round(source * 8) / 8).astype(dtype)
        check_scatter(bench, op, x, index, source, axis)


def large(bench: Bench, op: str) -> None:
    shape = (1009, 71)
    x = np.round(ordinary(shape, "float32") * 8) / np.float32(8)
    index = _indices(shape, 0, 1500, 1009)
    if op == "gather":
        check_gather(bench, x, index, 0)
        return
    if op == "set":
        index = np.argsort(np.random.default_rng(7).random(shape), axis=0)
    source = np.round(ordinary(index.shape, "float32", 1) * 8) / np.float32(8)
    check_scatter(bench, op, x, index, source, 0)


def gather_layouts(bench: Bench, layout: str) -> None:
    x = ordinary((20, 13), "float32")
    index = _indices((20, 13), 0, 17, 20)
    want = np.take_along_axis(x, index, 0)
    plain = bench.put(x), bench.put(index)
    placed = bench.place(x, layout)
    where = bench.place(index, layout)
    for which, view, places in (("x", placed.view, plain[1]), ("the index", plain[0], where.view)):
        out = bench.put(np.full(index.shape, 77, "float32"))
        bench.backend.gather(out, view, places, 0)
        guesses = {ignored(view, "input"): np.take_along_axis(placed.misread(), index, 0)}
        agree(
            bench.read(out), want,
            f"gather with {which} of layout {layout!r} ({LAYOUTS[layout].meaning}: x {view!r}, index "
            f"{places!r})",
            guesses=guesses if which == "x" else {},
        )  # fmt: skip
    target = bench.place(np.full(index.shape, 77, "float32"), layout)
    bench.backend.gather(target.view, *plain, 0)
    target.expect(want, f"gather into layout {layout!r} ({LAYOUTS[layout].meaning}: {target.view!r})")


def scatter_layouts(bench: Bench, layout: str) -> None:
    x = ordinary((20, 13), "float32")
    index = _indices((20, 13), 0, 17, 20)
    source = np.round(ordinary(index.shape, "float32", 1))
    x = np.round(x)
    want = scattered("add", x, index, source, 0)
    for which in ("the output", "the index", "the source"):
        out = bench.place(x, layout if which == "the output" else "contiguous")
        where = bench.place(index, layout if which == "the index" else "contiguous")
        what = bench.place(source, layout if which == "the source" else "contiguous")
        bench.backend.scatter("add", out.view, where.view, what.view, 0)
        text = (
            f"scatter add with {which} of layout {layout!r} ({LAYOUTS[layout].meaning}: out {out.view!r}, "
            f"index {where.view!r}, source {what.view!r})"
        )
        guesses = {}
        if which == "the source":
            guesses = {ignored(what.view, "input"): scattered("add", x, index, what.misread(), 0)}
        out.expect(want, text, guesses=guesses)


def row_index(bench: Bench, method: str) -> None:
    x = np.round(ordinary((30, 8), "float32"))
    rows = np.random.default_rng(8).integers(0, 30, (11, 1))
    wide = np.broadcast_to(rows, (11, 8))
    index = bench.put(rows).expand((11, 8))
    text = "with one index for a whole row: stride 0 along axis 1, as embedding has it"
    if method == "gather":
        out = bench.put(np.full((11, 8), 77, "float32"))
        bench.backend.gather(out, bench.put(x), index, 0)
        agree(bench.read(out), np.take_along_axis(x, wide, 0), f"gather {text}")
        return
    source = np.round(ordinary((11, 8), "float32", 1))
    out = bench.put(x)
    bench.backend.scatter("add", out, index, bench.put(source), 0)
    agree(bench.read(out), scattered("add", x, wide, source, 0), f"scatter add {text}")


def broadcast_source(bench: Bench) -> None:
    x = np.round(ordinary((30, 8), "float32"))
    index = np.random.default_rng(8).integers(0, 30, (11, 8))
    row = np.round(ordinary((1, 8), "float32", 1))
    out = bench.put(x)
    bench.backend.scatter("add", out, bench.put(index), bench.put(row).expand((11, 8)), 0)
    agree(
        bench.read(out), scattered("add", x, index, np.broadcast_to(row, (11, 8)), 0),
        "scatter add of a source with a stride of 0, as the gradient of a sum has",
    )  # fmt: skip


def longer(bench: Bench) -> None:
    x = ordinary((9, 30, 8), "float32")
    index = np.random.default_rng(9).integers(0, 30, (4, 5, 6))
    out = bench.put(np.full(index.shape, 77, "float32"))
    bench.backend.gather(out, bench.put(x), bench.put(index), 1)
    agree(
        bench.read(out), np.take_along_axis(x[:4, :, :6], index, 1),
        "gather along axis 1 of (9, 30, 8) by an index of shape (4, 5, 6)",
        advice="the other axes of x may be longer than those of the index; take the strides of x for x",
    )  # fmt: skip


def longer_output(bench: Bench) -> None:
    x = np.round(ordinary((9, 30, 8), "float32"))
    index = np.random.default_rng(9).integers(0, 30, (4, 5, 6))
    source = np.round(ordinary(index.shape, "float32", 1))
    check_scatter(bench, "add", x, index, source, 1)


def repeated(bench: Bench, op: str) -> None:
    index = np.array([[2], [0], [2], [2], [1], [0]]) * np.ones((1, 5), "int64")
    x, source = np.full((4, 5), 100, "float32"), np.arange(30, dtype="float32").reshape(6, 5)
    text = "the last one of repeated indices stays" if op == "set" else "all of repeated indices are added"
    check_scatter(bench, op, x, index, source, 0, advice=text)


def order(bench: Bench) -> None:
    x = ordinary((3, 40), "float32")
    index = np.random.default_rng(4).integers(0, 3, (501, 40))
    source = ordinary((501, 40), "float32", 1)
    check_scatter(
        bench, "add", x, index, source, 0,
        advice="repeated indices are added one by one in their order along the axis, so that training "
        "gives the same bits in every run: atomic adds do not",
    )  # fmt: skip


def empty(bench: Bench) -> None:
    out = bench.empty((0, 3), "float32")
    bench.backend.gather(out, bench.put(np.ones((5, 3), "float32")), bench.empty((0, 3), "int64"), 0)
    agree(bench.read(out), np.empty((0, 3), "float32"), "gather by an empty index")
    x = bench.put(np.ones((5, 3), "float32"))
    bench.backend.scatter("add", x, bench.empty((0, 3), "int64"), bench.empty((0, 3), "float32"), 0)
    agree(bench.read(x), np.ones((5, 3), "float32"), "scatter by an empty index")


def out_of_range(bench: Bench, method: str, bad: int) -> None:
    x = np.arange(3.0)
    index = bench.put(np.array([0, bad, 1]))
    target = bench.put(x)
    try:
        if method == "gather":
            bench.backend.gather(target, bench.put(np.full(3, 9.0)), index, 0)
        else:
            bench.backend.scatter("set", target, index, bench.put(np.full(3, 9.0)), 0)
    except IndexError as error:
        text = str(error)
        if str(bad) not in text or "3" not in text.replace(str(bad), "", 1):
            raise AssertionError(
                f"{method} with the index {bad} along an axis of length 3: the IndexError says {text!r}; it "
                "should name the index and the length, so that people find their mistake"
            ) from error
    else:
        raise AssertionError(
            f"{method} with the index {bad} along an axis of length 3 raised nothing; it must raise "
            "IndexError, and not read or write outside of the memory. Check all indices first"
        )
    if method == "scatter":
        agree(
            bench.read(target), x, f"scatter with the index {bad} out of range: what the output holds",
            advice="nothing may be written when an index is wrong: check all indices first",
        )  # fmt: skip
    good = bench.put(np.array([2, 0, 1]))
    bench.backend.gather(target, bench.put(np.array([5.0, 6.0, 7.0])), good, 0)
    agree(
        bench.read(target), np.array([7.0, 5.0, 6.0]), "gather with good indices after an error",
        advice="the error of an earlier call must not be left behind",
    )  # fmt: skip
