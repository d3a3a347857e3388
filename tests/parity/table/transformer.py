"""Transformers: layers, stacks and the whole, with every option and mask."""

from itertools import product

import numpy as np

from table._entry import Entry, Init, S, bools, floats

PLAIN = ("plain",)
L, T, N, E, H, FF = 4, 5, 2, 8, 2, 12  # steps of target and source, batch, features, heads, inner width
SIZES = (E, H, FF, 0.0)


def src(first=False):
    return floats(N, T, E) if first else floats(T, N, E)


def tgt(first=False):
    return floats(N, L, E) if first else floats(L, N, E)


def causal(steps):
    return np.triu(np.ones((steps, steps), bool), 1)


def added(steps):
    return np.where(causal(steps), -np.inf, 0.0)


def padding(steps):
    mask = np.zeros((N, steps), bool)
    mask[0, -2:] = mask[1:, -1:] = True
    return mask


def some(*shape):
    mask = bools(*shape)
    mask[..., 0] = False
    return mask


def options():
    for first, norm_first, bias in product((False, True), (False, True), (True, False)):
        yield {"batch_first": first, "norm_first": norm_first, "bias": bias}


def named(base, given):
    return " ".join([base, *[name for name, value in given.items() if value]])


def encoder_layers():
    for o in options():
        x = src(o["batch_first"])
        yield S(Init(*SIZES, **o), x, label=named("options", o))
        yield S(Init(*SIZES, **o), x, causal(T), padding(T), label=named("masks", o))
        yield S(Init(*SIZES, "gelu", **o), x, src_mask=added(T), is_causal=True, label=named("causal", o))
    yield S(Init(E, H, FF, 0.3, eval=True), src(), label="dropout in eval")
    yield S(Init(E, H, FF, 0.3, batch_first=True, eval=True), src(True), label="dropout in eval, first")
    yield S(Init(*SIZES, "relu", 0.1), src(), label="eps")
    yield S(Init(*SIZES), floats(T, E), label="unbatched")
    yield S(Init(*SIZES), floats(T, E), some(T, T), padding(T)[0], label="unbatched masks")
    yield S(Init(*SIZES), src(), some(N * H, T, T), label="3-D mask")
    yield S(Init(*SIZES), src(), floats(T, T), floats(N, T), label="added masks")
    yield S(Init(*SIZES), src(), is_causal=False, label="not causal")


def decoder_layers():
    for o in options():
        first = o["batch_first"]
        yield S(Init(*SIZES, **o), tgt(first), src(first), label=named("options", o))
        yield S(
            Init(*SIZES, **o), tgt(first), src(first), causal(L), some(L, T), padding(L), padding(T),
            label=named("masks", o),
        )  # fmt: skip
        yield S(
            Init(*SIZES, "gelu", **o), tgt(first), src(first), tgt_mask=added(L), tgt_is_causal=True,
            label=named("causal", o),
        )  # fmt: skip
    yield S(Init(E, H, FF, 0.3, eval=True), tgt(), src(), label="dropout in eval")
    yield S(Init(*SIZES, "relu", 0.1), tgt(), src(), label="eps")
    yield S(Init(*SIZES), floats(L, E), floats(T, E), label="unbatched")
    yield S(
        Init(*SIZES), tgt(), floats(L, N, E), memory_mask=added(L), memory_is_causal=True,
        label="memory causal",
    )  # fmt: skip


def stacked(layer_name):
    """Runs a stack of equal layers, with the values of a rule that both libraries follow."""

    def run(library, function, x, *masks, layer=None, norm=False, count=2, how="train", nested=None, **more):
        nn = library.nn
        one = getattr(nn, layer_name)(*SIZES, **(layer or {}))
        construct = {} if nested is None else {"enable_nested_tensor": nested}
        stack = function(one, count, nn.LayerNorm(E) if norm else None, **construct).to(x.dtype)
        state = {}
        for i, (name, value) in enumerate(stack.state_dict().items()):
            numbers = np.sin(np.arange(value.numel()) * (1.0 + i)).reshape(tuple(value.shape))
            state[name] = library.tensor(numbers * 0.3).to(x.dtype)
        stack.load_state_dict(state)
        if how == "text":
            return [repr(stack), list(state), stack.num_layers]
        if how == "eval":
            with library.no_grad():
                return stack.eval()(x, *masks, **more)
        return stack(x, *masks, **more)

    return run


encoder, decoder = stacked("TransformerEncoderLayer"), stacked("TransformerDecoderLayer")
FIRST = {"batch_first": True}


def text(library, layer):
    return [repr(layer), list(layer.state_dict())]


def transformers():
    small = (E, H, 1, 2, FF, 0.0)
    for o in options():
        first = o["batch_first"]
        yield S(Init(*small, **o), src(first), tgt(first), label=named("options", o))
        yield S(
            Init(*small, **o), src(first), tgt(first), tgt_mask=added(L), src_key_padding_mask=padding(T),
            memory_key_padding_mask=padding(T), label=named("masks", o),
        )  # fmt: skip
    yield S(Init(*small, "gelu"), src(), tgt(), some(T, T), causal(L), some(L, T), label="all masks")
    yield S(
        Init(*small), src(), tgt(), None, added(L), None, padding(T), padding(L) * -1.0, padding(T), None,
        True,
        label="by position",
    )  # fmt: skip
    yield S(Init(*small), floats(T, E), floats(L, E), label="unbatched")
    yield S(Init(E, H, 1, 1, FF, 0.2, eval=True), src(), tgt(), label="dropout in eval")
    yield S(Init(E, 1, 1, 1, FF, 0.0, layer_norm_eps=0.1), src(), tgt(), label="one head, eps")


ENTRIES = [
    Entry(
        "nn.TransformerEncoderLayer",
        list(encoder_layers()),
        errors=[
            S(Init(E, 3), src()),
            S(Init(*SIZES, "tanh"), src()),
            S(Init(*SIZES), floats(T, N, E + 1)),
            S(Init(*SIZES), src(), some(T, T + 1)),
            S(Init(*SIZES), src(), None, padding(T - 1)),
            S(Init(*SIZES), floats(E)),
        ],
        layouts=PLAIN,
    ),
    Entry(
        "nn.TransformerDecoderLayer",
        list(decoder_layers()),
        errors=[
            S(Init(*SIZES, "tanh"), tgt(), src()),
            S(Init(*SIZES), tgt(), floats(T, N + 1, E)),
            S(Init(*SIZES), tgt(), src(), some(L, T)),
            S(Init(*SIZES), tgt(), src(), memory_key_padding_mask=padding(L)),
        ],
        layouts=PLAIN,
    ),
    Entry(
        "nn.Transformer",
        list(transformers()),
        errors=[
            S(Init(E, H, 1, 1, FF), src(), floats(L, N + 1, E)),
            S(Init(E, H, 1, 1, FF), src(), floats(L, N, E - 1)),
            S(Init(E, 3, 1, 1, FF), src(), tgt()),
        ],
        layouts=PLAIN,
    ),
    Entry(
        "nn.TransformerEncoder",
        [
            S(src()),
            S(src(), norm=True),
            S(src(), causal(T), count=1),
            S(src(), added(T), is_causal=True),
            S(src(), mask=causal(T), is_causal=False),
            S(src(), some(T, T), padding(T), norm=True),
            S(src(True), None, padding(T), layer=FIRST),
            S(src(True), None, padding(T), layer=FIRST, how="eval", label="padding in eval"),
            S(src(True), None, padding(T), layer=FIRST, how="eval", norm=True, label="padding in eval, norm"),
            S(src(True), None, some(N, T), layer=FIRST, how="eval", label="padding anywhere in eval"),
            S(src(True), None, padding(T), layer=FIRST, how="eval", nested=False, label="not nested in eval"),
            S(src(), layer={"norm_first": True}, norm=True),
            S(floats(T, E), causal(T)),
        ],
        call=encoder,
        layouts=PLAIN,
    ),
    Entry(
        "nn.TransformerDecoder",
        [
            S(tgt(), src()),
            S(tgt(), src(), norm=True, count=3),
            S(tgt(), src(), causal(L)),
            S(tgt(), src(), added(L), some(L, T), padding(L), padding(T)),
            S(tgt(), src(), tgt_mask=added(L), tgt_is_causal=True),
            S(tgt(True), src(True), causal(L), layer={"batch_first": True, "activation": "gelu"}),
        ],
        call=decoder,
        layouts=PLAIN,
    ),
    Entry(
        "nn.TransformerEncoder",
        [
            S(floats(1), how="text", layer={"norm_first": True}, label="text"),
            S(floats(1), how="text", norm=True, label="text, norm"),
        ],
        call=encoder,
        dtypes=("float32",),
        layouts=PLAIN,
        grad=False,
    ),
    Entry(
        "nn.TransformerDecoder",
        [S(floats(1), how="text", layer={"bias": False}, label="text")],
        call=decoder,
        dtypes=("float32",),
        grad=False,
    ),
    *[
        Entry(
            f"nn.Transformer{kind}Layer", [S(Init(*SIZES, bias=False), label="text")], call=text, grad=False
        )
        for kind in ("Encoder", "Decoder")
    ],
    Entry("nn.Transformer", [S(Init(E, H, 2, 1, FF), label="text")], call=text, grad=False),
    Entry("nn.Transformer.generate_square_subsequent_mask", [S(4), S(1), S(0), S(sz=3)]),
]
