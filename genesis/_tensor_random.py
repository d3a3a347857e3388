"""Random numbers written into a tensor: ``x.normal_()`` and its like, and what is drawn from a tensor."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from genesis._tensor_inplace import overwrite
from genesis.autograd.graph import TensorCore
from genesis.backend.expr import Expr, arg, call, cast
from genesis.ops import random

if TYPE_CHECKING:
    from genesis._tensor import Tensor

# mypy: disable-error-code="arg-type, no-any-return, return-value"


class RandomMethods(TensorCore):
    """Methods that draw random numbers; each takes ``generator``."""

    def bernoulli(self, p: Any = None, *, generator: Any = None) -> Tensor:
        """1 with the probability that each element is (or with ``p``), else 0."""
        return random.bernoulli(self, p, generator=generator)

    def multinomial(self, num_samples: int, replacement: bool = False, *, generator: Any = None) -> Tensor:
        """Indices drawn with these weights; see ``genesis.multinomial``."""
        return random.multinomial(self, num_samples, replacement, generator=generator)

    def uniform_(self, a: float = 0.0, b: float = 1.0, *, generator: Any = None, **ends: float) -> Tensor:
        """Overwrite with uniform numbers in [a, b); PyTorch calls them ``from`` and ``to``."""
        a, b = ends.pop("from", a), ends.pop("to", b)
        if ends:
            raise TypeError(f"uniform_() got an unexpected keyword argument {next(iter(ends))!r}")
        return random.uniform_(self, a, b, generator)

    def normal_(self, mean: float = 0.0, std: float = 1.0, *, generator: Any = None) -> Tensor:
        """Overwrite with normal numbers."""
        return random.normal_(self, mean, std, generator)

    def bernoulli_(self, p: Any = 0.5, *, generator: Any = None) -> Tensor:
        """Overwrite with 1 with probability ``p`` (a number, or a tensor of them), else 0."""
        if isinstance(p, TensorCore):
            drawn = random.bernoulli(p, generator=generator)
            return overwrite(self, lambda x: drawn.to(x.dtype).expand(x.shape))
        return overwrite(self, lambda x: random.bernoulli(x, p, generator=generator))

    def exponential_(self, lambd: float = 1.0, *, generator: Any = None) -> Tensor:
        """Overwrite with numbers of density ``lambd exp(-lambd x)``.

        Raises:
            RuntimeError: ``lambd`` is not positive.
        """
        if not lambd > 0:
            raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd}")
        return _transformed("exponential_", self, generator, lambda u: -call("log1p", -u) / lambd)

    def geometric_(self, p: float, *, generator: Any = None) -> Tensor:
        """Overwrite with the number of the first success: ``P(k) = (1 - p)^(k - 1) p``, k = 1, 2, ….

        Raises:
            RuntimeError: ``p`` is not in (0, 1).
        """
        if not 0 < p < 1:
            raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p}")
        scale = math.log1p(-p)

        def formula(u: Expr) -> Expr:
            return call("max", call("ceil", call("log1p", -u) / scale), 1.0)

        return _transformed("geometric_", self, generator, formula)

    def cauchy_(self, median: float = 0.0, sigma: float = 1.0, *, generator: Any = None) -> Tensor:
        """Overwrite with numbers of density ``sigma / pi / ((x - median)^2 + sigma^2)``."""
        if not sigma > 0:
            raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma}")

        def formula(u: Expr) -> Expr:
            angle = (u - 0.5) * math.pi
            return median + sigma * (call("sin", angle) / call("cos", angle))

        return _transformed("cauchy_", self, generator, formula)

    def log_normal_(self, mean: float = 1.0, std: float = 2.0, *, generator: Any = None) -> Tensor:
        """Overwrite with the exponentials of normal numbers."""
        if not std > 0:
            raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std}")
        return overwrite(
            self,
            lambda x: (
                random.randn(tuple(x.shape), dtype=x.dtype, device=x.device, generator=generator)
                .mul_(std)
                .add_(mean)
                .exp_()
            ),
        )

    def random_(self, *bounds: Any, generator: Any = None, **ends: Any) -> Tensor:
        """Overwrite with whole numbers in [from, to): ``random_()``, ``random_(to)``, ``random_(from, to)``.

        Without bounds up to the largest whole number that the type holds exactly, but at most 2**32.

        Raises:
            RuntimeError: the range is empty.
        """
        low, high = ends.pop("from", 0), ends.pop("to", None)
        if ends or len(bounds) > 2:
            raise TypeError("random_ takes from and to")
        if len(bounds) == 2:
            low, high = bounds
        elif bounds:
            high = bounds[0]
        if high is None:
            dtype = self._view.dtype
            bits = {"float32": 24, "float64": 53, "bool": 1}.get(dtype.name) or 8 * dtype.itemsize - (
                dtype.kind == "i"
            )
            high = min(low + (1 << min(bits, 32)), 1 << bits)
        top = high

        def run(x: Any) -> Any:
            return random.randint(low, top, tuple(x.shape), generator=generator, device=x.device).to(x.dtype)

        return overwrite(self, run)


def _transformed(name: str, x: Any, generator: Any, formula: Any) -> Any:
    """Uniform numbers in float64 through a formula, into ``x``."""
    from genesis._dtypes import DtypeError, float64
    from genesis.autograd.graph import new
    from genesis.ops.creation import _fill

    whole = name == "geometric_"
    if not x.dtype.is_floating_point and not whole:
        raise DtypeError(f"{name} is not implemented for {x.dtype}; it gives floating-point numbers")

    def run(x: Any) -> Any:
        noise = random.rand(tuple(x.shape), dtype=float64, device=x.device, generator=generator)
        view = x._filled_like(0)._view
        expr = formula(arg(0))
        _fill(expr if view.dtype is float64 else cast(expr, view.dtype), view, noise._view)
        return new(view)

    return overwrite(x, run)
