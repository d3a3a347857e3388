"""The learning-rate schedules once more, at the address that PyTorch has for them."""

from __future__ import annotations

from genesis.optim._namespace import Namespace

_NAMESPACE = Namespace(
    __name__,
    own={"LRScheduler": "genesis.optim._scheduler:LRScheduler"},
    kinds=("schedulers",),
)

__getattr__ = _NAMESPACE.getattr
__dir__ = _NAMESPACE.dir
