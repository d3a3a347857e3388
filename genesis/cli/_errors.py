"""How a command ends when it does not end well."""

from __future__ import annotations

FAILED = 1
MISUSED = 2
INTERRUPTED = 130


class Stopped(Exception):
    """The command stops with a message for the user and an exit code; never a traceback."""

    label = "error"
    code = FAILED


class Misuse(Stopped):
    """What the user asked for cannot be done as it was asked for."""

    code = MISUSED


class Interrupted(Stopped):
    """A signal asked the command to stop, and it has saved what there is."""

    label = "interrupted"

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.code = 128 + signal_number  # as shells report it
