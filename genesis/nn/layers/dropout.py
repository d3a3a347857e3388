"""Dropout of elements and of channels."""

from __future__ import annotations

from genesis._tensor import Tensor
from genesis.nn import functional as F
from genesis.nn._checks import check_dropout_probability
from genesis.nn.module import Module


class _Dropout(Module):
    p: float
    inplace: bool

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        check_dropout_probability(p)
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """In training, zeroes each element with probability ``p`` and scales the rest by ``1 / (1 - p)``.

    In evaluation mode it returns its input (Srivastava et al. 2014, JMLR 15).

    Args:
        p: probability that an element is zeroed, within [0, 1].
        inplace: overwrite the input.

    Raises:
        ValueError: ``p`` is outside [0, 1].
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_Dropout):
    """In training, zeroes whole channels of ``(N, C, L)`` or ``(C, L)``; see ``Dropout``."""

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_Dropout):
    """In training, zeroes whole channels of ``(N, C, H, W)``; see ``Dropout``.

    As in PyTorch, a 3D input is taken for ``(N, C, L)``, with a warning.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_Dropout):
    """In training, zeroes whole channels of ``(N, C, D, H, W)`` or ``(C, D, H, W)``; see ``Dropout``."""

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_Dropout):
    """Dropout that keeps mean 0 and variance 1, for networks with ``SELU``.

    Elements become SELU's limit with probability ``p``; then all are scaled and moved (Klambauer et al. 2017,
    arXiv:1706.02515).

    Args:
        p: probability that an element is dropped, within [0, 1].
        inplace: has no effect, as in PyTorch.

    Raises:
        ValueError: ``p`` is outside [0, 1].
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(_Dropout):
    """``AlphaDropout`` of whole channels of ``(N, C, *)``."""

    def forward(self, input: Tensor) -> Tensor:
        return F.feature_alpha_dropout(input, self.p, self.training)
