"""Lazy layers: sizes come from the first batch or from a file; then they are ordinary layers."""

from __future__ import annotations

import copy

import pytest

import genesis
from genesis import nn


def net() -> nn.Sequential:
    return nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2))


def test_sizes_come_from_the_first_batch() -> None:
    model = net()
    optimizer = genesis.optim.SGD(model.parameters(), lr=0.1)  # keeps the parameters that get a shape later
    x = genesis.randn(2, 3, 6, 6)
    model(x).sum().backward()
    before = model[4].weight.detach().clone()
    optimizer.step()
    assert [type(m) for m in model] == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.Flatten, nn.Linear]
    assert model[0].weight.shape == (4, 3, 3, 3)
    assert model[4].in_features == 64
    assert not genesis.equal(model[4].weight, before)


def test_sizes_come_from_a_file() -> None:
    model, other = net(), copy.deepcopy(net())
    x = genesis.randn(2, 3, 6, 6)
    model(x)
    other.load_state_dict(model.state_dict())
    assert genesis.equal(other.eval()(x), model.eval()(x))


def test_what_was_saved_before_the_first_batch_is_loaded() -> None:
    model = net()
    model.load_state_dict(net().state_dict())
    assert model(genesis.randn(2, 3, 6, 6)).shape == (2, 2)


def test_a_wrong_input_is_refused() -> None:
    with pytest.raises(RuntimeError, match="expected 3D or 4D input, got 2D"):
        nn.LazyConv2d(4, 3)(genesis.ones(2, 3))
    with pytest.raises(ValueError, match="divisible by groups"):
        nn.LazyConv2d(4, 3, groups=2)(genesis.ones(1, 3, 5, 5))


def test_before_the_first_batch_there_is_no_shape() -> None:
    weight = nn.LazyLinear(2).weight
    with pytest.raises(RuntimeError, match="shape of an uninitialized parameter"):
        weight.shape  # noqa: B018
    for use in (nn.init.zeros_, nn.init.xavier_uniform_, lambda w: w.numel(), lambda w: w.add_(1)):
        with pytest.raises((RuntimeError, ValueError), match="of an uninitialized parameter"):
            use(weight)
