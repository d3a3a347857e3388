"""extend(total_steps): the end of a schedule moves in mid-run, and nothing jumps."""

from __future__ import annotations

import copy
import json
import pickle
from types import SimpleNamespace

import numpy as np
import pytest

from genesis.optim import (
    WSD,
    Constant,
    Cosine,
    CosineWave,
    Exponential,
    Linear,
    LRScheduler,
    ParamScheduler,
    Step,
    TriStage,
)

SCHEDULES = [
    Cosine(20),
    Linear(5, 0.0, 1.0).then(Cosine(15)),
    Cosine(15).with_warmup(5),
    Cosine(20).with_warmup(5, overlap=True) * Step(7, 0.5),
    (Linear(20) * Cosine(12)).clip(low=0.01),
    Cosine(20).towards(0.02),
    WSD(20, 5, warmup_steps=3),
    TriStage(3, 12, 5),
    Linear(5).repeat(4),
    Cosine(20, kind="value"),
]


def driver(schedule, *rates):
    return ParamScheduler(
        SimpleNamespace(param_groups=[{"lr": rate} for rate in rates or (1.0, 0.1)]), schedule
    )


def go(scheduler, steps):
    rows = []
    for _ in range(steps):
        scheduler.step()
        rows.append([group["lr"] for group in scheduler.optimizer.param_groups])
    return rows


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
@pytest.mark.parametrize(("at", "total"), [(0, 40), (4, 40), (10, 14), (14, 21)])
def test_past_stays_and_the_same_end_comes_at_the_new_step(schedule, at, total):
    scheduler = driver(schedule)
    go(scheduler, at)
    before, end = scheduler.preview(at + 1), scheduler.preview(21)[20]
    scheduler.extend(total)
    # The rates written so far are the same; sums of a stretched time round by 1e-16.
    assert scheduler.preview(at + 1) == pytest.approx(before, rel=1e-14, abs=1e-16)
    assert [group["lr"] for group in scheduler.optimizer.param_groups] == before[at].tolist()
    expected = scheduler.preview(total + 3)
    if "Step" not in repr(schedule):  # its stairs go on by themselves
        assert expected[total:] == pytest.approx(np.array([end] * 3), rel=1e-14, abs=1e-16)
    driven = go(scheduler, total + 2 - at)
    assert np.array(driven) == pytest.approx(expected[at + 1 :], rel=1e-12, abs=1e-15)  # numpy's cosine


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_two_extensions_are_saved_restored_and_copied(schedule):
    def build():
        return driver(schedule)

    first = build()
    go(first, 4)
    first.extend(30)
    go(first, 3)
    first.extend(25)
    go(first, 1)
    state = json.loads(json.dumps(first.state_dict()))
    copies = [copy.deepcopy(first), pickle.loads(pickle.dumps(first)), copy.copy(first)]
    loaded = build()
    loaded.load_state_dict(state)
    expected = first.preview(28)
    rest = go(first, 19)
    for twin in (*copies, loaded):
        assert np.array_equal(twin.preview(28), expected)
        assert go(twin, 19) == rest


@pytest.mark.parametrize("at", [0, 3, 9, 15])
def test_wsd_extends_its_stable_part(at):
    scheduler = driver(WSD(20, 5, warmup_steps=3, decay="linear"), 1.0)
    go(scheduler, at)
    scheduler.extend(50)
    assert np.array_equal(
        scheduler.preview(60), driver(WSD(50, 5, warmup_steps=3, decay="linear"), 1.0).preview(60)
    )


def test_wsd_in_its_decay_draws_out_the_decay():
    scheduler = driver(WSD(20, 4, decay="linear"), 1.0)
    go(scheduler, 18)
    scheduler.extend(22)
    assert scheduler.preview(23)[17:, 0].tolist() == [0.75, 0.5, 0.375, 0.25, 0.125, 0.0]


def test_warmup_stays_where_the_rest_is_stretched():
    scheduler = driver(Linear(4, 0.0, 1.0).then(Linear(4)), 1.0)
    go(scheduler, 1)
    scheduler.extend(12)
    assert scheduler.preview(13)[:, 0].tolist() == [0, 0.25, 0.5, 0.75, *(1 - step / 8 for step in range(9))]


def test_new_end_within_the_warmup_presses_all_that_is_left():
    scheduler = driver(Linear(8, 0.0, 1.0).then(Linear(8)), 1.0)
    go(scheduler, 4)
    scheduler.extend(7)
    assert scheduler.preview(9)[4:, 0].tolist() == [0.5, 1.0, 0.5, 0.0, 0.0]


def test_wave_goes_on_at_the_new_pace():
    scheduler = driver(CosineWave(4), 1.0)
    go(scheduler, 2)
    scheduler.extend(6)
    assert scheduler.preview(11)[[2, 6, 10], 0] == pytest.approx([0.5, 0.0, 0.5], abs=1e-15)


@pytest.mark.parametrize(
    ("schedule", "at", "total", "error", "message"),
    [
        (Constant(0.5), 1, 9, ValueError, "has no end that could be moved to step 9"),
        (Cosine(5).then(Exponential(0.9), at=3), 1, 9, ValueError, "has no end"),
        (Linear(3).then(Cosine(4)), 7, 20, ValueError, "ended at step 7; at step 7 it cannot be extended"),
        (Cosine(4).with_warmup(3), 7, 20, ValueError, "ended at step 7; at step 7 it cannot be extended"),
        (Cosine(9).with_warmup(3), 5, 5, ValueError, "must lie after the present step 5, got total_steps=5"),
        (Cosine(9) * Step(3), 5, 2, ValueError, "must lie after the present step 5, got total_steps=2"),
        (WSD(9, 3), 5, 4, ValueError, "must lie after the present step 5"),
        (Cosine(9), 5, 20.5, TypeError, "total_steps must be an int"),
        (Cosine(9), 5, None, TypeError, "total_steps must be an int"),
    ],
)
def test_what_cannot_be_extended_says_so_in_steps_of_the_whole_and_stays(schedule, at, total, error, message):
    scheduler = driver(schedule)
    go(scheduler, at)
    before, state = scheduler.preview(25), scheduler.state_dict()
    with pytest.raises(error, match=message):
        scheduler.extend(total)
    assert np.array_equal(scheduler.preview(25), before)
    assert scheduler.state_dict() == state


def test_extension_of_weight_decay_and_of_compositions_of_schedulers():
    optimizer = SimpleNamespace(param_groups=[{"lr": 1.0, "weight_decay": 0.5}])
    decay = ParamScheduler(optimizer, Linear(4), "weight_decay")
    rate: LRScheduler = ParamScheduler(optimizer, Linear(2, 0.0, 1.0)).then(
        ParamScheduler(optimizer, Linear(2))
    )
    for scheduler in (decay, rate):
        scheduler.step()
        scheduler.extend(10)
    assert decay.value_at(np.array([0, 1, 10]))[:, 0].tolist() == [0.5, 0.375, 0.0]
    assert rate.value_at(np.array([0, 1, 2, 6, 10]))[:, 0].tolist() == [0.0, 0.5, 1.0, 0.5, 0.0]
