"""From a list of samples to a batch."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

import genesis
from genesis._dtypes import DtypeError
from genesis._errors import FitError, ShapeError
from genesis.data._dataset import Columns
from genesis.data._worker import get_worker_info

Rules = dict[Any, Callable[..., Any]]


def default_collate(batch: Any) -> Any:
    """Stack samples into a batch with one more dimension in front.

    Tensors and NumPy arrays are stacked; float, int and bool become tensors of float64, int64 and bool;
    strings and bytes stay as they are, in a list, or in a tuple if they are fields of lists or tuples. Inside
    dicts, lists and tuples each field is treated so; a tuple of fields becomes a list, a named tuple and a
    dict stay what they are.

    ``default_collate_fn_map`` has the function for each type; what is added there counts here, too.

    Args:
        batch: a non-empty list of samples.

    Raises:
        TypeError: a sample is of another type.
        ShapeError: tensors of different shapes, or lists of different lengths.

    Example:
        >>> x, y = default_collate([(genesis.zeros(3), 0), (genesis.ones(3), 1)])
        >>> x.shape, y.dtype
        ((2, 3), genesis.int64)
    """
    if isinstance(batch, Columns) and not _changed:
        return list(batch.tensors)
    return collate(batch, collate_fn_map=default_collate_fn_map)


def collate(batch: Any, *, collate_fn_map: Rules | None = None) -> Any:
    """Make a batch of samples with a function for each type of element.

    Args:
        batch: a non-empty list of samples.
        collate_fn_map: from a type, or a tuple of types, to ``function(batch, *, collate_fn_map)``. The
            exact type comes first, then the first of which the element is an instance. Dicts, tuples and
            lists that are not in it are taken apart.

    Raises:
        TypeError: there is no function for a type.
        ShapeError: lists of different lengths.
    """
    first = batch[0]
    rule = _rule(type(first), first, collate_fn_map)
    if rule is not None:
        return rule(batch, collate_fn_map=collate_fn_map)

    def inner(samples: Any) -> Any:
        return collate(samples, collate_fn_map=collate_fn_map)

    if isinstance(first, Mapping):
        return _rebuilt(first, {key: inner([sample[key] for sample in batch]) for key in first})
    if isinstance(first, Sequence):
        lengths = {len(sample) for sample in batch}
        if len(lengths) > 1:
            raise ShapeError(
                f"each element in list of batch should be of equal size (equally many fields, got "
                f"{sorted(lengths)}); pad them, or pass a collate_fn of your own"
            )
        fields = [inner(field) for field in zip(*batch, strict=True)]
        if isinstance(first, tuple):
            return type(first)(*fields) if hasattr(first, "_fields") else fields
        return _rebuilt(first, fields)
    raise TypeError(
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found something "
        f"else, got {type(first)}; pass a collate_fn of your own to DataLoader"
    )


def _rule(kind: type, first: Any, rules: Rules | None) -> Callable[..., Any] | None:
    if rules is None:
        return None
    if kind in rules:
        return rules[kind]
    return next((rule for known, rule in rules.items() if isinstance(first, known)), None)


def collate_tensor_fn(batch: Sequence[genesis.Tensor], *, collate_fn_map: Rules | None = None) -> Any:
    """Tensors of one shape, stacked."""
    first = batch[0]
    shape = first.shape
    for tensor in batch:
        if not isinstance(tensor, genesis.Tensor):
            raise _odd(tensor, "Tensor")
        if tensor.shape != shape:
            raise _unequal(batch)
    if get_worker_info() is None:
        return genesis.stack(list(batch))
    dtype = first.dtype
    for tensor in batch:
        if (
            type(tensor) is not genesis.Tensor
            or tensor.requires_grad
            or tensor.dtype is not dtype
            or tensor.device.type != "cpu"
        ):
            return genesis.stack(list(batch))
    return genesis.from_numpy(np.stack([tensor._host() for tensor in batch]))  # a worker needs no kernels


def collate_numpy_array_fn(batch: Sequence[Any], *, collate_fn_map: Rules | None = None) -> Any:
    """Arrays of numbers, as tensors."""
    for array in batch:
        if array.dtype.kind not in "biuf":
            raise TypeError(
                "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; "
                f"found an array of {array.dtype}"
            )
    if collate_fn_map is None or collate_fn_map.get(genesis.Tensor) is not collate_tensor_fn:
        tensors = [genesis.from_numpy(a if a.flags.writeable else a.copy()) for a in batch]
        return collate(tensors, collate_fn_map=collate_fn_map)
    shape, dtype = batch[0].shape, batch[0].dtype
    for array in batch:
        if array.shape != shape:
            raise _unequal(batch)
        if array.dtype != dtype:  # as PyTorch: the types of tensors that are stacked are promoted
            return genesis.stack([genesis.from_numpy(np.array(a)) for a in batch])
    return genesis.from_numpy(np.stack(batch))


def _unequal(batch: Sequence[Any]) -> ShapeError:
    shapes = sorted({tuple(item.shape) for item in batch})
    return ShapeError(
        f"samples of one batch must have equal shapes, got {', '.join(map(str, shapes))}; "
        "pad them, or pass a collate_fn of your own"
    )


def collate_numpy_scalar_fn(batch: Sequence[Any], *, collate_fn_map: Rules | None = None) -> Any:
    """NumPy's numbers, as one tensor of their type."""
    return genesis.from_numpy(np.array(batch))


def collate_float_fn(batch: Sequence[float], *, collate_fn_map: Rules | None = None) -> Any:
    """Python's floats: float64."""
    for value in batch:
        if not isinstance(value, int | float | np.number):  # NumPy would take None and strings
            raise _odd(value, "float")
    return genesis.from_numpy(np.array(batch, np.float64))


def collate_int_fn(batch: Sequence[int], *, collate_fn_map: Rules | None = None) -> Any:
    """Python's integers: int64; bool if all are."""
    whole = not all(isinstance(value, bool) for value in batch)
    kind = np.float64 if any(isinstance(value, float) for value in batch) else np.int64 if whole else np.bool_
    for value in batch:
        if not isinstance(value, int | float | np.number):
            raise _odd(value, "int")
    if kind is np.float64:
        return genesis.tensor(list(batch))
    try:
        return genesis.from_numpy(np.array(batch, kind))
    except OverflowError as error:
        raise FitError(f"an integer of the batch does not fit into int64: {max(batch, key=abs)}") from error


def collate_str_fn(batch: Sequence[Any], *, collate_fn_map: Rules | None = None) -> Any:
    """Strings, as they are."""
    return batch


def _odd(value: object, kind: str) -> DtypeError:
    return DtypeError(f"samples of one batch must have one type, got {kind} and {type(value).__name__}")


class _Rules(dict[Any, Callable[..., Any]]):
    """Remembers that it was changed: then a batch of tensors is cut into samples for what the user put in."""

    def __setitem__(self, key: Any, value: Any) -> None:
        _changed.append(key)
        super().__setitem__(key, value)

    def update(self, *args: Any, **kwargs: Any) -> None:
        for key, value in dict(*args, **kwargs).items():
            self[key] = value


_changed: list[Any] = []
default_collate_fn_map: Rules = _Rules(
    {
        genesis.Tensor: collate_tensor_fn,
        np.ndarray: collate_numpy_array_fn,
        (np.bool_, np.number, np.object_): collate_numpy_scalar_fn,
        float: collate_float_fn,
        int: collate_int_fn,
        str: collate_str_fn,
        bytes: collate_str_fn,
    }
)


def default_convert(sample: Any) -> Any:
    """Make the NumPy arrays in a single sample tensors and leave everything else; for loaders without
    batches."""
    if isinstance(sample, np.ndarray | np.generic):
        array = np.asarray(sample)
        if array.dtype.kind not in "biuf":
            return sample
        return genesis.from_numpy(array if array.flags.writeable else array.copy())
    if isinstance(sample, Mapping):
        return _rebuilt(sample, {key: default_convert(value) for key, value in sample.items()})
    if isinstance(sample, tuple) and hasattr(sample, "_fields"):
        return type(sample)(*(default_convert(field) for field in sample))
    if isinstance(sample, tuple):
        return [default_convert(field) for field in sample]
    if isinstance(sample, Sequence) and not isinstance(sample, str | bytes):
        return _rebuilt(sample, [default_convert(field) for field in sample])
    return sample


def _rebuilt(like: Any, content: Any) -> Any:
    """A container like this one with other content; a plain one where its class cannot be made so."""
    make: Callable[[Any], Any] = type(like)
    try:
        if isinstance(like, MutableMapping):
            out = copy.copy(like)
            out.update(content)
            return out
        if isinstance(like, MutableSequence):
            filled = copy.copy(like)
            for index, value in enumerate(content):
                filled[index] = value
            return filled
        return make(content)
    except TypeError:  # for instance a range, or a class with other arguments
        return content
