"""Nested tuples, lists and dictionaries of tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def leaves(tree: Any) -> list[Any]:
    """What is in a tree, in order."""
    if isinstance(tree, dict):
        return [x for key in tree for x in leaves(tree[key])]
    if isinstance(tree, tuple | list):
        return [x for part in tree for x in leaves(part)]
    return [tree]


def mapped(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """The tree of ``function(leaf, *leaves of the others)``; all have the same form."""
    if isinstance(tree, dict):
        return type(tree)({key: mapped(function, tree[key], *[o[key] for o in others]) for key in tree})
    if isinstance(tree, tuple | list):
        parts = [mapped(function, *p) for p in zip(tree, *others, strict=True)]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    return function(tree, *others)


def filled(tree: Any, values: Any) -> Any:
    """A tree of the form of ``tree`` with the values of an iterator."""
    return mapped(lambda _: next(values), tree)
