"""The backward pass: gradients flow from the roots to the leaves, each node once, latest first."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from genesis._errors import ShapeError
from genesis.autograd.grad_mode import state, watch
from genesis.autograd.graph import PART, Bundle, GraphError, Node, TensorCore, edge, new

if TYPE_CHECKING:
    from genesis._tensor import Tensor

#: what a gradient is sent to: the node of an operation, or a leaf tensor
Edge = Any


class Run:
    """A backward pass: how many gradients each edge still gets, whether it is for all leaves, and over.

    Attributes:
        outer: the pass that this one is part of, where a backward rule began another.
        after: what is called at its end.
    """

    __slots__ = ("__weakref__", "after", "ended", "missing", "outer", "whole")

    def __init__(self, missing: dict[Edge, int], whole: bool, outer: Run | None) -> None:
        self.missing, self.whole, self.ended = missing, whole, False
        self.outer = outer
        self.after: list[Callable[[], None]] = []


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
    targets = [] if inputs is None else [_target(t) for t in inputs]
    wanted = {e for e in targets if e is not None}
    starts = [_target(t) for t in roots]
    missing = _dependencies([e for e in starts if e is not None], wanted if inputs is not None else None)
    for e in starts:
        if e in missing:
            missing[e] += 1
    totals: dict[Edge, Any] = {}
    found: dict[Edge, Any] = {}
    ready: list[tuple[int, Node]] = []  # a heap: the latest node first

    before, outer = state.enabled, state.run
    run = Run(missing, inputs is None, outer)
    try:  # an interrupt from here on finds the state as it was
        state.enabled, state.run = create_graph and not state.inference, run
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
                    grad._fresh = False
                useful = inputs is None or any(e in missing for e in edges)
                if useful:
                    total = None if create_graph else totals.get(edges[0])
                    results = _results(node, grad) if total is None else _onto(node, grad, total, totals)
            if not retain_graph and node.versions:
                node.free()
    finally:
        run.ended = True
        state.enabled, state.run = before, outer
    for function in run.after:
        function()
    return [None if e is None else found.get(e) for e in targets]


def _target(t: Any) -> Edge:
    """Where the gradient of a tensor, or of a ``GradientEdge``, goes."""
    if not _is_edge(t):
        return edge(t)
    return t.ownership_token if isinstance(t.ownership_token, Node | TensorCore) else t.node


def _results(node: Node, grad: Any) -> Sequence[Any]:
    """The gradients of a node's inputs, each marked."""
    if node.extra is not None or watch.nodes:
        from genesis.autograd import nodes

        return nodes.results(node, grad)
    results = node.rule.backward(node, grad)
    return results if node.rule is PART else _marked(grad, results)


def _marked(grad: Any, results: Sequence[Any]) -> Sequence[Any]:
    """The results of a node, each marked as fresh when its memory is nobody else's."""
    taken = None if type(grad) is Bundle else grad._view.buffer
    if len(results) == 1:
        g = results[0]
        if g is None:
            return results
        view = g._view
        if view.buffer is not taken:
            g._fresh = g._base is None and (view._contiguous or view.contiguous)
        elif grad._fresh and not state.enabled:  # the same memory, and nobody else's
            g = new(view)
            g._fresh = view.contiguous
            return (g,)
        else:
            g._fresh = False
        return results
    buffers = [taken]
    for g in results:
        if g is not None:
            view = g._view
            buffer = view.buffer
            g._fresh = g._base is None and buffer not in buffers and (view._contiguous or view.contiguous)
            buffers.append(buffer)
    return results


def _onto(node: Node, grad: Any, total: Any, totals: dict[Edge, Any]) -> Sequence[Any]:
    """The gradients of a node's inputs, of which the first has ``total`` from elsewhere.

    Where the rule can, that is part of what it gives: added in place if nothing else refers to it (of an
    operation that takes a part of its input), or by the kernel itself.
    """
    if type(total) is not Bundle and node.extra is None and not watch.nodes:
        rule = node.rule
        add = getattr(rule, "add", None)
        if add is not None and total._fresh and add(node, grad, total):
            return (None,) * len(node.edges)
        onto = getattr(rule, "onto", None)
        if onto is not None and (results := onto(node, grad, total)) is not None:
            del totals[node.edges[0]]
            return _marked(grad, results)
    return _results(node, grad)


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
    if type(have) is Bundle:
        for i, g in grad.grads.items():
            have.grads[i] = g if i not in have.grads else _add(have.grads[i], g, create_graph)
        return have
    if have._fresh and not create_graph:
        have._accumulate(grad)
        return have
    total = have + grad
    total._fresh = True
    return total


def _call_hooks(hooks: dict[int, Any], grad: Any) -> Any:
    for key, hook in list(hooks.items()):
        if key >= 0:
            result = hook(grad)
            if result is not None:
                grad = _replaced(grad, result)
    if -1 in hooks:  # that of retain_grad, which sees what the others made of it
        hooks[-1](grad)
    grad._fresh = False  # a hook may have kept it
    return grad


def _replaced(grad: Any, result: Any) -> Any:
    """What a hook returned instead of a gradient.

    Raises:
        TypeError: it is no tensor.
    """
    if not isinstance(result, TensorCore):
        raise TypeError(f"a hook on a gradient returns a tensor or None, got {type(result).__name__}")
    return result


def _leaf(t: Any, grad: Any, accumulate: bool, create_graph: bool) -> Any:
    """The gradient of a leaf has arrived: call its hooks and add it to ``.grad``."""
    if t._hooks:
        grad = _call_hooks(t._hooks, grad)
    if not accumulate:
        return grad
    given, wanted = grad._view, t._view
    if given.shape != wanted.shape:
        raise ShapeError(
            f"a gradient of shape {given.shape} reached a leaf of shape {wanted.shape}; "
            "the backward rule or a hook that gave it is wrong"
        )
    have = t._grad
    if have is None:
        # what is not fresh may be a view of something else, or the same tensor that another leaf gets
        own = grad if grad._fresh and not create_graph else grad.clone()
        if given.dtype is wanted.dtype and given.buffer.device is wanted.buffer.device:
            t._grad = own
        else:
            t.grad = own  # which says what is wrong
        grad._fresh = False
    elif create_graph:
        t.grad = have + grad
    else:
        have._accumulate(grad)
    if t._after_hooks:
        for hook in list(t._after_hooks.values()):
            hook(t)
    return grad


def _seed(root: Any, grad: Any) -> Any:
    """The gradient to start with: 1 for a scalar."""
    if _is_edge(root):
        if grad is None:
            raise GraphError("a gradient edge as a root needs its gradient in grad_outputs")
        return grad
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
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Accumulate the gradients of ``tensors`` into the leaves that led to them.

    Args:
        tensors: a tensor or a sequence of them; scalars unless ``grad_tensors`` are given.
        grad_tensors: the gradient with respect to each, of the same shape.
        retain_graph: keep the graph for another pass (default: the value of ``create_graph``).
        create_graph: record this pass, for higher derivatives.
        grad_variables: the old name of ``grad_tensors``.
        inputs: accumulate into these tensors only, leaves or not.

    Raises:
        RuntimeError: a tensor has no graph, or is not a scalar and has no gradient.
    """
    if grad_variables is not None:
        warnings.warn("grad_variables is deprecated; use grad_tensors", FutureWarning, stacklevel=2)
        if grad_tensors is not None:
            raise GraphError("grad_tensors and grad_variables are the same; give only grad_tensors")
        grad_tensors = grad_variables
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
    found = run_backward(roots, seeds, keep, create_graph, only, accumulate=True)
    for t, g in zip(only or (), found, strict=False):
        if g is not None and t._node is not None and not t._retains:
            t.grad = g.clone() if t.grad is None else t.grad + g  # an intermediate result that was asked for


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> Any:
    """Return the gradients of ``outputs`` with respect to ``inputs``, without touching ``.grad``.

    Args:
        outputs, grad_outputs: as in ``backward``.
        inputs: a tensor, a sequence of them or a dict of them, leaves or not.
        retain_graph, create_graph: as in ``backward``.
        only_inputs: PyTorch's; other leaves never get a gradient here.
        allow_unused: give None for an input that the outputs do not depend on, instead of an error.
        is_grads_batched: the first axis of each of ``grad_outputs`` counts gradients; so does that of the
            results. There is one pass for each.
        materialize_grads: give zeros instead of None; ``allow_unused`` is then True.

    Returns:
        A gradient for each of ``inputs``: a tuple, or a dict with the same keys.

    Raises:
        RuntimeError: an input does not require a gradient, or is not part of the graph.
        ValueError: ``materialize_grads=True`` with ``allow_unused=False``.
    """
    if not only_inputs:
        warnings.warn("only_inputs=False is ignored: use backward() to accumulate gradients", stacklevel=2)
    if isinstance(inputs, dict):
        options = (grad_outputs, retain_graph, create_graph, True, allow_unused, is_grads_batched)
        values = grad(outputs, list(inputs.values()), *options, materialize_grads)
        return dict(zip(inputs, values, strict=True))
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: "
            "allow_unused=False."
        )
    wanted: list[Any] = [inputs] if isinstance(inputs, TensorCore) or _is_edge(inputs) else list(inputs)
    if not wanted:
        raise GraphError("grad requires non-empty inputs")
    for t in wanted:
        if edge(t) is None and not _is_edge(t):
            raise GraphError("one of the inputs does not require grad")
    keep = create_graph if retain_graph is None else retain_graph
    if is_grads_batched:
        return _batched(outputs, wanted, grad_outputs, keep, create_graph, allow_unused, materialize_grads)
    roots, seeds = _pairs(outputs, grad_outputs)
    result = run_backward(roots, seeds, keep, create_graph, wanted, accumulate=False)
    if materialize_grads:
        result = [
            t._zeros_like() if g is None and not _is_edge(t) else g
            for g, t in zip(result, wanted, strict=True)
        ]
    elif not allow_unused and any(g is None for g in result):
        raise GraphError(
            "one of the inputs was not used in the graph; pass allow_unused=True to get None for it instead"
        )
    return tuple(result)


def _batched(
    outputs: Any, wanted: list[Any], grads: Any, keep: bool, create: bool, unused: bool | None, zeros: bool
) -> tuple[Any, ...]:
    """``grad`` for each index of the first axis of the gradients."""
    from genesis.ops.joining import stack

    seeds: list[Any] = [grads] if isinstance(grads, TensorCore) else list(grads)
    sizes = {g._view.shape[:1] for g in seeds if g is not None}
    if len(sizes) != 1 or sizes == {()}:
        raise GraphError("is_grads_batched needs grad_outputs with a first axis of one length")
    count = sizes.pop()[0]
    passes = [
        grad(
            outputs, wanted, [None if g is None else g[i] for g in seeds],
            keep or i + 1 < count, create, True, unused, False, zeros,
        )
        for i in range(count)
    ]  # fmt: skip
    return tuple([None if each[0] is None else stack(each) for each in zip(*passes, strict=True)])


def _is_edge(x: Any) -> bool:
    """True for a ``GradientEdge``."""
    return type(x).__name__ == "GradientEdge"


def _pairs(tensors: Any, grads: Any) -> tuple[list[Any], list[Any]]:
    roots = [tensors] if isinstance(tensors, TensorCore) or _is_edge(tensors) else list(tensors)
    if grads is None:
        grads = [None] * len(roots)
    elif isinstance(grads, TensorCore):
        grads = [grads]
    if len(grads) != len(roots):
        raise GraphError(f"got {len(roots)} tensors and {len(grads)} gradients")
    return roots, [_seed(t, g) for t, g in zip(roots, grads, strict=True)]
