"""Which classes a state came from, so that a checkpoint can name who supplied them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from genesis.plugin._provenance import PartState, origin_of


def with_origin(state_dict: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """Make a `state_dict` method return a dict that knows the classes of the object and of its schedules."""

    @wraps(state_dict)
    def wrapped(self: Any) -> dict[str, Any]:
        state = state_dict(self)
        return PartState(state, _origins(self)) if type(state) is dict else state

    return wrapped


def _origins(part: Any) -> Iterator[str]:
    from genesis.optim._schedule import Schedule

    yield from origin_of(part)
    fields = getattr(type(part), "__dataclass_fields__", None)
    for value in [getattr(part, name) for name in fields] if fields else vars(part).values():
        for item in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(item, Schedule):
                yield from _origins(item)
