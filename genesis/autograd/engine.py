"""The backward pass: gradients flow from the roots to the leaves, each node once, latest first."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from genesis._errors import ShapeError
from genesis.autograd.grad_mode import state
from genesis.autograd.graph import GraphError, Node, TensorCore, edge

if TYPE_CHECKING:
    from genesis._tensor import Tensor

#: what a gradient is sent to: the node of an operation, or a leaf tensor
Edge = Any


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
    targets = [] if inputs is None else [edge(t) for t in inputs]
    wanted = {e for e in targets if e is not None}
    starts = [edge(t) for t in roots]
    missing = _dependencies([e for e in starts if e is not None], wanted if inputs is not None else None)
    for e in starts:
        if e in missing:
            missing[e] += 1
    totals: dict[Edge, Any] = {}
    found: dict[Edge, Any] = {}
    ready: list[tuple[int, Node]] = []  # a heap: the latest node first

    before, state.enabled = state.enabled, create_graph
    try:
        edges: Sequence[Edge | None] = starts
        results: Sequence[Any] = grads
        while True:
            for e, grad in zip(edges, results, strict=True):
                left = missing.get(e)
                if left is None or e is None:
                    continue  # nobody wants this gradient
                if grad is not None:
                    have = totals.get(e)
                    totals[e] = grad if have is None else _add(have, grad, create_graph)
                missing[e] = left - 1
                if left > 1:
                    continue
                if type(e) is Node:
                    heappush(ready, (-e.seq, e))
                elif (total := totals.pop(e, None)) is not None:
                    store = accumulate and (inputs is None or e in wanted)
                    found[e] = _leaf(e, total, store, create_graph)
            if not ready:
                break
            node = heappop(ready)[1]
            edges, results = node.edges, (None,) * len(node.edges)
            grad = totals.pop(node, None)
            if grad is not None:
                if node.hooks:
                    grad = _call_hooks(node.hooks, grad)
                if node in wanted:
                    found[node] = grad
                if inputs is None or any(e in missing for e in edges):
                    results = _results(node, grad)
            if not retain_graph:
                node.free()
    finally:
        state.enabled = before
    return [None if e is None else found.get(e) for e in targets]


def _results(node: Node, grad: Any) -> Sequence[Any]:
    """The gradients of a node's inputs, each marked as fresh when its memory is nobody else's."""
    results = node.rule.backward(node, grad)
    buffers = [grad._view.buffer]
    for g in results:
        if g is not None:
            buffer = g._view.buffer
            g._fresh = g._base is None and buffer not in buffers and g._view.contiguous
            buffers.append(buffer)
    return results


def _dependencies(starts: list[Edge], wanted: set[Edge] | None) -> dict[Edge, int]:
    """How many gradients each edge gets from nodes; with ``wanted``, only edges that lead to one of these."""
    missing: dict[Edge, int] = dict.fromkeys(starts, 0)
    stack = list(missing)
    while stack:
        e = stack.pop()
        if type(e) is Node:
            for n in e.edges:
                if n is None:
                    continue
                if n in missing:
                    missing[n] += 1
                else:
                    missing[n] = 1
                    stack.append(n)
    if wanted is None:
        return missing
    # inputs have smaller sequence numbers than their users: leaves first, then nodes in order of creation
    useful: dict[Edge, int] = {}
    for e in sorted(missing, key=lambda e: e.seq if type(e) is Node else 0):
        leads = [n for n in e.edges if n in useful] if type(e) is Node else []
        if leads or e in wanted:
            useful[e] = 0
            for n in leads:
                useful[n] += 1
    return useful


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
    grad._fresh = False  # a hook may have kept it
    return grad


def _leaf(t: Any, grad: Any, accumulate: bool, create_graph: bool) -> Any:
    """The gradient of a leaf has arrived: call its hooks and add it to ``.grad``."""
    if t._hooks:
        grad = _call_hooks(t._hooks, grad)
    if not accumulate:
        return grad
    if grad._view.shape != t._view.shape:
        raise ShapeError(
            f"a gradient of shape {grad._view.shape} reached a leaf of shape {t._view.shape}; "
            "the backward rule or a hook that gave it is wrong"
        )
    if t.grad is None:
        # what is not fresh may be a view of something else, or the same tensor that another leaf gets
        t.grad = grad if grad._fresh and not create_graph else grad.clone()
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
            "element 0 of tensors does not require grad and does not have a grad_fn: nothing that led to "
            "this tensor has requires_grad=True, or it was made under no_grad"
        )
    view = root._view
    if grad is None:
        if view.size != 1:
            raise GraphError(
                "grad can be implicitly created only for scalar outputs, but this tensor has shape "
                f"{view.shape}; reduce it with .sum() or .mean(), or pass backward(gradient=...)"
            )
        return root._ones_like()  # type: ignore[attr-defined]
    if not isinstance(grad, TensorCore):
        raise TypeError(f"gradients must be tensors or None, got {type(grad).__name__}")
    if grad._view.shape != view.shape:
        raise GraphError(
            f"gradient has shape {grad._view.shape}, the tensor has shape {view.shape}; they must agree"
        )
    return grad.to(view.buffer.device, view.dtype)  # type: ignore[attr-defined]


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
    only: list[Any] | None = None
    if inputs is not None:
        only = [inputs] if isinstance(inputs, TensorCore) else list(inputs)
        if not only:
            raise GraphError("the inputs argument of backward() cannot be empty")
        for t in only:
            if edge(t) is None:
                raise GraphError("one of the inputs does not require grad")
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
    wanted: list[Any] = [inputs] if isinstance(inputs, TensorCore) else list(inputs)
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
