"""Shapes side by side with the schedules of keras 3.15.1: how to write each of its classes here.

Each pair is what a user of keras writes and what gives the same values here. keras computes in single
precision.
"""

from __future__ import annotations

import importlib
import os

import numpy as np
import pytest

from genesis_schedulers.cosine import Cosine, CosineRestarts
from genesis_schedulers.curves import Piecewise
from genesis_schedulers.decay import ExponentialDecay, Polynomial
from genesis_schedulers.inverse import InverseTime

os.environ.setdefault("KERAS_BACKEND", "numpy")
keras = importlib.import_module("keras")
theirs = keras.optimizers.schedules

pytestmark = pytest.mark.parity

STEPS = np.arange(70)


def pairs(a, b, n, p):
    """Each class of keras with a rate a, another rate b, n steps and an exponent or ratio p."""
    return {
        "ExponentialDecay": (theirs.ExponentialDecay(a, n, p), ExponentialDecay(n, p) * a),
        "ExponentialDecay, staircase": (
            theirs.ExponentialDecay(a, n, p, staircase=True),
            ExponentialDecay(n, p, staircase=True) * a,
        ),
        # keras takes the next value after the boundary, these stairs (like optax and torch) at it
        "PiecewiseConstantDecay": (
            theirs.PiecewiseConstantDecay([n, 2 * n], [a, b, a * p]),
            Piecewise([n + 1, 2 * n + 1], [a, b, a * p], kind="value"),
        ),
        "PolynomialDecay": (theirs.PolynomialDecay(a, n, b, p), Polynomial(n, p, end_factor=b / a) * a),
        "PolynomialDecay, cycle": (
            theirs.PolynomialDecay(a, n, b, p, cycle=True),
            Polynomial(n, p, end_factor=b / a, cycle=True) * a,
        ),
        "InverseTimeDecay": (theirs.InverseTimeDecay(a, n, p), InverseTime(n, p) * a),
        "InverseTimeDecay, staircase": (
            theirs.InverseTimeDecay(a, n, p, staircase=True),
            InverseTime(n, p, staircase=True) * a,
        ),
        "CosineDecay": (theirs.CosineDecay(a, n, alpha=0.1), Cosine(n, 0.1) * a),
        "CosineDecay, warmup": (
            theirs.CosineDecay(b, n, alpha=0.1, warmup_target=a, warmup_steps=10),
            Cosine(n, 0.1).with_warmup(10, start=b / a) * a,
        ),
        "CosineDecayRestarts": (theirs.CosineDecayRestarts(a, n), CosineRestarts(n, mul=2.0) * a),
        "CosineDecayRestarts, lower each time": (
            theirs.CosineDecayRestarts(a, n, t_mul=1.5, m_mul=p, alpha=0.1),
            CosineRestarts(n, mul=1.5, decay=p, end_factor=0.1) * a,
        ),
        "CosineDecayRestarts, of one length": (
            theirs.CosineDecayRestarts(a, n, t_mul=1.0, m_mul=p),
            CosineRestarts(n, decay=p) * a,
        ),
    }


@pytest.mark.parametrize(
    ("a", "b", "n", "p"), [(0.5, 0.1, 16, 0.6), (1e-3, 0.0, 9, 1.5), (0.1, 0.3, 32, 2.0)]
)
@pytest.mark.parametrize("name", pairs(1.0, 0.5, 1, 0.5))
def test_values(name, a, b, n, p):
    schedule, ours = pairs(a, b, n, p)[name]
    expected = np.array([float(schedule(step)) for step in STEPS.tolist()])
    # keras rounds to single precision after each operation: about 1e-7 of the numbers, a few times
    np.testing.assert_allclose(ours(STEPS), expected, rtol=2e-6, atol=1e-6 * a)
