"""Operations that overwrite their tensor, with the gradients of what it was before."""

import numpy as np

from table._entry import Entry, S, bools, floats, integers, positive

A, INTS = floats(3, 4), integers(-5, 6, 3, 4)
TWO = ("plain", "transposed")
LOOSE = {"float32": (1e-4, 1e-5), "float64": (1e-8, 1e-9)}


def over(name: str, *samples: S, **options: object) -> Entry:
    return Entry(f"Tensor.{name}", samples, **{"layouts": TWO, **options})


ENTRIES = [
    *[
        over(n, S(A))
        for n in (
            "abs_",
            "absolute_",
            "arctan_",
            "atan_",
            "ceil_",
            "cos_",
            "cosh_",
            "deg2rad_",
            "erf_",
            "erfc_",
            "exp_",
            "exp2_",
            "expm1_",
            "fix_",
            "floor_",
            "frac_",
            "neg_",
            "negative_",
            "rad2deg_",
            "reciprocal_",
            "relu_",
            "round_",
            "sigmoid_",
            "sign_",
            "sin_",
            "sinh_",
            "square_",
            "tan_",
            "tanh_",
            "trunc_",
        )
    ],
    over("sgn_", S(A), grad=False),
    *[
        over(n, S(floats(3, 4, low=-0.9, high=0.9)))
        for n in ("acos_", "asin_", "erfinv_", "arcsin_", "arccos_")
    ],
    *[over(n, S(positive(3, 4))) for n in ("log_", "log10_", "log1p_", "log2_", "rsqrt_", "sqrt_")],
    over("acosh_", S(positive(3, 4, low=1.1)), grad=False),  # PyTorch has no gradient of these three
    over("asinh_", S(A), grad=False),
    over("atanh_", S(A * 0.4), grad=False),
    *[over(n, S(positive(3, 4)), tolerance=LOOSE, why="PyTorch's trigamma") for n in ("lgamma_", "digamma_")],
    over("polygamma_", S(positive(3, 4), 2), tolerance=LOOSE, why="float32 in PyTorch"),
    over("mvlgamma_", S(positive(3, 4, low=2.0), 2), tolerance=LOOSE, why="float32 in PyTorch"),
    over("i0_", S(A)),
    over("sinc_", S(A)),
    over("logit_", S(positive(3, 4, low=0.1, high=0.9)), S(A, eps=0.2)),
    over(
        "nan_to_num_",
        S(np.array([np.nan, np.inf, 1.0])),
        S(np.array([np.nan, -np.inf, 1.0]), 2.0, neginf=3.0),
    ),
    over("round_", S(A * 9, decimals=1)),
    over("cumsum_", S(A, 1), S(A, dim=0)),
    over("cumprod_", S(A, 1)),
    over("clamp_", S(A, -1, 1), S(A, min=0.5), S(A, max=floats(4)), S(INTS, -1, 2)),
    over("clip_", S(A, -1, 1)),
    over("clamp_min_", S(A, 0.5), S(A, floats(4))),
    over("clamp_max_", S(A, 0.5), S(A, floats(4))),
    over("masked_fill_", S(A, bools(4), 2), S(A, bools(3, 4), floats())),
    over("add_", S(A, floats(4)), S(A, 2, alpha=3), S(INTS, 2), S(A, other=1)),
    over("sub_", S(A, floats(4)), S(A, 2, alpha=3), S(INTS, 2)),
    over("mul_", S(A, floats(4)), S(A, 2), S(INTS, 2), errors=[S(INTS, 1.5), S(floats(4), floats(3, 4))]),
    over(
        "div_",
        S(A, positive(4)),
        S(A, 2),
        S(A, positive(4), rounding_mode="floor"),
        S(A, 0.3, rounding_mode="trunc"),
        S(INTS, 2, rounding_mode="trunc"),
        errors=[S(INTS, 2)],
    ),
    over("subtract_", S(A, 2)),
    over("multiply_", S(A, floats(4))),
    over("divide_", S(A, positive(4))),
    over("true_divide_", S(A, positive(4))),
    over("addcmul_", S(A, floats(4), floats(3, 1), value=0.5), S(A, floats(4), floats(4))),
    over("addcdiv_", S(A, floats(4), positive(3, 1), value=0.5), S(A, floats(4), positive(4))),
    over("lerp_", S(A, floats(4), 0.3), S(A, floats(4), floats(3, 1))),
    over("pow_", S(positive(3, 4), 3), S(positive(3, 4), floats(4)), S(A, 2)),
    over("atan2_", S(A, floats(4))),
    over("hypot_", S(A, floats(4))),
    over("copysign_", S(A, floats(4)), S(A, -1.0)),
    over("fmod_", S(A, 0.7), S(A, positive(4)), S(INTS, 3)),
    over("remainder_", S(A, 0.7), S(A, positive(4)), S(INTS, 3)),
    over("floor_divide_", S(A, 0.7), S(INTS, 3), grad=False),
    over("float_power_", S(A, 2), dtypes=("float64",)),
    over("xlogy_", S(positive(3, 4), positive(4)), S(positive(3), 2.0)),
    over("ldexp_", S(A, integers(0, 3, 4))),
    over("heaviside_", S(np.round(A), floats(4)), grad=False),
    over("nextafter_", S(A, floats(4)), grad=False),
    *[
        over(n, S(INTS, integers(1, 9, 4)))
        for n in ("gcd_", "lcm_", "bitwise_and_", "bitwise_or_", "bitwise_xor_")
    ],
    *[
        over(n, S(INTS, integers(0, 3, 4)), S(INTS, 1))
        for n in ("bitwise_left_shift_", "bitwise_right_shift_")
    ],
    over("bitwise_not_", S(INTS)),
    *[
        over(n, S(A, floats(4)), S(INTS, 2), grad=False)
        for n in (
            "eq_",
            "ne_",
            "lt_",
            "le_",
            "gt_",
            "ge_",
            "less_",
            "greater_",
            "not_equal_",
            "less_equal_",
            "greater_equal_",
        )
    ],
    *[
        over(n, S(INTS, integers(0, 2, 4)), S(bools(3, 4), bools(4)), grad=False)
        for n in ("logical_and_", "logical_or_", "logical_xor_")
    ],
    over("logical_not_", S(INTS), S(bools(3)), grad=False),
    over("zero_", S(A), S(INTS)),
    over("fill_", S(A, 2.5), S(A, floats())),
    over("copy_", S(A, floats(4)), S(A, INTS), S(INTS, floats(3, 4))),
]
