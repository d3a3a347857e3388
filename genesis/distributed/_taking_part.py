"""What the operations of a group begin with: who takes part, who sends, and who is the root."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from genesis.distributed._communicator import Communicator
from genesis.distributed._group import ProcessGroup, chosen
from genesis.distributed._memory import check_tensor, check_tensors, communicator_for, flat, write


class Part:
    """The part of this process in an operation.

    Attributes:
        group: the processes.
        communicator: who sends the tensors.
        place: where they are.
    """

    def __init__(self, group: ProcessGroup, tensor: Any) -> None:
        self.group, self.place = group, tensor.device
        self.communicator: Communicator = communicator_for(group, tensor)

    @property
    def rank(self) -> int:
        """The number of this process in the group."""
        return self.group.rank()

    @property
    def size(self) -> int:
        """How many processes the group has."""
        return self.group.size()

    def run(self, what: str, call: Callable[[], None], async_op: bool, result: Any) -> Any:
        """Do it, now or beside the program."""
        return self.group.run(what, call, async_op, result=result, place=self.place)

    def changing(self, tensor: Any, act: Callable[[Any], None]) -> Callable[[], None]:
        """A function that calls ``act`` with the elements of a tensor, and gives it what they are then."""

        def call() -> None:
            array, own = flat(tensor, self.communicator)
            act(array)
            write(tensor, array, own)

        return call

    def lengths(self, **lists: Any) -> None:
        """Refuse lists that have not one tensor for each member."""
        for name, tensors in lists.items():
            if len(tensors) != self.size:
                raise ValueError(f"{name} has {len(tensors)} tensors; the group has {self.size} members")

    def at_root(self, root: int, name: str, side: str, tensors: Any) -> bool:
        """Whether this is the root, which has the list of tensors that nobody else has."""
        mine = self.rank == root
        if mine:
            if not tensors:
                raise ValueError(f"Argument ``{name}`` must be specified on {side} rank.")
            check_tensors(tensors, name)
            self.lengths(**{name: tensors})
        elif tensors:
            raise ValueError(f"Argument ``{name}`` must NOT be specified on non-{side} ranks.")
        return mine


def taking_part(group: Any, **given: Any) -> Part | None:
    """The part of this process in an operation on the tensors and lists of tensors that are given.

    The first of them says where all are. None where this process is no member of the group.
    """
    for name, value in given.items():
        if name.endswith(("list", "tensors")):
            check_tensors(value, name)
        else:
            check_tensor(value, name)
    g = chosen(group, depth=4)
    if g is None:
        return None
    name, first = next(iter(given.items()))
    if isinstance(first, list | tuple):
        if not first:
            raise ValueError(f"{name} should have at least one tensor")
        first = first[0]
    return Part(g, first)


def same_type(a: Any, b: Any) -> None:
    """Refuse tensors of two types."""
    if a.dtype is not b.dtype:
        raise ValueError(f"the tensors should be of one type, got {a.dtype} and {b.dtype}")


def times(part: Part, whole: Any, whole_name: str, piece: Any, piece_name: str) -> None:
    """Refuse a tensor that has not as many elements as all members' together."""
    if whole.numel() != piece.numel() * part.size:
        raise ValueError(
            f"{whole_name} has {whole.numel()} elements; {part.size} times the {piece_name}'s "
            f"{piece.numel()} are needed"
        )
    same_type(whole, piece)


def member(
    group: ProcessGroup, rank: int | None, group_rank: int | None, name: str, default: int | None
) -> int:
    """The number within a group of a rank given as PyTorch's ``src`` and ``group_src``.

    Raises:
        ValueError: both or none are given, or the rank is no member.
    """
    if rank is not None and group_rank is not None:
        raise ValueError(f"Can't specify both {name} and group_{name}")
    if rank is None and group_rank is None:
        if default is None:
            raise ValueError(f"Must specify {name} or group_{name}")
        rank = default
    if group_rank is None:
        if rank not in group.ranks:
            raise ValueError(f"{name} is rank {rank}, which is not one of the group's, {group.ranks}")
        return group.ranks.index(rank)
    if not 0 <= group_rank < group.size():
        raise ValueError(f"group_{name} is {group_rank}; the group has {group.size()} members")
    return group_rank
