"""Losses and distances, as functions and as layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from table._entry import LAYOUTS, Entry, S, bools, floats, integers, positive

REDUCTIONS = ("mean", "sum", "none")
F = "nn.functional."


def each(*args: Any, **kwargs: Any) -> list[S]:
    """One sample for every reduction."""
    return [S(*args, reduction=r, **kwargs) for r in REDUCTIONS]


def signs(*shape: int) -> np.ndarray:
    """Whole targets of 1 and -1."""
    return np.where(bools(*shape), 1, -1)


def probabilities(*shape: int) -> np.ndarray:
    x = positive(*shape)
    return x / x.sum(-1, keepdims=True)


def constant_target(library: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
    """Only the first argument gets a gradient, where PyTorch has none for the others."""
    first, *rest = [a.detach() if i and hasattr(a, "detach") else a for i, a in enumerate(args)]
    kwargs = {k: v.detach() if hasattr(v, "detach") else v for k, v in kwargs.items()}
    return function(first, *rest, **kwargs)


def euclidean(library: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
    """A distance of one's own."""
    return function(*args, distance_function=lambda a, b: ((a - b) ** 2).sum(-1), **kwargs)


def after_log_softmax(library: Any, function: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    return function(x.log_softmax(-1), *args, **kwargs)


def lengths_as_tensors(
    library: Any, function: Any, x: Any, targets: Any, *lengths: Any, **kwargs: Any
) -> Any:
    return function(x.log_softmax(-1), targets, *[library.tensor(n) for n in lengths], **kwargs)


FAR = np.array([-1e4, -120.0, -20, 0, 3, 20, 120, 1e4])
X, Y = floats(3, 4), floats(3, 4)
CLASSES = np.array([1, 0, 3])
IGNORED = np.array([1, -100, 3])
IMAGE, LABELS = floats(2, 4, 3), integers(0, 4, 2, 3)
IMAGES, MAPS = floats(2, 3, 2, 4), integers(0, 3, 2, 2, 4)
LOGS = np.log(probabilities(3, 4))

POINTWISE = [
    *[
        Entry(
            F + name,
            [
                *each(X, Y),
                *each(floats(5), floats(5), **options),
                *each(floats(2, 3, 2), floats(2, 3, 2), **options),
                S(floats(2, 3), floats(3)),
                S(X * 0, Y * 0),
                S(floats(0), floats(0)),
                S(floats(0), floats(0), reduction="sum"),
                S(np.array(0.7), np.array(-0.4)),
                S(FAR, FAR[::-1].copy()),
                S(X, Y, size_average=False),
                S(X, Y, reduce=False),
            ]
            if name != "huber_loss"
            else [
                *each(X, Y),
                *each(floats(5), floats(5), **options),
                S(floats(2, 3), floats(3)),
                S(np.array(0.7), np.array(-0.4)),
                S(FAR, FAR[::-1].copy()),
                S(X, Y, "sum", 0.3),
                S(floats(0), floats(0)),
            ],
            errors=[S(floats(3), floats(2)), S(floats(3), floats(3), reduction="average")],
        )
        for name, options in (
            ("mse_loss", {}),
            ("l1_loss", {}),
            ("smooth_l1_loss", {"beta": 0.4}),
            ("huber_loss", {"delta": 0.6}),
        )
    ],
    Entry(F + "smooth_l1_loss", [S(X, Y, beta=0.0), S(X, Y, beta=10.0)], errors=[S(X, Y, beta=-1.0)]),
    Entry(F + "huber_loss", [S(X, Y, delta=10.0)], errors=[S(X, Y, delta=0.0), S(X, Y, weight=floats(4))]),
    *[
        Entry(F + name, each(X, Y, weight=positive(3, 4)), errors=[S(X, Y, weight=positive(4))])
        for name in ("mse_loss", "l1_loss", "huber_loss")
    ],
    Entry(F + "l1_loss", [S(integers(0, 5, 4), integers(0, 5, 4), reduction=r) for r in ("sum", "none")]),
    Entry(
        F + "kl_div",
        [
            *each(LOGS, probabilities(3, 4)),
            S(LOGS, probabilities(3, 4), reduction="batchmean"),
            *each(LOGS, np.log(probabilities(3, 4)), log_target=True),
            S(LOGS, np.log(probabilities(3, 4)), reduction="batchmean", log_target=True),
            S(floats(2, 3, 4), positive(4)),
            S(np.array(0.3), np.array(0.4), reduction="batchmean"),
            S(X, positive(3, 4), size_average=False),
        ],
        errors=[S(X, Y, reduction="average"), S(X, positive(3))],
    ),
    Entry(
        F + "kl_div",
        [S(LOGS, np.array([[0.0, 1, 0, 0], [0.5, 0.5, 0, 0], [0, 0, 0, 1]]), reduction="batchmean")],
        call=constant_target,
    ),
    Entry(
        F + "binary_cross_entropy",
        [
            *each(probabilities(3, 4), probabilities(3, 4)),
            *each(probabilities(3, 4), probabilities(3, 4), np.array([0.5, 1, 2, 3])),
            S(probabilities(5), probabilities(5)),
            S(np.array(0.7), np.array(1.0)),
            S(probabilities(2, 3, 4), probabilities(2, 3, 4), weight=np.array([[0.5], [1], [2]])),
            S(probabilities(3, 4), probabilities(3, 4), reduce=False),
        ],
        call=constant_target,
        errors=[
            S(X, probabilities(3, 4)),
            S(probabilities(3, 4), probabilities(4)),
            S(probabilities(4), floats(4)),
            S(probabilities(4), integers(0, 2, 4)),
        ],
    ),
    Entry(
        F + "binary_cross_entropy",
        [S(np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0, 0.0]), reduction=r) for r in REDUCTIONS],
        call=constant_target,
        tolerance={"float64": (1e-8, 1e-13)},
        why="PyTorch's smallest divisor, 1e-12, is rounded to float32",
    ),
    Entry(F + "binary_cross_entropy", [S(probabilities(3, 4), probabilities(3, 4))]),
    Entry(
        F + "binary_cross_entropy_with_logits",
        [
            *each(X, probabilities(3, 4)),
            *each(X, probabilities(3, 4), pos_weight=positive(4)),
            *each(X, probabilities(3, 4), positive(4)),
            S(FAR, (FAR > 0) * 1.0),
            S(FAR, (FAR < 0) * 1.0),
            S(X, probabilities(3, 4), positive(3, 1), pos_weight=positive(1)),
            S(np.array(0.3), np.array(1.0)),
            S(floats(2, 3, 2), probabilities(2, 3, 2)),
            S(FAR, (FAR < 0) * 1.0, pos_weight=np.array(3.0)),
        ],
        call=constant_target,
        errors=[S(X, probabilities(4)), S(X, probabilities(3, 4), pos_weight=positive(2, 3, 4))],
    ),
    Entry(
        F + "poisson_nll_loss",
        [
            *each(X, integers(0, 5, 3, 4)),
            *each(X, integers(0, 5, 3, 4), full=True),
            *each(positive(3, 4), positive(3, 4), log_input=False),
            S(positive(3, 4), positive(3, 4), False, True),
            S(positive(4), positive(4), log_input=False, eps=0.1),
            S(X, positive(3, 4)),
            S(X, positive(3, 4), size_average=False),
        ],
        errors=[S(X, Y, reduction="average")],
    ),
    Entry(
        F + "gaussian_nll_loss",
        [
            *each(X, Y, positive(3, 4)),
            *each(X, Y, positive(3, 1)),
            S(X, Y, positive(3)),
            S(X, Y, 0.5),
            S(X, Y, positive(3, 4), full=True),
            S(X, Y, positive(3, 4) * 0),
            S(X, Y, positive(3, 4), True, 0.9),
            S(floats(2, 3, 4), floats(2, 3, 4), positive(2, 1, 4)),
            S(floats(4), floats(4), positive(4)),
        ],
        errors=[
            S(X, Y, floats(3, 4)),
            S(X, Y, positive(4)),
            S(X, Y, positive(3, 4), reduction="average"),
            S(X, Y, -1.0),
            S(X, Y, positive(2, 3, 4)),
        ],
    ),
    Entry(
        F + "soft_margin_loss",
        [
            *each(X, signs(3, 4)),
            S(floats(5) * 20, signs(5)),
            S(np.array(0.4), np.array(-1)),
            S(X, signs(3, 4), reduce=False),
        ],
        errors=[S(X, signs(3, 4), reduction="average"), S(floats(3), signs(2))],
        differs="finite where exp(-y x) overflows",
    ),
    Entry(
        F + "hinge_embedding_loss",
        [
            *each(X, signs(3, 4)),
            *each(X, signs(3, 4), margin=0.3),
            S(floats(2, 3), signs(3)),
            S(X, integers(-1, 2, 3, 4), 2.0),
            S(np.array([1.0, 0.5]), np.array([-1, -1])),
        ],
        errors=[S(X, signs(3, 4), reduction="average")],
    ),
    Entry(
        F + "margin_ranking_loss",
        [
            *each(X, Y, signs(3, 4)),
            *each(X, Y, signs(3, 4), margin=0.7),
            S(floats(4), floats(4), signs(4), 0.1),
            S(X, floats(3, 1), signs(1, 4)),
        ],
        errors=[S(X, Y, signs(4)), S(X, Y, signs(3, 4), reduction="average")],
    ),
    Entry(
        F + "multilabel_soft_margin_loss",
        [
            *each(X, integers(0, 2, 3, 4)),
            *each(X, probabilities(3, 4), positive(4)),
            S(FAR, integers(0, 2, 8)),
            S(floats(2, 3, 4), integers(0, 2, 2, 3, 4)),
        ],
        errors=[S(X, integers(0, 2, 3, 4), reduction="average")],
    ),
]

CLASSIFICATION = [
    *[
        Entry(
            F + name,
            [
                *each(X, CLASSES),
                *each(X, IGNORED),
                *each(X, CLASSES, positive(4)),
                *each(X, IGNORED, positive(4)),
                *each(X, CLASSES, positive(4), ignore_index=3),
                *each(IMAGE, LABELS),
                *each(IMAGES, MAPS, positive(3), ignore_index=1),
                *each(floats(4), np.array(2)),
                S(floats(2, 3, 2, 2, 2), integers(0, 3, 2, 2, 2, 2)),
                S(floats(0, 4), integers(0, 4, 0)),
                S(floats(0, 4), integers(0, 4, 0), reduction="sum"),
                S(X, np.array([-100, -100, -100])),
                S(X, np.array([2, 2, 2]), ignore_index=2, reduction="sum"),
                S(X * 1e4, CLASSES),
                S(X, CLASSES, size_average=False),
                S(X, CLASSES, reduce=False),
                S(X, CLASSES.astype("uint8")),
                S(floats(1, 2, 1), integers(0, 2, 1, 1), reduction="none"),
            ],
            call=constant_target,
            # PyTorch refuses the backward pass of 2-D targets with inputs that do not lie row by row
            layouts=("plain", "strided") if name == "nll_loss" else LAYOUTS,
            errors=[
                S(X, np.array([0, 1])),
                S(X, np.array([0, 1, 4])),
                S(X, np.array([0, -1, 1])),
                S(X, integers(0, 3, 3, 1)),
                S(X, CLASSES, positive(3)),
                S(X, CLASSES, reduction="average"),
                S(X, positive(3)),
                S(IMAGE, integers(0, 3, 2, 5)),
                S(np.array(1.0), np.array(0)),
                S(integers(0, 4, 3, 4), CLASSES),
            ],
        )
        for name in ("cross_entropy", "nll_loss")
    ],
    *[
        Entry(F + name, [S(floats(4), np.array([2]))], grad=False)  # PyTorch has no gradient of this
        for name in ("cross_entropy", "nll_loss")
    ],
    Entry(
        F + "cross_entropy",
        [
            *each(X, CLASSES, label_smoothing=0.2),
            *each(X, IGNORED, positive(4), label_smoothing=0.3),
            *each(IMAGE, LABELS, label_smoothing=1.0),
            *each(IMAGE, LABELS, positive(4), label_smoothing=0.5, ignore_index=2),
            S(X, np.array([-100, -100, -100]), label_smoothing=0.1, reduction="sum"),
            S(floats(4), np.array(2), label_smoothing=0.1),
        ],
        call=constant_target,
        errors=[S(X, CLASSES, label_smoothing=1.5), S(X, CLASSES, label_smoothing=1.1)],
    ),
    Entry(
        F + "cross_entropy",
        [
            *each(X, probabilities(3, 4)),
            *each(X, probabilities(3, 4), label_smoothing=0.2),
            *each(X, Y),
            S(floats(4), probabilities(4)),
            S(floats(0, 4), floats(0, 4)),
            S(IMAGE, floats(2, 4, 3)),
            S(IMAGES, floats(2, 3, 2, 4), reduction="none"),
        ],
        errors=[
            S(X, probabilities(3, 4), ignore_index=1),
            S(X, integers(0, 2, 3, 4)),
            S(X, probabilities(3, 3)),
        ],
    ),
    Entry(
        F + "cross_entropy",
        [
            *each(X, probabilities(3, 4), positive(4)),
            S(IMAGE, floats(2, 4, 3), positive(4), label_smoothing=0.3),
        ],
        call=constant_target,
    ),
    Entry(
        F + "multi_margin_loss",
        [
            *each(X, CLASSES),
            *each(X, CLASSES, p=2),
            *each(X, CLASSES, weight=positive(4)),
            *each(floats(4), np.array(1)),
            S(X, CLASSES, 2, 0.5, positive(4)),
            S(floats(4), np.array([1])),
            S(floats(4), np.array([1]), weight=positive(4)),
            S(X, CLASSES, margin=0.3),
        ],
        call=constant_target,
        errors=[
            S(X, np.array([0, 1])),
            S(X, np.array([0, 1, 4])),
            S(X, np.array([0, 1, -1])),
            S(X, positive(3)),
            S(X, CLASSES, weight=positive(3)),
            S(X, CLASSES, p=3),
            S(floats(2, 3, 4), np.array([0, 1])),
            S(X, CLASSES, weight=positive(2, 2)),
            S(X, CLASSES, reduction="average"),
        ],
    ),
    Entry(
        F + "multilabel_margin_loss",
        [
            *each(X, np.array([[0, 2, -1, 3], [3, -1, -1, -1], [1, 2, 3, 0]])),
            *each(floats(4), np.array([2, 0, -1, 1])),
            S(X, np.full((3, 4), -1)),
            S(X, np.array([[1, 1, -1, 0]] * 3)),
        ],
        errors=[S(X, CLASSES), S(X, np.full((3, 4), 5)), S(X, np.full((3, 4), -2)), S(X, positive(3, 4))],
    ),
]

VECTORS = [
    Entry(
        "cosine_similarity",
        [
            S(X, Y),
            S(X, Y, 0),
            S(X, Y, dim=-1),
            S(floats(2, 3, 4), floats(3, 4), 1),
            S(X, floats(1, 4), eps=5.0),
            S(floats(4), floats(4), 0),
            S(X * 0, Y),
            S(X, Y, 1, 1.0),
            S(floats(0, 4), floats(0, 4)),
        ],
        errors=[S(X, Y, 2), S(integers(0, 3, 2, 2), integers(0, 3, 2, 2)), S(X, floats(3, 3))],
    ),
    Entry(
        "pairwise_distance",
        [
            S(X, Y),
            S(X, Y, 1.0),
            S(X, Y, p=3.0),
            S(X, Y, p=float("inf")),
            S(X, Y, keepdim=True),
            S(X, floats(4)),
            S(floats(4), floats(4)),
            S(X, X.copy()),
            S(X, Y, 2.0, 0.1),
            S(floats(2, 3, 4), floats(2, 3, 4), 0.5),
        ],
    ),
    Entry(
        "pdist",
        [S(floats(4, 3)), S(floats(4, 3), 1.0), S(floats(4, 3), p=3.0), S(floats(5, 2) ** 3, float("inf"))],
        errors=[S(floats(3)), S(floats(3, 2), -1.0), S(integers(0, 3, 3, 2))],
    ),
    Entry("pdist", [S(floats(1, 3)), S(floats(0, 3))], grad=False),  # PyTorch's backward pass crashes
    Entry(F + "cosine_similarity", [S(X, Y)]),
    Entry(F + "pairwise_distance", [S(X, Y)]),
    Entry(F + "pdist", [S(floats(4, 3))]),
    Entry(
        F + "cosine_embedding_loss",
        [
            *each(X, Y, signs(3)),
            *each(X, Y, signs(3), margin=0.4),
            S(floats(4), floats(4), np.array(-1)),
            S(X, floats(1, 4), signs(3)),
            S(floats(4), floats(4), np.array(1), -0.3),
        ],
        errors=[S(X, Y, np.array(1)), S(X, Y, signs(3, 1)), S(X, Y, signs(2))],
    ),
    Entry(
        F + "triplet_margin_loss",
        [
            *each(X, Y, floats(3, 4)),
            *each(X, Y, floats(3, 4), swap=True, margin=2.0),
            S(X, Y, floats(3, 4), 0.5, 1),
            S(X, Y, floats(3, 4), p=3, eps=0.1),
            S(floats(4), floats(4), floats(4)),
            S(floats(2, 3, 4), floats(2, 3, 4), floats(2, 3, 4)),
            S(X, Y, floats(1, 4)),
        ],
        errors=[S(X, Y, floats(4)), S(X, Y, floats(3, 4), margin=0.0), S(X, Y, floats(3, 3))],
    ),
    Entry(
        F + "triplet_margin_with_distance_loss",
        [*each(X, Y, floats(3, 4)), S(X, Y, floats(3, 4), swap=True), S(X, Y, floats(3, 4), margin=0.3)],
        errors=[S(X, Y, floats(4)), S(X, Y, floats(3, 4), margin=-1.0), S(X, Y, X, reduction="average")],
    ),
    Entry(F + "triplet_margin_with_distance_loss", each(X, Y, floats(3, 4), margin=3.0), call=euclidean),
]

SCORES = floats(7, 3, 5)
TARGETS = np.array([[1, 2, 2], [3, 4, 1], [1, 1, 4]])
SEQUENCES = [
    Entry(
        F + "ctc_loss",
        [
            *each(SCORES, np.array([1, 2, 3, 3]), (7, 6, 5), (2, 1, 1)),
            S(SCORES, np.array([4, 1, 3]), (7, 6, 5), (0, 3, 0)),
        ],
        call=after_log_softmax,
        layouts=("plain", "transposed"),  # PyTorch reads such targets wrongly if they have strides
    ),
    Entry(
        F + "ctc_loss",
        [
            *each(SCORES, TARGETS, (7, 7, 7), (3, 3, 3)),
            *each(SCORES, TARGETS, (7, 5, 6), (3, 1, 2)),
            *each(floats(6, 4), np.array([1, 3]), (6,), (2,)),
            *each(SCORES, TARGETS, (7, 2, 6), (3, 3, 0), zero_infinity=True),
            S(SCORES, TARGETS - 1, (7, 7, 7), (3, 2, 3), 4),
            S(SCORES, TARGETS, (0, 7, 1), (0, 3, 1), reduction="none"),
            S(SCORES * 50, TARGETS, (7, 7, 7), (3, 3, 3)),
            S(SCORES, np.zeros((3, 0), "int64"), (7, 5, 3), (0, 0, 0)),
            S(SCORES[:1], TARGETS, (1, 1, 1), (1, 1, 0)),
            S(SCORES, TARGETS.astype("int32"), (7, 7, 7), (3, 3, 3), blank=0, reduction="sum"),
            S(SCORES, np.array([[1, 2, -1], [3, -1, -1], [1, 1, -9]]), (7, 7, 7), (2, 1, 2)),
        ],
        call=after_log_softmax,
        errors=[
            S(SCORES, TARGETS, (8, 7, 7), (3, 3, 3)),
            S(SCORES, TARGETS, (7, 7), (3, 3, 3)),
            S(SCORES, TARGETS, (7, 7, 7), (4, 3, 3)),
            S(SCORES, TARGETS, (7, 7, 7), (3, 3, 3), 5),
            S(SCORES, np.array([1, 2, 3]), (7, 7, 7), (3, 3, 3)),
            S(SCORES, TARGETS, (7, 7, -1), (3, 3, 3)),
            S(SCORES, TARGETS, (7, 7, 7), (3, 3, -1)),
            S(SCORES, TARGETS, (7, 7, 7), (3, 3, 3), reduction="average"),
            S(SCORES, TARGETS[None], (7, 7, 7), (3, 3, 3)),
            S(floats(7, 0, 5), TARGETS[:0], (), ()),
        ],
    ),
    Entry(
        F + "ctc_loss",
        [
            *each(SCORES, TARGETS, [7, 5, 6], [3, 1, 2]),
            S(floats(6, 4), np.array([1, 3]), 6, 2),
        ],
        call=lengths_as_tensors,
    ),
]

ENTRIES = [*POINTWISE, *CLASSIFICATION, *VECTORS, *SEQUENCES]
