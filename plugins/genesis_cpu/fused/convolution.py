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
from genesis_cpu._tile import EDGES
from genesis_cpu.fused import _planes
from genesis_cpu.fused._gather_kernels import CHUNK, collect, gather, pack, weights
from genesis_cpu.fused._geometry import Gathering, Ints, gathering
from genesis_cpu.fused._tiles import Tile, choose, tiles
from genesis_cpu.kernels import reduce
from genesis_cpu.kernels.map import contiguous

#: multiplications below which a second thread costs more than it brings
ALONE = 200_000
#: bytes of images that are worked on together, where one has few places
NEAR = 256 << 10
#: bytes that all threads' sums of the gradient of a weight may take
SUMS = 512 << 20


class Job(NamedTuple):
    """A gathering for a number of images: words for the kernel, and what they point at."""

    words: tuple[int, ...]
    units: int
    parts: int
    scratch: int
    bias: int
    panels: int
    table: np.ndarray[Any, Any]
    tile: Tile
    blocks: int
    owner: Any


def _together(batch: int, places: int, tall: int, image: int, threads: int) -> int:
    """How many images to work on at a time: few, and so that their places fill the tiles."""
    most = max(1, min(batch // threads, 16, NEAR // max(image, 1)))

    def waste(n: int) -> float:
        return -(-n * places // tall) * tall / (n * places)

    for n in range(1, most + 1):
        if waste(n) < 1.03 and n * places >= 2 * tall:
            return n
    return min(range(1, most + 1), key=waste)


def _copying(plan: Gathering, channels: int, size: int) -> tuple[int, ...]:
    """The words of both kernels on copying an image into a box."""
    _, s1, s2 = plan.source
    _, b1, b2 = plan.box
    return (
        channels, math.prod(plan.source) * size, s1 * s2 * size, s2 * size,
        math.prod(plan.box) * size, b1 * b2 * size, b2 * size, *plan.inside,
        plan.source_start * size, plan.box_start * size,
    )  # fmt: skip


def _pixels(pixels: np.ndarray[Any, Any], image: int, count: int) -> np.ndarray[Any, Any]:
    return np.ascontiguousarray(np.add.outer(np.arange(count, dtype=np.int64) * image, pixels).reshape(-1))


@lru_cache(256)
def _job(
    transposed: bool, batch: int, channels: int, results: int, groups: int, itemsize: int, threads: int,
    source: Ints, kernel: Ints, size: Ints, stride: Ints, padding: Ints, dilation: Ints,
) -> Job:  # fmt: skip
    """Plan a convolution, or a transpose; ``channels`` and ``results`` are those of all groups."""
    per, outs = channels // groups, results // groups
    plan = gathering(transposed, source, kernel, size, stride, padding, dilation, per, outs, itemsize)
    places = max(len(p.pixels) for p in plan.phases)
    tile = choose(itemsize, outs, places * min(batch, 4))
    image = channels * math.prod(plan.box) * itemsize
    together = _together(batch, places, tile.height, image, threads)
    blocks = -(-outs // tile.columns)
    chunk = CHUNK * tile.height
    sets = -(-batch // together)
    splits = max(1, min(-(-8 * threads // sets), -(-together * places // chunk)))
    table = np.zeros((len(plan.phases), 8), np.int64)
    owner: list[Any] = [plan]
    offset = 0
    for row, phase in zip(table, plan.phases, strict=True):
        pixels = _pixels(phase.pixels, image, together)
        owner.append(pixels)
        row[:] = (
            phase.count, len(phase.pixels), phase.taps.ctypes.data, pixels.ctypes.data, offset,
            0 if phase.target is None else phase.target.ctypes.data, phase.weights.ctypes.data, 0,
        )  # fmt: skip
        offset += phase.count * tile.columns * blocks * groups * itemsize
    number = min(threads, sets * splits)
    words = (
        itemsize, batch, together, splits, number, groups, blocks, tile.columns, outs, tile.height,
        tiles(_name(itemsize), tile), len(plan.phases), table.ctypes.data, plan.padded,
        channels * math.prod(plan.source) * itemsize, image, per * math.prod(plan.box) * itemsize,
        results * math.prod(size) * itemsize, math.prod(size) * itemsize, EDGES[_name(itemsize)], CHUNK,
        *_copying(plan, channels, itemsize),
    )  # fmt: skip
    room = chunk * tile.columns * itemsize + 8 * 32 + (together * image if plan.padded else 0)
    room = -(-room // 4096) * 4096 + 64
    return Job(
        words, sets * splits, number, room, groups * blocks * tile.columns, offset, table, tile, blocks, owner
    )


def _name(itemsize: int) -> str:
    return "float32" if itemsize == 4 else "float64"


def _threads_for(work: int) -> int:
    return _threads.get_num_threads() if work >= ALONE else 1


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
    if _planes.suits(channels // groups, results // groups):
        return _planes.run(transposed, x, weight, bias, groups, size, threads, **geometry)
    out = empty((batch, results, *size), dtype, device)
    job = _job(
        transposed, batch, channels, results, groups, dtype.itemsize, threads, tuple(source),
        kernel, size, **geometry,
    )  # fmt: skip
    outs = results // groups
    columns = job.tile.columns
    panels_at, _panels = scratch(job.panels + 64)
    per = math.prod(kernel) * (outs if transposed else 1)
    depth = channels // groups
    words = (
        panels_at, address(weight), job.table.ctypes.data, dtype.itemsize, EDGES[dtype.name], groups,
        job.blocks, columns, outs, depth * per if transposed else outs * depth * per,
        math.prod(kernel) if transposed else depth * per, not transposed,
    )  # fmt: skip
    units = len(job.table) * groups * job.blocks
    launch(pack(dtype.name), units, parts(2 * weight.size, units), words)
    first = np.zeros((groups, job.blocks * columns), dtype.name)
    if bias is not None:
        first[:, :outs] = array(bias).reshape(groups, outs)
    room_at, _room = scratch(job.parts * job.scratch)
    launch(
        gather(dtype.name),
        job.parts,
        job.parts,
        (address(out), address(x), first.ctypes.data, panels_at, room_at, job.scratch, *job.words),
    )
    return out


class Sums(NamedTuple):
    """Plan of the gradient of a weight."""

    words: tuple[int, ...]
    parts: int
    portions: int
    scratch: int
    sums: int
    bias: int
    tall: int
    taps: int
    width: int
    owner: Any


@lru_cache(256)
def _sums(
    batch: int, channels: int, results: int, groups: int, itemsize: int, threads: int,
    source: Ints, kernel: Ints, size: Ints, stride: Ints, padding: Ints, dilation: Ints,
) -> Sums:  # fmt: skip
    """Plan the gradient of the weight of a convolution from ``source`` to ``size``."""
    per, outs = channels // groups, results // groups
    plan = gathering(False, source, kernel, size, stride, padding, dilation, per, outs, itemsize)
    (phase,) = plan.phases
    places = len(phase.pixels)
    tile = choose(itemsize, outs, phase.count)
    blocks = -(-outs // tile.columns)
    tall = -(-phase.count // tile.height) * tile.height
    image = channels * math.prod(plan.box) * itemsize
    # the sums are read and written once a chunk of places: the more there are, the longer the chunks
    sums = groups * tall * blocks * tile.columns * itemsize
    wanted = 512 if sums < 1 << 20 else 2048
    together = max(1, min(batch // threads, -(-wanted // places), 8 * NEAR // max(image, 1)))
    chunk = min(together * places, wanted)
    splits = -(-together * places // chunk)
    chunk = -(-together * places // splits)
    edge = EDGES[_name(itemsize)]
    chunk = -(-chunk // edge) * edge
    sets = -(-batch // together)
    portions = max(1, min(threads, sets * splits, SUMS // sums))
    shares = max(1, min(threads // portions, groups * blocks))
    pixels = _pixels(phase.pixels, image, together)
    bias = groups * tall * blocks * tile.columns * itemsize
    words = (
        itemsize, batch, together, splits, portions, groups, blocks, tile.columns, outs, tile.height,
        tiles(_name(itemsize), tile), shares, bias, plan.padded,
        channels * math.prod(plan.source) * itemsize, image, per * math.prod(plan.box) * itemsize,
        results * places * itemsize, places * itemsize, edge, chunk, *_copying(plan, channels, itemsize),
        phase.count, places, phase.taps.ctypes.data, pixels.ctypes.data, tall,
    )  # fmt: skip
    room = chunk * tile.columns * itemsize + (together * image if plan.padded else 0)
    return Sums(
        words, portions * shares, portions, -(-room // 4096) * 4096 + 64,
        bias + groups * blocks * tile.columns * itemsize, bias, tall, phase.count, blocks * tile.columns,
        [plan, pixels],
    )  # fmt: skip


_BIAS = 18  # the word of ``_sums`` that says where the gradient of the bias goes, after six addresses


def _gradient(
    x: View, grad: View, groups: int, kernel: Ints, with_bias: bool, **geometry: Ints
) -> tuple[View, View | None]:
    """The gradient of the weight (and the bias) of the convolution from ``x`` whose result has ``grad``."""
    x, grad = contiguous(x), contiguous(grad)
    dtype, device = x.dtype, x.buffer.device
    batch, channels, *source = x.shape
    results, size = grad.shape[1], grad.shape[2:]
    work = grad.size * channels // groups * math.prod(kernel)
    threads = _threads_for(work)
    if _planes.suits(channels // groups, results // groups):
        return _planes.gradient(x, grad, groups, kernel, with_bias, threads, **geometry)
    plan = _sums(
        batch, channels, results, groups, dtype.itemsize, threads, tuple(source), kernel, size, **geometry
    )
    outs = results // groups
    edge = EDGES[dtype.name]
    sums_at, _sums_owner = scratch(plan.portions * plan.sums)
    room_at, _room = scratch(plan.parts * plan.scratch)
    tail = plan.words if with_bias else (*plan.words[: _BIAS - 6], 0, *plan.words[_BIAS - 5 :])
    words = (address(grad), address(x), sums_at, plan.sums, room_at, plan.scratch, *tail)
    launch(weights(dtype.name), plan.parts, plan.parts, words)
    out = empty((results, channels // groups, *kernel), dtype, device)
    units = groups * -(-plan.taps // edge)
    rest = (
        address(out), sums_at, plan.sums, plan.portions, dtype.itemsize, edge, plan.taps, plan.tall,
        plan.width, outs,
    )  # fmt: skip
    launch(collect(dtype.name), units, parts(plan.portions * out.size, units), rest)
    if not with_bias:
        return out, None
    total = empty((results,), dtype, device)
    owner = np.frombuffer(_sums_owner, np.uint8)[: plan.portions * plan.sums].reshape(
        plan.portions, plan.sums
    )
    columns = np.ascontiguousarray(owner[:, plan.bias :]).view(dtype.name)
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
    if not _serves(x, weight, bias):
        return NotImplemented
    return _run(False, x, weight, bias, groups, size, **geometry)


def conv_transpose(
    backend: Backend, x: View, weight: View, bias: View | None, *, groups: int, size: Ints, **geometry: Ints
) -> Any:
    """The transpose of the convolution with the same weight, and the bias."""
    if not _serves(x, weight, bias):
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
    if not _serves(grad, x, weight):
        return NotImplemented
    return _backward(False, needs, grad, x, weight, groups, **geometry)


def conv_transpose_backward(
    backend: Backend, needs: Sequence[bool], grad: View, x: View, weight: View, bias: View | None, *,
    groups: int, size: Ints, **geometry: Ints,
) -> Any:  # fmt: skip
    """The gradients of input, weight and bias."""
    if not _serves(grad, x, weight):
        return NotImplemented
    return _backward(True, needs, grad, x, weight, groups, **geometry)
