"""Pooling into a given number of windows."""

from __future__ import annotations

from typing import Any

from genesis._tensor import Tensor
from genesis.ops import pools
from genesis.ops._autocast import in_full_on_cpu


def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """The average of windows of about equal size that cover the input.

    Args:
        input: ``(N, C, L)`` or ``(C, L)``.
        output_size: how many windows; of several axes, None keeps the size of one.
    """
    out: Tensor = pools.adaptive_avg_pool_nd(1, input, output_size)
    return out


def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The largest element of windows of about equal size that cover the input.

    Args:
        input: ``(N, C, L)`` or ``(C, L)``.
        output_size: how many windows; of several axes, None keeps the size of one.
        return_indices: also return where the elements were, among those of a channel.
    """
    out, where = pools.adaptive_max_pool_nd(1, input, output_size)
    return (out, where) if return_indices else out


def adaptive_max_pool1d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """``adaptive_max_pool1d`` that always returns the indices, too."""
    return pools.adaptive_max_pool_nd(1, input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """The average of windows of about equal size that cover the input.

    Args:
        input: ``(N, C, H, W)`` or ``(C, H, W)``.
        output_size: how many windows; of several axes, None keeps the size of one.
    """
    out: Tensor = pools.adaptive_avg_pool_nd(2, input, output_size)
    return out


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The largest element of windows of about equal size that cover the input.

    Args:
        input: ``(N, C, H, W)`` or ``(C, H, W)``.
        output_size: how many windows; of several axes, None keeps the size of one.
        return_indices: also return where the elements were, among those of a channel.
    """
    out, where = pools.adaptive_max_pool_nd(2, input, output_size)
    return (out, where) if return_indices else out


def adaptive_max_pool2d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """``adaptive_max_pool2d`` that always returns the indices, too."""
    return pools.adaptive_max_pool_nd(2, input, output_size)


@in_full_on_cpu
def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """The average of windows of about equal size that cover the input.

    Args:
        input: ``(N, C, D, H, W)`` or ``(C, D, H, W)``.
        output_size: how many windows; of several axes, None keeps the size of one.
    """
    out: Tensor = pools.adaptive_avg_pool_nd(3, input, output_size)
    return out


@in_full_on_cpu
def adaptive_max_pool3d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The largest element of windows of about equal size that cover the input.

    Args:
        input: ``(N, C, D, H, W)`` or ``(C, D, H, W)``.
        output_size: how many windows; of several axes, None keeps the size of one.
        return_indices: also return where the elements were, among those of a channel.
    """
    out, where = pools.adaptive_max_pool_nd(3, input, output_size)
    return (out, where) if return_indices else out


def adaptive_max_pool3d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """``adaptive_max_pool3d`` that always returns the indices, too."""
    return pools.adaptive_max_pool_nd(3, input, output_size)
