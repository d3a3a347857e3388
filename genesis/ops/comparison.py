"""Comparisons of whole tensors, with tolerances, and tests of single elements."""

from __future__ import annotations

import math
from typing import Any

from genesis._dtypes import bool_
from genesis.autograd.graph import TensorCore
from genesis.backend.expr import Expr, call
from genesis.ops import elementwise as ew
from genesis.ops._elementwise import Elementwise
from genesis.ops._formulas import INF, absolute, both, either, eq, is_nan, le, lt


def _close(a: Expr, b: Expr, rtol: Expr, atol: Expr) -> Expr:
    near = both(lt(absolute(a - b), INF), le(absolute(a - b), atol + absolute(rtol * b)))
    return either(eq(a, b), near)


_isclose = Elementwise("isclose", _close, 4, "compare")
_isclose_nan = Elementwise(
    "isclose", lambda a, b, r, t: either(_close(a, b, r, t), both(is_nan(a), is_nan(b))), 4, "compare"
)
_abs_eq = Elementwise("isposinf", lambda x: eq(x, math.inf), 1, "compare")
_neg_eq = Elementwise("isneginf", lambda x: eq(x, -math.inf), 1, "compare")
_true = Elementwise("isreal", lambda x: call("or", eq(x, x), call("ne", x, x)), 1, "compare")


def isclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """True where ``|input - other| <= atol + rtol |other|``, and where both are the same infinity.

    Raises:
        RuntimeError: the two are not of one type, or a tolerance is negative.
    """
    for t in (input, other):
        if not isinstance(t, TensorCore):
            raise TypeError(f"isclose takes tensors, got {type(t).__name__}; use genesis.tensor(...)")
    if input.dtype is not other.dtype:
        raise RuntimeError(f"{input.dtype} did not match {other.dtype}: isclose compares one type")
    if rtol < 0 or atol < 0:
        raise RuntimeError(f"rtol and atol must not be negative, got {rtol} and {atol}")
    if input.dtype is bool_ or (not input.dtype.is_floating_point and rtol == 0 and atol == 0):
        return ew.eq(input, other)
    if not input.dtype.is_floating_point:  # in float64, in which the tolerances are exact
        from genesis._dtypes import float64

        input, other = input.to(float64), other.to(float64)
    return (_isclose_nan if equal_nan else _isclose)(input, other, float(rtol), float(atol))


def allclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """True when all elements are close; see ``isclose``."""
    return bool(isclose(input, other, rtol, atol, equal_nan).all().item())


def equal(input: Any, other: Any) -> bool:
    """True when both have the same shape and elements."""
    for t in (input, other):
        if not isinstance(t, TensorCore):
            raise TypeError(f"equal compares two tensors, got {type(t).__name__}")
    if input._view.shape != other._view.shape:
        return False
    return bool(ew.eq(input, other).all().item())


def isposinf(input: Any) -> Any:
    """True where an element is +inf."""
    return _abs_eq(input) if input.dtype.is_floating_point else ew.ne(input, input)


def isneginf(input: Any) -> Any:
    """True where an element is -inf."""
    return _neg_eq(input) if input.dtype.is_floating_point else ew.ne(input, input)


def isreal(input: Any) -> Any:
    """True everywhere: all types are real."""
    return _true(input)


def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Any:
    """True where an element is one of ``test_elements`` (either may be a number).

    Raises:
        TypeError: both are numbers.
    """
    several, one = isinstance(test_elements, TensorCore), not isinstance(elements, TensorCore)
    if one and not several:
        raise TypeError("isin needs a tensor")
    from genesis.ops.reduction import any as any_

    if not several:
        found = ew.eq(elements, test_elements)
    elif one:
        found = any_(ew.eq(test_elements, elements))
    elif not test_elements.numel():
        found = ew.logical_and(ew.ne(elements, elements), False)
    elif test_elements.numel() * elements.numel() <= 1 << 16:
        found = any_(ew.eq(elements.reshape(*elements.shape, 1), test_elements.reshape(-1)), -1)
    else:
        found = _found_by_search(elements, test_elements)
    return ew.logical_not(found) if invert else found


def _found_by_search(elements: Any, test_elements: Any) -> Any:
    """By sorting, for many."""
    import numpy as np

    from genesis.ops.arithmetic import _on_host

    return _on_host(lambda a, b: np.isin(a, b), elements, test_elements)
