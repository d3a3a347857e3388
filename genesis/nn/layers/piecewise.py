"""Activations that are put together of pieces, and gates."""

from __future__ import annotations

import warnings
from typing import Any

from genesis import empty
from genesis._dtypes import dtype as DType
from genesis._tensor import Tensor
from genesis.nn import functional as F
from genesis.nn import init
from genesis.nn.layers.activation import _MaybeInPlace
from genesis.nn.module import Module
from genesis.nn.parameter import Parameter


class Hardtanh(Module):
    """``min(max(x, min_val), max_val)``.

    Args:
        min_val, max_val: the bounds.
        inplace: overwrite the input.
        min_value, max_value: older names of the bounds.

    Raises:
        AssertionError: ``max_val`` is not above ``min_val``.
    """

    min_val: float
    max_val: float
    inplace: bool

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__()
        for name, value in (("min", min_value), ("max", max_value)):
            if value is not None:
                warnings.warn(
                    f"the argument {name}_value is deprecated and renamed to {name}_val",
                    FutureWarning,
                    stacklevel=2,
                )
        self.min_val = min_val if min_value is None else min_value
        self.max_val = max_val if max_value is None else max_value
        self.inplace = inplace
        if self.max_val <= self.min_val:
            raise AssertionError(f"max_val ({self.max_val}) must be greater than min_val ({self.min_val})")

    def forward(self, input: Tensor) -> Tensor:
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}" + (", inplace=True" if self.inplace else "")


class ReLU6(Hardtanh):
    """``min(max(x, 0), 6)``.

    Args:
        inplace: overwrite the input.
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Hardsigmoid(_MaybeInPlace):
    """``min(max(x + 3, 0), 6) / 6``.

    Args:
        inplace: overwrite the input.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardsigmoid(input, self.inplace)

    def extra_repr(self) -> str:
        return ""


class Hardswish(_MaybeInPlace):
    """``x * min(max(x + 3, 0), 6) / 6`` (Howard et al. 2019, arXiv:1905.02244).

    Args:
        inplace: overwrite the input.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardswish(input, self.inplace)

    def extra_repr(self) -> str:
        return ""


class Hardshrink(Module):
    """``x`` where ``|x| > lambd``, else 0.

    Args:
        lambd: the largest absolute value that becomes 0.
    """

    lambd: float

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        out: Tensor = F.hardshrink(input, self.lambd)
        return out

    def extra_repr(self) -> str:
        return str(self.lambd)


class Softshrink(Hardshrink):
    """``x - lambd`` above ``lambd``, ``x + lambd`` below ``-lambd``, 0 between.

    Args:
        lambd: how much is taken off; not negative.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softshrink(input, self.lambd)


class Threshold(Module):
    """``x`` where ``x > threshold``, else ``value``.

    Args:
        threshold: what x is compared with.
        value: what stands in for the rest.
        inplace: overwrite the input.
    """

    threshold: float
    value: float
    inplace: bool

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        return f"threshold={self.threshold}, value={self.value}" + (", inplace=True" if self.inplace else "")


class CELU(Module):
    """``x`` where positive, ``alpha * (exp(x / alpha) - 1)`` elsewhere (Barron 2017, arXiv:1704.07483).

    Args:
        alpha: minus the limit for very negative x.
        inplace: overwrite the input.
    """

    alpha: float
    inplace: bool

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.celu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class SELU(_MaybeInPlace):
    """``1.0507 x`` where positive, ``1.7581 (exp(x) - 1)`` elsewhere.

    Activations of a deep network of these tend to mean 0 and variance 1 (Klambauer et al. 2017,
    arXiv:1706.02515); use ``nonlinearity="linear"`` for the initial weights.

    Args:
        inplace: overwrite the input.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.selu(input, self.inplace)


class RReLU(Module):
    """``x`` where positive, ``r * x`` elsewhere, r from U(lower, upper) (Xu et al. 2015, arXiv:1505.00853).

    In evaluation mode ``r`` is the mean of the bounds.

    Args:
        lower, upper: bounds of the slope.
        inplace: overwrite the input.
    """

    lower: float
    upper: float
    inplace: bool

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"lower={self.lower}, upper={self.upper}" + (", inplace=True" if self.inplace else "")


class PReLU(Module):
    """``x`` where positive, a trained ``weight * x`` elsewhere (He et al. 2015, arXiv:1502.01852).

    Args:
        num_parameters: 1, or the number of channels (dimension 1 of the input) for a weight each.
        init: first value of the weights.
        device: where they are made.
        dtype: their floating-point type.

    Attributes:
        weight: ``(num_parameters,)``; no weight decay is meant to act on it.
    """

    num_parameters: int
    init: float
    weight: Parameter

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: DType | None = None
    ) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(empty((num_parameters,), device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the weights to ``init``."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        out: Tensor = F.prelu(input, self.weight)
        return out

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class GLU(Module):
    """``a * sigmoid(b)`` of the two halves of the input (Dauphin et al. 2016, arXiv:1612.08083).

    Args:
        dim: the dimension that is halved.
    """

    dim: int

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        out: Tensor = F.glu(input, self.dim)
        return out

    def extra_repr(self) -> str:
        return f"dim={self.dim}"
