"""Messages from one process to another, and objects in place of tensors."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

from genesis.distributed._beside import as_here
from genesis.distributed._channel import Work
from genesis.distributed._communicator import OWN_TAG
from genesis.distributed._group import ProcessGroup, chosen
from genesis.distributed._memory import check_tensor, communicator_for, flat, write
from genesis.distributed._taking_part import member


def _tag(tag: int) -> int:
    if not 0 <= tag < OWN_TAG:
        raise ValueError(f"a tag is a number from 0 to {OWN_TAG - 1}, got {tag}")
    return tag


def _sending(tensor: Any, dst: Any, g: ProcessGroup, tag: int, group_dst: Any) -> tuple[Any, Any]:
    check_tensor(tensor, "tensor")
    to, c = member(g, dst, group_dst, "dst", None), communicator_for(g, tensor)
    if to == g.rank():
        raise ValueError(
            "Invalid destination rank: destination rank should not be the same as the rank of the current "
            "process."
        )
    call = as_here(tensor.device, lambda: c.send(flat(tensor, c)[0], to, tag))
    return g.channel(("send", to, _tag(tag))), call


def _receiving(tensor: Any, src: Any, g: ProcessGroup, tag: int, group_src: Any) -> tuple[Any, Any]:
    check_tensor(tensor, "tensor")
    c = communicator_for(g, tensor)
    source = None if src is None and group_src is None else member(g, src, group_src, "src", None)
    if source == g.rank():
        raise ValueError(
            "Invalid source rank: source rank should not be the same as the rank of the current process."
        )

    def call() -> int:
        array, own = flat(tensor, c)
        by = c.receive(array, source, tag)
        write(tensor, array, own)
        return g.ranks[by]

    return g.channel(("receive", source, _tag(tag))), as_here(tensor.device, call)


def send(tensor: Any, dst: Any = None, group: Any = None, tag: int = 0, group_dst: Any = None) -> None:
    """Send a tensor to rank ``dst``, which calls ``recv``; return when the tensor may be changed."""
    g = chosen(group)
    if g is not None:
        channel, call = _sending(tensor, dst, g, tag, group_dst)
        channel.run(call)


def recv(tensor: Any, src: Any = None, group: Any = None, tag: int = 0, group_src: Any = None) -> int:
    """Fill a tensor with what rank ``src`` sends, or anybody if it is None.

    Returns:
        The rank of the sender; -1 if this process is no member of the group.
    """
    g = chosen(group)
    if g is None:
        return -1
    channel, call = _receiving(tensor, src, g, tag, group_src)
    return int(channel.run(call))


def isend(tensor: Any, dst: Any = None, group: Any = None, tag: int = 0, group_dst: Any = None) -> Any:
    """``send`` that returns a ``Work`` at once; the tensor may be changed after its ``wait()``."""
    g = chosen(group)
    if g is None:
        return None
    channel, call = _sending(tensor, dst, g, tag, group_dst)
    return Work(channel.submit(call), [tensor])


def irecv(tensor: Any, src: Any = None, group: Any = None, tag: int = 0, group_src: Any = None) -> Any:
    """``recv`` that returns a ``Work`` at once; the tensor may be read after its ``wait()``."""
    g = chosen(group)
    if g is None:
        return None
    channel, call = _receiving(tensor, src, g, tag, group_src)
    return Work(channel.submit(call), [tensor])


class P2POp:
    """One of the operations of ``batch_isend_irecv``.

    Args:
        op: ``isend`` or ``irecv``.
        tensor: what is sent, or filled.
        peer: the other's rank; ``group_peer`` is its number in the group.
        group, tag: as for ``isend``.
    """

    def __init__(
        self,
        op: Callable[..., Any],
        tensor: Any,
        peer: int | None = None,
        group: Any = None,
        tag: int = 0,
        group_peer: int | None = None,
    ) -> None:
        if op not in (isend, irecv):
            raise ValueError("Invalid ``op``. Expected ``op`` to be of type ``isend`` or ``irecv``.")
        check_tensor(tensor, "tensor")
        self.op, self.tensor, self.peer, self.group = op, tensor, peer, group
        self.tag, self.group_peer = tag, group_peer


def batch_isend_irecv(p2p_op_list: list[P2POp]) -> list[Any]:
    """Start several messages; return a ``Work`` for each."""
    if not p2p_op_list or not all(isinstance(each, P2POp) for each in p2p_op_list):
        raise ValueError("p2p_op_list should be a list of P2POp with at least one")
    return [each.op(each.tensor, each.peer, each.group, each.tag, each.group_peer) for each in p2p_op_list]


# -- objects -------------------------------------------------------------------------------------------------
def _bytes(obj: Any) -> Any:
    import numpy as np

    return np.frombuffer(pickle.dumps(obj), np.uint8).copy()


def all_objects(g: ProcessGroup, obj: Any) -> list[Any]:
    """The objects of all members, by rank; within an operation that all are in."""
    import numpy as np

    mine = _bytes(obj)
    sizes = np.empty(g.size(), np.int64)
    g.host.all_gather(sizes, np.array([len(mine)], np.int64))
    longest = int(sizes.max())
    padded = np.zeros(longest, np.uint8)
    padded[: len(mine)] = mine
    out = np.empty(longest * g.size(), np.uint8)
    g.host.all_gather(out, padded)
    return [pickle.loads(row[:n].tobytes()) for row, n in zip(out.reshape(g.size(), -1), sizes, strict=True)]


def _from_root(g: ProcessGroup, obj: Any, root: int) -> Any:
    import numpy as np

    data = _bytes(obj) if g.rank() == root else None
    size = np.array([0 if data is None else len(data)], np.int64)
    g.host.broadcast(size, root)
    if data is None:
        data = np.empty(int(size[0]), np.uint8)
    g.host.broadcast(data, root)
    return obj if g.rank() == root else pickle.loads(data.tobytes())


def all_gather_object(object_list: list[Any], obj: Any, group: Any = None) -> None:
    """Put the objects of all members into the list, by rank. They are pickled: receive from friends only."""
    g = chosen(group)
    if g is not None:
        object_list[:] = g.run("all_gather_object", lambda: all_objects(g, obj))


def gather_object(
    obj: Any, object_gather_list: Any = None, dst: Any = None, group: Any = None, group_dst: Any = None
) -> None:
    """Put the objects of all members into the list of rank ``dst`` (default 0)."""
    g = chosen(group)
    if g is None:
        return
    root = member(g, dst, group_dst, "dst", 0)
    if g.rank() == root and not object_gather_list:
        raise ValueError("Argument ``gather_list`` must be specified on destination rank.")
    if g.rank() != root and object_gather_list:
        raise ValueError("Argument ``gather_list`` must NOT be specified on non-destination ranks.")
    found = g.run(f"gather_object to {root}", lambda: all_objects(g, obj))
    if g.rank() == root:
        object_gather_list[:] = found


def broadcast_object_list(
    object_list: list[Any], src: Any = None, group: Any = None, device: Any = None, group_src: Any = None
) -> None:
    """Put the objects of rank ``src`` (default 0) into the list of every member."""
    if not isinstance(object_list, list) or not object_list:
        raise TypeError("object_list should be a list with at least one object")
    g = chosen(group)
    if g is not None:
        root = member(g, src, group_src, "src", 0)
        what = f"broadcast_object_list of {len(object_list)} from {root}"
        object_list[:] = g.run(what, lambda: _from_root(g, object_list, root))


def scatter_object_list(
    scatter_object_output_list: list[Any],
    scatter_object_input_list: Any = None,
    src: Any = None,
    group: Any = None,
    group_src: Any = None,
) -> None:
    """Put into the first place of each member's list its object of the list of rank ``src`` (default 0)."""
    if not isinstance(scatter_object_output_list, list) or not scatter_object_output_list:
        raise ValueError("Expected argument scatter_object_output_list to be a list of size at least 1.")
    g = chosen(group)
    if g is None:
        return
    root = member(g, src, group_src, "src", 0)
    if g.rank() == root and len(scatter_object_input_list or ()) != g.size():
        raise ValueError(f"scatter_object_input_list should have {g.size()} objects, one for each member")
    found = g.run(f"scatter_object_list from {root}", lambda: _from_root(g, scatter_object_input_list, root))
    scatter_object_output_list[0] = found[g.rank()]


def send_object_list(
    object_list: list[Any],
    dst: Any = None,
    group: Any = None,
    device: Any = None,
    group_dst: Any = None,
    use_batch: bool = False,
) -> None:
    """Send the objects of a list to rank ``dst``, which calls ``recv_object_list``."""
    import numpy as np

    g = chosen(group)
    if g is None:
        return
    to, data = member(g, dst, group_dst, "dst", None), _bytes(object_list)

    def call() -> None:
        g.host.send(np.array([len(data)], np.int64), to, OWN_TAG)
        g.host.send(data, to, OWN_TAG)

    g.channel(("send", to, OWN_TAG)).run(call)


def recv_object_list(
    object_list: list[Any],
    src: Any = None,
    group: Any = None,
    device: Any = None,
    group_src: Any = None,
    use_batch: bool = False,
) -> int:
    """Put the objects that rank ``src`` sends, or anybody, into the list; return the sender's rank."""
    import numpy as np

    g = chosen(group)
    if g is None:
        return -1
    source = None if src is None and group_src is None else member(g, src, group_src, "src", None)

    def call() -> int:
        size = np.zeros(1, np.int64)
        by = g.host.receive(size, source, OWN_TAG)
        data = np.empty(int(size[0]), np.uint8)
        g.host.receive(data, by, OWN_TAG)
        object_list[:] = pickle.loads(data.tobytes())
        return g.ranks[by]

    return int(g.channel(("receive", source, OWN_TAG)).run(call))
