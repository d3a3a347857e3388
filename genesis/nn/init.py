"""Ways to fill a parameter with its first values: in place, outside the graph, returning the tensor."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np

import genesis
from genesis import Generator, no_grad
from genesis._lazy import missing
from genesis._tensor import Tensor

TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which a nonlinearity's inputs are scaled up, so that activations keep their spread.

    Args:
        nonlinearity: ``"linear"``, ``"conv1d"`` to ``"conv_transpose3d"`` or ``"sigmoid"`` (1),
            ``"tanh"`` (5/3), ``"relu"`` (√2), ``"leaky_relu"`` (√(2 / (1 + slope²))) or ``"selu"`` (3/4).
        param: the slope of leaky_relu, 0.01 unless given.

    Raises:
        ValueError: the name is none of these, or the slope is no number.
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, int | float):
            raise ValueError(f"the slope of leaky_relu must be a number, got {slope!r}")
        return math.sqrt(2 / (1 + slope**2))
    if nonlinearity not in _GAINS:
        known = ", ".join([*_GAINS, "leaky_relu"])
        raise ValueError(f"unsupported nonlinearity {nonlinearity!r}; use one of {known}")
    return _GAINS[nonlinearity]


_GAINS = {
    **{f"conv{kind}{n}d": 1.0 for kind in ("", "_transpose") for n in (1, 2, 3)},
    "linear": 1.0,
    "sigmoid": 1.0,
    "tanh": 5 / 3,
    "relu": math.sqrt(2),
    "selu": 0.75,
}


def _values(tensor: Tensor) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The elements, as a new float64 array that may be computed on."""
    return tensor.detach()._host(kept=False).astype(np.float64)


def _write(tensor: Tensor, values: np.ndarray[Any, np.dtype[np.float64]]) -> Tensor:
    """Copy ``values``, in row-major order, into ``tensor``; the copy rounds them to its type."""
    return tensor.copy_(genesis.tensor(values.reshape(tensor.shape), device=tensor.device))


@no_grad()
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with values from U(a, b)."""
    return tensor.uniform_(a, b, generator=generator)


@no_grad()
def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fill with values from N(mean, std²)."""
    return tensor.normal_(mean, std, generator=generator)


@no_grad()
def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Fill with values from N(mean, std²), kept within [a, b].

    Args:
        tensor: any shape.
        mean, std: of the normal distribution before it is cut.
        a, b: bounds of the values themselves, not multiples of ``std``.
        generator: source of the random numbers; the default one when None.

    Raises:
        ValueError: ``a`` is not below ``b``, or ``std`` is not positive.
    """
    if not a < b or std <= 0:
        raise ValueError(f"trunc_normal_ needs a < b and std > 0, got a={a}, b={b}, std={std}")
    low, high = (a - mean) / std, (b - mean) / std
    flip = low > 0  # the upper tail, mirrored: probabilities near 0 are exact, near 1 they are not
    if flip:
        low, high = -high, -low
    # NormalDist().cdf adds 1 to an erf, which rounds the far tail to 0; erfc does not.
    start, end = (0.5 * math.erfc(-bound / math.sqrt(2)) for bound in (low, high))
    if end - start > 0.1:
        # Draw, and draw again what fell outside: few rounds, since a tenth or more falls inside.
        values = _values(tensor.normal_(0.0, 1.0, generator=generator)).reshape(-1)
        outside = np.flatnonzero((values < low) | (values > high))
        while outside.size:
            again = genesis.empty((outside.size,), dtype=tensor.dtype, device=tensor.device)
            values[outside] = _values(again.normal_(0.0, 1.0, generator=generator))
            outside = outside[(values[outside] < low) | (values[outside] > high)]
    else:
        # A thin slice: invert the distribution function, slower for each value but always one round.
        uniform = _values(tensor.uniform_(0.0, 1.0, generator=generator)).reshape(-1)
        floor = 5e-324  # smallest positive double; the inverse is not defined at 0
        inverse = NormalDist().inv_cdf
        values = np.array([inverse(max(start + u * (end - start), floor)) for u in uniform])
        values = np.clip(values, low, high)
    if flip:
        values = -values
    return _write(tensor, np.clip(values * std + mean, a, b))


@no_grad()
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with ``val``."""
    return tensor.fill_(val)


@no_grad()
def ones_(tensor: Tensor) -> Tensor:
    """Fill with 1."""
    return tensor.fill_(1.0)


@no_grad()
def zeros_(tensor: Tensor) -> Tensor:
    """Fill with 0."""
    return tensor.zero_()


@no_grad()
def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with 1 on the diagonal and 0 elsewhere."""
    if tensor.dim() != 2:
        raise ValueError(f"eye_ needs a tensor of 2 dimensions, got shape {tuple(tensor.shape)}")
    return _write(tensor, np.eye(*tensor.shape))


@no_grad()
def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill a convolution's weight so that it passes on its channels unchanged, as far as there are so many.

    Args:
        tensor: ``(out, in, *kernel)`` of 3 to 5 dimensions.
        groups: each group of outputs gets the first inputs.

    Raises:
        ValueError: the number of dimensions is another one, or ``out`` no multiple of ``groups``.
    """
    if tensor.dim() not in (3, 4, 5):
        raise ValueError(f"dirac_ needs a tensor of 3, 4 or 5 dimensions, got shape {tuple(tensor.shape)}")
    out, channels, *kernel = tensor.shape
    if out % groups:
        raise ValueError(f"dirac_: dim 0 ({out}) must be divisible by groups ({groups})")
    values = np.zeros(tuple(tensor.shape))
    each = out // groups
    middle = tuple(size // 2 for size in kernel)
    for group in range(groups):
        for i in range(min(each, channels)):
            values[(group * each + i, i, *middle)] = 1
    return _write(tensor, values)


@no_grad()
def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Fill a matrix from N(0, std²), with a share of each column zero (Martens 2010).

    Args:
        tensor: of 2 dimensions.
        sparsity: the share, rounded up to whole rows.
        std: of the other elements.
        generator: source of the random numbers; the default one when None.
    """
    if tensor.dim() != 2:
        raise ValueError(f"sparse_ needs a tensor of 2 dimensions, got shape {tuple(tensor.shape)}")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    tensor.normal_(0, std, generator=generator)
    for column in range(columns):
        tensor[genesis.randperm(rows, generator=generator)[:zeros], column] = 0
    return tensor


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """How many inputs and outputs each unit of a weight ``(out, in, *kernel)`` is connected to."""
    if tensor.dim() < 2:
        raise ValueError(
            f"fan in and fan out need a tensor of at least 2 dimensions, got shape {tuple(tensor.shape)}"
        )
    kernel = math.prod(tensor.shape[2:])
    return tensor.shape[1] * kernel, tensor.shape[0] * kernel


def _fan(tensor: Tensor, mode: str) -> int:
    mode = mode.lower()
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode must be 'fan_in' or 'fan_out', got {mode!r}")
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return fan_in if mode == "fan_in" else fan_out


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill from U(-k, k), ``k = gain * sqrt(6 / (fan_in + fan_out))`` (Glorot and Bengio 2010)."""
    bound = gain * math.sqrt(6 / sum(_calculate_fan_in_and_fan_out(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill from N(0, s²), ``s = gain * sqrt(2 / (fan_in + fan_out))`` (Glorot and Bengio 2010)."""
    std = gain * math.sqrt(2 / sum(_calculate_fan_in_and_fan_out(tensor)))
    return normal_(tensor, 0.0, std, generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float | None:
    """``gain / sqrt(fan)``; None for a tensor without elements, which has nothing to fill."""
    fan = _fan(tensor, mode)
    return calculate_gain(nonlinearity, a) / math.sqrt(fan) if tensor.numel() else None


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Fill from U(-k, k), ``k = gain * sqrt(3 / fan)`` (He et al. 2015, arXiv:1502.01852).

    Args:
        tensor: a weight ``(out, in, *kernel)``.
        a: slope of the leaky_relu that follows.
        mode: ``"fan_in"`` keeps the spread in the forward pass, ``"fan_out"`` in the backward pass.
        nonlinearity: what follows, a name that ``calculate_gain`` knows.
        generator: source of the random numbers; the default one when None.
    """
    std = _kaiming_std(tensor, a, mode, nonlinearity)
    return tensor if std is None else uniform_(tensor, -math.sqrt(3) * std, math.sqrt(3) * std, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Fill from N(0, s²), ``s = gain / sqrt(fan)``; the arguments are those of ``kaiming_uniform_``."""
    std = _kaiming_std(tensor, a, mode, nonlinearity)
    return tensor if std is None else normal_(tensor, 0.0, std, generator)


@no_grad()
def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Fill with a (semi-)orthogonal matrix, drawn evenly (Saxe et al. 2013, arXiv:1312.6120).

    A tensor of more than two dimensions is taken as a matrix ``(shape[0], rest)``.

    Args:
        tensor: at least 2 dimensions.
        gain: factor of the result.
        generator: source of the random numbers; the default one when None.
    """
    if tensor.dim() < 2:
        raise ValueError(
            f"orthogonal_ needs a tensor of at least 2 dimensions, got shape {tuple(tensor.shape)}"
        )
    if not tensor.numel():
        return tensor
    matrix = _values(tensor.normal_(0.0, 1.0, generator=generator))
    matrix = matrix.reshape(tensor.shape[0], -1)
    wide = matrix.shape[0] < matrix.shape[1]
    q, r = np.linalg.qr(matrix.T if wide else matrix)
    q *= np.sign(np.diag(r))  # QR is unique only up to signs; this makes the draw even (Mezzadri 2007)
    return _write(tensor, (q.T if wide else q) * gain)


# -- PyTorch's older names ---------------------------------------------------------------------------------
def _older(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    new = function.__name__
    old = new.rstrip("_")

    def deprecated(*args: Any, **kwargs: Any) -> Tensor:
        warnings.warn(
            f"`nn.init.{old}` is now deprecated in favor of `nn.init.{new}`", FutureWarning, stacklevel=2
        )
        return function(*args, **kwargs)

    deprecated.__name__, deprecated.__doc__ = old, f"The older name of ``{new}``."
    return deprecated


uniform = _older(uniform_)
normal = _older(normal_)
constant = _older(constant_)
eye = _older(eye_)
dirac = _older(dirac_)
sparse = _older(sparse_)
xavier_uniform = _older(xavier_uniform_)
xavier_normal = _older(xavier_normal_)
kaiming_uniform = _older(kaiming_uniform_)
kaiming_normal = _older(kaiming_normal_)
orthogonal = _older(orthogonal_)
