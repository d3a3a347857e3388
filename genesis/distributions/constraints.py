"""Constraints: where parameters and values of distributions may lie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import genesis
from genesis._dtypes import bool_
from genesis._lazy import missing

TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder


class Constraint:
    """A set of numbers, or of events with ``event_dim`` dimensions.

    Attributes:
        is_discrete: True where it is a set of integers.
        event_dim: how many dimensions on the right make one event.
    """

    is_discrete = False
    event_dim = 0

    def check(self, value: Any) -> Any:
        """True for each event that lies in the set."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self.__class__.__name__[1:] + "()"


class _Test(Constraint):
    """A constraint that is a name, a function and the dimensions of an event."""

    def __init__(
        self, name: str, test: Callable[[Any], Any], event_dim: int = 0, is_discrete: bool = False
    ) -> None:
        self.name, self.check = name, test  # type: ignore[assignment,method-assign]
        self.event_dim, self.is_discrete = event_dim, is_discrete

    def __repr__(self) -> str:
        return self.name


class _Dependent(Constraint):
    """Stands where the set depends on other parameters; nothing is checked."""

    def __init__(self, *, is_discrete: bool = False, event_dim: int = 0) -> None:
        self.is_discrete, self.event_dim = is_discrete, event_dim

    def __call__(self, *, is_discrete: bool = False, event_dim: int = 0) -> _Dependent:
        return _Dependent(is_discrete=is_discrete, event_dim=event_dim)

    def check(self, value: Any) -> Any:
        raise ValueError("cannot determine the validity of a dependent constraint")


class dependent_property(property, _Dependent):
    """A property of a distribution that gives a constraint from its parameters."""

    def __init__(self, fn: Any = None, *, is_discrete: bool = False, event_dim: int = 0) -> None:
        super().__init__(fn)
        self.is_discrete, self.event_dim = is_discrete, event_dim

    def __call__(self, fn: Callable[..., Any]) -> dependent_property:  # type: ignore[override]
        return dependent_property(fn, is_discrete=self.is_discrete, event_dim=self.event_dim)


class independent(Constraint):
    """A constraint whose last ``reinterpreted_batch_ndims`` dimensions make one event."""

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int) -> None:
        self.base_constraint, self.reinterpreted_batch_ndims = base_constraint, reinterpreted_batch_ndims
        self.is_discrete = base_constraint.is_discrete
        self.event_dim = base_constraint.event_dim + reinterpreted_batch_ndims

    def check(self, value: Any) -> Any:
        inside = self.base_constraint.check(value)
        dims = self.reinterpreted_batch_ndims
        if inside.dim() < dims:
            raise ValueError(f"expected value.dim() >= {self.event_dim} but got {value.dim()}")
        return inside if not dims else inside.reshape((*inside.shape[: inside.dim() - dims], -1)).all(-1)

    def __repr__(self) -> str:
        return f"Independent({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


class integer_interval(Constraint):
    """The integers in [lower_bound, upper_bound]."""

    is_discrete = True

    def __init__(self, lower_bound: Any, upper_bound: Any) -> None:
        self.lower_bound, self.upper_bound = lower_bound, upper_bound

    def check(self, value: Any) -> Any:
        return (value % 1 == 0) & (self.lower_bound <= value) & (value <= self.upper_bound)

    def __repr__(self) -> str:
        return f"IntegerInterval(lower_bound={self.lower_bound}, upper_bound={self.upper_bound})"


class interval(Constraint):
    """The numbers in [lower_bound, upper_bound]."""

    def __init__(self, lower_bound: Any, upper_bound: Any) -> None:
        self.lower_bound, self.upper_bound = lower_bound, upper_bound

    def check(self, value: Any) -> Any:
        return (self.lower_bound <= value) & (value <= self.upper_bound)

    def __repr__(self) -> str:
        return f"Interval(lower_bound={self.lower_bound}, upper_bound={self.upper_bound})"


class greater_than(Constraint):
    """The numbers above a bound."""

    def __init__(self, lower_bound: Any) -> None:
        self.lower_bound = lower_bound

    def check(self, value: Any) -> Any:
        return self.lower_bound < value

    def __repr__(self) -> str:
        return f"GreaterThan(lower_bound={self.lower_bound})"


class greater_than_eq(greater_than):
    """The numbers from a bound on."""

    def check(self, value: Any) -> Any:
        return self.lower_bound <= value

    def __repr__(self) -> str:
        return f"GreaterThanEq(lower_bound={self.lower_bound})"


class less_than(Constraint):
    """The numbers below a bound."""

    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound

    def check(self, value: Any) -> Any:
        return value < self.upper_bound

    def __repr__(self) -> str:
        return f"LessThan(upper_bound={self.upper_bound})"


class half_open_interval(interval):
    """The numbers in [lower_bound, upper_bound)."""

    def check(self, value: Any) -> Any:
        return (self.lower_bound <= value) & (value < self.upper_bound)

    def __repr__(self) -> str:
        return f"HalfOpenInterval(lower_bound={self.lower_bound}, upper_bound={self.upper_bound})"


class multinomial(Constraint):
    """Vectors of counts whose sum is at most ``upper_bound``."""

    is_discrete = True
    event_dim = 1

    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound

    def check(self, value: Any) -> Any:
        return (value >= 0).all(-1) & (value.sum(-1) <= self.upper_bound)


def is_dependent(constraint: Any) -> bool:
    """True for a constraint that depends on parameters."""
    return isinstance(constraint, _Dependent)


def _simplex(value: Any) -> Any:
    return (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < 1e-6)


def _one_hot(value: Any) -> Any:
    return ((value == 0) | (value == 1)).all(-1) & (value.sum(-1) == 1)


def _lower_cholesky(value: Any) -> Any:
    lower = (value.tril() == value).flatten(-2).all(-1)
    return lower & (value.diagonal(dim1=-2, dim2=-1) > 0).all(-1)


def _positive_definite(value: Any) -> Any:
    if value.shape[-1] != value.shape[-2]:
        return genesis.zeros(value.shape[:-2], dtype=bool_, device=value.device)
    symmetric = genesis.isclose(value, value.mT, atol=1e-6).flatten(-2).all(-1)
    return symmetric & (genesis.linalg.cholesky_ex(value).info == 0)


dependent = _Dependent()
boolean = _Test("Boolean()", lambda value: (value == 0) | (value == 1), is_discrete=True)
nonnegative_integer = _Test(
    "NonnegativeInteger()", lambda value: (value % 1 == 0) & (value >= 0), is_discrete=True
)
positive_integer = _Test("PositiveInteger()", lambda value: (value % 1 == 0) & (value >= 1), is_discrete=True)
real = _Test("Real()", lambda value: value == value)
real_vector = independent(real, 1)
positive = greater_than(0.0)
nonnegative = greater_than_eq(0.0)
unit_interval = interval(0.0, 1.0)
simplex = _Test("Simplex()", _simplex, 1)
one_hot = _Test("OneHot()", _one_hot, 1, is_discrete=True)
lower_cholesky = _Test("LowerCholesky()", _lower_cholesky, 2)
positive_definite = _Test("PositiveDefinite()", _positive_definite, 2)
