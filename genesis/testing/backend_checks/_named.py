"""Checks of kernels that operations ask for by name and that have no ``.backward``: as on ``ref``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from genesis._random import Generator
from genesis.autograd.graph import new
from genesis.testing._check import Question
from genesis.testing.backend_checks._agree import agree
from genesis.testing.backend_checks._bench import Bench
from genesis.testing.backend_checks._kernels import Function, _reference, _watched, using

SHAPES = ((7,), (3, 5), (2, 3, 4))


def _extremes(x: Any) -> list[Any]:
    return [part for axis in range(x.dim()) for of in (x.cummax(axis), x.cummin(axis)) for part in of]


def _logs(x: Any) -> list[Any]:
    return [x.logcumsumexp(axis) for axis in range(x.dim())]


def _distinct(x: Any) -> list[Any]:
    rounded = (x * 2).round()
    return [
        *rounded.unique(return_inverse=True, return_counts=True),
        *rounded.unique_consecutive(return_inverse=True, return_counts=True),
    ]


def _dropout(x: Any) -> list[Any]:
    from genesis.ops import dropout

    generator = Generator()
    generator.manual_seed(5)
    return [dropout(x, p, generator=generator) for p in (0.25, 0.5, 0.9)]


def _layer_norm_onto(x: Any) -> list[Any]:
    from genesis import autograd
    from genesis.ops import layer_norm

    leaf = x.detach().requires_grad_()
    start = leaf * 2  # the gradient of the sum below is there before that of the norm
    n = x.shape[-1]
    weight = (x.detach().reshape(-1, n)[0] + 1).requires_grad_()
    bias = x.detach().reshape(-1, n)[-1].clone().requires_grad_()
    out = start + layer_norm(start, (n,), weight, bias)
    return [out.detach(), *autograd.grad(out, (leaf, weight, bias), start.detach())]


#: what runs each of them
CASES: dict[str, Callable[[Any], list[Any]]] = {
    "running_extreme": _extremes,
    "logcumsumexp": _logs,
    "distinct": _distinct,
    "dropout": _dropout,
    "layer_norm_onto": _layer_norm_onto,
}
#: products of halves may be declined wherever the library that makes them is missing
NAMES = (*CASES, "half_matmul")
LIMIT = {"float32": 1e-5, "float64": 1e-13}


def questions(bench: Bench, name: str, function: Function) -> Iterator[Question]:
    """Everything to ask of the kernel of a name."""
    if name == "half_matmul":
        for half in ("float16", "bfloat16"):
            yield f"kernel/{name}/{half}", partial(products, bench, function, half)
        return
    for dtype in LIMIT:
        for layout in ("contiguous", "transposed"):
            yield f"kernel/{name}/{dtype}/{layout}", partial(check, bench, name, function, dtype, layout)


def check(bench: Bench, name: str, function: Function, dtype: str, layout: str) -> None:
    taken: list[bool] = []
    rng = np.random.default_rng(0)
    for shape in SHAPES:
        x = np.asarray(rng.standard_normal(shape)).astype("float32").astype(dtype)
        with using(bench, {name: _watched(function, taken)}):
            found = [bench.read(t._view) for t in CASES[name](new(bench.place(x, layout).view))]
        reference = _reference()
        wanted = [reference.read(t._view) for t in CASES[name](new(reference.put(x)))]
        for here, there in zip(found, wanted, strict=True):
            margin = LIMIT[dtype] * (1 + abs(there))
            agree(here, there, f"{name} of {shape} {dtype}", allowed=margin, why="rounding")
    if not any(taken):
        raise AssertionError(f"{name} declined {dtype} (returned NotImplemented): it is never used")


def products(bench: Bench, function: Function, half: str) -> None:
    import genesis

    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape).astype("float32") for shape in ((5, 7), (7, 3))]
    kind = getattr(genesis, half)
    with using(bench, {"half_matmul": function}):
        a, b = (new(bench.put(x)).to(kind) for x in arrays)
        found = bench.read((a @ b).float()._view)
    reference = _reference()
    a, b = (new(reference.put(x)).to(kind) for x in arrays)
    wanted = reference.read((a @ b).float()._view)
    agree(found, wanted, f"product of {half}", allowed=2.0**-7 * (1 + abs(wanted)), why="one rounding")
