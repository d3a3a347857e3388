"""Losses over vectors, sets of classes and sequences, as modules; and the distances they use."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from genesis._tensor import Tensor
from genesis.nn import functional as F
from genesis.nn.layers.loss import _Loss, _WeightedLoss
from genesis.nn.module import Module


class MultiMarginLoss(_WeightedLoss):
    """``Σ_i w_y max(0, margin - x_y + x_i)^p / C`` over the classes i other than the target y.

    Args:
        p: 1 or 2.
        margin: by how much the target's score should be larger.
        weight: ``(C,)``, a weight for each class.
        size_average, reduce: PyTorch's old way to say ``reduction``; leave them out.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    p: int
    margin: float

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        if p not in (1, 2):
            raise ValueError(f"MultiMarginLoss: only p == 1 and p == 2 supported, got {p}")
        if weight is not None and weight.dim() != 1:
            raise ValueError(f"MultiMarginLoss: weight must be None or have 1 dimension, not {weight.dim()}")
        self.p = p
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multi_margin_loss(
            input, target, p=self.p, margin=self.margin, weight=self.weight, reduction=self.reduction
        )


class MultiLabelMarginLoss(_Loss):
    """``Σ_y Σ_i max(0, 1 - (x_y - x_i)) / C`` over the targets y and the classes i that are no targets.

    Args:
        size_average, reduce: PyTorch's old way to say ``reduction``; leave them out.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """``-Σ_i w_i (y_i log s(x_i) + (1 - y_i) log s(-x_i)) / C``, s the sigmoid.

    Args:
        weight: ``(C,)``, a weight for each class.
        size_average, reduce: PyTorch's old way to say ``reduction``; leave them out.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_soft_margin_loss(input, target, weight=self.weight, reduction=self.reduction)


class TripletMarginLoss(_Loss):
    """``max(0, d(a, p) - d(a, n) + margin)`` with d the p-norm distance along the last dimension.

    Args:
        margin: by how much the negative should be farther; positive.
        p, eps: of ``PairwiseDistance``.
        swap: use ``d(p, n)`` for ``d(a, n)`` where it is smaller.
        size_average, reduce: PyTorch's old way to say ``reduction``; leave them out.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    margin: float
    p: float
    eps: float
    swap: bool

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        if margin <= 0:
            raise ValueError(f"TripletMarginLoss: expected margin to be greater than 0, got {margin} instead")
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return F.triplet_margin_loss(
            anchor,
            positive,
            negative,
            margin=self.margin,
            p=self.p,
            eps=self.eps,
            swap=self.swap,
            reduction=self.reduction,
        )


class TripletMarginWithDistanceLoss(_Loss):
    """``TripletMarginLoss`` with a distance of your own.

    Args:
        distance_function: gives the distances of two batches; ``PairwiseDistance()`` unless given.
        margin: by how much the negative should be farther; positive.
        swap: use ``d(p, n)`` for ``d(a, n)`` where it is smaller.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    margin: float
    swap: bool

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        if margin <= 0:
            raise ValueError(
                f"TripletMarginWithDistanceLoss: expected margin to be greater than 0, got {margin} instead"
            )
        self.distance_function = PairwiseDistance() if distance_function is None else distance_function
        self.margin = margin
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return F.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )


class CTCLoss(_Loss):
    """``-log p(labels | inputs)``, summed over all alignments (Graves et al., ICML 2006).

    Args:
        blank: the class that stands for no label.
        reduction: ``"mean"`` divides each loss by the length of its target first; ``"sum"`` or ``"none"``.
        zero_infinity: losses of samples that are too short count 0 and have no gradient.

    Shapes: outputs of ``log_softmax`` ``(T, N, C)`` or ``(T, C)``; targets ``(N, S)`` or all labels one after
    the other; two tensors or tuples of lengths.

    Example:
        >>> loss = nn.CTCLoss()
        >>> loss(genesis.randn(50, 16, 20).log_softmax(2), targets, input_lengths, target_lengths)
    """

    blank: int
    zero_infinity: bool

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(
        self,
        log_probs: Tensor,
        targets: Tensor,
        input_lengths: Tensor | Sequence[int],
        target_lengths: Tensor | Sequence[int],
    ) -> Tensor:
        out: Tensor = F.ctc_loss(
            log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction, self.zero_infinity
        )
        return out


class CosineSimilarity(Module):
    """``x1 · x2 / (max(‖x1‖, eps) max(‖x2‖, eps))`` along a dimension.

    Args:
        dim: the dimension of the vectors.
        eps: smallest divisor.
    """

    dim: int
    eps: float

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        out: Tensor = F.cosine_similarity(x1, x2, self.dim, self.eps)
        return out


class PairwiseDistance(Module):
    """``‖x1 - x2 + eps‖_p`` along the last dimension.

    Args:
        p: exponent of the norm.
        eps: added to every difference.
        keepdim: keep the last dimension, as 1.
    """

    norm: float
    eps: float
    keepdim: bool

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        out: Tensor = F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
        return out
