"""Order, distinct elements, places in sorted sequences."""

from __future__ import annotations

from typing import Any

import numpy as np

from table._entry import Entry, S, bools, floats, integers

# fmt: off
# ruff: noqa: E501 - a table

A, CUBE, ROW, ZERO = floats(3, 4), floats(2, 3, 4), floats(6), np.array(0.5)
NANS = np.array([[1.0, np.nan, -1.0, 2.0], [np.nan, np.inf, -np.inf, 0.0]])
SORTED = np.sort(floats(7))
SHUFFLED = floats(5)
ROWS = np.sort(floats(3, 5), axis=-1)
TIES = np.array([3, 1, 3, 2, 1, 1])


def method(name: str, samples: list[S], errors: Any = (), **options: Any) -> list[Entry]:
    return [Entry(name, samples, errors=errors, **options), Entry(f"Tensor.{name}", samples, errors=errors, **{"layouts": ("plain", "strided"), **options})]


def values(library: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
    """The values alone: which of equal elements comes first is not defined."""
    return function(*args, **kwargs).values


def fields(library: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
    found = function(*args, **kwargs)
    first, second = found
    return found.values, found.indices, first, second, list(found._fields) if hasattr(found, "_fields") else ["values", "indices"]


UNIQUE = [S(TIES), S(TIES, return_inverse=True), S(TIES, return_counts=True), S(TIES, return_inverse=True, return_counts=True), S(TIES, True, True, True), S(TIES, sorted=True), S(integers(0, 3, 3, 4)),
          S(integers(0, 3, 3, 4), return_inverse=True), S(integers(0, 2, 4, 2), dim=0), S(integers(0, 2, 2, 6), dim=1, return_inverse=True, return_counts=True), S(integers(0, 2, 2, 5, 2), dim=-2, return_inverse=True), S(bools(5)),
          S(np.zeros(0)), S(np.array(3), return_inverse=True, return_counts=True), S(np.array([1.0, np.nan, 1.0, np.nan])), S(np.zeros((0, 2)), dim=0), S(integers(0, 4, 6, dtype="uint8"), return_counts=True)]
CONSECUTIVE = [S(TIES), S(np.array([1, 1, 2, 2, 2, 1, 3])), S(np.array([1, 1, 2, 2, 2, 1, 3]), return_inverse=True), S(np.array([1, 1, 2, 2, 2, 1, 3]), True, True), S(np.array([1, 1, 2]), return_counts=True),
               S(np.array([[1, 1], [1, 1], [2, 1]]), dim=0, return_counts=True), S(np.array([[1, 1], [1, 1], [2, 1]])), S(np.array([[1, 1, 2], [3, 3, 3]]), dim=1, return_inverse=True), S(np.zeros(0)), S(np.array([0.5, 0.5, 1.5]))]

ENTRIES = [
    *method("sort", [S(A), S(A, 0), S(CUBE, 1, True), S(A, dim=-1, descending=True), S(A, stable=True), S(A, descending=True, dim=0, stable=True), S(NANS), S(NANS, descending=True), S(floats(0, 3)), S(floats(3, 0), 1),
                     S(integers(-9, 9, 2, 6), stable=True), S(bools(6), stable=True), S(integers(0, 200, 9, dtype="uint8"), descending=True, stable=True), S(ZERO), S(TIES, stable=True), S(TIES, stable=True, descending=True)],
            errors=[S(A, 2)]),
    Entry("sort", [S(A), S(A, 0, True)], call=fields, layouts=("plain",)),
    *method("argsort", [S(A), S(A, 0), S(CUBE, 1, True), S(A, dim=-1, descending=True), S(TIES, stable=True), S(TIES, stable=True, dim=0, descending=True), S(NANS, stable=True), S(ZERO), S(floats(0))], errors=[S(A, 2)]),
    *method("msort", [S(A), S(CUBE), S(integers(0, 9, 5)), S(floats(0, 2))]),
    *method("topk", [S(A, 2), S(A, 1, 0), S(CUBE, 2, 1, False), S(ROW, 6), S(ROW, 0), S(A, k=3, dim=-1, largest=False, sorted=True), S(ZERO, 1), S(floats(2, 50), 3), S(floats(2, 50), 2, largest=False), S(floats(50, 2), 3, dim=0)],
            errors=[S(A, 5), S(A, -1), S(A, 1, 2)]),
    *method("topk", [S(TIES, 3), S(TIES, 2, largest=False), S(NANS, 2), S(NANS, 2, largest=False), S(integers(0, 5, 2, 60), 3)], call=values),
    Entry("topk", [S(A, 2)], call=fields, layouts=("plain",)),
    Entry("kthvalue", [S(A, 2), S(A, 1, 0), S(CUBE, 3, 1, True)], errors=[S(A, 0), S(A, 5)]),
    *method("unique", UNIQUE, errors=[S(A, dim=2)], grad=False),
    *method("unique_consecutive", CONSECUTIVE, errors=[S(A, dim=2)], grad=False),
    Entry(
        "searchsorted",
        [S(SORTED, floats(4)), S(SORTED, floats(2, 3)), S(SORTED, SORTED), S(SORTED, SORTED, right=True), S(SORTED, SORTED, side="right"), S(SORTED, SORTED, side="left"), S(ROWS, floats(3, 2)), S(ROWS, ROWS, right=True),
         S(SORTED, 0.1), S(SORTED, np.array(0.1)), S(SORTED, floats(4), out_int32=True), S(np.array([1, 3, 5]), np.array([0, 1, 2, 5, 9])), S(np.array([1, 3, 5]), np.array([3]), right=True), S(np.array([1, 3, 5]), floats(4)), S(SHUFFLED, floats(3), sorter=np.argsort(SHUFFLED)),
         S(np.zeros((2, 0)), floats(2, 3)), S(np.zeros(0), floats(3)), S(SORTED, np.array([np.nan, np.inf, -np.inf]))],
        errors=[S(ROWS, floats(2, 2)), S(ROWS, 0.5), S(SORTED, floats(2), side="middle"), S(SORTED, floats(2), right=True, side="left"), S(np.array(1.0), floats(2)), S(SORTED, floats(2), sorter=integers(0, 3, 2))],
        grad=False,
    ),
    Entry("bucketize", [S(floats(4), SORTED), S(floats(2, 3), SORTED, right=True), S(0.3, SORTED), S(SORTED, SORTED, out_int32=True), S(np.array([1, 4]), np.array([1, 3, 5])), S(input=floats(2), boundaries=SORTED)],
          errors=[S(floats(4), ROWS)], grad=False),
]
