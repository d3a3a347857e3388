"""What to say about a name that Genesis does not have.

A name of PyTorch's gets a text such as ``genesis.fft: not implemented; the nearest is …``, another one the
nearest spelling.  ``hints`` has sentences for the names that deserve one; ``torch_names.txt`` lists all
public names of PyTorch 2.13 (``tests/parity/make_torch_names.py`` writes it).  Both are read when a look-up
has failed, so this costs nothing before.
"""

from __future__ import annotations

import sys
from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

#: where a module of ours is found in PyTorch, if not at the same place
_ELSEWHERE = {"data": "utils.data"}
#: where a name is looked for that is not where it was expected
_PLACES = ("", "nn.functional", "Tensor", "nn", "linalg", "special", "utils.data", "autograd", "optim")


@lru_cache(None)
def torch_names(path: str) -> frozenset[str]:
    """The public names of a module or class of PyTorch, by its path below ``torch``; nothing if unknown."""
    return frozenset(_lists().get(path, "").split())


@lru_cache(None)
def _lists() -> dict[str, str]:
    with open(__file__.replace("__init__.py", "torch_names.txt"), encoding="ascii") as file:
        return dict(line.split(":", 1) for line in file)


@lru_cache(None)
def hint(path: str, name: str) -> str:
    """The sentence for a name of PyTorch's that is not here, or nothing.

    Args:
        path: the module or class below ``genesis``: ``""``, ``"nn.functional"``, ``"Tensor"``.
        name: what was looked up in it.
    """
    from genesis._missing.hints import HINTS

    path = _ELSEWHERE.get(path, path)
    full = f"{path}.{name}" if path else name
    for key in (full, f"{path}.*" if path else ""):
        if key in HINTS:
            return f"genesis.{full}: not implemented; {HINTS[key]}"
    known = name in torch_names(path) or full in _lists()
    return f"genesis.{full}: not implemented; {_nearest(path, name)}" if known else ""


def explain(module: str, name: str, known: Iterable[str]) -> str:
    """The text of the error for an unknown attribute of a module of ours."""
    plain = f"module {module!r} has no attribute {name!r}"
    if name.startswith("_"):  # Python itself probes __path__, __wrapped__ and the like, often
        return plain
    found = hint(module.partition(".")[2], name)
    if found:
        return found
    near = _closest(name, [n for n in known if not n.startswith("_")], 0.6)
    return f"{plain}; did you mean {near[0]!r}?" if near else plain


def _nearest(path: str, name: str) -> str:
    """Where the same name is, or one that is nearly the same."""
    here = _existing(path)
    for place in _PLACES:
        if place != path and name in _existing(place):
            return f"use genesis.{place}.{name}" if place else f"use genesis.{name}"
    bare = name.rstrip("_")
    if bare != name and bare in here:
        return f"the nearest is {bare}, which is not in place"
    near = _closest(name, here, 0.75)
    where = f"genesis.{path}." if path else "genesis."
    return f"the name closest to it is {where}{near[0]}" if near else "nothing here has a name like it"


def _closest(name: str, names: list[str], cutoff: float) -> list[str]:
    from difflib import get_close_matches

    return get_close_matches(name, names, 1, cutoff)


def _existing(path: str) -> list[str]:
    """The public names of a module or class of ours that is loaded."""
    genesis = sys.modules["genesis"]
    module = sys.modules.get(f"genesis.{path}" if path else "genesis")
    thing = vars(genesis).get(path) if module is None else module
    names = _members(thing) if isinstance(thing, type) else [] if thing is None else dir(thing)
    return [n for n in names if not n.startswith("_")]


def _members(cls: type) -> list[str]:
    """The names in a class and its bases, without those that are only said to be absent."""
    return sorted({n for c in cls.__mro__ for n, v in vars(c).items() if not isinstance(v, _Absent)})


class _Absent:
    """Stands in a class for a name that it does not have; getting it raises ``AttributeError``."""

    def __init__(self, path: str, name: str) -> None:
        self.path, self.name = path, name

    def __get__(self, instance: object, owner: type) -> object:
        raise AttributeError(hint(self.path, self.name))


def absent(path: str) -> type:
    """A base class with every public name of a class of PyTorch's, to be the last base of ours.

    ``__getattr__`` would do the same and make each access to an attribute twice as slow.  ``dir`` of an
    instance leaves these names out; ask the class with ``hasattr``.
    """

    def __dir__(self: object) -> list[str]:
        return sorted({*vars(self), *_members(type(self))})

    members = {name: _Absent(path, name) for name in torch_names(path)}
    return type(f"Absent{path}", (), {**members, "__dir__": __dir__, "__slots__": ()})
