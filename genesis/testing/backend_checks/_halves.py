"""Checks of float16 and bfloat16, for devices that say that they have them: ``halves = True``."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

import genesis
from genesis.backend import arg, cast
from genesis.testing._check import Question
from genesis.testing.backend_checks._agree import agree
from genesis.testing.backend_checks._bench import Array, Bench

_BITS = np.arange(0, 1 << 16, 11).astype(np.uint16)  # of both signs, subnormal numbers, infinities and nan


def questions(bench: Bench) -> Iterator[Question]:
    if not bench.backend.halves:
        return
    for name in ("float16", "bfloat16"):
        yield f"halves/{name}/widened", partial(widened, bench, name)
        yield f"halves/{name}/rounded", partial(rounded, bench, name)
        yield f"halves/{name}/strided", partial(strided, bench, name)
        yield f"halves/{name}/computed in float32", partial(computed, bench, name)


def _numbers(name: str) -> Array:
    genesis.empty(0, dtype=name, device="cpu")  # from now on NumPy knows the type
    return _BITS.view(name)


def widened(bench: Bench, name: str) -> None:
    x = _numbers(name)
    out = bench.empty(x.shape, "float32")
    bench.map(cast(arg(0), genesis.float32), out, bench.put(x))
    agree(bench.read(out), x.astype("float32"), f"{name} as float32", why="every half is a float32")


def rounded(bench: Bench, name: str) -> None:
    with np.errstate(all="ignore"):
        halves = np.sort(_numbers(name).astype("float32"))
        halves = halves[np.isfinite(halves)]
        middle = ((halves[1:].astype("float64") + halves[:-1]) / 2).astype("float32")
        x = np.concatenate([middle, np.nextafter(middle, np.float32(np.inf)), [np.inf, -np.inf, np.nan, 7e4]])
        x = x.astype("float32")
        want = x.astype(name)
    out = bench.empty(x.shape, name)
    bench.map(cast(arg(0), getattr(genesis, name)), out, bench.put(x))
    agree(
        bench.read(out).astype("float32"), want.astype("float32"), f"float32 as {name}",
        why="the nearest half, the even one in the middle of two, infinity beyond the largest",
    )  # fmt: skip


def strided(bench: Bench, name: str) -> None:
    x = np.linspace(-3, 3, 63).astype("float32").reshape(7, 9)
    _numbers(name)
    for layout in ("transposed", "columns", "reversed"):
        place = bench.place(np.zeros((7, 9), name), layout)
        bench.map(cast(arg(0), getattr(genesis, name)), place.view, bench.put(x))
        place.expect(x.astype(name), f"float32 into {name} in the layout {layout!r}")


def computed(bench: Bench, name: str) -> None:
    """A chain is computed in float32 and rounded at the end, or where it says so."""
    _numbers(name)
    x = np.linspace(0.5, 3, 50).astype("float32").astype(name)
    wide, kind = x.astype("float32"), getattr(genesis, name)
    a = cast(arg(0), genesis.float32)
    chain = a * a + a
    for what, expr, want in (
        ("x * x + x", cast(chain, kind), (wide * wide + wide).astype(name)),
        ("the product rounded, and x", cast(cast(cast(a * a, kind), genesis.float32) + a, kind),
         ((wide * wide).astype(name).astype("float32") + wide).astype(name)),
    ):  # fmt: skip
        out = bench.empty(x.shape, name)
        bench.map(expr, out, bench.put(x))
        agree(
            bench.read(out).astype("float32"), want.astype("float32"), f"{what} in {name}",
            why="one rounding where it says so: products of halves are exact in float32",
        )  # fmt: skip
