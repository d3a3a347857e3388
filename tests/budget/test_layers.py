"""Who may import whom, read from the source: what is imported inside a function counts too."""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PLUGINS = sorted(path.name for path in (ROOT / "plugins").iterdir() if (path / "__init__.py").exists())

# A part of the core may import parts of its own height and below.
HEIGHT = {
    "_errors": 0,
    "_lazy": 0,
    "_missing": 0,
    "_dtypes": 1,
    "plugin": 1,
    "backend": 2,
    "_accelerators": 3,
    "_device": 3,
    "autograd": 4,
    "ops": 4,
    "checkpoint": 5,
    "data": 5,
    "distributed": 5,
    "nn": 5,
    "optim": 5,
    "testing": 6,
    "cli": 7,
}
TENSOR = (
    4  # the height of the tensor and all that belongs to it: private modules that the list above leaves out
)

# What these parts need besides the standard library and each other.
ALLOWED_LIBRARIES = {
    "plugin": {"pluggy", "importlib_metadata", "packaging"},
    "_errors": set(),
    "_lazy": set(),
    "_missing": set(),
    "_dtypes": {"ml_dtypes"},  # in a function, for bfloat16 alone
}


class Import(NamedTuple):
    """One imported name: the module it is taken from, the name, and where this is written."""

    module: str
    name: str
    place: str

    @property
    def path(self) -> list[str]:
        return f"{self.module}.{self.name}".strip(".").split(".")


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in {
        n.id for n in ast.walk(node.test) if isinstance(n, ast.Name)
    }


@functools.cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def nodes(tree: ast.AST, types_too: bool) -> Iterator[ast.AST]:
    waiting = [tree]
    while waiting:
        for node in ast.iter_child_nodes(waiting.pop()):
            if types_too or not is_type_checking(node):
                yield node
                waiting.append(node)


@functools.cache
def imports(file: Path, types_too: bool = True) -> list[Import]:
    """Find the imports of a file, with those for type checkers alone or without."""
    found = []
    path = file.relative_to(ROOT)
    for node in nodes(parsed(file), types_too):
        place = f"{path}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Import):
            found += [Import(alias.name, "", place) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{place}: write imports in full"
            found += [Import(node.module or "", alias.name, place) for alias in node.names]
    return found


def sources(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("*.py"))
    assert found, f"no sources in {folder}"
    return found


def part_of(file: Path) -> str:
    return file.relative_to(ROOT / "genesis").with_suffix("").parts[0]


def height(part: str) -> int:
    return HEIGHT.get(part, TENSOR if part.startswith("_") else max(HEIGHT.values()))


def test_the_core_knows_no_plugin() -> None:
    for file in sources(ROOT / "genesis"):
        found = [i.place for i in imports(file) if i.path[0] in PLUGINS]
        texts = (n for n in ast.walk(parsed(file)) if isinstance(n, ast.Constant))
        for text in texts:  # such as the targets of lazy names
            if isinstance(text.value, str) and text.value.startswith(tuple(f"{name}." for name in PLUGINS)):
                found.append(f"{file.relative_to(ROOT)}:{text.lineno}")
        assert not found, "the core finds plugins through their declarations only"


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugin_uses_public_names_only(plugin: str) -> None:
    for file in sources(ROOT / "plugins" / plugin):
        for found in imports(file):
            assert found.path[0] not in set(PLUGINS) - {plugin}, f"{found.place}: a plugin stands by itself"
            if found.path[0] == "genesis":
                private = [name for name in found.path if name.startswith("_")]
                assert not private, f"{found.place}: {private[0]} is private, a stranger could not rely on it"


def test_a_plugin_declares_without_heavy_imports() -> None:
    for declaration in (ROOT / "plugins").glob("*/plugin.py"):
        modules = {found.path[0] for found in imports(declaration)}
        assert modules <= {"__future__", "genesis"}, f"{declaration}: every listing imports this file"


def test_the_parts_of_the_core_lie_in_layers() -> None:
    for file in sources(ROOT / "genesis"):
        part = part_of(file)
        if part in {"__init__", "__main__"}:  # the public face, which names everything and imports nothing
            continue
        for found in imports(file, types_too=False):
            if (
                found.path[0] == "genesis"
                and len(found.path) > 1
                and (found.module, part) != ("genesis", "cli")
            ):
                used = found.path[1]
                if (ROOT / "genesis" / used).exists() or (ROOT / "genesis" / f"{used}.py").exists():
                    assert height(used) <= height(part), f"{found.place}: {part} lies below {used}"


@pytest.mark.parametrize("part", ALLOWED_LIBRARIES)
def test_the_lowest_parts_need_few_libraries(part: str) -> None:
    for file in sources(ROOT / "genesis"):
        if part_of(file) == part:
            for found in imports(file):
                known = {"genesis", *ALLOWED_LIBRARIES[part], *sys.stdlib_module_names}
                assert found.path[0] in known, f"{found.place}: {part} should do without {found.path[0]}"


def test_a_relative_or_private_import_would_be_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The rules above pass on an empty list of imports: show that the reader of imports sees what it should.
    file = tmp_path / "module.py"
    file.write_text(
        "import genesis.nn as nn\n"
        "def f():\n    from genesis import _errors\n"
        "if TYPE_CHECKING:\n    from genesis_cpu.backend import CpuBackend\n"
    )
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    assert sorted(i.path for i in imports(file)) == [
        ["genesis", "_errors"],
        ["genesis", "nn"],
        ["genesis_cpu", "backend", "CpuBackend"],
    ]
    assert len(list(imports(file, types_too=False))) == 2
