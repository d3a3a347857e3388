"""The other built-in optimizers and the kit; the references are written from the papers.

`pytest` asks a part on the device `cpu`: what the formulas say with all options, and for one set of them how
steps, groups and states behave. `GENESIS_TEST_ALL=1 pytest tests/conformance` asks all.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from genesis.testing import Check, check_optimizer, parametrize

ALL = os.environ.get("GENESIS_TEST_ALL") == "1"
OTHERS = {"learns", "shapes", "float64", "made", "refuses"}


def gradient(param: Any, grad: Any, weight_decay: Any, maximize: Any) -> Any:
    return (-grad if maximize else grad) + weight_decay * param


def rmsprop(param: Any, grad: Any, state: Any, step: int, lr: Any, alpha: Any, eps: Any, weight_decay: Any,
            momentum: Any, centered: Any, maximize: Any) -> Any:  # fmt: skip
    """Tieleman and Hinton, lecture 6.5; Graves, equations 38 to 45."""
    g = gradient(param, grad, weight_decay, maximize)
    n = state["n"] = alpha * state.get("n", 0.0) + (1 - alpha) * g**2
    if centered:
        mean = state["g"] = alpha * state.get("g", 0.0) + (1 - alpha) * g
        n = n - mean**2
    delta = state["d"] = momentum * state.get("d", 0.0) + g / (np.sqrt(n) + eps)
    return param - lr * delta


def adagrad(param: Any, grad: Any, state: Any, step: int, lr: Any, lr_decay: Any, eps: Any, weight_decay: Any,
            initial_accumulator_value: Any, maximize: Any) -> Any:  # fmt: skip
    """Duchi et al., section 1.1."""
    g = gradient(param, grad, weight_decay, maximize)
    total = state["sum"] = state.get("sum", initial_accumulator_value) + g**2
    return param - lr / (1 + (step - 1) * lr_decay) * g / (np.sqrt(total) + eps)


def adadelta(param: Any, grad: Any, state: Any, step: int, lr: Any, rho: Any, eps: Any, weight_decay: Any,
             maximize: Any) -> Any:  # fmt: skip
    """Zeiler, algorithm 1."""
    g = gradient(param, grad, weight_decay, maximize)
    v = state["v"] = rho * state.get("v", 0.0) + (1 - rho) * g**2
    delta = np.sqrt(state.get("u", 0.0) + eps) / np.sqrt(v + eps) * g
    state["u"] = rho * state.get("u", 0.0) + (1 - rho) * delta**2
    return param - lr * delta


def adamax(param: Any, grad: Any, state: Any, step: int, lr: Any, betas: Any, eps: Any, weight_decay: Any,
           maximize: Any) -> Any:  # fmt: skip
    """Kingma and Ba, algorithm 2."""
    g = gradient(param, grad, weight_decay, maximize)
    m = state["m"] = betas[0] * state.get("m", 0.0) + (1 - betas[0]) * g
    u = state["u"] = np.maximum(betas[1] * state.get("u", 0.0), np.abs(g) + eps)
    return param - lr / (1 - betas[0] ** step) * m / u


def moments(state: Any, g: Any, betas: Any) -> Any:
    m = state["m"] = betas[0] * state.get("m", 0.0) + (1 - betas[0]) * g
    v = state["v"] = betas[1] * state.get("v", 0.0) + (1 - betas[1]) * g**2
    return m, v


def nadam(param: Any, grad: Any, state: Any, step: int, lr: Any, betas: Any, eps: Any, weight_decay: Any,
          momentum_decay: Any, decoupled_weight_decay: Any, maximize: Any) -> Any:  # fmt: skip
    """Dozat, algorithm 2, with the schedule of its section 3."""
    g = gradient(param, grad, 0.0 if decoupled_weight_decay else weight_decay, maximize)
    if decoupled_weight_decay:
        param = param * (1 - lr * weight_decay)
    m, v = moments(state, g, betas)
    mu, following = (betas[0] * (1 - 0.5 * 0.96 ** (t * momentum_decay)) for t in (step, step + 1))
    # the product has the digits of float32, as the states of PyTorch have them
    product = state["product"] = float(np.float32(state.get("product", 1.0)) * np.float32(mu))
    ahead = following / (1 - product * following) * m + (1 - mu) / (1 - product) * g
    return param - lr * ahead / (np.sqrt(v / (1 - betas[1] ** step)) + eps)


def radam(param: Any, grad: Any, state: Any, step: int, lr: Any, betas: Any, eps: Any, weight_decay: Any,
          decoupled_weight_decay: Any, maximize: Any) -> Any:  # fmt: skip
    """Liu et al., algorithm 2."""
    g = gradient(param, grad, 0.0 if decoupled_weight_decay else weight_decay, maximize)
    if decoupled_weight_decay:
        param = param * (1 - lr * weight_decay)
    m, v = moments(state, g, betas)
    m = m / (1 - betas[0] ** step)
    limit = 2 / (1 - betas[1]) - 1
    rho = limit - 2 * step * betas[1] ** step / (1 - betas[1] ** step)
    if rho <= 5:
        return param - lr * m
    r = math.sqrt((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho))
    return param - lr * m * r * math.sqrt(1 - betas[1] ** step) / (np.sqrt(v) + eps)


def asgd(param: Any, grad: Any, state: Any, step: int, lr: Any, lambd: Any, alpha: Any, t0: Any,
         weight_decay: Any, maximize: Any) -> Any:  # fmt: skip
    """Polyak and Juditsky, with the rates of Xu; they have the digits of float32."""
    eta = float(np.float32(lr if step == 1 else lr / (1 + lambd * lr * (step - 1)) ** alpha))
    return param * (1 - lambd * eta) - eta * gradient(param, grad, weight_decay, maximize)


def rprop(param: Any, grad: Any, state: Any, step: int, lr: Any, etas: Any, step_sizes: Any,
          maximize: Any) -> Any:  # fmt: skip
    """Igel and Huesken, iRprop-."""
    g = -grad if maximize else grad
    turn = np.sign(g * state.get("g", np.zeros_like(g)))
    factor = np.where(turn > 0, etas[1], np.where(turn < 0, etas[0], 1.0))
    size = state["size"] = np.clip(state.get("size", np.full_like(g, lr)) * factor, *step_sizes)
    g = state["g"] = np.where(turn < 0, 0.0, g)
    return param - np.sign(g) * size


def adafactor(param: Any, grad: Any, state: Any, step: int, lr: Any, beta2_decay: Any, eps: Any, d: Any,
              weight_decay: Any, maximize: Any) -> Any:  # fmt: skip
    """Shazeer and Stern, algorithms 4 and 5; eps[0] has to be given."""
    g = -grad if maximize else grad
    new = step**beta2_decay
    scale = max(eps[1], float(np.sqrt(np.mean(param**2)))) * min(lr, 1 / math.sqrt(step)) if g.size else 0.0
    param = param * (1 - lr * weight_decay)
    if g.ndim > 1:
        rows = state["r"] = (1 - new) * state.get("r", 0.0) + new * np.mean(g**2, -1, keepdims=True)
        columns = state["c"] = (1 - new) * state.get("c", 0.0) + new * np.mean(g**2, -2, keepdims=True)
        v = rows * columns / np.maximum(np.mean(rows, -2, keepdims=True), eps[0])
    else:
        v = state["v"] = (1 - new) * state.get("v", 0.0) + new * g**2
    u = g / np.sqrt(np.maximum(v, eps[0] ** 2))
    return param - scale * u / max(1.0, float(np.sqrt(np.mean(u**2))) / d)


def lion(param: Any, grad: Any, state: Any, step: int, lr: Any, betas: Any, weight_decay: Any,
         maximize: Any) -> Any:  # fmt: skip
    """Chen et al., algorithm 2."""
    g = -grad if maximize else grad
    m = state.get("m", np.zeros_like(param))
    state["m"] = betas[1] * m + (1 - betas[1]) * g
    return param - lr * (np.sign(betas[0] * m + (1 - betas[0]) * g) + weight_decay * param)


def part(checks: list[Check]) -> list[Check]:
    """What is asked every day."""
    if ALL:
        return checks
    first = checks[1].name.rpartition("made/")[0]  # what the names of one set of options begin with

    def asked(name: str) -> bool:
        if "/reference/cpu/" in f"/{name}":
            return True
        return name.startswith(first) and name.endswith("/cpu") and not OTHERS & {*name.split("/")}

    return [check for check in checks if asked(check.name)]


def kit(
    name: str, options: Any, reference: Callable[..., Any] | None, expected: dict[str, str] | None = None
) -> Any:
    return parametrize(part(check_optimizer(name, options, reference=reference, expected_failures=expected)))


@kit("RMSprop", [
    {"lr": 0.01}, {"momentum": 0.9, "weight_decay": 0.1, "alpha": 0.8},
    {"centered": True, "momentum": 0.5, "maximize": True}, {"centered": True, "eps": 1e-3},
], rmsprop)  # fmt: skip
def test_rmsprop(check: Check) -> None:
    check()


FROM_THE_START = "as in PyTorch, the sums are there from the start"


@kit("Adagrad", [
    {"lr": 0.1}, {"lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5, "maximize": True},
], adagrad, {"*steps/no_gradient/*": FROM_THE_START})  # fmt: skip
def test_adagrad(check: Check) -> None:
    check()


@kit("Adadelta", [{}, {"lr": 0.5, "rho": 0.5, "eps": 1e-3, "weight_decay": 0.1, "maximize": True}], adadelta)
def test_adadelta(check: Check) -> None:
    check()


@kit("Adamax", [{}, {"betas": (0.5, 0.7), "eps": 1e-2, "weight_decay": 0.1, "maximize": True}], adamax)
def test_adamax(check: Check) -> None:
    check()


@kit("NAdam", [
    {}, {"betas": (0.5, 0.7), "weight_decay": 0.1, "momentum_decay": 0.1, "maximize": True},
    {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True, "eps": 1e-2},
], nadam)  # fmt: skip
def test_nadam(check: Check) -> None:
    check()


@kit("RAdam", [
    {}, {"betas": (0.5, 0.7), "weight_decay": 0.1, "maximize": True},
    {"lr": 0.1, "betas": (0.5, 0.9), "weight_decay": 0.1, "decoupled_weight_decay": True, "eps": 1e-2},
], radam)  # fmt: skip
def test_radam(check: Check) -> None:
    check()


@kit("ASGD", [{}, {"lr": 0.1, "t0": 3, "lambd": 0.1, "alpha": 0.5, "weight_decay": 0.1, "maximize": True}],
     asgd, {"*groups/lr_changed/*": "as in PyTorch, a rate is set one step ahead"})  # fmt: skip
def test_asgd(check: Check) -> None:
    check()


@kit("Rprop", [{}, {"lr": 0.1, "etas": (0.3, 1.5), "step_sizes": (1e-3, 0.2), "maximize": True}], rprop,
     dict.fromkeys(("*groups/lr_zero/*", "*groups/lr_changed/*", "*groups/scheduler/*"),
                   "as in PyTorch, the rate is the first size of a step, and no more"))  # fmt: skip
def test_rprop(check: Check) -> None:
    check()


@kit("Adafactor", [
    {"eps": (2.0**-23, 1e-3)},
    {"lr": 0.1, "beta2_decay": -0.5, "eps": (1e-3, 1e-2), "d": 2.0, "weight_decay": 0.1, "maximize": True},
], adafactor)  # fmt: skip
def test_adafactor(check: Check) -> None:
    check()


# Its products are rounded to 8 bits, so no formula follows it closely: it is compared with PyTorch's.
@kit("Muon", [{}, {"nesterov": False, "adjust_lr_fn": "match_rms_adamw"}], None)
def test_muon(check: Check) -> None:
    check()


@kit("Lion", [
    {}, {"lr": 0.01, "betas": (0.95, 0.98), "weight_decay": 0.5}, {"lr": 0.01, "maximize": True},
], lion)  # fmt: skip
def test_lion(check: Check) -> None:
    check()


ONE_GROUP = "as in PyTorch, there is one group"
NOT_OF_LBFGS = {
    "made/params": ONE_GROUP,
    "*steps/nothing_to_do/*": ONE_GROUP,
    "*groups/add_param_group/*": ONE_GROUP,
    "*groups/own_lr/*": ONE_GROUP,
    "*state/layout/*": ONE_GROUP,
    "*state/refuses_other_groups/*": ONE_GROUP,
    "*float64/*/mixed_types": "the parameters are one vector, of one type",
    "*steps/no_gradient/*": "the state is the first parameter's, whatever its gradient is",
    "*steps/returns_none/*": "it cannot do without a closure",
}


@kit("LBFGS", {"lr": 0.1}, None, NOT_OF_LBFGS)
def test_lbfgs(check: Check) -> None:
    check()
