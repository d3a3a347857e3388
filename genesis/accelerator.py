"""The device of the first plugin that supplies one besides ``cpu``, whatever its name."""

from __future__ import annotations

from typing import Any

from genesis._accelerators import count, current
from genesis._device import device as Device
from genesis._errors import DeviceError
from genesis._lazy import missing


def is_available() -> bool:
    """True when there is a device besides ``cpu`` that can be used."""
    return current() is not None


def current_accelerator(check_available: bool = False) -> Device | None:
    """The device, or None.

    Args:
        check_available: accepted: what cannot be used is never returned.
    """
    name = current()
    return None if name is None else Device(name)


def device_count() -> int:
    """How many devices of this kind there are."""
    name = current()
    return 0 if name is None else count(name)


def current_device_index() -> int:
    """The number of the device in use: 0.

    Raises:
        DeviceError: there is none.
    """
    _found()
    return 0


def synchronize(device: Any = None) -> None:
    """Wait until all work given to the device is done.

    Raises:
        DeviceError: there is none.
    """
    Device(_found() if device is None else device).backend.synchronize()


def current_stream(device: Any = None) -> Any:
    """The ``genesis.Stream`` that this thread works in.

    Args:
        device: a device, the number of one, or None.

    Raises:
        DeviceError: there is none.
        NotImplementedError: the device has one stream.
    """
    from genesis import _streams

    return _streams.current_stream(device)


def set_stream(stream: Any) -> None:
    """Let this thread work in a stream from now on."""
    from genesis import _streams

    _streams.set_stream(stream)


def memory_stats(device: Any = None) -> dict[str, int]:
    """What a device counts of its memory; nothing where it counts none.

    ``allocated_bytes.all.current`` is what tensors use, ``reserved_bytes.all.current`` that and what is kept
    for tensors to come, ``num_device_alloc`` how often new memory was asked for: a warm training step does
    not.

    Args:
        device: which; ``"cpu"`` will do, too.

    Raises:
        DeviceError: there is none.
    """
    return Device(_found() if device is None else device).backend.memory_stats()


def memory_allocated(device: Any = None) -> int:
    """Bytes that tensors use; 0 where a device does not count.

    Args:
        device: as for ``memory_stats``.
    """
    return memory_stats(device).get("allocated_bytes.all.current", 0)


def memory_reserved(device: Any = None) -> int:
    """Bytes that tensors use, and that are kept for those to come; 0 where a device does not count.

    Args:
        device: as for ``memory_stats``.
    """
    return memory_stats(device).get("reserved_bytes.all.current", 0)


def empty_cache(device: Any = None) -> None:
    """Give back the memory that is kept for tensors to come.

    Args:
        device: the accelerator where there is one, or ``"cpu"``.
    """
    name = current() if device is None else device
    if name is not None:
        Device(name).backend.empty_cache()


def _found() -> str:
    name = current()
    if name is None:
        raise DeviceError("there is no accelerator; `genesis plugins` lists the devices that are installed")
    return name


TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
