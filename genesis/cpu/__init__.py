"""The device ``cpu`` by PyTorch's name of the module; ``genesis.cpu.amp`` is ``genesis.amp`` for it."""

from __future__ import annotations

from typing import Any

from genesis._device import device as Device
from genesis._lazy import missing
from genesis.cpu import amp


def is_available() -> bool:
    """True."""
    return True


def device_count() -> int:
    """1: the host is one device."""
    return 1


def current_device() -> str:
    """``"cpu"``."""
    return "cpu"


def synchronize(device: Any = None) -> None:
    """Wait until the step of an optimizer that runs on is over; all else is over when it returns."""
    Device("cpu").backend.synchronize()


__all__ = ["amp", "current_device", "device_count", "is_available", "synchronize"]

TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
