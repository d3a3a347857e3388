"""What holds for every shape of the built-in schedules: one list of instances, the same questions to each."""

from __future__ import annotations

import doctest
import importlib
import json
import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from genesis.optim import Schedule
from genesis.testing import check_scheduler
from genesis_schedulers.cosine import Cosine, CosineRestarts, CosineWave
from genesis_schedulers.curves import REX, Piecewise, Tanh
from genesis_schedulers.cycles import Cycles
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

MODULES = ("cosine", "curves", "cycles", "cyclic", "decay", "inverse", "noise", "phases", "skip")

SHAPES = [
    Constant(),
    Constant(3, kind="value"),
    ConstantUntil(0.25, 7),
    ConstantUntil(0.25, 0),
    Linear(13),
    Linear(0, 0.5, 0.25),
    Linear(12.5, 0.1, 1 / 3, end="repeat"),
    Polynomial(10, power=2),
    Polynomial(10, power=0.5, end_factor=0.1, cycle=True),
    Polynomial(10.5, power=1.5, end_factor=0.1, k_decay=1.7, end="repeat"),
    Exponential(0.9),
    Exponential(0),
    ExponentialDecay(3, 0.5),
    ExponentialDecay(3, 0.5, staircase=True, begin=5, end_factor=0.2),
    ExponentialDecay(3, 1.5, end_factor=4),
    Step(5),
    Step(2.5, gamma=0.5),
    MultiStep([3, 3, 8]),
    MultiStep([], gamma=0.5),
    InverseTime(4, 0.5),
    InverseTime(4, 0.5, staircase=True),
    InverseSqrt(5),
    InverseSqrt(5, power=0.7),
    Noam(512, 10, scale=2),
    Cosine(10),
    Cosine(10, end_factor=0.1, exponent=1.5, k_decay=0.5, end="repeat"),
    CosineWave(4),
    CosineRestarts(5),
    CosineRestarts(3, mul=2, decay=0.5, end_factor=0.1),
    CosineRestarts(2.5, mul=1.3),
    Cycles(Cosine(5)),
    Cycles(Polynomial(5, power=2), mul=1.5, decay=0.5, limit=3, end_factor=0.1),
    Cycles(Linear(8), mul=0.5, decay=0.9, limit=2),
    Triangular(0.1, 1.0, 5),
    Triangular(0.9, 0.8, 3, 4.5, mode="triangular2"),
    Triangular(0.1, 1.0, 3, mode="exp_range", gamma=0.9, kind="factor"),
    OneCycle(0.1, 20),
    OneCycle(0.1, 20, three_phase=True, anneal="linear"),
    OneCycle(0.1, 20, pct_start=0.0),
    OneCycle(0.1, 20, pct_start=1.0, three_phase=True),
    OneCycle(0.1, 20, pct_start=0.05, anneal="linear"),
    OneCycle(0.1, 1),
    Tanh(10),
    Tanh(10.5, lb=-6, ub=2, end_factor=0.1, end="repeat"),
    REX(10),
    REX(7.5, end_factor=0.1),
    Piecewise([3, 4.5, 9], [1.0, 0.5, 0.7, 0.1]),
    Piecewise([3, 4.5, 9], [1.0, 0.5, 0.7, 0.1], between="linear"),
    Piecewise([3, 4.5, 9], [1.0, 0.5, 0.7, 0.1], between="cosine", kind="value"),
    WSD(20, 5),
    WSD(20, 5, warmup_steps=4, decay="linear", end_factor=0.1),
    WSD(20, 5.5, warmup_steps=4, decay="cosine", start_factor=0.25),
    WSD(20, 5, decay="power", decay_power=2),
    WSD(20, 20, decay="exp", decay_ratio=0.3),
    WSD(20, 5, warmup_steps=2, stable=InverseSqrt(2), end_factor=0.5),
    TriStage(5, 3, 7),
    TriStage(0, 0, 7),
    Noise(Cosine(15), first=3, last=9, std=0.3),
    Noise(Step(5), distribution="uniform", seed=7),
    Skip(Cosine(15), 5),
    Skip(Linear(4, end="repeat"), 5.5),
]

every_shape = pytest.mark.parametrize("shape", SHAPES, ids=repr)


def last_of(shape: Schedule) -> int:
    return 40 if shape.horizon is None else shape.horizon


def test_the_list_has_every_shape_of_the_modules():
    classes = {
        value
        for module in MODULES
        for value in vars(importlib.import_module(f"genesis_schedulers.{module}")).values()
        if isinstance(value, type) and issubclass(value, Schedule) and value is not Schedule
    }
    assert classes == {type(shape) for shape in SHAPES}


@every_shape
def test_each_step_and_each_fraction_of_one_has_a_finite_plain_float(shape):
    for step in np.arange(0, last_of(shape) + 0.25, 0.25).tolist():
        value = shape.at(step)
        assert type(value) is float
        assert math.isfinite(value)


def asked_of_shapes() -> list[Any]:
    """What the kit asks of a shape itself; tests/conformance asks all that is asked of its drivers."""
    return [
        pytest.param(check, id=f"{shape!r}-{check.name}")
        for shape in SHAPES
        for check in check_scheduler(shape)
        if check.name.startswith(("values/", "end/", "object/", "compose/"))
    ]


@pytest.mark.parametrize("check", asked_of_shapes())
def test_it_passes_the_kit(check):
    check()


@every_shape
def test_its_formula_is_told(shape):
    assert shape.formula
    assert shape.explain(3).formula == shape.formula


@pytest.mark.parametrize("cls", sorted({type(shape) for shape in SHAPES}, key=lambda cls: cls.__name__))
def test_its_help_says_what_a_user_needs(cls):
    text = cls.__doc__
    for part in ("Args:", "Raises:", "Example:", *(f"{name}:" for name in cls.__match_args__)):
        assert part in text


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_are_true(module):
    result = doctest.testmod(importlib.import_module(f"genesis_schedulers.{module}"))
    assert result.attempted > 0
    assert result.failed == 0


def test_a_numpy_number_becomes_a_plain_one():
    shape = Linear(np.int64(4), np.float32(0.5))
    assert type(shape.steps) is int
    assert type(shape.start_factor) is float
    assert json.loads(json.dumps(shape.to_config()))["steps"] == 4


def test_importing_the_shapes_does_not_import_numpy():
    names = ", ".join(f"genesis_schedulers.{module}" for module in MODULES)
    code = f"import sys, {names}; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
