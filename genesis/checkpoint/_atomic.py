"""Replace a file completely or not at all, whatever happens in between."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[str]:
    """Yield the name of a temporary file that becomes ``path`` when the block ends without an error.

    The temporary file lies in the same folder, is flushed to the disk and renamed; then the folder is
    flushed, so that the new file is still there after a power cut. If the block or any of these steps
    fails, the temporary file is removed and a file that was at ``path`` stays as it was. A process that is
    killed outright (SIGKILL) may leave a hidden temporary file, which can be deleted. A symbolic link
    at ``path`` stays a link; the permissions of an existing file are kept.

    Args:
        path: the file to write; its folder must exist.

    Raises:
        FileNotFoundError: the folder does not exist.
        OSError: the file could not be written, flushed or renamed.

    Example:
        >>> with atomic_write("metrics.csv") as temporary, open(temporary, "w") as file:
        ...     _ = file.write("step,loss\\n")
    """
    target = os.path.realpath(os.fspath(path))
    folder = os.path.dirname(target)
    if not os.path.isdir(folder):
        raise FileNotFoundError(
            errno.ENOENT, "the folder of this file does not exist; create it first", target
        )
    if os.path.isdir(target):
        raise IsADirectoryError(errno.EISDIR, "expected the name of a file, but this is a folder", target)
    temporary = os.path.join(folder, f".genesis-{secrets.token_hex(6)}.tmp")
    # Not tempfile.mkstemp: its files are readable by their owner only, whatever the umask says.
    try:
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        mode = os.stat(target if os.path.exists(target) else temporary).st_mode
        yield temporary
        os.chmod(temporary, stat.S_IMODE(mode))  # the block may have put a file of its own there
        _flush(temporary, os.O_RDWR)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    if os.name == "posix":  # other systems cannot open a folder
        try:
            _flush(folder, os.O_RDONLY)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems cannot flush a folder
                raise


def _flush(path: str, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
