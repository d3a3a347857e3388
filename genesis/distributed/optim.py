"""Optimizers whose state is shared out among processes, at PyTorch's address."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from genesis._lazy import missing
from genesis._tensor import Tensor
from genesis.autograd.grad_mode import no_grad
from genesis.distributed._group import chosen
from genesis.distributed._memory import common_place, communicator_for, joined, spread
from genesis.distributed._messages import all_objects
from genesis.optim import Optimizer

__all__ = ["ZeroRedundancyOptimizer"]


class ZeroRedundancyOptimizer(Optimizer):
    """An optimizer of which each process keeps the state of a part of the parameters, and makes their steps.

    After the step each sends its parameters to the others. The state takes the memory of one process divided
    by their number; gradients and parameters are whole everywhere, so with ``DistributedDataParallel`` their
    norm is the global one, and clipping is as in one process. (This is stage 1 of ZeRO.)

    Args:
        params: as for the optimizer, in the same order in all processes.
        optimizer_class: the optimizer, such as ``genesis.optim.AdamW``; its step must treat each parameter
            by itself.
        process_group: the processes; None for all.
        parameters_as_bucket_view: accepted for compatibility.
        overlap_with_ddp: refused unless it is false.
        defaults: options of the optimizer.

    Attributes:
        optim: the optimizer of this process's part.

    Example:
        >>> optimizer = ZeroRedundancyOptimizer(model.parameters(), genesis.optim.AdamW, lr=1e-3)

    Reference: Rajbhandari et al., "ZeRO", SC 2020, arXiv:1910.02054.
    """

    def __init__(
        self,
        params: Iterable[Any],
        optimizer_class: Callable[..., Any],
        process_group: Any = None,
        parameters_as_bucket_view: bool = False,
        overlap_with_ddp: bool = False,
        **defaults: Any,
    ) -> None:
        if overlap_with_ddp:
            raise NotImplementedError("ZeroRedundancyOptimizer(overlap_with_ddp=True); leave it out")
        group = chosen(process_group)
        if group is None:
            raise ValueError("this process is no member of the group")
        self.process_group, self._made, self._defaults = group, optimizer_class, defaults
        self._owner: dict[int, int] = {}  # the rank that has the state of a parameter, by id
        self._sizes = [0] * group.size()
        self._whole: dict[str, Any] | None = None
        self.optim: Any = None
        super().__init__(params, defaults)
        self.optim = optimizer_class([self._part(g) for g in self.param_groups], **defaults)
        self.state = self.optim.state
        self._take_options()

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters; see ``Optimizer``. The largest go to the process that has least."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        for p in sorted(group["params"], key=lambda p: -p.numel()):
            rank = self._sizes.index(min(self._sizes))
            self._owner[id(p)] = rank
            self._sizes[rank] += p.numel()
        if self.optim is not None:
            self.optim.add_param_group(self._part(group))
            self._take_options()

    def _part(self, group: dict[str, Any]) -> dict[str, Any]:
        """A group with only the parameters of this process."""
        rank = self.process_group.rank()
        return {**group, "params": [p for p in group["params"] if self._owner[id(p)] == rank]}

    def _take_options(self) -> None:
        for ours, theirs in zip(self.param_groups, self.optim.param_groups, strict=True):
            ours.update({k: v for k, v in theirs.items() if k not in ("params", "param_names")})

    def _give_options(self) -> None:
        for ours, theirs in zip(self.param_groups, self.optim.param_groups, strict=True):
            theirs.update({k: v for k, v in ours.items() if k not in ("params", "param_names")})

    def step(self, closure: Callable[[], Any] | None = None, **options: Any) -> Any:
        """Change the parameters of this process, and get the others from those who changed them."""
        self._give_options()
        self._whole = None
        result = self.optim.step(**options) if closure is None else self.optim.step(closure, **options)
        self._take_options()
        self._exchange()
        return result

    @no_grad()
    def _exchange(self) -> None:
        group = self.process_group
        if group.size() == 1:
            return
        kinds: dict[Any, list[list[Tensor]]] = {}
        for each in self.param_groups:
            for p in each["params"]:
                owners = kinds.setdefault((p.dtype, p.device), [[] for _ in range(group.size())])
                owners[self._owner[id(p)]].append(p)

        def call() -> None:
            for owners in kinds.values():
                for rank, params in enumerate(owners):
                    if not params:
                        continue
                    communicator = communicator_for(group, params[0])
                    array = joined(params, communicator)
                    communicator.broadcast(array, rank)
                    if rank != group.rank():
                        spread(params, array)

        place = common_place([p for each in self.param_groups for p in each["params"]])
        group.run("the parameters after a step of ZeroRedundancyOptimizer", call, place=place)

    def clip_grad_norm_(
        self, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
    ) -> Tensor:
        """Clip the norm of all gradients within the next step; see ``Optimizer``."""
        from genesis.nn.utils.clip import clip_factor, clip_grads_with_norm_, get_total_norm

        params = [p for g in self.param_groups for p in g["params"] if p.grad is not None]
        total = get_total_norm([p.grad for p in params], norm_type, error_if_nonfinite)
        if getattr(self.optim, "scales_gradients", False):
            self.optim._grad_scale = clip_factor(max_norm, total)
        else:
            clip_grads_with_norm_(params, max_norm, total)
        return total

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters; see ``Optimizer``."""
        self.optim.zero_grad(set_to_none)
        super().zero_grad(set_to_none)

    # -- saving and loading --------------------------------------------------------------------------
    def consolidate_state_dict(self, to: int = 0) -> None:
        """Collect the state of all processes in the one of rank ``to``; all have to call it.

        Args:
            to: the rank that may then call ``state_dict``.
        """
        group = self.process_group
        mine = self.optim.state_dict()
        parts = group.run(f"consolidate_state_dict to {to}", lambda: all_objects(group, mine["state"]))
        self._whole = None
        if group.ranks[group.rank()] != to:
            return
        numbers = self._numbers()
        state = {numbers[r][k]: value for r, part in enumerate(parts) for k, value in part.items()}
        groups, at = [], 0
        for each in self.param_groups:
            n = len(each["params"])
            groups.append({**each, "params": list(range(at, at + n))})
            at += n
        self._whole = {"state": dict(sorted(state.items())), "param_groups": groups}

    def _numbers(self) -> list[list[int]]:
        """For each process, the numbers of its parameters among all."""
        numbers: list[list[int]] = [[] for _ in range(self.process_group.size())]
        every = [p for each in self.param_groups for p in each["params"]]
        for i, p in enumerate(every):
            numbers[self._owner[id(p)]].append(i)
        return numbers

    def state_dict(self) -> dict[str, Any]:
        """The whole state, as the optimizer's own in one process: load it there, or in any number of them.

        Raises:
            RuntimeError: ``consolidate_state_dict`` was not called after the last step, or this is not the
                rank that collected it.
        """
        if self._whole is None:
            if self.process_group.size() > 1:
                raise RuntimeError(
                    "Optimizer state has not been consolidated on this rank. Please call "
                    "`consolidate_state_dict(to=rank)` on all ranks beforehand if you meant to save the "
                    "global state."
                )
            self.consolidate_state_dict(self.process_group.ranks[0])
        assert self._whole is not None
        return self._whole

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from the state of an optimizer of the same class, whole; each process keeps its part."""
        saved = state_dict["param_groups"]
        self._check_sizes(saved)
        mine = self._numbers()[self.process_group.rank()]
        local = {i: k for k, i in enumerate(mine)}
        groups = [{**g, "params": [local[i] for i in g["params"] if i in local]} for g in saved]
        state = {local[i]: value for i, value in state_dict["state"].items() if i in local}
        self.optim.load_state_dict({"state": state, "param_groups": groups})
        self.state = self.optim.state
        self._whole = None
        self._take_options()


TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
