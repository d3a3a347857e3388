"""A table of faults and what became of the training."""

from __future__ import annotations

import dataclasses
import time


@dataclasses.dataclass
class Row:
    """A kind of fault.

    Attributes:
        fault: What was done.
        how: Where and when.
        injected, survived: How often.
        notes: Numbers that say more.
        failures: What went wrong, one text each.
    """

    fault: str
    how: str
    injected: int = 0
    survived: int = 0
    notes: str = ""
    failures: list[str] = dataclasses.field(default_factory=list)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self._began = time.monotonic()

    def count(self, problem: str, what: str = "") -> None:
        """A fault was injected; a problem is what should not have become of it."""
        self.injected += 1
        self.seconds = time.monotonic() - self._began
        if problem:
            self.failures.append(f"{what}: {problem}" if what else problem)
        else:
            self.survived += 1

    @property
    def lost(self) -> int:
        return self.injected - self.survived

    def cells(self) -> tuple[str, ...]:
        return self.fault, self.how, str(self.injected), str(self.survived), str(self.lost), self.notes
