"""Optimizers and learning-rate schedules.

The base classes are here; every concrete optimizer and schedule comes from a plugin and is an attribute of
this module under the name that the plugin declares, imported when it is first used.
"""

from __future__ import annotations

from genesis.optim._namespace import Namespace

_NAMESPACE = Namespace(
    __name__,
    own={
        "EPOCH_DEPRECATION_WARNING": "genesis.optim._scheduler:EPOCH_DEPRECATION_WARNING",
        "Explanation": "genesis.optim._schedule:Explanation",
        "JoinedLR": "genesis.optim._chains:JoinedLR",
        "LRScheduler": "genesis.optim._scheduler:LRScheduler",
        "MetricSchedule": "genesis.optim._metric:MetricSchedule",
        "Optimizer": "genesis.optim._optimizer:Optimizer",
        "ParamScheduler": "genesis.optim._param_scheduler:ParamScheduler",
        "ProductLR": "genesis.optim._chains:ProductLR",
        "RateChange": "genesis.optim._rates:RateChange",
        "Schedule": "genesis.optim._schedule:Schedule",
        "SchedulerType": "genesis.optim._get_scheduler:SchedulerType",
        "create_optimizer": "genesis.optim._create:create_optimizer",
        "create_scheduler": "genesis.optim._create:create_scheduler",
        "get_scheduler": "genesis.optim._get_scheduler:get_scheduler",
        "lr_range_test": "genesis.optim._range_test:lr_range_test",
        "lr_scheduler": "genesis.optim.lr_scheduler",
        "optimizer": "genesis.optim.optimizer",
        "swa_utils": "genesis.optim.swa_utils",
        "to_steps": "genesis.optim._lengths:to_steps",
        "training_length": "genesis.optim._lengths:training_length",
    },
    kinds=("optimizers", "schedulers"),
)

__getattr__ = _NAMESPACE.getattr
__dir__ = _NAMESPACE.dir
