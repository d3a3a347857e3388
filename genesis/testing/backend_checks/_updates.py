"""Checks of a kernel for ``update_step``: the formulas of an ``Update``, in one pass."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from genesis.autograd.graph import new
from genesis.backend.expr import call
from genesis.ops.update import Update
from genesis.testing._check import Question
from genesis.testing.backend_checks._agree import agree
from genesis.testing.backend_checks._bench import FLOATS, Array, Bench
from genesis.testing.backend_checks._kernels import Function, _reference, _watched, using

NAME = "update_step"
SHAPES = ((3, 4), (10,), (90, 300), (), (0, 3))
#: a few roundings of numbers near 1; three steps
LIMIT = {"float32": 1e-6, "float64": 1e-13}

#: what to try: an update, its numbers, and those that differ between parameters, from their index
CASES: dict[str, tuple[Update, dict[str, float], dict[str, Any]]] = {
    "one rule": (Update("descent", ("p", "g"), {"p": lambda p, g, lr: p - lr * g}), {"lr": 0.1}, {}),
    "rules that read new values": (
        Update(
            "momentum",
            ("p", "g", "m"),
            {"m": lambda m, g, new: m + (g - m) * new, "p": lambda p, m, lr: p - lr * m},
        ),
        {"new": 0.3, "lr": 0.1},
        {},
    ),
    "numbers of their own": (
        Update(
            "corrected",
            ("p", "g", "v"),
            {
                "v": lambda v, g, new: v + (g * g - v) * new,
                "p": lambda p, g, v, size, least: p - size * g / call("sqrt", v * v + least),
            },
            each=("size",),
        ),
        {"new": 0.3, "least": 0.5},
        {"size": lambda i: 0.1 + 0.05 * (i % 3)},
    ),
    "names that are used after a change": (
        Update(
            "twice",
            ("p", "g", "a", "b"),
            {
                "d": lambda g, a, b, half: half * (g + a) - b,
                "a": lambda a, d: a + d,
                "p": lambda p, d, rate: p - rate * d,
                "b": lambda b, d, p, half: call("max", b, call("where", call("lt", d, 0.0), d, p)) * half,
            },
        ),
        {"half": 0.5, "rate": 0.1},
        {},
    ),
}


def questions(bench: Bench, function: Function) -> Iterator[Question]:
    """Everything to ask of the kernel."""
    yield f"kernel/{NAME}/is used", partial(is_used, bench, function)
    for case in CASES:
        for dtype in FLOATS:
            yield f"kernel/{NAME}/{dtype}/{case}", partial(check, bench, function, dtype, case)
    for which in ("gradients", "parameters"):
        yield f"kernel/{NAME}/strided {which}", partial(strided, bench, function, which)
    yield f"kernel/{NAME}/many parameters", partial(many, bench, function)


def _take(
    bench: Bench, dtype: str, case: str, shapes: Any = SHAPES, params: str = "contiguous",
    gradients: str = "contiguous",
) -> list[list[Array]]:  # fmt: skip
    """Parameters, gradients and states after three steps."""
    update, numbers, own = CASES[case]
    rng = np.random.default_rng(0)

    def tensor(shape: tuple[int, ...], layout: str) -> Any:
        host = np.asarray(rng.standard_normal(shape)).astype("float32").astype(dtype)
        return new(bench.place(host, layout if shape else "contiguous").view)

    lists = [
        [tensor(s, params if k == 0 else "contiguous") for s in shapes] for k in range(len(update.tensors))
    ]
    each = {name: [value(i) for i in range(len(shapes))] for name, value in own.items()}
    for _ in range(3):
        lists[1] = [tensor(s, gradients) for s in shapes]
        update(*lists, **numbers, **each)
    return [[bench.read(p._view) for p in tensors] for tensors in lists]


def _compare(
    bench: Bench, function: Function, dtype: str, case: str, what: str, advice: str = "", **how: Any
) -> None:
    with using(bench, {NAME: function}):
        got = _take(bench, dtype, case, **how)
    want = _take(_reference(), "float64", case, **how)
    update = CASES[case][0]
    for name, gots, wants in zip(update.tensors, got, want, strict=True):
        for i, (g, w) in enumerate(zip(gots, wants, strict=True)):
            agree(
                g, w.astype(dtype), f"{NAME} of {dtype}, {what}: {name!r} of parameter {i}, {w.shape}",
                allowed=LIMIT[dtype] * (1 + np.abs(w)),
                why=f"{LIMIT[dtype]:.0e}, a few roundings of numbers near 1", advice=advice,
            )  # fmt: skip


def is_used(bench: Bench, function: Function) -> None:
    taken: list[bool] = []
    with using(bench, {NAME: _watched(function, taken)}):
        _take(bench, "float32", "one rule")
    if not any(taken):
        raise AssertionError(
            f"{NAME} declined contiguous float32 parameters (returned NotImplemented): it is never used"
        )


def check(bench: Bench, function: Function, dtype: str, case: str) -> None:
    text = {
        "numbers of their own": "those of update.each come as lists, one number for each parameter",
        "names that are used after a change": "update.results are over the old elements: read all of an "
        "element before writing",
    }.get(case, "")
    _compare(bench, function, dtype, case, f"{case}, after three steps", text)


def strided(bench: Bench, function: Function, which: str) -> None:
    advice = "decline what is not contiguous, before anything is written; or copy a gradient"
    for layout in ("transposed", "step"):
        how = {"params" if which == "parameters" else which: layout}
        _compare(
            bench, function, "float32", "rules that read new values", f"with {which} of layout {layout!r}",
            advice, **how,
        )  # fmt: skip


def many(bench: Bench, function: Function) -> None:
    shapes = [(1 + i % 7, 1 + i % 5) for i in range(60)]
    _compare(bench, function, "float32", "numbers of their own", "60 small parameters", shapes=shapes)
