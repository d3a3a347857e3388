"""Pooling layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from genesis._tensor import Tensor
from genesis.nn.module import Module
from genesis.ops import pools
from genesis.ops.fractional import fractional_max_pool_nd

Count = int | Sequence[int]


def _tuple(value: Any, axes: int) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, Sequence) else (value,) * axes


class _MaxPool(Module):
    axes: ClassVar[int]

    def __init__(
        self,
        kernel_size: Count,
        stride: Count | None = None,
        padding: Count = 0,
        dilation: Count = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Any:
        out, where = pools.max_pool_nd(
            self.axes, input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode
        )
        return (out, where) if self.return_indices else out

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class _AvgPool(Module):
    axes: ClassVar[int]
    divisor_override: int | None = None

    def __init__(
        self,
        kernel_size: Count,
        stride: Count | None = None,
        padding: Count = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        out: Tensor = pools.avg_pool_nd(
            self.axes,
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )
        return out

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _LPPool(Module):
    axes: ClassVar[int]

    def __init__(
        self, norm_type: float, kernel_size: Count, stride: Count | None = None, ceil_mode: bool = False
    ) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        out: Tensor = pools.lp_pool_nd(
            self.axes, input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode
        )
        return out

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class _MaxUnpool(Module):
    axes: ClassVar[int]

    def __init__(self, kernel_size: Count, stride: Count | None = None, padding: Count = 0) -> None:
        super().__init__()
        self.kernel_size = _tuple(kernel_size, self.axes)
        self.stride = _tuple(kernel_size if stride is None else stride, self.axes)
        self.padding = _tuple(padding, self.axes)

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        out: Tensor = pools.max_unpool_nd(
            self.axes, input, indices, self.kernel_size, self.stride, self.padding, output_size
        )
        return out

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxPool1d(_MaxPool):
    """The largest element of each window of ``(N, C, L)`` or ``(C, L)``.

    Args:
        kernel_size: size of the window.
        stride: from one window to the next; the size of the window unless given.
        padding: elements of minus infinity on both sides, at most half of the window.
        dilation: from one element of a window to the next.
        return_indices: also return where the elements were, among those of a channel, for ``MaxUnpool1d``.
        ceil_mode: round the number of windows up: the last may reach beyond the input.
    """

    axes = 1


class MaxPool2d(_MaxPool):
    """The largest element of each window of ``(N, C, H, W)`` or ``(C, H, W)``; see ``MaxPool1d``."""

    axes = 2


class MaxPool3d(_MaxPool):
    """The largest element of each window of ``(N, C, D, H, W)`` or ``(C, D, H, W)``; see ``MaxPool1d``."""

    axes = 3


class AvgPool1d(_AvgPool):
    """The average of each window of ``(N, C, L)`` or ``(C, L)``.

    Args:
        kernel_size: size of the window.
        stride: from one window to the next; the size of the window unless given.
        padding: zeros on both sides, at most half of the window.
        ceil_mode: round the number of windows up: the last may reach beyond the input.
        count_include_pad: count the zeros of the padding as elements.
    """

    axes = 1

    def __init__(
        self,
        kernel_size: Count,
        stride: Count | None = None,
        padding: Count = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        stride = kernel_size if stride is None else stride
        super().__init__(
            _tuple(kernel_size, 1), _tuple(stride, 1), _tuple(padding, 1), ceil_mode, count_include_pad
        )


class AvgPool2d(_AvgPool):
    """The average of each window of ``(N, C, H, W)`` or ``(C, H, W)``; see ``AvgPool1d``.

    Args:
        divisor_override: divide the sum by this instead of the number of elements.
    """

    axes = 2


class AvgPool3d(_AvgPool):
    """The average of each window of ``(N, C, D, H, W)`` or ``(C, D, H, W)``; see ``AvgPool2d``."""

    axes = 3


class LPPool1d(_LPPool):
    """``(sum of x^p) ^ (1/p)`` of each window of ``(N, C, L)`` or ``(C, L)``.

    Args:
        norm_type: p; infinity for the largest ``|x|``.
        kernel_size: size of the window.
        stride: from one window to the next; the size of the window unless given.
        ceil_mode: round the number of windows up.
    """

    axes = 1


class MaxUnpool1d(_MaxUnpool):
    """Zeros with the elements of the input where ``MaxPool1d(..., return_indices=True)`` found them.

    It is called with the two tensors that the pooling returned, and the size of its input where several sizes
    give the same number of windows.

    Args:
        kernel_size, stride, padding: as the pooling got them.
    """

    axes = 1


class LPPool2d(_LPPool):
    """``(sum of x^p) ^ (1/p)`` of each window of ``(N, C, H, W)`` or ``(C, H, W)``.

    Args:
        norm_type: p; infinity for the largest ``|x|``.
        kernel_size: size of the window.
        stride: from one window to the next; the size of the window unless given.
        ceil_mode: round the number of windows up.
    """

    axes = 2


class MaxUnpool2d(_MaxUnpool):
    """Zeros with the elements of the input where ``MaxPool2d(..., return_indices=True)`` found them.

    It is called with the two tensors that the pooling returned, and the size of its input where several sizes
    give the same number of windows.

    Args:
        kernel_size, stride, padding: as the pooling got them.
    """

    axes = 2


class LPPool3d(_LPPool):
    """``(sum of x^p) ^ (1/p)`` of each window of ``(N, C, D, H, W)`` or ``(C, D, H, W)``.

    Args:
        norm_type: p; infinity for the largest ``|x|``.
        kernel_size: size of the window.
        stride: from one window to the next; the size of the window unless given.
        ceil_mode: round the number of windows up.
    """

    axes = 3


class MaxUnpool3d(_MaxUnpool):
    """Zeros with the elements of the input where ``MaxPool3d(..., return_indices=True)`` found them.

    It is called with the two tensors that the pooling returned, and the size of its input where several sizes
    give the same number of windows.

    Args:
        kernel_size, stride, padding: as the pooling got them.
    """

    axes = 3


class _FractionalMaxPool(Module):
    axes: ClassVar[int]

    def __init__(
        self,
        kernel_size: Count,
        output_size: Count | None = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__()
        if (output_size is None) == (output_ratio is None):
            raise ValueError(f"{type(self).__name__} needs one of output_size and output_ratio")
        self.kernel_size = _tuple(kernel_size, self.axes)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = None if output_size is None else _tuple(output_size, self.axes)
        self.output_ratio = None if output_ratio is None else _tuple(output_ratio, self.axes)
        if self.output_ratio is not None and not all(0 < r < 1 for r in self.output_ratio):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")

    def forward(self, input: Tensor) -> Any:
        out, where = fractional_max_pool_nd(
            self.axes, input, self.kernel_size, self.output_size, self.output_ratio, self._random_samples
        )
        return (out, where) if self.return_indices else out


class FractionalMaxPool2d(_FractionalMaxPool):
    """The largest element of windows at random distances (Graham 2014, arXiv:1412.6071).

    Args:
        kernel_size: size of the window.
        output_size: how many windows.
        output_ratio: or their number in terms of the size, between 0 and 1.
        return_indices: also return where the elements were, among those of a channel.
    """

    axes = 2


class FractionalMaxPool3d(_FractionalMaxPool):
    """``FractionalMaxPool2d`` for ``(N, C, D, H, W)`` or ``(C, D, H, W)``."""

    axes = 3
