"""Padding as a function."""

from __future__ import annotations

from collections.abc import Sequence

from genesis import ops
from genesis._tensor import Tensor


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Add elements before and after the last axes, or take some away.

    Args:
        input: any shape for ``constant``; else ``(C, …)`` or ``(N, C, …)`` with 1 to 3 axes to pad.
        pad: ``(left, right, top, bottom, front, back, …)``, the last axis first; negative widths crop.
        mode: ``"constant"``, ``"reflect"`` (without repeating the border), ``"replicate"`` (the border), or
            ``"circular"``.
        value: what ``constant`` fills with, 0 unless given.

    Raises:
        RuntimeError: an odd number of widths, more than the axes, or larger than the axis allows.
        NotImplementedError: an unknown mode, or axes that a mode does not pad.
    """
    return ops.pad(input, pad, mode, value)
