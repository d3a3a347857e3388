"""Every parameter of a shape that makes no sense is an error at once, which says what was expected."""

from __future__ import annotations

import math

import pytest

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

# Each class with good arguments for every number that it takes.
GOOD = {
    Constant: {"factor": 1.0},
    ConstantUntil: {"factor": 0.5, "steps": 5},
    Linear: {"steps": 5, "start_factor": 1.0, "end_factor": 0.0},
    Polynomial: {"steps": 5, "power": 1.0, "end_factor": 0.0, "k_decay": 1.0},
    Exponential: {"gamma": 0.9},
    ExponentialDecay: {"steps": 5, "rate": 0.5, "begin": 0, "end_factor": 0.1},
    Step: {"step_size": 5, "gamma": 0.1},
    MultiStep: {"milestones": [1, 2], "gamma": 0.1},
    InverseTime: {"steps": 5, "rate": 0.5},
    InverseSqrt: {"timescale": 5, "power": 0.5},
    Noam: {"model_size": 512, "warmup_steps": 10, "scale": 1.0},
    Cosine: {"steps": 5, "end_factor": 0.0, "exponent": 1.0, "k_decay": 1.0},
    CosineWave: {"half_period": 5},
    CosineRestarts: {"first": 5, "mul": 1, "decay": 1.0, "end_factor": 0.0},
    Cycles: {"part": Cosine(5), "mul": 1, "decay": 1.0, "limit": 2, "end_factor": 0.0},
    Triangular: {"low": 0.1, "high": 1.0, "step_size_up": 5, "step_size_down": 5, "gamma": 1.0},
    OneCycle: {"max_lr": 1.0, "total_steps": 10, "pct_start": 0.3, "div_factor": 2, "final_div_factor": 9},
    Tanh: {"steps": 5, "lb": -7, "ub": 3, "end_factor": 0.0},
    REX: {"steps": 5, "end_factor": 0.0},
    Piecewise: {"boundaries": [1, 2], "levels": [1, 2, 3]},
    WSD: {"steps": 9, "decay_steps": 2, "warmup_steps": 2, "end_factor": 0.0, "start_factor": 0.0,
          "decay_power": 0.5, "decay_ratio": 0.1},
    TriStage: {"warmup_steps": 1, "hold_steps": 1, "decay_steps": 1, "init_scale": 0.1, "final_scale": 0.1},
    Noise: {"part": Cosine(5), "first": 0, "last": 4, "limit": 0.67, "std": 1.0, "seed": 42},
    Skip: {"part": Cosine(5), "steps": 2},
}  # fmt: skip

NUMBERS = [(cls, name) for cls, fields in GOOD.items() for name in fields]


@pytest.mark.parametrize(("cls", "name"), NUMBERS)
@pytest.mark.parametrize("wrong", [math.nan, math.inf, True, object()], ids=["nan", "inf", "True", "object"])
def test_what_is_not_a_finite_number_is_refused_by_name(cls, name, wrong):
    good = GOOD[cls]
    cls(**good)
    listed = isinstance(good[name], list)
    with pytest.raises((TypeError, ValueError), match=cls.__name__ if name == "part" else name):
        cls(**{**good, name: [wrong, *good[name][1:]] if listed else wrong})


@pytest.mark.parametrize(
    ("cls", "change", "message"),
    [
        (ConstantUntil, {"steps": -1}, "steps must be at least 0, got -1"),
        (Linear, {"steps": -1}, "steps must be at least 0, got -1"),
        (Linear, {"steps": "10"}, "steps"),
        (Polynomial, {"steps": 0}, "steps must be above 0, got 0"),
        (Polynomial, {"power": 0}, "power must be above 0"),
        (Polynomial, {"k_decay": -1}, "k_decay must be above 0"),
        (Exponential, {"gamma": -0.5}, "gamma must be at least 0"),
        (ExponentialDecay, {"steps": 0}, "steps must be above 0"),
        (ExponentialDecay, {"rate": 0}, "rate must be above 0"),
        (ExponentialDecay, {"begin": -1}, "begin must be at least 0"),
        (ExponentialDecay, {"end_factor": 2}, "end_factor must be at most 1 with rate=0.5, got 2"),
        (ExponentialDecay, {"rate": 2, "end_factor": 0.5}, "end_factor must be at least 1 with rate=2"),
        (Step, {"step_size": 0}, "step_size must be above 0"),
        (Step, {"gamma": -1}, "gamma must be at least 0"),
        (MultiStep, {"milestones": [2, 1]}, r"milestones must be ascending, got 1 after 2 in \[2, 1\]"),
        (MultiStep, {"milestones": [-1]}, r"milestones\[0\] must be at least 0"),
        (InverseTime, {"steps": 0}, "steps must be above 0"),
        (InverseTime, {"rate": -1}, "rate must be at least 0"),
        (InverseSqrt, {"timescale": 0}, "timescale must be above 0"),
        (InverseSqrt, {"power": 0}, "power must be above 0"),
        (Noam, {"warmup_steps": 0}, "warmup_steps must be above 0"),
        (Noam, {"model_size": 0}, "model_size must be above 0"),
        (Cosine, {"steps": 0}, "steps must be above 0"),
        (Cosine, {"exponent": 0}, "exponent must be above 0"),
        (CosineWave, {"half_period": 0}, "half_period must be above 0"),
        (CosineRestarts, {"first": 0}, "first must be above 0"),
        (CosineRestarts, {"mul": 0.5}, "mul must be at least 1"),
        (CosineRestarts, {"decay": -1}, "decay must be at least 0"),
        (Cycles, {"part": Step(5)}, "needs a schedule that ends; Step.* has horizon=None"),
        (Cycles, {"part": Linear(0)}, "needs a schedule that ends; Linear.* has horizon=0"),
        (Cycles, {"mul": 0.5, "limit": None}, "mul must be at least 1"),
        (Cycles, {"mul": 0}, "mul must be above 0"),
        (Cycles, {"limit": 0}, "limit must be at least 1"),
        (Cycles, {"limit": 1.5}, "limit must be a whole number or None, got 1.5"),
        (Triangular, {"step_size_up": 0}, "step_size_up must be above 0"),
        (Triangular, {"step_size_down": 0}, "step_size_down must be above 0"),
        (Triangular, {"mode": "CATS"}, "mode must be one of .*; got 'CATS'"),
        (OneCycle, {"total_steps": 0}, "total_steps must be at least 1"),
        (OneCycle, {"total_steps": 2.5}, "total_steps must be a whole number, got 2.5"),
        (OneCycle, {"pct_start": 1.1}, "pct_start must be at most 1"),
        (OneCycle, {"anneal": "tanh"}, "anneal must be one of 'cos', 'linear'; got 'tanh'"),
        (OneCycle, {"div_factor": 0}, "div_factor must be above 0"),
        (Tanh, {"lb": 3}, "lb must be below ub, got lb=3 and ub=3"),
        (REX, {"steps": 0}, "steps must be above 0"),
        (Piecewise, {"boundaries": [], "levels": [1]}, "got 0 boundaries and 1 levels"),
        (Piecewise, {"levels": [1, 2]}, "one level more .* got 2 boundaries and 2 levels"),
        (Piecewise, {"boundaries": [0, 1]}, r"boundaries\[0\] must be above 0"),
        (Piecewise, {"boundaries": [2, 2]}, "boundaries must be strictly ascending, got 2 after 2"),
        (Piecewise, {"between": "cubic"}, "between must be one of"),
        (WSD, {"decay_steps": 0}, "decay_steps must be above 0"),
        (WSD, {"decay_steps": 8}, "warmup_steps=2 and decay_steps=8 are more than steps=9"),
        (WSD, {"warmup_steps": -1}, "warmup_steps must be at least 0"),
        (WSD, {"decay": "sqrt"}, "decay must be one of"),
        (WSD, {"decay_ratio": 1}, "decay_ratio must be below 1"),
        (WSD, {"stable": Noam(4, 4)}, "stable must give factors, not rates"),
        (TriStage, {"hold_steps": -1}, "hold_steps must be at least 0"),
        (TriStage, {"decay_steps": 0}, "decay_steps must be above 0"),
        (TriStage, {"final_scale": 0}, "final_scale must be above 0"),
        (Noise, {"first": 4}, "last must be above 4, got 4"),
        (Noise, {"limit": 0}, "limit must be above 0"),
        (Noise, {"std": 100}, "std must be at most 67"),
        (Noise, {"seed": 1.5}, "seed must be a whole number, got 1.5"),
        (Noise, {"distribution": "cauchy"}, "distribution must be one of"),
        (Skip, {"steps": -1}, "steps must be at least 0"),
        (Skip, {"steps": 6}, "steps must be at most 5, the end of Cosine.*; got 6"),
        (Linear, {"end": "stop"}, "end must be"),
        (Step, {"end": "repeat"}, "end='repeat' needs a schedule that ends"),
        (Linear, {"steps": 0, "end": "repeat"}, "end='repeat' needs a schedule that ends"),
    ],
)  # fmt: skip
def test_what_is_out_of_range_is_refused(cls, change, message):
    with pytest.raises(ValueError, match=message):
        cls(**{**GOOD[cls], **change})


@pytest.mark.parametrize(
    ("cls", "change", "message"),
    [
        (Polynomial, {"cycle": 1}, "cycle must be True or False, got int: 1"),
        (ExponentialDecay, {"staircase": "yes"}, "staircase must be True or False, got str: 'yes'"),
        (OneCycle, {"three_phase": None}, "three_phase must be True or False"),
        (MultiStep, {"milestones": 3}, "milestones must be a list of numbers, got int: 3"),
        (MultiStep, {"milestones": "12"}, "milestones must be a list of numbers, got str: '12'"),
        (Cycles, {"part": 0.5}, "Cycles is made of a Schedule, got float: 0.5"),
        (Noise, {"part": None}, "Noise is made of a Schedule, got NoneType: None"),
        (WSD, {"stable": "rsqrt"}, "stable is made of a Schedule, got str: 'rsqrt'"),
    ],
)
def test_what_has_another_type_is_refused(cls, change, message):
    with pytest.raises(TypeError, match=message):
        cls(**{**GOOD[cls], **change})
