"""Picking and placing along an axis, by positions and by masks."""

from __future__ import annotations

from typing import Any

import numpy as np

from table._entry import Entry, S, bools, floats, integers

# fmt: off
# ruff: noqa: E501 - a table

A, B, CUBE, ROW, ZERO = floats(3, 4), floats(3, 4), floats(2, 3, 4), floats(4), np.array(0.5)


def i(*values: Any) -> Any:
    return np.array(values, dtype="int64")


def distinct(rows: int, columns: int, high: int) -> Any:
    """Indices of which none appears twice in a row."""
    rng = np.random.default_rng(3)
    return np.stack([rng.permutation(high)[:columns] for _ in range(rows)]).astype("int64")


def method(name: str, samples: list[S], errors: Any = (), in_place: bool = True, **options: Any) -> list[Entry]:
    """The function, the method, and the method that overwrites its tensor."""
    found = [Entry(name, samples, errors=errors, **options), Entry(f"Tensor.{name}", samples, errors=errors, layouts=("plain", "strided"), **options)]
    if in_place:
        found.append(Entry(f"Tensor.{name}_", samples, errors=errors, **options))
    return found


EMPTY = np.zeros(0, "int64")
WIDE = distinct(3, 2, 4)

ENTRIES = [
    *method(
        "gather",
        [S(A, 1, integers(0, 4, 3, 5)), S(A, 0, integers(0, 3, 2, 3)), S(CUBE, 2, integers(0, 4, 2, 3, 1)), S(CUBE, dim=-1, index=integers(0, 4, 1, 2, 3)),
         S(ROW, 0, np.array(2)), S(ZERO, 0, i(0, 0)), S(ZERO, 0, np.array(0)), S(A, 0, np.zeros((0, 3), "int64")), S(A, 1, integers(0, 4, 3, 2), sparse_grad=False),
         S(integers(0, 9, 3, 4), 1, integers(0, 4, 3, 2)), S(ROW, 0, integers(0, 4, 3, dtype="int32"))],
        [S(A, 0, i(0, 1)), S(ROW, 0, i(4)), S(ROW, 0, i(-1)), S(ROW, 0, floats(2)), S(A, 0, integers(0, 3, 2, 5)), S(A, 2, integers(0, 3, 2, 2))],
        in_place=False,
    ),
    *method(
        "scatter",
        [S(A, 1, WIDE, floats(3, 2)), S(A, 0, integers(0, 3, 1, 4), 2.5), S(A, 1, WIDE, value=1), S(ROW, 0, i(1, 2), 3),
         S(ZERO, 0, np.array(0), 4.0), S(A, 1, np.zeros((3, 0), "int64"), 2.0), S(CUBE, 2, integers(0, 4, 2, 3, 1), floats(2, 3, 1)), S(A, dim=1, index=WIDE, src=floats(3, 2))],
        [S(A, 1, integers(0, 4, 3, 5), floats(3, 2)), S(A, 1, i(0), floats(1)), S(ROW, 0, i(4), 1.0), S(ROW, 0, i(-1), 1.0), S(A, 2, WIDE, 1.0), S(ROW, 0, i(0), integers(0, 3, 1))],
    ),
    *method(
        "scatter",
        [S(A, 1, integers(0, 4, 3, 6), floats(3, 6), reduce="add"), S(A, 1, integers(0, 4, 3, 6), floats(3, 6), reduce="multiply"), S(ROW, 0, i(1, 1), 3.0, reduce="multiply"),
         S(integers(1, 4, 4), 0, i(1, 1), integers(1, 4, 2), reduce="add"),
         S(A, 1, WIDE, floats(3, 4), label="more than the index")],
        [S(ROW, 0, i(0), 1.0, reduce="mean")],
        grad=False,
    ),
    *method(
        "scatter_add",
        [S(A, 0, integers(0, 3, 5, 2), floats(5, 2)), S(A, 1, integers(0, 4, 2, 6), floats(2, 6)), S(ROW, 0, i(1, 1, 1), floats(3)), S(CUBE, -1, integers(0, 4, 2, 3, 5), floats(2, 3, 5)),
         S(integers(0, 5, 4), 0, i(0, 0), integers(0, 5, 2)), S(A, dim=0, index=np.zeros((0, 4), "int64"), src=floats(0, 4)), S(ZERO, 0, np.array(0), np.array(1.5))],
        [S(ROW, 0, i(4), floats(1)), S(ROW, 0, i(0, 1), floats(1)), S(A, 0, i(0), floats(1)), S(ROW, 0, i(0), 1.0)],
    ),
    *[
        e
        for reduce in ("sum", "prod", "mean", "amax", "amin")
        for e in method(
            "scatter_reduce",
            [S(A, 0, integers(0, 3, 5, 4), floats(5, 4), reduce, label=f"{reduce}, all"), S(A, 1, integers(0, 2, 3, 3), floats(3, 3), reduce, include_self=False, label=f"{reduce}, others"),
             S(integers(1, 9, 4), 0, integers(0, 2, 5), integers(1, 9, 5), reduce=reduce, label=f"{reduce}, integers"),
             S(integers(1, 9, 4), 0, integers(0, 2, 5), integers(1, 9, 5), reduce, include_self=False, label=f"{reduce}, integers, others"),
             S(ROW, 0, EMPTY, floats(0), reduce, label=f"{reduce}, nothing")],
            [S(ROW, 0, i(4), floats(1), reduce)],
        )
    ],
    Entry("scatter_reduce", [], errors=[S(ROW, 0, i(0), floats(1), "median"), S(ROW, 0, i(0), integers(0, 3, 1), "sum")]),
    *method(
        "index_select",
        [S(A, 0, i(2, 0, 0)), S(A, 1, i(3, 1)), S(CUBE, -1, integers(0, 4, 6)), S(CUBE, dim=1, index=i(2, 2)), S(ROW, 0, np.array(1)), S(ZERO, 0, i(0)), S(A, 1, EMPTY),
         S(A, 0, integers(0, 3, 2, dtype="int32")), S(integers(0, 9, 3, 2), 0, i(1)), S(bools(3, 2), 1, i(1, 1, 0))],
        [S(A, 0, i(3)), S(A, 0, i(-1)), S(A, 0, floats(2)), S(A, 0, integers(0, 3, 2, 2)), S(A, 2, i(0)), S(ZERO, 0, i(0, 0))],
        in_place=False,
    ),
    *method(
        "index_add",
        [S(A, 0, i(2, 0, 2), floats(3, 4)), S(A, 1, i(3, 1), floats(3, 2)), S(CUBE, -1, integers(0, 4, 6), floats(2, 3, 6), alpha=2), S(ROW, 0, i(0, 0), floats(2), alpha=-0.5),
         S(integers(0, 9, 4), 0, i(1, 1), integers(0, 9, 2)), S(A, dim=0, index=EMPTY, source=floats(0, 4)), S(ROW, 0, integers(0, 4, 3, dtype="int32"), floats(3))],
        [S(ROW, 0, i(4), floats(1)), S(ROW, 0, i(-1), floats(1)), S(ROW, 0, i(0), floats(2)), S(A, 0, i(0), floats(1, 3)), S(ROW, 0, i(0), integers(0, 3, 1)), S(ROW, 0, i(0), 1.0)],
    ),
    *method(
        "index_copy",
        [S(A, 0, i(2, 0), floats(2, 4)), S(A, 1, i(3, 1), floats(3, 2)), S(CUBE, dim=-1, index=i(1), source=floats(2, 3, 1)), S(ROW, 0, i(0, 3), floats(2)), S(ROW, 0, np.array(1), np.array(2.0)),
         S(A, 0, EMPTY, floats(0, 4))],
        [S(ROW, 0, i(4), floats(1)), S(ROW, 0, i(-1), floats(1)), S(ROW, 0, i(0), floats(2)), S(ROW, 0, i(0), integers(0, 3, 1))],
    ),
    *method(
        "index_fill",
        [S(A, 0, i(2, 0), 1.5), S(A, 1, i(-1, 1), -2), S(CUBE, dim=-1, index=i(1, 1), value=0.5), S(A, 0, i(1), np.array(2.5)), S(integers(0, 9, 4), 0, i(1), 7), S(ROW, 0, np.array(2), 3.0),
         S(ROW, 0, EMPTY, 3.0), S(ROW, 0, i(1, 1), np.array(2.5))],
        [S(ROW, 0, i(4), 1.0), S(ROW, 0, i(-5), 1.0), S(ROW, 0, i(0), floats(1)), S(ROW, 0, floats(1), 1.0)],
    ),
    *[
        e
        for reduce in ("prod", "mean", "amax", "amin")
        for e in method(
            "index_reduce",
            [S(A, 0, i(2, 0, 2), floats(3, 4), reduce, label=f"{reduce}, all"), S(A, 1, i(3, 1, 1), floats(3, 3), reduce, include_self=False, label=f"{reduce}, others"),
             S(ROW, dim=0, index=i(0, 0), source=floats(2), reduce=reduce, label=f"{reduce}, names")],
            [S(ROW, 0, i(4), floats(1), reduce)],
        )
    ],
    Entry("index_reduce", [], errors=[S(ROW, 0, i(0), floats(1), "sum")]),
    *method(
        "index_put",
        [S(ROW, (i(0, 3),), floats(2)), S(A, (i(0, 2), i(1, 3)), floats(2)), S(A, [i(0, 2)], floats(4)), S(A, (i(0, 2), i(1)), floats(1)), S(A, (bools(3, 4),), np.array(2.0)),
         S(A, (i(-1), i(-2)), np.array(1.0)), S(ROW, (i(1, 1, 2),), floats(3), accumulate=True), S(A, (i(1, 1),), floats(2, 4), True), S(CUBE, (i(0, 1), i(2, 0)), floats(2, 4), True),
         S(CUBE, (np.array([[0], [1]]), i(2, 0)), floats(2, 2, 1), True)],
        [S(ROW, (i(4),), floats(1)), S(ROW, (i(0, 1),), floats(3)), S(ROW, (i(0),), integers(0, 3, 1)), S(ROW, (i(0),), 1.0), S(ROW, (i(0), i(1)), floats(1))],
    ),
    *method(
        "masked_select",
        [S(A, bools(3, 4)), S(A, bools(4)), S(A, bools(3, 1)), S(ROW, bools(3, 4)), S(ZERO, np.array(True)), S(ZERO, bools(3)), S(A, np.zeros((3, 4), bool)), S(integers(0, 9, 4), mask=bools(4)), S(floats(0), bools(0))],
        [S(ROW, bools(3)), S(ROW, integers(0, 2, 4))],
        in_place=False,
    ),
    *method(
        "masked_fill",
        [S(A, bools(3, 4), 2.5), S(A, bools(4), -1), S(A, bools(3, 1), np.array(1.5)), S(integers(0, 9, 4), bools(4), 3), S(ZERO, np.array(True), 2.0), S(A, mask=bools(3, 4), value=0.0)],
        [S(ROW, bools(3), 1.0), S(ROW, integers(0, 2, 4), 1.0)],
    ),
    *method(
        "masked_scatter",
        [S(A, bools(3, 4), floats(12)), S(A, bools(4), floats(12)), S(A, bools(3, 1), floats(5, 4)), S(A, np.zeros((3, 4), bool), floats(2)), S(integers(0, 9, 4), bools(4), integers(0, 9, 4))],
        [S(ROW, np.ones(4, bool), floats(2)), S(ROW, bools(3), floats(3)), S(ROW, integers(0, 2, 4), floats(4)), S(ROW, bools(4), integers(0, 9, 4))],
    ),
    Entry("masked_scatter", [S(ROW, bools(3, 4), floats(12))]),
    *method("take", [S(A, integers(-12, 12, 2, 3)), S(A, EMPTY), S(ROW, np.array(2)), S(CUBE, index=i(5, 5)), S(ZERO, i(0, -1))], [S(A, i(12)), S(A, i(-13)), S(A, floats(2)), S(floats(0), i(0))], in_place=False),
    *method(
        "put",
        [S(A, i(0, 11, -2), floats(3)), S(A, np.array([[1], [2]]), floats(2)), S(A, i(3, 3), floats(2), accumulate=True), S(A, index=EMPTY, source=floats(0)), S(CUBE, i(7, 7, -1), floats(3), True)],
        [S(A, i(12), floats(1)), S(A, i(0, 1), floats(1)), S(A, floats(1), floats(1)), S(A, i(0), integers(0, 3, 1))],
    ),
    *method(
        "take_along_dim",
        [S(A, integers(0, 4, 3, 2), 1), S(A, integers(0, 4, 1, 2), 1), S(CUBE, integers(0, 3, 2, 5, 1), dim=1), S(A, integers(-3, 0, 2, 4), 0)],
        [S(A, i(0), 1), S(A, floats(3, 1), 1), S(A, integers(0, 4, 2, 2), 1)],
        in_place=False,
    ),
    Entry("take_along_dim", [S(A, integers(0, 12, 5), label="flat"), S(CUBE, integers(0, 24, 2, 2), label="flat, of more axes")], layouts=("plain",)),
    *method("nonzero", [S(integers(0, 2, 3, 4)), S(bools(4)), S(floats(2, 3)), S(np.array(3)), S(np.array(0)), S(floats(0, 2))], in_place=False),
    *[Entry(p + "nonzero", [S(integers(0, 2, 3, 4), as_tuple=True), S(bools(4), as_tuple=True), S(np.array(3), as_tuple=True)]) for p in ("", "Tensor.")],
    *method("argwhere", [S(integers(0, 2, 3, 4)), S(bools(4)), S(np.array(3)), S(np.array(0))], in_place=False),
    Entry("where", [S(bools(3, 4), A, B), S(bools(4), A, ROW), S(bools(3, 1), A, 0.5), S(bools(3, 4), 1.0, A), S(bools(3), 1.0, 2.0), S(bools(3), 1, 2), S(bools(3)), S(bools(3, 4), A, integers(0, 4, 4)),
                    S(np.array(True), A, B), S(bools(0), floats(0), 2.0)],
          errors=[S(bools(3), A, B), S(integers(0, 2, 4), ROW, ROW)]),
    Entry("Tensor.where", [S(A, bools(3, 4), B), S(A, bools(4), ROW)]),
    Entry("nn.functional.one_hot", [S(integers(0, 4, 3)), S(integers(0, 4, 3), 6), S(integers(0, 4, 2, 3), num_classes=5), S(np.array(2)), S(EMPTY, 3)],
          errors=[S(i(0, 5), 3), S(i(-1, 2)), S(floats(3)), S(EMPTY)]),
    Entry("nn.functional.embedding", [S(integers(0, 5, 2, 3), floats(5, 4)), S(i(0, 1, 1), floats(5, 4), padding_idx=1), S(np.array(2), floats(5, 3)), S(EMPTY, floats(5, 3))],
          errors=[S(i(5), floats(5, 4)), S(i(-1), floats(5, 4)), S(floats(2), floats(5, 4))]),
]
