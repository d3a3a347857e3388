"""Configurations: schedules and schedulers as plain values, and back."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from inspect import Parameter, getattr_static, signature
from numbers import Integral, Real
from types import BuiltinFunctionType, FunctionType
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
    """The value that `encode` wrote down; without an optimizer there are no schedulers in it.

    Raises:
        ValueError: if it names something that cannot be found, or nests so deeply that Python gives up.
    """
    try:
        return _decode(value, optimizer)
    except RecursionError:
        raise ValueError("the configuration is nested too deeply") from None


def _decode(value: Any, optimizer: Any) -> Any:
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
        if optimizer is None:
            raise ValueError(f"a schedule is made of schedules, not of a scheduler such as {value['type']!r}")
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
    base = expected.__name__ in ("Schedule", "LRScheduler")
    if not base and name in (expected.__name__, f"{expected.__module__}:{expected.__qualname__}"):
        return expected
    fitting = [cls for cls in _named(name) if issubclass(cls, expected)] if isinstance(name, str) else []
    if len(fitting) == 1:
        return fitting[0]
    if isinstance(name, str) and base:
        found = named_class(name)  # or an error that says what there is
        raise ValueError(f"expected the configuration of a {expected.__name__}; {name} is a {found!r}")
    if base:
        raise ValueError(
            "a configuration is a dict with the name of a class as its 'type', and its parameters; got "
            f"{config!r}"
        )
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
    from genesis.optim import _chains, _param_scheduler  # noqa: F401 (their classes are found below)
    from genesis.optim._composed import ComposedLR
    from genesis.optim._composition import Composition
    from genesis.optim._metric import Live, MetricSchedule
    from genesis.optim._scheduler import LRScheduler
    from genesis.optim._wrap import Wrapped
    from genesis.plugin import registry

    module, _, qualified = name.rpartition(":")
    target = None
    if not module:
        with suppress(UnknownNameError, AmbiguousNameError):
            target = registry("schedulers").find(name).load()  # which defines more classes
    bases = (Composition, Live, MetricSchedule, Wrapped, ComposedLR)
    loaded = [cls for base in (Schedule, LRScheduler) for cls in _derived(base) if cls not in bases]
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
    name = getattr(function, "__qualname__", "")
    place = f"{getattr(function, '__module__', None)}:{name}"
    if _found_at(place) is function:
        return place
    if "<lambda>" in name:
        what = "a lambda"
    elif isinstance(function, FunctionType) and "<locals>" in name:
        what = f"{name}, defined inside another function,"
    else:
        what = f"{function!r}"
    raise TypeError(
        f"{owner!r} has no configuration: {what} has no name by which it could be found again. Define it "
        "with `def` at the top level of a module, or use a Schedule"
    )


def _function(name: Any) -> Any:
    function = _found_at(name) if isinstance(name, str) else None
    if function is None:
        raise ValueError(
            f"the configuration names the function {name!r}; expected 'module:function', of a module that "
            "was imported, is not of the standard library, and defines the function with `def`"
        )
    return function


def _found_at(place: str) -> Any:
    """The function of a name such as "my_module:decay"; None if it is none that a configuration may name.

    A configuration may come from anywhere. So nothing is imported, and what it can name are the functions
    that somebody wrote in Python outside of the standard library, with `math` as an exception.
    """
    module, _, qualified = place.partition(":")
    if module.partition(".")[0] in sys.stdlib_module_names - {"math", "__main__"}:
        return None
    first, *rest = qualified.split(".")
    found = getattr(sys.modules.get(module), "__dict__", {}).get(first)  # getattr of a module may import
    for name in rest:
        found = getattr_static(found, name, None) if isinstance(found, type) else None
    found = found.__func__ if isinstance(found, staticmethod) else found
    if not isinstance(found, FunctionType if module != "math" else BuiltinFunctionType):
        return None
    return found if (found.__module__, found.__qualname__) == (module, qualified) else None


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
