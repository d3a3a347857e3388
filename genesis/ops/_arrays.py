"""Python's numbers and sequences of them as arrays of the host."""

from __future__ import annotations

from typing import Any

import numpy as np

from genesis._dtypes import (
    ALL,
    DtypeError,
    as_dtype,
    bool_,
    default_dtype,
    dtype,
    int64,
    promote_types,
)
from genesis.autograd.graph import TensorCore

Array = np.ndarray[Any, Any]
_KNOWN = {d.name: d for d in ALL}
_BY_TYPE: dict[Any, dtype] = {}
_NUMBERS = frozenset((bool, int, float))
_OF = {bool: bool_, int: int64}


def dtype_of(array: Array | np.generic) -> dtype:
    """The type of the elements.

    Raises:
        TypeError: there is no such type.
    """
    found = _BY_TYPE.get(array.dtype)  # the name of a type is slow
    if found is not None:
        return found
    found = _KNOWN.get(array.dtype.name)
    if found is not None and array.dtype.isnative:
        _BY_TYPE[array.dtype] = found
    else:
        known = ", ".join(_KNOWN)
        raise TypeError(f"can't convert an array of type {array.dtype} to a tensor; supported: {known}")
    return found


def to_array(data: Any, dtype: Any) -> Array:
    """A number, nested sequences of numbers, arrays and tensors, or an array, as an array of ``dtype``.

    Without ``dtype``: the type that holds those of all elements, as in PyTorch's ``infer_scalar_type``
    (torch/csrc/utils/tensor_new.cpp): a bool, int64 and the default floating type for Python's numbers.

    Raises:
        ValueError: the sequences are of unequal lengths, or an integer is too large for int64.
        OverflowError: an integer is too large for a float.
        RuntimeError: a number does not fit into ``dtype``.
        TypeError: it holds something else than numbers.
    """
    want = None if dtype is None else as_dtype(dtype)
    if isinstance(data, np.ndarray | np.generic):
        array = np.asarray(data)
        dtype_of(array)
    else:
        types: set[Any] = set()
        data = _plain(data, types)
        try:
            array = np.asarray(data)
        except ValueError as error:
            raise ValueError(
                f"expected nested sequences of equal length, got ragged data ({error})"
            ) from None
        kind = array.dtype.kind
        large = types <= _NUMBERS and (kind == "u" or (kind == "O" and _all_numbers(array)))
        if kind == "c":
            raise DtypeError("there are no complex types; keep the real and the imaginary part apart")
        elif kind not in "biuf" and not large:
            raise DtypeError(f"expected numbers, nested sequences of them or an array, got {_example(data)}")
        if want is None and types:
            for t in types:
                one = _OF.get(t, t) if t is not float else default_dtype()
                want = one if want is None else promote_types(want, one)
        elif want is None and isinstance(data, list | tuple):
            want = default_dtype()  # nothing is in it
        if int in types and (large or (kind == "f" and types <= _NUMBERS)):
            array = _one_by_one(np.asarray(data, object), want)
    if want is not None and want.kind in "iu" and array.dtype.kind in "iu" and array.size:
        limits, given = np.iinfo(want.name), not isinstance(data, np.ndarray | np.generic)
        if given and (array.min() < limits.min or array.max() > limits.max):
            bad = array.min() if array.min() < limits.min else array.max()
            raise RuntimeError(f"{bad} does not fit into {want}, which holds {limits.min} to {limits.max}")
    elif want is not None and want.kind in "iu" and types == {float} and array.size:
        _check_floats(array, want)
    with np.errstate(all="ignore"):  # nan or infinity as an integer is whatever the host makes of it
        return np.asarray(array, dtype=None if want is None else want.name)


def _all_numbers(array: Array) -> bool:
    return all(isinstance(x, int | float) for x in array.reshape(-1))


def _one_by_one(array: Array, want: Any) -> Array:
    """Python's numbers as ``want``, where one type of NumPy's would not hold all of them exactly."""
    if want.kind not in "iu":
        return array.astype(bool if want.kind == "b" else np.float64)
    numbers = array.reshape(-1).tolist()
    if any(isinstance(x, int) and not -(2**63) <= x < 2**63 for x in numbers):
        raise ValueError("an integer is too large for int64; give floats, or dtype=genesis.float64")
    _check_floats(np.array([x for x in numbers if isinstance(x, float)]), want)
    return np.array([int(x) for x in numbers], np.int64).reshape(array.shape)


def _check_floats(array: Array, want: Any) -> None:
    """Raise where a float, before it is cut off, is outside of what ``want`` holds."""
    limits = np.iinfo(want.name)
    bad = array[~((array >= limits.min) & (array <= limits.max)) | (array >= 2.0**63)]
    if bad.size:
        raise RuntimeError(
            f"{bad.flat[0]} does not fit into {want}, which holds {limits.min} to {limits.max} "
            "(value cannot be converted without overflow)"
        )


def _example(data: Any) -> str:
    """The type of the first element that is not a number."""
    if isinstance(data, list | tuple):
        for d in data:
            if not isinstance(d, bool | int | float | np.generic | np.ndarray):
                return _example(d)
    return f"{type(data).__name__} {data!r:.40}"


def _plain(data: Any, types: set[Any]) -> Any:
    """Nested sequences with arrays for tensors; ``types`` takes the elements' types, Python's or ours."""
    if isinstance(data, list | tuple):
        kinds = set(map(type, data))
        if kinds <= _NUMBERS:
            types |= kinds
            return data
        return [_plain(d, types) for d in data]
    if isinstance(data, TensorCore):
        types.add(data._view.dtype)
        return data.tolist() if not data._view.shape else data.detach().cpu()._host()  # type: ignore[attr-defined]
    if isinstance(data, np.ndarray | np.generic):
        types.add(dtype_of(data))
    else:
        types.update([t for t in (bool, int, float) if isinstance(data, t)][:1])
    return data
