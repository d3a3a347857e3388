"""Who supplied the parts of a program: kept beside their saved states, and written into checkpoints."""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from genesis._errors import GenesisError
from genesis.plugin._contribution import Contribution
from genesis.plugin._registry import registry
from genesis.plugin.specs import KINDS


class Provider(NamedTuple):
    """Who supplied a part of a checkpoint.

    Attributes:
        kind: `"backends"`, `"optimizers"` or `"schedulers"`.
        name: Such as `"Lion"`.
        distribution, version: Whose it was when the checkpoint was written.
        target: Where it was imported from.
    """

    kind: str
    name: str
    distribution: str
    version: str
    target: str

    @classmethod
    def of(cls, found: Contribution) -> Provider:
        """What a checkpoint keeps of a contribution."""
        return cls(found.kind, found.name, found.distribution, found.version, found.target)

    def missing(self) -> bool:
        """Whether nothing supplies it here."""
        try:
            registry(self.kind).find(f"{self.distribution}:{self.name}")
        except GenesisError:
            return True
        return False


class PartState(dict[str, Any]):
    """The saved state of a part: a dict that also knows the classes that it came from.

    Attributes:
        origin: Where these classes are defined, as `"module:Class"`, or the qualified name that made it.
    """

    __slots__ = ("origin",)

    def __init__(self, state: dict[str, Any], origin: Iterable[str]) -> None:
        super().__init__(state)
        self.origin = tuple(dict.fromkeys(origin))

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        # For those who pickle it: PyTorch's safe loader refuses classes that it does not know, `dict` by name
        # among them; this one it knows.
        return OrderedDict, (), None, None, iter(self.items())

    def __copy__(self) -> PartState:
        return PartState(self, self.origin)

    def __deepcopy__(self, memo: dict[int, Any]) -> PartState:
        from copy import deepcopy

        return PartState(deepcopy(dict(self), memo), self.origin)


_makers: WeakKeyDictionary[Any, str] = WeakKeyDictionary()


def made_by(part: Any, found: Contribution) -> None:
    """Remember which contribution made an object, whose class may be somebody else's."""
    with suppress(TypeError):  # an object of a stranger's that takes no weak references
        _makers[part] = found.qualified


def origin_of(part: Any) -> Iterator[str]:
    """Where an object comes from, for `PartState`."""
    with suppress(TypeError):
        if part in _makers:
            yield _makers[part]
    yield f"{type(part).__module__}:{type(part).__qualname__}"


def providers_of(state: PartState) -> list[Provider]:
    """Return who supplied a part: what plugins declare of the classes and names in its `origin`."""
    wanted = set(state.origin)
    found = [
        contribution
        for kind in KINDS
        for contribution in registry(kind).contributions()
        if contribution.qualified in wanted
        or contribution.target in wanted
        or _defined(contribution) in wanted
    ]
    return list(dict.fromkeys(Provider.of(contribution) for contribution in found))


def _defined(contribution: Contribution) -> str | None:
    """Where the class of a target is defined, if it was imported; a target may be a second address."""
    module, _, path = contribution.target.partition(":")
    value: Any = sys.modules.get(module)
    for attribute in path.split("."):
        value = vars(value).get(attribute) if hasattr(value, "__dict__") else None
    return f"{value.__module__}:{value.__qualname__}" if isinstance(value, type) else None
