"""Two schedulers on one optimizer, stepped one after the other."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.parity

RATES = (0.05, 0.5)


def test_their_factors_multiply(kit, one, other):
    optimizer = kit.optimizer(*RATES)
    schedulers = [one.make(kit, optimizer), other.make(kit, optimizer)]
    expected = [[one.rate(t, base) * other.rate(t, base) / base for base in RATES] for t in range(12)]
    kit.close(kit.trace(12, *schedulers), expected)


def test_one_of_them_may_pause(kit):
    optimizer = kit.optimizer(0.8)
    halving, stairs = kit.ExponentialLR(optimizer, 0.5), kit.StepLR(optimizer, 2, 0.1)
    expected = [0.8, 0.4, 0.04, 0.004]
    actual = [*kit.rates(optimizer)]
    kit.advance(halving, stairs)
    actual += kit.rates(optimizer)
    kit.advance(stairs)
    actual += kit.rates(optimizer)
    for _ in range(2):
        kit.advance(stairs)
    actual += kit.rates(optimizer)
    kit.close(actual, expected)
    kit.advance(halving)
    kit.close(kit.rates(optimizer), [0.002])


def test_absolute_schedule_overwrites_what_came_before_it(kit):
    optimizer = kit.optimizer(*RATES)
    stairs = kit.StepLR(optimizer, 2, 0.5)
    absolute = kit.LambdaLR(optimizer, lambda step: 0.9**step)
    kit.close(kit.trace(9, stairs, absolute), [[base * 0.9**t for base in RATES] for t in range(9)])


def test_absolute_schedule_is_what_the_next_one_starts_from(kit):
    optimizer = kit.optimizer(1.0)
    absolute = kit.LambdaLR(optimizer, lambda step: 0.9**step)
    stairs = kit.StepLR(optimizer, 2, 0.5)
    expected = [0.9**t * (0.5 if t and t % 2 == 0 else 1) for t in range(9)]
    kit.close(kit.trace(9, absolute, stairs)[:, 0], expected)


def test_restarts_overwrite(kit):
    optimizer = kit.optimizer(1.0)
    other = kit.ExponentialLR(optimizer, 0.5)
    restarts = kit.CosineAnnealingWarmRestarts(optimizer, T_0=2)
    kit.close(kit.trace(5, other, restarts)[:, 0], [1, 0.5, 1, 0.5, 1])


def test_cosine_then_cyclic(kit):
    """The cycle keeps to its own rates, whatever the cosine does, from its first step on."""
    optimizer = kit.optimizer(0.03)
    cosine = kit.CosineAnnealingLR(optimizer, T_max=10, eta_min=0.005)
    cyclic = kit.CyclicLR(optimizer, base_lr=0.0001, max_lr=0.005, step_size_up=2, cycle_momentum=False)
    rates = kit.trace(20, cosine, cyclic)[:, 0]
    kit.close(rates[1:], [0.0001 + 0.0049 * (0, 0.5, 1, 0.5)[t % 4] for t in range(1, 20)])


def test_cosine_and_cyclic_take_turns(kit):
    optimizer = kit.optimizer(0.03)
    cosine = kit.CosineAnnealingLR(optimizer, T_max=5, eta_min=0.001)
    cyclic = kit.CyclicLR(optimizer, base_lr=0.0001, max_lr=0.002, step_size_up=1, cycle_momentum=False)
    assert optimizer.param_groups[0]["initial_lr"] == 0.03
    for _ in range(5):
        kit.advance(cyclic)
        assert 0.0001 <= kit.rates(optimizer)[0] <= 0.002
    last = kit.rates(optimizer)
    kit.advance(cosine)  # it goes on from the last rate
    assert abs(kit.rates(optimizer)[0] - last[0]) < 0.2 * last[0]


@pytest.mark.parametrize("plateau_first", [False, True])
def test_plateau_multiplies_too(kit, plateau_first):
    """The metric is bad all along: with patience 3 every fourth epoch after the first cuts the rate."""
    optimizer = kit.optimizer(*RATES)
    makers = [
        lambda: kit.ReduceLROnPlateau(optimizer, patience=3, factor=0.1),
        lambda: kit.ExponentialLR(optimizer, 0.9),
    ]
    schedulers = [make() for make in (makers if plateau_first else makers[::-1])]
    expected = [[base * 0.9**t * 0.1 ** (max(0, t - 1) // 4) for base in RATES] for t in range(14)]
    kit.close(kit.trace(14, *schedulers), expected)


def test_plateau_and_two_others(kit):
    optimizer = kit.optimizer(1.0)
    schedulers = [
        kit.StepLR(optimizer, 3, 0.5),
        kit.LinearLR(optimizer, 0.5, 1.0, 4),
        kit.ReduceLROnPlateau(optimizer, patience=0, factor=0.1, cooldown=4),
    ]
    linear = [0.5, 0.625, 0.75, 0.875, 1, 1, 1, 1]
    stairs = [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]
    # The first metric is the best; the second is bad and cuts; four of cooldown; the seventh is bad again.
    cuts = [1, 1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.01]
    expected = [a * b * c for a, b, c in zip(linear, stairs, cuts, strict=True)]
    kit.close(kit.trace(8, *schedulers)[:, 0], expected)
