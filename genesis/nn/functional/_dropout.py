"""Dropout as functions."""

from __future__ import annotations

from genesis import ops
from genesis._tensor import Tensor
from genesis.nn.functional._activation import in_place


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """In training, zero each element with probability ``p`` and scale the rest by ``1 / (1 - p)``.

    Raises:
        ValueError: ``p`` is outside [0, 1].
    """
    return in_place(ops.dropout, input, p, training) if inplace else ops.dropout(input, p, training)
