"""Gradients and Jacobians of functions, as functions."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from genesis import autograd
from genesis._tensor import Tensor
from genesis.autograd import enable_grad
from genesis.func._tree import filled, leaves, mapped
from genesis.ops.joining import stack

Numbers = int | tuple[int, ...]


def _chosen(args: tuple[Any, ...], argnums: Numbers, name: str) -> tuple[list[int], bool]:
    """The places of the arguments that are differentiated, and whether there is only one."""
    single = not isinstance(argnums, tuple)
    places = []
    for n in [argnums] if single else argnums:  # type: ignore[union-attr]
        if not isinstance(n, int) or not -len(args) <= n < len(args):
            raise RuntimeError(f"{name}: got argnums={argnums}, but only {len(args)} positional inputs")
        places.append(n % len(args))
    if not places or len(set(places)) < len(places):
        raise RuntimeError(f"{name}: argnums has to name each argument once, got {argnums}")
    return places, single


def _inner(tree: Any) -> Any:
    """The tensors of a tree as inputs of their own: part of an outer graph if there is one."""

    def one(t: Any) -> Any:
        if not isinstance(t, Tensor) or not t.dtype.is_floating_point:
            return t
        return t.view(t.shape) if t.requires_grad else t.detach().requires_grad_()

    return mapped(one, tree)


def _wanted(tree: Any, name: str) -> list[Tensor]:
    found = leaves(tree)
    for t in found:
        if not isinstance(t, Tensor) or not t.dtype.is_floating_point:
            what = str(t.dtype) if isinstance(t, Tensor) else type(t).__name__
            raise RuntimeError(f"{name} differentiates tensors of floating-point types, got {what}")
    return found


def _outer(args: Any) -> bool:
    """True when an input belongs to an outer graph: then the result has to, too."""
    return any(isinstance(t, Tensor) and t.requires_grad for t in leaves(args))


def _release(tree: Any, keep: bool) -> Any:
    return tree if keep else mapped(lambda t: t.detach() if isinstance(t, Tensor) else t, tree)


def _gradients(
    outputs: list[Any], inputs: list[Tensor], seeds: list[Any], create_graph: bool
) -> list[Tensor]:
    pairs = [
        (o, s)
        for o, s in zip(outputs, seeds, strict=True)
        if isinstance(o, Tensor) and o.requires_grad and s is not None
    ]
    if not pairs:
        return [t._zeros_like() for t in inputs]
    found = autograd.grad(
        [o for o, _ in pairs], inputs, [s for _, s in pairs],
        retain_graph=True, create_graph=create_graph, materialize_grads=True,
    )  # fmt: skip
    return list(found)


def grad_and_value(
    func: Callable[..., Any], argnums: Numbers = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that gives the gradient of ``func`` and its value.

    Args:
        func: gives a single number, or with ``has_aux`` a pair of it and anything else.
        argnums: which arguments to differentiate by; each may be a tensor or a tree of tensors.
        has_aux: see ``func``; the result is then ``(gradient, (value, aux))``.

    Raises:
        RuntimeError: the value is not a 0-d tensor, or there is no such argument.
    """

    @wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        places, single = _chosen(args, argnums, "grad")
        with enable_grad():
            inner = list(args)
            for i in places:
                inner[i] = _inner(args[i])
            inputs = _wanted([inner[i] for i in places], "grad")
            value = func(*inner, **kwargs)
            aux = None
            if has_aux:
                if not isinstance(value, tuple) or len(value) != 2:
                    raise RuntimeError("grad with has_aux=True expects a function that returns a pair")
                value, aux = value
            if not isinstance(value, Tensor):
                raise RuntimeError(
                    f"grad expects a function that returns a Tensor, got {type(value).__name__}"
                )
            if value.dim():
                raise RuntimeError(
                    f"grad expects a function that returns a scalar tensor, got shape {tuple(value.shape)}"
                )
            keep = _outer((args, kwargs)) or _captured(value, inputs)
            found = _gradients([value], inputs, [value._ones_like()], keep)
            result = filled([args[i] for i in places], iter(found))
        result = _release(result[0] if single else tuple(result), keep)
        value = _release(value, keep)
        return result, (value, _release(aux, keep)) if has_aux else value

    return wrapper


def _captured(value: Any, inputs: list[Tensor]) -> bool:
    """True when something else than the inputs has a gradient, as in the gradient of a function in a
    function."""
    node = value.grad_fn
    seen: set[int] = set()
    own = {id(t) for t in inputs} | {id(t._node) for t in inputs if t._node is not None}
    stack_ = [value._node] if node is not None else []
    while stack_:
        e = stack_.pop()
        if e is None or id(e) in seen or id(e) in own:
            continue
        seen.add(id(e))
        if isinstance(e, Tensor):
            return True
        stack_.extend(e.edges)
    return False


def grad(func: Callable[..., Any], argnums: Numbers = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that gives the gradient of ``func``; see ``grad_and_value``.

    Example:
        >>> import genesis
        >>> genesis.func.grad(lambda x: x.sin())(genesis.tensor(0.0))
        tensor(1.)
    """

    @wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        found, value = grad_and_value(func, argnums, has_aux)(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return wrapper


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of ``func`` and a function that multiplies its Jacobian from the left.

    Args:
        func: gives a tensor or a tree of tensors; with ``has_aux`` a pair of it and anything else.
        primals: its inputs, trees of tensors.
        has_aux: the result is then ``(value, function, aux)``.

    Returns:
        ``(value, function)``; the function takes what is like the value, and gives a tuple with a gradient
        for each of the primals.
    """
    keep = _outer(primals)
    with enable_grad():
        inner = _inner(primals)
        inputs = _wanted(inner, "vjp")
        value = func(*inner)
        aux = None
        if has_aux:
            value, aux = value
    outputs = leaves(value)

    def function(*cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        given = cotangents if isinstance(value, tuple) and len(cotangents) > 1 else cotangents[0]
        seeds = leaves(given)
        if len(seeds) != len(outputs):
            raise RuntimeError(f"vjp: expected {len(outputs)} cotangents like the value, got {len(seeds)}")
        recorded = keep or _outer(given)
        with enable_grad():
            found = _gradients(outputs, inputs, seeds, recorded)
        return _release(filled(primals, iter(found)), recorded)

    shown = _release(value, keep)
    return (shown, function, _release(aux, keep)) if has_aux else (shown, function)


def jvp(
    func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False
) -> Any:
    """The value of ``func`` and the product of its Jacobian with ``tangents``, by two backward passes.

    Args:
        func: gives a tensor or a tree of tensors; with ``has_aux`` a pair of it and anything else.
        primals, tangents: tuples of trees of tensors, of the same form.
        strict: accepted.
        has_aux: the result is then ``(value, product, aux)``.
    """
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple) or len(primals) != len(tangents):
        raise RuntimeError("jvp: primals and tangents are tuples of the same length")
    value, push, aux = _linear(func, primals, has_aux)
    product = push(*tangents)
    return (value, product, aux) if has_aux else (value, product)


def linearize(func: Callable[..., Any], *primals: Any) -> Any:
    """The value of ``func`` and a function that multiplies its Jacobian from the right."""
    value, push, _ = _linear(func, primals, False)
    return value, push


def _linear(func: Callable[..., Any], primals: tuple[Any, ...], has_aux: bool) -> Any:
    keep = _outer(primals)
    with enable_grad():
        inner = _inner(primals)
        inputs = _wanted(inner, "jvp")
        value = func(*inner)
        aux = None
        if has_aux:
            value, aux = value
        outputs = leaves(value)
        # the product from the left is linear in its vector: differentiate by that
        seeds = [o._zeros_like().requires_grad_() for o in outputs]
        back = _gradients(outputs, inputs, seeds, True)

    def push(*tangents: Any) -> Any:
        weights = leaves(tangents)
        if [tuple(w.shape) for w in weights] != [tuple(t.shape) for t in inputs]:
            raise RuntimeError("jvp: tangents have to be like the primals")
        recorded = keep or _outer(tangents)
        with enable_grad():
            found = _gradients(back, seeds, weights, recorded)
        return _release(filled(value, iter(found)), recorded)

    return _release(value, keep), push, _release(aux, keep)


def jacrev(
    func: Callable[..., Any],
    argnums: Numbers = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Callable[..., Any]:
    """A function that gives the Jacobian of ``func``, by a backward pass for each element of its value.

    Args:
        func: gives a tensor or a tree of tensors; with ``has_aux`` a pair of it and anything else.
        argnums: which arguments to differentiate by.
        has_aux: the result is then ``(Jacobian, aux)``.
        chunk_size: accepted.

    Returns:
        A function; its result has the form of the value, and in the place of each tensor a tree like the
        argument with tensors of shape (shape of the value, shape of the argument).
    """

    @wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        places, single = _chosen(args, argnums, "jacrev")
        with enable_grad():
            inner = list(args)
            for i in places:
                inner[i] = _inner(args[i])
            inputs = _wanted([inner[i] for i in places], "jacrev")
            value = func(*inner, **kwargs)
            aux = None
            if has_aux:
                value, aux = value
            keep = _outer((args, kwargs)) or any(_captured(v, inputs) for v in leaves(value))
            like = [args[i] for i in places]

            def rows(out: Any) -> Any:
                flat = out.reshape(-1)
                found = [
                    _gradients([flat[j]], inputs, [flat[j]._ones_like()], keep) for j in range(out.numel())
                ]
                columns = [
                    stack([row[k] for row in found]).reshape(*out.shape, *t.shape)
                    if found
                    else t.new_zeros((*out.shape, *t.shape))
                    for k, t in enumerate(inputs)
                ]
                tree = filled(like, iter(columns))
                return tree[0] if single else tuple(tree)

            result = mapped(rows, value)
        result = _release(result, keep)
        return (result, _release(aux, keep)) if has_aux else result

    return wrapper


def jacfwd(
    func: Callable[..., Any], argnums: Numbers = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Callable[..., Any]:
    """As ``jacrev``, which it is: derivatives go backward."""
    return jacrev(func, argnums, has_aux=has_aux)


def hessian(func: Callable[..., Any], argnums: Numbers = 0) -> Callable[..., Any]:
    """A function that gives the second derivatives of ``func``: the Jacobian of its Jacobian."""
    return jacrev(jacrev(func, argnums), argnums)


__all__ = ["grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize", "vjp"]
