"""GRU and plain recurrent layers, as the LSTM in ``lstm``: one launch runs all steps of a direction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genesis.backend import Backend, View
from genesis_cpu._kernel import Kernel, launch
from genesis_cpu._memory import address, empty, scratch
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
    from genesis_cpu._names import exp_, gemm, int64_pointer, max_, multiply, real, reals, slot, tanh_


# -- GRU ---------------------------------------------------------------------------------------------------
def _gru(args, lo, hi):
    """Sequences lo … hi - 1.  A row of the gates is r, z, n (sums of the inputs at first) and W_hn h + b."""
    gates_at, out_at, h_at, w = slot(args, 0), slot(args, 1), slot(args, 2), slot(args, 3)
    bias_at, room = slot(args, 4), slot(args, 5)
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
            beta = real(0)
            if bias_at:
                bias = reals(bias_at)
                beta = real(1)
                for b in range(lo, last):
                    p = reals(room + b * 3 * line)
                    for i in range(3 * n):
                        p[i] = bias[i]
            place, h_place = room + lo * 3 * line, h_at + lo * line
            if panels:
                multiply(last - lo, 3 * n, n, h_place, n, panels, place, 3 * n, beta, size)
            else:
                gemm(0, 1, last - lo, 3 * n, n, h_place, n, w, n, beta, place, 3 * n)
            for b in range(lo, last):
                g, p = reals(gates_at + (start + b) * 4 * line), reals(room + b * 3 * line)
                h, out = reals(h_at + b * line), reals(out_at + (start + b) * line)
                for i in range(2 * n):
                    g[i] = real(1) / (real(1) + exp_(-(g[i] + p[i])))
                for i in range(n):
                    g[3 * n + i] = p[2 * n + i]
                for i in range(n):
                    g[2 * n + i] = tanh_(g[2 * n + i] + g[i] * p[2 * n + i])
                for i in range(n):
                    new = g[2 * n + i]
                    h[i] = new + g[n + i] * (h[i] - new)
                for i in range(n):
                    out[i] = h[i]
        if not reverse:
            start += count


def _gru_backward(args, lo, hi):
    """A row of the result: the gradients of r, z, W_hn h + b, and of n before their functions."""
    d_at, g_at, gates_at, before_at = slot(args, 0), slot(args, 1), slot(args, 2), slot(args, 3)
    dh_at, w = slot(args, 4), slot(args, 5)
    sizes, steps, reverse = int64_pointer(slot(args, 6)), slot(args, 7), slot(args, 8)
    n, size, rows, panels = slot(args, 9), slot(args, 10), slot(args, 11), slot(args, 12)
    line = n * size
    start = 0 if reverse else rows
    for s in range(steps):
        t = s if reverse else steps - 1 - s
        count = sizes[t]
        if not reverse:
            start -= count
        last = min(hi, count)
        if last > lo:
            for b in range(lo, last):
                grad, dh = reals(g_at + (start + b) * line), reals(dh_at + b * line)
                g, d = reals(gates_at + (start + b) * 4 * line), reals(d_at + (start + b) * 4 * line)
                old = reals(before_at + (start + b) * line)
                for i in range(n):
                    dh[i] = dh[i] + grad[i]
                for i in range(n):
                    new = g[2 * n + i]
                    d[3 * n + i] = dh[i] * (real(1) - g[n + i]) * (real(1) - new * new)
                for i in range(n):
                    z = g[n + i]
                    d[n + i] = dh[i] * (old[i] - g[2 * n + i]) * z * (real(1) - z)
                for i in range(n):
                    d[2 * n + i] = d[3 * n + i] * g[i]
                for i in range(n):
                    r = g[i]
                    d[i] = d[3 * n + i] * g[3 * n + i] * r * (real(1) - r)
                for i in range(n):
                    dh[i] = dh[i] * g[n + i]
            place = d_at + (start + lo) * 4 * line
            if panels:
                multiply(last - lo, n, 3 * n, place, 4 * n, panels, dh_at + lo * line, n, real(1), size)
            else:
                gemm(0, 0, last - lo, n, 3 * n, place, 4 * n, w, n, real(1), dh_at + lo * line, n)
        if reverse:
            start += count


gru_forward, gru_steps_back = Kernel(_gru, IMPORTS), Kernel(_gru_backward, IMPORTS)


def gru(
    backend: Backend, x: View, h0: View, w_ih: View, w_hh: View, b_ih: View | None, b_hh: View | None,
    *, batch_sizes: tuple[int, ...], reverse: bool, keep: bool,
) -> Any:  # fmt: skip
    """All steps; what is kept are r, z, n and the part of n that r multiplies."""
    if not serves(x, h0, w_ih, w_hh, b_ih, b_hh) or not fits(
        batch_sizes, 3, x, w_ih, w_hh, h0, biases=(b_ih, b_hh)
    ):
        return NotImplemented
    w_hh = contiguous(w_hh)
    b_hh = None if b_hh is None else contiguous(b_hh)
    batch, n = h0.shape
    rows = x.shape[0]
    result = Result(rows, batch, (n,), x)
    out, h = result.parts
    copied(h0, h)
    gates = empty((rows, 4 * n), x.dtype, x.buffer.device)
    inputs(gates.narrow(1, 0, 3 * n), x, w_ih, b_ih)
    room, owner = scratch(batch * 3 * n * x.dtype.itemsize)
    steps = Steps(batch_sizes, reverse)
    panels, panels_owner = packed(w_hh.permute((1, 0)), len(batch_sizes))
    words = (
        address(gates), address(out), address(h), address(w_hh), 0 if b_hh is None else address(b_hh), room,
        *steps.words, n, x.dtype.itemsize, rows, panels,
    )  # fmt: skip
    launch(gru_forward(x.dtype.name), batch, cut(batch, batch * n * n * 3), words)
    del panels_owner
    del owner
    return result.flat, gates


def gru_backward(
    backend: Backend, needs: Sequence[bool], grad: View, x: View, h0: View, w_ih: View, w_hh: View,
    b_ih: View | None, b_hh: View | None, out: View, gates: View | None,
    *, batch_sizes: tuple[int, ...], reverse: bool, keep: bool,
) -> Any:  # fmt: skip
    """The gradients of all inputs."""
    if gates is None or grad.dtype is not x.dtype:
        return NotImplemented
    x, grad, h0, w_hh = (contiguous(v) for v in (x, grad, h0, w_hh))
    batch, n = h0.shape
    rows, device = x.shape[0], x.buffer.device
    dh = last_gradient(grad, rows * n, batch, n)
    d = empty((rows, 4 * n), x.dtype, device)
    steps = Steps(batch_sizes, reverse)
    before = rows_before(out, h0, steps, rows)
    panels, panels_owner = packed(w_hh, len(batch_sizes))
    words = (
        address(d), address(grad), address(gates), address(before), address(dh), address(w_hh), *steps.words,
        n, x.dtype.itemsize, rows, panels,
    )  # fmt: skip
    launch(gru_steps_back(x.dtype.name), batch, cut(batch, batch * n * n * 3), words)
    del panels_owner
    hidden = d.narrow(1, 0, 3 * n)
    both, new = d.narrow(1, 0, 2 * n), d.narrow(1, 3 * n, n)  # together the gradient of the input's sums
    gx = gw = gb = None
    if needs[0]:
        gx = empty(x.shape, x.dtype, device)
        matmul.run(gx, both, w_ih.narrow(0, 0, 2 * n))
        matmul.run(gx, new, w_ih.narrow(0, 2 * n, n), add=True)
    if needs[2]:
        gw = empty(w_ih.shape, x.dtype, device)
        matmul.run(gw.narrow(0, 0, 2 * n), both.permute((1, 0)), x)
        matmul.run(gw.narrow(0, 2 * n, n), new.permute((1, 0)), x)
    if needs[4]:
        gb = empty((3 * n,), x.dtype, device)
        copied(sums(both), gb.narrow(0, 0, 2 * n))
        copied(sums(new), gb.narrow(0, 2 * n, n))
    return (
        gx, dh, gw, weight(hidden, before) if needs[3] else None, gb, sums(hidden) if needs[5] else None,
    )  # fmt: skip


# -- Elman's -----------------------------------------------------------------------------------------------
def _rnn(args, lo, hi):
    """Sequences lo … hi - 1; the outputs are the sums of the inputs at first."""
    out_at, h_at, w, relu = slot(args, 0), slot(args, 1), slot(args, 2), slot(args, 3)
    sizes, steps, reverse = int64_pointer(slot(args, 4)), slot(args, 5), slot(args, 6)
    n, size, rows, panels = slot(args, 7), slot(args, 8), slot(args, 9), slot(args, 10)
    line = n * size
    start = rows if reverse else 0
    for s in range(steps):
        t = steps - 1 - s if reverse else s
        count = sizes[t]
        if reverse:
            start -= count
        last = min(hi, count)
        if last > lo:
            place = out_at + (start + lo) * line
            if panels:
                multiply(last - lo, n, n, h_at + lo * line, n, panels, place, n, real(1), size)
            else:
                gemm(0, 1, last - lo, n, n, h_at + lo * line, n, w, n, real(1), place, n)
            out, h = reals(place), reals(h_at + lo * line)
            if relu:
                for i in range((last - lo) * n):
                    out[i] = max_(out[i], real(0))
            else:
                for i in range((last - lo) * n):
                    out[i] = tanh_(out[i])
            for i in range((last - lo) * n):
                h[i] = out[i]
        if not reverse:
            start += count


def _rnn_backward(args, lo, hi):
    d_at, g_at, out_at, dh_at, w, relu = (
        slot(args, 0), slot(args, 1), slot(args, 2), slot(args, 3), slot(args, 4), slot(args, 5),
    )  # fmt: skip
    sizes, steps, reverse = int64_pointer(slot(args, 6)), slot(args, 7), slot(args, 8)
    n, size, rows, panels = slot(args, 9), slot(args, 10), slot(args, 11), slot(args, 12)
    line = n * size
    start = 0 if reverse else rows
    for s in range(steps):
        t = s if reverse else steps - 1 - s
        count = sizes[t]
        if not reverse:
            start -= count
        last = min(hi, count)
        if last > lo:
            place = (start + lo) * line
            d, grad, out = reals(d_at + place), reals(g_at + place), reals(out_at + place)
            dh = reals(dh_at + lo * line)
            if relu:
                for i in range((last - lo) * n):
                    d[i] = dh[i] + grad[i] if out[i] > real(0) else real(0)
            else:
                for i in range((last - lo) * n):
                    d[i] = (dh[i] + grad[i]) * (real(1) - out[i] * out[i])
            if panels:
                multiply(last - lo, n, n, d_at + place, n, panels, dh_at + lo * line, n, real(0), size)
            else:
                gemm(0, 0, last - lo, n, n, d_at + place, n, w, n, real(0), dh_at + lo * line, n)
        if reverse:
            start += count


rnn_forward, rnn_steps_back = Kernel(_rnn, IMPORTS), Kernel(_rnn_backward, IMPORTS)


def rnn(
    backend: Backend, x: View, h0: View, w_ih: View, w_hh: View, bias: View | None,
    *, batch_sizes: tuple[int, ...], reverse: bool, nonlinearity: str,
) -> Any:  # fmt: skip
    """All steps."""
    if not serves(x, h0, w_ih, w_hh, bias) or not fits(batch_sizes, 1, x, w_ih, w_hh, h0, biases=(bias,)):
        return NotImplemented
    w_hh = contiguous(w_hh)
    batch, n = h0.shape
    rows = x.shape[0]
    result = Result(rows, batch, (n,), x)
    out, h = result.parts
    copied(h0, h)
    inputs(out, x, w_ih, bias)
    steps = Steps(batch_sizes, reverse)
    panels, panels_owner = packed(w_hh.permute((1, 0)), len(batch_sizes))
    words = (
        address(out), address(h), address(w_hh), nonlinearity == "relu", *steps.words, n, x.dtype.itemsize,
        rows, panels,
    )  # fmt: skip
    launch(rnn_forward(x.dtype.name), batch, cut(batch, batch * n * n), words)
    del panels_owner
    return result.flat


def rnn_backward(
    backend: Backend, needs: Sequence[bool], grad: View, x: View, h0: View, w_ih: View, w_hh: View,
    bias: View | None, out: View, *, batch_sizes: tuple[int, ...], reverse: bool, nonlinearity: str,
) -> Any:  # fmt: skip
    """The gradients of all inputs."""
    if not serves(x, h0, w_ih, w_hh, bias, grad):
        return NotImplemented
    x, grad, h0, w_hh = (contiguous(v) for v in (x, grad, h0, w_hh))
    batch, n = h0.shape
    rows, device = x.shape[0], x.buffer.device
    dh = last_gradient(grad, rows * n, batch, n)
    d = empty((rows, n), x.dtype, device)
    steps = Steps(batch_sizes, reverse)
    panels, panels_owner = packed(w_hh, len(batch_sizes))
    words = (
        address(d), address(grad), address(out), address(dh), address(w_hh), nonlinearity == "relu",
        *steps.words, n, x.dtype.itemsize, rows, panels,
    )  # fmt: skip
    launch(rnn_steps_back(x.dtype.name), batch, cut(batch, batch * n * n), words)
    del panels_owner
    gx = None
    if needs[0]:
        gx = empty(x.shape, x.dtype, device)
        matmul.run(gx, d, w_ih)
    return (
        gx, dh,
        weight(d, x) if needs[2] else None,
        weight(d, rows_before(out, h0, steps, rows)) if needs[3] else None,
        sums(d) if needs[4] else None,
    )  # fmt: skip
