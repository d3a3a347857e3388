"""Tools that the distributions share: broadcasting of parameters, probabilities and log-odds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import genesis
from genesis._dtypes import default_dtype
from genesis._tensor import Size, Tensor

EULER = 0.57721566490153286060  #: Euler's constant


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Tensors of one shape, from tensors and numbers; numbers take the type and device of the first tensor.

    Raises:
        ValueError: a value is neither a tensor nor a number.
    """
    first = next((v for v in values if isinstance(v, Tensor)), None)
    made = []
    for v in values:
        if isinstance(v, Tensor):
            made.append(v)
        elif isinstance(v, bool | int | float):
            dtype = default_dtype() if first is None else first.dtype
            made.append(genesis.tensor(v, dtype=dtype, device=None if first is None else first.device))
        else:
            raise ValueError(f"parameters must be tensors or numbers, got {type(v).__name__}")
    return tuple(genesis.broadcast_tensors(*made))


def batch_of(values: tuple[Any, ...], first: Tensor) -> Size:
    """The batch shape of parameters: () where all were numbers."""
    return Size() if all(isinstance(v, bool | int | float) for v in values) else first.shape


def sum_rightmost(value: Any, dims: int) -> Any:
    """``value`` summed over its last ``dims`` dimensions."""
    return value if not dims else value.reshape((*value.shape[:-dims], -1)).sum(-1)


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities moved into [eps, 1 - eps], where eps is that of their type."""
    eps = genesis.finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """Probabilities from log-odds (binary) or from log-probabilities along the last dimension."""
    return genesis.sigmoid(logits) if is_binary else logits.softmax(-1)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """Log-odds (binary) or log-probabilities; finite also for probabilities of 0 and 1."""
    inner = clamp_probs(probs)
    return inner.log() - (-inner).log1p() if is_binary else inner.log()


class lazy_property:
    """An attribute that is computed when it is first read, with gradients, and then kept."""

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        self.wrapped = wrapped
        self.__doc__ = wrapped.__doc__

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        with genesis.enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value
