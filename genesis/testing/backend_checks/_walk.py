"""Checks of how ``map`` walks its views, and of its inputs that are no views."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

import genesis
from genesis.backend import View, arg, call, cast, const
from genesis.backend.expr import INDEX
from genesis.testing._check import Question
from genesis.testing.backend_checks._agree import agree
from genesis.testing.backend_checks._bench import LAYOUTS, Array, Bench, ignored
from genesis.testing.backend_checks._map import LARGE, values_of
from genesis.testing.backend_checks._names import ordinary


def questions(bench: Bench) -> Iterator[Question]:
    for layout in LAYOUTS:
        yield f"map/layout/{layout} input", partial(layout_of_input, bench, layout)
        yield f"map/layout/{layout} output", partial(layout_of_output, bench, layout)
    yield "map/layout/many axes", partial(many_axes, bench)
    yield "map/broadcast", partial(broadcast, bench)
    yield "map/empty", partial(empty, bench)
    yield "map/zero-dimensional", partial(zero_dimensional, bench)
    yield "map/in place", partial(in_place, bench)
    yield "map/number", partial(numbers, bench)
    yield "map/number changes", partial(numbers_change, bench)
    yield "map/constant", partial(constants, bench)
    yield "map/index", partial(index, bench)
    yield "map/deterministic", partial(deterministic, bench)


# -- layouts -----------------------------------------------------------------------------------------------
def layout_of_input(bench: Bench, layout: str) -> None:
    for shape in ((150, 470), (7, 6, 5)):
        x, y = ordinary(shape, "float32", 1), ordinary(shape, "float32", 2)
        a, b = bench.place(x, layout), bench.place(y)
        for first, second, left, right in ((a, b, x, y), (b, a, y, x)):
            out = bench.put(np.full(shape, 77, "float32"))
            bench.map(arg(0) - arg(1), out, first.view, second.view)
            place = 0 if first is a else 1
            misread = y - a.misread() if place else a.misread() - y
            agree(
                bench.read(out), left - right,
                f"map x0 - x1 of float32 {shape}, x{place} of layout {layout!r} ({LAYOUTS[layout].meaning}: "
                f"{a.view!r})",
                element=partial(values_of, [left, right]),
                guesses={} if layout == "contiguous" else {ignored(a.view, "input"): misread},
                advice="" if layout == "contiguous" else partial(_plain_works, bench, shape),
            )  # fmt: skip


def layout_of_output(bench: Bench, layout: str) -> None:
    for shape in ((150, 470), (7, 6, 5)):
        x, y = ordinary(shape, "float32", 1), ordinary(shape, "float32", 2)
        out = bench.place(np.full(shape, 77, "float32"), layout)
        bench.map(arg(0) - arg(1), out.view, bench.put(x), bench.put(y))
        what = (
            f"map x0 - x1 of float32 {shape} into layout {layout!r} ({LAYOUTS[layout].meaning}: {out.view!r})"
        )
        out.expect(
            x - y, what, before=np.full(shape, 77, "float32"),
            advice="" if layout == "contiguous" else partial(_plain_works, bench, shape),
        )  # fmt: skip


def _plain_works(bench: Bench, shape: tuple[int, ...]) -> str:
    try:
        layout_of_input(bench, "contiguous")
    except Exception:
        return "contiguous views give wrong results too, so look at these first"
    return f"contiguous views of the same shapes give the right result, such as {shape}"


def many_axes(bench: Bench) -> None:
    shape = (3, 4, 2, 5, 3, 2)
    x = ordinary(shape, "float32")
    for order in ((5, 0, 3, 1, 4, 2), (1, 0, 2, 3, 4, 5), (0, 1, 2, 3, 5, 4)):
        out = bench.put(np.full([shape[i] for i in order], 77, "float32"))
        bench.map(call("neg", arg(0)), out, bench.put(x).permute(order))
        agree(
            bench.read(out), -x.transpose(order), f"map -x0 of six axes, permuted to the order {order}",
            guesses={ignored(bench.put(x).permute(order), "input"): -x.reshape([shape[i] for i in order])},
        )  # fmt: skip


def broadcast(bench: Bench) -> None:
    cases: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
        ((6, 500), (500,)), ((6, 500), (6, 1)), ((500, 6), ()), ((4, 1, 9, 70), (3, 1, 70)),
        ((7, 5, 3), (7, 1, 1)), ((300, 257), (1, 257)),
    ]  # fmt: skip
    for shape, small in cases:
        x, y = ordinary(shape, "float32"), ordinary(small, "float32", 3)
        want = x - y
        out = bench.put(np.full(want.shape, 77, "float32"))
        a, b = bench.put(x).expand(want.shape), bench.put(y).expand(want.shape)
        bench.map(arg(0) - arg(1), out, a, b)
        agree(
            bench.read(out), want, f"map x0 - x1 with x0 {a!r} and x1 {b!r}",
            advice="a stride of 0 repeats the same element along that axis; it is not a stride of 1",
        )  # fmt: skip


def empty(bench: Bench) -> None:
    for shape in ((0,), (0, 3), (3, 0, 2)):
        out, x = bench.empty(shape, "float32"), bench.empty(shape, "float32")
        bench.map(call("exp", arg(0)), out, x)
        bench.map(cast(arg(0), genesis.float32), out, 1.0)
        agree(bench.read(out), np.empty(shape, "float32"), f"map of shape {shape}, which has no elements")


def zero_dimensional(bench: Bench) -> None:
    for shape in ((), (1,), (1, 1, 1)):
        x = np.full(shape, 2.0, "float32")
        out = bench.put(np.full(shape, 77, "float32"))
        bench.map(arg(0) * arg(1), out, bench.put(x), bench.put(x))
        agree(bench.read(out), x * x, f"map x0 * x1 of shape {shape}, one element")
    inner = bench.put(np.arange(5, dtype="float32")).select(0, 3)
    out = bench.put(np.full((), 77, "float32"))
    bench.map(call("neg", arg(0)), out, inner)
    agree(
        bench.read(out), np.asarray(np.float32(-3)), f"map -x0 of {inner!r}, element 3 of 5",
        guesses={ignored(inner, "input"): np.zeros((), "float32")},
    )  # fmt: skip


def in_place(bench: Bench) -> None:
    for n in (10, LARGE):
        x, y = ordinary((n,), "float32", 1), ordinary((n,), "float32", 2)
        out = bench.put(x)
        bench.map(arg(0) - arg(1), out, out, bench.put(y))
        agree(bench.read(out), x - y, f"map x0 - x1 of {n} elements, where x0 is the output itself")
    x = ordinary((30, 41), "float32")
    place = bench.place(x, "transposed")
    bench.map(arg(0) * arg(1), place.view, place.view, place.view)
    place.expect(
        x * x, "map x0 * x1 in a transposed view, in place, x0 = x1 = out",
        advice="read all operands of an element before its result is written",
    )  # fmt: skip


# -- numbers, constants, positions -------------------------------------------------------------------------
def numbers(bench: Bench) -> None:
    x = np.linspace(-1, 1, 1001).astype("float32")
    f = genesis.float32
    cases: list[tuple[str, Any, tuple[Any, ...], Array]] = [
        ("x0 * float32(3)", arg(0) * cast(arg(1), f), (3,), x * np.float32(3)),
        ("float32(0.1) - x0", cast(arg(1), f) - arg(0), (0.1,), np.float32(0.1) - x),
        ("max(x0, 0), 0 a constant", call("max", arg(0), const(0)), (), np.maximum(x, np.float32(0))),
        ("x0 + float32(True)", arg(0) + cast(arg(1), f), (True,), x + np.float32(1)),
    ]
    for what, expr, values, want in cases:
        out = bench.put(np.full(1001, 77, "float32"))
        bench.map(expr, out, bench.put(x), *values)
        agree(
            bench.read(out), want, f"map {what}, with the number {values}",
            advice="an input may be a Python number: it stands for every element, in the type of the "
            "operand beside it",
        )  # fmt: skip
    below = bench.put(np.zeros(1001, bool))
    bench.map(call("lt", arg(0), cast(arg(1), f)), below, bench.put(x), 0.25)
    agree(bench.read(below), x < 0.25, "map x0 < float32(0.25), with a number, into bools")
    chosen = bench.put(np.zeros(1001, "float32"))
    bench.map(call("where", arg(0), cast(arg(1), f), arg(2)), chosen, bench.put(x > 0), 1.5, bench.put(x))
    agree(bench.read(chosen), np.where(x > 0, np.float32(1.5), x), "map where(x0, float32(1.5), x2)")
    k = np.arange(-50, 50)
    out = bench.put(np.zeros(100, "int64"))
    bench.map(call("mul", arg(0), cast(arg(1), genesis.int64)), out, bench.put(k), 2**40 + 1)
    agree(bench.read(out), k * (2**40 + 1), "map x0 * int64(2**40 + 1): the number has more than 32 bits")


def numbers_change(bench: Bench) -> None:
    x = np.ones(3000, "float32")
    view, out = bench.put(x), bench.put(x)
    for value in (2.0, 3.0, 4, 2.5):
        bench.map(arg(0) * cast(arg(1), genesis.float32), out, view, value)
        agree(
            bench.read(out), x * np.float32(value), f"map x0 * float32({value}), after calls with other "
            "numbers",
            advice="a number belongs to the call: keep it out of the text and the key of what is compiled",
        )  # fmt: skip


def constants(bench: Bench) -> None:
    for dtype, value in (
        ("float32", 1.5), ("float64", 0.1), ("int64", 2**53 + 1), ("uint8", 200), ("bool", True),
        ("float32", float("nan")), ("float32", float("inf")), ("float64", -float("inf")), ("float32", -0.0),
    ):  # fmt: skip
        place = bench.place(np.zeros((40, 30), dtype), "step")
        bench.backend.map(const(value), place.view)
        want = np.full((40, 30), value, dtype)
        place.expect(want, f"map of the constant {value} into a {dtype} view", signed_zeros=True)
    for dtype, number in (
        ("float32", 2.5), ("int64", 7), ("bool", False), ("float64", 3), ("uint8", 9), ("float64", 0.1),
        ("int64", 2**53 + 1), ("float64", -1e300), ("float32", 0.1),
    ):  # fmt: skip
        for what, expr in ((f"{dtype}(x0)", cast(arg(0), getattr(genesis, dtype))), ("x0", arg(0))):
            out: View = bench.put(np.ones((3, 4), dtype))
            bench.map(expr, out, number)
            agree(
                bench.read(out), np.full((3, 4), number, dtype),
                f"map {what} with x0 = {number} into a {dtype} view, a fill",
                advice="a Python number is converted straight to the type of the result: was it rounded to "
                "float32 on the way?",
            )  # fmt: skip


def index(bench: Bench) -> None:
    for shape in ((LARGE,), (37, 5), (), (3, 4, 5)):
        n = int(np.prod(shape))
        out = bench.put(np.full(shape, 77))
        bench.backend.map(INDEX, out)
        agree(bench.read(out), np.arange(n).reshape(shape), f"map index into shape {shape}")
    place = bench.place(np.zeros((6, 7), "int64"), "transposed")
    bench.backend.map(INDEX, place.view)
    place.expect(
        np.arange(42).reshape(6, 7), "map index into a transposed view",
        guesses={"it is the position in memory; it should be the row-major position in the view": (
            np.arange(42).reshape(7, 6).T
        )},
    )  # fmt: skip
    x = ordinary((5000,), "float32")
    out = bench.put(np.zeros(5000, "int64"))
    bench.map(call("where", arg(0), INDEX, const(-1)), out, bench.put(x > 0))
    agree(bench.read(out), np.where(x > 0, np.arange(5000), -1), "map where(x0, index, -1)")


def deterministic(bench: Bench) -> None:
    x = bench.put(ordinary((LARGE,), "float32"))
    expr = call("tanh", arg(0)) * call("exp", -arg(0))
    results = []
    for _ in range(3):
        out = bench.put(np.zeros(LARGE, "float32"))
        bench.map(expr, out, x)
        results.append(bench.read(out))
    for again in results[1:]:
        agree(again, results[0], "map tanh(x0) * exp(-x0), computed again", why="the same bits in every run")
