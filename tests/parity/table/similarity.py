"""Similarities, distances and unit vectors."""

import math

import numpy as np

from table._entry import Entry, Init, S, floats, integers

_F = "nn.functional."
_ZERO = np.array([[0.0, 0.0, 0.0], [1.0, -2.0, 2.0]])

ENTRIES = [
    *[
        Entry(
            name,
            [
                S(floats(3, 4), floats(3, 4)),
                S(floats(2, 3, 4), floats(3, 4)),
                S(floats(2, 3, 4), floats(2, 1, 4), dim=-1),
                S(floats(2, 3), floats(2, 3), 0, 0.5),
                S(floats(5), floats(5), dim=0),
                S(_ZERO, floats(2, 3)),
                S(floats(3, 4), integers(1, 5, 3, 4)),
                S(floats(0, 4), floats(0, 4)),
            ],
            errors=[
                S(floats(3, 4), floats(3)),
                S(floats(3, 4), floats(3, 4), dim=4),
                S(integers(0, 3, 3, 2), integers(0, 3, 3, 2)),
            ],
        )
        for name in ("cosine_similarity", f"{_F}cosine_similarity")
    ],
    *[
        Entry(
            name,
            [
                S(floats(3, 4), floats(3, 4)),
                S(floats(3, 4), floats(4), p=1),
                S(floats(2, 3, 4), floats(3, 4), p=3.0, keepdim=True),
                S(floats(4), floats(4), p=math.inf),
                S(floats(4), floats(3, 4), p=-math.inf),
                S(floats(3, 4), floats(3, 4), p=0),
                S(floats(3, 4), floats(3, 4), 2.0, 0.1),
                S(_ZERO, _ZERO * 0),
            ],
            errors=[S(floats(3, 4), floats(3))],
        )
        for name in ("pairwise_distance", f"{_F}pairwise_distance")
    ],
    Entry(
        "nn.CosineSimilarity",
        [S(Init(), floats(3, 4), floats(3, 4)), S(Init(0, 0.1), floats(3, 4), floats(4))],
    ),
    Entry(
        "nn.PairwiseDistance",
        [S(Init(), floats(3, 4), floats(3, 4)), S(Init(1, 0.1, True), floats(3, 4), floats(4))],
    ),
    Entry(
        f"{_F}normalize",
        [
            S(floats(3, 4)),
            S(floats(3, 4), dim=0),
            S(floats(2, 3, 4), dim=-1, p=1),
            S(floats(2, 3, 4), 3, 1),
            S(floats(2, 3, 4), math.inf),
            S(floats(2, 3, 4), 1.5, dim=(0, 2)),
            S(floats(2, 3), eps=2.5),
            S(floats(5), dim=0),
            S(floats(0, 4)),
            S(floats(2, 3), -1, -1),
            S(floats(2, 3), -math.inf),
        ],
        errors=[S(floats(3, 4), dim=3), S(integers(0, 4, 2, 3))],
        differs="p = 0 is refused",
    ),
    Entry(
        f"{_F}normalize",
        [S(floats(3, 4))],
        grad=False,
        call=lambda lib, f, x: [f(x, out=(mine := lib.empty_like(x))), mine],
    ),
]
