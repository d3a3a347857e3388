"""x[...] and x[...] = y in every form."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from table._entry import Entry, S, bools, floats

# fmt: off
# ruff: noqa: E501 - a table

CUBE, ROW, ZERO = floats(3, 4, 5), floats(6), np.array(0.5)


def i(*values: Any) -> Any:
    return np.array(values, dtype="int64")


class Raw:
    """An index that stays a NumPy array."""

    def __init__(self, *values: Any, dtype: Any = "int64") -> None:
        self.array = np.array(values, dtype)


def unwrap(key: Any) -> Any:
    if isinstance(key, Raw):
        return key.array
    if isinstance(key, tuple):
        return tuple(unwrap(k) for k in key)
    return key


def get(library: Any, function: Any, x: Any, key: Any) -> Any:
    return x[unwrap(key)]


def view(library: Any, function: Any, x: Any, key: Any) -> Any:
    """What the base is after its part was written to."""
    base = x.clone(memory_format=library.contiguous_format)
    part = base[unwrap(key)]
    before = part * 1
    part.mul_(3)
    return before, base


def put(library: Any, function: Any, x: Any, key: Any, value: Any) -> Any:
    y = x.clone()
    y[unwrap(key)] = value
    return y


def add(library: Any, function: Any, x: Any, key: Any, value: Any) -> Any:
    y = x * 1
    y[unwrap(key)] += value
    return y


BASIC: dict[str, Any] = {
    "0": 0, "-1": -1, "1:": slice(1, None), ":2": slice(None, 2), "::2": slice(None, None, 2), "-2:": slice(-2, None), "5:": slice(5, None), "2:1": slice(2, 1),
    "...": ..., "None": None, "()": (), "1, 2": (1, 2), "1, 2, 3": (1, 2, 3), ":, 1": (slice(None), 1), "..., 0": (..., 0), "1, ...": (1, ...), "1, ..., 2": (1, ..., 2),
    "None, 1": (None, 1), ":, None": (slice(None), None), "..., None": (..., None), "1:, ::2, -1": (slice(1, None), slice(None, None, 2), -1), "None, ..., None": (None, ..., None),
    "NumPy number": np.int64(2), "1:10:3": slice(1, 10, 3),
}
ADVANCED: dict[str, Any] = {
    "tensor": i(0, 2), "repeated": i(1, 1, 0), "negative": i(-1, 0), "matrix": np.array([[0, 1], [2, 0]]), "list": [0, 2], "list of bools": [True, False, True], "range": range(2),
    "empty list": [], "empty tensor": np.zeros(0, "int64"), "int32": np.array([0, 2], "int32"), "NumPy": Raw(0, 2), "NumPy bools": Raw(True, False, True, dtype=bool), "NumPy int32": Raw(0, 1, dtype="int32"),
    "bool tensor": np.array([True, False, True]), "mask of two axes": np.array([[True, False, True, False]] * 2 + [[False] * 4]),
    "mask of all": floats(3, 4, 5) > 0, "True": True, "False": False, "0-d bool": np.array(True), "None, True": (None, True), "0-d int": np.array(1),
    ":, tensor": (slice(None), i(3, 0)), "..., tensor": (..., i(4, 0)), "..., matrix": (..., np.array([[0, 1], [2, 0]])), ":, matrix": (slice(None), np.array([[0, 1], [2, 0]])), "tensor, 1": (i(0, 2), 1), "1, tensor": (1, i(0, 2)),
    "two": (i(0, 2), i(1, 3)), "two, broadcast": (np.array([[0], [2]]), i(1, 3)), "two apart": (i(0, 2), slice(None), i(1, 3)), ":, two": (slice(None), i(0, 2), i(1, 3)), "two lists": ([0, 2], [1, 3]),
    "three": (i(0, 2), i(1, 3), i(4, 0)), "one and slices": (slice(1, None), i(0, 2), slice(None, None, 2)), "mask, slice": (np.array([True, False, True]), slice(1, 3)), "mask and tensor": (np.array([True, False, True]), slice(None), i(0, 4)),
    ":, mask": (slice(None), np.array([True, False, True, True])), "..., mask": (..., np.array([True, False, True, True, False])), "None, tensor": (None, i(0, 2)), "tensor, None": (i(0, 2), None), "tensor, None, tensor": (i(0, 2), None, i(1, 3)),
    "1, :, tensor": (1, slice(None), i(0, 2)), "nested lists": [[0, 2], [1, 3]], "list with a slice": [0, slice(None)], "0, list": (0, [1, 2]), ":, list": (slice(None), [0, 3]), "tensor, ...": (i(0, 2), ...), "1, mask": (1, np.array([True, False, True, True])),
    "empty mask": np.zeros(3, bool),
}
WRONG = [3, -4, (0, 4), (0, 0, 0, 0), slice(None, None, -1), slice(None, None, 0), i(3), i(-4), ([0, 1], [0, 1, 2]), np.array([True, False]), 1.5, floats(2), (slice(None), i(4)), np.ones((2, 4), bool),
         np.array([0, 1], "int8"), np.array([0, 1], "int16"), "a", slice(0.5, 2)]


def named(keys: dict[str, Any]) -> list[S]:
    return [S(CUBE, key, label=name) for name, key in keys.items()]


def result_shape(key: Any) -> Any:
    """The shape of a part, by PyTorch."""
    import torch

    def convert(k: Any) -> Any:
        if isinstance(k, tuple | list):
            return type(k)(convert(x) for x in k)
        return torch.tensor(k) if isinstance(k, np.ndarray) else k

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tuple(torch.zeros(CUBE.shape)[convert(unwrap(key) if isinstance(key, Raw) else key)].shape)


def writes(keys: dict[str, Any]) -> list[S]:
    """A number, a 0-d tensor, and tensors of the whole shape and of one that broadcasts, for each key."""
    found = []
    for name, key in keys.items():
        shape = result_shape(key)
        found += [S(CUBE, key, 2.5, label=f"{name} = number"), S(CUBE, key, np.array(1.5), label=f"{name} = 0-d")]
        if name in ("repeated", "matrix", ":, matrix", "..., matrix"):  # written twice: any may stay
            continue
        found.append(S(CUBE, key, floats(*shape), label=f"{name} = tensor"))
        if len(shape) > 1 and 0 not in shape:
            found.append(S(CUBE, key, floats(*shape[1:-1], 1), label=f"{name} = row"))
    return found


PLAIN: dict[str, Any] = {"dtypes": ("float64",), "layouts": ("plain", "transposed")}
PARTS = {k: v for k, v in BASIC.items() if k not in ("...", "()")}  # nothing is left of what is overwritten
VALUES = [
    S(floats(2, 3), 0, np.array([1, 2, 3]), label="integers"), S(floats(2, 3), 0, True, label="a bool"), S(floats(2, 3), [0], floats(1, 1, 3), label="leading ones"), S(np.array([1, 2, 3]), 0, 2.7, label="cut"),
    S(bools(3), 1, 5, label="into bools"), S(ZERO, None, 1.0, label="0-d None"),
    S(ROW, ROW > 0, floats(int((ROW > 0).sum())), label="mask = tensor"), S(ROW, ROW > 9, floats(0), label="mask = nothing"),
]

ENTRIES = [
    Entry("Tensor.__getitem__", named(BASIC), call=view),
    Entry("Tensor.__getitem__", named(BASIC | ADVANCED), call=get),
    Entry("Tensor.__getitem__", [S(ROW, k, label=f"row {n}") for n, k in {"1": 1, "1:3": slice(1, 3), "list": [0, 5], "mask": ROW > 0, "range": range(3), "...": ...}.items()], call=get),
    Entry("Tensor.__getitem__", [S(ZERO, k, label=f"0-d {n}") for n, k in {"...": ..., "None": None, "()": (), "True": True, "0-d": np.array(False)}.items()], call=get),
    Entry("Tensor.__getitem__", [S(np.arange(12).reshape(3, 4), k, label=f"integers {n}") for n, k in {"1": 1, "list": [0, 2], "..., 1:": (..., slice(1, None))}.items()], call=get),
    Entry("Tensor.__getitem__", [S(CUBE, np.array([1, 0, 1], "uint8"), label="uint8"), S(CUBE, Raw(1, 0, 1, dtype="uint8"), label="uint8 of NumPy")], call=get, grad=False),
    Entry("Tensor.__setitem__", [S(CUBE, ..., 1.0, label="... = number"), S(CUBE, (), floats(5), label="() = row"), S(ZERO, ..., 2.0, label="0-d"), S(ZERO, (), np.array(3.0), label="0-d ()")], call=put, grad=False),
    Entry("Tensor.__setitem__", writes(PARTS), call=put, **PLAIN),
    Entry("Tensor.__setitem__", writes(ADVANCED), call=put, **PLAIN),
    Entry("Tensor.__setitem__", [s for s in writes(PARTS | ADVANCED) if "= number" in s.label or "= tensor" in s.label], call=add, dtypes=("float64",), layouts=("plain",)),
    Entry("Tensor.__setitem__", VALUES, call=put),
    Entry("Tensor.__getitem__", [], call=get, errors=[S(CUBE, k) for k in WRONG] + [S(ZERO, 0), S(ZERO, [0]), S(ZERO, (0, 0))]),
    Entry("Tensor.__setitem__", [], call=put, errors=[S(CUBE, k, 1.0) for k in WRONG] + [S(CUBE, 0, floats(3, 4)), S(CUBE, [0, 1], floats(3, 4, 5)), S(CUBE, (0, 0, 0), floats(2)), S(ROW, ROW > 0, floats(9)), S(ROW, 0, "a"), S(ROW, 0, None)]),
]
