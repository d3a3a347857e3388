"""Op: an operation with a composite definition, a gradient, and room for a device's own kernels."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from genesis._errors import DeviceError
from genesis.autograd.grad_mode import state
from genesis.autograd.graph import UNREAD, Node, TensorCore, edges_of, new
from genesis.backend.dispatch import kernel
from genesis.backend.view import View

if TYPE_CHECKING:
    from genesis._tensor import Tensor

#: every operation that a device may override, by name
OVERRIDABLE: dict[str, Op] = {}
#: and those on lists of tensors, beside steps that plugins declare
ON_LISTS = ("adam_step", "sgd_step", "update_step", "total_norm")
#: others that operations ask a device for by name, without a kernel for the gradient
BY_NAME = ("running_extreme", "logcumsumexp", "distinct", "dropout", "half_matmul", "layer_norm_onto")


class Op:
    """One declared operation; make it with ``@op``.

    Calling it runs the device's kernel of this name, or else the composite, which is written in other
    operations and so runs on any device.  The backward pass does the same with ``name + ".backward"``.

    Args:
        composite: the definition, a function of tensors (or None) and keyword-only options.
        saves: what the backward pass gets, by name: parameters of the composite, or results.
        read_for: a saved input -> the inputs whose gradients read its elements; where none of these is
            wanted, it may be overwritten before the backward pass. All, unless given.
        results: names of the results; only the first is differentiable, and only ``public`` of them are
            returned.
        onto: a device may have a kernel ``name + "_onto"``: the backward pass, with the gradient of the first
            input added to what that has from elsewhere. A residual connection ends in such a sum.
    """

    def __init__(
        self,
        composite: Callable[..., Any],
        saves: Sequence[str],
        results: Sequence[str],
        public: int,
        read_for: Mapping[str, Sequence[str]],
        onto: bool = False,
    ) -> None:
        self.name = composite.__name__.lstrip("_")
        self._name_of_onto = f"{self.name}_onto" if onto else None
        self._name_of_backward = f"{self.name}.backward"
        self.composite, self.saves, self.results, self.public = (
            composite,
            tuple(saves),
            tuple(results),
            public,
        )
        self._signature = inspect.signature(composite)
        parameters = self._signature.parameters.values()
        self.inputs = tuple(p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD)
        self._sources = tuple(
            (False, self.inputs.index(s)) if s in self.inputs else (True, self.results.index(s))
            for s in self.saves
        )
        self._read_for = tuple(
            (self.saves.index(s), tuple(self.inputs.index(i) for i in readers))
            for s, readers in read_for.items()
        )
        self._backward: Callable[..., Sequence[Tensor | None]] | None = None
        self.__doc__ = composite.__doc__
        OVERRIDABLE[self.name] = self

    def backward_rule(self, function: Callable[..., Sequence[Any]]) -> Callable[..., Sequence[Any]]:
        """Decorator: the gradient, from (needs, grad, *saved, **options), one entry for each input.

        It is written in operations on tensors, so that it can be differentiated again.  A saved result other
        than the first may be None (then it has to be computed again from the inputs, differentiably).
        """
        self._backward = function
        return function

    def _bind(self, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[Any, ...]:
        """The inputs in order, also those that were given by name; takes these out of ``options``."""
        bound = self._signature.bind(*args, **options)
        bound.apply_defaults()
        for name in self.inputs:
            options.pop(name, None)
        return tuple([bound.arguments[name] for name in self.inputs])

    def __call__(self, *args: Any, **options: Any) -> Any:
        if len(args) != len(self.inputs):
            args = self._bind(args, options)
        device = None
        views: list[Any] = []
        flows = special = False
        for a in args:
            if a is None:
                views.append(None)
                continue
            if not isinstance(a, TensorCore):
                raise TypeError(f"{self.name} takes tensors, got {type(a).__name__} {a!r:.40}")
            v = a._view
            views.append(v)
            if device is None:
                device = v.buffer.device
            elif v.buffer.device is not device:
                places = " and ".join(str(t._view.buffer.device) for t in args if isinstance(t, TensorCore))
                raise DeviceError(f"{self.name}: all tensors must be on one device, got {places}")
            if v.dtype.special:
                special = True
            if a._tracked or a._base is not None:
                flows = True
        if special:
            from genesis.ops._half_calls import call

            found = call(self, args, options)
            if found is not NotImplemented:
                return found
        if device is None:
            raise TypeError(f"{self.name} needs a tensor, got {', '.join(type(a).__name__ for a in args)}")
        backend = device._backend
        try:
            own = backend._table[self.name]
        except KeyError:
            own = kernel(backend, self.name)
        result: Any = NotImplemented
        if own is not None:
            result = own(backend, *views, **options)
        edges = edges_of(args) if flows else None
        if result is NotImplemented:
            before, state.enabled = state.enabled, False
            try:
                result = self.composite(*args, **options)
            finally:
                state.enabled = before
            results = result if type(result) is tuple else (result,)
            if edges is not None and (results[0]._base is not None or any(results[0] is a for a in args)):
                results = (new(results[0]._view), *results[1:])  # a tensor that nothing else refers to
        else:
            results = tuple([new(v) for v in result]) if type(result) is tuple else (new(result),)
        out = results[0]
        if edges is not None:
            saved = [
                (new(out._view) if i == 0 else results[i]) if is_result else args[i]
                for is_result, i in self._sources
            ]
            node = Node(self, edges, tuple(saved), options)
            for place, readers in self._read_for:
                if not any([edges[i] is not None for i in readers]):
                    node.versions = (*node.versions[:place], UNREAD, *node.versions[place + 1 :])
            out._node, out._tracked = node, True
        return out if self.public == 1 else results[: self.public]

    def backward(self, node: Node, grad: Tensor) -> Sequence[Tensor | None]:
        """Rule of the graph."""
        saved = node.unpack()
        if state.enabled:
            return self._differentiable(node, grad, saved)
        backend = grad._view.buffer.device.backend
        try:
            own = backend._table[self._name_of_backward]
        except KeyError:
            own = kernel(backend, self._name_of_backward)
        if own is not None:
            views = [a._view if isinstance(a, TensorCore) else a for a in saved]
            result = own(backend, node.needs, grad._view, *views, **node.options)
            if result is not NotImplemented:
                return [None if v is None else new(v) for v in result]
        assert self._backward is not None, self.name
        return self._backward(node.needs, grad, *saved, **node.options)

    def onto(self, node: Node, grad: Tensor, total: Tensor) -> Sequence[Tensor | None] | None:
        """As ``backward``, the first gradient plus ``total``; None where no kernel does that."""
        if self._name_of_onto is None:
            return None
        backend = grad._view.buffer.device.backend
        own = kernel(backend, self._name_of_onto)
        if own is None:
            return None
        views = [a._view if isinstance(a, TensorCore) else a for a in node.unpack()]
        result = own(backend, total._view, node.needs, grad._view, *views, **node.options)
        return None if result is NotImplemented else [None if v is None else new(v) for v in result]

    def _differentiable(self, node: Node, grad: Tensor, saved: tuple[Any, ...]) -> Sequence[Tensor | None]:
        attached: list[Any] = []
        for (is_result, i), value in zip(self._sources, saved, strict=True):
            if is_result and i == 0:
                value = new(value._view)
                value._node, value._tracked = node, True
            elif is_result:
                value = None
            attached.append(value)
        assert self._backward is not None, self.name
        return self._backward(node.needs, grad, *attached, **node.options)


def op(
    *,
    saves: Sequence[str] = (),
    results: Sequence[str] = ("out",),
    public: int = 1,
    read_for: Mapping[str, Sequence[str]] | None = None,
    onto: bool = False,
) -> Callable[[Callable[..., Any]], Op]:
    """Declare an operation; see ``Op``."""
    return lambda composite: Op(composite, saves, results, public, read_for or {}, onto)


class Primitive:
    """A rule for an operation that calls a backend method (or only view algebra) itself.

    Args:
        name: shown in graphs and errors.
        rule: the gradient, from (node, grad), one entry for each input; saved values come from
            ``node.unpack()``.

    Attributes:
        add: for an operation that takes a part of its only input, a function of (node, grad, total) that adds
            the gradient of the part to that of the input in place, or returns False. Parts of one tensor then
            cost what they hold, not the whole tensor each.
    """

    def __init__(self, name: str, rule: Callable[[Node, Any], Sequence[Any]]) -> None:
        self.name, self.backward = name, rule
        self.add: Callable[[Node, Any, Any], bool] | None = None

    def wrap(
        self, view: View, inputs: Sequence[Any], saved: tuple[Any, ...] = (), options: Any = None
    ) -> Tensor:
        """``view`` as the result of this operation on ``inputs``; recorded where gradients flow."""
        out = new(view)
        edges = edges_of(inputs)
        if edges is not None:
            out._node, out._tracked = Node(self, edges, saved, options), True
        return out


def primitive(name: str) -> Callable[[Callable[[Node, Any], Sequence[Any]]], Primitive]:
    """Decorator form of ``Primitive``."""
    return lambda rule: Primitive(name, rule)
