"""SWALR: from the rate where it takes over to that of the weight averaging."""

from __future__ import annotations

import math

import pytest

pytestmark = pytest.mark.parity

RATES = (0.05, 0.5)


def take_over(kit, before, swa, start, count):
    """Rates of `count` epochs: `before` is stepped up to epoch `start`, `swa` from there on."""
    rates = []
    for epoch in range(count):
        rates.append(kit.rates(swa.optimizer))
        if epoch < start:
            if before is not None:
                kit.advance(before)
        else:
            kit.advance(swa)
    return rates


def test_at_once(kit):
    swa = kit.SWALR(kit.optimizer(*RATES), swa_lr=0.01, anneal_epochs=1)
    kit.close(take_over(kit, None, swa, 3, 8), [*[list(RATES)] * 4, *[[0.01, 0.01]] * 4])


def test_in_no_time(kit):
    swa = kit.SWALR(kit.optimizer(*RATES), swa_lr=0.01, anneal_epochs=0)
    kit.close(kit.rates(swa.optimizer), [0.01, 0.01])
    kit.close(take_over(kit, None, swa, 0, 4), [[0.01, 0.01]] * 4)


@pytest.mark.parametrize("strategy", ["linear", "cos"])
@pytest.mark.parametrize("swa_lr", [0.01, [0.01, 0.02]])
def test_after_another_schedule(kit, strategy, swa_lr):
    optimizer = kit.optimizer(*RATES)
    before = kit.MultiplicativeLR(optimizer, lambda step: 0.9)
    swa = kit.SWALR(optimizer, swa_lr, anneal_epochs=4, anneal_strategy=strategy)
    targets = swa_lr if isinstance(swa_lr, list) else [swa_lr] * 2
    done = [t / 4 if strategy == "linear" else (1 - math.cos(math.pi * t / 4)) / 2 for t in range(4)] + [
        1
    ] * 4
    expected = [[base * 0.9**t for base in RATES] for t in range(5)]
    for part in done:
        start = [base * 0.9**5 for base in RATES]
        expected.append([low + (high - low) * (1 - part) for high, low in zip(start, targets, strict=True)])
    kit.close(take_over(kit, before, swa, 5, 13), expected)


def test_after_another_schedule_that_left_its_own_target(kit):
    """The initial rate is the target; the other schedule has led away from it."""
    optimizer = kit.optimizer(1.0)
    before = kit.StepLR(optimizer, 1, 0.5)
    swa = kit.SWALR(optimizer, 1.0, anneal_epochs=2, anneal_strategy="linear")
    kit.close(take_over(kit, before, swa, 2, 6), [[1.0], [0.5], [0.25], [0.625], [1.0], [1.0]])


def test_upwards(kit):
    swa = kit.SWALR(kit.optimizer(*RATES), 1.0, anneal_epochs=2, anneal_strategy="linear")
    kit.close(take_over(kit, None, swa, 0, 4), [[0.05, 0.5], [0.525, 0.75], [1, 1], [1, 1]])


def test_groups_hold_their_target(kit):
    optimizer = kit.optimizer(*RATES)
    kit.SWALR(optimizer, [0.01, 0.02])
    assert [group["swa_lr"] for group in optimizer.param_groups] == [0.01, 0.02]
    assert [group["initial_lr"] for group in optimizer.param_groups] == list(RATES)


def test_positions_and_names_of_the_arguments(kit):
    swa = kit.SWALR(kit.optimizer(1.0), 0.5, 2, "linear")
    assert swa.anneal_epochs == 2
    kit.close(kit.trace(3, swa)[:, 0], [1, 0.75, 0.5])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"anneal_strategy": "steps"}, "anneal_strategy must"),
        ({"anneal_epochs": -1}, "anneal_epochs must"),
        ({"anneal_epochs": 1.7}, "anneal_epochs must"),
        ({"swa_lr": [0.1]}, "swa_lr must"),
        ({"swa_lr": [0.1, 0.1, 0.1]}, "swa_lr must"),
    ],
)
def test_refuses(kit, arguments, message):
    with pytest.raises(ValueError, match=message):
        kit.SWALR(kit.optimizer(*RATES), **{"swa_lr": 0.1, **arguments})


@pytest.mark.parametrize("steps", [0, 3, 9])
def test_state_brings_the_strategy_along(kit, steps):
    one = kit.SWALR(kit.optimizer(*RATES), swa_lr=0.5, anneal_epochs=6, anneal_strategy="cos")
    other = kit.SWALR(kit.optimizer(*RATES), swa_lr=0.5, anneal_epochs=2, anneal_strategy="linear")
    for _ in range(steps):
        kit.advance(one)
    assert "anneal_func" not in one.state_dict()
    other.load_state_dict(one.state_dict())
    other.optimizer.load_state_dict(one.optimizer.state_dict())
    kit.close(kit.trace(8, other), kit.trace(8, one))
