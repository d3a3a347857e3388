"""What scripts ask about the device ``cuda``; it is there when a plugin supplies it and it can be used."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from genesis import _random
from genesis._accelerator_functions import Accelerator
from genesis._accelerators import count, no_devices
from genesis._device import device as Device
from genesis._errors import OutOfMemoryError as OutOfMemoryError
from genesis._lazy import missing
from genesis.cuda import amp
from genesis.cuda.streams import (
    Event,
    Stream,
    StreamContext,
    current_stream,
    default_stream,
    set_stream,
    stream,
)

_current = [0]
_accelerator = Accelerator("cuda")
is_available, device_count = _accelerator.is_available, _accelerator.device_count
empty_cache = _accelerator.empty_cache
manual_seed, manual_seed_all = _accelerator.manual_seed, _accelerator.manual_seed_all
seed = seed_all = _accelerator.seed


def is_initialized() -> bool:
    """True when the device can be used."""
    return is_available()


def init() -> None:
    """Load the device.

    Raises:
        DeviceError: it cannot be used.
    """
    _number(None)


def current_device() -> int:
    """The number of the device that ``set_device`` chose.

    Raises:
        DeviceError: there is none.
    """
    return _number(None)


def set_device(device: Any) -> None:
    """Choose a device by its number; a negative one does nothing.

    Raises:
        DeviceError: there is none of this number.
    """
    if isinstance(device, int) and device < 0:
        return
    _current[0] = _number(device)


class device:
    """``with genesis.cuda.device(1):`` chooses a device inside.

    Args:
        device: a number or device; None or a negative number does nothing.
    """

    def __init__(self, device: Any) -> None:
        self.idx = -1 if device is None else device

    def __enter__(self) -> None:
        self._before = _current[0]
        set_device(self.idx)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _current[0] = self._before


def get_device_name(device: Any = None) -> str:
    """The name of a device.

    Raises:
        DeviceError: there is none.
    """
    number = _number(device)
    return str(Device("cuda").backend.properties(number).get("name", f"cuda:{number}"))


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """The architecture of a device, such as (9, 0).

    Raises:
        DeviceError: there is none.
        NotImplementedError: the plugin of the device does not say.
    """
    number = _number(device)
    found = Device("cuda").backend.properties(number).get("capability")
    if found is None:
        raise NotImplementedError(
            "genesis.cuda.get_device_capability: not implemented; ask the plugin of the device"
        )
    major, minor = found
    return major, minor


def synchronize(device: Any = None) -> None:
    """Wait until all work given to the device is done.

    Raises:
        DeviceError: there is none.
    """
    _number(device)
    Device("cuda").backend.synchronize()


def ipc_collect() -> None:
    """Accepted: processes share no tensors."""


def initial_seed() -> int:
    """As ``genesis.initial_seed``."""
    return _random.initial_seed()


def get_rng_state(device: Any = "cuda") -> Any:
    """As ``genesis.get_rng_state``.

    Raises:
        DeviceError: there is no such device.
    """
    _number(None)
    return _random.get_rng_state()


def get_rng_state_all() -> list[Any]:
    """The states of all devices; none without the device."""
    return [_random.get_rng_state() for _ in range(device_count())]


def set_rng_state(new_state: Any, device: Any = "cuda") -> None:
    """As ``genesis.set_rng_state``; nothing without the device."""
    if is_available():
        _random.set_rng_state(new_state)


def set_rng_state_all(new_states: Any) -> None:
    """As ``set_rng_state``."""
    for state in new_states:
        set_rng_state(state)


def memory_stats(device: Any = None) -> dict[str, Any]:
    """What is counted of the memory of all devices together; nothing without the device."""
    return dict(Device("cuda").backend.memory_stats()) if is_available() else {}


def memory_allocated(device: Any = None) -> int:
    """Bytes that tensors use, on all devices together; 0 without the device."""
    return int(memory_stats().get("allocated_bytes.all.current", 0))


def max_memory_allocated(device: Any = None) -> int:
    """The most bytes that tensors have used, as far as the device counts it."""
    return int(memory_stats().get("allocated_bytes.all.peak", 0))


def memory_reserved(device: Any = None) -> int:
    """Bytes that tensors use, and that are kept for tensors to come."""
    return int(memory_stats().get("reserved_bytes.all.current", 0))


def max_memory_reserved(device: Any = None) -> int:
    """The most bytes that were reserved, as far as the device counts it."""
    return int(memory_stats().get("reserved_bytes.all.peak", 0))


memory_cached, max_memory_cached = memory_reserved, max_memory_reserved


def reset_peak_memory_stats(device: Any = None) -> None:
    """Accepted; what was the most stays the most."""


reset_max_memory_allocated = reset_max_memory_cached = reset_peak_memory_stats


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """True where there is a device: every one keeps the type and computes with it in float32."""
    return is_available()


def _number(device: Any) -> int:
    there = count("cuda")
    if device is None:
        found = _current[0]
    elif isinstance(device, int):
        found = device
    else:
        found = Device(device).index or 0
    if not 0 <= found < there:
        raise no_devices("cuda" if not there else f"cuda:{found}")
    return found


__all__ = [
    "Event", "Stream", "StreamContext", "amp", "current_device", "current_stream", "default_stream", "device",
    "device_count", "is_available", "manual_seed", "set_stream", "stream", "synchronize",
]  # fmt: skip

TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
