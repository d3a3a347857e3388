"""PyTorch's place of what is in ``genesis.nn.utils.convert``."""

from genesis.nn.utils.convert import (
    parameters_to_vector,
    vector_to_parameters,
)

__all__ = [
    "parameters_to_vector",
    "vector_to_parameters",
]
