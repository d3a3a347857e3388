"""Tables for resampling with a filter as wide as the old pixels that a new one covers, and for bytes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from genesis.ops.resampling import Table, resample

Array = np.ndarray[Any, Any]


def _triangle(x: Array) -> Any:
    return np.maximum(1 - np.abs(x), x.dtype.type(0))


def _keys(x: Array) -> Any:
    """Keys, IEEE Trans. ASSP 29 (1981), equation 4, with a = -0.5, as in Pillow."""
    x, a = np.abs(x), x.dtype.type(-0.5)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return np.where(x < 1, near, np.where(x < 2, far, x.dtype.type(0)))


@lru_cache(512)
def antialiased(size: int, out: int, align: bool, scale: float | None, exact: Any, cubic: bool) -> Table:
    """The filter is stretched by the ratio of the sizes where that makes the image smaller.

    It is evaluated at the centres of the old pixels, and its weights are divided by their sum.
    """
    if align:
        ratio = exact(size - 1) / exact(out - 1) if out > 1 else exact(0)
    else:
        ratio = exact(1.0 / scale) if scale is not None and scale > 0 else exact(size) / exact(out)
    stretch = max(ratio, exact(1))
    support = exact(2 if cubic else 1) * stretch
    centre = ratio * (np.arange(out).astype(exact) + exact(0.5))
    first = np.maximum((centre - support + exact(0.5)).astype(np.int64), 0)
    stop = np.minimum((centre + support + exact(0.5)).astype(np.int64), size)
    steps = np.arange(max(int((stop - first).max(initial=1)), 1))
    at = (steps + first[:, None]).astype(exact) - centre[:, None] + exact(0.5)
    weight = np.where(
        steps < (stop - first)[:, None], (_keys if cubic else _triangle)(at / stretch), exact(0)
    )
    total = weight.sum(1, keepdims=True)
    places = np.minimum(first[:, None] + steps, size - 1)
    return Table(places, weight / np.where(total == 0, exact(1), total))


def resample_bytes(x: Any, *, axis: int, table: Table) -> Any:
    """``resample`` of uint8 with weights of 15 bits and a rounded result, as Pillow and PyTorch do it."""
    from genesis._dtypes import int32, uint8

    if table.weight is None:
        return resample(x, axis=axis, table=table)
    weight = table.weight.astype(np.float64)
    for k in range(1, weight.shape[1]):  # those beyond the edge are one
        same = table.places[:, k] == table.places[:, k - 1]
        weight[:, k] += np.where(same, weight[:, k - 1], 0)
        weight[:, k - 1] *= ~same
    largest, bits = float(weight.max()), 0
    while bits < 22 and int(0.5 + largest * (1 << (bits + 1))) < 1 << 15:
        bits += 1
    scaled = weight * (1 << bits)
    whole = np.trunc(scaled + np.copysign(0.5, scaled)).astype(np.int32)
    total = resample(x.to(int32), axis=axis, table=Table(table.places, whole))
    return ((total + (1 << (bits - 1))) >> bits).clamp(0, 255).to(uint8)
