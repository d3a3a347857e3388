"""Loading states that may come from anywhere: what is wrong with one is an error of ours."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from genesis._errors import GenesisError, StateError

Method = TypeVar("Method", bound=Callable[..., Any])


_KINDS = (LookupError, AttributeError, ArithmeticError, RecursionError, NotImplementedError, TypeError)


def loads_state(method: Method) -> Method:
    """For ``load_state_dict``: a state of another form is a `StateError`, whatever Python trips over."""

    @wraps(method)
    def load(self: Any, *args: Any, **options: Any) -> Any:
        try:
            return method(self, *args, **options)
        except _KINDS as error:
            if isinstance(error, GenesisError):
                raise
            raise StateError(
                f"this is not the state of a {type(self).__name__}: {type(error).__name__}: {error}"
            ) from error

    return load  # type: ignore[return-value]
