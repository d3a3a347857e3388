"""Activations, as functions, in place, as methods and as layers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from table._entry import Entry, Init, S, floats, integers

#: of both signs, on the kinks, far out, and infinite
EDGES = np.array([-1e4, -100.0, -6, -3, -1, -0.5, 0.0, 0.5, 1, 3, 6, 20.5, 100, 1e4])
WITH_INFINITIES = np.array([-math.inf, -1.0, 0.0, 2.0, math.inf])
#: those that give a number, not nan, at both infinities, in both libraries and for both values and gradients
FINITE_AT_INFINITY = (
    "relu6", "hardtanh", "hardsigmoid", "hardshrink", "softshrink", "leaky_relu", "elu", "celu", "selu",
    "logsigmoid", "softplus", "relu", "sigmoid", "tanh",
)  # fmt: skip

#: name -> further arguments
UNARY: dict[str, list[S]] = {
    "relu": [S()],
    "relu6": [S()],
    "hardtanh": [S(), S(-0.5, 1.5), S(min_val=-2.0, max_val=-1.0), S(1.0, 1.0)],
    "hardsigmoid": [S()],
    "hardswish": [S()],
    "hardshrink": [S(), S(1.3), S(lambd=0.0)],
    "softshrink": [S(), S(1.3), S(lambd=0.0)],
    "tanhshrink": [S()],
    "softsign": [S()],
    "leaky_relu": [S(), S(0.2), S(negative_slope=-0.3)],
    "elu": [S(), S(1.7), S(alpha=0.1)],
    "celu": [S(), S(1.7), S(alpha=0.4), S(-1.0)],
    "selu": [S()],
    "mish": [S()],
    "silu": [S()],
    "gelu": [S(), S(approximate="tanh"), S(approximate="none")],
    "logsigmoid": [S()],
    "softplus": [S(), S(2.0), S(beta=0.5, threshold=1.0)],
    "threshold": [S(0.1, 20.0), S(threshold=-1.0, value=0.0), S(6, 7)],
    "rrelu": [S(), S(0.2, 0.4), S(0.1, 0.1, True)],
    "sigmoid": [S()],
    "tanh": [S()],
}
IN_PLACE = {
    "relu_": [S()],
    "elu_": [S(), S(1.7)],
    "celu_": [S(), S(1.7)],
    "selu_": [S()],
    "leaky_relu_": [S(), S(0.3)],
    "hardtanh_": [S(), S(-0.2, 0.7)],
    "threshold_": [S(0.1, 20.0)],
    "rrelu_": [S(0.3, 0.3), S(0.2, 0.2, True)],
}
WITH_OPTION = (
    "relu", "relu6", "hardtanh", "hardsigmoid", "hardswish", "leaky_relu", "elu", "celu", "selu", "mish",
    "silu",
)  # fmt: skip


# PyTorch rounds the constants 1/6 of hardsigmoid and 1/alpha of celu to float32, in float64 too
SINGLE: dict[str, Any] = {
    "tolerance": {"float64": (2e-6, 1e-13)},
    "why": "PyTorch's constant is rounded to float32",
}
LOOSE = {name: SINGLE for name in ("hardsigmoid", "celu", "celu_", "Hardsigmoid", "CELU")}


def inputs() -> list[np.ndarray]:
    return [floats(3, 4), EDGES, floats(2, 3, 2) * 4, floats(0, 3), np.array(0.7), np.array(-1.3)]


def samples(options: list[S], arrays: list[np.ndarray]) -> list[S]:
    return [S(x, *o.args, **o.kwargs) for o in options for x in arrays]


def in_place(library: Any, function: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """The option ``inplace``, on a tensor that is not a leaf."""
    x = x * 1
    out = function(x, *args, inplace=True, **kwargs)
    assert out is x
    return out


def layer_in_place(library: Any, layer: Any, x: Any) -> Any:
    x = x * 1
    out = layer(x)
    assert out is x
    return out


# fmt: off
ENTRIES = [
    *[
        Entry(f"nn.functional.{name}", samples(options, inputs()), layouts=("plain", "strided"),
              **LOOSE.get(name, {}))
        for name, options in UNARY.items()
    ],
    *[
        Entry(f"nn.functional.{name}", [S(WITH_INFINITIES, label="infinities")], **LOOSE.get(name, {}))
        for name in FINITE_AT_INFINITY
    ],
    *[
        Entry(f"nn.functional.{name}", samples(options, [floats(3, 4), floats(5) * 5]), **LOOSE.get(name, {}))
        for name, options in IN_PLACE.items()
    ],
    *[
        Entry(f"nn.functional.{name}", [S(floats(3, 4) * 3)], call=in_place,
              layouts=("plain", "strided"), **LOOSE.get(name, {}))
        for name in WITH_OPTION
    ],
    *[
        Entry(f"nn.functional.{name}", [S(integers(-5, 5, 3, 4)), S(integers(0, 9, 4, dtype="uint8"))])
        for name in ("relu", "sigmoid", "tanh", "softsign", "tanhshrink")
    ],
    Entry("nn.functional.relu6", [S(integers(-9, 9, 12)), S(integers(-9, 9, 5, dtype="int8"))]),
    Entry(
        "nn.functional.hardtanh",
        [S(integers(-5, 5, 6), -2, 3), S(integers(-5, 5, 6, dtype="int32"), -2.7, 3.9)],
        errors=[S(floats(3), 1.0, 0.0), S(integers(0, 9, 4, dtype="uint8"), -1, 1)],
    ),
    Entry("nn.functional.threshold", [S(integers(-5, 5, 6), 1, 20), S(integers(-5, 5, 6), 1.6, 2.6)]),
    *[
        Entry(f"nn.functional.{name}", [], errors=[S(integers(-5, 5, 3), label="integers")])
        for name in UNARY
        if name not in ("relu", "relu6", "hardtanh", "threshold", "sigmoid", "tanh", "softsign", "tanhshrink")
    ],
    Entry("nn.functional.softshrink", [], errors=[S(floats(3), -0.1)]),
    Entry("nn.functional.celu", [], errors=[S(floats(3), 0.0)]),
    Entry("nn.functional.rrelu", [], errors=[S(floats(3), 0.4, 0.2)]),
    Entry("nn.functional.rrelu", [S(floats(3, 4), training=True)], values=False),
    Entry("nn.functional.gelu", [], errors=[S(floats(3), approximate="sigmoid")]),
    # -- torch's own names and methods
    Entry("celu", [S(floats(3, 4)), S(floats(3), 0.3)], **SINGLE),
    Entry("selu", [S(floats(3, 4))]),
    Entry("hardshrink", [S(floats(3, 4)), S(floats(3), 1.0)]),
    Entry("threshold", [S(floats(3, 4), 0.2, 3.0)]),
    Entry("rrelu", [S(floats(3, 4))]),
    Entry("prelu", [S(floats(3, 4), floats(4))]),
    Entry("relu_", [S(floats(3, 4))]),
    Entry("celu_", [S(floats(3, 4))]),
    Entry("selu_", [S(floats(3, 4))]),
    Entry("rrelu_", [S(floats(3, 4))]),
    Entry("threshold_", [S(floats(3, 4), 0.2, 3.0)]),
    Entry("Tensor.hardshrink", [S(floats(3, 4)), S(floats(3, 4), 0.1)]),
    Entry("Tensor.prelu", [S(floats(3, 4), floats(1)), S(floats(3, 4), floats(4))]),
    Entry("Tensor.relu_", [S(floats(3, 4))]),
    Entry("Tensor.sigmoid_", [S(floats(3, 4))]),
    Entry("Tensor.tanh_", [S(floats(3, 4))]),
    # -- with weights, halves and dimensions
    Entry(
        "nn.functional.prelu",
        [
            S(floats(3, 4), floats(1)), S(floats(3, 4), floats(4)), S(floats(2, 3, 4), floats(3)),
            S(floats(2, 3, 2, 2), floats(3)), S(floats(5), floats(1)), S(np.array(-0.7), floats(1)),
            S(floats(2, 3), np.array(0.3)), S(floats(0, 3), floats(3)), S(np.array(-0.7), np.array(0.2)),
            S(floats(2, 3, 4, 1, 2), floats(3)),
        ],
        errors=[
            S(floats(3, 4), floats(3)), S(floats(3, 4), floats(2, 2)), S(floats(4), floats(4)),
            S(np.array(1.0), floats(2)),
        ],
    ),
    Entry(
        "nn.functional.glu",
        [S(floats(3, 4)), S(floats(4, 3), 0), S(floats(2, 4, 3), dim=1), S(floats(6)), S(floats(2, 2, 4), -3),
         S(floats(0, 4)), S(floats(3, 0))],
        errors=[S(floats(3, 3)), S(np.array(1.0)), S(floats(2, 4), 2), S(integers(0, 4, 4))],
    ),
    *[
        Entry(
            f"nn.functional.{name}",
            [
                S(floats(3, 4), dim=1), S(floats(3, 4), 0), S(floats(2, 3, 4), -2), S(floats(5), 0),
                S(np.array(0.7), 0), S(floats(0, 4), 1), S(floats(4, 0), 1), S(floats(2, 3, 2, 2), dim=1),
                S(floats(3, 4)), S(floats(2, 3, 4)), S(floats(5)), S(np.array([1e4, -1e4, 0.0, 3.0]), 0),
                S(floats(3, 4), 1, dtype=torch.float64), S(integers(-3, 3, 3, 4), 1, dtype=torch.float32),
            ],
            errors=[S(floats(3, 4), 2), S(integers(0, 3, 4), 0)],
        )
        for name in ("softmax", "softmin", "log_softmax")
    ],
    *[
        Entry(
            f"nn.functional.{name}",
            [S(np.array([[-math.inf, 1.0, 2.0], [0.5, -math.inf, -math.inf]]), 1, label="minus infinity")],
            grad=False,
        )
        for name in ("softmax", "log_softmax")
    ],
    Entry(
        "nn.functional.gumbel_softmax",
        [S(floats(3, 4)), S(floats(3, 4), tau=0.3), S(floats(3, 4), dim=0), S(floats(2, 3, 4), 1, False)],
        values=False,
    ),
    # -- layers
    *[
        Entry(f"nn.{name}", [S(Init(*args, **kwargs), x) for x in (floats(3, 4) * 3, floats(2, 4, 3, 2))],
              layouts=("plain",), **LOOSE.get(name, {}))
        for name, options in {
            "ReLU": [S()], "ReLU6": [S()], "Hardtanh": [S(), S(-0.3, 2.0), S(min_value=-2.0, max_value=0.5)],
            "Hardsigmoid": [S()], "Hardswish": [S()], "Hardshrink": [S(), S(1.1)],
            "Softshrink": [S(), S(0.1)], "Tanhshrink": [S()], "Softsign": [S()],
            "LeakyReLU": [S(), S(0.3)], "ELU": [S(), S(0.3)], "CELU": [S(), S(0.3)], "SELU": [S()],
            "Mish": [S()], "SiLU": [S()], "GELU": [S(), S("tanh"), S(approximate="none")],
            "LogSigmoid": [S()], "Softplus": [S(), S(2.0, 1.5)], "Threshold": [S(0.1, 2.0)],
            "RReLU": [S(0.2, 0.2)], "PReLU": [S(), S(4), S(num_parameters=4, init=0.1)], "Sigmoid": [S()],
            "Tanh": [S()], "GLU": [S(1)], "Softmax": [S(dim=1), S(-1)], "Softmin": [S(dim=1)],
            "LogSoftmax": [S(dim=1), S(0)],
        }.items()
        for args, kwargs in [(o.args, o.kwargs) for o in options]
    ],
    Entry("nn.RReLU", [S(Init(eval=True), floats(3, 4)), S(Init(0.1, 0.9, eval=True), floats(3, 4))]),
    Entry(
        "nn.Softmax2d",
        [S(Init(), floats(3, 2, 4)), S(Init(), floats(2, 3, 2, 2))],
        errors=[S(Init(), floats(3, 4))],
    ),
    Entry("nn.Hardtanh", [], errors=[S(Init(1.0, 1.0), floats(3))]),
    *[
        Entry(f"nn.{name}", [S(Init(*args, inplace=True), floats(3, 4) * 3)], call=layer_in_place,
              layouts=("plain",), **LOOSE.get(name, {}))
        for name, *args in (
            ("ReLU",), ("ReLU6",), ("Hardtanh",), ("Hardsigmoid",), ("Hardswish",), ("LeakyReLU",), ("ELU",),
            ("CELU",), ("SELU",), ("Mish",), ("SiLU",), ("RReLU", 0.3, 0.3), ("Threshold", 0.2, 0.1),
        )
    ],
    *[
        Entry(f"nn.{name}", [S(Init(*args), floats(2))], layouts=("plain",), dtypes=("float32",),
              call=lambda library, layer, x: repr(layer))
        for name, *args in (
            ("ReLU", True), ("ReLU",), ("ReLU6", True), ("Hardtanh", -2.0, 2.0, True), ("Hardsigmoid", True),
            ("Hardswish", True), ("Hardshrink", 0.3), ("Softshrink",), ("Tanhshrink",),
            ("LeakyReLU", 0.2, True),
            ("ELU",), ("CELU", 2.0, True), ("SELU", True), ("Mish", True), ("SiLU", True), ("GELU", "tanh"),
            ("Softplus",), ("Threshold", 1, 2, True), ("RReLU",), ("PReLU", 3), ("GLU",), ("Softmax", 1),
            ("Softmin", 0), ("LogSoftmax",), ("Softmax2d",), ("Sigmoid",), ("Tanh",), ("LogSigmoid",),
            ("Softsign",),
        )
    ],
]
# fmt: on
