"""Every declared schedule, by its name, and compositions of them pass the kit that strangers test with."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from genesis import optim
from genesis.optim import ParamScheduler
from genesis.plugin import registry
from genesis.testing import Check, check_scheduler

# Options that schedules need, by name; what is not here keeps its default.
OPTIONS: dict[str, Any] = {
    "T_0": 4,
    "T_max": 5,
    "anneal_epochs": 4,
    "base_lr": 0.01,
    "boundaries": (3, 6),
    "decay_steps": 4,
    "factor": 0.5,
    "first": 4,
    "function": lambda step: 0.9**step,
    "gamma": 0.8,
    "half_period": 5,
    "high": 0.5,
    "hold_steps": 3,
    "levels": (1.0, 0.5, 0.1),
    "low": 0.1,
    "lr_lambda": lambda step: 0.9**step,
    "max_lr": 0.5,
    "milestones": [3, 7, 7, 11],
    "min_lr": 0.01,
    "model_size": 64,
    "num_decay_steps": 4,
    "num_stable_steps": 4,
    "num_training_steps": 11,
    "num_warmup_steps": 3,
    "patience": 1,
    "rate": 0.5,
    "step_size": 3,
    "step_size_up": 3,
    "steps": 9,
    "swa_lr": 0.05,
    "timescale": 4,
    "total_iters": 6,
    "total_steps": 20,
    "warmup_steps": 3,
}
WITH_DEFAULTS = ("min_lr", "patience", "num_stable_steps")

# Where the options above do not fit together, or the schedule is made of others.
SPECIAL: dict[str, Any] = {
    "ChainedScheduler": lambda optimizer: {
        "schedulers": [optim.StepLR(optimizer, 3), optim.LambdaLR(optimizer, lambda step: 0.9**step)]
    },
    "ConstantLR": {"factor": 0.5, "total_iters": 6},
    "Cycles": {"part": optim.Linear(3)},
    "Exponential": {"gamma": 0.8},
    "Noise": {"part": optim.Cosine(9), "first": 2},
    "OneCycleLR": {"max_lr": 0.5, "total_steps": 20},
    "SequentialLR": lambda optimizer: {
        "schedulers": [
            optim.LinearLR(optimizer, start_factor=0.1, total_iters=3),
            optim.CosineAnnealingLR(optimizer, T_max=4, eta_min=0.02),
            optim.StepLR(optimizer, step_size=2, gamma=0.5),
        ],
        "milestones": [3, 7],
    },
    "Skip": {"part": optim.Cosine(12), "steps": 2},
}

EXPECTED_FAILURES = {
    "CosineAnnealingWarmRestarts": {
        "drive/order/*": "as PyTorch's: its step() takes any place, and does not look at the order of calls"
    },
}


def options_of(name: str, target: Any) -> Any:
    if name in SPECIAL:
        return SPECIAL[name]
    parameters = inspect.signature(target).parameters.values()
    return {
        each.name: OPTIONS[each.name]
        for each in parameters
        if each.name in OPTIONS and (each.default is inspect.Parameter.empty or each.name in WITH_DEFAULTS)
    }


def chained(optimizer: Any, last_epoch: int = -1) -> Any:
    return optim.ChainedScheduler(
        [
            optim.MultiStepLR(optimizer, [3, 7], gamma=0.5, last_epoch=last_epoch),
            optim.LambdaLR(optimizer, lambda step: 0.9**step, last_epoch=last_epoch),
            optim.CosineAnnealingWarmRestarts(optimizer, 4, last_epoch=last_epoch),
        ]
    )


def nested(optimizer: Any, last_epoch: int = -1) -> Any:
    first = [optim.LinearLR(optimizer, 0.2, total_iters=4), optim.ExponentialLR(optimizer, 0.9)]
    second = [optim.ConstantLR(optimizer, 0.5, 2), optim.MultiplicativeLR(optimizer, lambda step: 0.9)]
    parts = [optim.ChainedScheduler(first), optim.SequentialLR(optimizer, second, milestones=[3])]
    return optim.SequentialLR(optimizer, parts, milestones=[4], last_epoch=last_epoch)


def with_momentum(optimizer: Any, last_epoch: int = -1) -> Any:
    warmup = optim.LinearLR(optimizer, 0.1, total_iters=3)
    cycle = optim.OneCycleLR(optimizer, max_lr=0.5, total_steps=20)
    return optim.SequentialLR(optimizer, [warmup, cycle], milestones=[3], last_epoch=last_epoch)


def algebra(optimizer: Any, last_epoch: int = -1) -> Any:
    schedule = (optim.Cosine(5).towards(0.01).with_warmup(3) * optim.Linear(8, 1.0, 0.5)).clip_rate(low=0.02)
    return ParamScheduler(optimizer, schedule.repeat(2), last_epoch=last_epoch)


def fluent(optimizer: Any) -> Any:
    first = optim.LinearLR(optimizer, 0.1, total_iters=3)
    second = optim.StepLR(optimizer, 2, 0.5) * optim.ExponentialLR(optimizer, 0.9)
    return (first.then(second, at=4) * 0.5).clip(low=0.001).with_warmup(2)


def weight_decay(optimizer: Any, last_epoch: int = -1) -> Any:
    return ParamScheduler(optimizer, optim.Cosine(9), "weight_decay", last_epoch=last_epoch)


def one_for_each_group(optimizer: Any, last_epoch: int = -1) -> Any:
    return ParamScheduler(optimizer, [optim.Cosine(9), optim.Constant()], last_epoch=last_epoch)


def warmup_then_plateau(optimizer: Any) -> Any:
    plateau = optim.ReduceLROnPlateau(optimizer, patience=1, factor=0.5)
    warmup = optim.LinearLR(optimizer, 0.1, total_iters=3)
    return optim.SequentialLR(optimizer, [warmup, plateau], milestones=[3])


def cosine_times_plateau(optimizer: Any) -> Any:
    plateau = optim.ReduceLROnPlateau(optimizer, patience=1, factor=0.5)
    return optim.ChainedScheduler([optim.CosineAnnealingLR(optimizer, 20), plateau])


COMPOSED = (
    chained,
    nested,
    with_momentum,
    algebra,
    fluent,
    weight_decay,
    one_for_each_group,
    warmup_then_plateau,
    cosine_times_plateau,
)


def checks() -> Iterator[Any]:
    for found in registry("schedulers").contributions():
        if found.distribution == "genesis-dl":
            name, options = str(found), options_of(str(found), found.load())
            asked = check_scheduler(name, options, expected_failures=EXPECTED_FAILURES.get(name))
            yield from (pytest.param(check, id=f"{name}-{check.name}") for check in asked)
    for build in COMPOSED:
        for check in check_scheduler(build):
            yield pytest.param(check, id=f"{build.__name__}-{check.name}")


@pytest.mark.parametrize("check", [*checks()])
def test_schedules(check: Check) -> None:
    check()
