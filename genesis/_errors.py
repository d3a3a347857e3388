"""The exceptions and warnings of Genesis.

Every error is a `GenesisError`; each also inherits from the built-in exception that PyTorch or Python raises
in the same situation, so code that catches those keeps working.
"""

from __future__ import annotations

__all__ = [
    "AmbiguousNameError",
    "CheckpointError",
    "DataError",
    "DeviceError",
    "GenesisError",
    "OutOfMemoryError",
    "PluginError",
    "PluginWarning",
    "ShapeError",
    "UnknownNameError",
]


class GenesisError(Exception):
    """Base class of every error that Genesis raises on purpose."""


class ShapeError(GenesisError, RuntimeError):
    """Shapes do not fit together; the message names all of them."""


class OptionError(GenesisError, ValueError, RuntimeError):
    """An option has none of its possible values (PyTorch raises one or the other of the built-in errors)."""


class FitError(ShapeError, ValueError, AssertionError, IndexError):
    """Data sets, or options of a loader, do not fit together (PyTorch raises one or another of these)."""


class OutOfMemoryError(GenesisError, RuntimeError, MemoryError):
    """A device has no memory left: what scripts catch to go on with a smaller batch."""

    @classmethod
    def of(cls, device: str, nbytes: int) -> OutOfMemoryError:
        """The error of a device that was asked for so many bytes."""
        return cls(
            f"the device {device!r} cannot allocate {nbytes} bytes ({nbytes / 2**30:.1f} GiB); use smaller "
            "batches, or operations that make no tensor of this size"
        )


class DeviceError(GenesisError, RuntimeError):
    """A device is missing, unavailable, or tensors lie on different devices."""


class CheckpointError(GenesisError, RuntimeError):
    """A checkpoint cannot be written or read; an existing file is left as it was."""


class StateError(CheckpointError, ValueError, LookupError, TypeError):
    """What was given to a ``load_state_dict`` is no state of this object."""


class DataError(GenesisError, RuntimeError):
    """A data set is missing, truncated or not what its name says."""


class MissingDataError(DataError, FileNotFoundError):
    """The files of a data set are not there; the message says which, and where they are looked for."""


class UnknownNameError(GenesisError, LookupError):
    """No plugin supplies this name; the message has near misses and the plugins that failed to load."""


class AmbiguousNameError(GenesisError, LookupError):
    """Several distributions supply this name and the user has not chosen one."""


class PluginError(GenesisError, ImportError):
    """A plugin, or the object that it promised, cannot be imported; the message says whose it is."""


class PluginWarning(UserWarning):
    """A plugin could not be used; Genesis goes on without it."""
