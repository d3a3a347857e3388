"""Data parallel models on one device: scripts that wrap theirs run, and their files keep their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from genesis._lazy import missing
from genesis.nn.module import Module

TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder


def _one(devices: Sequence[Any] | None) -> None:
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
        _one(device_ids)
        self.module = module
        self.dim, self.device_ids, self.output_device = dim, list(device_ids or ()), output_device

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """The model's result."""
        return self.module(*inputs, **kwargs)


class DistributedDataParallel(Module):
    """A model as its attribute ``module``, called as it is: the group has one process (genesis.distributed).

    Args:
        module: the model; in a ``state_dict`` its names begin with ``module.``.
        device_ids: at most one device.
        output_device, dim, broadcast_buffers, find_unused_parameters, static_graph, options: accepted for
            compatibility; they have no effect.

    Raises:
        ValueError: ``genesis.distributed.init_process_group`` has not been called.
        RuntimeError: no parameter requires a gradient.
        NotImplementedError: several devices are named.
    """

    def __init__(
        self,
        module: Module,
        device_ids: Sequence[Any] | None = None,
        output_device: Any = None,
        dim: int = 0,
        broadcast_buffers: bool = True,
        init_sync: bool = True,
        process_group: Any = None,
        bucket_cap_mb: Any = None,
        find_unused_parameters: bool = False,
        check_reduction: bool = False,
        gradient_as_bucket_view: bool = False,
        static_graph: bool = False,
        **options: Any,
    ) -> None:
        from genesis import distributed

        super().__init__()
        distributed.get_world_size()  # asks for a group
        if not any(p.requires_grad for p in module.parameters()):
            raise RuntimeError(
                "DistributedDataParallel is not needed when a module doesn't have any parameter that "
                "requires a gradient."
            )
        _one(device_ids)
        self.module = module
        self.dim, self.device_ids, self.output_device = dim, device_ids, output_device
        self.broadcast_buffers, self.find_unused_parameters = broadcast_buffers, find_unused_parameters
        self.static_graph, self.require_backward_grad_sync = static_graph, True

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """The model's result."""
        return self.module(*inputs, **kwargs)

    @contextmanager
    def no_sync(self) -> Iterator[None]:
        """Steps that only accumulate gradients; there is nothing to leave out."""
        yield

    @contextmanager
    def join(self, *options: Any, **named: Any) -> Iterator[None]:
        """Steps with different numbers of batches in each process; there is one."""
        yield


def data_parallel(
    module: Module,
    inputs: Any,
    device_ids: Sequence[Any] | None = None,
    output_device: Any = None,
    dim: int = 0,
    module_kwargs: Any = None,
) -> Any:
    """``module(*inputs, **module_kwargs)``; a single input needs no tuple."""
    _one(device_ids)
    return module(*(inputs if isinstance(inputs, tuple) else (inputs,)), **(module_kwargs or {}))
