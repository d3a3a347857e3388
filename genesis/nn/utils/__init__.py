"""Tools for the parameters of a model."""

from genesis._lazy import missing
from genesis.nn.utils import rnn
from genesis.nn.utils.clip import clip_grad_norm_, clip_grad_value_, get_total_norm
from genesis.nn.utils.convert import parameters_to_vector, vector_to_parameters

TYPE_CHECKING = False

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "get_total_norm",
    "parameters_to_vector",
    "rnn",
    "vector_to_parameters",
]

if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
