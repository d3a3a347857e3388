"""Gradients checked by finite differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from genesis._errors import GenesisError
from genesis._lazy import missing
from genesis.autograd.engine import grad
from genesis.autograd.grad_mode import enable_grad, no_grad
from genesis.autograd.graph import TensorCore

if TYPE_CHECKING:
    from genesis._tensor import Tensor

Array = np.ndarray[Any, Any]


class GradcheckError(GenesisError, RuntimeError):
    """The gradients of a function disagree with its finite differences."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    *,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Compare the Jacobian that backward gives with ``(f(x + eps) - f(x - eps)) / (2 eps)``.

    Args:
        func: takes ``inputs``, gives a tensor or several; it must give the same for the same inputs.
        inputs: a tensor or a sequence; tensors that require a gradient are checked and should be float64.
        eps: the step of the differences.
        atol, rtol: entries may differ by ``atol + rtol * |numerical|``.
        raise_exception: raise for a difference; otherwise return False.
        nondet_tol: by how much the gradients of two backward passes may differ.
        check_grad_dtypes: gradients have to be of the type of their inputs; they are in any case.
        check_backward_ad: False checks nothing.
        check_forward_ad, check_batched_forward_grad: refused: derivatives go backward.
        check_undefined_grad, check_batched_grad, fast_mode, masked: accepted; all entries are checked.

    Returns:
        True when all agree.

    Raises:
        RuntimeError: they do not; the message names the input, the output and the worst entry.
        ValueError: there is nothing to check, or an input is not float64.
        NotImplementedError: an option asks for forward-mode differentiation.

    Example:
        >>> import genesis
        >>> x = genesis.randn(3, dtype=genesis.float64, requires_grad=True)
        >>> genesis.autograd.gradcheck(lambda x: x.exp().sum(), x)
        True
    """
    if check_forward_ad or check_batched_forward_grad:
        raise NotImplementedError("gradcheck: check_forward_ad: derivatives go backward only")
    function = func
    values = (inputs,) if isinstance(inputs, TensorCore) else tuple(inputs)
    checked = [i for i, x in enumerate(values) if isinstance(x, TensorCore) and x.requires_grad]  # type: ignore[attr-defined]
    if not checked:
        raise ValueError("gradcheck: no input requires a gradient")
    for i in checked:
        if values[i]._view.dtype.name != "float64":
            raise ValueError(
                f"gradcheck: input {i} is {values[i]._view.dtype}; finite differences need float64"
            )
    with enable_grad():
        outputs = _outputs(function(*values))
    pairs = [(o, i) for o in range(len(outputs)) for i in checked] if check_backward_ad else []
    # all backward passes first: the differences change the inputs in place
    jacobians = [_by_backward(outputs[o], values[i]) for o, i in pairs]
    for (o, i), jacobian in zip(pairs, jacobians, strict=True):
        again = _by_backward(outputs[o], values[i], 1)  # one pass tells, and costs little
        if np.abs(again - jacobian)[:, :1].max(initial=0.0) > nondet_tol:
            if raise_exception:
                raise GradcheckError(
                    f"gradient of output {o} with respect to input {i}: Backward is not reentrant, "
                    f"i.e., running "
                    "backward with same input and grad_output multiple times gives different values"
                )
            return False
    for (o, i), jacobian in zip(pairs, jacobians, strict=True):
        numerical = _by_differences(function, values, i, o, eps)
        problem = _worst(jacobian, numerical, values[i], outputs[o], atol, rtol)
        if problem:
            if raise_exception:
                raise GradcheckError(f"gradient of output {o} with respect to input {i}: {problem}")
            return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    *,
    gen_non_contig_grad_outputs: bool = False,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """``gradcheck`` of the gradients of a function: its second derivatives.

    Args:
        func, inputs, eps, atol, rtol, raise_exception, nondet_tol: as in ``gradcheck``.
        grad_outputs: the gradient of each output; random numbers by default.
        gen_non_contig_grad_outputs: draw these numbers with gaps between them.
        check_rev_over_rev: False checks nothing.
        check_fwd_over_rev: refused: derivatives go backward.
        check_undefined_grad, check_grad_dtypes, check_batched_grad, fast_mode, masked: as in ``gradcheck``.

    Raises:
        RuntimeError, ValueError: as in ``gradcheck``.
    """
    if check_fwd_over_rev:
        raise NotImplementedError("gradgradcheck: check_fwd_over_rev: derivatives go backward only")
    if not check_rev_over_rev:
        return True
    function = func
    values = (inputs,) if isinstance(inputs, TensorCore) else tuple(inputs)
    checked = [i for i, x in enumerate(values) if isinstance(x, TensorCore) and x.requires_grad]  # type: ignore[attr-defined]
    with enable_grad():
        outputs = _outputs(function(*values))
    if grad_outputs is None:
        seeds: list[Any] = [_random_like(out, gen_non_contig_grad_outputs) for out in outputs]
    else:
        seeds = [grad_outputs] if isinstance(grad_outputs, TensorCore) else list(grad_outputs)

    def first(*arguments: Any) -> tuple[Tensor, ...]:
        given, weights = arguments[: len(values)], arguments[len(values) :]
        with enable_grad():
            results = _outputs(function(*given))
            found = grad(
                results, [given[i] for i in checked], list(weights), create_graph=True, allow_unused=True
            )
        return tuple(g for g in found if g is not None and g.requires_grad)

    if not first(*values, *seeds):
        return True  # the gradients are constant
    return gradcheck(first, (*values, *seeds), eps, atol, rtol, raise_exception, nondet_tol=nondet_tol)


def _outputs(result: Any) -> list[Any]:
    """The differentiable results of a function."""
    results = [result] if isinstance(result, TensorCore) else list(result)
    found = [r for r in results if isinstance(r, TensorCore) and r._view.dtype.is_floating_point]
    if not found:
        raise ValueError("gradcheck: the function returns no floating-point tensor")
    return found


def _random_like(out: Any, gaps: bool) -> Any:
    from genesis.ops.random import randn

    if gaps and out.dim():
        shape = (*out.shape[:-1], 2 * out.shape[-1])
        return randn(shape, dtype=out.dtype, device=out.device)[..., ::2].requires_grad_()
    return randn(out.shape, dtype=out.dtype, device=out.device, requires_grad=True)


def _by_backward(out: Any, x: Any, columns: int | None = None) -> Array:
    """The Jacobian, (elements of x, elements of out), one backward pass for each element of the output.

    ``columns``: how many of these, all unless given.
    """
    from genesis.ops.creation import zeros

    jacobian = np.zeros((x.numel(), out.numel()))
    if not out.requires_grad:
        return jacobian
    for j in range(out.numel() if columns is None else min(columns, out.numel())):
        seed = zeros(out.numel(), dtype=out.dtype, device=out.device)
        seed[j] = 1
        (g,) = grad(out, x, seed.reshape(out.shape), retain_graph=True, allow_unused=True)
        if g is not None:
            if tuple(g.shape) != tuple(x.shape):
                raise GradcheckError(f"the gradient has shape {tuple(g.shape)}, its input {tuple(x.shape)}")
            jacobian[:, j] = g.detach().numpy().reshape(-1)
    return jacobian


def _by_differences(function: Callable[..., Any], values: Sequence[Any], i: int, o: int, eps: float) -> Array:
    """The same by central differences.  The input is changed in place, so that its layout stays."""
    x = values[i].detach()
    before = x.numpy().copy()
    columns = []
    with no_grad():
        for position in np.ndindex(before.shape):
            pair = []
            for step in (eps, -eps):
                x[position] = float(before[position]) + step
                with enable_grad():  # a function may take gradients itself
                    pair.append(
                        _outputs(function(*values))[o].detach().numpy().astype(np.float64).reshape(-1)
                    )
            x[position] = float(before[position])
            columns.append((pair[0] - pair[1]) / (2 * eps))
    return np.array(columns).reshape(before.size, columns[0].size if columns else 0)


def _worst(backward: Array, numerical: Array, x: Any, out: Any, atol: float, rtol: float) -> str:
    """What is wrong, or nothing."""
    if not backward.size or not numerical.size:
        return ""
    excess = np.abs(backward - numerical) - (atol + rtol * np.abs(numerical))
    excess[np.isnan(backward) | np.isnan(numerical)] = np.inf
    if (excess <= 0).all():
        return ""
    row, column = np.unravel_index(int(np.argmax(excess)), excess.shape)
    at_x = tuple(int(k) for k in np.unravel_index(int(row), tuple(x.shape))) if x.dim() else ()
    at_out = tuple(int(k) for k in np.unravel_index(int(column), tuple(out.shape))) if out.dim() else ()
    return (
        f"backward gives {backward[row, column]:.6g}, finite differences {numerical[row, column]:.6g}, "
        f"for element {at_x} of the input (shape {tuple(x.shape)}) and element {at_out} of the output "
        f"(shape {tuple(out.shape)}); {int((excess > 0).sum())} of {excess.size} entries differ"
    )


if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
