"""Checks of ``map``: every name of the alphabet, casts, layouts, broadcasting, numbers, expressions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

import genesis
from genesis.backend import ALPHABET, View, arg, call, cast, const
from genesis.backend.expr import INDEX, INPUT
from genesis.testing._check import Question
from genesis.testing.backend_checks._agree import agree, units
from genesis.testing.backend_checks._bench import DTYPES, FLOATS, INTEGERS, LAYOUTS, Array, Bench, ignored
from genesis.testing.backend_checks._names import (
    KINDS,
    SIGNED_ZEROS,
    TRAPS,
    UNITS,
    arguments,
    expected,
    ordinary,
    special,
)

#: enough for every thread and block of a device, and no multiple of anything
LARGE = 70_003


def questions(bench: Bench) -> Iterator[Question]:
    for name, entry in ALPHABET.items():
        for dtype in KINDS[entry.operands]:
            yield f"map/{name}/{dtype}", partial(values, bench, name, dtype)
            if dtype in FLOATS:
                yield f"map/{name}/{dtype}/special", partial(specials, bench, name, dtype)
        dtype = KINDS[entry.operands][-1]
        yield f"map/{name}/strided", partial(strided, bench, name, "float32" if dtype in FLOATS else dtype)
    for dtype in INTEGERS:
        yield f"map/extremes/{dtype}", partial(extremes, bench, dtype)
    for dtype in FLOATS:
        yield f"map/denormal/{dtype}", partial(denormal, bench, dtype)
    for source in DTYPES:
        for target in DTYPES:
            yield f"map/cast/{source}/{target}", partial(casts, bench, source, target)
    for dtype in DTYPES:
        yield f"map/copy/{dtype}", partial(copies, bench, dtype)
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


def formula(name: str) -> str:
    return f"{name}({', '.join(f'x{i}' for i in range(ALPHABET[name].arity))})"


def values_of(operands: list[Array], at: tuple[int, ...]) -> str:
    return "from " + ", ".join(f"x{i} = {x[at]!s}" for i, x in enumerate(operands))


def compare(
    name: str, got: Array, operands: list[Array], what: str, before: Array | None = None, **more: Any
) -> None:
    """Compare the result of one name with NumPy's."""
    want = expected(name, operands)
    allowed, why = tolerance(name, want)
    agree(
        got, want, what, allowed=allowed, why=why, before=before,
        element=partial(values_of, operands), **more,
    )  # fmt: skip


def tolerance(name: str, want: Array) -> tuple[Any, str]:
    """How far a result of one name may be off, and why."""
    if want.dtype.kind == "f" and name in UNITS:
        count = UNITS[name]
        return units(want, count), f"{count} units in the last place, which every library of functions holds"
    if want.dtype.kind == "f" and ALPHABET[name].arity == 2 and name not in ("max", "min"):
        # a device may round results below the normal range to zero
        return float(np.finfo(want.dtype).tiny), "exact, since it is one operation that IEEE 754 defines"
    return 0.0, "equal in every bit"


def run(bench: Bench, name: str, operands: list[Array], result: str) -> Array:
    shape = operands[0].shape
    out = bench.put(np.full(shape, 77).astype(result))
    bench.map(call(name, *[arg(i) for i in range(len(operands))]), out, *[bench.put(x) for x in operands])
    return bench.read(out)


def result_type(name: str, dtype: str) -> str:
    return "bool" if ALPHABET[name].result == "bool" else dtype


# -- names -------------------------------------------------------------------------------------------------
def values(bench: Bench, name: str, dtype: str) -> None:
    for n in (37, LARGE):
        operands = arguments(name, (n,), dtype)
        got = run(bench, name, operands, result_type(name, dtype))
        small = "the same on 37 elements is right" if n == LARGE else TRAPS.get(name, "")
        compare(
            name, got, operands, f"map {formula(name)} of {dtype}, contiguous, {n} elements",
            np.full(n, 77).astype(got.dtype), advice=small,
        )  # fmt: skip


def specials(bench: Bench, name: str, dtype: str) -> None:
    operands = special(name, dtype)
    with np.errstate(all="ignore"):
        keep = np.ones(operands[0].size, bool)
        if name in ("floordiv", "mod"):  # IEEE leaves more than one answer; nan has to come through
            keep = np.isnan(operands[0]) | np.isnan(operands[1])
    operands = [x[keep] for x in operands]
    got = run(bench, name, operands, result_type(name, dtype))
    trap = TRAPS.get(name, "are fast-math options on? They allow a compiler to forget nan, inf and -0.0")
    compare(
        name, got, operands, f"map {formula(name)} of {dtype} at special values",
        signed_zeros=name in SIGNED_ZEROS, advice=trap,
    )  # fmt: skip


def strided(bench: Bench, name: str, dtype: str) -> None:
    operands = arguments(name, (29, 31), dtype)
    places = [bench.place(x, w) for x, w in zip(operands, ("transposed", "step", "reversed"), strict=False)]
    out = bench.place(np.full((29, 31), 77).astype(result_type(name, dtype)), "columns")
    bench.map(call(name, *[arg(i) for i in range(len(operands))]), out.view, *[p.view for p in places])
    layouts = ", ".join(p.layout for p in places)
    what = f"map {formula(name)} of {dtype}, inputs {layouts}, output of layout columns"
    # what lies between the elements may be no number to divide by
    misread = operands if name in ("floordiv", "mod") else [p.misread() for p in places]
    allowed, why = tolerance(name, expected(name, operands))
    out.expect(
        expected(name, operands), what, allowed=allowed, why=why, element=partial(values_of, operands),
        guesses={ignored(places[0].view, "input"): expected(name, misread)},
        advice=lambda: _contiguous_too(bench, name, operands, dtype),
    )  # fmt: skip


def _contiguous_too(bench: Bench, name: str, operands: list[Array], dtype: str) -> str:
    try:
        compare(name, run(bench, name, operands, result_type(name, dtype)), operands, "")
    except Exception:
        return "contiguous views give wrong results too, so this is not about strides"
    return "contiguous views give the right result: are the strides, or the offset, of some view ignored?"


def extremes(bench: Bench, dtype: str) -> None:
    info = np.iinfo(dtype)
    edge = np.array([info.min, info.min + 1, 0, 1, 2, 3, info.max - 1, info.max], dtype)
    x, y = np.repeat(edge, edge.size), np.tile(edge, edge.size)
    for name in (
        "neg",
        "abs",
        "sign",
        "add",
        "sub",
        "mul",
        "max",
        "min",
        "lt",
        "le",
        "eq",
        "and",
        "xor",
        "not",
    ):
        operands = [x, y][: ALPHABET[name].arity]
        got = run(bench, name, operands, result_type(name, dtype))
        wraps = name in ("neg", "abs", "add", "sub", "mul")
        text = "integers wrap around, in their own type: neither saturate nor widen" if wraps else ""
        what = f"map {formula(name)} of the largest and smallest {dtype}"
        compare(name, got, operands, what, advice=text)
    for name in ("floordiv", "mod"):
        defined = (y != 0) & ~((x == info.min) & (y == np.array(-1).astype(dtype)))
        operands = [x[defined], y[defined]]
        got = run(bench, name, operands, dtype)
        what = f"map {formula(name)} of the largest and smallest {dtype}"
        compare(name, got, operands, what, advice=TRAPS[name] + "; all bits count")


def denormal(bench: Bench, dtype: str) -> None:
    tiny = float(np.finfo(dtype).tiny)
    x = np.array([tiny / 4, -tiny / 4, tiny / 1024, tiny * 1.5, -tiny], dtype)
    for name, other in (("mul", 2.0**30), ("div", 2.0**-30), ("lt", 0.0), ("eq", 0.0), ("max", 0.0)):
        operands = [x, np.full_like(x, other)]
        got = run(bench, name, operands, result_type(name, dtype))
        compare(
            name, got, operands, f"map {formula(name)} of {dtype} below the normal range",
            advice="are denormal inputs flushed to zero? Then log, eq and division are wrong near 0",
        )  # fmt: skip


def casts(bench: Bench, source: str, target: str) -> None:
    x = np.concatenate([ordinary((500,), source), ordinary((500,), source, 1)])
    if source in FLOATS:
        x = np.concatenate([x, np.array([0.0, -0.0, 0.5, -0.5, 0.99, 1.5, 2.5, 100.75, -3.99], source)])
    if source in INTEGERS:
        info = np.iinfo(source)
        x = np.concatenate([x, np.array([info.min, info.max, 0, 1], source)])
    if target == "uint8" and source in FLOATS:
        x = np.abs(x)  # what a negative number becomes is left open
    if source in FLOATS and target in (*FLOATS, "bool"):
        x = np.concatenate([x, np.array([np.nan, np.inf, -np.inf, 1e-30, 1e30], source)])
    with np.errstate(all="ignore"):
        want = x.astype(target)
        rounded = np.rint(x).astype(target) if source in FLOATS and target in INTEGERS else want
    out = bench.put(np.full(x.shape, 77).astype(target))
    bench.map(cast(arg(0), getattr(genesis, target)), out, bench.put(x))
    guesses: dict[str, Any] = {
        "the number is rounded, but a cast from float to integer truncates towards zero": rounded,
    }
    if target == "bool" and source != "bool":
        with np.errstate(all="ignore"):
            guesses["a cast to bool is x != 0, not the lowest bits of x"] = (
                np.nan_to_num(x).astype("int64").astype("uint8").astype(bool)
            )
    agree(
        bench.read(out), want, f"map {target}(x0), a cast from {source}",
        element=partial(values_of, [x]), guesses=guesses, signed_zeros=True,
        advice="integers wrap around: the low bits stay" if target in INTEGERS else "",
    )  # fmt: skip


def copies(bench: Bench, dtype: str) -> None:
    x = ordinary((23, 45), dtype)
    if dtype in FLOATS:
        x.reshape(-1)[:4] = [np.nan, -0.0, np.inf, np.finfo(dtype).tiny / 8]
    source, out = bench.place(x, "transposed"), bench.place(np.zeros_like(x), "rows")
    bench.backend.map(INPUT, out.view, source.view)
    what = f"map x0 (a copy) of {dtype} from a transposed view into the middle of an array"
    out.expect(x, what, guesses={ignored(source.view, "input"): source.misread()}, signed_zeros=True)


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
    for dtype, number in (("float32", 2.5), ("int64", 7), ("bool", False), ("float64", 3), ("uint8", 9)):
        out: View = bench.put(np.ones((3, 4), dtype))
        bench.map(cast(arg(0), getattr(genesis, dtype)), out, number)
        agree(bench.read(out), np.full((3, 4), number, dtype), f"map {dtype}(x0) with x0 = {number}, a fill")


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
