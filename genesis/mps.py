"""What scripts ask about the device ``mps``; it is there when a plugin supplies it and it can be used."""

from __future__ import annotations

from typing import Any

from genesis import _random
from genesis._accelerators import count, no_devices
from genesis._device import device as Device
from genesis._lazy import missing


def is_available() -> bool:
    """True when the device can be used."""
    return count("mps") > 0


def device_count() -> int:
    """How many devices there are."""
    return count("mps")


def synchronize(device: Any = None) -> None:
    """Wait until all work given to the device is done.

    Raises:
        DeviceError: there is none.
    """
    if not is_available():
        raise no_devices("mps")
    Device("mps").backend.synchronize()


def empty_cache() -> None:
    """Accepted: a device hands its memory back by itself."""


def manual_seed(seed: int) -> None:
    """As ``genesis.manual_seed``: all devices draw from one generator; nothing without the device."""
    if is_available():
        _random.manual_seed(seed)


def seed() -> None:
    """As ``genesis.seed``; nothing without the device."""
    if is_available():
        _random.seed()


TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
