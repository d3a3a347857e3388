"""``nn.init``: exact where nothing is random, else shapes, and bounds or moments."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from table._entry import Entry, S, floats

I = "nn.init."  # noqa: E741
ONE: dict[str, Any] = {"grad": False, "layouts": ("plain", "transposed")}


def filled(library: Any, function: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """A parameter is filled in place and returned."""
    p = library.nn.Parameter(x.detach().clone())
    out = function(p, *args, **kwargs)
    assert out is p
    assert p.requires_grad
    return p.detach()


def moments(library: Any, function: Any, rows: int, columns: int, *args: Any, **kwargs: Any) -> Any:
    """Mean, spread and largest value of many draws, rounded to what chance allows."""
    library.manual_seed(1)
    x = function(library.empty(rows, columns), *args, **kwargs).numpy().astype("float64")
    spread = x.std()
    return [
        round(abs(x.mean()) / spread),
        round(math.log(spread) * 2),
        bool(abs(x - x.mean()).max() < 6 * spread),
    ]


def orthogonal(library: Any, function: Any, x: Any, *args: Any) -> Any:
    """Products of the rows or columns with each other."""
    p = filled(library, function, x, *args)
    m = p.reshape(p.shape[0], -1)
    return m @ m.T if m.shape[0] < m.shape[1] else m.T @ m


def zeros_of_columns(library: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
    return (filled(library, function, *args, **kwargs) == 0).sum(0)


def gain(library: Any, function: Any, *args: Any) -> Any:
    return float(function(*args))


ENTRIES = [
    Entry(I + "zeros_", [S(floats(2, 3)), S(floats(0)), S(np.array(1.0))], call=filled, **ONE),
    Entry(I + "ones_", [S(floats(2, 3)), S(floats(4))], call=filled, **ONE),
    Entry(I + "constant_", [S(floats(2, 3), 0.3), S(floats(2, 3), val=-2)], call=filled, **ONE),
    Entry(
        I + "eye_",
        [S(floats(3, 3)), S(floats(2, 4)), S(floats(4, 2))],
        call=filled,
        errors=[S(floats(3)), S(floats(2, 2, 2))],
        **ONE,
    ),
    Entry(
        I + "dirac_",
        [
            S(floats(3, 2, 3)),
            S(floats(2, 4, 3, 3)),
            S(floats(4, 2, 2, 3, 1)),
            S(floats(4, 2, 3), 2),
            S(floats(6, 2, 3, 3), groups=3),
            S(floats(2, 3, 4)),
        ],
        call=filled,
        errors=[S(floats(3, 3)), S(floats(3, 2, 3), 2)],
        **ONE,
    ),
    Entry(
        I + "sparse_",
        [S(floats(5, 3), 0.3), S(floats(4, 6), sparsity=0.5, std=2.0), S(floats(4, 2), 0.0)],
        call=zeros_of_columns,
        errors=[S(floats(3), 0.1)],
        **ONE,
    ),
    Entry(
        I + "orthogonal_",
        [S(floats(3, 3)), S(floats(5, 3)), S(floats(2, 6)), S(floats(3, 3), 2.0)],
        call=orthogonal,
        errors=[S(floats(3))],
        tolerance={"float32": (1e-5, 1e-5)},
        why="products of rows of a factor that each library computes by its own LAPACK",
        **ONE,
    ),
    Entry(I + "orthogonal_", [S(floats(4, 2, 3))], call=orthogonal, grad=False, layouts=("plain",)),
    *[
        Entry(I + name, [S(100, 100, *o.args, **o.kwargs) for o in options], call=moments, **ONE)
        for name, options in {
            "uniform_": [S(), S(-2.0, 4.0), S(a=0.5, b=0.6)],
            "normal_": [S(), S(3.0, 0.2), S(mean=1.0, std=2.0)],
            "trunc_normal_": [S(), S(0.0, 1.0, -0.5, 0.5), S(std=0.02), S(mean=1.0, std=0.5, a=0.0, b=2.0)],
            "xavier_uniform_": [S(), S(2.0), S(gain=0.3)],
            "xavier_normal_": [S(), S(2.0), S(gain=0.3)],
            "kaiming_uniform_": [
                S(),
                S(0.5),
                S(mode="fan_out", nonlinearity="relu"),
                S(nonlinearity="tanh"),
                S(mode="FAN_OUT"),
            ],
            "kaiming_normal_": [S(), S(0.5), S(mode="fan_out"), S(nonlinearity="linear")],
        }.items()
    ],
    *[
        Entry(I + name, [S(floats(40, 50), *args)], values=False, call=filled, **ONE)
        for name, *args in (
            ("uniform_",),
            ("normal_",),
            ("trunc_normal_",),
            ("xavier_uniform_",),
            ("xavier_normal_",),
            ("kaiming_uniform_",),
            ("kaiming_normal_",),
            ("uniform", -1.0, 1.0),
            ("normal", 0.0, 1.0),
            ("xavier_uniform",),
            ("xavier_normal",),
            ("kaiming_uniform",),
            ("kaiming_normal",),
            ("orthogonal",),
            ("sparse", 0.3),
        )
    ],
    Entry(I + "constant", [S(floats(2, 3), 3.0)], call=filled, **ONE),
    Entry(I + "eye", [S(floats(2, 3))], call=filled, **ONE),
    Entry(I + "dirac", [S(floats(2, 3, 3))], call=filled, **ONE),
    *[
        Entry(I + name, [S(floats(0, 3)), S(floats(3, 0))], call=filled, **ONE)
        for name in ("kaiming_uniform_", "kaiming_normal_", "orthogonal_")
    ],
    Entry(I + "kaiming_uniform_", [], call=filled, errors=[S(floats(3)), S(floats(3, 3), mode="fan")]),
    Entry(I + "kaiming_normal_", [], call=filled, errors=[S(floats(3, 3), nonlinearity="swish")]),
    Entry(I + "xavier_uniform_", [], call=filled, errors=[S(floats(3)), S(np.array(1.0))]),
    Entry(
        I + "calculate_gain",
        [
            *[
                S(name)
                for name in (
                    "linear",
                    "conv1d",
                    "conv2d",
                    "conv3d",
                    "conv_transpose1d",
                    "conv_transpose2d",
                    "conv_transpose3d",
                    "sigmoid",
                    "tanh",
                    "relu",
                    "leaky_relu",
                    "selu",
                )
            ],
            S("leaky_relu", 0.3),
            S("leaky_relu", 1),
        ],
        call=gain,
        errors=[S("gelu"), S("leaky_relu", "a"), S("leaky_relu", True)],
    ),
]
