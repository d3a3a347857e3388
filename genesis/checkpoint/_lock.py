"""One process at a time in a folder."""

from __future__ import annotations

import errno
import gc
import os
import platform
import warnings
import weakref
from functools import partial
from pathlib import Path
from typing import Any

from genesis._errors import CheckpointError

_held: list[weakref.ref[FolderLock]] = []  # no WeakSet: an interrupt in what it does at an end would be lost


class FolderLock:
    """A claim on a folder, which ends with `release` or with the process, however that ends.

    The file ``.lock`` in the folder says whose it is. It stays there; what counts is the system's lock on it.
    What ends a claim that nobody released is no function in Python: an interrupt is lost that comes in one.

    Raises:
        FolderInUseError: another process has the folder, or another object of this one.
        OSError: the file cannot be made.
    """

    __slots__ = ("__del__", "__weakref__", "_descriptor", "path")

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._descriptor: int | None = None
        self.path = Path(folder) / ".lock"
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
        self.__del__: Any = partial(os.close, self._descriptor)
        try:
            try:
                _lock(self._descriptor)
            except BlockingIOError:
                gc.collect()  # a training of this process that was interrupted, and which nobody closed
                _lock(self._descriptor)
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, f"{os.getpid()} {platform.node()}\n".encode())
        except BlockingIOError:
            owner = self._owner()
            self.release()
            raise FolderInUseError(
                f"{owner} is using {self.path.parent}; two would overwrite each other's files, so wait for "
                "its end or name another folder"
            ) from None
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
                if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                    return  # locked, but for the name of the owner
                self.release()
                raise
            warnings.warn(
                f"the file system of {self.path.parent} has no locks ({error.strerror}): nothing will keep "
                "a second process from writing there",
                stacklevel=4,
            )
        _held[:] = [other for other in _held if other() is not None]
        _held.append(weakref.ref(self))

    def _owner(self) -> str:
        try:
            pid, host = self.path.read_text().split()
            return f"process {int(pid)} on {host}"
        except (OSError, ValueError):
            return "another process"

    def release(self) -> None:
        """Let go of the folder."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            self.__del__ = int  # does nothing
            os.close(descriptor)


class FolderInUseError(CheckpointError):
    """Another process is writing checkpoints in this folder."""


def _lock(descriptor: int) -> None:
    try:
        import fcntl
    except ImportError:
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined] # on Windows only
        except OSError as error:
            raise BlockingIOError(error.errno, error.strerror) from None
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _forget() -> None:
    """A child that was forked must not hold on to the folder when this process is gone."""
    for seen in _held:
        lock = seen()
        if lock is not None:
            lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
