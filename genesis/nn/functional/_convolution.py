"""Convolutions and sliding blocks as functions."""

from __future__ import annotations

from collections.abc import Sequence

from genesis import ops
from genesis._tensor import Tensor
from genesis.ops import (
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
)

__all__ = [
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "fold",
    "unfold",
]


def unfold(
    input: Tensor,
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> Tensor:
    """The blocks that a window passes over, as columns: ``(N, C, H, W)`` to ``(N, C * kh * kw, blocks)``.

    Args:
        input: ``(N, C, H, W)`` or ``(C, H, W)``.
        kernel_size: the size of the window.
        dilation: the distance between elements that the window sees.
        padding: zeros around the input.
        stride: the distance between windows.

    Raises:
        RuntimeError: the input has another number of axes, or there is not one block.
    """
    out: Tensor = ops.im2col(input, kernel_size, dilation, padding, stride)
    return out


def fold(
    input: Tensor,
    output_size: int | Sequence[int],
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> Tensor:
    """Adds columns to where ``unfold`` takes them from: ``(N, C * kh * kw, blocks)`` to ``(N, C, H, W)``.

    Elements of several blocks add up: ``fold(unfold(x))`` is ``x`` times the number of blocks that see it.

    Args:
        input: ``(N, C * kh * kw, blocks)`` or ``(C * kh * kw, blocks)``.
        output_size: ``(H, W)``.
        kernel_size, dilation, padding, stride: as in ``unfold``.

    Raises:
        RuntimeError: the input does not fit these sizes.
    """
    out: Tensor = ops.col2im(input, output_size, kernel_size, dilation, padding, stride)
    return out
