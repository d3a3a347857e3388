"""Function: an operation whose backward pass the user writes."""

from __future__ import annotations

import inspect
import warnings
import weakref
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from genesis._lazy import missing
from genesis.autograd.grad_mode import no_grad, state
from genesis.autograd.graph import (
    PART,
    Bundle,
    GraphError,
    Node,
    TensorCore,
    check_writable,
    edges_of,
    new,
    rebase,
    tracked,
)
from genesis.autograd.nodes import Extra

#: shape, type and device of a tensor
Place = tuple[Any, Any, Any]


class FunctionCtx:
    """What ``forward`` hands to ``backward``.  Any attribute may be set on it.

    Attributes:
        needs_input_grad: for each argument of ``forward``, whether its gradient is wanted.
    """

    needs_input_grad: tuple[bool, ...] = ()
    materialize_grads = True
    to_save: tuple[Any, ...] = ()
    dirty_tensors: tuple[Any, ...] = ()
    non_differentiable: tuple[Any, ...] = ()

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors (or None) for ``backward``, where ``ctx.saved_tensors`` has them.

        That they were not changed in between is checked.  Call it once, in ``forward`` or ``setup_context``.

        Raises:
            TypeError: something else than a tensor; set it as an attribute instead.
        """
        for i, t in enumerate(tensors):
            if t is not None and not isinstance(t, TensorCore):
                raise TypeError(
                    f"save_for_backward can only save variables, but argument {i} is of type "
                    f"{type(t).__name__}; set an attribute of ctx for it"
                )
        self.to_save = tensors

    def save_for_forward(self, *tensors: Any) -> None:
        """Accepted for compatibility: derivatives go backward only."""

    def mark_dirty(self, *args: Any) -> None:
        """Say which arguments ``forward`` has written to; it has to return them, too."""
        for i, t in enumerate(args):
            if not isinstance(t, TensorCore):
                raise TypeError(
                    f"mark_dirty can only accept variables, but argument {i} is of type {type(t).__name__}"
                )
        self.dirty_tensors = args

    def mark_non_differentiable(self, *args: Any) -> None:
        """Say which results have no gradient."""
        self.non_differentiable = args

    def set_materialize_grads(self, value: bool) -> None:
        """Whether ``backward`` gets zeros (the default) or None for a result without a gradient."""
        self.materialize_grads = bool(value)

    # -- in the backward pass ------------------------------------------------------------------------
    _node_ref: Callable[[], Node | None] | None = None
    _from_outputs: tuple[int | None, ...] = ()  # of each saved tensor: the output that it is
    _outputs: tuple[Place | None, ...] = ()  # of each output; None for what is no tensor
    _inputs: tuple[Place | None, ...] = ()
    _single: int | None = None  # the only output with a gradient

    def _node(self) -> Node:
        node = self._node_ref() if self._node_ref is not None else None
        if node is None:
            raise GraphError(
                "this context belongs to no graph: nothing that it was called with has a gradient"
            )
        return node

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What ``save_for_backward`` kept.

        Raises:
            RuntimeError: one was modified in place since, or the graph was freed.
        """
        node = self._node()
        if not node.saved and not node.freed and node.extra.packed is None:
            return ()
        found = list(node.unpack())
        for i, number in enumerate(self._from_outputs):
            if number is not None and state.enabled:  # a higher derivative: the result is part of the graph
                found[i] = _attach(new(found[i]._view), node, number, self._single)
        return tuple(found)

    def name(self) -> str:
        """The name of the operation in graphs."""
        return type(self).__name__

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """For each argument, what its gradient goes to."""
        return self._node().next_functions

    @property
    def metadata(self) -> dict[Any, Any]:
        """A dictionary for notes of the user's."""
        return self._node().metadata

    def register_hook(self, hook: Callable[..., Any]) -> Any:
        """See ``Node.register_hook``."""
        return self._node().register_hook(hook)

    def register_prehook(self, hook: Callable[..., Any]) -> Any:
        """See ``Node.register_prehook``."""
        return self._node().register_prehook(hook)

    def __call__(self, *grads: Any) -> Any:
        """The gradients of the arguments from those of the results."""
        return self._node()(*grads)

    apply = __call__

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


def _attach(t: Any, node: Node, number: int, single: int | None) -> Any:
    """Make ``t`` the output ``number`` of a node."""
    t._node = node if single is not None else _part(node, number)
    t._tracked = True
    return t


def _part(node: Node, number: int) -> Node:
    return Node(PART, (node,), (), number)


class Function:
    """Base class of operations with a backward pass of their own.

    A subclass defines static methods and is called through ``apply``::

        class Cube(genesis.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x ** 3

            @staticmethod
            def backward(ctx, grad):
                (x,) = ctx.saved_tensors
                return grad * 3 * x ** 2

        y = Cube.apply(x)

    ``forward`` runs without recording.  ``backward`` gets a gradient for each result and returns one for each
    argument of ``forward``, None for what is no tensor.  With ``create_graph=True`` it is recorded, so a
    backward written in operations on tensors has derivatives itself.  Instead of ``forward(ctx, ...)``
    there may be ``forward(...)`` with ``setup_context(ctx, inputs, output)``.
    """

    _context: type[FunctionCtx] = FunctionCtx
    generate_vmap_rule = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all static, so you "
            "should invoke them on the class itself: MyFunction.apply(...).",
            DeprecationWarning,
            stacklevel=2,
        )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._context = type(f"{cls.__name__}Backward", (FunctionCtx,), {"_forward_cls": cls})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise GraphError(
            "Legacy autograd function with non-static forward method is deprecated. Make forward and "
            "backward "
            "static methods and call MyFunction.apply(...)."
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """The operation: ``forward(ctx, *args)``, or ``forward(*args)`` with ``setup_context``."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Keep what backward needs, after a ``forward`` without ctx."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The gradients of the arguments of ``forward``; ``vjp`` is another name for it."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to "
            "use it "
            "with backward mode AD."
        )

    vjp = backward

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """Not used: derivatives go backward only."""
        raise NotImplementedError(
            "jvp: not implemented; the nearest is genesis.autograd.functional.jvp, which needs backward only"
        )

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        """Not used: ``genesis.func.vmap`` calls the operation for each slice."""
        raise NotImplementedError(
            "vmap: not implemented; genesis.func.vmap calls the operation for each slice"
        )

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run the operation.

        Args:
            args: what ``forward`` takes; the tensors among them (not those inside of lists) have gradients.
            kwargs: the same by name; they are put in order.

        Raises:
            TypeError: an argument that ``forward`` does not have, or has by name only.
            RuntimeError: a result that was written to in place was not returned.
        """
        split = cls.setup_context is not Function.setup_context
        ctx = cls._context()
        if split:
            args = _in_order(cls, args, kwargs)
        elif kwargs:
            args = _in_order(cls, (ctx, *args), kwargs)[1:]
        edges = edges_of(args)
        ctx.needs_input_grad = tuple([isinstance(a, TensorCore) and tracked(a) for a in args])
        with no_grad():
            if split:
                output = cls.forward(*args)
                cls.setup_context(ctx, args, output)
            else:
                output = cls.forward(ctx, *args)
        many = isinstance(output, tuple)
        outputs = _outputs(cls, ctx, edges, args, output if many else (output,))
        return tuple(outputs) if many else outputs[0]


def _in_order(cls: type[Function], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """The arguments of ``forward`` by position."""
    bound = inspect.signature(cls.forward).bind(*args, **kwargs)
    by_name = [name for name in bound.kwargs if name in kwargs]
    if by_name:
        raise TypeError(
            f"{cls.__name__}.forward takes {', '.join(by_name)} by name only, and has no gradient for "
            f"it; make "
            "it a positional argument"
        )
    if cls.setup_context is not Function.setup_context:
        bound.apply_defaults()
    return bound.args


def _place(t: Any) -> Place | None:
    return (t._view.shape, t._view.dtype, t._view.buffer.device) if isinstance(t, TensorCore) else None


def _among(t: Any, others: Sequence[Any]) -> bool:
    return any(t is o for o in others)


def _outputs(
    cls: type[Function], ctx: FunctionCtx, edges: Any, args: tuple[Any, ...], results: tuple[Any, ...]
) -> list[Any]:
    """The results of ``forward`` as parts of the graph."""
    for t in ctx.dirty_tensors:
        if not _among(t, args):
            raise GraphError("mark_dirty: a tensor that was marked is no argument of the Function")
        if not _among(t, results):
            raise GraphError(
                "Some elements marked as dirty during the forward method were not returned as output. The "
                "inputs that are modified inplace must all be outputs of the Function."
            )
        if edges is not None:
            check_writable(t)
        t._view.buffer.version += 1
    if edges is None:
        return [
            new(r._view) if isinstance(r, TensorCore) and _among(r, args) and not _among(r, ctx.dirty_tensors)
            else r
            for r in results
        ]  # fmt: skip
    numbers = [
        i
        for i, r in enumerate(results)
        if isinstance(r, TensorCore)
        and r._view.dtype.is_floating_point
        and not _among(r, ctx.non_differentiable)
    ]
    ctx._inputs = tuple([_place(a) for a in args])
    ctx._outputs = tuple([_place(r) for r in results])
    ctx._single = numbers[0] if len(numbers) == 1 else None
    own = {id(r): i for i, r in enumerate(results) if not _among(r, args) or _among(r, ctx.dirty_tensors)}
    ctx._from_outputs = tuple([None if t is None else own.get(id(t)) for t in ctx.to_save])
    # a result is kept without its node, which would keep itself alive otherwise
    saved = [t if i is None else new(t._view) for t, i in zip(ctx.to_save, ctx._from_outputs, strict=True)]
    ctx.to_save = ()
    node = Node(_Rule(cls, ctx), edges, tuple(saved), None)
    node.extra = node.extra or Extra()
    node.extra.context = ctx
    ctx._node_ref = weakref.ref(node)
    found = list(results)
    for i, r in enumerate(results):
        if not isinstance(r, TensorCore):
            continue
        shared = _among(r, args) or r._base is not None
        if i not in numbers:
            if shared or r._tracked:
                found[i] = new(r._view)
        elif _among(r, ctx.dirty_tensors):
            rebase(r, node if ctx._single is not None else _part(node, i))
        else:
            if shared or r._tracked or _among(r, results[:i]):
                out: Any = new(r._view)
                if shared:
                    out._fixed = _VIEW.format(i, cls.__name__)
            else:
                out = r
            found[i] = _attach(out, node, i, ctx._single)
    return found


_VIEW = (
    "Output {} of {} is a view and is being modified inplace. This view was created inside a custom "
    "Function (or "
    "because an input was returned as-is) and the autograd logic to handle view+inplace would override the "
    "custom backward associated with the custom Function, leading to incorrect gradients. This behavior is "
    "forbidden. You can fix this by cloning the output of the custom Function."
)


class _Rule:
    """The backward rule of one call of a Function."""

    def __init__(self, cls: type[Function], ctx: FunctionCtx) -> None:
        self.name = type(ctx).__name__
        self._cls, self._ctx = cls, ctx

    def backward(self, node: Node, grad: Any) -> Sequence[Any]:
        ctx = self._ctx
        given = grad.grads if type(grad) is Bundle else {ctx._single: grad}
        grads: list[Any] = []
        for i, place in enumerate(ctx._outputs):
            g = given.get(i)
            if g is None and place is not None and ctx.materialize_grads:
                g = _zeros(place)
            grads.append(g)
        if node.freed:
            node.unpack()  # says so
        cls = self._cls
        vjp, backward = cls.vjp is not Function.vjp, cls.backward is not Function.backward
        if vjp and backward:
            raise GraphError(
                "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You "
                "should only "
                "implement one of them."
            )
        result = (cls.vjp if vjp else cls.backward)(ctx, *grads)
        if type(grad) is not Bundle:
            grad._fresh = False  # the user may have kept it
        return self._checked(result if isinstance(result, tuple) else (result,), node.edges)

    def _checked(self, found: tuple[Any, ...], edges: tuple[Any, ...]) -> list[Any]:
        expected = self._ctx._inputs
        got = len(found)
        if got > len(expected) and all(g is None for g in found[len(expected) :]):
            found = found[: len(expected)]
        if len(found) != len(expected):
            raise GraphError(
                f"function {self.name} returned an incorrect number of gradients (expected {len(expected)}, "
                f"got {got})"
            )
        return [
            self._fitting(i, g, place, e)
            for i, (g, place, e) in enumerate(zip(found, expected, edges, strict=True))
        ]

    def _fitting(self, i: int, grad: Any, place: Place | None, e: Any) -> Any:
        """A gradient as its argument is: summed over what was broadcast, and of its type."""
        if grad is None:
            return None
        if place is None:
            raise GraphError(
                f"function {self.name} returned a gradient different than None at position {i + 1}, but the "
                "corresponding forward input was not a Variable"
            )
        if not isinstance(grad, TensorCore):
            raise GraphError(f"expected Variable or None (got {type(grad).__name__}) from {self.name}")
        if e is None:
            return None
        from genesis.ops.reduction import sum_to_shape

        g: Any = grad
        shape, dtype, device = place
        have = g._view.shape
        if have != shape:
            lead = len(have) - len(shape)
            fits = lead >= 0 and all(n in (1, m) for n, m in zip(shape, have[lead:], strict=True))
            if not fits:
                raise GraphError(
                    f"Function {self.name} returned an invalid gradient at index {i} - got {list(have)} but "
                    f"expected shape compatible with {list(shape)}"
                )
            g = sum_to_shape(g, shape)
        if g._view.buffer.device is not device:
            raise GraphError(
                f"Function {self.name} returned an invalid gradient at index {i} - expected device {device} "
                f"but got {g._view.buffer.device}"
            )
        return g if g._view.dtype is dtype else g.to(dtype)


def _zeros(place: Place) -> Any:
    from genesis.ops._view import zeros_view

    return new(zeros_view(*place))


def once_differentiable(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator for a ``backward`` that is not written in operations with gradients: no second derivative.

    It runs without recording; to differentiate what it gives is an error.
    """

    @wraps(function)
    def wrapper(ctx: Any, *args: Any) -> Any:
        with no_grad():
            outputs = function(ctx, *args)
        edges = edges_of([*args, *[a for a in ctx.saved_tensors if a is not None]])
        if edges is None:
            return outputs
        many = isinstance(outputs, tuple)
        found = [
            _attach(new(t._view), Node(_ONCE, edges, (), None), 0, 0)
            if isinstance(t, TensorCore) and t._view.dtype.is_floating_point
            else t
            for t in (outputs if many else (outputs,))
        ]
        return tuple(found) if many else found[0]

    return wrapper


class _Once:
    name = "once_differentiable"

    def backward(self, node: Node, grad: Any) -> Sequence[Any]:
        raise GraphError("trying to differentiate twice a function that was marked with @once_differentiable")


_ONCE = _Once()

__all__ = ["Function", "FunctionCtx", "once_differentiable"]

TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
