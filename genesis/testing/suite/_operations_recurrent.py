"""Recurrent layers: sequences of several lengths, both directions, each kind with every input.

Small, since second differences take a run for each pair of elements; the larger ones check first derivatives.
"""

from typing import Any

from genesis.testing.suite._operations import case, floats


def weights(gates: int, width: int, inputs: int) -> list[Any]:
    return [floats(gates * width, inputs), floats(gates * width, width), floats(gates * width)]


for reverse, rows, width, inputs in ((False, (3, 2, 1), 3, 2), (True, (2, 1), 1, 1)):
    sizes = {"batch_sizes": rows, "reverse": reverse}
    more = {"parity": False, "label": "reverse" if reverse else "forward", "order": 2 if reverse else 1}
    x, h, c = floats(sum(rows), inputs), floats(rows[0], width), floats(rows[0], width)
    case(
        "lstm",
        lambda ns, *args, sizes=sizes: ns.lstm(*args, None, **sizes, keep=True),
        x, h, c, *weights(4, width, inputs), **more,
    )  # fmt: skip
    case(
        "gru",
        lambda ns, *args, sizes=sizes: ns.gru(*args, **sizes, keep=True),
        x, h, *weights(3, width, inputs), floats(3 * width), **more,
    )  # fmt: skip
    for kind in ("tanh", "relu"):
        case(
            "rnn",
            lambda ns, *args, sizes=sizes, kind=kind: ns.rnn(*args, **sizes, nonlinearity=kind),
            x, h, *weights(1, width, inputs), **{**more, "label": f"{kind}, {more['label']}"},
        )  # fmt: skip
case(
    "lstm",
    lambda ns, x, h, c, w, v, r: ns.lstm(
        x, h, c, w, v, None, r, batch_sizes=(2, 1), reverse=False, keep=True
    ),
    floats(3, 1), floats(2, 1), floats(2, 2), floats(8, 1), floats(8, 1), floats(1, 2),
    parity=False, label="projection", order=1,
)  # fmt: skip
