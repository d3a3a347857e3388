"""Shapes side by side with the schedulers of torch 2.13.0 that they are the formulas of.

Each pair is what a user of torch writes, and the shape that gives the same rates: base rate times factor,
or the rate itself for the cycles. torch rounds differently where it computes one rate from the last.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler as theirs

from genesis_schedulers.cosine import CosineRestarts, CosineWave
from genesis_schedulers.cyclic import OneCycle, Triangular
from genesis_schedulers.decay import ConstantUntil, Exponential, Linear, MultiStep, Polynomial, Step

pytestmark = pytest.mark.parity

BASE = 0.3
STEPS = 41


def torch_rates(make, count=STEPS):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=BASE, momentum=0.9)
    scheduler = make(optimizer)
    rates = []
    for _ in range(count):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


FACTORS = [
    (lambda o: theirs.ConstantLR(o, 0.25, 7), ConstantUntil(0.25, 7)),
    (lambda o: theirs.LinearLR(o, 0.25, 0.75, 7), Linear(7, 0.25, 0.75)),
    (lambda o: theirs.LinearLR(o), Linear(5, 1 / 3, 1.0)),
    (lambda o: theirs.PolynomialLR(o, 9, 1.7), Polynomial(9, power=1.7)),
    (lambda o: theirs.ExponentialLR(o, 0.93), Exponential(0.93)),
    (lambda o: theirs.StepLR(o, 7, 0.3), Step(7, gamma=0.3)),
    (lambda o: theirs.MultiStepLR(o, [3, 8, 8, 20], 0.3), MultiStep([3, 8, 8, 20], gamma=0.3)),
    (lambda o: theirs.CosineAnnealingLR(o, 11), CosineWave(11)),
    (lambda o: theirs.CosineAnnealingWarmRestarts(o, 6), CosineRestarts(6)),
    (lambda o: theirs.CosineAnnealingWarmRestarts(o, 5, 2, 0.03), CosineRestarts(5, mul=2, end_factor=0.1)),
]


@pytest.mark.parametrize(("make", "shape"), FACTORS)
def test_factors(make, shape):
    # torch multiplies from step to step: 40 roundings, more where a factor comes near 0
    assert BASE * shape(np.arange(STEPS)) == pytest.approx(torch_rates(make), rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("mode", ["triangular", "triangular2", "exp_range"])
@pytest.mark.parametrize(("up", "down"), [(5, None), (3, 8), (7, 1)])
def test_triangular(mode, up, down):
    rates = torch_rates(lambda o: theirs.CyclicLR(o, 0.1, 0.7, up, down, mode, 0.97, cycle_momentum=False))
    # torch finds the place in a cycle as 1 + t / length - cycle, which loses a digit with each tenfold t
    shape = Triangular(0.1, 0.7, up, down, mode, 0.97)
    assert shape(np.arange(STEPS)) == pytest.approx(np.array(rates), rel=1e-13, abs=1e-13)


@pytest.mark.parametrize("mode", ["triangular", "triangular2", "exp_range"])
def test_the_momentum_of_a_cycle_is_a_wave_upside_down(mode):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=BASE, momentum=0.9)
    scheduler = theirs.CyclicLR(optimizer, 0.1, 0.7, 4, 3, mode, 0.97)
    momenta = []
    for _ in range(STEPS):
        momenta.append(optimizer.param_groups[0]["momentum"])
        optimizer.step()
        scheduler.step()
    assert Triangular(0.9, 0.8, 4, 3, mode, 0.97)(np.arange(STEPS)) == pytest.approx(
        np.array(momenta), rel=1e-13
    )


@pytest.mark.parametrize("three", [False, True])
@pytest.mark.parametrize("anneal", ["cos", "linear"])
@pytest.mark.parametrize(
    ("total", "start"), [(40, 0.3), (40, 0.25), (41, 0.5), (7, 0.1), (2, 0.3), (40, 0.0)]
)
def test_one_cycle_with_its_momentum(three, anneal, total, start):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=BASE, momentum=0.9)
    scheduler = theirs.OneCycleLR(
        optimizer, 0.7, total, pct_start=start, anneal_strategy=anneal, div_factor=20, final_div_factor=500,
        three_phase=three,
    )  # fmt: skip
    rates, momenta = [], []
    for _ in range(total):
        rates.append(optimizer.param_groups[0]["lr"])
        momenta.append(optimizer.param_groups[0]["momentum"])
        optimizer.step()
        scheduler.step()
    steps = np.arange(total)
    shape = OneCycle(0.7, total, start, anneal, 20, 500, three_phase=three)
    # the same operations in the same order; numpy's cosine may differ from C's in the last digit
    assert [shape(step) for step in range(total)] == rates
    assert shape(steps) == pytest.approx(np.array(rates), rel=1e-15, abs=1e-15)
    momentum = OneCycle(0.85, total, start, anneal, 0.85 / 0.95, 1.0, three_phase=three)
    assert momentum(steps) == pytest.approx(np.array(momenta), rel=1e-15)


@pytest.mark.parametrize("mul", [1, 2])
def test_restarts_between_whole_steps(mul):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=BASE)
    scheduler = theirs.CosineAnnealingWarmRestarts(optimizer, 3, mul)
    shape = CosineRestarts(3, mul=mul)
    for step in np.arange(0, 30, 0.25).tolist():
        scheduler.step(step)
        assert BASE * shape(step) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-13, abs=1e-15)


def test_restarts_that_torch_misses():
    """At step 3 + 9 + 27 + 81 + 243 torch's logarithm says 4 cycles where there were 5: it restarts late."""
    edge = 3 + 9 + 27 + 81 + 243
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=BASE)
    scheduler = theirs.CosineAnnealingWarmRestarts(optimizer, 3, 3)
    scheduler.step(edge)
    assert optimizer.param_groups[0]["lr"] == 0.0
    assert CosineRestarts(3, mul=3)(edge) == 1.0
