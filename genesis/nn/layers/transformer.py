"""Stacks of a transformer's layers, and ``Transformer``."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import genesis
from genesis._dtypes import dtype as DType
from genesis._tensor import Tensor
from genesis.nn import functional as F
from genesis.nn import init
from genesis.nn.functional._attention import canonical_mask
from genesis.nn.layers.activation import GELU, ReLU
from genesis.nn.layers.container import ModuleList
from genesis.nn.layers.normalization import LayerNorm
from genesis.nn.layers.transformer_layers import (
    Activation,
    TransformerDecoderLayer,
    TransformerEncoderLayer,
    causal_mask,
    length_of,
    mask_is_causal,
)
from genesis.nn.module import Module


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
        causal = mask_is_causal(mask, is_causal, length_of(src, first.self_attn.batch_first))
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
        causal = mask_is_causal(tgt_mask, tgt_is_causal, length_of(tgt, first.self_attn.batch_first))
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
        return causal_mask(sz, device, dtype)

    def _reset_parameters(self) -> None:
        for p in self.parameters():
            if p.dim() > 1:
                init.xavier_uniform_(p)
