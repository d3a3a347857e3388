"""Batches in memory of the host that the accelerator reads by itself."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import genesis
from genesis._accelerators import current
from genesis.data._collate import _rebuilt


def pin_memory(data: Any, device: Any = None) -> Any:
    """The tensors in a batch, however nested, in pinned memory.

    An object with a method ``pin_memory`` is asked for what to use in its place; mappings, tuples, named
    tuples and sequences keep their type; strings and everything else stay as they are.

    Args:
        data: a batch.
        device: accepted for compatibility: the accelerator is meant.
    """
    if isinstance(data, genesis.Tensor) or hasattr(data, "pin_memory"):
        return data.pin_memory()
    if isinstance(data, str | bytes):
        return data
    if isinstance(data, Mapping):
        return _rebuilt(data, {key: pin_memory(value, device) for key, value in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(pin_memory(value, device) for value in data))
    if isinstance(data, Sequence):
        return _rebuilt(data, [pin_memory(value, device) for value in data])
    return data


def pinning(wanted: bool, place: str) -> Callable[[Any], Any] | None:
    """What is done with each batch of a loader: `pin_memory`, or None for nothing.

    Args:
        wanted: the loader's ``pin_memory``.
        place: its ``pin_memory_device``.
    """
    if not wanted:
        return None
    if place:
        _warn(
            "pin_memory_device is deprecated, the current accelerator will be used as the device, "
            f"ignore pin_memory_device='{place}'."
        )
    name = current()
    if name is None:
        _warn(
            "'pin_memory' argument is set as true but no accelerator is found, then device pinned memory "
            "won't be used."
        )
        return None
    if genesis.device(name).backend.pinned((1,), "uint8") is None:
        _warn(
            f"'pin_memory' argument is set as true but not supported on {name!r}, device pinned memory "
            "won't be used."
        )
        return None
    return pin_memory


def _warn(text: str) -> None:
    warnings.warn(text, UserWarning, stacklevel=6)  # the line that goes through the loader
