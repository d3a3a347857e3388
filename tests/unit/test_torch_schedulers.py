"""What the schedulers under PyTorch's names can do beyond PyTorch: one list, the same questions to each."""

from __future__ import annotations

import doctest
import importlib
import json

import numpy as np
import pytest

import genesis
from genesis import optim
from genesis.optim import LRScheduler, training_length


def optimizer_of(*rates):
    groups = [{"params": [genesis.ones(1, requires_grad=True)], "lr": rate} for rate in rates]
    return optim.SGD(groups, lr=rates[0], momentum=0.9)


def falling(step):
    return 1 / (1 + step)


ALL = [
    ("StepLR", {"step_size": 3, "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [2, 2, 7], "gamma": 0.5}),
    ("ConstantLR", {"factor": 0.25}),
    ("LinearLR", {"total_iters": 8}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("PolynomialLR", {"total_iters": 8, "power": 2}),
    ("MultiplicativeLR", {"lr_lambda": falling}),
    ("CosineAnnealingLR", {"T_max": 6, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.01}),
    (
        "CyclicLR",
        {"base_lr": 0.1, "max_lr": [0.5, 0.7], "step_size_up": 3, "mode": "exp_range", "gamma": 0.9},
    ),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 3, "scale_fn": falling}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 14}),
    (
        "OneCycleLR",
        {"max_lr": [1.0, 2.0], "total_steps": 14, "three_phase": True, "anneal_strategy": "linear"},
    ),
    ("SWALR", {"swa_lr": 0.2, "anneal_epochs": 6}),
]

every = pytest.mark.parametrize(("name", "arguments"), ALL, ids=[name for name, _ in ALL])


def make(name, arguments, optimizer=None):
    return getattr(optim, name)(optimizer or optimizer_of(0.4, 0.05), **arguments)


def advance(scheduler, count=1):
    for _ in range(count):
        scheduler.optimizer.step()
        scheduler.step()


@every
def test_any_step_can_be_asked_and_is_what_stepping_gives(name, arguments):
    scheduler = make(name, arguments)
    preview = scheduler.preview(13)
    for step in range(13):
        if step:
            advance(scheduler)
        assert scheduler.get_last_lr() == scheduler.value_at(step)
        # Numpy's powers and cosines may differ from those of the math module in the last bits.
        np.testing.assert_allclose(preview[step], scheduler.get_last_lr(), rtol=1e-14)
    assert scheduler.explain()[0].value == scheduler.get_last_lr()[0]


@every
def test_configuration_makes_the_same_scheduler(name, arguments):
    scheduler = make(name, arguments)
    text = json.dumps({k: v for k, v in scheduler.to_config().items() if v is not falling})
    again = LRScheduler.from_config(json.loads(text), optimizer_of(0.4, 0.05))
    assert type(again) is type(scheduler)
    assert again.preview(13).tolist() == scheduler.preview(13).tolist()


@every
def test_says_what_it_is(name, arguments):
    scheduler = make(name, arguments)
    assert repr(scheduler).startswith(f"{name}(")
    assert "last_lr=" in repr(scheduler)


@pytest.mark.parametrize(
    ("name", "arguments", "steps"),
    [
        ("StepLR", {"step_size": "10%"}, {"step_size": 20}),
        ("MultiStepLR", {"milestones": ["2ep", "80%"]}, {"milestones": [100, 160]}),
        ("LinearLR", {"total_iters": "1ep"}, {"total_iters": 50}),
        ("PolynomialLR", {"total_iters": "100%"}, {"total_iters": 200}),
        ("CosineAnnealingLR", {"T_max": "100%"}, {"T_max": 200}),
        ("CosineAnnealingWarmRestarts", {"T_0": "1ep"}, {"T_0": 50}),
        ("OneCycleLR", {"max_lr": 1.0, "total_steps": "100%"}, {"max_lr": 1.0, "total_steps": 200}),
        (
            "CyclicLR",
            {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": "10%"},
            {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 20},
        ),
    ],
)
def test_lengths_may_be_parts_of_the_training(name, arguments, steps):
    with training_length(total_steps=200, steps_per_epoch=50):
        scheduler = make(name, arguments)
    assert scheduler.preview(201).tolist() == make(name, steps).preview(201).tolist()


@pytest.mark.parametrize("name", ["OneCycleLR", "CyclicLR"])
def test_momentum_follows_wherever_the_scheduler_stands(name):
    arguments = {
        "OneCycleLR": {"max_lr": 1.0, "total_steps": 11},
        "CyclicLR": {"base_lr": 0.1, "max_lr": 1.0},
    }[name]
    optimizer = optimizer_of(0.4)
    first = optim.ConstantLR(optimizer, 0.5, 99)
    scheduler = optim.SequentialLR(optimizer, [first, make(name, arguments, optimizer)], milestones=[2])
    alone = make(name, arguments, optimizer_of(0.4))
    advance(scheduler, 2)
    for _ in range(8):
        mine, its = optimizer.param_groups[0], alone.optimizer.param_groups[0]
        assert (mine["lr"], mine["momentum"]) == (its["lr"], its["momentum"])
        advance(scheduler)
        advance(alone)


def test_one_cycle_says_when_it_is_over():
    scheduler = make("OneCycleLR", {"max_lr": 1.0, "total_steps": 3})
    advance(scheduler, 3)
    assert scheduler.value_at(3) == scheduler.value_at(2)
    with pytest.raises(ValueError, match="Tried to step 4 times"):
        advance(scheduler)
    assert scheduler.last_epoch == 3


@pytest.mark.parametrize("pct_start", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("three_phase", [False, True])
def test_one_cycle_with_phases_of_no_length(pct_start, three_phase):
    """PyTorch divides by zero for some of these."""
    options = {"max_lr": 1.0, "total_steps": 10, "pct_start": pct_start, "three_phase": three_phase}
    rates = make("OneCycleLR", options).preview(10)
    assert np.isfinite(rates).all()
    assert rates.min() >= 0
    assert rates.max() <= 1.0 + 1e-15  # a rounding of the cosine


def test_group_that_comes_later_needs_to_know_its_bounds():
    for name, arguments in (
        ("CyclicLR", {"base_lr": 0.1, "max_lr": [0.5, 0.7]}),
        ("OneCycleLR", {"max_lr": [1.0, 2.0], "total_steps": 14}),
        ("SWALR", {"swa_lr": [0.1, 0.2]}),
    ):
        scheduler = make(name, arguments)
        advance(scheduler)
        scheduler.optimizer.add_param_group({"params": [genesis.ones(1, requires_grad=True)]})
        scheduler.optimizer.step()
        with pytest.raises(ValueError, match=r"has got a parameter group.*make a new scheduler"):
            scheduler.step()
        assert scheduler.last_epoch == 1


def test_functions_of_multiplicative_are_asked_once_for_each_step():
    asked = []

    def factor(step):
        asked.append(step)
        return 0.5

    scheduler = make("MultiplicativeLR", {"lr_lambda": factor}, optimizer_of(1.0))
    advance(scheduler, 3)
    assert scheduler.preview(6)[:, 0].tolist() == [0.5**step for step in range(6)]
    assert asked == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("module", ["plateau", "torch_multiplicative"])
def test_examples(module):
    tested = doctest.testmod(importlib.import_module(f"genesis_schedulers.{module}"))
    assert tested.attempted
    assert not tested.failed
