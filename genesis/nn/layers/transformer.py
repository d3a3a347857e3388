"""``TransformerEncoderLayer`` and ``TransformerDecoderLayer``, stacks of them, and ``Transformer``."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable
from typing import Any

import genesis
from genesis import ops
from genesis._dtypes import bool_
from genesis._dtypes import dtype as DType
from genesis._tensor import Tensor
from genesis.nn import functional as F
from genesis.nn import init
from genesis.nn.functional._attention import canonical_mask
from genesis.nn.layers.activation import GELU, ReLU
from genesis.nn.layers.attention import MultiheadAttention
from genesis.nn.layers.container import ModuleList
from genesis.nn.layers.dropout import Dropout
from genesis.nn.layers.linear import Linear
from genesis.nn.layers.normalization import LayerNorm
from genesis.nn.module import Module

Activation = str | Callable[[Tensor], Tensor]


def _function(activation: Activation) -> Callable[[Tensor], Tensor]:
    if not isinstance(activation, str):
        return activation
    if activation not in ("relu", "gelu"):
        raise RuntimeError(f"activation should be relu/gelu, not {activation}")
    return F.relu if activation == "relu" else F.gelu


def _causal_mask(size: int, device: Any = None, dtype: DType | None = None) -> Tensor:
    return ops.triu(genesis.full((size, size), -math.inf, dtype=dtype, device=device), 1)


def _is_causal(mask: Tensor | None, hint: bool | None, size: int) -> bool:
    """What the caller says; without a hint, whether the mask is the causal one."""
    if hint is not None or mask is None:
        return hint is True
    if tuple(mask.shape) != (size, size):
        return False
    if mask.dtype is bool_:
        causal = ops.triu(genesis.ones(size, size, dtype=bool_, device=mask.device), 1)
    else:
        causal = _causal_mask(size, mask.device, mask.dtype)
    return bool((mask == causal).all())


def _steps(x: Tensor, batch_first: bool) -> int:
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

    def _ff_block(self, x: Tensor, dropout: Module) -> Tensor:
        out: Tensor = dropout(self.linear2(self.dropout(self.activation(self.linear1(x)))))
        return out


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
            return self.dropout1(out[0])  # type: ignore[no-any-return]

        x = src
        if self.norm_first:
            x = x + attend(self.norm1(x))
            return x + self._ff_block(self.norm2(x), self.dropout2)
        x = self.norm1(x + attend(x))
        return self.norm2(x + self._ff_block(x, self.dropout2))  # type: ignore[no-any-return]


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
            return self.dropout1(out[0])  # type: ignore[no-any-return]

        def look(x: Tensor) -> Tensor:
            out = self.multihead_attn(
                x, memory, memory, key_padding_mask=memory_key_padding_mask, need_weights=False,
                attn_mask=memory_mask, is_causal=memory_is_causal,
            )  # fmt: skip
            return self.dropout2(out[0])  # type: ignore[no-any-return]

        x = tgt
        if self.norm_first:
            x = x + attend(self.norm1(x))
            x = x + look(self.norm2(x))
            return x + self._ff_block(self.norm3(x), self.dropout3)
        x = self.norm1(x + attend(x))
        x = self.norm2(x + look(x))
        return self.norm3(x + self._ff_block(x, self.dropout3))  # type: ignore[no-any-return]


def _copies(layer: Module, count: int) -> ModuleList:
    return ModuleList([copy.deepcopy(layer) for _ in range(count)])


class TransformerEncoder(Module):
    """A stack of ``num_layers`` independent copies of an encoder layer.

    Args:
        encoder_layer: what is copied, its present values included.
        num_layers: number of copies.
        norm: applied to the last output, or None.
        enable_nested_tensor: in evaluation without gradients, give zeros (before ``norm``) where the input is
            padding, as PyTorch's fast path does; it warns where PyTorch has no fast path.
        mask_check: zeros only where all padding is at the end.

    Example:
        >>> layer = nn.TransformerEncoderLayer(16, 4, batch_first=True)
        >>> nn.TransformerEncoder(layer, num_layers=2)(genesis.randn(2, 5, 16)).shape
        (2, 5, 16)
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = _copies(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        self.mask_check = mask_check
        reason = _why_not_nested(encoder_layer) if enable_nested_tensor else ""
        self.use_nested_tensor = enable_nested_tensor and not reason
        if reason:
            warnings.warn(
                f"enable_nested_tensor is True, but has no effect: {reason}; pass enable_nested_tensor=False",
                stacklevel=2,
            )

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """Run all layers; the arguments are those of ``TransformerEncoderLayer``.

        ``is_causal=None`` looks whether the mask is the causal one.
        """
        src_key_padding_mask = canonical_mask(src_key_padding_mask, "src_key_padding_mask", src.dtype)
        mask = canonical_mask(mask, "mask", src.dtype)
        first: Any = self.layers[0]
        causal = _is_causal(mask, is_causal, _steps(src, first.self_attn.batch_first))
        x = src
        for layer in self.layers:
            x = layer(x, src_mask=mask, is_causal=causal, src_key_padding_mask=src_key_padding_mask)
        if src_key_padding_mask is not None and mask is None and self._drops_padding(src):
            padding = src_key_padding_mask != 0
            if not self.mask_check or not bool((padding[:, :-1] & ~padding[:, 1:]).any()):
                x = x.masked_fill(padding.unsqueeze(-1), 0.0)
        return x if self.norm is None else self.norm(x)

    def _drops_padding(self, src: Tensor) -> bool:
        first: Any = self.layers[0]
        if not self.use_nested_tensor or first.training or src.dim() != 3:
            return False
        wanted = [src, *first.parameters()]
        return not (genesis.is_grad_enabled() and any(p.requires_grad for p in wanted))


def _why_not_nested(layer: Any) -> str:
    """Where PyTorch's encoder has no fast path for padded batches."""
    if not isinstance(layer, TransformerEncoderLayer):
        return "encoder_layer is not a TransformerEncoderLayer"
    fast = layer.activation in (F.relu, F.gelu) or isinstance(layer.activation, ReLU | GELU)
    reasons = {
        "encoder_layer.norm_first is True": layer.norm_first,
        "encoder_layer.self_attn.batch_first is not True": not layer.self_attn.batch_first,
        "encoder_layer has bias=False": layer.self_attn.in_proj_bias is None,
        "the activation is neither relu nor gelu": not fast,
        "encoder_layer.self_attn.num_heads is odd": layer.self_attn.num_heads % 2 == 1,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


class TransformerDecoder(Module):
    """A stack of ``num_layers`` independent copies of a decoder layer.

    Args:
        decoder_layer: what is copied, its present values included.
        num_layers: number of copies.
        norm: applied to the last output, or None.
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = _copies(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Run all layers; the arguments are those of ``TransformerDecoderLayer``.

        ``tgt_is_causal=None`` looks whether the mask is the causal one.
        """
        first: Any = self.layers[0]
        causal = _is_causal(tgt_mask, tgt_is_causal, _steps(tgt, first.self_attn.batch_first))
        x = tgt
        for layer in self.layers:
            x = layer(
                x, memory, tgt_mask=tgt_mask, memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask, memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=causal, memory_is_causal=memory_is_causal,
            )  # fmt: skip
        return x if self.norm is None else self.norm(x)


class Transformer(Module):
    """Encoder and decoder (Vaswani et al. 2017, arXiv:1706.03762).

    Args:
        d_model: features.
        nhead: heads of each attention.
        num_encoder_layers, num_decoder_layers: how many layers there are.
        dim_feedforward, dropout, activation: see ``TransformerEncoderLayer``.
        custom_encoder, custom_decoder: modules to take instead of the usual ones.
        layer_norm_eps, batch_first, norm_first, bias, device, dtype: see ``TransformerEncoderLayer``.

    All weights of two dimensions and more are drawn by Xavier's rule.

    Example:
        >>> model = nn.Transformer(16, 4, 2, 2, 32, batch_first=True)
        >>> mask = nn.Transformer.generate_square_subsequent_mask(5)
        >>> model(genesis.randn(2, 7, 16), genesis.randn(2, 5, 16), tgt_mask=mask).shape
        (2, 5, 16)
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        place: dict[str, Any] = {"device": device, "dtype": dtype}
        options: Any = (
            d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first,
            bias,
        )  # fmt: skip

        def norm() -> LayerNorm:
            return LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **place)

        self.encoder = custom_encoder
        if custom_encoder is None:
            layer = TransformerEncoderLayer(*options, **place)
            self.encoder = TransformerEncoder(layer, num_encoder_layers, norm())
        self.decoder = custom_decoder
        if custom_decoder is None:
            self.decoder = TransformerDecoder(
                TransformerDecoderLayer(*options, **place), num_decoder_layers, norm()
            )
        self._reset_parameters()
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Encode ``src`` and decode ``tgt`` with it.

        Args:
            src: (steps, batch, d_model), (batch, steps, d_model) with ``batch_first``, or (steps, d_model).
            tgt: in the same order of axes.
            src_mask, tgt_mask, memory_mask: ``attn_mask`` of the attentions.
            src_key_padding_mask, tgt_key_padding_mask, memory_key_padding_mask: their ``key_padding_mask``.
            src_is_causal, tgt_is_causal, memory_is_causal: hints that the masks are causal; None looks.

        Raises:
            RuntimeError: batches differ, or features are not ``d_model``.
        """
        axis = 0 if self.batch_first else 1
        if src.dim() == 3 and src.shape[axis] != tgt.shape[axis]:
            raise RuntimeError(
                f"the batch number of src and tgt must be equal, got {src.shape[axis]} and {tgt.shape[axis]}"
            )
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise RuntimeError(
                f"the feature number of src and tgt must be equal to d_model={self.d_model}, got "
                f"{src.shape[-1]} and {tgt.shape[-1]}"
            )
        memory = self.encoder(
            src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal
        )
        return self.decoder(  # type: ignore[no-any-return]
            tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask, memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal, memory_is_causal=memory_is_causal,
        )  # fmt: skip

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: DType | None = None) -> Tensor:
        """The causal mask (sz, sz): -inf above the diagonal, 0 elsewhere."""
        return _causal_mask(sz, device, dtype)

    def _reset_parameters(self) -> None:
        for p in self.parameters():
            if p.dim() > 1:
                init.xavier_uniform_(p)
