"""Averages of models, on every device."""

from __future__ import annotations

import numpy as np
import pytest

import genesis
from genesis import nn
from genesis.optim.optimizer import (
    Optimizer,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
    required,
)
from genesis.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn


def model_of(value, device):
    model = nn.Linear(2, 1, bias=False, device=device)
    set_to(model, value)
    return model


def set_to(model, value):
    with genesis.no_grad():
        model.weight.fill_(value)


def test_equal_weights(device):
    model = model_of(1.0, device)
    average = AveragedModel(model)
    for value in (1.0, 3.0, 8.0):
        set_to(model, value)
        average.update_parameters(model)
    assert average.module.weight.tolist() == [[4.0, 4.0]]
    assert int(average.n_averaged) == 3
    assert average.module.weight.requires_grad
    assert average(genesis.ones(1, 2, device=device)).tolist() == [[8.0]]


def test_weights_that_fall(device):
    model = model_of(1.0, device)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.75))
    for value in (1.0, 3.0, 8.0):
        set_to(model, value)
        average.update_parameters(model)
    np.testing.assert_allclose(average.module.weight.tolist(), [[3.125, 3.125]], rtol=1e-6)


def test_a_state_goes_on(device):
    model = model_of(1.0, device)
    average = AveragedModel(model)
    average.update_parameters(model)
    other = AveragedModel(model)
    other.load_state_dict(average.state_dict())
    set_to(model, 2.0)
    other.update_parameters(model)
    assert other.module.weight.tolist() == [[1.5, 1.5]]


def test_statistics_are_computed_anew(device):
    model = nn.BatchNorm1d(1, device=device)
    batches = [genesis.tensor([[v], [v + 2.0]], device=device) for v in (0.0, 10.0)]
    model(genesis.full((2, 1), 100.0, device=device))
    model.eval()
    update_bn(batches, model)
    np.testing.assert_allclose(model.running_mean.tolist(), [6.0], rtol=1e-6)
    assert not model.training
    assert model.momentum == 0.1


def test_sparse_adam_says_what_to_use():
    with pytest.raises(AttributeError, match=r"the nearest is genesis\.optim\.Adam"):
        genesis.optim.SparseAdam  # noqa: B018


def test_hooks_of_all_optimizers(device):
    p = genesis.ones(1, device=device, requires_grad=True)
    seen = []
    before = register_optimizer_step_pre_hook(
        lambda o, args, kwargs: seen.append(("before", type(o).__name__))
    )
    after = register_optimizer_step_post_hook(
        lambda o, args, kwargs: seen.append(("after", type(o).__name__))
    )
    try:
        genesis.optim.SGD([p]).step()
        genesis.optim.RMSprop([p]).step()
    finally:
        before.remove()
        after.remove()
    genesis.optim.SGD([p]).step()
    assert seen == [(w, n) for n in ("SGD", "RMSprop") for w in ("before", "after")]


def test_an_option_that_has_to_be_given():
    class Own(Optimizer):
        def __init__(self, params, lr=required):
            super().__init__(params, {"lr": lr})

    p = genesis.ones(1, requires_grad=True)
    with pytest.raises(ValueError, match="required optimization parameter lr"):
        Own([p])
    assert Own([{"params": [p], "lr": 0.1}]).param_groups[0]["lr"] == 0.1
