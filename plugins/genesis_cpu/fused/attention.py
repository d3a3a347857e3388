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
from genesis_cpu._memory import address, empty, scratch
from genesis_cpu._processor import BYTES
from genesis_cpu.fused._attention_kernels import backward, forward
from genesis_cpu.kernels.map import contiguous, duplicate

#: queries of a block, and bytes of the scores of a block
_QUERIES, _BLOCK = 32, 16 << 10
#: rows of a strip at most
_TALL = 8


@lru_cache(maxsize=1024)
def _offsets(shape: tuple[int, ...], strides: tuple[int, ...], size: int) -> tuple[int, int, Any]:
    """How many heads there are; the address of their places, in bytes from the first; what keeps those."""
    offsets = np.zeros(shape, np.int64)
    for axis, (n, stride) in enumerate(zip(shape, strides, strict=True)):
        steps = np.arange(n, dtype=np.int64) * (stride * size)
        offsets += steps.reshape((n,) + (1,) * (len(shape) - 1 - axis))
    flat = np.ascontiguousarray(offsets.reshape(-1))
    return flat.size, int(flat.ctypes.data), flat


class _Heads:
    """A (…, rows, columns) tensor as kernels take it: where its heads are, and from row to row."""

    __slots__ = ("_alive", "count", "row", "view", "words")

    def __init__(self, x: View) -> None:
        self.view = x
        self.count, table, self._alive = _offsets(x.shape[:-2], x.strides[:-2], x.dtype.itemsize)
        self.words = (table, address(x))
        self.row = x.strides[-2] if x.shape[-2] > 1 else x.shape[-1]


def _rows(x: View) -> _Heads:
    """As it is if the elements of a row lie side by side, else as a copy."""
    return _Heads(x if x.strides[-1] == 1 or x.shape[-1] == 1 else duplicate(x))


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


class _Task:
    """What both passes tell their kernels."""

    def __init__(
        self, query: View, key: View, value: View, mask: View | None, is_causal: bool, gradients: bool
    ) -> None:
        self.q, self.k, self.v = _rows(query), _rows(key), _rows(value)
        self.mask = self.q
        column = row = 0
        flags = int(is_causal)
        if mask is not None:
            mask = mask.expand((*query.shape[:-1], key.shape[-2]))
            if mask.strides[-1] not in (0, 1):
                mask = duplicate(mask)
            self.mask = _Heads(mask)
            row, column = mask.strides[-2:]
            flags |= 2 if mask.dtype.kind == "b" else 4
        self.mask_words, self.flags = (row, column), flags
        self.heads, self.length, self.source = self.q.count, query.shape[-2], key.shape[-2]
        self.size = query.dtype.itemsize
        width, out_width = query.shape[-1], value.shape[-1]
        self.cut = parts(self.heads * self.length * self.source * (width + out_width + 16), self.heads)
        lanes = BYTES // self.size
        self.queries = min(_QUERIES, _whole(self.length, lanes))
        self.keys = min(_BLOCK // (self.queries * self.size) // lanes * lanes, _whole(self.source, lanes))
        elements = self._room(width, _whole(width, lanes), out_width, _whole(out_width, lanes), gradients)
        self.each = elements * self.size
        self.room, self.owner = scratch(self.cut * self.each)
        self.shape = (self.heads, self.length, self.source, query.shape[-1], value.shape[-1])

    def words(self, out: _Heads, sums: View) -> tuple[int, ...]:
        return (
            *self.shape, *self.q.words, *self.k.words, *self.v.words, *out.words, *self.mask.words,
            self.q.row, self.k.row, self.v.row, out.row, *self.mask_words, address(sums),
            self.flags, self.room, self.each, self.cut, self.queries, self.keys,
        )  # fmt: skip

    def _room(self, width: int, wide: int, out_width: int, out_wide: int, gradients: bool) -> int:
        """Elements that a thread needs: a few for each query and key of a block, and rows for all keys."""
        block = (3 if self.flags & 6 else 1) * self.keys * self.queries
        if not gradients:
            rows = self.queries * (width + out_wide + 3)
            return block + rows + (self.source * out_wide if out_wide != out_width else 0)
        rows = self.queries * (width + out_width + 2 * wide + out_wide + 2 + _TALL)
        tall = _whole(self.source, _TALL)
        return block + rows + tall * (wide + out_wide + (wide if wide != width else 0))


def attention(
    backend: Any, query: View, key: View, value: View, mask: View | None, *, scale: float, is_causal: bool
) -> Any:
    """The result, and the logarithm of the sum of each row."""
    if not _serves(query, key, value, mask):
        return NotImplemented
    task = _Task(query, key, value, mask, is_causal, False)
    out = _like((*query.shape[:-1], value.shape[-1]), query)
    sums = empty(query.shape[:-1], query.dtype, query.buffer.device)
    result = _Heads(out)  # where its heads begin has to live until the kernel has read it
    launch(forward(query.dtype.name), task.heads, task.cut, task.words(result, sums), (scale,))
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
    task = _Task(query, key, value, mask, is_causal, True)
    given, result, kept = _rows(grad), _rows(out), contiguous(kept)
    found = [_Heads(_like(x.shape, x)) for x in (query, key, value)]
    words = (
        *task.words(result, kept), *given.words, *[w for x in found for w in x.words],
        given.row, *[x.row for x in found],
    )  # fmt: skip
    launch(backward(query.dtype.name), task.heads, task.cut, words, (scale,))
    return *[x.view if need else None for x, need in zip(found, needs, strict=False)], None
