"""get_scheduler: every schedule by name, with the lengths that it takes."""

from __future__ import annotations

import sys
from enum import Enum
from types import SimpleNamespace

import pytest

import genesis
from genesis.optim import LambdaLR, SchedulerType, get_scheduler
from genesis.plugin import SchedulerSpec, hookimpl, isolated, register
from genesis_schedulers.warmup_floors import WarmupStableDecay
from genesis_schedulers.warmup_shapes import (
    ConstantWithWarmup,
    CosineWithWarmup,
    InverseSqrtWithWarmup,
    LinearWithWarmup,
)


def groups(*rates):
    return SimpleNamespace(param_groups=[{"lr": rate} for rate in rates])


def shape(*args, **kwargs):
    (found,) = get_scheduler(args[0], groups(0.1), *args[1:], **kwargs).lr_lambdas
    return found


def test_plateau_gets_its_options_and_no_lengths(monkeypatch):
    def plateau(optimizer, **options):
        return optimizer, options

    monkeypatch.setitem(sys.modules, "genesis_schedulers.plateau", SimpleNamespace(ReduceLROnPlateau=plateau))
    optimizer = groups(0.1)
    found = get_scheduler("reduce_lr_on_plateau", optimizer, 0, 100, {"patience": 3})
    assert found == (optimizer, {"patience": 3})


class Theirs(Enum):
    LINEAR = "linear"


@pytest.mark.parametrize("name", ["linear", SchedulerType.LINEAR, Theirs.LINEAR])
def test_name_may_be_a_text_or_a_member_of_an_enum(name):
    assert shape(name, 10, 100) == LinearWithWarmup(10, 100)


def test_lengths_go_where_they_are_taken():
    assert shape("constant") == ConstantWithWarmup(0)
    assert shape("constant", 0, 100) == ConstantWithWarmup(0)
    assert shape("constant_with_warmup", 10, 100) == ConstantWithWarmup(10)
    assert shape("inverse_sqrt", num_warmup_steps=10, num_training_steps=100) == InverseSqrtWithWarmup(10)
    options = {"num_decay_steps": 30}
    assert shape("warmup_stable_decay", 10, 100, options) == WarmupStableDecay(10, 60, 30)


def test_options_of_the_schedule_are_handed_on():
    assert shape("cosine", 10, 100, {"num_cycles": 2}) == CosineWithWarmup(10, 100, 2)


def test_percentages_are_of_the_training_steps():
    assert shape("linear", "10%", 200) == LinearWithWarmup(20, 200)
    assert shape("constant_with_warmup", "10%", 200) == ConstantWithWarmup(20)
    options = {"num_decay_steps": "20%"}
    assert shape("warmup_stable_decay", "5%", 200, options) == WarmupStableDecay(10, 150, 40)


def test_all_other_schedules_are_found_too():
    scheduler = get_scheduler(
        "LambdaLR", groups(0.1), scheduler_specific_kwargs={"lr_lambda": lambda step: 0.5}
    )
    assert type(scheduler) is LambdaLR
    assert shape("cosine_with_warmup", 1, 9) == shape("Cosine-With-Warmup", 1, 9) == CosineWithWarmup(1, 9)


def flat(optimizer, num_training_steps, gamma=0.5):
    return LambdaLR(optimizer, lambda step: num_training_steps * gamma)


class Acme:
    @hookimpl
    def genesis_schedulers(self):
        return [SchedulerSpec("Acme", f"{__name__}:flat", "A schedule.")]


def test_schedule_of_another_package_gets_the_lengths_that_it_takes(monkeypatch):
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or SimpleNamespace(flat=flat))
    with isolated():
        register(Acme())
        scheduler = get_scheduler("Acme", groups(1.0), 0, 4, {"gamma": 2})
        with pytest.raises(ValueError, match="Acme requires `num_training_steps`"):
            get_scheduler("Acme", groups(1.0), 0)
    assert scheduler.get_last_lr() == [8.0]


def test_unknown_name_lists_what_there_is():
    with pytest.raises(ValueError, match="'nope' is not a valid SchedulerType") as caught:
        get_scheduler("nope", groups(0.1))
    for name in (*(member.value for member in SchedulerType), *genesis.list_schedulers()):
        assert name in str(caught.value)
    with pytest.raises(ValueError, match="expected the name of a schedule, got int: 3"):
        get_scheduler(3, groups(0.1))


@pytest.mark.parametrize(
    "name", ["linear", "cosine_with_min_lr", "constant_with_warmup", "warmup_stable_decay"]
)
def test_missing_warmup_is_named(name):
    with pytest.raises(ValueError, match=f"{name} requires `num_warmup_steps`, please provide that argument"):
        get_scheduler(name, groups(0.1), num_training_steps=10)


def test_missing_training_steps_are_named():
    with pytest.raises(
        ValueError, match="cosine requires `num_training_steps`, please provide that argument"
    ):
        get_scheduler(SchedulerType.COSINE, groups(0.1), 10)
    with pytest.raises(ValueError, match="cosine_with_warmup requires `num_warmup_steps`"):
        get_scheduler("cosine_with_warmup", groups(0.1))


@pytest.mark.parametrize(
    "name", ["linear", "constant", "constant_with_warmup", "cosine_with_warmup", "greedy"]
)
def test_options_that_it_does_not_take_are_refused(name):
    with pytest.raises(TypeError, match="power"):
        get_scheduler(name, groups(0.1), 0, 10, {"power": 2})


def test_length_given_twice_is_refused():
    with pytest.raises(TypeError, match="num_warmup_steps is given twice"):
        get_scheduler("linear", groups(0.1), 1, 10, {"num_warmup_steps": 2})


def test_warmup_of_a_schedule_that_has_none_is_warned_of():
    with pytest.warns(
        UserWarning, match="constant takes no num_warmup_steps, so num_warmup_steps=5 has no eff"
    ):
        get_scheduler("constant", groups(0.1), 5, 10)


def test_optimizer_that_only_stands_for_others_is_refused():
    optimizer = groups(0.1)
    optimizer.optimizer_dict = {}
    with pytest.raises(TypeError, match="only stands for the optimizers in its optimizer_dict"):
        get_scheduler("linear", optimizer, 1, 10)


def test_what_is_no_optimizer_is_refused():
    with pytest.raises(TypeError, match="list is not an Optimizer"):
        get_scheduler("linear", [0.1], 1, 10)
