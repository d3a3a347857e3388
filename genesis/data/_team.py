"""The workers of a `DataLoader`, seen from the process that trains."""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
import types
import warnings
from collections.abc import Iterator, Sequence
from multiprocessing import connection, spawn
from typing import Any

from genesis.data import _worker
from genesis.data._transport import JobPickler, Link, written
from genesis.data._worker import Job, ScriptReached

_PATIENCE = 5.0  # seconds for a worker to end by itself
_START = 120.0  # seconds for one to begin, if the loader has a timeout

_lock = threading.Lock()


def default_context() -> Any:
    """How workers are started unless the user says: forked from a process that has only what they need.

    A fork of this process would be fast, too. But it inherits the threads of its libraries, which are not
    there any more, and one parallel loop of Numba with OpenMP ends it.
    """
    methods = multiprocessing.get_all_start_methods()
    chosen = multiprocessing.get_start_method(allow_none=True)
    method = "forkserver" if "forkserver" in methods and sys.platform != "darwin" else "spawn"
    return multiprocessing.get_context(chosen if chosen in ("spawn", "forkserver") else method)


class Team:
    """Running workers.

    Args:
        job: what they need.
        context: of ``multiprocessing``.
        timeout: seconds to wait for a batch; 0 for as long as it takes.

    Raises:
        TypeError, AttributeError, pickle.PicklingError: the job cannot be pickled.
    """

    def __init__(self, job: Job, context: Any, timeout: float) -> None:
        if _worker.importing:
            raise ScriptReached
        if multiprocessing.current_process().daemon:
            raise RuntimeError(
                "a worker of a DataLoader cannot have workers itself; use num_workers=0 in the data set"
            )
        self._owner = os.getpid()
        self._timeout = timeout
        self._links: list[Link] = []
        self._processes: list[Any] = []
        self._ready: list[bool] = [False] * job.num_workers
        self.number = 0  # of the pass
        try:
            self._start(job, context)
        except BaseException:
            self.close(broken=True)
            raise

    def _start(self, job: Job, context: Any) -> None:
        forked = context.get_start_method() == "fork"
        package = None if forked else _Package(job)
        try:
            if context.get_start_method() == "forkserver":
                _preload(context)
            for worker in range(job.num_workers):
                ours, theirs = context.Pipe()
                process = context.Process(
                    target=_worker.main,
                    args=(worker, theirs, () if package is None else tuple(package.inherited),
                          job if forked else None),
                    name=f"DataLoader worker {worker}",
                    daemon=True,
                )  # fmt: skip
                with contextlib.nullcontext() if forked else _without_script():
                    _start(process)
                theirs.close()
                self._links.append(Link(ours))
                self._processes.append(process)
                if package is not None:
                    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # noticed by receive
                        package.send(self._links[-1])
        finally:
            if package is not None:
                package.close()

    # -- messages ----------------------------------------------------------------------------------------
    def begin(self, seed: int) -> None:
        """Begin a pass with a seed; what is left of the one before is thrown away."""
        self.number += 1
        for worker in range(len(self._links)):
            self._send(worker, ("pass", self.number, seed))

    def ask(self, worker: int, index: int, indices: Any, wanted: bool) -> None:
        """Give a worker something to load; not ``wanted``: to leave out."""
        self._send(worker, ("load", self.number, index, indices, wanted))

    def _send(self, worker: int, message: Any) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it died: noticed by receive
            self._links[worker].send(message)

    def receive(self, workers: Sequence[int]) -> tuple[int, str, int, Any]:
        """The next answer of one of these workers: who it is, its kind, the index, the content.

        Raises:
            RuntimeError: a worker died, or none answered in time.
        """
        begun = time.monotonic()
        while True:
            waited_for = {self._links[worker].connection: worker for worker in workers}
            sentinels = {self._processes[worker].sentinel: worker for worker in workers}
            limit = None
            if self._timeout:
                patience = self._timeout if all(self._ready[w] for w in workers) else _START
                limit = max(0.0, begun + patience - time.monotonic())
            found = connection.wait([*waited_for, *sentinels], limit)
            if not found:
                raise RuntimeError(f"DataLoader timed out after {self._timeout} seconds")
            worker = next((waited_for[thing] for thing in found if thing in waited_for), -1)
            if worker < 0:
                worker = sentinels[found[0]]
                if not self._links[worker].connection.poll():  # what it sent before comes first
                    raise RuntimeError(self._obituary(worker))
            try:
                message = self._links[worker].receive()
            except (EOFError, ConnectionResetError):
                raise RuntimeError(self._obituary(worker)) from None
            if message[0] == "ready":
                self._ready[worker] = True
                begun = time.monotonic()
                if message[1]:
                    _warn_of_script()
            elif message[0] == "lost":
                message[1].reraise()
            elif message[1] == self.number:
                kind, _, index, content = message
                return worker, kind, index, content

    def _obituary(self, worker: int) -> str:
        process = self._processes[worker]
        process.join(_PATIENCE)
        code = process.exitcode
        how = f"exit code {code}"
        if code is not None and code < 0:
            try:
                how = f"killed by signal {signal.Signals(-code).name}"
            except ValueError:
                how = f"killed by signal {-code}"
        text = (
            f"DataLoader worker (pid(s) {process.pid}) exited unexpectedly: worker {worker} of "
            f"{len(self._processes)}, {how}"
        )
        if code == -signal.SIGTERM and "Fork" in type(process).__name__:
            text += "; a forked process cannot compute in parallel, use another multiprocessing_context"
        return text

    # -- the end -----------------------------------------------------------------------------------------
    def close(self, broken: bool = False) -> None:
        """End the workers when they have finished what they do; ``broken``: by the end of their pipes."""
        if self._owner != os.getpid():  # a forked child has got this object as well
            return
        processes, self._processes = self._processes, []
        for worker in range(len(processes)):
            with contextlib.suppress(OSError):
                if broken:
                    self._links[worker].connection.close()
                else:
                    self._links[worker].send(("stop",))
        deadline = time.monotonic() + _PATIENCE
        for process in processes:
            process.join(max(0.0, deadline - time.monotonic()))
        for process in processes:
            if process.is_alive():
                process.terminate()
                process.join(_PATIENCE)
            if process.is_alive():
                process.kill()
                process.join()
        for link in self._links:
            link.connection.close()

    def __del__(self) -> None:
        if not sys.is_finalizing():  # then multiprocessing ends them
            with contextlib.suppress(Exception):
                self.close()


def _start(process: Any) -> None:
    """Start a process, by a new server where an interrupt left the one that forks in the middle."""
    for tries_left in (4, 3, 2, 1, 0):
        try:
            return process.start()  # type: ignore[no-any-return]
        except (ConnectionError, EOFError):
            if not tries_left:
                raise
        time.sleep(0.1)  # until the system has its exit


class _Package:
    """A pickled job, which goes to every worker."""

    def __init__(self, job: Job) -> None:
        buffers: list[pickle.PickleBuffer] = []
        stream = io.BytesIO()
        pickler = JobPickler(stream, buffers)
        try:
            pickler.dump(job)
        except (TypeError, AttributeError, pickle.PicklingError) as error:
            raise type(error)(
                f"{error}\nA worker process gets a pickled copy of the data set, collate_fn and "
                "worker_init_fn, and this one cannot be pickled. Define its class or function at the top "
                "level of a module (no lambda, nothing inside a function) and open files in __getitem__ "
                'rather than __init__; or use num_workers=0, or multiprocessing_context="fork", which needs '
                "no pickle"
            ) from error
        self.inherited, self._files = pickler.inherited, pickler.files
        self._script = None if pickler.needs_script is None else _script(pickler.needs_script)
        self._parts = [stream.getbuffer(), *(buffer.raw() for buffer in buffers)]
        self._sizes = [part.nbytes for part in self._parts]
        self._memory = written(self._parts) if hasattr(os, "memfd_create") else None

    def send(self, link: Link) -> None:
        link.send(("job", self._script, self._files))
        if self._memory is None:
            link.send_packed(bytes(self._parts[0]), self._parts[1:])
        else:
            link.send_memory(self._memory, self._sizes)

    def close(self) -> None:
        if self._memory is not None:
            os.close(self._memory)


def _script(name: str) -> dict[str, Any]:
    """How a worker imports the script that runs; ``name`` is something in it."""
    data: Any = spawn.get_preparation_data("worker")
    script: dict[str, Any] = {
        key: data[key] for key in ("init_main_from_name", "init_main_from_path") if key in data
    }
    path = script.get("init_main_from_path")
    if not script or (path is not None and not os.path.isfile(path)):
        raise RuntimeError(
            f"{name!r} is defined in an interactive session, which a worker process cannot import: write it "
            'to a module and import it from there; or use num_workers=0, or multiprocessing_context="fork"'
        )
    return script


@contextlib.contextmanager
def _without_script() -> Iterator[None]:
    """Keep ``multiprocessing`` from running the user's script in every worker: most need nothing of it."""
    with _lock:
        script = sys.modules["__main__"]
        sys.modules["__main__"] = types.ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = script


def _preload(context: Any) -> None:
    """Let the process that workers are forked from load NumPy and tensors, once for all of them."""
    server = getattr(sys.modules.get("multiprocessing.forkserver"), "_forkserver", None)
    if getattr(server, "_forkserver_pid", None) is None:
        known = getattr(server, "_preload_modules", ["__main__"])
        context.set_forkserver_preload([*(n for n in known if n != "__main__"), "genesis.data._preload"])


_warned = False


def _warn_of_script() -> None:
    global _warned
    if not _warned:
        _warned = True
        warnings.warn(
            "every worker has run this script up to its loop over the DataLoader, to find what is defined in "
            'it; put what should run once under `if __name__ == "__main__":`',
            stacklevel=5,
        )
