"""View: a buffer and how to walk it.  Every change of shape is algebra on views; a device never sees it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from genesis._dtypes import dtype
from genesis._errors import ShapeError

Shape = tuple[int, ...]


class Buffer:
    """Memory of one device, shared by all views of it.

    Attributes:
        handle: whatever ``Backend.allocate`` returned.
        nbytes: size in bytes.
        device: the ``genesis.device`` it lives on.
        version: counts in-place writes, so that a backward pass can tell a stale value.
    """

    __slots__ = ("__weakref__", "device", "handle", "nbytes", "owner", "version")

    def __init__(self, handle: Any, nbytes: int, device: Any, owner: Any = None) -> None:
        self.handle, self.nbytes, self.device, self.owner = handle, nbytes, device, owner
        self.version = 0


class View:
    """What a kernel sees: ``shape`` and ``strides`` (both in elements, 0 = broadcast) over a buffer.

    ``native`` belongs to the backend: it may keep its own handle of the view there (a NumPy array, a
    pointer), so that it is made once.  A view is never changed after it was made.
    """

    __slots__ = ("_contiguous", "buffer", "dtype", "native", "offset", "shape", "strides")

    def __init__(
        self,
        buffer: Buffer,
        dtype: dtype,
        shape: Shape,
        strides: Shape,
        offset: int = 0,
        native: Any = None,
        contiguous: bool | None = None,
    ) -> None:
        self.buffer, self.dtype, self.shape, self.strides, self.offset = buffer, dtype, shape, strides, offset
        self.native, self._contiguous = native, contiguous  # None: not yet known

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def contiguous(self) -> bool:
        """True when the elements lie in row-major order without gaps."""
        known = self._contiguous
        if known is None:
            known = self._contiguous = _is_contiguous(self.shape, self.strides)
        return known

    def same_place(self, other: View) -> bool:
        """True when both walk the same elements in the same order."""
        return (
            self.buffer is other.buffer
            and self.offset == other.offset
            and self.shape == other.shape
            and self.strides == other.strides
            and self.dtype is other.dtype
        )

    def __repr__(self) -> str:
        return f"View({self.dtype.name}, shape={self.shape}, strides={self.strides}, offset={self.offset})"

    # -- algebra -------------------------------------------------------------------------------------
    def like(self, shape: Shape, strides: Shape, offset: int | None = None) -> View:
        """Another walk over the same buffer."""
        return View(self.buffer, self.dtype, shape, strides, self.offset if offset is None else offset)

    def expand(self, shape: Shape) -> View:
        """Broadcast to ``shape``: axes of length 1 repeat, new axes come in front."""
        if shape == self.shape:
            return self
        lead = len(shape) - len(self.shape)
        if lead < 0:
            raise ShapeError(f"cannot expand shape {self.shape} to {shape}: it has more dimensions")
        strides = [0] * lead
        for have, want, stride in zip(self.shape, shape[lead:], self.strides, strict=True):
            if have == want:
                strides.append(stride)
            elif have == 1:
                strides.append(0)
            else:
                raise ShapeError(
                    f"cannot expand shape {self.shape} to {shape}: {have} is neither 1 nor {want}"
                )
        return self.like(tuple(shape), tuple(strides))

    def permute(self, order: Sequence[int]) -> View:
        shape, strides, contiguous = _permuted(self.shape, self.strides, tuple(order))
        return View(self.buffer, self.dtype, shape, strides, self.offset, None, contiguous)

    def narrow(self, axis: int, start: int, length: int, step: int = 1) -> View:
        """Elements start, start+step, … along one axis (``length`` of them)."""
        shape, strides = self.shape, self.strides
        stride, rest = strides[axis], axis + 1
        return self.like(
            (*shape[:axis], length, *shape[rest:]),
            strides if step == 1 else (*strides[:axis], stride * step, *strides[rest:]),
            self.offset + start * stride,
        )

    def select(self, axis: int, index: int) -> View:
        """One index of an axis; the axis goes away."""
        return self.like(
            self.shape[:axis] + self.shape[axis + 1 :],
            self.strides[:axis] + self.strides[axis + 1 :],
            self.offset + index * self.strides[axis],
        )

    def squeeze(self, axes: Sequence[int]) -> View:
        keep = [i for i in range(self.ndim) if i not in axes]
        return self.permute(keep)

    def unsqueeze(self, axis: int) -> View:
        stride = self.shape[axis] * self.strides[axis] if axis < self.ndim else 1
        return self.like(
            (*self.shape[:axis], 1, *self.shape[axis:]),
            (*self.strides[:axis], stride, *self.strides[axis:]),
        )

    def flip(self, axes: Sequence[int]) -> View:
        strides, offset = list(self.strides), self.offset
        for a in axes:
            if self.shape[a]:
                offset += (self.shape[a] - 1) * strides[a]
            strides[a] = -strides[a]
        return self.like(self.shape, tuple(strides), offset)

    def diagonal(self, offset: int, axis1: int, axis2: int) -> View:
        """The diagonal of two axes, as a new last axis."""
        rows, columns = self.shape[axis1], self.shape[axis2]
        length = max(0, min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns))
        keep = [i for i in range(self.ndim) if i not in (axis1, axis2)]
        row, column = self.strides[axis1], self.strides[axis2]
        start = 0 if not length else offset * column if offset >= 0 else -offset * row
        return self.like(
            (*[self.shape[i] for i in keep], length),
            (*[self.strides[i] for i in keep], row + column),
            self.offset + start,
        )

    def unfold(self, axis: int, size: int, step: int) -> View:
        """Windows of ``size`` elements, ``step`` apart, along one axis; the window is a new last axis."""
        shape, strides = list(self.shape), list(self.strides)
        stride = strides[axis]
        shape[axis], strides[axis] = (shape[axis] - size) // step + 1, stride * step
        return self.like((*shape, size), (*strides, stride))

    def as_strided(self, shape: Shape, strides: Shape, shift: int, of: Shape) -> View | None:
        """Any walk over the buffer, from ``shift`` elements behind the first of this view.

        ``of``: the strides of the view that it was meant for; None for another one.
        """
        return self.like(shape, strides, self.offset + shift) if self.strides == of else None

    def as_dtype(self, dtype: dtype) -> View | None:
        """The same bytes as another type; the last axis becomes longer or shorter. None where that fails."""
        have, want = self.dtype.itemsize, dtype.itemsize
        shape, strides, offset = self.shape, self.strides, self.offset
        if have > want:
            if strides[-1] != 1:
                return None
            k = have // want
            shape = (*shape[:-1], shape[-1] * k)
            strides, offset = (*[s * k for s in strides[:-1]], 1), offset * k
        elif have < want:
            k = want // have
            if strides[-1] != 1 or any(s % k for s in (shape[-1], offset, *strides[:-1])):
                return None
            shape = (*shape[:-1], shape[-1] // k)
            strides, offset = (*[s // k for s in strides[:-1]], 1), offset // k
        return View(self.buffer, dtype, shape, strides, offset)

    def reshape(self, shape: Shape) -> View | None:
        """The same elements under another shape, or None when that needs a copy."""
        if self.contiguous:
            return View(self.buffer, self.dtype, shape, contiguous_strides(shape), self.offset, None, True)
        strides = _reshape_strides(self.shape, self.strides, shape)
        return None if strides is None else self.like(shape, strides)


def contiguous_strides(shape: Sequence[int]) -> Shape:
    """Row-major strides in elements."""
    return _row_major(tuple(shape))


@lru_cache(4096)
def _row_major(shape: Shape) -> Shape:
    out, n = [], 1
    for s in reversed(shape):
        out.append(n)
        n *= max(s, 1)
    return tuple(reversed(out))


def _is_contiguous(shape: Shape, strides: Shape) -> bool:
    n = 1
    for s, t in zip(reversed(shape), reversed(strides), strict=True):
        if s == 0:
            return True
        if s != 1:
            if t != n:
                return False
            n *= s
    return True


@lru_cache(4096)
def _permuted(shape: Shape, strides: Shape, order: Shape) -> tuple[Shape, Shape, bool]:
    """Shape and strides in another order of the axes, and whether such a view is contiguous."""
    shape, strides = tuple([shape[i] for i in order]), tuple([strides[i] for i in order])
    return shape, strides, _is_contiguous(shape, strides)


@lru_cache(4096)
def _reshape_strides(old: Shape, strides: Shape, new: Shape) -> Shape | None:
    """Strides of ``new`` over the same memory: runs of axes that merge must be split the same way."""
    if 0 in old:
        return contiguous_strides(new)
    axes = [(s, t) for s, t in zip(old, strides, strict=True) if s != 1]
    runs: list[tuple[int, int]] = []  # (elements, stride of the last) of each maximal mergeable run
    for s, t in axes:
        if runs and runs[-1][1] == s * t:
            runs[-1] = (runs[-1][0] * s, t)
        else:
            runs.append((s, t))
    out: list[int] = []
    run = len(runs) - 1
    left, stride = runs[run] if runs else (1, 1)
    for s in reversed(new):
        if s == 1:
            out.append(stride)
            continue
        if left == 1:
            run -= 1
            if run < 0:
                return None
            left, stride = runs[run]
        if left % s:
            return None
        out.append(stride)
        left //= s
        stride *= s
    return tuple(reversed(out))


def broadcast_shapes(*shapes: Sequence[int]) -> Shape:
    """The shape that all operands expand to, by NumPy's rule.

    Raises:
        ShapeError: two sizes differ and neither is 1.
    """
    ndim = max(len(s) for s in shapes)
    out = [1] * ndim
    for shape in shapes:
        lead = ndim - len(shape)
        for i, s in enumerate(shape):
            if s == 1 or s == out[lead + i]:
                continue
            if out[lead + i] != 1:
                text = " and ".join(str(tuple(s)) for s in shapes)
                raise ShapeError(
                    f"shapes {text} do not match: sizes {out[lead + i]} and {s} at dimension {lead + i}; "
                    "they must be equal or one of them 1"
                )
            out[lead + i] = s
    return tuple(out)


@lru_cache(4096)
def resolve_shape(shape: Shape, size: int) -> Shape:
    """Fill in the one -1 of a requested shape and check that it holds ``size`` elements.

    Raises:
        ShapeError: that is not possible.
    """
    holes = [i for i, s in enumerate(shape) if s == -1]
    if any(s < -1 for s in shape) or len(holes) > 1:
        raise ShapeError(f"invalid shape {shape}: sizes must be >= 0, and at most one may be -1")
    if holes:
        rest = math.prod(s for s in shape if s != -1)
        if rest == 0 or size % rest:
            raise ShapeError(f"shape {shape} is invalid for {size} elements")
        i = holes[0]
        return (*shape[:i], size // rest, *shape[i + 1 :])
    if math.prod(shape) != size:
        raise ShapeError(f"shape {shape} is invalid for {size} elements")
    return shape


def collapse(
    shape: Sequence[int], strides: Sequence[Sequence[int]], keep_order: bool = False
) -> tuple[list[int], list[list[int]]]:
    """The axes that a walk over operands of one shape needs: as few as their memory allows.

    Axes of length 1 are dropped, those of the first operand are put in the order of its memory, the widest
    stride first, and neighbours are merged where they lie without gaps in all operands.

    Args:
        shape: of all operands.
        strides: of each operand, in elements; 0 is allowed.
        keep_order: leave the axes in their order, where the number of an element counts.

    Returns:
        The sizes of the axes that are left, and the strides of each operand along them. All of them are empty
        for one element.
    """
    axes = [i for i, s in enumerate(shape) if s != 1]
    if not keep_order:
        axes.sort(key=lambda i: -abs(strides[0][i]))
    sizes: list[int] = []
    merged: list[list[int]] = [[] for _ in strides]
    for i in axes:
        if sizes and all(m[-1] == s[i] * shape[i] for m, s in zip(merged, strides, strict=True)):
            sizes[-1] *= shape[i]
            for m, s in zip(merged, strides, strict=True):
                m[-1] = s[i]
        else:
            sizes.append(shape[i])
            for m, s in zip(merged, strides, strict=True):
                m.append(s[i])
    return sizes, merged


def may_overlap(a: View, b: View) -> bool:
    """True when two views may share an element without being the same walk (conservative)."""
    if a.buffer is not b.buffer or a.same_place(b) or not a.size or not b.size:
        return False
    lo_a, hi_a = _extent(a)
    lo_b, hi_b = _extent(b)
    return lo_a < hi_b and lo_b < hi_a


def repeats_itself(v: View) -> bool:
    """True when two elements of a view may be one in memory (conservative)."""
    reach = 0
    for stride, size in sorted((abs(t), s) for s, t in zip(v.shape, v.strides, strict=True) if s > 1):
        if stride <= reach:
            return True
        reach += stride * (size - 1)
    return False


def _extent(v: View) -> tuple[int, int]:
    lo, hi = span(v)
    return lo * v.dtype.itemsize, hi * v.dtype.itemsize


def span(v: View) -> tuple[int, int]:
    """The first element of the buffer that a view with elements walks, and the one behind the last."""
    lo = hi = v.offset
    for s, t in zip(v.shape, v.strides, strict=True):
        if t > 0:
            hi += (s - 1) * t
        else:
            lo += (s - 1) * t
    return lo, hi + 1
