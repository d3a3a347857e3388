"""Devices: a name, an index, and the backend that a plugin supplies for the name."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from genesis._errors import DeviceError, UnknownNameError

if TYPE_CHECKING:
    from genesis.backend.base import Backend

_known: dict[tuple[str, int | None], device] = {}
_backends: dict[str, Backend] = {}
_counts: dict[str, int] = {}  # how many devices a loaded backend has
_lock = threading.RLock()
_watch: list[Any] = []  # in anomaly mode, what looks at the results of a backend: a function of it

#: devices of PyTorch: these can be named without a plugin that supplies them, and used only with one
_OF_TORCH = frozenset(
    {
        *("cuda", "fpga", "hip", "hpu", "ideep", "ipu", "lazy", "maia", "meta", "mkldnn", "mps", "mtia"),
        *("opencl", "opengl", "privateuseone", "ve", "vulkan", "xla", "xpu"),
    }
)


class _Local(threading.local):
    defaults: tuple[device, ...] = ()  # of the contexts that are open, the innermost last


_local = _Local()


class device:
    """A place where tensors live, for instance ``genesis.device("cpu")`` or ``genesis.device("cuda", 1)``.

    As a context manager it is the device of new tensors: ``with genesis.device("cpu"):``.

    Args:
        type: name of an installed device (``genesis.list_backends()`` has them), with an optional ``:index``,
            and ``distribution:`` before it where several supply it; or a device, which is returned as it
            is. A device of PyTorch's, such as ``"cuda:0"``, can be named although no plugin supplies it;
            to put a tensor on it is an error then. A number is that of a device of the first accelerator.
        index: number of the device among those of its kind.

    Raises:
        UnknownNameError: no plugin supplies a device of this name.
        ValueError: what stands before or after a colon makes no sense.
        DeviceError: the index is negative, or there is no accelerator.
    """

    __slots__ = ("_backend", "index", "type")

    type: str
    index: int | None
    _backend: Backend | None

    def __new__(cls, type: str | device | int, index: int | None = None) -> device:
        if isinstance(type, device):
            return type
        if isinstance(type, int) and not isinstance(type, bool):
            from genesis._accelerators import current

            accelerator = current()
            if accelerator is None:
                raise DeviceError(
                    f"device({type}) is one of an accelerator, and there is none; name a device"
                )
            return device(accelerator, type)
        if not isinstance(type, str):
            raise TypeError(f"a device is named by a string such as 'cpu', got {type!r}")
        found = _known.get((type, index))
        if found is not None:
            return found
        if index is not None and index < 0:
            raise DeviceError(f"the index of a device is not negative, got {index}")
        name, colon, number = type.rpartition(":")
        if not (colon and number.isdigit()):
            name = type
        elif index is not None:
            raise ValueError(f"device {type!r} has an index, and {index!r} is given besides; leave one out")
        else:
            index = int(number)
        from genesis.plugin import registry  # the registry costs a few ms: only for those who name a device

        try:
            name = str(registry("backends").find(name))
        except UnknownNameError:
            if ":" not in name and name not in _OF_TORCH:
                raise
            if name not in _OF_TORCH:
                raise ValueError(
                    f"invalid device {type!r}: a colon is followed by an index, as in 'cuda:1', or by "
                    f"the name "
                    "of a device after that of a distribution, as in 'acme-devices:cuda'"
                ) from None
        with _lock:
            found = _known.get((name, index))
            if found is None:
                found = object.__new__(cls)
                found.type, found.index, found._backend = name, index, None
                _known[(name, index)] = found
        return found

    @property
    def backend(self) -> Backend:
        """The backend, loaded on first use.

        Raises:
            DeviceError: the backend says that it cannot be used here, or has fewer devices than the index
                asks for; the message has its reason.
        """
        if self._backend is None:
            backend = _load(self.type)
            if self.index is not None and self.index >= _counts[self.type]:
                there = _counts[self.type]
                raise DeviceError(
                    f"there is no device {str(self)!r}: {self.type!r} has {there} here, "
                    f"{f'numbers 0 to {there - 1}' if there > 1 else 'number 0'}"
                )
            self._backend = backend
        return self._backend

    def __enter__(self) -> device:
        _local.defaults = (*_local.defaults, self)
        return self

    def __exit__(self, *error: object) -> None:
        _local.defaults = _local.defaults[:-1]

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{index})"

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, str) and str(self) == other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __reduce__(self) -> tuple[Any, tuple[str, int | None]]:
        return device, (self.type, self.index)

    def __deepcopy__(self, memo: object) -> device:
        return self


def _load(name: str) -> Backend:
    with _lock:
        backend = _backends.get(name)
        if backend is None:
            from genesis.plugin import registry

            try:
                backend = registry("backends").resolve(name)()
            except UnknownNameError as error:
                if name not in _OF_TORCH:
                    raise
                raise DeviceError(
                    f"no plugin supplies the device {name!r}, so there can be no tensors on it: {error}"
                ) from None
            available = backend.probe()
            if not available.ok:
                raise DeviceError(f"device {name!r} cannot be used here: {available.reason}")
            backend._known_as, _counts[name] = name, available.devices
            for watched in _watch:
                backend = watched(backend)
            _backends[name] = backend
        return backend


_default: list[device] = []


def get_default_device() -> device:
    """The device of new tensors (``cpu`` unless changed)."""
    if _local.defaults:
        return _local.defaults[-1]
    if not _default:
        _default.append(device("cpu"))
    return _default[0]


def set_default_device(d: str | device | None) -> None:
    """Make ``d`` the device of new tensors; None means ``cpu`` again."""
    _default[:] = [] if d is None else [device(d)]
