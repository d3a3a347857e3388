"""Clipping gradients, and parameters as one vector."""

from __future__ import annotations

import math

import numpy as np
import pytest

import genesis
from genesis import nn
from genesis.nn import utils


@pytest.fixture
def parameters(device):
    made = [nn.Parameter(genesis.zeros(n, device=device)) for n in (2, 1, 3)]
    made[0].grad = genesis.tensor([3.0, 0.0], device=device)
    made[1].grad = genesis.tensor([-4.0], device=device)
    return made  # the last has no gradient


def grads(parameters):
    return [p.grad.tolist() for p in parameters if p.grad is not None]


@pytest.mark.parametrize(("order", "norm"), [(2, 5.0), (1, 7.0), (math.inf, 4.0), (3, (27 + 64) ** (1 / 3))])
def test_clip_norm(parameters, order, norm):
    total = utils.clip_grad_norm_(parameters, norm / 2, norm_type=order)
    assert total.shape == ()
    assert total.item() == pytest.approx(norm, rel=1e-6)  # float32
    # 1e-6 is added to the norm before dividing, as in PyTorch
    np.testing.assert_allclose(np.concatenate(grads(parameters)), [1.5, 0, -2], rtol=1e-6)


def test_small_gradients_stay(parameters):
    assert utils.clip_grad_norm_(iter(parameters), 10.0).item() == pytest.approx(5)
    assert grads(parameters) == [[3.0, 0.0], [-4.0]]


def test_one_tensor_and_none(parameters):
    assert utils.clip_grad_norm_(parameters[0], 1.0).item() == 3
    assert utils.clip_grad_norm_([parameters[2]], 1.0).item() == 0
    assert utils.clip_grad_norm_([], 1.0).item() == 0


def test_nan_is_reported_on_request(parameters):
    parameters[0].grad.fill_(math.nan)
    with pytest.raises(RuntimeError, match="nan, so they cannot be clipped"):
        utils.clip_grad_norm_(parameters, 1.0, error_if_nonfinite=True)
    assert grads(parameters)[1] == [-4.0]
    assert math.isnan(utils.clip_grad_norm_(parameters, 1.0).item())


def test_wrong_order(parameters):
    with pytest.raises(ValueError, match="positive, got 0"):
        utils.clip_grad_norm_(parameters, 1.0, norm_type=0)


def test_clip_value(parameters):
    utils.clip_grad_value_(parameters, 3.5)
    assert grads(parameters) == [[3.0, 0.0], [-3.5]]
    utils.clip_grad_value_(parameters[0], 1)
    assert grads(parameters) == [[1.0, 0.0], [-3.5]]


def test_vector_round_trip(device):
    layer = nn.Linear(2, 3, device=device)
    vector = utils.parameters_to_vector(layer.parameters())
    assert vector.tolist() == [*layer.weight.reshape(-1).tolist(), *layer.bias.tolist()]
    utils.vector_to_parameters(genesis.arange(9, device=device).to(genesis.float32), layer.parameters())
    assert layer.weight.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert layer.bias.tolist() == [6, 7, 8]
    assert layer.weight.requires_grad
    assert layer.weight.is_leaf
    with pytest.raises(genesis.ShapeError, match=r"9 elements, the vector has shape \(8,\)"):
        utils.vector_to_parameters(genesis.ones(8, device=device), layer.parameters())
    with pytest.raises(TypeError, match="list"):
        utils.vector_to_parameters([1.0], layer.parameters())


def test_gradients_flow_through_the_vector(device):
    layer = nn.Linear(2, 1, device=device)
    (utils.parameters_to_vector(layer.parameters()) ** 2).sum().backward()
    np.testing.assert_array_equal(layer.weight.grad.numpy(), 2 * layer.weight.detach().numpy())
