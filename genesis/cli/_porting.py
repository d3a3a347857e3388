"""PyTorch's imports as Genesis's, and what of PyTorch a script uses that Genesis has not."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

#: what is imported instead; longer names first
MODULES = {
    "torchvision.transforms": "genesis.data.transforms",
    "torchvision.datasets": "genesis.data.datasets",
    "torchvision": "genesis.data",
    "torch": "genesis",
}


class Lacking(NamedTuple):
    """A name that a script uses and Genesis does not have: where, and what Genesis says of it."""

    line: int
    name: str
    hint: str


def renamed(module: str) -> str | None:
    """What stands for a module of PyTorch's; None if it is none."""
    for theirs, ours in MODULES.items():
        if module == theirs or module.startswith(theirs + "."):
            return ours + module[len(theirs) :]
    return None


def swap_imports(source: str) -> str:
    """Return a script with PyTorch's imports replaced; every other line stays as it is.

    ``import torch`` becomes ``import genesis as torch``, so that what follows need not change.

    Raises:
        SyntaxError: it is no Python.
    """
    lines = source.splitlines(keepends=True)
    for node in sorted(ast.walk(ast.parse(source)), key=lambda n: -getattr(n, "lineno", 0)):
        new = _statement(node)
        if new is None:
            continue
        assert isinstance(node, ast.Import | ast.ImportFrom)
        assert node.end_lineno is not None
        first, last = lines[node.lineno - 1], lines[node.end_lineno - 1]
        before = first.encode()[: node.col_offset].decode()
        after = last.encode()[node.end_col_offset :].decode()
        indent = before if not before.strip() else ""
        lines[node.lineno - 1 : node.end_lineno] = [before + f"\n{indent}".join(new) + after]
    return "".join(lines)


def _statement(node: ast.AST) -> list[str] | None:
    """The statements that replace an import of PyTorch's."""
    if isinstance(node, ast.ImportFrom) and not node.level and node.module:
        module = renamed(node.module)
        if module is None:
            return None
        names = [a.name + (f" as {a.asname}" if a.asname else "") for a in node.names]
        return [f"from {module} import {', '.join(names)}"]
    if not isinstance(node, ast.Import) or not any(renamed(a.name) for a in node.names):
        return None
    out: list[str] = []
    for a in node.names:
        module = renamed(a.name)
        if module is None:
            out.append(f"import {a.name}" + (f" as {a.asname}" if a.asname else ""))
        elif a.asname:
            out.append(f"import {module} as {a.asname}")
        else:  # the name that the script goes on with is that of the package
            top = a.name.partition(".")[0]
            out.append(f"import {renamed(top)} as {top}")
            if "." in a.name:
                out.append(f"import {module}")
    return out


def lacking(source: str) -> list[Lacking]:
    """What a script uses, by names that begin at an import of PyTorch's, and Genesis has not."""
    tree = ast.parse(source)
    found: dict[tuple[int, str], str] = {}
    bound: dict[str, str] = {}
    guarded = set(_guarded(tree))
    for node in ast.walk(tree):
        if id(node) in guarded:
            continue
        if isinstance(node, ast.ImportFrom) and not node.level and node.module and renamed(node.module):
            for a in node.names:
                if a.name == "*":
                    continue
                path = f"{renamed(node.module)}.{a.name}"
                bound[a.asname or a.name] = path
                _note(found, node.lineno, path)
        elif isinstance(node, ast.Import):
            for a in node.names:
                module = renamed(a.name)
                if module is not None:
                    top = a.name.partition(".")[0]
                    bound[a.asname or top] = module if a.asname else str(renamed(top))
                    _note(found, node.lineno, module)
    for line, chain in _chains(tree, bound):
        _note(found, line, chain)
    return [Lacking(line, name, hint) for (line, name), hint in sorted(found.items())]


def _guarded(tree: ast.AST) -> Iterator[int]:
    """The imports that a script tries and can do without."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Try) and any(_catches(h) for h in node.handlers):
            for inner in (n for part in node.body for n in ast.walk(part)):
                if isinstance(inner, ast.Import | ast.ImportFrom):
                    yield id(inner)


def _catches(handler: ast.ExceptHandler) -> bool:
    """Whether a failed import ends up in this ``except``."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {getattr(kind, "id", None) for kind in kinds}
    return handler.type is None or bool(
        names & {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
    )


def _chains(tree: ast.AST, bound: dict[str, str]) -> Iterator[tuple[int, str]]:
    """Every ``a.b.c`` in a script that begins at a bound name, as a path."""
    inner = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or id(node) in inner:
            continue
        names: list[str] = []
        at: ast.expr = node
        while isinstance(at, ast.Attribute):
            names.append(at.attr)
            at = at.value
        if isinstance(at, ast.Name) and at.id in bound:
            yield node.lineno, ".".join([bound[at.id], *reversed(names)])


def _note(found: dict[tuple[int, str], str], line: int, path: str) -> None:
    """Look a path up as far as it leads through modules and classes."""
    from importlib import import_module
    from types import ModuleType

    first, *rest = path.split(".")
    at: object = import_module(first)
    name = first
    for part in rest:
        if not isinstance(at, ModuleType | type):
            return  # what a value has is not known before the script runs
        try:
            at = getattr(at, part)
        except AttributeError as error:
            name = f"{name}.{part}"
            try:
                at = import_module(name)
                continue
            except ImportError:
                found.setdefault((line, name), str(error))
                return
        name = f"{name}.{part}"
