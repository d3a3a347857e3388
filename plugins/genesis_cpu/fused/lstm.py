"""LSTM: one launch runs all steps of a direction.

A thread takes some of the sequences through all steps, so threads never wait for each other.  The products
with the input are one product before the steps, those for the gradients of the weights one after them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genesis.backend import Backend, View
from genesis_cpu._kernel import Kernel, launch
from genesis_cpu._memory import address, empty
from genesis_cpu.fused._recurrent import (
    IMPORTS,
    Result,
    Steps,
    copied,
    cut,
    fits,
    inputs,
    last_gradient,
    packed,
    rows_before,
    serves,
    sums,
    weight,
)
from genesis_cpu.kernels import matmul
from genesis_cpu.kernels.map import contiguous

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import exp_, gemm, int64_pointer, multiply, real, reals, slot, tanh_


def _lstm(args, lo, hi):
    """Sequences lo … hi - 1: the gates (sums of the inputs at first), cells and outputs of all steps."""
    gates_at, cells_at, out_at = slot(args, 0), slot(args, 1), slot(args, 2)
    h_at, c_at, w = slot(args, 3), slot(args, 4), slot(args, 5)
    sizes, steps, reverse = int64_pointer(slot(args, 6)), slot(args, 7), slot(args, 8)
    n, size, rows, panels = slot(args, 9), slot(args, 10), slot(args, 11), slot(args, 12)
    line = n * size
    start = rows if reverse else 0
    for s in range(steps):
        t = steps - 1 - s if reverse else s
        count = sizes[t]
        if reverse:
            start -= count
        last = min(hi, count)
        if last > lo:
            place = gates_at + (start + lo) * 4 * line
            if panels:
                multiply(last - lo, 4 * n, n, h_at + lo * line, n, panels, place, 4 * n, real(1), size)
            else:
                gemm(0, 1, last - lo, 4 * n, n, h_at + lo * line, n, w, n, real(1), place, 4 * n)
            for b in range(lo, last):
                g = reals(gates_at + (start + b) * 4 * line)
                f, new, o = reals(gates_at + (start + b) * 4 * line + line), 2 * n, 3 * n
                c, h = reals(c_at + b * line), reals(h_at + b * line)
                cell, out = reals(cells_at + (start + b) * line), reals(out_at + (start + b) * line)
                for i in range(2 * n):
                    g[i] = real(1) / (real(1) + exp_(-g[i]))
                for i in range(2 * n, 3 * n):
                    g[i] = tanh_(g[i])
                for i in range(3 * n, 4 * n):
                    g[i] = real(1) / (real(1) + exp_(-g[i]))
                for i in range(n):
                    c[i] = f[i] * c[i] + g[i] * g[new + i]
                for i in range(n):
                    h[i] = g[o + i] * tanh_(c[i])
                for i in range(n):
                    out[i] = h[i]
                if cells_at:
                    for i in range(n):
                        cell[i] = c[i]
        if not reverse:
            start += count


def _lstm_backward(args, lo, hi):
    """Gradients of the sums of all steps, of the first states, and the rows that the weights multiplied."""
    d_at, g_at, gates_at, cells_at = slot(args, 0), slot(args, 1), slot(args, 2), slot(args, 3)
    dh_at, dc_at, w, c0 = slot(args, 4), slot(args, 5), slot(args, 6), slot(args, 7)
    sizes, steps, reverse = int64_pointer(slot(args, 8)), slot(args, 9), slot(args, 10)
    n, size, rows, panels = slot(args, 11), slot(args, 12), slot(args, 13), slot(args, 14)
    line = n * size
    start = 0 if reverse else rows
    for s in range(steps):
        t = s if reverse else steps - 1 - s
        count = sizes[t]
        if not reverse:
            start -= count
        last = min(hi, count)
        there = 0  # how many sequences had a step before this one
        before = start
        if reverse and t + 1 < steps:
            before, there = start + count, sizes[t + 1]
        if not reverse and t > 0:
            before, there = start - sizes[t - 1], sizes[t - 1]
        if last > lo:
            for b in range(lo, last):
                grad = reals(g_at + (start + b) * line)
                dh, dc = reals(dh_at + b * line), reals(dc_at + b * line)
                g, d = reals(gates_at + (start + b) * 4 * line), reals(d_at + (start + b) * 4 * line)
                cell = reals(cells_at + (start + b) * line)
                old = reals(cells_at + (before + b) * line if b < there else c0 + b * line)
                for i in range(n):
                    dh[i] = dh[i] + grad[i]
                for i in range(n):
                    d[i] = tanh_(cell[i])
                for i in range(n):
                    o = g[3 * n + i]
                    d[3 * n + i] = dh[i] * d[i] * o * (real(1) - o)
                for i in range(n):
                    dc[i] = dc[i] + dh[i] * g[3 * n + i] * (real(1) - d[i] * d[i])
                for i in range(n):
                    d[i] = dc[i] * g[2 * n + i] * g[i] * (real(1) - g[i])
                for i in range(n):
                    f = g[n + i]
                    d[n + i] = dc[i] * old[i] * f * (real(1) - f)
                for i in range(n):
                    new = g[2 * n + i]
                    d[2 * n + i] = dc[i] * g[i] * (real(1) - new * new)
                for i in range(n):
                    dc[i] = dc[i] * g[n + i]
            place = d_at + (start + lo) * 4 * line
            if panels:
                multiply(last - lo, n, 4 * n, place, 4 * n, panels, dh_at + lo * line, n, real(0), size)
            else:
                gemm(0, 0, last - lo, n, 4 * n, place, 4 * n, w, n, real(0), dh_at + lo * line, n)
        if reverse:
            start += count


forward, backward = Kernel(_lstm, IMPORTS), Kernel(_lstm_backward, IMPORTS)


def lstm(
    backend: Backend, x: View, h0: View, c0: View, w_ih: View, w_hh: View, bias: View | None,
    w_hr: View | None, *, batch_sizes: tuple[int, ...], reverse: bool, keep: bool,
) -> Any:  # fmt: skip
    """All steps; what is kept are the gates after their functions, and the cell states."""
    if (
        w_hr is not None
        or not serves(x, h0, c0, w_ih, w_hh, bias)
        or not fits(batch_sizes, 4, x, w_ih, w_hh, h0, c0, biases=(bias,))
    ):
        return NotImplemented
    w_hh = contiguous(w_hh)
    batch, n = h0.shape
    rows, device = x.shape[0], x.buffer.device
    result = Result(rows, batch, (n, n), x)
    out, h, c = result.parts
    copied(h0, h)
    copied(c0, c)
    gates = empty((rows, 4 * n), x.dtype, device)
    inputs(gates, x, w_ih, bias)
    cells = empty((rows, n) if keep else (0, n), x.dtype, device)
    steps = Steps(batch_sizes, reverse)
    panels, owner = packed(w_hh.permute((1, 0)), len(batch_sizes))
    words = (
        address(gates), address(cells) if keep else 0, address(out), address(h), address(c), address(w_hh),
        *steps.words, n, x.dtype.itemsize, rows, panels,
    )  # fmt: skip
    launch(forward(x.dtype.name), batch, cut(batch, batch * n * n * 4), words)
    del owner
    return result.flat, gates, cells


def lstm_backward(
    backend: Backend, needs: Sequence[bool], grad: View, x: View, h0: View, c0: View, w_ih: View, w_hh: View,
    bias: View | None, w_hr: View | None, out: View, gates: View | None, cells: View | None,
    *, batch_sizes: tuple[int, ...], reverse: bool, keep: bool,
) -> Any:  # fmt: skip
    """The gradients of all inputs."""
    if gates is None or cells is None or not keep or grad.dtype is not x.dtype:
        return NotImplemented
    x, grad, h0, c0, w_hh = (contiguous(v) for v in (x, grad, h0, c0, w_hh))
    batch, n = h0.shape
    rows = x.shape[0]
    dh = last_gradient(grad, rows * n, batch, n)
    dc = last_gradient(grad, (rows + batch) * n, batch, n)
    d = empty((rows, 4 * n), x.dtype, x.buffer.device)
    steps = Steps(batch_sizes, reverse)
    panels, owner = packed(w_hh, len(batch_sizes))
    words = (
        address(d), address(grad), address(gates), address(cells), address(dh), address(dc), address(w_hh),
        address(c0), *steps.words, n, x.dtype.itemsize, rows, panels,
    )  # fmt: skip
    launch(backward(x.dtype.name), batch, cut(batch, batch * n * n * 4), words)
    del owner
    gx = None
    if needs[0]:
        gx = empty(x.shape, x.dtype, x.buffer.device)
        matmul.run(gx, d, w_ih)
    return (
        gx, dh, dc,
        weight(d, x) if needs[3] else None,
        weight(d, rows_before(out, h0, steps, rows)) if needs[4] else None,
        sums(d) if needs[5] else None,
        None,
    )  # fmt: skip
