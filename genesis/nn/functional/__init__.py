"""Layers and losses as functions: they check their arguments and hand over to ``genesis.ops``."""

from genesis._lazy import missing
from genesis.nn.functional._activation import (
    elu,
    gelu,
    leaky_relu,
    log_softmax,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)
from genesis.nn.functional._attention import (
    scaled_dot_product_attention,
)
from genesis.nn.functional._dropout import (
    dropout,
)
from genesis.nn.functional._linear import (
    embedding,
    linear,
    one_hot,
)
from genesis.nn.functional._loss import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    l1_loss,
    mse_loss,
    nll_loss,
)
from genesis.nn.functional._normalization import (
    layer_norm,
    normalize,
)
from genesis.nn.functional._padding import (
    pad,
)

TYPE_CHECKING = False

__all__ = [
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "dropout",
    "elu",
    "embedding",
    "gelu",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "mse_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "relu",
    "scaled_dot_product_attention",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]

if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
