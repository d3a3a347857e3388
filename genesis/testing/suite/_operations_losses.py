"""Losses and distances for the table of operations."""

from __future__ import annotations

from typing import Any

import numpy as np

from genesis.testing.suite._operations import CUBE, POSITIVE, ROW, A, B, case, floats, positive
from genesis.testing.suite._operations_activations import functions

SIGNS = np.array([[1, -1, 1, 1], [-1, -1, 1, -1], [1, 1, -1, 1]])
SHARES = positive(3, 4) / 2.2
CLASSES = np.array([1, 0, 3])


def loss(name: str, *arrays: np.ndarray, label: str = "", order: int = 2, **options: Any) -> None:
    """A case of ``nn.functional``."""
    case(
        name,
        lambda ns, *xs: getattr(functions(ns), name)(*xs, **options),
        *arrays,
        order=order,
        parity=False,  # tests/parity/table/losses.py has these
        label=label or " ".join(str(v) for v in options.values()),
    )


for reduction in ("mean", "none"):
    loss("smooth_l1_loss", A, B, reduction=reduction, beta=0.7)
    loss("huber_loss", A, B, reduction=reduction, delta=0.7)
    loss("binary_cross_entropy", SHARES, positive(3, 4) / 2.3, reduction=reduction)
    loss("poisson_nll_loss", A, POSITIVE, reduction=reduction, full=True)
    loss("poisson_nll_loss", POSITIVE, positive(3, 4), reduction=reduction, log_input=False)
    loss("gaussian_nll_loss", A, B, POSITIVE, reduction=reduction)
    loss("soft_margin_loss", A * 10, SIGNS, reduction=reduction)
    loss("hinge_embedding_loss", A, SIGNS, reduction=reduction)
    loss("margin_ranking_loss", A, B, SIGNS, reduction=reduction, margin=0.1)
    loss("multilabel_soft_margin_loss", A, SHARES, ROW, reduction=reduction)
    loss("cosine_embedding_loss", A, B, SIGNS[:, 1], reduction=reduction)
    loss("triplet_margin_loss", A, B, floats(3, 4), reduction=reduction, margin=3.0)
    loss("multi_margin_loss", A, CLASSES, reduction=reduction, p=2)
    loss("multi_margin_loss", A, CLASSES, reduction=reduction)
    loss(
        "multilabel_margin_loss",
        A,
        np.array([[0, 2, -1, 1], [3, -1, 0, 0], [1, 2, 3, 0]]),
        reduction=reduction,
    )
    loss("mse_loss", A, B, reduction=reduction, label="functional")
for reduction in ("batchmean", "sum", "none"):
    loss("kl_div", A, POSITIVE, reduction=reduction)
    loss("kl_div", A, B, reduction=reduction, log_target=True)
loss("triplet_margin_loss", A, B, floats(3, 4), swap=True, p=3, margin=3.0)
case("cosine_similarity", lambda ns, a, b: functions(ns).cosine_similarity(a, b), A, B)
case("cosine_similarity", lambda ns, a, b: functions(ns).cosine_similarity(a, b, -1), CUBE, ROW)
case("pairwise_distance", lambda ns, a, b: functions(ns).pairwise_distance(a, b), A, B)
case("pairwise_distance", lambda ns, a, b: functions(ns).pairwise_distance(a, b, 3.0), A, ROW)
case("pdist", lambda ns, x: functions(ns).pdist(x), A, parity=False)


def ctc(ns: Any, x: Any, targets: Any, **options: Any) -> Any:
    f = functions(ns)
    return f.ctc_loss(f.log_softmax(x, 2), targets, (5, 4), (2, 1), **options)


TARGETS = np.array([[1, 1], [2, 0]])
case("ctc_loss", ctc, floats(5, 2, 3), TARGETS, parity=False)
case(
    "ctc_loss",
    lambda ns, x, t: ctc(ns, x, t, reduction="none"),
    floats(5, 2, 3),
    TARGETS,
    parity=False,
    label="none",
)

# -- layers that are in no other table -----------------------------------------------------------------------
case(
    "bilinear",
    lambda ns, a, b, w, c: functions(ns).bilinear(a, b, w, c),
    floats(2, 3), floats(2, 4), floats(2, 3, 4), floats(2),
)  # fmt: skip
for mode in ("sum", "mean", "max"):
    case(
        "embedding_bag",
        lambda ns, i, w, o, mode=mode: functions(ns).embedding_bag(i, w, o, mode=mode),
        np.array([0, 2, 2, 1, 3]), floats(4, 2), np.array([0, 2, 2]),
        label=mode,
        parity=False,
    )  # fmt: skip
