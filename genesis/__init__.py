"""Genesis: a deep-learning framework whose devices, optimizers and schedules are plugins.

Every public name is imported when it is first used, so `import genesis` costs a few milliseconds.
"""

from __future__ import annotations

from genesis._lazy import attach

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same names once more, for editors and type checkers
    from genesis import autograd as autograd
    from genesis import backend as backend
    from genesis import checkpoint as checkpoint
    from genesis import data as data
    from genesis import nn as nn
    from genesis import ops as ops
    from genesis import optim as optim
    from genesis import plugin as plugin
    from genesis import testing as testing
    from genesis._errors import AmbiguousNameError as AmbiguousNameError
    from genesis._errors import CheckpointError as CheckpointError
    from genesis._errors import DataError as DataError
    from genesis._errors import DeviceError as DeviceError
    from genesis._errors import GenesisError as GenesisError
    from genesis._errors import PluginError as PluginError
    from genesis._errors import PluginWarning as PluginWarning
    from genesis._errors import ShapeError as ShapeError
    from genesis._errors import UnknownNameError as UnknownNameError
    from genesis.plugin import list_backends as list_backends
    from genesis.plugin import list_optimizers as list_optimizers
    from genesis.plugin import list_schedulers as list_schedulers

_MODULES = ("autograd", "backend", "checkpoint", "data", "nn", "ops", "optim", "plugin", "testing")

_NAMES = {
    "genesis._errors": (
        "AmbiguousNameError",
        "CheckpointError",
        "DataError",
        "DeviceError",
        "GenesisError",
        "PluginError",
        "PluginWarning",
        "ShapeError",
        "UnknownNameError",
    ),
    "genesis.plugin": ("list_backends", "list_optimizers", "list_schedulers"),
}

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        **{name: f"genesis.{name}" for name in _MODULES},
        **{name: f"{module}:{name}" for module, names in _NAMES.items() for name in names},
    },
)
