"""linear: the product starts from the bias, and leading axes are one axis of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genesis.backend import Backend, View
from genesis_cpu._memory import empty
from genesis_cpu.kernels import matmul, reduce
from genesis_cpu.kernels.map import duplicate


def _flat(x: View) -> View:
    """All axes but the last as one."""
    if x.ndim == 2:
        return x
    shape = (x.size // x.shape[-1], x.shape[-1])
    flat = x.reshape(shape)
    return duplicate(x).reshape(shape) if flat is None else flat  # type: ignore[return-value]


def _serves(x: View, weight: View, bias: View | None) -> bool:
    return (
        x.dtype.is_floating_point
        and x.dtype is weight.dtype
        and (bias is None or (bias.dtype is x.dtype and bias.ndim == 1 and bias.contiguous))
        and x.ndim > 0
        and weight.ndim == 2
        and x.shape[-1] == weight.shape[1]
        and x.size > 0
        and weight.size > 0
    )


def linear(backend: Backend, x: View, weight: View, bias: View | None) -> Any:
    """``x @ weight.T + bias``."""
    if not _serves(x, weight, bias):
        return NotImplemented
    rows = _flat(x)
    n = weight.shape[0]
    out = empty((rows.shape[0], n), x.dtype, x.buffer.device)
    matmul.run(out, rows, weight.permute((1, 0)), bias)
    return out if x.ndim == 2 else out.reshape((*x.shape[:-1], n))


def linear_backward(
    backend: Backend, needs: Sequence[bool], grad: View, x: View, weight: View, bias: View | None
) -> Any:
    """``grad @ weight``, ``grad.T @ x`` and the sum of ``grad`` over its rows."""
    if not _serves(x, weight, bias) or grad.dtype is not x.dtype:
        return NotImplemented
    device = x.buffer.device
    g, rows = _flat(grad), _flat(x)
    gx = gw = gb = None
    if needs[0]:
        gx = empty(rows.shape, x.dtype, device)
        matmul.run(gx, g, weight)
        if x.ndim != 2:
            gx = gx.reshape(x.shape)
    if needs[1]:
        gw = empty(weight.shape, x.dtype, device)
        matmul.run(gw, g.permute((1, 0)), rows)
    if len(needs) > 2 and needs[2]:
        gb = empty((1, weight.shape[0]), x.dtype, device)
        reduce.run("sum", gb, g)
        gb = gb.reshape((weight.shape[0],))
    return gx, gw, gb
