"""What runs in a worker process of a `DataLoader`.

This module imports neither NumPy nor the rest of Genesis: it is loaded once in the process that workers are
forked from, and what a data set needs comes with it.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
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
        rng: always None.
        worker_method: always ``"multiprocessing"``.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any
    rng: Any = None
    worker_method: str | None = "multiprocessing"


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
        chance = _Chance(job, worker_id)
    except BaseException as error:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # nobody waits for it
            link.send(("lost", Failure.of(error, where)))
        return
    link.send(("ready", reached))
    broken: Failure | None = None
    try:
        if job.init_fn is not None:
            job.init_fn(worker_id)
    except Exception as error:
        broken = Failure.of(error, where)
    chance.settle()
    _answer(job, inbox, link, where, broken, chance)


def _answer(job: Job, inbox: _Inbox, link: Any, where: str, broken: Failure | None, chance: _Chance) -> None:
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
            chance.begin(message[2])
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
            if not job.iterable:  # one that is gone through may draw before its first batch for all of them
                chance.batch(index)
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


class _Chance:
    """The random numbers of a worker, which computes with one thread.

    Those of a batch follow from the seed of the pass, the number of the worker and the number of the batch.
    So a pass that goes on after a restart has the same ones, whatever was drawn for the batches before. What
    ``worker_init_fn`` has started in its own way is left alone.
    """

    def __init__(self, job: Job, worker_id: int) -> None:
        import random

        import numpy as np

        from genesis import _random
        from genesis._device import device

        self._job, self._id = job, worker_id
        self._sources: list[tuple[Callable[[], Any], Callable[[int], Any], Callable[[int, int], Any]]] = [
            (
                _random.default_generator.__getstate__,
                _random.manual_seed,
                lambda index, _: _random.default_generator.move(index + 1 << 32),  # a batch draws less
            ),
            (random.getstate, random.seed, lambda _, seed: random.seed(seed)),
            (
                lambda: [str(part) for part in np.random.get_state()],
                lambda seed: np.random.seed(np.random.SeedSequence(seed).generate_state(4)),
                lambda _, seed: np.random.seed(seed & 0xFFFFFFFF),
            ),
        ]
        self._seed = -1
        self.begin(job.base_seed)
        if (torch := sys.modules.get("torch")) is not None:
            torch.manual_seed(self._seed)
            torch.set_num_threads(1)
        set_num_threads = getattr(device("cpu").backend, "set_num_threads", None)
        if set_num_threads is not None:
            set_num_threads(1)
        self._fresh = [state() for state, _, _ in self._sources]

    def begin(self, base_seed: int) -> None:
        """Begin a pass with this seed; the first one has begun."""
        global _info
        seed = base_seed + self._id
        if seed != self._seed:
            self._seed = seed
            for _, start, _ in self._sources:
                start(seed)
            _info = WorkerInfo(self._id, self._job.num_workers, seed, self._job.dataset)

    def settle(self) -> None:
        """Leave alone what has another state than at first."""
        pairs = zip(self._sources, self._fresh, strict=True)
        self._sources = [source for source, fresh in pairs if source[0]() == fresh]

    def batch(self, index: int) -> None:
        """Begin a batch."""
        words = blake2b(f"{self._seed} {index}".encode(), digest_size=8).digest()
        for _, _, start in self._sources:
            start(index, int.from_bytes(words, "big"))
