"""Pooling as functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genesis._tensor import Tensor
from genesis.ops import pools
from genesis.ops._autocast import in_full_on_cpu
from genesis.ops.fractional import fractional_max_pool_nd

Count = int | Sequence[int]

# As in PyTorch, a function returns the pair (values, indices) where indices are asked for.


def max_pool1d(
    input: Tensor,
    kernel_size: Count,
    stride: Count | None = None,
    padding: Count = 0,
    dilation: Count = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window.

    Args:
        input: ``(N, C, L)`` or ``(C, L)``.
        kernel_size: size of the window.
        stride: from one window to the next; the size of the window unless given.
        padding: elements of minus infinity on both sides, at most half of the window.
        dilation: from one element of a window to the next.
        ceil_mode: round the number of windows up: the last may reach beyond the input.
        return_indices: also return where the elements were, among those of a channel.

    Raises:
        RuntimeError: the sizes do not fit.
    """
    out, where = pools.max_pool_nd(1, input, kernel_size, stride, padding, dilation, ceil_mode)
    return (out, where) if return_indices else out


def max_pool1d_with_indices(
    input: Tensor,
    kernel_size: Count,
    stride: Count | None = None,
    padding: Count = 0,
    dilation: Count = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """``max_pool1d`` that always returns the indices, too."""
    return pools.max_pool_nd(1, input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool2d(
    input: Tensor,
    kernel_size: Count,
    stride: Count | None = None,
    padding: Count = 0,
    dilation: Count = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window.

    Args:
        input: ``(N, C, H, W)`` or ``(C, H, W)``.
        kernel_size: size of the window.
        stride: from one window to the next; the size of the window unless given.
        padding: elements of minus infinity on both sides, at most half of the window.
        dilation: from one element of a window to the next.
        ceil_mode: round the number of windows up: the last may reach beyond the input.
        return_indices: also return where the elements were, among those of a channel.

    Raises:
        RuntimeError: the sizes do not fit.
    """
    out, where = pools.max_pool_nd(2, input, kernel_size, stride, padding, dilation, ceil_mode)
    return (out, where) if return_indices else out


def max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Count,
    stride: Count | None = None,
    padding: Count = 0,
    dilation: Count = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """``max_pool2d`` that always returns the indices, too."""
    return pools.max_pool_nd(2, input, kernel_size, stride, padding, dilation, ceil_mode)


_full_max_pool = in_full_on_cpu(pools.max_pool_nd)


def max_pool3d(
    input: Tensor,
    kernel_size: Count,
    stride: Count | None = None,
    padding: Count = 0,
    dilation: Count = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window.

    Args:
        input: ``(N, C, D, H, W)`` or ``(C, D, H, W)``.
        kernel_size: size of the window.
        stride: from one window to the next; the size of the window unless given.
        padding: elements of minus infinity on both sides, at most half of the window.
        dilation: from one element of a window to the next.
        ceil_mode: round the number of windows up: the last may reach beyond the input.
        return_indices: also return where the elements were, among those of a channel.

    Raises:
        RuntimeError: the sizes do not fit.
    """
    pool = pools.max_pool_nd if return_indices else _full_max_pool
    out, where = pool(3, input, kernel_size, stride, padding, dilation, ceil_mode)
    return (out, where) if return_indices else out


def max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Count,
    stride: Count | None = None,
    padding: Count = 0,
    dilation: Count = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """``max_pool3d`` that always returns the indices, too."""
    return pools.max_pool_nd(3, input, kernel_size, stride, padding, dilation, ceil_mode)


def avg_pool1d(
    input: Tensor,
    kernel_size: Count,
    stride: Count | None = None,
    padding: Count = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The average of each window.

    Args:
        input: ``(N, C, L)`` or ``(C, L)``.
        kernel_size: size of the window.
        stride: from one window to the next; the size of the window unless given.
        padding: zeros on both sides, at most half of the window.
        ceil_mode: round the number of windows up: the last may reach beyond the input.
        count_include_pad: count the zeros of the padding as elements.

    Raises:
        RuntimeError: the sizes do not fit.
    """
    out: Tensor = pools.avg_pool_nd(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad)
    return out


def avg_pool2d(
    input: Tensor,
    kernel_size: Count,
    stride: Count | None = None,
    padding: Count = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The average of each window.

    Args:
        input: ``(N, C, H, W)`` or ``(C, H, W)``.
        kernel_size: size of the window.
        stride: from one window to the next; the size of the window unless given.
        padding: zeros on both sides, at most half of the window.
        ceil_mode: round the number of windows up: the last may reach beyond the input.
        count_include_pad: count the zeros of the padding as elements.
        divisor_override: divide by this instead.

    Raises:
        RuntimeError: the sizes do not fit.
    """
    out: Tensor = pools.avg_pool_nd(
        2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )
    return out


@in_full_on_cpu
def avg_pool3d(
    input: Tensor,
    kernel_size: Count,
    stride: Count | None = None,
    padding: Count = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The average of each window.

    Args:
        input: ``(N, C, D, H, W)`` or ``(C, D, H, W)``.
        kernel_size: size of the window.
        stride: from one window to the next; the size of the window unless given.
        padding: zeros on both sides, at most half of the window.
        ceil_mode: round the number of windows up: the last may reach beyond the input.
        count_include_pad: count the zeros of the padding as elements.
        divisor_override: divide by this instead.

    Raises:
        RuntimeError: the sizes do not fit.
    """
    out: Tensor = pools.avg_pool_nd(
        3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )
    return out


def lp_pool1d(
    input: Tensor,
    norm_type: float,
    kernel_size: Count,
    stride: Count | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """``(sum of x^p) ^ (1/p)`` of each window; where the sum is 0, the gradient is 0.

    Args:
        input: ``(N, C, L)`` or ``(C, L)``.
        norm_type: p; infinity for the largest ``|x|``.
        kernel_size: size of the window.
        stride: from one window to the next; the size of the window unless given.
        ceil_mode: round the number of windows up.
    """
    out: Tensor = pools.lp_pool_nd(1, input, norm_type, kernel_size, stride, ceil_mode)
    return out


@in_full_on_cpu
def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Count,
    stride: Count | None = None,
    padding: Count = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Zeros with the elements of ``input`` where ``max_pool1d`` found them.

    Args:
        input, indices: what ``max_pool1d`` returned.
        kernel_size, stride, padding: as it got them.
        output_size: the size of its input, where several sizes give the same number of windows.

    Raises:
        ValueError: ``output_size`` does not fit.
        RuntimeError: shapes or indices do not fit.
    """
    out: Tensor = pools.max_unpool_nd(1, input, indices, kernel_size, stride, padding, output_size)
    return out


def lp_pool2d(
    input: Tensor,
    norm_type: float,
    kernel_size: Count,
    stride: Count | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """``(sum of x^p) ^ (1/p)`` of each window; where the sum is 0, the gradient is 0.

    Args:
        input: ``(N, C, H, W)`` or ``(C, H, W)``.
        norm_type: p; infinity for the largest ``|x|``.
        kernel_size: size of the window.
        stride: from one window to the next; the size of the window unless given.
        ceil_mode: round the number of windows up.
    """
    out: Tensor = pools.lp_pool_nd(2, input, norm_type, kernel_size, stride, ceil_mode)
    return out


@in_full_on_cpu
def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Count,
    stride: Count | None = None,
    padding: Count = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Zeros with the elements of ``input`` where ``max_pool2d`` found them.

    Args:
        input, indices: what ``max_pool2d`` returned.
        kernel_size, stride, padding: as it got them.
        output_size: the size of its input, where several sizes give the same number of windows.

    Raises:
        ValueError: ``output_size`` does not fit.
        RuntimeError: shapes or indices do not fit.
    """
    out: Tensor = pools.max_unpool_nd(2, input, indices, kernel_size, stride, padding, output_size)
    return out


@in_full_on_cpu
def lp_pool3d(
    input: Tensor,
    norm_type: float,
    kernel_size: Count,
    stride: Count | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """``(sum of x^p) ^ (1/p)`` of each window; where the sum is 0, the gradient is 0.

    Args:
        input: ``(N, C, D, H, W)`` or ``(C, D, H, W)``.
        norm_type: p; infinity for the largest ``|x|``.
        kernel_size: size of the window.
        stride: from one window to the next; the size of the window unless given.
        ceil_mode: round the number of windows up.
    """
    out: Tensor = pools.lp_pool_nd(3, input, norm_type, kernel_size, stride, ceil_mode)
    return out


@in_full_on_cpu
def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Count,
    stride: Count | None = None,
    padding: Count = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Zeros with the elements of ``input`` where ``max_pool3d`` found them.

    Args:
        input, indices: what ``max_pool3d`` returned.
        kernel_size, stride, padding: as it got them.
        output_size: the size of its input, where several sizes give the same number of windows.

    Raises:
        ValueError: ``output_size`` does not fit.
        RuntimeError: shapes or indices do not fit.
    """
    out: Tensor = pools.max_unpool_nd(3, input, indices, kernel_size, stride, padding, output_size)
    return out


def fractional_max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Count,
    output_size: Count | None = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """``fractional_max_pool2d`` that always returns the indices, too."""
    return fractional_max_pool_nd(2, input, kernel_size, output_size, output_ratio, _random_samples)


@in_full_on_cpu
def fractional_max_pool2d(
    input: Tensor,
    kernel_size: Count,
    output_size: Count | None = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """The largest element of windows at random distances (Graham 2014, arXiv:1412.6071).

    Args:
        input: ``(N, C, H, W)`` or ``(C, H, W)``.
        kernel_size: size of the window.
        output_size: how many windows.
        output_ratio: or their number in terms of the size, between 0 and 1.
        return_indices: also return where the elements were, among those of a channel.
        _random_samples: uniform numbers ``(N, C, 2)`` instead of those that are drawn.
    """
    out, where = fractional_max_pool_nd(2, input, kernel_size, output_size, output_ratio, _random_samples)
    return (out, where) if return_indices else out


def fractional_max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Count,
    output_size: Count | None = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """``fractional_max_pool3d`` that always returns the indices, too."""
    return fractional_max_pool_nd(3, input, kernel_size, output_size, output_ratio, _random_samples)


@in_full_on_cpu
def fractional_max_pool3d(
    input: Tensor,
    kernel_size: Count,
    output_size: Count | None = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """The largest element of windows at random distances (Graham 2014, arXiv:1412.6071).

    Args:
        input: ``(N, C, D, H, W)`` or ``(C, D, H, W)``.
        kernel_size: size of the window.
        output_size: how many windows.
        output_ratio: or their number in terms of the size, between 0 and 1.
        return_indices: also return where the elements were, among those of a channel.
        _random_samples: uniform numbers ``(N, C, 3)`` instead of those that are drawn.
    """
    out, where = fractional_max_pool_nd(3, input, kernel_size, output_size, output_ratio, _random_samples)
    return (out, where) if return_indices else out
