"""Tensors as the flat arrays that communicators send."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genesis._tensor import Tensor
from genesis.autograd.grad_mode import no_grad
from genesis.distributed._beside import stream_here
from genesis.distributed._communicator import Communicator
from genesis.distributed._group import ProcessGroup


def check_tensor(value: Any, name: str) -> None:
    """Refuse what is no tensor."""
    if not isinstance(value, Tensor):
        raise TypeError(
            f"Invalid function argument. Expected parameter `{name}` of type Tensor, got {type(value)}"
        )


def check_tensors(values: Any, name: str) -> None:
    """Refuse what is no list of tensors."""
    if not isinstance(values, list | tuple) or not all(isinstance(v, Tensor) for v in values):
        raise TypeError(f"Invalid function argument. Expected parameter `{name}` of type List[Tensor]")


def communicator_for(group: ProcessGroup, tensor: Tensor) -> Communicator:
    """Who sends this tensor."""
    return group.of(tensor.device.type)


def common_place(tensors: Sequence[Tensor]) -> Any:
    """Where an operation on several tensors takes place: on the first one's device that is not the host."""
    return next((t.device for t in tensors if t.device.type != "cpu"), tensors[0].device)


def flat(tensor: Tensor, communicator: Communicator) -> tuple[Any, bool]:
    """The elements of a tensor in order, and whether the array is the tensor's own memory."""
    plain = tensor.detach()
    contiguous = plain.is_contiguous()
    if communicator.device != "cpu":
        if (stream := stream_here(plain.device)) is not None:
            plain.record_stream(stream)  # it may be another than the one that made the tensor
        return (plain if contiguous else plain.contiguous()).reshape(-1), contiguous
    own = contiguous and tensor.device.backend.as_numpy(plain._view) is not None
    return (plain if contiguous else plain.contiguous())._host().reshape(-1), own


def write(tensor: Tensor, array: Any, own: bool) -> None:
    """See that the tensor has what the array has now."""
    if own:
        tensor._view.buffer.version += 1
        return
    with no_grad():
        fill(tensor, array)


def fill(tensor: Tensor, array: Any) -> None:
    """Copy a flat array into a tensor."""
    import genesis

    source = array if isinstance(array, Tensor) else genesis.from_numpy(array)
    with no_grad():
        tensor.detach().copy_(source.reshape(tensor.shape))


def empty(communicator: Communicator, like: Any, count: int) -> Any:
    """A flat array of this many elements, of the type of another."""
    if communicator.device != "cpu":
        return like.new_empty(count)
    import numpy as np

    return np.empty(count, like.dtype)


def joined(tensors: Sequence[Tensor], communicator: Communicator) -> Any:
    """The elements of tensors, one after the other."""
    parts = [flat(t, communicator)[0] for t in tensors]
    out = empty(communicator, parts[0], sum(len(p) for p in parts))
    at = 0
    for p in parts:
        out[at : at + len(p)] = p
        at += len(p)
    return out


def spread(tensors: Sequence[Tensor], array: Any) -> None:
    """Fill tensors with the parts of an array."""
    at = 0
    for t in tensors:
        fill(t, array[at : at + t.numel()])
        at += t.numel()


def says(name: str, tensor: Any, *more: Any) -> str:
    """An operation in words, the same in every process."""
    extra = "".join(f", {m}" for m in more)
    return f"{name} of {str(tensor.dtype).removeprefix('genesis.')} {tuple(tensor.shape)}{extra}"
