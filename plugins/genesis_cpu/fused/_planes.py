"""Convolutions whose groups have very few channels: plane by plane, each tap a pass over the whole plane.

A plane is copied into a box with a border, cut by the remainders of the stride, so that for every tap the
elements of a result follow one another, from row to row.  Sums are made with the box's pitch; what lies between
its rows is dropped.  Passes are rounded up to 64 elements, so that they end with a whole vector.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from genesis.backend import View
from genesis_cpu._cache import source
from genesis_cpu._kernel import Kernel, launch
from genesis_cpu._memory import address, empty, scratch
from genesis_cpu.fused._geometry import Ints, backward_axis, three

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import accumulate, float64, fill_box, float64_pointer, fma_, int64_pointer, real, reals, slot


def fill_box(args, k, source, box, size):
    """Copy one plane into its box, whose borders are zero."""
    depth, rows, length = slot(args, k), slot(args, k + 1), slot(args, k + 2)
    sd, sr, sl = slot(args, k + 3), slot(args, k + 4), slot(args, k + 5)
    pd, pr, pl = slot(args, k + 6), slot(args, k + 7), slot(args, k + 8)
    qd, qr, ql = slot(args, k + 9), slot(args, k + 10), slot(args, k + 11)
    d0, d1 = max(0, -pd), min(depth, qd * sd - pd)
    r0, r1 = max(0, -pr), min(rows, qr * sr - pr)
    for phase in range(sl):
        first = (phase - pl) % sl
        if first < -pl:  # a negative border: the source begins inside
            first += (-pl - first + sl - 1) // sl * sl
        q = (first + pl) // sl
        n = min((length - first + sl - 1) // sl, ql - q)
        for d in range(d0, d1):
            split_d = (d + pd) % sd * sr
            place = (d + pd) // sd * qr
            split_r, place_r = (r0 + pr) % sr, (r0 + pr) // sr
            for r in range(r0, r1):
                line = reals(source + ((d * rows + r) * length + first) * size)
                at = (((split_d + split_r) * sl + phase) * qd * qr + place + place_r) * ql + q
                copy = reals(box + at * size)
                if sl == 1:
                    for i in range(n):
                        copy[i] = line[i]
                else:
                    for i in range(n):
                        copy[i] = line[i * sl]
                split_r += 1
                if split_r == sr:
                    split_r = 0
                    place_r += 1


def _filter(args, lo, hi):
    """Units (image, group): the results of a group from the planes of a group."""
    out, x, weight, bias = slot(args, 0), slot(args, 1), slot(args, 2), slot(args, 3)
    room, room_size, size, units, parts = slot(args, 4), slot(args, 5), slot(args, 6), slot(args, 7), slot(args, 8)
    groups, planes, results = slot(args, 9), slot(args, 10), slot(args, 11)
    per_group, per_plane, per_result = slot(args, 12), slot(args, 13), slot(args, 14)
    phases, table, box_size, plane_size, out_size = (
        slot(args, 15), slot(args, 16), slot(args, 17), slot(args, 18), slot(args, 19)
    )  # fmt: skip
    ql, qr = slot(args, 31), slot(args, 30)
    out_rows, out_length = slot(args, 32), slot(args, 33)
    for part in range(lo, hi):
        box = room + part * room_size
        sums_at = box + planes * box_size + 64 * size
        border = reals(box)
        for i in range(planes * box_size // size + 64):
            border[i] = real(0)
        for unit in range(units * part // parts, units * (part + 1) // parts):
            g = unit % groups
            for i in range(planes):
                fill_box(args, 20, x + (unit * planes + i) * plane_size, box + i * box_size, size)
            for result in range(results):
                start = real(0)
                if bias:
                    start = reals(bias)[g * results + result]
                target = out + (unit * results + result) * out_size
                for phase in range(phases):
                    entry = int64_pointer(table + 96 * phase)
                    count, offs, which = entry[0], int64_pointer(entry[1]), int64_pointer(entry[2])
                    nd, nr, nl = entry[3], entry[4], entry[5]
                    span = (((nd - 1) * qr + nr - 1) * ql + nl + 63) // 64 * 64
                    sums = reals(sums_at)
                    for p in range(span):
                        sums[p] = start
                    for i in range(planes):
                        w = reals(weight + (g * per_group + i * per_plane + result * per_result) * size)
                        source = box + i * box_size
                        t = 0
                        while t + 4 <= count:
                            x0, x1 = reals(source + offs[t]), reals(source + offs[t + 1])
                            x2, x3 = reals(source + offs[t + 2]), reals(source + offs[t + 3])
                            w0, w1, w2, w3 = w[which[t]], w[which[t + 1]], w[which[t + 2]], w[which[t + 3]]
                            for p in range(span):
                                s = fma_(w0, x0[p], sums[p])
                                s = fma_(w1, x1[p], s)
                                s = fma_(w2, x2[p], s)
                                sums[p] = fma_(w3, x3[p], s)
                            t += 4
                        while t < count:
                            x0, w0 = reals(source + offs[t]), w[which[t]]
                            for p in range(span):
                                sums[p] = fma_(w0, x0[p], sums[p])
                            t += 1
                    d0, r0, l0 = entry[6], entry[7], entry[8]
                    step_d, step_r, step_l = entry[9], entry[10], entry[11]
                    for d in range(nd):
                        for r in range(nr):
                            given = reals(sums_at + (d * qr + r) * ql * size)
                            at = ((d0 + d * step_d) * out_rows + r0 + r * step_r) * out_length + l0
                            line = reals(target + at * size)
                            if step_l == 1:
                                for k in range(nl):
                                    line[k] = given[k]
                            else:
                                for k in range(nl):
                                    line[k * step_l] = given[k]


def _slopes(args, lo, hi):
    """Groups: the gradient of their weights (and of the bias), over all images in order."""
    out, x, grad, bias = slot(args, 0), slot(args, 1), slot(args, 2), slot(args, 3)
    room, room_size, size, batch, parts = slot(args, 4), slot(args, 5), slot(args, 6), slot(args, 7), slot(args, 8)
    groups, planes, results = slot(args, 9), slot(args, 10), slot(args, 11)
    table, box_size, plane_size, grad_size = slot(args, 12), slot(args, 13), slot(args, 14), slot(args, 15)
    ql, qr = slot(args, 31), slot(args, 30)
    entry = int64_pointer(table)
    count, offs = entry[0], int64_pointer(entry[1])
    nd, nr, nl = entry[3], entry[4], entry[5]
    span = (((nd - 1) * qr + nr - 1) * ql + nl + 63) // 64 * 64
    for part in range(lo, hi):
        box = room + part * room_size
        laid = box + planes * box_size + 64 * size
        totals_at = laid + span * size
        totals = float64_pointer(totals_at)
        border = reals(box)
        for i in range(planes * box_size // size + 64 + span):
            border[i] = real(0)
        wanted = planes * count
        for g in range(groups * part // parts, groups * (part + 1) // parts):
            for i in range(results * (wanted + 1)):
                totals[i] = 0.0
            for n in range(batch):
                for i in range(planes):
                    fill_box(args, 20, x + ((n * groups + g) * planes + i) * plane_size, box + i * box_size, size)
                for result in range(results):
                    source = grad + ((n * groups + g) * results + result) * grad_size
                    for d in range(nd):
                        for r in range(nr):
                            line = reals(source + (d * nr + r) * nl * size)
                            copy = reals(laid + (d * qr + r) * ql * size)
                            for k in range(nl):
                                copy[k] = line[k]
                    given = reals(laid)
                    base = result * (wanted + 1)
                    if bias:
                        s0 = real(0)
                        for p in range(span):
                            s0 = accumulate(s0, given[p])
                        totals[base + wanted] += float64(s0)
                    for i in range(planes):
                        plane = box + i * box_size
                        t = 0
                        while t + 3 <= count:
                            x0, x1, x2 = (
                                reals(plane + offs[t]), reals(plane + offs[t + 1]), reals(plane + offs[t + 2])
                            )  # fmt: skip
                            s0, s1, s2 = real(0), real(0), real(0)
                            for p in range(span):
                                s0 = accumulate(s0, given[p] * x0[p])
                                s1 = accumulate(s1, given[p] * x1[p])
                                s2 = accumulate(s2, given[p] * x2[p])
                            totals[base + i * count + t] += float64(s0)
                            totals[base + i * count + t + 1] += float64(s1)
                            totals[base + i * count + t + 2] += float64(s2)
                            t += 3
                        while t < count:
                            x0 = reals(plane + offs[t])
                            s0 = real(0)
                            for p in range(span):
                                s0 = accumulate(s0, given[p] * x0[p])
                            totals[base + i * count + t] += float64(s0)
                            t += 1
            for result in range(results):
                line = reals(out + (g * results + result) * wanted * size)
                for i in range(wanted):
                    line[i] = real(totals[result * (wanted + 1) + i])
                if bias:
                    reals(bias)[g * results + result] = real(totals[result * (wanted + 1) + wanted])


def _with_box(function: Any) -> Kernel:
    return Kernel(function, "from numba import njit\n\n\n@njit(error_model='numpy')\n" + source(fill_box))


filters, slopes = _with_box(_filter), _with_box(_slopes)


class Plan(NamedTuple):
    """What both kernels know of a shape: the box, the words for ``fill_box``, and the table of phases."""

    box: int
    span: int
    fill: tuple[int, ...]
    table: np.ndarray[Any, Any]
    owner: Any


@lru_cache(256)
def _plan(
    transposed: bool, itemsize: int, origin: Ints, kernel: Ints, size: Ints, stride: Ints, padding: Ints,
    dilation: Ints,
) -> Plan:  # fmt: skip
    """``origin`` and ``size``: the axes of a plane of the source, and of a plane of the result."""
    origin, kernel, size = three(origin, 1), three(kernel, 1), three(size, 1)
    stride, padding, dilation = three(stride, 1), three(padding, 0), three(dilation, 1)
    steps = [np.arange(k) for k in kernel]
    # of each axis and phase: taps (place in the box), which of the kernel, length, first and step in the result
    axes: list[list[tuple[Any, Any, int, int, int]]] = []
    if transposed:
        split, front, box = (1, 1, 1), [0, 0, 0], [1, 1, 1]
        for i, numbers in enumerate(zip(size, kernel, stride, padding, dilation, strict=True)):
            found = backward_axis(*numbers)
            low = min((int(a.pixels[0] + a.taps.min()) for a in found if len(a.taps)), default=0)
            high = max((int(a.pixels[-1] + a.taps.max()) for a in found if len(a.taps)), default=0)
            front[i], box[i] = -low, high - low + 1
            axes.append(
                [
                    (a.taps + a.pixels[0] - low, a.kernel, len(a.pixels), int(a.target[0]), stride[i])
                    for a in found
                ]
            )
    else:
        split, front = stride, list(padding)
        reach = [s * d for s, d in zip(steps, dilation, strict=True)]
        box = [n + int(r[-1]) // s for n, r, s in zip(size, reach, stride, strict=True)]
        axes = [[(r, k, n, 0, 1)] for r, k, n in zip(reach, steps, size, strict=True)]
    table, owner = [], []
    for combination in product(*axes):
        taps = np.zeros(1, np.int64)
        part = np.zeros(1, np.int64)
        which = np.zeros(1, np.int64)
        for (places, mine, _, _, _), s, b, k in zip(combination, split, box, kernel, strict=True):
            part = np.add.outer(part * s, places % s).reshape(-1)
            taps = np.add.outer(taps * b, places // s).reshape(-1)
            which = np.add.outer(which * k, mine).reshape(-1)
        offsets = (part * math.prod(box) + taps) * itemsize
        owner += [offsets, which]
        table.append(
            [
                len(offsets), offsets.ctypes.data, which.ctypes.data, *[c[2] for c in combination],
                *[c[3] for c in combination], *[c[4] for c in combination],
            ]
        )  # fmt: skip
    whole = math.prod(split) * math.prod(box) * itemsize
    longest = max(((row[3] - 1) * box[1] + row[4] - 1) * box[2] + row[5] for row in table)
    return Plan(
        whole, (longest + 192) * itemsize, (*origin, *split, *front, *box), np.array(table, np.int64), owner
    )


def suits(channels: int, results: int) -> bool:
    """Whether groups of so many channels are better done plane by plane."""
    return channels * results <= 3


def run(
    transposed: bool, x: View, weight: View, bias: View | None, groups: int, size: Ints, threads: int,
    **geometry: Ints,
) -> View:  # fmt: skip
    """A convolution, or a transpose, of contiguous views."""
    dtype = x.dtype
    batch, channels, *origin = x.shape
    planes = channels // groups
    results = weight.shape[1] if transposed else weight.shape[0] // groups
    kernel = weight.shape[2:]
    plan = _plan(transposed, dtype.itemsize, tuple(origin), kernel, size, **geometry)
    out = empty((batch, groups * results, *size), dtype, x.buffer.device)
    area = math.prod(kernel)
    per_plane, per_result = (results * area, area) if transposed else (area, planes * area)
    units = batch * groups
    number = min(threads, units)
    room = -(-(planes * plan.box + plan.span) // 4096) * 4096 + 64
    room_at, _room = scratch(number * room)
    words = (
        address(out), address(x), address(weight), 0 if bias is None else address(bias), room_at, room,
        dtype.itemsize, units, number, groups, planes, results, planes * results * area, per_plane, per_result,
        len(plan.table), plan.table.ctypes.data, plan.box, math.prod(origin) * dtype.itemsize,
        math.prod(size) * dtype.itemsize, *plan.fill, *three(size, 1)[1:],
    )  # fmt: skip
    launch(filters(dtype.name), number, number, words)
    return out


def gradient(
    x: View, grad: View, groups: int, kernel: Ints, with_bias: bool, threads: int, **geometry: Ints
) -> tuple[View, View | None]:
    """The gradients of weight and bias of a convolution; ``x`` and ``grad`` are contiguous."""
    dtype, device = x.dtype, x.buffer.device
    batch, channels, *origin = x.shape
    planes, results = channels // groups, grad.shape[1] // groups
    size = grad.shape[2:]
    plan = _plan(False, dtype.itemsize, tuple(origin), kernel, size, **geometry)
    out = empty((grad.shape[1], planes, *kernel), dtype, device)
    total = empty((grad.shape[1],), dtype, device) if with_bias else None
    number = min(threads, groups)
    room = planes * plan.box + plan.span + 8 * results * (planes * math.prod(kernel) + 1)
    room = -(-room // 4096) * 4096 + 128
    room_at, _room = scratch(number * room)
    words = (
        address(out), address(x), address(grad), 0 if total is None else address(total), room_at, room,
        dtype.itemsize, batch, number, groups, planes, results, plan.table.ctypes.data, plan.box,
        math.prod(origin) * dtype.itemsize, math.prod(size) * dtype.itemsize, 0, 0, 0, 0, *plan.fill,
    )  # fmt: skip
    launch(slopes(dtype.name), number, number, words)
    return out, total
