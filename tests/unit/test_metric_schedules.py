"""Schedules that follow a metric, as parts of compositions: stepped, saved, copied, previewed."""

from __future__ import annotations

import copy
import json
import pickle
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest

from genesis.optim import Constant, Cosine, Exponential, Linear, MetricSchedule, ParamScheduler, Schedule


@dataclass(frozen=True, repr=False)
class Patience(MetricSchedule):
    """Half as much each time the metric has not improved."""

    patience: int = 1

    def start(self):
        return {"best": None, "bad": 0, "halvings": 0}

    def observe(self, state, metric):
        if state["best"] is None or metric < state["best"]:
            return {**state, "best": metric, "bad": 0}
        if state["bad"] + 1 < self.patience:
            return {**state, "bad": state["bad"] + 1}
        return {**state, "bad": 0, "halvings": state["halvings"] + 1}

    def factor_of(self, state):
        return 0.5 ** state["halvings"]


@dataclass(frozen=True, repr=False)
class Last(MetricSchedule):
    """The last metric itself, as a rate or a factor; at most a floor for each group below it."""

    floor: float = 0.0

    def start(self):
        return {"last": 1.0}

    def observe(self, state, metric):
        return {"last": metric}

    def factor_of(self, state):
        return max(state["last"], self.floor)

    def for_base(self, base):
        return replace(self, floor=0.01 / base)


METRICS = [5.0, 5.0, 5.0, 4.0, 4.5, 4.6, 3.0, 3.5, 3.6, 3.7, 3.8]


def composite(plateau=None):
    return Linear(3, 0.0, 1.0).then(plateau or Patience(), at=3) * Cosine(40)


def optimizer(*rates):
    return SimpleNamespace(param_groups=[{"lr": rate} for rate in rates or (1.0, 0.1)])


def rates_of(scheduler):
    return [group["lr"] for group in scheduler.optimizer.param_groups]


def go(scheduler, metrics):
    rows = []
    for metric in metrics:
        scheduler.step(metric)
        rows.append(rates_of(scheduler))
    return rows


def test_factor_of_the_metric_counts_from_where_the_part_begins():
    scheduler = ParamScheduler(optimizer(1.0), Linear(3, 0.0, 1.0).then(Patience(), at=3))
    # Step 4 is the first that the part sees: 4.0 is its best, and 4.5 the first that is worse.
    assert [row[0] for row in go(scheduler, METRICS[:7])] == [1 / 3, 2 / 3, 1.0, 1.0, 0.5, 0.25, 0.25]


@pytest.mark.parametrize("stop", range(len(METRICS)))
@pytest.mark.parametrize("plateau", [Patience(2), Last()], ids=repr)
def test_resuming_at_any_step_goes_on_as_if_never_stopped(stop, plateau):
    def build():
        return ParamScheduler(optimizer(), composite(plateau))

    whole = build()
    rows = go(whole, METRICS)
    first = build()
    go(first, METRICS[:stop])
    state = json.loads(json.dumps(first.state_dict()))
    second = build()
    second.load_state_dict(state)
    twins = [second, copy.copy(first), copy.deepcopy(first), pickle.loads(pickle.dumps(first))]
    for twin in twins:
        assert go(twin, METRICS[stop:]) == rows[stop:]
        assert twin.state_dict() == whole.state_dict()


@pytest.mark.parametrize(
    "schedule",
    [
        composite(),
        composite(Last()).clip_rate(low=0.01),
        (Patience() * Patience(2)).with_warmup(4),
        Patience().then(Patience(), at=5) * Last(kind="value"),
        Patience().towards(0.01).with_warmup(2, overlap=True),
    ],
    ids=repr,
)
def test_preview_with_metrics_is_what_driving_gives(schedule):
    scheduler = ParamScheduler(optimizer(), schedule)
    before = scheduler.state_dict()
    previewed = scheduler.preview(len(METRICS) + 1, METRICS)
    assert scheduler.state_dict() == before
    assert [rates_of(scheduler), *go(scheduler, METRICS)] == previewed.tolist()
    # The preview is that of a fresh run, also in mid-run.
    assert np.array_equal(scheduler.preview(len(METRICS) + 1, METRICS), previewed)


def test_step_without_the_metric_changes_nothing():
    scheduler = ParamScheduler(optimizer(), composite())
    for _ in range(3):
        scheduler.step()  # the warmup needs none
    before = copy.deepcopy(scheduler.state_dict()), rates_of(scheduler)
    with pytest.raises(TypeError, match=r"Patience\(\) needs a metric at step 4: call step\(metric\)"):
        scheduler.step()
    assert (scheduler.state_dict(), rates_of(scheduler)) == before
    scheduler.step(2.0)
    assert scheduler.last_epoch == 4


def test_equal_leaves_keep_states_of_their_own():
    schedule = Patience().then(Constant(1.0), at=3).then(Patience(), at=5)
    scheduler = ParamScheduler(optimizer(1.0), schedule)
    rows = go(scheduler, [5.0] * 9)
    # The first halves at each step but its first; the second starts afresh at step 5.
    assert [row[0] for row in rows] == [1.0, 0.5, 1.0, 1.0, 1.0, 1.0, 0.5, 0.25, 0.125]
    assert [state["halvings"] for state in scheduler.state_dict()["_metric_states"]] == [1, 3]


@pytest.mark.parametrize(
    "first",
    [Patience(), Constant(1.0).then(Patience(), at=2), Patience().with_warmup(2) * Patience()],
    ids=repr,
)
def test_equal_leaves_of_groups_that_begin_at_other_steps_keep_states_of_their_own(first):
    late = Constant(1.0).then(Patience(), at=4)
    both = ParamScheduler(optimizer(1.0, 1.0), [first, late])
    alone = ParamScheduler(optimizer(1.0), late)
    rows = [row[1] for row in go(both, METRICS)]
    assert rows == [row[0] for row in go(alone, METRICS)]


def test_group_that_is_added_follows_the_state_there_is():
    scheduler = ParamScheduler(optimizer(1.0), Patience().clip_rate(high=0.9).with_warmup(1))
    go(scheduler, [5.0] * 4)
    scheduler.optimizer.param_groups.append({"lr": 0.1, "lr_scale": 1.0})
    scheduler.step(5.0)
    assert rates_of(scheduler) == [0.125, 0.0125]


def test_floor_of_each_group():
    scheduler = ParamScheduler(optimizer(1.0, 0.1), Last() * 1.0)
    assert go(scheduler, [0.5, 0.001]) == [[0.5, 0.05], [0.01, pytest.approx(0.01, rel=1e-15)]]


def test_values_of_the_metric_that_are_rates():
    scheduler = ParamScheduler(optimizer(2.0), Last(kind="value"))
    assert go(scheduler, [0.5, 0.25]) == [[0.5], [0.25]]


def test_values_elsewhere_than_now_are_not_known():
    scheduler = ParamScheduler(optimizer(1.0), composite())
    go(scheduler, METRICS[:6])
    assert scheduler.value_at(6) == rates_of(scheduler)
    assert scheduler.value_at(2) == [pytest.approx(2 / 3 * composite().parts[1](2))]
    for step in (5, 7, np.arange(8)):
        with pytest.raises(ValueError, match=r"Patience\(\) depends on metrics, so its value at step"):
            scheduler.value_at(step)
    with pytest.raises(ValueError, match="needs metrics=, one for each step but the first; got 2"):
        scheduler.preview(8, [1.0, 2.0])


def test_schedule_alone_knows_its_first_value_only():
    assert Patience()(0) == 1.0
    assert composite()(np.arange(4)).tolist() == [composite()(step) for step in range(4)]
    with pytest.raises(ValueError, match="give them to the `preview"):
        composite()(4)


def test_explanation_of_the_present_step_shows_the_factor():
    scheduler = ParamScheduler(optimizer(1.0), composite())
    go(scheduler, METRICS[:6])
    (explained,) = scheduler.explain()
    assert explained.value == rates_of(scheduler)[0]
    assert "0.25 at step 3 = Patience()" in str(explained)


def test_configuration_of_a_composite_with_a_metric():
    schedule = composite(Patience(3))
    assert Schedule.from_config(json.loads(json.dumps(schedule.to_config()))) == schedule


@pytest.mark.parametrize("at", [2, 6])
def test_extension_in_mid_run_keeps_what_was_seen(at):
    scheduler = ParamScheduler(optimizer(1.0), composite())
    go(scheduler, METRICS[:at])
    before = rates_of(scheduler)
    states = scheduler.state_dict()["_metric_states"]
    scheduler.extend(80)
    assert scheduler.state_dict()["_metric_states"] == states
    assert scheduler.value_at(at) == pytest.approx(before, rel=1e-15)  # the time is a quotient now
    other = ParamScheduler(optimizer(1.0), composite())
    other.load_state_dict(json.loads(json.dumps(scheduler.state_dict())))
    assert go(other, METRICS[at:]) == go(scheduler, METRICS[at:])


def test_weight_decay_follows_a_metric_beside_a_rate_that_does_not():
    both = SimpleNamespace(param_groups=[{"lr": 1.0, "weight_decay": 0.5}])
    rate, decay = ParamScheduler(both, Exponential(0.5)), ParamScheduler(both, Patience(), "weight_decay")
    for metric in (3.0, 4.0, 5.0):
        rate.step()
        decay.step(metric)
    assert both.param_groups[0]["lr"] == 0.125
    assert both.param_groups[0]["weight_decay"] == 0.125


def test_repetition_starts_the_metric_anew():
    schedule = Constant().then(Patience(), at=2).then(Linear(0, end_factor=1.0), at=6).repeat()
    worse = [float(number) for number in range(20)]
    first = [1.0, 1.0, 1.0, 1.0, 0.5, 0.25]  # the metric of step 3 is the first, the best
    scheduler = ParamScheduler(optimizer(1.0), schedule)
    assert scheduler.preview(18, worse)[:, 0].tolist() == first * 3
    assert [row[0] for row in go(scheduler, worse[:13])] == (first * 3)[1:14]
    assert scheduler.value_at(13) == [1.0]


def test_part_that_begins_between_two_steps_sees_each_metric_after():
    schedule = Constant().then(Patience(), at=3).then(Linear(3), at=9).repeat(1)
    scheduler = ParamScheduler(optimizer(1.0), schedule)
    scheduler.extend(36)  # three steps for one
    rows = go(scheduler, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0])
    assert [row[0] for row in rows] == [1.0] * 9 + [1.0, 0.5, 0.25]
