"""A group of one process: scripts for several run alone, as with ``torchrun --nproc-per-node 1``.

What one process sends to all it has already, so a collective operation leaves its tensor as it is, or copies
it to where results are expected.  More than one process is refused at the start.
"""

from __future__ import annotations

import enum
import os
from typing import Any

from genesis._lazy import missing

__all__ = [
    "ReduceOp",
    "all_gather",
    "all_gather_into_tensor",
    "all_gather_object",
    "all_reduce",
    "barrier",
    "broadcast",
    "broadcast_object_list",
    "destroy_process_group",
    "gather",
    "get_backend",
    "get_node_local_rank",
    "get_rank",
    "get_world_size",
    "init_process_group",
    "is_available",
    "is_initialized",
    "is_torchelastic_launched",
    "monitored_barrier",
    "new_group",
    "reduce",
    "reduce_scatter_tensor",
    "scatter",
]

_backend: str | None = None


class ReduceOp(enum.Enum):
    """How tensors of several processes would become one."""

    SUM = 0
    AVG = 1
    PRODUCT = 2
    MIN = 3
    MAX = 4
    BAND = 5
    BOR = 6
    BXOR = 7


class _Done:
    """What an operation with ``async_op=True`` returns: it is complete."""

    def wait(self, timeout: Any = None) -> bool:
        return True

    def is_completed(self) -> bool:
        return True


def is_available() -> bool:
    """False: training runs in one process. ``init_process_group`` makes a group of that one all the same."""
    return False


def is_initialized() -> bool:
    """Whether ``init_process_group`` has been called."""
    return _backend is not None


def is_torchelastic_launched() -> bool:
    """False."""
    return False


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
    """Make a group of this process alone.

    Args:
        backend: a name, which ``get_backend`` returns: ``"gloo"``, ``"nccl"``.
        world_size, rank: how many processes there are and which this is; unless given, the environment's
            ``WORLD_SIZE`` and ``RANK``, or 1 and 0.
        init_method, timeout, store, group_name, pg_options, device_id: accepted for compatibility.

    Raises:
        NotImplementedError: there are several processes.
        ValueError: the rank is not 0, or there is a group already.
    """
    global _backend
    if _backend is not None:
        raise ValueError("trying to initialize the default process group twice!")
    size = int(os.environ.get("WORLD_SIZE", 1)) if world_size < 0 else world_size
    if size != 1:
        raise NotImplementedError(
            f"training runs in one process, and world_size is {size}; start one process, the nearest is a "
            "larger batch in it"
        )
    number = int(os.environ.get("RANK", 0)) if rank < 0 else rank
    if number != 0:
        raise ValueError(f"the only process of the group has rank 0, got {number}")
    _backend = str(backend or "gloo")


def destroy_process_group(group: Any = None) -> None:
    """Forget the group."""
    global _backend
    _check()
    _backend = None


def _check() -> None:
    if _backend is None:
        raise ValueError(
            "Default process group has not been initialized, please make sure to call init_process_group."
        )


def get_backend(group: Any = None) -> str:
    """The name that ``init_process_group`` got."""
    _check()
    return str(_backend)


def get_rank(group: Any = None) -> int:
    """0."""
    _check()
    return 0


def get_world_size(group: Any = None) -> int:
    """1."""
    _check()
    return 1


def get_node_local_rank(fallback_rank: int | None = None) -> int:
    """The environment's ``LOCAL_RANK``, or ``fallback_rank``, or 0."""
    return int(os.environ.get("LOCAL_RANK", fallback_rank or 0))


def new_group(ranks: Any = None, timeout: Any = None, backend: Any = None, **options: Any) -> Any:
    """A group of this process, to be passed as ``group``."""
    _check()
    if ranks is not None and list(ranks) not in ([], [0]):
        raise ValueError(f"the only process has rank 0, got the ranks {list(ranks)}")
    return "group of one"


def _end(async_op: bool) -> Any:
    _check()
    return _Done() if async_op else None


def barrier(group: Any = None, async_op: bool = False, device_ids: Any = None) -> Any:
    """Wait for nobody."""
    return _end(async_op)


def monitored_barrier(group: Any = None, timeout: Any = None, wait_all_ranks: bool = False) -> None:
    """Wait for nobody."""
    _end(False)


def all_reduce(tensor: Any, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False) -> Any:
    """Leave the tensor as it is: sum, mean, product and extremes of one are that one."""
    return _end(async_op)


def reduce(
    tensor: Any,
    dst: int = 0,
    op: Any = ReduceOp.SUM,
    group: Any = None,
    async_op: bool = False,
    **options: Any,
) -> Any:
    """Leave the tensor as it is."""
    return _end(async_op)


def broadcast(tensor: Any, src: int = 0, group: Any = None, async_op: bool = False, **options: Any) -> Any:
    """Leave the tensor as it is."""
    return _end(async_op)


def broadcast_object_list(
    object_list: list[Any], src: int = 0, group: Any = None, device: Any = None, **options: Any
) -> None:
    """Leave the list as it is."""
    _end(False)


def _copy(to: Any, source: Any) -> None:
    from genesis import no_grad

    with no_grad():
        to.copy_(source)


def all_gather(tensor_list: list[Any], tensor: Any, group: Any = None, async_op: bool = False) -> Any:
    """Copy the tensor into the only one of the list."""
    done = _end(async_op)
    _copy(tensor_list[0], tensor)
    return done


def all_gather_into_tensor(
    output_tensor: Any, input_tensor: Any, group: Any = None, async_op: bool = False
) -> Any:
    """Copy the tensor; the result may have an axis of size 1 before the others."""
    done = _end(async_op)
    _copy(output_tensor, input_tensor.reshape(output_tensor.shape))
    return done


def reduce_scatter_tensor(
    output: Any, input: Any, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Any:
    """Copy the tensor; it may have an axis of size 1 before the others."""
    return all_gather_into_tensor(output, input, group, async_op)


def all_gather_object(object_list: list[Any], obj: Any, group: Any = None) -> None:
    """Put the object into the only place of the list."""
    _end(False)
    object_list[0] = obj


def gather(
    tensor: Any,
    gather_list: Any = None,
    dst: int = 0,
    group: Any = None,
    async_op: bool = False,
    **options: Any,
) -> Any:
    """Copy the tensor into the only one of the list."""
    return all_gather(gather_list, tensor, group, async_op)


def scatter(
    tensor: Any,
    scatter_list: Any = None,
    src: int = 0,
    group: Any = None,
    async_op: bool = False,
    **options: Any,
) -> Any:
    """Copy the only tensor of the list."""
    done = _end(async_op)
    _copy(tensor, scatter_list[0])
    return done


TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
