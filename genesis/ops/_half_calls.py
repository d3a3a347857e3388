"""Operations with kernels of their own on float16 and bfloat16: in float32, each result rounded once.

What is saved for the gradient stays in 16 bits; it is widened again when the gradient is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from genesis._dtypes import dtype, float32, promote_types
from genesis.autograd.grad_mode import state
from genesis.autograd.graph import Node, TensorCore, edges_of, new
from genesis.backend import halves
from genesis.backend.dispatch import kernel
from genesis.ops._autocast import converted, off, policy_of

if TYPE_CHECKING:
    from genesis.ops._op import Op


#: results that other results and running averages are made of, which stay in float32
_EXACT = ("mean", "var")

#: operations that take float32 parameters beside an input of 16 bits
_MIXED = frozenset(("attention", "batch_norm", "group_norm", "layer_norm", "rms_norm"))

#: operations whose rule takes differences of what was made of their first result: what rounding it left out
#: is saved, too, in 16 bits
_REMAINDER = frozenset(("attention",))


def _wide(t: Any) -> Any:
    """A half as float32, outside any graph; anything else as it is."""
    if isinstance(t, TensorCore) and t._view.dtype.is_half:
        return new(halves.widened(t._view))
    return t


def _round(t: Any, to: dtype) -> Any:
    """A float32 result as a half, outside any graph; anything else as it is."""
    if isinstance(t, TensorCore) and t._view.dtype is float32:
        return new(halves.rounded(t._view, to))
    return t


def call(op: Op, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """The results where inputs are halves, or an autocast is on; NotImplemented where neither is so."""
    found = policy_of(op.name, args)
    if found is not None:
        place, policy = found
        if policy is not None:
            args, options = converted(policy, place, args, options)
        with off(place):  # what it is made of is not cast
            return op(*args, **options)
    if any([isinstance(a, TensorCore) and a._view.dtype.is_half for a in args]):
        return _with_halves(op, args, options)
    return NotImplemented


def _with_halves(op: Op, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """In float32, each result rounded; the first half among the inputs says to which type."""
    kind = next(a._view.dtype for a in args if isinstance(a, TensorCore) and a._view.dtype.is_half)
    for a in args:
        if a is not None and a._view.dtype.is_floating_point and a._view.dtype is not kind:
            first = args[0]._view.dtype
            if op.name not in _MIXED or first is not kind or a._view.dtype is not float32:
                raise RuntimeError(
                    f"{op.name}: expected all tensors of the same dtype, got {kind} and {a._view.dtype}; "
                    "convert one with .to(dtype)"
                )
    wide = [_wide(a) for a in args]
    given = [a._view.buffer.version if isinstance(a, TensorCore) else 0 for a in wide]
    results = _results(op, wide, options)
    for a, w, version in zip(args, wide, given, strict=True):
        if a is not w and w._view.buffer.version != version:  # the operation wrote into it
            halves.round_into(a._view.buffer.device.backend, a._view, w._view)
            a._view.buffer.version += 1
    named, exact = zip(op.results, results, strict=True), results[0]
    results = tuple(
        [_round(r, kind) if i < op.public and n not in _EXACT else r for i, (n, r) in enumerate(named)]
    )
    out = results[0]
    edges = edges_of(args)
    if edges is not None:
        saved = tuple(
            [
                (new(out._view) if i == 0 else results[i]) if is_result else args[i]
                for is_result, i in op._sources
            ]
        )
        if op.name in _REMAINDER:
            saved += (_round(exact - _wide(out), kind),)
        kinds = [a._view.dtype if isinstance(a, TensorCore) else None for a in args]
        out._node, out._tracked = Node(_Rule(op), edges, saved, (options, kinds)), True
    return out if op.public == 1 else results[: op.public]


def _results(op: Op, args: Sequence[Any], options: dict[str, Any]) -> tuple[Any, ...]:
    """All results, of the device's kernel or of the composite, outside any graph."""
    views = [a._view if isinstance(a, TensorCore) else None for a in args]
    backend = next(v for v in views if v is not None).buffer.device.backend
    own = kernel(backend, op.name)
    result: Any = NotImplemented
    if own is not None:
        result = own(backend, *views, **options)
    if result is not NotImplemented:
        return tuple([new(v) for v in result]) if type(result) is tuple else (new(result),)
    before, state.enabled = state.enabled, False
    try:
        result = op.composite(*args, **options)
    finally:
        state.enabled = before
    return result if type(result) is tuple else (result,)


F = TypeVar("F", bound=Callable[..., Any])


def in_float32(function: F) -> F:
    """Decorator for what is made of several operations: for halves in float32, and rounded at the end."""

    @wraps(function)
    def run(*args: Any, **options: Any) -> Any:
        kind = None
        for a in (*args, *options.values()) if options else args:
            if isinstance(a, TensorCore) and a._view.dtype.is_half:
                kind = a._view.dtype if kind is None else promote_types(kind, a._view.dtype)
        if kind is None:
            return function(*args, **options)
        result = function(
            *[_recorded_wide(a) for a in args], **{k: _recorded_wide(v) for k, v in options.items()}
        )
        if isinstance(result, TensorCore):
            return _recorded_round(result, kind)
        made = [_recorded_round(r, kind) for r in result]
        return type(result)(*made) if hasattr(result, "_fields") else type(result)(made)

    return run  # type: ignore[return-value]


def _recorded_wide(x: Any) -> Any:
    return x.to(float32) if isinstance(x, TensorCore) and x._view.dtype.is_half else x  # type: ignore[attr-defined]


def _recorded_round(x: Any, kind: dtype) -> Any:
    return x.to(kind) if isinstance(x, TensorCore) and x._view.dtype is float32 else x  # type: ignore[attr-defined]


class _Rule:
    """The gradient of such an operation: its own rule in float32, each gradient in the type of its input."""

    def __init__(self, op: Op) -> None:
        self.op, self.name = op, op.name

    def backward(self, node: Node, grad: Any) -> list[Any]:
        options, kinds = node.options
        op = self.op
        saved: Any = node.unpack()
        if op.name in _REMAINDER:
            saved, remainder = saved[:-1], saved[-1]
        if state.enabled:
            grads = self._differentiable(node, grad, saved, options)
            return [
                g if g is None or g._view.dtype is kind else g.to(kind)
                for g, kind in zip(grads, kinds, strict=True)
            ]
        values = [_wide(a) for a in saved]
        if op.name in _REMAINDER:
            first = op._sources.index((True, 0))
            values[first] = values[first] + _wide(remainder)
        grad = _wide(grad)
        backend = grad._view.buffer.device.backend
        own = kernel(backend, op._name_of_backward)
        found: Any = NotImplemented
        if own is not None:
            views = [a._view if isinstance(a, TensorCore) else a for a in values]
            found = own(backend, node.needs, grad._view, *views, **options)
        if found is NotImplemented:
            assert op._backward is not None, op.name
            grads = op._backward(node.needs, grad, *values, **options)
        else:
            grads = [None if v is None else new(v) for v in found]
        return [
            _round(g, kind) if kind is not None and kind.is_half else g
            for g, kind in zip(grads, kinds, strict=True)
        ]

    def _differentiable(self, node: Node, grad: Any, saved: Any, options: Any) -> Sequence[Any]:
        """With everything recorded: the conversions are operations, too."""
        values: list[Any] = []
        for (is_result, i), value in zip(self.op._sources, saved, strict=True):
            if is_result and i == 0:
                value = new(value._view)
                value._node, value._tracked = node, True
            elif is_result:
                value = None
            if isinstance(value, TensorCore) and value._view.dtype.is_half:
                value = value.to(float32)  # type: ignore[attr-defined]
            values.append(value)
        assert self.op._backward is not None, self.name
        return self.op._backward(node.needs, grad.to(float32), *values, **options)
