"""The kit for schedules on PyTorch's optimizers: one schedule of each kind, ours driving theirs."""

from __future__ import annotations

from typing import Any

import pytest

from genesis import optim
from genesis.testing import Check, check_scheduler

pytestmark = pytest.mark.parity


def warmup_then_plateau(optimizer: Any) -> Any:
    plateau = optim.ReduceLROnPlateau(optimizer, patience=1, factor=0.5)
    warmup = optim.LinearLR(optimizer, 0.1, total_iters=3)
    return optim.SequentialLR(optimizer, [warmup, plateau], milestones=[3])


SUBJECTS: list[tuple[Any, Any]] = [
    ("Cosine", {"steps": 9}),
    ("LambdaLR", {"lr_lambda": lambda step: 0.9**step}),
    ("StepLR", {"step_size": 3}),
    ("CosineAnnealingLR", {"T_max": 5, "eta_min": 0.02}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 20}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.5, "step_size_up": 3}),
    ("MultiplicativeLR", {"lr_lambda": lambda step: 0.9}),
    ("SWALR", {"swa_lr": 0.05, "anneal_epochs": 4}),
    ("ReduceLROnPlateau", {"patience": 1}),
    ("GreedyLR", {"patience": 1, "min_lr": 0.01}),
    ("cosine_with_warmup", {"num_warmup_steps": 3, "num_training_steps": 11}),
    (optim.Linear(8).with_warmup(3).clip_rate(low=0.02), None),
    (warmup_then_plateau, None),
]


def torchs(subject: Any, options: Any) -> list[Any]:
    """The checks that need PyTorch; tests/conformance asks the others."""
    name = getattr(subject, "__name__", str(subject))
    asked = check_scheduler(subject, options, torch=True)
    return [pytest.param(check, id=f"{name}-{check.name}") for check in asked if "torch" in check.name]


@pytest.mark.parametrize("check", [each for subject in SUBJECTS for each in torchs(*subject)])
def test_on_optimizers_of_torch(check: Check) -> None:
    check()
