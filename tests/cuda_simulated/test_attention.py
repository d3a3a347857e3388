"""Attention by tiles: several tiles, causal ones, masks, and the gradients of all."""

from __future__ import annotations

import numpy as np
import pytest

import genesis
import genesis.nn.functional as F

CASES = [
    ((2,), 3, 5, 4, 6, False, "", "float32"),
    ((1, 2), 9, 9, 8, 8, True, "", "float32"),
    ((2,), 6, 7, 4, 3, False, "bool", "float64"),
    ((2,), 6, 7, 16, 16, False, "add", "float32"),
    ((), 5, 5, 3, 3, True, "", "float64"),
]


@pytest.mark.parametrize(("lead", "length", "source", "width", "values", "causal", "mask", "dtype"), CASES)
def test_as_on_the_cpu(lead, length, source, width, values, causal, mask, dtype) -> None:
    rng = np.random.default_rng(0)
    shapes = ((length, width), (source, width), (source, values))
    arrays = [rng.standard_normal((*lead, *shape)).astype(dtype) for shape in shapes]
    weights = rng.standard_normal((*lead, length, values)).astype(dtype)
    masks = None
    if mask == "bool":
        masks = rng.random((length, source)) < 0.6
        masks[:, 0], masks[-1] = True, False  # a row that sees nothing
    elif mask == "add":
        masks = rng.standard_normal((1, source)).astype(dtype)

    def run(device: str) -> list[np.ndarray]:
        query, key, value = (genesis.tensor(a, device=device, requires_grad=True) for a in arrays)
        attn_mask = None if masks is None else genesis.tensor(masks, device=device)
        out = F.scaled_dot_product_attention(query, key, value, attn_mask, is_causal=causal)
        (out * genesis.tensor(weights, device=device)).sum().backward()
        return [out.detach().numpy(), *[x.grad.numpy() for x in (query, key, value)]]

    for here, there in zip(run("cuda"), run("cpu"), strict=True):
        np.testing.assert_allclose(here, there, rtol=0, atol=2e-6 if dtype == "float32" else 1e-14)
