"""``Dropout``."""

from __future__ import annotations

from genesis._tensor import Tensor
from genesis.nn import functional as F
from genesis.nn._checks import check_dropout_probability
from genesis.nn.module import Module


class Dropout(Module):
    """In training, zeroes each element with probability ``p`` and scales the rest by ``1 / (1 - p)``.

    In evaluation mode it returns its input (Srivastava et al. 2014, JMLR 15).

    Args:
        p: probability that an element is zeroed, within [0, 1].
        inplace: overwrite the input.

    Raises:
        ValueError: ``p`` is outside [0, 1].
    """

    p: float
    inplace: bool

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        check_dropout_probability(p)
        self.p = p
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"
