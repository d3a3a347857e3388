"""Arithmetic, mathematics, comparison and selection on single elements."""

import math

import numpy as np

from table._entry import Entry, S, bools, floats, integers, positive

SPECIAL = np.array([math.nan, math.inf, -math.inf, 0.0, -0.0, 1.5, -2.5, 3e8, -1e-8])
FINITE = np.array([0.0, -0.0, 1.5, -2.5, 3.5, -0.3, 40.0])
INTS = integers(-5, 6, 3, 4)
BYTES = integers(0, 9, 3, 4, dtype="uint8")

#: shapes for functions of one operand
ONE = [S(floats(3, 4)), S(floats()), S(floats(0, 3))]


def one(name: str, *more: S, **options: object) -> Entry:
    return Entry(name, [*ONE, *more], **{"layouts": ("plain", "strided"), **options})


def on(name: str, *arrays: np.ndarray, **options: object) -> Entry:
    return Entry(name, [S(a) for a in arrays], **{"layouts": ("plain",), **options})


WHOLE = "float32 arguments are enlarged by pi before sin and cos"

ENTRIES = [
    Entry(
        "add",
        [
            S(floats(3, 4), floats(3, 4)),
            S(floats(3, 1), floats(4)),
            S(floats(3, 4), 2),
            S(floats(3, 4), floats(3, 4), alpha=2.5),
            S(floats(2, 3), integers(-3, 4, 3)),
            S(floats(0, 3), floats(3)),
            S(INTS, INTS, alpha=2),
            S(INTS, 1.5),
            S(BYTES, integers(-5, 5, 3, 4, dtype="int8")),
            S(bools(3, 4), bools(3, 4)),
            S(bools(3, 4), 2),
            S(input=floats(3), other=floats(3)),
        ],
        errors=[S(floats(3), floats(4)), S(INTS, INTS, alpha=1.5)],
    ),
    Entry(
        "sub",
        [
            S(floats(3, 4), floats(4)),
            S(floats(3, 4), 2, alpha=0.5),
            S(INTS, INTS),
            S(INTS, 2),
            S(BYTES, 3),
        ],
        errors=[S(bools(3), bools(3)), S(floats(3, 2), floats(3))],
    ),
    Entry("rsub", [S(floats(3, 4), floats(4)), S(floats(3, 4), 2, alpha=0.5), S(INTS, 1)]),
    Entry(
        "mul",
        [
            S(floats(3, 4), floats(3, 1)),
            S(floats(3, 4), -2),
            S(INTS, INTS),
            S(INTS, 0.5),
            S(bools(3, 4), bools(4)),
            S(floats(3, 4), bools(4)),
            S(floats(), floats(3)),
        ],
    ),
    Entry(
        "div",
        [
            S(floats(3, 4), positive(4)),
            S(floats(3, 4), 3),
            S(INTS, 2),
            S(INTS, integers(1, 5, 3, 4)),
            *[S(floats(3, 4), positive(3, 4), rounding_mode=m) for m in ("floor", "trunc")],
            *[S(INTS, integers(1, 5, 3, 4), rounding_mode=m) for m in ("floor", "trunc")],
            *[S(INTS, 3, rounding_mode=m) for m in ("floor", "trunc")],
        ],
        errors=[S(floats(3), floats(3), rounding_mode="up"), S(INTS, 0, rounding_mode="floor")],
    ),
    Entry("true_divide", [S(floats(3, 4), positive(4)), S(INTS, 2)]),
    Entry(
        "floor_divide", [S(floats(3, 4), positive(4)), S(INTS, 3), S(INTS, -2), S(floats(3), 0.3)], grad=False
    ),
    *[
        Entry(
            name,
            [
                S(floats(3, 4), positive(4)),
                S(floats(3, 4), -positive(3, 1)),
                S(floats(3, 4), 0.7),
                S(INTS, 3),
                S(INTS, -3),
                S(INTS, integers(1, 5, 4)),
                S(integers(-9, 9, 5, dtype="int8"), integers(1, 4, 5, dtype="int8")),
            ],
            errors=[S(INTS, 0)],
        )
        for name in ("remainder", "fmod")
    ],
    Entry(
        "pow",
        [
            S(positive(3, 4), floats(4)),
            *[S(floats(3, 4), p) for p in (2, 3, -1, 0, 1, 2.0, -2)],
            S(positive(3, 4), 0.5),
            S(positive(3, 4), -0.5),
            S(2, floats(3, 4)),
            S(INTS, 2),
            S(INTS, 3),
            S(INTS, 0.5),
            S(integers(0, 4, 3), integers(0, 4, 3)),
            S(floats(3, 4), integers(0, 4, 4)),
            S(positive(3), exponent=1.5),
        ],
        errors=[S(INTS, -1)],
        tolerance={"float32": (2e-5, 2e-6)},
        why="powers by exp and log in float32",
    ),
    Entry(
        "float_power",
        [S(positive(3, 4), floats(4)), S(positive(3), 2), S(integers(1, 4, 3), 0.5), S(2, floats(3))],
    ),
    Entry("square", [*ONE, S(INTS)]),
    *[one(n, S(FINITE)) for n in ("exp", "expm1", "exp2", "sin", "cos", "tanh", "erf", "sigmoid")],
    *[on(n, INTS, BYTES, bools(3)) for n in ("exp", "sin", "sqrt", "sigmoid", "erf", "tanh", "log", "rsqrt")],
    *[
        on(n, positive(3, 4), positive(3, 0), positive())
        for n in ("log", "log2", "log10", "log1p", "sqrt", "rsqrt")
    ],
    *[
        on(n, SPECIAL, grad=False)
        for n in ("log", "sqrt", "exp", "tanh", "sigmoid", "erf", "abs", "sign", "floor")
    ],
    *[
        on(n, SPECIAL, grad=False)
        for n in ("log1p", "expm1", "round", "ceil", "trunc", "reciprocal", "rsqrt")
    ],
    *[one(n, S(FINITE)) for n in ("atan", "sinh", "asinh")],
    one("sinc", S(FINITE), tolerance={"float32": (1e-4, 1e-5)}, why=WHOLE),
    *[one(n) for n in ("tan",)],
    one("cosh", S(FINITE)),
    *[on(n, floats(3, 4, low=-0.95, high=0.95), floats(low=-1, high=1)) for n in ("acos", "asin", "atanh")],
    on("acosh", positive(3, 4, low=1.1, high=9), positive(low=2)),
    *[
        on(n, SPECIAL, grad=False)
        for n in ("atan", "asinh", "sinh", "cosh", "acos", "asin", "acosh", "atanh")
    ],
    *[on(n, np.array([88.0, 89.0, -89.0, 88.9]), grad=False) for n in ("sinh", "cosh")],
    *[on(n, INTS, bools(3)) for n in ("atan", "asinh", "sinh", "acos")],
    *[Entry(n, [S(floats(3, 4))]) for n in ("arcsinh", "arctan", "rad2deg", "deg2rad", "arcsin")][:4],
    Entry("atan2", [S(floats(3, 4), floats(4)), S(floats(3), floats(3, 1)), S(INTS, integers(1, 4, 4))]),
    Entry("atan2", [S(SPECIAL[:, None], SPECIAL)], grad=False),
    Entry("hypot", [S(floats(3, 4), floats(4)), S(np.array([3e30, 1.0]), np.array([4e30, 0.5]))]),
    Entry("hypot", [S(SPECIAL[:, None], SPECIAL)], grad=False),
    one("erfc", S(np.array([3.0, 5.0, -4.0, 9.0]))),
    on("erfinv", floats(3, 4, low=-0.99, high=0.99)),
    on("erfinv", np.array([1.0, -1.0, 2.0, 0.0, math.nan]), grad=False),
    on(
        "lgamma",
        floats(3, 4, low=0.1, high=30),
        floats(5, low=-4.9, high=-0.1),
        tolerance={"float32": (1e-4, 1e-5)},
        why="torch's float32 is computed in float32 near the zeros of the function",
    ),
    on("lgamma", np.array([0.0, -1.0, 1.0, 2.0, math.inf, -math.inf, math.nan]), grad=False),
    on(
        "digamma",
        floats(3, 4, low=0.1, high=30),
        tolerance={"float32": (1e-4, 1e-5), "float64": (1e-8, 1e-9)},
        why="PyTorch's trigamma, the gradient, is off by 5e-10",
    ),
    on("digamma", np.array([0.0, -0.0, -1.0, math.inf]), grad=False),
    *[
        Entry(
            "polygamma",
            [S(n, positive(3, 4))],
            tolerance={"float32": (1e-4, 1e-5), "float64": (1e-8, 1e-9)},
            why="PyTorch's trigamma is off by 5e-10",
        )
        for n in (0, 1, 2, 3)
    ],
    Entry(
        "mvlgamma",
        [S(positive(3, 4, low=2.1, high=9), 3), S(positive(3), p=1)],
        errors=[S(positive(3), 0)],
        tolerance={"float32": (1e-4, 1e-5)},
        why="sums of lgamma",
    ),
    on("i0", floats(3, 4), np.array([9.0, -12.0, 30.0]), np.array([0.5])),
    Entry(
        "logit",
        [S(positive(3, 4, low=0.05, high=0.95)), S(floats(3, 4), eps=0.1), S(floats(3, low=0, high=1), 1e-6)],
    ),
    on("logit", np.array([0.0, 1.0, 2.0, -1.0]), grad=False),
    Entry(
        "xlogy",
        [S(positive(3, 4), positive(4)), S(positive(3), 2.0), S(2.0, positive(3)), S(INTS, positive(4))],
    ),
    Entry("xlogy", [S(np.array([0.0, 0.0, 1.0, 0.0]), np.array([0.0, math.nan, 0.0, -1.0]))], grad=False),
    *[
        Entry(n, [S(floats(3, 4), floats(4)), S(np.array([100.0, -200.0]), np.array([101.0, -1e3]))])
        for n in ("logaddexp", "logaddexp2")
    ],
    *[
        Entry(
            n,
            [S(np.array([math.inf, -math.inf, math.nan, math.inf]), np.array([math.inf, -math.inf, 1, 1.0]))],
            grad=False,
        )
        for n in ("logaddexp", "logaddexp2", "fmax", "fmin", "maximum", "minimum", "copysign", "nextafter")
    ],
    on("angle", FINITE, INTS, bools(3)),
    Entry("fill", [S(floats(3, 4), 2.5), S(INTS, 3), S(floats(3), floats())]),
    Entry("Tensor.softmax", [S(floats(3, 4), axis=1)], layouts=("plain",)),
    Entry("exp_", [S(floats(3, 4))], layouts=("plain",)),
    # -- signs and steps
    *[one(n, S(INTS)) for n in ("abs", "sign", "neg", "positive")],
    one("sgn", S(INTS), grad=False),  # PyTorch's gradient is a tensor of zeros that has no array
    Entry("abs", [S(np.array([math.nan, 0.0, -1.0]))]),
    Entry("neg", [], errors=[S(bools(3))]),
    Entry("sign", [S(bools(3)), S(BYTES)]),
    on("signbit", SPECIAL[1:], INTS, bools(3), grad=False),
    Entry(
        "copysign",
        [S(floats(3, 4), floats(4)), S(floats(3), -1.0), S(FINITE, -FINITE), S(INTS, INTS), S(INTS, 2)],
    ),
    Entry(
        "heaviside",
        [S(np.round(floats(3, 4)), floats(4)), S(INTS, INTS)],
        grad=False,
        errors=[S(INTS, floats(4))],
    ),
    *[one(n) for n in ("floor", "ceil", "trunc", "fix", "frac", "round")],
    *[on(n, INTS, BYTES) for n in ("floor", "ceil", "trunc", "round")],
    *[Entry(n, [], errors=[S(bools(3))]) for n in ("floor", "ceil", "round")],
    Entry("frac", [], errors=[S(INTS)]),
    Entry(
        "round",
        [S(floats(3, 4) * 100, decimals=d) for d in (1, 2, -1)] + [S(np.array([0.5, 1.5, 2.5, -0.5]))],
        layouts=("plain",),
    ),
    Entry("ldexp", [S(floats(3, 4), integers(0, 4, 4)), S(INTS, INTS), S(floats(3), floats(3))]),
    Entry("frexp", [S(floats(3, 4)), S(FINITE)], grad=False, errors=[S(INTS)]),
    Entry("nextafter", [S(floats(3, 4), floats(4))], grad=False),
    *[
        Entry(n, [S(INTS, INTS), S(BYTES, BYTES), S(INTS, np.array(4))], errors=[S(floats(3), floats(3))])
        for n in ("gcd", "lcm")
    ],
    Entry("reciprocal", [S(floats(3, 4)), S(integers(1, 5, 3))]),
    # -- extremes
    *[
        Entry(
            n,
            [
                S(floats(3, 4), floats(4)),
                S(floats(3, 1), floats(4)),
                S(INTS, INTS),
                S(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])),
                S(np.array([math.nan, 1.0]), np.array([1.0, math.nan])),
                S(INTS, floats(4)),
                S(input=floats(3), other=floats(3)),
            ],
        )
        for n in ("maximum", "minimum", "fmax", "fmin")
    ],
    Entry(
        "clamp",
        [
            S(floats(3, 4), -1, 1),
            S(floats(3, 4), -0.5),
            S(floats(3, 4), max=0.5),
            S(floats(3, 4), min=floats(4)),
            S(floats(3, 4), floats(4) - 2, floats(3, 1) + 2),
            S(floats(3, 4), 1, -1),
            S(np.array([math.nan, -1.0, 0.0, 1.0, 2.0]), 0, 1),
            S(INTS, -2, 2),
            S(INTS, 0.5),
            S(BYTES, 2, 5),
        ],
        errors=[S(floats(3))],
    ),
    Entry("clip", [S(floats(3, 4), -1, 1), S(floats(3, 4), min=0)]),
    *[
        Entry(n, [S(floats(3, 4), 0.5), S(floats(3, 4), floats(4)), S(INTS, 1)])
        for n in ("clamp_min", "clamp_max")
    ],
    # -- several operands
    Entry(
        "lerp",
        [
            S(floats(3, 4), floats(4), 0.3),
            S(floats(3, 4), floats(4), floats(3, 1)),
            S(floats(3), floats(3), 0.9),
            S(floats(3), end=floats(3), weight=2.0),
        ],
    ),
    *[
        Entry(
            n,
            [
                S(floats(3, 4), floats(4), positive(3, 1)),
                S(floats(3, 4), floats(4), positive(4), value=0.3),
                S(floats(3), floats(3), positive(3), value=-2),
            ],
        )
        for n in ("addcmul", "addcdiv")
    ],
    Entry("addcmul", [S(INTS, INTS, INTS), S(INTS, INTS, INTS, value=2)]),
    Entry("addcdiv", [], errors=[S(INTS, INTS, INTS)]),
    Entry(
        "where",
        [
            S(bools(3, 4), floats(3, 4), floats(4)),
            S(bools(3, 4), floats(4), 1.5),
            S(bools(3, 4), 0, floats(4)),
            S(bools(3, 4), 1, 2),
            S(bools(3, 4), 1.0, 2),
            S(bools(3, 1), INTS, floats(4)),
            S(bools(3, 4)),
            S(bools(3), floats(), floats(3)),
        ],
    ),
    Entry(
        "masked_fill",
        [S(floats(3, 4), bools(4), 2), S(INTS, bools(4), 2), S(floats(3, 4), bools(3, 1), floats())],
    ),
    Entry(
        "nan_to_num",
        [S(SPECIAL), S(SPECIAL, nan=1.0), S(SPECIAL, 2.0, 3.0, -4.0), S(SPECIAL, posinf=9.0), S(INTS)],
    ),
    # -- comparison and logic
    *[
        Entry(
            n,
            [
                S(INTS, INTS.copy()[::-1].copy()),
                S(floats(3, 4), floats(4)),
                S(floats(3, 4), 0.5),
                S(INTS, 1),
                S(INTS, 0.5),
                S(SPECIAL[:, None], SPECIAL),
                S(bools(3), bools(3)),
            ],
            grad=False,
            layouts=("plain",),
        )
        for n in (
            "eq",
            "ne",
            "lt",
            "le",
            "gt",
            "ge",
            "greater",
            "greater_equal",
            "less",
            "less_equal",
            "not_equal",
        )
    ],
    *[
        Entry(n, [S(bools(3, 4), bools(4)), S(INTS, BYTES), S(floats(3, 4), bools(4))], grad=False)
        for n in ("logical_and", "logical_or", "logical_xor")
    ],
    Entry("logical_not", [S(bools(3, 4)), S(INTS), S(np.array([0.0, 1.0]))], grad=False),
    *[
        Entry(
            n,
            [S(INTS, INTS[::-1].copy()), S(INTS, 3), S(bools(3), bools(3)), S(BYTES, INTS)],
            errors=[S(floats(3), 1)],
        )
        for n in ("bitwise_and", "bitwise_or", "bitwise_xor")
    ],
    Entry("bitwise_not", [S(INTS), S(BYTES), S(bools(3))], errors=[S(floats(3))]),
    *[
        Entry(n, [S(INTS, integers(0, 4, 4)), S(INTS, 2), S(BYTES, 1)], errors=[S(floats(3), floats(3))])
        for n in ("bitwise_left_shift", "bitwise_right_shift")
    ][:2],
    *[
        on(n, SPECIAL, INTS, bools(3), grad=False)
        for n in ("isnan", "isinf", "isfinite", "isposinf", "isneginf", "isreal")
    ],
    Entry(
        "isclose",
        [
            S(SPECIAL, SPECIAL.copy()),
            S(SPECIAL, SPECIAL.copy(), equal_nan=True),
            S(floats(3, 4), floats(4), rtol=0.5),
            S(floats(3, 4), floats(4), atol=0.7),
            S(INTS, INTS),
            S(INTS, INTS + 1, rtol=0.3),
            S(bools(3), bools(3)),
        ],
        grad=False,
        errors=[S(INTS, floats(4)), S(floats(3), floats(3), rtol=-1)],
    ),
    Entry(
        "allclose",
        [S(floats(3), floats(3)), S(FINITE, FINITE.copy()), S(SPECIAL, SPECIAL, equal_nan=True)],
        grad=False,
    ),
    Entry(
        "equal",
        [S(floats(3), floats(3)), S(FINITE, FINITE.copy()), S(floats(3), floats(3, 1)), S(INTS, INTS.copy())],
        grad=False,
    ),
    Entry(
        "isin",
        [
            S(INTS, integers(0, 4, 5)),
            S(INTS, 3),
            S(2, INTS),
            S(INTS, integers(0, 3, 2, 2), invert=True),
            S(integers(0, 500, 400), integers(0, 500, 300)),
            S(INTS, integers(0, 2, 0)),
        ],
        grad=False,
        layouts=("plain",),
    ),
    # -- the special functions
    *[
        Entry(
            f"special.{n}",
            [S(floats(3, 4)), S(FINITE / 5)],
            tolerance={"float32": (2e-5, 5e-6)},
            why="computed in float64 here, in float32 by PyTorch",
        )
        for n in (
            "expit",
            "erf",
            "erfc",
            "erfcx",
            "ndtr",
            "log_ndtr",
            "i0",
            "i0e",
            "i1",
            "i1e",
            "exp2",
            "expm1",
            "sinc",
        )
    ],
    *[
        Entry(
            f"special.{n}",
            [S(positive(3, 4, low=0.1, high=0.9))],
            tolerance={"float32": (2e-5, 5e-6)},
            why="computed in float64 here, in float32 by PyTorch",
        )
        for n in ("logit", "erfinv", "ndtri", "entr", "log1p", "gammaln")
    ],
    Entry("special.digamma", [S(positive(3))], grad=False),
    Entry("special.psi", [S(positive(3))], grad=False),
    *[
        Entry(f"special.{n}", [S(positive(3, 4), positive(4)), S(positive(3), 0.5)])
        for n in ("xlogy", "xlog1py")
    ],
    *[
        Entry(f"special.{n}", [S(floats(3, 4), 1), S(floats(3, 4), dim=0)])
        for n in ("softmax", "log_softmax", "logsumexp")
    ],
    Entry(
        "special.multigammaln",
        [S(positive(3, low=2, high=5), 2)],
        tolerance={"float32": (1e-4, 1e-5)},
        why="lgamma",
    ),
    Entry(
        "special.polygamma",
        [S(2, positive(3))],
        tolerance={"float32": (1e-4, 1e-5)},
        why="float32 in PyTorch",
    ),
    Entry("special.round", [S(floats(3) * 10, decimals=1)]),
    # -- softmax as function and method
    *[
        Entry(
            n, [S(floats(3, 4), 0), S(floats(2, 3, 4), dim=-1), S(floats(3), 0, dtype=None), S(floats(), 0)]
        )
        for n in ("softmax", "log_softmax", "Tensor.softmax", "Tensor.log_softmax")
    ],
]
