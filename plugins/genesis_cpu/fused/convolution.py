"""Convolutions, their transposes, and the gradients of both: tiles of sums over tables of distances.

A result of P places and O channels is a product of (P, taps) by (taps, O).  The left factor is never made:
a tile reads its elements where they lie, by the tables of ``_geometry``.  The right factor is the weight,
packed once.  The gradient of the weight is the same with places and taps exchanged, and the gradient of the
result packed in place of the weight.  What belongs to a shape is planned once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from genesis.backend import Backend, View
from genesis_cpu import _threads
from genesis_cpu._kernel import launch, parts
from genesis_cpu._memory import address, array, empty, scratch
from genesis_cpu._processor import EDGES
from genesis_cpu.fused import _planes
from genesis_cpu.fused._gather_kernels import CHUNK, collect, gather, pack, weights
from genesis_cpu.fused._geometry import SPARE, Ints, Layout, layout
from genesis_cpu.fused._tiles import Tile, choices, choose, tiles
from genesis_cpu.kernels import reduce
from genesis_cpu.kernels.map import contiguous

#: multiplications below which a second thread costs more than it brings
ALONE = 800_000
#: bytes of images that are worked on together, where one has few places
NEAR = 256 << 10
#: bytes of weights from which on they are read panel by panel
HEAVY = 512 << 10
#: bytes that all threads' sums of the gradient of a weight may take
SUMS = 512 << 20


class Job(NamedTuple):
    """Products planned: words for the kernel, parts, bytes of scratch for each part, and what they use."""

    words: tuple[int, ...]
    parts: int
    scratch: int
    tile: Tile
    blocks: int
    owner: Any


def _name(itemsize: int) -> str:
    return "float32" if itemsize == 4 else "float64"


def _spread(table: Any, image: int, count: int) -> Any:
    """A table for ``count`` images in a row, ``image`` bytes apart."""
    return np.add.outer(np.arange(count, dtype=np.int64) * image, table).reshape(-1)


def _pairs(offs: Any, lines: Any, pitch: int) -> Any:
    """What a tile reads at each step: the place in the source, and the line of the panel."""
    return np.ascontiguousarray(np.stack([offs, lines * pitch], 1))


def _common(
    plan: Layout, batch: int, channels: int, together: int, groups: int, size: int
) -> tuple[tuple[int, ...], int]:
    """The words of both kernels on images, boxes and groups; and the bytes of an image as it is walked."""
    _, s1, s2 = plan.source
    _, b1, b2 = plan.box
    whole, plane = math.prod(plan.source) * size, math.prod(plan.box) * size
    return (
        channels * whole, channels * plane, channels, whole, s1 * s2 * size, s2 * size, plane, b1 * b2 * size,
        b2 * size, *plan.inside, plan.source_start * size, plan.box_start * size, channels // groups * plane,
    ), channels * plane  # fmt: skip


def _runs(ids: Any) -> bool:
    return bool((np.diff(ids) == 1).all())


def _threads_for(work: int) -> int:
    return _threads.get_num_threads() if work >= ALONE else 1


@lru_cache(256)
def _lies(transposed: bool, results: int, itemsize: int, *shape: Ints, **geometry: Ints) -> bool:
    """Whether few results are better done along planes than along channels."""
    if results > 8:
        return False
    tile = choices(itemsize, results)[0]
    standing = tile.vectors * (1.0 if tile.lanes * itemsize == 64 else 0.7)
    return _planes.cost(transposed, results, itemsize, *shape, **geometry) < standing


@lru_cache(128)
def _job(
    transposed: bool, batch: int, channels: int, results: int, groups: int, itemsize: int, threads: int,
    source: Ints, kernel: Ints, size: Ints, stride: Ints, padding: Ints, dilation: Ints,
) -> Job:  # fmt: skip
    """Plan a convolution, or a transpose; ``channels`` and ``results`` are those of all groups."""
    per, outs = channels // groups, results // groups
    shape = (source, kernel, size, stride, padding, dilation, per, itemsize)
    best: tuple[float, Layout, Tile, int] | None = None
    for cut in range(3):
        plan = layout("backward" if transposed else "forward", cut, *shape)
        places = sum(len(p.rows) for p in plan.phases) // len(plan.phases)
        tile = choose(itemsize, outs, places * min(batch, 4))
        image = channels * math.prod(plan.box) * itemsize
        # panels are read once for so many images
        panels = groups * -(-outs // tile.columns) * tile.columns * per * math.prod(kernel) * itemsize
        most = max(1, min(batch // threads, 64, max(NEAR, panels // 4) // max(image, 1)))
        # steps of a tile, and what its start, its bias and its way into the result cost in steps
        costs = [(len(p.rows), len(p.offs) + (20 if _runs(p.row_ids) else 40)) for p in plan.phases]
        for n in range(1, most + 1):
            steps = sum(-(-n * rows // tile.height) * cost for rows, cost in costs)
            # a little more for each image: what is worked on should stay near; and for each cut
            cost = steps / n * (1 + 0.002 * n + 0.03 * cut)
            if best is None or cost < best[0]:
                best = cost, plan, tile, n
    assert best is not None
    _, plan, tile, together = best
    common, image = _common(plan, batch, channels, together, groups, itemsize)
    blocks = -(-outs // tile.columns)
    pitch = tile.columns * itemsize
    chunk = CHUNK * tile.height
    table = np.zeros((len(plan.phases), 8), np.int64)
    owner: list[Any] = [table]
    for row, phase in zip(table, plan.phases, strict=True):
        rows = np.ascontiguousarray(_spread(phase.rows, image, together))
        pairs = _pairs(phase.offs, phase.off_ids, pitch)
        begin, target = (int(phase.row_ids[0]), 0) if _runs(phase.row_ids) else (0, phase.row_ids.ctypes.data)
        row[:6] = len(phase.offs), len(phase.rows), pairs.ctypes.data, rows.ctypes.data, target, begin
        owner += [rows, pairs, phase.row_ids]
    sets = -(-batch // together)
    largest = max(len(p.rows) for p in plan.phases)
    splits = max(1, min(-(-8 * threads // sets), -(-together * largest // chunk)))
    number = min(threads, sets * splits)
    words = (
        itemsize, batch, together, splits, number, groups, blocks, tile.columns, outs, tile.height,
        tiles(_name(itemsize), tile), EDGES[_name(itemsize)], CHUNK, plan.padded, *common,
        per * math.prod(kernel) * pitch, results * math.prod(size) * itemsize, math.prod(size) * itemsize,
        len(table), table.ctypes.data, panels > HEAVY,
    )  # fmt: skip
    room = chunk * pitch + 8 * 32 + (together * image if plan.padded else 0)
    return Job(words, number, -(-room // 4096) * 4096 + 64, tile, blocks, owner)


def _run(
    transposed: bool, x: View, weight: View, bias: View | None, groups: int, size: Ints, **geometry: Ints
) -> View:
    """A convolution, or a transpose."""
    x, weight = contiguous(x), contiguous(weight)
    bias = None if bias is None else contiguous(bias)
    dtype, device = x.dtype, x.buffer.device
    batch, channels, *source = x.shape
    kernel = weight.shape[2:]
    results = weight.shape[1] * groups if transposed else weight.shape[0]
    places = math.prod(source) if transposed else math.prod(size)
    threads = _threads_for(batch * places * weight.size)
    if _lies(transposed, results // groups, dtype.itemsize, tuple(source), kernel, size, **geometry):
        return _planes.run(transposed, x, weight, bias, groups, size, threads, **geometry)
    out = empty((batch, results, *size), dtype, device)
    job = _job(
        transposed, batch, channels, results, groups, dtype.itemsize, threads, tuple(source), kernel, size,
        **geometry,
    )  # fmt: skip
    columns, blocks = job.tile.columns, job.blocks
    per, outs, area = channels // groups, results // groups, math.prod(kernel)
    panels_at, _panels = scratch(groups * blocks * per * area * columns * dtype.itemsize + 64)
    # the weight is (channels, results of a group, area) for a transpose, else (results, channels * area)
    if transposed:  # the weight is (channels, results of a group, area), else (results, channels * area)
        lie: Ints = (per * outs * area, area, outs * area, per, area)
    else:
        lie = (outs * per * area, per * area, 0, 1, per * area)
    launch(
        pack(dtype.name),
        groups * blocks,
        parts(2 * weight.size, groups * blocks),
        (panels_at, address(weight), dtype.itemsize, EDGES[dtype.name], blocks, columns, outs, *lie),
    )
    first = np.zeros((groups, blocks * columns), dtype.name)
    if bias is not None:
        first[:, :outs] = array(bias).reshape(groups, outs)
    room_at, _room = scratch(job.parts * job.scratch)
    words = (address(out), address(x), first.ctypes.data, panels_at, room_at, job.scratch, *job.words)
    launch(gather(dtype.name), job.parts, job.parts, words)
    return out


class Sums(NamedTuple):
    """The gradient of a weight, planned."""

    words: tuple[int, ...]
    parts: int
    portions: int
    scratch: int
    sums: int
    bias: int
    tall: int
    width: int
    where: Any
    owner: Any


@lru_cache(128)
def _sums(
    batch: int, channels: int, results: int, groups: int, itemsize: int, threads: int, with_bias: bool,
    source: Ints, kernel: Ints, size: Ints, stride: Ints, padding: Ints, dilation: Ints,
) -> Sums:  # fmt: skip
    """Plan the gradient of the weight of a convolution from ``source`` to ``size``."""
    per, outs = channels // groups, results // groups
    shape = (source, kernel, size, stride, padding, dilation, per, itemsize)
    best: tuple[float, Layout, Tile] | None = None
    for cut in range(3):
        plan = layout("weight", cut, *shape)
        for tile in choices(itemsize, outs):
            steps = sum(-(-len(p.rows) // tile.height) * tile.height * len(p.offs) for p in plan.phases)
            cost = steps * (1 + 0.03 * cut + 0.02 * (tile.height * tile.vectors < 18))
            if best is None or cost < best[0]:
                best = cost, plan, tile
    assert best is not None
    _, plan, tile = best
    blocks = -(-outs // tile.columns)
    pitch = tile.columns * itemsize
    places = math.prod(size)
    talls = [-(-len(p.rows) // tile.height) * tile.height for p in plan.phases]
    tall = sum(talls)
    sums = groups * tall * blocks * pitch
    image = channels * math.prod(plan.box) * itemsize
    # the sums are read and written once a chunk of places: the more there are, the longer the chunks
    wanted = 512 if sums < 1 << 20 else 2048
    together = max(1, min(batch // threads, -(-wanted // places), 8 * NEAR // max(image, 1)))
    common, image = _common(plan, batch, channels, together, groups, itemsize)
    edge = EDGES[_name(itemsize)]
    splits = -(-together * places // wanted)
    chunk = -(-together * places // (splits * edge)) * edge
    splits = -(-together * places // chunk)
    where = np.zeros(per * math.prod(kernel), np.int64)
    table = np.zeros((len(plan.phases), 8), np.int64)
    owner: list[Any] = [table]
    base = 0
    for row, phase, high in zip(table, plan.phases, talls, strict=True):
        rows = np.concatenate([phase.rows, np.repeat(phase.rows[-1:], SPARE)])
        lines = _spread(phase.off_ids, places, together)
        pairs = _pairs(_spread(phase.offs, image, together), lines, pitch)
        starts = np.searchsorted(lines, np.arange(splits + 1) * chunk).astype(np.int64)
        row[:6] = (
            len(phase.rows), len(phase.offs), pairs.ctypes.data, rows.ctypes.data, starts.ctypes.data, base,
        )  # fmt: skip
        where[phase.row_ids] = base + np.arange(len(phase.rows))
        owner += [rows, pairs, starts]
        base += high
    sets = -(-batch // together)
    portions = max(1, min(threads, sets * splits, SUMS // sums))
    shares = max(1, min(threads // portions, groups * blocks))
    words = (
        itemsize, batch, together, splits, portions, groups, blocks, tile.columns, outs, tile.height,
        tiles(_name(itemsize), tile), edge, chunk, plan.padded, *common, places, results * places * itemsize,
        places * itemsize, len(table), table.ctypes.data, tall, shares, sums if with_bias else 0,
    )  # fmt: skip
    room = chunk * pitch + (together * image if plan.padded else 0)
    return Sums(
        words, portions * shares, portions, -(-room // 4096) * 4096 + 64,
        sums + groups * blocks * pitch, sums, tall, blocks * tile.columns, where, owner,
    )  # fmt: skip


def _gradient(
    x: View, grad: View, groups: int, kernel: Ints, with_bias: bool, **geometry: Ints
) -> tuple[View, View | None]:
    """The gradient of the weight (and the bias) of the convolution from ``x`` whose result has ``grad``."""
    x, grad = contiguous(x), contiguous(grad)
    dtype, device = x.dtype, x.buffer.device
    batch, channels, *source = x.shape
    results, size = grad.shape[1], grad.shape[2:]
    threads = _threads_for(grad.size * channels // groups * math.prod(kernel))
    if _planes.suits(channels // groups, results // groups):
        return _planes.gradient(x, grad, groups, kernel, with_bias, threads, **geometry)
    plan = _sums(
        batch, channels, results, groups, dtype.itemsize, threads, with_bias, tuple(source), kernel, size,
        **geometry,
    )  # fmt: skip
    outs, taps = results // groups, channels // groups * math.prod(kernel)
    edge = EDGES[dtype.name]
    sums_at, owner = scratch(plan.portions * plan.sums)
    room_at, _room = scratch(plan.parts * plan.scratch)
    words = (address(grad), address(x), sums_at, plan.sums, room_at, plan.scratch, *plan.words)
    launch(weights(dtype.name), plan.parts, plan.parts, words)
    out = empty((results, channels // groups, *kernel), dtype, device)
    units = groups * -(-taps // edge)
    number = parts(plan.portions * out.size, units)
    room_at, _room = scratch(number * edge * plan.width * dtype.itemsize)
    words = (
        address(out), sums_at, plan.sums, plan.portions, dtype.itemsize, edge, taps, plan.tall, plan.width,
        outs, room_at, number, units, plan.where.ctypes.data,
    )  # fmt: skip
    launch(collect(dtype.name), number, number, words)
    if not with_bias:
        return out, None
    total = empty((results,), dtype, device)
    whole = owner.block.handle[: plan.portions * plan.sums].reshape(plan.portions, plan.sums)
    columns = np.ascontiguousarray(whole[:, plan.bias :]).view(np.ndarray).view(dtype.name)
    array(total)[...] = columns.sum(0).reshape(groups, -1)[:, :outs].reshape(-1)
    return out, total


# -- what the device's table names -------------------------------------------------------------------------
def _serves(*views: View | None) -> bool:
    first = views[0]
    assert first is not None
    return first.dtype.name in EDGES and all(
        v is None or (v.dtype is first.dtype and v.size > 0 and v.ndim < 6) for v in views
    )


def _bias_gradient(grad: View) -> View:
    out = empty((1, grad.shape[1], *[1] * (grad.ndim - 2)), grad.dtype, grad.buffer.device)
    reduce.run("sum", out, grad)
    flat = out.reshape((grad.shape[1],))
    assert flat is not None
    return flat


def convolution(
    backend: Backend, x: View, weight: View, bias: View | None, *, groups: int, size: Ints, **geometry: Ints
) -> Any:
    """The sum over taps of source and weight, and the bias."""
    if not _serves(x, weight, bias) or 0 in size:
        return NotImplemented
    return _run(False, x, weight, bias, groups, size, **geometry)


def conv_transpose(
    backend: Backend, x: View, weight: View, bias: View | None, *, groups: int, size: Ints, **geometry: Ints
) -> Any:
    """The transpose of the convolution with the same weight, and the bias."""
    if not _serves(x, weight, bias) or 0 in size:
        return NotImplemented
    return _run(True, x, weight, bias, groups, size, **geometry)


def convolution_weight(
    backend: Backend, x: View, grad: View, *, groups: int, size: Ints, **geometry: Ints
) -> Any:
    """The gradient of the weight alone."""
    if not _serves(x, grad):
        return NotImplemented
    return _gradient(x, grad, groups, size, False, **geometry)[0]


def _backward(
    transposed: bool, needs: Sequence[bool], grad: View, x: View, weight: View, groups: int, **geometry: Ints
) -> tuple[View | None, View | None, View | None]:
    gx = gw = gb = None
    grad = contiguous(grad)
    if needs[0]:
        gx = _run(not transposed, grad, weight, None, groups, x.shape[2:], **geometry)
    if needs[1]:
        kernel = weight.shape[2:]
        if transposed:
            gw, _ = _gradient(grad, x, groups, kernel, False, **geometry)
        else:
            gw, gb = _gradient(x, grad, groups, kernel, needs[2], **geometry)
    if needs[2] and gb is None:
        gb = _bias_gradient(grad)
    return gx, gw, gb


def convolution_backward(
    backend: Backend, needs: Sequence[bool], grad: View, x: View, weight: View, bias: View | None, *,
    groups: int, size: Ints, **geometry: Ints,
) -> Any:  # fmt: skip
    """The gradients of input, weight and bias."""
    if not _serves(grad, x, weight) or not x.size:  # of nothing but padding
        return NotImplemented
    return _backward(False, needs, grad, x, weight, groups, **geometry)


def conv_transpose_backward(
    backend: Backend, needs: Sequence[bool], grad: View, x: View, weight: View, bias: View | None, *,
    groups: int, size: Ints, **geometry: Ints,
) -> Any:  # fmt: skip
    """The gradients of input, weight and bias."""
    if not _serves(grad, x, weight) or not x.size:  # of nothing but padding
        return NotImplemented
    return _backward(True, needs, grad, x, weight, groups, **geometry)
