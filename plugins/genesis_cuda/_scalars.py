"""The alphabet as functions of scalars: for floats (``_f``), integers (``_i``) and unsigned ones (``_u``).

They are plain Python, compiled by Numba; ``math`` stands for NVIDIA's library of functions, whose errors lie
within 2 units in the last place for float32 but for ``tanh`` (2), ``erf`` (2) and ``pow`` (4).
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"
from __future__ import annotations

from genesis_cuda._cuda import device, math, typed

like, floor, ceil, rint, fmod = (typed[name] for name in ("like", "floor", "ceil", "rint", "fmod"))

__all__ = [
    "abs_f", "abs_i", "abs_u", "ceil_f", "cos_f", "erf_f", "exp_f", "expm1_f", "floor_f", "floordiv_f",
    "floordiv_i", "floordiv_u", "log1p_f", "log_f", "max_f", "max_i", "max_u", "min_f", "min_i", "min_u",
    "mod_f", "mod_i", "mod_u", "pow_f", "pow_i", "pow_u", "round_f", "shl_i", "shr_i", "sign_f", "sign_i",
    "sign_u", "sin_f", "sqrt_f", "tanh_f",
]  # fmt: skip


@device
def abs_f(x):
    return math.fabs(x)


@device
def abs_i(x):
    return -x if x < 0 else x


@device
def abs_u(x):
    return x


@device
def sign_f(x):
    return like(x, 1) if x > 0 else like(x, -1) if x < 0 else like(x, 0) if x == x else x


@device
def sign_i(x):
    return like(x, 1) if x > 0 else like(x, -1) if x < 0 else like(x, 0)


@device
def sign_u(x):
    return like(x, 1) if x > 0 else like(x, 0)


@device
def floor_f(x):
    return floor(x)


@device
def ceil_f(x):
    return ceil(x)


@device
def round_f(x):
    return rint(x)


@device
def exp_f(x):
    return math.exp(x)


@device
def expm1_f(x):
    return math.expm1(x)


@device
def log_f(x):
    return math.log(x)


@device
def log1p_f(x):
    return math.log1p(x)


@device
def sqrt_f(x):
    return math.sqrt(x)


@device
def sin_f(x):
    return math.sin(x)


@device
def cos_f(x):
    return math.cos(x)


@device
def tanh_f(x):
    return math.tanh(x)


@device
def erf_f(x):
    return math.erf(x)


@device
def pow_f(x, y):
    return math.pow(x, y)


@device
def max_f(x, y):
    return x if x >= y or x != x else y


@device
def min_f(x, y):
    return x if x <= y or x != x else y


@device
def max_i(x, y):
    return x if x >= y else y


@device
def min_i(x, y):
    return x if x <= y else y


max_u, min_u = max_i, min_i


@device
def floordiv_f(x, y):
    """From the remainder, which is exact."""
    if y == 0:
        return x / y
    rest = fmod(x, y)
    quotient = (x - rest) / y
    if rest != 0 and (y < 0) != (rest < 0):
        quotient -= like(x, 1)
    if quotient == 0:
        return math.copysign(like(x, 0), x / y)
    whole = floor(quotient)
    return whole + like(x, 1) if quotient - whole > like(x, 0.5) else whole


@device
def mod_f(x, y):
    rest = fmod(x, y)
    if rest == 0:
        return math.copysign(rest, y)
    return rest + y if (y < 0) != (rest < 0) else rest


@device
def floordiv_i(x, y):
    """A quotient by 0 is anything, and one by -1 may not fit."""
    if y == 0:
        return like(x, 0)
    if y == -1:
        return like(x, -x)
    return like(x, x // y)


@device
def mod_i(x, y):
    if y == 0 or y == -1:
        return like(x, 0)
    return like(x, x % y)


@device
def floordiv_u(x, y):
    return like(x, 0) if y == 0 else like(x, x // y)


@device
def mod_u(x, y):
    return like(x, 0) if y == 0 else like(x, x % y)


@device
def pow_u(x, y):
    """By squaring."""
    base, left, result = x, y, like(x, 1)
    while left > 0:
        if left & 1:
            result = like(x, result * base)
        base = like(x, base * base)
        left = like(y, left >> 1)
    return result


@device
def pow_i(x, y):
    """What is left of a negative power is 1, -1 or 0."""
    if y < 0:
        return like(x, 1) if x == 1 else like(x, 1 - 2 * (y & 1)) if x == -1 else like(x, 0)
    return pow_u(x, y)


@device
def shl_i(x, y):
    return like(x, x << y) if 0 <= y < 64 else like(x, 0)


@device
def shr_i(x, y):
    return like(x, x >> y) if 0 <= y < 64 else like(x, -1 if x < 0 else 0)
