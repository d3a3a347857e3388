"""Linear maps and look-ups as functions."""

from __future__ import annotations

from genesis import ops
from genesis._errors import ShapeError
from genesis._tensor import Tensor
from genesis.nn._checks import check_padding_index, refuse_embedding_options, shape_of


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``x Wᵀ + b``.

    Args:
        input: ``(*, in_features)``.
        weight: ``(out_features, in_features)``.
        bias: ``(out_features,)`` or None.

    Raises:
        ShapeError: the last dimensions differ, or the bias does not fit.
    """
    given, wanted = input.shape, weight.shape
    if len(wanted) != 2 or not given or given[-1] != wanted[1]:
        raise ShapeError(
            f"linear: an input of shape {tuple(given)} does not fit a weight of shape {tuple(wanted)} "
            "(out_features, in_features): the last dimension of the input must be in_features"
        )
    if input.dtype is not weight.dtype:
        raise RuntimeError(
            f"linear: the input is {input.dtype} and the weight {weight.dtype}; convert one with .to(dtype)"
        )
    if bias is not None and tuple(bias.shape) != wanted[:1]:
        raise ShapeError(
            f"linear: a bias of shape {shape_of(bias)} does not fit a weight of shape {tuple(wanted)} "
            "(out_features, in_features)"
        )
    out: Tensor = ops.linear(input, weight, bias)
    return out


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Rows of ``weight`` by index.

    Args:
        input: indices of any shape, an integer dtype.
        weight: ``(rows, width)``.
        padding_idx: the row that receives no gradient.
        max_norm, norm_type, scale_grad_by_freq, sparse: accepted at their defaults only.

    Returns:
        Shape ``(*input.shape, width)``.
    """
    refuse_embedding_options(max_norm, norm_type, scale_grad_by_freq, sparse)
    if input.dtype.is_floating_point:
        raise TypeError(f"embedding: indices must have an integer dtype, got {input.dtype}")
    if weight.dim() != 2:
        raise ShapeError(f"embedding: weight must have shape (rows, width), got {shape_of(weight)}")
    if padding_idx is not None:
        padding_idx = check_padding_index(padding_idx, weight.shape[0])
    out: Tensor = ops.embedding(input, weight, padding_idx=padding_idx)
    return out


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """int64 tensor of shape ``(*tensor.shape, num_classes)``, 1 at the index and 0 elsewhere.

    Args:
        tensor: class indices, an integer dtype.
        num_classes: -1 takes the largest index plus one.
    """
    return ops.one_hot(tensor, num_classes)
