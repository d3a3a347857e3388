"""Fractional max pooling: windows of one size at random distances, so that the size shrinks by any factor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from genesis._errors import ShapeError
from genesis.ops.indexing import gather
from genesis.ops.pooling import picked
from genesis.ops.pools import nothing, sizes
from genesis.ops.reduction import argmax
from genesis.ops.shape import reshape


def _starts(sample: Any, size: int, kernel: int, out: int) -> Any:
    """Where the windows of each channel begin, of shape (N, C, out), for one uniform number each."""
    alpha = sample.dtype.type((size - kernel) / (out - 1)) if out > 1 else sample.dtype.type(0)
    i = np.arange(out, dtype=sample.dtype)
    starts = ((i + sample[..., None]) * alpha).astype(np.int64) - (sample * alpha).astype(np.int64)[..., None]
    starts[..., -1] = size - kernel
    return starts


def fractional_max_pool_nd(
    axes: int, x: Any, kernel_size: Any, output_size: Any, output_ratio: Any, random_samples: Any
) -> tuple[Any, Any]:
    """The largest element of each window, and its index among those of a channel.

    Window i of n begins at floor((i + u) a) - floor(u a) with a = (size - kernel) / (n - 1) and a uniform u
    for each channel and axis; the last one ends with the axis.

    Reference: Graham, arXiv 1412.6071, section 3 (pseudorandom, overlapping).

    Raises:
        ValueError: neither a size nor a ratio is given.
        RuntimeError: the sizes do not fit.
    """
    from genesis.ops.creation import from_host
    from genesis.ops.random import rand

    name = f"fractional_max_pool{axes}d"
    if not x.dtype.is_floating_point:
        raise NotImplementedError(f"{name} is not implemented for {x.dtype}; convert with .float()")
    if output_size is None and output_ratio is None:
        raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
    if x.dim() not in (axes + 1, axes + 2) or 0 in x.shape[x.dim() - axes - 1 :]:
        raise ShapeError(f"{name}: expected a {axes + 1}D or {axes + 2}D input, got {tuple(x.shape)}")
    single = x.dim() == axes + 1
    batch = x.unsqueeze(0) if single else x
    spatial = tuple(batch.shape[2:])
    kernel = sizes(name, "kernel_size", kernel_size, axes)
    if output_size is not None:
        outs = sizes(name, "output_size", output_size, axes)
    else:
        ratios = output_ratio if isinstance(output_ratio, Sequence) else (output_ratio,) * axes
        outs = tuple([int(n * r) for n, r in zip(spatial, ratios, strict=True)])
    for n, k, count in zip(spatial, kernel, outs, strict=True):
        if index(count) < 1 or count + k - 1 > n:
            raise ShapeError(f"{name}: {count} windows of {k} do not fit into an axis of {n} elements")
    if not x.numel():
        return nothing(x, outs)
    lead = tuple(batch.shape[:2])
    if random_samples is None:
        random_samples = rand(*lead, axes, dtype=x.dtype, device=x.device)
    if random_samples.dim() != 3 or random_samples.shape[2] != axes or random_samples.shape[1] != lead[1]:
        raise ShapeError(
            f"{name}: expected _random_samples of shape {(*lead, axes)}, got {tuple(random_samples.shape)}"
        )
    if random_samples.shape[0] < lead[0]:
        raise ShapeError(f"{name}: _random_samples has fewer samples than the input, {lead[0]}")
    samples = random_samples.detach()._host()[: lead[0]]
    # PyTorch's first number is for the width of an image, but for the depth of a volume
    order = [1, 0] if axes == 2 else [0, 1, 2]
    place: Any = 0
    for i in range(axes):
        starts = _starts(samples[..., order[i]], spatial[i], kernel[i], outs[i])
        table = starts[..., None] + np.arange(kernel[i])  # (N, C, windows, elements)
        shape = [*lead] + [1] * (2 * axes)
        shape[2 + i], shape[2 + axes + i] = outs[i], kernel[i]
        place = place + table.reshape(shape) * math.prod(spatial[i + 1 :])
    places = from_host(np.ascontiguousarray(place.reshape(*lead, *outs, -1)), x.device)
    wide = picked(batch, places, axes)
    best = argmax(wide.detach(), -1, True)
    where: Any = reshape(gather(places, -1, best), (*lead, *outs))
    out: Any = reshape(gather(wide, -1, best), (*lead, *outs))
    return (out.squeeze(0), where.squeeze(0)) if single else (out, where)
