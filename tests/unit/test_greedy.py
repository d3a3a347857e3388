"""GreedyLR: up while the metric improves, down when it does not."""

from __future__ import annotations

import json
import logging
import math
import pickle
from types import SimpleNamespace

import numpy as np
import pytest

from genesis import CheckpointError
from genesis.optim import LRScheduler
from genesis_schedulers.greedy import GreedyLR, StreamingAverage


def groups(*rates):
    return SimpleNamespace(param_groups=[{"lr": rate} for rate in rates])


def rates_of(scheduler):
    return [group["lr"] for group in scheduler.optimizer.param_groups]


def after(scheduler, metrics):
    """The first group's rate after each metric."""
    rates = []
    for metric in metrics:
        scheduler.step(metric)
        rates.append(rates_of(scheduler)[0])
    return rates


def greedy(rate=0.1, **options):
    return GreedyLR(groups(rate), **{"factor": 0.5, "patience": 1, "min_lr": 0.01, **options})


def test_is_a_scheduler_that_leaves_the_first_rate_as_it_is():
    scheduler = greedy()
    assert isinstance(scheduler, LRScheduler)
    assert (scheduler.get_last_lr(), rates_of(scheduler), scheduler.last_epoch) == ([0.1], [0.1], 0)


def test_rises_after_more_than_patience_better_metrics():
    assert after(greedy(), [5, 4, 3, 2, 1]) == [0.1, 0.2, 0.2, 0.4, 0.4]


def test_falls_after_more_than_patience_other_metrics():
    assert after(greedy(), [5, 5, 5, 5, 5]) == [0.1, 0.1, 0.05, 0.05, 0.025]


def test_changes_in_turn_change_nothing():
    assert after(greedy(), [5, 6, 4, 5, 3, 4, 2, 3]) == [0.1] * 8


def test_looks_for_larger_metrics_in_mode_max():
    assert after(greedy(mode="max"), [1, 2, 3, 3, 3]) == [0.1, 0.2, 0.2, 0.2, 0.1]


def test_stays_between_its_bounds():
    assert after(greedy(max_lr=0.3, patience=0), [5, 4, 3]) == [0.2, 0.3, 0.3]
    assert after(greedy(min_lr=0.03, patience=0), [5, 5, 5, 5]) == [0.2, 0.1, 0.05, 0.03]


def test_each_group_has_its_bounds():
    scheduler = GreedyLR(groups(0.1, 0.2), patience=0, factor=0.5, min_lr=[0.01, 0.15], max_lr=(1, 1))
    after(scheduler, [math.nan])
    assert rates_of(scheduler) == [0.05, 0.15]


@pytest.mark.parametrize(
    ("options", "raised"),
    [
        ({"threshold": 1.0}, False),
        ({"threshold": 0.9}, True),
        ({"threshold": 0.1, "threshold_mode": "rel"}, False),
        ({"threshold": 0.09, "threshold_mode": "rel"}, True),
    ],
)
def test_improvement_must_exceed_the_threshold(options, raised):
    scheduler = greedy(patience=0, **options)
    scheduler.step(10.0)
    before = rates_of(scheduler)[0]
    scheduler.step(9.0)
    assert (rates_of(scheduler)[0] > before) is raised


def test_nothing_is_looked_at_during_cooldown_and_warmup():
    assert after(greedy(patience=0, cooldown=2, min_lr=0), [math.nan] * 6) == [0.05] * 3 + [0.025] * 3
    assert after(greedy(patience=0, warmup=2), range(0, -4, -1)) == [0.2] * 3 + [0.4]


def test_starts_over_when_it_has_met_the_lower_bound_too_often():
    scheduler = greedy(patience=0, min_lr=0.05, reset_start=3)
    assert after(scheduler, [1] + [2] * 5) == [0.2, 0.1, 0.05, 0.05, 0.1, 0.2]
    assert scheduler.best == 2


def test_smoothing_looks_at_the_mean():
    plain, smooth = greedy(patience=0), greedy(patience=0, smooth=True, window_size=2)
    metrics = [4.0, 0.0, 3.0]
    assert after(plain, metrics) == [0.2, 0.4, 0.2]
    assert after(smooth, metrics) == [0.2, 0.4, 0.8]  # means 4, 2, 1.5


def test_a_metric_may_be_anything_with_a_float():
    assert after(greedy(patience=0), [np.float32(1), np.array(0.5)]) == [0.2, 0.4]
    with pytest.raises(TypeError):
        greedy().step(None)


def test_follows_groups_that_are_added():
    scheduler = greedy(patience=0)
    scheduler.optimizer.param_groups.append({"lr": 0.3})
    scheduler.step(1.0)
    assert rates_of(scheduler) == scheduler.get_last_lr() == [0.2, 0.6]
    own = GreedyLR(groups(0.1, 0.1), min_lr=[0.01, 0.02])
    own.optimizer.param_groups.append({"lr": 0.3})
    with pytest.raises(ValueError, match="had 2 parameter groups and has 3 now"):
        own.step(1.0)


def test_reports_changes(caplog):
    seen = []
    scheduler = greedy(patience=0, verbose=True)
    scheduler.on_change(seen.append)
    with caplog.at_level(logging.INFO, "genesis.optim.lr_scheduler"):
        scheduler.step(1.0)
    assert "step 1: learning rate of group 0: 0.1 -> 0.2" in caplog.text
    assert [(change.old, change.new) for change in seen] == [(0.1, 0.2)]


def test_preview_takes_metrics_and_touches_nothing():
    scheduler = greedy(smooth=True, window_size=3)
    after(scheduler, [5, 4, 3, 9])
    state, metrics = scheduler.state_dict(), [5, 4, 4, 5, 9, 1]
    preview = scheduler.preview(7, metrics)
    assert (scheduler.state_dict(), rates_of(scheduler)) == (state, [0.2])
    assert preview[:, 0].tolist() == [0.1, *after(greedy(smooth=True, window_size=3), metrics)]
    with pytest.raises(ValueError, match=r"a preview of 7 steps needs metrics=.*; got 5"):
        scheduler.preview(7, metrics[:5])
    with pytest.raises(NotImplementedError, match="give metrics to preview"):
        scheduler.value_at(3)


# state

METRICS = [5, 4, 4, 4, 3, 2, 1, math.nan, 1, 1, 1, 0.5, 0.2, 0.1]


@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize("stop", [0, 1, 6, 13])
def test_state_resumes_exactly(stop, smooth):
    def build(rate=0.1):
        return greedy(rate, smooth=smooth, window_size=3, cooldown=1, reset_start=2)

    whole, resumed = build(), build(0.7)
    after(whole, METRICS[:stop])
    state = pickle.loads(pickle.dumps(whole.state_dict()))
    resumed.load_state_dict(state)
    assert rates_of(resumed) == rates_of(whole)
    assert after(resumed, METRICS) == after(whole, METRICS)
    assert resumed.state_dict() == whole.state_dict() != state


def test_state_holds_plain_values_only():
    state = greedy(np.float32(0.1), smooth=True, min_lr=np.float64(0.01)).state_dict()
    assert json.loads(json.dumps(state)) == state


def test_pickled_scheduler_goes_on():
    scheduler = greedy()
    after(scheduler, METRICS[:5])
    copy = pickle.loads(pickle.dumps(scheduler))
    assert after(copy, METRICS) == after(scheduler, METRICS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("best"), r"lacks \['best'\] and has nothing that"),
        (lambda state: state.update(gamma=1), r"lacks nothing and has \['gamma'\] that"),
        (lambda state: state.update(_last_lr=[1, 2]), r"_last_lr=\[1, 2\]; expected a list of 1 number"),
        (lambda state: state.update(smooth=True), r"lacks \['_streaming_avg'\]"),
        (lambda state: state.update(smooth=True, _streaming_avg={}), "window_size, values and sum, got {}"),
    ],
)
def test_other_states_are_refused_and_change_nothing(change, message):
    scheduler = greedy()
    before = scheduler.state_dict()
    state = greedy(0.7).state_dict()
    change(state)
    with pytest.raises(CheckpointError, match=message):
        scheduler.load_state_dict(state)
    assert (scheduler.state_dict(), rates_of(scheduler)) == (before, [0.1])


# what is refused


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "up"}, "mode must be one of 'min', 'max'; got 'up'"),
        ({"factor": 1.0}, "factor must be below 1, got 1.0"),
        ({"factor": 0}, "factor must be above 0, got 0"),
        ({"patience": -1}, "patience must be at least 0, got -1"),
        ({"threshold": math.nan}, "threshold must be a finite number, got nan"),
        ({"threshold_mode": "ratio"}, "threshold_mode must be one of 'rel', 'abs'; got 'ratio'"),
        ({"min_lr": [0.1, 0.1]}, r"expected 1 min_lrs, one for each parameter group, got 2: \[0.1, 0.1\]"),
        ({"max_lr": []}, "expected 1 max_lrs, one for each parameter group, got 0"),
        ({"min_lr": 2}, "min_lr must be at most max_lr, got 2 and 1.0 for group 0"),
        ({"window_size": 0, "smooth": True}, "window_size must be at least 1, got 0"),
        ({"eps": -1}, "eps must be at least 0, got -1"),
    ],
)
def test_invalid_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        greedy(**options)


def test_what_is_no_optimizer_or_no_number_is_refused():
    with pytest.raises(TypeError, match="list is not an Optimizer: GreedyLR expects"):
        GreedyLR([0.1])
    with pytest.raises(TypeError, match="patience must be a number, got str: '3'"):
        greedy(patience="3")


def test_rate_below_its_lower_bound_is_warned_of():
    with pytest.warns(
        UserWarning, match=r"rate of group 0, 5e-05, lies below min_lr=0.001, so it may rise but"
    ):
        GreedyLR(groups(5e-5))


# the mean


def test_streaming_average_forgets_what_left_its_window():
    average = StreamingAverage(2)
    assert [average.streamavg(value) for value in (1.0, 3.0, 6.0)] == [1.0, 2.0, 4.5]
    assert math.isnan(average.streamavg(math.nan))
    assert [average.streamavg(value) for value in (1.0, 2.0)][-1] == 1.5
    twin = StreamingAverage(9)
    twin.load_state_dict(average.state_dict())
    assert twin.streamavg(4.0) == average.streamavg(4.0) == 3.0
