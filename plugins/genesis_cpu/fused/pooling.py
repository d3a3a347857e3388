"""Pooling over up to three axes; the loops are in ``pooling_loops``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from genesis import int64
from genesis.backend import Backend, View
from genesis.ops.pooling import Taps, adaptive, average_lengths, sliding
from genesis_cpu._kernel import launch, parts
from genesis_cpu._memory import address, empty
from genesis_cpu.fused.pooling_loops import avg_back, avg_forward, max_back, max_forward
from genesis_cpu.kernels.map import contiguous

Sizes = tuple[int, ...]


class _Plan(NamedTuple):
    """What stands in the block after the addresses, and the tables that it points into."""

    words: tuple[int, ...]
    owner: Any


def _plan(
    spatial: Sizes,
    taps: Sequence[Taps],
    counts: Sequence[Any],
    size: int,
    known: tuple[int, int, int] = (0, 0, 0),
) -> _Plan:
    missing = 3 - len(taps)
    one = np.ones(1, np.int64)
    blocks = [
        *[one * 0] * missing, *[t.first for t in taps], *[one] * missing, *[t.length for t in taps],
        *[one] * missing, *counts,
    ]  # fmt: skip
    owner = np.concatenate([np.asarray(b, np.int64) for b in blocks])
    start, places = int(owner.ctypes.data), []
    for b in blocks:
        places.append(start)
        start += 8 * len(b)
    shape = [len(t.first) for t in taps]
    ones = (1,) * missing
    steps = (*ones, *[t.step for t in taps])
    words = (*ones, *spatial, *ones, *shape, *places, *steps, size, *known)
    return _Plan(words, owner)


@lru_cache(512)
def _sliding_plan(
    spatial: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, shape: Sizes,
    include: bool, size: int, largest: bool,
) -> _Plan:  # fmt: skip
    every = zip(spatial, shape, kernel, stride, padding, dilation, strict=True)
    taps = [sliding(*one) for one in every]
    counts = (
        [t.length for t in taps]
        if largest
        else average_lengths(spatial, kernel, stride, padding, shape, include)
    )
    inside = np.flatnonzero(taps[-1].length == kernel[-1])
    known = 0
    if len(inside) and not largest and stride[-1] == 1:
        known = 1
    elif len(inside) and len(kernel) > 1 and kernel[-1] == kernel[-2] and stride[-1] == 2:
        flat = all(k == 1 for k in kernel[:-2]) and dilation[-2:] == (1, 1)
        known = kernel[-1] if flat and kernel[-1] in ((2, 3) if largest else (2,)) else 0
    if not known:
        return _plan(spatial, taps, counts, size)
    if not largest:  # where padding counts at one side only, the divisors differ
        inside = np.flatnonzero((taps[-1].length == kernel[-1]) & (counts[-1] == kernel[-1]))
    return _plan(spatial, taps, counts, size, (known, int(inside[0]), int(inside[-1]) + 1))


@lru_cache(512)
def _adaptive_plan(spatial: Sizes, shape: Sizes, size: int) -> _Plan:
    taps = [adaptive(n, out) for n, out in zip(spatial, shape, strict=True)]
    return _plan(spatial, taps, [t.length for t in taps], size, (4 * (math.prod(shape) == 1), 0, 0))


def _largest(x: View, plan: _Plan, shape: Sizes) -> tuple[View, View]:
    x = contiguous(x)
    lead = x.shape[: x.ndim - len(shape)]
    out = empty(lead + shape, x.dtype, x.buffer.device)
    where = empty(lead + shape, int64, x.buffer.device)
    words = (address(out), address(x), address(where), *plan.words)
    rows = out.size // math.prod(shape[-2:])
    launch(max_forward(x.dtype.name), rows, parts(x.size * 4, rows), words)
    return out, where


def _largest_backward(grad: View, x: View, where: View | None, axes: int) -> Any:
    if where is None or not x.dtype.is_floating_point or grad.dtype is not x.dtype or not grad.size:
        return NotImplemented
    grad, where = contiguous(grad), contiguous(where)
    gx = empty(x.shape, x.dtype, x.buffer.device)
    inside = math.prod(x.shape[x.ndim - axes :])
    planes = x.size // inside
    words = (address(gx), address(grad), address(where), inside, grad.size // planes, x.dtype.itemsize)
    launch(max_back(x.dtype.name), planes, parts(x.size + 4 * grad.size, planes), words)
    return (gx,)


def _spatial(x: View, axes: int) -> Sizes:
    return x.shape[x.ndim - axes :]


def max_pool(
    backend: Backend, x: View, *, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, shape: Sizes
) -> Any:
    """The largest element of each window, and where it was."""
    if not x.size or x.dtype.kind == "b":
        return NotImplemented
    plan = _sliding_plan(
        _spatial(x, len(kernel)), kernel, stride, padding, dilation, shape, False, x.dtype.itemsize, True
    )
    return _largest(x, plan, shape)


def max_pool_backward(
    backend: Backend,
    needs: Sequence[bool],
    grad: View,
    x: View,
    where: View | None,
    *,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    shape: Sizes,
) -> Any:
    """The gradient of each window at its largest element."""
    return _largest_backward(grad, x, where, len(kernel))


def adaptive_max_pool(backend: Backend, x: View, *, shape: Sizes) -> Any:
    """The largest element of each window, and where it was."""
    if not x.size or x.dtype.kind == "b":
        return NotImplemented
    return _largest(x, _adaptive_plan(_spatial(x, len(shape)), shape, x.dtype.itemsize), shape)


def adaptive_max_pool_backward(
    backend: Backend, needs: Sequence[bool], grad: View, x: View, where: View | None, *, shape: Sizes
) -> Any:
    """The gradient of each window at its largest element."""
    return _largest_backward(grad, x, where, len(shape))


def _averages(x: View, plan: _Plan, shape: Sizes, override: int | None) -> View:
    x = contiguous(x)
    out = empty(x.shape[: x.ndim - len(shape)] + shape, x.dtype, x.buffer.device)
    words = (address(out), address(x), 0, *plan.words)
    rows = out.size // math.prod(shape[-2:])
    launch(avg_forward(x.dtype.name), rows, parts(x.size * 2, rows), words, (override or 0.0,))
    return out


def _averages_backward(grad: View, x: View, plan: _Plan, axes: int, override: int | None) -> Any:
    grad = contiguous(grad)
    gx = empty(x.shape, x.dtype, x.buffer.device)
    planes = x.size // math.prod(_spatial(x, axes))
    words = (address(gx), address(grad), 0, *plan.words)
    launch(avg_back(x.dtype.name), planes, parts(x.size * 2, planes), words, (override or 0.0,))
    return (gx,)


def avg_pool(
    backend: Backend,
    x: View,
    *,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    shape: Sizes,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Any:
    """The average of each window."""
    if not x.size or not x.dtype.is_floating_point:
        return NotImplemented
    ones, size = (1,) * len(kernel), x.dtype.itemsize
    spatial = _spatial(x, len(kernel))
    plan = _sliding_plan(spatial, kernel, stride, padding, ones, shape, count_include_pad, size, False)
    return _averages(x, plan, shape, divisor_override)


def avg_pool_backward(
    backend: Backend,
    needs: Sequence[bool],
    grad: View,
    x: View,
    *,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    shape: Sizes,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Any:
    """The gradient of each window, divided, at all its elements."""
    if not grad.size or not x.dtype.is_floating_point or grad.dtype is not x.dtype:
        return NotImplemented
    ones, size = (1,) * len(kernel), x.dtype.itemsize
    spatial = _spatial(x, len(kernel))
    plan = _sliding_plan(spatial, kernel, stride, padding, ones, shape, count_include_pad, size, False)
    return _averages_backward(grad, x, plan, len(kernel), divisor_override)


def adaptive_avg_pool(backend: Backend, x: View, *, shape: Sizes) -> Any:
    """The average of each window."""
    if not x.size or not x.dtype.is_floating_point:
        return NotImplemented
    plan = _adaptive_plan(_spatial(x, len(shape)), shape, x.dtype.itemsize)
    return _averages(x, plan, shape, None)


def adaptive_avg_pool_backward(
    backend: Backend, needs: Sequence[bool], grad: View, x: View, *, shape: Sizes
) -> Any:
    """The gradient of each window, divided, at all its elements."""
    if not grad.size or not x.dtype.is_floating_point or grad.dtype is not x.dtype:
        return NotImplemented
    plan = _adaptive_plan(_spatial(x, len(shape)), shape, x.dtype.itemsize)
    return _averages_backward(grad, x, plan, len(shape), None)
