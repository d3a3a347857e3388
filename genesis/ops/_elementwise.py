"""Elementwise: an operation that is one formula for each element; its gradient is derived from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from genesis._dtypes import DtypeError, bool_, default_dtype, dtype, float32, float64, int64, result_type
from genesis._errors import DeviceError, ShapeError
from genesis.autograd.grad_mode import state
from genesis.autograd.graph import (
    PLAIN,
    Node,
    TensorCore,
    check_writable,
    edge,
    edges_of,
    new,
    rebase,
    tracked,
)
from genesis.backend.dispatch import run_map
from genesis.backend.expr import Expr, arg, arguments, call, cast, number_dtype, substitute
from genesis.backend.view import View, broadcast_shapes
from genesis.ops._autocast import full_on_cuda
from genesis.ops._derive import gradients
from genesis.ops._operands import (
    ArrayOperand,
    as_input,
    common_shape,
    number_of,
    on_two_devices,
    place_of,
    read_safely,
    with_tensors,
)
from genesis.ops._short_cuts import ShortCuts

if TYPE_CHECKING:
    from genesis._tensor import Tensor

Formula = Callable[..., Expr]

_NO_BOOLS = "convert with .int(), or use the logical operations"
_CATEGORY = {"b": 0, "u": 1, "i": 1, "f": 2}


class Elementwise(ShortCuts):
    """An elementwise operation; call it on tensors and Python numbers.

    Args:
        name: shown in errors and graphs.
        formula: builds the expression from its inputs.
        arity: number of inputs.
        kind: how types combine. ``"same"``: the promoted type in and out; ``"number"``: the same, but bools
            are refused; ``"numeric"``: the same, but refused where all are bools; ``"whole"``: the same, but
            bools become int64; ``"float"``: integers
            become the default floating type; ``"compare"``: promoted in, bool out; ``"logic"``: bool in and
            out; ``"bits"``: integers and bools only; ``"shift"``: integers only; ``"wide"``: as ``"float"``,
            but computed in float64, for formulas that lose digits on the way.
        conditions: the inputs that are read as bools and have no part in the promotion.
        grad: gives the gradients of all inputs from (grad, *inputs, out), where the derived ones would be
            unstable or slow; None for an input whose gradient is zero.
        names: what the inputs are called where the operation is called by keywords.
    """

    def __init__(
        self,
        name: str,
        formula: Formula,
        arity: int,
        kind: str = "float",
        grad: Callable[..., Sequence[Expr | None]] | None = None,
        conditions: Sequence[int] = (),
        names: Sequence[str] = ("input", "other"),
    ) -> None:
        self.name, self.formula, self.arity, self.kind, self.custom = name, formula, arity, kind, grad
        self.names = tuple(names)[:arity]
        self.conditions = frozenset(conditions)
        self._plans: dict[tuple[Any, ...], tuple[Expr, dtype]] = {}
        self._grads: list[tuple[Elementwise, list[int]] | None] | None = None
        self._reads: dict[tuple[bool, ...], frozenset[int]] = {}
        self._keeps: dict[tuple[bool, ...], tuple[bool, ...]] = {}
        super().__init__()

    def __new__(cls, name: str, formula: Formula, arity: int, *args: Any, **options: Any) -> Elementwise:
        return object.__new__({1: _Unary, 2: _Binary}.get(arity, cls) if cls is Elementwise else cls)

    def __call__(self, *args: Any) -> Tensor:
        view = self._quick_view(args)
        plain = view is not None
        if view is None:
            view, args = self._any_view(args)
        out = new(view)
        edges = edges_of(args)
        if edges is not None and view.dtype.is_floating_point:
            out._node, out._tracked = self._node(edges, args, view, plain), True
        return out

    def _any_view(self, args: tuple[Any, ...]) -> tuple[View, tuple[Any, ...]]:
        """The result in any case, and the operands as they were taken."""
        view = self._walked_view(args)
        if view is not None:
            return view, args
        if float32.special:
            args = full_on_cuda(self.name, args)
        try:
            views, device, key = self._operands(args)
        except ArrayOperand:
            args = with_tensors(args)
            views, device, key = self._operands(args)
        backend = device.backend
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plan(key, args)
            self._learn(plan, args, backend)
        expr, out_dtype = plan
        shape = common_shape(views)
        self._learn_walk(plan, args, shape, backend)
        out: View = backend.empty(shape, out_dtype, device)
        run_map(backend, expr, out, *[v.expand(shape) if type(v) is View else v for v in views])
        return out, args

    def into(self, target: Any, *args: Any) -> Tensor:
        """Write the result into ``target`` (which may be one of ``args``) and return it.

        Raises:
            RuntimeError: the result's type or shape does not fit, several elements of ``target`` share
                memory, or it is a leaf that requires a gradient.
        """
        if self._quick_into(target, args):
            return target  # type: ignore[no-any-return]
        check_writable(target)
        try:
            views, device, key = self._operands(args)
        except ArrayOperand:
            args = with_tensors(args)
            views, device, key = self._operands(args)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plan(key, args)
            self._learn(plan, args, device.backend)
        expr, out_dtype = plan
        out_view: View = target._view
        if out_view.buffer.device is not device:
            raise DeviceError(on_two_devices(f"{self.name}_", (*args, target)))
        if out_dtype is not out_view.dtype:
            if _CATEGORY[out_dtype.kind] > _CATEGORY[out_view.dtype.kind]:
                raise RuntimeError(
                    f"result type {out_dtype} can't be cast to the desired output type {out_view.dtype}"
                )
            expr = cast(expr, out_view.dtype)
        shape = broadcast_shapes(out_view.shape, *[v.shape for v in views if type(v) is View])
        if shape != out_view.shape:
            raise ShapeError(
                f"{self.name}_: output with shape {out_view.shape} doesn't match the broadcast shape "
                f"{shape}; an in-place operation cannot grow its tensor"
            )
        edges = edges_of((*args, target))
        if edges is not None:
            args = self._before_write(edges[:-1], args, out_view.buffer)
            edges = tuple([edge(a) for a in args])
        backend = device.backend
        inputs = [
            v if type(v) is not View else read_safely(backend, v, out_view).expand(shape) for v in views
        ]
        run_map(backend, expr, out_view, *inputs)
        out_view.buffer.version += 1
        if edges is not None:
            rebase(target, self._node(edges, args, out_view))
        return target  # type: ignore[no-any-return]

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
                        raise DeviceError(on_two_devices(self.name, args))
                else:
                    key.append((v.dtype, 0))
                    if scalar_device is None:
                        scalar_device = v.buffer.device
            elif type(a) in (int, float, bool):
                views.append(a)
                key.append(type(a))
            else:
                number = number_of(a, self.name)
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
                        raise DeviceError(on_two_devices(self.name, args))
                    views[i] = device.backend.empty((), v.dtype, device)
                    device.backend.write(views[i], v.buffer.device.backend.read(v))
        key.append(default_dtype())
        key.append(device.backend)
        return views, device, tuple(key)

    def _plan(self, key: tuple[Any, ...], args: Sequence[Any]) -> tuple[Expr, dtype]:
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
                number = number_of(a, self.name)
                have.append(number_dtype(number))
                if counts:
                    scalars.append(number)
        common = bool_ if self.kind == "logic" else result_type(tensors, scalars)
        if self.kind in ("float", "wide") and not common.is_floating_point:
            common = default_dtype()
        if self.kind == "whole" and common is bool_:
            common = int64
        if self.kind == "shift" and common is bool_:
            raise DtypeError(f"{self.name} is not defined for bools; {_NO_BOOLS}")
        if self.kind in ("bits", "shift") and common.is_floating_point:
            raise DtypeError(f"{self.name} works on integers and bools, not on {common}")
        if (self.kind == "number" and bool_ in have) or (self.kind == "numeric" and common is bool_):
            raise DtypeError(f"{self.name} is not defined for bools; {_NO_BOOLS}")
        inner = float64 if self.kind == "wide" else float32 if common.is_half else common
        want = [bool_ if i in self.conditions else inner for i in range(len(args))]
        inputs = [
            arg(i) if h is w else cast(arg(i), w) for i, (h, w) in enumerate(zip(have, want, strict=True))
        ]
        if common.is_half and (self.kind == "compare" or self.name in _ROUND_NUMBERS):
            for i, h in enumerate(have):
                if h is not common and i not in self.conditions:  # a number, or a tensor that counts as one
                    inputs[i] = cast(cast(arg(i), common), inner)
        expr = self.formula(*inputs)
        if inner is not common:
            expr = cast(expr, common)
        if common is bool_ and self.kind == "same":
            expr = _on_bools(expr, self.name)
        plan = self._plans[key] = (expr, bool_ if self.kind == "compare" else common)
        return plan

    # -- gradients -----------------------------------------------------------------------------------
    @property
    def grads(self) -> list[tuple[Elementwise, list[int]] | None]:
        """Of each input: the operation that gives its gradient, and what of (*inputs, grad, out) it takes."""
        if self._grads is None:
            xs = [arg(i) for i in range(self.arity)]
            g, out = arg(self.arity), arg(self.arity + 1)
            exprs = (
                list(self.custom(g, *xs, out))
                if self.custom
                else gradients(self.formula(*xs), self.arity, g, out)
            )
            self._grads = [
                None if e is None else _operation(f"{self.name}.grad{i}", e, self)
                for i, e in enumerate(exprs)
            ]
        return self._grads

    def _read_by(self, needs: tuple[bool, ...]) -> frozenset[int]:
        """Which of (*inputs, grad, out) the gradients of the inputs with ``needs`` are computed from."""
        found = self._reads.get(needs)
        if found is None:
            wanted = [g[1] for g, need in zip(self.grads, needs, strict=True) if need and g is not None]
            found = self._reads[needs] = frozenset(i for indices in wanted for i in indices)
        return found

    def _before_write(self, edges: tuple[Any, ...], args: tuple[Any, ...], buffer: Any) -> tuple[Any, ...]:
        """``args`` with copies of those that a write into ``buffer`` would change and a gradient needs."""
        read = self._read_by(tuple([e is not None for e in edges]))
        return tuple(
            [
                a.clone() if i in read and isinstance(a, TensorCore) and a._view.buffer is buffer else a  # type: ignore[attr-defined]
                for i, a in enumerate(args)
            ]
        )

    def _node(self, edges: tuple[Any, ...], args: Sequence[Any], out: View, plain: bool = False) -> Node:
        """What is recorded; ``plain``: all operands have the type, shape and device of the result."""
        keeps = self._keeping(tuple([e is not None for e in edges]))
        saved: tuple[Any, ...] = ()
        if keeps:
            last = new(out) if keeps[-1] else None
            saved = (*[a if keep else None for a, keep in zip(args, keeps, strict=False)], last)
        if plain:
            return Node(self, edges, saved)
        places: list[tuple[Any, ...] | None] | None = None
        device = out.buffer.device
        for a in args:
            if isinstance(a, TensorCore):
                v = a._view
                if v.shape != out.shape or v.dtype is not out.dtype or v.buffer.device is not device:
                    places = [place_of(a) for a in args]
                    break
        return Node(self, edges, saved, places)

    def _keeping(self, needs: tuple[bool, ...]) -> tuple[bool, ...]:
        """Which of (*inputs, out) the gradients of the inputs with ``needs`` read; () for none of them."""
        keeps = self._keeps.get(needs)
        if keeps is None:
            read = self._read_by(needs)
            keeps = (*[i in read for i in range(self.arity)], self.arity + 1 in read)
            keeps = self._keeps[needs] = keeps if any(keeps) else ()
        return keeps

    def backward(self, node: Node, grad: Tensor) -> list[Tensor | None]:
        """Rule of the graph: evaluate the gradient formula of each input and sum over what was broadcast."""
        saved = node.unpack() or (None,) * (self.arity + 1)
        out = saved[-1]
        if out is not None and state.enabled:  # a higher derivative: the result is part of the graph
            out = new(out._view)
            out._node, out._tracked = node, True
        operands = (*saved[:-1], grad, out)
        places = node.options
        result: list[Tensor | None] = []
        for i, (e, rule) in enumerate(zip(node.edges, self.grads, strict=True)):
            if e is None:
                result.append(None)
                continue
            if rule is None:
                g = grad._zeros_like()
            else:
                operation, indices = rule
                g = grad if operation is _identity else operation(*[operands[j] for j in indices])
            if places is not None:  # otherwise all are as the result is
                g = as_input(g, *places[i])
            result.append(g)
        return result


# The price of every small operation is what is written here, so it is written for speed: one call, no loops.
class _Unary(Elementwise):
    """An operation on one operand, which is most often a tensor without gaps."""

    def __call__(self, a: Any) -> Tensor:
        if type(a) in PLAIN:
            x = a._view
            if x._contiguous or x.contiguous:
                device = x.buffer.device
                last = self._last
                if last[0] is x.dtype and last[1] is device._backend:
                    run = last[2]
                else:
                    run = self._short_cut(x.dtype, device._backend)
                if run is not None:
                    view = run(device, x.shape, x)
                    out = new(view)
                    if (a._tracked or a._base is not None) and state.enabled and tracked(a):
                        if view.dtype is not x.dtype:
                            return out
                        keeps = self._keeps.get(_ONE) or self._keeping(_ONE)
                        saved = (a if keeps[0] else None, new(view) if keeps[1] else None) if keeps else ()
                        out._node, out._tracked = Node(self, (a._node or a,), saved), True
                    return out
        return Elementwise.__call__(self, a)


class _Binary(Elementwise):
    """An operation on two operands, which are most often tensors of one type and shape without gaps."""

    def __call__(self, a: Any, b: Any) -> Tensor:
        if type(a) in PLAIN and type(b) in PLAIN:
            x, y = a._view, b._view
            device = x.buffer.device
            if (
                x.dtype is y.dtype
                and x.shape == y.shape
                and device is y.buffer.device
                and (x._contiguous or x.contiguous)
                and (y._contiguous or y.contiguous)
            ):
                last = self._last
                if last[0] is x.dtype and last[1] is device._backend:
                    run = last[2]
                else:
                    run = self._short_cut(x.dtype, device._backend)
                if run is not None:
                    view = run(device, x.shape, x, y)
                    out = new(view)
                    if (
                        a._tracked or b._tracked or a._base is not None or b._base is not None
                    ) and state.enabled:
                        first = (a._node or a) if tracked(a) else None
                        second = (b._node or b) if tracked(b) else None
                        needs = (first is not None, second is not None)
                        if needs == _NONE or view.dtype is not x.dtype:
                            return out
                        keeps = self._keeps.get(needs) or self._keeping(needs)
                        saved: tuple[Any, ...] = ()
                        if keeps:
                            saved = (
                                a if keeps[0] else None,
                                b if keeps[1] else None,
                                new(view) if keeps[2] else None,
                            )
                        out._node, out._tracked = Node(self, (first, second), saved), True
                    return out
        return Elementwise.__call__(self, a, b)


#: where PyTorch rounds a Python number to the half that is beside it; elsewhere it stays in float32
_ROUND_NUMBERS = frozenset(("add", "atan2", "fmod", "minus", "plus", "pow", "remainder", "sub"))

_ONE, _NONE = (True,), (False, False)


def _operation(name: str, expr: Expr, of: Elementwise) -> tuple[Elementwise, list[int]]:
    """An operation over just the inputs that ``expr`` reads."""
    used = arguments(expr)
    if expr.name == "arg":
        return _identity, used
    place = {old: new for new, old in enumerate(used)}

    def formula(*inputs: Expr) -> Expr:
        return substitute(expr, lambda e: inputs[place[e.value]] if e.name == "arg" else None)

    kind = "wide" if of.kind == "wide" else "float"
    conditions = [place[i] for i in of.conditions if i in place]
    return Elementwise(name, formula, len(used), kind, conditions=conditions), used


_identity = Elementwise("identity", lambda x: x, 1, "same")


def _on_bools(expr: Expr, name: str) -> Expr:
    """Arithmetic names mean logic on bools: + is or, * is and."""
    logic = {"add": "or", "mul": "and", "max": "or", "min": "and"}
    if expr.name in ("arg", "where", "cast"):
        return expr
    if expr.name == "sign":
        return expr.args[0]
    if expr.name not in logic:
        raise DtypeError(f"{name} is not defined for bools; {_NO_BOOLS}")
    return call(logic[expr.name], *expr.args)
