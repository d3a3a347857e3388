"""The packages under docs/examples: each is built, installed, tested with the kit, used, and removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import importlib_metadata
import pytest
from packaging.requirements import Requirement

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
FOLDERS = sorted(file.parent for file in EXAMPLES.glob("*/pyproject.toml"))

LISTED = """
import genesis
kinds = ("backends", "optimizers", "schedulers")
answer["names"] = {kind: getattr(genesis, f"list_{kind}")() for kind in kinds}
answer["broken"] = [repr(p) for p in genesis.plugin.list_plugins() if p.status != "ok"]
"""
# The kind, the name, and code that uses it once.
USED = {
    "genesis-lion": (
        "optimizers",
        "genesis-lion:Lion",  # the bare name is the built-in's
        """
p = genesis.tensor([1.0, -1.0], requires_grad=True)
optimizer = genesis.optim.create_optimizer("genesis-lion:Lion", [p], lr=0.25, weight_decay=0.0)
p.grad = genesis.tensor([3.0, -0.1])
optimizer.step()
answer["used"] = p.tolist() == [0.75, -0.75]
""",
    ),
    "genesis-sawtooth": (
        "schedulers",
        "Sawtooth",
        """
p = genesis.tensor([1.0], requires_grad=True)
optimizer = genesis.optim.create_optimizer("SGD", [p], lr=1.0)
scheduler = genesis.optim.create_scheduler("Sawtooth", optimizer, total_steps=8, teeth=2)
rates = []
for _ in range(8):
    rates.append(scheduler.get_last_lr()[0])
    optimizer.step()
    scheduler.step()
rises = sum(b > a for a, b in zip(rates, rates[1:]))
answer["used"] = rates[0] == 1.0 and rises == 1 and rates[4] < rates[0]
""",
    ),
    "genesis-opencl": (
        "backends",
        "opencl",
        """
x = genesis.tensor([[1.0, 2.0], [3.0, 4.0]], device="opencl", requires_grad=True)
(x @ x).sum().backward()
answer["used"] = x.grad.tolist() == [[7.0, 11.0], [9.0, 13.0]] and x.grad.device.type == "opencl"
""",
    ),
}

# OpenCL compiles a kernel for each question at the first time, which takes minutes where nothing is cached.
# Here some are asked; `pytest` in the folder of the example asks all.
SOME = {
    "genesis-opencl": "test_plugin or (test_backend and float32 and (matmul or gather or scatter or kernel))"
}


def test_there_are_examples_of_three_kinds() -> None:
    assert {"genesis-lion", "genesis-sawtooth", "genesis-opencl"} <= {folder.name for folder in FOLDERS}


def missing(requirement: Requirement) -> Iterator[Requirement]:
    """What of a requirement the environment that runs the tests cannot lend."""
    try:
        installed = importlib_metadata.distribution(requirement.name)
    except importlib_metadata.PackageNotFoundError:
        yield requirement
        return
    if not requirement.specifier.contains(installed.version, prereleases=True):
        yield requirement
    for text in installed.requires or ():
        further = Requirement(text)
        marker, further.marker = further.marker, None
        if marker and any(marker.evaluate({"extra": extra}) for extra in requirement.extras):
            yield from missing(further)


def requirements(distribution: str, made: Any) -> list[Requirement]:
    """What an installed distribution needs, for all that it can do."""
    (found,) = importlib_metadata.distributions(name=distribution, path=[str(made.packages)])
    needed = [Requirement(text) for text in found.requires or ()]
    for each in needed:
        each.marker = None  # its extras are wanted, too
    return [each for each in needed if each.name not in {"genesis-dl", distribution}]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_an_example_is_installed_tested_used_and_removed(
    folder: Path,
    environment: Callable[..., Any],
    build_wheels: Callable[..., dict[str, Path]],
    tmp_path: Path,
) -> None:
    kind, name, code = USED[folder.name]
    made = environment("genesis-dl")
    made.install(build_wheels(tmp_path, folder)[folder.name])
    lacking = [str(each) for needed in requirements(folder.name, made) for each in missing(needed)]
    if lacking:  # the extra `test` of Genesis lends them; without it they come from the registry
        made.fetch(*lacking)

    answer = made.ask(LISTED + code)
    assert name in answer["names"][kind]
    assert answer["broken"] == []
    assert answer["used"] is True

    assert made.test(folder, SOME.get(folder.name, "")) > 10
    made.uninstall(folder.name)
    assert name not in made.ask(LISTED)["names"][kind]


def test_what_cannot_be_lent_is_found() -> None:
    def lacking(text: str) -> list[str]:
        return [str(each) for each in missing(Requirement(text))]

    assert lacking("numpy") == []
    assert lacking("numpy>=999") == ["numpy>=999"]
    assert lacking("a-distribution-that-nobody-has>=1") == ["a-distribution-that-nobody-has>=1"]
