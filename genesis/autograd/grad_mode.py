"""Whether operations are recorded for a backward pass, a state of each thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from inspect import isgeneratorfunction
from types import TracebackType
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class _State(threading.local):
    enabled = True


state = _State()


def is_grad_enabled() -> bool:
    """True when operations are recorded (the default)."""
    return state.enabled


class _Mode:
    """A context manager and decorator that sets the mode and puts the old one back."""

    def __init__(self, enabled: bool) -> None:
        self._enabled = enabled
        self._before: list[bool] = []

    def __enter__(self) -> None:
        self._before.append(state.enabled)
        state.enabled = self._enabled

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        state.enabled = self._before.pop()

    def __call__(self, function: F) -> F:
        enabled = self._enabled

        if isgeneratorfunction(function):
            raise TypeError(
                f"{type(self).__name__} cannot decorate the generator {function.__name__}: its body runs "
                "after the call; use `with` inside it"
            )

        @wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with _Mode(enabled):  # a mode of its own for each call: calls nest and run in threads
                return function(*args, **kwargs)

        return wrapper  # type: ignore[return-value]


class no_grad(_Mode):
    """Operations inside are not recorded: ``with genesis.no_grad():`` or ``@genesis.no_grad()``."""

    def __new__(cls, function: Any = None) -> Any:
        mode = super().__new__(cls)
        if function is None:
            return mode
        _Mode.__init__(mode, False)  # used as @no_grad, without parentheses
        return mode(function)

    def __init__(self) -> None:
        super().__init__(False)


class inference_mode(_Mode):
    """Like ``no_grad``; ``inference_mode(False)`` does nothing."""

    def __init__(self, mode: bool = True) -> None:
        super().__init__(not mode)

    def __enter__(self) -> None:
        self._before.append(state.enabled)
        state.enabled = state.enabled and self._enabled


class enable_grad(_Mode):
    """Operations inside are recorded, even within ``no_grad``."""

    def __init__(self) -> None:
        super().__init__(True)


class set_grad_enabled(_Mode):
    """Set the mode at once; as a context manager, put the old one back at the end."""

    def __init__(self, mode: bool) -> None:
        super().__init__(mode)
        self._at_construction = state.enabled
        state.enabled = mode

    def __enter__(self) -> None:
        self._before.append(self._at_construction)
        state.enabled = self._enabled

    def __call__(self, function: F) -> F:
        state.enabled = self._at_construction  # as a decorator it is for the calls only
        return super().__call__(function)
