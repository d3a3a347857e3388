"""The graph of a computation: what a tensor carries, and the nodes between tensors.

A node stands for one differentiable result.  Its edges lead to the nodes that made its inputs, or to the leaf
tensors themselves.  The public ``Tensor`` derives from ``TensorCore``; operations create tensors through
``new``, so this module and ``genesis.ops`` do not import it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

from genesis._errors import GenesisError
from genesis._lazy import attach
from genesis.autograd.grad_mode import state, watch
from genesis.backend.view import View

if TYPE_CHECKING:
    from genesis._tensor import Tensor

_sequence = count(1)

#: the version of a saved tensor that the wanted gradients do not read: it may change
UNREAD = -1


class TensorCore:
    """The data and graph fields of a tensor."""

    _view: View
    _node: Node | None = None
    _tracked: bool = False  # has a node, or is a leaf that wants a gradient
    _grad: Any = None
    _base: Any = None  # for a view: the tensor it was taken from
    _base_node: Node | None = None  # the base's node when this view's node was made
    _steps: tuple[tuple[str, tuple[Any, ...]], ...] = ()  # how the view was taken: (View method, arguments)
    _fresh: bool = False  # a gradient that nothing else refers to yet
    _retains: bool = False  # retain_grad() was called
    _hooks: dict[int, Callable[..., Any]] | None = None
    _after_hooks: dict[int, Callable[..., Any]] | None = None
    _fixed: str = ""  # why it may not be written to while operations are recorded
    _inference: bool = False  # made in inference mode

    @property
    def grad(self) -> Any:
        """The gradient that backward accumulated into this leaf, or None.

        Raises:
            TypeError: what is assigned is no tensor.
            RuntimeError: it has another shape, type or device than this tensor.
        """
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            if not isinstance(value, TensorCore):
                raise TypeError(f"a gradient is a tensor or None, got {type(value).__name__}")
            have, want = value._view, self._view
            if have.shape != want.shape or have.dtype is not want.dtype:
                raise GraphError(
                    f"a gradient has the shape and type of its tensor, {want.shape} {want.dtype}; "
                    f"got {have.shape} {have.dtype}"
                )
            if have.buffer.device is not want.buffer.device:
                raise GraphError(
                    f"the gradient is on {have.buffer.device}, its tensor on {want.buffer.device}"
                )
        self._grad = value


class Rule(Protocol):
    """What a node does with a gradient."""

    name: str

    def backward(self, node: Node, grad: Tensor) -> Sequence[Tensor | None]:
        """The gradient of each edge, None where the edge is None or the gradient is zero."""


class Node:
    """One recorded operation.

    Attributes:
        rule: the operation's backward rule.
        edges: for each input: the node that made it, the leaf tensor, or None.
        saved: what the rule needs; freed after the backward pass.
        options: further arguments of the operation.
        extra: what only few nodes have; see ``genesis.autograd.nodes``.
    """

    __slots__ = (
        "__weakref__", "edges", "extra", "freed", "hooks", "options", "rule", "saved", "seq", "versions",
    )  # fmt: skip

    def __init__(
        self, rule: Rule, edges: tuple[Any, ...], saved: tuple[Any, ...] = (), options: Any = None
    ) -> None:
        self.rule, self.edges, self.saved, self.options = rule, edges, saved, options
        #: of each saved tensor when it was saved; empty when no tensor was
        self.versions: tuple[int, ...] = _versions(saved) if saved else ()
        self.seq = next(_sequence)
        self.hooks: dict[int, Callable[..., Any]] | None = None
        self.extra: Any = None
        self.freed = False
        if watch.nodes:
            _nodes().watched(self)

    def free(self) -> None:
        """Let go of the saved tensors; the node cannot be passed again, unless it had saved none."""
        if self.versions:
            self.saved, self.versions, self.freed = (), (), True
            if self.extra is not None:
                self.extra.packed = None

    @property
    def needs(self) -> tuple[bool, ...]:
        """For each input, whether its gradient is wanted."""
        return tuple([e is not None for e in self.edges])

    def name(self) -> str:
        """The operation's name as PyTorch would write it: ``MulBackward0``."""
        return _nodes().name_of(self)  # type: ignore[no-any-return]

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """For each input, what its gradient goes to and the number of that one's output; None for nothing."""
        return _nodes().next_functions(self)  # type: ignore[no-any-return]

    @property
    def metadata(self) -> dict[Any, Any]:
        """A dictionary for notes of the user's."""
        return _nodes().extra_of(self).metadata  # type: ignore[no-any-return]

    def register_hook(self, hook: Callable[..., Any]) -> Any:
        """Call ``hook(grad_inputs, grad_outputs)`` after the gradients of the inputs are computed.

        What it returns, if not None, replaces ``grad_inputs``.
        """
        return _nodes().register(self, "post", hook)

    def register_prehook(self, hook: Callable[..., Any]) -> Any:
        """Call ``hook(grad_outputs)`` before; what it returns, if not None, replaces ``grad_outputs``."""
        return _nodes().register(self, "pre", hook)

    def __call__(self, *grads: Any) -> Any:
        """The gradients of the inputs from those of the outputs."""
        return _nodes().call(self, grads)

    def __repr__(self) -> str:
        return f"<{self.rule.name} backward>"

    def unpack(self) -> tuple[Any, ...]:
        """The saved tensors, after checking that nobody has written into them since.

        Raises:
            RuntimeError: one was modified in place, or the graph was freed.
        """
        if self.freed:
            raise GraphError(
                "trying to go backward through the graph a second time: the values it saved were freed after "
                "the first pass. Call backward(retain_graph=True) the first time if you need this."
            )
        if self.extra is not None and self.extra.packed:
            return self.extra.packed.unpack(self)  # type: ignore[no-any-return]
        for t, version in zip(self.saved, self.versions, strict=False):  # no versions: no tensors
            if isinstance(t, TensorCore) and t._view.buffer.version != version != UNREAD:
                raise GraphError(
                    "one of the variables needed for gradient computation has been modified by an inplace "
                    f"operation: a tensor of shape {t._view.shape} saved by {self.rule.name!r} is at version "
                    f"{t._view.buffer.version}; expected version {version}. Use the out-of-place operation, "
                    "or clone() the tensor before changing it."
                )
        return self.saved


def _versions(saved: tuple[Any, ...]) -> tuple[int, ...]:
    versions = []
    some = False
    for t in saved:
        if isinstance(t, TensorCore):
            versions.append(t._view.buffer.version)
            some = True
        else:
            versions.append(0)
    return tuple(versions) if some else ()


class GraphError(GenesisError, RuntimeError):
    """The graph cannot be walked: freed, changed underneath, or asked for what it does not have."""


def _nodes() -> Any:
    """What few programs use of nodes; imported then."""
    from genesis.autograd import nodes

    return nodes


class Bundle:
    """The gradients of a node with several outputs, by the number of the output."""

    __slots__ = ("grads",)

    def __init__(self, grads: dict[int, Any]) -> None:
        self.grads = grads


class _Part:
    """One output of a node with several: its gradient becomes a part of that node's bundle."""

    name = "part"

    def backward(self, node: Node, grad: Tensor) -> tuple[Any]:
        return (Bundle({node.options: grad}),)


PART = _Part()

_make: Any = object.__new__
_class: list[type[Any]] = []
#: the classes of tensors that are known to behave as ``Tensor`` does; a subclass of the user's may not
PLAIN: set[type[Any]] = set()


def register_tensor_class(cls: type[Any]) -> None:
    """Called once by ``genesis._tensor``: the class of the tensors that operations return."""
    _class[:] = [cls]
    PLAIN.add(cls)


def new(view: View) -> Tensor:
    """A tensor over a view, outside any graph."""
    t: Tensor = _make(_class[0])
    t._view = view
    if watch.inference and state.inference:
        t._inference = True
    return t


def tracked(t: Any) -> bool:
    """True when gradients flow into ``t``; brings a view's node up to date with its base."""
    if t._base is not None and t._base._node is not t._base_node:
        _refresh(t)
    found: bool = t._tracked
    return found


def edge(t: Any) -> Any:
    """Where a gradient of ``t`` goes: its node, itself if it is a leaf, or None."""
    if not isinstance(t, TensorCore) or not tracked(t):
        return None
    return t if t._node is None else t._node


def edges_of(inputs: Sequence[Any]) -> tuple[Any, ...] | None:
    """The edge of each input, or None when an operation on them need not be recorded."""
    for t in inputs:
        if isinstance(t, TensorCore) and (t._tracked or t._base is not None):
            break
    else:
        return None
    if not state.enabled:
        return None
    wanted = False
    edges: list[Any] = []
    for t in inputs:
        e = None
        if isinstance(t, TensorCore) and (t._tracked or t._base is not None) and tracked(t):
            e = t if t._node is None else t._node
            wanted = True
        edges.append(e)
    return tuple(edges) if wanted else None


def replay(view: View, steps: Sequence[tuple[str, tuple[Any, ...]]]) -> View:
    """Take the same steps of view algebra from another view of the same shape."""
    for method, arguments in steps:
        result = getattr(view, method)(*arguments)
        if result is None:
            raise GraphError(f"a view cannot be repeated on its base: {method}{arguments} needs a copy")
        view = result
    return view


def _refresh(t: Any) -> None:
    """An in-place operation changed the base's history: derive the view's from it again."""
    base = t._base
    t._base_node = base._node
    if base._node is None:
        return
    t._node = Node(_from_base, (base._node,), (), (base._view.shape, t._steps))
    t._tracked = True


class _FromBase:
    """A view as a function of its base, for views whose base was written to."""

    name = "as_view"

    def backward(self, node: Node, grad: Tensor) -> tuple[Tensor]:
        from genesis.ops._view import embed_view

        return (embed_view(grad, *node.options),)


_from_base = _FromBase()


def rebase(t: Any, node: Node) -> None:
    """Note that ``t`` was overwritten with the value that ``node`` stands for.

    The caller has checked with ``check_writable`` before it wrote, and has counted the buffer's version.
    """
    base = t._base
    if t._retains and t._node is not None:
        _nodes().forget(t)
    if base is None:
        t._node, t._tracked = node, True
        if t._retains:  # the gradient to keep is that of the new value
            _nodes().retain(t)
        return
    before = edge(base)
    base._node = Node(_write_view, (before, node), (), t._steps)
    base._tracked = True
    t._base_node = None
    _refresh(t)
    if t._retains:
        _nodes().retain(t)


class _WriteView:
    """A base after one of its views was overwritten: base' = base with steps(base) replaced by the value."""

    name = "write_view"

    def backward(self, node: Node, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        from genesis.ops._view import clear_view, take_part

        needs_base, needs_value = node.needs
        return (
            clear_view(grad, node.options) if needs_base else None,
            take_part(grad, node.options) if needs_value else None,
        )


_write_view = _WriteView()


def check_writable(t: Any) -> None:
    """Refuse to overwrite what cannot be: a repeated element, or a leaf whose gradient is wanted.

    Raises:
        RuntimeError: several elements of ``t`` share memory, or ``t`` is such a leaf or a view of one while
            operations are recorded.
    """
    view = t._view
    if not view.contiguous and any(s == 0 and n > 1 for s, n in zip(view.strides, view.shape, strict=True)):
        raise GraphError(
            f"an in-place operation on a tensor of shape {view.shape} that repeats its elements (strides "
            f"{view.strides}): several of them share memory; clone() it first"
        )
    if not state.enabled:
        return
    if t._fixed and t._tracked:
        raise GraphError(t._fixed)
    root = t if t._base is None else t._base
    if root is not t and root._tracked and not t._tracked:
        _refresh(t)  # a view taken under no_grad: from now on its history matters
    if root._tracked and root._node is None:
        what = "a leaf tensor" if root is t else "a view of a leaf tensor"
        raise GraphError(
            f"{what} that requires grad is being used in an in-place operation; "
            "do it under genesis.no_grad(), or on a clone()"
        )


if not TYPE_CHECKING:  # what PyTorch has in a module of this name
    __getattr__ = attach(
        __name__,
        {
            "GradientEdge": "genesis.autograd.nodes:GradientEdge",
            "RemovableHandle": "genesis._tensor:RemovableHandle",
            "disable_saved_tensors_hooks": "genesis.autograd.saved:disable_saved_tensors_hooks",
            "get_gradient_edge": "genesis.autograd.nodes:get_gradient_edge",
            "register_multi_grad_hook": "genesis.autograd.nodes:register_multi_grad_hook",
            "save_on_cpu": "genesis.autograd.saved:save_on_cpu",
            "saved_tensors_hooks": "genesis.autograd.saved:saved_tensors_hooks",
        },
    )[0]
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
