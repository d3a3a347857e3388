"""ReduceLROnPlateau."""

from __future__ import annotations

import math

import pytest
import torch

pytestmark = pytest.mark.parity


def follow(kit, scheduler, metrics):
    """The rates of the first group after each metric."""
    rates = []
    for metric in metrics:
        kit.advance(scheduler, metric=metric)
        rates.append(kit.rates(scheduler.optimizer)[0])
    return rates


@pytest.mark.parametrize(
    ("arguments", "metrics", "cuts"),
    [
        # Each epoch is better than the best by more than the threshold.
        ({"threshold_mode": "abs", "threshold": 0.1, "patience": 0}, [5, 4.8, 4.6, 4.4], []),
        # Steps of 0.06 against a threshold of 0.1: every second epoch is an improvement.
        ({"threshold_mode": "abs", "threshold": 0.1, "patience": 0}, [5, 4.94, 4.88, 4.82, 4.76], [1, 3]),
        ({"threshold_mode": "abs", "threshold": 0.1, "patience": 1}, [5, 4.94, 4.88, 4.82, 4.76], []),
        # Two bad epochs are borne, the third cuts, and the count starts anew.
        ({"patience": 2}, [1] * 9, [3, 6]),
        ({"patience": 2}, [1, 1, 1, 0.5, 1, 1, 1], [6]),
        ({"patience": 0}, [1, 1, 1], [1, 2]),
        # After a cut four epochs do not count.
        ({"patience": 0, "cooldown": 4}, [1] * 12, [1, 6, 11]),
        ({"patience": 1, "cooldown": 2}, [1] * 12, [2, 6, 10]),
        # Relative: an improvement is more than a tenth of the best.
        ({"threshold": 0.1, "patience": 0}, [1, 0.91, 0.89, 0.81, 0.8], [1, 3]),
        ({"threshold": 0.1, "patience": 0}, [-1, -1.05, -0.85], [2]),
        ({"mode": "max", "threshold": 0.1, "patience": 0}, [1, 1.09, 1.11, 1.22, 1.23], [1, 3]),
        (
            {"mode": "max", "threshold_mode": "abs", "threshold": 0.1, "patience": 0},
            [1, 1.09, 1.11, 1.2],
            [1, 3],
        ),
        ({"mode": "max", "threshold_mode": "abs", "threshold": 0.0, "patience": 0}, [1, 1, 2, 0.5], [1, 3]),
        # A share of a negative best value lies on the other side of it.
        ({"mode": "max", "patience": 0}, [-3, -2, -2, -2, -2.1], [4]),
        # A metric that is not a number is no improvement; an infinite one may be.
        ({"patience": 0}, [1, math.inf, 0.5], [1]),
        ({"patience": 0}, [math.inf, 1, 0.5], [0]),
        ({"patience": 0, "mode": "max"}, [-math.inf, 1, 2], [0]),
    ],
)
@pytest.mark.parametrize("factor", [0.1, 0.5])
def test_when_the_rate_is_cut(kit, arguments, metrics, cuts, factor):
    scheduler = kit.ReduceLROnPlateau(kit.optimizer(1.0), factor=factor, **arguments)
    expected = [factor ** sum(cut <= epoch for cut in cuts) for epoch in range(len(metrics))]
    kit.close(follow(kit, scheduler, metrics), expected)


def test_not_a_number_is_a_bad_epoch(kit):
    scheduler = kit.ReduceLROnPlateau(kit.optimizer(1.0), patience=1)
    assert follow(kit, scheduler, [1, math.nan, 0.5, math.nan]) == [1.0, 1.0, 1.0, 1.0]
    assert follow(kit, scheduler, [math.nan]) == [0.1]
    assert scheduler.best == 0.5


def test_rate_is_not_cut_below_the_least(kit):
    scheduler = kit.ReduceLROnPlateau(kit.optimizer(1.0), patience=0, min_lr=0.05)
    assert follow(kit, scheduler, [1] * 4) == [1.0, 0.1, 0.05, 0.05]


def test_every_group_has_its_own_least_rate(kit):
    optimizer = kit.optimizer(1.0, 1.0, 2.0)
    scheduler = kit.ReduceLROnPlateau(optimizer, patience=0, min_lr=[0.0, 0.5, 0.05])
    follow(kit, scheduler, [1, 1])
    kit.close(kit.rates(optimizer), [0.1, 0.5, 0.2])
    follow(kit, scheduler, [1])
    kit.close(kit.rates(optimizer), [0.01, 0.5, 0.05])


def test_small_cuts_are_not_made(kit):
    scheduler = kit.ReduceLROnPlateau(kit.optimizer(1.0), patience=0, eps=0.5)
    assert follow(kit, scheduler, [1] * 3) == [1.0, 0.1, 0.1]


def test_change_by_the_user_is_what_is_cut(kit):
    optimizer = kit.optimizer(1.0)
    scheduler = kit.ReduceLROnPlateau(optimizer, patience=0)
    optimizer.param_groups[0]["lr"] = 0.5
    assert follow(kit, scheduler, [1, 1]) == [0.5, 0.05]


def test_attributes(kit):
    scheduler = kit.ReduceLROnPlateau(kit.optimizer(1.0, 2.0), "max", 0.5, 3, 0.1, "abs", 2, 0.01, 1e-9)
    assert (scheduler.mode, scheduler.factor, scheduler.patience, scheduler.threshold) == ("max", 0.5, 3, 0.1)
    assert (scheduler.threshold_mode, scheduler.cooldown, scheduler.eps) == ("abs", 2, 1e-9)
    assert (scheduler.min_lrs, scheduler.default_min_lr) == ([0.01, 0.01], 0.01)
    assert (scheduler.best, scheduler.mode_worse, scheduler.num_bad_epochs) == (-math.inf, -math.inf, 0)
    assert (scheduler.last_epoch, scheduler.cooldown_counter, scheduler.in_cooldown) == (0, 0, False)
    follow(kit, scheduler, [1] * 5)
    assert (scheduler.best, scheduler.num_bad_epochs, scheduler.last_epoch) == (1.0, 0, 5)
    assert (scheduler.cooldown_counter, scheduler.in_cooldown) == (2, True)
    listed = kit.ReduceLROnPlateau(kit.optimizer(1.0, 2.0), min_lr=[0.1, 0.2])
    assert (listed.min_lrs, listed.default_min_lr) == ([0.1, 0.2], None)


def test_is_a_scheduler_and_leaves_the_groups_alone(kit):
    optimizer = kit.optimizer(1.0)
    before = set(optimizer.param_groups[0])
    assert isinstance(kit.ReduceLROnPlateau(optimizer), kit.LRScheduler)
    assert set(optimizer.param_groups[0]) - {"initial_lr"} == before


def test_last_rates_before_the_first_step(kit):
    assert kit.ReduceLROnPlateau(kit.optimizer(0.05, 0.5)).get_last_lr() == [0.05, 0.5]


def test_last_rates_after_a_cut(kit):
    scheduler = kit.ReduceLROnPlateau(kit.optimizer(0.5, 1.0), patience=0)
    follow(kit, scheduler, [1, 1])
    kit.close(scheduler.get_last_lr(), [0.05, 0.1])


@pytest.mark.parametrize("kind", [float, "tensor"])
def test_type_of_the_rate_stays(kit, kind):
    make = kit.tensor if kind == "tensor" else kind
    rate = make(1.0)
    optimizer = kit.optimizer(rate)
    scheduler = kit.ReduceLROnPlateau(optimizer, patience=0)
    follow(kit, scheduler, [1, 1])
    kit.close(kit.rates(optimizer), [0.1])
    for now in (optimizer.param_groups[0]["lr"], scheduler.get_last_lr()[0]):
        assert type(now) is type(rate)
    if kind == "tensor":
        assert optimizer.param_groups[0]["lr"] is rate
        assert scheduler.get_last_lr()[0] is not rate


def test_metric_may_be_a_tensor(kit):
    scheduler = kit.ReduceLROnPlateau(kit.optimizer(1.0), patience=0)
    assert follow(kit, scheduler, [torch.tensor(2.0), torch.tensor([1.0]), torch.tensor(1.0)]) == [
        1.0,
        1.0,
        0.1,
    ]
    assert type(scheduler.best) is float


def test_group_added_later_gets_the_common_least_rate(kit):
    optimizer = kit.optimizer(1.0)
    scheduler = kit.ReduceLROnPlateau(optimizer, patience=0, min_lr=0.05)
    optimizer.add_param_group({"params": [kit.parameter()], "lr": 0.2})
    follow(kit, scheduler, [1, 1])
    kit.close(kit.rates(optimizer), [0.1, 0.05])
    assert scheduler.min_lrs == [0.05, 0.05]
    kit.close(scheduler.get_last_lr(), [0.1, 0.05])


def test_group_added_later_needs_its_own_where_each_has_one(kit):
    optimizer = kit.optimizer(1.0)
    scheduler = kit.ReduceLROnPlateau(optimizer, patience=0, min_lr=[0.05])
    optimizer.add_param_group({"params": [kit.parameter()], "lr": 0.2})

    def worsen():
        for _ in range(3):
            kit.advance(scheduler)

    with pytest.raises(RuntimeError, match="The number of param groups in the"):
        worsen()
    scheduler.min_lrs = [0.05, 0.1]
    follow(kit, scheduler, [1])
    kit.close(kit.rates(optimizer), [0.1, 0.1])


def test_state_brings_the_options_along(kit):
    one = kit.ReduceLROnPlateau(
        kit.optimizer(1.0),
        mode="min",
        factor=0.1,
        threshold=0.01,
        patience=1,
        threshold_mode="rel",
        cooldown=1,
    )
    follow(kit, one, [1, 2, 3])
    other = kit.ReduceLROnPlateau(
        kit.optimizer(1.0), mode="max", factor=0.5, threshold=1.0, patience=10, threshold_mode="abs"
    )
    other.load_state_dict(one.state_dict())
    other.optimizer.load_state_dict(one.optimizer.state_dict())
    assert (other.mode, other.threshold_mode, other.mode_worse) == ("min", "rel", math.inf)
    assert (other.best, other.cooldown_counter, other.factor) == (1.0, 1, 0.1)
    metrics = [1, 0.995, 0.98, 1, 1, 1]
    assert follow(kit, other, metrics) == follow(kit, one, metrics)


@pytest.mark.parametrize(
    "arguments",
    [
        {"factor": 1.0},
        {"mode": "sideways"},
        {"threshold_mode": "squared"},
        {"min_lr": [0.1, 0.2]},
    ],
)
def test_refuses(kit, arguments):
    with pytest.raises(ValueError, match=r".+"):
        kit.ReduceLROnPlateau(kit.optimizer(1.0), **arguments)


def test_refuses_what_is_no_optimizer(kit):
    with pytest.raises(TypeError, match="object is not an Optimizer"):
        kit.ReduceLROnPlateau(object())
