"""Checks of a kernel for ``total_norm``: one number for many tensors."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from genesis.autograd.graph import new
from genesis.ops.total_norm import total_norm
from genesis.testing._check import Question
from genesis.testing.backend_checks._agree import agree
from genesis.testing.backend_checks._bench import FLOATS, Array, Bench
from genesis.testing.backend_checks._kernels import Function, _watched, using

NAME = "total_norm"
SHAPES = ((3, 4), (10,), (90, 300), (), (0, 3), (70_001,))
#: sums of up to 10^5 squares in parts, each part in its own type
LIMIT = {"float32": 1e-5, "float64": 1e-13}


def questions(bench: Bench, function: Function) -> Iterator[Question]:
    """Everything to ask of the kernel."""
    yield f"kernel/{NAME}/is used", partial(is_used, bench, function)
    for dtype in FLOATS:
        for order in (2.0, 1.0, 3.0, math.inf):
            yield f"kernel/{NAME}/{dtype}/order {order}", partial(check, bench, function, dtype, order)
    yield f"kernel/{NAME}/strided", partial(check, bench, function, "float32", 2.0, layout="transposed")
    yield f"kernel/{NAME}/no elements", partial(check, bench, function, "float32", 2.0, shapes=((0,), (2, 0)))
    yield f"kernel/{NAME}/many tensors", partial(check, bench, function, "float32", 2.0, shapes=[(7,)] * 60)
    for value in (math.nan, math.inf):
        yield f"kernel/{NAME}/{value}", partial(not_finite, bench, function, value)


def _arrays(shapes: Sequence[tuple[int, ...]], dtype: str) -> list[Array]:
    rng = np.random.default_rng(0)
    return [np.asarray(rng.standard_normal(shape)).astype("float32").astype(dtype) for shape in shapes]


def _norm(bench: Bench, function: Function, arrays: Sequence[Array], order: float, layout: str) -> Array:
    tensors = [new(bench.place(x, layout if x.ndim else "contiguous").view) for x in arrays]
    with using(bench, {NAME: function}):
        return bench.read(total_norm(tensors, order)._view)


def is_used(bench: Bench, function: Function) -> None:
    taken: list[bool] = []
    _norm(bench, _watched(function, taken), _arrays(SHAPES, "float32"), 2.0, "contiguous")
    if not any(taken):
        raise AssertionError(
            f"{NAME} declined contiguous float32 tensors and order 2 (returned NotImplemented): "
            "it is never used"
        )


def check(
    bench: Bench, function: Function, dtype: str, order: float,
    shapes: Sequence[tuple[int, ...]] = (), layout: str = "contiguous",
) -> None:  # fmt: skip
    arrays = [
        x for x in _arrays(shapes or SHAPES, dtype) if x.size or order != math.inf
    ]  # empty: no largest value
    flat = np.concatenate([x.reshape(-1) for x in arrays]).astype("float64")
    want = np.asarray(np.linalg.norm(flat, order) if flat.size else 0.0, dtype)
    limit = LIMIT[dtype]
    agree(
        _norm(bench, function, arrays, order, layout), want, f"{NAME} of {dtype}, order {order}, {layout}",
        allowed=limit * (1 + np.abs(want)), why=f"{limit:.0e} for sums of up to 10^5 elements",
    )  # fmt: skip


def not_finite(bench: Bench, function: Function, value: float) -> None:
    arrays = _arrays(SHAPES, "float32")
    arrays[2][5, 7] = value
    got = float(_norm(bench, function, arrays, 2.0, "contiguous"))
    if not (math.isnan(got) if math.isnan(value) else got == value):
        raise AssertionError(f"{NAME}: one of the elements is {value}, so the norm is, too; got {got}")
