"""Schedulers made of schedulers: the rates are the join or the product, and the members are kept in step."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import numpy as np
import pytest

from genesis import CheckpointError
from genesis.optim import (
    ChainedScheduler,
    Constant,
    Cosine,
    Exponential,
    GreedyLR,
    LambdaLR,
    Linear,
    LRScheduler,
    ParamScheduler,
    SequentialLR,
    training_length,
)


class Recursive(LRScheduler):
    """Knows only the way from one rate to the next, as schedulers for PyTorch do."""

    def get_lr(self):
        if self._is_initial or self.last_epoch == 0:
            return [group["lr"] for group in self.optimizer.param_groups]
        return [group["lr"] * 0.5 for group in self.optimizer.param_groups]


def groups(*rates):
    return SimpleNamespace(param_groups=[{"lr": rate} for rate in rates])


def rates_of(optimizer):
    return [group["lr"] for group in optimizer.param_groups]


def driven(scheduler, steps):
    rows = [rates_of(scheduler.optimizer)]
    for _ in range(steps - 1):
        scheduler.step()
        rows.append(rates_of(scheduler.optimizer))
    return np.array(rows)


def test_sequence_is_the_join_of_its_members():
    optimizer = groups(1.0, 0.1)
    warmup, decay = (
        ParamScheduler(optimizer, Linear(4, 0.0, 1.0)),
        LambdaLR(optimizer, lambda step: 0.5**step),
    )
    scheduler = SequentialLR(optimizer, [warmup, decay], milestones=[4])
    expected = np.array([0.0, 0.25, 0.5, 0.75, 1.0, 0.5, 0.25])
    assert np.array_equal(scheduler.preview(7)[:, 0], expected)
    assert np.array_equal(driven(scheduler, 7)[:, 0], expected)


def test_chain_is_the_product_of_its_members_absolute_ones_too():
    optimizer = groups(1.0, 0.1)
    members = [LambdaLR(optimizer, lambda step: 0.5**step), LambdaLR(optimizer, lambda step: 1 / (1 + step))]
    scheduler = ChainedScheduler(members)
    expected = [0.5**step * (1 / (1 + step)) for step in range(6)]
    assert driven(scheduler, 6)[:, 0].tolist() == expected


def test_members_are_kept_in_step():
    optimizer = groups(1.0)
    first, second = ParamScheduler(optimizer, Linear(4)), ParamScheduler(optimizer, Exponential(0.5))
    scheduler = SequentialLR(optimizer, [first, second], [3])
    for _ in range(5):
        scheduler.step()
    assert (first.last_epoch, second.last_epoch, scheduler.last_epoch) == (2, 2, 5)
    assert second.get_last_lr() == scheduler.get_last_lr() == [0.25]


def test_operators_of_schedulers():
    optimizer = groups(1.0, 0.1)
    a, b = ParamScheduler(optimizer, Linear(4, 0.0, 1.0)), ParamScheduler(optimizer, Exponential(0.5))
    scheduler = ((a.then(b) * 0.5).clip(low=0.02) * ParamScheduler(optimizer, Cosine(20))).with_warmup(2)
    schedule = (
        (Linear(4, 0.0, 1.0).then(Exponential(0.5)) * 0.5).clip_rate(low=0.02) * Cosine(20)
    ).with_warmup(2)
    expected = ParamScheduler(groups(1.0, 0.1), schedule).preview(25)
    assert np.array_equal(scheduler.preview(25), expected)
    assert np.array_equal(driven(scheduler, 25), expected)


def test_repeated_scheduler_starts_over():
    optimizer = groups(1.0)
    scheduler = ParamScheduler(optimizer, Linear(3)).repeat(2)
    assert scheduler.preview(8)[:, 0].tolist() == driven(scheduler, 8)[:, 0].tolist()
    assert scheduler.value_at(3) == [1.0]
    assert scheduler.value_at(7) == [0.0]


def test_building_members_leaves_no_trace_in_the_first_rate():
    optimizer = groups(1.0)
    members = [ParamScheduler(optimizer, Constant(1.0)), ParamScheduler(optimizer, Constant(0.1))]
    SequentialLR(optimizer, members, [10])
    assert rates_of(optimizer) == [1.0]


def test_sequence_resumes_by_a_number():
    optimizer = groups(1.0)
    optimizer.param_groups[0]["initial_lr"] = 1.0
    members = [ParamScheduler(optimizer, Linear(4, 0.0, 1.0)), ParamScheduler(optimizer, Exponential(0.9))]
    scheduler = SequentialLR(optimizer, members, [4], last_epoch=5)
    assert rates_of(optimizer) == [0.9**2]
    assert scheduler.last_epoch == 6


def test_chain_of_members_in_mid_run_goes_on():
    optimizer = groups(1.0)
    members = [LambdaLR(optimizer, lambda step: 0.5**step), LambdaLR(optimizer, lambda step: 0.9**step)]
    for _ in range(3):
        for member in members:
            member.step()
    scheduler = ChainedScheduler(members)
    assert scheduler.last_epoch == 3
    scheduler.step()
    assert rates_of(optimizer) == [0.5**4 * 0.9**4]


def test_members_without_a_schedule_are_stepped_themselves():
    optimizer = groups(1.0)
    decay = ParamScheduler(optimizer, Exponential(0.9))
    scheduler = SequentialLR(optimizer, [Recursive(optimizer), decay], [3])
    assert driven(scheduler, 6)[:, 0].tolist() == [1.0, 0.5, 0.25, 1.0, 0.9, 0.9**2]
    with pytest.raises(NotImplementedError, match="Recursive only knows the way from one rate to the next"):
        scheduler.preview(3)


def test_group_that_is_added_is_followed_by_all_members():
    optimizer = groups(1.0)
    members = [LambdaLR(optimizer, lambda step: 0.5**step), LambdaLR(optimizer, lambda step: 0.9**step)]
    scheduler = ChainedScheduler(members)
    scheduler.step()
    optimizer.param_groups.append({"lr": 0.1})
    scheduler.step()
    assert rates_of(optimizer) == [0.45**2, pytest.approx(0.1 * 0.45**2, rel=1e-15)]  # two products
    assert [len(member.base_lrs) for member in members] == [2, 2]


def test_state_of_another_composition_is_refused_and_changes_nothing():
    def sequence(number):
        optimizer = groups(1.0)
        members = [ParamScheduler(optimizer, Exponential(0.5)) for _ in range(number)]
        return SequentialLR(optimizer, members, list(range(2, number + 1)))

    scheduler = sequence(2)
    for _ in range(3):
        scheduler.step()
    before = copy.deepcopy(scheduler.state_dict())
    with pytest.raises(CheckpointError, match="of 3 schedulers; it has 2"):
        scheduler.load_state_dict(sequence(3).state_dict())
    broken = copy.deepcopy(sequence(2).state_dict())
    del broken["_schedulers"][1]["schedules"]
    with pytest.raises(CheckpointError, match="lacks"):
        scheduler.load_state_dict(broken)
    assert scheduler.state_dict() == before
    assert rates_of(scheduler.optimizer) == before["_last_lr"]


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda o, a, b: SequentialLR(o, [], []), ValueError, "at least one scheduler"),
        (lambda o, a, b: SequentialLR(o, [a, b], []), ValueError, "one more than the number of milestone"),
        (lambda o, a, b: SequentialLR(o, [a, b, a], [5, 3]), ValueError, "milestones must rise"),
        (lambda o, a, b: SequentialLR(o, [a, b], [-1]), ValueError, "0 or more"),
        (lambda o, a, b: SequentialLR(o, [a, Cosine(3)], [1]), TypeError, "should have `optimizer`"),
        (lambda o, a, b: SequentialLR(groups(1.0), [a, b], [1]), ValueError, "the same optimizer"),
        (lambda o, a, b: ChainedScheduler([]), ValueError, "at least one scheduler"),
        (lambda o, a, b: ChainedScheduler([a, b], groups(1.0)), ValueError, "the same optimizer"),
        (lambda o, a, b: ChainedScheduler([Cosine(3)]), TypeError, "should have `optimizer`"),
        (lambda o, a, b: ChainedScheduler([a, b]).step(3), TypeError, "takes no epoch"),
    ],
)
def test_wrong_compositions_are_refused(build, error, message):
    optimizer = groups(1.0)
    members = [ParamScheduler(optimizer, Exponential(0.5)) for _ in range(2)]
    with pytest.raises(error, match=message):
        build(optimizer, *members)


def test_first_rate_of_a_composition_is_its_own_whatever_its_members_wrote():
    class Half(LRScheduler):
        chainable = True

        def schedule_for(self, index, base_lr):
            return Linear(4, 0.5, 1.0)

    optimizer = groups(1.0)
    SequentialLR(optimizer, [Half(optimizer), Half(optimizer)], [3])
    assert rates_of(optimizer) == [0.5]
    optimizer = groups(1.0)
    ChainedScheduler([Half(optimizer), Half(optimizer)])
    assert rates_of(optimizer) == [0.25]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [(Cosine(10), 0.25), (Cosine(10).towards(0.1), 0.3), (Cosine(10).clip_rate(low=0.3), 0.3)],
)
def test_member_with_a_base_rate_of_its_own_keeps_it(schedule, expected):
    class Own(LRScheduler):
        def _base_rate(self, index, group):
            return 0.5

        def schedule_for(self, index, base_lr):
            return schedule

    optimizer = groups(0.1)
    half = Own(optimizer) * 0.5
    # The floors of the members hold before the product.
    assert half.value_at(5) == pytest.approx(
        [0.5 * expected], rel=1e-15
    )  # half a cosine is 1/2 but for a rounding


def test_parameter_of_a_member_that_changes_has_its_effect_in_the_composition():
    optimizer = groups(1.0)
    member = Recursion(optimizer, 0.5)
    scheduler = ChainedScheduler(
        [ParamScheduler(optimizer, Constant()), SequentialLR(optimizer, [member], [])]
    )
    scheduler.step()
    member.gamma = 0.1
    assert scheduler.value_at(2) == [pytest.approx(0.01, rel=1e-15)]  # 0.1**2


class Recursion(LRScheduler):
    """A chainable exponential."""

    chainable = True

    def __init__(self, optimizer, gamma):
        self.gamma = gamma
        super().__init__(optimizer)

    def schedule_for(self, index, base_lr):
        return Exponential(self.gamma)


def test_rate_that_somebody_changed_ends_with_the_part_it_was_changed_in():
    optimizer = groups(1.0)
    scheduler = SequentialLR(optimizer, [Recursion(optimizer, 0.5), Recursion(optimizer, 0.9)], [3])
    optimizer.param_groups[0]["lr"] = 2.0
    assert driven(scheduler, 6)[:, 0].tolist() == [2.0, 1.0, 0.5, 1.0, 0.9, 0.9**2]


def test_texts_as_milestones():
    optimizer = groups(1.0)
    members = [ParamScheduler(optimizer, Constant()), ParamScheduler(optimizer, Exponential(0.5))]
    with training_length(total_steps=40):
        scheduler = SequentialLR(optimizer, members, ["10%"])
    assert scheduler.preview(6)[:, 0].tolist() == [1.0, 1.0, 1.0, 1.0, 1.0, 0.5]


def test_schedule_may_follow_a_scheduler():
    optimizer = groups(1.0)
    scheduler = ParamScheduler(optimizer, Linear(4, 0.0, 1.0)).then(Cosine(4))
    assert scheduler.preview(9)[:, 0].tolist() == Linear(4, 0.0, 1.0).then(Cosine(4))(np.arange(9)).tolist()


@pytest.mark.parametrize(
    "wrong", [lambda o, a: SequentialLR(o, [a, a], 2), lambda o, a: SequentialLR(o, a, [])]
)
def test_what_is_no_list_is_refused(wrong):
    optimizer = groups(1.0)
    with pytest.raises(TypeError, match=r"must be a list of steps|takes a list of schedulers"):
        wrong(optimizer, Recursion(optimizer, 0.5))


def test_greedy_schedule_after_a_warmup():
    optimizer = groups(1.0)
    warmup = ParamScheduler(optimizer, Linear(2, 0.5, 1.0))
    greedy = GreedyLR(optimizer, patience=0, factor=0.5, min_lr=0.01)
    scheduler = SequentialLR(optimizer, [warmup, greedy], [2])
    rates = []
    for metric in (1.0, 1.0, 1.0, 2.0, 3.0):
        rates.append(rates_of(optimizer)[0])
        scheduler.step(metric)
    assert [*rates, *rates_of(optimizer)] == [0.5, 0.75, 1.0, 1.0, 0.5, 0.25]
    with pytest.raises(TypeError, match="GreedyLR needs a metric at step 6"):
        scheduler.step()
    assert scheduler.last_epoch == 5
