"""One table of what is compared with PyTorch: a module for each family, `ENTRIES` in each.

`tests/parity/test_table.py` runs it; `docs/make_compatibility.py` writes docs/compatibility.md from it.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

from table._entry import Case, Entry, Init, S

ENTRIES: list[Entry] = [
    entry
    for module in sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))
    for entry in import_module(f"table.{module}").ENTRIES
]

__all__ = ["ENTRIES", "Case", "Entry", "Init", "S"]
