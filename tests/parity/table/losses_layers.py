"""Losses and distances as layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from table._entry import Entry, Init, S, floats, integers, positive
from table.losses import (
    CLASSES,
    IMAGES,
    LOGS,
    MAPS,
    REDUCTIONS,
    SCORES,
    TARGETS,
    X,
    Y,
    after_log_softmax,
    probabilities,
    signs,
)


def named(library: Any, layer: Any, *args: Any) -> Any:
    return repr(layer), {k: v for k, v in vars(layer).items() if isinstance(v, int | float | str)}


ENTRIES = [
    Entry("nn.MSELoss", [S(Init(reduction=r), X, Y) for r in REDUCTIONS]),
    Entry("nn.L1Loss", [S(Init(reduction=r), X, Y) for r in REDUCTIONS]),
    Entry("nn.SmoothL1Loss", [S(Init(), X, Y), S(Init(reduction="sum", beta=0.3), X, Y)]),
    Entry("nn.HuberLoss", [S(Init(), X, Y), S(Init("none", 0.3), X, Y)]),
    Entry(
        "nn.KLDivLoss", [S(Init(reduction=r), LOGS, probabilities(3, 4)) for r in (*REDUCTIONS, "batchmean")]
    ),
    Entry(
        "nn.KLDivLoss", [S(Init(reduction="batchmean", log_target=True), LOGS, np.log(probabilities(3, 4)))]
    ),
    Entry(
        "nn.BCELoss",
        [S(Init(reduction=r), probabilities(3, 4), integers(0, 2, 3, 4) * 1.0) for r in REDUCTIONS],
    ),
    Entry("nn.BCEWithLogitsLoss", [S(Init(reduction=r), X, integers(0, 2, 3, 4) * 1.0) for r in REDUCTIONS]),
    Entry("nn.BCEWithLogitsLoss", [S(Init(pos_weight=np.array([1, 2, 3, 4])), X, probabilities(3, 4))]),
    Entry(
        "nn.PoissonNLLLoss",
        [S(Init(), X, integers(0, 4, 3, 4)), S(Init(False, True, eps=0.1), positive(3, 4), positive(3, 4))],
    ),
    Entry(
        "nn.GaussianNLLLoss",
        [S(Init(), X, Y, positive(3, 4)), S(Init(full=True, eps=0.5, reduction="sum"), X, Y, positive(3, 1))],
    ),
    Entry("nn.SoftMarginLoss", [S(Init(reduction=r), X, signs(3, 4)) for r in REDUCTIONS]),
    Entry(
        "nn.HingeEmbeddingLoss", [S(Init(), X, signs(3, 4)), S(Init(0.3, reduction="sum"), X, signs(3, 4))]
    ),
    Entry(
        "nn.MarginRankingLoss",
        [S(Init(), X, Y, signs(3, 4)), S(Init(0.3, reduction="none"), X, Y, signs(3, 4))],
    ),
    Entry(
        "nn.CosineEmbeddingLoss", [S(Init(), X, Y, signs(3)), S(Init(0.3, reduction="none"), X, Y, signs(3))]
    ),
    Entry(
        "nn.MultiMarginLoss",
        [S(Init(), X, CLASSES), S(Init(2, 0.5, reduction="none"), X, CLASSES)],
        errors=[S(Init(p=3), X, CLASSES)],
    ),
    Entry("nn.MultiLabelMarginLoss", [S(Init(), X, np.array([[0, 2, -1, 3]] * 3))]),
    Entry(
        "nn.MultiLabelSoftMarginLoss",
        [S(Init(), X, integers(0, 2, 3, 4)), S(Init(reduction="none"), X, probabilities(3, 4))],
    ),
    Entry(
        "nn.TripletMarginLoss",
        [S(Init(), X, Y, floats(3, 4)), S(Init(2.0, 1.0, swap=True, reduction="sum"), X, Y, floats(3, 4))],
        errors=[S(Init(0.0), X, Y, X)],
    ),
    Entry(
        "nn.TripletMarginWithDistanceLoss",
        [S(Init(), X, Y, floats(3, 4)), S(Init(margin=3.0, swap=True, reduction="none"), X, Y, floats(3, 4))],
    ),
    Entry("nn.NLLLoss", [S(Init(reduction=r), X, CLASSES) for r in REDUCTIONS]),
    Entry("nn.NLLLoss", [S(Init(ignore_index=3), X, CLASSES)]),
    Entry("nn.NLLLoss2d", [S(Init(), IMAGES, MAPS)], layouts=("plain",)),
    Entry("nn.NLLLoss", [S(Init(), IMAGES, MAPS)], layouts=("plain",)),
    Entry("nn.CrossEntropyLoss", [S(Init(reduction=r, label_smoothing=0.1), X, CLASSES) for r in REDUCTIONS]),
    Entry(
        "nn.CrossEntropyLoss",
        [S(Init(ignore_index=3), X, CLASSES), S(Init(), X, probabilities(3, 4))],
        errors=[S(Init(label_smoothing=2.0), X, CLASSES)],
    ),
    Entry(
        "nn.CTCLoss",
        [
            S(Init(), SCORES, TARGETS, (7, 5, 6), (3, 1, 2)),
            S(Init(0, "sum", True), SCORES, TARGETS, (2, 7, 7), (3, 3, 3)),
        ],
        call=after_log_softmax,
    ),
    Entry("nn.CosineSimilarity", [S(Init(), X, Y), S(Init(0, 0.1), X, Y)]),
    Entry("nn.PairwiseDistance", [S(Init(), X, Y), S(Init(1.0, keepdim=True), X, Y)]),
    *[
        Entry(f"nn.{name}", [S(Init(), X)], call=named, layouts=("plain",), dtypes=("float32",))
        for name in (
            "MSELoss",
            "L1Loss",
            "SmoothL1Loss",
            "HuberLoss",
            "KLDivLoss",
            "BCELoss",
            "BCEWithLogitsLoss",
            "PoissonNLLLoss",
            "GaussianNLLLoss",
            "SoftMarginLoss",
            "HingeEmbeddingLoss",
            "MarginRankingLoss",
            "CosineEmbeddingLoss",
            "MultiMarginLoss",
            "MultiLabelMarginLoss",
            "MultiLabelSoftMarginLoss",
            "TripletMarginLoss",
            "TripletMarginWithDistanceLoss",
            "NLLLoss",
            "CrossEntropyLoss",
            "CTCLoss",
            "CosineSimilarity",
            "PairwiseDistance",
        )
    ],
    Entry(
        "nn.functional.linear_cross_entropy",
        [
            S(floats(4, 3), floats(5, 3), integers(0, 5, 4)),
            S(floats(3), floats(5, 3), integers(0, 5), linear_bias=floats(5), reduction="sum"),
            S(floats(4, 3), floats(5, 2, 3), integers(0, 5, 4, 2), linear_bias=floats(5, 2)),
            S(floats(4, 3), floats(5, 3), probabilities(4, 5), label_smoothing=0.1),
            S(floats(4, 3), floats(5, 3), integers(0, 5, 4), ignore_index=2, reduction="none"),
        ],
        errors=[
            S(floats(4, 3), floats(5, 4), integers(0, 5, 4)),
            S(floats(3), floats(5, 2, 3), integers(0, 5, 2)),
            S(floats(2, 4, 3), floats(5, 3), integers(0, 5, 4)),
            S(floats(4, 3), floats(5, 3), probabilities(4, 5), ignore_index=2),
            S(floats(4, 3), floats(5, 3), probabilities(3, 5)),
        ],
    ),
    Entry(
        "nn.LinearCrossEntropyLoss",
        [
            S(Init(3, 5), floats(4, 3), integers(0, 5, 4)),
            S(Init(3, 5, out_features=(2,), bias=True), floats(4, 3), integers(0, 5, 4, 2)),
            S(
                Init(3, 5, bias=True, reduction="sum", ignore_index=1),
                floats(4, 3),
                integers(0, 5, 4),
            ),
        ],
        errors=[S(Init(3, 5, weight=positive(4))), S(Init(3, 5, label_smoothing=1.5))],
    ),
    Entry("nn.LinearCrossEntropyLoss", [S(Init(3, 4, bias=True), X, TARGETS)], call=named),
    Entry(
        "nn.AdaptiveLogSoftmaxWithLoss",
        [
            S(Init(8, 20, [5, 10], 2.0), floats(6, 8), np.array([0, 4, 5, 9, 10, 19])),
            S(Init(8, 20, (3, 10, 15), head_bias=True), floats(6, 8), integers(0, 3, 6)),
            S(Init(8, 20, [5]), floats(8), np.array(7)),
        ],
        errors=[
            S(Init(8, 20, [])),
            S(Init(8, 20, [5, 5])),
            S(Init(8, 20, [5, 20])),
            S(Init(8, 20, [5]), floats(6, 8), integers(20, 21, 6)),
            S(Init(8, 20, [5]), floats(8), integers(0, 20, 8)),
            S(Init(8, 20, [5]), floats(2, 8), integers(0, 20, 3)),
        ],
    ),
    Entry(
        "nn.AdaptiveLogSoftmaxWithLoss",
        [S(Init(8, 20, [5, 10], 2.0), floats(9, 8)), S(Init(8, 20, [15]), floats(4, 8))],
        call=lambda library, layer, x: (layer.log_prob(x), layer.predict(x), repr(layer)),
    ),
]
