"""Types for annotations."""

from __future__ import annotations

from builtins import bool as _bool
from builtins import float as _float
from builtins import int as _int
from collections.abc import Sequence
from typing import TypeAlias

from genesis import Size, Tensor
from genesis._device import device as _device
from genesis._dtypes import dtype as _dtype
from genesis._lazy import missing

Device: TypeAlias = _device | str | _int | None
Number: TypeAlias = _int | _float | _bool
_size: TypeAlias = Size | list[_int] | tuple[_int, ...]

__all__ = ["Device", "Number", "Sequence", "Size", "Tensor", "_device", "_dtype", "_size"]

TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
