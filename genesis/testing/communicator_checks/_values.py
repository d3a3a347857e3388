"""What the processes have, and what it is compared with."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

TYPES = (
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64",
)  # fmt: skip
SIZES = (0, 1, 2, 3, 17, 1003, 65_537, 1_000_003)
OPS: dict[str, Callable[[Any, Any], Any]] = {
    "sum": np.add,
    "product": np.multiply,
    "min": np.minimum,
    "max": np.maximum,
    "band": np.bitwise_and,
    "bor": np.bitwise_or,
    "bxor": np.bitwise_xor,
}
_LOGICAL = {"sum": np.logical_or, "product": np.logical_and, "min": np.logical_and, "max": np.logical_or}
#: relative to the value: sums of a few numbers in the type itself, in any order
_CLOSE = {"float16": 4e-3, "bfloat16": 3e-2, "float32": 1e-5, "float64": 1e-13}


def dtype(name: str) -> Any:
    if name == "bfloat16":
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(name)


def of(rank: int, count: int, name: str = "float32") -> Any:
    """What a process has: numbers of both signs whose sums and products are small."""
    kind = dtype(name)
    numbers = np.random.default_rng([rank, count]).integers(0, 7, count)
    if kind.kind == "b":
        return numbers > 3
    return (numbers if kind.kind == "u" else numbers - 3).astype(kind)


def same(got: Any, expected: Any, what: str) -> None:
    """Elements are equal, or as close as sums in their type are."""
    limit = _CLOSE.get(got.dtype.name, 0.0) if got.dtype.kind in "fV" else 0.0
    a, b = np.asarray(got), np.asarray(expected)
    assert (a.dtype, a.shape) == (b.dtype, b.shape), f"{what}: got {a.dtype} {a.shape}"
    a, b = (x.astype(np.float64) if limit else x for x in (a, b))
    wrong = np.abs(a - b) > limit * np.maximum(1, np.abs(b)) if limit else a != b
    if wrong.any():
        i = int(np.argmax(wrong))
        raise AssertionError(f"{what}: element {i} of {a.size} is {a[i]}, expected {b[i]}")


def exact(got: Any, expected: Any, what: str) -> None:
    """Elements are equal, bit for bit."""
    same(got.view(np.uint8), np.ascontiguousarray(expected).view(np.uint8), f"{what}, in bytes")


def folded(s: Any, op: str, count: int, name: str) -> Any:
    everybody = [of(r, count, name) for r in range(s.size)]
    function = (_LOGICAL if name == "bool" else {}).get(op, OPS[op])
    wide = (
        everybody if name in ("bool", "float64") or name[0] in "iu" else [e.astype(float) for e in everybody]
    )
    return reduce(function, wide).astype(dtype(name))
