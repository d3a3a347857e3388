"""Recurrent layers and cells, with every option."""

from itertools import product

from table._entry import Entry, Init, S, floats

T, B, IN, H = 4, 3, 5, 4


def x(first=False):
    return floats(B, T, IN) if first else floats(T, B, IN)


def states(kind, count, width=H):
    h = floats(count, B, width)
    return (h, floats(count, B, H)) if kind == "LSTM" else h


def samples(kind):
    """Layers, directions, biases and orders of axes; then what is special."""
    for layers, both, bias, first in product((1, 2), (False, True), (True, False), (False, True)):
        options = {"bidirectional": both, "bias": bias, "batch_first": first}
        count = layers * (2 if both else 1)
        hx = states(kind, count) if bias else None  # first states in half of the cases
        args = (x(first),) if hx is None else (x(first), hx)
        words = [f"{layers} layers", both and "both", not bias and "no bias", first and "first"]
        label = " ".join(w for w in words if w)
        yield S(Init(IN, H, layers, **options), *args, label=label)
    yield S(Init(IN, H, 3), x(), label="3 layers")
    yield S(Init(1, 1), floats(3, 2, 1), label="width 1")
    yield S(Init(IN, H), floats(1, 1, IN), label="one step")
    yield S(Init(IN, H), floats(T, 0, IN), label="no sequences")
    yield S(Init(IN, 17), floats(3, 19, IN), label="odd sizes")
    yield S(Init(33, 32), floats(2, 9, 33), label="whole vectors")
    yield S(Init(IN, H, 2, bidirectional=True), floats(T, IN), label="unbatched")
    yield S(Init(IN, H, batch_first=True), floats(T, IN), label="unbatched first")
    h = floats(2, H)
    yield S(Init(IN, H, 2), floats(T, IN), (h, floats(2, H)) if kind == "LSTM" else h, label="unbatched hx")
    yield S(Init(IN, H, 2, dropout=0.5, eval=True), x(), label="dropout in eval")
    yield S(Init(IN, H, 2, dropout=0.0), x(), states(kind, 2), label="dropout 0")


def packed(library, layer, data, lengths, hx=None, enforce_sorted=False):
    """Through a packed sequence and back."""
    rnn = library.nn.utils.rnn
    first = layer.batch_first
    p = rnn.pack_padded_sequence(data, lengths, batch_first=first, enforce_sorted=enforce_sorted)
    output, last = layer(p) if hx is None else layer(p, hx)
    return *output, rnn.pad_packed_sequence(output, batch_first=first), last


def packed_samples(kind):
    for both, first, lengths in product((False, True), (False, True), ([4, 2, 1], [2, 4, 3], [1, 1, 4])):
        layers = 2 if first else 1
        count = layers * (2 if both else 1)
        options = {"bidirectional": both, "batch_first": first}
        hx = (states(kind, count),) if lengths[0] != 1 else ()
        name = f"packed {lengths}{' both' if both else ''}{' first' if first else ''}"
        yield S(Init(IN, H, layers, **options), x(first), lengths, *hx, label=name)
    yield S(Init(IN, H), x(), [4, 4, 4], enforce_sorted=True, label="packed, equal")
    yield S(Init(IN, H), x(), [3, 3, 2], enforce_sorted=True, label="packed, sorted")


def errors(kind):
    def wrong(*shape):
        h = floats(*shape)
        return (h, h) if kind == "LSTM" else h

    return [
        S(Init(IN, H), floats(T, B, IN + 1)),
        S(Init(IN, H), floats(IN)),
        S(Init(IN, H), floats(1, T, B, IN)),
        S(Init(IN, H), floats(0, B, IN)),
        S(Init(IN, H), x(), wrong(2, B, H)),
        S(Init(IN, H), x(), wrong(1, B + 1, H)),
        S(Init(IN, H), x(), wrong(1, B, H + 1)),
        S(Init(IN, H), x(), wrong(B, H)),
        S(Init(IN, H), floats(T, IN), wrong(1, B, H)),
        S(Init(0, H), x()),
        S(Init(IN, 0), x()),
        S(Init(IN, H, 0), x()),
        S(Init(2.5, H), x()),
        S(Init(IN, H, dropout=1.5), x()),
        S(Init(IN, H, bias=1), x()),
        S(Init(IN, H, batch_first=0), x()),
        S(Init(IN, H, proj_size=H if kind == "LSTM" else 2), x()),
        S(Init(IN, H, nonlinear="tanh"), x()),
    ]


def weights(library, layer, *args):
    """Names and shapes of what the layer is made of, and its text."""
    layer.flatten_parameters()
    return [repr(layer), [[tuple(w.shape) for w in ws] for ws in layer.all_weights]]


PLAIN = ("plain",)

ENTRIES = [
    *[
        entry
        for kind in ("RNN", "GRU", "LSTM")
        for entry in (
            Entry(f"nn.{kind}", list(samples(kind)), errors=errors(kind), layouts=("plain", "transposed")),
            Entry(f"nn.{kind}", list(packed_samples(kind)), call=packed, layouts=PLAIN),
            Entry(
                f"nn.{kind}",
                [
                    S(Init(IN, H, 2, bidirectional=True, batch_first=True), label="text"),
                    S(Init(IN, H, 3, bias=False, dropout=0.25), label="text of options"),
                ],
                call=weights,
                grad=False,
            ),
        )
    ],
    Entry(
        "nn.RNN",
        [
            S(Init(IN, H, 2, "relu"), x()),
            S(Init(IN, H, 1, nonlinearity="relu", bidirectional=True), x(), states("RNN", 2)),
            S(Init(IN, H, nonlinearity="relu", bias=False, batch_first=True), x(True)),
        ],
        errors=[S(Init(IN, H, 1, "sigmoid"), x())],
    ),
    Entry(
        "nn.LSTM",
        [
            S(Init(IN, H, proj_size=2), x()),
            S(Init(IN, H, 2, proj_size=3, bidirectional=True), x()),
            S(Init(IN, H, 2, proj_size=3, bias=False), x(), states("LSTM", 2, 3)),
            S(Init(IN, H, 2, proj_size=1, batch_first=True), x(True)),
            S(Init(IN, H, proj_size=2), floats(T, IN)),
        ],
        errors=[S(Init(IN, H, proj_size=-1), x()), S(Init(IN, H, proj_size=2), x(), states("LSTM", 1))],
        layouts=PLAIN,
    ),
    Entry(
        "nn.LSTM",
        [
            S(Init(IN, H, 2, proj_size=3, bidirectional=True), x(), [2, 4, 3]),
            S(Init(IN, H, 1, proj_size=2), x(), [2, 4, 3], states("LSTM", 1, 2)),
        ],
        call=packed,
        layouts=PLAIN,
    ),
    Entry("nn.LSTM", [S(Init(IN, H, 2, proj_size=3), label="text, projection")], call=weights, grad=False),
    *[
        Entry(
            f"nn.{kind}Cell",
            [
                S(Init(IN, H), floats(B, IN)),
                S(Init(IN, H), floats(B, IN), floats(B, H)),
                S(Init(IN, H, bias=False), floats(B, IN), floats(B, H)),
                S(Init(IN, H, False), floats(IN), floats(H)),
                S(Init(IN, H), floats(IN)),
                S(Init(IN, H), floats(0, IN)),
                S(Init(1, 1), floats(2, 1)),
            ],
            errors=[
                S(Init(IN, H), floats(B, IN + 1)),
                S(Init(IN, H), floats(1, B, IN)),
                S(Init(IN, H), floats(B, IN), floats(B, H + 1)),
                S(Init(IN, H), floats(B, IN), floats(B + 1, H)),
                S(Init(IN, H), floats(B, IN), floats(1, B, H)),
            ],
        )
        for kind in ("RNN", "GRU")
    ],
    Entry(
        "nn.RNNCell",
        [
            S(Init(IN, H, True, "relu"), floats(B, IN), floats(B, H)),
            S(Init(IN, H, nonlinearity="relu"), floats(IN)),
        ],
        errors=[S(Init(IN, H, nonlinearity="sin"), floats(B, IN))],
    ),
    Entry(
        "nn.LSTMCell",
        [
            S(Init(IN, H), floats(B, IN)),
            S(Init(IN, H), floats(B, IN), (floats(B, H), floats(B, H))),
            S(Init(IN, H, bias=False), floats(B, IN), [floats(B, H), floats(B, H)]),
            S(Init(IN, H, False), floats(IN), (floats(H), floats(H))),
            S(Init(IN, H), floats(IN)),
            S(Init(IN, H), floats(0, IN)),
        ],
        errors=[
            S(Init(IN, H), floats(B, IN + 1)),
            S(Init(IN, H), floats(1, B, IN)),
            S(Init(IN, H), floats(B, IN), (floats(B, H), floats(B, H + 1))),
            S(Init(IN, H), floats(B, IN), (floats(1, B, H), floats(B, H))),
        ],
    ),
    *[
        Entry(
            f"nn.{kind}Cell",
            [S(Init(IN, H), label="text"), S(Init(IN, H, bias=False), label="text, no bias")],
            call=lambda library, layer: repr(layer),
            grad=False,
        )
        for kind in ("RNN", "GRU", "LSTM")
    ],
]
