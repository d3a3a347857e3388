"""What the kernels of recurrent layers share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from genesis.backend import View, arg
from genesis_cpu import _threads
from genesis_cpu._kernel import Kernel, launch, parts
from genesis_cpu._memory import address, empty, scratch
from genesis_cpu._processor import width
from genesis_cpu.kernels import map as elementwise
from genesis_cpu.kernels import matmul, reduce
from genesis_cpu.kernels.map import contiguous

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import int64_pointer, real, reals, slot

IMPORTS = "from genesis_cpu._blas_call import gemm\nfrom genesis_cpu._panels import multiply"
#: multiplications of a step below which a second thread costs more than it brings
ALONE = 100_000


def _previous(args, lo, hi):
    """The hidden states before each step: those of the step before, or the first ones."""
    to, out_at, h0 = slot(args, 0), slot(args, 1), slot(args, 2)
    sizes, steps, reverse = int64_pointer(slot(args, 3)), slot(args, 4), slot(args, 5)
    n, size = slot(args, 6), slot(args, 7)
    line = n * size
    start = 0
    for t in range(steps):
        count = sizes[t]
        there, before = 0, start
        if reverse and t + 1 < steps:
            before, there = start + count, sizes[t + 1]
        if not reverse and t > 0:
            before, there = start - sizes[t - 1], sizes[t - 1]
        for b in range(lo, min(hi, count)):
            target = reals(to + (start + b) * line)
            source = reals(out_at + (before + b) * line if b < there else h0 + b * line)
            for i in range(n):
                target[i] = source[i]
        start += count


def _pack(args, lo, hi):
    """Panels lo … hi - 1 of a (k, n) matrix: the columns of a panel side by side, zeros behind the last."""
    to, b, k, n = slot(args, 0), slot(args, 1), slot(args, 2), slot(args, 3)
    row, column, size, wide = slot(args, 4), slot(args, 5), slot(args, 6), slot(args, 7)
    for p in range(lo, hi):
        panel = reals(to + p * k * wide * size)
        for j in range(wide):
            if p * wide + j < n:
                x = reals(b + (p * wide + j) * column * size)
                for i in range(k):
                    panel[i * wide + j] = x[i * row]
            else:
                for i in range(k):
                    panel[i * wide + j] = real(0)


previous, pack = Kernel(_previous), Kernel(_pack)

#: steps from which on it pays to put the weights in order once
FEW = 4


def packed(b: View, steps: int) -> tuple[int, Any]:
    """The address of the panels of a matrix and their owner; 0 for few steps, which use it as it is."""
    if steps < FEW:
        return 0, None
    k, n = b.shape
    size = b.dtype.itemsize
    wide = width(size)
    panels = -(-n // wide)
    place, owner = scratch(panels * k * wide * size)
    launch(
        pack(b.dtype.name), panels, parts(k * n, panels), (place, address(b), k, n, *b.strides, size, wide)
    )
    return place, owner


def serves(x: View, h0: View, *others: View | None) -> bool:
    return (
        x.dtype.is_floating_point
        and x.size > 0
        and h0.size > 0
        and all(v is None or v.dtype is x.dtype for v in (h0, *others))
        and matmul._blas()
    )


def fits(
    batch_sizes: Sequence[int],
    gates: int,
    x: View,
    w_ih: View,
    w_hh: View,
    *states: View,
    biases: Sequence[Any] = (),
) -> bool:
    """Whether the shapes belong together: the loops read and write by them, and check nothing."""
    n = states[0].shape[-1]
    return (
        x.ndim == 2
        and sum(batch_sizes) == x.shape[0]
        and list(batch_sizes) == sorted(batch_sizes, reverse=True)
        and min(batch_sizes) >= 0
        and all(s.ndim == 2 and s.shape == (states[0].shape[0], n) for s in states)
        and batch_sizes[0] <= states[0].shape[0]
        and w_ih.shape == (gates * n, x.shape[1])
        and w_hh.shape == (gates * n, n)
        and all(b is None or b.shape == (gates * n,) for b in biases)
    )


def cut(batch: int, work: int) -> int:
    """Into how many parts to cut a batch: a part needs some rows, or its products are slow."""
    if work < ALONE:
        return 1
    return max(1, min(_threads.get_num_threads(), batch // 4))


def copied(source: View, target: View) -> None:
    elementwise.run(arg(0), target, (source,))


class Result:
    """The flat result of an operation: hidden states of all rows, last hidden states, last cell states."""

    def __init__(self, rows: int, batch: int, widths: Sequence[int], like: View) -> None:
        n = widths[0]
        sizes = [rows * n, *[batch * w for w in widths]]
        self.flat = empty((sum(sizes),), like.dtype, like.buffer.device)
        shapes = [(rows, n), *[(batch, w) for w in widths]]
        self.parts, start = [], 0
        for size, shape in zip(sizes, shapes, strict=True):
            part = self.flat.narrow(0, start, size).reshape(shape)
            assert part is not None
            self.parts.append(part)
            start += size


def inputs(out: View, x: View, w: View, bias: View | None) -> None:
    """``x @ w.T + bias``."""
    matmul.run(out, x, w.permute((1, 0)), None if bias is None else contiguous(bias))


def weight(d: View, x: View) -> View:
    """``d.T @ x``."""
    out = empty((d.shape[1], x.shape[1]), x.dtype, x.buffer.device)
    matmul.run(out, d.permute((1, 0)), x)
    return out


def sums(d: View) -> View:
    out = empty((1, d.shape[1]), d.dtype, d.buffer.device)
    reduce.run("sum", out, d)
    return out.reshape((d.shape[1],))  # type: ignore[return-value]


class Steps:
    """The sizes of the steps as kernels take them: their address, number, and direction."""

    def __init__(self, batch_sizes: tuple[int, ...], reverse: bool) -> None:
        self.array = np.array(batch_sizes, np.int64)
        self.words = (self.array.ctypes.data, len(batch_sizes), int(reverse))


def rows_before(out: View, h0: View, steps: Steps, rows: int) -> View:
    """The hidden states that each step began with, (rows, width)."""
    batch, n = h0.shape
    result = empty((rows, n), h0.dtype, h0.buffer.device)
    words = (address(result), address(out), address(h0), *steps.words, n, h0.dtype.itemsize)
    launch(previous(h0.dtype.name), batch, cut(batch, batch * n * n), words)
    return result


def last_gradient(grad: View, start: int, batch: int, n: int) -> View:
    """A copy of the gradient of the last states, which becomes that of the first ones."""
    part = grad.narrow(0, start, batch * n).reshape((batch, n))
    assert part is not None
    result = empty((batch, n), grad.dtype, grad.buffer.device)
    copied(part, result)
    return result
