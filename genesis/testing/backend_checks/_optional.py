"""Checks of the methods that have a default: ``random``, ``sort``, ``scan``, ``join`` and others."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

import genesis
from genesis.backend import Availability, View, philox
from genesis.testing._check import Question
from genesis.testing.backend_checks._agree import agree
from genesis.testing.backend_checks._bench import FLOATS, Array, Bench, ignored
from genesis.testing.backend_checks._names import ordinary

#: (count, seed, offset): small, a seed with all bits, a position that needs more than 32
DRAWS = ((1, 0, 0), (1000, 2**63 + 5, 3), (30_001, 7, 2**34 + 1))


def questions(bench: Bench) -> Iterator[Question]:
    for kind in ("uniform", "normal", "bits"):
        for dtype in ("int64",) if kind == "bits" else FLOATS:
            yield f"random/{kind}/{dtype}", partial(random, bench, kind, dtype)
    yield "random/strided", partial(random_strided, bench)
    yield "random/parts of a stream", partial(random_parts, bench)
    for dtype in ("float32", "int64", "uint8"):
        yield f"sort/{dtype}", partial(sort, bench, dtype)
    yield "sort/stable", partial(sort_stable, bench)
    yield "sort/nan", partial(sort_nan, bench)
    yield "sort/strided", partial(sort_strided, bench)
    for op in ("sum", "prod"):
        for dtype in ("int64", *FLOATS):
            yield f"scan/{op}/{dtype}", partial(scan, bench, op, dtype)
    yield "scan/strided", partial(scan_strided, bench)
    yield "join", partial(join, bench)
    yield "merge_indices", partial(merge_indices, bench)
    yield "nonzero", partial(nonzero, bench)
    yield "transfer", partial(transfer, bench)
    yield "synchronize", bench.backend.synchronize
    yield "probe", partial(probe, bench)


def _rounding(dtype: str) -> tuple[float, str]:
    if dtype == "float32":
        return (
            6e-7,
            "6e-7: logarithm and cosine in float64 may differ in the last bit, and are rounded to float32",
        )
    return 1e-13, "1e-13: logarithm and cosine may differ in the last bits, and 2 pi times a number rounds"


def random(bench: Bench, kind: str, dtype: str) -> None:
    for count, seed, offset in DRAWS:
        out = bench.put(np.full(count, 77, dtype))
        bench.backend.random(kind, out, seed, offset)
        draw = partial(philox.fill, kind, (count,), dtype)
        limit, why = _rounding(dtype) if kind == "normal" else (0.0, "equal in every bit, on every device")
        agree(
            bench.read(out), draw(seed, offset),
            f"random {kind} of {dtype}, {count} numbers, seed {seed}, offset {offset}",
            allowed=limit, why=why,
            guesses={
                "the offset is ignored": partial(draw, seed, 0),
                "only the lower 32 bits of the seed are used": (
                    partial(draw, seed & 0xFFFFFFFF, offset)
                ),
                "only the lower 32 bits of the offset are used": (
                    partial(draw, seed, offset & 0xFFFFFFFF)
                ),
            },
            advice="the numbers are those of Philox 4x32-10 as genesis.backend.philox defines it, so that a "
            "seed means the same on every device; leave the method out, and the host draws them",
        )  # fmt: skip


def random_strided(bench: Bench) -> None:
    for layout in ("transposed", "columns", "reversed"):
        place = bench.place(np.full((9, 14), 77, "float32"), layout)
        bench.backend.random("uniform", place.view, 1, 2)
        want = philox.fill("uniform", (9, 14), "float32", 1, 2)
        place.expect(
            want, f"random uniform into layout {layout!r} ({place.view!r})",
            advice="a number belongs to the row-major position in the view, not to a place in memory",
        )  # fmt: skip


def random_parts(bench: Bench) -> None:
    whole = philox.fill("uniform", (103,), "float32", 11, 5)
    out = bench.put(np.zeros(103, "float32"))
    for start, count in ((0, 1), (1, 2), (3, 50), (53, 50)):
        bench.backend.random("uniform", out.narrow(0, start, count), 11, 5 + start)
    agree(
        bench.read(out), whole, "random uniform, drawn in four parts with their offsets",
        advice="the number at a position is a function of seed and offset + position, whatever else is "
        "drawn; a block of Philox gives four numbers, and an offset may begin inside of one",
    )  # fmt: skip


def _sorted(x: Array, descending: bool) -> tuple[Array, Array]:
    if descending:
        order = x.shape[-1] - 1 - np.argsort(x[..., ::-1], axis=-1, kind="stable")[..., ::-1]
    else:
        order = np.argsort(x, axis=-1, kind="stable")
    return np.take_along_axis(x, order, -1), order


def check_sort(bench: Bench, x: Array, what: str, advice: str = "") -> None:
    for descending in (False, True):
        values, indices = bench.put(np.zeros_like(x)), bench.put(np.full(x.shape, -1))
        bench.backend.sort(values, indices, bench.put(x), descending)
        want, order = _sorted(x, descending)
        direction = "descending" if descending else "ascending"
        agree(bench.read(values), want, f"sort {what}, {direction}: values", advice=advice)
        agree(bench.read(indices), order, f"sort {what}, {direction}: indices", advice=advice)


def sort(bench: Bench, dtype: str) -> None:
    for shape in ((1,), (1000,), (7, 33), (2, 3, 5), (3, 0)):
        x = ordinary(shape, dtype)
        if dtype != "float32" and x.size:
            info = np.iinfo(dtype)
            x.reshape(-1)[:1] = info.min
        check_sort(bench, x, f"{dtype} {shape}")


def sort_stable(bench: Bench) -> None:
    x = np.random.default_rng(0).integers(0, 4, (3, 200)).astype("float32")
    check_sort(bench, x, "with many equal numbers", "equal elements keep their order, also when descending")
    zeros = np.where(np.arange(20) % 2 == 0, 0.0, -0.0).astype("float32")
    check_sort(bench, zeros, "of 0.0 and -0.0", "0.0 and -0.0 are equal")


def sort_nan(bench: Bench) -> None:
    x = ordinary((3, 20), "float32")
    x[0, 3] = x[1, 0] = x[1, 7] = np.nan
    x[2, 5], x[2, 6] = np.inf, -np.inf
    check_sort(bench, x, "with nan", "nan counts as the largest number")


def sort_strided(bench: Bench) -> None:
    x = ordinary((9, 14), "float32")
    place = bench.place(x, "transposed")
    values, indices = bench.place(np.zeros_like(x), "transposed"), bench.place(np.zeros(x.shape, int), "step")
    bench.backend.sort(values.view, indices.view, place.view, False)
    want, order = _sorted(x, False)
    agree(values.inner(bench.read(values.whole)), want, "sort of transposed views: values")
    agree(indices.inner(bench.read(indices.whole)), order, "sort into a view with steps: indices")


def scan(bench: Bench, op: str, dtype: str) -> None:
    accumulate: Any = np.add.accumulate if op == "sum" else np.multiply.accumulate
    for shape, axis in (((1000,), 0), ((7, 33), 0), ((7, 33), 1), ((2, 50, 3), 1), ((2, 0), 1)):
        x = ordinary(shape, dtype)
        if op == "prod":
            x = (1 + x / 400).astype(dtype) if dtype in FLOATS else np.where(x % 5 == 0, 3, 1).astype(dtype)
        wide = x.astype("float64") if dtype == "float32" else x
        out = bench.put(np.full(shape, 77).astype(dtype))
        bench.backend.scan(op, out, bench.put(x), axis)
        n = shape[axis]
        eps = float(np.finfo(dtype).eps) if dtype in FLOATS else 0.0
        grown = (
            np.add.accumulate(np.abs(wide), axis=axis) if op == "sum" else accumulate(np.abs(wide), axis=axis)
        )
        agree(
            bench.read(out), accumulate(wide, axis=axis).astype(dtype), f"scan {op} of {dtype} {shape} "
            f"along axis {axis}",
            allowed=(n + 4) * eps * grown, why=f"{n} roundings of eps = {eps:.2g} of what was added up",
        )  # fmt: skip


def scan_strided(bench: Bench) -> None:
    x = ordinary((9, 14), "float64")
    source, out = bench.place(x, "transposed"), bench.place(np.zeros_like(x), "columns")
    bench.backend.scan("sum", out.view, source.view, 1)
    out.expect(
        np.add.accumulate(x, 1), "scan sum of a transposed view", allowed=1e-12, why="1e-12, a few roundings",
        guesses={ignored(source.view, "input"): np.add.accumulate(source.misread(), 1)},
    )  # fmt: skip


def join(bench: Bench) -> None:
    for dtype in ("bool", "int64", *FLOATS):
        for axis in range(3):
            shapes = [[2, 3, 4] for _ in range(4)]
            for i, size in enumerate((2, 0, 1, 5)):
                shapes[i][axis] = size
            parts = [ordinary(tuple(s), dtype) for s in shapes]
            want = np.concatenate(parts, axis)
            out = bench.put(np.zeros_like(want))
            bench.backend.join(out, [bench.put(x) for x in parts], axis)
            agree(bench.read(out), want, f"join of {dtype} along axis {axis}, lengths 2, 0, 1, 5")
            rows = [ordinary((3, 4), dtype), ordinary((3, 4), dtype)[::-1]]
            out = bench.put(np.zeros_like(np.stack(rows, axis)))
            bench.backend.join(
                out, [bench.put(rows[0]), bench.place(rows[1].copy(), "transposed").view], axis
            )
            agree(bench.read(out), np.stack(rows, axis), f"join of {dtype} without the axis {axis}")


def merge_indices(bench: Bench) -> None:
    rows, columns = np.array([[0, -1, 4], [-5, 2, 2]]), np.array([[6, -7, 0], [3, -1, 3]])
    out = bench.put(np.zeros((2, 3), np.int64))
    bench.backend.merge_indices(out, [bench.put(rows), bench.place(columns, "transposed").view], (5, 7))
    agree(bench.read(out), rows % 5 * 7 + columns % 7, "merge_indices into 5 rows of 7")
    for wrong in (5, -6):
        rows[1, 1] = wrong
        try:
            bench.backend.merge_indices(out, [bench.put(rows), bench.put(columns)], (5, 7))
        except IndexError:
            continue
        raise AssertionError(f"merge_indices must raise IndexError for {wrong} on an axis of length 5")


def _positions(bench: Bench, x: View) -> Any:
    found = bench.backend.nonzero(x)
    return bench.read(found) if isinstance(found, View) else found


def nonzero(bench: Bench) -> None:
    for dtype in ("bool", "int64", "float32"):
        for shape in ((50,), (7, 9), (2, 3, 4), (0, 3)):
            x = ordinary(shape, dtype)
            x[np.random.default_rng(1).random(shape) < 0.5] = 0
            got = _positions(bench, bench.put(x))
            agree(
                got,
                np.argwhere(x).astype("int64"),
                f"nonzero of {dtype} {shape}: positions in row-major order",
            )
    x = ordinary((6, 7), "float32")
    got = _positions(bench, bench.place(x, "transposed").view)
    agree(got, np.argwhere(x).astype("int64"), "nonzero of a transposed view")
    got = _positions(bench, bench.put(np.array([0.0, -0.0, np.nan, 1e-30])))
    agree(got, np.array([[2], [3]]), "nonzero of 0, -0, nan and 1e-30: nan is not zero")


def transfer(bench: Bench) -> None:
    others = [bench.device]
    count = bench.backend.probe().devices
    if count > 1 and bench.device.type in genesis.list_backends():
        others.append(genesis.device(bench.device.type, (bench.index + 1) % count))
    for device in others:
        for layout in ("contiguous", "transposed", "step"):
            x = ordinary((8, 11), "float32")
            source = bench.place(x, layout)
            out = bench.backend.empty((11, 8), genesis.float32, device).permute((1, 0))
            bench.backend.transfer(out, source.view)
            agree(
                bench.read(out),
                x,
                f"transfer from layout {layout!r} on {bench.device} into a transposed view on {device}",
            )


def probe(bench: Bench) -> None:
    for made in (bench.backend, type(bench.backend)()):
        available = made.probe()
        if not isinstance(available, Availability) or not available.ok or available.devices < 1:
            raise AssertionError(
                f"probe of a device that works must return Availability(True, devices >= 1), got "
                f"{available!r}"
            )
    name = type(bench.backend).name
    if not isinstance(name, str) or not name.isidentifier():
        raise AssertionError(
            f"the class attribute name must be a Python identifier, as in device({name!r}); got {name!r}"
        )
