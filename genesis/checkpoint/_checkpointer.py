"""Saving a whole training now and then, and going on after any interruption."""

from __future__ import annotations

import logging
import math
import os
import re
import signal
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, TypeVar

import numpy as np

from genesis._errors import OutOfMemoryError
from genesis._line import Line
from genesis.checkpoint import _format, _parts, _state
from genesis.checkpoint._folder import CheckpointFolder, Place
from genesis.checkpoint._tree import Array

C = TypeVar("C", bound="Checkpointer")

_log = logging.getLogger("genesis.checkpoint")
_RESERVED = ("step", "epoch", "metrics", "best", "random")
_NAME = re.compile(r"step-(\d+)\.ckpt")


class Checkpointer:
    """Saves everything that a training depends on, and restores it after any interruption, bit for bit.

    A checkpoint has the state of all parts, the random numbers of Genesis (on all devices), NumPy and
    Python, and the place in the data, also in the middle of a pass. It is copied when it is due, and a
    thread writes the copy while the training goes on. A file is complete, flushed to the disk and
    checksummed before it gets its name, so a process that is killed at any moment loses the steps since the
    last save, and nothing else.

    The folder belongs to one process at a time. The names of the files, such as ``step-00000300.ckpt``,
    count in their order, not the clock.

    Args:
        folder: where the checkpoints are; it is made.
        keep: how many of the newest to keep; None keeps all.
        every: save after so many steps, or after such a time (a ``datetime.timedelta``); None saves only
            when ``save`` or ``end_epoch`` is called and at the end.
        best: the name of a metric; the checkpoint that was saved with its best value is kept, too.
        mode: ``"min"`` if the best value is the smallest, ``"max"`` if it is the largest.
        background: False writes before ``save`` returns, and needs no memory for a copy.
        max_shard_size: a larger state is written as several files; see `genesis.save_checkpoint`.
        signals: on each of these the training is saved at the end of the step under way, and the process
            exits with 128 plus its number; a second one acts at once. Only where this is made in the main
            thread.
        parts: what to save, under names of your choice: ``model=``, ``optimizer=``, ``scheduler=``,
            ``scaler=``, ``loader=`` and others. Each has ``state_dict`` and ``load_state_dict``, or is a
            tensor, an array, a ``genesis.Generator``, or a dict or list of these and of plain values, which
            is changed in place. None is left out.

    Attributes:
        global_step: steps done.
        epoch: epochs ended.
        metrics: those that the last save was given.
        resumed_from: the file that ``resume`` read.
        signal: the number of a signal that asked for the end.

    Raises:
        CheckpointError: another process is using the folder.
        TypeError: a part has no state, or an argument is of another type.
        ValueError: an argument has another value, or a part has one of the names that a checkpoint uses
            itself.
        OSError: the folder cannot be made.

    Example:
        >>> with Checkpointer(
        ...     "run", every=100, model=model, optimizer=optimizer, scheduler=scheduler, loader=loader
        ... ) as checkpointer:
        ...     checkpointer.resume()
        ...     for epoch in range(checkpointer.epoch, 10):
        ...         for x, y in loader:
        ...             loss = train(x, y)
        ...             checkpointer.step()
        ...         checkpointer.end_epoch({"accuracy": evaluate(model)})
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        keep: int | None = 3,
        every: int | timedelta | None = None,
        best: str | None = None,
        mode: str = "min",
        background: bool = True,
        max_shard_size: int | str | None = "2GiB",
        signals: Iterable[int] = (signal.SIGTERM,),
        **parts: Any,
    ) -> None:
        if keep is not None and (isinstance(keep, bool) or not isinstance(keep, int) or keep < 1):
            raise ValueError(f"keep is how many checkpoints to keep, at least 1, or None; got {keep!r}")
        _check_every(every)
        if mode not in ("min", "max"):
            raise ValueError(f"mode is 'min' or 'max', got {mode!r}")
        for name, part in parts.items():
            if name in _RESERVED:
                raise ValueError(
                    f"{name!r} is what a checkpoint has itself; pass this part under another name"
                )
            _state.check_part(part, name)
        self.parts = parts
        self.global_step, self.epoch = 0, 0
        self.metrics: dict[str, float] = {}
        self.resumed_from: Path | None = None
        self._keep, self._every, self._metric, self._mode = keep, every, best, mode
        self._limit = _parts.size(max_shard_size)
        self._best: dict[str, Any] | None = None
        self._saved: tuple[int, int] | None = None  # step and epoch of the last save
        self._saved_at = time.monotonic()
        self._copies: dict[str, Array] | None = {} if background else None
        self._thread: Line | None = None
        self._owner = os.getpid()  # the process whose thread it is; 0 when it is closed
        self._failure: BaseException | None = None  # of the last save, until somebody is told
        self.signal: int | None = None
        self._handlers: dict[int, Any] = {}
        self._folder = CheckpointFolder(folder, self._place, self._claims)
        self.path = self._folder.path
        try:
            if background:
                # It starts now: when memory is short, Python may wait forever for a thread that cannot begin.
                self._thread = Line()
            if threading.current_thread() is threading.main_thread():
                for number in signals:
                    self._handlers[number] = signal.getsignal(number)
                    signal.signal(number, _noting(self))
        except BaseException:
            self.close()
            raise

    _claims = True  # a folder of one's own

    # -- the loop ----------------------------------------------------------------------------------
    def resume(self, map_location: Any = None) -> int:
        """Restore the newest good checkpoint of the folder into the parts; call it before the first step.

        A damaged checkpoint is renamed to ``….damaged``, with a warning, and the one before it is used.
        Where it was saved after the last step of an epoch, the loop over the loader has no batch left: what
        follows it should not need a variable of the loop's body.

        Args:
            map_location: where to read tensors to, as in `genesis.load_checkpoint`.

        Returns:
            The number of steps done, 0 if nothing was saved yet.

        Raises:
            CheckpointError: there are checkpoints, and none of them is good.
            ValueError: a checkpoint has other parts, or the state of a part does not fit.
        """
        self.wait()
        found = self._folder.load(map_location)
        if found is None:
            return 0
        state, path = self._converted(found[0]), found[1]
        expected = [name for name, part in self.parts.items() if part is not None]
        there = [name for name, part in state.items() if name not in _RESERVED and part is not None]
        if lacking := sorted(set(expected) ^ set(there)):
            which = "was not saved in" if lacking[0] in expected else "was saved in"
            how = "is given here" if lacking[0] in expected else "is not given here"
            raise ValueError(
                f"{lacking[0]!r} {which} {str(path)!r} and {how}: resume with the parts that the training "
                f"began with ({', '.join(there)}); genesis.load_checkpoint reads the file without any"
            )
        for name in expected:
            _state.restore(self.parts[name], state[name], name)
        self.global_step, self.epoch = state["step"], state.get("epoch", 0)
        self.metrics, self._best = dict(state.get("metrics", {})), state.get("best")
        _state.set_random_state(state["random"])  # last: loading may draw
        self._saved, self._saved_at = (self.global_step, self.epoch), time.monotonic()
        self.resumed_from = path
        return self.global_step

    def step(self, metrics: Mapping[str, Any] | None = None) -> None:
        """Count a step that is done, and save if that is due; call it at the end of each step.

        Args:
            metrics: numbers to save beside the state.

        Raises:
            CheckpointError: an earlier save failed, or this one without ``background``.
            SystemExit: a signal asked for the end, and all is saved.
        """
        self.global_step += 1
        if self._failure is not None:
            self.wait()  # raises it
        if self.due:
            self.save(metrics)
        self._stop_if_asked()

    def end_epoch(self, metrics: Mapping[str, Any] | None = None) -> None:
        """Count an epoch that is done, and save; call it last in the loop over epochs. See `step`."""
        self.epoch += 1
        self.save(metrics)
        self._stop_if_asked()

    @property
    def due(self) -> bool:
        """Whether it is time to save, by ``every`` or because of a signal."""
        if self.signal is not None:
            return True
        if isinstance(self._every, timedelta):
            return time.monotonic() - self._saved_at >= self._every.total_seconds()
        return self._every is not None and self.global_step % self._every == 0

    # -- saving ------------------------------------------------------------------------------------
    def save(self, metrics: Mapping[str, Any] | None = None) -> Path:
        """Save now; in the background, unless it was switched off. A save under way is waited for first.

        Args:
            metrics: numbers to save beside the state.

        Returns:
            The file, which is there when ``wait`` has returned.

        Raises:
            CheckpointError: the file cannot be written, or an earlier one could not.
            OutOfMemoryError: there is no memory for the copy.
            TypeError, ValueError: a part's state holds what a checkpoint cannot.
            RuntimeError: this is closed, or was made by the process that this one was forked from.
        """
        if self._owner != os.getpid():
            raise RuntimeError(
                "this Checkpointer is closed; make another one for the folder"
                if self._owner == 0
                else f"this Checkpointer belongs to process {self._owner}, from which this one was forked: "
                "only that one saves"
            )
        self.wait()
        path = self.path / self._name()
        self.metrics = {name: float(value) for name, value in (metrics or {}).items()}
        best = self._considered(path.name)
        state: dict[str, Any] = {name: _state.state_of(part) for name, part in self.parts.items()}
        state |= {
            "step": self.global_step,
            "epoch": self.epoch,
            "metrics": self.metrics,
            "best": best,
            "random": _state.random_state(),
        }
        with _saying_what_lacks():
            snapshot = _format.take(state, None if self._copies is None else self._copy)
        if self._thread is None:
            self._write(snapshot, path, best)
        else:
            self._thread.give(partial(self._write_later, snapshot, path, best))
        self._saved, self._saved_at = (self.global_step, self.epoch), time.monotonic()
        return path

    def wait(self) -> None:
        """Return when the last save is on the disk.

        Raises:
            CheckpointError: it failed.
        """
        if self._thread is not None and self._owner == os.getpid():
            # Behind every save that the thread was given, also one whose caller was interrupted just then:
            # what it writes from must not change meanwhile.
            self._thread.wait()
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def newest(self) -> Path | None:
        """The newest checkpoint on the disk, unread."""
        return next(iter(self._folder.newest_first()), None)

    def best(self) -> Path | None:
        """The checkpoint with the best value of the metric."""
        path = self.path / self._best["file"] if self._best else None
        return path if path is not None and path.exists() else None

    def _copy(self, name: str, array: Array) -> Array:
        """A copy of an array in memory that is used again by the next save."""
        assert self._copies is not None
        copy = self._copies.get(name)
        if copy is None or copy.shape != array.shape or copy.dtype != array.dtype:
            copy = self._copies[name] = np.empty(array.shape, array.dtype)
        np.copyto(copy, array)
        return copy

    def _write(self, snapshot: _format.Snapshot, path: Path, best: dict[str, Any] | None) -> None:
        with _saying_what_lacks():
            _format.write(snapshot, path, self._limit)
        self._best = best  # now that it is there
        self._folder.remove(self._outdated(self._folder.newest_first(), best["file"] if best else ""))

    def _write_later(self, snapshot: _format.Snapshot, path: Path, best: dict[str, Any] | None) -> None:
        try:
            self._write(snapshot, path, best)
        except BaseException as error:
            self._failure = error

    def _considered(self, name: str) -> dict[str, Any] | None:
        """The best one if the file that is about to be written is there."""
        value = self.metrics.get(self._metric or "", math.nan)
        sign = 1 if self._mode == "min" else -1
        if value == value and (self._best is None or sign * value < sign * self._best["value"]):
            return {"file": name, "step": self.global_step, "value": value}
        return self._best

    # -- what other kinds of folders do otherwise --------------------------------------------------
    def _name(self) -> str:
        return f"step-{self.global_step:08d}.ckpt"

    def _place(self, name: str) -> Place | None:
        match = _NAME.fullmatch(name)
        return (int(match[1]),) if match else None

    def _outdated(self, newest_first: list[Path], best: str) -> list[Path]:
        if self._keep is None:
            return []
        return [path for path in newest_first[self._keep :] if path.name != best]

    def _converted(self, state: dict[str, Any]) -> dict[str, Any]:
        return state

    # -- the end -----------------------------------------------------------------------------------
    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.signal is not None:  # the second time
            self._restore_handlers()
            os.kill(os.getpid(), number)
            return
        self.signal = number

    def _stop_if_asked(self) -> None:
        if self.signal is None:
            return
        if self._saved != (self.global_step, self.epoch):
            self.save()
        self.wait()
        name, newest = signal.Signals(self.signal).name, self.newest()
        _log.warning(
            "%s: step %d is saved in %s; the training can go on from there", name, self.global_step, newest
        )
        raise SystemExit(128 + self.signal)

    def close(self) -> None:
        """Wait for a save under way, and give up the folder and the signals; a ``with`` statement does it."""
        try:
            self.wait()
        finally:
            try:
                if self._thread is not None and self._owner == os.getpid():
                    self._thread.wait()  # also after an interrupt of the wait above
                self._thread = None
            finally:
                self._owner = 0
                self._folder.close()
                self._restore_handlers()

    def _restore_handlers(self) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._handlers = {}

    def __enter__(self: C) -> C:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Save what was done since the last save, unless an error ended the block in the middle of a step."""
        try:
            if kind is None and self._saved != (self.global_step, self.epoch):
                self.save()
        finally:
            try:
                self.close()
            except Exception as failed:
                if kind is None:
                    raise
                _log.error("%s", failed)  # the error that ended the block is the one to raise


def _noting(checkpointer: Checkpointer) -> Callable[[int, FrameType | None], None]:
    """A handler for signals that does not keep a training alive which nobody has closed."""
    seen = weakref.ref(checkpointer)

    def note(number: int, frame: FrameType | None) -> None:
        found = seen()
        if found is None:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        else:
            found._note(number, frame)

    return note


class _saying_what_lacks:
    """A context in which Python's lack of memory becomes a sentence."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, MemoryError):
            raise OutOfMemoryError(
                "there is not enough memory to save a checkpoint; the last one is as it was. A state is "
                "copied before it is written: background=False saves without a copy"
            ) from error


def _check_every(every: object) -> None:
    if every is None or (isinstance(every, timedelta) and every > timedelta(0)):
        return
    if isinstance(every, int | timedelta) and not isinstance(every, bool):
        if isinstance(every, int) and every > 0:
            return
        raise ValueError(f"every is a number of steps or a time, larger than 0, or None; got {every!r}")
    raise TypeError(
        "every is a number of steps, a datetime.timedelta such as timedelta(minutes=10), or None; "
        f"got {every!r}"
    )
