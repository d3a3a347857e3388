"""Every public name of PyTorch's is here, or its look-up says what is nearest."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import genesis
from genesis._missing import torch_names

sys.path.insert(0, str(Path(__file__).parent))
from make_torch_names import CLASSES, MODULES, TARGET

pytestmark = pytest.mark.parity


def found(library: object, path: str) -> object:
    for part in path.split(".") if path != "." else ():
        library = getattr(library, part)
    return library


def test_the_list_is_current() -> None:
    # in a process of its own: which submodules a package shows depends on what was imported
    code = "from make_torch_names import text; print(text(), end='')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert TARGET.read_text() == done.stdout, "run tests/parity/make_torch_names.py"


def message(thing: object, name: str) -> str:
    """What the look-up of a name says, or nothing if it is there."""
    try:
        getattr(thing, name)
    except AttributeError as error:
        return str(error)
    return ""


# Small classes, where Python's own message will do.
PLAIN = {"Generator", "dtype", "optim.Optimizer"}


@pytest.mark.parametrize("path", sorted({*MODULES, *CLASSES} - PLAIN))
def test_there_or_a_hint(path: str) -> None:
    name = "torch" if path == "." else f"torch.{path}"
    if path not in CLASSES:
        try:
            import_module(name.replace("torch", "genesis", 1))
        except ImportError as error:
            said = str(error)
            assert "not implemented" in said
            return
    ours = found(genesis, path) if path in CLASSES else sys.modules[name.replace("torch", "genesis", 1)]
    if path == "nn.Module":
        ours = genesis.nn.Module()
    without = []
    for each in sorted(torch_names("" if path == "." else path)):
        said = message(ours, each)
        if said and "not implemented" not in said:
            without.append(f"{each}: {said}")
    assert not without


def test_hints_are_about_names_that_are_not_there() -> None:
    from genesis._missing.hints import HINTS

    for path in HINTS:
        if path.endswith(".*"):
            continue
        thing: object = genesis
        for part in path.split("."):
            thing = getattr(thing, part, None)
        assert thing is None, f"there is a {path}, and a hint that there is none"
