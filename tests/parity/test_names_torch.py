"""Every public name of PyTorch's is here, or its look-up says what is nearest."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest
import torch

import genesis

sys.path.insert(0, str(Path(__file__).parent))
from make_torch_names import CLASSES, MODULES, TARGET, names, text

pytestmark = pytest.mark.parity


def found(library: object, path: str) -> object:
    for part in path.split(".") if path != "." else ():
        library = getattr(library, part)
    return library


def test_the_list_is_current() -> None:
    assert TARGET.read_text() == text(), "run tests/parity/make_torch_names.py"


def message(thing: object, name: str) -> str:
    """What the look-up of a name says, or nothing if it is there."""
    try:
        getattr(thing, name)
    except AttributeError as error:
        return str(error)
    return ""


PENDING = {
    "Generator",
    "autograd.grad_mode",
    "autograd.gradcheck",
    "autograd.graph",
    "dtype",
    "nn.Module",
    "nn.parameter",
    "nn.utils",
    "nn.utils.prune",
    "optim.Optimizer",
    "optim.optimizer",
    "utils.bottleneck",
    "utils.tensorboard",
}


@pytest.mark.parametrize("path", sorted({*MODULES, *CLASSES} - PENDING))
def test_there_or_a_hint(path: str) -> None:
    name = "torch" if path == "." else f"torch.{path}"
    theirs = found(torch, path) if path in CLASSES else sys.modules.get(name)
    if theirs is None:
        pytest.skip(f"{name} cannot be imported here")
    if path not in CLASSES:
        try:
            import_module(name.replace("torch", "genesis", 1))
        except ImportError as error:
            said = str(error)
            assert "not implemented" in said
            return
    ours = found(genesis, path)
    without = []
    for each in names(theirs):
        said = message(ours, each)
        if said and "not implemented" not in said:
            without.append(f"{each}: {said}")
    assert not without
