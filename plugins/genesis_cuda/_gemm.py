"""Products by cuBLAS, through NVIDIA's own bindings (``nvmath-python``), where they are installed.

cuBLAS counts along columns first: what is ``out = a b`` in rows is ``out' = b' a'`` in columns, with the same
memory. float32 is multiplied in float32 (no TF32), so that the results agree with those of other devices;
float16 and bfloat16 are read as they are, added up in float32, and rounded once.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from genesis.backend import View, arg
from genesis_cuda import _walk
from genesis_cuda._copies import duplicate, empty
from genesis_cuda._driver import Unit
from genesis_cuda._memory import address, handle
from genesis_cuda.kernels import map as elementwise

_TRANSPOSED = 1  # of cublasOperation_t
# cudaDataType_t: CUDA_R_32F, CUDA_R_64F, CUDA_R_16F, CUDA_R_16BF
_TYPES = {"float32": 0, "float64": 1, "float16": 2, "bfloat16": 14}
# cublasComputeType_t: 32F, 64F
_COMPUTE = {"float32": 68, "float64": 70, "float16": 68, "bfloat16": 68}
_EXACT = 16  # of cublasMath_t: parts of a sum are not joined in 16 bits
_ALGORITHM = -1  # the library chooses
_LIMIT = 1 << 31
_NONE = 0  # in place of a handle
_SEVERAL = 64  # calls for products that do not lie at even distances, before they are copied

# factors have the type that is computed in
_one = {name: np.ones((), "float64" if name == "float64" else "float32") for name in _TYPES}
_zero = {name: np.zeros((), "float64" if name == "float64" else "float32") for name in _TYPES}
_handles: dict[int, int] = {}
_streams: dict[int, int] = {}  # where the handle of each GPU works


@cache
def library() -> Any:
    """The bindings of cuBLAS, or None."""
    try:
        from nvmath.bindings import cublas
    except ImportError:
        return None
    return cublas


class _Matrix(NamedTuple):
    """A matrix as the library sees it: where, the distance of its columns, whether it is to be transposed."""

    place: int
    ld: int
    operation: int


def run(out: View, a: View, b: View) -> bool:
    """Compute the product, if the library can; else False."""
    if out.dtype.name not in _TYPES or max(*out.shape, *a.shape) >= _LIMIT or library() is None:
        return False
    unit = handle(out).unit
    with unit.lock:
        if _handle(unit) == _NONE:
            return False
    _product(out, a, b)
    return True


def _product(out: View, a: View, b: View) -> None:
    if _rows(out) is None:
        flipped = [v.permute((*range(v.ndim - 2), v.ndim - 1, v.ndim - 2)) for v in (out, b, a)]
        if _rows(flipped[0]) is None:
            whole = empty(out.shape, out.dtype, out.buffer.device)
            _product(whole, a, b)
            elementwise.run(arg(0), out, (whole,))
            return
        out, a, b = flipped
    a, b = (v if _matrix(v) is not None else duplicate(v) for v in (a, b))
    lead = out.shape[:-2]
    sizes, strides = _walk.collapse(lead, [v.strides[:-2] for v in (out, a, b)], keep_order=True)
    if not lead:
        strides = [[0], [0], [0]]
    if len(sizes) > 1:
        if lead[0] <= _SEVERAL:
            for i in range(lead[0]):
                _product(out.select(0, i), a.select(0, i), b.select(0, i))
            return
        a, b = (duplicate(v) for v in (a, b))
        sizes, strides = _walk.collapse(lead, [v.strides[:-2] for v in (out, a, b)], keep_order=True)
        if len(sizes) > 1:
            for i in range(lead[0]):
                _product(out.select(0, i), a.select(0, i), b.select(0, i))
            return
    _call(out, a, b, sizes[0], strides[0][0], strides[1][0], strides[2][0])


def _call(out: View, a: View, b: View, count: int, step: int, a_step: int, b_step: int) -> None:
    name = out.dtype.name
    first, second, target = _matrix(b), _matrix(a), _rows(out)
    assert first is not None
    assert second is not None
    assert target is not None
    m, n, k = out.shape[-2], out.shape[-1], a.shape[-1]
    unit, kind = handle(out).unit, _TYPES[name]
    with unit.lock:
        unit.enter()
        library().gemm_strided_batched_ex(
            _handle(unit), first.operation, second.operation, n, m, k, _one[name].ctypes.data,
            first.place, kind, first.ld, b_step, second.place, kind, second.ld, a_step,
            _zero[name].ctypes.data, target.place, kind, target.ld, step, count, _COMPUTE[name], _ALGORITHM,
        )  # fmt: skip


def _handle(unit: Unit) -> int:
    found = _handles.get(unit.index)
    if found is None:
        unit.enter()
        try:
            found = library().create()
            library().set_math_mode(found, _EXACT)
        except Exception as error:  # the bindings are there, and what they bind is not
            reason = str(error).partition("\n")[0]
            text = f"cuBLAS cannot be used ({reason}), so products are slower; pip install nvidia-cublas"
            warnings.warn(text, RuntimeWarning, stacklevel=2)
            found = _NONE
        _handles[unit.index] = found
        _streams.pop(unit.index, None)
    stream = int(unit.stream)
    if found != _NONE and _streams.get(unit.index) != stream:
        library().set_stream(found, stream)
        _streams[unit.index] = stream
    return found


def _rows(v: View) -> _Matrix | None:
    """A matrix whose rows lie in memory without gaps."""
    rows, columns = v.shape[-2:]
    step, inner = v.strides[-2:]
    if columns > 1 and inner != 1:
        return None
    if rows > 1 and step < columns:
        return None
    ld = step if rows > 1 else columns
    return _Matrix(address(v), max(1, ld), 0) if ld < _LIMIT else None


def _matrix(v: View) -> _Matrix | None:
    """A matrix whose rows, or whose columns, lie in memory without gaps."""
    found = _rows(v)
    if found is None:
        turned = _rows(v.permute((*range(v.ndim - 2), v.ndim - 1, v.ndim - 2)))
        found = None if turned is None else turned._replace(operation=_TRANSPOSED)
    return found
