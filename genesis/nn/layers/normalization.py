"""Layers that normalize within a sample: ``LayerNorm``, ``RMSNorm``, ``GroupNorm``, ``LocalResponseNorm``."""

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


class RMSNorm(Module):
    """Divides by the root mean square of the last dimensions: ``y = x / sqrt(mean(x^2) + eps) * weight``.

    Reference: Zhang, Sennrich, arXiv:1910.07467, equation 4.

    Args:
        normalized_shape: the last dimensions of the input, an int for a single one.
        eps: added to the mean; the distance from 1 to the next number of the input's type unless given.
        elementwise_affine: whether there is a ``weight`` (ones at first).
        device: where the parameter is made.
        dtype: its floating-point type.
    """

    normalized_shape: tuple[int, ...]
    eps: float | None
    elementwise_affine: bool
    weight: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape = shape
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        made = Parameter(empty(shape, device=device, dtype=dtype)) if elementwise_affine else None
        self.register_parameter("weight", made)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the weight to one."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(Module):
    """Normalizes each group of channels of each sample: ``y = (x - mean) / sqrt(var + eps) * weight + bias``.

    The variance is the biased one (Wu and He 2018, arXiv:1803.08494).

    Args:
        num_groups: number of groups that the channels are divided into.
        num_channels: ``C`` of the input ``(N, C, *)``.
        eps: added to the variance.
        affine: whether there are ``weight`` (ones at first) and ``bias`` (zeros at first), of shape ``(C,)``.
        device: where the parameters are made.
        dtype: their floating-point type.
        bias: with ``affine``, whether there is a ``bias``.

    Raises:
        ValueError: ``num_channels`` is not divisible by ``num_groups``.
    """

    num_groups: int
    num_channels: int
    eps: float
    affine: bool
    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: DType | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            made = Parameter(empty(num_channels, device=device, dtype=dtype)) if wanted else None
            self.register_parameter(name, made)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the weight to one and the bias to zero."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class LocalResponseNorm(Module):
    """``x / (k + alpha / size * sum of the squares of size neighbouring channels) ** beta``.

    Args:
        size: how many channels, the own one in the middle.
        alpha, beta, k: constants of the formula.
    """

    size: int
    alpha: float
    beta: float
    k: float

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
