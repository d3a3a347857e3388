"""Words and tables on the terminal, or in a pipe."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def console() -> Console:
    """Return where results are printed; in a pipe no line is broken, so that `grep` finds whole entries."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 10_000)


def complain(message: str, label: str = "error") -> None:
    """Print a message to standard error, in colour where that is a terminal."""
    start, end = ("\033[1;31m", "\033[0m") if sys.stderr.isatty() else ("", "")
    print(f"{start}{label}:{end} {message}", file=sys.stderr)


def warn(message: str) -> None:
    """Print a warning to standard error."""
    start, end = ("\033[1;33m", "\033[0m") if sys.stderr.isatty() else ("", "")
    print(f"{start}warning:{end} {message}", file=sys.stderr)


def show_warnings_plainly() -> None:
    """Print Python's warnings as sentences, without the line of code that they came from."""

    def show(message: Warning | str, category: type[Warning], *place: Any) -> None:
        warn(str(message) if issubclass(category, UserWarning) else f"{category.__name__}: {message}")

    warnings.showwarning = show  # type: ignore[assignment] # it takes the place in any form


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], wrap: int | None = None) -> None:
    """Print rows under headings.

    Args:
        headings: One for each column; a column with nothing in it is left out.
        rows: Texts.
        wrap: The column that is broken into lines where the terminal is too narrow; the last by default.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    rows = [list(row) for row in rows]
    kept = [i for i in range(len(headings)) if any(row[i] for row in rows)]
    wide = len(headings) - 1 if wrap is None else wrap
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for i in kept:
        shown.add_column(headings[i], no_wrap=i != wide, overflow="fold")
    for row in rows:
        shown.add_row(*(Text(row[i]) for i in kept))
    console().print(shown)
