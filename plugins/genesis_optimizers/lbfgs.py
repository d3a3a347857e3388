"""LBFGS: Newton's steps with a Hessian that is guessed from the last gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import genesis
from genesis.optim import Optimizer
from genesis_optimizers._line_search import Point, strong_wolfe
from genesis_optimizers._options import check_common

State = dict[str, Any]

_COUNTS = ("func_evals", "n_iter")
_FLAT = ("d", "prev_flat_grad")  # as long as all parameters together
_HISTORY = ("old_dirs", "old_stps", "ro")
_ALL = {*_COUNTS, *_FLAT, *_HISTORY, "t", "H_diag", "prev_loss", "al"}


class LBFGS(Optimizer):
    """LBFGS: Newton's steps with a Hessian that is guessed from the last gradients.

    Each call of `step` makes up to `max_iter` iterations, and calls the closure for each of them. With the
    gradients g of all parameters as one vector, and the last `history_size` pairs

        s = p_(k+1) - p_k,  y = g_(k+1) - g_k

    that have `s'y > 1e-10`, the direction d = -H g comes from the two-loop recursion over these pairs, which
    begins with H = s'y / y'y of the last one. Then p = p + t d, with t = lr, or what the line search finds;
    in the first iteration of all lr is divided by the sum of |g| if that is above 1.

    For losses that do not change between calls, as of all data at once. There is one group of parameters, all
    on one device. The memory is `2 * history_size` times that of the parameters.

    Args:
        params: Tensors or (name, tensor) pairs, or a list of one parameter group; see `Optimizer`.
        lr: The length of a step, or what the line search tries first; a number or a tensor of one element.
        max_iter: The most iterations in a call of `step`.
        max_eval: The most calls of the closure in a call of `step`; 1.25 times `max_iter` unless given.
        tolerance_grad: A call ends where no element of the gradient is larger.
        tolerance_change: A call ends where the loss, or every parameter, changes by less.
        history_size: How many pairs are kept.
        line_search_fn: "strong_wolfe", or None for steps of fixed length.

    Raises:
        ValueError: `lr` is out of its range, or there are several groups.

    Example:
        >>> optimizer = genesis.optim.LBFGS(model.parameters(), line_search_fn="strong_wolfe")
        >>> def closure():
        ...     optimizer.zero_grad()
        ...     loss = criterion(model(inputs), targets)
        ...     loss.backward()
        ...     return loss
        >>> optimizer.step(closure)

    References: Nocedal and Wright, Numerical Optimization, 2006, algorithms 7.4 and 7.5; line search 3.5.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | genesis.Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "max_iter": max_iter,
                "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                "tolerance_grad": tolerance_grad,
                "tolerance_change": tolerance_change,
                "history_size": history_size,
                "line_search_fn": line_search_fn,
            },
        )

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Check the options of a group."""
        check_common(options)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Take the only group; see `Optimizer`.

        Raises:
            ValueError: There is one already.
        """
        if self.param_groups:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")
        super().add_param_group(param_group)

    def unpack_state(self, param: genesis.Tensor, state: State) -> State:
        """Check that this is LBFGS's state, of as many numbers as the parameters have; it is the first's."""
        size = sum(p.numel() for p in self.param_groups[0]["params"])
        flat = [state[key] for key in _FLAT if state.get(key) is not None]
        flat += [v for key in _HISTORY[:2] for v in state.get(key) or ()]
        if set(state) - _ALL or not state.keys() >= {*_COUNTS} or any(v.shape != (size,) for v in flat):
            raise ValueError(
                f"this is no state of LBFGS for {size} numbers: it has {', '.join(map(str, state))}, with "
                f"vectors of {', '.join(map(str, sorted({v.numel() for v in flat})))}"
            )
        numbers = {
            key: float(state[key]) for key in ("t", "prev_loss") if isinstance(state.get(key), genesis.Tensor)
        }
        return {**state, **numbers}

    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        """Take up to `max_iter` iterations.

        Args:
            closure: Computes the loss and its gradients anew, and returns the loss.

        Returns:
            The loss before the first iteration.
        """
        with genesis.no_grad():
            return self._step(genesis.enable_grad()(closure))

    def _step(self, closure: Callable[[], Any]) -> Any:
        group = self.param_groups[0]
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise RuntimeError(f"only 'strong_wolfe' is supported, got {group['line_search_fn']!r}")
        params = group["params"]
        lr, tolerance, smallest = float(group["lr"]), group["tolerance_change"], group["tolerance_grad"]
        state = self.state[params[0]]
        for key in _COUNTS:
            state.setdefault(key, 0)

        first = closure()
        loss, grad, evaluations = float(first), _flat(params), 1
        state["func_evals"] += 1
        if _largest(grad) <= smallest:
            return first

        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            fresh = state["n_iter"] == 1
            direction = _begin(state, grad) if fresh else _direction(state, grad, group["history_size"])
            state["d"], state["prev_flat_grad"], state["prev_loss"] = direction, grad.clone(), loss
            state["t"] = min(1.0, 1.0 / float(grad.abs().sum())) * lr if fresh else lr
            slope = float(grad.dot(direction))
            if slope > -tolerance:
                break
            more = 0
            if group["line_search_fn"]:
                start = [p.clone() for p in params]
                found, more = strong_wolfe(
                    partial(_evaluate, closure, params, start, direction),
                    Point(0.0, loss, grad, slope), state["t"], _largest(direction), tolerance,
                    group["max_eval"] - evaluations,
                )  # fmt: skip
                state["t"], loss, grad = found.t, found.value, found.grad
                _move(params, direction, found.t)
            else:
                _move(params, direction, lr if not fresh else state["t"])
                if iteration < group["max_iter"]:  # nobody would look at the last one
                    loss, grad, more = float(closure()), _flat(params), 1
            evaluations += more
            state["func_evals"] += more
            if (
                evaluations >= group["max_eval"]
                or _largest(grad) <= smallest
                or _largest(direction) * abs(state["t"]) <= tolerance
                or abs(loss - state["prev_loss"]) < tolerance
            ):
                break
        return first


def _begin(state: State, grad: Any) -> Any:
    """The first direction: down the gradient."""
    state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1)
    return -grad


def _direction(state: State, grad: Any, history: int) -> Any:
    """Take up the last pair of step and change of the gradient; the two-loop recursion over all pairs."""
    changes, steps, inverses = state["old_dirs"], state["old_stps"], state["ro"]
    change, step = grad - state["prev_flat_grad"], state["d"] * state["t"]
    along = change.dot(step)
    if float(along) > 1e-10:
        if len(changes) == history:
            for each in (changes, steps, inverses):
                each.pop(0)
        changes.append(change)
        steps.append(step)
        inverses.append(1.0 / along)
        state["H_diag"] = along / change.dot(change)
    weights = state.setdefault("al", [None] * history)
    q = -grad
    for i in reversed(range(len(changes))):
        weights[i] = steps[i].dot(q) * inverses[i]
        q.sub_(changes[i] * weights[i])
    q.mul_(state["H_diag"])
    for change, step, inverse, weight in zip(changes, steps, inverses, weights, strict=False):
        q.add_(step * (weight - change.dot(q) * inverse))
    return q


def _evaluate(closure: Callable[[], Any], params: list[Any], start: list[Any], d: Any, t: float) -> Point:
    """The loss and its gradient at a distance; the parameters come back to where they were."""
    _move(params, d, t)
    loss, grad = float(closure()), _flat(params)
    for p, s in zip(params, start, strict=True):
        p.copy_(s)
    return Point(t, loss, grad, float(grad.dot(d)))


def _flat(params: list[Any]) -> Any:
    """The gradients of all parameters as one vector; zeros where there is none."""
    return genesis.cat(
        [(genesis.zeros_like(p) if p.grad is None else p.grad).detach().reshape(-1) for p in params]
    )


def _move(params: list[Any], d: Any, t: float) -> None:
    at = 0
    for p in params:
        p.add_(d[at : at + p.numel()].reshape(p.shape), alpha=t)
        at += p.numel()


def _largest(x: Any) -> float:
    return float(x.abs().max()) if x.numel() else 0.0
