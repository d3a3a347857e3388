"""resample: along one axis, each element the weighted sum of a few old ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from genesis.backend import Backend, View
from genesis.ops.resampling import Table
from genesis_cpu._kernel import Kernel, launch, parts
from genesis_cpu._memory import address, empty
from genesis_cpu.kernels.map import contiguous

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import int64_pointer, real, reals, slot


def _forward(args, lo, hi):
    """Outer indices; the elements after the axis follow one another."""
    places, weights = int64_pointer(slot(args, 2)), reals(slot(args, 3))
    old, new, terms, inner, size = slot(args, 4), slot(args, 5), slot(args, 6), slot(args, 7), slot(args, 8)
    for outer in range(lo, hi):
        x = reals(slot(args, 1) + outer * old * inner * size)
        out = reals(slot(args, 0) + outer * new * inner * size)
        if not slot(args, 3):
            if inner == 1:
                for i in range(new):
                    out[i] = x[places[i]]
            else:
                for i in range(new):
                    a, b = i * inner, places[i] * inner
                    for j in range(inner):
                        out[a + j] = x[b + j]
        elif inner == 1:
            if terms == 2:
                for i in range(new):
                    first = x[places[2 * i]] * weights[2 * i]
                    out[i] = first + x[places[2 * i + 1]] * weights[2 * i + 1]
            else:
                for i in range(new):
                    total = real(0)
                    for k in range(terms * i, terms * (i + 1)):
                        total += x[places[k]] * weights[k]
                    out[i] = total
        else:
            for i in range(new):
                a = i * inner
                for k in range(terms):
                    b, w = places[terms * i + k] * inner, weights[terms * i + k]
                    if k == 0:
                        for j in range(inner):
                            out[a + j] = x[b + j] * w
                    else:
                        for j in range(inner):
                            out[a + j] += x[b + j] * w


def _backward(args, lo, hi):
    """Each old element collects what it gave: entries ``starts[i]`` to ``starts[i + 1]`` of the lists."""
    places, weights, starts = int64_pointer(slot(args, 2)), reals(slot(args, 3)), int64_pointer(slot(args, 4))
    old, new, inner, size = slot(args, 5), slot(args, 6), slot(args, 7), slot(args, 8)
    for outer in range(lo, hi):
        gx = reals(slot(args, 0) + outer * old * inner * size)
        g = reals(slot(args, 1) + outer * new * inner * size)
        if inner == 1:
            for i in range(old):
                total = real(0)
                for k in range(starts[i], starts[i + 1]):
                    total += g[places[k]] * weights[k]
                gx[i] = total
        else:
            for i in range(old):
                a = i * inner
                for j in range(inner):
                    gx[a + j] = real(0)
                for k in range(starts[i], starts[i + 1]):
                    b, w = places[k] * inner, weights[k]
                    for j in range(inner):
                        gx[a + j] += g[b + j] * w


forward, backward = Kernel(_forward), Kernel(_backward)
_kept: dict[tuple[int, str], _Lists] = {}


class _Lists:
    """The arrays of a table, and those of its transpose, in the type of the elements.

    Attributes:
        terms: how many new elements each old one is part of, if these are equally many, else 0.
    """

    def __init__(self, table: Table, name: str, old: int) -> None:
        self.table = table
        places = np.ascontiguousarray(table.places, np.int64)
        terms = places.shape[1]
        weights = np.ones(places.shape) if table.weight is None else table.weight
        order = np.argsort(places.reshape(-1), kind="stable")
        counts = np.bincount(places.reshape(-1), minlength=old)
        self.terms = int(counts[0]) if (counts == counts[0]).all() else 0
        self.places = places
        self.weights = None if table.weight is None else np.ascontiguousarray(weights, name)
        self.back_places = np.ascontiguousarray(order // terms, np.int64)
        self.back_weights = np.ascontiguousarray(weights.reshape(-1)[order], name)
        self.starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self.forward = (places.ctypes.data, 0 if self.weights is None else self.weights.ctypes.data)
        self.backward = tuple(a.ctypes.data for a in (self.back_places, self.back_weights, self.starts))


def _lists(table: Table, name: str, old: int) -> _Lists:
    """The arrays, kept for as long as they come again."""
    key = (id(table.places), name)
    found = _kept.get(key)
    if found is None or found.table.places is not table.places or len(found.starts) != old + 1:
        if len(_kept) > 512:  # a program whose sizes never repeat must not grow
            _kept.clear()
        found = _kept[key] = _Lists(table, name, old)
    return found


def resample(backend: Backend, x: View, *, axis: int, table: Table) -> Any:
    """``out[..., i, ...] = sum_k weight[i, k] x[..., places[i, k], ...]``."""
    if not x.size or not x.dtype.is_floating_point:
        return NotImplemented
    x = contiguous(x)
    new, terms = table.places.shape
    out = empty((*x.shape[:axis], new, *x.shape[axis + 1 :]), x.dtype, x.buffer.device)
    outer, inner = math.prod(x.shape[:axis]), math.prod(x.shape[axis + 1 :])
    words = (
        address(out), address(x), *_lists(table, x.dtype.name, x.shape[axis]).forward, x.shape[axis], new,
        terms, inner, x.dtype.itemsize,
    )  # fmt: skip
    launch(forward(x.dtype.name), outer, parts(out.size * terms, outer), words)
    return out


def resample_backward(
    backend: Backend, needs: Sequence[bool], grad: View, x: View, *, axis: int, table: Table
) -> Any:
    """The gradient of each element at all that it is made of."""
    if not grad.size or not x.dtype.is_floating_point or grad.dtype is not x.dtype:
        return NotImplemented
    grad = contiguous(grad)
    new, terms = table.places.shape
    gx = empty(x.shape, x.dtype, x.buffer.device)
    outer, inner = math.prod(x.shape[:axis]), math.prod(x.shape[axis + 1 :])
    old, size, lists = x.shape[axis], x.dtype.itemsize, _lists(table, x.dtype.name, x.shape[axis])
    cut = parts(grad.size * terms, outer)
    where = (address(gx), address(grad), *lists.backward)
    if lists.terms:  # it is resampling, too
        words = (*where[:4], new, old, lists.terms, inner, size)
        launch(forward(x.dtype.name), outer, cut, words)
    else:
        launch(backward(x.dtype.name), outer, cut, (*where, old, new, inner, size))
    return (gx,)
