"""The GPUs of this machine: each with its context, its stream, its memory and what was loaded into it.

All calls of NVIDIA's driver go through ``call``; in the simulator, ``_fake_driver`` answers them.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

from genesis import DeviceError
from genesis_cuda._available import devices
from genesis_cuda._sizes import SIMULATED

OUT_OF_MEMORY = 2
_MAJOR, _MINOR, _PROCESSORS = 75, 76, 16  # attributes of a device: its architecture, and how many processors


class DriverError(DeviceError):
    """A call of the driver has failed; ``code`` is its reason."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


@cache
def api() -> Any:
    """The driver's calls, by their names in C."""
    if SIMULATED:
        from genesis_cuda._fake_driver import FakeDriver

        return FakeDriver()
    from cuda.bindings import driver

    return driver


def call(name: str, *args: Any) -> Any:
    """Make a call; what it returns besides its code.

    Raises:
        DriverError: it has failed. A kernel that went wrong is reported by a later call.
    """
    code, *values = getattr(api(), name)(*args)
    if code != 0:
        raise DriverError(f"the CUDA driver's {name} failed: {_text(code)}", int(code))
    return values[0] if len(values) == 1 else values


def _text(code: Any) -> str:
    return getattr(code, "name", f"error {int(code)}")


class Unit:
    """One GPU.

    Attributes:
        index: its number, as in ``cuda:1``.
        architecture: such as ``"sm_90"``.
        processors: how many of its multiprocessors there are.
        main: the stream in which work waits in line that is given to no other.
        lock: for what threads share.
    """

    def __init__(self, index: int) -> None:
        self.index = index
        self.device = call("cuDeviceGet", index)
        self.context = call("cuDevicePrimaryCtxRetain", self.device)
        self.lock = threading.RLock()
        self.enter()
        major, minor = (call("cuDeviceGetAttribute", _attribute(a), self.device) for a in (_MAJOR, _MINOR))
        self.architecture = f"sm_{major}{minor}"
        self.processors: int = call("cuDeviceGetAttribute", _attribute(_PROCESSORS), self.device)
        name = call("cuDeviceGetName", 256, self.device)
        self.name: str = bytes(name).split(b"\0")[0].decode()
        self.main: Any = call("cuStreamCreate", 1)  # 1: it does not wait for the default stream
        self.kernels: dict[Any, Any] = {}  # what was loaded into its context

    def properties(self) -> dict[str, Any]:
        """What people ask for, with PyTorch's names."""
        self.enter()
        _, total = call("cuMemGetInfo")
        major, minor = divmod(int(self.architecture.removeprefix("sm_")), 10)
        return {
            "name": self.name,
            "capability": (major, minor),
            "total_memory": int(total),
            "multi_processor_count": self.processors,
        }

    def enter(self) -> None:
        """Make this GPU the one that this thread talks to."""
        if _local.unit is not self:
            call("cuCtxSetCurrent", self.context)
            _local.unit = self

    @property
    def stream(self) -> Any:
        """Where the work of this thread waits in line."""
        chosen = _local.streams
        return self.main if chosen is None else chosen.get(self.index, self.main)

    def choose(self, stream: Any) -> None:
        """Let the work of this thread wait in a stream."""
        if _local.streams is None:
            _local.streams = {}
        _local.streams[self.index] = stream

    def synchronize(self) -> None:
        """Wait until the work of this thread's stream is done."""
        self.enter()
        call("cuStreamSynchronize", self.stream)

    def wait(self) -> None:
        """Wait until the work of all streams is done."""
        self.enter()
        call("cuCtxSynchronize")


class _Local(threading.local):
    unit: Unit | None = None
    streams: dict[int, Any] | None = None


_local = _Local()
_units: dict[int, Unit] = {}
_lock = threading.Lock()


def _attribute(number: int) -> Any:
    """The number as the type that the bindings want."""
    kind = getattr(api(), "CUdevice_attribute", int)
    return kind(number)


def unit(index: int) -> Unit:
    """The GPU of a number.

    Raises:
        DeviceError: there is none.
    """
    found = _units.get(index)
    if found is None:
        with _lock:
            found = _units.get(index)
            if found is None:
                there, reason = devices()
                if index >= there:
                    raise DeviceError(f"there is no device cuda:{index}: {reason or f'{there} can be used'}")
                call("cuInit", 0)
                found = _units[index] = Unit(index)
    return found


def opened() -> list[Unit]:
    """The GPUs that have been used."""
    return list(_units.values())
