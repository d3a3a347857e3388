"""Linear layers."""

from table._entry import Entry, Init, S, floats

ENTRIES = [
    Entry("nn.Linear", [S(Init(4, 3), floats(2, 4)), S(Init(4, 3, bias=False), floats(2, 5, 4))]),
]
