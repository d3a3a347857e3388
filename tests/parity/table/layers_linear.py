"""Linear layers."""

from table._entry import Entry, Init, S, floats

VECTOR, MATRIX = floats(4), floats(3, 4)

ENTRIES = [
    Entry(
        "nn.functional.linear",
        [
            S(floats(2, 4), MATRIX, floats(3)),
            S(floats(4), MATRIX),
            S(floats(0, 4), MATRIX, floats(3)),
            S(floats(2, 5, 4), VECTOR, label="weight of one axis"),
            S(VECTOR, floats(4), label="vectors"),
            *[
                S(floats(2, 4), MATRIX, floats(*n), label=f"bias of {n}")
                for n in ((), (1,), (1, 3), (2, 3), (2, 1))
            ],
            S(floats(2, 5, 4), MATRIX, floats(2, 1, 3), label="bias of three axes"),
        ],
        errors=[
            S(floats(2, 3), MATRIX),
            S(floats(2, 4), MATRIX, floats(4)),
            S(floats(2, 4), MATRIX, floats(3, 2)),
            S(floats(2, 3), VECTOR),
        ],
    ),
    Entry("nn.Linear", [S(Init(4, 3), floats(2, 4)), S(Init(4, 3, bias=False), floats(2, 5, 4))]),
]
