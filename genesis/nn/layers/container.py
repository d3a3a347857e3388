"""Modules that hold modules: ``Sequential``, ``ModuleList``, ``ModuleDict``."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from itertools import chain, groupby
from typing import Any, TypeVar, overload

from genesis.nn._hooks import unwatched
from genesis.nn.functional._linear import linear_relu
from genesis.nn.layers.activation import ReLU
from genesis.nn.layers.linear import Linear
from genesis.nn.module import Module

Self = TypeVar("Self", bound="_Numbered")


class _Numbered(Module):
    """Children in order, named "0", "1", ...: what ``Sequential`` and ``ModuleList`` have in common."""

    _modules: dict[str, Module]  # type: ignore[assignment]

    def _name_at(self, index: int) -> str:
        """The child's name at a position; ``Sequential`` may have been given names of its own."""
        position = operator.index(index)
        size = len(self._modules)
        if not -size <= position < size:
            raise IndexError(f"index {position} is out of range for {type(self).__name__} of {size} modules")
        return list(self._modules)[position]

    def _refill(self, modules: Iterable[Module]) -> None:
        modules = list(modules)
        self._modules.clear()
        for index, module in enumerate(modules):
            self.add_module(str(index), module)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __contains__(self, module: object) -> bool:
        return any(child is module for child in self)

    def __setitem__(self, index: int, module: Module) -> None:
        self.add_module(self._name_at(index), module)

    def __delitem__(self, index: int | slice) -> None:
        names = list(self._modules)[index] if isinstance(index, slice) else [self._name_at(index)]
        for name in names:
            del self._modules[name]
        self._refill(self)

    def append(self: Self, module: Module) -> Self:
        """Add a module at the end and return self."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self: Self, modules: Iterable[Module]) -> Self:
        """Add all modules of an iterable at the end and return self.

        Raises:
            TypeError: ``modules`` is not iterable.
        """
        if not isinstance(modules, Iterable):
            raise TypeError(
                f"{type(self).__name__}.extend needs an iterable of modules, got {type(modules).__name__}"
            )
        for module in list(modules):  # a list, so that extending by itself ends
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Any:
        """Put a module before position ``index``, which counts as in ``list.insert``."""
        if not isinstance(module, Module):
            raise TypeError(f"{type(module).__name__} is not a Module")
        modules = list(self)
        modules.insert(index, module)
        self._refill(modules)

    def pop(self, index: int = -1) -> Module:
        """Remove the module at ``index`` and return it."""
        module = self._modules[self._name_at(index)]
        del self[index]
        return module

    def __iadd__(self: Self, other: Iterable[Module]) -> Self:
        return self.extend(other)


class Sequential(_Numbered):
    """Runs its modules one after the other, each on the output of the one before.

    Args:
        *args: the modules, or one ``OrderedDict`` of names to modules.

    Example:
        >>> net = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
        >>> net(genesis.rand(64, 784)).shape
        (64, 10)
    """

    def __init__(self, *args: Module | OrderedDict[str, Module]) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            for index, layer in enumerate(args):
                self.add_module(str(index), layer)  # type: ignore[arg-type]  # a mapping is refused there

    def forward(self, input: Any) -> Any:
        layer: Linear | None = None  # one that has not run: with the rectifier behind it, it is one operation
        for module in self._modules.values():
            if layer is not None:
                if type(module) is ReLU and unwatched(module):
                    input, layer = linear_relu(input, layer.weight, layer.bias), None
                    continue
                input, layer = layer(input), None
            if type(module) is Linear and unwatched(module):
                layer = module
            else:
                input = module(input)
        return input if layer is None else layer(input)

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> Sequential: ...
    def __getitem__(self, index: int | slice) -> Module:
        if isinstance(index, slice):
            return type(self)(OrderedDict(list(self._modules.items())[index]))
        return self._modules[self._name_at(index)]

    def insert(self, index: int, module: Module) -> Sequential:
        """Put a module before position ``index`` and return self.

        Raises:
            IndexError: ``index`` is not within ``[-len, len]``.
        """
        if not -len(self) <= index <= len(self):
            raise IndexError(f"index {index} is out of range for Sequential of {len(self)} modules")
        super().insert(index, module)
        return self

    def __add__(self, other: Sequential) -> Sequential:
        if not isinstance(other, Sequential):
            raise TypeError(f"can only add a Sequential to a Sequential, got {type(other).__name__}")
        return Sequential(*self, *other)

    def __mul__(self, times: int) -> Sequential:
        return Sequential(*self._repeated(times))

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Sequential:
        return self.extend(self._repeated(times)[len(self) :])

    def _repeated(self, times: int) -> list[Module]:
        """The modules ``times`` times over: the same modules, so their parameters are shared."""
        if not isinstance(times, int):
            raise TypeError(f"a Sequential can be multiplied by an int only, got {type(times).__name__}")
        if times <= 0:
            raise ValueError(f"a Sequential can be multiplied by a positive int only, got {times}")
        return list(self) * times


class ModuleList(_Numbered):
    """A list of modules, whose parameters are found; it has no ``forward`` of its own.

    Args:
        modules: what to start with.

    Example:
        >>> layers = nn.ModuleList([nn.Linear(10, 10) for _ in range(3)])
        >>> layers.append(nn.Linear(10, 2))
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> ModuleList: ...
    def __getitem__(self, index: int | slice) -> Module:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return self._modules[self._name_at(index)]

    def insert(self, index: int, module: Module) -> None:
        """Put a module before position ``index``, which counts as in ``list.insert``."""
        super().insert(index, module)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList(chain(self, other))

    def __repr__(self) -> str:
        """Like ``Module``'s, with a run of equal children on one line: ``(0-2): 3 x Linear(...)``."""
        if not len(self):
            return f"{self._get_name()}()"
        lines = []
        start = 0
        for text, group in groupby(repr(child) for child in self):
            count = sum(1 for _ in group)
            shown = text.replace("\n", "\n  ")
            last = start + count - 1
            lines.append(f"({start}): {shown}" if count == 1 else f"({start}-{last}): {count} x {shown}")
            start += count
        return "\n  ".join([f"{self._get_name()}(", *lines]) + "\n)"


class ModuleDict(Module):
    """A dictionary of modules, in order of insertion; it has no ``forward`` of its own.

    Args:
        modules: a mapping of names to modules, or an iterable of pairs.

    Example:
        >>> heads = nn.ModuleDict({"digit": nn.Linear(64, 10), "parity": nn.Linear(64, 2)})
        >>> heads["digit"](features)
    """

    _modules: dict[str, Module]  # type: ignore[assignment]

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Module:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Remove all modules."""
        self._modules.clear()

    def pop(self, key: str) -> Module:
        """Remove the module of this name and return it."""
        return self._modules.pop(key)

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._modules.keys()

    def items(self) -> ItemsView[str, Module]:
        """The pairs (name, module)."""
        return self._modules.items()

    def values(self) -> ValuesView[Module]:
        """The modules."""
        return self._modules.values()

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add the modules of a mapping or of pairs; names that exist are overwritten.

        Raises:
            TypeError: ``modules`` is neither a mapping nor an iterable of pairs.
        """
        if not isinstance(modules, Mapping | ModuleDict | Iterable):
            raise TypeError(
                f"ModuleDict.update needs a mapping or an iterable of pairs, got {type(modules).__name__}"
            )
        pairs = modules.items() if isinstance(modules, Mapping | ModuleDict) else modules
        for index, pair in enumerate(pairs):
            if not isinstance(pair, Iterable) or isinstance(pair, str) or len(pair := tuple(pair)) != 2:
                raise TypeError(f"ModuleDict.update: element {index} is not a pair (name, module): {pair!r}")
            self.add_module(*pair)
