"""Views that are copied at once, by PyTorch's names: ``view_copy(x, size)`` is ``x.view(size).clone()``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genesis.ops import parts
from genesis.ops import shape as sh
from genesis.ops.reduction import axis_of
from genesis.ops.strided import as_strided

if TYPE_CHECKING:
    from genesis._tensor import Tensor


def _each(views: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple([sh.clone(v) for v in views])


def alias_copy(input: Tensor) -> Tensor:
    """A copy of ``input``."""
    return sh.clone(input)


def detach_copy(input: Tensor) -> Tensor:
    """A copy of ``input`` that no gradient flows through."""
    return sh.clone(input.detach())


def as_strided_copy(input: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """A copy of ``as_strided``."""
    return sh.clone(as_strided(input, size, stride, storage_offset))


def diagonal_copy(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A copy of ``diagonal``."""
    return sh.clone(parts.diagonal(input, offset, dim1, dim2))


def expand_copy(input: Tensor, size: Any, *, implicit: bool = False) -> Tensor:
    """A copy of ``expand``; ``implicit`` changes nothing, as in PyTorch."""
    return sh.clone(sh.expand(input, size))


def permute_copy(input: Tensor, dims: Any) -> Tensor:
    """A copy of ``permute``."""
    return sh.clone(sh.permute(input, dims))


def select_copy(input: Tensor, dim: int, index: int) -> Tensor:
    """A copy of ``select``."""
    return sh.clone(parts.select(input, dim, index))


def slice_copy(
    input: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Tensor:
    """A copy of the elements from ``start`` to before ``end``, every ``step``, along axis ``dim``."""
    axis = axis_of(dim, input.dim())
    place: Any = (slice(None),) * axis + (slice(start, end, step),)
    return sh.clone(input[place])


def split_copy(tensor: Tensor, split_size: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Copies of the parts of ``split``."""
    return _each(parts.split(tensor, split_size, dim))


def split_with_sizes_copy(input: Tensor, split_sizes: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Copies of the parts of ``split_with_sizes``."""
    return _each(parts.split_with_sizes(input, split_sizes, dim))


def squeeze_copy(input: Tensor, dim: Any = None) -> Tensor:
    """A copy of ``squeeze``."""
    return sh.clone(sh.squeeze(input, dim))


def t_copy(input: Tensor) -> Tensor:
    """A copy of ``t``."""
    return sh.clone(sh.t(input))


def transpose_copy(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """A copy of ``transpose``."""
    return sh.clone(sh.transpose(input, dim0, dim1))


def unbind_copy(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """Copies of the parts of ``unbind``."""
    return _each(parts.unbind(input, dim))


def unfold_copy(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """A copy of ``unfold``."""
    return sh.clone(parts.unfold(input, dimension, size, step))


def unsqueeze_copy(input: Tensor, dim: int) -> Tensor:
    """A copy of ``unsqueeze``."""
    return sh.clone(sh.unsqueeze(input, dim))


def view_copy(input: Tensor, size: Any) -> Tensor:
    """A copy of ``view``; ``size`` may be a type of as many bytes an element."""
    return sh.clone(sh.view(input, size))
