"""``gather`` and ``scatter``."""

from __future__ import annotations

from typing import Any

import numpy as np

from genesis.backend import View
from genesis_cpu._memory import array


def gather(out: View, x: View, index: View, axis: int) -> None:
    """``Backend.gather``."""
    array(out)[...] = array(x)[_positions(index, axis, x.shape[axis])]


def scatter(op: str, out: View, index: View, source: View, axis: int) -> None:
    """``Backend.scatter``."""
    positions = _positions(index, axis, out.shape[axis])
    if op == "add":
        np.add.at(array(out), positions, array(source))
    else:
        array(out)[positions] = array(source)


def _positions(index: View, axis: int, length: int) -> tuple[Any, ...]:
    i = array(index)
    if i.size and (i.min() < 0 or i.max() >= length):
        bad = i[(i < 0) | (i >= length)].flat[0]
        raise IndexError(f"index {bad} is out of range for an axis of length {length}")
    grid: list[Any] = list(np.ogrid[tuple(slice(n) for n in i.shape)])
    grid[axis] = i
    return tuple(grid)
