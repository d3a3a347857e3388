"""All parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

from genesis import cat, no_grad
from genesis._errors import ShapeError
from genesis._tensor import Tensor


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """Join the parameters, flattened, into one vector that gradients flow through."""
    return cat([parameter.reshape(-1) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Cut ``vec`` into the parameters, in order.

    Args:
        vec: as ``parameters_to_vector`` made it.
        parameters: what to overwrite.

    Raises:
        ShapeError: the vector has too few or too many elements.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"vector_to_parameters needs a tensor, got {type(vec).__name__}")
    parameters = list(parameters)
    total = sum(parameter.numel() for parameter in parameters)
    if tuple(vec.shape) != (total,):
        raise ShapeError(
            f"vector_to_parameters: the parameters have {total} elements, "
            f"the vector has shape {tuple(vec.shape)}"
        )
    start = 0
    with no_grad():
        for parameter in parameters:
            end = start + parameter.numel()
            parameter.copy_(vec[start:end].reshape(parameter.shape))
            start = end
