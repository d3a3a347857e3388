"""The vectorised mathematics of the CPU device: errors, special values, and that it is vectorised."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

import genesis
from genesis.backend import arg, call

NAMES = {
    "exp": np.exp, "expm1": np.expm1, "log": np.log, "log1p": np.log1p, "tanh": np.tanh, "sqrt": np.sqrt,
    "sin": np.sin, "cos": np.cos, "erf": np.vectorize(math.erf, otypes=[float]),
}  # fmt: skip
#: the largest error found over four million arguments, rounded up; correct rounding is 0.5
UNITS = {
    "exp": 1.0,
    "expm1": 1.5,
    "log": 1.0,
    "log1p": 1.5,
    "tanh": 2.4,
    "erf": 1.5,
    "sqrt": 0.5,
    "sin": 0.51,
    "cos": 0.51,
}


def run(name: str, x: np.ndarray) -> np.ndarray:
    device = genesis.device("cpu")
    dtype = getattr(genesis, x.dtype.name)
    source, out = (device.backend.empty(x.shape, dtype, device) for _ in range(2))
    device.backend.write(source, x)
    device.backend.map(call(name, arg(0)) + 0.0, out, source)
    return device.backend.read(out)


def arguments() -> np.ndarray:
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2**32, 40_000, dtype=np.uint32).view(
        "float32"
    )  # every exponent, nan and denormals
    near = (rng.standard_normal(40_000) * 3).astype("float32")
    small = (rng.standard_normal(20_000) * 1e-3).astype("float32")
    edges = np.linspace(-110, 95, 20_000).astype("float32")
    return np.concatenate([bits, near, small, edges])


@pytest.mark.parametrize("name", NAMES)
def test_float32_error(name: str) -> None:
    x = arguments()
    got = run(name, x)
    with np.errstate(all="ignore"):
        exact = NAMES[name](x.astype("float64"))
        want = exact.astype("float32")
        finite = np.isfinite(want) & np.isfinite(got)
        np.testing.assert_array_equal(got[~finite], want[~finite])
        unit = np.spacing(np.abs(want[finite])).astype("float64")
        error = np.abs(got[finite] - exact[finite]) / unit
    assert error.max() <= UNITS[name], x[finite][error.argmax()]


@pytest.mark.parametrize("name", NAMES)
def test_float64_error(name: str) -> None:
    x = np.random.default_rng(1).standard_normal(20_000) * 4
    x = np.abs(x) if name in ("log", "sqrt") else np.abs(x) - 0.5 if name == "log1p" else x
    want = NAMES[name](x)
    # the functions that it is compared with are off by a unit in the last place themselves
    np.testing.assert_allclose(run(name, x), want, rtol=3 * np.finfo("float64").eps, atol=0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_special_values(name: str, dtype: str) -> None:
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 1e-40, -1e-40, 700.0, -800.0] * 200, dtype)
    with np.errstate(all="ignore"):
        want = NAMES[name](x.astype("float64")).astype(dtype)
    got = run(name, x)
    np.testing.assert_allclose(got, want, rtol=4 * np.finfo(dtype).eps)
    zero = (want == 0) & (got == 0)
    np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(want[zero]))


def test_float32_powers() -> None:
    rng = np.random.default_rng(0)
    bits = [rng.integers(0, 2**32, 40_000, dtype=np.uint32).view("float32") for _ in range(2)]
    near = [(rng.standard_normal(40_000) * scale).astype("float32") for scale in (3, 8)]
    edges = np.float32([0.0, -0.0, 1, -1, np.inf, -np.inf, np.nan, 0.5, -2, 3, -3, 1e-40, 16777215, 1e30])
    x, y = (
        np.concatenate([bits[i], near[i], np.abs(near[i]), np.round(near[i]), pairs.reshape(-1)])
        for i, pairs in enumerate(np.meshgrid(edges, edges))
    )
    got = (genesis.tensor(x) ** genesis.tensor(y)).numpy()
    with np.errstate(all="ignore"):
        exact = np.power(x.astype("float64"), y.astype("float64"))
        want = exact.astype("float32")
        finite = np.isfinite(want) & np.isfinite(got)
        np.testing.assert_array_equal(got[~finite], want[~finite])
        np.testing.assert_array_equal(np.signbit(got[finite]), np.signbit(want[finite]))
        error = np.abs(got[finite] - exact[finite]) / np.spacing(np.abs(want[finite]))
    assert error.max() <= 0.51


@pytest.mark.parametrize("name", ["exp", "expm1", "log", "log1p", "tanh", "erf"])
def test_loops_hold_vector_instructions(name: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    from numba import cfunc

    from genesis_cpu import _cache

    text = (
        "def kernel(args, lo, hi):\n"
        "    out, x = float32_pointer(slot(args, 0)), float32_pointer(slot(args, 1))\n"
        f"    for i in range(lo, hi):\n        out[i] = {name}_(x[i])\n"
    )
    function = _cache.build(text, "kernel")
    compiled = cfunc("void(int64,int64,int64)", error_model="numpy")(function)
    # the compiler's own form after optimisation: a product of vectors, and no call of a library
    code = compiled._library.get_llvm_str()
    assert re.search(r"fmul <\d+ x float>", code)
    assert not re.search(rf"call float @{name}f?\(", code)
