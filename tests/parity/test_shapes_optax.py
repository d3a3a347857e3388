"""Shapes side by side with the schedules of optax 0.2.8: how to write each of its functions here.

Each pair is what a user of optax writes and what gives the same values here, as factors times a base rate or
as rates (`kind="value"`). Both are computed in double precision.
"""

from __future__ import annotations

import itertools
import operator

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


def piecewise(first, boundaries_and_scales, between):
    """The levels that optax's scales lead to, one after another."""
    levels = list(itertools.accumulate([first, *boundaries_and_scales.values()], operator.mul))
    return Piecewise(list(boundaries_and_scales), levels, between, kind="value")


def warmup_cosine(init, peak, warmup, total, end=0.0, exponent=1.0):
    return Cosine(total - warmup, end / peak, exponent).with_warmup(warmup, start=init / peak) * peak


def pairs(a, b, n, p):
    """Each function of optax with a rate a, another rate b, n steps and an exponent or ratio p."""
    scales = {n: 0.5, 2 * n + 1: p, 3 * n + 1: 3.0}
    stages = [
        dict(init_value=0.0, peak_value=a, warmup_steps=n, decay_steps=3 * n, end_value=b),
        dict(init_value=b, peak_value=a / 2, warmup_steps=0, decay_steps=2 * n, end_value=0.0),
    ]
    parts = [optax.constant_schedule(a), optax.linear_schedule(a, b, n), optax.constant_schedule(b)]
    # What optax keeps from passing: the least value of a falling rate, the largest of a growing one.
    bound = a * (0.3 if p < 1 else 1.7)
    start, third = int(0.3 * 10 * n), int(0.85 * 10 * n)
    return {
        "constant_schedule": (optax.constant_schedule(a), Constant(a, kind="value")),
        "linear_schedule": (optax.linear_schedule(a, b, n), Linear(n, a, b, kind="value")),
        "linear_schedule, begin": (
            optax.linear_schedule(a, b, n, transition_begin=7),
            Constant(a, kind="value").then(Linear(n, a, b, kind="value"), at=7),
        ),
        "polynomial_schedule": (
            optax.polynomial_schedule(a, b, p, n),
            Polynomial(n, p, end_factor=b / a) * a,
        ),
        "polynomial_schedule, begin": (
            optax.polynomial_schedule(a, b, p, n, transition_begin=7),
            Constant(1.0).then(Polynomial(n, p, end_factor=b / a), at=7) * a,
        ),
        "piecewise_constant_schedule": (
            optax.piecewise_constant_schedule(a, scales),
            piecewise(a, scales, "constant"),
        ),
        "piecewise_interpolate_schedule, linear": (
            optax.piecewise_interpolate_schedule("linear", a, scales),
            piecewise(a, scales, "linear"),
        ),
        "piecewise_interpolate_schedule, cosine": (
            optax.piecewise_interpolate_schedule("cosine", a, scales),
            piecewise(a, scales, "cosine"),
        ),
        "exponential_decay": (optax.exponential_decay(a, n, p), ExponentialDecay(n, p) * a),
        "exponential_decay, all options": (
            optax.exponential_decay(a, n, p, transition_begin=4, staircase=True, end_value=bound),
            ExponentialDecay(n, p, staircase=True, begin=4, end_factor=bound / a) * a,
        ),
        "cosine_decay_schedule": (
            optax.cosine_decay_schedule(a, n, alpha=0.1, exponent=p),
            Cosine(n, 0.1, exponent=p) * a,
        ),
        "linear_onecycle_schedule": (
            optax.linear_onecycle_schedule(10 * n, a),
            Piecewise([start, third, 10 * n], [a / 25, a, a / 25, a / 25 / 1e4], "linear", kind="value"),
        ),
        "cosine_onecycle_schedule": (
            optax.cosine_onecycle_schedule(10 * n, a),
            Piecewise([start, 10 * n], [a / 25, a, a / 25 / 1e4], "cosine", kind="value"),
        ),
        "warmup_constant_schedule": (
            optax.warmup_constant_schedule(b, a, n),
            Constant(a, kind="value").with_warmup(n, start=b / a),
        ),
        "warmup_cosine_decay_schedule": (
            optax.warmup_cosine_decay_schedule(b, a, n, 4 * n, b / 2, p),
            warmup_cosine(b, a, n, 4 * n, b / 2, p),
        ),
        "warmup_exponential_decay_schedule": (
            optax.warmup_exponential_decay_schedule(b, a, n, 8, p, 3, True, bound),
            ExponentialDecay(8, p, True, 3, bound / a).with_warmup(n, start=b / a) * a,
        ),
        "sgdr_schedule": (
            optax.sgdr_schedule(stages),
            warmup_cosine(0.0, a, n, 3 * n, b).then(warmup_cosine(b, a / 2, 0, 2 * n)),
        ),
        "join_schedules": (
            optax.join_schedules(parts, [7, 20]),
            Constant(a).then(Linear(n, a, b), at=7).then(Constant(b), at=20),
        ),
    }


@pytest.mark.parametrize(
    ("a", "b", "n", "p"), [(0.5, 0.1, 20, 0.6), (1e-3, 0.0, 7, 1.5), (3.0, 0.7, 1, 0.25), (0.1, 0.3, 11, 2)]
)
@pytest.mark.parametrize("name", pairs(1.0, 0.5, 1, 0.5))
def test_values(name, a, b, n, p):
    schedule, ours = pairs(a, b, n, p)[name]
    expected = np.asarray(jax.vmap(schedule)(STEPS), dtype=np.float64)
    assert ours(STEPS).dtype == expected.dtype
    # a few roundings of numbers of order a in another order of operations
    close = {"rtol": 4e-15, "atol": 1e-15 * a}
    np.testing.assert_allclose(ours(STEPS), expected, **close)
    np.testing.assert_allclose([ours(step) for step in STEPS.tolist()], expected, **close)


def test_a_line_of_no_length_is_at_its_end_here_and_at_its_start_there():
    assert float(optax.linear_schedule(0.5, 0.1, 0)(3)) == 0.5
    assert Linear(0, 0.5, 0.1)(3) == 0.1
