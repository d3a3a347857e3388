"""Running an operation on a device: its own kernel if it has one and wants the job, else the primitives."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from genesis._dtypes import dtype
from genesis._errors import GenesisError
from genesis.backend.base import Backend
from genesis.backend.expr import Expr, Number, arg, infer, number_dtype, topological
from genesis.backend.view import View


def kernel(backend: Backend, name: str) -> Callable[..., Any] | None:
    """The device's own kernel for an operation, imported on first use; None when it has none."""
    try:
        return backend._table[name]
    except KeyError:
        pass
    target = backend.kernels.get(name)
    function = None
    if target is not None:
        module, _, attribute = target.partition(":")
        try:
            function = getattr(import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise GenesisError(
                f"device {backend.name!r} declares {target!r} for {name!r}, which cannot be loaded: {error}"
            ) from error
    backend._table[name] = function
    return function


def run_map(backend: Backend, expr: Expr, out: View, *inputs: View | Number) -> None:
    """Evaluate an expression into ``out``, one name at a time on a device that does not fuse."""
    if backend.fuses or all(a.name == "arg" and a.value == i for i, a in enumerate(expr.args)):
        backend.map(expr, out, *inputs)
        return
    types = infer(expr, [x.dtype if isinstance(x, View) else number_dtype(x) for x in inputs])
    values: dict[Expr, View | Number] = {}
    for e in topological(expr):
        if e.name == "arg":
            values[e] = inputs[e.value]
        elif e.name == "const":
            values[e] = e.value if types[e].kind != "f" else float(e.value)
        else:
            target = out if e is expr else backend.empty(out.shape, types[e], out.buffer.device)
            operands = [values[a] for a in e.args]
            if e.name == "cast" and not isinstance(operands[0], View):
                values[e] = operands[0] = _cast_number(operands[0], e.value)
                if e is not expr:
                    continue
            simple = Expr(e.name, tuple(arg(i) for i in range(len(operands))), e.value)
            backend.map(simple, target, *operands)
            values[e] = target


def _cast_number(value: Number, to: dtype) -> Number:
    if to.kind == "b":
        return bool(value)
    if to.kind == "f":
        return float(value)
    span = 1 << 8 * to.itemsize  # integers wrap
    wrapped = int(value) % span
    return wrapped - span if to.kind == "i" and wrapped >= span // 2 else wrapped
