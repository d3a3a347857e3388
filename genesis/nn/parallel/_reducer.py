"""Gradients of several processes become their mean, in flat buckets, while the backward pass goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from genesis import empty, int32, mul, no_grad, tensor
from genesis._tensor import Tensor
from genesis.autograd.grad_mode import state
from genesis.autograd.graph import Node, TensorCore, edge
from genesis.distributed import ProcessGroup, ReduceOp, all_reduce
from genesis.distributed._memory import communicator_for, flat, write


class Bucket:
    """Some parameters, and one tensor that holds the gradients of all of them.

    Attributes:
        members: numbers of the parameters.
        views: the part of each in ``whole``, in its shape.
        left: how many gradients are still to come in this pass.
    """

    def __init__(self, members: list[int], parameters: Sequence[Tensor]) -> None:
        self.members = members
        first = parameters[members[0]]
        self.whole = empty(
            sum(parameters[i].numel() for i in members), dtype=first.dtype, device=first.device
        )
        self.views: list[Tensor] = []
        at = 0
        for i in members:
            p = parameters[i]
            self.views.append(self.whole[at : at + p.numel()].view(p.shape))
            at += p.numel()
        self.left = 0
        self.work: Any = None


class Reducer:
    """What ``DistributedDataParallel`` does with gradients.

    Args:
        named: names and parameters, those that want a gradient, in the order of the model.
        group: the processes.
        cap, first: bytes of a bucket, and of the one that is ready first.
        find_unused: whether some parameters may get no gradient.
        as_views: let the gradients be views of the buckets, which spares a copy.
    """

    def __init__(
        self,
        named: Sequence[tuple[str, Tensor]],
        group: ProcessGroup,
        cap: int,
        first: int,
        find_unused: bool,
        as_views: bool,
    ) -> None:
        self.names = [name for name, _ in named]
        self.parameters = [p for _, p in named]
        self.group, self.find_unused, self.as_views = group, find_unused, as_views
        self.active = False  # whether gradients are to be reduced
        self.buckets = [Bucket(members, self.parameters) for members in self._divided(cap, first)]
        self.places = {i: (b, k) for b in self.buckets for k, i in enumerate(b.members)}
        self._numbers = {id(p): i for i, p in enumerate(self.parameters)}
        self.scale = 1.0 / group.size()
        self._run: Any = None
        self._steps = 0
        self._used: set[int] | None = None  # parameters that the forward passes since the last backward used
        self._handles = [
            p.register_post_accumulate_grad_hook(lambda t, i=i: self._arrived(i))  # type: ignore[misc]
            for i, p in enumerate(self.parameters)
        ]

    def _divided(self, cap: int, first: int) -> Iterator[list[int]]:
        """Parameters from the last to the first, about as their gradients come, in pieces of one type."""
        members: list[int] = []
        size, limit, kind = 0, first, None
        for i in reversed(range(len(self.parameters))):
            p = self.parameters[i]
            this = (p.dtype, p.device)
            nbytes = p.numel() * p.element_size()
            if members and (size + nbytes > limit or this != kind):
                yield members
                members, size, limit = [], 0, cap
            members.append(i)
            size, kind = size + nbytes, this
        yield members

    # -- a pass --------------------------------------------------------------------------------------
    def saw(self, outputs: Any) -> None:
        """Note which parameters led to the outputs of a forward pass."""
        if not self.find_unused:
            return
        used = self._used or set()
        seen: set[int] = set()
        stack = [e for t in _tensors(outputs) if (e := edge(t)) is not None]
        while stack:
            e = stack.pop()
            if id(e) in seen:
                continue
            seen.add(id(e))
            if type(e) is Node:
                stack.extend(n for n in e.edges if n is not None)
            elif id(e) in self._numbers:
                used.add(self._numbers[id(e)])
        self._used = used

    def _arrived(self, i: int) -> None:
        """The gradient of a parameter is complete."""
        if not self.active:
            return
        run = state.run
        while run.outer is not None:
            run = run.outer
        if run is not self._run:
            self._begin(run)
        self._take(i)

    def _begin(self, run: Any) -> None:
        self._run, self._next, self._steps = run, 0, self._steps + 1
        self._arrivals: set[int] = set()
        run.after.append(self._finish)
        what = f"step {self._steps} of DistributedDataParallel: the backward pass"
        self._check = self.group.run(what, lambda: None, background=True)
        self._map: Any = None
        for bucket in self.buckets:
            bucket.left, bucket.work = len(bucket.members), None
        if self.find_unused:
            used = self._used if self._used is not None else set(range(len(self.parameters)))
            self._map = tensor([int(i in used) for i in range(len(self.parameters))], dtype=int32)
            all_reduce(self._map, ReduceOp.MAX, self.group)
            for i in range(len(self.parameters)):
                if i not in used:
                    self._take(i)
        self._used = None

    def _take(self, i: int) -> None:
        """Put a gradient into its bucket, and send the buckets that are full, in order."""
        if i in self._arrivals:
            raise RuntimeError(
                f"the gradient of {self.names[i]!r} arrived twice in one backward pass, or after it was "
                "taken for unused; a parameter that is used outside of the model's forward() cannot be "
                "found there"
            )
        self._arrivals.add(i)
        bucket, k = self.places[i]
        grad, view = self.parameters[i]._grad, bucket.views[k]
        with no_grad():
            if grad is None:
                view.zero_()
            elif grad is view:
                view.mul_(self.scale)
            else:
                mul(grad.detach(), self.scale, out=view)  # type: ignore[call-arg]
        bucket.left -= 1
        while self._next < len(self.buckets) and self.buckets[self._next].left == 0:
            self._send(self.buckets[self._next])
            self._next += 1

    def _send(self, bucket: Bucket) -> None:
        communicator = communicator_for(self.group, bucket.whole)

        def call() -> None:
            array, own = flat(bucket.whole, communicator)
            communicator.all_reduce(array, "sum")
            write(bucket.whole, array, own)

        place = bucket.whole.device
        bucket.work = self.group.run("gradients", call, background=True, check=False, place=place)

    def _finish(self) -> None:
        """The backward pass is over: wait for the buckets, and give each parameter its gradient."""
        self._run = None
        self._check.wait()
        lacking = [i for i in range(len(self.parameters)) if i not in self._arrivals]
        if lacking:
            names = ", ".join(self.names[i] for i in lacking[:10])
            more = f" and {len(lacking) - 10} more" if len(lacking) > 10 else ""
            raise RuntimeError(
                f"these parameters got no gradient in the backward pass: {names}{more}. The other "
                "processes wait for them. If they are not used in every forward pass, wrap the model with "
                "DistributedDataParallel(..., find_unused_parameters=True); if never, set requires_grad=False"
            )
        used = None if self._map is None else self._map.tolist()
        with no_grad():
            for bucket in self.buckets:
                bucket.work.wait()
                for i, view in zip(bucket.members, bucket.views, strict=True):
                    if used is None or used[i]:
                        self._give(self.parameters[i], view)

    def _give(self, p: Any, view: Tensor) -> None:
        if self.as_views:
            p._grad = view
        elif p._grad is None:
            p._grad = view.clone()
        else:
            p._grad.copy_(view)


def _tensors(value: Any) -> Iterable[Any]:
    """The tensors in what a model returned."""
    if isinstance(value, TensorCore):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _tensors(each)
    elif isinstance(value, list | tuple | set):
        for each in value:
            yield from _tensors(each)
    elif hasattr(value, "__dict__"):
        yield from _tensors(vars(value))
