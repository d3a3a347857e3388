"""Convolutions over up to three axes, their transposes, and the gradients of both, by ``_gathered``."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from genesis.backend import Backend, View
from genesis_cuda._copies import contiguous, empty
from genesis_cuda._memory import address, handle
from genesis_cuda.fused._gathered import Ints, Product, launch
from genesis_cuda.kernels import reduce

_LIMIT = 1 << 31  # so many elements are numbered with 32 bits, whose division is cheap


def _three(sizes: Ints, fill: int = 1) -> Ints:
    """Missing axes in front."""
    return (fill,) * (3 - len(sizes)) + tuple(sizes)


def _steps(sizes: Ints) -> Ints:
    """The steps of three axes in memory."""
    return sizes[1] * sizes[2], sizes[2], 1


def _dot(a: Sequence[int], b: Sequence[int]) -> int:
    return sum(x * y for x, y in zip(a, b, strict=True))


@lru_cache(512)
def _forward(
    batch: int, channels: int, results: int, groups: int,
    source: Ints, kernel: Ints, size: Ints, stride: Ints, padding: Ints, dilation: Ints,
) -> Product:  # fmt: skip
    """Rows are channels and taps, columns images and places."""
    per, outs, area = channels // groups, results // groups, math.prod(kernel)
    plane, places = math.prod(source), math.prod(size)
    return Product(
        groups, outs, per, kernel, batch, size, source,
        dilation, stride, tuple(-p for p in padding),
        (per * plane, plane, channels * plane),
        (outs * per * area, per * area, area, *_steps(kernel)),
        (outs * places, places, results * places, *_steps(size)),
    )  # fmt: skip


@lru_cache(512)
def _phases(
    batch: int, channels: int, results: int, groups: int,
    source: Ints, kernel: Ints, size: Ints, stride: Ints, padding: Ints, dilation: Ints,
) -> list[Product]:  # fmt: skip
    """A transpose is as many convolutions as there are remainders of a place by the stride.

    Place i gets element q by tap k where ``i + padding - k * dilation = q * stride``: all places of one
    remainder have the same taps, which lie evenly apart.
    """
    per, outs, area = channels // groups, results // groups, math.prod(kernel)
    plane, places = math.prod(source), math.prod(size)
    found = []
    for remainders in itertools.product(*[range(s) for s in stride]):
        axes = []
        for r, n, k, s, p, d in zip(remainders, size, kernel, stride, padding, dilation, strict=True):
            first = (r - p) % s
            taps = [t for t in range(k) if t * d % s == r]
            tap, step = (taps[0] if taps else 0), s // math.gcd(s, d)
            start = (first + p - tap * d) // s
            axes.append((first, -(-(n - first) // s), tap, step, len(taps), start, -(step * d) // s))
        firsts, counts, taps_from, steps, many, starts, moves = zip(*axes, strict=True)
        if min(counts) <= 0:
            continue
        empty_sum = min(many) == 0
        left_steps, out_steps = _steps(kernel), _steps(size)
        found.append(Product(
            groups, outs, 0 if empty_sum else per, (1, 1, 1) if empty_sum else many, batch, counts, source,
            moves, (1, 1, 1), starts,
            (per * plane, plane, channels * plane),
            (per * outs * area, area, outs * area, *[a * b for a, b in zip(left_steps, steps, strict=True)]),
            (outs * places, places, results * places,
             *[a * b for a, b in zip(out_steps, stride, strict=True)]),
            (0, _dot(left_steps, taps_from), _dot(out_steps, firsts)),
        ))  # fmt: skip
    return found


@lru_cache(512)
def _weight(
    batch: int, channels: int, results: int, groups: int,
    source: Ints, kernel: Ints, size: Ints, stride: Ints, padding: Ints, dilation: Ints,
) -> Product:  # fmt: skip
    """Rows are images and places, columns channels and taps."""
    per, outs, area = channels // groups, results // groups, math.prod(kernel)
    plane, places = math.prod(source), math.prod(size)
    return Product(
        groups, outs, batch, size, per, kernel, source,
        stride, dilation, tuple(-p for p in padding),
        (per * plane, channels * plane, plane),
        (outs * places, places, results * places, *_steps(size)),
        (outs * per * area, per * area, area, *_steps(kernel)),
    )  # fmt: skip


def _geometry(
    source: Ints, kernel: Ints, size: Ints, stride: Ints, padding: Ints, dilation: Ints
) -> tuple[Ints, ...]:
    sizes = (source, kernel, size, stride)
    return *[_three(s) for s in sizes], _three(padding, 0), _three(dilation)


def _run(
    transposed: bool, x: View, weight: View, bias: View | None, groups: int, size: Ints, **geometry: Ints
) -> View:
    """A convolution, or a transpose."""
    x, weight = contiguous(x), contiguous(weight)
    bias = None if bias is None else contiguous(bias)
    batch, channels, *source = x.shape
    results = weight.shape[1] * groups if transposed else weight.shape[0]
    out = empty((batch, results, *size), x.dtype, x.buffer.device)
    shape = _geometry(tuple(source), weight.shape[2:], size, **geometry)
    counts = (batch, channels, results, groups)
    plans = _phases(*counts, *shape) if transposed else [_forward(*counts, *shape)]
    places = (address(x), address(weight), address(out), 0 if bias is None else address(bias))
    for plan in plans:
        launch(handle(x).unit, x.dtype.name, plan, places, x.dtype.itemsize)
    return out


def _gradient(x: View, grad: View, groups: int, kernel: Ints, **geometry: Ints) -> View:
    """The gradient of the weight of the convolution from ``x`` whose result has ``grad``."""
    x, grad = contiguous(x), contiguous(grad)
    batch, channels, *source = x.shape
    results = grad.shape[1]
    out = empty((results, channels // groups, *kernel), x.dtype, x.buffer.device)
    shape = _geometry(tuple(source), kernel, grad.shape[2:], **geometry)
    plan = _weight(batch, channels, results, groups, *shape)
    unit = handle(x).unit
    parts = plan.parts(unit, True)
    parts = -(-plan.depth // -(-plan.depth // parts))  # none of them is empty
    whole = out if parts == 1 else empty((parts, *out.shape), x.dtype, x.buffer.device)
    places = (address(x), address(grad), address(whole), 0)
    launch(unit, x.dtype.name, plan, places, x.dtype.itemsize, True, parts, out.size)
    if whole is not out:
        reduce.run("sum", out.unsqueeze(0), whole)
    return out


def _bias_gradient(grad: View) -> View:
    out = empty((1, grad.shape[1], *[1] * (grad.ndim - 2)), grad.dtype, grad.buffer.device)
    reduce.run("sum", out, grad)
    flat = out.reshape((grad.shape[1],))
    assert flat is not None
    return flat


def _serves(*views: View | None) -> bool:
    first = views[0]
    assert first is not None
    return first.dtype.name in ("float32", "float64") and all(
        v is None or (v.dtype is first.dtype and 0 < v.size < _LIMIT and v.ndim < 6) for v in views
    )


def _fits(batch: int, results: int, size: Ints) -> bool:
    return batch * results * math.prod(size) < _LIMIT


# -- what the device's table names -------------------------------------------------------------------------
def convolution(
    backend: Backend, x: View, weight: View, bias: View | None, *, groups: int, size: Ints, **geometry: Ints
) -> Any:
    """The sum over channels and taps of source and weight, and the bias."""
    if not _serves(x, weight, bias) or not _fits(x.shape[0], weight.shape[0], size):
        return NotImplemented
    return _run(False, x, weight, bias, groups, size, **geometry)


def conv_transpose(
    backend: Backend, x: View, weight: View, bias: View | None, *, groups: int, size: Ints, **geometry: Ints
) -> Any:
    """The transpose of the convolution with the same weight, and the bias."""
    if not _serves(x, weight, bias) or not _fits(x.shape[0], weight.shape[1] * groups, size):
        return NotImplemented
    return _run(True, x, weight, bias, groups, size, **geometry)


def convolution_weight(
    backend: Backend, x: View, grad: View, *, groups: int, size: Ints, **geometry: Ints
) -> Any:
    """The gradient of the weight alone."""
    if not _serves(x, grad):
        return NotImplemented
    return _gradient(x, grad, groups, size, **geometry)


def _backward(
    transposed: bool, needs: Sequence[bool], grad: View, x: View, weight: View, groups: int, **geometry: Ints
) -> tuple[View | None, View | None, View | None]:
    gx = gw = None
    grad = contiguous(grad)
    if needs[0]:
        gx = _run(not transposed, grad, weight, None, groups, x.shape[2:], **geometry)
    if needs[1]:
        source, result = (grad, x) if transposed else (x, grad)
        gw = _gradient(source, result, groups, weight.shape[2:], **geometry)
    return gx, gw, _bias_gradient(grad) if needs[2] else None


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
