"""Shapes against values worked out by hand, at the corners where mistakes are made."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genesis import optim
from genesis_schedulers.cosine import Cosine, CosineRestarts, CosineWave
from genesis_schedulers.curves import REX, Piecewise, Tanh
from genesis_schedulers.cycles import Cycles, cycle_at, cycle_start, cycles_at
from genesis_schedulers.cyclic import OneCycle, Triangular
from genesis_schedulers.decay import (
    Constant,
    ConstantUntil,
    Exponential,
    ExponentialDecay,
    Linear,
    MultiStep,
    Polynomial,
    Step,
)
from genesis_schedulers.inverse import InverseSqrt, InverseTime, Noam
from genesis_schedulers.noise import Noise
from genesis_schedulers.phases import WSD, TriStage
from genesis_schedulers.skip import Skip


def rates(shape, count):
    return [shape(step) for step in range(count)]


def about(values):
    """Equal but for the rounding of a few operations on numbers of order 1."""
    return pytest.approx(values, rel=1e-15, abs=1e-15)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (ConstantUntil(0.5, 2), [0.5, 0.5, 1, 1]),
        (Linear(0, 0.25, 0.75), [0.75, 0.75]),
        (Linear(4, 0.5, 1.5), [0.5, 0.75, 1, 1.25, 1.5, 1.5]),
        (Polynomial(4, power=2), [1, 9 / 16, 4 / 16, 1 / 16, 0, 0]),
        (Polynomial(2, end_factor=0.5), [1, 0.75, 0.5, 0.5]),
        # The second stretch is 4 steps, of which 2 have passed; the third 6, of which 4.
        (Polynomial(2, cycle=True), [1, 0.5, 0, 1 / 4, 0, 1 / 6, 0]),
        (Polynomial(4, k_decay=2), [1, 15 / 16, 12 / 16, 7 / 16, 0]),
        (Exponential(0), [1, 0, 0]),
        (Exponential(2), [1, 2, 4]),
        (ExponentialDecay(2, 0.25, begin=1), [1, 1, 0.5, 0.25]),
        (ExponentialDecay(2, 0.25, staircase=True, end_factor=0.1), [1, 1, 0.25, 0.25, 0.1, 0.1]),
        (ExponentialDecay(1, 2, end_factor=3), [1, 2, 3, 3]),
        (Step(2, gamma=0.5), [1, 1, 0.5, 0.5, 0.25]),
        (MultiStep([1, 3, 3], gamma=0.5), [1, 0.5, 0.5, 0.125, 0.125]),
        (InverseTime(2, 1), [1, 2 / 3, 0.5]),
        (InverseTime(2, 1, staircase=True), [1, 1, 0.5, 0.5, 1 / 3]),
        (InverseSqrt(1, power=1), [1, 1 / 2, 1 / 3]),
        (Noam(16, 4), [1 / 32, 2 / 32, 3 / 32, 4 / 32, 0.25 / 5**0.5]),
        (CosineWave(2), [1, 0.5, 0, 0.5, 1]),
        (Cosine(2, end_factor=0.2), [1, 0.6, 0.2, 0.2]),
        (Cosine(2, exponent=2), [1, 0.25, 0]),
        (CosineRestarts(2, mul=2, decay=0.5), [1, 0.5, 0.5, 0.25 + 0.125 * 2**0.5, 0.25]),
        (Cycles(Linear(2), mul=2, decay=0.5, limit=2, end_factor=0.1),
         [1, 0.55, 0.5, 0.4, 0.3, 0.2, 0.1, 0.1]),
        (Triangular(0, 1, 2, 4), [0, 0.5, 1, 0.75, 0.5, 0.25, 0, 0.5]),
        (Triangular(1, 0, 1, mode="triangular2"), [1, 0, 1, 0.5, 1, 0.75, 1]),
        (Triangular(0, 1, 1, mode="exp_range", gamma=0.5), [0, 0.5, 0, 0.125]),
        (OneCycle(1, 5, 0.6, "linear", div_factor=2, final_div_factor=2), [0.5, 0.75, 1, 0.625, 0.25, 0.25]),
        (OneCycle(1, 6, 0.5, "linear", 2, 2, three_phase=True), [0.5, 0.75, 1, 0.75, 0.5, 0.25]),
        (Tanh(2, lb=-1, ub=1), [0.5 + 0.5 * math.tanh(1), 0.5, 0.5 - 0.5 * math.tanh(1)]),
        (REX(2), [1, 2 / 3, 0, 0]),
        (REX(2, end_factor=0.1), [1, 0.7, 0.1, 0.1]),
        (Piecewise([1, 3], [1, 2, 4]), [1, 2, 2, 4, 4]),
        (Piecewise([1, 3], [1, 2, 4], "linear"), [1, 2, 3, 4, 4]),
        (Piecewise([2], [1, 0], "cosine"), [1, 0.5, 0, 0]),
        (WSD(6, 4, warmup_steps=1, start_factor=0.5), [0.5, 1, 1, 0.5, 1 - 0.5**0.5, 1 - 0.75**0.5, 0, 0]),
        (WSD(4, 2, decay="exp", decay_ratio=0.25), [1, 1, 1, 1 / 3, 0]),
        (WSD(4, 2, decay="power", decay_power=2), [1, 1, 1, 0.75, 0]),
        (WSD(4, 2, decay="cosine", end_factor=0.2), [1, 1, 1, 0.6, 0.2]),
        (WSD(5, 2, warmup_steps=1, decay="linear", stable=InverseSqrt(1, power=1)),
         [0, 1, 1 / 2, 1 / 3, 1 / 8, 0]),
        (TriStage(1, 1, 2, init_scale=0.5, final_scale=0.25), [0.5, 1, 1, 0.5, 0.25, 0.25]),
    ],
    ids=repr,
)  # fmt: skip
def test_values(shape, expected):
    assert rates(shape, len(expected)) == about(expected)
    assert shape(np.arange(len(expected))).tolist() == about(expected)


@pytest.mark.parametrize(
    "shape",
    [
        Linear(3, 0.1, 0.7),
        Polynomial(3, end_factor=0.7),
        Cosine(3, end_factor=0.7),
        Cosine(7, end_factor=0.1, k_decay=1.3),
        Piecewise([3], [0.1, 0.7], "linear"),
        Piecewise([3], [0.1, 0.7], "cosine"),
        WSD(3, 2, end_factor=0.7),
        Cycles(Tanh(3), limit=2, end_factor=0.7),
    ],
    ids=repr,
)
def test_the_end_value_is_reached_exactly(shape):
    end = getattr(shape, "end_factor", 0.7)
    assert shape(shape.horizon) == end
    assert shape(np.array([shape.horizon])).tolist() == [end]


@pytest.mark.parametrize("mul", [1, 2, 3, 5, 10])
def test_a_restart_happens_at_its_very_step(mul):
    """A logarithm alone puts many of these steps at the end of the cycle before: log(243, 3) < 5."""
    restarts = CosineRestarts(2, mul=mul)
    edges = [int(cycle_start(index, 2, mul)) for index in range(14)]
    assert [restarts(edge) for edge in edges] == [1.0] * 14
    assert restarts(np.array(edges)).tolist() == [1.0] * 14
    assert restarts.phase(edges[13]) == "cycle 14"
    assert restarts.phase(edges[13] - 1) == "cycle 13"


@settings(deadline=None)
@given(st.floats(0.1, 1e4), st.floats(1.001, 8), st.floats(0, 1e8))
def test_a_step_lies_in_its_cycle(first, mul, step):
    index, start, length = cycle_at(step, first, mul)
    # The edges are sums of many lengths: their rounding is of the order of the last digits of the step.
    slack = 1e-9 * (step + first)
    assert start - slack <= step <= start + length + slack
    found = [value.item() for value in cycles_at(np.array([step]), first, mul)]
    assert found == pytest.approx([index, start, length], rel=1e-9) or abs(found[0] - index) == 1


@settings(deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 50), st.integers(0, 50))
def test_a_line_stays_between_its_ends(start, end, length, step):
    value = Linear(length, start, end)(step)
    assert min(start, end) - 1e-15 <= value <= max(start, end) + 1e-15


def test_between_whole_steps_the_cosine_goes_on():
    assert Cosine(2)(0.5) == about(0.5 * (1 + math.cos(math.pi / 4)))
    assert CosineRestarts(1, mul=2)(1.5) == about(0.5 * (1 + math.cos(math.pi / 4)))


def test_a_plateau_grows_when_the_training_does():
    shape = WSD(20, 5, warmup_steps=4)
    longer = shape.stretched(15, 40)
    assert longer == WSD(40, 5, warmup_steps=4)
    assert rates(longer, 16) == rates(shape, 16)
    assert rates(longer, 45)[35:] == rates(shape, 25)[15:]
    assert TriStage(2, 3, 4).stretched(5, 20) == TriStage(2, 14, 4)


@pytest.mark.parametrize("shape", [WSD(20, 5, warmup_steps=4), TriStage(4, 11, 5)], ids=repr)
def test_a_decay_that_has_begun_is_drawn_out_without_a_jump(shape):
    longer = shape.stretched(17, 40)
    assert rates(longer, 18) == about(rates(shape, 18))
    assert longer(40) == about(shape(20))
    assert shape(19) < longer(18) < shape(17)


def test_a_plateau_that_would_end_before_now_is_not_cut():
    shape = WSD(20, 5)
    shorter = shape.stretched(14, 18)  # the decay of 5 steps would have begun at step 13
    assert rates(shorter, 15) == about(rates(shape, 15))
    assert shorter(18) == about(0)


@pytest.mark.parametrize("warmup", [1, 10, 37])
def test_the_usual_schedules_of_transformers_are_one(warmup):
    """Noam, and the inverse square roots of fairseq and Megatron: sqrt(W / t) after W steps of warmup."""
    ours = InverseSqrt(warmup).with_warmup(warmup)
    expected = [min(t / warmup, math.sqrt(warmup) / math.sqrt(max(t, 1))) for t in range(200)]
    assert rates(ours, 200) == about(expected)
    noam = Noam(64, warmup, scale=8 * warmup**0.5)  # whose peak is 1, and whose step 0 is step 1 here
    assert rates(noam, 199) == pytest.approx(expected[1:], rel=1e-14)


def test_the_decays_of_megatron():
    """Its exponential decay is 2 * 0.5**p - 1, which is a decay to half that is brought down to 0."""
    expected = [2 * 0.5 ** (t / 8) - 1 for t in range(9)]
    assert rates(WSD(8, 8, decay="exp", decay_ratio=0.5), 9) == about(expected)
    floor = WSD(8, 8, decay="1-sqrt", end_factor=0.1)
    assert rates(floor, 9) == about([0.1 + 0.9 * (1 - math.sqrt(t / 8)) for t in range(9)])


def test_tri_stage_is_a_composition():
    parts = Linear(5, 0.1, 1.0).then(Constant(), at=5).then(ExponentialDecay(7, 0.05, end_factor=0.05), at=9)
    assert rates(TriStage(5, 4, 7, init_scale=0.1, final_scale=0.05), 30) == about(rates(parts, 30))


def test_a_plateau_may_be_a_part_of_the_length():
    assert WSD(50, "10%", warmup_steps="20%") == WSD(50, 5, warmup_steps=10)


def test_milestones_may_be_parts_of_the_training():
    with optim.training_length(total_steps=60):
        assert MultiStep(["50%", "75%"]) == MultiStep([30, 45])
        assert Piecewise(["50%"], [1, 0]) == Piecewise([30], [1, 0])


def test_noise_is_the_same_each_time_and_only_where_it_should_be():
    noisy = Noise(Cosine(20), first=5, last=10, std=0.3)
    assert rates(noisy, 20) == rates(Noise(Cosine(20), first=5, last=10, std=0.3), 20)
    differ = [step for step in range(21) if noisy(step) != Cosine(20)(step)]
    assert differ == [5, 6, 7, 8, 9]
    assert rates(noisy, 20) != rates(Noise(Cosine(20), first=5, last=10, std=0.3, seed=1), 20)
    assert noisy.phase(5) == "noise"


@pytest.mark.parametrize("distribution", ["normal", "uniform"])
def test_noise_stays_within_its_limit_and_is_even(distribution):
    noise = Noise(Step(10**6), distribution=distribution, limit=0.5)(np.arange(400)) - 1
    assert np.abs(noise).max() < 0.5
    assert np.abs(noise).max() > 0.45
    assert abs(noise.mean()) < 0.05  # the mean of 400 numbers has a standard deviation below 0.015


def test_a_held_end_has_no_noise():
    assert Noise(Linear(4, 1, 0.5))(4) == 0.5
    assert Noise(Linear(4, 1, 0.5), last=100)(50) == 0.5


def test_what_is_skipped_does_not_come_back():
    assert rates(Skip(Linear(4), 3), 3) == [0.25, 0, 0]
    assert rates(Skip(Linear(4, end="repeat"), 3), 4) == [0.25, 1, 0.75, 0.5]
    with pytest.raises(ValueError, match="past the end"):
        Skip(Linear(4, end="raise"), 3)(2)


def test_parts_that_depend_on_the_base_rate_follow_it():
    floor = Linear(4).towards(0.2)
    assert Noise(floor, std=0).for_base(1.0)(2) == about(0.6)
    assert Skip(floor, 2).for_base(1.0)(0) == about(0.6)
    assert Cycles(floor, decay=0.5).for_base(1.0)(6) == about(0.3)
    with pytest.raises(ValueError, match="stable must give factors"):
        WSD(9, 4, decay="linear", stable=Linear(9).clip_rate(0.5))


def test_phases_have_names():
    wsd, three = WSD(10, 3, warmup_steps=2), OneCycle(1, 10, 0.4, three_phase=True)
    assert [wsd.phase(step) for step in (0, 1, 2, 7, 8, 10)] == [
        "warmup",
        "warmup",
        *["stable"] * 2,
        *["decay"] * 2,
    ]
    assert [TriStage(2, 2, 2).phase(step) for step in (0, 2, 4, 5)] == ["warmup", "hold", "hold", "decay"]
    assert [three.phase(step) for step in (0, 3, 4, 6, 7)] == ["rise", "rise", "fall", "fall", "last"]
    assert [Noam(4, 3).phase(step) for step in (0, 1, 2)] == ["warmup", "warmup", "decay"]
    assert Triangular(0, 1, 2).phase(5) == "cycle 2, up"
    assert Cycles(Cosine(5), limit=2).phase(7) == "cycle 2"
