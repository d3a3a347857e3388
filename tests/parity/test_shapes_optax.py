"""Shapes side by side with the schedules of optax 0.2.8: how to write each of its functions here.

Each pair is what a user of optax writes and what gives the same values here, as factors times a base rate or
as rates (`kind="value"`). Both are computed in double precision.
"""

from __future__ import annotations

import itertools

import jax
import numpy as np
import optax
import pytest

from genesis_schedulers.cosine import Cosine
from genesis_schedulers.curves import Piecewise
from genesis_schedulers.decay import Constant, ExponentialDecay, Linear, Polynomial

pytestmark = pytest.mark.parity

STEPS = np.arange(60)


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def scaled(first, boundaries_and_scales):
    """The values that optax's scales lead to, one after another."""
    return list(itertools.accumulate([first, *boundaries_and_scales.values()], lambda a, b: a * b))


def piecewise(first, boundaries_and_scales, between):
    levels = scaled(first, boundaries_and_scales)
    return Piecewise(list(boundaries_and_scales), levels, between, kind="value")


def warmup_cosine(init, peak, warmup, total, end=0.0, exponent=1.0):
    return (Cosine(total - warmup, end / peak, exponent).with_warmup(warmup, start=init / peak)) * peak


SCALES = {5: 0.5, 12: 0.4, 30: 3.0}

PAIRS = {
    "constant_schedule": (optax.constant_schedule(0.3), Constant(0.3, kind="value")),
    "linear_schedule": (
        optax.linear_schedule(0.5, 0.1, 20),
        Linear(20, 0.5, 0.1, kind="value"),
    ),
    "linear_schedule, begin": (
        optax.linear_schedule(0.5, 0.1, 20, transition_begin=7),
        Constant(0.5, kind="value").then(Linear(20, 0.5, 0.1, kind="value"), at=7),
    ),
    "polynomial_schedule": (
        optax.polynomial_schedule(0.5, 0.1, 2.5, 20),
        Polynomial(20, 2.5, end_factor=0.1 / 0.5) * 0.5,
    ),
    "polynomial_schedule, begin": (
        optax.polynomial_schedule(0.5, 0.1, 0.5, 20, transition_begin=7),
        Constant(1.0).then(Polynomial(20, 0.5, end_factor=0.1 / 0.5), at=7) * 0.5,
    ),
    "piecewise_constant_schedule": (
        optax.piecewise_constant_schedule(0.5, SCALES),
        piecewise(0.5, SCALES, "constant"),
    ),
    "piecewise_interpolate_schedule, linear": (
        optax.piecewise_interpolate_schedule("linear", 0.5, SCALES),
        piecewise(0.5, SCALES, "linear"),
    ),
    "piecewise_interpolate_schedule, cosine": (
        optax.piecewise_interpolate_schedule("cosine", 0.5, SCALES),
        piecewise(0.5, SCALES, "cosine"),
    ),
    "exponential_decay": (
        optax.exponential_decay(0.5, 10, 0.6),
        ExponentialDecay(10, 0.6) * 0.5,
    ),
    "exponential_decay, staircase": (
        optax.exponential_decay(0.5, 10, 0.6, transition_begin=4, staircase=True, end_value=0.15),
        ExponentialDecay(10, 0.6, staircase=True, begin=4, end_factor=0.15 / 0.5) * 0.5,
    ),
    "exponential_decay, growing": (
        optax.exponential_decay(0.5, 10, 1.4, end_value=1.1),
        ExponentialDecay(10, 1.4, end_factor=1.1 / 0.5) * 0.5,
    ),
    "cosine_decay_schedule": (
        optax.cosine_decay_schedule(0.5, 40, alpha=0.1, exponent=1.7),
        Cosine(40, 0.1, 1.7) * 0.5,
    ),
    "linear_onecycle_schedule": (
        optax.linear_onecycle_schedule(50, 0.5),
        Piecewise([15, 42, 50], [0.5 / 25, 0.5, 0.5 / 25, 0.5 / 25 / 1e4], "linear", kind="value"),
    ),
    "cosine_onecycle_schedule": (
        optax.cosine_onecycle_schedule(50, 0.5),
        Piecewise([15, 50], [0.5 / 25, 0.5, 0.5 / 25 / 1e4], "cosine", kind="value"),
    ),
    "warmup_constant_schedule": (
        optax.warmup_constant_schedule(0.1, 0.5, 10),
        Constant(0.5, kind="value").with_warmup(10, start=0.1 / 0.5),
    ),
    "warmup_cosine_decay_schedule": (
        optax.warmup_cosine_decay_schedule(0.1, 0.5, 10, 40, 0.05, 1.3),
        warmup_cosine(0.1, 0.5, 10, 40, 0.05, 1.3),
    ),
    "warmup_exponential_decay_schedule": (
        optax.warmup_exponential_decay_schedule(0.1, 0.5, 10, 8, 0.6, 3, True, 0.1),
        ExponentialDecay(8, 0.6, True, 3, 0.1 / 0.5).with_warmup(10, start=0.1 / 0.5) * 0.5,
    ),
    "sgdr_schedule": (
        optax.sgdr_schedule(
            [
                dict(init_value=0.0, peak_value=0.5, warmup_steps=5, decay_steps=20, end_value=0.1),
                dict(init_value=0.1, peak_value=0.3, warmup_steps=0, decay_steps=25, end_value=0.0),
            ]
        ),
        warmup_cosine(0.0, 0.5, 5, 20, 0.1).then(warmup_cosine(0.1, 0.3, 0, 25)),
    ),
    "join_schedules": (
        optax.join_schedules(
            [optax.constant_schedule(0.3), optax.linear_schedule(0.5, 0.1, 9), optax.constant_schedule(0.2)],
            [7, 20],
        ),
        Constant(0.3).then(Linear(9, 0.5, 0.1), at=7).then(Constant(0.2), at=20),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_values(name):
    theirs, ours = PAIRS[name]
    expected = np.array([float(theirs(step)) for step in STEPS.tolist()])
    # a few roundings of numbers up to 1 in another order
    np.testing.assert_allclose(ours(STEPS), expected, rtol=2e-15, atol=2e-16)
    assert [ours(step) for step in STEPS.tolist()] == pytest.approx(expected.tolist(), rel=2e-15, abs=2e-16)


def test_a_line_of_no_length_is_at_its_end_here_and_at_its_start_there():
    assert float(optax.linear_schedule(0.5, 0.1, 0)(3)) == 0.5
    assert Linear(0, 0.5, 0.1)(3) == 0.1
