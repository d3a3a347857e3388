"""Running an operation on a device: by a kernel if there is one that wants the job, else by primitives."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any
from weakref import WeakSet

from genesis._dtypes import dtype
from genesis._errors import GenesisError
from genesis.backend.base import Backend
from genesis.backend.expr import Expr, Number, arg, in_float32, infer, number_dtype, topological
from genesis.backend.view import View

Kernel = Callable[..., Any]

_with_kernels: WeakSet[Backend] = WeakSet()  # those whose tables have to be emptied when plugins change


def kernel(backend: Backend, name: str) -> Kernel | None:
    """The kernel for an operation on a device, imported on first use; None when there is none.

    One that a plugin offers is tried first; what it declines, the device's own does.
    """
    try:
        return backend._table[name]
    except KeyError:
        pass
    _forget_when_plugins_change()
    _with_kernels.add(backend)
    function = backend._table[name] = _either(_offered(backend, name), _own(backend, name))
    return function


def _own(backend: Backend, name: str) -> Kernel | None:
    target = backend.kernels.get(name)
    if target is None:
        return None
    module, _, attribute = target.partition(":")
    try:
        function: Kernel = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise GenesisError(
            f"device {backend.name!r} declares {target!r} for {name!r}, which cannot be loaded: {error}"
        ) from error
    return function


def _offered(backend: Backend, name: str) -> Kernel | None:
    from genesis.plugin._kernels import load_kernel

    return load_kernel(backend._known_as or backend.name, name)


def _either(first: Kernel | None, second: Kernel | None) -> Kernel | None:
    if first is None or second is None:
        return first or second

    def run(*args: Any, **options: Any) -> Any:
        result = first(*args, **options)
        return second(*args, **options) if result is NotImplemented else result

    return run


@cache
def _forget_when_plugins_change() -> None:
    from genesis.plugin import when_changed

    @when_changed
    def forget() -> None:
        for backend in list(_with_kernels):
            backend._table.clear()


def run_map(backend: Backend, expr: Expr, out: View, *inputs: View | Number) -> None:
    """Evaluate an expression into ``out``, one name at a time on a device that does not fuse."""
    if expr.name == "arg" and not backend.fuses:  # a copy of one of them
        expr, inputs = arg(0), (inputs[expr.value],)
    if backend.fuses or all(a.name == "arg" and a.value == i for i, a in enumerate(expr.args)):
        backend.map(expr, out, *inputs)
        return
    given = [x.dtype if isinstance(x, View) else number_dtype(x) for x in inputs]
    if any(d.is_half for d in given) or out.dtype.is_half:
        expr = in_float32(expr, given, out.dtype)
    types = infer(expr, given)
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
