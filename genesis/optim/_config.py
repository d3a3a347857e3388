"""Configurations: schedules and schedulers as plain values, and back."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from inspect import Parameter, signature
from numbers import Integral, Real
from typing import Any

from genesis._errors import AmbiguousNameError, UnknownNameError
from genesis.optim._schedule import Schedule


def encode(value: Any, owner: Any) -> Any:
    """A parameter as a value that JSON can hold.

    Raises:
        TypeError: if there is none; the error names `owner`, whose parameter it is.
    """
    from genesis.optim._scheduler import LRScheduler

    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (Schedule, LRScheduler)):
        return value.to_config()
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, Counter):  # as PyTorch keeps milestones
        return sorted(value.elements())
    if isinstance(value, (list, tuple)):
        return [encode(item, owner) for item in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: encode(item, owner) for key, item in value.items()}
    if callable(value):
        return {"function": _function_name(value, owner)}
    if hasattr(value, "tolist"):  # a tensor, or an array
        return value.tolist()
    raise TypeError(f"{owner!r}: {value!r} cannot be written into a configuration")


def decode(value: Any, optimizer: Any = None) -> Any:
    """The value that `encode` wrote down."""
    if isinstance(value, list):
        return tuple(decode(item, optimizer) for item in value)
    if not isinstance(value, Mapping):
        return value
    if set(value) == {"function"}:
        return _function(value["function"])
    if "type" not in value:
        return {key: decode(item, optimizer) for key, item in value.items()}
    from genesis.optim._scheduler import LRScheduler

    if issubclass(found := named_class(value["type"]), LRScheduler):
        return found.from_config(value, optimizer)
    return Schedule.from_config(value)


def name_of(cls: type[Any]) -> str:
    """The name by which a class is found again: its own, with its module where that is not enough."""
    if len(found := _named(cls.__name__)) == 1 and found[0] is cls:
        return cls.__name__
    return f"{cls.__module__}:{cls.__qualname__}"


def schedule_class(config: Mapping[str, Any], expected: type[Any]) -> Any:
    """The class of a schedule that a configuration names: `expected` or one derived from it."""
    name = config.get("type") if isinstance(config, Mapping) else None
    if isinstance(name, str) and name.rpartition(":")[2].rpartition(".")[2] == expected.__name__:
        return expected
    fitting = [cls for cls in _named(name) if issubclass(cls, expected)] if isinstance(name, str) else []
    if len(fitting) == 1:
        return fitting[0]
    if isinstance(name, str) and expected.__name__ in ("Schedule", "LRScheduler"):
        found = named_class(name)  # or an error that says what there is
        raise ValueError(f"expected the configuration of a {expected.__name__}; {name} is a {found!r}")
    parameters = sorted(getattr(expected, "__dataclass_fields__", ()))
    given = sorted(set(config) - {"type"}) if isinstance(config, Mapping) else config
    raise ValueError(
        f"expected the configuration of a {expected.__name__} with {parameters}, got that of a {name} with "
        f"{given}"
    )


def named_class(name: Any) -> Any:
    """The Schedule or LRScheduler class of a name.

    Raises:
        ValueError: if nothing has this name.
        AmbiguousNameError: if several classes have it.
    """
    if not isinstance(name, str):
        raise ValueError(f"'type' must be the name of a schedule, got {name!r}")
    found = _named(name)
    if not found:
        raise ValueError(
            f"no schedule is called {name!r}. Import the module that defines it, or install the plugin that "
            "declares it: genesis.list_schedulers() shows what there is"
        )
    if len(found) > 1:
        places = " and ".join(f"{cls.__module__}:{cls.__qualname__}" for cls in found)
        raise AmbiguousNameError(f"{name!r} may be {places}; write one of them as the 'type'")
    return found[0]


def _named(name: str) -> list[type[Any]]:
    """Every class with a name; what a plugin declares under it goes before what merely was imported."""
    from genesis.optim import _compose, _composed, _param_scheduler  # noqa: F401 (their classes are found below)
    from genesis.optim._scheduler import LRScheduler
    from genesis.plugin import registry

    module, _, qualified = name.rpartition(":")
    target = None
    if not module:
        with suppress(UnknownNameError, AmbiguousNameError):
            target = registry("schedulers").find(name).load()  # which defines more classes
    loaded = [cls for base in (Schedule, LRScheduler) for cls in _derived(base)]
    if module:
        return [cls for cls in loaded if cls.__qualname__ == qualified and cls.__module__ == module][-1:]
    found = [cls for cls in loaded if cls.__name__ == name]
    own = [cls for cls in found if cls is target or cls.__module__.startswith("genesis.optim.")]
    return own or found


def _derived(cls: type[Any]) -> Iterator[type[Any]]:
    for derived in cls.__subclasses__():
        yield derived
        yield from _derived(derived)


def _function_name(function: Any, owner: Any) -> str:
    """Where a function can be found again."""
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
    if module and name and _lookup(sys.modules.get(module), name) is function:
        return f"{module}:{name}"
    what = "a lambda" if "<lambda>" in name else f"{function!r}"
    raise TypeError(
        f"{owner!r} has no configuration: {what} has no name by which it could be found again. Define it "
        "with `def` at the top level of a module, or use a Schedule"
    )


def _function(name: str) -> Any:
    module, _, qualified = name.partition(":")
    if module not in sys.modules:
        raise ValueError(f"the configuration names the function {name!r}; import {module} first")
    function = _lookup(sys.modules[module], qualified)
    if not callable(function):
        raise ValueError(f"the configuration names the function {name!r}, which {module} does not have")
    return function


def _lookup(found: Any, qualified: str) -> Any:
    for part in qualified.split("."):
        found = getattr(found, part, None)
    return found


def arguments_of(scheduler: Any) -> dict[str, Any]:
    """The arguments that a scheduler was made with, by name, as its attributes have them now.

    Left out are the optimizer, `last_epoch`, `verbose` and those equal to their defaults.
    """
    positional, named = scheduler._arguments
    parameters = list(signature(type(scheduler).__init__).parameters.values())[1:]
    given = dict(zip([each.name for each in parameters], positional, strict=False)) | named
    result = {}
    for parameter in parameters:
        name = parameter.name
        if name in ("optimizer", "last_epoch", "verbose") or name not in given:
            continue
        if given[name] is scheduler.optimizer:
            continue
        value = scheduler.__dict__.get(name, given[name])
        if value is not parameter.default:
            result[name] = value
    return result | {name: value for name, value in named.items() if name not in _names(parameters)}


def _names(parameters: list[Parameter]) -> set[str]:
    return {"optimizer", "last_epoch", "verbose", *(parameter.name for parameter in parameters)}


def scheduler_config(scheduler: Any) -> dict[str, Any]:
    """What `LRScheduler.to_config` returns."""
    arguments = {name: encode(value, scheduler) for name, value in scheduler._parameters().items()}
    return {"type": name_of(type(scheduler)), **arguments}


def scheduler_from_config(cls: type[Any], config: Mapping[str, Any], optimizer: Any) -> Any:
    """What `LRScheduler.from_config` does."""
    found = schedule_class(config, cls)
    arguments = {name: decode(config[name], optimizer) for name in config if name != "type"}
    for name, value in arguments.items():  # PyTorch's schedulers take lists where they take several
        arguments[name] = list(value) if isinstance(value, tuple) else value
    expected = signature(found)
    positional = [optimizer]
    if "optimizer" in expected.parameters:
        positional, arguments = [], {**arguments, "optimizer": optimizer}
    try:
        expected.bind(*positional, **arguments)
    except TypeError as error:
        raise ValueError(f"the configuration of a {found.__name__} does not fit: {error}") from None
    return found(*positional, **arguments)
