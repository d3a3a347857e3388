"""Checks of ``matmul``: types, sizes, layouts, batches."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from genesis.backend import View
from genesis.testing._check import Question
from genesis.testing.backend_checks._agree import agree
from genesis.testing.backend_checks._bench import FLOATS, LAYOUTS, Array, Bench, ignored
from genesis.testing.backend_checks._names import ordinary

SIZES = ((1, 1, 1), (3, 40, 5), (1, 300, 7), (300, 1, 7), (7, 300, 1), (64, 64, 64), (65, 33, 129))
LARGE = (301, 257, 263)
#: for products with layouts; of several products of one size; and one that is computed three times
PLACED, MANY, AGAIN = ((5, 7, 6), (70, 90, 83)), (9, 40, 50, 60), 150


def questions(bench: Bench) -> Iterator[Question]:
    for dtype in (*FLOATS, "int64"):
        yield f"matmul/{dtype}", partial(values, bench, dtype, SIZES)
    yield "matmul/float32/large", partial(values, bench, "float32", (LARGE,))
    for layout in LAYOUTS:
        if layout != "contiguous":
            yield f"matmul/layout/{layout} input", partial(layout_of_input, bench, layout)
            yield f"matmul/layout/{layout} output", partial(layout_of_output, bench, layout)
    yield "matmul/batch", partial(batch, bench)
    yield "matmul/batch/layouts", partial(batch_layouts, bench)
    yield "matmul/batch/broadcast", partial(batch_broadcast, bench)
    yield "matmul/empty", partial(empty, bench)
    yield "matmul/special", partial(special, bench)
    yield "matmul/deterministic", partial(deterministic, bench)


def compare(got: Array, x: Array, y: Array, what: str, **more: Any) -> None:
    """Compare with NumPy's product in float64."""
    want, allowed, why = expected(x, y)
    agree(got, want, what, allowed=allowed, why=why, **more)


def expected(x: Array, y: Array) -> tuple[Array, Any, str]:
    """The product, how far it may be off, and why."""
    wide = (x.astype("float64"), y.astype("float64")) if x.dtype.kind == "f" else (x, y)
    want = np.matmul(*wide).astype(x.dtype)
    if x.dtype.kind == "f":
        k = x.shape[-1]
        # the bound of Higham (2002), section 3.5, for any order of the sum
        allowed: Any = (k + 2) * float(np.finfo(x.dtype).eps) * np.matmul(np.abs(wide[0]), np.abs(wide[1]))
        return want, allowed, f"k eps |a| |b| with k = {k}: the bound that holds for every order of the sum"
    return want, 0.0, "equal in every bit: integers are not rounded"


def describe(x: Array, y: Array) -> str:
    return f"matmul of {x.dtype} {x.shape} and {y.shape}"


def run(bench: Bench, x: Array, y: Array, **more: Any) -> None:
    shape = (*x.shape[:-1], y.shape[-1])
    before = np.full(shape, 77, x.dtype)
    out = bench.put(before)
    bench.backend.matmul(out, bench.put(x), bench.put(y))
    got = bench.read(out)
    guesses: dict[str, Any] = {
        "the product is added to what was in the output; it has to replace it": (x @ y + 77).astype(x.dtype)
    }
    if x.ndim > 2 and got.ndim > 2 and got.shape[0] > 1:
        first = np.broadcast_to(x.reshape(-1, *x.shape[-2:])[0] @ y.reshape(-1, *y.shape[-2:])[0], shape)
        guesses["every batch holds the product of the first one"] = first
    compare(got, x, y, describe(x, y), before=before, guesses=guesses, **more)


def values(bench: Bench, dtype: str, sizes: tuple[tuple[int, int, int], ...]) -> None:
    for m, k, n in sizes:
        run(bench, ordinary((m, k), dtype, 1), ordinary((k, n), dtype, 2))


def layout_of_input(bench: Bench, layout: str) -> None:
    for m, k, n in PLACED:
        x, y = ordinary((m, k), "float32", 1), ordinary((k, n), "float32", 2)
        a, b = bench.place(x, layout), bench.place(y, layout)
        for first, second, which in (
            (a.view, bench.put(y), "a"),
            (bench.put(x), b.view, "b"),
            (a.view, b.view, "both"),
        ):
            out = bench.put(np.full((m, n), 77, "float32"))
            bench.backend.matmul(out, first, second)
            wrong = x if which == "b" else a.misread(), y if which == "a" else b.misread()
            compare(
                bench.read(out), x, y,
                f"{describe(x, y)}, {which} of layout {layout!r} ({LAYOUTS[layout].meaning}: a {first!r}, "
                f"b {second!r})",
                guesses={ignored(a.view, "input"): wrong[0] @ wrong[1]},
                advice=partial(_plain, bench, x, y),
            )  # fmt: skip


def _plain(bench: Bench, x: Array, y: Array) -> str:
    try:
        run(bench, x, y)
    except Exception:
        return "the same product of contiguous matrices is wrong too"
    return "the same product of contiguous matrices is right: are strides, or an offset, ignored?"


def layout_of_output(bench: Bench, layout: str) -> None:
    for m, k, n in PLACED:
        x, y = ordinary((m, k), "float32", 1), ordinary((k, n), "float32", 2)
        out = bench.place(np.full((m, n), 77, "float32"), layout)
        bench.backend.matmul(out.view, bench.put(x), bench.put(y))
        what = f"{describe(x, y)} into layout {layout!r} ({LAYOUTS[layout].meaning}: {out.view!r})"
        want, allowed, why = expected(x, y)
        out.expect(want, what, allowed=allowed, why=why, advice=partial(_plain, bench, x, y))


def batch(bench: Bench) -> None:
    for lead in ((2,), (7,), (2, 3), (4, 1, 3)):
        x, y = ordinary((*lead, 5, 7), "float32", 1), ordinary((*lead, 7, 6), "float32", 2)
        run(
            bench,
            x,
            y,
            advice="all axes before the last two are batches, each with a product of its own",
        )
    count, m, k, n = MANY
    run(bench, ordinary((count, m, k), "float32", 1), ordinary((count, k, n), "float32", 2))


def _product(bench: Bench, a: View, b: View, x: Array, y: Array) -> None:
    out = bench.put(np.full((*x.shape[:-1], y.shape[-1]), 77, x.dtype))
    bench.backend.matmul(out, a, b)
    compare(
        bench.read(out), x, y, f"matmul of a {a!r} and b {b!r}",
        advice=partial(_plain, bench, np.ascontiguousarray(x), np.ascontiguousarray(y)),
    )  # fmt: skip


def batch_layouts(bench: Bench) -> None:
    heads = ordinary((2, 9, 3, 8), "float32")  # (batch, time, heads, width), as attention has it
    view = bench.put(heads)
    _product(
        bench, view.permute((0, 2, 1, 3)), view.permute((0, 2, 3, 1)),
        heads.transpose(0, 2, 1, 3), heads.transpose(0, 2, 3, 1),
    )  # fmt: skip
    deep, other = ordinary((2, 3, 4, 5, 6), "float32", 1), ordinary((4, 3, 2, 6, 7), "float32", 2)
    _product(
        bench,
        bench.put(deep).permute((2, 1, 0, 3, 4)),
        bench.put(other),
        deep.transpose(2, 1, 0, 3, 4),
        other,
    )
    wide = ordinary((2, 9, 24), "float32", 3)  # the three parts of one projection
    parts = bench.put(wide)
    q, k = parts.narrow(2, 0, 8), parts.narrow(2, 8, 8).permute((0, 2, 1))
    _product(bench, q, k, wide[..., :8], wide[..., 8:16].transpose(0, 2, 1))


def batch_broadcast(bench: Bench) -> None:
    count, m, k, n = MANY
    many, one = ordinary((count, m, k), "float32", 1), ordinary((k, n), "float32", 2)
    wide_one = np.broadcast_to(one, (count, k, n))
    _product(bench, bench.put(many), bench.put(one).expand((count, k, n)), many, wide_one)
    left = ordinary((n, m), "float32", 3)
    wide_left = np.broadcast_to(left, (count, n, m))
    _product(bench, bench.put(left).expand((count, n, m)), bench.put(many), wide_left, many)
    x = ordinary((3, 1, 4, 5), "float32", 4)
    y = ordinary((1, 2, 5, 6), "float32", 5)
    wide = np.broadcast_to(x, (3, 2, 4, 5)), np.broadcast_to(y, (3, 2, 5, 6))
    _product(bench, bench.put(x).expand((3, 2, 4, 5)), bench.put(y).expand((3, 2, 5, 6)), *wide)


def empty(bench: Bench) -> None:
    out = bench.put(np.ones((4, 3), "float32"))
    bench.backend.matmul(out, bench.empty((4, 0), "float32"), bench.empty((0, 3), "float32"))
    agree(
        bench.read(out), np.zeros((4, 3), "float32"), "matmul of (4, 0) and (0, 3)",
        advice="a sum over nothing is 0, and has to be written",
    )  # fmt: skip
    for lead, m, k, n in (((), 0, 3, 2), ((), 2, 3, 0), ((0,), 2, 3, 4)):
        out = bench.empty((*lead, m, n), "float32")
        bench.backend.matmul(
            out, bench.empty((*lead, m, k), "float32"), bench.empty((*lead, k, n), "float32")
        )
        agree(
            bench.read(out), np.empty((*lead, m, n), "float32"), f"matmul of no elements, {(*lead, m, k, n)}"
        )


def special(bench: Bench) -> None:
    x, y = np.ones((3, 4), "float32"), np.ones((4, 5), "float32")
    x[1, 2], y[0, 3] = np.nan, np.inf
    out = bench.put(np.zeros((3, 5), "float32"))
    bench.backend.matmul(out, bench.put(x), bench.put(y))
    agree(bench.read(out), x @ y, "matmul with a nan in a and an infinite value in b")
    out = bench.put(np.full((3, 5), np.nan, "float32"))
    bench.backend.matmul(out, bench.put(np.ones((3, 4), "float32")), bench.put(np.ones((4, 5), "float32")))
    agree(
        bench.read(out), np.full((3, 5), 4, "float32"), "matmul into memory that held nan",
        advice="what was in the output must not matter; 0 * nan is nan",
    )  # fmt: skip


def deterministic(bench: Bench) -> None:
    a, b = (bench.put(ordinary((AGAIN, AGAIN), "float32", i)) for i in (1, 2))
    results = []
    for _ in range(3):
        out = bench.empty((AGAIN, AGAIN), "float32")
        bench.backend.matmul(out, a, b)
        results.append(bench.read(out))
    for again in results[1:]:
        agree(again, results[0], "matmul, computed again", why="the same bits in every run")
