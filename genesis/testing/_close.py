"""``torch.testing.assert_close``: tensors, numbers, and containers of them, equal up to a tolerance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import genesis

#: relative and absolute tolerance by type; everything else has to be equal
_TOLERANCES = {
    genesis.float16: (1e-3, 1e-5),
    genesis.bfloat16: (1.6e-2, 1e-5),
    genesis.float32: (1.3e-6, 1e-5),
    genesis.float64: (1e-7, 1e-7),
}

Message = str | Callable[[str], str] | None


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: Message = None,
) -> None:
    """Assert ``|actual - expected| <= atol + rtol * |expected|`` everywhere, and equal shapes and types.

    Args:
        actual, expected: tensors, NumPy arrays, numbers, None, or sequences and mappings of these.
        allow_subclasses: whether two different classes of tensors may be compared.
        rtol, atol: given together; by default 1.6e-2 and 1e-5 for bfloat16, 1e-3 and 1e-5 for
            float16, 1.3e-6 and 1e-5 for float32, 1e-7 and 1e-7 for float64 and for
            numbers of Python's, 0 for integers and bools. Of two types the larger tolerances hold.
        equal_nan: whether NaN equals NaN.
        check_device, check_dtype, check_stride: also compare these.
        check_layout: no effect: all tensors are dense.
        msg: the message of the error, or a function that makes it of the usual one.

    Raises:
        AssertionError: they differ; the message says where and by how much.
        ValueError: only one of ``rtol`` and ``atol`` is given.
        TypeError: something else than the above is compared.
    """
    if (rtol is None) != (atol is None):
        missing = "atol" if atol is None else "rtol"
        raise ValueError(f"Both 'rtol' and 'atol' must be either specified or omitted, but got no {missing}.")
    options = {
        "allow_subclasses": allow_subclasses,
        "given": None if rtol is None else (rtol, atol),
        "equal_nan": equal_nan,
        "attributes": [
            name
            for name, on in (("device", check_device), ("dtype", check_dtype), ("stride()", check_stride))
            if on
        ],
    }
    found = _difference(actual, expected, "", options)
    if found is not None:
        raise AssertionError(msg if isinstance(msg, str) else msg(found) if callable(msg) else found)


def _difference(a: Any, b: Any, place: str, options: Any) -> str | None:
    """What differs, or None; ``place`` are the subscripts that lead here."""
    if isinstance(a, Sequence) and isinstance(b, Sequence) and not isinstance(a, str):
        if len(a) != len(b):
            return _at(f"The length of the sequences mismatch: {len(a)} != {len(b)}", place)
        keys: Any = range(len(a))
    elif isinstance(a, Mapping) and isinstance(b, Mapping):
        if a.keys() != b.keys():
            lacks, extra = sorted(b.keys() - a.keys(), key=str), sorted(a.keys() - b.keys(), key=str)
            text = "The keys of the mappings do not match:"
            text += f"\nMissing keys in the actual mapping: {lacks}"
            text += f"\nAdditional keys in the actual mapping: {extra}"
            return _at(text, place)
        keys = sorted(a, key=str)
    else:
        found = _leaf(a, b, options)
        return None if found is None else _at(found, place)
    for key in keys:
        found = _difference(a[key], b[key], f"{place}[{key!r}]", options)
        if found is not None:
            return found
    return None


def _at(text: str, place: str) -> str:
    return f"{text}\n\nThe failure occurred for item {place}" if place else text


def _leaf(a: Any, b: Any, options: Any) -> str | None:
    if a is None or b is None:
        return None if a is b else f"None mismatch: {a} is not {b}"
    if isinstance(a, bool | np.bool_) and isinstance(b, bool | np.bool_):
        return None if bool(a) == bool(b) else f"Booleans mismatch: {a} is not {b}"
    if isinstance(a, int | float) and isinstance(b, int | float):
        return _numbers(a, b, options)
    if isinstance(a, np.ndarray | np.generic) and isinstance(b, np.ndarray | np.generic):
        a, b = genesis.as_tensor(a), genesis.as_tensor(b)
    if not isinstance(a, genesis.Tensor) or not isinstance(b, genesis.Tensor):
        raise TypeError(f"No comparison pair was able to handle inputs of type {type(a)} and {type(b)}.")
    if not options["allow_subclasses"] and type(a) is not type(b):
        raise TypeError(f"No comparison pair was able to handle inputs of type {type(a)} and {type(b)}.")
    return _tensors(a.detach(), b.detach(), options)


def _numbers(a: float, b: float, options: Any) -> str | None:
    if "dtype" in options["attributes"] and type(a) is not type(b):
        return f"The (d)types do not match: {type(a)} != {type(b)}."
    floating = isinstance(a, float) or isinstance(b, float)
    rtol, atol = options["given"] or (_TOLERANCES[genesis.float64] if floating else (0, 0))
    if a == b or abs(a - b) <= atol + rtol * abs(b) < np.inf:
        return None
    if options["equal_nan"] and a != a and b != b:
        return None
    return _scalars(a, b, rtol, atol)


def _scalars(a: float, b: float, rtol: float, atol: float) -> str:
    away = abs(a - b)
    ratio = float("inf") if b == 0 else away / abs(b)
    return _text("Scalars", f"Expected {b} but got {a}.", (away, ""), (ratio, ""), rtol, atol)


def _tensors(a: Any, b: Any, options: Any) -> str | None:
    if a.shape != b.shape:
        return f"The values for attribute 'shape' do not match: {_named(a.shape)} != {_named(b.shape)}."
    for name in options["attributes"]:
        x, y = (t.stride() if name == "stride()" else getattr(t, name) for t in (a, b))
        if x != y:
            return f"The values for attribute {name!r} do not match: {x} != {y}."
    both = [_TOLERANCES.get(t.dtype, (0, 0)) for t in (a, b)]
    rtol, atol = options["given"] or (max(t[0] for t in both), max(t[1] for t in both))
    x, y = ((t.float() if t.dtype.is_half else t).numpy(force=True) for t in (a, b))
    if x.dtype.kind != "f" or y.dtype.kind != "f":
        x, y = (v if v.dtype.kind == "f" else v.astype("int64") for v in (x, y))
    with np.errstate(all="ignore"):
        near = np.isclose(x, y, rtol=rtol, atol=atol, equal_nan=options["equal_nan"]) if x.size else x == y
        if near.all():
            return None
        if not x.shape:
            return _scalars(x.item(), y.item(), rtol, atol)
        away, kind = np.abs(x - y), "f8" if y.dtype == "f8" else "f4"
        ratio = away.astype(kind) / np.abs(y).astype(kind)
    away[near], ratio[near] = 0, 0
    extra = f"Mismatched elements: {(~near).sum()} / {near.size} ({(~near).sum() / near.size:.1%})"
    return _text("Tensor-likes", extra, _greatest(away), _greatest(ratio), rtol, atol)


def _named(shape: Any) -> str:
    return f"genesis.Size({list(shape)})"


def _greatest(values: Any) -> tuple[Any, str]:
    index = np.unravel_index(np.argmax(values), values.shape)
    return values[index].item(), f" at index {tuple(int(i) for i in index)}"


def _text(
    what: str, extra: str, away: tuple[Any, str], ratio: tuple[Any, str], rtol: float, atol: float
) -> str:
    equality = rtol == 0 and atol == 0
    lines = [f"{what} are not {'equal' if equality else 'close'}!", "", extra]
    for kind, (value, place), tolerance in (("absolute", away, atol), ("relative", ratio, rtol)):
        name = f"Greatest {kind}" if place else kind.title()
        allowed = "" if equality else f" (up to {tolerance} allowed)"
        lines.append(f"{name} difference: {value}{place}{allowed}")
    return "\n".join(lines)
