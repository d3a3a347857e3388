"""Derivatives of functions of tensors: Jacobians, Hessians, and their products with vectors.

Every function takes ``create_graph`` (the result can be differentiated again) and ``strict`` (an output
that does not depend on an input is an error instead of zeros).  Derivatives go backward only: a product
of the Jacobian with a vector on its right is the derivative of a product with one on its left (the
double-backward trick).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from genesis._lazy import missing
from genesis.autograd.engine import grad
from genesis.autograd.grad_mode import enable_grad
from genesis.autograd.graph import GraphError, TensorCore, edge

Tensors = tuple[Any, ...]


def vjp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> Any:
    """The product of a vector with the Jacobian: ``v^T J``.

    Args:
        func: takes tensors, gives a tensor or a tuple.
        inputs: a tensor or a tuple, where the derivative is taken.
        v: as the output of ``func``; may be left out when that is a single number.
        create_graph: make it possible to differentiate the results.
        strict: refuse an input that no output depends on.

    Returns:
        The output of ``func``, and the product, which is as ``inputs``.

    Raises:
        RuntimeError: ``v`` has another shape than the output; in strict mode, what is independent.
    """
    with enable_grad():
        x, many = _fresh(inputs, "vjp", create_graph)
        y, several = _results(func(*x), "vjp", strict)
        weights = _vector(v, y, several, "vjp", create_graph)
        found = _filled(_grad(y, x, weights, create_graph), x, strict, create_graph, "Output")
        return _unpacked(_done(y, create_graph), several), _unpacked(_done(found, create_graph), many)


def jvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> Any:
    """The product of the Jacobian with a vector: ``J v``.

    Args:
        func, inputs, create_graph, strict: as in ``vjp``.
        v: as ``inputs``; may be left out when these are a single number.

    Returns:
        The output of ``func``, and the product, which is as the output.
    """
    with enable_grad():
        x, many = _fresh(inputs, "jvp", create_graph)
        direction = _vector(v, x, many, "jvp", create_graph, "input to")
        y, several = _results(func(*x), "jvp", strict)
        # v^T J is linear in v: its derivative by v, times a vector, is J times the vector
        seeds = tuple([t._zeros_like().requires_grad_() for t in y])
        back = _grad(y, x, seeds, True)
        _require(back, "grad_inputs", strict)
        back = _filled(back, x, False, True, "Output")
        found = _filled(
            _grad(back, seeds, direction, create_graph), y, strict, create_graph, "The gradient of an output"
        )
        return _unpacked(_done(y, create_graph), several), _unpacked(_done(found, create_graph), several)


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """All partial derivatives: ``J[i][j]`` has the shape of output i followed by that of input j.

    Args:
        func, inputs, create_graph, strict: as in ``vjp``.
        vectorize: accepted; there is one backward pass for each element of the output in any case.
        strategy: ``"reverse-mode"``; with ``"forward-mode"``, which PyTorch combines with ``vectorize``,
        the same
            numbers are computed backward.

    Returns:
        A tensor; a tuple over the outputs, over the inputs, or one of tuples, where there are several.
    """
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')
    if vectorize and strict:
        raise GraphError("jacobian: strict=True and vectorize=True are not supported together")
    if strategy == "forward-mode" and create_graph:
        raise NotImplementedError("jacobian: create_graph=True is for strategy='reverse-mode' only")
    with enable_grad():
        x, many = _fresh(inputs, "jacobian", create_graph)
        y, several = _results(func(*x), "jacobian", strict)
        rows = [_rows(i, out, x, create_graph, strict) for i, out in enumerate(y)]
        found = [_unpacked(_done(r, create_graph), many) for r in rows]
        return _unpacked(found, several)


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """All second derivatives of a function with a single number as its output.

    Args:
        func, inputs, create_graph, strict, vectorize: as in ``jacobian``.
        outer_jacobian_strategy: as its ``strategy``.

    Returns:
        ``H[i][j]`` has the shape of input i followed by that of input j; no tuples for a single input.
    """
    many = isinstance(inputs, tuple)
    if outer_jacobian_strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')

    def number(*x: Any) -> Any:
        out = func(*x)
        y, several = _results(out, "hessian", strict)
        if several or y[0].numel() != 1:
            _one_number(y, several, "hessian")
        return y[0].squeeze()

    def first(*x: Any) -> Any:
        if outer_jacobian_strategy == "forward-mode":
            x = tuple([t.requires_grad_() for t in x])
        found = jacobian(number, x, create_graph=True)
        _require(found, "jacobian", strict)
        return found

    found = jacobian(
        first, inputs, create_graph=create_graph, strict=strict, vectorize=vectorize,
        strategy="reverse-mode",
    )  # fmt: skip
    return found if many else found[0]


def vhp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> Any:
    """The product of a vector with the Hessian: ``v^T H``.

    Args:
        func: takes tensors, gives a single number.
        inputs, create_graph, strict: as in ``vjp``.
        v: as ``inputs``; may be left out when these are a single number.

    Returns:
        The output of ``func``, and the product, which is as ``inputs``.
    """
    return _second(func, inputs, v, create_graph, strict, "vhp")


def hvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> Any:
    """The product of the Hessian with a vector: ``H v``.  H is symmetric, so that is ``vhp``.

    Args:
        func, inputs, v, create_graph, strict: as in ``vhp``.
    """
    return _second(func, inputs, v, create_graph, strict, "hvp")


def _second(
    func: Callable[..., Any], inputs: Any, v: Any, create_graph: bool, strict: bool, name: str
) -> Any:
    with enable_grad():
        x, many = _fresh(inputs, name, create_graph)
        direction = _vector(v, x, many, name, create_graph, "input to")
        y, several = _results(func(*x), name, strict)
        _one_number(y, several, name)
        first = _grad(y, x, None, True)
        _require(first, "jacobian", strict)
        first = _filled(first, x, False, True, "Output")
        found = _filled(
            _grad(first, x, direction, create_graph),
            x, strict, create_graph, "The jacobian of the user-provided function",
        )  # fmt: skip
        return _unpacked(_done(y, create_graph), several), _unpacked(_done(found, create_graph), many)


# -- arguments ---------------------------------------------------------------------------------------------
def _tuple(x: Any, what: str, name: str) -> tuple[Tensors, bool]:
    many = isinstance(x, tuple)
    values: Tensors = x if many else (x,)
    for i, t in enumerate(values):
        if not isinstance(t, TensorCore):
            place = f"value at index {i}" if many else f"given {what}"
            raise TypeError(
                f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but the "
                f"{place} has "
                f"type {type(t)}."
            )
    return values, many


def _fresh(inputs: Any, name: str, create_graph: bool) -> tuple[Tensors, bool]:
    """The inputs as tensors of their own, so that the same ones inside of the function do not count."""
    values, many = _tuple(inputs, "inputs", name)
    return tuple([_own(t, create_graph, True) for t in values]), many


def _own(t: Any, create_graph: bool, wanted: bool) -> Any:
    if create_graph and t.requires_grad:
        return t.view(t.shape)
    return t.detach().requires_grad_(wanted)


def _results(out: Any, name: str, strict: bool) -> tuple[Tensors, bool]:
    y, several = _tuple(out, "outputs of the user-provided function", name)
    _require(y, "outputs", strict)
    return y, several


def _one_number(y: Tensors, several: bool, name: str) -> None:
    if several or y[0].numel() != 1:
        raise GraphError(
            f"The function given to {name} should return a single Tensor with a single element, got "
            f"{f'{len(y)} of them' if several else f'shape {tuple(y[0].shape)}'}."
        )


def _vector(v: Any, like: Tensors, many: bool, name: str, create_graph: bool, side: str = "") -> Tensors:
    """The vector of a product, checked against what it has to be like."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            what = "the user-provided function"
            what = f"the {side} {what} is" if side else f"{what} returns"
            raise GraphError(f"The vector v can only be None if {what} a single Tensor with one element.")
        return (like[0]._ones_like(),)
    values, _ = _tuple(v, "v", name)
    if len(values) != len(like):
        raise GraphError(
            f"v is a tuple of invalid length: should be {len(like)} but got {len(values)}."
            if many
            else "The given v should contain a single Tensor."
        )
    for i, (have, want) in enumerate(zip(values, like, strict=True)):
        if have.shape != want.shape:
            place = f"Entry {i} in " if many else ""
            raise GraphError(f"{place}v has invalid size: should be {want.shape} but got {have.shape}.")
    return tuple([_own(t, create_graph, False) for t in values])


# -- derivatives -------------------------------------------------------------------------------------------
def _grad(y: Tensors, x: Tensors, weights: Tensors | None, create_graph: bool) -> Tensors:
    """``autograd.grad`` with None where nothing depends on an input, and for outputs outside the graph."""
    used = [i for i, t in enumerate(y) if t is not None and edge(t) is not None]
    if not used:
        return (None,) * len(x)
    found: Tensors = grad(
        [y[i] for i in used],
        x,
        None if weights is None else [weights[i] for i in used],
        retain_graph=True,
        create_graph=create_graph,
        allow_unused=True,
    )
    return found


def _rows(number: int, out: Any, x: Tensors, create_graph: bool, strict: bool) -> Tensors:
    """The derivatives of one output: a backward pass for each of its elements."""
    from genesis.ops.creation import zeros
    from genesis.ops.joining import stack

    flat = out.reshape(-1)
    rows: list[list[Any]] = [[] for _ in x]
    for j in range(out.numel()):
        found = _grad((flat[j],), x, None, create_graph)
        for i, (g, t) in enumerate(zip(found, x, strict=True)):
            if g is None and strict:
                raise GraphError(
                    f"Output {number} of the user-provided function is independent of input {i}. This is not "
                    "allowed in strict mode."
                )
            if strict and create_graph and not g.requires_grad:
                raise GraphError(
                    f"The jacobian of the user-provided function is independent of input {i}. This is not "
                    "allowed in strict mode when create_graph=True."
                )
            rows[i].append(t._zeros_like() if g is None else g)
    return tuple(
        [
            stack(r).reshape(*out.shape, *t.shape)
            if r
            else zeros(*out.shape, *t.shape, dtype=t.dtype, device=t.device)
            for r, t in zip(rows, x, strict=True)
        ]
    )


def _filled(found: Tensors, like: Sequence[Any], strict: bool, create_graph: bool, what: str) -> Tensors:
    """Zeros for None; in strict mode an error."""
    result = []
    for i, (g, t) in enumerate(zip(found, like, strict=True)):
        if strict and g is None:
            raise GraphError(f"{what} is independent of input {i}. This is not allowed in strict mode.")
        if strict and create_graph and not g.requires_grad:
            raise GraphError(
                f"The jacobian of the user-provided function is independent of input {i}. This is not "
                f"allowed "
                "in strict mode when create_graph=True."
            )
        result.append(t._zeros_like() if g is None else g)
    return tuple(result)


def _require(values: Any, what: str, strict: bool) -> None:
    """In strict mode: every one depends on the inputs."""
    if not strict:
        return
    for i, t in enumerate(values if isinstance(values, tuple) else (values,)):
        if t is None:
            raise GraphError(
                f"The output of the user-provided function is independent of input {i}. This is not "
                f"allowed in "
                "strict mode."
            )
        if not t.requires_grad:
            raise GraphError(
                f"Output {i} of the user-provided function does not require gradients. The outputs must be "
                "computed in a differentiable manner from the input when running in strict mode."
                if what == "outputs"
                else f"The {what} of the user-provided function is independent of input {i}. This is not "
                "allowed in strict mode. You should ensure that your function is twice differentiable."
            )


def _done(values: Sequence[Any], create_graph: bool) -> Tensors:
    return tuple(values) if create_graph else tuple([t.detach() for t in values])


def _unpacked(values: Sequence[Any], many: bool) -> Any:
    return tuple(values) if many else values[0]


TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
