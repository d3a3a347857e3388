"""``MultiheadAttention``."""

from __future__ import annotations

from typing import Any

from genesis import empty
from genesis._dtypes import dtype as DType
from genesis._tensor import Tensor
from genesis.nn import init
from genesis.nn.functional._attention import attend
from genesis.nn.layers.linear import Linear
from genesis.nn.module import Module
from genesis.nn.parameter import Parameter


class NonDynamicallyQuantizableLinear(Linear):
    """A ``Linear`` under the name that PyTorch shows for the last layer of its attention."""


class MultiheadAttention(Module):
    """Attention of several heads side by side (Vaswani et al. 2017, arXiv:1706.03762, section 3.2.2).

    ``out_proj(concat(head_1, ...))`` with ``head_i = softmax(Q_i K_iᵀ / sqrt(d) + mask) V_i``; query, key and
    value are projected and divided among the heads.

    Args:
        embed_dim: features of the query and of the output; a multiple of ``num_heads``.
        num_heads: number of heads.
        dropout: probability that an attention weight is dropped, in training.
        bias: whether the projections have biases.
        add_bias_kv: one more, learned, key and value.
        add_zero_attn: one more key and value of zeros.
        kdim, vdim: features of key and value, ``embed_dim`` unless given.
        batch_first: inputs are (batch, steps, features) instead of (steps, batch, features).
        device, dtype: of the parameters.

    Raises:
        ValueError: ``embed_dim`` or ``num_heads`` is not positive.
        AssertionError: ``embed_dim`` is no multiple of ``num_heads``.

    Example:
        >>> x = genesis.randn(2, 5, 16)
        >>> output, weights = nn.MultiheadAttention(16, 4, batch_first=True)(x, x, x)
        >>> output.shape, weights.shape
        ((2, 5, 16), (2, 5, 5))
    """

    in_proj_weight: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and "
                f"num_heads={num_heads}"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError(f"embed_dim must be divisible by num_heads, got {embed_dim} and {num_heads}")

        def parameter(*shape: int) -> Parameter:
            return Parameter(empty(*shape, device=device, dtype=dtype))

        if self._qkv_same_embed_dim:
            self.in_proj_weight = parameter(3 * embed_dim, embed_dim)
            for name in ("q_proj_weight", "k_proj_weight", "v_proj_weight"):
                self.register_parameter(name, None)
        else:
            self.q_proj_weight = parameter(embed_dim, embed_dim)
            self.k_proj_weight = parameter(embed_dim, self.kdim)
            self.v_proj_weight = parameter(embed_dim, self.vdim)
            self.register_parameter("in_proj_weight", None)
        self.register_parameter("in_proj_bias", parameter(3 * embed_dim) if bias else None)
        self.out_proj = NonDynamicallyQuantizableLinear(
            embed_dim, embed_dim, bias=bias, device=device, dtype=dtype
        )
        if add_bias_kv:
            self.bias_k, self.bias_v = parameter(1, 1, embed_dim), parameter(1, 1, embed_dim)
        else:
            self.bias_k = self.bias_v = None
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _weights(self) -> tuple[Any, ...]:
        if self._qkv_same_embed_dim:
            return (self.in_proj_weight,)
        return self.q_proj_weight, self.k_proj_weight, self.v_proj_weight

    def _reset_parameters(self) -> None:
        """Draw the weights by Xavier's rule; zero biases."""
        for weight in self._weights():
            init.xavier_uniform_(weight)
        if self.in_proj_bias is not None and self.out_proj.bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        for extra in (self.bias_k, self.bias_v):
            if extra is not None:
                init.xavier_normal_(extra)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend.

        Args:
            query: (L, N, embed_dim), with ``batch_first`` (N, L, embed_dim), or (L, embed_dim).
            key, value: (S, N, kdim) and (S, N, vdim), or as the query.
            key_padding_mask: (N, S) or (S,); bool (True is left out) or added to the scores.
            need_weights: also return the attention weights; without them it is faster.
            attn_mask: (L, S) or (N * num_heads, L, S); bool (True is left out) or added to the scores.
            average_attn_weights: return the mean over the heads instead of all heads.
            is_causal: a hint that ``attn_mask``, which has to be given, is the causal mask.

        Returns:
            The output, shaped as the query, and the weights (N, L, S) or (N, num_heads, L, S), or None.
        """
        return attend(
            query, key, value, self.num_heads, self._weights(), self.in_proj_bias, self.out_proj.weight,
            self.out_proj.bias, embed_dim=self.embed_dim, more=(self.bias_k, self.bias_v),
            add_zero_attn=self.add_zero_attn, dropout_p=self.dropout if self.training else 0.0,
            key_padding_mask=key_padding_mask, need_weights=need_weights, attn_mask=attn_mask,
            static=(None, None), average=average_attn_weights, is_causal=is_causal,
            batch_first=self.batch_first,
        )  # fmt: skip
