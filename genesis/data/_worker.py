"""What runs in a worker process of a `DataLoader`.

This module imports neither NumPy nor the rest of Genesis: it is loaded once in the process that workers are
forked from, and what a data set needs comes with it.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import connection, parent_process
from queue import SimpleQueue
from typing import Any


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """What `get_worker_info` returns in a worker.

    Attributes:
        id: the number of the worker, from 0 to ``num_workers - 1``.
        num_workers: how many there are.
        seed: what the random numbers of this worker were started from: a number that all workers of a pass
            have in common, plus ``id``.
        dataset: the worker's own copy of the data set.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any


_info: WorkerInfo | None = None
#: this process is running the user's script only to find the definitions in it
importing = False


def get_worker_info() -> WorkerInfo | None:
    """Which worker this is: for a data set that is split among workers, and for ``worker_init_fn``.

    Returns:
        A `WorkerInfo`, or None in the main process.

    Example:
        >>> info = get_worker_info()
        >>> mine = files if info is None else files[info.id :: info.num_workers]
    """
    return _info


class ScriptReached(BaseException):
    """The script that a worker imports has come to a loader with workers: enough of it has run.

    Not an ``Exception``, so that the script does not catch it.
    """


@dataclass
class Job:
    """What a worker needs to begin; the same for all of them."""

    dataset: Any
    iterable: bool
    batched: bool
    collate_fn: Callable[[Any], Any]
    drop_last: bool
    base_seed: int
    init_fn: Callable[[int], None] | None
    num_workers: int


@dataclass(frozen=True)
class Failure:
    """An exception that can be sent: its type and its traceback as text."""

    kind: Any
    text: str
    where: str

    @classmethod
    def of(cls, error: BaseException, where: str) -> Failure:
        """The exception that is being handled."""
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        return cls(type(error), text, where)

    def reraise(self) -> None:
        """Raise an exception of the same type whose message has the traceback of the worker."""
        message = f"Caught {self.kind.__name__} {self.where}.\nOriginal {self.text}"
        if self.kind is KeyError:
            raise KeyError(_Verbatim(message))
        try:
            error = None if issubclass(self.kind, StopIteration) else self.kind(message)
        except Exception:  # its constructor takes something else
            error = None
        raise error or RuntimeError(message)  # a StopIteration would end the loop in silence


class _Verbatim(str):
    """A ``KeyError`` shows the ``repr`` of its key; this one keeps its lines."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class _Inbox:
    """Reads what the parent sends in a thread of its own: the parent never waits for a busy worker."""

    def __init__(self, link: Any) -> None:
        self.messages: SimpleQueue[Any] = SimpleQueue()
        self.newest = 0  # the pass begun last; what is left of an older one need not be loaded
        self.stopped = False
        threading.Thread(target=self._read, args=(link,), daemon=True).start()

    def _read(self, link: Any) -> None:
        parent = parent_process()
        watched = [link.connection] if parent is None else [link.connection, parent.sentinel]
        while True:
            try:
                if link.connection not in connection.wait(watched):
                    os._exit(1)  # the parent is gone, and nobody waits for an answer
                message = link.receive()
                if message[0] == "job":  # its content follows
                    message = (*message, link.receive_mapped())
            except (EOFError, OSError):
                os._exit(1)
            if message[0] == "pass":
                self.newest = message[1]
            self.stopped = message[0] == "stop"
            self.messages.put(message)
            if self.stopped:
                return


def main(worker_id: int, conn: connection.Connection, inherited: tuple[Any, ...], job: Job | None) -> None:
    """Answer the parent until it says stop.

    Args:
        worker_id: the number of this worker.
        conn: to the parent.
        inherited: locks, queues and shared values of ``multiprocessing`` in the data set; they go to another
            process only when it starts.
        job: known at once in a forked process; otherwise it is the first message.
    """
    import signal

    from genesis.data import _transport

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which stops its workers
    link = _transport.Link(conn)
    inbox = _Inbox(link)
    where = f"in DataLoader worker process {worker_id}"
    reached = False
    try:
        if job is None:
            _, script, files, content = inbox.messages.get()
            reached, job = _load(script, files, content, inherited)
        seed = _seed(job, worker_id)
        global _info
        _info = WorkerInfo(worker_id, job.num_workers, seed, job.dataset)
    except BaseException as error:
        link.send(("lost", Failure.of(error, where)))
        return
    link.send(("ready", reached))
    broken: Failure | None = None
    try:
        if job.init_fn is not None:
            job.init_fn(worker_id)
    except Exception as error:
        broken = Failure.of(error, where)
    _answer(job, inbox, link, where, broken)


def _answer(job: Job, inbox: _Inbox, link: Any, where: str, broken: Failure | None) -> None:
    """Load what the parent asks for, one batch after another."""
    from genesis.data._fetch import fetcher_of

    fetcher: Any = None
    ended = False
    while True:
        message = inbox.messages.get()
        if message[0] == "stop":
            return
        if message[0] == "pass":
            fetcher, ended = None, False
            continue
        _, number, index, indices, wanted = message
        if ended or number != inbox.newest or inbox.stopped:
            continue
        if broken is not None:
            link.send(("error", number, index, broken))
            continue
        try:
            if fetcher is None:
                fetcher = fetcher_of(job)
            if wanted:
                answer = ("data", number, index, fetcher.fetch(indices))
            else:
                fetcher.skip(indices)
                answer = ("skipped", number, index, None)
        except Exception as error:
            if isinstance(error, StopIteration) and job.iterable:
                ended = True
                answer = ("end", number, index, None)
            else:
                answer = ("error", number, index, Failure.of(error, where))
        _send(link, answer, where)
        del answer, message


def _send(link: Any, answer: tuple[Any, ...], where: str) -> None:
    """Send an answer; one that cannot be pickled becomes an error that says so."""
    try:
        link.send(answer)
    except (BrokenPipeError, ConnectionResetError):
        os._exit(1)
    except Exception as error:
        kind, number, index, content = answer
        if kind == "error":  # the type of the exception is known in this process only
            content = Failure(RuntimeError, content.text, content.where)
        else:
            content = Failure.of(error, f"while a batch of type {type(content).__name__} was sent, {where}")
        link.send(("error", number, index, content))


def _load(
    script: dict[str, Any] | None, files: dict[str, str], content: Any, inherited: tuple[Any, ...]
) -> tuple[bool, Job]:
    """Unpickle the job, after the script that it needs definitions of."""
    global importing
    from genesis.data import _transport

    reached = False
    importing = True
    try:
        if script is not None:
            from multiprocessing import spawn

            try:
                spawn.prepare(script)
            except ScriptReached:
                reached = True
                _adopt_script()
        return reached, _transport.unpack_job(content, files, inherited)
    finally:
        importing = False


def _adopt_script() -> None:
    """Make what the script has defined so far the module ``__main__``.

    ``multiprocessing`` would have done that at the end of the script.
    """
    import types

    frame = sys.exc_info()[2]
    while frame is not None:
        names = frame.tb_frame.f_globals
        if names.get("__name__") == "__mp_main__":
            module = types.ModuleType("__mp_main__")
            module.__dict__.update(names)
            sys.modules["__main__"] = sys.modules["__mp_main__"] = module
            return
        frame = frame.tb_next


def _seed(job: Job, worker_id: int) -> int:
    """Start all sources of random numbers, and compute with one thread."""
    import random

    import numpy as np

    from genesis._device import device
    from genesis._random import manual_seed

    seed = job.base_seed + worker_id
    random.seed(seed)
    manual_seed(seed)
    words = [worker_id, job.base_seed & 0xFFFFFFFF, job.base_seed >> 32, 0]
    np.random.seed(np.random.SeedSequence(words).generate_state(4))
    if (torch := sys.modules.get("torch")) is not None:
        torch.manual_seed(seed)
        torch.set_num_threads(1)
    set_num_threads = getattr(device("cpu").backend, "set_num_threads", None)
    if set_num_threads is not None:
        set_num_threads(1)
    return seed
