"""A thread beside the program that does what it is given, one after the other."""

from __future__ import annotations

import atexit
import os
from _thread import allocate_lock, start_new_thread
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any

_queues: list[SimpleQueue[Any]] = []  # of the threads that live


class Line:
    """A thread for jobs. It ends when this object is gone and all that it was given is done.

    An interrupt at any moment leaves it in order, as every call that changes something is one of C. In
    `concurrent.futures` and in the start of a `threading.Thread`, one may leave a lock that nobody opens.
    The end of the program waits for what was given.

    Raises:
        RuntimeError: the system has no more threads.
    """

    __slots__ = ("__del__", "_queue")

    def __init__(self) -> None:
        self._queue: SimpleQueue[Any] = SimpleQueue()
        self.__del__ = partial(self._queue.put, None)  # no function in Python: an interrupt in one is lost
        start_new_thread(_work, (self._queue,))
        self.wait()  # from here on it is known to `_finish`

    def give(self, job: Callable[[], object]) -> None:
        """Have ``job`` called after all that was given before. It has to deal with its errors itself."""
        self._queue.put(job)

    def wait(self) -> None:
        """Return when all that was given is done."""
        _ticket(self._queue).acquire()


def _work(queue: SimpleQueue[Any]) -> None:
    _queues.append(queue)
    while (job := queue.get()) is not None:
        job()
        del job  # and what it holds, while there is nothing to do
    _queues.remove(queue)


def _ticket(queue: SimpleQueue[Any]) -> Any:
    """A lock that opens when all that was put into the queue before is done."""
    lock = allocate_lock()
    lock.acquire()
    queue.put(lock.release)
    return lock


@atexit.register
def _finish() -> None:
    for queue in list(_queues):
        lock = _ticket(queue)
        while not lock.acquire(timeout=0.1) and queue in _queues:  # its thread may be ending just now
            pass


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_queues.clear)  # the threads stay with the parent
