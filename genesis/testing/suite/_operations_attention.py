"""Attention without and with masks."""

import numpy as np

from genesis.testing.suite._operations import bools, case, floats

ROWS = [[True, False, True], [False, False, False]]  # the second attends to nothing
for label, mask, is_causal in (
    ("plain", (), False),
    ("causal", (), True),
    ("mask", (np.array(ROWS),), False),
):
    case(
        "attention",
        lambda ns, *args, is_causal=is_causal: ns.attention(*args, scale=0.7, is_causal=is_causal),
        floats(2, 2, 2), floats(2, 3, 2), floats(2, 3, 1), *mask, parity=False, label=label,
    )  # fmt: skip
case(
    "attention",
    lambda ns, *args: ns.attention(*args, scale=0.7, is_causal=False),
    floats(2, 2, 2), floats(2, 3, 2), floats(2, 3, 1), floats(1, 2, 3), parity=False, label="added mask",
)  # fmt: skip
case(
    "scaled_dot_product_attention",
    lambda ns, q, k, v, mask: ns.scaled_dot_product_attention(q, k, v, mask, enable_gqa=True),
    floats(2, 2, 2), floats(1, 3, 2), floats(1, 3, 2), bools(2, 3), label="groups",
)  # fmt: skip
