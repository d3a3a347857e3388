"""Attention a block at a time: scores and weights stay in the cache and are never stored as a whole.

The forward pass keeps one number for each row, the logarithm of its sum, from which the backward pass
computes the weights again (Dao et al. 2022, arXiv:2205.14135).  Where attention is causal, what lies behind
the diagonal is left out block by block.  Heads are divided among the threads.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from genesis.backend import View
from genesis_cpu import _threads
from genesis_cpu._kernel import launch, parts
from genesis_cpu._memory import address, empty, scratch, table
from genesis_cpu._processor import BYTES
from genesis_cpu.fused._attention_kernels import backward, forward
from genesis_cpu.kernels.map import contiguous, duplicate

#: queries of a block, and bytes of the scores of a block
_QUERIES, _BLOCK = 32, 16 << 10
#: rows of a strip at most
_TALL = 8


#: the shape and the strides of a tensor
Walk = tuple[tuple[int, ...], tuple[int, ...]]


@lru_cache(maxsize=1024)
def _offsets(shape: tuple[int, ...], strides: tuple[int, ...], size: int) -> tuple[int, int, Any]:
    """How many heads there are; the address of their places, in bytes from the first; what keeps those."""
    offsets = np.zeros(shape, np.int64)
    for axis, (n, stride) in enumerate(zip(shape, strides, strict=True)):
        steps = np.arange(n, dtype=np.int64) * (stride * size)
        offsets += steps.reshape((n,) + (1,) * (len(shape) - 1 - axis))
    return offsets.size, *table(offsets)


class _Heads:
    """A (…, rows, columns) tensor as kernels take it: where its heads are, and from row to row."""

    __slots__ = ("_alive", "count", "row", "table")

    def __init__(self, walk: Walk, size: int) -> None:
        shape, strides = walk
        self.count, self.table, self._alive = _offsets(shape[:-2], strides[:-2], size)
        self.row = strides[-2] if shape[-2] > 1 else shape[-1]


@lru_cache(maxsize=1024)
def _heads(walk: Walk, size: int) -> _Heads:
    return _Heads(walk, size)


def _rows(x: View) -> View:
    """As it is if the elements of a row lie side by side, else as a copy."""
    return x if x.strides[-1] == 1 or x.shape[-1] == 1 else duplicate(x)


def _like(shape: tuple[int, ...], x: View) -> View:
    """A new tensor; (batch, heads, rows, columns) lies as (batch, rows, heads, columns), which is next."""
    if len(shape) != 4:
        return empty(shape, x.dtype, x.buffer.device)
    a, b, c, d = shape
    return empty((a, c, b, d), x.dtype, x.buffer.device).permute((0, 2, 1, 3))


def _serves(query: View, key: View, value: View, mask: View | None) -> bool:
    """Few queries of many keys leave vectors half empty: the weights are few, and products of BLAS faster."""
    heads, lanes = math.prod(query.shape[:-2]), BYTES // query.dtype.itemsize
    return (
        query.dtype.is_floating_point
        and query.size > 0
        and key.size > 0
        and value.size > 0
        and (2 * query.shape[-2] > lanes or key.shape[-2] <= 2 * lanes)
        and (heads >= _threads.get_num_threads() or query.shape[-2] * key.shape[-2] < 4096)
        and (mask is None or mask.dtype is query.dtype or mask.dtype.kind == "b")
    )


def _whole(n: int, step: int) -> int:
    """The multiple of ``step`` that holds it."""
    return -(-n // step) * step


class _Geometry:
    """What the kernels of both passes are told, but for addresses."""

    def __init__(
        self, query: Walk, key: Walk, value: Walk, out: Walk, mask: Walk | None, size: int, flags: int,
        gradients: bool,
    ) -> None:  # fmt: skip
        self.q, self.k, self.v, self.out = (_Heads(x, size) for x in (query, key, value, out))
        self.mask = self.q if mask is None else _Heads(mask, size if flags & 4 else 1)
        self.mask_strides = (0, 0) if mask is None else mask[1][-2:]
        heads, length, source = self.q.count, query[0][-2], key[0][-2]
        width, out_width = query[0][-1], value[0][-1]
        self.shape, self.flags, self.heads = (heads, length, source, width, out_width), flags, heads
        self.cut = parts(heads * length * source * (width + out_width + 16), heads)
        lanes = BYTES // size
        queries = min(_QUERIES, _whole(length, lanes))
        keys = min(_BLOCK // (queries * size) // lanes * lanes, _whole(source, lanes))
        self.block = (queries, keys)
        # the elements that a thread needs: a few for each query and key of a block, and rows for all keys
        wide, out_wide = _whole(width, lanes), _whole(out_width, lanes)
        elements = (3 if flags & 6 else 1) * keys * queries
        if gradients:
            elements += queries * (width + out_width + 2 * wide + out_wide + 2 + _TALL)
            elements += _whole(source, _TALL) * (wide + out_wide + (wide if wide != width else 0))
        else:
            elements += queries * (width + out_wide + 3)
            elements += source * out_wide if out_wide != out_width else 0
        self.each = elements * size

    def words(self, q: int, k: int, v: int, out: int, mask: int, sums: int, room: int) -> tuple[int, ...]:
        """Their argument block, from the addresses of all."""
        return (
            *self.shape, self.q.table, q, self.k.table, k, self.v.table, v, self.out.table, out,
            self.mask.table, mask, self.q.row, self.k.row, self.v.row, self.out.row, *self.mask_strides,
            sums, self.flags, room, self.each, self.cut, *self.block,
        )  # fmt: skip


@lru_cache(maxsize=1024)
def _geometry(
    query: Walk, key: Walk, value: Walk, out: Walk, mask: Walk | None, size: int, flags: int, gradients: bool,
    threads: int,
) -> _Geometry:  # fmt: skip
    return _Geometry(query, key, value, out, mask, size, flags, gradients)


class _Task:
    """The operands of one pass, as its kernel takes them."""

    __slots__ = ("_alive", "_room", "geometry", "size", "words")

    def __init__(
        self, query: View, key: View, value: View, mask: View | None, out: View, sums: View,
        is_causal: bool, gradients: bool,
    ) -> None:  # fmt: skip
        q, k, v = _rows(query), _rows(key), _rows(value)
        flags = int(is_causal)
        if mask is not None:
            mask = mask.expand((*query.shape[:-1], key.shape[-2]))
            if mask.strides[-1] not in (0, 1):
                mask = duplicate(mask)
            flags |= 2 if mask.dtype.kind == "b" else 4
        self.size = query.dtype.itemsize
        found = self.geometry = _geometry(
            (q.shape, q.strides), (k.shape, k.strides), (v.shape, v.strides), (out.shape, out.strides),
            None if mask is None else (mask.shape, mask.strides), self.size, flags, gradients,
            _threads.get_num_threads(),
        )  # fmt: skip
        room, self._room = scratch(found.cut * found.each)
        self.words = found.words(
            address(q), address(k), address(v), address(out), 0 if mask is None else address(mask),
            address(sums), room,
        )  # fmt: skip
        self._alive = (q, k, v, out, mask, sums)

    def run(self, kernel: Any, name: str, scale: float, *others: View) -> None:
        """Launch it; ``others``: further tensors with heads."""
        found = [_heads((x.shape, x.strides), self.size) for x in others]
        words = self.words
        for x, heads in zip(others, found, strict=True):
            words += (heads.table, address(x))
        words += tuple([heads.row for heads in found])
        views = (*self._alive, *others)
        launch(kernel(name), self.geometry.heads, self.geometry.cut, words, (scale,), views)


def attention(
    backend: Any, query: View, key: View, value: View, mask: View | None, *, scale: float, is_causal: bool
) -> Any:
    """The result, and the logarithm of the sum of each row."""
    if not _serves(query, key, value, mask):
        return NotImplemented
    out = _like((*query.shape[:-1], value.shape[-1]), query)
    sums = empty(query.shape[:-1], query.dtype, query.buffer.device)
    _Task(query, key, value, mask, out, sums, is_causal, False).run(forward, query.dtype.name, scale)
    return out, sums


def attention_backward(
    backend: Any, needs: Sequence[bool], grad: View, query: View, key: View, value: View, mask: View | None,
    out: View, kept: View | None, *, scale: float, is_causal: bool,
) -> Any:  # fmt: skip
    """The gradients of query, key and value; where the mask has one, too, the weights are needed."""
    if (
        kept is None
        or kept.ndim == query.ndim
        or (len(needs) > 3 and needs[3])
        or grad.dtype is not query.dtype
        or not _serves(query, key, value, mask)
    ):
        return NotImplemented
    task = _Task(query, key, value, mask, _rows(out), contiguous(kept), is_causal, True)
    found = [_like(x.shape, x) for x in (query, key, value)]
    task.run(backward, query.dtype.name, scale, _rows(grad), *found)
    return *[x if need else None for x, need in zip(found, needs, strict=False)], None
