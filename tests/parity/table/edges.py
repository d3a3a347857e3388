"""Edges that PyTorch's own test samples reach: types that mix, extreme numbers, no dimensions."""

from __future__ import annotations

import math

import numpy as np
import torch

from table._entry import Entry, S, floats, integers

F = "nn.functional."
SPECIAL = np.array([math.nan, math.inf, -math.inf, 0.0, -0.0, 0.5, -0.5, 3.0, -3.0, 1e30, -1e30])
BOOLS, INTS, SHORT = np.array([True, False, True]), integers(-5, 6, 3), integers(-9, 70, 3, dtype="int8")
BYTES = integers(0, 200, 3, dtype="uint8")
SHIFTS = np.array([0, 3, 7, 8, 31, 40, 63, 64, 100, -1], dtype="int8")
ONE = ("plain",)


def plain(name: str, *samples: S, errors: tuple[S, ...] = (), **options: object) -> Entry:
    return Entry(name, samples, layouts=ONE, errors=errors, **options)


ENTRIES = [
    # -- types
    plain("fmod", S(floats(3), BOOLS | True), S(INTS, np.array(True)), errors=(S(BOOLS, BOOLS | True),)),
    plain("addcmul", S(floats(3), BOOLS, floats(3)), S(INTS, BOOLS, BOOLS)),
    plain("pow", S(BOOLS, 2), S(BOOLS, 2.0), S(BOOLS, 3), S(np.array(True), 2)),
    plain("Tensor.pow_", S(INTS, 3), errors=(S(INTS, -2),)),
    *[
        plain(
            f"bitwise_{side}_shift",
            *[S(integers(1, 9, 10, dtype=t), SHIFTS) for t in ("uint8", "int8", "int16", "int32", "int64")],
            S(np.full(10, -7, "int32"), SHIFTS),
            S(SHIFTS, 70),
            S(SHIFTS, -1),
            errors=(S(BOOLS, BOOLS), S(floats(3), INTS)),
        )
        for side in ("left", "right")
    ],
    *[
        plain(
            n,
            S(INTS, BOOLS | True),
            S(INTS, np.array(3, "int8")),
            errors=(S(INTS, 2), S(2, INTS), S(floats(2), floats(2))),
        )
        for n in ("gcd", "lcm")
    ],
    plain(
        "nextafter",
        S(floats(3), np.array(2)),
        S(floats(3), INTS),
        grad=False,
        errors=(S(floats(2), 2), S(INTS, INTS)),
    ),
    plain("heaviside", errors=(S(floats(2), 1.0), S(1.0, floats(2)))),
    plain("isclose", errors=(S(floats(2), 1.0), S(1.0, floats(2)))),
    plain("lerp", errors=(S(floats(3), INTS, 0.5), S(INTS, INTS, 0.5), S(floats(3), floats(3), INTS))),
    plain("Tensor.lerp_", S(floats(2, 3), floats(3), 0.3), S(floats(3), floats(3), floats(3))),
    # -- whole numbers that a type does not hold
    plain("full", S((2,), -1, dtype=torch.uint8), errors=(S((2,), 300, dtype=torch.uint8), S((2,), None))),
    plain(
        "Tensor.fill_",
        S(BYTES, -1),
        errors=(S(BYTES, 300), S(BYTES, -256), S(SHORT, math.nan), S(BYTES, None)),
    ),
    plain(
        "clamp",
        S(BYTES, 2, 100),
        S(BYTES, -5.0, 300.0),
        S(SHORT, -128, 127),
        errors=(S(BYTES, -5, 300), S(BYTES, None, 300), S(SHORT, -300)),
    ),
    plain("Tensor.clamp_", S(SHORT, 0, 5), errors=(S(SHORT, 0, 300),)),
    plain("clamp_min", S(BYTES, 3), errors=(S(BYTES, 300),)),
    plain("clamp_max", S(BYTES, 3), errors=(S(BYTES, 300),)),
    plain(
        "where", S(BOOLS, BYTES, 7), S(BOOLS, 2.5, BYTES), errors=(S(BOOLS, BYTES, 300), S(BOOLS, 300, BYTES))
    ),
    plain("masked_fill", S(BYTES, BOOLS, 7), errors=(S(BYTES, BOOLS, 300),)),
    # -- extreme numbers
    *[plain(F + n, S(SPECIAL)) for n in ("elu", "selu", "celu", "relu", "leaky_relu", "hardswish")],
    plain(F + "normalize", S(floats(2, 3), 0.0), S(np.array([[0.0, 1.0, 2.0], [0.0, 0.0, 0.0]]), 0.0)),
    # -- without dimensions, or elements
    plain(
        F + "multi_margin_loss", S(floats(), np.array(0)), S(floats(), np.array([0]), p=2, reduction="none")
    ),
    plain(
        F + "multilabel_margin_loss", S(floats(), np.array(0)), S(floats(), np.array(-1), reduction="none")
    ),
    plain("histogram", S(floats(0), 2), S(floats(2, 0), 3, range=(-1.0, 2.0)), grad=False),
    plain("roll", S(floats(), 1), errors=(S(floats(), 0, 0),)),
    # -- refused
    plain(
        "narrow",
        S(floats(5), 0, np.array(-2), 2),
        errors=(S(floats(5), 0, np.array([1, 2]), 1), S(floats(5), 0, floats(), 1)),
    ),
    plain("multinomial", errors=(S(INTS * INTS, 1), S(floats(3) ** 2, 0), S(floats(3) ** 2, -1))),
    plain(
        "masked_fill",
        S(floats(3), BOOLS, np.array(2.0)),
        errors=(S(floats(3), BOOLS, floats(1)), S(floats(3), BOOLS, floats(3))),
    ),
    plain("arange", errors=(S(0, math.inf), S(-math.inf, 1), S(math.nan, 1))),
]
