"""MultivariateNormal: normal vectors with a covariance."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import genesis
from genesis._tensor import Tensor
from genesis.distributions import constraints
from genesis.distributions.distribution import Distribution
from genesis.distributions.utils import lazy_property


class MultivariateNormal(Distribution):
    """Vectors ``loc + L ε``, ε from N(0, 1), with the covariance ``L Lᵀ``.

    Args:
        loc: the mean (…, n).
        covariance_matrix: (…, n, n), or
        precision_matrix: its inverse, or
        scale_tril: L, lower triangular with a positive diagonal; the cheapest.
        validate_args: see ``Distribution``.

    Raises:
        ValueError: not exactly one of the matrices is given, or it has the wrong shape.
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support: Any = constraints.real_vector
    has_rsample = True
    _parameters = ("loc", "covariance_matrix", "precision_matrix", "scale_tril", "_unbroadcasted_scale_tril")

    def __init__(
        self,
        loc: Any,
        covariance_matrix: Any = None,
        precision_matrix: Any = None,
        scale_tril: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        given = {
            "covariance_matrix": covariance_matrix,
            "precision_matrix": precision_matrix,
            "scale_tril": scale_tril,
        }
        given = {name: m for name, m in given.items() if m is not None}
        if len(given) != 1:
            raise ValueError(
                "Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified."
            )
        ((name, matrix),) = given.items()
        if matrix.dim() < 2:
            raise ValueError(
                f"{name} must be at least two-dimensional, with optional leading batch dimensions"
            )
        batch = genesis.broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        setattr(self, name, matrix.expand((*batch, -1, -1)))
        self.loc = loc.expand((*batch, -1))
        super().__init__(batch, self.loc.shape[-1:], validate_args=validate_args)
        if name == "scale_tril":
            factor = matrix
        elif name == "covariance_matrix":
            factor = genesis.linalg.cholesky(matrix)
        else:
            factor = _of_precision(matrix)
        self._unbroadcasted_scale_tril = factor.expand((*batch, -1, -1))

    @lazy_property
    def scale_tril(self) -> Any:
        """L, the Cholesky factor of the covariance."""
        return self._unbroadcasted_scale_tril

    @lazy_property
    def covariance_matrix(self) -> Any:
        """The covariance."""
        return self._unbroadcasted_scale_tril @ self._unbroadcasted_scale_tril.mT

    @lazy_property
    def precision_matrix(self) -> Any:
        """The inverse of the covariance."""
        return genesis.cholesky_inverse(self._unbroadcasted_scale_tril)

    @property
    def mean(self) -> Tensor:
        """``loc``."""
        return self.loc  # type: ignore[no-any-return]

    mode = mean

    @property
    def variance(self) -> Tensor:
        """The diagonal of the covariance."""
        return self._unbroadcasted_scale_tril.pow(2).sum(-1).expand(self._extended_shape())  # type: ignore[no-any-return]

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """``loc + L ε``."""
        shape = self._extended_shape(sample_shape)
        noise = genesis.randn(shape, dtype=self.loc.dtype, device=self.loc.device)
        return self.loc + (self._unbroadcasted_scale_tril @ noise.unsqueeze(-1)).squeeze(-1)  # type: ignore[no-any-return]

    def log_prob(self, value: Tensor) -> Tensor:
        """``-(n log(2 pi) + |L⁻¹ (value - loc)|²) / 2 - log det L``."""
        if self._validate_args:
            self._validate_sample(value)
        factor = self._unbroadcasted_scale_tril
        distance = mahalanobis(factor, value - self.loc)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + distance) - half_log_det(factor)  # type: ignore[no-any-return]

    def entropy(self) -> Tensor:
        """``n (1 + log(2 pi)) / 2 + log det L``."""
        half = half_log_det(self._unbroadcasted_scale_tril)
        return (0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + half).expand(self._batch_shape)  # type: ignore[no-any-return]


def _of_precision(precision: Any) -> Any:
    """L from the inverse of ``L Lᵀ``: reversed in both axes, its factor is L's inverse transposed."""
    flipped = genesis.linalg.cholesky(precision.flip((-2, -1)))
    inverse = flipped.flip((-2, -1)).mT
    identity = genesis.eye(precision.shape[-1], dtype=precision.dtype, device=precision.device)
    return genesis.linalg.solve_triangular(inverse, identity, upper=False)


def half_log_det(factor: Any) -> Any:
    """``log det L``."""
    return factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def mahalanobis(factor: Any, difference: Any) -> Any:
    """``|L⁻¹ d|²``."""
    shape = genesis.broadcast_shapes(factor.shape[:-1], difference.shape)
    columns = difference.expand(shape).unsqueeze(-1)
    solved = genesis.linalg.solve_triangular(factor.expand((*shape, -1)), columns, upper=False)
    return solved.squeeze(-1).pow(2).sum(-1)
