"""Random tensors: the numbers are a function of a seed and a position, the same on every device."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from genesis._dtypes import DtypeError, float64, int64
from genesis._random import Generator, default_generator
from genesis.autograd.graph import Node, TensorCore, new
from genesis.backend import halves
from genesis.backend.expr import arg, call
from genesis.backend.view import View, broadcast_shapes
from genesis.ops import elementwise as ew
from genesis.ops._elementwise import Elementwise
from genesis.ops._op import primitive
from genesis.ops._view import size_of
from genesis.ops.creation import _empty, _fill, _leaf, _like, from_host
from genesis.ops.reduction import sum_to_shape

if TYPE_CHECKING:
    from genesis._tensor import Tensor


def _host_source(generator: Generator | None, count: int) -> np.random.Generator:
    """A source of NumPy's whose numbers follow from the seed and position of ``generator``."""
    seed, offset = (generator or default_generator).take(max(count, 1))
    return np.random.Generator(np.random.Philox(key=seed, counter=offset))


def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Counts of events with the rate that each element is, in the type of ``input``.

    Raises:
        RuntimeError: a rate is negative or nan.
    """
    if not input.dtype.is_floating_point:
        raise DtypeError(f"poisson needs rates of a floating-point type, got {input.dtype}")
    rates = input._view.buffer.device.backend.read(input._view)
    if not (rates >= 0).all():
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    counts = _host_source(generator, rates.size).poisson(rates.astype(np.float64))
    out = from_host(np.asarray(counts, input.dtype.name), input._view.buffer.device)
    return _drawn.wrap(out._view, (input,), options=_kinds([input]))


def binomial(count: Tensor, prob: Tensor, generator: Generator | None = None) -> Tensor:
    """How many of ``count`` tries succeed with probability ``prob``, in the type of ``count``.

    Raises:
        RuntimeError: a count is negative, or a probability is not in [0, 1].
    """
    n, p = (t._view.buffer.device.backend.read(t._view) for t in (count, prob))
    if not (n >= 0).all() or not ((p >= 0) & (p <= 1)).all():
        raise RuntimeError("binomial expects counts >= 0 and probabilities in [0, 1]")
    n, p = np.broadcast_arrays(n, p)
    drawn = _host_source(generator, n.size).binomial(n.astype(np.int64), p.astype(np.float64))
    return from_host(np.asarray(drawn, count.dtype.name), count._view.buffer.device)


def _empty_float(name: str, shape: tuple[int, ...], dtype: Any, device: Any) -> View:
    view = _empty(shape, dtype, device)
    if not view.dtype.is_floating_point:
        raise RuntimeError(f"{name} gives floating-point numbers, not {view.dtype}; convert with .to(dtype)")
    return view


def draw(kind: str, view: View, generator: Generator | None) -> None:
    """Fill a view with random numbers of one kind of ``Backend.random``."""
    if view.size:
        # a normal number at position p uses the words at 2p and 2p + 1
        words = 2 if kind == "normal" else 1
        seed, offset = (generator or default_generator).take(view.size * words)
        fill(kind, view, seed, offset // words)


def fill(kind: str, view: View, seed: int, offset: int) -> None:
    """Fill a view with the random numbers of a seed from a place on."""
    backend = view.buffer.device.backend
    if view.dtype.is_half:
        halves.random(backend, kind, view, seed, offset)
    else:
        backend.random(kind, view, seed, offset)


def rand(
    *size: Any,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform random numbers in [0, 1)."""
    view = _empty_float("rand", size_of(size), dtype, device)
    draw("uniform", view, generator)
    return _leaf(new(view), requires_grad)


def randn(
    *size: Any,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal random numbers with mean 0 and variance 1."""
    view = _empty_float("randn", size_of(size), dtype, device)
    draw("normal", view, generator)
    return _leaf(new(view), requires_grad)


def rand_like(
    x: Tensor,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """``rand`` in the shape, type and device of ``x``."""
    dtype, device = _like(x, dtype, device)
    return rand(tuple(x.shape), dtype=dtype, device=device, generator=generator, requires_grad=requires_grad)


def randn_like(
    x: Tensor,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """``randn`` in the shape, type and device of ``x``."""
    dtype, device = _like(x, dtype, device)
    return randn(tuple(x.shape), dtype=dtype, device=device, generator=generator, requires_grad=requires_grad)


def randint_like(
    x: Tensor,
    low: int = 0,
    high: int | None = None,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``randint`` in the shape, type and device of ``x``: ``randint_like(x, high)`` or ``(x, low, high)``."""
    if high is None:
        low, high = 0, low
    dtype, device = _like(x, dtype, device)
    return randint(low, high, tuple(x.shape), dtype=dtype, device=device, requires_grad=requires_grad)


def randint(
    *bounds: Any,
    low: int = 0,
    high: int | None = None,
    size: Any = None,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Random integers in [low, high): ``randint(high, size)`` or ``randint(low, high, size)``.

    Raises:
        RuntimeError: the range is empty or has more than 2**32 values.
    """
    given = list(bounds)
    if given and size is None:
        size = given.pop()
    if given:
        high = given.pop()
    if given:
        low = given.pop()
    if given or high is None or size is None:
        raise TypeError("randint expects high and size, or low, high and size")
    span = int(high) - int(low)
    if not 0 < span <= 1 << 32:
        raise RuntimeError(
            f"randint expects low < high and at most 2**32 values between, got [{low}, {high})"
        )
    view = _empty(size_of((size,)), int64, device)
    draw("bits", view, generator)
    _fill(_SCALED if span < 1 << 31 else _TAKEN, view, view, span, 32, int(low))
    out = new(view)
    return _leaf(out if dtype is None else out.to(dtype), requires_grad)


# multiply and shift maps 32 random bits to [0, span) with a bias below span / 2**32
_SCALED = call("shr", call("mul", arg(0), arg(1)), arg(2)) + arg(3)
_TAKEN = call("mod", arg(0), arg(1)) + arg(3)


def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    dtype: Any = int64,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A random permutation of 0 … n - 1."""
    from genesis.ops.sorting import argsort

    if n < 0:
        raise RuntimeError(f"n must be non-negative, got {n}")

    keys = _empty((int(n),), int64, device)
    draw("bits", keys, generator)
    low = _empty((int(n),), int64, device)
    draw("bits", low, generator)
    # 62-bit keys: a tie, which would favour the lower index, does not happen in practice
    key = new(keys) * (1 << 30) + new(low)
    return _leaf(argsort(key).to(dtype), requires_grad)


def uniform_(x: Any, low: float, high: float, generator: Generator | None) -> Any:
    """Overwrite ``x`` with uniform numbers in [low, high)."""
    from genesis.ops.elementwise import scaled_sum

    if not low <= high:
        raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={low} > to={high}")
    if not x.dtype.is_floating_point:
        raise DtypeError(f"uniform_ gives floating-point numbers, not {x.dtype}")
    noise = new(_empty(x._view.shape, x.dtype, x.device))
    draw("uniform", noise._view, generator)
    return scaled_sum.into(x, low, noise, high - low)


def normal_(x: Any, mean: float, std: float, generator: Generator | None) -> Any:
    """Overwrite ``x`` with normal numbers."""
    from genesis.ops.elementwise import scaled_sum

    if not std >= 0:
        raise RuntimeError(f"normal_ expects std >= 0.0, but found std {std}")
    if not x.dtype.is_floating_point:
        raise DtypeError(f"normal_ gives floating-point numbers, not {x.dtype}")
    noise = new(_empty(x._view.shape, x.dtype, x.device))
    draw("normal", noise._view, generator)
    return scaled_sum.into(x, mean, noise, std)


@primitive("drawn")
def _drawn(node: Node, grad: Any) -> list[Any]:
    """What is drawn has a gradient of zero to its parameters, as in PyTorch."""
    zero = grad._zeros_like()
    return [sum_to_shape(zero, shape).to(dtype) for shape, dtype in node.options]


def _kinds(tensors: list[Any]) -> list[tuple[Any, Any]]:
    return [(t._view.shape, t._view.dtype) for t in tensors]


def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal numbers with the given means and standard deviations (numbers or tensors).

    Raises:
        RuntimeError: a standard deviation is negative.
    """
    low = std.min().item() if isinstance(std, TensorCore) and std._view.size else std  # type: ignore[attr-defined]
    if not isinstance(low, TensorCore) and not low >= 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {low}")
    tensors: list[Any] = [t for t in (mean, std) if isinstance(t, TensorCore)]
    if size is None:
        if not tensors:
            raise TypeError("normal needs a size when mean and std are numbers")
        size = broadcast_shapes(*[t.shape for t in tensors])
    if tensors:
        device = tensors[0].device if device is None else device
        dtype = tensors[0].dtype if dtype is None else dtype
    unit = randn(size, generator=generator, dtype=dtype, device=device)
    plain = [t.detach() if isinstance(t, TensorCore) else t for t in (mean, std)]  # type: ignore[attr-defined]
    out = unit * plain[1] + plain[0]
    return (
        _leaf(out, requires_grad)
        if requires_grad
        else _drawn.wrap(out._view, tensors, options=_kinds(tensors))
    )


def _probability(name: str, p: float) -> None:
    if not 0 <= p <= 1:
        raise RuntimeError(f"{name} expects p to be in [0, 1], but got p={p}")


def bernoulli(input: Tensor, p: Any = None, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that each element is (or with ``p``), else 0, in the type of ``input``.

    Raises:
        RuntimeError: a probability is not in [0, 1].
    """
    if p is not None:
        _probability("bernoulli", p)
        noise = rand(tuple(input.shape), generator=generator, dtype=float64, device=input.device)
        return (noise < p).to(input.dtype)  # type: ignore[no-any-return]
    p = input.detach()
    if not p.dtype.is_floating_point:
        raise DtypeError(f"bernoulli needs probabilities of a floating-point type, got {p.dtype}")
    if p.numel() and not (p.min() >= 0 and p.max() <= 1):
        raise RuntimeError("bernoulli expects all probabilities to be in [0, 1]")
    noise = rand(tuple(p.shape), generator=generator, dtype=p.dtype, device=p.device)
    out: Any = (noise < p).to(p.dtype)
    return _drawn.wrap(out._view, (input,), options=_kinds([input]))


_arrival = Elementwise(
    "arrival",
    lambda u, w: ew.where_expr(call("lt", 0, w), call("neg", call("log1p", call("neg", u))) / w, math.inf),
    2,
)


def multinomial(
    weights: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Indices drawn with probability proportional to ``weights`` (n,) or (rows, n): int64 (…, num_samples).

    Raises:
        RuntimeError: a weight is negative or not finite, all are zero, or too many are drawn without
            replacement.
    """
    if not weights.dtype.is_floating_point:
        raise RuntimeError(f"multinomial only supports floating-point weights, got {weights.dtype}")
    if num_samples <= 0:
        raise RuntimeError(f"cannot sample n_sample <= 0 samples, got {num_samples}")
    w: Any = weights.detach().cpu().to(float64)
    rows = w.numpy()
    if rows.ndim not in (1, 2) or not rows.size:
        raise RuntimeError(f"multinomial expects one or two dimensions, got shape {tuple(weights.shape)}")
    if not (rows.min() >= 0 and rows.max() < np.inf):
        raise RuntimeError("probability tensor contains either inf, nan or element < 0")
    likely = np.count_nonzero(rows, -1).min()
    if not likely:
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    if not replacement and num_samples > likely:
        raise RuntimeError(f"cannot sample {num_samples} without replacement from fewer non-zero weights")
    matrix = np.atleast_2d(rows)
    if replacement:
        noise = rand(matrix.shape[0], num_samples, generator=generator, dtype=float64, device="cpu").numpy()
        edges = np.cumsum(matrix, -1)
        picked = np.stack(
            [np.searchsorted(e, u * e[-1], side="right") for e, u in zip(edges, noise, strict=True)]
        )
        picked = np.minimum(picked, matrix.shape[1] - 1)
    else:  # exponential races: the order of arrival is a draw without replacement
        drawn = rand(matrix.shape, generator=generator, dtype=float64, device="cpu")
        arrival: Any = _arrival(drawn, w.reshape(matrix.shape))
        if num_samples == 1:
            picked = np.argmin(arrival.numpy(), -1, keepdims=True)
        else:
            picked = arrival.argsort(-1)[:, :num_samples].numpy()
    out = from_host(np.ascontiguousarray(picked.astype(np.int64)), weights.device)
    return out[0] if rows.ndim == 1 else out
