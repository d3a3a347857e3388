"""Recurrent layers: one direction of one layer over a whole sequence is one operation.

Sequences of several lengths are *packed*: the rows of the first step, then those of the second, and so on,
the longest sequence first, so that step t has ``batch_sizes[t]`` rows and these never grow.  A batch of equal
lengths is the special case where all sizes are equal.

Each operation returns one flat tensor: the hidden state of every row, then the last hidden state of every
sequence, then (LSTM) the last cell state.  ``parts`` takes it apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from genesis.autograd.grad_mode import state
from genesis.autograd.graph import tracked
from genesis.ops import elementwise as ew
from genesis.ops._op import op
from genesis.ops.activation import relu, sigmoid
from genesis.ops.joining import cat
from genesis.ops.linalg import linear, matmul
from genesis.ops.parts import chunk, narrow
from genesis.ops.reduction import sum
from genesis.ops.shape import reshape, transpose


def parts(out: Any, rows: int, batch: int, width: int, cell: int = 0) -> list[Any]:
    """The hidden states (rows, width), the last ones (batch, width), and last cell states (batch, cell)."""
    sizes = [(rows, width), (batch, width), *([(batch, cell)] if cell else [])]
    found, start = [], 0
    for n, m in sizes:
        found.append(reshape(narrow(out, 0, start, n * m), (n, m)))
        start += n * m
    return found


def keeps(*tensors: Any) -> bool:
    """Whether a gradient may be asked for, so that intermediate values have to be kept."""
    return state.enabled and any(t is not None and tracked(t) for t in tensors)


def _steps(batch_sizes: Sequence[int], reverse: bool) -> Iterator[tuple[int, int]]:
    """(first row, number of rows) of each step, in the order in which they are computed."""
    start, found = 0, []
    for n in batch_sizes:
        found.append((start, n))
        start += n
    return reversed(found) if reverse else iter(found)


def _head(x: Any, n: int) -> Any:
    return x if n == x._view.shape[0] else narrow(x, 0, 0, n)


def _with_head(x: Any, head: Any) -> Any:
    """``x`` with its first rows replaced: the other sequences have ended, or have not begun."""
    n, size = head._view.shape[0], x._view.shape[0]
    return head if n == size else cat([head, narrow(x, 0, n, size - n)])


def _in_order(found: list[tuple[int, Any]]) -> Any:
    """Rows of all steps, first step first."""
    return cat([x for _, x in sorted(found, key=lambda pair: pair[0])])


def _flat(*tensors: Any) -> Any:
    return cat([reshape(x, (-1,)) for x in tensors])


def _weights(needs: Sequence[bool], g: Any, x: Any, previous: Any, w_ih: Any) -> tuple[Any, Any, Any]:
    """Gradients of the input and of both weights from ``g``, that of the sums of products of all rows."""
    turned = transpose(g, 0, 1)
    return (
        matmul(g, w_ih) if needs[0] else None,
        matmul(turned, x) if needs[1] else None,
        matmul(turned, previous) if needs[2] else None,
    )


# -- LSTM --------------------------------------------------------------------------------------------------
def _lstm_run(
    x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, bias: Any, w_hr: Any, sizes: Sequence[int], reverse: bool
) -> tuple[list[tuple[Any, ...]], Any, Any]:
    inputs = linear(x, w_ih, bias)
    turned = transpose(w_hh, 0, 1)
    steps = []
    for start, n in _steps(sizes, reverse):
        before, cell = _head(h, n), _head(c, n)
        i, f, g, o = chunk(narrow(inputs, 0, start, n) + matmul(before, turned), 4, 1)
        i, f, g, o = sigmoid(i), sigmoid(f), ew.tanh(g), sigmoid(o)
        after = f * cell + i * g
        squashed = ew.tanh(after)
        raw = o * squashed
        out = raw if w_hr is None else matmul(raw, transpose(w_hr, 0, 1))
        steps.append((start, n, before, cell, i, f, g, o, squashed, raw, out))
        h, c = _with_head(h, out), _with_head(c, after)
    return steps, h, c


@op(
    saves=("x", "h0", "c0", "w_ih", "w_hh", "bias", "w_hr", "out", "gates", "cells"),
    results=("out", "gates", "cells"),
)
def lstm(
    x: Any, h0: Any, c0: Any, w_ih: Any, w_hh: Any, bias: Any, w_hr: Any,
    *, batch_sizes: tuple[int, ...], reverse: bool, keep: bool,
) -> Any:  # fmt: skip
    """One direction of one LSTM layer: ``c' = f c + i g``, ``h' = W_hr (o tanh(c'))``.

    Args:
        x: packed rows (rows, in).
        h0, c0: first states (batch, out) and (batch, hidden).
        w_ih: (4 hidden, in), the gates i, f, g, o below each other.
        w_hh: (4 hidden, out).
        bias: (4 hidden,) or None; the sum of PyTorch's two.
        w_hr: (out, hidden) or None, the projection of arXiv 1402.1128.
        batch_sizes: rows of each step.
        reverse: from the last step to the first.
        keep: False where no gradient will be asked for.

    Reference: Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000.
    """
    steps, h, c = _lstm_run(x, h0, c0, w_ih, w_hh, bias, w_hr, batch_sizes, reverse)
    return _flat(_in_order([(s[0], s[-1]) for s in steps]), h, c), None, None


@lstm.backward_rule
def _lstm(
    needs: Any, grad: Any, x: Any, h0: Any, c0: Any, w_ih: Any, w_hh: Any, bias: Any, w_hr: Any, out: Any,
    gates: Any, cells: Any, *, batch_sizes: tuple[int, ...], reverse: bool, keep: bool,
) -> tuple[Any, ...]:  # fmt: skip
    steps, _, _ = _lstm_run(x, h0, c0, w_ih, w_hh, bias, w_hr, batch_sizes, reverse)
    batch, hidden = c0._view.shape
    g_out, dh, dc = parts(grad, x._view.shape[0], batch, w_hh._view.shape[1], hidden)
    sums, projected = [], []
    for start, n, _before, cell, i, f, g, o, squashed, raw, _ in reversed(steps):
        d_out = _head(dh, n) + narrow(g_out, 0, start, n)
        d_raw = d_out
        if w_hr is not None:
            projected.append((d_out, raw))
            d_raw = matmul(d_out, w_hr)
        d_cell = _head(dc, n) + d_raw * o * (1 - squashed * squashed)
        d_sum = cat(
            [
                d_cell * g * i * (1 - i),
                d_cell * cell * f * (1 - f),
                d_cell * i * (1 - g * g),
                d_raw * squashed * o * (1 - o),
            ],
            1,
        )
        sums.append((start, d_sum))
        dh, dc = _with_head(dh, matmul(d_sum, w_hh)), _with_head(dc, d_cell * f)
    g = _in_order(sums)
    previous = _in_order([(s[0], s[2]) for s in steps])
    gx, gi, gh = _weights((needs[0], *needs[3:5]), g, x, previous, w_ih)
    gr = None
    if needs[6]:
        gr = matmul(transpose(cat([a for a, _ in projected]), 0, 1), cat([b for _, b in projected]))
    return gx, dh, dc, gi, gh, sum(g, 0) if needs[5] else None, gr


# -- GRU ---------------------------------------------------------------------------------------------------
def _gru_run(
    x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, sizes: Sequence[int], reverse: bool
) -> tuple[list[tuple[Any, ...]], Any]:
    inputs = linear(x, w_ih, b_ih)
    steps = []
    for start, n in _steps(sizes, reverse):
        before = _head(h, n)
        ir, iz, new = chunk(narrow(inputs, 0, start, n), 3, 1)
        hr, hz, hn = chunk(linear(before, w_hh, b_hh), 3, 1)
        r, z = sigmoid(ir + hr), sigmoid(iz + hz)
        new = ew.tanh(new + r * hn)
        out = new + z * (before - new)
        steps.append((start, n, before, r, z, new, hn, out))
        h = _with_head(h, out)
    return steps, h


@op(
    saves=("x", "h0", "w_ih", "w_hh", "b_ih", "b_hh", "out", "gates"),
    results=("out", "gates"),
)
def gru(
    x: Any, h0: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any,
    *, batch_sizes: tuple[int, ...], reverse: bool, keep: bool,
) -> Any:  # fmt: skip
    """One direction of one GRU layer: ``n = tanh(W_in x + r (W_hn h))``, ``h' = (1 - z) n + z h``.

    The arguments are those of ``lstm``; the gates are r, z and n, and the second bias is multiplied by r.
    Reference: Cho et al., arXiv 1406.1078, with r applied after the product.
    """
    steps, h = _gru_run(x, h0, w_ih, w_hh, b_ih, b_hh, batch_sizes, reverse)
    return _flat(_in_order([(s[0], s[-1]) for s in steps]), h), None


@gru.backward_rule
def _gru(
    needs: Any, grad: Any, x: Any, h0: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, out: Any, gates: Any,
    *, batch_sizes: tuple[int, ...], reverse: bool, keep: bool,
) -> tuple[Any, ...]:  # fmt: skip
    steps, _ = _gru_run(x, h0, w_ih, w_hh, b_ih, b_hh, batch_sizes, reverse)
    g_out, dh = parts(grad, x._view.shape[0], *h0._view.shape)
    sums, hidden_sums = [], []
    for start, n, before, r, z, new, hn, _ in reversed(steps):
        d = _head(dh, n) + narrow(g_out, 0, start, n)
        d_new = d * (1 - z) * (1 - new * new)
        d_r, d_z = d_new * hn * r * (1 - r), d * (before - new) * z * (1 - z)
        d_hidden = cat([d_r, d_z, d_new * r], 1)
        sums.append((start, cat([d_r, d_z, d_new], 1)))
        hidden_sums.append((start, d_hidden))
        dh = _with_head(dh, d * z + matmul(d_hidden, w_hh))
    g, gh = _in_order(sums), _in_order(hidden_sums)
    previous = _in_order([(s[0], s[2]) for s in steps])
    return (
        matmul(g, w_ih) if needs[0] else None,
        dh,
        matmul(transpose(g, 0, 1), x) if needs[2] else None,
        matmul(transpose(gh, 0, 1), previous) if needs[3] else None,
        sum(g, 0) if needs[4] else None,
        sum(gh, 0) if needs[5] else None,
    )


# -- Elman's ------------------------------------------------------------------------------------------------
def _rnn_run(
    x: Any, h: Any, w_ih: Any, w_hh: Any, bias: Any, sizes: Sequence[int], reverse: bool, function: Any
) -> tuple[list[tuple[Any, ...]], Any]:
    inputs = linear(x, w_ih, bias)
    turned = transpose(w_hh, 0, 1)
    steps = []
    for start, n in _steps(sizes, reverse):
        before = _head(h, n)
        out = function(narrow(inputs, 0, start, n) + matmul(before, turned))
        steps.append((start, n, before, out))
        h = _with_head(h, out)
    return steps, h


_FUNCTIONS = {"tanh": ew.tanh, "relu": relu}


@op(saves=("x", "h0", "w_ih", "w_hh", "bias", "out"))
def rnn(
    x: Any, h0: Any, w_ih: Any, w_hh: Any, bias: Any,
    *, batch_sizes: tuple[int, ...], reverse: bool, nonlinearity: str,
) -> Any:  # fmt: skip
    """One direction of one layer of ``h' = tanh(W_ih x + W_hh h + b)``, or with ``"relu"`` in its place.

    The arguments are those of ``lstm``.  Reference: Elman 1990.
    """
    steps, h = _rnn_run(x, h0, w_ih, w_hh, bias, batch_sizes, reverse, _FUNCTIONS[nonlinearity])
    return _flat(_in_order([(s[0], s[-1]) for s in steps]), h)


@rnn.backward_rule
def _rnn(
    needs: Any, grad: Any, x: Any, h0: Any, w_ih: Any, w_hh: Any, bias: Any, out: Any,
    *, batch_sizes: tuple[int, ...], reverse: bool, nonlinearity: str,
) -> tuple[Any, ...]:  # fmt: skip
    steps, _ = _rnn_run(x, h0, w_ih, w_hh, bias, batch_sizes, reverse, _FUNCTIONS[nonlinearity])
    g_out, dh = parts(grad, x._view.shape[0], *h0._view.shape)
    sums = []
    for start, n, _before, h in reversed(steps):
        d = _head(dh, n) + narrow(g_out, 0, start, n)
        d = d * (1 - h * h) if nonlinearity == "tanh" else ew.where(h > 0, d, 0)
        sums.append((start, d))
        dh = _with_head(dh, matmul(d, w_hh))
    g = _in_order(sums)
    previous = _in_order([(s[0], s[2]) for s in steps])
    gx, gi, gh = _weights((needs[0], *needs[2:4]), g, x, previous, w_ih)
    return gx, dh, gi, gh, sum(g, 0) if needs[4] else None
