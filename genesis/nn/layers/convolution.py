"""``Conv1d`` to ``Conv3d``, ``ConvTranspose1d`` to ``ConvTranspose3d``, ``Unfold`` and ``Fold``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from genesis import empty
from genesis._dtypes import dtype as DType
from genesis._tensor import Tensor
from genesis.nn import functional as F
from genesis.nn import init
from genesis.nn.module import Module
from genesis.nn.parameter import Parameter

Sizes = int | Sequence[int]
_MODES = ("zeros", "reflect", "replicate", "circular")


def _each(value: Any, count: int) -> tuple[int, ...]:
    """One for each axis; a sequence stays what it is."""
    return tuple(value) if isinstance(value, Sequence) else (value,) * count


class _Convolution(Module):
    """What all of them share: the arguments, the parameters and how they are printed."""

    axes: ClassVar[int]
    transposed: ClassVar[bool] = False
    in_channels: int
    out_channels: int
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...] | str
    dilation: tuple[int, ...]
    output_padding: tuple[int, ...]
    groups: int
    padding_mode: str
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes,
        padding: Sizes | str,
        dilation: Sizes,
        output_padding: Sizes,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any,
        dtype: DType | None,
    ) -> None:
        super().__init__()
        if groups <= 0:
            raise ValueError(f"groups must be a positive integer, got {groups}")
        for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels % groups:
                raise ValueError(f"{name} must be divisible by groups, got {channels} and groups={groups}")
        if padding_mode not in _MODES:
            raise ValueError(f"padding_mode must be one of {_MODES}, but got padding_mode={padding_mode!r}")
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size, self.stride = _each(kernel_size, self.axes), _each(stride, self.axes)
        self.dilation, self.output_padding = _each(dilation, self.axes), _each(output_padding, self.axes)
        self.groups, self.padding_mode = groups, padding_mode
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(f"invalid padding string {padding!r}, should be one of 'same', 'valid'")
            if padding == "same" and any(s != 1 for s in self.stride):
                raise ValueError(
                    f"padding='same' is not supported for strided convolutions, got stride={self.stride}"
                )
            self.padding = padding
        else:
            self.padding = _each(padding, self.axes)
        form = (out_channels, in_channels // groups)
        if self.transposed:
            form = (in_channels, out_channels // groups)
        self.weight = Parameter(empty((*form, *self.kernel_size), device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(empty((out_channels,), device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights and biases, from U(-k, k) with ``k = 1/sqrt(fan_in)``."""
        # a = sqrt(5) makes the bound of Kaiming's rule 1/sqrt(fan_in), the one the bias has.
        if self.weight.numel():
            init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            if fan_in:
                init.uniform_(self.bias, -1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in))
            else:
                init.zeros_(self.bias)

    def extra_repr(self) -> str:
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        )
        if isinstance(self.padding, str) or any(self.padding):
            text += f", padding={self.padding}"
        if any(d != 1 for d in self.dilation):
            text += f", dilation={self.dilation}"
        if any(self.output_padding):
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


class _Conv(_Convolution):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias, padding_mode,
            device, dtype,
        )  # fmt: skip

    def _widths(self) -> list[int]:
        """What ``F.pad`` takes: before and after each axis, the last axis first."""
        widths: list[int] = []
        for i in reversed(range(self.axes)):
            if self.padding == "same":
                total = self.dilation[i] * (self.kernel_size[i] - 1)
                widths += [total // 2, total - total // 2]
            elif isinstance(self.padding, str):
                widths += [0, 0]
            else:
                widths += [self.padding[i]] * 2
        return widths

    def forward(self, input: Tensor) -> Tensor:
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._widths(), mode=self.padding_mode)
            padding = 0
        run = (F.conv1d, F.conv2d, F.conv3d)[self.axes - 1]
        out: Tensor = run(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)
        return out


class Conv1d(_Conv):
    """``Conv2d`` over one axis: ``(N, C, L)`` or ``(C, L)``."""

    axes = 1


class Conv2d(_Conv):
    """Slides kernels over images: ``y = conv2d(x, weight, bias)``.

    Args:
        in_channels: C of the input, ``(N, C, H, W)`` or ``(C, H, W)``.
        out_channels: C of the output.
        kernel_size, stride, dilation: an int, or one for each spatial axis.
        padding: the same, or ``"same"`` or ``"valid"``.
        groups: both numbers of channels are cut into so many parts; those of one part see each other.
        bias: whether to add a number for each output channel.
        padding_mode: what is put around the input: ``"zeros"``, ``"reflect"``, ``"replicate"`` or
            ``"circular"``.
        device: where the parameters are made.
        dtype: their floating-point type.

    Attributes:
        weight: ``(out_channels, in_channels / groups, *kernel_size)``, from U(-k, k) with
            ``k = 1/sqrt(in_channels / groups * kh * kw)``.
        bias: ``(out_channels,)``, from the same distribution, or None.

    Example:
        >>> nn.Conv2d(3, 16, 3, padding=1)(genesis.randn(8, 3, 32, 32)).shape
        (8, 16, 32, 32)
    """

    axes = 2


class Conv3d(_Conv):
    """``Conv2d`` over three axes: ``(N, C, D, H, W)`` or ``(C, D, H, W)``."""

    axes = 3


class _ConvTranspose(_Convolution):
    transposed = True
    padding: tuple[int, ...]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(
                f"only padding_mode='zeros' is supported for {type(self).__name__}, got {padding_mode!r}"
            )
        if isinstance(padding, str):
            raise TypeError(f"{type(self).__name__}: padding must be an int or ints, got {padding!r}")
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip

    def _extra(self, input: Tensor, output_size: Sequence[int] | None) -> tuple[int, ...]:
        """``output_padding``, or what makes the output as large as asked for."""
        if output_size is None:
            return self.output_padding
        name, axes = type(self).__name__, self.axes
        size = list(output_size)
        if len(size) == input.dim():
            size = size[-axes:]
        if len(size) != axes:
            raise ValueError(
                f"{name}: for an input of {input.dim()} dimensions output_size has {axes} or {input.dim()} "
                f"elements, got {len(size)}"
            )
        least = [
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, s, p, d, k in zip(
                input.shape[-axes:], self.stride, self.padding, self.dilation, self.kernel_size, strict=True
            )
        ]
        most = [n + s - 1 for n, s in zip(least, self.stride, strict=True)]
        if any(not low <= n <= high for low, n, high in zip(least, size, most, strict=True)):
            raise ValueError(
                f"{name}: requested an output size of {tuple(size)}, but valid sizes range from {least} to "
                f"{most} for an input of shape {tuple(input.shape)}"
            )
        return tuple([n - low for n, low in zip(size, least, strict=True)])

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        extra = self._extra(input, output_size)
        run = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[self.axes - 1]
        out: Tensor = run(
            input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation
        )
        return out


class ConvTranspose1d(_ConvTranspose):
    """``ConvTranspose2d`` over one axis: ``(N, C, L)`` or ``(C, L)``."""

    axes = 1


class ConvTranspose2d(_ConvTranspose):
    """The transpose of ``Conv2d``: each input element adds its multiple of the kernel to the output.

    With ``stride=s`` the output is about ``s`` times as large: learned upsampling.

    Args:
        in_channels: C of the input, ``(N, C, H, W)`` or ``(C, H, W)``.
        out_channels: C of the output.
        kernel_size, stride, padding, dilation: those of the convolution that this is the transpose of.
        output_padding: added to the output's size on one side.
        groups, bias, device, dtype: as in ``Conv2d``.
        padding_mode: ``"zeros"``.

    ``forward(input, output_size=None)`` takes the size of the output, where several are possible.

    Attributes:
        weight: ``(in_channels, out_channels / groups, *kernel_size)``, drawn as that of ``Conv2d``.
        bias: ``(out_channels,)``, from the same distribution, or None.

    Example:
        >>> nn.ConvTranspose2d(16, 3, 4, stride=2, padding=1)(genesis.randn(8, 16, 16, 16)).shape
        (8, 3, 32, 32)
    """

    axes = 2


class ConvTranspose3d(_ConvTranspose):
    """``ConvTranspose2d`` over three axes: ``(N, C, D, H, W)`` or ``(C, D, H, W)``."""

    axes = 3


class Unfold(Module):
    """The blocks that a window passes over, as columns: ``(N, C, H, W)`` to ``(N, C * kh * kw, blocks)``.

    Args:
        kernel_size: the size of the window, an int or two.
        dilation: the distance between elements that the window sees.
        padding: zeros around the input.
        stride: the distance between windows.

    Example:
        >>> nn.Unfold((2, 3))(genesis.randn(2, 5, 3, 4)).shape
        (2, 30, 4)
    """

    def __init__(
        self, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1
    ) -> None:
        super().__init__()
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride

    def forward(self, input: Tensor) -> Tensor:
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, "
            f"stride={self.stride}"
        )


class Fold(Module):
    """Adds columns to where ``Unfold`` takes them from: ``(N, C * kh * kw, blocks)`` to ``(N, C, H, W)``.

    Args:
        output_size: ``(H, W)``, or an int for both.
        kernel_size, dilation, padding, stride: as in ``Unfold``.

    Example:
        >>> nn.Fold((4, 5), (2, 2))(genesis.randn(1, 12, 12)).shape
        (1, 3, 4, 5)
    """

    def __init__(
        self,
        output_size: Sizes,
        kernel_size: Sizes,
        dilation: Sizes = 1,
        padding: Sizes = 0,
        stride: Sizes = 1,
    ) -> None:
        super().__init__()
        self.output_size, self.kernel_size, self.dilation = output_size, kernel_size, dilation
        self.padding, self.stride = padding, stride

    def forward(self, input: Tensor) -> Tensor:
        return F.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, dilation={self.dilation}, "
            f"padding={self.padding}, stride={self.stride}"
        )
