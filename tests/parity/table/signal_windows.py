"""Windows of signal processing."""

from __future__ import annotations

from typing import Any

import torch

from table._entry import Entry, S

# fmt: off
# ruff: noqa: E501 - a table


def window(name: str, *samples: dict[str, Any], errors: Any = (), **first: Any) -> Entry:
    calls = [S(n, sym=sym, **first) for n in (0, 1, 2, 7) for sym in (True, False)]
    more = [S(6, dtype=torch.float64, **first), *(S(5, **{**first, **options}) for options in samples)]
    refused = [S(-1, **first), S(3, dtype=torch.int64, **first), S(3, sparse=True, **first), *errors]
    return Entry(f"signal.windows.{name}", [*calls, *more], errors=refused)


ENTRIES = [
    *[window(name) for name in ("bartlett", "blackman", "cosine", "hamming", "hann", "nuttall")],
    window("exponential", {"tau": 3.0}, {"center": 1.5, "sym": False}, errors=[S(3, tau=0.0), S(3, center=1)]),
    window("gaussian", {"std": 2.5}, errors=[S(3, std=0)]),
    window("general_cosine", {"a": [0.4, 0.3, 0.2, 0.1]}, a=[0.46, 0.23, 0.31], errors=[S(3, a=[]), S(3, a=0.5), S(3)]),
    window("general_hamming", {"alpha": 0.7}),
    window("kaiser", {"beta": 3.0}, {"beta": 0.0}, errors=[S(3, beta=-1.0)]),
]
