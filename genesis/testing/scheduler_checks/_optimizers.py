"""The optimizers that a schedule is tried on: ours, PyTorch's, and one that has only what is needed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

Make = Callable[..., Any]

# The base rates of the two groups, and that of one which is added later.
RATES = (0.4, 0.1)
ADDED = 0.05


class PlainOptimizer:
    """Parameter groups, a step and a state: all that a scheduler may expect of an optimizer."""

    def __init__(self, *rates: Any) -> None:
        self.param_groups = [self.group(rate, number) for number, rate in enumerate(rates)]

    @staticmethod
    def group(rate: Any, number: int) -> dict[str, Any]:
        """A parameter group; its parameters are names."""
        names = [f"weight{number}", f"bias{number}"]
        return {"params": names, "lr": rate, "momentum": 0.9, "weight_decay": 0.01}

    def step(self) -> None:
        """Train nothing."""

    def state_dict(self) -> dict[str, Any]:
        """The groups."""
        return {"param_groups": copy.deepcopy(self.param_groups)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the groups that were saved."""
        for group, saved in zip(self.param_groups, state["param_groups"], strict=True):
            group.update(copy.deepcopy(saved))


def _ours(name: str, **options: Any) -> Make:
    def make(*rates: Any) -> Any:
        import genesis
        from genesis.optim import create_optimizer

        groups = [{"params": [genesis.nn.Parameter(genesis.ones(1))], "lr": rate} for rate in rates]
        return create_optimizer(name, groups, lr=1.0, **options)

    return make


def _torchs(name: str, **options: Any) -> Make:
    def make(*rates: Any) -> Any:
        torch: Any = import_module("torch")
        groups = [{"params": [torch.nn.Parameter(torch.ones(1))], "lr": rate} for rate in rates]
        return getattr(torch.optim, name)(groups, lr=1.0, **options)

    return make


OURS: dict[str, Make] = {
    "plain": PlainOptimizer,
    "SGD": _ours("SGD", momentum=0.9),
    "AdamW": _ours("AdamW"),
}
# foreach=False: with it PyTorch takes no rates that are tensors.
TORCHS: dict[str, Make] = {
    "torch.SGD": _torchs("SGD", momentum=0.9, foreach=False),
    "torch.AdamW": _torchs("AdamW", foreach=False),
}


def new_group(optimizer: Any) -> dict[str, Any]:
    """A parameter group that can be added to an optimizer."""
    if isinstance(optimizer, PlainOptimizer):
        return PlainOptimizer.group(ADDED, len(optimizer.param_groups))
    if type(optimizer).__module__.startswith("torch"):
        torch: Any = import_module("torch")
        return {"params": [torch.nn.Parameter(torch.ones(1))], "lr": ADDED}
    import genesis

    return {"params": [genesis.nn.Parameter(genesis.ones(1))], "lr": ADDED}


def add(optimizer: Any, group: dict[str, Any]) -> None:
    """Add a parameter group."""
    if isinstance(optimizer, PlainOptimizer):
        optimizer.param_groups.append(group)
    else:
        optimizer.add_param_group(group)


def tensor_of(optimizer: str, value: float) -> Any:
    """A rate as a tensor of the library that an optimizer is of."""
    if optimizer.startswith("torch"):
        torch: Any = import_module("torch")
        return torch.tensor(value, dtype=torch.float64)
    import genesis

    return genesis.tensor(value, dtype=genesis.float64)


def rates_of(optimizer: Any, name: str = "lr") -> list[float]:
    """What a scheduler of an entry of the groups drives, one number for each group."""
    if name == "momentum":
        return [float(g["momentum"] if "momentum" in g else g["betas"][0]) for g in optimizer.param_groups]
    return [float(group[name]) for group in optimizer.param_groups]


def written(optimizer: Any) -> list[tuple[float, ...]]:
    """For each group all that schedules are wont to write: rate, weight decay and momentum."""
    rows: list[tuple[float, ...]] = []
    for group in optimizer.param_groups:
        momentum = group.get("momentum")
        if momentum is None:
            momentum = group.get("betas", (0.0,))[0]
        rows.append((float(group["lr"]), float(group.get("weight_decay", 0.0)), float(momentum)))
    return rows
