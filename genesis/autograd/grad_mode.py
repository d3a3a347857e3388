"""Whether operations are recorded for a backward pass, a state of each thread."""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable, Generator
from functools import wraps
from inspect import isclass, isgeneratorfunction
from types import TracebackType
from typing import Any, TypeVar

from genesis._lazy import missing

F = TypeVar("F", bound=Callable[..., Any])


class _State(threading.local):
    enabled = True
    inference = False
    saved_hooks: tuple[Any, ...] = ()  # pairs (pack, unpack), the innermost last
    run: Any = None  # the backward pass that is under way, the innermost


class _Watch:
    """How many contexts, in all threads, want to see what is rarely looked at."""

    __slots__ = ("inference", "lock", "nodes")

    def __init__(self) -> None:
        self.nodes = self.inference = 0
        self.lock = threading.Lock()

    def add(self, nodes: int = 0, inference: int = 0) -> None:
        with self.lock:
            self.nodes += nodes
            self.inference += inference


state = _State()
watch = _Watch()


def is_grad_enabled() -> bool:
    """True when operations are recorded (the default)."""
    return state.enabled


def is_inference_mode_enabled() -> bool:
    """True inside ``inference_mode()``."""
    return state.inference


class _Mode:
    """A context manager and decorator that sets the mode and puts the old one back."""

    def __init__(self, enabled: bool) -> None:
        self._enabled = enabled
        self._before: list[Any] = []

    def clone(self) -> _Mode:
        """Another one of the same kind."""
        return _Mode(self._enabled)

    def __enter__(self) -> None:
        self._before.append(state.enabled)
        state.enabled = self._enabled and not state.inference

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        state.enabled = self._before.pop()

    def __call__(self, function: F) -> F:
        if isclass(function):
            warnings.warn(
                f"{type(self).__name__} on the class {function.__name__} is for its constructor alone and "
                "makes a function of it; decorate __init__ or other methods instead",
                FutureWarning,
                stacklevel=2,
            )
        enter = self.clone  # a mode of its own for each call: calls nest and run in threads
        if isgeneratorfunction(function):
            return wraps(function)(_stepwise(enter, function))  # type: ignore[return-value]

        @wraps(function, updated=())
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with enter():
                return function(*args, **kwargs)

        return wrapper  # type: ignore[return-value]


def _stepwise(enter: Callable[[], _Mode], function: Callable[..., Any]) -> Callable[..., Any]:
    """A generator whose steps run in a mode, and whose caller, in between, does not."""

    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        generator = function(*args, **kwargs)
        step: Callable[..., Any] = generator.send
        value: tuple[Any, ...] = (None,)
        try:
            while True:
                with enter():
                    result = step(*value)
                try:
                    value = ((yield result),)
                    step = generator.send
                except GeneratorExit:
                    with enter():
                        generator.close()
                    raise
                except BaseException:
                    value, step = (sys.exc_info()[1],), generator.throw
        except StopIteration as end:
            return end.value

    return wrapper


class no_grad(_Mode):
    """Operations inside are not recorded: ``with genesis.no_grad():`` or ``@genesis.no_grad()``."""

    def __new__(cls, orig_func: Any = None) -> Any:
        mode = super().__new__(cls)
        if orig_func is None:
            return mode
        mode.__init__()  # type: ignore[misc] # used as @no_grad, without parentheses
        return mode(orig_func)

    def __init__(self) -> None:
        super().__init__(False)

    def clone(self) -> no_grad:
        """Another one."""
        return no_grad()


class enable_grad(_Mode):
    """Operations inside are recorded, even within ``no_grad`` (but not within ``inference_mode``)."""

    def __new__(cls, orig_func: Any = None) -> Any:
        mode = super().__new__(cls)
        if orig_func is None:
            return mode
        mode.__init__()  # type: ignore[misc]
        return mode(orig_func)

    def __init__(self) -> None:
        super().__init__(True)


class inference_mode(_Mode):
    """Like ``no_grad``, and ``Tensor.is_inference()`` is True for what is made inside.

    Args:
        mode: False leaves inference mode: operations are recorded, whatever is around.
    """

    def __new__(cls, mode: Any = True) -> Any:
        if isinstance(mode, bool):
            return super().__new__(cls)
        return cls()(mode)  # used as @inference_mode, without parentheses

    def __init__(self, mode: bool = True) -> None:
        super().__init__(not mode)

    def clone(self) -> inference_mode:
        """Another one."""
        return inference_mode(not self._enabled)

    def __enter__(self) -> None:
        self._before.append((state.enabled, state.inference))
        state.enabled, state.inference = self._enabled, not self._enabled
        watch.add(inference=1)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        watch.add(inference=-1)
        state.enabled, state.inference = self._before.pop()


class set_grad_enabled(_Mode):
    """Set the mode at once; as a context manager, put the old one back at the end."""

    def __init__(self, mode: bool) -> None:
        super().__init__(bool(mode))
        self.mode = mode
        self._at_construction = state.enabled
        state.enabled = self._enabled and not state.inference

    def __enter__(self) -> None:
        self._before.append(self._at_construction)
        state.enabled = self._enabled and not state.inference

    def __call__(self, function: F) -> F:
        state.enabled = self._at_construction  # as a decorator it is for the calls only
        return super().__call__(function)


TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
