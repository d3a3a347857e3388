"""CosineAnnealingWarmRestarts, stepped by one, by parts of an epoch, and to any epoch."""

from __future__ import annotations

import math

import pytest

pytestmark = pytest.mark.parity

CYCLES = [(1, 1), (3, 1), (10, 1), (1, 2), (2, 2), (3, 4)]


def expected(t, first, mult, low, base):
    length = first
    while t >= length:
        t, length = t - length, length * mult
    return low + (base - low) * (1 + math.cos(math.pi * t / length)) / 2


@pytest.mark.parametrize(("first", "mult"), CYCLES)
@pytest.mark.parametrize("low", [0, 1e-3])
def test_step_by_step(kit, first, mult, low):
    scheduler = kit.CosineAnnealingWarmRestarts(kit.optimizer(0.05, 0.5), first, mult, eta_min=low)
    rates = [[expected(t, first, mult, low, base) for base in (0.05, 0.5)] for t in range(60)]
    kit.close(kit.trace(60, scheduler), rates)


@pytest.mark.parametrize(("first", "mult"), CYCLES)
def test_by_parts_of_an_epoch(kit, first, mult):
    scheduler = kit.CosineAnnealingWarmRestarts(kit.optimizer(0.05, 0.5), first, mult, eta_min=1e-3)
    for epoch in range(12):
        for batch in range(5):
            t = epoch + batch / 5
            scheduler.step(t)
            rates = [expected(t, first, mult, 1e-3, base) for base in (0.05, 0.5)]
            kit.close(kit.rates(scheduler.optimizer), rates)
            kit.close(scheduler.get_last_lr(), rates)
            assert scheduler.last_epoch == epoch
            assert type(scheduler.last_epoch) is int


@pytest.mark.parametrize(("first", "mult"), CYCLES)
@pytest.mark.parametrize(
    "epochs",
    [
        [0, 1, 2, 3, 4, 5, 6, 7],
        [0, 5.5, 1, 30, 3.25, 0, 17, 17, 12.75, 2],
        [50, 0.5, 49.5, 1],
    ],
)
def test_to_any_epoch(kit, first, mult, epochs):
    scheduler = kit.CosineAnnealingWarmRestarts(kit.optimizer(0.05), first, mult)
    for epoch in epochs:
        scheduler.step(epoch)
        kit.close(kit.rates(scheduler.optimizer), [expected(epoch, first, mult, 0, 0.05)])
        assert scheduler.last_epoch == math.floor(epoch)


def test_goes_on_by_one_from_any_epoch(kit):
    scheduler = kit.CosineAnnealingWarmRestarts(kit.optimizer(1.0), T_0=3, T_mult=2)
    for start in (0.5, 7.25, 20.0):
        scheduler.step(start)
        for more in range(1, 12):
            scheduler.step()
            kit.close(kit.rates(scheduler.optimizer), [expected(start + more, 3, 2, 0, 1.0)])


def test_knows_the_place_in_its_cycle(kit):
    scheduler = kit.CosineAnnealingWarmRestarts(kit.optimizer(1.0), T_0=2, T_mult=2)
    assert (scheduler.T_0, scheduler.T_mult, scheduler.eta_min) == (2, 2, 0)
    places = []
    for _ in range(7):
        places.append((scheduler.T_cur, scheduler.T_i))
        scheduler.step()
    assert places == [(0, 2), (1, 2), (0, 4), (1, 4), (2, 4), (3, 4), (0, 8)]
    scheduler.step(3.5)
    assert (scheduler.T_cur, scheduler.T_i) == (1.5, 4)


@pytest.mark.parametrize("steps", [0, 4, 9])
def test_state_goes_on(kit, steps):
    one = kit.CosineAnnealingWarmRestarts(kit.optimizer(1.0), T_0=3, T_mult=2)
    other = kit.CosineAnnealingWarmRestarts(kit.optimizer(1.0), T_0=5, eta_min=0.1)
    for _ in range(steps):
        one.step()
    one.step(steps + 0.5)
    other.load_state_dict(one.state_dict())
    assert (other.T_0, other.T_i, other.T_cur, other.eta_min) == (3, one.T_i, one.T_cur, 0.0)
    for _ in range(9):
        one.step()
        other.step()
        kit.close(kit.rates(other.optimizer), kit.rates(one.optimizer))


def test_negative_epoch_is_refused(kit):
    scheduler = kit.CosineAnnealingWarmRestarts(kit.optimizer(1.0), T_0=3)
    with pytest.raises(ValueError, match="Expected non-negative epoch, but got -1"):
        scheduler.step(-1)


@pytest.mark.parametrize(
    "arguments",
    [
        {"T_0": 0},
        {"T_0": -2},
        {"T_0": 2.5},
        {"T_0": 2, "T_mult": 0},
        {"T_0": 2, "T_mult": 1.5},
        {"T_0": 2, "eta_min": "0"},
    ],
)
def test_refuses(kit, arguments):
    with pytest.raises(ValueError, match="|".join(arguments)):
        kit.CosineAnnealingWarmRestarts(kit.optimizer(1.0), **arguments)
