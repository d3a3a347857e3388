"""What `genesis train` can train: a data set, a model for it, and settings that work.

A recipe is ordinary code on `genesis.nn` and `genesis.data`, meant to be read and copied.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from genesis._errors import UnknownNameError

if TYPE_CHECKING:
    from genesis.recipes.recipe import Recipe


RECIPES = {
    "fashion-mnist": "genesis.recipes.images:FashionMnist",
    "digits": "genesis.recipes.images:Digits",
    "shakespeare": "genesis.recipes.shakespeare:Shakespeare",
}


def find(name: str) -> str:
    """Return the name of a recipe as it is written here; case, `-` and `_` do not matter.

    Raises:
        UnknownNameError: There is no such recipe; the message has near misses.
    """
    from genesis.plugin._contribution import fold
    from genesis.plugin._report import near_misses

    for known in RECIPES:
        if fold(known) == fold(name):
            return known
    near = near_misses(name, RECIPES)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"there are {', '.join(RECIPES)}."
    raise UnknownNameError(f"there is no recipe named {name!r}; {hint}")


def load(name: str) -> type[Recipe]:
    """Import a recipe and return its class."""
    module, _, attribute = RECIPES[find(name)].partition(":")
    recipe: type[Recipe] = getattr(import_module(module), attribute)
    return recipe
