"""Operations that make one tensor of the tensors of several processes."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

from genesis.distributed._memory import fill, flat, joined, says, spread
from genesis.distributed._taking_part import Part, member, taking_part, times


class ReduceOp(enum.Enum):
    """How tensors of several processes become one."""

    SUM = 0
    AVG = 1
    PRODUCT = 2
    MIN = 3
    MAX = 4
    BAND = 5
    BOR = 6
    BXOR = 7
    PREMUL_SUM = 8


def _kind(op: Any, tensor: Any) -> tuple[str, bool]:
    """What a communicator calls an operation, and whether the result is divided by the number of members."""
    if not isinstance(op, ReduceOp):
        raise TypeError(f"op should be one of genesis.distributed.ReduceOp, got {op!r}")
    if op is ReduceOp.PREMUL_SUM:
        raise NotImplementedError("ReduceOp.PREMUL_SUM: multiply the tensor, then use ReduceOp.SUM")
    if op is ReduceOp.AVG:
        if not tensor.dtype.is_floating_point:
            raise RuntimeError(f"ReduceOp.AVG needs a floating-point tensor, got {tensor.dtype}; use SUM")
        return "sum", True
    if op.name[0] == "B" and tensor.dtype.is_floating_point:
        raise RuntimeError(f"Cannot use ReduceOp.{op.name} with {tensor.dtype}; it is for integers")
    return op.name.lower(), False


def _divided(array: Any, mean: bool, part: Part) -> None:
    if mean:
        array /= part.size


def _reducing(part: Part, op: Any, tensor: Any) -> Callable[[Any], None]:
    """What reduces a flat array in place, in all members."""
    kind, mean = _kind(op, tensor)

    def reduce(array: Any) -> None:
        part.communicator.all_reduce(array, kind)
        _divided(array, mean, part)

    return reduce


def all_reduce(tensor: Any, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False) -> Any:
    """Make the tensors of all members one, in place in each: ``tensor = op(tensor_0, ..., tensor_n)``.

    Args:
        tensor: of the same shape and type in all members.
        op: how; ``AVG`` is the sum divided by the number of members.
        group: the members; None for all processes.
        async_op: return a ``Work`` at once; the tensor may be read after its ``wait()``.

    Raises:
        DistributedError: another member does something else, or has another shape or type.
    """
    part = taking_part(group, tensor=tensor)
    if part is None:
        return None
    call = part.changing(tensor, _reducing(part, op, tensor))
    return part.run(says(f"all_reduce({op.name})", tensor), call, async_op, [tensor])


def all_reduce_coalesced(
    tensors: Any, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Any:
    """``all_reduce`` of several tensors of one type, with one message."""
    part = taking_part(group, tensors=tensors)
    if part is None:
        return None
    if len({t.dtype for t in tensors}) > 1:
        raise ValueError("tensors should all be of one type")
    c, reduce = part.communicator, _reducing(part, op, tensors[0])

    def call() -> None:
        array = joined(tensors, c)
        reduce(array)
        spread(tensors, array)

    shapes = [tuple(t.shape) for t in tensors]
    return part.run(f"all_reduce_coalesced({op.name}) of {shapes}", call, async_op, tensors)


def reduce(
    tensor: Any,
    dst: int | None = None,
    op: Any = ReduceOp.SUM,
    group: Any = None,
    async_op: bool = False,
    group_dst: int | None = None,
) -> Any:
    """As ``all_reduce``, but only the tensor of rank ``dst`` (default 0) gets the result."""
    part = taking_part(group, tensor=tensor)
    if part is None:
        return None
    root = member(part.group, dst, group_dst, "dst", 0)
    kind, mean = _kind(op, tensor)

    def act(array: Any) -> None:
        part.communicator.reduce(array, kind, root)
        _divided(array, mean, part)

    def elsewhere() -> None:
        part.communicator.reduce(flat(tensor, part.communicator)[0], kind, root)

    call = part.changing(tensor, act) if part.rank == root else elsewhere
    return part.run(says(f"reduce({op.name})", tensor, f"to {root}"), call, async_op, [tensor])


def reduce_scatter(
    output: Any, input_list: Any, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Any:
    """Reduce the lists of all members, tensor by tensor; the member of rank r gets the r-th result."""
    part = taking_part(group, output=output, input_list=input_list)
    if part is None:
        return None
    part.lengths(input_list=input_list)
    c, reduce = part.communicator, _reducing(part, op, output)
    what = f"reduce_scatter({op.name}) of {[tuple(t.shape) for t in input_list]}"
    if len({t.numel() for t in input_list}) == 1:
        return _scattered(part, output, lambda: joined(input_list, c), op, what, async_op)

    def call() -> None:
        array = joined(input_list, c)
        reduce(array)
        at = sum(t.numel() for t in input_list[: part.rank])
        fill(output, array[at : at + output.numel()])

    return part.run(what, call, async_op, [output])


def reduce_scatter_tensor(
    output: Any, input: Any, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Any:
    """Reduce the inputs of all members; the member of rank r gets the r-th part of the result."""
    part = taking_part(group, output=output, input=input)
    if part is None:
        return None
    times(part, input, "input", output, "output")
    what, c = says(f"reduce_scatter_tensor({op.name})", output), part.communicator
    return _scattered(part, output, lambda: flat(input, c)[0], op, what, async_op)


def _scattered(part: Part, output: Any, source: Callable[[], Any], op: Any, what: str, async_op: bool) -> Any:
    kind, mean = _kind(op, output)

    def act(out: Any) -> None:
        part.communicator.reduce_scatter(out, source(), kind)
        _divided(out, mean, part)

    return part.run(what, part.changing(output, act), async_op, [output])


def supports_complex(reduceOp: Any) -> bool:
    """False: there are no complex tensors."""
    from genesis.distributed._group import world

    world()
    return False
