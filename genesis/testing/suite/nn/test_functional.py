"""Functions that no layer of this folder covers: one_hot, normalize, attention."""

from __future__ import annotations

import math

import numpy as np
import pytest

import genesis
from genesis.nn import functional as F

# float32 results of a few operations on numbers of size 1: a few ulps (1.2e-7 each)
CLOSE = {"rtol": 2e-6, "atol": 1e-6}


def test_one_hot(device):
    index = genesis.tensor([[0, 2], [1, 0]], device=device)
    expected = [[[1, 0, 0], [0, 0, 1]], [[0, 1, 0], [1, 0, 0]]]
    assert F.one_hot(index).tolist() == expected
    assert F.one_hot(index).dtype is genesis.int64
    assert F.one_hot(index, 4).shape == (2, 2, 4)


@pytest.mark.parametrize("p", [1, 2, 3, math.inf])
def test_normalize(device, p):
    x = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    for dim in (0, 1):
        expected = x / np.linalg.norm(x, ord=p, axis=dim, keepdims=True)
        np.testing.assert_allclose(
            F.normalize(genesis.tensor(x, device=device), p, dim).numpy(), expected, **CLOSE
        )


def test_normalize_at_the_extremes(device):
    x = genesis.tensor([[0.0, 0.0], [3e30, 4e30], [3e-10, 4e-10]], device=device, requires_grad=True)
    y = F.normalize(x)
    np.testing.assert_allclose(y.detach().numpy(), [[0, 0], [0.6, 0.8], [0.6, 0.8]], **CLOSE)
    y[0].sum().backward()
    assert np.isfinite(x.grad.numpy()).all()


def test_normalize_by_the_number_of_entries_that_are_not_zero(device):
    x = genesis.tensor([[3.0, 0.0, 4.0], [0.0, 0.0, 0.0]], device=device)
    np.testing.assert_array_equal(F.normalize(x, p=0).numpy(), [[1.5, 0, 2], [0, 0, 0]])


def attention(q, k, v, mask=None, scale=None):
    scores = q @ np.swapaxes(k, -1, -2) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if mask is not None:
        scores = np.where(mask, scores, -np.inf) if mask.dtype == bool else scores + mask
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True) @ v


@pytest.fixture
def qkv():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(2, 4, n, 3)).astype(np.float32) for n in (5, 6, 6)]


def run(device, arrays, **options):
    return F.scaled_dot_product_attention(
        *[genesis.tensor(a, device=device) for a in arrays], **options
    ).numpy()


def test_attention(device, qkv):
    rng = np.random.default_rng(1)
    allowed = rng.random((5, 6)) > 0.3
    allowed[:, 0] = True
    added = rng.normal(size=(2, 1, 5, 6)).astype(np.float32)
    np.testing.assert_allclose(run(device, qkv), attention(*qkv), **CLOSE)
    np.testing.assert_allclose(run(device, qkv, scale=0.3), attention(*qkv, scale=0.3), **CLOSE)
    causal = np.tril(np.ones((5, 6), dtype=bool))
    np.testing.assert_allclose(run(device, qkv, is_causal=True), attention(*qkv, causal), **CLOSE)
    for mask in (allowed, added):
        given = genesis.tensor(mask, device=device)
        np.testing.assert_allclose(run(device, qkv, attn_mask=given), attention(*qkv, mask), **CLOSE)


def test_attention_with_grouped_heads(device, qkv):
    q, k, v = qkv
    repeated = [q, np.repeat(k[:, :2], 2, axis=1), np.repeat(v[:, :2], 2, axis=1)]
    np.testing.assert_allclose(
        run(device, [q, k[:, :2], v[:, :2]], enable_gqa=True), attention(*repeated), **CLOSE
    )


def test_attention_errors(device, qkv):
    q, k, v = qkv
    with pytest.raises(genesis.ShapeError, match=r"query \(2, 4, 5, 2\), key \(2, 4, 6, 3\)"):
        run(device, [q[..., :2], k, v])
    with pytest.raises(RuntimeError, match="attn_mask must be None"):
        run(device, qkv, attn_mask=genesis.ones((5, 6), device=device), is_causal=True)
    with pytest.raises(ValueError, match="between 0 and 1, but got 2"):
        run(device, qkv, dropout_p=2)


def test_attention_dropout(device, qkv):
    genesis.manual_seed(0)
    assert not np.allclose(run(device, qkv, dropout_p=0.5), attention(*qkv))
    assert (run(device, qkv, dropout_p=1.0) == 0).all()
