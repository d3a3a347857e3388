"""`genesis plugins` and its commands: show, doctor and check, on plugins that are good and bad."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import genesis

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ("show", "doctor", "check", "new", "stubs")
SLOPE = """\
from dataclasses import dataclass
from genesis.optim import Schedule

@dataclass(frozen=True, repr=False)
class {name}(Schedule):
    '''A straight line.'''
    total: int = 10
    @property
    def horizon(self):
        return self.total
    def at(self, step):
        return 1 - step / self.total
"""
DECLARATION = """\
from genesis.plugin import SchedulerSpec, hookimpl

@hookimpl
def genesis_schedulers():
    return [SchedulerSpec({name!r}, "{package}.slope:{name}", "A straight line.")]
"""


class Site:
    """A folder on the path of commands, with distributions whose metadata are written by hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(
        self,
        name: str,
        thing: str = "Slope",
        plugin: str = DECLARATION,
        version: str = "1.5",
        group: str = "genesis.schedulers",
        requires: str = "genesis-dl",
        below: str = "",
    ) -> None:
        folder, package = self.folder / below, name.replace("-", "_")
        info = folder / f"{package}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\nSummary: Slopes of {name}.\n"
            f"License-Expression: MIT\nRequires-Python: >=3.10\nRequires-Dist: {requires}\n\n"
            f"It has {thing}.\n"
        )
        (info / "entry_points.txt").write_text(f"[{group}]\n{name[-4:]} = {package}.plugin\n")
        (folder / package).mkdir(exist_ok=True)
        (folder / package / "__init__.py").write_text("")
        (folder / package / "plugin.py").write_text(plugin.format(name=thing, package=package))
        (folder / package / "slope.py").write_text(SLOPE.format(name=thing))

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(self.folder), str(self.folder / "later")])
        done = subprocess.run(
            [sys.executable, "-m", "genesis", *words],
            env={**os.environ, "PYTHONPATH": path, **environment},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_verbose_shows_the_traceback_the_targets_and_the_files(site: Site) -> None:
    site.add("acme-good")
    site.add("acme-poor", plugin="import nothing_like_it\n")
    site.add("acme-good", version="1.4", below="later")
    short = site.run("plugins").stdout
    assert "poor of acme-poor 1.5 is broken: ModuleNotFoundError" in short
    assert "Traceback" not in short
    done = site.run("plugins", "--verbose")
    assert done.returncode == 0
    assert "Slope: acme_good.slope:Slope" in done.stdout
    assert str(site.folder / "acme_good" / "plugin.py") in done.stdout
    assert re.search(r'plugin\.py", line 1, in <module>\n\s+import nothing_like_it', done.stdout)
    assert f"acme-good 1.4 in {site.folder / 'later'} is not used: 1.5 in {site.folder}" in done.stdout


def test_show_tells_all_about_a_name(site: Site) -> None:
    site.add("acme-good", requires="genesis-dl>=99")
    for name in ("Slope", "slope", "acme-good:Slope"):
        shown = site.run("plugins", "show", name).stdout
        assert shown.startswith("Slope, a scheduler\n")
        for part in (
            "A straight line.",
            "acme-good 1.5 (plugin 'good')",
            "acme_good.slope:Slope",
            "slope.py",
        ):
            assert part in shown
    for name in ("acme_good", "good"):
        shown = site.run("plugin", "show", name).stdout
        assert "acme-good 1.5: Slopes of acme-good." in shown
        assert f"genesis-dl>=99; this is {genesis.__version__}, which it was not made for" in shown
        assert "schedulers: Slope" in shown
        assert str(site.folder) in shown
    done = site.run("plugins", "show", "slopes")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean 'Slope'?" in done.stderr


def test_show_tells_what_is_wrong(site: Site) -> None:
    site.add("acme-good", "LambdaLR")
    site.add("acme-poor", plugin="import nothing_like_it\n")
    shown = site.run("plugins", "show", "lambda-lr").stdout
    assert "shadowed: the bare name is another's; write 'acme-good:LambdaLR'" in shown
    assert "supplied by  genesis-dl" in shown
    assert "import nothing_like_it" in site.run("plugins", "show", "acme-poor").stdout


def test_the_doctor_finds_nothing_wrong(site: Site) -> None:
    site.add("acme-good")
    done = site.run("plugins", "doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.match(
        r"Nothing is wrong with \d+ plugins of 2 distributions, which add \d+ names\.", done.stdout
    )


def test_the_doctor_finds_everything_that_is_wrong(site: Site) -> None:
    site.add("acme-a001", plugin="import nothing_like_it\n")
    site.add("acme-b002", "Twin")
    site.add("acme-c003", "Twin")
    site.add("acme-d004", "LambdaLR")
    site.add("acme-e005", "Old", version="1.0", below="later")
    site.add("acme-e005", "Old", version="2.0")
    site.add("acme-f006", "Lost", group="genesis.scheduler")
    site.add("acme-g007", "Gone", plugin=DECLARATION.replace(".slope:", ".slop:"))
    site.add("acme-h008", "Loud", plugin="print('I am here')\n" + DECLARATION)
    site.add("acme-i009", "New", requires="genesis-dl>=99")
    site.add("acme-j010", "Heavy", plugin="import numpy\n" + DECLARATION)
    site.add("acme-k011", "Off")
    done = site.run(
        "plugins",
        "doctor",
        GENESIS_DISABLE_PLUGINS="acme-k011,acme-l012",
        GENESIS_PREFER="Tvin=acme-b002,Old=acme-zzz",
    )
    assert (done.returncode, done.stderr) == (1, "")
    for sentence in (
        r"wrong: plugin 'a001' of acme-a001 1\.5 .* is broken: ModuleNotFoundError",
        r"wrong: ambiguous: the scheduler 'Twin' is supplied by acme-b002 1\.5 and acme-c003 1\.5",
        r"wrong: the scheduler 'LambdaLR' of acme-d004 1\.5 is shadowed by that of genesis-dl",
        r"wrong: acme-e005 1\.0 in .*later is not used: 2\.0",
        r"wrong: acme-f006 1\.5: .*'genesis\.scheduler' .*did you mean 'genesis\.schedulers'",
        r"wrong: 'Gone' of acme-g007 1\.5 .* no module 'acme_g007\.slop'; did you mean 'acme_g007\.slope'",
        r"wrong: acme-h008 1\.5: .*prints:\nI am here",
        r"wrong: acme-i009 1\.5 was made for genesis-dl>=99, and this is ",
        r"wrong: acme-j010 1\.5: acme_j010/plugin\.py imports numpy \(line 1\)",
        r"note: plugin 'k011' of acme-k011 1\.5 \(schedulers\) is disabled",
        r"wrong: GENESIS_DISABLE_PLUGINS names 'acme-l012'.* Did you mean 'acme-",
        r"wrong: GENESIS_PREFER names 'Tvin', and no plugin supplies it\. Did you mean 'Twin'",
        r"wrong: GENESIS_PREFER wants 'Old' from 'acme-zzz', which is not installed",
        r"\d+ things are wrong\.\n$",
    ):
        assert re.search(sentence, done.stdout), (sentence, done.stdout)
    lines = done.stdout.splitlines()
    (number,) = [i for i, line in enumerate(lines) if line.startswith("wrong: plugin")]
    assert lines[number + 1].startswith("  Repair or uninstall acme-a001"), "each has its cure"


def test_the_doctor_looks_although_settings_are_bad(site: Site) -> None:
    site.add("acme-poor", plugin="import nothing_like_it\n")
    done = site.run("plugins", "doctor", GENESIS_STRICT_PLUGINS="1", GENESIS_PREFER="Slope")
    assert done.returncode == 1
    assert "note: GENESIS_STRICT_PLUGINS is set" in done.stdout
    assert "wrong: GENESIS_PREFER should read NAME=DISTRIBUTION" in done.stdout
    assert "wrong: plugin 'poor' of acme-poor 1.5" in done.stdout


def test_a_choice_of_the_user_is_nothing_wrong(site: Site) -> None:
    site.add("acme-good", "LambdaLR")
    done = site.run("plugins", "doctor", GENESIS_PREFER="LambdaLR=acme-good")
    assert done.returncode == 0
    assert "note: the scheduler 'LambdaLR' of genesis-dl" in done.stdout
    assert "as GENESIS_PREFER says" in done.stdout


def test_damaged_metadata_of_one_hurt_no_other(site: Site) -> None:
    site.add("acme-good")
    site.add("acme-lost", "Lost")
    (site.folder / "acme_lost-1.5.dist-info" / "METADATA").unlink()
    site.add("acme-odd1", "First")
    (site.folder / "acme_odd1-1.5.dist-info" / "entry_points.txt").write_text("[genesis.schedulers]\nodd\n")
    site.add("acme-odd2", "Second")
    (site.folder / "acme_odd2-1.5.dist-info" / "METADATA").write_bytes(b"\xff\xfe\x00")
    assert "acme-good" in site.run("plugins", "--verbose").stdout
    for name in ("acme-good", "acme-lost", "acme-odd1", "acme-odd2"):
        assert site.run("plugins", "show", name).returncode == 0
    done = site.run("plugins", "doctor")
    assert done.returncode == 1
    assert "acme-odd1 1.5" in done.stdout
    assert site.run("plugins", "check", "acme-good").returncode == 0


def test_check_runs_the_kit(site: Site) -> None:
    site.add("acme-good")
    done = site.run("plugins", "check", "acme-good")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"acme-good +targets/load +passed", done.stdout)
    assert re.search(r"\d+ checks passed, 0 failed", done.stdout)

    site.add("acme-poor", plugin=DECLARATION.replace("line.", "line"))
    done = site.run("plugin", "check", "poor")
    assert done.returncode == 1
    assert re.search(r"poor +names/summaries +failed", done.stdout)
    assert "poor, names/summaries:\n  the summary of 'Slope', 'A straight line', does not end" in done.stdout

    done = site.run("plugins", "check", "acme-gold")
    assert done.returncode == 2
    assert "did you mean 'acme-good'" in done.stderr


def test_check_deep_runs_the_kits_for_what_is_added(site: Site) -> None:
    site.add("acme-good")
    done = site.run("plugins", "check", "acme-good", "--deep")
    assert done.returncode == 0, done.stdout
    assert re.search(r"Slope \(scheduler\) +\w+ +(\d+ )?passed", done.stdout)

    wrong = SLOPE.format(name="Slope").replace("1 - step / self.total", "float('nan')")
    (site.folder / "acme_good" / "slope.py").write_text(wrong)
    done = site.run("plugins", "check", "acme-good", "--deep")
    assert done.returncode == 1
    assert "nan" in done.stdout


@pytest.mark.parametrize("word", COMMANDS)
def test_every_flag_is_documented(genesis_command: Any, word: str) -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    flags = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", genesis_command("plugins", word, "--help").out))
    assert "--help" in flags
    assert sorted(flag for flag in flags if not re.search(rf"{flag}(?![\w-])", page)) == []
    assert f"genesis plugins {word}" in page or f"genesis plugin {word}" in page


def test_all_commands_are_checked(genesis_command: Any) -> None:
    shown = re.findall(r"^  ([a-z]+)  +\w", genesis_command("plugins", "--help").out, re.MULTILINE)
    assert sorted(shown) == sorted(COMMANDS)
    assert (
        genesis_command("plugin", "--help").out.splitlines()[2:]
        == (genesis_command("plugins", "--help").out.splitlines()[2:])
    )
