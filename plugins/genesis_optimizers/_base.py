"""What the optimizers of this package share: a step of a group, and a state in PyTorch's layout."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import genesis
from genesis.optim import Optimizer
from genesis_optimizers._options import check_common

State = dict[str, Any]


class GroupOptimizer(Optimizer):
    """An optimizer that takes the step of a group in one call, and whose state is tensors and counts.

    A subclass gives `AVERAGES` and `COUNTS`, and defines `take`.

    In the state in use counts are Python numbers, which cost nothing; `state_dict()` has them as PyTorch
    does, as tensors of no axes on the CPU.
    """

    #: states that have the parameter's shape and begin with zeros
    AVERAGES: ClassVar[tuple[str, ...]] = ()
    #: those of them that some options do without
    OPTIONAL: ClassVar[tuple[str, ...]] = ()
    #: numbers, and what they begin with
    COUNTS: ClassVar[Mapping[str, float]] = {"step": 0.0}

    scales_gradients: ClassVar[bool] = True
    #: what gradients are multiplied by in this step
    _factor = 1.0

    def take(self, group: State, params: list[Any], grads: list[Any], states: list[State], lr: float) -> None:
        """Take the step of a group: change the parameters and their states."""
        raise NotImplementedError

    def begin(self, p: genesis.Tensor, group: State) -> State:
        """The state of a parameter that gets its first gradient."""
        return {**self.COUNTS, **{key: genesis.zeros_like(p) for key in self.needed(group)}}

    def needed(self, group: State) -> tuple[str, ...]:
        """Those of `AVERAGES` that a group with these options needs."""
        return self.AVERAGES

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Check the options of a group."""
        check_common(options)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step.

        Args:
            closure: Computes the loss and its gradients anew, and returns the loss.
        """
        loss = None
        if closure is not None:
            with genesis.enable_grad():
                loss = closure()
        self._factor = self.take_grad_scale()
        with genesis.no_grad():
            for group in self.param_groups:
                params = [p for p in group["params"] if p.grad is not None]
                if params:
                    states = [self.state[p] or self._first(p, group) for p in params]
                    self.take(group, params, [p.grad for p in params], states, float(group["lr"]))
        return loss

    def sign(self, group: State) -> float:
        """What the gradients of a group are multiplied by: negative where it maximizes."""
        return -self._factor if group["maximize"] else self._factor

    def _first(self, p: genesis.Tensor, group: State) -> State:
        state = self.state[p]
        state.update(self.begin(p, group))
        return state

    # -- saving --------------------------------------------------------------------------------------
    def pack_state(self, state: State) -> State:
        """The state with its counts as tensors."""
        counts = {key: as_tensor(state[key]) for key in self.COUNTS if key in state}
        return {**state, **counts}

    def unpack_state(self, param: genesis.Tensor, state: State) -> State:
        """Check that this is the state of this optimizer for this parameter; take its counts as numbers."""
        if not state:
            return state
        needed = {*self.COUNTS, *self.AVERAGES} - {*self.OPTIONAL}
        shapes = {key: tuple(getattr(value, "shape", ())) for key, value in state.items()}
        wrong = set(state) - {*self.COUNTS, *self.AVERAGES} or needed - set(state)
        if wrong or any(
            shape != (() if key in self.COUNTS else param.shape) for key, shape in shapes.items()
        ):
            name = type(self).__name__
            raise ValueError(
                f"this is not {name}'s state of a parameter of shape {tuple(param.shape)}: it has {shapes}, "
                f"and {name}'s has {', '.join(map(repr, self.COUNTS))} of no axes, and of the parameter's "
                f"shape {', '.join(map(repr, self.AVERAGES))}"
                + (f" ({', '.join(map(repr, self.OPTIONAL))} where options need it)" * bool(self.OPTIONAL))
            )
        return {key: float(value) if key in self.COUNTS else value for key, value in state.items()}


def column(states: list[State], key: str) -> list[Any]:
    """One entry of every state."""
    return [state[key] for state in states]


def ensure(states: list[State], params: list[Any], key: str) -> list[Any]:
    """One tensor of every state; zeros where it is not there yet, as an option may change in mid-run."""
    for state, p in zip(states, params, strict=True):
        if key not in state:
            state[key] = genesis.zeros_like(p)
    return column(states, key)


def count_up(states: list[State]) -> list[float]:
    """Add one to the count of steps of every state, and return the counts."""
    for state in states:
        state["step"] += 1.0
    return column(states, "step")


def single(value: float) -> float:
    """A number as its tensor will have it in a saved state: rounded to the default type."""
    if _default_dtype() is genesis.float64:
        return float(value)
    rounded: float = struct.unpack("f", struct.pack("f", value))[0]
    return rounded


def as_tensor(value: float) -> genesis.Tensor:
    """A number of a state as a tensor, float32 unless the default type is float64."""
    return genesis.tensor(float(value), dtype=_default_dtype(), device="cpu")


def _default_dtype() -> genesis.dtype:
    found: genesis.dtype = genesis.get_default_dtype()  # type: ignore[attr-defined]
    return found


def gradient(g: Any, p: Any, sign: Any, l2: Any) -> Any:
    """The formula of the gradient with `maximize` and an L2 penalty."""
    return sign * g + l2 * p
