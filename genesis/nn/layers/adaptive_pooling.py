"""Layers that pool into a given number of windows."""

from __future__ import annotations

from typing import Any, ClassVar

from genesis._tensor import Tensor
from genesis.nn.module import Module
from genesis.ops import pools


class _Adaptive(Module):
    axes: ClassVar[int]

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class _AdaptiveAvgPool(_Adaptive):
    def forward(self, input: Tensor) -> Tensor:
        out: Tensor = pools.adaptive_avg_pool_nd(self.axes, input, self.output_size)
        return out


class _AdaptiveMaxPool(_Adaptive):
    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        out, where = pools.adaptive_max_pool_nd(self.axes, input, self.output_size)
        return (out, where) if self.return_indices else out


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """The average of windows of about equal size that cover ``(N, C, L)`` or ``(C, L)``.

    Args:
        output_size: how many windows.
    """

    axes = 1


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The largest element of windows of about equal size that cover ``(N, C, L)`` or ``(C, L)``.

    Args:
        output_size: how many windows.
        return_indices: also return where the elements were, among those of a channel.
    """

    axes = 1


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """The average of windows of about equal size that cover ``(N, C, H, W)`` or ``(C, H, W)``.

    Args:
        output_size: how many windows; an int, or a tuple of 2 in which None keeps a size.
    """

    axes = 2


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The largest element of windows of about equal size that cover ``(N, C, H, W)`` or ``(C, H, W)``.

    Args:
        output_size: how many windows; an int, or a tuple of 2 in which None keeps a size.
        return_indices: also return where the elements were, among those of a channel.
    """

    axes = 2


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """The average of windows of about equal size that cover ``(N, C, D, H, W)`` or ``(C, D, H, W)``.

    Args:
        output_size: how many windows; an int, or a tuple of 3 in which None keeps a size.
    """

    axes = 3


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """The largest element of windows of about equal size that cover ``(N, C, D, H, W)`` or ``(C, D, H, W)``.

    Args:
        output_size: how many windows; an int, or a tuple of 3 in which None keeps a size.
        return_indices: also return where the elements were, among those of a channel.
    """

    axes = 3
