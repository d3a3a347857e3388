"""Nested Python values as a JSON text and named arrays, and back.

JSON has no tuples, no integer keys, no NaN and no tensors. So everything but ``None``, booleans, strings,
lists, finite floats and 64-bit integers is written as an object whose first key says what it is:
``{"tuple": [...]}``, ``{"dict": [[key, value], ...]}``, ``{"int": "0x..."}``, ``{"float": "nan"}``,
``{"tensor": name, ...}``, ``{"array": name}``, ``{"scalar": dtype, "value": ...}``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import genesis

_DEPTH = 100  # deeper than any real checkpoint, shallow enough for every JSON reader
_INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
#: those that NumPy (bfloat16 by ml_dtypes) and safetensors have
_DTYPES = (
    "bool",
    *_INTEGERS,
    "float16",
    "bfloat16",
    "float32",
    "float64",
)  # those that both NumPy and safetensors have
_SUPPORTED = "None, bool, int, float, str, list, tuple, dict, genesis.Tensor, NumPy arrays and scalars"

Array = NDArray[Any]


class _Arrays(dict[str, Array]):
    """Arrays by name, on their way through `keep`."""

    def __init__(self, keep: Callable[[str, Array], Array] | None) -> None:
        super().__init__()
        self.keep = keep


def flatten(
    value: object, keep: Callable[[str, Array], Array] | None = None
) -> tuple[object, dict[str, Array]]:
    """Return ``value`` as something `json.dumps` takes, and its arrays by name.

    Args:
        value: nested values.
        keep: given the name of each array and the array, which may be memory of a tensor, returns the one
            that
            stands for it in the result: a copy, say. None takes them as they are.
    """
    arrays = _Arrays(keep)
    return _flatten(value, (), arrays), arrays


def _flatten(value: Any, keys: tuple[str | int, ...], arrays: _Arrays) -> object:
    if len(keys) > _DEPTH:
        where = _where(keys[:3])
        raise ValueError(f"{where} is nested deeper than {_DEPTH} levels; does it contain itself?")
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, np.generic):  # before float: numpy.float64 is one
        dtype = value.dtype.name
        if dtype not in _DTYPES:
            raise TypeError(
                f"{_where(keys)} is a NumPy scalar of type {dtype}; expected {', '.join(_DTYPES)}"
            )
        return {"scalar": dtype, "value": _flatten(value.item(), keys, arrays)}
    if isinstance(value, int):
        # Decimal text of very large integers is refused by Python and read as a float by other JSON readers.
        return int(value) if -(2**63) <= value < 2**63 else {"int": hex(value)}
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"float": repr(float(value))}
    if isinstance(value, dict):
        items = []
        for key, item in value.items():
            if isinstance(key, bool) or not isinstance(key, str | int):
                raise TypeError(
                    f"{_where(keys)} has the key {key!r}, a {_type(key)}; keys must be str or int"
                )
            items.append([_flatten(key, keys, arrays), _flatten(item, (*keys, key), arrays)])
        return {"dict": items}
    if isinstance(value, list | tuple):
        flat = [_flatten(item, (*keys, index), arrays) for index, item in enumerate(value)]
        return flat if isinstance(value, list) else {"tuple": flat}
    if isinstance(value, np.ndarray):
        return {"array": _add(value, keys, arrays)}
    if isinstance(value, genesis.Tensor):
        name = _add(value.detach()._host(kept=False), keys, arrays)
        return {"tensor": name, "device": str(value.device), "requires_grad": value.requires_grad}
    raise TypeError(f"{_where(keys)} is a {_type(value)}; a checkpoint holds {_SUPPORTED}")


def _add(array: Array, keys: tuple[str | int, ...], arrays: _Arrays) -> str:
    if array.dtype.name not in _DTYPES:
        raise TypeError(f"{_where(keys)} is an array of type {array.dtype}; expected {', '.join(_DTYPES)}")
    # Lone surrogates are legal in str but not in the UTF-8 of the file.
    base = ".".join(str(key) for key in keys).encode("utf-8", "backslashreplace").decode() or "value"
    name, number = base, 2
    while name in arrays or name == "__metadata__":  # ["a.b"] and ["a"]["b"] meet here
        name, number = f"{base}#{number}", number + 1
    # safetensors reads memory in order from the first element: a transposed array would be saved wrong, in
    # silence.
    if arrays.keep is not None:
        array = arrays.keep(name, array)
    arrays[name] = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("=")).reshape(array.shape)
    return name


def unflatten(
    node: Any, arrays: dict[str, Array], make_tensor: Callable[[Array, str, bool], genesis.Tensor]
) -> Any:
    """Return the value that `flatten` took apart.

    Args:
        node: the first result of `flatten`, after its way through JSON.
        arrays: the second result; what is used is taken out of it, as `flatten` names every array once.
        make_tensor: called with array, name of the device, requires_grad.

    Raises:
        ValueError, TypeError, LookupError: `flatten` did not make this.
    """
    if isinstance(node, list):
        return [unflatten(item, arrays, make_tensor) for item in node]
    if not isinstance(node, dict):
        return node
    kind = next(iter(node), "")
    content: Any = node.get(kind)
    match kind:
        case "dict":
            return {
                unflatten(key, arrays, make_tensor): unflatten(item, arrays, make_tensor)
                for key, item in content
            }
        case "tuple":
            return tuple(unflatten(item, arrays, make_tensor) for item in content)
        case "tensor":
            device, requires_grad = node["device"], node["requires_grad"]
            if not isinstance(device, str) or not isinstance(requires_grad, bool):
                raise TypeError(f"a tensor on device {device!r} with requires_grad {requires_grad!r}")
            return make_tensor(arrays.pop(content), device, requires_grad)
        case "array":
            return arrays.pop(content)
        case "scalar":
            if content not in _DTYPES:
                raise ValueError(f"a NumPy scalar of type {content!r}")
            return np.dtype(content).type(unflatten(node["value"], arrays, make_tensor))
        case "int":
            return int(content, 16)
        case "float":
            return float(content)
    raise ValueError(f"unknown kind of value {kind!r}")


def _where(keys: tuple[str | int, ...]) -> str:
    return "checkpoint" + "".join(f"[{key!r}]" for key in keys)


def _type(value: object) -> str:
    cls = type(value)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
