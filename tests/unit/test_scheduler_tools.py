"""What a scheduler does besides stepping: it counts updates, tells of changes, explains, extends, copies."""

from __future__ import annotations

import copy
import json
import logging
import pickle
from types import SimpleNamespace

import numpy as np
import pytest

import genesis
from genesis import nn, optim
from genesis.optim import Cosine, Exponential, LambdaLR, Linear, LRScheduler, ParamScheduler, RateChange


class Decay(LRScheduler):
    """A chainable exponential."""

    chainable = True

    def __init__(self, optimizer, gamma, last_epoch=-1, verbose=False):
        self.gamma = gamma
        super().__init__(optimizer, last_epoch, verbose)

    def schedule_for(self, index, base_lr):
        return Exponential(self.gamma)


class Floor(Decay):
    """The same towards a floor."""

    def schedule_for(self, index, base_lr):
        return Exponential(self.gamma).towards(0.1)

    def anchor_for(self, index):
        return 0.1


def groups(*rates):
    return SimpleNamespace(param_groups=[{"lr": rate} for rate in rates])


def sgd(lr=1.0):
    return optim.SGD([nn.Parameter(genesis.ones(1))], lr=lr)


def rates_of(optimizer):
    return [group["lr"] for group in optimizer.param_groups]


# rates that somebody else changes


def test_chainable_scheduler_alone_is_exact_after_any_number_of_steps():
    optimizer = groups(0.3)
    scheduler = Decay(optimizer, 0.9)
    for step in range(1, 300):
        scheduler.step()
        assert rates_of(optimizer) == [0.3 * 0.9**step]


def test_chainable_scheduler_carries_a_change_on():
    optimizer = groups(1.0)
    scheduler = Decay(optimizer, 0.5)
    optimizer.param_groups[0]["lr"] = 8.0
    scheduler.step()
    assert rates_of(optimizer) == [4.0]
    scheduler.step()
    assert rates_of(optimizer) == [2.0]


def test_change_is_carried_on_as_a_distance_from_the_floor():
    optimizer = groups(1.1)
    scheduler = Floor(optimizer, 0.5)
    optimizer.param_groups[0]["lr"] = 2.1
    scheduler.step()
    assert rates_of(optimizer) == [pytest.approx(1.1, rel=1e-15)]  # the rounding of a sum


def test_two_chainable_schedulers_multiply():
    optimizer = groups(1.0)
    first, second = Decay(optimizer, 0.5), Decay(optimizer, 0.25)
    for _ in range(3):
        first.step()
        second.step()
    assert rates_of(optimizer) == [0.125**3]


def test_scheduler_that_is_not_chainable_overwrites_a_change():
    optimizer = groups(1.0)
    scheduler = LambdaLR(optimizer, lambda step: 0.5**step)
    optimizer.param_groups[0]["lr"] = 8.0
    scheduler.step()
    assert rates_of(optimizer) == [0.5]


def test_group_added_to_a_chainable_scheduler_goes_on_from_its_own_rate():
    optimizer = groups(1.0)
    scheduler = Decay(optimizer, 0.5)
    scheduler.step()
    optimizer.param_groups.append({"lr": 0.3})
    scheduler.step()
    assert rates_of(optimizer) == [0.25, 0.15]
    assert scheduler.value_at(2) == [0.25, 0.15]
    assert scheduler.preview(4)[3].tolist() == [0.125, 0.075]


def test_parameter_that_is_changed_in_mid_run_has_its_effect_from_the_next_step_on():
    optimizer = groups(1.0)
    scheduler = Decay(optimizer, 0.5)
    scheduler.step()
    scheduler.gamma = 0.1
    scheduler.step()
    assert rates_of(optimizer) == [pytest.approx(0.05, rel=1e-15)]  # 0.5 * 0.1, by a quotient


def test_functions_of_a_lambda_scheduler_can_be_replaced():
    optimizer = groups(1.0)
    scheduler = LambdaLR(optimizer, lambda step: 1.0)
    scheduler.lr_lambdas = [lambda step: 0.5]
    scheduler.step()
    assert rates_of(optimizer) == [0.5]


# updates, not batches


def test_advance_steps_once_for_each_update():
    optimizer = sgd()
    scheduler = Decay(optimizer, 0.5)
    taken = []
    for batch in range(6):
        if batch % 3 == 2:
            optimizer.step()
        taken.append(scheduler.advance())
    assert taken == [0, 0, 1, 0, 0, 1]
    assert scheduler.last_epoch == 2
    optimizer.step()
    optimizer.step()
    assert scheduler.advance() == 2
    assert rates_of(optimizer) == [0.5**4]


def test_advance_after_a_resume_counts_from_there():
    optimizer = sgd()
    optimizer.step()
    scheduler = Decay(optimizer, 0.5)
    assert scheduler.advance() == 0
    optimizer.step()
    assert scheduler.advance() == 1


def test_advance_needs_an_optimizer_whose_steps_can_be_seen():
    with pytest.raises(RuntimeError, match="the updates of this SimpleNamespace cannot be counted"):
        Decay(groups(1.0), 0.5).advance()


# changes


def test_every_change_is_told_to_callbacks_and_to_the_log(caplog):
    optimizer = groups(1.0, 0.5)
    scheduler = Decay(optimizer, 0.5, verbose=True)
    changes = []
    scheduler.on_change(changes.append)
    with caplog.at_level(logging.INFO, logger="genesis.optim.lr_scheduler"):
        scheduler.step()
    assert changes == [RateChange(1, 0, "lr", 1.0, 0.5), RateChange(1, 1, "lr", 0.5, 0.25)]
    assert caplog.messages[0] == "step 1: learning rate of group 0: 1 -> 0.5"


def test_step_that_changes_nothing_is_not_told():
    scheduler = LambdaLR(groups(1.0), lambda step: 1.0)
    changes = []
    scheduler.on_change(changes.append)
    scheduler.step()
    assert changes == []


def test_callback_may_be_a_decorator():
    scheduler = Decay(groups(1.0), 0.5)
    seen = []

    @scheduler.on_change
    def note(change):
        seen.append(change.new)

    scheduler.step()
    assert seen == [0.5]
    assert callable(note)


# explanations


def test_explanation_says_phase_formula_and_factors():
    schedule = Linear(4, 0.0, 1.0).then(Cosine(10)) * Exponential(0.5)
    scheduler = ParamScheduler(groups(2.0), schedule)
    explained = scheduler.explain(2)
    (group,) = explained
    assert group.value == scheduler.value_at(2)[0] == 0.25
    (_, factor) = group.parts[0]
    assert [part.value for _, part in factor.parts] == [0.5, 0.25]
    text = str(explained)
    assert text.startswith("group 0: 0.25 at step 2 = 2 * factor")
    assert "part 1 of 2: 0.5 at step 2" in text
    assert "gamma ** t" in text


def test_explanation_is_of_the_present_step_by_default():
    scheduler = Decay(groups(1.0), 0.5)
    scheduler.step()
    assert scheduler.explain()[0].value == 0.5


def test_warmup_is_a_phase():
    explained = Cosine(10).with_warmup(4).explain(2)
    assert (explained.phase, explained.value) == ("warmup", 0.5)


# extending


def test_extension_changes_neither_the_past_nor_the_present_and_ends_where_it_says():
    optimizer = groups(1.0)
    scheduler = ParamScheduler(optimizer, Cosine(10))
    for _ in range(4):
        scheduler.step()
    before = scheduler.preview(5)
    scheduler.extend(20)
    assert np.array_equal(scheduler.preview(5), before)
    assert rates_of(optimizer) == scheduler.value_at(4)
    assert 0 < scheduler.value_at(19)[0] < scheduler.value_at(18)[0]
    assert scheduler.value_at(20) == [0.0]


def test_extension_is_recorded_in_the_state():
    def go(scheduler, steps):
        return [scheduler.step() or rates_of(scheduler.optimizer) for _ in range(steps)]

    first = ParamScheduler(groups(1.0), Cosine(10))
    go(first, 4)
    first.extend(20)
    state = json.loads(json.dumps(first.state_dict()))
    rest = go(first, 18)
    second = ParamScheduler(groups(1.0), Cosine(10))
    second.load_state_dict(state)
    assert go(second, 18) == rest
    assert second.value_at(2) == first.value_at(2)


@pytest.mark.parametrize(
    ("schedule", "steps", "total", "message"),
    [
        (Exponential(0.5), 1, 10, "has no end that could be moved"),
        (Cosine(3), 3, 10, "ended at step 3; at step 3 it cannot be extended"),
        (Cosine(9), 4, 4, "the new end must lie after the present step 4"),
    ],
)
def test_what_cannot_be_extended_says_so_and_stays(schedule, steps, total, message):
    scheduler = ParamScheduler(groups(1.0), schedule)
    for _ in range(steps):
        scheduler.step()
    before = scheduler.preview(12)
    with pytest.raises(ValueError, match=message):
        scheduler.extend(total)
    assert np.array_equal(scheduler.preview(12), before)


# copies


@pytest.mark.parametrize(
    "duplicate",
    [copy.copy, copy.deepcopy, lambda scheduler: pickle.loads(pickle.dumps(scheduler))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_copy_goes_on_by_itself(duplicate):
    scheduler = Floor(groups(1.1), 0.5)
    scheduler.on_change(print)  # callbacks are not copied, so a copy can always be pickled
    for _ in range(3):
        scheduler.step()
    twin = duplicate(scheduler)
    assert repr(twin) == repr(scheduler)
    scheduler.step()
    assert (twin.last_epoch, scheduler.last_epoch) == (3, 4)
    optimizer = groups(1.1)
    twin.optimizer = optimizer
    optimizer.param_groups[0]["lr"] = twin.get_last_lr()[0]
    twin.step()
    assert twin.get_last_lr() == scheduler.get_last_lr()


# texts and configurations


def test_text_shows_the_arguments_and_where_it_stands():
    scheduler = Decay(groups(1.0), gamma=0.5)
    scheduler.step()
    assert repr(scheduler) == "Decay(gamma=0.5, last_epoch=1, last_lr=[0.5])"


def test_configuration_builds_an_equal_scheduler():
    scheduler = LambdaLR(groups(1.0), Cosine(5) * Exponential(0.9))
    config = json.loads(json.dumps(scheduler.to_config()))
    assert config["type"] == "LambdaLR"
    twin = LRScheduler.from_config(config, groups(1.0))
    assert type(twin) is LambdaLR
    assert np.array_equal(twin.preview(10), scheduler.preview(10))


def test_configuration_of_a_lambda_is_refused_with_the_reason():
    with pytest.raises(TypeError, match="a lambda has no name by which it could be found again"):
        LambdaLR(groups(1.0), lambda step: 1.0).to_config()


def test_configuration_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="the configuration of a LambdaLR does not fit"):
        LRScheduler.from_config({"type": "LambdaLR", "gamma": 0.5}, groups(1.0))
    with pytest.raises(ValueError, match="no schedule is called 'Nope'"):
        LRScheduler.from_config({"type": "Nope"}, groups(1.0))


# schedulers written for PyTorch


class Noam(LRScheduler):
    """As it is often written: from the number of steps."""

    def get_lr(self):
        step = self._step_count
        return [base * min(step**-0.5, step * 4**-1.5) for base in self.base_lrs]


def test_step_count_is_1_for_the_first_rate():
    scheduler = Noam(groups(1.0))
    rates = [scheduler.get_last_lr()[0]]
    for _ in range(5):
        scheduler.step()
        rates.append(scheduler.get_last_lr()[0])
    assert rates == [min(step**-0.5, step * 4**-1.5) for step in range(1, 7)]


def test_step_that_is_named_is_entered_afresh_after_a_change():
    optimizer = groups(0.1)
    scheduler = Decay(optimizer, 0.5)
    scheduler.base_lrs = [0.8]
    with pytest.warns(UserWarning, match="deprecated"):
        scheduler.step(1)
    assert rates_of(optimizer) == [0.4] == scheduler.value_at(1)


def test_rates_are_noted_before_callbacks_are_called():
    scheduler = Decay(groups(1.0), 0.5)

    @scheduler.on_change
    def fail(change):
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        scheduler.step()
    assert (scheduler.get_last_lr(), scheduler.last_epoch) == ([0.5], 1)


def test_momentum_is_extended_with_the_rate():
    optimizer = optim.SGD([nn.Parameter(genesis.ones(1))], lr=0.1, momentum=0.9)
    scheduler = optim.OneCycleLR(optimizer, max_lr=0.5, total_steps=8)
    for _ in range(4):
        optimizer.step()
        scheduler.step()
    scheduler.extend("16 steps")
    for _ in range(12):
        optimizer.step()
        scheduler.step()
    assert scheduler.last_epoch == 16
    assert optimizer.param_groups[0]["momentum"] == pytest.approx(0.95, rel=1e-12)  # at its end again


@pytest.mark.parametrize("changed", [0, 1, 2])
def test_change_of_any_one_group_is_carried_on_and_the_others_stay_exact(changed):
    optimizer = groups(1.0, 0.6, 0.3)
    scheduler = Decay(optimizer, 0.9)
    for _ in range(3):
        scheduler.step()
    optimizer.param_groups[changed]["lr"] *= 2
    scheduler.step()
    expected = [base * 0.9**4 for base in (1.0, 0.6, 0.3)]
    expected[changed] = pytest.approx(2 * expected[changed], rel=1e-14)  # by a quotient
    assert rates_of(optimizer) == expected
    assert scheduler.get_last_lr() == expected
