"""Which devices besides ``cpu`` can be used here."""

from __future__ import annotations

from genesis._device import _counts, device
from genesis._errors import GenesisError


def count(name: str) -> int:
    """How many devices of a kind there are; 0 when no plugin supplies it or it cannot be used."""
    try:
        _ = device(name).backend
    except (GenesisError, ImportError, OSError, ValueError):
        return 0
    return _counts[device(name).type]


def current() -> str | None:
    """The name of the first device that can be used and is neither ``cpu`` nor one for tests."""
    from genesis.plugin import list_backends

    for name in list_backends():
        if name not in ("cpu", "ref") and count(name):
            return name
    return None


def no_devices(name: str) -> GenesisError:
    """The error of what needs a device of a kind that is not there."""
    from genesis._errors import DeviceError

    return DeviceError(f"no device {name!r} can be used here; `genesis plugins` lists what is installed")
