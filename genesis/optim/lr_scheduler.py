"""The learning-rate schedules once more, at the address that PyTorch has for them."""

from __future__ import annotations

from genesis.optim._namespace import Namespace

_NAMESPACE = Namespace(
    __name__,
    own={
        "EPOCH_DEPRECATION_WARNING": "genesis.optim._scheduler:EPOCH_DEPRECATION_WARNING",
        "_LRScheduler": "genesis.optim._scheduler:_LRScheduler",
        "LRScheduler": "genesis.optim._scheduler:LRScheduler",
        "ParamScheduler": "genesis.optim._param_scheduler:ParamScheduler",
    },
    kinds=("schedulers",),
)

__getattr__ = _NAMESPACE.getattr
__dir__ = _NAMESPACE.dir
__path__: list[str] = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
