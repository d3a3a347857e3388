"""Elementwise: an operation that is one formula for each element, with its gradient derived from the formula."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from genesis._dtypes import bool_, default_dtype, dtype, result_type
from genesis._errors import DeviceError, ShapeError
from genesis.autograd.grad_mode import state
from genesis.autograd.graph import Node, TensorCore, check_writable, edge, new, rebase, recording
from genesis.backend.dispatch import run_map
from genesis.backend.expr import Expr, arg, arguments, call, cast, number_dtype, substitute
from genesis.backend.view import View, broadcast_shapes, may_overlap
from genesis.ops._derive import gradients

if TYPE_CHECKING:
    from genesis._tensor import Tensor

Formula = Callable[..., Expr]

_CATEGORY = {"b": 0, "u": 1, "i": 1, "f": 2}


class Elementwise:
    """An elementwise operation; call it on tensors and Python numbers.

    Args:
        name: shown in errors and graphs.
        formula: builds the expression from its inputs.
        arity: number of inputs.
        kind: how types combine. ``"same"``: the promoted type in and out; ``"float"``: integers become the default
            floating type; ``"compare"``: promoted in, bool out; ``"logic"``: bool in and out; ``"bits"``: integers
            and bools only.
        conditions: the inputs that are read as bools and have no part in the promotion.
        grad: gives the gradients of all inputs from (grad, *inputs, out), where the derived ones would be unstable
            or slow; None for an input without one.
    """

    def __init__(
        self,
        name: str,
        formula: Formula,
        arity: int,
        kind: str = "float",
        grad: Callable[..., Sequence[Expr | None]] | None = None,
        conditions: Sequence[int] = (),
    ) -> None:
        self.name, self.formula, self.arity, self.kind, self.custom = name, formula, arity, kind, grad
        self.conditions = frozenset(conditions)
        self._plans: dict[tuple[Any, ...], tuple[Expr, dtype]] = {}
        self._grads: list[tuple[Elementwise, list[int]] | None] | None = None

    def __call__(self, *args: Any) -> Tensor:
        views, device, key = self._operands(args)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = self._plan(args)
        expr, out_dtype = plan
        shape = _common_shape(views)
        backend = device.backend
        out_view = backend.empty(shape, out_dtype, device)
        inputs = [v.expand(shape) if type(v) is View and v.shape != shape else v for v in views]
        run_map(backend, expr, out_view, *inputs)
        out = new(out_view)
        if state.enabled and out_dtype.is_floating_point and recording(*args):
            out._node, out._tracked = self._node(out, args), True
        return out

    def into(self, target: Any, *args: Any) -> Tensor:
        """Write the result into ``target`` (which may be one of ``args``) and return it.

        Raises:
            RuntimeError: the result's type or shape does not fit, or ``target`` is a leaf that requires a gradient.
        """
        check_writable(target)
        views, device, key = self._operands(args)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = self._plan(args)
        expr, out_dtype = plan
        out_view: View = target._view
        if out_view.buffer.device is not device:
            raise DeviceError(_devices(f"{self.name}_", (*args, target)))
        if out_dtype is not out_view.dtype:
            if _CATEGORY[out_dtype.kind] > _CATEGORY[out_view.dtype.kind]:
                raise RuntimeError(
                    f"result type {out_dtype} can't be cast to the desired output type {out_view.dtype}"
                )
            expr = cast(expr, out_view.dtype)
        shape = broadcast_shapes(out_view.shape, *[v.shape for v in views if type(v) is View])
        if shape != out_view.shape:
            raise ShapeError(
                f"{self.name}_: output with shape {out_view.shape} doesn't match the broadcast shape {shape}; "
                "an in-place operation cannot grow its tensor"
            )
        track = recording(*args)
        if track and any(a is target for a in args) and self._uses(args, target):
            before = target.clone()  # the gradient of another input needs the value from before
            args = tuple([before if a is target else a for a in args])
        backend = device.backend
        inputs = [
            v if type(v) is not View else _read_safely(backend, v, out_view).expand(shape) for v in views
        ]
        run_map(backend, expr, out_view, *inputs)
        out_view.buffer.version += 1
        if track:
            rebase(target, self._node(target, args))
        return target

    # -- types ---------------------------------------------------------------------------------------
    def _operands(self, args: Sequence[Any]) -> tuple[list[Any], Any, tuple[Any, ...]]:
        """Views (or numbers), the device, and the key of the plan."""
        views: list[Any] = []
        key: list[Any] = []
        device = None
        scalar_device = None
        for a in args:
            if isinstance(a, TensorCore):
                v = a._view
                views.append(v)
                if v.shape:
                    key.append(v.dtype)
                    if device is None:
                        device = v.buffer.device
                    elif device is not v.buffer.device:
                        raise DeviceError(_devices(self.name, args))
                else:
                    key.append((v.dtype, 0))
                    if scalar_device is None:
                        scalar_device = v.buffer.device
            elif type(a) in (int, float, bool):
                views.append(a)
                key.append(type(a))
            else:
                number = _number(a, self.name)
                views.append(number)
                key.append(type(number))
        if device is None:
            device = scalar_device
            if device is None:
                raise TypeError(
                    f"{self.name} needs at least one tensor, got {[type(a).__name__ for a in args]}"
                )
        if scalar_device is not None and scalar_device is not device:
            for i, v in enumerate(
                views
            ):  # a zero-dimensional tensor from elsewhere acts as a number, as in PyTorch
                if type(v) is View and v.buffer.device is not device:
                    if v.shape or v.buffer.device.type != "cpu":
                        raise DeviceError(_devices(self.name, args))
                    views[i] = device.backend.empty((), v.dtype, device)
                    device.backend.write(views[i], v.buffer.device.backend.read(v))
        key.append(default_dtype())
        return views, device, tuple(key)

    def _plan(self, args: Sequence[Any]) -> tuple[Expr, dtype]:
        """The expression with its casts, and the type of the result."""
        have: list[dtype] = []
        tensors: list[tuple[dtype, int]] = []
        scalars: list[object] = []
        for i, a in enumerate(args):
            counts = i not in self.conditions
            if isinstance(a, TensorCore):
                have.append(a._view.dtype)
                if counts:
                    tensors.append((a._view.dtype, len(a._view.shape)))
            else:
                number = _number(a, self.name)
                have.append(number_dtype(number))
                if counts:
                    scalars.append(number)
        common = bool_ if self.kind == "logic" else result_type(tensors, scalars)
        if self.kind == "float" and not common.is_floating_point:
            common = default_dtype()
        if self.kind == "bits" and common.is_floating_point:
            raise TypeError(f"{self.name} works on integers and bools, not on {common}")
        want = [bool_ if i in self.conditions else common for i in range(len(args))]
        inputs = [
            arg(i) if h is w else cast(arg(i), w) for i, (h, w) in enumerate(zip(have, want, strict=True))
        ]
        expr = self.formula(*inputs)
        if common is bool_ and self.kind == "same":
            expr = _on_bools(expr, self.name)
        return expr, bool_ if self.kind == "compare" else common

    # -- gradients -----------------------------------------------------------------------------------
    @property
    def grads(self) -> list[tuple[Elementwise, list[int]] | None]:
        """For each input: the operation that gives its gradient, and which of (grad, *inputs, out) it takes."""
        if self._grads is None:
            xs = [arg(i) for i in range(self.arity)]
            g, out = arg(self.arity), arg(self.arity + 1)
            exprs = (
                list(self.custom(g, *xs, out))
                if self.custom
                else gradients(self.formula(*xs), self.arity, g, out)
            )
            self._grads = [
                None if e is None else _operation(f"{self.name}.grad{i}", e, self.conditions)
                for i, e in enumerate(exprs)
            ]
        return self._grads

    def _uses(self, args: Sequence[Any], target: Any) -> bool:
        """True when the gradient of some input needs the value of ``target`` as an input."""
        return any(
            grad is not None
            and recording(args[i])
            and any(j < self.arity and args[j] is target for j in grad[1])
            for i, grad in enumerate(self.grads)
        )

    def _node(self, out: Any, args: Sequence[Any]) -> Node:
        edges = tuple([edge(a) for a in args])
        used: set[int] = set()
        for e, grad in zip(edges, self.grads, strict=True):
            if e is not None and grad is not None:
                used.update(grad[1])
        saved = [a if i in used or not isinstance(a, TensorCore) else None for i, a in enumerate(args)]
        saved.append(new(out._view) if self.arity + 1 in used else None)
        places = tuple([(a._view.shape, a._view.dtype) if isinstance(a, TensorCore) else None for a in args])
        return Node(self, edges, tuple(saved), places)

    def backward(self, node: Node, grad: Tensor) -> list[Tensor | None]:
        """Rule of the graph: evaluate the gradient formula of each input and sum over what was broadcast."""
        from genesis.ops.reduction import sum_to_shape

        saved = node.unpack()
        if state.enabled and saved[-1] is not None:  # a higher derivative: the result is part of the graph
            out = new(saved[-1]._view)
            out._node, out._tracked = node, True
            saved = (*saved[:-1], out)
        operands = (*saved[:-1], grad, saved[-1])
        result: list[Tensor | None] = []
        for e, rule, place in zip(node.edges, self.grads, node.options, strict=True):
            if e is None or rule is None:
                result.append(None)
                continue
            operation, indices = rule
            g = grad if operation is _identity else operation(*[operands[i] for i in indices])
            shape, dtype = place
            if g._view.dtype is not dtype:
                g = g.to(dtype)
            result.append(sum_to_shape(g, shape))
        return result


def _operation(name: str, expr: Expr, conditions: frozenset[int]) -> tuple[Elementwise, list[int]]:
    """An operation over just the inputs that ``expr`` reads."""
    used = arguments(expr)
    if expr.name == "arg":
        return _identity, used
    place = {old: new for new, old in enumerate(used)}

    def formula(*inputs: Expr) -> Expr:
        return substitute(expr, lambda e: inputs[place[e.value]] if e.name == "arg" else None)

    return Elementwise(
        name, formula, len(used), "float", conditions=[place[i] for i in conditions if i in place]
    ), used


_identity = Elementwise("identity", lambda x: x, 1, "same")


def _on_bools(expr: Expr, name: str) -> Expr:
    """Arithmetic names mean logic on bools: + is or, * is and."""
    logic = {"add": "or", "mul": "and", "max": "or", "min": "and"}
    if expr.name in ("arg", "where", "cast"):
        return expr
    if expr.name not in logic:
        raise TypeError(
            f"{name} is not defined for bool tensors; convert with .int() or use the logical operations"
        )
    return call(logic[expr.name], *expr.args)


def _common_shape(views: list[Any]) -> tuple[int, ...]:
    shape: tuple[int, ...] | None = None
    for v in views:
        if type(v) is View:
            if shape is None:
                shape = v.shape
            elif v.shape != shape:
                return broadcast_shapes(*[v.shape for v in views if type(v) is View])
    return shape or ()


def _number(a: object, name: str) -> bool | int | float:
    if isinstance(a, bool | int | float):
        return bool(a) if isinstance(a, bool) else int(a) if isinstance(a, int) else float(a)
    item = getattr(a, "item", None)  # NumPy scalars and 0-d arrays
    if item is not None and getattr(a, "ndim", 0) == 0:
        value = item()
        if isinstance(value, bool | int | float):
            return value
    raise TypeError(
        f"{name} takes tensors and numbers, got {type(a).__name__}; make it a tensor with genesis.tensor(...)"
    )


def _devices(name: str, args: Sequence[Any]) -> str:
    places = [str(a._view.buffer.device) for a in args if isinstance(a, TensorCore)]
    return (
        f"{name}: all tensors must be on one device, got {' and '.join(places)}; move them with .to(device)"
    )


def _read_safely(backend: Any, v: View, out: View) -> View:
    """``v``, or a copy of it when writing ``out`` would change what is still to be read."""
    if not may_overlap(v, out):
        return v
    copy: View = backend.empty(v.shape, v.dtype, v.buffer.device)
    backend.map(arg(0), copy, v)
    return copy
