"""The contract grows: plugins of yesterday work tomorrow, and those of tomorrow say today what they lack.

Tomorrow is an installed Genesis whose contract was edited: a higher number, one more argument, one more
field, and something that will go away.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HEAD = "from genesis.plugin import API_VERSION, KernelSpec, OptimizerSpec, SchedulerSpec, hookimpl\n"

PLUGINS = {
    # As the first plugins were written: no argument, fields by position.
    "old": """
@hookimpl
def genesis_schedulers():
    return [SchedulerSpec("Old", "old.things:Thing", "A schedule.", ("ancient",))]
""",
    "counts": """
@hookimpl
def genesis_schedulers(api):
    return [SchedulerSpec("Counts", "counts.things:Thing", f"Contract {api}.")]
""",
    # Needs what comes tomorrow.
    "new": """
@hookimpl
def genesis_schedulers(features, api):
    return [SchedulerSpec("New", "new.things:Thing", f"{api} {features}.", since="0.9")]
""",
    # Serves both, as docs/plugins/versions.md shows.
    "both": """
def declared(**more):
    return [SchedulerSpec("Both", "both.things:Thing", "A schedule.", **more)]

if API_VERSION >= 2:
    @hookimpl
    def genesis_schedulers(features):
        return declared(since=features[0])
else:
    @hookimpl
    def genesis_schedulers():
        return declared()
""",
    # Uses an argument and a hook that will go away.
    "fades": """
@hookimpl
def genesis_optimizers(api):
    return [OptimizerSpec("Fades", "fades.things:Thing", "An optimizer.")]

@hookimpl
def genesis_kernels():
    return [KernelSpec("softmax", "nowhere", "fades.things:kernel", "A kernel.")]
""",
}

TOMORROW = {
    "specs.py": {
        "API_VERSION = 1\n": "API_VERSION = 2\n",
        # the end of the fields of SchedulerSpec, which stand before the next class
        "    aliases: tuple[str, ...] = ()\n\n\nclass KernelSpec": (
            "    aliases: tuple[str, ...] = ()\n    since: str = ''\n\n\nclass KernelSpec"
        ),
        "def genesis_schedulers(api: int)": "def genesis_schedulers(api: int, features: tuple[str, ...])",
        "@hookspec\ndef genesis_optimizers": (
            "@hookspec(warn_on_impl_args={'api': DeprecationWarning('api goes away in 0.9.')})\n"
            "def genesis_optimizers"
        ),
        "@hookspec\ndef genesis_kernels": (
            "@hookspec(warn_on_impl=DeprecationWarning('kernels go away in 0.9.'))\ndef genesis_kernels"
        ),
    },
    "_discovery.py": {'return {"api": API_VERSION}': 'return {"api": API_VERSION, "features": ("a", "b")}'},
}

ASK = """
import warnings
warnings.simplefilter("error", DeprecationWarning)  # a plugin that uses what goes away is not broken by that
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always", UserWarning)
    import genesis
    from genesis.plugin import list_kernels, list_plugins, registry
    for _ in range(2):
        found = [*genesis.list_schedulers(), *genesis.list_optimizers(), *list_kernels()]
        list_plugins()
    answer["found"] = {s: s.summary for s in found if s.distribution != "genesis-dl"}
    answer["ancient"] = registry("schedulers").find("ancient").load().__name__
answer["warnings"] = [str(w.message) for w in caught]
answer["status"] = {p.distribution: p.status for p in list_plugins()}
"""


@pytest.fixture(scope="module")
def installed(
    environment: Callable[..., Any],
    build_wheels: Callable[..., dict[str, Path]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Any:
    """An environment with Genesis and these plugins."""
    folder = tmp_path_factory.mktemp("versions")
    for name, plugin in PLUGINS.items():
        root = folder / name
        (root / name).mkdir(parents=True)
        (root / name / "__init__.py").write_text("")
        (root / name / "plugin.py").write_text(HEAD + plugin)
        (root / name / "things.py").write_text("class Thing: ...\n")
        kinds = [k for k in ("schedulers", "optimizers", "kernels") if f"def genesis_{k}" in plugin]
        (root / "pyproject.toml").write_text(
            '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
            f'[project]\nname = "acme-{name}"\nversion = "2.5"\n'
            f'[tool.hatch.build.targets.wheel]\npackages = ["{name}"]\n'
            + "".join(f'[project.entry-points."genesis.{k}"]\n{name} = "{name}.plugin"\n' for k in kinds)
        )
    made = environment("genesis-dl")
    made.install(*build_wheels(folder / "wheels", *(folder / name for name in PLUGINS)).values())
    return made


@pytest.fixture(scope="module")
def today(installed: Any) -> Any:
    return installed.ask(ASK)


@pytest.fixture(scope="module")
def tomorrow(installed: Any, today: Any) -> Any:
    """The answer after the contract was edited; `today` is asked before."""
    for name, edits in TOMORROW.items():
        file = installed.packages / "genesis" / "plugin" / name
        text = file.read_text(encoding="utf-8")
        for old, new in edits.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        file.write_text(text, encoding="utf-8")
    return installed.ask(ASK)


def test_what_was_written_before_goes_on_working(today: Any, tomorrow: Any) -> None:
    for answer in (today, tomorrow):
        assert answer["found"]["Old"] == "A schedule."
        assert answer["ancient"] == "Thing"
        assert answer["status"]["acme-old"] == "ok"


def test_a_plugin_that_asks_for_the_number_gets_it(today: Any, tomorrow: Any) -> None:
    assert today["found"]["Counts"] == "Contract 1."
    assert tomorrow["found"]["Counts"] == "Contract 2."


def test_a_new_argument_reaches_who_asks_for_it_and_today_says_what_is_wrong(
    today: Any, tomorrow: Any
) -> None:
    assert tomorrow["found"]["New"] == "2 ('a', 'b')."
    assert "New" not in today["found"]
    (text,) = today["warnings"]
    assert "acme-new 2.5 was skipped" in text
    assert "asks for 'features', and Genesis with contract 1 gives it only 'api'" in text
    assert "written for a newer Genesis" in text


def test_one_release_serves_both(today: Any, tomorrow: Any) -> None:
    for answer in (today, tomorrow):
        assert answer["found"]["Both"] == "A schedule."
        assert answer["status"]["acme-both"] == "ok"


def test_what_goes_away_costs_one_warning_and_works(today: Any, tomorrow: Any) -> None:
    assert tomorrow["found"]["Fades"] == today["found"]["Fades"] == "An optimizer."
    assert tomorrow["status"]["acme-fades"] == "ok"
    (text,) = tomorrow["warnings"]  # of an argument and a hook of one module: once is enough to act on
    assert "'fades' of acme-fades 2.5 works, but uses what will go away" in text
    assert "goes away in 0.9" in text or "go away in 0.9" in text


def test_nor_is_it_an_error_where_failures_are(installed: Any, tomorrow: Any) -> None:
    code = """
import genesis
answer["names"] = genesis.list_optimizers()
"""
    names = installed.ask(code, GENESIS_STRICT_PLUGINS="1")["names"]
    assert "Fades" in names
    assert "AdamW" in names


def test_a_registered_plugin_is_told_too(installed: Any, tomorrow: Any) -> None:
    code = """
import warnings
import genesis
import fades.plugin
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    with genesis.plugin.isolated():
        genesis.plugin.register(fades.plugin, "mine")
        answer["names"] = genesis.list_optimizers("fades")
        genesis.list_optimizers()
answer["warnings"] = [str(w.message) for w in caught]
"""
    answer = installed.ask(code)
    assert answer["names"] == ["Fades"]
    (text,) = answer["warnings"]
    assert "'mine' of mine works, but uses what will go away" in text
