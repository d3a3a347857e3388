"""Shapes side by side with the schedulers of timm 1.0.31: how to write each of its options here.

`cycle_mul`, `cycle_decay` and `cycle_limit` are `Cycles` around any shape, `warmup_prefix=True` is
`with_warmup`, a warmup without it is `Linear(...).then(Skip(...))`, and `noise_range_t` is `Noise`. Absolute
rates (lr_min, warmup_lr_init) are divided by the base rate.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import numpy as np
import pytest
import torch

from genesis_schedulers.cosine import Cosine
from genesis_schedulers.curves import Tanh
from genesis_schedulers.cycles import Cycles
from genesis_schedulers.decay import Constant, Linear, MultiStep, Polynomial, Step
from genesis_schedulers.inverse import InverseSqrt
from genesis_schedulers.noise import Noise
from genesis_schedulers.phases import WSD
from genesis_schedulers.shapes import FromFunction
from genesis_schedulers.skip import Skip

# `import timm` loads its models and torchvision, whose wheels do not fit every build of torch; its schedulers
# need neither, so they are imported from the package's folder.
_timm = ModuleType("timm")
_timm.__path__ = list(find_spec("timm").submodule_search_locations)
sys.modules["timm"] = _timm
theirs = import_module("timm.scheduler")

pytestmark = pytest.mark.parity

BASE = 0.5
STEPS = np.arange(60)


def timm_rates(cls, *args, steps=STEPS, **options):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=BASE)
    scheduler = cls(optimizer, *args, **options)
    rates = []
    for step in steps.tolist():
        scheduler.step(step)
        rates.append(optimizer.param_groups[0]["lr"])
    return np.array(rates)


def same(shape, rates, steps=STEPS):
    # a few roundings of numbers up to 1 in another order
    np.testing.assert_allclose(BASE * shape(steps), rates, rtol=4e-15, atol=1e-15)


FALLS = {
    "cosine": (theirs.CosineLRScheduler, {}, Cosine(20)),
    "cosine, k-decay": (theirs.CosineLRScheduler, {"k_decay": 1.7}, Cosine(20, k_decay=1.7)),
    "tanh": (theirs.TanhLRScheduler, {}, Tanh(20)),
    "tanh, bounds": (theirs.TanhLRScheduler, {"lb": -6.0, "ub": 2.0}, Tanh(20, -6.0, 2.0)),
    "poly": (theirs.PolyLRScheduler, {}, Polynomial(20, power=0.5)),
    "poly, k-decay": (
        theirs.PolyLRScheduler,
        {"power": 1.5, "k_decay": 0.6},
        Polynomial(20, power=1.5, k_decay=0.6),
    ),
}


@pytest.mark.parametrize("fall", FALLS)
@pytest.mark.parametrize(
    "cycles",
    [{}, {"decay": 0.5, "limit": 2}, {"mul": 2.0, "decay": 0.7, "limit": 2}, {"mul": 1.5, "limit": 9}],
)
@pytest.mark.parametrize("lr_min", [0.0, 0.05])
def test_falls_in_cycles(fall, cycles, lr_min):
    cls, options, part = FALLS[fall]
    cycles = {"mul": 1.0, "decay": 1.0, "limit": 1, **cycles}
    rates = timm_rates(
        cls, 20, lr_min=lr_min, **options, **{f"cycle_{name}": value for name, value in cycles.items()}
    )
    same(Cycles(part, **cycles, end_factor=lr_min / BASE), rates)


@pytest.mark.parametrize("fall", ["cosine", "poly"])
def test_a_warmup_before(fall):
    cls, options, part = FALLS[fall]
    rates = timm_rates(cls, 20, warmup_t=8, warmup_lr_init=0.05, warmup_prefix=True, **options)
    same(Cycles(part, limit=1).with_warmup(8, start=0.05 / BASE), rates)


def test_a_warmup_before_tanh_leads_to_the_base_rate():
    """The first value of the tangent is a little below: `with_warmup` would lead there."""
    rates = timm_rates(theirs.TanhLRScheduler, 20, warmup_t=8, warmup_lr_init=0.05, warmup_prefix=True)
    same(Linear(8, 0.05 / BASE, 1.0).then(Cycles(Tanh(20), limit=1)), rates)


@pytest.mark.parametrize("fall", ["cosine", "poly"])
def test_a_warmup_over_the_first_steps(fall):
    cls, options, part = FALLS[fall]
    rates = timm_rates(cls, 20, warmup_t=8, warmup_lr_init=0.05, **options)
    same(Linear(8, 0.05 / BASE, 1.0).then(Skip(Cycles(part, limit=1), 8)), rates)


def test_a_warmup_over_the_first_steps_of_tanh_leads_to_its_value_there():
    rates = timm_rates(theirs.TanhLRScheduler, 20, warmup_t=8, warmup_lr_init=0.05)
    tanh = Cycles(Tanh(20), limit=1)
    same(Linear(8, 0.05 / BASE, tanh(8)).then(Skip(tanh, 8)), rates)


def test_stairs():
    rates = timm_rates(theirs.StepLRScheduler, 7, decay_rate=0.6, warmup_t=5, warmup_lr_init=0.05)
    same(Step(7, gamma=0.6).with_warmup(5, start=0.05 / BASE), rates)


def test_milestones_that_apply_one_step_before():
    rates = timm_rates(theirs.MultiStepLRScheduler, [10, 25, 40], decay_rate=0.6)
    same(MultiStep([10 - 1, 25 - 1, 40 - 1], gamma=0.6), rates)


DECAYS = {
    "1-sqrt": {"decay": "1-sqrt"},
    "linear": {"decay": "linear"},
    "cosine": {"decay": "cosine"},
    "power": {"decay": "power", "decay_power": 2.0},
    "exp": {"decay": "exp", "decay_ratio": 0.2},
}
STABLE = {
    "constant": ({}, None),
    "rsqrt": ({"stable_fn": "rsqrt"}, InverseSqrt(6)),
    "power": ({"stable_fn": "power", "stable_power": 0.8, "stable_timescale": 9}, InverseSqrt(9, power=0.8)),
}


@pytest.mark.parametrize("decay", DECAYS)
@pytest.mark.parametrize("stable", STABLE)
@pytest.mark.parametrize("lr_min", [0.0, 0.3])
def test_warmup_stable_decay(decay, stable, lr_min):
    ours = DECAYS[decay]
    options, part = STABLE[stable]
    rates = timm_rates(
        theirs.WSDLRScheduler, 40, 12, lr_min=lr_min, warmup_t=6, warmup_lr_init=0.05, decay_fn=decay,
        **{name: value for name, value in ours.items() if name != "decay"}, **options,
    )  # fmt: skip
    shape = WSD(46, 12, 6, **ours, stable=part, start_factor=0.05 / BASE, end_factor=lr_min / BASE)
    same(shape, rates)


def test_a_decay_of_ones_own():
    rates = timm_rates(theirs.WSDLRScheduler, 40, 12, decay_fn=lambda p: (1 - p) ** 3)
    same(Constant().then(FromFunction(lambda step: (1 - min(step, 12) / 12) ** 3), at=28), rates)


@pytest.mark.parametrize("seed", [0, 42, 2**32 - 10])
@pytest.mark.parametrize("options", [{}, {"noise_std": 0.3, "noise_pct": 0.2}, {"noise_std": 2.0}])
def test_noise_is_the_same_to_the_last_digit(seed, options):
    rates = timm_rates(theirs.CosineLRScheduler, 50, noise_range_t=(10, 40), noise_seed=seed, **options)
    ours = {name.removeprefix("noise_").replace("pct", "limit"): value for name, value in options.items()}
    same(Noise(Cosine(50), first=10, last=40, seed=seed, **ours), rates)


def test_uniform_noise():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=BASE)
    scheduler = theirs.StepLRScheduler(optimizer, 7, 0.6, noise_range_t=5)
    scheduler.noise_type = "uniform"  # its constructor has no option for it
    rates = []
    for step in STEPS.tolist():
        scheduler.step(step)
        rates.append(optimizer.param_groups[0]["lr"])
    same(Noise(Step(7, gamma=0.6), first=5, distribution="uniform"), np.array(rates))
