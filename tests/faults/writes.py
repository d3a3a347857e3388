"""A disk that is full, can only be read, or fails, at every call to the system."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kills import counting
from report import Row
from subject import Child, Reference, folder, newest_good, train

ERRORS = {
    "a full disk": errno.ENOSPC,
    "a disk that can only be read": errno.EROFS,
    "a disk that fails": errno.EIO,
}
SMALL = 5000


def failing_calls(seed: int, step: int = 1) -> Iterator[Row]:
    """Each call to the system fails, once or from then on."""
    reference = Reference(ballast=SMALL)
    for what, number_of_error in ERRORS.items():
        row = Row(
            what[0].upper() + what[1:],
            "at each call to the system from start to end of a process, once and for good",
        )
        for options in ({}, {"max_shard_size": 8000}):
            for lasting in (False, True):
                number, reached = seed % step + 1, True
                while reached:
                    with folder() as where:
                        code, said, errors = Child(
                            lambda say, where=where, n=number, e=number_of_error, ever=lasting, o=options: (
                                _failing(where, say, n, e, ever, o)
                            )
                        ).wait()
                        reached = ["fault"] in said
                        problem = _aftermath(where, reference, code, said, errors, options)
                        if reached:
                            row.count(problem, f"call {number}{' on' if lasting else ''} {options}")
                    number += step
        yield row


def _aftermath(
    where: Path, reference: Reference, code: int, said: list[list[str]], errors: str, options: dict[str, Any]
) -> str:
    """What is wrong after a fault, when the cause of it is gone; nothing if all is well."""
    newest, bad = newest_good(where)
    if bad:
        return bad[0]
    if newest < 3:
        return "the checkpoint from before the fault is gone"
    if code not in (0, 1) or (code == 1 and not any(known in errors for known in CLEAR)):
        return f"it ended with {code}: {errors[-1000:]}"
    code, later, errors = Child(
        lambda say: train(where, say, ballast=SMALL, stop_at=newest + 2, **options)
    ).wait()
    if code:
        return f"it did not go on: {errors[-1000:]}"
    if left := [path.name for path in where.glob(".genesis-*")]:
        return f"it left {left}"
    return reference.wrong(said) or reference.wrong(later, newest)


CLEAR = ("CheckpointError: cannot write the checkpoint", "OSError: [Errno ")


def _failing(where: Path, say: Any, number: int, error: int, lasting: bool, options: dict[str, Any]) -> None:
    train(where, say, ballast=SMALL, stop_at=3, background=False, **options)
    told: list[str] = []

    def act(count: int, name: str, real: Any, args: tuple[Any, ...]) -> Any:
        if name != "close" and (count == number or (lasting and count > number)):
            if not told:
                told.append(name)
                say("fault")
            if name == "write" and len(args[1]) > 1 and error == errno.ENOSPC and count == number:
                return real(args[0], args[1][: len(args[1]) // 2])  # what still fits
            raise OSError(error, os.strerror(error))
        return real(*args)

    counting(act)
    train(where, say, ballast=SMALL, stop_at=9, **options)


def full_disks(step: int) -> Iterator[Row]:
    """File systems that are really full."""
    row = Row("A full disk", "a file system in memory of 160 to 470 kB, checkpoints kept until it is full")
    if shutil.which("unshare") is None:
        row.notes = "not done: no unshare"
    else:
        for size in range(160, 480, step):
            done = subprocess.run(
                [
                    "unshare", "-rm", "sh", "-c",
                    f'mount -t tmpfs -o size={size}k none /mnt && exec "$0" "$@"',
                    sys.executable, __file__,
                ],
                capture_output=True, text=True,
            )  # fmt: skip
            if "mount" in done.stderr and done.returncode == 32:
                row.notes = "not done: mounting is not allowed"
                break
            row.count(done.stderr[-800:] if done.returncode else "", f"{size} kB")
    yield row


def size_limits(step: int) -> Iterator[Row]:
    """Files that may not become as large as they have to."""
    reference = Reference(ballast=SMALL)
    row = Row("A limit for files", "RLIMIT_FSIZE of 0 to 40 kB: a write that ends in the middle")
    for size in range(0, 40_000, step):
        with folder() as where:
            code, said, errors = Child(lambda say, where=where, size=size: _limited(where, say, size)).wait()
            row.count(_aftermath(where, reference, code, said, errors, {}), f"{size} bytes")
    yield row


def _limited(where: Path, say: Any, size: int) -> None:
    train(where, say, ballast=SMALL, stop_at=3)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    train(where, say, ballast=SMALL, stop_at=9)


def _in_a_small_file_system() -> None:
    """What `real_disks` runs where /mnt is full soon."""
    import subject

    subject.warm_up()
    reference = Reference(ballast=SMALL)
    where = Path("/mnt/run")
    code, said, errors = Child(lambda say: train(where, say, ballast=SMALL, keep=None, every=1)).wait()
    assert code == 1, "it was not full"
    assert "CheckpointError: cannot write the checkpoint" in errors, errors
    assert "No space left on device" in errors, errors
    newest, bad = newest_good(where)
    assert newest >= 1, os.listdir(where)
    assert not bad, bad
    assert not list(where.glob(".genesis-*")), os.listdir(where)
    for path in sorted(where.glob("step-*.ckpt"))[:-2]:
        path.unlink()
    code, later, errors = Child(lambda say: train(where, say, ballast=SMALL, keep=1)).wait()
    assert code == 0, errors
    assert reference.wrong(said) + reference.wrong(later, newest) == ""


if __name__ == "__main__":
    _in_a_small_file_system()
