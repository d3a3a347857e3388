"""Batch, instance, group, root-mean-square and local response normalization."""

import numpy as np

from genesis.testing.suite._operations import case, floats, positive

W, V = floats(4), floats(4)
for shape in ((3, 4), (2, 4, 3), (2, 4, 2, 2)):
    x = floats(*shape)
    case(
        "batch_norm",
        lambda ns, x, w, b: ns.batch_norm(x, w, b, None, None, True, 0.1, 1e-3),
        x, W, V,
        parity=False,
        label=f"training, {shape}",
    )  # fmt: skip
case(
    "batch_norm",
    lambda ns, x: ns.batch_norm(x, None, None, None, None, True, 0.1, 1e-3),
    floats(3, 2, 3),
    parity=False,
    label="training, no weight",
)
RUNNING = np.array([0.2, -0.4, 1.0, 0.5])
case(
    "batch_norm",
    lambda ns, x, w, b: ns.batch_norm(
        x, w, b, x.new_tensor(RUNNING.tolist()), x.new_tensor((RUNNING + 1).tolist()), False, 0.1, 1e-3
    ),
    floats(3, 4, 2), W, V,
    parity=False,
    label="evaluation",
)  # fmt: skip
case(
    "instance_norm",
    lambda ns, x, w, b: ns.instance_norm(x, w, b, None, None, True, 0.1, 1e-3),
    floats(2, 4, 3), W, V,
    parity=False,
)  # fmt: skip
case("group_norm", lambda ns, x, w, b: ns.group_norm(x, 2, w, b), floats(2, 4, 3), W, V)
case("group_norm", lambda ns, x: ns.group_norm(x, 1, eps=0.1), floats(2, 4), label="one group")
case("rms_norm", lambda ns, x, w: ns.rms_norm(x, (4,), w, 1e-3), floats(2, 3, 4), W)
case("rms_norm", lambda ns, x: ns.rms_norm(x, (3, 4), eps=0.1), floats(2, 3, 4), label="two axes")
case(
    "local_response_norm",
    lambda ns, x: ns.local_response_norm(x, 3, 0.5, 0.6, 2.0),
    positive(1, 4, 3),
    parity=False,
)
