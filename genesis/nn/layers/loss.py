"""Losses as modules; the arguments and formulas are those of ``genesis.nn.functional``."""

from __future__ import annotations

from genesis._tensor import Tensor
from genesis.nn import functional as F
from genesis.nn._checks import check_label_smoothing, check_reduction
from genesis.nn.module import Module


class _Loss(Module):
    """A loss with a ``reduction``: ``"mean"``, ``"sum"`` or ``"none"``."""

    reduction: str

    def __init__(
        self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
    ) -> None:
        super().__init__()
        self.reduction = check_reduction(reduction, size_average, reduce)


class MSELoss(_Loss):
    """The squared difference ``(x - y)²``.

    Args:
        size_average, reduce: PyTorch's old way to say ``reduction``; leave them out.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """The absolute difference ``|x - y|``.

    Args:
        size_average, reduce: PyTorch's old way to say ``reduction``; leave them out.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.l1_loss(input, target, reduction=self.reduction)


class _WeightedLoss(_Loss):
    """A loss with a buffer ``weight``."""

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class _ClassLoss(_WeightedLoss):
    """A loss over classes, with a weight for each and an index that is left out."""

    ignore_index: int

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index


class NLLLoss(_ClassLoss):
    """The negative log-likelihood ``-w[y] * x[y]`` of log-probabilities ``x`` and class indices ``y``.

    Args:
        weight: ``(C,)``, a weight for each class; ``"mean"`` then divides by the sum of the weights used.
        size_average, reduce: PyTorch's old way to say ``reduction``; leave them out.
        ignore_index: targets of this value count for nothing.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.nll_loss(
            input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction
        )


class NLLLoss2d(NLLLoss):
    """The old name of ``NLLLoss`` for images."""


class CrossEntropyLoss(_ClassLoss):
    """Log-softmax and negative log-likelihood in one, on raw scores.

    Args:
        weight: ``(C,)``, a weight for each class.
        size_average, reduce: PyTorch's old way to say ``reduction``; leave them out.
        ignore_index: targets of this value count for nothing (class indices only).
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        label_smoothing: share of each target that is spread evenly over all classes, within [0, 1]
            (Szegedy et al. 2015, arXiv:1512.00567).

    Shapes: input ``(C,)``, ``(N, C)`` or ``(N, C, d1, ...)``; target of the same shape without C (class
    indices) or of the input's shape (probabilities).

    Example:
        >>> loss = nn.CrossEntropyLoss()(genesis.randn(3, 5), genesis.tensor([1, 0, 4]))
    """

    label_smoothing: float

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, ignore_index, reduce, reduction)
        self.label_smoothing = check_label_smoothing(label_smoothing)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class BCEWithLogitsLoss(_Loss):
    """Binary cross-entropy on raw scores: ``-w (p y log s + (1 - y) log(1 - s))``, s = sigmoid(x).

    Args:
        weight: ``w``, broadcast to the input.
        size_average, reduce: PyTorch's old way to say ``reduction``; leave them out.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        pos_weight: ``p``, a weight of the positive examples, broadcast to the input.
    """

    weight: Tensor | None
    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )
