"""Products by a library: what it is asked for, with NumPy in its place."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

import genesis
from genesis.testing import Check, check_backend, parametrize
from genesis_cuda import _gemm


class Library:
    """cuBLAS as far as it is used, on the host."""

    def __init__(self) -> None:
        self.calls = 0

    def create(self):
        return 1

    def set_stream(self, handle, stream):
        assert handle == 1
        assert stream

    @staticmethod
    def matrices(place, kind, rows, columns, ld, step, count):
        """Column-major matrices at even distances."""
        dtype = np.dtype(["float32", "float64"][kind])
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
        number = [ctypes.c_float, ctypes.c_double][ctype]
        assert number.from_address(alpha).value == 1
        assert number.from_address(beta).value == 0
        x = self.matrices(a, atype, *((k, m) if transa else (m, k)), lda, stride_a, count)
        y = self.matrices(b, btype, *((n, k) if transb else (k, n)), ldb, stride_b, count)
        out = self.matrices(c, ctype, m, n, ldc, stride_c, count)
        out[...] = (x.transpose(0, 2, 1) if transa else x) @ (y.transpose(0, 2, 1) if transb else y)


@pytest.fixture(autouse=True)
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
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
    assert _gemm._TYPES == {"float32": 0, "float64": 1}  # cudaDataType_t
    assert _gemm._COMPUTE == {"float32": 68, "float64": 70}  # cublasComputeType_t


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
