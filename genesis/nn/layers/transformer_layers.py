"""One layer of a transformer's encoder or decoder."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import genesis
from genesis import ops
from genesis._dtypes import bool_
from genesis._dtypes import dtype as DType
from genesis._tensor import Tensor
from genesis.nn import functional as F
from genesis.nn._hooks import unwatched
from genesis.nn.functional._linear import linear_relu
from genesis.nn.layers.attention import MultiheadAttention
from genesis.nn.layers.dropout import Dropout
from genesis.nn.layers.linear import Linear
from genesis.nn.layers.normalization import LayerNorm
from genesis.nn.module import Module
from genesis.ops.dropouts import dropout_add

Activation = str | Callable[[Tensor], Tensor]


def _function(activation: Activation) -> Callable[[Tensor], Tensor]:
    if not isinstance(activation, str):
        return activation
    if activation not in ("relu", "gelu"):
        raise RuntimeError(f"activation should be relu/gelu, not {activation}")
    return F.relu if activation == "relu" else F.gelu


def causal_mask(size: int, device: Any = None, dtype: DType | None = None) -> Tensor:
    return ops.triu(genesis.full((size, size), -math.inf, dtype=dtype, device=device), 1)


def mask_is_causal(mask: Tensor | None, hint: bool | None, size: int) -> bool:
    """What the caller says; without a hint, whether the mask is the causal one."""
    if hint is not None or mask is None:
        return hint is True
    if tuple(mask.shape) != (size, size):
        return False
    if mask.dtype is bool_:
        causal = ops.triu(genesis.ones(size, size, dtype=bool_, device=mask.device), 1)
    else:
        causal = causal_mask(size, mask.device, mask.dtype)
    return bool((mask == causal).all())


def length_of(x: Tensor, batch_first: bool) -> int:
    return x.shape[1 if x.dim() == 3 and batch_first else 0]


class _Layer(Module):
    """What the layers of encoder and decoder share: attention to themselves, and two linear layers."""

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int,
        dropout: float,
        activation: Activation,
        layer_norm_eps: float,
        batch_first: bool,
        norm_first: bool,
        bias: bool,
        device: Any,
        dtype: DType | None,
        attentions: tuple[str, ...],
    ) -> None:
        super().__init__()
        place = {"device": device, "dtype": dtype}
        for name in attentions:
            attention = MultiheadAttention(
                d_model, nhead, dropout, bias=bias, batch_first=batch_first, **place
            )
            self.add_module(name, attention)
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias, **place)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias, **place)
        self.norm_first = norm_first
        blocks = range(1, len(attentions) + 2)
        for i in blocks:
            self.add_module(f"norm{i}", LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **place))
        for i in blocks:
            self.add_module(f"dropout{i}", Dropout(dropout))
        self.activation = _function(activation)

    def _ff_block(self, x: Tensor) -> Tensor:
        layer = self.linear1
        if self.activation is F.relu and type(layer) is Linear and unwatched(layer):
            hidden = linear_relu(x, layer.weight, layer.bias)
        else:
            hidden = self.activation(layer(x))
        out: Tensor = self.linear2(self.dropout(hidden))
        return out


def _plus(x: Tensor, part: Tensor, dropout: Module) -> Tensor:
    """``x + dropout(part)``, in one pass where that is a plain dropout."""
    if (
        type(dropout) is Dropout
        and dropout.training
        and 0.0 < dropout.p < 1.0
        and type(x) is type(part) is Tensor
        and x.shape == part.shape
        and x.dtype is part.dtype
        and x.dtype.is_floating_point
        and unwatched(dropout)
    ):
        return dropout_add(part, x, dropout.p)
    return x + dropout(part)  # type: ignore[no-any-return]


class TransformerEncoderLayer(_Layer):
    """Self-attention and two linear layers, each with a residual connection and layer normalization.

    Vaswani et al. 2017, arXiv:1706.03762; ``norm_first`` as in Xiong et al. 2020, arXiv:2002.04745, figure 1.

    Args:
        d_model: features.
        nhead: heads of the attention.
        dim_feedforward: width between the two linear layers.
        dropout: probability of dropping, after each part.
        activation: ``"relu"``, ``"gelu"``, or a function of one tensor.
        layer_norm_eps: ``eps`` of the normalizations.
        batch_first: inputs are (batch, steps, features) instead of (steps, batch, features).
        norm_first: normalize before each part instead of after it.
        bias: whether linear layers and normalizations have biases.
        device, dtype: of the parameters.

    Example:
        >>> nn.TransformerEncoderLayer(16, 4, batch_first=True)(genesis.randn(2, 5, 16)).shape
        (2, 5, 16)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__(
            d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first,
            bias, device, dtype, ("self_attn",),
        )  # fmt: skip

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Encode.

        Args:
            src: (steps, batch, d_model), (batch, steps, d_model) with ``batch_first``, or (steps, d_model).
            src_mask: ``attn_mask`` of ``MultiheadAttention``.
            src_key_padding_mask: ``key_padding_mask`` of ``MultiheadAttention``.
            is_causal: a hint that ``src_mask`` is the causal mask.
        """

        def attend(x: Tensor) -> Tensor:
            out = self.self_attn(
                x, x, x, key_padding_mask=src_key_padding_mask, need_weights=False, attn_mask=src_mask,
                is_causal=is_causal,
            )  # fmt: skip
            return out[0]  # type: ignore[no-any-return]

        x = src
        if self.norm_first:
            x = _plus(x, attend(self.norm1(x)), self.dropout1)
            return _plus(x, self._ff_block(self.norm2(x)), self.dropout2)
        x = self.norm1(_plus(x, attend(x), self.dropout1))
        return self.norm2(_plus(x, self._ff_block(x), self.dropout2))  # type: ignore[no-any-return]


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to an encoder's output, and two linear layers.

    The arguments are those of ``TransformerEncoderLayer``.

    Example:
        >>> layer = nn.TransformerDecoderLayer(16, 4, batch_first=True)
        >>> layer(genesis.randn(2, 5, 16), genesis.randn(2, 7, 16)).shape
        (2, 5, 16)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__(
            d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first,
            bias, device, dtype, ("self_attn", "multihead_attn"),
        )  # fmt: skip

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Decode.

        Args:
            tgt: (steps, batch, d_model), (batch, steps, d_model) with ``batch_first``, or (steps, d_model).
            memory: what the encoder gave, in the same order of axes.
            tgt_mask, memory_mask: ``attn_mask`` of the two attentions.
            tgt_key_padding_mask, memory_key_padding_mask: their ``key_padding_mask``.
            tgt_is_causal, memory_is_causal: hints that the masks are causal.
        """

        def attend(x: Tensor) -> Tensor:
            out = self.self_attn(
                x, x, x, key_padding_mask=tgt_key_padding_mask, need_weights=False, attn_mask=tgt_mask,
                is_causal=tgt_is_causal,
            )  # fmt: skip
            return out[0]  # type: ignore[no-any-return]

        def look(x: Tensor) -> Tensor:
            out = self.multihead_attn(
                x, memory, memory, key_padding_mask=memory_key_padding_mask, need_weights=False,
                attn_mask=memory_mask, is_causal=memory_is_causal,
            )  # fmt: skip
            return out[0]  # type: ignore[no-any-return]

        x = tgt
        if self.norm_first:
            x = _plus(x, attend(self.norm1(x)), self.dropout1)
            x = _plus(x, look(self.norm2(x)), self.dropout2)
            return _plus(x, self._ff_block(self.norm3(x)), self.dropout3)
        x = self.norm1(_plus(x, attend(x), self.dropout1))
        x = self.norm2(_plus(x, look(x), self.dropout2))
        return self.norm3(_plus(x, self._ff_block(x), self.dropout3))  # type: ignore[no-any-return]
