"""`genesis warmup`: compiles what a recipe needs, and says so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import genesis


def test_it_tells_what_was_done_and_leaves_nothing_else(genesis_command: Any) -> None:
    done = genesis_command("warmup", "Digits")
    assert done.code == 0, done.err
    assert done.out.startswith("digits\n")
    assert re.search(
        r"\d+ kernels? compiled in [\d.]+ s, \d+ (was|were) there already; kept in \S+", done.out
    )
    assert not list(Path().iterdir())


def test_a_device_without_kernels_and_unknown_names(genesis_command: Any) -> None:
    done = genesis_command("warmup", "digits", "--device", "ref")
    assert "the device 'ref' compiles no kernels" in done.out
    for words in (("nope",), ("digits", "--device", "nope"), ("digits", "--optimizer", "nope")):
        done = genesis_command("warmup", *words)
        assert done.code == 2
        assert "nope" in done.err


def test_what_is_warm_needs_no_compiler(genesis_command: Any, tmp_path: Path) -> None:
    pytest.importorskip("genesis_cpu")
    assert genesis_command("warmup", "digits").code == 0
    code = (
        "import sys\nfrom genesis.cli import main\n"
        "try:\n    main(['train', 'digits', '--epochs', '1', '--out', 'run'])\n"
        "finally:\n    print('numba' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.split()[-1] == "False", done.stderr


def test_each_kernel_is_told_with_whether_it_was_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENESIS_CACHE_DIR", str(tmp_path))
    cache = pytest.importorskip("genesis_cpu._cache")
    backend = genesis.device("cpu").backend
    assert backend.kernel_folder() == str(tmp_path / "kernels")
    told = []
    backend.watch_kernels(lambda name, compiled, seconds: told.append((name, compiled, seconds > 0)))
    try:
        for _ in range(2):
            cache.machine_code("def nothing(args, lo, hi):\n    pass\n", "nothing")
    finally:
        backend.watch_kernels(None)
    cache.machine_code("def nothing(args, lo, hi):\n    pass\n", "nothing")
    assert told == [("nothing", True, True), ("nothing", False, True)]
