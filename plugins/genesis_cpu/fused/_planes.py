"""Convolutions whose groups have few results: vectors run along planes, not along channels.

A plane is copied into a box with a border, cut by the remainders of the stride, so that for every tap the
elements of a result follow one another, from row to row.  Sums are made with the box's pitch; what lies
between its rows is dropped.  The tile is that of the other convolutions with its factors exchanged: its rows
are results, whose weights need no packing, and its columns places.
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
from genesis_cpu.fused._tiles import lying, tiles

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import (
        accumulate,
        block,
        call,
        float64,
        float64_pointer,
        int64_pointer,
        real,
        reals,
        slot,
    )


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
    """Units (image, group): the results of a group from the planes of a group, all taps at once."""
    out, x, weight, bias = slot(args, 0), slot(args, 1), slot(args, 2), slot(args, 3)
    room, room_size, size, units = slot(args, 4), slot(args, 5), slot(args, 6), slot(args, 7)
    parts, groups, planes, results = slot(args, 8), slot(args, 9), slot(args, 10), slot(args, 11)
    group_size, phases, table, function = slot(args, 12), slot(args, 13), slot(args, 14), slot(args, 15)
    columns, box_size, plane_size, out_size = slot(args, 16), slot(args, 17), slot(args, 18), slot(args, 19)
    qr, ql = slot(args, 30), slot(args, 31)
    out_rows, out_length, rows, pitch = slot(args, 32), slot(args, 33), slot(args, 34), slot(args, 35)
    for part in range(lo, hi):
        box = room + part * room_size
        sums = box + planes * box_size + columns * size
        border = reals(box)
        for i in range(planes * box_size // size + columns):
            border[i] = real(0)
        for unit in range(units * part // parts, units * (part + 1) // parts):
            g = unit % groups
            for i in range(planes):
                fill_box(args, 20, x + (unit * planes + i) * plane_size, box + i * box_size, size)
            for phase in range(phases):
                entry = int64_pointer(table + 96 * phase)
                nd, nr, nl = entry[2], entry[3], entry[4]
                span = ((nd - 1) * qr + nr - 1) * ql + nl
                for result in range(results):
                    start = real(0)
                    if bias:
                        start = reals(bias)[g * results + result]
                    row = reals(sums + result * pitch)
                    for p in range((span + columns - 1) // columns * columns):
                        row[p] = start
                for p in range(0, span, columns):
                    call(
                        function,
                        block(
                            (
                                weight + g * group_size, rows, entry[1], entry[0], box + p * size,
                                sums + p * size, pitch,
                            ),
                            0.0, 0.0,
                        ),
                        0, 1,
                    )  # fmt: skip
                for result in range(results):
                    target = out + (unit * results + result) * out_size
                    for d in range(nd):
                        for r in range(nr):
                            given = reals(sums + result * pitch + (d * qr + r) * ql * size)
                            at = (entry[5] + d * entry[8]) * out_rows + entry[6] + r * entry[9]
                            line = reals(target + (at * out_length + entry[7]) * size)
                            if entry[10] == 1:
                                for k in range(nl):
                                    line[k] = given[k]
                            else:
                                for k in range(nl):
                                    line[k * entry[10]] = given[k]


def _slopes(args, lo, hi):
    """Groups: the gradient of their weights (and of the bias), over all images in order."""
    out, x, grad, bias = slot(args, 0), slot(args, 1), slot(args, 2), slot(args, 3)
    room, room_size, size, batch, parts = (
        slot(args, 4),
        slot(args, 5),
        slot(args, 6),
        slot(args, 7),
        slot(args, 8),
    )
    groups, planes, results = slot(args, 9), slot(args, 10), slot(args, 11)
    table, box_size, plane_size, grad_size = slot(args, 12), slot(args, 13), slot(args, 14), slot(args, 15)
    ql, qr = slot(args, 31), slot(args, 30)
    entry = int64_pointer(table)
    count, offs = entry[0], int64_pointer(entry[1])
    nd, nr, nl = entry[2], entry[3], entry[4]
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
                    fill_box(
                        args, 20, x + ((n * groups + g) * planes + i) * plane_size, box + i * box_size, size
                    )
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
    """What both kernels know of a shape.

    Attributes:
        box: bytes of the box of a plane.
        span: elements of the longest phase, with the box's pitch.
        fill: the words for ``fill_box``.
        phases: of each: taps (bytes within the box), which of the kernel they are, and nine numbers: lengths
            of the three axes, first places in the result, and steps there.
    """

    box: int
    span: int
    fill: tuple[int, ...]
    phases: tuple[tuple[Any, Any, Ints], ...]


@lru_cache(256)
def _plan(
    transposed: bool, itemsize: int, origin: Ints, kernel: Ints, size: Ints, stride: Ints, padding: Ints,
    dilation: Ints,
) -> Plan:  # fmt: skip
    """``origin`` and ``size``: the axes of a plane of the source, and of a plane of the result."""
    origin, kernel, size = three(origin, 1), three(kernel, 1), three(size, 1)
    stride, padding, dilation = three(stride, 1), three(padding, 0), three(dilation, 1)
    # of each axis and phase: taps (places in the box), which of the kernel, length, and first and step in
    # the result
    axes: list[list[tuple[Any, Any, int, int, int]]] = []
    split: Ints = (1, 1, 1)
    front, box = [0, 0, 0], [1, 1, 1]
    for i, numbers in enumerate(zip(size, kernel, stride, padding, dilation, strict=True)):
        if transposed:
            found = backward_axis(*numbers)
            low = min((int(a.rows[0] + a.offs.min()) for a in found if len(a.offs)), default=0)
            high = max((int(a.rows[-1] + a.offs.max()) for a in found if len(a.offs)), default=0)
            front[i], box[i] = -low, high - low + 1
            axes.append(
                [
                    (a.offs + a.rows[0] - low, a.off_ids, len(a.rows), int(a.row_ids[0]), stride[i])
                    for a in found
                ]
            )
        else:
            steps = np.arange(kernel[i], dtype=np.int64)
            split = stride
            front[i], box[i] = padding[i], size[i] + (kernel[i] - 1) * dilation[i] // stride[i]
            axes.append([(steps * dilation[i], steps, size[i], 0, 1)])
    phases = []
    for combination in product(*axes):
        taps, part, which = (np.zeros(1, np.int64) for _ in range(3))
        for (places, mine, _, _, _), s, b, k in zip(combination, split, box, kernel, strict=True):
            part = np.add.outer(part * s, places % s).reshape(-1)
            taps = np.add.outer(taps * b, places // s).reshape(-1)
            which = np.add.outer(which * k, mine).reshape(-1)
        walk = tuple(int(c[i]) for i in (2, 3, 4) for c in combination)
        phases.append(((part * math.prod(box) + taps) * itemsize, which, walk))
    span = max(((n[0] - 1) * box[1] + n[1] - 1) * box[2] + n[2] for _, _, n in phases)
    whole = math.prod(split) * math.prod(box) * itemsize
    return Plan(whole, span, (*origin, *split, *front, *box), tuple(phases))


class Pass(NamedTuple):
    """A convolution planned: words for the kernel, parts, bytes of scratch for each, and what they use."""

    words: tuple[int, ...]
    parts: int
    room: int
    owner: Any


@lru_cache(256)
def _pass(
    transposed: bool, batch: int, planes: int, results: int, groups: int, itemsize: int, threads: int,
    origin: Ints, kernel: Ints, size: Ints, stride: Ints, padding: Ints, dilation: Ints,
) -> Pass:  # fmt: skip
    plan = _plan(transposed, itemsize, origin, kernel, size, stride, padding, dilation)
    tile = lying(itemsize, results)
    area = math.prod(kernel)
    per_plane, per_result = (results * area, area) if transposed else (area, planes * area)
    table = np.zeros((len(plan.phases), 12), np.int64)
    rows = np.minimum(np.arange(tile.height), results - 1).astype(np.int64) * per_result * itemsize
    owner: list[Any] = [table, rows]
    for row, (taps, which, numbers) in zip(table, plan.phases, strict=True):
        each = np.arange(planes, dtype=np.int64)
        weights = np.add.outer(each * per_plane, which).reshape(-1) * itemsize
        offsets = np.add.outer(each * plan.box, taps).reshape(-1)
        pairs = np.ascontiguousarray(np.stack([weights, offsets], 1))
        owner.append(pairs)
        row[:11] = len(pairs), pairs.ctypes.data, *numbers
    pitch = -(-plan.span // tile.columns) * tile.columns * itemsize
    units = batch * groups
    number = min(threads, units)
    room = planes * plan.box + tile.columns * itemsize + tile.height * pitch
    words = (
        itemsize, units, number, groups, planes, results, planes * results * area * itemsize, len(table),
        table.ctypes.data, tiles("float32" if itemsize == 4 else "float64", tile), tile.columns, plan.box,
        math.prod(origin) * itemsize, math.prod(size) * itemsize, *plan.fill, *three(size, 1)[1:],
        rows.ctypes.data, pitch,
    )  # fmt: skip
    return Pass(words, number, -(-room // 4096) * 4096 + 64, owner)


def cost(
    transposed: bool, results: int, itemsize: int, origin: Ints, kernel: Ints, size: Ints, stride: Ints,
    padding: Ints, dilation: Ints,
) -> float:  # fmt: skip
    """Vector operations for each element of the result and each tap."""
    plan = _plan(transposed, itemsize, origin, kernel, size, stride, padding, dilation)
    tile = lying(itemsize, results)
    spans = [
        -(-(((n[0] - 1) * plan.fill[10] + n[1] - 1) * plan.fill[11] + n[2]) // tile.columns) * tile.vectors
        for _, _, n in plan.phases
    ]
    places = sum(math.prod(n[:3]) for _, _, n in plan.phases)
    return sum(spans) / places * max(tile.height, 2)


def run(
    transposed: bool, x: View, weight: View, bias: View | None, groups: int, size: Ints, threads: int,
    **geometry: Ints,
) -> View:  # fmt: skip
    """A convolution, or a transpose, of contiguous views."""
    dtype = x.dtype
    batch, channels, *origin = x.shape
    results = weight.shape[1] if transposed else weight.shape[0] // groups
    job = _pass(
        transposed, batch, channels // groups, results, groups, dtype.itemsize, threads, tuple(origin),
        weight.shape[2:], size, **geometry,
    )  # fmt: skip
    out = empty((batch, groups * results, *size), dtype, x.buffer.device)
    room_at, _room = scratch(job.parts * job.room)
    words = (
        address(out), address(x), address(weight), 0 if bias is None else address(bias), room_at, job.room,
        *job.words,
    )  # fmt: skip
    launch(filters(dtype.name), job.parts, job.parts, words)
    return out


def suits(channels: int, results: int) -> bool:
    """Whether the gradient of the weights of such groups is better done plane by plane."""
    return channels * results <= 3


def gradient(
    x: View, grad: View, groups: int, kernel: Ints, with_bias: bool, threads: int, **geometry: Ints
) -> tuple[View, View | None]:
    """The gradients of weight and bias of a convolution; ``x`` and ``grad`` are contiguous."""
    dtype, device = x.dtype, x.buffer.device
    batch, channels, *origin = x.shape
    planes, results = channels // groups, grad.shape[1] // groups
    size = grad.shape[2:]
    plan = _plan(False, dtype.itemsize, tuple(origin), kernel, size, **geometry)
    ((taps, _, numbers),) = plan.phases
    table = np.array([len(taps), taps.ctypes.data, *numbers], np.int64)
    out = empty((grad.shape[1], planes, *kernel), dtype, device)
    total = empty((grad.shape[1],), dtype, device) if with_bias else None
    number = min(threads, groups)
    room = planes * plan.box + (plan.span + 192) * dtype.itemsize
    room = -(-(room + 8 * results * (planes * len(taps) + 1)) // 4096) * 4096 + 128
    room_at, _room = scratch(number * room)
    words = (
        address(out), address(x), address(grad), 0 if total is None else address(total), room_at, room,
        dtype.itemsize, batch, number, groups, planes, results, table.ctypes.data, plan.box,
        math.prod(origin) * dtype.itemsize, math.prod(size) * dtype.itemsize, 0, 0, 0, 0, *plan.fill,
    )  # fmt: skip
    launch(slopes(dtype.name), number, number, words)
    return out, total
