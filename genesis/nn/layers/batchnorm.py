"""Layers that normalize channels by statistics which they may track: batch and instance normalization."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

from genesis import empty, int64, ones, zeros
from genesis._dtypes import dtype as DType
from genesis._tensor import Tensor
from genesis.nn import functional as F
from genesis.nn import init
from genesis.nn.module import Module
from genesis.nn.parameter import Parameter


class _Norm(Module):
    """What batch and instance normalization share: parameters, running statistics, their names."""

    ranks: ClassVar[tuple[int, ...]]
    num_features: int
    eps: float
    momentum: float | None
    affine: bool
    track_running_stats: bool
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: DType | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            made = Parameter(empty(num_features, device=device, dtype=dtype)) if wanted else None
            self.register_parameter(name, made)
        tracked = track_running_stats
        self.register_buffer(
            "running_mean", zeros(num_features, device=device, dtype=dtype) if tracked else None
        )
        self.register_buffer(
            "running_var", ones(num_features, device=device, dtype=dtype) if tracked else None
        )
        self.register_buffer(
            "num_batches_tracked", zeros((), device=device, dtype=int64) if tracked else None
        )
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget what was tracked: mean 0, variance 1, no batches."""
        if self.running_mean is not None:
            self.running_mean.zero_()
        if self.running_var is not None:
            self.running_var.fill_(1)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Set the weight to one and the bias to zero, and forget what was tracked."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in self.ranks:
            wanted = " or ".join(f"{n}D" for n in self.ranks)
            raise ValueError(f"expected {wanted} input (got {input.dim()}D input)")

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        # files of PyTorch before 0.4.1 have no counter
        if self.num_batches_tracked is not None:
            state_dict.setdefault(f"{prefix}num_batches_tracked", self.num_batches_tracked)
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_Norm):
    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        momentum = 0.0 if self.momentum is None else self.momentum
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:  # the average of all batches
                momentum = 1.0 / float(self.num_batches_tracked.item())
        training = self.training or (self.running_mean is None and self.running_var is None)
        used = not self.training or self.track_running_stats
        return F.batch_norm(
            input,
            self.running_mean if used else None,
            self.running_var if used else None,
            self.weight,
            self.bias,
            training,
            momentum,
            self.eps,
        )


class BatchNorm1d(_BatchNorm):
    """Normalizes each channel of ``(N, C)`` or ``(N, C, L)`` over the batch.

    ``y = (x - mean) / sqrt(var + eps) * weight + bias``. In training, mean and (biased) variance are the
    batch's, and the running ones move towards its mean and unbiased variance; in evaluation the running ones
    are used (Ioffe and Szegedy 2015, arXiv:1502.03167).

    Args:
        num_features: ``C``.
        eps: added to the variance.
        momentum: weight of a new batch in the running statistics; None: the average of all batches.
        affine: whether there are ``weight`` (ones at first) and ``bias`` (zeros at first).
        track_running_stats: whether there are running statistics; without, the batch's are used always.
        device: where parameters and buffers are made.
        dtype: their floating-point type.
        bias: with ``affine``, whether there is a ``bias``.

    Raises:
        ValueError: the input has another number of dimensions, or a channel has a single value in training.

    Example:
        >>> nn.BatchNorm1d(100)(genesis.randn(20, 100)).shape
        (20, 100)
    """

    ranks = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Normalizes each channel of ``(N, C, H, W)`` over the batch; see ``BatchNorm1d``."""

    ranks = (4,)


class BatchNorm3d(_BatchNorm):
    """Normalizes each channel of ``(N, C, D, H, W)`` over the batch; see ``BatchNorm1d``."""

    ranks = (5,)


class _InstanceNorm(_Norm):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: DType | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        single = input.dim() == self.ranks[0]  # without a batch
        place = 0 if single else 1
        if input.shape[place] != self.num_features:
            if self.affine:
                raise ValueError(
                    f"expected input's size at dim={place} to match num_features ({self.num_features}), but "
                    f"got: {input.shape[place]}"
                )
            warnings.warn(
                f"input's size {input.shape[place]} at dim={place} does not match num_features="
                f"{self.num_features}, which has no effect because affine=False",
                stacklevel=2,
            )
        out = F.instance_norm(
            input.unsqueeze(0) if single else input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        return out.squeeze(0) if single else out


class InstanceNorm1d(_InstanceNorm):
    """Normalizes each channel of each sample of ``(N, C, L)`` or ``(C, L)``.

    ``y = (x - mean) / sqrt(var + eps) * weight + bias``, with mean and (biased) variance over ``L`` (Ulyanov,
    Vedaldi and Lempitsky 2016, arXiv:1607.08022).

    Args:
        num_features: ``C``.
        eps: added to the variance.
        momentum: weight of a new batch in the running statistics.
        affine: whether there are ``weight`` (ones at first) and ``bias`` (zeros at first).
        track_running_stats: whether running statistics are kept, and used in evaluation.
        device: where parameters and buffers are made.
        dtype: their floating-point type.
        bias: with ``affine``, whether there is a ``bias``.

    Raises:
        ValueError: the input has another number of dimensions, or a channel has a single value.
    """

    ranks = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Normalizes each channel of each sample of ``(N, C, H, W)`` or ``(C, H, W)``; see ``InstanceNorm1d``."""

    ranks = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Normalizes each channel of each sample of ``(N, C, D, H, W)`` or ``(C, D, H, W)``.

    See ``InstanceNorm1d``.
    """

    ranks = (4, 5)
