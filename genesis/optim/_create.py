"""Optimizers and schedules by name, for configuration files and command lines."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Any

from genesis.optim._param_scheduler import ParamScheduler
from genesis.optim._schedule import Schedule
from genesis.optim._scheduler import LRScheduler
from genesis.plugin import Contribution, registry
from genesis.plugin._provenance import made_by

if TYPE_CHECKING:
    from genesis.optim._optimizer import Optimizer


def create_optimizer(name: str, params: Any, **options: Any) -> Optimizer:
    """Return a new optimizer, found by its name.

    Args:
        name: One of `genesis.list_optimizers()`; case, `-` and `_` do not matter.
        params: The parameters to optimize, or parameter groups, as the optimizer itself takes them.
        **options: The optimizer's own options, such as `lr=1e-3`.

    Raises:
        UnknownNameError: No plugin supplies the name; the message has near misses.
        AmbiguousNameError: Several do, and the user has not chosen with `genesis.plugin.prefer`.
        PluginError: It is declared, but cannot be imported.
        TypeError: The optimizer does not take these options.

    Example:
        `optimizer = genesis.optim.create_optimizer("adamw", model.parameters(), lr=1e-3)`
    """
    found = registry("optimizers").find(name)
    optimizer: Optimizer = _create(found, params, options)
    made_by(optimizer, found)
    return optimizer


def create_scheduler(name: str, optimizer: Any, **options: Any) -> LRScheduler:
    """Return a new learning-rate schedule bound to an optimizer, found by its name.

    Args:
        name: One of `genesis.list_schedulers()`; case, `-` and `_` do not matter.
        optimizer: The optimizer whose learning rates it sets.
        **options: The schedule's own options, such as `num_warmup_steps=100`.

    Raises:
        UnknownNameError: No plugin supplies the name; the message has near misses.
        AmbiguousNameError: Several do, and the user has not chosen with `genesis.plugin.prefer`.
        PluginError: It is declared, but cannot be imported.
        TypeError: The schedule does not take these options.

    Example:
        `scheduler = create_scheduler("cosine_with_warmup", optimizer, num_warmup_steps=10,
        num_training_steps=100)`
    """
    found = registry("schedulers").find(name)
    scheduler: LRScheduler = _create(found, optimizer, options)
    made_by(scheduler, found)
    return scheduler


def _create(found: Contribution, subject: Any, options: dict[str, Any]) -> Any:
    make: Any = found.load()
    if isinstance(make, type) and issubclass(make, Schedule):
        make = _driven(make)
    try:
        expected = signature(make)
    except ValueError:  # something written in C that does not tell
        return make(subject, **options)
    parameters = list(expected.parameters.values())
    by_name = [each for each in parameters[1:] if each.name == "optimizer" and found.kind == "schedulers"]
    own = [each for each in parameters if each not in (by_name or parameters[:1])]
    given: tuple[Any, ...] = () if by_name else (subject,)
    options = {**options, "optimizer": subject} if by_name else options  # as ChainedScheduler has it
    try:
        expected.bind(*given, **options)
    except TypeError as error:
        takes = ", ".join(map(_shown, own)) or "no options"
        raise TypeError(f"{found}: {error}; it takes {takes}") from None
    return make(*given, **options)


def _driven(shape: Callable[..., Schedule]) -> Callable[..., LRScheduler]:
    """A schedule as a factory of schedulers that follow it."""

    def make(optimizer: Any, *, last_epoch: int = -1, verbose: bool = False, **options: Any) -> LRScheduler:
        return ParamScheduler(optimizer, shape(**options), last_epoch=last_epoch, verbose=verbose)

    own = signature(make).parameters
    takes = [each.replace(kind=Parameter.KEYWORD_ONLY) for each in signature(shape).parameters.values()]
    make.__signature__ = Signature([own["optimizer"], *takes, own["last_epoch"], own["verbose"]])  # type: ignore[attr-defined]
    return make


def _shown(parameter: Parameter) -> str:
    return str(parameter.replace(annotation=Parameter.empty))
