"""Lion: the kit's questions, with the algorithm of the paper as the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from genesis_lion.lion import Lion

import genesis
from genesis.testing import Check, check_optimizer, check_plugin, parametrize


def reference(
    param: Any, grad: Any, state: Any, step: int, lr: Any, betas: Any, weight_decay: Any, maximize: Any
) -> Any:
    """Algorithm 2 of the paper, on arrays."""
    grad = -grad if maximize else grad
    momentum = state.get("m", np.zeros_like(param))
    update = np.sign(betas[0] * momentum + (1 - betas[0]) * grad)
    state["m"] = betas[1] * momentum + (1 - betas[1]) * grad
    return param - lr * (update + weight_decay * param)


OPTIONS: list[dict[str, Any]] = [
    {},
    {"lr": 0.01, "betas": (0.95, 0.98), "weight_decay": 0.5},
    {"lr": 0.01, "maximize": True},
]


@parametrize(check_optimizer("genesis-lion:Lion", OPTIONS, reference=reference))
def test_optimizer(check: Check) -> None:
    check()


# Genesis has a Lion of its own, which keeps the bare name.
@parametrize(check_plugin("genesis-lion", expected_failures={"names/free": "the built-in is younger"}))
def test_plugin(check: Check) -> None:
    check()


def test_every_element_moves_by_the_rate() -> None:
    p = genesis.tensor([1.0, -2.0, 3.0], requires_grad=True)
    p.grad = genesis.tensor([0.001, -100.0, 0.0])
    Lion([p], lr=0.25).step()
    assert p.tolist() == [0.75, -1.75, 3.0]


@pytest.mark.parametrize("options", [{"weight_decay": -1.0}, {"betas": (0.9, 1.0)}, {"betas": (0.9,)}])
def test_wrong_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"weight_decay should be 0 or more|betas should be two numbers"):
        Lion([genesis.ones(2, requires_grad=True)], **options)
