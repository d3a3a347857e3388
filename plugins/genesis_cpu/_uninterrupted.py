"""What an interrupt must not stop in the middle."""

from __future__ import annotations

import threading
from _thread import allocate_lock, stack_size, start_new_thread
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
_STACK = 16 << 20  # bytes; macOS gives a thread half a megabyte, and compilers need more


def uninterrupted(work: Callable[[], T]) -> T:
    """Do ``work`` where no signal can stop it: Python's handlers run in the main thread only.

    A Ctrl-C is raised at once all the same, and the work goes on to its end. Numba does not stand one: what
    it was importing stays half imported, and what LLVM was freeing is freed again.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    found: list[Any] = []
    done = allocate_lock()
    done.acquire()

    def run() -> None:
        try:
            found[:] = work(), None
        except BaseException as error:
            found[:] = None, error
        finally:
            done.release()

    before = stack_size(_STACK)
    try:
        start_new_thread(run, ())  # `threading.Thread` may be left half started by an interrupt
    except RuntimeError:  # there can be no thread any more: the interpreter ends, or the system has no more
        return work()
    finally:
        stack_size(before)
    done.acquire()
    if found[1] is not None:
        raise found.pop()
    return found[0]  # type: ignore[no-any-return]
