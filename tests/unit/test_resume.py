"""Stopping after any step and going on, in whatever order things are loaded, changes no rate and no momentum.

Every schedule that the built-in plugin declares is tried, and compositions of them.
"""

from __future__ import annotations

import copy
import inspect
import json

import pytest

import genesis
from genesis import nn, optim
from genesis.optim import LRScheduler, ParamScheduler, Schedule
from genesis.plugin import registry

STEPS = 16
STOPS = range(1, 13)
METRICS = [3.0, 2.0, 2.5, 2.5, 2.5, 2.5, 1.0, 1.5, 1.5, 1.5, 1.5, 1.5, 0.5, 0.9, 0.9, 0.9]


class Ramp(nn.Module):
    """Two parameters, in two groups with rates of their own."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Parameter(genesis.ones(1)), nn.Parameter(genesis.ones(1))


def sgd(*rates):
    model = Ramp()
    groups = [{"params": [p], "lr": lr} for p, lr in zip(model.parameters(), rates, strict=True)]
    return optim.SGD(groups, lr=1.0, momentum=0.9)


def adam(*rates):
    model = Ramp()
    groups = [{"params": [p], "lr": lr} for p, lr in zip(model.parameters(), rates, strict=True)]
    return optim.AdamW(groups, lr=1.0)


# Arguments that schedules need, by name; what is not here keeps its default.
ARGUMENTS = {
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

# Where the arguments above do not fit together, or the schedule is made of others.
SPECIAL = {
    "ConstantLR": {"factor": 0.5, "total_iters": 6},
    "Cycles": {"part": optim.Linear(3)},
    "Exponential": {"gamma": 0.8},
    "Noise": {"part": optim.Cosine(9), "first": 2},
    "Skip": {"part": optim.Cosine(12), "steps": 2},
    "constant": {},
}


def options_of(target, name):
    if name in SPECIAL:
        return SPECIAL[name]
    parameters = list(inspect.signature(target).parameters.values())
    return {
        each.name: ARGUMENTS[each.name]
        for each in parameters
        if each.name in ARGUMENTS
        and (
            each.default is inspect.Parameter.empty or each.name in ("min_lr", "patience", "num_stable_steps")
        )
    }


def declared(name, target):
    """A way to build a declared schedule for an optimizer."""
    options = options_of(target, name)

    def build(optimizer, last_epoch=-1):
        if name == "OneCycleLR":
            return target(optimizer, max_lr=0.5, total_steps=20, last_epoch=last_epoch)
        if isinstance(target, type) and issubclass(target, Schedule):
            return ParamScheduler(optimizer, target(**options), last_epoch=last_epoch)
        if "last_epoch" in inspect.signature(target).parameters:
            return target(optimizer, **options, last_epoch=last_epoch)
        assert last_epoch == -1, f"{name} takes no last_epoch"
        return target(optimizer, **options)

    return build


def sequential(optimizer, last_epoch=-1):
    parts = [
        optim.LinearLR(optimizer, start_factor=0.1, total_iters=3),
        optim.CosineAnnealingLR(optimizer, T_max=4, eta_min=0.02),
        optim.StepLR(optimizer, step_size=2, gamma=0.5),
    ]
    return optim.SequentialLR(optimizer, parts, milestones=[3, 7], last_epoch=last_epoch)


def chained(optimizer, last_epoch=-1):
    return optim.ChainedScheduler(
        [
            optim.MultiStepLR(optimizer, [3, 7], gamma=0.5, last_epoch=last_epoch),
            optim.LambdaLR(optimizer, lambda step: 0.9**step, last_epoch=last_epoch),
            optim.CosineAnnealingWarmRestarts(optimizer, 4, last_epoch=last_epoch),
        ]
    )


def nested(optimizer, last_epoch=-1):
    return optim.SequentialLR(
        optimizer,
        [
            optim.ChainedScheduler(
                [optim.LinearLR(optimizer, 0.2, total_iters=4), optim.ExponentialLR(optimizer, 0.9)]
            ),
            optim.SequentialLR(
                optimizer,
                [optim.ConstantLR(optimizer, 0.5, 2), optim.MultiplicativeLR(optimizer, lambda step: 0.9)],
                milestones=[3],
            ),
        ],
        milestones=[4],
        last_epoch=last_epoch,
    )


def with_momentum(optimizer, last_epoch=-1):
    warmup = optim.LinearLR(optimizer, 0.1, total_iters=3)
    cycle = optim.OneCycleLR(optimizer, max_lr=0.5, total_steps=14)
    return optim.SequentialLR(optimizer, [warmup, cycle], milestones=[3], last_epoch=last_epoch)


def algebra(optimizer, last_epoch=-1):
    schedule = (optim.Cosine(5).towards(0.01).with_warmup(3) * optim.Linear(8, 1.0, 0.5)).clip_rate(low=0.02)
    return ParamScheduler(optimizer, schedule.repeat(2), last_epoch=last_epoch)


def fluent(optimizer, last_epoch=-1):
    assert last_epoch == -1
    first = optim.LinearLR(optimizer, 0.1, total_iters=3)
    second = optim.StepLR(optimizer, 2, 0.5) * optim.ExponentialLR(optimizer, 0.9)
    return (first.then(second, at=4) * 0.5).clip(low=0.001).with_warmup(2)


def weight_decay(optimizer, last_epoch=-1):
    return ParamScheduler(optimizer, optim.Cosine(9), "weight_decay", last_epoch=last_epoch)


def warmup_then_plateau(optimizer, last_epoch=-1):
    assert last_epoch == -1
    plateau = optim.ReduceLROnPlateau(optimizer, patience=1, factor=0.5)
    return optim.SequentialLR(
        optimizer, [optim.LinearLR(optimizer, 0.1, total_iters=3), plateau], milestones=[3]
    )


def cosine_times_plateau(optimizer, last_epoch=-1):
    assert last_epoch == -1
    plateau = optim.ReduceLROnPlateau(optimizer, patience=1, factor=0.5)
    return optim.ChainedScheduler([optim.CosineAnnealingLR(optimizer, 20), plateau])


COMPOSED = [sequential, chained, nested, with_momentum, algebra, fluent, weight_decay]
METRIC_COMPOSED = [warmup_then_plateau, cosine_times_plateau]

NOT_ALONE = {"SequentialLR", "ChainedScheduler", "Plateau"}
METRIC = {"ReduceLROnPlateau", "GreedyLR", "reduce_on_plateau", "greedy"}


def cases():
    for contribution in registry("schedulers").contributions():
        if contribution.distribution == "genesis-dl" and str(contribution) not in NOT_ALONE:
            yield pytest.param(
                str(contribution), declared(str(contribution), contribution.load()), id=str(contribution)
            )
    for build in COMPOSED + METRIC_COMPOSED:
        yield pytest.param(build.__name__, build, id=build.__name__)


def follows_metric(name):
    return name in METRIC or name in {build.__name__ for build in METRIC_COMPOSED}


def seen(optimizer):
    """All that a schedule may have written."""
    return [
        tuple(float(v) for v in (g["lr"], g.get("weight_decay", 0), g.get("momentum") or g["betas"][0]))
        for g in optimizer.param_groups
    ]


def go(name, optimizer, scheduler, first, last):
    """Take the steps `first` to `last`, and return what each wrote."""
    rows = []
    for step in range(first, last):
        optimizer.step()
        if follows_metric(name):
            scheduler.step(METRICS[step])
        else:
            scheduler.step()
        rows.append((seen(optimizer), [float(rate) for rate in scheduler.get_last_lr()]))
    return rows


def plain(state):
    """A state as it comes back from a file."""
    return copy.deepcopy(state)


def optimizer_first(make, build, optimizer_state, scheduler_state):
    optimizer = make(0.4, 0.1)
    scheduler = build(optimizer)
    optimizer.load_state_dict(plain(optimizer_state))
    scheduler.load_state_dict(plain(scheduler_state))
    return optimizer, scheduler


def scheduler_first(make, build, optimizer_state, scheduler_state):
    optimizer = make(0.4, 0.1)
    scheduler = build(optimizer)
    scheduler.load_state_dict(plain(scheduler_state))
    optimizer.load_state_dict(plain(optimizer_state))
    return optimizer, scheduler


def scheduler_alone(make, build, optimizer_state, scheduler_state):
    optimizer = make(0.4, 0.1)
    scheduler = build(optimizer)
    scheduler.load_state_dict(plain(scheduler_state))
    return optimizer, scheduler


def built_last(make, build, optimizer_state, scheduler_state):
    optimizer = make(0.4, 0.1)
    optimizer.load_state_dict(plain(optimizer_state))
    scheduler = build(optimizer)
    scheduler.load_state_dict(plain(scheduler_state))
    return optimizer, scheduler


WAYS = [optimizer_first, scheduler_first, scheduler_alone, built_last]


@pytest.mark.parametrize("make", [sgd, adam])
@pytest.mark.parametrize(("name", "build"), [*cases()])
def test_loading_goes_on_as_if_never_stopped(name, build, make):
    optimizer = make(0.4, 0.1)
    scheduler = build(optimizer)
    whole = go(name, optimizer, scheduler, 0, STEPS)
    for stop in STOPS:
        optimizer = make(0.4, 0.1)
        scheduler = build(optimizer)
        go(name, optimizer, scheduler, 0, stop)
        saved = copy.deepcopy((optimizer.state_dict(), scheduler.state_dict()))
        for way in WAYS:
            resumed, follower = way(make, build, *saved)
            rest = go(name, resumed, follower, stop, STEPS)
            assert rest == whole[stop:], f"{name} stopped after {stop} steps, {way.__name__}"
            assert follower.last_epoch == STEPS


@pytest.mark.parametrize("make", [sgd, adam])
@pytest.mark.parametrize(("name", "build"), [*cases()])
def test_last_epoch_goes_on_as_if_never_stopped(name, build, make):
    if follows_metric(name) or build is fluent:
        optimizer = make(0.4, 0.1)
        scheduler = build(optimizer)
        parameters = inspect.signature(type(scheduler).__init__).parameters
        # What depends on metrics cannot be told by a number; a class of the kind does not take one.
        assert isinstance(scheduler, LRScheduler)
        assert build is fluent or "last_epoch" not in parameters or follows_metric(name)
        return
    optimizer = make(0.4, 0.1)
    scheduler = build(optimizer)
    whole = go(name, optimizer, scheduler, 0, STEPS)
    for stop in STOPS:
        optimizer = make(0.4, 0.1)
        scheduler = build(optimizer)
        go(name, optimizer, scheduler, 0, stop)
        resumed = make(0.4, 0.1)
        resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        follower = build(resumed, last_epoch=stop - 1)
        assert seen(resumed) == seen(optimizer), f"{name} stopped after {stop} steps"
        rest = go(name, resumed, follower, stop, STEPS)
        assert rest == whole[stop:], f"{name} stopped after {stop} steps"


@pytest.mark.parametrize(("name", "build"), [*cases()])
def test_state_is_plain(name, build):
    optimizer = sgd(0.4, 0.1)
    scheduler = build(optimizer)
    go(name, optimizer, scheduler, 0, 5)
    state = scheduler.state_dict()
    json.dumps(state)  # numbers, strings, lists and dicts only

    def kinds(value):
        if isinstance(value, dict):
            return {kind for item in value.values() for kind in kinds(item)}
        if isinstance(value, (list, tuple)):
            return {kind for item in value for kind in kinds(item)}
        return {type(value)}

    assert kinds(state) <= {int, float, bool, str, type(None)}
