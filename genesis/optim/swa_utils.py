"""Averages of a model's parameters over training: `AveragedModel`, the ways to average, and `update_bn`.

Equal weights for all (SWA), or weights that fall with age (EMA). `SWALR`, the schedule that goes with it, is
here as well as in `genesis.optim`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from itertools import chain
from typing import Any

import genesis
from genesis._lazy import no_attribute
from genesis._tensor import Tensor
from genesis.autograd.grad_mode import no_grad
from genesis.nn.module import Module
from genesis.ops.update import Update

__all__ = [
    "SWALR",  # noqa: F822 - by __getattr__
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]

Average = Callable[[Tensor, Tensor, Any], Tensor]
MultiAverage = Callable[[Sequence[Tensor], Sequence[Tensor], Any], None]

_AVERAGE = Update("average", ("a", "p"), {"a": lambda a, p, part: a + (p - a) * part})


TYPE_CHECKING = False
if not TYPE_CHECKING:
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder


def __getattr__(name: str) -> Any:
    if name in ("SWALR", "LRScheduler"):  # the first is a plugin's
        return getattr(genesis.optim, name)
    raise no_attribute(__name__, name, __all__)


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """The function `(averaged, current, n) -> decay * averaged + (1 - decay) * current`.

    Args:
        decay: How much of the average is kept, from 0 to 1.

    Raises:
        ValueError: `decay` is not from 0 to 1.
    """
    _check(decay)

    @no_grad()
    def ema_update(ema_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        average: Tensor = ema_param * decay + current_param * (1 - decay)
        return average

    return ema_update


def get_swa_avg_fn() -> Average:
    """The function `(averaged, current, n) -> averaged + (current - averaged) / (n + 1)`."""

    @no_grad()
    def swa_update(averaged_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        average: Tensor = averaged_param + (current_param - averaged_param) / (num_averaged + 1)
        return average

    return swa_update


def get_ema_multi_avg_fn(decay: float = 0.999) -> MultiAverage:
    """The function of two lists and n that changes the averages in place, in one call for all.

    `averaged = decay * averaged + (1 - decay) * current`; what is not of a floating-point type is rounded
    towards zero.

    Args:
        decay: How much of the average is kept, from 0 to 1.

    Raises:
        ValueError: `decay` is not from 0 to 1.
    """
    _check(decay)

    @no_grad()
    def ema_update(ema_params: Sequence[Tensor], current_params: Sequence[Tensor], num_averaged: Any) -> None:
        _average(ema_params, current_params, 1 - decay)

    return ema_update


def get_swa_multi_avg_fn() -> MultiAverage:
    """The function of two lists and n that changes the averages in place, in one call for all.

    `averaged = averaged + (current - averaged) / (n + 1)`; what is not of a floating-point type is rounded
    towards zero (PyTorch's function refuses it).
    """

    @no_grad()
    def swa_update(
        averaged_params: Sequence[Tensor], current_params: Sequence[Tensor], num_averaged: Any
    ) -> None:
        _average(averaged_params, current_params, 1.0 / (float(num_averaged) + 1.0))

    return swa_update


def _check(decay: float) -> None:
    if not 0.0 <= decay <= 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")


def _average(averaged: Sequence[Tensor], current: Sequence[Tensor], part: float) -> None:
    """Move the averages by a part of the way to the current values, in place."""
    floating = [
        (a, p) for a, p in zip(averaged, current, strict=True) if a.is_floating_point() and a.dtype == p.dtype
    ]
    if floating:
        _AVERAGE([a for a, _ in floating], [p for _, p in floating], part=part)
    for a, p in zip(averaged, current, strict=True):
        if not (a.is_floating_point() and a.dtype == p.dtype):
            a.copy_(a * (1 - part) + p * part)


class AveragedModel(Module):
    """A copy of a model whose parameters are an average of those that the model had.

    Call `update_parameters` after each step, or epoch, that should count. The first call copies, each later
    one averages: with equal weights (stochastic weight averaging), or as `avg_fn` or `multi_avg_fn` say.

    Args:
        model: What to average.
        device: Where the copy is kept; where the model is unless given.
        avg_fn: A function `(averaged, current, n) -> averaged` of one tensor, where n models are averaged
            already; see `get_swa_avg_fn` and `get_ema_avg_fn`.
        multi_avg_fn: A function `(averaged, current, n)` of two lists that changes the first in place; see
            `get_swa_multi_avg_fn` and `get_ema_multi_avg_fn`. The lists hold tensors of one type on one
            device; it is called for each of these.
        use_buffers: Average buffers too, such as the statistics of batch normalization. Without it they are
            copied from the model at each update, and `update_bn` computes them anew at the end.

    Attributes:
        module: The copy.
        n_averaged: How many models are averaged, a tensor of no axes.

    Raises:
        AssertionError: Both functions are given.

    Example:
        >>> average = genesis.optim.swa_utils.AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.99))
        >>> for batch in loader:
        ...     train(model, batch)
        ...     average.update_parameters(model)

    References: Izmailov et al., arXiv 1803.05407, algorithm 1; Polyak and Juditsky, SIAM J. Control Optim.
    30, 1992.
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Average | None = None,
        multi_avg_fn: MultiAverage | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", genesis.tensor(0, dtype=genesis.int64, device=device))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the copy."""
        return self.module(*args, **kwargs)

    @no_grad()
    def update_parameters(self, model: Module) -> None:
        """Take the parameters that the model has now into the average.

        Args:
            model: The model, or another one with as many parameters of the same shapes.
        """
        averaged, current = (
            [t.detach() for t in (chain(m.parameters(), m.buffers()) if self.use_buffers else m.parameters())]
            for m in (self.module, model)
        )
        pairs = [(a, p.to(a.device)) for a, p in zip(averaged, current, strict=False)]
        if not int(self.n_averaged):
            for a, p in pairs:
                a.copy_(p)
        elif self.multi_avg_fn is not None or self.avg_fn is None:
            average = self.multi_avg_fn or get_swa_multi_avg_fn()
            for alike in _alike(pairs):
                n = self.n_averaged.to(alike[0][0].device)
                average([a for a, _ in alike], [p for _, p in alike], n)
        else:
            for a, p in pairs:
                a.copy_(self.avg_fn(a, p, self.n_averaged.to(a.device)))
        if not self.use_buffers:
            for own, other in zip(self.module.buffers(), model.buffers(), strict=True):
                own.detach().copy_(other.detach().to(own.device))
        self.n_averaged += 1


def _alike(pairs: Iterable[tuple[Tensor, Tensor]]) -> list[list[tuple[Tensor, Tensor]]]:
    """Pairs by device and type of the first."""
    found: dict[Any, list[tuple[Tensor, Tensor]]] = {}
    for a, p in pairs:
        found.setdefault((str(a.device), a.dtype), []).append((a, p))
    return list(found.values())


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the statistics of batch normalization anew, in one pass over the data.

    Args:
        loader: Batches: the input of the model, or a list or tuple that begins with it.
        model: The model, usually an `AveragedModel`; the statistics of its layers are overwritten.
        device: Where to move the inputs first, if given.

    Example:
        >>> genesis.optim.swa_utils.update_bn(loader, average)
    """
    from genesis.nn.layers.batchnorm import _BatchNorm

    layers = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    was_training = model.training
    model.train()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # an average of all batches with equal weights
    for batch in loader:
        inputs = batch[0] if isinstance(batch, list | tuple) else batch
        model(inputs if device is None else inputs.to(device))
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    model.train(was_training)
