"""Attention: the function with every kind of mask, and the layer with every option."""

from itertools import product

import numpy as np

from table._entry import Entry, Init, S, bools, floats

PLAIN = ("plain",)
L, T, N, E, H = 3, 5, 2, 8, 4  # queries, keys, batch, features, heads


def qkv(*lead, queries=L, keys=T, width=4, values=6):
    return floats(*lead, queries, width), floats(*lead, keys, width), floats(*lead, keys, values)


def some(*shape):
    """A bool mask whose rows all have a True, and a False where there is room."""
    mask = bools(*shape)
    mask[..., 0] = True
    mask[..., 1:2] = False
    return mask


def dead(*shape):
    """The same with a row that is False everywhere."""
    mask = some(*shape)
    mask[..., 1, :] = False
    return mask


def added(mask):
    """A bool mask as numbers to add."""
    return np.where(mask, floats(*mask.shape), -np.inf)


def function_samples():
    for lead in ((), (2,), (2, 3), (2, 1, 3), (1, 1), (0, 2), (2, 0)):
        yield S(*qkv(*lead), label=f"lead {lead}")
        yield S(*qkv(*lead), is_causal=True, label=f"lead {lead} causal")
    for queries, keys in ((1, 1), (5, 3), (3, 3), (1, 6), (9, 9), (0, 3), (2, 0), (17, 33)):
        for causal in (False, True):
            name = f"{queries} by {keys}{' causal' if causal else ''}"
            if keys:
                yield S(*qkv(2, 2, queries=queries, keys=keys), is_causal=causal, label=name)
    yield S(*qkv(2, 2, keys=0), label="no keys")
    for shape in ((L, T), (1, T), (L, 1), (2, 1, L, T), (2, 3, L, T), (3, L, T), (2, 3, 1, T), (1, 1, L, T)):
        yield S(*qkv(2, 3), some(*shape), label=f"mask {shape}")
        yield S(*qkv(2, 3), floats(*shape), label=f"added {shape}")
    for shape in ((L, T), (2, 3, L, T), (3, L, T)):
        yield S(*qkv(2, 3), dead(*shape), label=f"nothing in a row {shape}")
        yield S(*qkv(2, 3), added(some(*shape)), label=f"added -inf {shape}")
        yield S(*qkv(2, 3), added(dead(*shape)), label=f"added -inf in a row {shape}")
    yield S(*qkv(2), some(L, T), label="3-D with a mask")
    yield S(*qkv(), dead(L, T), label="2-D with a mask")
    yield S(*qkv(2, 3), np.zeros((L, T), bool), label="nothing at all")
    for scale in (0.3, -0.5, 1, 0.0):
        yield S(*qkv(2, 2), scale=scale, label=f"scale {scale}")
        yield S(*qkv(2, 2), is_causal=True, scale=scale, label=f"scale {scale} causal")
    yield S(*qkv(2, 2), some(L, T), 0.0, False, scale=0.7, label="by position")
    yield S(floats(2, 1, L, 4), floats(1, 3, T, 4), floats(2, 3, T, 4), label="broadcast batches")
    yield S(floats(2, 2, L, 4), floats(2, T, 4), floats(2, T, 4), label="fewer batch axes")
    yield S(floats(2, L, 4), floats(2, T, 4), floats(2, T, 4), label="width of values")
    yield S(*qkv(2, 2), dropout_p=1.0, label="all dropped")
    for heads, own, values in ((4, 2, 2), (4, 1, 1), (4, 4, 4), (6, 3, 2), (4, 2, 1)):
        args = floats(2, heads, L, 4), floats(2, own, T, 4), floats(2, values, T, 4)
        yield S(*args, enable_gqa=True, label=f"groups {heads}:{own}:{values}")
        yield S(*args, is_causal=True, enable_gqa=True, label=f"groups {heads}:{own}:{values} causal")
        yield S(*args, some(2, 1, L, T), enable_gqa=True, label=f"groups {heads}:{own}:{values} mask")
    yield S(floats(4, L, 4), floats(2, T, 4), floats(2, T, 4), enable_gqa=True, label="groups 3-D")
    yield S(*qkv(2, 2, queries=70, keys=70, width=16, values=16), is_causal=True, label="more than a block")
    yield S(*qkv(1, 2, queries=65, keys=40), some(65, 40), label="more than a block, mask")


FUNCTION_ERRORS = [
    S(*qkv(2, 2), some(L, T), is_causal=True),
    S(*qkv(2, 2), bools(L, T).astype("int64")),
    S(*qkv(2, 2), floats(L - 1, T)),
    S(*qkv(2, 2), floats(1, 2, 2, L, T)),
    S(floats(4), floats(4), floats(4)),
    S(floats(2, L, 4), floats(2, T, 3), floats(2, T, 4)),
    S(floats(2, L, 4), floats(2, T, 4), floats(2, T - 1, 4)),
    S(floats(2, 4, L, 4), floats(2, 2, T, 4), floats(2, 2, T, 4)),
    S(floats(2, 3, L, 4), floats(2, 2, T, 4), floats(2, 2, T, 4), enable_gqa=True),
    S(bools(2, L, 4).astype("int64"), bools(2, T, 4).astype("int64"), bools(2, T, 4).astype("int64")),
]


def x(steps=L, width=E, first=False, batch=N):
    return floats(batch, steps, width) if first else floats(steps, batch, width)


def padding(steps=T, batch=N):
    mask = np.zeros((batch, steps), bool)
    mask[0, -2:] = mask[1:, -1:] = True
    return mask


def masked(*shape):
    """A bool mask of the layer, where True is left out; no row is left out as a whole."""
    return ~some(*shape)


def layer_samples():
    for bias, kv, zero, first in product((True, False), (False, True), (False, True), (False, True)):
        options = {"bias": bias, "add_bias_kv": kv, "add_zero_attn": zero, "batch_first": first}
        words = [k for k, v in {**options, "bias": not bias}.items() if v]
        keys = x(T, first=first)
        yield S(Init(E, H, **options), x(first=first), keys, keys + 1, label=" ".join(["options", *words]))
        yield S(
            Init(E, H, **options), x(first=first), keys, keys + 1, padding(), bias, masked(L, T),
            label=" ".join(["masks", *words]),
        )  # fmt: skip
    for heads in (1, 2, 8):
        yield S(Init(E, heads), x(), x(T), x(T), label=f"{heads} heads")
    for kdim, vdim in ((5, None), (None, 6), (5, 6), (E, E)):
        for bias in (True, False):
            yield S(
                Init(E, H, bias=bias, kdim=kdim, vdim=vdim), x(), x(T, kdim or E), x(T, vdim or E),
                label=f"kdim {kdim} vdim {vdim}{'' if bias else ' no bias'}",
            )  # fmt: skip
    yield S(Init(E, H, 0.0, True, True, True, 5, 6, True), x(first=True), x(T, 5, True), x(T, 6, True))
    for weights, average in ((True, True), (True, False), (False, True)):
        options = {"need_weights": weights, "average_attn_weights": average}
        name = f"{'' if weights else 'no '}weights{'' if average else ' of heads'}"
        for first in (False, True):
            order = " first" if first else ""
            init, args = Init(E, H, batch_first=first), (x(first=first), x(T, first=first), x(T, first=first))
            yield S(init, *args, **options, label=name + order)
            yield S(init, *args, key_padding_mask=padding(), **options, label=f"{name} padding{order}")
            yield S(init, *args, attn_mask=masked(L, T), **options, label=f"{name} mask{order}")
            yield S(init, *args, attn_mask=masked(N * H, L, T), **options, label=f"{name} 3-D mask{order}")
            yield S(init, *args, attn_mask=floats(L, T), **options, label=f"{name} added{order}")
        args = x(), x(T), x(T)
        yield S(
            Init(E, H), *args, key_padding_mask=floats(N, T), attn_mask=floats(N * H, L, T), **options,
            label=f"{name} both added",
        )  # fmt: skip
        yield S(
            Init(E, H), *args, key_padding_mask=padding(), attn_mask=floats(L, T), **options,
            label=f"{name} padding and added",
        )  # fmt: skip
        args = floats(L, E), floats(T, E), floats(T, E)
        yield S(Init(E, H), *args, **options, label=f"{name} unbatched")
        yield S(Init(E, H, batch_first=True), *args, **options, label=f"{name} unbatched first")
        yield S(
            Init(E, H), *args, key_padding_mask=padding(T, 1)[0], attn_mask=masked(H, L, T), **options,
            label=f"{name} unbatched masks",
        )  # fmt: skip
        causal = np.triu(np.ones((T, T), bool), 1)
        yield S(
            Init(E, H), x(T), x(T), x(T), attn_mask=causal, is_causal=True, **options,
            label=f"{name} causal",
        )  # fmt: skip
        yield S(
            Init(E, H), x(T), x(T), x(T), key_padding_mask=padding(), attn_mask=causal, is_causal=True,
            **options, label=f"{name} causal padding",
        )  # fmt: skip
    yield S(Init(E, H), x(batch=1), x(T, batch=1), x(T, batch=1), label="batch of one")
    yield S(Init(E, H, dropout=0.5, eval=True), x(), x(T), x(T), label="dropout in eval")
    nothing = np.ones((L, T), bool)
    yield S(Init(E, H), x(), x(T), x(T), attn_mask=nothing, need_weights=False, label="nothing")


LAYER_ERRORS = [
    S(Init(E, 3), x(), x(), x()),
    S(Init(0, 1), x(), x(), x()),
    S(Init(E, H), x(width=E + 1), x(), x()),
    S(Init(E, H), x(), x(T), x(L)),
    S(Init(E, H), x(), floats(T, E), floats(T, E)),
    S(Init(E, H), floats(E), floats(E), floats(E)),
    S(Init(E, H), x(), x(T), x(T), attn_mask=masked(L, T + 1)),
    S(Init(E, H), x(), x(T), x(T), attn_mask=masked(H, L, T)),
    S(Init(E, H), x(), x(T), x(T), attn_mask=masked(1, 1, L, T)),
    S(Init(E, H), x(), x(T), x(T), attn_mask=bools(L, T).astype("int64")),
    S(Init(E, H), x(), x(T), x(T), key_padding_mask=padding(T + 1)),
    S(Init(E, H), x(), x(T), x(T), key_padding_mask=padding(T, N + 1)),
    S(Init(E, H), x(), x(T), x(T), key_padding_mask=padding()[0]),
    S(Init(E, H), x(), x(T), x(T), is_causal=True),
    S(Init(E, H), floats(L, E), floats(T, E), floats(T, E), attn_mask=masked(H + 1, L, T)),
]


def itself(library, layer, x, same=2, **options):
    """Self-attention (2), or key and value as one tensor (1)."""
    return layer(x, x, x, **options) if same == 2 else layer(x + 1, x, x, **options)


def text(library, layer):
    return [repr(layer), layer.head_dim, layer._qkv_same_embed_dim]


W3, B3, W, B = (floats(*shape, low=-0.5, high=0.5) for shape in ((3 * E, E), (3 * E,), (E, E), (E,)))


def forward_samples():
    args = x(), x(T), x(T), E, H
    yield S(*args, W3, B3, None, None, False, 0.0, W, B, label="plain")
    yield S(*args, W3, None, None, None, False, 0.0, W, None, label="no biases")
    yield S(*args, W3, B3, floats(1, 1, E), floats(1, 1, E), True, 0.0, W, B, label="bias_k and zeros")
    yield S(*args, W3, B3, None, None, False, 0.9, W, B, training=False, label="dropout without training")
    separate = {"q_proj_weight": W, "k_proj_weight": W.T, "v_proj_weight": W3[:E]}
    yield S(
        *args, None, B3, None, None, False, 0.0, W, B, use_separate_proj_weight=True, **separate,
        label="separate weights",
    )  # fmt: skip
    for name in ("static_k", "static_v"):
        yield S(
            *args, W3, B3, None, None, False, 0.0, W, B, need_weights=False, label=name,
            **{name: floats(N * H, T, E // H)},
        )  # fmt: skip
    yield S(
        *args, W3, B3, None, None, True, 0.0, W, B, True, padding(), True, masked(L, T),
        average_attn_weights=False, label="masks",
    )  # fmt: skip


FORWARD_ERRORS = [
    S(x(), x(T), x(T), E + 1, H, W3, B3, None, None, False, 0.0, W, B),
    S(x(), x(T), x(T), E, 3, W3, B3, None, None, False, 0.0, W, B),
    S(x(), x(T), x(T), E, H, None, B3, None, None, False, 0.0, W, B),
    S(x(), x(T), x(T), E, H, W3, B3, floats(1, 1, E), None, False, 0.0, W, B),
    S(x(), x(T), x(T), E, H, W3, B3, None, None, False, 0.0, W, B, static_k=floats(N, T, 2)),
    S(x(), x(T), x(T), E, H, W3, B3, None, None, False, 0.0, W, B, use_separate_proj_weight=True),
]

ENTRIES = [
    Entry("nn.functional.scaled_dot_product_attention", list(function_samples()), errors=FUNCTION_ERRORS),
    Entry("nn.MultiheadAttention", list(layer_samples()), errors=LAYER_ERRORS, layouts=PLAIN),
    Entry(
        "nn.MultiheadAttention",
        [
            S(Init(E, H, batch_first=first, bias=bias), x(T, first=first), same=same, need_weights=weights)
            for first, bias, same, weights in product((False, True), (True, False), (1, 2), (True, False))
        ],
        call=itself,
    ),
    Entry(
        "nn.MultiheadAttention",
        [
            S(Init(E, H), label="text"),
            S(Init(E, 2, bias=False, add_bias_kv=True, kdim=5), label="text of options"),
        ],
        call=text,
        grad=False,
    ),
    Entry(
        "nn.functional.multi_head_attention_forward",
        list(forward_samples()),
        errors=FORWARD_ERRORS,
        layouts=PLAIN,
    ),
]
