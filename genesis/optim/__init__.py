"""Optimizers and learning-rate schedules.

The base classes are here; every concrete optimizer and schedule comes from a plugin and is an attribute of
this module under the name that the plugin declares, imported when it is first used.
"""

from __future__ import annotations

from genesis.optim._namespace import Namespace

_NAMESPACE = Namespace(
    __name__,
    own={
        "LRScheduler": "genesis.optim._scheduler:LRScheduler",
        "Optimizer": "genesis.optim._optimizer:Optimizer",
        "Schedule": "genesis.optim._schedule:Schedule",
        "create_optimizer": "genesis.optim._create:create_optimizer",
        "create_scheduler": "genesis.optim._create:create_scheduler",
        "lr_scheduler": "genesis.optim.lr_scheduler",
    },
    kinds=("optimizers", "schedulers"),
)

__getattr__ = _NAMESPACE.getattr
__dir__ = _NAMESPACE.dir
