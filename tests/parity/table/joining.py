"""Joining tensors, and rearranging the elements of one."""

from __future__ import annotations

from table._entry import Entry, S, bools, floats, integers

# fmt: off
# ruff: noqa: E501 - a table

A, B, CUBE, ROW = floats(3, 4), floats(3, 4), floats(2, 3, 4), floats(4)


JOINS = [
    *[
        Entry(
            name,
            [S([A, B]), S([A, B, A], 1), S((A, floats(1, 4)), dim=0), S([A], -1), S([floats(0), A]), S([A, floats(0, 4)]),
             S([A, integers(0, 5, 2, 4)]), S([integers(0, 5, 2), bools(3)]), S([floats(0), floats(0)]), S([CUBE, CUBE], dim=-2)],
            errors=[S([A, floats(3, 3)]), S([]), S([A, CUBE]), S([floats(), floats()]), S([A, B], 2), S([A, 3])],
        )
        for name in ("cat", "concat", "concatenate")
    ],
    Entry("cat", [S([A, B], axis=1, label="axis"), S(tensors=[A, B], dim=0, label="names")]),
    Entry(
        "stack",
        [S([A, B]), S([A, B], 1), S((A, B, A), -1), S([floats(), floats()]), S([A], dim=2), S([floats(0), floats(0)], 1)],
        errors=[S([A, floats(3, 3)]), S([]), S([A, B], 3)],
    ),
    *[
        Entry(name, [S([A, B]), S([ROW, floats(4)]), S([floats(), floats()]), S([CUBE, floats(2, 3, 4)]), S((A,))],
              errors=[S([]), S([A, floats(2, 5)])])
        for name in ("hstack", "vstack", "dstack", "column_stack", "row_stack")
    ],
    Entry("hstack", [S([A, floats(3, 1)]), S([ROW, floats(2)])]),
    Entry("vstack", [S([A, ROW]), S([ROW, floats(2, 4)])]),
    Entry("dstack", [S([A, floats(3, 4, 2)])]),
    Entry("column_stack", [S([ROW, floats(4, 2)]), S([floats(), floats()])]),
    Entry(
        "block_diag",
        [S(A, B), S(A), S(floats(), ROW, floats(2, 1)), S(floats(0, 2), A), S(integers(0, 4, 2, 2), A)],
        errors=[S(CUBE)],
    ),
    *[
        Entry(name, [S(floats()), S(ROW), S(A), S(CUBE), S([ROW, A]), S(floats(), A), S((ROW,))])
        for name in ("atleast_1d", "atleast_2d", "atleast_3d")
    ],
]

MOVES = [
    *[
        Entry(path + "flip", [S(A, (0,)), S(CUBE, (0, 2)), S(CUBE, (-1,)), S(A, ()), S(A, dims=(0, 1)), S(floats(0, 3), (0,))],
              errors=[S(A, (0, 0)), S(A, (2,))])
        for path in ("", "Tensor.")
    ],
    Entry("Tensor.flip", [S(A, 0), S(CUBE, 0, -1)]),
    *[Entry(p + "fliplr", [S(A), S(CUBE)], errors=[S(ROW)]) for p in ("", "Tensor.")],
    *[Entry(p + "flipud", [S(A), S(ROW)], errors=[S(floats())]) for p in ("", "Tensor.")],
    *[
        Entry(p + "rot90", [S(A), S(A, 2), S(A, -1), S(CUBE, 1, (0, 2)), S(CUBE, k=3, dims=[2, 1]), S(A, 4)],
              errors=[S(A, 1, (0, 0)), S(A, 1, (0,)), S(ROW), S(A, 1, (0, 2))])
        for p in ("", "Tensor.")
    ],
    *[
        Entry(
            p + "roll",
            [S(ROW, 1), S(A, 5), S(A, (1, -2), (0, 1)), S(A, -1, 1), S(CUBE, shifts=2, dims=2), S(A, 0, 0), S(floats(0, 3), 1, 0),
             S(A, (1, 1), (0, 0)), S(A, 100, 0)],
            errors=[S(A, (1, 2)), S(A, 1, (0, 1)), S(A, 1, 2)],
        )
        for p in ("", "Tensor.")
    ],
    Entry(
        "Tensor.repeat",
        [S(A, 2, 1), S(A, (2, 1, 3)), S(ROW, 2), S(floats(), 3), S(floats(), ()), S(A, 0, 2), S(A, repeats=(1, 2)), S(floats(0, 2), 2, 2)],
        errors=[S(A, 2), S(A, -1, 2)],
    ),
    *[Entry(p + "tile", [S(A, (2,)), S(A, (2, 1, 3)), S(A, dims=(1, 2)), S(ROW, (2, 2)), S(floats(), (2,))]) for p in ("", "Tensor.")],
    *[
        Entry(
            p + "repeat_interleave",
            [S(A, 2), S(A, 2, 0), S(A, 3, -1), S(A, integers(0, 3, 3), 0), S(A, integers(0, 3, 4), dim=1), S(ROW, integers(0, 3, 4)),
             S(A, 0, 0), S(A, 2, dim=0, output_size=6), S(floats(), 3), S(ROW, integers(1, 4, 1)), S(ROW, integers(1, 4)),
             S(floats(0, 3), 2, 0)],
            errors=[S(A, -1), S(A, integers(0, 3, 2), 0), S(A, integers(-3, -1, 3), 0), S(A, floats(3), 0)],
        )
        for p in ("", "Tensor.")
    ],
    Entry("repeat_interleave", [S(integers(0, 4, 5)), S(integers(0, 4, 0))], errors=[S(integers(0, 4, 2, 2)), S(floats(3))]),
]

ENTRIES = [*JOINS, *MOVES]
