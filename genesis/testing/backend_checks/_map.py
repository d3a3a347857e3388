"""Checks of ``map``: every name of the alphabet, casts, layouts, broadcasting, numbers, expressions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

import genesis
from genesis.backend import ALPHABET, arg, call, cast
from genesis.backend.expr import INPUT
from genesis.testing._check import Question
from genesis.testing.backend_checks._agree import agree, units
from genesis.testing.backend_checks._bench import DTYPES, FLOATS, INTEGERS, Array, Bench, ignored
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
    for dtype in ("int32", "int64"):
        yield f"map/pow/{dtype}/negative", partial(negative_powers, bench, dtype)


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


def negative_powers(bench: Bench, dtype: str) -> None:
    base, power = (np.array(x, dtype) for x in ([2, 1, -1, -1, 3, -7], [-1, -3, -3, -2, -2, -1]))
    got = run(bench, "pow", [base, power], dtype)
    compare(
        "pow", got, [base, power], f"map {formula('pow')} of {dtype} with negative powers",
        advice="what is left of the number: 1 to any power is 1, -1 is 1 or -1, all others are 0",
    )  # fmt: skip
