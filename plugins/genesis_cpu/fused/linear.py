"""linear: the product starts from the bias, and leading axes are one axis of rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from genesis.backend import Backend, View, arg
from genesis.ops.linear_relu import passed
from genesis_cpu import _threads
from genesis_cpu._memory import empty
from genesis_cpu.kernels import matmul, reduce
from genesis_cpu.kernels.map import duplicate, remember
from genesis_cpu.kernels.prepared import prepare


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


class _Ahead:
    """What a layer does forward, for one kind of input: the product, and the shapes of its result."""

    __slots__ = ("flat", "plan", "shape")

    def __init__(self, x: View, weight: View, positive: bool) -> None:
        n = weight.shape[0]
        self.shape, self.flat = (*x.shape[:-1], n), (x.size // x.shape[-1], n)
        rows = x if x.ndim == 2 else x.reshape((self.flat[0], x.shape[-1]))
        out = View(x.buffer, x.dtype, self.flat, (n, 1))
        self.plan = (
            None if rows is None else matmul.plan_of(out, rows, weight.permute((1, 0)), positive=positive)
        )


_ahead: dict[tuple[Any, ...], _Ahead | None] = {}


def linear(backend: Backend, x: View, weight: View, bias: View | None) -> Any:
    """``x @ weight.T + bias``."""
    return _forward(x, weight, bias, False)


def linear_relu(backend: Backend, x: View, weight: View, bias: View | None) -> Any:
    """``relu(x @ weight.T + bias)``."""
    return _forward(x, weight, bias, True)


def _forward(x: View, weight: View, bias: View | None, positive: bool) -> Any:
    key = (
        positive,
        x.shape, x.strides, x.dtype, weight.shape, weight.strides, weight.dtype,
        None if bias is None else (bias.shape, bias.strides, bias.dtype), _threads.count,
    )  # fmt: skip
    if key in _ahead:
        ahead = _ahead[key]
    else:
        ahead = remember(_ahead, key, _Ahead(x, weight, positive) if _serves(x, weight, bias) else None)
    if ahead is None:
        return NotImplemented
    plan = ahead.plan
    if plan is None:
        if positive:
            return NotImplemented
        out = empty(ahead.flat, x.dtype, x.buffer.device)
        matmul.run(out, _flat(x), weight.permute((1, 0)), bias)
        return out.reshape(ahead.shape)
    out = empty(ahead.shape, x.dtype, x.buffer.device)
    plan.run(out, x, weight, bias)
    return out


class _Back:
    """What a layer does backward, for one kind of input: the products, and how to sum over the rows."""

    __slots__ = ("columns", "input", "rows", "weight")

    def __init__(self, g: View, x: View, weight: View) -> None:
        self.rows, self.columns = g.shape
        self.input = matmul.plan_of(View(x.buffer, x.dtype, x.shape, (x.shape[1], 1)), g, weight)
        out = View(x.buffer, x.dtype, weight.shape, (weight.shape[1], 1))
        self.weight = matmul.plan_of(out, g.permute((1, 0)), x)


_back: dict[tuple[Any, ...], _Back | None] = {}


def linear_backward(
    backend: Backend, needs: Sequence[bool], grad: View, x: View, weight: View, bias: View | None
) -> Any:
    """``grad @ weight``, ``grad.T @ x`` and the sum of ``grad`` over its rows."""
    key = (
        x.shape, x.strides, x.dtype, weight.shape, weight.strides, weight.dtype,
        grad.strides, grad.dtype, _threads.count,
    )  # fmt: skip
    if key in _back:
        back = _back[key]
    else:
        if not _serves(x, weight, bias) or grad.dtype is not x.dtype:
            return NotImplemented
        back = None
        if grad.contiguous and x.contiguous:
            back = _Back(_flat(grad), _flat(x), weight)
            if back.input is None or back.weight is None:
                back = None
        remember(_back, key, back)
    device, dtype = x.buffer.device, x.dtype
    gx = gw = gb = None
    if back is None:
        g, rows = _flat(grad), _flat(x)
        if needs[0]:
            gx = empty(rows.shape, dtype, device)
            matmul.run(gx, g, weight)
            gx = gx.reshape(x.shape)
        if needs[1]:
            gw = empty(weight.shape, dtype, device)
            matmul.run(gw, g.permute((1, 0)), rows)
        if len(needs) > 2 and needs[2]:
            gb = empty((1, weight.shape[0]), dtype, device)
            reduce.run("sum", gb, g)
            gb = gb.reshape((weight.shape[0],))
        return gx, gw, gb
    assert back.input is not None and back.weight is not None  # noqa: PT018
    if needs[0]:
        gx = empty(x.shape, dtype, device)
        back.input.run(gx, grad, weight)
    if len(needs) > 2 and needs[2]:
        gb = empty((back.columns,), dtype, device)
    sums = gb if needs[1] and back.weight.sums else None
    if needs[1]:
        gw = empty(weight.shape, dtype, device)
        back.weight.run(gw, grad, x, sums=sums)
    if gb is not None and sums is None:
        reduce.sum_rows(gb, grad, back.rows, back.columns)
    return gx, gw, gb


#: of types: what lets the gradient through a rectifier whose result is known
_passing: dict[tuple[Any, Any], Callable[..., View]] = {}


def linear_relu_backward(
    backend: Backend, needs: Sequence[bool], grad: View, x: View, weight: View, bias: View | None, out: View
) -> Any:
    """``linear_backward`` of the gradient where the result is positive."""
    if not (grad.contiguous and out.contiguous):
        return NotImplemented
    types = grad.dtype, out.dtype
    passing = _passing.get(types)
    if passing is None:
        passing = _passing[types] = prepare(passed(arg(0), arg(1)), grad.dtype, types)
    return linear_backward(
        backend, needs, passing(grad.buffer.device, grad.shape, grad, out), x, weight, bias
    )
