"""`genesis plugin new`: a complete package, written from templates."""

from __future__ import annotations

import json
import keyword
import re
import shlex
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import NamedTuple

from genesis.cli._errors import Misuse
from genesis.cli._plugins.listing import say
from genesis.cli._plugins.places import all_contributions
from genesis.plugin._contribution import fold
from genesis.plugin._discovery import CORE_DISTRIBUTION
from genesis.plugin.specs import KINDS


class _Sort(NamedTuple):
    """One kind of plugin that there are templates for."""

    kind: str
    module: str
    title: str
    summary: str


SORTS = {
    "backend": _Sort("backends", "backend", "A device", "Arrays of NumPy on the host."),
    "kernel": _Sort("kernels", "kernel", "A kernel for softmax", "Softmax along the last axis, by NumPy."),
    "optimizer": _Sort(
        "optimizers",
        "optimizer",
        "An optimizer",
        "Gradient descent with momentum and decoupled weight decay.",
    ),
    "scheduler": _Sort(
        "schedulers", "schedule", "A learning-rate schedule", "A fall that is slow at first and ever faster."
    ),
}
_TEMPLATES = Path(__file__).with_name("templates")


class Package(NamedTuple):
    """What a new package is called, and what it adds.

    Attributes:
        sort: One of `SORTS`.
        distribution: What pip knows it by.
        package: What Python imports it by.
        name: What Genesis lists.
        class_name: The class of it.
    """

    sort: str
    distribution: str
    package: str
    name: str
    class_name: str


def create(sort: str, given: str, name: str | None, into: str, author: str | None) -> None:
    """Write the package and say what to do next.

    Args:
        sort: One of `SORTS`.
        given: The name of the distribution, as the user writes it.
        name: What it adds; None to make it of the distribution's name.
        into: The folder for the folder of the package.
        author: Who is named in the licence; None to ask git.

    Raises:
        Misuse: A name will not do, or the folder is there already. Nothing is written.
    """
    made = _named(sort, given, name)
    folder = Path(into).expanduser() / made.distribution
    if folder.exists():
        raise Misuse(f"{folder} is there already; choose another name, or another folder with --into")
    texts = _texts(made, _author(author, made.distribution))
    for path, text in texts.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    say(_next(made, folder))


def _named(sort: str, given: str, name: str | None) -> Package:
    from packaging.utils import InvalidName, canonicalize_name

    from genesis.testing.plugin_checks._subject import located

    try:
        distribution = str(canonicalize_name(given, validate=True))
    except InvalidName:
        raise Misuse(
            f"{given!r} cannot be the name of a distribution: write letters, digits, '-', '_' and '.', with "
            "a letter or a digit at both ends, such as 'acme-lion'"
        ) from None
    package = distribution.replace("-", "_")
    if not package.isidentifier() or keyword.iskeyword(package):
        raise Misuse(f"the package would be {package!r}, which Python cannot import; choose another name")
    if package in sys.stdlib_module_names or located(package)[0] is not None:
        raise Misuse(
            f"Python has a module {package!r} already; choose another name, such as 'acme-{distribution}'"
        )
    if sort == "kernel":
        if name is not None:
            raise Misuse(
                "--name is for devices, optimizers and schedules; a kernel is called device:operation"
            )
        return Package(sort, distribution, package, "cpu:softmax", "softmax")
    words = [word for word in distribution.split("-") if word != "genesis"]
    if name is None:
        name = "_".join(words) if sort == "backend" else _camel(words)
    if not name.isidentifier() or keyword.iskeyword(name):
        raise Misuse(f"{name!r} cannot be the name of {_a(sort)}: give an identifier of Python with --name")
    if sort != "backend" and name[:1].islower():
        raise Misuse(f"{name!r} should be the name of a class, such as {_camel(name.split('_'))!r}")
    for c in all_contributions():
        if c.kind == SORTS[sort].kind and fold(name) in {fold(n) for n in (c.name, *c.aliases)}:
            whose = "a built-in" if fold(c.distribution) == fold(CORE_DISTRIBUTION) else f"{c.origin}'s"
            raise Misuse(f"{name!r} is the name of {whose} {KINDS[c.kind].noun}; choose another with --name")
    class_name = f"{_camel(name.split('_'))}Backend" if sort == "backend" else name
    return Package(sort, distribution, package, name, class_name)


def _camel(words: list[str]) -> str:
    return "".join(word[:1].upper() + word[1:] for word in words)


def _a(sort: str) -> str:
    return {
        "backend": "a device",
        "kernel": "a kernel",
        "optimizer": "an optimizer",
        "scheduler": "a schedule",
    }[sort]


def _author(given: str | None, distribution: str) -> str:
    if given is None:
        try:
            asked = subprocess.run(
                ["git", "config", "user.name"], capture_output=True, text=True, timeout=10, check=False
            )
            given = asked.stdout
        except (OSError, subprocess.TimeoutExpired):  # there is no git, or none that answers
            given = ""
    given = given.strip() or f"the authors of {distribution}"
    if re.search(r"[\x00-\x1f\x7f]", given):
        raise Misuse(f"the name of an author should be one line, got {given!r}")
    return given


def _texts(made: Package, author: str) -> dict[str, str]:
    """The files of the package, by path."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from packaging.version import Version

    import genesis

    sort = SORTS[made.sort]
    values = {
        **made._asdict(),
        **sort._asdict(),
        "noun": _a(made.sort).partition(" ")[2],
        "spec": KINDS[sort.kind].spec.__name__,
        "author": author,
        "quoted_author": json.dumps(author, ensure_ascii=False),
        "year": date.today().year,
        "genesis": Version(genesis.__version__).public,
        "python": ">=3.10",
    }
    templates = {
        "pyproject.toml": "pyproject.toml",
        "README.md": "README.md",
        "LICENSE": "LICENSE",
        ".gitignore": "gitignore",
        f"{made.package}/__init__.py": "init.py",
        f"{made.package}/plugin.py": "plugin.py",
        f"{made.package}/{sort.module}.py": f"{sort.module}.py",
        f"tests/test_{made.package}.py": f"test_{sort.module}.py",
    }
    # Nothing is escaped: these are no web pages.
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True
    )
    texts = {
        path: environment.get_template(f"{template}.j2").render(values)
        for path, template in templates.items()
    }
    return {**texts, f"{made.package}/py.typed": ""}


def _next(made: Package, folder: Path) -> str:
    sort = SORTS[made.sort]
    noun = KINDS[sort.kind].noun
    return (
        f"wrote {folder}: the distribution {made.distribution} with the {noun} {made.name}\n\n"
        f"  cd {shlex.quote(str(folder))}\n"
        '  python -m pip install -e ".[test]"\n'
        f"  genesis {sort.kind} {made.name}\n"
        "  pytest\n"
        f"  genesis plugins check {made.distribution} --deep\n\n"
        f"What it computes is in {made.package}/{sort.module}.py: make it yours."
    )
