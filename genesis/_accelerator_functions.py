"""What ``genesis.cuda``, ``genesis.mps`` and ``genesis.xpu`` have in common."""

from __future__ import annotations

from typing import Any

from genesis import _random
from genesis._accelerators import count, no_devices
from genesis._device import device as Device


class Accelerator:
    """What scripts ask about the device of a name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def is_available(self) -> bool:
        """True when the device can be used."""
        return count(self.name) > 0

    def device_count(self) -> int:
        """How many devices there are."""
        return count(self.name)

    def synchronize(self, device: Any = None) -> None:
        """Wait until all work given to the device is done.

        Raises:
            DeviceError: there is none.
        """
        if not self.is_available():
            raise no_devices(self.name)
        Device(self.name).backend.synchronize()

    def empty_cache(self) -> None:
        """Give back the memory that is kept for tensors to come; nothing without the device."""
        if self.is_available():
            Device(self.name).backend.empty_cache()

    def manual_seed(self, seed: int) -> None:
        """As ``genesis.manual_seed``: all devices draw from one generator; nothing without the device."""
        if self.is_available():
            _random.manual_seed(seed)

    def manual_seed_all(self, seed: int) -> None:
        """As ``manual_seed``."""
        self.manual_seed(seed)

    def seed(self) -> None:
        """As ``genesis.seed``; nothing without the device."""
        if self.is_available():
            _random.seed()
