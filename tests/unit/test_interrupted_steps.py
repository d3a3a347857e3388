"""A Ctrl-C in any line of an optimizer's step: the training can go on, and its state can be saved."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import pytest

import genesis
from genesis import nn, optim

PLACE = "genesis_optimizers"
NAMES = [
    found
    for found in genesis.list_optimizers()
    if found.target.startswith(f"{PLACE}.") and found != "LBFGS"  # takes a closure
]


def training(name: str) -> tuple[Any, Any]:
    genesis.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2, bias=False))
    params = [p for p in model.parameters() if name != "Muon" or p.dim() == 2]
    return model, getattr(optim, name)(params, lr=0.01)


def gradients(model: Any) -> None:
    model.zero_grad()
    model(genesis.ones(2, 3)).square().sum().backward()


def interrupted_at(step: Any, wanted: int) -> bool:
    """Whether the step had that many lines; it was interrupted there."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        if PLACE not in frame.f_code.co_filename:
            return None
        if event == "line":
            count += 1
            if count == wanted:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        step()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.parametrize("name", NAMES)
def test_a_step_that_was_interrupted(name: str) -> None:
    lines, going = 0, True
    while going:
        lines += 1
        model, optimizer = training(name)
        gradients(model)
        going = interrupted_at(optimizer.step, lines)
        genesis.set_grad_enabled(True)  # as docs/reliability.md says: the end of a no_grad() may be cut off
        saved = optimizer.state_dict()
        for _ in range(2):
            gradients(model)
            optimizer.step()
        assert all(p.isfinite().all() for p in model.parameters())
        other = training(name)[1]
        other.load_state_dict(saved)
        other.load_state_dict(optimizer.state_dict())
    assert lines > 5
