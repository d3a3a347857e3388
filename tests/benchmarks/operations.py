"""Time of single operations, forward and backward, as a ratio to torch's: medians of alternating calls.

    python tests/benchmarks/operations.py                  # all operations, genesis / torch
    python tests/benchmarks/operations.py --only loss      # those whose name contains this
    python tests/benchmarks/operations.py --above 1.1      # print only the slower ones
    python tests/benchmarks/operations.py --threads 2      # wall time on two threads instead
    python tests/benchmarks/operations.py --quick          # each once: only that it runs

One process, the libraries in turn, by default one thread each and the processor's time, so that a busy
machine hardly matters.  Without torch there are times and no ratios.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np


class Ints(NamedTuple):
    """An input of whole numbers from 0 to ``high`` - 1."""

    high: int
    shape: tuple[int, ...]


class Mask(NamedTuple):
    """An input of bools, half of them true."""

    shape: tuple[int, ...]


class Plain(NamedTuple):
    """An input between 0 and 1 that needs no gradient."""

    shape: tuple[int, ...]


Spec = tuple[int, ...] | Ints | Mask | Plain  # a bare shape: normal numbers that want a gradient
Call = Callable[..., Any]

IMAGES = (64, 32, 26, 26)
ROWS = (4096, 768)
MANY = (1000, 1000)
LOGITS = (4096, 1000)
SEGMENTS = (8, 21, 64, 64)
NUMBERS = [[0.5 * i for i in range(100)] for _ in range(100)]
#: name -> what is called with (library, its functional, *inputs), and the inputs
CASES: dict[str, tuple[Call, tuple[Spec, ...]]] = {
    # losses
    "cross_entropy (4096,1000)": (lambda t, F, x, y: F.cross_entropy(x, y), (LOGITS, Ints(1000, (4096,)))),
    "cross_entropy (256,10)": (lambda t, F, x, y: F.cross_entropy(x, y), ((256, 10), Ints(10, (256,)))),
    "cross_entropy weighted (4096,1000)": (
        lambda t, F, x, y, w: F.cross_entropy(x, y, w),
        (LOGITS, Ints(1000, (4096,)), Plain((1000,))),
    ),
    "cross_entropy weighted (256,10)": (
        lambda t, F, x, y, w: F.cross_entropy(x, y, w),
        ((256, 10), Ints(10, (256,)), Plain((10,))),
    ),
    "cross_entropy smoothed (4096,1000)": (
        lambda t, F, x, y: F.cross_entropy(x, y, label_smoothing=0.1),
        (LOGITS, Ints(1000, (4096,))),
    ),
    "cross_entropy images (8,21,64,64)": (
        lambda t, F, x, y: F.cross_entropy(x, y),
        (SEGMENTS, Ints(21, (8, 64, 64))),
    ),
    "cross_entropy images weighted": (
        lambda t, F, x, y, w: F.cross_entropy(x, y, w),
        (SEGMENTS, Ints(21, (8, 64, 64)), Plain((21,))),
    ),
    "cross_entropy images none": (
        lambda t, F, x, y: F.cross_entropy(x, y, reduction="none"),
        (SEGMENTS, Ints(21, (8, 64, 64))),
    ),
    "cross_entropy (8,1000,512)": (
        lambda t, F, x, y: F.cross_entropy(x, y),
        ((8, 1000, 512), Ints(1000, (8, 512))),
    ),
    "cross_entropy soft (1024,1000)": (
        lambda t, F, x, y: F.cross_entropy(x, y),
        ((1024, 1000), Plain((1024, 1000))),
    ),
    "nll_loss (4096,1000)": (lambda t, F, x, y: F.nll_loss(x, y), (LOGITS, Ints(1000, (4096,)))),
    "nll_loss (256,10)": (lambda t, F, x, y: F.nll_loss(x, y), ((256, 10), Ints(10, (256,)))),
    "nll_loss images": (lambda t, F, x, y: F.nll_loss(x, y), (SEGMENTS, Ints(21, (8, 64, 64)))),
    "log_softmax + nll_loss (256,10)": (
        lambda t, F, x, y: F.nll_loss(F.log_softmax(x, 1), y),
        ((256, 10), Ints(10, (256,))),
    ),
    "mse_loss 1e6": (lambda t, F, x, y: F.mse_loss(x, y), (MANY, Plain(MANY))),
    "mse_loss 1e4": (lambda t, F, x, y: F.mse_loss(x, y), ((100, 100), Plain((100, 100)))),
    "l1_loss 1e6": (lambda t, F, x, y: F.l1_loss(x, y), (MANY, Plain(MANY))),
    "smooth_l1_loss 1e6": (lambda t, F, x, y: F.smooth_l1_loss(x, y), (MANY, Plain(MANY))),
    "huber_loss 1e6": (lambda t, F, x, y: F.huber_loss(x, y), (MANY, Plain(MANY))),
    "smooth_l1_loss 1e4": (lambda t, F, x, y: F.smooth_l1_loss(x, y), ((100, 100), Plain((100, 100)))),
    "bce_with_logits loss 1e6": (
        lambda t, F, x, y: F.binary_cross_entropy_with_logits(x, y),
        (MANY, Plain(MANY)),
    ),
    "bce_with_logits loss 1e4": (
        lambda t, F, x, y: F.binary_cross_entropy_with_logits(x, y),
        ((100, 100), Plain((100, 100))),
    ),
    "binary_cross_entropy loss 1e6": (
        lambda t, F, x, y: F.binary_cross_entropy(t.sigmoid(x), y),
        (MANY, Plain(MANY)),
    ),
    "kl_div loss (1024,1000)": (
        lambda t, F, x, y: F.kl_div(x, y, reduction="batchmean"),
        ((1024, 1000), Plain((1024, 1000))),
    ),
    # normalization
    "batch_norm (64,32,26,26)": (
        lambda t, F, x, m, v, w, b: F.batch_norm(x, m, v, w, b, training=True),
        (IMAGES, Plain((32,)), Plain((32,)), (32,), (32,)),
    ),
    "batch_norm (512,256)": (
        lambda t, F, x, m, v, w, b: F.batch_norm(x, m, v, w, b, training=True),
        ((512, 256), Plain((256,)), Plain((256,)), (256,), (256,)),
    ),
    "batch_norm (64,1024)": (
        lambda t, F, x, m, v, w, b: F.batch_norm(x, m, v, w, b, training=True),
        ((64, 1024), Plain((1024,)), Plain((1024,)), (1024,), (1024,)),
    ),
    "batch_norm evaluation (64,32,26,26)": (
        lambda t, F, x, m, v, w, b: F.batch_norm(x, m, v, w, b),
        (IMAGES, Plain((32,)), Plain((32,)), (32,), (32,)),
    ),
    "batch_norm evaluation (512,256)": (
        lambda t, F, x, m, v, w, b: F.batch_norm(x, m, v, w, b),
        ((512, 256), Plain((256,)), Plain((256,)), (256,), (256,)),
    ),
    "group_norm 8 (64,32,26,26)": (
        lambda t, F, x, w, b: F.group_norm(x, 8, w, b),
        (IMAGES, (32,), (32,)),
    ),
    "instance_norm (64,32,26,26)": (lambda t, F, x: F.instance_norm(x), (IMAGES,)),
    "layer_norm (4096,768)": (
        lambda t, F, x, w, b: F.layer_norm(x, (768,), w, b),
        (ROWS, (768,), (768,)),
    ),
    "normalize (4096,768)": (lambda t, F, x: F.normalize(x, dim=-1), (ROWS,)),
    # convolution, pooling, resampling
    "conv2d 64x16x14x14 -> 32 k5 p2": (
        lambda t, F, x, w, b: F.conv2d(x, w, b, padding=2),
        ((64, 16, 14, 14), (32, 16, 5, 5), (32,)),
    ),
    "conv2d 64x64x16x16 -> 64 k3 p1": (
        lambda t, F, x, w, b: F.conv2d(x, w, b, padding=1),
        ((64, 64, 16, 16), (64, 64, 3, 3), (64,)),
    ),
    "interpolate nearest (16,32,16,16) x2": (
        lambda t, F, x: F.interpolate(x, scale_factor=2),
        ((16, 32, 16, 16),),
    ),
    "interpolate nearest (4,64,64,64) x2": (
        lambda t, F, x: F.interpolate(x, scale_factor=2),
        ((4, 64, 64, 64),),
    ),
    "interpolate bilinear (16,32,16,16) x2": (
        lambda t, F, x: F.interpolate(x, scale_factor=2, mode="bilinear"),
        ((16, 32, 16, 16),),
    ),
    "interpolate bilinear (4,21,33,33) -> 129": (
        lambda t, F, x: F.interpolate(x, size=(129, 129), mode="bilinear", align_corners=True),
        ((4, 21, 33, 33),),
    ),
    "pad constant (64,32,26,26)": (lambda t, F, x: F.pad(x, (1, 1, 1, 1)), (IMAGES,)),
    "pad reflect (64,32,26,26)": (lambda t, F, x: F.pad(x, (1, 1, 1, 1), mode="reflect"), (IMAGES,)),
    "pixel_shuffle (16,64,32,32)": (lambda t, F, x: F.pixel_shuffle(x, 2), ((16, 64, 32, 32),)),
    # indexing
    "embedding (50000,128) by (32,128)": (
        lambda t, F, w, i: F.embedding(i, w),
        ((5000, 128), Ints(5000, (32, 128))),
    ),
    "embedding_bag mean (5000,64) by (256,20)": (
        lambda t, F, w, i: F.embedding_bag(i, w),
        ((5000, 64), Ints(5000, (256, 20))),
    ),
    "embedding_bag sum (5000,64) by (256,20)": (
        lambda t, F, w, i: F.embedding_bag(i, w, mode="sum"),
        ((5000, 64), Ints(5000, (256, 20))),
    ),
    "x[i] rows (4096,768) by 1024": (lambda t, F, x, i: x[i], (ROWS, Ints(4096, (1024,)))),
    "x[i, j] (1000,1000) by 10000": (
        lambda t, F, x, i, j: x[i, j],
        (MANY, Ints(1000, (10000,)), Ints(1000, (10000,))),
    ),
    "x[arange, y] (4096,1000)": (
        lambda t, F, x, i, j: x[i, j],
        (LOGITS, Ints(4096, (4096,)), Ints(1000, (4096,))),
    ),
    "x[:, i] (4096,768) by 128": (lambda t, F, x, i: x[:, i], (ROWS, Ints(768, (128,)))),
    "x[mask] (1000,1000)": (lambda t, F, x, m: x[m], (MANY, Mask(MANY))),
    "x[mask] rows (4096,768)": (lambda t, F, x, m: x[m], (ROWS, Mask((4096,)))),
    "x[2:-2, ::2] (1000,1000)": (lambda t, F, x: x[2:-2, ::2] * 1.0, (MANY,)),
    "gather dim 1 (4096,1000) by (4096,8)": (
        lambda t, F, x, i: t.gather(x, 1, i),
        (LOGITS, Ints(1000, (4096, 8))),
    ),
    "gather dim 0 (1000,1000)": (lambda t, F, x, i: t.gather(x, 0, i), (MANY, Ints(1000, MANY))),
    "scatter_add dim 0 (1000,64)": (
        lambda t, F, x, i, s: t.scatter_add(x, 0, i, s),
        ((1000, 64), Ints(1000, (5000, 64)), (5000, 64)),
    ),
    "scatter_add dim 1 (1000,1000)": (
        lambda t, F, x, i, s: t.scatter_add(x, 1, i, s),
        (MANY, Ints(1000, MANY), MANY),
    ),
    "index_select dim 0 (4096,768)": (
        lambda t, F, x, i: t.index_select(x, 0, i),
        (ROWS, Ints(4096, (1024,))),
    ),
    "index_select dim 1 (4096,768)": (
        lambda t, F, x, i: t.index_select(x, 1, i),
        (ROWS, Ints(768, (128,))),
    ),
    "index_add dim 0 (1000,64)": (
        lambda t, F, x, i, s: t.index_add(x, 0, i, s),
        ((1000, 64), Ints(1000, (5000,)), (5000, 64)),
    ),
    "take_along_dim (1000,1000)": (
        lambda t, F, x, i: t.take_along_dim(x, i, 1),
        (MANY, Ints(1000, (1000, 100))),
    ),
    "masked_fill (1000,1000)": (lambda t, F, x, m: x.masked_fill(m, 0.0), (MANY, Mask(MANY))),
    "masked_fill causal (8,12,128,128)": (
        lambda t, F, x, m: x.masked_fill(m, -1e9),
        ((8, 12, 128, 128), Mask((128, 128))),
    ),
    "masked_select (1000,1000)": (lambda t, F, x, m: t.masked_select(x, m), (MANY, Mask(MANY))),
    "where broadcast (1000,1000)": (
        lambda t, F, x, m, y: t.where(m, x, y),
        (MANY, Mask((1000, 1)), (1000,)),
    ),
    "nonzero (1000,1000)": (lambda t, F, m: t.nonzero(m), (Mask(MANY),)),
    "one_hot (4096) of 1000": (lambda t, F, i: F.one_hot(i, 1000), (Ints(1000, (4096,)),)),
    "searchsorted 1e4 in 1e4": (
        lambda t, F, a, x: t.searchsorted(t.sort(a)[0], x),
        (Plain((10000,)), Plain((10000,))),
    ),
    "bucketize 1e5 in 100": (
        lambda t, F, a, x: t.bucketize(x, t.sort(a)[0]),
        (Plain((100,)), Plain((100000,))),
    ),
    "tril (1000,1000)": (lambda t, F, x: t.tril(x), (MANY,)),
    "triu (8,12,128,128)": (lambda t, F, x: t.triu(x, 1), ((8, 12, 128, 128),)),
    "sort (1000,1000)": (lambda t, F, x: t.sort(x, dim=-1)[0], (MANY,)),
    "sort 1e5": (lambda t, F, x: t.sort(x)[0], ((100000,),)),
    "argsort (1000,1000)": (lambda t, F, x: t.argsort(x, dim=-1), (MANY,)),
    "topk 5 (4096,1000)": (lambda t, F, x: t.topk(x, 5)[0], (LOGITS,)),
    "topk 50 (64,50257)": (lambda t, F, x: t.topk(x, 50)[0], ((64, 50257),)),
    "unique 1e5": (lambda t, F, i: t.unique(i), (Ints(1000, (100000,)),)),
    "bincount 1e5": (lambda t, F, i: t.bincount(i), (Ints(1000, (100000,)),)),
    "x[i] = y rows (4096,768) by 1024": (
        lambda t, F, x, i, y: x.index_copy_(0, i, y),
        (Plain(ROWS), Ints(4096, (1024,)), Plain((1024, 768))),
    ),
    "x[i] = number (4096,768) by 1024": (
        lambda t, F, x, i: x.__setitem__(i, 1.0),
        (Plain(ROWS), Ints(4096, (1024,))),
    ),
    "x[mask] = number (1000,1000)": (lambda t, F, x, m: x.__setitem__(m, 0.5), (Plain(MANY), Mask(MANY))),
    "scatter_ one (4096,1000)": (
        lambda t, F, x, i: x.scatter_(1, i, 1.0),
        (Plain(LOGITS), Ints(1000, (4096, 1))),
    ),
    "one_hot (256) of 10": (lambda t, F, i: F.one_hot(i, 10), (Ints(10, (256,)),)),
    "topk 5 (256,10)": (lambda t, F, x: t.topk(x, 5)[0], ((256, 10),)),
    "accuracy (256,10)": (
        lambda t, F, x, y: (x.argmax(1) == y).float().mean(),
        (Plain((256, 10)), Ints(10, (256,))),
    ),
    "accuracy top 5 (1024,1000)": (
        lambda t, F, x, y: (x.topk(5, 1)[1] == y[:, None]).any(1).sum(),
        (Plain((1024, 1000)), Ints(1000, (1024,))),
    ),
    "x[arange, y] (256,10)": (
        lambda t, F, x, y: x[t.arange(256), y],
        ((256, 10), Ints(10, (256,))),
    ),
    "gather (256,10)": (lambda t, F, x, y: x.gather(1, y[:, None]), ((256, 10), Ints(10, (256,)))),
    "isin 1e5 in 100": (lambda t, F, i, j: t.isin(i, j), (Ints(1000, (100000,)), Ints(1000, (100,)))),
    "median dim 1 (1000,1000)": (lambda t, F, x: x.median(1)[0], (MANY,)),
    "kthvalue (1000,1000)": (lambda t, F, x: x.kthvalue(100, 1)[0], (MANY,)),
    "quantile 1e5": (lambda t, F, x: x.quantile(0.9), (Plain((100000,)),)),
    # in place, as optimizers, averages and buffers are written
    "mul_ add_ 1e6": (lambda t, F, x, y: x.mul_(0.9).add_(y, alpha=0.1), (Plain(MANY), Plain(MANY))),
    "mul_ add_ 1e4": (
        lambda t, F, x, y: x.mul_(0.9).add_(y, alpha=0.1),
        (Plain((100, 100)), Plain((100, 100))),
    ),
    "lerp_ 1e6": (lambda t, F, x, y: x.lerp_(y, 0.1), (Plain(MANY), Plain(MANY))),
    "copy_ 1e6": (lambda t, F, x, y: x.copy_(y), (Plain(MANY), Plain(MANY))),
    "copy_ transposed (1000,1000)": (lambda t, F, x, y: x.copy_(y.t()), (Plain(MANY), Plain(MANY))),
    "zero_ 1e6": (lambda t, F, x: x.zero_(), (Plain(MANY),)),
    "clamp_ 1e6": (lambda t, F, x: x.clamp_(0, 0.5), (Plain(MANY),)),
    "addcdiv_ 1e6": (
        lambda t, F, x, y, z: x.addcdiv_(y, z, value=0.1),
        (Plain(MANY), Plain(MANY), Plain(MANY)),
    ),
    "total norm of 20 x 1e4": (
        lambda t, F, x: t.linalg.vector_norm(t.stack([t.linalg.vector_norm(p) for p in x.unbind(0)])),
        (Plain((20, 100, 100)),),
    ),
    # reductions
    "sum all (1000,1000)": (lambda t, F, x: x.sum(), (MANY,)),
    "sum dim 0 (4096,768)": (lambda t, F, x: x.sum(0), (ROWS,)),
    "sum dim 1 (4096,768)": (lambda t, F, x: x.sum(1), (ROWS,)),
    "sum dim 1 (64,32,26,26)": (lambda t, F, x: x.sum(1), (IMAGES,)),
    "sum dims 0,2,3 (64,32,26,26)": (lambda t, F, x: x.sum((0, 2, 3)), (IMAGES,)),
    "sum dims 2,3 (64,32,26,26)": (lambda t, F, x: x.sum((2, 3)), (IMAGES,)),
    "sum dim 1 (32,1024,64)": (lambda t, F, x: x.sum(1), ((32, 1024, 64),)),
    "mean all 1e4": (lambda t, F, x: x.mean(), ((100, 100),)),
    "mean dim -1 (4096,768)": (lambda t, F, x: x.mean(-1), (ROWS,)),
    "sum of ints (1000,1000)": (lambda t, F, i: i.sum(), (Ints(9, MANY),)),
    "sum of bools (1000,1000)": (lambda t, F, m: m.sum(), (Mask(MANY),)),
    "any, all (1000,1000)": (lambda t, F, m: m.any() | m.all(), (Mask(MANY),)),
    "any dim 1 (1000,1000)": (lambda t, F, m: m.any(1), (Mask(MANY),)),
    "max all (1000,1000)": (lambda t, F, x: x.max(), (MANY,)),
    "max dim 1 (4096,1000)": (lambda t, F, x: x.max(1)[0], (LOGITS,)),
    "max dim 0 (4096,768)": (lambda t, F, x: x.max(0)[0], (ROWS,)),
    "amax dim 1 (4096,1000)": (lambda t, F, x: x.amax(1), (LOGITS,)),
    "amax dim 1 (64,32,26,26)": (lambda t, F, x: x.amax(1), (IMAGES,)),
    "argmax dim 1 (4096,1000)": (lambda t, F, x: x.argmax(1), (LOGITS,)),
    "argmax dim 1 (256,10)": (lambda t, F, x: x.argmax(1), ((256, 10),)),
    "argmax dim 1 (8,21,64,64)": (lambda t, F, x: x.argmax(1), (SEGMENTS,)),
    "var dim 1 (4096,768)": (lambda t, F, x: x.var(1), (ROWS,)),
    "std dim 0 (4096,768)": (lambda t, F, x: x.std(0), (ROWS,)),
    "std all (1000,1000)": (lambda t, F, x: x.std(), (MANY,)),
    "norm all (1000,1000)": (lambda t, F, x: x.norm(), (MANY,)),
    "norm dim 1 (4096,768)": (lambda t, F, x: x.norm(dim=1), (ROWS,)),
    "logsumexp dim 1 (4096,1000)": (lambda t, F, x: t.logsumexp(x, 1), (LOGITS,)),
    "prod dim 1 (1000,1000)": (lambda t, F, x: x.prod(1), (MANY,)),
    "cumsum dim 1 (1000,1000)": (lambda t, F, x: x.cumsum(1), (MANY,)),
    "cumsum dim 0 (1000,1000)": (lambda t, F, x: x.cumsum(0), (MANY,)),
    "cumprod dim 1 (1000,1000)": (lambda t, F, x: x.cumprod(1), (MANY,)),
    "softmax dim 1 (8,21,64,64)": (lambda t, F, x: F.softmax(x, 1), (SEGMENTS,)),
    "softmax dim 1 (32,128,64)": (lambda t, F, x: F.softmax(x, 1), ((32, 128, 64),)),
    "softmax dim -1 (8,12,128,128)": (lambda t, F, x: F.softmax(x, -1), ((8, 12, 128, 128),)),
    "log_softmax dim 1 (8,21,64,64)": (lambda t, F, x: F.log_softmax(x, 1), (SEGMENTS,)),
    "log_softmax dim -1 (4096,1000)": (lambda t, F, x: F.log_softmax(x, -1), (LOGITS,)),
    # products
    "bmm (96,128,64) (96,64,128)": (lambda t, F, x, y: t.bmm(x, y), ((96, 128, 64), (96, 64, 128))),
    "bmm (512,8,8)": (lambda t, F, x, y: t.bmm(x, y), ((512, 8, 8), (512, 8, 8))),
    "matmul (1024,256) (256,256)": (lambda t, F, x, y: x @ y, ((1024, 256), (256, 256))),
    "einsum bij,bjk->bik": (
        lambda t, F, x, y: t.einsum("bij,bjk->bik", x, y),
        ((32, 64, 64), (32, 64, 64)),
    ),
    "einsum bhqd,bhkd->bhqk": (
        lambda t, F, x, y: t.einsum("bhqd,bhkd->bhqk", x, y),
        ((8, 12, 128, 64), (8, 12, 128, 64)),
    ),
    "einsum bqhd,bkhd->bhqk": (
        lambda t, F, x, y: t.einsum("bqhd,bkhd->bhqk", x, y),
        ((8, 128, 12, 64), (8, 128, 12, 64)),
    ),
    "einsum bi,bi->b": (lambda t, F, x, y: t.einsum("bi,bi->b", x, y), ((1000, 500), (1000, 500))),
    "outer 1000": (lambda t, F, x, y: t.outer(x, y), ((1000,), (1000,))),
    "mv (1000,1000)": (lambda t, F, x, y: x @ y, (MANY, (1000,))),
    "cdist (500,64)": (lambda t, F, x, y: t.cdist(x, y), ((500, 64), (400, 64))),
    "cosine_similarity (4096,768)": (lambda t, F, x, y: F.cosine_similarity(x, y), (ROWS, ROWS)),
    # shapes
    "cat dim 0": (lambda t, F, x, y: t.cat([x, y]), (MANY, MANY)),
    "cat dim 1 (64,32,26,26)": (lambda t, F, x, y: t.cat([x, y], 1), (IMAGES, IMAGES)),
    "cat dim -1": (lambda t, F, x, y: t.cat([x, y], -1), (ROWS, (4096, 32))),
    "stack": (lambda t, F, x, y: t.stack([x, y]), (MANY, MANY)),
    "stack 64 of 784": (lambda t, F, x: t.stack(x.unbind(0)), (Plain((64, 784)),)),
    "split, summed": (lambda t, F, x: sum(t.split(x, 256, 1)), (ROWS,)),
    "chunk, multiplied": (lambda t, F, x: (lambda a, b: a * b)(*t.chunk(x, 2, -1)), (ROWS,)),
    "permute 0,3,1,2 copied": (
        lambda t, F, x: x.permute(0, 3, 1, 2).contiguous(),
        ((64, 26, 26, 32),),
    ),
    "permute 0,2,3,1 copied": (lambda t, F, x: x.permute(0, 2, 3, 1).contiguous(), (IMAGES,)),
    "transpose heads copied": (
        lambda t, F, x: x.transpose(1, 2).contiguous(),
        ((8, 128, 12, 64),),
    ),
    "matrix transpose copied": (lambda t, F, x: x.t().contiguous(), (MANY,)),
    "repeat (1,1000) x1000": (lambda t, F, x: x.repeat(1000, 1), ((1, 1000),)),
    "repeat_interleave 4 (1000,256)": (
        lambda t, F, x: x.repeat_interleave(4, 0),
        ((1000, 256),),
    ),
    "expand, added": (lambda t, F, x, y: x + y, (MANY, (1000,))),
    "add column": (lambda t, F, x, y: x + y, (MANY, (1000, 1))),
    "multiply channels": (lambda t, F, x, y: x * y, (IMAGES, (1, 32, 1, 1))),
    "roll (1000,1000)": (lambda t, F, x: t.roll(x, 7, 1), (MANY,)),
    "flip (64,32,26,26)": (lambda t, F, x: t.flip(x, (3,)), (IMAGES,)),
    "unfold (64,16,14,14) k3": (lambda t, F, x: F.unfold(x, 3), ((64, 16, 14, 14),)),
    "meshgrid, added": (
        lambda t, F, x, y: (lambda a, b: a + b)(*t.meshgrid(x, y, indexing="ij")),
        ((1000,), (1000,)),
    ),
    # elementwise
    "add 1e4": (lambda t, F, x, y: x + y, ((100, 100), (100, 100))),
    "add 1e6": (lambda t, F, x, y: x + y, (MANY, MANY)),
    "mul 1e6": (lambda t, F, x, y: x * y, (MANY, MANY)),
    "relu 1e6": (lambda t, F, x: F.relu(x), (MANY,)),
    "gelu 1e6": (lambda t, F, x: F.gelu(x), (MANY,)),
    "gelu tanh 1e6": (lambda t, F, x: F.gelu(x, approximate="tanh"), (MANY,)),
    "silu 1e6": (lambda t, F, x: F.silu(x), (MANY,)),
    "mish 1e6": (lambda t, F, x: F.mish(x), (MANY,)),
    "softplus 1e6": (lambda t, F, x: F.softplus(x), (MANY,)),
    "elu 1e6": (lambda t, F, x: F.elu(x), (MANY,)),
    "leaky_relu 1e6": (lambda t, F, x: F.leaky_relu(x, 0.1), (MANY,)),
    "hardswish 1e6": (lambda t, F, x: F.hardswish(x), (MANY,)),
    "logsigmoid 1e6": (lambda t, F, x: F.logsigmoid(x), (MANY,)),
    "sigmoid 1e6": (lambda t, F, x: t.sigmoid(x), (MANY,)),
    "tanh 1e6": (lambda t, F, x: t.tanh(x), (MANY,)),
    "glu (4096,768)": (lambda t, F, x: F.glu(x), (ROWS,)),
    "prelu (64,32,26,26)": (lambda t, F, x, w: F.prelu(x, w), (IMAGES, (32,))),
    "dropout 1e6": (lambda t, F, x: F.dropout(x, 0.1, training=True), (MANY,)),
    "dropout 1e4": (lambda t, F, x: F.dropout(x, 0.1, training=True), ((100, 100),)),
    "clamp 1e6": (lambda t, F, x: x.clamp(-1, 1), (MANY,)),
    "pow 2 1e6": (lambda t, F, x: x**2, (MANY,)),
    "pow 3 1e6": (lambda t, F, x: x**3, (MANY,)),
    "pow 0.5 1e6": (lambda t, F, x: (x * x + 1) ** 0.5, (MANY,)),
    "pow 2.2 1e6": (lambda t, F, x: (x * x + 1) ** 2.2, (MANY,)),
    "exp 1e6": (lambda t, F, x: x.exp(), (MANY,)),
    "log 1e6": (lambda t, F, x: (x * x + 1).log(), (MANY,)),
    "sqrt 1e6": (lambda t, F, x: (x * x + 1).sqrt(), (MANY,)),
    "rsqrt 1e6": (lambda t, F, x: (x * x + 1).rsqrt(), (MANY,)),
    "sin 1e6": (lambda t, F, x: x.sin(), (MANY,)),
    "erf 1e6": (lambda t, F, x: x.erf(), (MANY,)),
    "abs 1e6": (lambda t, F, x: x.abs(), (MANY,)),
    "div 1e6": (lambda t, F, x, y: x / (y * y + 1), (MANY, MANY)),
    "maximum 1e6": (lambda t, F, x, y: t.maximum(x, y), (MANY, MANY)),
    "lerp 1e6": (lambda t, F, x, y: t.lerp(x, y, 0.3), (MANY, MANY)),
    "addcmul 1e6": (lambda t, F, x, y, z: t.addcmul(x, y, z), (MANY, MANY, MANY)),
    "compare 1e6": (lambda t, F, x, y: x > y, (Plain(MANY), Plain(MANY))),
    "compare number 1e6": (lambda t, F, x: x > 0.5, (Plain(MANY),)),
    "logical 1e6": (lambda t, F, x, y: x & y, (Mask(MANY), Mask(MANY))),
    "isnan 1e6": (lambda t, F, x: t.isnan(x), (Plain(MANY),)),
    "bool to float 1e6": (lambda t, F, x: x.float(), (Mask(MANY),)),
    "int to float 1e6": (lambda t, F, x: x.float(), (Ints(9, MANY),)),
    "float to int 1e6": (lambda t, F, x: x.long(), (Plain(MANY),)),
    "float to double 1e6": (lambda t, F, x: x.double(), (Plain(MANY),)),
    "int compare 1e6": (lambda t, F, x, y: x == y, (Ints(9, MANY), Ints(9, MANY))),
    "int add 1e6": (lambda t, F, x, y: x + y, (Ints(9, MANY), Ints(9, MANY))),
    "clone 1e6": (lambda t, F, x: x.clone(), (MANY,)),
    "zeros_like 1e6": (lambda t, F, x: t.zeros_like(x), (Plain(MANY),)),
    "arange 1e6": (lambda t, F, x: t.arange(1000000), (Plain((1,)),)),
    "randn 1e6": (lambda t, F, x: t.randn(1000, 1000), (Plain((1,)),)),
    "rand 1e6": (lambda t, F, x: t.rand(1000, 1000), (Plain((1,)),)),
    "randperm 1e5": (lambda t, F, x: t.randperm(100000), (Plain((1,)),)),
    "randint 1e6": (lambda t, F, x: t.randint(0, 1000, (1000, 1000)), (Plain((1,)),)),
    "bernoulli 1e6": (lambda t, F, x: t.bernoulli(x), (Plain(MANY),)),
    "linspace 1e6": (lambda t, F, x: t.linspace(0, 1, 1000000), (Plain((1,)),)),
    "tril of ones (512,512)": (lambda t, F, x: t.tril(t.ones(512, 512)), (Plain((1,)),)),
    "eye 1000": (lambda t, F, x: t.eye(1000), (Plain((1,)),)),
    "tensor of a list of 1e4": (lambda t, F, x: t.tensor(NUMBERS), (Plain((1,)),)),
    "tolist 1e4": (lambda t, F, x: x.tolist(), (Plain((100, 100)),)),
    "repr (1000,1000)": (lambda t, F, x: repr(x), (Plain(MANY),)),
    "multinomial (1,50257)": (lambda t, F, x: t.multinomial(x, 1), (Plain((1, 50257)),)),
    "multinomial (256,1000)": (lambda t, F, x: t.multinomial(x, 1), (Plain((256, 1000)),)),
}


class Side:
    """One library with one case."""

    def __init__(self, name: str, call: Call, specs: tuple[Spec, ...]) -> None:
        self.library = import_module(name)
        self.F, self.call = import_module(f"{name}.nn.functional"), call
        rng = np.random.default_rng(0)
        self.inputs = [self._make(s, rng) for s in specs]
        self.wanted = [x for x, s in zip(self.inputs, specs, strict=True) if type(s) is tuple]
        out = self.forward()
        self.seed = None
        if self.wanted and getattr(out, "requires_grad", False):
            self.seed = self.library.ones_like(out.detach()) * 0.5

    def _make(self, spec: Spec, rng: np.random.Generator) -> Any:
        if isinstance(spec, Ints):
            return self.library.tensor(rng.integers(0, spec.high, spec.shape))
        if isinstance(spec, Mask):
            return self.library.tensor(rng.random(spec.shape) < 0.5)
        if isinstance(spec, Plain):
            return self.library.tensor(rng.random(spec.shape, "float32"))
        return self.library.tensor(rng.standard_normal(spec, "float32")).requires_grad_()

    def forward(self) -> Any:
        return self.call(self.library, self.F, *self.inputs)

    def times(self, clock: Callable[[], float]) -> tuple[float, float]:
        """Of the forward pass and of the backward pass, in microseconds."""
        start = clock()
        out = self.forward()
        self.library.cpu.synchronize()  # what Genesis computes may go on when a call returns
        middle = clock()
        if self.seed is not None:
            out.backward(self.seed)
            self.library.cpu.synchronize()
        end = clock()
        for x in self.wanted:
            x.grad = None
        return (middle - start) * 1e6, (end - middle) * 1e6


def medians(sides: list[Side], seconds: float, clock: Callable[[], float]) -> list[tuple[float, float]]:
    """Of each library: the time of the forward and of the backward pass."""
    taken: list[list[tuple[float, float]]] = [[] for _ in sides]
    for side in sides:
        side.times(clock)
    end = time.perf_counter() + seconds
    while not taken[0] or time.perf_counter() < end or (seconds and len(taken[0]) < 5):
        for side, list_ in zip(sides, taken, strict=True):
            list_.append(side.times(clock))
    return [(statistics.median(t[0] for t in a), statistics.median(t[1] for t in a)) for a in taken]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="each once: only that it runs")
    parser.add_argument("--only", default="", help="cases whose name contains one of these, cut by commas")
    parser.add_argument("--above", type=float, default=0.0, help="print cases with a larger ratio only")
    parser.add_argument("--seconds", type=float, default=0.5, help="how long to time each case")
    parser.add_argument("--threads", type=int, default=1, help="more than one: wall time, not processor time")
    options = parser.parse_args()
    os.environ["NUMBA_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(options.threads)
    names = ["genesis"] + (["torch"] if importlib.util.find_spec("torch") else [])
    if "torch" in names:
        import_module("torch").set_num_threads(options.threads)
    clock = time.process_time if options.threads == 1 else time.perf_counter
    print(f"{'median microseconds':44}" + "".join(f"{n:>20}" for n in names) + "   ratio forward, backward")
    slower = 0
    for case, (call, specs) in CASES.items():
        if not any(part in case for part in options.only.split(",")):
            continue
        try:
            sides = [Side(n, call, specs) for n in names]
            found = medians(sides, 0.0 if options.quick else options.seconds, clock)
        except Exception as error:
            print(f"{case}: {type(error).__name__}: {error}", file=sys.stderr)
            continue
        backward = sides[0].seed is not None
        ratios = [a / b for a, b in zip(*found, strict=True)][: 1 + backward] if len(names) > 1 else []
        if ratios and max(ratios) < options.above:
            continue
        slower += 1
        text = "".join(f"{f:11.0f}" + (f"{b:9.0f}" if backward else " " * 9) for f, b in found)
        print(f"{case:44}{text}   " + "  ".join(f"{r:6.2f}" for r in ratios), flush=True)
    if options.above:
        print(f"{slower} above {options.above}")


if __name__ == "__main__":
    main()
