"""Activations for the table of operations."""

from __future__ import annotations

from typing import Any

import numpy as np

from genesis.testing.suite._operations import CUBE, POINT, A, case, floats

FAR = np.array([-40.3, -6.7, -3.2, -0.1, 0.2, 2.9, 6.3, 40.1])


def functions(ns: Any) -> Any:
    """``nn.functional`` of ours, or what has the same names in torch."""
    if getattr(ns, "__name__", "") != "genesis.ops":
        return ns
    import genesis

    return genesis.nn.functional


for name in (
    "relu6", "hardtanh", "hardsigmoid", "hardswish", "hardshrink", "softshrink", "tanhshrink", "softsign",
    "elu", "celu", "selu", "mish", "logsigmoid", "softplus", "silu", "gelu", "leaky_relu", "softmin",
):  # fmt: skip
    options: dict[str, Any] = {"dim": 0} if name == "softmin" else {}
    for x, label in ((A * 3, ""), (FAR, "far out")):
        case(
            name,
            lambda ns, x, name=name, o=options: getattr(functions(ns), name)(x, **o),
            x,
            parity=name != "hardsigmoid",  # torch rounds a sixth to float32, in float64 too
            label=f"functional {label}",
        )
case("celu", lambda ns, x: ns.celu(x, 0.7), A, label="alpha", parity=False)
case("selu", lambda ns, x: ns.selu(x), A)
case("hardshrink", lambda ns, x: ns.hardshrink(x, 0.7), A, label="lambd")
case("threshold", lambda ns, x: ns.threshold(x, 0.7, 3.0), A)
case("rrelu", lambda ns, x: ns.rrelu(x, 0.2, 0.4), A)
case("prelu", lambda ns, x, w: ns.prelu(x, w), A, floats(4))
case("prelu", lambda ns, x, w: ns.prelu(x, w), CUBE, floats(1))
case("prelu", lambda ns, x, w: ns.prelu(x, w), POINT, floats(1))
case("glu", lambda ns, x: functions(ns).glu(x), A)
case("glu", lambda ns, x: functions(ns).glu(x, 2), CUBE * 20, label="far out")
