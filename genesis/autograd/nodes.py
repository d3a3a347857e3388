"""What few programs use of the nodes of a graph: names, neighbours, hooks, notes."""

from __future__ import annotations

import re
import weakref
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from genesis.autograd import anomaly
from genesis.autograd.grad_mode import state
from genesis.autograd.graph import PART, Bundle, GraphError, Node, TensorCore, edge, tracked

#: the key of the hook of ``retain_grad`` among those of a tensor: it is called last
RETAIN = -1


class Extra:
    """What only few nodes have.

    Attributes:
        metadata: notes of the user's.
        pre, post: hooks of the node (those of its tensor are ``node.hooks``).
        packed: the saved tensors as ``saved_tensors_hooks`` packed them.
        trace: where the operation was called, in anomaly mode.
        context: of an ``autograd.Function``.
    """

    __slots__ = ("context", "metadata", "packed", "post", "pre", "trace")

    def __init__(self) -> None:
        self.metadata: dict[Any, Any] = {}
        self.pre: dict[int, Callable[..., Any]] = {}
        self.post: dict[int, Callable[..., Any]] = {}
        self.packed: Any = None
        self.trace = ""
        self.context: Any = None


def extra_of(node: Node) -> Extra:
    """The extra part of a node, made if it has none yet."""
    if node.extra is None:
        node.extra = Extra()
    return node.extra  # type: ignore[no-any-return]


def watched(node: Node) -> None:
    """A node was made while somebody watches: pack what it saves, or note where it was made."""
    if anomaly.mode.enabled:
        extra_of(node).trace = anomaly.here()
    if state.saved_hooks and node.versions:
        from genesis.autograd.saved import Packed

        extra_of(node).packed = Packed(node, *state.saved_hooks[-1])


def name_of(node: Node) -> str:
    """As PyTorch would write it: ``MulBackward0``, or ``MineBackward`` for a Function of the user's."""
    if node.rule is PART:
        return name_of(node.edges[0])
    if node.extra is not None and node.extra.context is not None:
        return node.rule.name
    words = re.split(r"[^0-9a-zA-Z]", node.rule.name)
    return "".join(w[:1].upper() + w[1:] for w in words) + "Backward0"


def shown(node: Node | None) -> Any:
    """What ``grad_fn`` is for a node: the context of a Function of the user's, else the node."""
    if node is None:
        return None
    if node.rule is PART:
        node = node.edges[0]
    context = None if node.extra is None else node.extra.context
    return node if context is None else context


class AccumulateGrad:
    """Where gradients end: stands for a leaf among the ``next_functions`` of a node."""

    next_functions: tuple[Any, ...] = ()

    def __init__(self, variable: Any) -> None:
        self.variable = variable

    def name(self) -> str:
        """The name that PyTorch has for it."""
        return "torch::autograd::AccumulateGrad"

    @property
    def metadata(self) -> dict[Any, Any]:
        """A dictionary for notes of the user's."""
        return self.variable.__dict__.setdefault("_notes", {})  # type: ignore[no-any-return]

    def register_hook(self, hook: Callable[..., Any]) -> Any:
        """Call ``hook((), (grad,))`` when a gradient has been added to ``.grad``."""
        return self.variable.register_post_accumulate_grad_hook(lambda t: hook((), (t.grad,)) and None)

    def register_prehook(self, hook: Callable[..., Any]) -> Any:
        """Call ``hook((grad,))`` before; a tuple that it returns replaces the gradient."""

        def first(grad: Any) -> Any:
            changed = hook((grad,))
            return changed[0] if isinstance(changed, tuple) else changed

        return self.variable.register_hook(first)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccumulateGrad) and other.variable is self.variable

    def __hash__(self) -> int:
        return id(self.variable)

    def __repr__(self) -> str:
        return "<AccumulateGrad>"


def next_functions(node: Node) -> tuple[tuple[Any, int], ...]:
    """The inputs' nodes, each with the number of its output."""
    found: list[tuple[Any, int]] = []
    context = None if node.extra is None else node.extra.context
    for i, e in enumerate(node.edges):
        if context is not None and context._inputs[i] is None:
            continue  # an argument that is no tensor
        if e is None:
            found.append((None, 0))
        elif isinstance(e, Node):
            found.append((shown(e), e.options if e.rule is PART else 0))
        else:
            found.append((AccumulateGrad(e), 0))
    return tuple(found)


# -- hooks -------------------------------------------------------------------------------------------------
def register(node: Node, kind: str, hook: Callable[..., Any]) -> Any:
    """Add a hook to a node; ``kind`` is ``"pre"`` or ``"post"``."""
    from genesis._tensor import RemovableHandle

    return RemovableHandle(getattr(extra_of(node), kind), hook)


def results(node: Node, grad: Any) -> Sequence[Any]:
    """The gradients of a node's inputs, with its own hooks and the check of anomaly mode."""
    extra = node.extra
    if extra is not None:
        for hook in list(extra.pre.values()):
            changed = hook(_listed(grad))
            if changed is not None:
                grad = _like(grad, changed)
    if anomaly.mode.enabled:
        try:
            found = node.rule.backward(node, grad)
        except Exception:
            anomaly.tell(node)
            raise
        anomaly.check(node, found)
    else:
        found = node.rule.backward(node, grad)
    if extra is not None:
        for hook in list(extra.post.values()):
            changed = hook(tuple(found), _listed(grad))
            if changed is not None:
                found = changed if isinstance(changed, tuple | list) else (changed,)
                if len(found) != len(node.edges):
                    raise GraphError(
                        f"a hook of {name_of(node)} returned {len(found)} gradients, expected "
                        f"{len(node.edges)}"
                    )
    for g in found:
        if isinstance(g, TensorCore):
            g._fresh = False  # a hook or a rule of the user's may have kept it
    return found


def _listed(grad: Any) -> tuple[Any, ...]:
    if type(grad) is not Bundle:
        return (grad,)
    return tuple([grad.grads.get(i) for i in range(max(grad.grads) + 1)])


def _like(grad: Any, changed: Any) -> Any:
    values = changed if isinstance(changed, tuple | list) else (changed,)
    if type(grad) is not Bundle:
        return values[0]
    return Bundle({i: g for i, g in enumerate(values) if g is not None})


def call(node: Node, grads: tuple[Any, ...]) -> Any:
    """Run one node by itself."""
    many = node.extra is not None and node.extra.context is not None and len(grads) > 1
    found = results(node, Bundle(dict(enumerate(grads))) if many else grads[0])
    return found[0] if len(found) == 1 else tuple(found)


def retain(t: Any) -> None:
    """Keep the gradient of an intermediate result in its ``.grad``, when all its hooks have seen it."""
    t._retains = True
    node = t._node
    node.hooks = node.hooks or {}
    tensor = weakref.ref(t)

    def keep(grad: Any) -> None:
        found = tensor()
        if found is not None:
            found.grad = grad if found.grad is None else found.grad + grad

    node.hooks[RETAIN] = keep


def forget(t: Any) -> None:
    """The value whose gradient was to be kept is overwritten."""
    if t._node.hooks:
        t._node.hooks.pop(RETAIN, None)


class GradientEdge(NamedTuple):
    """What a gradient goes to: an output of a node. ``autograd.grad`` takes it in place of a tensor."""

    node: Any
    output_nr: int
    ownership_token: Any = None


def get_gradient_edge(tensor: Any) -> GradientEdge:
    """The edge that a gradient of ``tensor`` goes to."""
    if edge(tensor) is None:
        raise GraphError("it is not possible to get the gradient edge of a tensor that requires no gradient")
    if tensor._node is None:
        return GradientEdge(AccumulateGrad(tensor), 0, tensor)
    return GradientEdge(tensor.grad_fn, tensor.output_nr, tensor._node)


class _MultiHandle:
    def __init__(self, handles: Sequence[Any]) -> None:
        self.handles = tuple(handles)

    def remove(self) -> None:
        """Take the hooks away."""
        for handle in self.handles:
            handle.remove()

    def __enter__(self) -> _MultiHandle:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


def register_multi_grad_hook(
    tensors: Sequence[Any], fn: Callable[..., Any], *, mode: str = "all"
) -> _MultiHandle:
    """Call ``fn`` once in each backward pass with the gradients of several tensors.

    Args:
        tensors: those that require no gradient count as having None.
        fn: with ``mode="all"`` it gets the list of gradients when all that are computed in the pass are
            there, None for the others; with ``"any"`` the first gradient.
        mode: ``"all"`` or ``"any"``.

    Returns:
        A handle with ``remove()``.
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    wanted = [i for i, t in enumerate(tensors) if isinstance(t, TensorCore) and tracked(t)]
    if mode == "any" and len(wanted) < len(tensors):
        raise RuntimeError("with mode='any' every tensor has to require a gradient")
    seen: dict[Any, list[Any]] = {}  # of each pass: the gradients that have arrived

    def watcher(place: int) -> Callable[[Any], None]:
        def arrived(grad: Any) -> None:
            run = state.run
            if run not in seen:
                for ended in [r for r in seen if r.ended]:
                    del seen[ended]
                seen[run] = [None] * len(tensors)
                left[run] = sum(edge(tensors[i]) in run.missing for i in wanted)
                if mode == "any":
                    fn(grad)
            seen[run][place] = grad
            left[run] -= 1
            if mode == "all" and left[run] == 0:
                fn(seen[run])

        return arrived

    left: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
    return _MultiHandle([tensors[i].register_hook(watcher(i)) for i in wanted])
