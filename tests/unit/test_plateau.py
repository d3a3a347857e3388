"""ReduceLROnPlateau and its shape, beyond PyTorch: nan, previews, compositions, copies, errors."""

from __future__ import annotations

import copy
import json
import logging
import math
import pickle

import numpy as np
import pytest

import genesis
from genesis import optim
from genesis.optim import LRScheduler, MetricSchedule, ParamScheduler, Schedule


def optimizer_of(*rates):
    groups = [{"params": [genesis.ones(1, requires_grad=True)], "lr": rate} for rate in rates]
    return optim.SGD(groups, lr=rates[0])


def rates_of(optimizer):
    return [group["lr"] for group in optimizer.param_groups]


def follow(scheduler, metrics):
    """The rates before the first metric and after each."""
    rates = [rates_of(scheduler.optimizer)]
    for metric in metrics:
        scheduler.optimizer.step()
        scheduler.step(metric)
        rates.append(rates_of(scheduler.optimizer))
    return rates


LOSSES = [3.0, 2.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0]


def test_nan_is_bad_and_said_once(caplog):
    scheduler = optim.ReduceLROnPlateau(optimizer_of(1.0), patience=1)
    with caplog.at_level(logging.WARNING, "genesis.optim.lr_scheduler"):
        assert follow(scheduler, [1.0, math.nan, math.nan])[-1] == [0.1]
        follow(scheduler, [math.nan])
    assert [record.message for record in caplog.records if "nan" in record.message] == [
        "the metric is nan; it counts as no better than the best one. This is said once"
    ]


def test_nan_may_be_ignored():
    scheduler = optim.ReduceLROnPlateau(optimizer_of(1.0), patience=1)
    scheduler.on_nan = "ignore"
    assert follow(scheduler, [1.0, math.nan, math.nan, math.nan])[-1] == [1.0]
    assert (scheduler.num_bad_epochs, scheduler.best, scheduler.last_epoch) == (0, 1.0, 4)


def test_nan_may_be_an_error_that_changes_nothing():
    scheduler = optim.ReduceLROnPlateau(optimizer_of(1.0), patience=0)
    scheduler.on_nan = "raise"
    follow(scheduler, [1.0])
    before = scheduler.state_dict()
    with pytest.raises(ValueError, match="nan"):
        scheduler.step(math.nan)
    assert scheduler.state_dict() == before


def test_what_nan_means_is_part_of_the_state():
    one, other = (optim.ReduceLROnPlateau(optimizer_of(1.0)) for _ in range(2))
    one.on_nan = "raise"
    other.load_state_dict(one.state_dict())
    assert other.on_nan == "raise"


@pytest.mark.parametrize(
    "options",
    [
        {"patience": 1, "factor": 0.5},
        {"patience": 0, "cooldown": 2, "min_lr": 0.3},
        {"patience": 0, "min_lr": [0.01, 0.2], "eps": 0.05},
        {"mode": "max", "patience": 0, "threshold": 0.1, "threshold_mode": "abs"},
    ],
)
def test_preview_is_what_happens(options):
    scheduler = optim.ReduceLROnPlateau(optimizer_of(1.0, 0.5), **options)
    before = scheduler.state_dict()
    preview = scheduler.preview(len(LOSSES) + 1, metrics=LOSSES)
    assert scheduler.state_dict() == before
    assert rates_of(scheduler.optimizer) == [1.0, 0.5]
    # The preview multiplies factors and the scheduler rates: a rounding for each of at most ten cuts.
    np.testing.assert_allclose(preview, follow(scheduler, LOSSES), rtol=1e-14)
    assert scheduler.preview(len(LOSSES) + 1, metrics=LOSSES).tolist() == preview.tolist()


def test_preview_needs_metrics():
    scheduler = optim.ReduceLROnPlateau(optimizer_of(1.0))
    with pytest.raises(ValueError, match=r"needs metrics=.*got none"):
        scheduler.preview(3)
    with pytest.raises(ValueError, match="got 1"):
        scheduler.preview(3, metrics=[1.0])
    for look in (lambda: scheduler.value_at(3), scheduler.explain):
        with pytest.raises(NotImplementedError, match=r"preview\(num_steps, metrics\)"):
            look()


def test_shape_alone_does_what_the_scheduler_does():
    for options in ({"patience": 1, "factor": 0.5}, {"patience": 0, "cooldown": 2, "min_lr": 0.3}):
        shape = ParamScheduler(optimizer_of(1.0, 0.5), optim.Plateau(**options))
        scheduler = optim.ReduceLROnPlateau(optimizer_of(1.0, 0.5), **options)
        # As in the preview: a rounding for each cut.
        np.testing.assert_allclose(follow(shape, LOSSES), follow(scheduler, LOSSES), rtol=1e-14)


def test_in_a_sequence_it_starts_when_its_turn_comes():
    optimizer = optimizer_of(1.0)
    warmup = optim.LinearLR(optimizer, 0.25, 1.0, 3)
    plateau = optim.ReduceLROnPlateau(optimizer, factor=0.5, patience=0)
    scheduler = optim.SequentialLR(optimizer, [warmup, plateau], milestones=[3])
    losses = [1.0, 2.0, 3.0, 5.0, 5.0, 4.0, 4.0]
    rates = [rate for (rate,) in follow(scheduler, losses)]
    assert rates == [0.25, 0.5, 0.75, 1.0, 1.0, 0.5, 0.5, 0.25]


@pytest.mark.parametrize("stop", range(8))
def test_sequence_with_it_resumes(stop):
    def build():
        optimizer = optimizer_of(1.0, 0.5)
        warmup = optim.LinearLR(optimizer, 0.25, 1.0, 3)
        plateau = optim.ReduceLROnPlateau(optimizer, factor=0.5, patience=0)
        return optim.SequentialLR(optimizer, [warmup, plateau], milestones=[3])

    whole, resumed = build(), build()
    follow(whole, LOSSES[:stop])
    resumed.load_state_dict(pickle.loads(pickle.dumps(whole.state_dict())))
    assert follow(resumed, LOSSES[stop:]) == follow(whole, LOSSES[stop:])


def test_chain_multiplies_it():
    optimizer = optimizer_of(1.0)
    halving = optim.ExponentialLR(optimizer, 0.5)
    plateau = optim.ReduceLROnPlateau(optimizer, factor=0.1, patience=0)
    scheduler = optim.ChainedScheduler([halving, plateau])
    rates = [rate for (rate,) in follow(scheduler, [1.0, 1.0, 0.5, 0.5])]
    assert rates == pytest.approx([1, 0.5, 0.025, 0.0125, 0.000625], rel=1e-14)  # a few roundings


def test_changes_are_reported(caplog):
    scheduler = optim.ReduceLROnPlateau(optimizer_of(1.0, 0.5), patience=0, min_lr=[0.0, 0.5], verbose=True)
    seen = []
    scheduler.on_change(seen.append)
    with caplog.at_level(logging.INFO, "genesis.optim.lr_scheduler"):
        follow(scheduler, [1.0, 1.0])
    assert [record.message for record in caplog.records] == ["step 2: learning rate of group 0: 1 -> 0.1"]
    assert [tuple(change) for change in seen] == [(2, 0, "lr", 1.0, 0.1)]


@pytest.mark.parametrize("copier", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_copies_go_on(copier):
    scheduler = optim.ReduceLROnPlateau(optimizer_of(1.0), patience=1)
    follow(scheduler, LOSSES[:4])
    twin = copier(scheduler)
    assert twin.state_dict() == scheduler.state_dict()
    assert twin.preview(4, metrics=LOSSES).tolist() == scheduler.preview(4, metrics=LOSSES).tolist()
    follow(twin, LOSSES[4:])
    assert (twin.last_epoch, scheduler.last_epoch) == (10, 4)


def test_configuration():
    scheduler = optim.ReduceLROnPlateau(optimizer_of(1.0), "max", factor=0.5, min_lr=[0.1])
    config = json.loads(json.dumps(scheduler.to_config()))
    again = LRScheduler.from_config(config, optimizer_of(1.0))
    assert again.state_dict() == scheduler.state_dict()
    shape = optim.Plateau(factor=0.5, patience=1)
    assert Schedule.from_config(json.loads(json.dumps(shape.to_config()))) == shape
    assert isinstance(shape, MetricSchedule)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("best"), "lacks .*best"),
        (lambda state: state.update(gamma=0.5), "has .*gamma"),
        (lambda state: state.update(_last_lr=[0.1, 0.2]), "_last_lr"),
    ],
)
def test_state_that_is_no_state_is_refused(change, message):
    scheduler = optim.ReduceLROnPlateau(optimizer_of(1.0))
    before = scheduler.state_dict()
    state = scheduler.state_dict()
    change(state)
    with pytest.raises(genesis.CheckpointError, match=message):
        scheduler.load_state_dict(state)
    assert scheduler.state_dict() == before


def test_state_of_another_class_is_refused():
    with pytest.raises(genesis.CheckpointError, match="not the state of a ReduceLROnPlateau"):
        optim.ReduceLROnPlateau(optimizer_of(1.0)).load_state_dict(
            optim.StepLR(optimizer_of(1.0), 3).state_dict()
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"factor": 1.0}, "factor must be below 1"),
        ({"mode": "least"}, "mode must be one of"),
        ({"on_nan": "skip"}, "on_nan must be one of"),
        ({"min_lr": -1.0}, "min_lr must be at least 0"),
    ],
)
def test_shape_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        optim.Plateau(**options)


def test_value_of_a_later_step_is_not_known():
    assert optim.Plateau()(0) == 1.0
    with pytest.raises(ValueError, match="depends on metrics"):
        optim.Plateau()(1)
