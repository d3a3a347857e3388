"""Norms of lists of gradients beside PyTorch's, in every floating type."""

import numpy as np
import pytest
import torch

import genesis

KINDS = ["float16", "bfloat16", "float32", "float64"]
# one rounding of the result, and of sums of float32 squares
LIMIT = {"float16": 1e-3, "bfloat16": 8e-3, "float32": 1e-6, "float64": 1e-12}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", [1.0, 2.0, 3.0, float("inf")])
def test_total_norm(kind, order):
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(n).astype("float32") * 30 for n in (5, 300, 2000)]
    ours = [genesis.tensor(a, dtype=getattr(genesis, kind)) for a in arrays]
    theirs = [torch.tensor(a, dtype=getattr(torch, kind)) for a in arrays]
    got = genesis.nn.utils.get_total_norm(ours, order)
    expected = torch.nn.utils.get_total_norm(theirs, order)
    assert str(got.dtype).endswith(kind)
    # PyTorch rounds the norm of each tensor as well as theirs: twice the limit
    assert got.item() == pytest.approx(expected.item(), rel=2 * LIMIT[kind])


def test_mixed_types_are_float32():
    ours = [genesis.full((300,), 100.0, dtype=genesis.bfloat16), genesis.full((300,), 100.0)]
    theirs = [torch.full((300,), 100.0, dtype=torch.bfloat16), torch.full((300,), 100.0)]
    got = genesis.nn.utils.get_total_norm(ours)
    expected = torch.nn.utils.get_total_norm(theirs)
    assert got.dtype is genesis.float32
    assert got.item() == pytest.approx(expected.item(), rel=8e-3)  # PyTorch rounds one of them to bfloat16


@pytest.mark.parametrize("kind", KINDS[:2])
def test_clipped_step_of_halves(kind):
    p = genesis.ones(300, dtype=getattr(genesis, kind), requires_grad=True)
    q = torch.ones(300, dtype=getattr(torch, kind), requires_grad=True)
    p.grad = genesis.full((300,), 100.0, dtype=getattr(genesis, kind))
    q.grad = torch.full((300,), 100.0, dtype=getattr(torch, kind))
    ours, theirs = genesis.optim.SGD([p], lr=1.0), torch.optim.SGD([q], lr=1.0)
    ours.clip_grad_norm_(1.0)
    torch.nn.utils.clip_grad_norm_([q], 1.0)
    ours.step()
    theirs.step()
    # the clipped gradient is not rounded here, so a parameter near 1 may be one rounding apart
    np.testing.assert_allclose(
        p.detach().float().numpy(), q.detach().float().numpy(), rtol=LIMIT[kind], atol=0
    )
