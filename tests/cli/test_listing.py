"""`genesis plugins`, `schedulers`, `optimizers`, `backends`, the help, and the page that describes them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import genesis
from genesis.plugin import _stubs

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = (
    [],
    ["train"],
    ["checkpoint"],
    ["checkpoint", "inspect"],
    ["checkpoint", "verify"],
    ["warmup"],
    ["plugins"],
    ["plugins", "stubs"],
    ["schedulers"],
    ["optimizers"],
    ["backends"],
    ["kernels"],
    ["communicators"],
    ["port"],
)
KINDS = ("schedulers", "optimizers", "backends", "communicators")


@pytest.mark.parametrize("kind", KINDS)
def test_every_name_is_listed_with_who_supplies_it(genesis_command: Any, kind: str) -> None:
    done = genesis_command(kind)
    assert done.code == 0
    known = getattr(genesis, f"list_{kind}")()
    lines = {line.split()[0]: line for line in done.out.splitlines()[2:]}
    assert sorted(lines) == sorted(known)
    for c in known:
        for part in (c.distribution, c.version, c.summary, *c.aliases):
            assert part in lines[c]


def test_a_glob_or_a_part_of_a_name_selects(genesis_command: Any) -> None:
    for pattern in ("cosine_with*", "with_warm", "GET_COSINE*"):
        assert "cosine_with_warmup" in genesis_command("schedulers", pattern).out
    assert "LambdaLR" not in genesis_command("schedulers", "cosine*").out
    done = genesis_command("optimizers", "zzz")
    assert (done.code, done.out) == (1, "")
    assert "no optimizers fit 'zzz'" in done.err


def test_probing_says_which_devices_can_be_used(genesis_command: Any) -> None:
    assert "usable" not in genesis_command("backends").out
    (line,) = [
        line for line in genesis_command("backends", "--probe").out.splitlines() if line.startswith("ref")
    ]
    assert " yes " in line


@pytest.fixture
def broken_plugin(tmp_path: Path) -> dict[str, str]:
    """The environment of a process in which one plugin is broken and one device cannot be used."""
    import os

    for name, group in (("bad", "schedulers"), ("quantum", "backends")):
        info = tmp_path / "site" / f"acme_{name}-2.5.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: acme-{name}\nVersion: 2.5\n")
        (info / "entry_points.txt").write_text(f"[genesis.{group}]\n{name} = acme_{name}\n")
    (tmp_path / "site" / "acme_bad.py").write_text("import a_module_that_nobody_has\n")
    (tmp_path / "site" / "acme_quantum.py").write_text(
        "from genesis.plugin import BackendSpec, hookimpl\n"
        "@hookimpl\n"
        "def genesis_backends():\n"
        "    return [BackendSpec('quantum', 'acme_quantum_device:Backend', 'Not of this world.')]\n"
    )
    (tmp_path / "site" / "acme_quantum_device.py").write_text(
        "from genesis.backend import Availability\n"
        "class Backend:\n"
        "    def probe(self):\n"
        "        return Availability(False, 0, 'the cat is dead')\n"
    )
    return {**os.environ, "PYTHONPATH": str(tmp_path / "site")}


def outside(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "genesis", *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_broken_plugins_are_listed_with_their_cause(broken_plugin: dict[str, str]) -> None:
    done = outside(broken_plugin, "plugins")
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = [line for line in done.stdout.splitlines() if line.split()[:2] == ["schedulers", "bad"]]
    assert "broken" in line
    assert "acme-bad" in line
    assert "2.5" in line
    assert "bad of acme-bad 2.5 is broken: ModuleNotFoundError: No module named 'a_module_that" in done.stdout
    assert "GENESIS_DISABLE_PLUGINS=acme-bad" in done.stdout

    done = outside(broken_plugin, "schedulers")
    assert "cosine_with_warmup" in done.stdout
    assert done.stderr.startswith("warning: plugin 'bad' of acme-bad 2.5 was skipped")
    assert len(done.stderr.splitlines()) == 1


def test_a_device_that_cannot_be_used_says_why(broken_plugin: dict[str, str], tmp_path: Path) -> None:
    assert "no: the cat is dead" in outside(broken_plugin, "backends", "quantum", "--probe").stdout
    done = outside(broken_plugin, "train", "digits", "--device", "quantum", "--out", str(tmp_path / "run"))
    assert done.returncode == 1
    assert "device 'quantum' cannot be used here: the cat is dead" in done.stderr
    assert not (tmp_path / "run").exists()


def test_listings_load_no_numerical_library() -> None:
    code = (
        "import sys\nfrom genesis.cli import main\n"
        "try:\n    main([{!r}])\nexcept SystemExit as end:\n    assert not end.code\n"
        "print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    )
    for word in ("--help", "plugins", *KINDS):
        done = subprocess.run(
            [sys.executable, "-c", code.format(word)], capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        loaded = set(done.stdout.splitlines()[-1].split())
        assert "genesis" in loaded
        assert not loaded & {"numpy", "numba", "matplotlib", "genesis_cpu_", "safetensors"}


def test_stubs_are_written(genesis_command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_stubs, "stub_texts", lambda: {tmp_path / "a.pyi": "from a import b as b\n"})
    assert genesis_command("plugins", "stubs").out == f"wrote {tmp_path / 'a.pyi'}\n"
    assert (tmp_path / "a.pyi").read_text() == "from a import b as b\n"
    assert genesis_command("plugins", "stubs").out == "", "nothing has changed"


def test_the_version(genesis_command: Any) -> None:
    assert genesis_command("--version").out == f"genesis {genesis.__version__}\n"


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_flag_is_documented(genesis_command: Any, words: list[str]) -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    shown = genesis_command(*words, "--help").out
    flags = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", shown))
    assert "--help" in flags
    assert sorted(flag for flag in flags if not re.search(rf"{flag}(?![\w-])", page)) == []
    assert " ".join(["genesis", *words]) in page


def test_all_commands_are_checked(genesis_command: Any) -> None:
    shown = re.findall(r"^  ([a-z]+)  +\w", genesis_command("--help").out, re.MULTILINE)
    assert sorted(shown) == sorted(words[0] for words in COMMANDS if len(words) == 1)


def test_the_page_tells_the_exit_codes() -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert all(f"| {code} |" in page for code in (0, 1, 2, 130, 143))
