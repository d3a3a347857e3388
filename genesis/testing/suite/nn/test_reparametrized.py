"""Weights that are computed from others: parametrizations, norms and pruning; calls with other parameters."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import genesis
from genesis import nn
from genesis.nn.utils import parametrize, prune
from genesis.nn.utils.parametrizations import orthogonal, spectral_norm, weight_norm
from genesis.nn.utils.stateless import functional_call


class Symmetric(nn.Module):
    def forward(self, x):
        return x.triu() + x.triu(1).mT

    def right_inverse(self, x):
        return x.triu()


def test_a_parametrized_weight_is_computed_and_trained(device):
    layer = nn.Linear(3, 3, device=device)
    parametrize.register_parametrization(layer, "weight", Symmetric())
    assert [n for n, _ in layer.named_parameters()] == ["bias", "parametrizations.weight.original"]
    assert isinstance(layer, nn.Linear)
    assert (layer.weight == layer.weight.mT).all()
    layer(genesis.ones(2, 3, device=device)).sum().backward()
    assert layer.parametrizations.weight.original.grad is not None
    layer.weight = genesis.eye(3, device=device)
    twin = copy.deepcopy(layer)
    assert twin.weight.tolist() == np.eye(3).tolist()
    parametrize.remove_parametrizations(layer, "weight")
    assert type(layer) is nn.Linear
    assert parametrize.is_parametrized(twin)
    with pytest.raises(ValueError, match="may not change dtype and shape"):
        parametrize.register_parametrization(layer, "weight", nn.Linear(3, 2, device=device))


def test_norms_of_weights(device):
    x = genesis.ones(1, 5, device=device)
    plain = nn.Linear(5, 4, device=device)
    before = plain(x).tolist()
    np.testing.assert_allclose(weight_norm(plain)(x).tolist(), before, rtol=1e-5)
    layer = spectral_norm(nn.Linear(5, 4, device=device), n_power_iterations=20)
    largest = np.linalg.svd(layer.weight.detach().numpy())[1][0]
    assert abs(largest - 1) < 1e-3
    for sizes in ((4, 4), (5, 3), (3, 5)):
        w = orthogonal(nn.Linear(*sizes, device=device)).weight.detach().numpy()
        product = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
        np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-5)


def test_pruned_weights_stay_zero(device):
    layer = nn.Linear(4, 4, device=device)
    prune.l1_unstructured(layer, "weight", 0.5)
    prune.ln_structured(layer, "weight", 1, n=2, dim=0)
    mask = layer.weight_mask.numpy()
    assert (mask == 0).sum() >= 8
    assert (mask.sum(1) == 0).any()
    layer(genesis.ones(1, 4, device=device)).sum().backward()
    assert (layer.weight_orig.grad.numpy()[mask == 0] == 0).all()
    prune.remove(layer, "weight")
    assert [n for n, _ in layer.named_parameters()] == ["bias", "weight"]
    assert (layer.weight.detach().numpy()[mask == 0] == 0).all()
    with pytest.raises(ValueError, match="has to be pruned"):
        prune.remove(layer, "weight")


def test_a_call_with_other_parameters(device):
    layer = nn.Linear(2, 2, device=device)
    weight = genesis.zeros(2, 2, device=device, requires_grad=True)
    x = genesis.ones(1, 2, device=device)
    out = functional_call(layer, {"weight": weight, "bias": genesis.ones(2, device=device)}, (x,))
    out.sum().backward()
    assert out.tolist() == [[1, 1]]
    assert weight.grad is not None
    assert layer.weight is not weight
    with pytest.raises(RuntimeError, match="missing"):
        functional_call(layer, {"weight": weight}, (x,), strict=True)
