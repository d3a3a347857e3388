"""Processes that train together, with PyTorch's names.

They are started by MPI, on one machine or on many: ``mpiexec -n 4 python -m mpi4py script.py``. What carries
their messages is a communicator, which is a plugin (``genesis.list_communicators()``); the built-in one is
mpi4py. A script that is started alone is a group of one. ``docs/distributed.md`` is the guide.

GENESIS_DISTRIBUTED_CHECK: With ``0``, an operation no longer looks first whether all processes are about to
    do the same, which costs a small message.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from genesis._lazy import missing
from genesis.distributed import _launch
from genesis.distributed._channel import Work
from genesis.distributed._collectives import (
    all_gather,
    all_gather_coalesced,
    all_gather_into_tensor,
    all_to_all,
    all_to_all_single,
    barrier,
    broadcast,
    gather,
    monitored_barrier,
    scatter,
)
from genesis.distributed._communicator import Communicator
from genesis.distributed._group import (
    DistributedError,
    GroupMember,
    ProcessGroup,
    default_pg_timeout,
    group,
    make_world,
    part,
    world,
)
from genesis.distributed._group import destroy as _destroy
from genesis.distributed._messages import (
    P2POp,
    all_gather_object,
    batch_isend_irecv,
    broadcast_object_list,
    gather_object,
    irecv,
    isend,
    recv,
    recv_object_list,
    scatter_object_list,
    send,
    send_object_list,
)
from genesis.distributed._reductions import (
    ReduceOp,
    all_reduce,
    all_reduce_coalesced,
    reduce,
    reduce_scatter,
    reduce_scatter_tensor,
    supports_complex,
)
from genesis.distributed._taking_part import member

__all__ = [
    "Communicator",
    "DistributedError",
    "GroupMember",
    "P2POp",
    "ProcessGroup",
    "ReduceOp",
    "Work",
    "all_gather",
    "all_gather_coalesced",
    "all_gather_into_tensor",
    "all_gather_object",
    "all_reduce",
    "all_reduce_coalesced",
    "all_to_all",
    "all_to_all_single",
    "barrier",
    "batch_isend_irecv",
    "broadcast",
    "broadcast_object_list",
    "default_pg_timeout",
    "destroy_process_group",
    "gather",
    "gather_object",
    "get_backend",
    "get_backend_config",
    "get_default_backend_for_device",
    "get_global_rank",
    "get_group_rank",
    "get_node_local_rank",
    "get_process_group_ranks",
    "get_rank",
    "get_world_size",
    "group",
    "init_process_group",
    "irecv",
    "is_available",
    "is_backend_available",
    "is_gloo_available",
    "is_initialized",
    "is_mpi_available",
    "is_nccl_available",
    "is_torchelastic_launched",
    "is_ucc_available",
    "isend",
    "monitored_barrier",
    "new_group",
    "new_subgroups",
    "recv",
    "recv_object_list",
    "reduce",
    "reduce_scatter",
    "reduce_scatter_tensor",
    "scatter",
    "scatter_object_list",
    "send",
    "send_object_list",
    "supports_complex",
]

_launch.set_environment()


def is_available() -> bool:
    """True: a script that is started alone can make a group, of one process."""
    return True


def is_initialized() -> bool:
    """Whether ``init_process_group`` has been called."""
    return group.WORLD is not None


def is_torchelastic_launched() -> bool:
    """False."""
    return False


def is_backend_available(backend: str) -> bool:
    """Whether the communicator of this name can be used here; ``"gloo"`` is another name of ``"mpi"``."""
    from genesis.plugin import UnknownNameError, registry

    try:
        found = registry("communicators").find("mpi" if backend.lower() in ("gloo", "ucc") else backend)
    except UnknownNameError:
        return False
    return bool(found.load().probe().ok)


def is_mpi_available() -> bool:
    """Whether mpi4py and an MPI library are installed."""
    return is_backend_available("mpi")


def is_gloo_available() -> bool:
    """As ``is_mpi_available``: scripts that ask for Gloo get MPI."""
    return is_backend_available("mpi")


def is_nccl_available() -> bool:
    """Whether the communicator ``"nccl"`` can be used here."""
    return is_backend_available("nccl")


def is_ucc_available() -> bool:
    """False."""
    return False


def get_default_backend_for_device(device: Any) -> str:
    """``"nccl"`` for a CUDA device, otherwise ``"mpi"``."""
    return "nccl" if str(device).partition(":")[0] == "cuda" else "mpi"


def init_process_group(
    backend: str | None = None,
    init_method: str | None = None,
    timeout: Any = None,
    world_size: int = -1,
    rank: int = -1,
    store: Any = None,
    group_name: str = "",
    pg_options: Any = None,
    device_id: Any = None,
) -> None:
    """Join the processes that were started together; a script that was started alone is a group of one.

    Args:
        backend: the communicator, one of ``genesis.list_communicators()``; the default is ``"mpi"``.
            ``"gloo"`` means ``"mpi"``, and ``"nccl"`` means that where it can be used, otherwise ``"mpi"``
            with a warning. ``"cpu:gloo,cuda:nccl"`` names one for each device.
        timeout: a ``timedelta``, by default 30 minutes: when one operation takes longer than that, all
            processes are ended.
        world_size, rank: how many processes there are and which this is; MPI knows both.
        init_method, store, group_name, pg_options, device_id: accepted for compatibility: MPI has brought
            the processes together.

    Raises:
        RuntimeError: ``world_size``, or the environment's WORLD_SIZE, says that there are several processes,
            and they were not started by MPI; or the communicator cannot be used here.
        ValueError: there is a group already, or the rank does not fit.
    """
    if is_initialized():
        raise ValueError("trying to initialize the default process group twice!")
    size = int(os.environ.get("WORLD_SIZE", 1)) if world_size < 0 else world_size
    number = int(os.environ.get("RANK", 0)) if rank < 0 else rank
    if timeout is not None and not isinstance(timeout, timedelta):
        raise TypeError(f"Expected timeout argument to be of type datetime.timedelta, got {timeout!r}")
    make_world(backend, size, number, timeout or default_pg_timeout)


def destroy_process_group(group: Any = None) -> None:
    """Close a group; None is that of all processes, for which this waits until all are here."""
    _destroy(group)


def _given(of: Any) -> ProcessGroup | None:
    whole = world()
    return whole if of is None else of if isinstance(of, ProcessGroup) else None


def get_backend(group: Any = None) -> str:
    """The name that ``init_process_group`` got."""
    g = _given(group)
    if g is None:
        raise ValueError("Invalid process group specified")
    return g.backend_name


def get_backend_config(group: Any = None) -> str:
    """Which communicator sends what is on which device."""
    g = _given(group)
    if g is None:
        raise ValueError("Invalid process group specified")
    return ",".join(f"{device}:{type(c).__name__.lower()}" for device, c in g.communicators.items())


def get_rank(group: Any = None) -> int:
    """The number of this process among those of the group, or -1 if it is not one of them."""
    g = _given(group)
    return -1 if g is None else g.rank()


def get_world_size(group: Any = None) -> int:
    """How many processes the group has, or -1 if this is not one of them."""
    g = _given(group)
    return -1 if g is None else g.size()


def get_process_group_ranks(group: Any) -> list[int]:
    """The numbers among all processes of the members of a group."""
    g = _given(group)
    return [] if g is None else list(g.ranks)


def get_group_rank(group: Any, global_rank: int) -> int:
    """The number in a group of the process with this number among all."""
    g = _given(group)
    if g is None or global_rank not in g.ranks:
        raise ValueError(f"Global rank {global_rank} is not part of group {group}")
    return g.ranks.index(global_rank)


def get_global_rank(group: Any, group_rank: int) -> int:
    """The number among all processes of the process with this number in a group."""
    g = _given(group)
    if g is None:
        raise ValueError(f"this process is no member of the group {group}")
    return g.ranks[member(g, None, group_rank, "rank", None)]


def get_node_local_rank(fallback_rank: int | None = None) -> int:
    """The number of this process among those of its machine: the environment's LOCAL_RANK.

    Args:
        fallback_rank: the result where there is no LOCAL_RANK; the default is 0.
    """
    return int(os.environ.get("LOCAL_RANK", fallback_rank or 0))


def new_group(
    ranks: Sequence[int] | None = None,
    timeout: Any = None,
    backend: str | None = None,
    pg_options: Any = None,
    use_local_synchronization: bool = False,
    group_desc: str | None = None,
    device_id: Any = None,
    sort_ranks: bool = True,
) -> Any:
    """A group of some processes, to be passed as ``group``; all processes have to call this.

    Args:
        ranks: the members; None for all.
        timeout: as in ``init_process_group``, whose it is by default.
        sort_ranks: number the members by their rank; otherwise in the order of ``ranks``.
        backend, pg_options, use_local_synchronization, group_desc, device_id: accepted for compatibility.

    Returns:
        The group; ``GroupMember.NON_GROUP_MEMBER`` in a process that is none of its members.
    """
    whole = world()
    members = list(whole.ranks) if ranks is None or not len(ranks) else [int(r) for r in ranks]
    members = sorted(members) if sort_ranks else members
    if len(set(members)) != len(members) or not set(members) <= set(whole.ranks):
        raise ValueError(
            f"the ranks should be different numbers below {whole.size()}, as there are so many processes; "
            f"got {members}"
        )
    return part(members, backend, timeout)


def new_subgroups(
    group_size: int | None = None,
    group: Any = None,
    timeout: Any = None,
    backend: str | None = None,
    pg_options: Any = None,
    group_desc: str | None = None,
) -> tuple[Any, list[Any]]:
    """Groups of ``group_size`` neighbours each; that of this process, and all of them."""
    size = group_size or int(os.environ.get("LOCAL_WORLD_SIZE", world().size()))
    if world().size() % size:
        raise ValueError(f"The world size ({world().size()}) must be divisible by '{group_size=}'")
    made = [new_group(range(a, a + size), timeout, backend) for a in range(0, world().size(), size)]
    return made[world().rank() // size], made


TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
