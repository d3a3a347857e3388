"""From a list of samples to a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import genesis
from genesis._dtypes import bool_
from genesis._errors import ShapeError
from genesis.data._dataset import Columns


def default_collate(batch: Any) -> Any:
    """Stack samples into a batch with one more dimension in front.

    Tensors and NumPy arrays are stacked; float, int and bool become tensors of float64, int64 and bool;
    strings and bytes stay a list. Inside dicts, lists and tuples each field is treated so; a tuple of
    fields becomes a list, a named tuple and a dict stay what they are.

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
    if isinstance(batch, Columns):
        return list(batch.tensors)
    first = batch[0]
    if isinstance(first, genesis.Tensor):
        return _stack(batch)
    if isinstance(first, np.ndarray | np.generic):
        array = np.asarray(first)
        if array.dtype.kind not in "biuf":
            raise TypeError(
                f"default_collate takes arrays of numbers and bools, got an array of {array.dtype}"
            )
        return _stack([genesis.from_numpy(np.array(sample)) for sample in batch])
    if isinstance(first, bool):
        return genesis.tensor(batch, dtype=bool_)
    if isinstance(first, int):
        return genesis.tensor(batch, dtype=genesis.int64)
    if isinstance(first, float):
        return genesis.tensor(batch, dtype=genesis.float64)
    if isinstance(first, str | bytes):
        return list(batch)
    if isinstance(first, Mapping):
        return _rebuild(first, {key: default_collate([sample[key] for sample in batch]) for key in first})
    if isinstance(first, Sequence):
        lengths = {len(sample) for sample in batch}
        if len(lengths) > 1:
            raise ShapeError(
                f"samples of one batch must have equally many fields, got {sorted(lengths)}; "
                "pad them, or pass a collate_fn of your own"
            )
        fields = [default_collate(list(field)) for field in zip(*batch, strict=True)]
        if hasattr(first, "_fields"):
            return type(first)(*fields)
        return fields if isinstance(first, tuple) else _rebuild(first, fields)
    raise TypeError(
        f"default_collate takes tensors, NumPy arrays, numbers, strings, dicts and lists, got {type(first)}; "
        "pass a collate_fn of your own to DataLoader"
    )


def default_convert(sample: Any) -> Any:
    """Make the NumPy arrays in a single sample tensors and leave everything else; for loaders without
    batches."""
    if isinstance(sample, np.ndarray | np.generic):
        array = np.array(sample)
        return genesis.from_numpy(array) if array.dtype.kind in "biuf" else sample
    if isinstance(sample, Mapping):
        return _rebuild(sample, {key: default_convert(value) for key, value in sample.items()})
    if isinstance(sample, tuple) and hasattr(sample, "_fields"):
        return type(sample)(*(default_convert(field) for field in sample))
    if isinstance(sample, list | tuple):
        return [default_convert(field) for field in sample]
    return sample


def _stack(tensors: Sequence[genesis.Tensor]) -> genesis.Tensor:
    shapes = sorted({tuple(tensor.shape) for tensor in tensors})
    if len(shapes) > 1:
        raise ShapeError(
            f"samples of one batch must have equal shapes, got {', '.join(map(str, shapes))}; "
            "pad them, or pass a collate_fn of your own"
        )
    return genesis.stack(tensors)


def _rebuild(like: Any, content: Any) -> Any:
    make: Callable[[Any], Any] = type(like)
    try:
        return make(content)
    except TypeError:  # for instance a range, or a class with other arguments
        return content
