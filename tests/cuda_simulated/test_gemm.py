"""Products by a library: what it is asked for, with NumPy in its place; on a GPU, by the library itself."""

from __future__ import annotations

import ctypes

import ml_dtypes
import numpy as np
import pytest

import genesis
from genesis.testing import Check, check_backend, parametrize
from genesis_cuda import _gemm
from genesis_cuda._sizes import SIMULATED

TYPES = {
    0: np.dtype("float32"), 1: np.dtype("float64"), 2: np.dtype("float16"), 14: np.dtype(ml_dtypes.bfloat16)
}  # fmt: skip


class Library:
    """cuBLAS as far as it is used, on the host."""

    def __init__(self) -> None:
        self.calls = 0

    def create(self):
        return 1

    def set_math_mode(self, handle, mode):
        assert (handle, mode) == (1, 16)

    def set_stream(self, handle, stream):
        assert handle == 1
        assert stream

    @staticmethod
    def matrices(place, kind, rows, columns, ld, step, count):
        """Column-major matrices at even distances."""
        dtype = TYPES[kind]
        assert ld >= max(1, rows)
        size = (count - 1) * step + (columns - 1) * ld + rows
        raw = (ctypes.c_uint8 * (size * dtype.itemsize)).from_address(place)
        flat = np.ctypeslib.as_array(raw).view(dtype)
        strides = [n * dtype.itemsize for n in (step, 1, ld)]
        return np.lib.stride_tricks.as_strided(flat, (count, rows, columns), strides)

    def gemm_strided_batched_ex(
        self, handle, transa, transb, m, n, k, alpha, a, atype, lda, stride_a, b, btype, ldb, stride_b,
        beta, c, ctype, ldc, stride_c, count, compute, algorithm,
    ):  # fmt: skip
        self.calls += 1
        assert atype == btype == ctype
        assert compute == (70 if ctype == 1 else 68)
        number = ctypes.c_double if ctype == 1 else ctypes.c_float
        assert number.from_address(alpha).value == 1
        assert number.from_address(beta).value == 0
        x = self.matrices(a, atype, *((k, m) if transa else (m, k)), lda, stride_a, count)
        y = self.matrices(b, btype, *((n, k) if transb else (k, n)), ldb, stride_b, count)
        out = self.matrices(c, ctype, m, n, ldc, stride_c, count)
        x, y = (v.astype(np.float64 if ctype == 1 else np.float32) for v in (x, y))
        out[...] = (x.transpose(0, 2, 1) if transa else x) @ (y.transpose(0, 2, 1) if transb else y)


class Counted:
    """cuBLAS itself."""

    def __init__(self, real) -> None:
        self.real, self.calls = real, 0

    def __getattr__(self, name):
        self.calls += name.startswith("gemm")
        return getattr(self.real, name)


@pytest.fixture(autouse=True)
def library(monkeypatch: pytest.MonkeyPatch) -> Library | Counted:
    if not SIMULATED:
        counted = Counted(_gemm.library())
        monkeypatch.setattr(_gemm, "library", lambda: counted)
        return counted
    made = Library()
    monkeypatch.setattr(_gemm, "library", lambda: made)
    monkeypatch.setattr(_gemm, "_handles", {})
    return made


@parametrize([check for check in check_backend("cuda") if check.name.startswith("matmul")])
def test_products(check: Check, library: Library) -> None:
    check()
    assert library.calls or check.name in ("matmul/int64", "matmul/empty")


def test_numbers_of_the_library() -> None:
    """They are written down in the package, so that it does not need the bindings to be imported."""
    assert _gemm._TYPES == {"float32": 0, "float64": 1, "float16": 2, "bfloat16": 14}  # cudaDataType_t
    assert set(_gemm._COMPUTE.values()) == {68, 70}  # cublasComputeType_t


@pytest.mark.parametrize("half", ["float16", "bfloat16"])
@pytest.mark.parametrize(
    ("a", "b"),
    [((5, 7), (7, 3)), ((2, 5, 7), (2, 7, 3)), ((2, 3, 5, 7), (7, 3)), ((7,), (7, 3)), ((1, 1), (1, 1))],
)
def test_halves_are_multiplied_as_they_are(library: Library, monkeypatch, a, b, half) -> None:
    """In one call, and no float32 copies; backward too."""
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape) for shape in (a, b)]
    found, calls = [], []
    for device in ("cuda", "cpu"):
        x, y = (genesis.tensor(v, device=device, dtype=getattr(genesis, half)) for v in arrays)
        x.requires_grad = y.requires_grad = True
        with monkeypatch.context() as patch:
            if device == "cuda":
                patch.setattr("genesis.backend.halves.widened", lambda v: pytest.fail("a copy in float32"))
            out = x @ y
            calls.append(library.calls)
            first, second = genesis.autograd.grad(out, (x, y), genesis.ones_like(out))
        found.append([v.detach().float().numpy() for v in (out, first, second)])
    assert calls[0] == 1
    assert library.calls >= 2  # without a row or column to add up, a gradient is no product
    step = {"float16": 2.0**-10, "bfloat16": 2.0**-7}[half]
    for here, there in zip(*found, strict=True):
        np.testing.assert_allclose(here, there, rtol=step, atol=step)


def test_halves_without_elements_to_add(library: Library) -> None:
    x = genesis.ones(3, 0, device="cuda").half()
    assert (x @ x.T).tolist() == [[0] * 3] * 3


@pytest.mark.simulated
def test_without_the_library_itself_products_are_our_own(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def create() -> int:
        raise RuntimeError("libcublas.so.13 is not there")

    monkeypatch.setattr(library, "create", create)
    x = genesis.ones(2, 3, device="cuda")
    with pytest.warns(RuntimeWarning, match="nvidia-cublas"):
        assert (x @ x.T).tolist() == [[3, 3], [3, 3]]
    assert (x @ x.T).tolist() == [[3, 3], [3, 3]]
    assert not library.calls
