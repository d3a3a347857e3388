"""The built-in optimizers pass the kit of strangers; the references are written from the papers."""

from __future__ import annotations

from typing import Any

import numpy as np

from genesis.testing import Check, check_optimizer, parametrize


def sgd(param: Any, grad: Any, state: Any, step: int, lr: Any, momentum: Any, dampening: Any,
        weight_decay: Any, nesterov: Any, maximize: Any) -> Any:  # fmt: skip
    """Sutskever et al., ICML 2013, with the rate outside of the velocity."""
    grad = (-grad if maximize else grad) + weight_decay * param
    if momentum == 0:
        return param - lr * grad
    state["b"] = grad if step == 1 else momentum * state["b"] + (1 - dampening) * grad
    return param - lr * (grad + momentum * state["b"] if nesterov else state["b"])


def adam(param: Any, grad: Any, state: Any, step: int, lr: Any, betas: Any, eps: Any,
         weight_decay: Any, amsgrad: Any, maximize: Any, decoupled_weight_decay: Any) -> Any:  # fmt: skip
    """Kingma and Ba, algorithm 1; Loshchilov and Hutter, algorithm 2; Reddi et al. corrected."""
    grad = -grad if maximize else grad
    if decoupled_weight_decay:
        param = param - lr * weight_decay * param
    else:
        grad = grad + weight_decay * param
    m = state["m"] = betas[0] * state.get("m", 0.0) + (1 - betas[0]) * grad
    v = state["v"] = betas[1] * state.get("v", 0.0) + (1 - betas[1]) * grad**2
    if amsgrad:
        v = state["largest"] = np.maximum(state.get("largest", 0.0), v)
    return param - lr * (m / (1 - betas[0] ** step)) / (np.sqrt(v / (1 - betas[1] ** step)) + eps)


SGD = [
    {"lr": 0.1},
    {"lr": 0.1, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.01},
    {"lr": 0.1, "momentum": 0.9, "nesterov": True, "maximize": True},
]
ADAM = [{"lr": 0.01}, {"lr": 0.01, "amsgrad": True, "weight_decay": 0.1, "betas": (0.8, 0.9), "eps": 1e-3}]


@parametrize(check_optimizer("SGD", SGD, reference=sgd))
def test_sgd(check: Check) -> None:
    check()


@parametrize(check_optimizer("Adam", ADAM, reference=adam))
def test_adam(check: Check) -> None:
    check()


@parametrize(check_optimizer("AdamW", ADAM, reference=adam))
def test_adamw(check: Check) -> None:
    check()
