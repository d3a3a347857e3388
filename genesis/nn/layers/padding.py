"""Layers that pad: with a constant, by reflection, by replication, around the circle."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from genesis._tensor import Tensor
from genesis.nn import functional as F
from genesis.nn.module import Module


class _Pad(Module):
    """Pads the last ``axes`` dimensions.

    Args:
        padding: one width for all sides, or ``(left, right, top, bottom, front, back)`` as far as there are
            axes; negative widths crop.
    """

    mode: ClassVar[str]
    axes: ClassVar[int]
    padding: tuple[int, ...]

    def __init__(self, padding: int | Iterable[int]) -> None:
        super().__init__()
        self.padding = tuple(padding) if isinstance(padding, Iterable) else (padding,) * (2 * self.axes)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    mode = "constant"
    value: float

    def __init__(self, padding: int | Iterable[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """Pads the last dimension with ``value``.

    Args:
        padding: an int for both sides, or ``(left, right)``; negative widths crop.
        value: what it is filled with.
    """

    axes = 1


class ConstantPad2d(_ConstantPad):
    """Pads the last two dimensions with ``value``.

    Args:
        padding: an int for all sides, or ``(left, right, top, bottom)``; negative widths crop.
        value: what it is filled with.
    """

    axes = 2


class ConstantPad3d(_ConstantPad):
    """Pads the last three dimensions with ``value``.

    Args:
        padding: an int for all sides, or ``(left, right, top, bottom, front, back)``; negative widths crop.
        value: what it is filled with.
    """

    axes = 3


class _ZeroPad(_ConstantPad):
    def __init__(self, padding: int | Iterable[int]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad1d(_ZeroPad, ConstantPad1d):
    """Pads the last dimension with zeros; see ``ConstantPad1d``."""


class ZeroPad2d(_ZeroPad, ConstantPad2d):
    """Pads the last two dimensions with zeros; see ``ConstantPad2d``."""


class ZeroPad3d(_ZeroPad, ConstantPad3d):
    """Pads the last three dimensions with zeros; see ``ConstantPad3d``."""


class _ReflectionPad(_Pad):
    mode = "reflect"


class ReflectionPad1d(_ReflectionPad):
    """Pads ``(C, W)`` or ``(N, C, W)`` by reflection about the border elements, which are not repeated.

    Args:
        padding: an int for both sides, or ``(left, right)``, each less than the size.
    """

    axes = 1


class ReflectionPad2d(_ReflectionPad):
    """Pads ``(C, H, W)`` or ``(N, C, H, W)`` by reflection; see ``ReflectionPad1d``.

    Args:
        padding: an int for all sides, or ``(left, right, top, bottom)``, each less than the size.
    """

    axes = 2


class ReflectionPad3d(_ReflectionPad):
    """Pads ``(C, D, H, W)`` or ``(N, C, D, H, W)`` by reflection; see ``ReflectionPad1d``.

    Args:
        padding: an int for all sides, or ``(left, right, top, bottom, front, back)``.
    """

    axes = 3


class _ReplicationPad(_Pad):
    mode = "replicate"


class ReplicationPad1d(_ReplicationPad):
    """Pads ``(C, W)`` or ``(N, C, W)`` with copies of the border elements.

    Args:
        padding: an int for both sides, or ``(left, right)``.
    """

    axes = 1


class ReplicationPad2d(_ReplicationPad):
    """Pads ``(C, H, W)`` or ``(N, C, H, W)`` with copies of the border elements.

    Args:
        padding: an int for all sides, or ``(left, right, top, bottom)``.
    """

    axes = 2


class ReplicationPad3d(_ReplicationPad):
    """Pads ``(C, D, H, W)`` or ``(N, C, D, H, W)`` with copies of the border elements.

    Args:
        padding: an int for all sides, or ``(left, right, top, bottom, front, back)``.
    """

    axes = 3


class _CircularPad(_Pad):
    mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() not in (self.axes + 1, self.axes + 2):
            raise ValueError(
                f"expected {self.axes + 1}D or {self.axes + 2}D input (got {input.dim()}D input)"
            )
        return super().forward(input)


class CircularPad1d(_CircularPad):
    """Pads ``(C, W)`` or ``(N, C, W)`` with the elements of the other end.

    Args:
        padding: an int for both sides, or ``(left, right)``, each at most the size.
    """

    axes = 1


class CircularPad2d(_CircularPad):
    """Pads ``(C, H, W)`` or ``(N, C, H, W)`` with the elements of the other end.

    Args:
        padding: an int for all sides, or ``(left, right, top, bottom)``, each at most the size.
    """

    axes = 2


class CircularPad3d(_CircularPad):
    """Pads ``(C, D, H, W)`` or ``(N, C, D, H, W)`` with the elements of the other end.

    Args:
        padding: an int for all sides, or ``(left, right, top, bottom, front, back)``, each at most the size.
    """

    axes = 3
