"""``LayerNorm``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genesis import empty
from genesis._dtypes import dtype as DType
from genesis._tensor import Tensor
from genesis.nn import functional as F
from genesis.nn import init
from genesis.nn.module import Module
from genesis.nn.parameter import Parameter


class LayerNorm(Module):
    """Normalizes the last dimensions: ``y = (x - mean) / sqrt(var + eps) * weight + bias``.

    The variance is the biased one, over the normalized dimensions (Ba et al. 2016, arXiv:1607.06450).

    Args:
        normalized_shape: the last dimensions of the input, an int for a single one.
        eps: added to the variance.
        elementwise_affine: whether there are ``weight`` (ones at first) and ``bias`` (zeros at first).
        bias: with ``elementwise_affine``, whether there is a ``bias``.
        device: where the parameters are made.
        dtype: their floating-point type.

    Example:
        >>> nn.LayerNorm(512)(genesis.randn(20, 5, 512)).shape
        (20, 5, 512)
    """

    normalized_shape: tuple[int, ...]
    eps: float
    elementwise_affine: bool
    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape = shape
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        for name, wanted in (("weight", elementwise_affine), ("bias", elementwise_affine and bias)):
            made = Parameter(empty(shape, device=device, dtype=dtype)) if wanted else None
            self.register_parameter(name, made)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the weight to one and the bias to zero."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )
