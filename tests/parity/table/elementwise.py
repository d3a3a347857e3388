"""Arithmetic and mathematics on single elements."""

from table._entry import Entry, S, floats, integers, positive

ENTRIES = [
    Entry(
        "add",
        [
            S(floats(3, 4), floats(3, 4)),
            S(floats(3, 1), floats(4)),
            S(floats(3, 4), 2),
            S(floats(3, 4), floats(3, 4), alpha=2.5),
            S(floats(2, 3), integers(-3, 4, 3)),
            S(floats(0, 3), floats(3)),
        ],
        errors=[S(floats(3), floats(4))],
    ),
    Entry("Tensor.add_", [S(floats(3, 4), floats(4)), S(floats(3, 4), 2, alpha=3)]),
    Entry("log", [S(positive(3, 4)), S(positive(3, 0))]),
]
