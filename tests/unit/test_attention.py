"""Attention and transformers as their users see them."""

from __future__ import annotations

import math

import numpy as np
import pytest

import genesis
from genesis import nn

F = nn.functional


def close(a, b):
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-5, atol=1e-6)


def test_grouped_queries_share_keys_and_values():
    q, k, v = genesis.randn(2, 4, 3, 8), genesis.randn(2, 2, 5, 8), genesis.randn(2, 2, 5, 8)
    out = F.scaled_dot_product_attention(q, k, v, enable_gqa=True)
    for head in range(4):
        close(out[:, head], F.scaled_dot_product_attention(q[:, head], k[:, head // 2], v[:, head // 2]))


@pytest.mark.parametrize("dtype", [genesis.float32, genesis.float64])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(
    ("queries", "keys", "width"), [(37, 135, 5), (100, 70, 33), (1, 61, 8), (129, 129, 16)]
)
def test_blocks_of_odd_sizes_give_what_the_formula_gives(dtype, causal, queries, keys, width):
    """More keys than a block has, and sizes that no vector divides."""
    q, k, v = (genesis.randn(2, 3, n, width, dtype=dtype) for n in (queries, keys, keys))
    for x in (q, k, v):
        x.requires_grad_()
    g = genesis.randn(2, 3, queries, width, dtype=dtype)
    found = genesis.autograd.grad(F.scaled_dot_product_attention(q, k, v, is_causal=causal), (q, k, v), g)
    scores = q.double() @ k.double().transpose(-1, -2) / math.sqrt(width)
    if causal:
        behind = genesis.ones(queries, keys, dtype=genesis.bool).triu(1)
        scores = scores.masked_fill(behind, -math.inf)
    out = scores.softmax(-1) @ v.double()
    expected = genesis.autograd.grad(out, (q, k, v), g.double())
    near = 1e-11 if dtype is genesis.float64 else 2e-5
    for a, b in zip(found, expected, strict=True):
        assert a.dtype is dtype
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=near, atol=near)


def test_a_row_that_sees_nothing_is_zero_and_passes_nothing_back():
    q, k, v = (genesis.randn(3, 4, requires_grad=True) for _ in range(3))
    mask = genesis.tensor([[True, True, False], [False, False, False], [False, True, True]])
    for m in (mask, genesis.zeros(3, 3).masked_fill(~mask, -math.inf)):
        out = F.scaled_dot_product_attention(q, k, v, m)
        assert not out[1].any()
        out.sum().backward()
        assert genesis.isfinite(k.grad).all()
        assert not q.grad[1].any()


def test_the_future_does_not_matter_to_a_causal_layer():
    layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True).eval()
    x, mask = genesis.randn(2, 6, 16), nn.Transformer.generate_square_subsequent_mask(6)
    y = layer(x, mask, is_causal=True)
    x[:, 4:] = 0.0
    close(layer(x, mask, is_causal=True)[:, :4], y[:, :4])
    close(layer(x, mask), layer(x, mask, is_causal=True))


def test_padding_does_not_matter():
    model = nn.Transformer(16, 4, 1, 1, 32, batch_first=True).eval()
    src, tgt = genesis.randn(2, 5, 16), genesis.randn(2, 3, 16)
    padding = genesis.tensor([[False] * 3 + [True] * 2, [False] * 5])
    y = model(src, tgt, src_key_padding_mask=padding, memory_key_padding_mask=padding)
    src[0, 3:] = 7.0
    close(model(src, tgt, src_key_padding_mask=padding, memory_key_padding_mask=padding), y)
    close(model(src[:1, :3], tgt[:1]), y[:1])


def test_layers_of_a_stack_are_copies_and_learn_apart():
    layer = nn.TransformerEncoderLayer(8, 2, 16, activation=nn.GELU(), batch_first=True)
    stack = nn.TransformerEncoder(layer, 2)
    first, second = (dict(part.named_parameters()) for part in stack.layers)
    assert first.keys() == second.keys()
    assert all(first[name] is not second[name] for name in first)
    close(first["linear1.weight"], second["linear1.weight"])
    stack(genesis.randn(2, 3, 8)).square().sum().backward()
    assert all(p.grad is not None for p in stack.parameters())
    assert not np.allclose(first["linear1.weight"].grad.numpy(), second["linear1.weight"].grad.numpy())


def test_weights_of_heads_sum_to_one():
    attention = nn.MultiheadAttention(8, 2, batch_first=True)
    x = genesis.randn(3, 4, 8)
    out, weights = attention(x, x, x, average_attn_weights=False)
    close(weights.sum(-1), genesis.ones(3, 2, 4))
    close(attention(x, x, x, need_weights=False)[0], out)


def test_what_does_not_fit_is_refused():
    x = genesis.randn(2, 3, 8)
    with pytest.raises(RuntimeError, match="is_causal hint"):
        nn.MultiheadAttention(8, 2)(x, x, x, is_causal=True)
    with pytest.raises(AssertionError, match="divisible"):
        nn.MultiheadAttention(8, 3)
    with pytest.raises(RuntimeError, match="does not broadcast"):
        F.scaled_dot_product_attention(x, x, x, genesis.ones(5, 5))
    with pytest.warns(UserWarning, match="norm_first"):
        nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, norm_first=True), 1)


def test_a_single_query_that_lies_as_a_column():
    q, k, v = (
        genesis.randn(2, 4, 1).transpose(1, 2),
        genesis.randn(2, 4, 3).transpose(1, 2),
        genesis.randn(2, 3, 1),
    )
    want = (q @ k.transpose(1, 2) / 2).softmax(-1) @ v
    close(F.scaled_dot_product_attention(q, k, v), want)
