"""Operations that bring the tensors of the members of a group from one to another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genesis.distributed._group import chosen
from genesis.distributed._memory import check_tensors, empty, flat, joined, says, spread
from genesis.distributed._taking_part import Part, member, same_type, taking_part, times


def broadcast(
    tensor: Any,
    src: int | None = None,
    group: Any = None,
    async_op: bool = False,
    group_src: int | None = None,
) -> Any:
    """Copy the tensor of rank ``src`` (default 0) into that of every member."""
    part = taking_part(group, tensor=tensor)
    if part is None:
        return None
    root, c = member(part.group, src, group_src, "src", 0), part.communicator
    call = part.changing(tensor, lambda array: c.broadcast(array, root))
    return part.run(says("broadcast", tensor, f"from {root}"), call, async_op, [tensor])


def all_gather(tensor_list: Any, tensor: Any, group: Any = None, async_op: bool = False) -> Any:
    """Copy the tensors of all members into the list, by rank; they may have different shapes.

    Raises:
        ValueError: the list has another length than the group.
    """
    part = taking_part(group, tensor=tensor, tensor_list=tensor_list)
    if part is None:
        return None
    part.lengths(tensor_list=tensor_list)
    if any(t.numel() != tensor.numel() for t in tensor_list):  # the members' tensors differ in size
        return _uneven(tensor_list, tensor, part, async_op)
    c = part.communicator

    def call() -> None:
        array = flat(tensor, c)[0]
        out = empty(c, array, len(array) * part.size)
        c.all_gather(out, array)
        spread(tensor_list, out)

    what = f"all_gather of {tensor.numel()} elements of {tensor.dtype}"
    return part.run(what, call, async_op, tensor_list)


def _uneven(tensors: Any, tensor: Any, part: Part, async_op: bool) -> Any:
    sizes, c = [t.numel() for t in tensors], part.communicator

    def call() -> None:
        array = flat(tensor, c)[0]
        out = empty(c, array, sum(sizes))
        at = 0
        for r, n in enumerate(sizes):
            piece = out[at : at + n]
            if r == part.rank:
                piece[:] = array
            c.broadcast(piece, r)
            at += n
        spread(tensors, out)

    return part.run(f"all_gather of {sizes} elements", call, async_op, tensors)


def all_gather_into_tensor(
    output_tensor: Any, input_tensor: Any, group: Any = None, async_op: bool = False
) -> Any:
    """Copy the tensors of all members into one, one after the other, along its first axis or a new one."""
    part = taking_part(group, input_tensor=input_tensor, output_tensor=output_tensor)
    if part is None:
        return None
    times(part, output_tensor, "output_tensor", input_tensor, "input")
    c = part.communicator
    call = part.changing(output_tensor, lambda out: c.all_gather(out, flat(input_tensor, c)[0]))
    return part.run(says("all_gather_into_tensor", input_tensor), call, async_op, output_tensor)


def all_gather_coalesced(
    output_tensor_lists: Any, input_tensor_list: Any, group: Any = None, async_op: bool = False
) -> Any:
    """``all_gather`` of several tensors; ``output_tensor_lists[rank][i]`` gets the i-th of each member."""
    if chosen(group) is None:
        return None
    check_tensors(input_tensor_list, "input_tensor_list")
    works = [
        all_gather([outs[i] for outs in output_tensor_lists], t, group, async_op)
        for i, t in enumerate(input_tensor_list)
    ]
    return works[-1] if works else None


def gather(
    tensor: Any,
    gather_list: Any = None,
    dst: int | None = None,
    group: Any = None,
    async_op: bool = False,
    group_dst: int | None = None,
) -> Any:
    """Copy the tensors of all members into the list of rank ``dst`` (default 0); the others give no list."""
    part = taking_part(group, tensor=tensor)
    if part is None:
        return None
    root, c = member(part.group, dst, group_dst, "dst", 0), part.communicator
    mine = part.at_root(root, "gather_list", "destination", gather_list)

    def call() -> None:
        array = flat(tensor, c)[0]
        out = empty(c, array, len(array) * part.size) if mine else None
        c.gather(out, array, root)
        if mine:
            spread(gather_list, out)

    return part.run(says("gather", tensor, f"to {root}"), call, async_op, gather_list)


def scatter(
    tensor: Any,
    scatter_list: Any = None,
    src: int | None = None,
    group: Any = None,
    async_op: bool = False,
    group_src: int | None = None,
) -> Any:
    """Copy into the tensor of each member its tensor of the list of rank ``src`` (default 0)."""
    part = taking_part(group, tensor=tensor)
    if part is None:
        return None
    root, c = member(part.group, src, group_src, "src", 0), part.communicator
    mine = part.at_root(root, "scatter_list", "source", scatter_list)
    call = part.changing(tensor, lambda a: c.scatter(a, joined(scatter_list, c) if mine else None, root))
    return part.run(says("scatter", tensor, f"from {root}"), call, async_op, [tensor])


def all_to_all_single(
    output: Any,
    input: Any,
    output_split_sizes: Sequence[int] | None = None,
    input_split_sizes: Sequence[int] | None = None,
    group: Any = None,
    async_op: bool = False,
) -> Any:
    """Send each member its part of ``input``, along the first axis, and collect theirs in ``output``.

    Args:
        output_split_sizes, input_split_sizes: rows of each part; by default all are equal.
    """
    part = taking_part(group, input=input, output=output)
    if part is None:
        return None
    same_type(output, input)
    c = part.communicator
    received = _split(output, output_split_sizes, part.size, "output")
    sent = _split(input, input_split_sizes, part.size, "input")
    call = part.changing(output, lambda out: c.all_to_all(out, flat(input, c)[0], received, sent))
    return part.run(f"all_to_all_single of {input.dtype}", call, async_op, [output])


def _split(tensor: Any, sizes: Sequence[int] | None, members: int, name: str) -> list[int]:
    rows = tensor.shape[0] if tensor.dim() else 1
    if not sizes:
        if rows % members:
            raise RuntimeError(f"{name} has {rows} rows, which do not divide equally among {members} members")
        sizes = [rows // members] * members
    if len(sizes) != members or sum(sizes) != rows:
        raise RuntimeError(
            f"{name}_split_sizes {list(sizes)} should be {members} numbers with the sum {rows}"
        )
    width = tensor.numel() // rows if rows else 0
    return [int(n) * width for n in sizes]


def all_to_all(
    output_tensor_list: Any, input_tensor_list: Any, group: Any = None, async_op: bool = False
) -> Any:
    """Send each member its tensor of ``input_tensor_list`` and collect theirs in ``output_tensor_list``."""
    part = taking_part(group, input_tensor_list=input_tensor_list, output_tensor_list=output_tensor_list)
    if part is None:
        return None
    part.lengths(output_tensor_list=output_tensor_list, input_tensor_list=input_tensor_list)
    c = part.communicator
    received, sent = [t.numel() for t in output_tensor_list], [t.numel() for t in input_tensor_list]

    def call() -> None:
        array = joined(input_tensor_list, c)
        out = empty(c, array, sum(received))
        c.all_to_all(out, array, received, sent)
        spread(output_tensor_list, out)

    return part.run(f"all_to_all of {input_tensor_list[0].dtype}", call, async_op, output_tensor_list)


def barrier(group: Any = None, async_op: bool = False, device_ids: Any = None, timeout: Any = None) -> Any:
    """Wait until all members are here."""
    g = chosen(group)
    return None if g is None else g.run("barrier", g.host.barrier, async_op)


def monitored_barrier(group: Any = None, timeout: Any = None, wait_all_ranks: bool = False) -> None:
    """``barrier``; a member that does something else instead is named in every process.

    One that does nothing is waited for until the timeout of the group.
    """
    g = chosen(group)
    if g is not None:
        g.run("barrier", g.host.barrier)
