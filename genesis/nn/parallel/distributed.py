"""A model that several processes train together, each on its part of every batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from genesis import distributed
from genesis._tensor import Tensor
from genesis.autograd.grad_mode import state
from genesis.distributed import DistributedError, ProcessGroup
from genesis.distributed._memory import common_place, communicator_for, joined, spread
from genesis.distributed._messages import all_objects
from genesis.nn.module import Module
from genesis.nn.parallel._reducer import Reducer
from genesis.nn.parallel.data_parallel import check_one

#: megabytes of a bucket of gradients, and of the one that is ready first
BUCKET_MB, FIRST_MB = 4.0, 1.0


class DistributedDataParallel(Module):
    """A model as its attribute ``module``, of which every process has a copy; their gradients are averaged.

    At the start the parameters and buffers of rank 0 are copied to all. In the backward pass the gradients
    are put into flat buckets, and each bucket is added up over all processes as soon as it is full, while
    the backward pass goes on. When ``backward`` returns, every parameter has the mean of the processes'
    gradients: with the mean over a batch as loss, and parts of equal size, that of the whole batch. As all
    take the same steps, their parameters stay the same.

    Args:
        module: the model; in a ``state_dict`` its names begin with ``module.``.
        device_ids: at most one device.
        output_device, dim, check_reduction: accepted for compatibility.
        broadcast_buffers: copy the buffers of rank 0 to all before each forward pass.
        init_sync: compare the models and copy the parameters of rank 0 at the start.
        process_group: the processes; None for all.
        bucket_cap_mb: megabytes of a bucket; the default is 4, and 1 for the first.
        find_unused_parameters: look in each forward pass for parameters that are not used. Without, it is an
            error, which names them, if a parameter gets no gradient.
        gradient_as_bucket_view: let gradients be views of the buckets, which spares memory and a copy. They
            are overwritten by the next backward pass.
        static_graph: as ``find_unused_parameters``.
        options: of PyTorch, that have no meaning here: refused unless they are None or false.

    Raises:
        ValueError: ``genesis.distributed.init_process_group`` has not been called.
        RuntimeError: no parameter requires a gradient.
        DistributedError: the processes have different models; it names the first difference.
        NotImplementedError: several devices are named, or an option that is not implemented.

    Example:
        >>> dist.init_process_group()
        >>> model = DistributedDataParallel(model)
        >>> loader = DataLoader(data, batch_size=32, sampler=DistributedSampler(data))

    Reference: Li et al., "PyTorch Distributed", VLDB 2020, arXiv:2006.15704.
    """

    def __init__(
        self,
        module: Module,
        device_ids: Sequence[Any] | None = None,
        output_device: Any = None,
        dim: int = 0,
        broadcast_buffers: bool | None = None,
        init_sync: bool = True,
        process_group: Any = None,
        bucket_cap_mb: float | None = None,
        find_unused_parameters: bool = False,
        check_reduction: bool = False,
        gradient_as_bucket_view: bool = False,
        static_graph: bool = False,
        **options: Any,
    ) -> None:
        super().__init__()
        whole = distributed.get_world_size()  # asks for a group
        ignored = set(getattr(module, "_ddp_params_and_buffers_to_ignore", ()))
        named = [(n, p) for n, p in module.named_parameters() if p.requires_grad and n not in ignored]
        if not named:
            raise RuntimeError(
                "DistributedDataParallel is not needed when a module doesn't have any parameter that "
                "requires a gradient."
            )
        check_one(device_ids)
        for option, value in options.items():
            if value not in (None, False):
                raise NotImplementedError(f"DistributedDataParallel({option}={value!r}); leave it out")
        self.module = module
        self.dim, self.device_ids, self.output_device = dim, device_ids, output_device
        self.broadcast_buffers = broadcast_buffers is not False
        self.find_unused_parameters, self.static_graph = find_unused_parameters, static_graph
        self.gradient_as_bucket_view = gradient_as_bucket_view
        self.require_backward_grad_sync = True
        group = process_group if process_group is not None else distributed.group.WORLD
        assert isinstance(group, ProcessGroup), whole
        self.process_group = group
        self._buffers_shared = [b for n, b in module.named_buffers() if n not in ignored]
        self._reducer: Reducer | None = None
        if group.size() == 1:
            return
        if init_sync:
            every = [(n, p) for n, p in module.named_parameters() if n not in ignored]
            _compare(group, every)
            _copy([p for _, p in every], group, "the parameters of DistributedDataParallel")
            _copy(self._buffers_shared, group, "the buffers of DistributedDataParallel")
        cap = int((bucket_cap_mb if bucket_cap_mb is not None else BUCKET_MB) * 2**20)
        first = min(cap, int(FIRST_MB * 2**20))
        unused = find_unused_parameters or static_graph
        self._reducer = Reducer(named, group, cap, first, unused, gradient_as_bucket_view)

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """The model's result."""
        reducer = self._reducer
        if reducer is None:
            return self.module(*inputs, **kwargs)
        if self.broadcast_buffers and self.require_backward_grad_sync and self._buffers_shared:
            _copy(self._buffers_shared, self.process_group, "the buffers before a forward pass")
        result = self.module(*inputs, **kwargs)
        if state.enabled:
            reducer.active = self.require_backward_grad_sync
            if reducer.active:
                reducer.saw(result)
        return result

    @contextmanager
    def no_sync(self) -> Iterator[None]:
        """Steps that only accumulate gradients: those of passes that begin inside are not averaged.

        The first pass after it averages all that was accumulated.

        Example:
            >>> with model.no_sync():
            ...     for x, y in batches[:-1]:
            ...         loss(model(x), y).backward()
            >>> loss(model(batches[-1][0]), batches[-1][1]).backward()
        """
        before, self.require_backward_grad_sync = self.require_backward_grad_sync, False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before

    @contextmanager
    def join(
        self,
        divide_by_initial_world_size: bool = True,
        enable: bool = True,
        throw_on_early_termination: bool = False,
    ) -> Iterator[None]:
        """Steps with different numbers of batches in each process, which only a group of one can have.

        Raises:
            NotImplementedError: there are several processes; a ``DistributedSampler`` gives each as many
                batches as the others.
        """
        if enable and self._reducer is not None:
            raise NotImplementedError(
                "DistributedDataParallel.join(): give all processes as many batches, with DistributedSampler"
            )
        yield

    def register_comm_hook(self, state: object, hook: Any) -> None:
        """PyTorch's way to send gradients in another form.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("register_comm_hook: gradients are sent as they are; leave this call out")


def _copy(tensors: Sequence[Tensor], group: ProcessGroup, what: str) -> None:
    """Copy the tensors of the first process to all, those of one kind in one message."""
    kinds: dict[Any, list[Tensor]] = {}
    for t in tensors:
        kinds.setdefault((t.dtype, t.device), []).append(t)

    def call() -> None:
        for same in kinds.values():
            communicator = communicator_for(group, same[0])
            array = joined(same, communicator)
            communicator.broadcast(array, 0)
            if group.rank():
                spread(same, array)

    if tensors:
        group.run(what, call, place=common_place(tensors))


def _compare(group: ProcessGroup, named: Sequence[tuple[str, Tensor]]) -> None:
    """See that the models of all processes have the same parameters.

    Raises:
        DistributedError: they have not.
    """
    mine = [(n, tuple(p.shape), str(p.dtype), p.requires_grad) for n, p in named]
    all_ = group.run("DistributedDataParallel(model)", lambda: all_objects(group, mine))
    for rank, theirs in zip(group.ranks, all_, strict=True):
        if theirs == all_[0]:
            continue
        pairs = [(a, b) for a, b in zip(all_[0], theirs, strict=False) if a != b]
        if pairs:
            (name, shape, kind, wants), (other, *rest) = pairs[0]
            first = f"{name} {shape} {kind}, requires_grad={wants}"
            second = f"{other} {rest[0]} {rest[1]}, requires_grad={rest[2]}"
        else:
            first, second = f"{len(all_[0])} parameters", f"{len(theirs)}"
        raise DistributedError(
            f"the processes have different models: rank {group.ranks[0]} has {first}, and rank {rank} has "
            f"{second}"
        )
