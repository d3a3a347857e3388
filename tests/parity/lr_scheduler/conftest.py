"""Every test here runs on PyTorch first, which proves that it states the truth, and then on Genesis."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch


class Kit:
    """The schedulers of one library, for the optimizers of one library.

    A scheduler's class is an attribute: `kit.StepLR`.
    """

    def __init__(self, schedulers: str, optimizers: str) -> None:
        self.schedulers, self.optimizers = schedulers, optimizers
        self.module = importlib.import_module(f"{schedulers}.optim.lr_scheduler")
        self.library = importlib.import_module(optimizers)

    def __getattr__(self, name: str) -> Any:
        if name == "SWALR" and self.schedulers == "torch":
            return torch.optim.swa_utils.SWALR
        return getattr(self.module, name)

    def tensor(self, value: float) -> Any:
        """A tensor without dimensions, in double precision."""
        return self.library.tensor(value, dtype=self.library.float64)

    def parameter(self) -> Any:
        return self.library.ones(2, requires_grad=True)

    def optimizer(self, *rates: Any, kind: str = "SGD", **options: Any) -> Any:
        """An optimizer with a parameter group for each rate; SGD with momentum, unless said otherwise."""
        if kind == "SGD":
            options = {"momentum": 0.9, **options}
        groups = [{"params": [self.parameter()], "lr": rate} for rate in rates]
        return getattr(self.library.optim, kind)(groups, lr=rates[0], **options)

    @staticmethod
    def rates(optimizer: Any) -> list[float]:
        return [float(group["lr"]) for group in optimizer.param_groups]

    def advance(self, *schedulers: Any, metric: float = 1.0) -> None:
        """One step of the optimizer and then one of each of its schedulers."""
        schedulers[0].optimizer.step()
        for scheduler in schedulers:
            scheduler.step(*([metric] if isinstance(scheduler, self.ReduceLROnPlateau) else []))

    def trace(self, count: int, *schedulers: Any, metrics: Sequence[float] | None = None) -> np.ndarray:
        """The rates of `count` steps, an array (count, groups); `get_last_lr` must agree all along."""
        rates = []
        for number in range(count):
            rates.append(self.rates(schedulers[0].optimizer))
            last = schedulers[-1].get_last_lr()
            assert isinstance(last, list)
            assert [float(rate) for rate in last] == rates[-1]
            self.advance(*schedulers, metric=1.0 if metrics is None else metrics[number])
        return np.array(rates)

    @staticmethod
    def close(actual: Any, expected: Any) -> None:
        """Equal but for rounding.

        PyTorch computes most rates from the ones before, with an error of some 1e-16 in each of at most 100
        steps here. Near 0 these errors are relative to the first rate, which is at most 25.
        """
        np.testing.assert_allclose(actual, expected, rtol=1e-10, atol=1e-12)


KITS = [("torch", "torch"), ("genesis", "torch"), ("genesis", "genesis")]


@pytest.fixture(params=KITS, ids=["torch", "genesis", "genesis-on-genesis"])
def kit(request: pytest.FixtureRequest) -> Kit:
    return Kit(*request.param)


@pytest.fixture
def torchs() -> Kit:
    return Kit("torch", "torch")


@pytest.fixture
def ours() -> Kit:
    return Kit("genesis", "torch")


@pytest.fixture(scope="session")
def torchs_and_ours() -> tuple[Kit, Kit]:
    return Kit("torch", "torch"), Kit("genesis", "torch")


@dataclass(frozen=True)
class Case:
    """A scheduler with two sets of arguments, and the rates that the first one gives."""

    name: str
    arguments: dict[str, Any]
    others: dict[str, Any]
    rate: Callable[[int, float], float] | None = None  # (step, base rate) -> rate

    def make(self, kit: Kit, optimizer: Any, **changes: Any) -> Any:
        return getattr(kit, self.name)(optimizer, **{**self.arguments, **changes})

    def make_other(self, kit: Kit, optimizer: Any) -> Any:
        return getattr(kit, self.name)(optimizer, **self.others)

    def __str__(self) -> str:
        return f"{self.name}({', '.join(f'{k}={v}' for k, v in self.arguments.items() if k != 'lr_lambda')})"


def line(start: float, end: float, steps: int, t: int) -> float:
    return start + (end - start) * min(t, steps) / steps


def half_cosine(t: float, length: float) -> float:
    return (1 + math.cos(math.pi * t / length)) / 2


def restarting(t: float, first: int, mult: int) -> float:
    """How far a warm restart schedule has fallen at a step that need not be whole, found cycle by cycle."""
    length = first
    while t >= length:
        t, length = t - length, length * mult
    return half_cosine(t, length)


def ninety(step: int) -> float:
    return 0.9


def falling(step: int) -> float:
    return 1 / (1 + step)


CLOSED_FORM = [
    Case("StepLR", {"step_size": 3}, {"step_size": 1, "gamma": 0.3}, lambda t, b: b * 0.1 ** (t // 3)),
    Case("StepLR", {"step_size": 4, "gamma": 0.5}, {"step_size": 2}, lambda t, b: b * 0.5 ** (t // 4)),
    Case("StepLR", {"step_size": 1, "gamma": 2.0}, {"step_size": 2}, lambda t, b: b * 2.0**t),
    Case(
        "MultiStepLR",
        {"milestones": [2, 5, 9]},
        {"milestones": [1, 4, 6], "gamma": 0.3},
        lambda t, b: b * 0.1 ** sum(t >= m for m in (2, 5, 9)),
    ),
    Case(
        "MultiStepLR",
        {"milestones": (3, 3, 7), "gamma": 0.5},
        {"milestones": [1]},
        lambda t, b: b * 0.5 ** sum(t >= m for m in (3, 3, 7)),
    ),
    Case("MultiStepLR", {"milestones": []}, {"milestones": [1]}, lambda t, b: b),
    Case("ConstantLR", {}, {"factor": 0.9, "total_iters": 2}, lambda t, b: b / 3 if t < 5 else b),
    Case(
        "ConstantLR",
        {"factor": 0.5, "total_iters": 3},
        {"total_iters": 12},
        lambda t, b: b * 0.5 if t < 3 else b,
    ),
    Case("LinearLR", {}, {"start_factor": 0.2}, lambda t, b: b * line(1 / 3, 1, 5, t)),
    Case(
        "LinearLR",
        {"start_factor": 0.5, "total_iters": 4},
        {"start_factor": 0.1, "end_factor": 0.7},
        lambda t, b: b * line(0.5, 1, 4, t),
    ),
    Case(
        "LinearLR",
        {"start_factor": 1.0, "end_factor": 0.2, "total_iters": 8},
        {},
        lambda t, b: b * line(1, 0.2, 8, t),
    ),
    Case("LinearLR", {"start_factor": 0.6, "end_factor": 0.0}, {}, lambda t, b: b * line(0.6, 0, 5, t)),
    Case("ExponentialLR", {"gamma": 0.9}, {"gamma": 0.1}, lambda t, b: b * 0.9**t),
    Case("PolynomialLR", {}, {"total_iters": 9}, lambda t, b: b * (1 - min(t, 5) / 5)),
    Case(
        "PolynomialLR",
        {"total_iters": 12, "power": 0.9},
        {"power": 2.0},
        lambda t, b: b * (1 - min(t, 12) / 12) ** 0.9,
    ),
    Case("CosineAnnealingLR", {"T_max": 12}, {"T_max": 3}, lambda t, b: b * half_cosine(t, 12)),
    Case(
        "CosineAnnealingLR",
        {"T_max": 5, "eta_min": 0.01},
        {"T_max": 7, "eta_min": 0.02},
        lambda t, b: 0.01 + (b - 0.01) * half_cosine(t, 5),
    ),
]

OPEN_FORM = [
    Case("LambdaLR", {"lr_lambda": ninety}, {"lr_lambda": falling}, lambda t, b: b * 0.9),
    Case(
        "LambdaLR",
        {"lr_lambda": [falling, ninety]},
        {"lr_lambda": [ninety, ninety]},
        lambda t, b: b * 0.9 if b == 0.5 else b / (1 + t),
    ),
    Case("MultiplicativeLR", {"lr_lambda": ninety}, {"lr_lambda": falling}, lambda t, b: b * 0.9**t),
    Case(
        "MultiplicativeLR",
        {"lr_lambda": (falling, ninety)},
        {"lr_lambda": [ninety, falling]},
        lambda t, b: b * (0.9**t if b == 0.5 else 1 / math.factorial(t + 1)),
    ),
    Case(
        "CosineAnnealingWarmRestarts",
        {"T_0": 3},
        {"T_0": 5, "T_mult": 2, "eta_min": 0.001},
        lambda t, b: b * restarting(t, 3, 1),
    ),
    Case(
        "CosineAnnealingWarmRestarts",
        {"T_0": 2, "T_mult": 3, "eta_min": 0.01},
        {"T_0": 4},
        lambda t, b: 0.01 + (b - 0.01) * restarting(t, 2, 3),
    ),
    Case(
        "CyclicLR",
        {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 4, "mode": "triangular2"},
        {"base_lr": 0.2, "max_lr": 0.3, "step_size_up": 3, "step_size_down": 5, "gamma": 0.9},
        lambda t, b: 0.1 + 0.4 * (1 - abs(t % 8 / 4 - 1)) / 2 ** (t // 8),
    ),
    Case(
        "OneCycleLR",
        {"max_lr": 4.0, "total_steps": 21, "pct_start": 5 / 21, "anneal_strategy": "linear"},
        {"max_lr": [1.0, 2.0], "epochs": 3, "steps_per_epoch": 10, "three_phase": True},
        lambda t, b: line(0.16, 4, 4, t) if t <= 4 else line(4, 0.16e-4, 16, t - 4),
    ),
    Case(
        "SWALR",
        {"swa_lr": 0.1, "anneal_epochs": 4},
        {"swa_lr": [0.2, 0.3], "anneal_epochs": 5, "anneal_strategy": "linear"},
        lambda t, b: 0.1 + (b - 0.1) * half_cosine(min(t, 4), 4),
    ),
]

PLATEAU = [
    Case(
        "ReduceLROnPlateau",
        {"patience": 2},
        {
            "mode": "max",
            "factor": 0.5,
            "patience": 10,
            "threshold": 1e-3,
            "threshold_mode": "abs",
            "cooldown": 5,
        },
    )
]

CHAINABLE = {
    *("StepLR", "MultiStepLR", "ConstantLR", "LinearLR", "ExponentialLR", "PolynomialLR", "MultiplicativeLR"),
    "CosineAnnealingLR",
}


@pytest.fixture(params=CLOSED_FORM, ids=str)
def closed_form(request: pytest.FixtureRequest) -> Case:
    """A scheduler that has `_get_closed_form_lr`."""
    case: Case = request.param
    return case


@pytest.fixture(params=[*CLOSED_FORM, *OPEN_FORM], ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    """A scheduler that is a function of the step."""
    case: Case = request.param
    return case


@pytest.fixture(params=[*CLOSED_FORM, *OPEN_FORM, *PLATEAU], ids=str)
def any_case(request: pytest.FixtureRequest) -> Case:
    """A scheduler of any class but the composites."""
    case: Case = request.param
    return case


@pytest.fixture(
    params=sorted({c.name: c for c in (*CLOSED_FORM, *OPEN_FORM, *PLATEAU)}.items()), ids=lambda p: p[0]
)
def each_class(request: pytest.FixtureRequest) -> Case:
    """One scheduler of each class but the composites."""
    case: Case = request.param[1]
    return case


#: A scheduler of each class whose rates multiply with those of another, for rates as of 12 steps.
MULTIPLYING = [
    case
    for case in (*CLOSED_FORM, *OPEN_FORM)
    if case.name in CHAINABLE and not case.arguments.get("eta_min") and case.arguments != {"gamma": 2.0}
]


@pytest.fixture(params=MULTIPLYING, ids=str)
def one(request: pytest.FixtureRequest) -> Case:
    case: Case = request.param
    return case


@pytest.fixture(params=MULTIPLYING[::2], ids=str)
def other(request: pytest.FixtureRequest) -> Case:
    case: Case = request.param
    return case


#: PyTorch resumes these wrongly with `last_epoch`; test_better_than_torch.py has them.
RESUMED_WRONGLY = {"StepLR", "MultiStepLR", "ConstantLR", "SWALR"}
RESUMABLE = [
    case
    for case in (*CLOSED_FORM, *OPEN_FORM)
    if case.name not in RESUMED_WRONGLY and case.arguments.get("T_mult", 1) == 1
]


@pytest.fixture(params=RESUMABLE, ids=str)
def resumable(request: pytest.FixtureRequest) -> Case:
    case: Case = request.param
    return case


@pytest.fixture(params=["chained", "sequential", "chained in sequential"])
def composite(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """A function (kit, optimizer, factor=0.5) that makes a scheduler out of others."""

    def make(kit: Kit, optimizer: Any, factor: float = 0.5) -> Any:
        if request.param == "sequential":
            parts = [kit.ConstantLR(optimizer, factor, 2), kit.ExponentialLR(optimizer, factor)]
            return kit.SequentialLR(optimizer, parts, milestones=[3])
        chain = kit.ChainedScheduler(
            [kit.StepLR(optimizer, 2, factor), kit.LinearLR(optimizer, factor, 1.0, 4)]
        )
        if request.param == "chained":
            return chain
        optimizer.step()  # PyTorch takes the construction for a step, and warns without this
        return kit.SequentialLR(optimizer, [chain, kit.ExponentialLR(optimizer, factor)], milestones=[2])

    return make
