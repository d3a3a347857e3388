"""Every optimizer and every scheduler goes on from a checkpoint with the same bits."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

import genesis
from genesis import nn, optim
from genesis.optim import lr_scheduler

STEPS, STOP = 9, 4
WARM = {"num_warmup_steps": 2, "num_training_steps": 12}

#: what a scheduler needs beside the optimizer; others need nothing, or what GENERAL has
OPTIONS: dict[str, Any] = {
    "ChainedScheduler": {},  # made by hand below
    "ConstantUntil": {"factor": 0.5, "steps": 4},
    "CosineAnnealingLR": {"T_max": 7},
    "CosineAnnealingWarmRestarts": {"T_0": 3},
    "CosineRestarts": {"first": 3},
    "CosineWave": {"half_period": 3},
    "CyclicLR": {"base_lr": 0.001, "max_lr": 0.01, "step_size_up": 3, "mode": "exp_range", "gamma": 0.9},
    "Cycles": {"part": optim.Linear(1.0, 0.1, 3)},
    "Exponential": {"gamma": 0.9},
    "ExponentialDecay": {"steps": 3, "rate": 0.5},
    "ExponentialLR": {"gamma": 0.9},
    "FromFunction": {"function": math.exp},
    "InverseSqrt": {"timescale": 3},
    "InverseTime": {"steps": 3, "rate": 0.5},
    "LambdaLR": {"lr_lambda": lambda step: 1 / (1 + step)},
    "MultiStep": {"milestones": [2, 5]},
    "MultiStepLR": {"milestones": [2, 5, 5]},
    "MultiplicativeLR": {"lr_lambda": lambda step: 0.9},
    "Noam": {"model_size": 16, "warmup_steps": 4},
    "Noise": {"part": optim.Exponential(0.9)},
    "OneCycle": {"max_lr": 0.1, "total_steps": 12},
    "OneCycleLR": {"max_lr": 0.1, "total_steps": 12},
    "Piecewise": {"boundaries": [3, 6], "levels": [1.0, 0.5, 0.2]},
    "SWALR": {"swa_lr": 0.01, "anneal_epochs": 6},
    "SequentialLR": {},  # made by hand below
    "Skip": {"part": optim.Exponential(0.9), "steps": 2},
    "Step": {"step_size": 3},
    "StepLR": {"step_size": 3},
    "TriStage": {"warmup_steps": 3, "hold_steps": 3, "decay_steps": 3},
    "Triangular": {"low": 0.1, "high": 1.0, "step_size_up": 3},
    "WSD": {"steps": 9, "decay_steps": 3, "warmup_steps": 2},
    "cosine_warmup_with_min_lr": {**WARM, "min_lr": 0.001},
    "cosine_with_min_lr": {**WARM, "min_lr": 0.001},
}
GENERAL: tuple[dict[str, Any], ...] = (
    {}, WARM, {"num_warmup_steps": 2}, {"total_steps": 12}, {"steps": 6}, {"num_training_steps": 12},
    {"num_warmup_steps": 2, "num_decay_steps": 3, "num_stable_steps": 3},
    {"num_warmup_steps": 2, "num_decay_steps": 3, "num_training_steps": 12},
)  # fmt: skip


def scheduler_of(name: str, optimizer: Any) -> Any:
    if name in ("SequentialLR", "ChainedScheduler"):
        parts = [lr_scheduler.LinearLR(optimizer, total_iters=3), lr_scheduler.MultiStepLR(optimizer, [2, 3])]
        if name == "ChainedScheduler":
            return lr_scheduler.ChainedScheduler(parts)
        return lr_scheduler.SequentialLR(optimizer, parts, [3])
    if name in OPTIONS:
        return optim.create_scheduler(name, optimizer, **OPTIONS[name])
    for options in GENERAL:
        try:
            return optim.create_scheduler(name, optimizer, **options)
        except TypeError as error:
            wrong = error
    raise wrong


class Training:
    def __init__(self, optimizer: str, scheduler: str) -> None:
        genesis.manual_seed(0)
        self.model = nn.Sequential(nn.Linear(4, 6), nn.Dropout(0.3), nn.Tanh(), nn.Linear(6, 2))
        options = {"SGD": {"lr": 0.05}, "Muon": {"lr": 0.05}, "LBFGS": {"max_iter": 2}}.get(optimizer, {})
        weights = [p for p in self.model.parameters() if p.ndim == 2]
        self.optimizer = optim.create_optimizer(optimizer, weights, **options)
        self.scheduler = scheduler_of(scheduler, self.optimizer)
        self.metric = scheduler in ("Plateau", "ReduceLROnPlateau", "reduce_on_plateau", "greedy", "GreedyLR")

    def loss(self) -> Any:
        self.optimizer.zero_grad()
        loss = nn.functional.mse_loss(self.model(self.x), self.y)
        loss.backward()
        return loss

    def steps(self, count: int) -> None:
        for _ in range(count):
            self.x, self.y = genesis.randn(8, 4), genesis.randn(8, 2)
            loss = self.optimizer.step(self.loss)
            self.scheduler.step(*([float(loss)] if self.metric else []))

    def state(self) -> dict[str, Any]:
        parts = {name: getattr(self, name).state_dict() for name in ("model", "optimizer", "scheduler")}
        return {**parts, "random": genesis.get_rng_state()}

    def restore(self, state: Any) -> None:
        for name in ("model", "optimizer", "scheduler"):
            getattr(self, name).load_state_dict(state[name])
        genesis.set_rng_state(state["random"])

    def bits(self) -> Any:
        rates = [group["lr"] for group in self.optimizer.param_groups]
        return [p.detach().numpy().tobytes() for p in self.model.parameters()], rates


PAIRS = [(str(name), "StepLR") for name in genesis.list_optimizers()]
PAIRS += [("SGD", str(name)) for name in genesis.list_schedulers()]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("optimizer", "scheduler"), PAIRS)
def test_goes_on_with_the_same_bits(tmp_path: Path, optimizer: str, scheduler: str) -> None:
    alone = Training(optimizer, scheduler)
    alone.steps(STEPS)
    first = Training(optimizer, scheduler)
    first.steps(STOP)
    genesis.save_checkpoint(first.state(), tmp_path / "a.ckpt")
    second = Training(optimizer, scheduler)
    genesis.manual_seed(5)
    second.restore(genesis.load_checkpoint(tmp_path / "a.ckpt"))
    second.steps(STEPS - STOP)
    assert second.bits() == alone.bits()
