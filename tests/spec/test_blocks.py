"""The specification runs, word for word: every code block, with what it takes for granted around it.

The text itself is no part of this project; `conftest.py` finds it. `tests/unit/test_schedule_behaviour.py`
holds the same behaviours for those who have only the clone.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import math
import re
import sys
from itertools import pairwise
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import genesis
from genesis import nn, optim


class Regression(nn.Module):
    """A model that gives its own loss for a batch."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 1)

    def forward(self, batch):
        return (self.linear(batch) ** 2).mean()


def granted() -> dict[str, Any]:
    """What the document takes for granted: model, data, optimizer, training step; small, to be fast."""
    genesis.manual_seed(0)
    model = Regression()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    batch = genesis.randn(8, 4)

    def train_step(model, batch):
        optimizer.zero_grad()
        loss = model(batch)
        loss.backward()
        optimizer.step()
        return loss.item()

    def train_one_epoch(model, dataloader, optimizer):
        optimizer.zero_grad()
        loss = (model(genesis.ones(2, 10)) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss.item()

    return {
        "genesis": genesis,
        "nn": nn,
        "optim": optim,
        "math": math,
        "model": model,
        "optimizer": optimizer,
        "batch": batch,
        "dataloader": [batch, batch],
        "train_loader": [(genesis.randn(2, 784), genesis.tensor([1, 7]))] * 101,
        "num_epochs": 1,
        "train_step": train_step,
        "train_one_epoch": train_one_epoch,
    }


def rates(namespace: dict[str, Any], *steps: int) -> list[float]:
    """The rates of the block's scheduler at some steps, as multiples of the base rate."""
    scheduler = namespace["scheduler"]
    (base,) = scheduler.base_lrs
    return [scheduler.value_at(step)[0] / base for step in steps]


# What the document takes for granted in one block only.


def before_checkpoint(given: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    scheduler = optim.LambdaLR(given["optimizer"], lambda epoch: 0.5**epoch)
    given["loss"] = given["model"](given["batch"])
    given["loss"].backward()
    given["optimizer"].step()
    scheduler.step()
    given.update(scheduler=scheduler, epoch=1)


def before_range_test(given: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for group in given["optimizer"].param_groups:
        group["lr"] = 1e-7


def before_migration(given: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch's scheduler needs torch's optimizer, which ours drives too; without torch a stand-in does."""
    if importlib.util.find_spec("torch") is not None:
        import torch

        given["optimizer"] = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1)
        return
    torch_module, torch_optim = ModuleType("torch"), ModuleType("torch.optim")
    vars(torch_optim)["lr_scheduler"] = SimpleNamespace(CosineAnnealingLR=lambda optimizer, T_max: None)
    vars(torch_module)["optim"] = torch_optim
    monkeypatch.setitem(sys.modules, "torch", torch_module)
    monkeypatch.setitem(sys.modules, "torch.optim", torch_optim)


# What a reader of the document would see after one block has run: the namespace, and what was printed.


def after_lambda_lr(after: dict[str, Any], out: str) -> None:
    lines = [f"Epoch {epoch}: lr={[0.001 * 0.95 ** ((epoch + 1) // 10)]}" for epoch in range(100)]
    assert out.splitlines() == lines


def after_cosine(after: dict[str, Any], out: str) -> None:
    assert isinstance(after["scheduler"], optim.LambdaLR)
    assert out.splitlines() == ["Step 100: lr=0.000005", "Step 200: lr=0.000010"]
    assert rates(after, 0, 5000, 10_000, 55_000, 100_000) == pytest.approx([0, 0.5, 1, 0.5, 0], abs=1e-12)


def after_exponential(after: dict[str, Any], out: str) -> None:
    assert rates(after, 0, 1, 10) == pytest.approx([1, 0.95, 0.95**10])


def after_step_decay(after: dict[str, Any], out: str) -> None:
    assert rates(after, 0, 29, 30, 60) == pytest.approx([1, 1, 0.5, 0.25])


def after_polynomial(after: dict[str, Any], out: str) -> None:
    assert rates(after, 0, 50, 100) == pytest.approx([1, 0.5**0.9, 0])


def after_restarts(after: dict[str, Any], out: str) -> None:
    assert rates(after, 0, 25, 50, 75) == pytest.approx([1, 0.5, 1, 0.5])


def after_training_loop(after: dict[str, Any], out: str) -> None:
    first, second = out.splitlines()
    number = r"\d+\.\d{4}"
    assert re.fullmatch(rf"Epoch: 0, Batch: 0, LR: 0\.000001, Loss: {number}", first)
    assert re.fullmatch(rf"Epoch: 0, Batch: 100, LR: 0\.000101, Loss: {number}", second)


def after_checkpoint(after: dict[str, Any], out: str) -> None:
    assert after["checkpoint"]["epoch"] == 1
    assert after["scheduler"].get_last_lr() == [0.05]
    fresh = granted()
    genesis.manual_seed(1)
    fresh["model"].load_state_dict(Regression().state_dict())
    scheduler = optim.LambdaLR(fresh["optimizer"], lambda epoch: 0.5**epoch)
    saved = genesis.load_checkpoint("checkpoint.pth")
    fresh["model"].load_state_dict(saved["model_state_dict"])
    fresh["optimizer"].load_state_dict(saved["optimizer_state_dict"])
    scheduler.load_state_dict(saved["scheduler_state_dict"])
    assert scheduler.get_last_lr() == [0.05]
    assert fresh["optimizer"].param_groups[0]["lr"] == 0.05
    for mine, theirs in zip(fresh["model"].parameters(), after["model"].parameters(), strict=True):
        assert mine.tolist() == theirs.tolist()


def after_transformer(after: dict[str, Any], out: str) -> None:
    peak = 4000**-0.5 * 512**-0.5
    assert rates(after, 0, 2000, 4000, 16_000) == pytest.approx([0, peak / 2, peak, peak / 2])


def after_range_test(after: dict[str, Any], out: str) -> None:
    lrs, losses = after["lr_range_test"](after["model"], after["optimizer"])
    assert len(lrs) == len(losses) > 70  # a quadratic diverges where the rate nears 1: after 70 of 100 steps
    assert lrs[0] == pytest.approx([1e-7])
    for before, now in pairwise(lrs):
        assert now[0] / before[0] == pytest.approx(10**0.08)
    assert losses[-1] > 4 * min(losses) or len(losses) == 100


def after_migration(after: dict[str, Any], out: str) -> None:
    assert isinstance(after["scheduler"], optim.LambdaLR)
    assert rates(after, 0, 50, 100) == pytest.approx([1, 0.5, 0])


def nothing(*_: Any) -> None:
    """For blocks that need no more than is granted, or that only declare something."""


BLOCKS = {
    "LambdaLR 1": (nothing, nothing),
    "LambdaLR 2": (nothing, after_lambda_lr),
    "Cosine Annealing with Warmup 1": (nothing, nothing),
    "Cosine Annealing with Warmup 2": (nothing, after_cosine),
    "step() 1": (nothing, nothing),
    "get_last_lr() 1": (nothing, nothing),
    "state_dict() 1": (nothing, nothing),
    "load_state_dict() 1": (nothing, nothing),
    "Exponential Decay 1": (nothing, after_exponential),
    "Step Decay 1": (nothing, after_step_decay),
    "Polynomial Decay 1": (nothing, after_polynomial),
    "Cosine with Restarts 1": (nothing, after_restarts),
    "Basic Training Loop 1": (nothing, after_training_loop),
    "Checkpoint Integration 1": (before_checkpoint, after_checkpoint),
    "Transformer Training Schedule 1": (nothing, after_transformer),
    "Learning Rate Range Test 1": (before_range_test, after_range_test),
    "Migration from PyTorch 1": (before_migration, after_migration),
}


def test_the_specification_has_exactly_these_17_blocks(blocks):
    assert list(blocks) == list(BLOCKS)
    assert len(blocks) == 17


@pytest.mark.parametrize("name", BLOCKS)
def test_block_runs(name, blocks, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before, after = BLOCKS[name]
    namespace = granted()
    before(namespace, monkeypatch)
    exec(compile(blocks[name], f"<specification: {name}>", "exec"), namespace)
    after(namespace, capsys.readouterr().out)


DECLARED = {
    "LambdaLR 1": ("__init__", lambda: optim.LambdaLR.__init__),
    "Cosine Annealing with Warmup 1": (
        "get_cosine_schedule_with_warmup",
        lambda: optim.get_cosine_schedule_with_warmup,
    ),
    "step() 1": ("step", lambda: optim.LambdaLR.step),
    "get_last_lr() 1": ("get_last_lr", lambda: optim.LambdaLR.get_last_lr),
    "state_dict() 1": ("state_dict", lambda: optim.LambdaLR.state_dict),
    "load_state_dict() 1": ("load_state_dict", lambda: optim.LambdaLR.load_state_dict),
}


@pytest.mark.parametrize("name", DECLARED)
def test_declared_signature_is_ours(name, blocks):
    function_name, ours = DECLARED[name]
    (declared,) = (
        node
        for node in ast.walk(ast.parse(blocks[name]))
        if isinstance(node, ast.FunctionDef) and node.name == function_name
    )
    names = [argument.arg for argument in declared.args.args]
    defaults = [ast.literal_eval(default) for default in declared.args.defaults]
    parameters = list(inspect.signature(ours()).parameters.values())
    assert [parameter.name for parameter in parameters[: len(names)]] == names
    required = len(names) - len(defaults)
    expected = [inspect.Parameter.empty] * required + defaults
    assert [parameter.default for parameter in parameters[: len(names)]] == expected
    assert all(parameter.default is not inspect.Parameter.empty for parameter in parameters[len(names) :])
