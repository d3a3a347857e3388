"""Calls in order, at once or in a thread beside the program."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta
from functools import partial
from typing import Any

from genesis._line import Line


class Channel:
    """Runs functions one after the other.

    Args:
        concurrent: whether a thread may run them; otherwise each is run at once.
    """

    def __init__(self, concurrent: bool) -> None:
        self._concurrent = concurrent
        self._line: Line | None = None
        self._last: Future[Any] | None = None

    def run(self, function: Callable[[], Any]) -> Any:
        """Call the function after all that was submitted, and return what it does."""
        if self._last is None or self._last.done():
            return function()
        return self.submit(function).result()

    def submit(self, function: Callable[[], Any]) -> Future[Any]:
        """Have the function called after all that was submitted before."""
        future: Future[Any] = Future()
        if not self._concurrent:
            _settle(future, function, Exception)
            return future
        if self._line is None:
            self._line = Line()
        self._line.give(partial(_settle, future, function, BaseException))  # the thread has to go on
        self._last = future
        return future

    def close(self) -> None:
        """Wait for all that was submitted."""
        if self._line is not None:
            self._line.wait()
            self._line = None


def _settle(future: Future[Any], function: Callable[[], Any], caught: type[BaseException]) -> None:
    try:
        future.set_result(function())
    except caught as error:
        future.set_exception(error)


class Work:
    """An operation under way, as ``async_op=True`` returns it."""

    def __init__(self, future: Future[Any], result: Any = None) -> None:
        self._future, self._result = future, result

    def wait(self, timeout: Any = None) -> bool:
        """Wait until it is complete; raise what went wrong.

        Args:
            timeout: a ``timedelta`` or seconds; the default is to wait.
        """
        seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
        self._future.result(seconds or None)
        return True

    def is_completed(self) -> bool:
        """Whether it is over."""
        return self._future.done()

    def is_success(self) -> bool:
        """Whether it is over and nothing went wrong."""
        return self._future.done() and self._future.exception() is None

    def exception(self) -> BaseException | None:
        """What went wrong, if it is over."""
        return self._future.exception() if self._future.done() else None

    def result(self) -> Any:
        """The tensors that it wrote."""
        self.wait()
        return self._result

    def get_future(self) -> Any:
        """The ``concurrent.futures.Future`` of the operation."""
        return self._future

    def source_rank(self) -> int:
        """Who sent what was received."""
        return int(self._future.result())
