"""Compiled kernels outlive the process, in a folder that the user can choose, or without any folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import genesis
x = genesis.tensor([float(i) for i in range(5000)])
print(float((x * 2 + genesis.tanh(x)).sum()))
print("numba" in __import__("sys").modules)
"""


def run(environment: dict[str, str], code: str = CODE) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def compiled(folder: Path) -> dict[str, int]:
    return {p.name: p.stat().st_mtime_ns for p in (folder / "kernels").rglob("*.nbc")}


def test_a_second_process_compiles_nothing(tmp_path: Path) -> None:
    first = run({"GENESIS_CACHE_DIR": str(tmp_path)})
    before = compiled(tmp_path)
    assert before
    assert run({"GENESIS_CACHE_DIR": str(tmp_path)}) == first
    assert compiled(tmp_path) == before


def test_processes_that_compile_at_once_agree(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CODE]
    environment = {**os.environ, "GENESIS_CACHE_DIR": str(tmp_path)}
    started = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    outputs = [p.communicate(timeout=120) for p in started]
    assert [p.returncode for p in started] == [0, 0, 0], outputs
    assert len({out for out, _ in outputs}) == 1
    assert not list(tmp_path.rglob("*.tmp"))
    before = compiled(tmp_path)
    run(environment)
    assert compiled(tmp_path) == before


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    want = run({"GENESIS_CACHE_DIR": str(tmp_path / "good")})
    assert run({"GENESIS_CACHE_DIR": str(blocked), "TMPDIR": str(tmp_path)}) == want
    # the temporary folder that stood in for it is gone again
    assert not list(tmp_path.glob("genesis-kernels-*"))


def test_a_damaged_cache_is_compiled_again(tmp_path: Path) -> None:
    want = run({"GENESIS_CACHE_DIR": str(tmp_path)})
    for p in (tmp_path / "kernels").rglob("*.nbi"):
        p.write_bytes(b"")
    assert run({"GENESIS_CACHE_DIR": str(tmp_path)}) == want


def test_numba_waits_for_the_first_kernel() -> None:
    code = (
        "import sys, genesis\nx = genesis.zeros(3)\nfrom genesis_cpu.backend import CpuBackend\n"
        "CpuBackend()\nprint('numba' in sys.modules)"
    )
    assert run({}, code) == ["False"]


@pytest.mark.parametrize("text", ["", "0", "1"])
def test_the_folder_is_chosen_by_the_environment(tmp_path: Path, text: str) -> None:
    code = "from genesis_cpu import _cache; print(_cache.folder())"
    home = tmp_path / "home"
    home.mkdir()
    chosen = str(tmp_path / text) if text else ""
    (got,) = run({"GENESIS_CACHE_DIR": chosen, "XDG_CACHE_HOME": str(home), "LOCALAPPDATA": str(home)}, code)
    assert got.startswith(chosen or str(home)) or sys.platform == "darwin"
