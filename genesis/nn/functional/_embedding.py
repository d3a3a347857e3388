"""Look-ups in tables as functions: ``embedding`` and ``embedding_bag``."""

from __future__ import annotations

import math

import numpy as np

from genesis import no_grad, ops
from genesis._dtypes import DtypeError
from genesis._errors import ShapeError
from genesis._tensor import Tensor
from genesis.nn._checks import check_padding_index, refuse_sparse, shape_of
from genesis.ops._elementwise import Elementwise

#: x itself; its gradient is multiplied by a number for each element
_scaled_gradient = Elementwise(
    "scaled_gradient", lambda x, scale: x, 2, grad=lambda g, x, scale, out: (g * scale, None)
)


def _check(name: str, input: Tensor, weight: Tensor) -> None:
    if input.dtype.is_floating_point:
        raise DtypeError(f"{name}: indices must have an integer dtype, got {input.dtype}")
    if weight.dim() != 2:
        raise ShapeError(f"{name}: weight must have shape (rows, width), got {shape_of(weight)}")


@no_grad()
def _limit_rows(weight: Tensor, input: Tensor, max_norm: float, norm_type: float) -> None:
    """Scale the rows that are looked up down to ``max_norm``, in place."""
    rows = np.unique(input.detach().numpy())
    if not rows.size:
        return
    index = ops.tensor(rows.astype(np.int64), device=weight.device)
    chosen = weight.detach()[index]
    norms = chosen.norm(norm_type, 1, keepdim=True)
    factor = ops.where(norms > max_norm, max_norm / (norms + 1e-7), 1.0)
    weight.detach()[index] = chosen * factor


def _frequency_scale(input: Tensor, rows: int, like: Tensor) -> Tensor:
    """For each index, one over the number of times that it occurs."""
    flat = input.detach().reshape(-1).long()
    ones = ops.ones_like(flat)
    counts = ops.zeros(rows, dtype=flat.dtype, device=flat.device).scatter_add(0, flat, ones)
    return (1.0 / counts[flat].to(like.dtype)).reshape(input.shape)


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
        max_norm: rows that are looked up and have a larger norm are scaled down to it first, in place.
        norm_type: exponent of that norm.
        scale_grad_by_freq: divide the gradient of a row by the number of times it was looked up.
        sparse: not implemented; gradients are dense.

    Returns:
        Shape ``(*input.shape, width)``.
    """
    refuse_sparse("embedding", sparse)
    _check("embedding", input, weight)
    if padding_idx is not None:
        padding_idx = check_padding_index(padding_idx, weight.shape[0])
    if max_norm is not None:
        _limit_rows(weight, input, max_norm, norm_type)
    out: Tensor = ops.embedding(input, weight, padding_idx=padding_idx)
    if scale_grad_by_freq:
        out = _scaled_gradient(out, _frequency_scale(input, weight.shape[0], weight).unsqueeze(-1))
    return out


def _bags(input: Tensor, offsets: Tensor | None, include_last_offset: bool) -> tuple[Tensor, np.ndarray]:
    """Indices as a vector, and the start of every bag and the end of the last one."""
    if input.dim() == 2:
        if offsets is not None:
            raise ValueError(
                "embedding_bag: if input is 2D, then offsets has to be None, as each row is a bag; got "
                f"offsets of type {type(offsets).__name__}"
            )
        bags, length = input.shape
        return input.reshape(-1), np.arange(bags + 1) * length
    if input.dim() != 1:
        raise ValueError(f"embedding_bag: input has to be 1D or 2D, got shape {shape_of(input)}")
    if offsets is None or offsets.dim() != 1:
        raise ValueError("embedding_bag: offsets has to be a 1D tensor where input is 1D")
    starts = offsets.detach().numpy().astype(np.int64)
    size = input.numel()
    if include_last_offset and not starts.size:
        raise RuntimeError("embedding_bag: include_last_offset: number of offsets should be at least 1")
    if starts.size and starts[0] != 0:
        raise RuntimeError(f"embedding_bag: offsets[0] has to be 0, got {starts[0]}")
    if starts.size and starts[-1] > size:
        raise RuntimeError(
            f"embedding_bag: offsets[-1] can not be greater than input's length {size}, got {starts[-1]}"
        )
    if (np.diff(starts) < 0).any():
        raise RuntimeError("embedding_bag: offsets must not decrease")
    if include_last_offset:
        return input[: int(starts[-1])], starts
    return input, np.append(starts, size)


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Sums, means or maxima of the rows of ``weight`` in bags of indices; empty bags give zeros.

    Args:
        input: indices: ``(bags, length)``, or all bags one after the other.
        weight: ``(rows, width)``.
        offsets: where each bag starts, for 1D input.
        max_norm, norm_type, scale_grad_by_freq, sparse: as in ``embedding``.
        mode: ``"mean"``, ``"sum"`` or ``"max"``.
        per_sample_weights: factors of the rows, of the shape of ``input``; for ``"sum"`` only.
        include_last_offset: the last offset is the end, not the start of a bag.
        padding_idx: indices of this value are left out.

    Returns:
        Shape ``(bags, width)``.
    """
    refuse_sparse("embedding_bag", sparse)
    if per_sample_weights is not None and per_sample_weights.shape != input.shape:
        raise ValueError(
            f"embedding_bag: per_sample_weights {shape_of(per_sample_weights)} must have the shape of the "
            f"input {shape_of(input)}"
        )
    if weight.dim() != 2:
        raise ValueError(f"embedding_bag: weight has to be 2D, got shape {shape_of(weight)}")
    index, edges = _bags(input, offsets, include_last_offset)
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"embedding_bag: mode has to be one of sum, mean or max, got {mode!r}")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("embedding_bag: max mode does not support scaling the gradient by the frequency")
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            f"embedding_bag: per_sample_weights is only supported for mode='sum', got mode={mode!r}"
        )
    _check("embedding_bag", input, weight)
    rows, width = weight.shape
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            raise RuntimeError(
                f"embedding_bag: padding_idx must be within the number of embeddings, {-rows} through "
                f"{rows - 1}, but got {padding_idx}"
            )
        padding_idx %= rows
    if per_sample_weights is not None and per_sample_weights.dtype is not weight.dtype:
        raise RuntimeError(
            f"embedding_bag: weight is {weight.dtype} and per_sample_weights {per_sample_weights.dtype}"
        )
    if max_norm is not None:
        _limit_rows(weight, index, max_norm, norm_type)
    keep = None if padding_idx is None else index != padding_idx
    if mode == "max":
        return _largest(index, weight, edges, keep)
    found: Tensor = ops.embedding(index, weight)
    kind = weight.dtype
    if kind.is_half:
        found = found.float()  # the sums are rounded once
    if scale_grad_by_freq:
        found = _scaled_gradient(found, _frequency_scale(index, rows, found).unsqueeze(-1))
    if per_sample_weights is not None:
        found = found * per_sample_weights.reshape(-1, 1)[: index.numel()]
    bags = len(edges) - 1
    if not bags:
        return weight[:0] + 0
    if keep is not None:
        found = ops.where(keep.unsqueeze(1), found, 0.0)
    lengths = np.diff(edges)
    if lengths[0] and (lengths == lengths[0]).all() and index.numel() == bags * lengths[0]:
        table: Tensor = found.reshape(bags, int(lengths[0]), width)  # bags of one length lie side by side
        if mode == "sum":
            return table.sum(1).to(kind)
        if keep is None:
            return table.mean(1).to(kind)
        kept: Tensor = keep.reshape(bags, -1).sum(1, keepdim=True)
        return (table.sum(1) / kept.clamp(min=1)).to(kind)
    bag = ops.tensor(np.repeat(np.arange(bags), lengths).astype(np.int64), device=weight.device)
    zeros = ops.zeros((bags, width), dtype=found.dtype, device=weight.device)
    out: Tensor = zeros.scatter_add(0, bag.unsqueeze(1).expand(-1, width), found)
    if mode == "sum":
        return out.to(kind)
    counted = ops.ones_like(index).to(found.dtype) if keep is None else keep.to(found.dtype)
    counts = ops.zeros(bags, dtype=found.dtype, device=weight.device).scatter_add(0, bag, counted)
    return (out / counts.clamp(min=1).unsqueeze(1)).to(kind)


def _largest(index: Tensor, weight: Tensor, edges: np.ndarray, keep: Tensor | None) -> Tensor:
    """The largest element of each column in each bag; the first of equal ones gets the gradient."""
    lengths = np.diff(edges)
    bags, longest = len(lengths), int(lengths.max()) if len(lengths) else 0
    width = weight.shape[1]
    if not bags or not longest:
        return ops.zeros((bags, width), dtype=weight.dtype, device=weight.device) + weight[:0].sum()
    place = edges[:-1, None] + np.arange(longest)
    inside = np.arange(longest) < lengths[:, None]
    place = np.where(inside, place, 0)
    device = weight.device
    position = ops.tensor(place.astype(np.int64), device=device)
    present = ops.tensor(inside, device=device)
    if keep is not None:
        present = present & keep[position]
    table = ops.embedding(index[position], weight)
    table = ops.where(present.unsqueeze(2), table, -math.inf)
    top = table.max(1).values
    return ops.where(present.any(1).unsqueeze(1), top, 0.0)  # type: ignore[no-any-return]
