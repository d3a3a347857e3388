"""Losses over many classes, with the layer that scores them inside."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from genesis import ops
from genesis._tensor import Tensor
from genesis.nn import functional as F
from genesis.nn.functional._loss_linear import LinearCrossEntropyOptions
from genesis.nn.layers.container import ModuleList, Sequential
from genesis.nn.layers.linear import Linear
from genesis.nn.layers.loss import _WeightedLoss
from genesis.nn.module import Module


class LinearCrossEntropyLoss(_WeightedLoss):
    """A linear layer and the cross entropy of what it gives.

    Args:
        in_features: size of each sample.
        num_classes: C.
        out_features: ``(d1, ...)``, the further dimensions of a loss of K dimensions.
        bias: the layer has a bias.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        weight: ``(C,)``, a weight for each class.
        ignore_index: targets of this value count for nothing; -100 unless given. Class indices only.
        label_smoothing: share of each target that is spread evenly over all classes, within [0, 1].
        options: changes nothing here.

    Shapes: input ``(in_features,)`` or ``(N, in_features)``; target ``()``, ``(N,)`` or ``(N, d1, ...)``, or
    probabilities ``(C,)`` or ``(N, C, d1, ...)``.
    """

    linear: Linear

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        out_features: tuple[int, ...] = (),
        bias: bool = False,
        device: Any = None,
        dtype: Any = None,
        reduction: str = "mean",
        weight: Tensor | None = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
        options: LinearCrossEntropyOptions | None = None,
    ) -> None:
        if weight is not None and tuple(weight.shape) != (num_classes,):
            raise RuntimeError(f"expected weight shape to be {(num_classes,)}, got {tuple(weight.shape)}")
        if not 0 <= label_smoothing <= 1:
            raise RuntimeError(f"expected label_smoothing to be in range [0, 1], got {label_smoothing}")
        super().__init__(weight, None, None, reduction)
        self.num_classes, self.out_features = num_classes, tuple(out_features)
        self.ignore_index, self.label_smoothing, self.options = ignore_index, label_smoothing, options
        size = math.prod(self.out_features, start=num_classes)
        self.linear = Linear(in_features, size, bias=bias, device=device, dtype=dtype)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        shape, bias = (self.num_classes, *self.out_features), self.linear.bias
        return F.linear_cross_entropy(
            input,
            self.linear.weight.reshape(*shape, self.linear.in_features),
            target,
            linear_bias=None if bias is None else bias.reshape(shape),
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            options=self.options,
        )

    def extra_repr(self) -> str:
        return (
            f"in_features={self.linear.in_features}, num_classes={self.num_classes}, "
            f"out_features={self.out_features}, bias={self.linear.bias is not None}, "
            f"reduction={self.reduction}, ignore_index={self.ignore_index}, "
            f"label_smoothing={self.label_smoothing}, options={self.options}"
        )


class ASMoutput(NamedTuple):
    """What ``AdaptiveLogSoftmaxWithLoss`` returns."""

    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """A softmax over many classes that spends little on rare ones (Grave et al. 2016, arXiv:1609.04309).

    The classes are sorted by how often they occur. The head scores the first of them and the clusters of the
    others; each cluster has a narrower layer of its own: ``log p(y) = log p(cluster) + log p(y | cluster)``.

    Args:
        in_features: size of each sample.
        n_classes: how many classes.
        cutoffs: where clusters begin, rising, within [1, n_classes - 1].
        div_value: cluster i is ``in_features // div_value**i`` wide, counted from 1.
        head_bias: the head has a bias.

    Shapes: input ``(N, in_features)`` or ``(in_features,)``; target ``(N,)`` or ``()``; returns the pair
    (output, loss): the log-probability of each target, and minus their mean.

    Raises:
        ValueError: ``cutoffs`` are not as above.
    """

    head: Linear
    tail: ModuleList

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        if (
            cutoffs != sorted(set(cutoffs))
            or cutoffs[0] <= 0
            or cutoffs[-1] > n_classes - 1
            or any(int(c) != c for c in cutoffs)
        ):
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, "
                f"where each value is between 1 and n_classes-1; got {cutoffs} for {n_classes} classes"
            )
        self.in_features, self.n_classes, self.cutoffs = in_features, n_classes, [*cutoffs, n_classes]
        self.div_value, self.head_bias = div_value, head_bias
        self.shortlist_size, self.n_clusters = cutoffs[0], len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        place: Any = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, bias=head_bias, **place)
        self.tail = ModuleList()
        for i, (low, high) in enumerate(pairwise(self.cutoffs), 1):
            width = int(in_features // div_value**i)
            self.tail.append(
                Sequential(
                    Linear(in_features, width, bias=False, **place),
                    Linear(width, high - low, bias=False, **place),
                )
            )

    def reset_parameters(self) -> None:
        self.head.reset_parameters()
        for cluster in self.tail:
            for layer in cluster:  # type: ignore[attr-defined]
                layer.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> ASMoutput:
        if target_.dim() > 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        if target_.dim() == 1 and input_.shape[0] != target_.shape[0]:
            raise RuntimeError("Input and target should have the same size in the batch dimension.")
        if input_.dim() != target_.dim() + 1:
            raise RuntimeError(
                f"{target_.dim()}D target tensor expects {target_.dim() + 1}D input tensors, but found "
                f"inputs with size {tuple(input_.shape)}"
            )
        if target_.dim() == 0:
            output, loss = self.forward(input_.unsqueeze(0), target_.unsqueeze(0))
            return ASMoutput(output.squeeze(0), loss)
        if target_.numel() and not 0 <= target_.min().item() <= target_.max().item() < self.n_classes:
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range "
                f"[{target_.min().item()}, {target_.max().item()}] were found."
            )
        place = ops.where(target_ < self.shortlist_size, target_, 0)  # in the head
        output = input_.new_zeros(target_.shape[0])
        for i, (low, high) in enumerate(pairwise(self.cutoffs)):
            rows = ((target_ >= low) & (target_ < high)).nonzero().squeeze(1)
            if not rows.numel():
                continue
            scores = F.log_softmax(self.tail[i](input_.index_select(0, rows)), dim=1)
            inside = (target_.index_select(0, rows) - low).unsqueeze(1)
            output = output.index_add(0, rows, scores.gather(1, inside).squeeze(1))
            place = place.index_fill(0, rows, self.shortlist_size + i)
        head = F.log_softmax(self.head(input_), dim=1)
        output = output + head.gather(1, place.unsqueeze(1)).squeeze(1)
        return ASMoutput(output, (-output).mean())

    def log_prob(self, input: Tensor) -> Tensor:
        """Log-probabilities of all classes, ``(N, n_classes)``, for an input ``(N, in_features)``."""
        head = F.log_softmax(self.head(input), dim=1)
        parts = [head[:, : self.shortlist_size]]
        for i, cluster in enumerate(self.tail):
            k = self.shortlist_size + i
            parts.append(F.log_softmax(cluster(input), dim=1) + head[:, k : k + 1])
        return ops.cat(parts, 1)

    def predict(self, input: Tensor) -> Tensor:
        """The most probable class of each sample, ``(N,)``.

        As in PyTorch, a sample for which the head prefers a frequent class to every cluster gets that class.
        """
        first = self.head(input).argmax(dim=1)
        rare = first >= self.shortlist_size
        if not rare.any():
            return first  # type: ignore[no-any-return]
        best: Tensor = ops.where(rare, self.log_prob(input).argmax(dim=1), first)
        return best
