"""Attention a block of rows at a time: scores and weights stay in the cache and are never stored as a whole.

The forward pass keeps one number for each row, the logarithm of its sum, from which the backward pass
computes the weights again (Dao et al. 2022, arXiv:2205.14135).  Where attention is causal, what lies behind
the diagonal is left out block by block.  Heads are divided among the threads.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from genesis.backend import View
from genesis_cpu import _threads
from genesis_cpu._kernel import Kernel, launch, parts
from genesis_cpu._memory import address, empty, scratch
from genesis_cpu.kernels import matmul
from genesis_cpu.kernels.map import contiguous, duplicate

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import (
        accumulate,
        exp_,
        gemm,
        inf,
        int64_pointer,
        log_,
        number,
        order,
        real,
        reals,
        slot,
        uint8_pointer,
        unorder,
    )

#: rows of a block; where attention is causal, smaller ones leave out more of what lies behind the diagonal
_ROWS, _CAUSAL_ROWS = 64, 32


def _scores(source, row, last, x_at, mask_at, mask_row, mask_column, size, scale, flags):
    """Rows ``row`` … ``last`` - 1 of the scores: scaled, masked, -inf behind the diagonal."""
    columns = min(source, last) if flags & 1 else source
    for i in range(row, last):
        x = reals(x_at + (i - row) * source * size)
        ends = min(columns, i + 1) if flags & 1 else columns
        if flags & 2:
            m = uint8_pointer(mask_at + i * mask_row)
            for j in range(ends):
                x[j] = x[j] * scale if m[j * mask_column] else real(-inf)
        elif flags & 4:
            added = reals(mask_at + i * mask_row * size)
            for j in range(ends):
                x[j] = x[j] * scale + added[j * mask_column]
        else:
            for j in range(ends):
                x[j] = x[j] * scale
        for j in range(ends, columns):
            x[j] = real(-inf)


def _head(args, place, head):
    """Where a head of a tensor begins: the block has the places of all, in bytes, and the first address."""
    return slot(args, place + 1) + int64_pointer(slot(args, place))[head]


def _attention(args, lo, hi):
    heads, length, source = slot(args, 0), slot(args, 1), slot(args, 2)
    width, out_width = slot(args, 3), slot(args, 4)
    q_row, k_row, v_row, out_row = slot(args, 15), slot(args, 16), slot(args, 17), slot(args, 18)
    mask_row, mask_column, sums_at = slot(args, 19), slot(args, 20), slot(args, 21)
    size, flags, room, cut = slot(args, 22), slot(args, 23), slot(args, 24), slot(args, 25)
    rows = slot(args, 26)
    scale = real(number(args, 27))
    x_at = room + (lo * cut + heads - 1) // heads * rows * source * size
    for head in range(lo, hi):
        sums = reals(sums_at + head * length * size)
        q, k, v = _head(args, 5, head), _head(args, 7, head), _head(args, 9, head)
        out, mask = _head(args, 11, head), _head(args, 13, head)
        for row in range(0, length, rows):
            last = min(length, row + rows)
            columns = min(source, last) if flags & 1 else source
            gemm(
                0, 1, last - row, columns, width, q + row * q_row * size, q_row, k, k_row,
                real(0), x_at, source,
            )  # fmt: skip
            _scores(source, row, last, x_at, mask, mask_row, mask_column, size, scale, flags)
            for i in range(row, last):
                x = reals(x_at + (i - row) * source * size)
                top = order(x[0])
                for j in range(1, columns):
                    top = max(top, order(x[j]))
                largest = unorder(top)
                if largest == real(-inf):  # nothing takes part
                    for j in range(columns):
                        x[j] = real(0)
                    sums[i] = real(inf)
                else:
                    total = real(0)
                    for j in range(columns):
                        e = exp_(x[j] - largest)
                        x[j] = e
                        total = accumulate(total, e)
                    share = real(1) / total
                    for j in range(columns):
                        x[j] = x[j] * share
                    sums[i] = largest + log_(total)
            gemm(
                0, 0, last - row, out_width, columns, x_at, source, v, v_row, real(0),
                out + row * out_row * size, out_row,
            )  # fmt: skip


def _attention_backward(args, lo, hi):
    heads, length, source = slot(args, 0), slot(args, 1), slot(args, 2)
    width, out_width = slot(args, 3), slot(args, 4)
    q_row, k_row, v_row, out_row = slot(args, 15), slot(args, 16), slot(args, 17), slot(args, 18)
    mask_row, mask_column, sums_at = slot(args, 19), slot(args, 20), slot(args, 21)
    size, flags, room, cut = slot(args, 22), slot(args, 23), slot(args, 24), slot(args, 25)
    rows = slot(args, 26)
    g_row, gq_row, gk_row, gv_row = slot(args, 35), slot(args, 36), slot(args, 37), slot(args, 38)
    scale = real(number(args, 39))
    x_at = room + (lo * cut + heads - 1) // heads * 2 * rows * source * size
    d_at = x_at + rows * source * size
    for head in range(lo, hi):
        sums = reals(sums_at + head * length * size)
        q, k, v = _head(args, 5, head), _head(args, 7, head), _head(args, 9, head)
        out, mask = _head(args, 11, head), _head(args, 13, head)
        g, gq = _head(args, 27, head), _head(args, 29, head)
        gk, gv = _head(args, 31, head), _head(args, 33, head)
        for i in range(source):
            gk_line, gv_line = reals(gk + i * gk_row * size), reals(gv + i * gv_row * size)
            for j in range(width):
                gk_line[j] = real(0)
            for j in range(out_width):
                gv_line[j] = real(0)
        for row in range(0, length, rows):
            last = min(length, row + rows)
            columns = min(source, last) if flags & 1 else source
            q_block, g_block = q + row * q_row * size, g + row * g_row * size
            gemm(0, 1, last - row, columns, width, q_block, q_row, k, k_row, real(0), x_at, source)
            _scores(source, row, last, x_at, mask, mask_row, mask_column, size, scale, flags)
            gemm(0, 1, last - row, columns, out_width, g_block, g_row, v, v_row, real(0), d_at, source)
            for i in range(row, last):
                x = reals(x_at + (i - row) * source * size)
                for j in range(columns):
                    x[j] = exp_(x[j] - sums[i])
            gemm(1, 0, columns, out_width, last - row, x_at, source, g_block, g_row, real(1), gv, gv_row)
            for i in range(row, last):
                x, d = reals(x_at + (i - row) * source * size), reals(d_at + (i - row) * source * size)
                grad, result = reals(g + i * g_row * size), reals(out + i * out_row * size)
                dot = real(0)
                for j in range(out_width):
                    dot = accumulate(dot, grad[j] * result[j])
                for j in range(columns):
                    x[j] = x[j] * (d[j] - dot) * scale
            gemm(
                0, 0, last - row, width, columns, x_at, source, k, k_row, real(0),
                gq + row * gq_row * size, gq_row,
            )  # fmt: skip
            gemm(1, 0, columns, width, last - row, x_at, source, q_block, q_row, real(1), gk, gk_row)


_TEXT = (
    "from numba.extending import register_jitable\nfrom genesis_cpu._blas_call import gemm\n"
    "@register_jitable\n" + inspect.getsource(_scores) + "@register_jitable\n" + inspect.getsource(_head)
)
forward, backward = Kernel(_attention, _TEXT), Kernel(_attention_backward, _TEXT)


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
        self.row = x.strides[-2] if x.shape[-2] > 1 else x.shape[-1]  # BLAS wants at least the columns


def _rows(x: View) -> _Heads:
    """As it is if its rows lie apart as BLAS wants it, else as a copy."""
    columns = x.shape[-1]
    apart = x.shape[-2] == 1 or x.strides[-2] >= columns
    return _Heads(x if x.strides[-1] == 1 and apart else duplicate(x))


def _like(shape: tuple[int, ...], x: View) -> View:
    """A new tensor; (batch, heads, rows, columns) lies as (batch, rows, heads, columns), which is next."""
    if len(shape) != 4:
        return empty(shape, x.dtype, x.buffer.device)
    a, b, c, d = shape
    return empty((a, c, b, d), x.dtype, x.buffer.device).permute((0, 2, 1, 3))


def _serves(query: View, key: View, value: View, mask: View | None) -> bool:
    heads = math.prod(query.shape[:-2])
    return (
        query.dtype.is_floating_point
        and query.size > 0
        and key.size > 0
        and value.size > 0
        and max(query.shape[-2], key.shape[-2]) < 2**31
        and (heads >= _threads.get_num_threads() or query.shape[-2] * key.shape[-2] < 4096)
        and (mask is None or mask.dtype is query.dtype or mask.dtype.kind == "b")
        and matmul._blas()
    )


class _Task:
    """What both passes tell their kernels."""

    def __init__(
        self, query: View, key: View, value: View, mask: View | None, is_causal: bool, blocks: int
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
        self.heads, self.length, self.source = self.q.count, query.shape[-2], key.shape[-2]
        self.size = query.dtype.itemsize
        self.rows = min(_CAUSAL_ROWS if is_causal else _ROWS, self.length)
        width = query.shape[-1] + value.shape[-1]
        self.cut = parts(self.heads * self.length * self.source * (width + 16), self.heads)
        self.room, self.owner = scratch(self.cut * blocks * self.rows * self.source * self.size)
        self.shape = (self.heads, self.length, self.source, query.shape[-1], value.shape[-1])
        self.mask_words = (row, column)
        self.flags = flags

    def words(self, out: _Heads, sums: View) -> tuple[int, ...]:
        return (
            *self.shape, *self.q.words, *self.k.words, *self.v.words, *out.words, *self.mask.words,
            self.q.row, self.k.row, self.v.row, out.row, *self.mask_words, address(sums), self.size,
            self.flags, self.room, self.cut, self.rows,
        )  # fmt: skip


def attention(
    backend: Any, query: View, key: View, value: View, mask: View | None, *, scale: float, is_causal: bool
) -> Any:
    """The result, and the logarithm of the sum of each row."""
    if not _serves(query, key, value, mask):
        return NotImplemented
    task = _Task(query, key, value, mask, is_causal, 1)
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
    task = _Task(query, key, value, mask, is_causal, 2)
    given, result, kept = _rows(grad), _rows(out), contiguous(kept)
    found = [_Heads(_like(x.shape, x)) for x in (query, key, value)]
    words = (
        *task.words(result, kept), *given.words, *[w for x in found for w in x.words],
        given.row, *[x.row for x in found],
    )  # fmt: skip
    launch(backward(query.dtype.name), task.heads, task.cut, words, (scale,))
    return *[x.view if need else None for x, need in zip(found, needs, strict=False)], None
