"""Data parallel models in one process, which has one device: scripts that use them run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genesis.nn.module import Module


def check_one(devices: Sequence[Any] | None) -> None:
    if devices is not None and len(devices) > 1:
        raise NotImplementedError(
            f"a batch is not spread over several devices, got {list(devices)}; leave device_ids away"
        )


class DataParallel(Module):
    """A model as its attribute ``module``, called as it is: there is one device to run on.

    Args:
        module: the model; in a ``state_dict`` its names begin with ``module.``.
        device_ids: at most one device.
        output_device, dim: accepted for compatibility.

    Raises:
        NotImplementedError: several devices are named.
    """

    def __init__(
        self, module: Module, device_ids: Sequence[Any] | None = None, output_device: Any = None, dim: int = 0
    ) -> None:
        super().__init__()
        check_one(device_ids)
        self.module = module
        self.dim, self.device_ids, self.output_device = dim, list(device_ids or ()), output_device

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """The model's result."""
        return self.module(*inputs, **kwargs)


def data_parallel(
    module: Module,
    inputs: Any,
    device_ids: Sequence[Any] | None = None,
    output_device: Any = None,
    dim: int = 0,
    module_kwargs: Any = None,
) -> Any:
    """``module(*inputs, **module_kwargs)``; a single input needs no tuple."""
    check_one(device_ids)
    return module(*(inputs if isinstance(inputs, tuple) else (inputs,)), **(module_kwargs or {}))
