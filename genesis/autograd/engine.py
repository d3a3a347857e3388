"""The backward pass: gradients flow from the roots to the leaves, each node once, latest first."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genesis.autograd.grad_mode import set_grad_enabled, state
from genesis.autograd.graph import GraphError, Node, TensorCore, edge

if TYPE_CHECKING:
    from genesis._tensor import Tensor


def run_backward(
    roots: Sequence[Tensor],
    grads: Sequence[Tensor],
    retain_graph: bool,
    create_graph: bool,
    inputs: Sequence[Tensor] | None = None,
    accumulate: bool = True,
) -> list[Tensor | None]:
    """Send ``grads`` from ``roots`` through the graph.

    Args:
        roots, grads: the outputs and the gradient of each.
        retain_graph: keep what the nodes saved, for another pass.
        create_graph: record the backward pass itself, so that it can be differentiated.
        inputs: stop at these tensors and return their gradients.
        accumulate: add the gradients of leaves to ``.grad`` (those in ``inputs`` only, if given).

    Returns:
        One gradient for each of ``inputs``, None where there is none.
    """
    targets = [edge(t) for t in inputs or ()]
    wanted = {id(e) for e in targets if e is not None}
    starts = [edge(t) for t in roots]
    degree = _dependencies([e for e in starts if e is not None], wanted if inputs is not None else None)
    pending: dict[int, Any] = {}
    found: dict[int, Any] = {}
    ready: list[tuple[int, Node]] = []

    def deliver(e: Any, grad: Any) -> None:
        """Give an edge its gradient; once it has all of them, it is ready."""
        key = id(e)
        have = pending.get(key)
        if grad is not None:
            pending[key] = grad if have is None else _add(have, grad, create_graph)
        degree[key] -= 1
        if degree[key]:
            return
        if type(e) is Node:
            heapq.heappush(ready, (-e.seq, e))
        else:
            total = pending.pop(key, None)
            if total is not None:
                total = _leaf(e, total, accumulate and (inputs is None or key in wanted), create_graph)
                if key in wanted:
                    found[key] = total

    before = state.enabled
    state.enabled = create_graph
    try:
        for e in starts:
            if e is not None and id(e) in degree:
                degree[id(e)] += 1
        for e, g in zip(starts, grads, strict=True):
            if e is not None and id(e) in degree:
                deliver(e, g)
        while ready:
            node = heapq.heappop(ready)[1]
            grad = pending.pop(id(node), None)
            if grad is not None and node.hooks:
                grad = _call_hooks(node.hooks, grad)
            if id(node) in wanted:
                found[id(node)] = grad
            results: Sequence[Any] = (None,) * len(node.edges)
            if grad is not None and any(e is not None and id(e) in degree for e in node.edges):
                results = node.rule.backward(node, grad)
                for g in results:
                    if g is not None:
                        # not the incoming gradient, not a view, not given to two inputs
                        g._fresh = g is not grad and g._base is None and sum(r is g for r in results) == 1
            if not retain_graph:
                node.saved, node.freed = (), bool(node.versions)
            for e, g in zip(node.edges, results, strict=True):
                if e is not None and id(e) in degree:
                    deliver(e, g)
    finally:
        state.enabled = before
    return [None if e is None else found.get(id(e)) for e in targets]


def _dependencies(starts: list[Any], wanted: set[int] | None) -> dict[int, int]:
    """How many gradients each edge will get; with ``wanted``, only edges that lead to one of these."""
    degree: dict[int, int] = {}
    order: list[Any] = []
    seen: set[int] = set()
    stack = list(starts)
    while stack:
        e = stack.pop()
        if id(e) in seen:
            continue
        seen.add(id(e))
        order.append(e)
        if type(e) is Node:
            stack.extend(n for n in e.edges if n is not None and id(n) not in seen)
    if wanted is None:
        useful = seen
    else:
        useful = set()
        # inputs have smaller sequence numbers than their users: leaves first, then nodes in order of creation
        for e in sorted(order, key=lambda e: e.seq if type(e) is Node else 0):
            edges = e.edges if type(e) is Node else ()
            if id(e) in wanted or any(n is not None and id(n) in useful for n in edges):
                useful.add(id(e))
    for e in order:
        if id(e) in useful:
            degree.setdefault(id(e), 0)
            for n in e.edges if type(e) is Node else ():
                if n is not None and id(n) in useful:
                    degree[id(n)] = degree.get(id(n), 0) + 1
    return degree


def _add(have: Any, grad: Any, create_graph: bool) -> Any:
    if have._fresh and not create_graph:
        have._accumulate(grad)
        return have
    total = have + grad
    total._fresh = True
    return total


def _call_hooks(hooks: dict[int, Any], grad: Any) -> Any:
    for hook in list(hooks.values()):
        result = hook(grad)
        if result is not None:
            grad = result
    return grad


def _leaf(t: Any, grad: Any, accumulate: bool, create_graph: bool) -> Any:
    if t._hooks:
        grad = _call_hooks(t._hooks, grad)
    if not accumulate:
        return grad
    if t.grad is None:
        # otherwise it may be a view of something else, or the same tensor that another leaf gets
        own = create_graph or (grad._fresh and grad._view.contiguous)
        t.grad = grad if own else grad.clone()
        grad._fresh = False
    elif create_graph:
        t.grad = t.grad + grad
    else:
        t.grad._accumulate(grad)
    if t._after_hooks:
        for hook in list(t._after_hooks.values()):
            hook(t)
    return grad


def _seed(root: Any, grad: Any) -> Any:
    """The gradient to start with: 1 for a scalar."""
    if not isinstance(root, TensorCore):
        raise TypeError(f"expected a tensor to start backward from, got {type(root).__name__}")
    if edge(root) is None:
        raise GraphError(
            "element 0 of tensors does not require grad and does not have a grad_fn: nothing that led to this "
            "tensor has requires_grad=True (or it was made under no_grad)"
        )
    view = root._view
    if grad is None:
        if view.size != 1:
            raise GraphError(
                f"grad can be implicitly created only for scalar outputs, but this tensor has shape {view.shape}; "
                "reduce it with .sum() or .mean(), or pass backward(gradient=...)"
            )
        return root._ones_like()
    if not isinstance(grad, TensorCore):
        raise TypeError(f"gradients must be tensors or None, got {type(grad).__name__}")
    if grad._view.shape != view.shape:
        raise GraphError(
            f"gradient has shape {grad._view.shape}, the tensor has shape {view.shape}; they must agree"
        )
    return grad


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Accumulate the gradients of ``tensors`` into the leaves that led to them.

    Args:
        tensors: a tensor or a sequence of them; scalars unless ``grad_tensors`` are given.
        grad_tensors: the gradient with respect to each, of the same shape.
        retain_graph: keep the graph for another pass (default: the value of ``create_graph``).
        create_graph: record this pass, for higher derivatives.
        inputs: accumulate into these leaves only.

    Raises:
        RuntimeError: a tensor has no graph, or is not a scalar and has no gradient.
    """
    roots, seeds = _pairs(tensors, grad_tensors)
    only = None if inputs is None else [inputs] if isinstance(inputs, TensorCore) else list(inputs)
    keep = create_graph if retain_graph is None else retain_graph
    run_backward(roots, seeds, keep, create_graph, only, accumulate=True)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Any, ...]:
    """Return the gradients of ``outputs`` with respect to ``inputs``, without touching ``.grad``.

    Args:
        outputs, grad_outputs: as in ``backward``.
        inputs: a tensor or a sequence of them, leaves or not.
        retain_graph, create_graph: as in ``backward``.
        allow_unused: give None for an input that the outputs do not depend on, instead of an error.

    Raises:
        RuntimeError: an input does not require a gradient, or is not part of the graph.
    """
    roots, seeds = _pairs(outputs, grad_outputs)
    wanted = [inputs] if isinstance(inputs, TensorCore) else list(inputs)
    for t in wanted:
        if edge(t) is None:
            raise GraphError("one of the inputs does not require grad")
    keep = create_graph if retain_graph is None else retain_graph
    result = run_backward(roots, seeds, keep, create_graph, wanted, accumulate=False)
    if not allow_unused and any(g is None for g in result):
        raise GraphError(
            "one of the inputs was not used in the graph; pass allow_unused=True to get None for it instead"
        )
    return tuple(result)


def _pairs(tensors: Any, grads: Any) -> tuple[list[Any], list[Any]]:
    roots = [tensors] if isinstance(tensors, TensorCore) else list(tensors)
    if grads is None:
        grads = [None] * len(roots)
    elif isinstance(grads, TensorCore):
        grads = [grads]
    if len(grads) != len(roots):
        raise GraphError(f"got {len(roots)} tensors and {len(grads)} gradients")
    return roots, [_seed(t, g) for t, g in zip(roots, grads, strict=True)]


__all__ = ["backward", "grad", "run_backward", "set_grad_enabled"]
