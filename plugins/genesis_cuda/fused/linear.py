"""``linear_relu``: a product, and one pass that adds the bias and cuts off what is below 0."""

from __future__ import annotations

from typing import Any

from genesis.backend import Backend, View, arg, call
from genesis_cuda._copies import contiguous, empty
from genesis_cuda.kernels import map as elementwise
from genesis_cuda.kernels import matmul

_POSITIVE = call("max", arg(0), 0)
_WITH_BIAS = call("max", arg(0) + arg(1), 0)


def linear_relu(backend: Backend, x: View, weight: View, bias: View | None) -> Any:
    """``relu(x @ weight.T + bias)``."""
    if not (
        x.dtype.name in ("float32", "float64")
        and x.dtype is weight.dtype
        and x.ndim
        and weight.ndim == 2
        and x.size
        and weight.size
        and x.shape[-1] == weight.shape[1]
        and (bias is None or (bias.dtype is x.dtype and bias.shape == weight.shape[:1]))
    ):
        return NotImplemented
    rows, n = x.size // x.shape[-1], weight.shape[0]
    flat = x if x.ndim == 2 else x.reshape((rows, x.shape[-1]))
    if flat is None:
        flat = contiguous(x).reshape((rows, x.shape[-1]))
    assert flat is not None
    out = empty((rows, n), x.dtype, x.buffer.device)
    matmul.run(out, flat, weight.permute((1, 0)))
    if bias is None:
        elementwise.run(_POSITIVE, out, (out,))
    else:
        elementwise.run(
            _WITH_BIAS,
            out,
            (out, bias.expand(out.shape)),
        )
    return out.reshape((*x.shape[:-1], n))
