"""Compiled kernels outlive the process, in a folder that the user can choose, or without any folder."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CODE = """
import genesis
x = genesis.tensor([float(i) for i in range(5000)])
print(float((x * 2 + genesis.tanh(x))[4999]))
"""
RESULT = ["9999.0"]
NUMBA = CODE + "print('numba' in __import__('sys').modules)"


def run(environment: dict[str, str | None], code: str = CODE, quiet: bool = True) -> list[str]:
    """The words that a process prints; a variable that is None is not in its environment."""
    whole = {k: v for k, v in {**os.environ, **environment}.items() if v is not None}
    done = subprocess.run(
        [sys.executable, "-c", code], env=whole, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert not (quiet and done.stderr), done.stderr
    return [*done.stdout.split(), done.stderr] if done.stderr else done.stdout.split()


def compiled(folder: Path) -> dict[str, int]:
    return {p.name: p.stat().st_mtime_ns for p in folder.rglob("*.code")}


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the kernels of CODE."""
    folder = tmp_path_factory.mktemp("warm")
    assert run({"GENESIS_CACHE_DIR": str(folder)}, NUMBA) == [*RESULT, "True"]
    return folder


def test_a_second_process_compiles_nothing_and_loads_no_compiler(warm: Path) -> None:
    before = compiled(warm)
    assert before
    assert run({"GENESIS_CACHE_DIR": str(warm)}, NUMBA) == [*RESULT, "False"]
    assert compiled(warm) == before


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


def test_a_home_that_cannot_be_written_or_is_not_there_is_no_error(tmp_path: Path) -> None:
    blocked, temporary = tmp_path / "file", tmp_path / "temporary"
    blocked.write_text("not a folder")
    temporary.mkdir()
    nowhere = {"GENESIS_CACHE_DIR": None, "XDG_CACHE_HOME": None, "LOCALAPPDATA": None}
    home = {**nowhere, "HOME": str(blocked), "USERPROFILE": str(blocked), "TMPDIR": str(temporary)}
    # kernels are kept among the temporary files, so that at least the next process finds them
    assert run({**home, "TEMP": str(temporary), "TMP": str(temporary)}) == RESULT
    before = compiled(temporary)
    assert before
    assert run({**home, "TEMP": str(temporary), "TMP": str(temporary)}) == RESULT
    assert compiled(temporary) == before
    assert run({**nowhere, "HOME": None, "USERPROFILE": None, "TMPDIR": str(temporary)}) == RESULT


def test_a_folder_that_was_chosen_and_cannot_be_used_is_said_once(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    chosen = {"GENESIS_CACHE_DIR": str(blocked), "TMPDIR": str(tmp_path)}
    *got, said = run(chosen, quiet=False)
    assert got == RESULT
    assert said.count("RuntimeWarning: $GENESIS_CACHE_DIR cannot be used") == 1
    assert compiled(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="limits of processes")
def test_a_full_disk_is_no_error(tmp_path: Path) -> None:
    code = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n" + CODE
    chosen = {"GENESIS_CACHE_DIR": str(tmp_path), "TMPDIR": str(tmp_path)}
    *got, said = run(chosen, code, quiet=False)
    assert got == RESULT
    assert said.count("compiled kernels cannot be kept") == 1
    assert "set GENESIS_CACHE_DIR" in said
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_kernels_are_read_where_nothing_can_be_written(warm: Path) -> None:
    # such as an image for containers that was warmed up when it was made
    code = f"""
import os
real = os.open
def refuse(path, flags, *rest, **named):
    if flags & (os.O_WRONLY | os.O_RDWR):
        raise PermissionError(30, "Read-only file system", path)
    return real(path, flags, *rest, **named)
os.open = refuse
{NUMBA}
"""
    assert run({"GENESIS_CACHE_DIR": str(warm)}, code) == [*RESULT, "False"]


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="owners of files")
def test_a_folder_of_somebody_else_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from genesis_cpu import _cache

    theirs = tmp_path / f"genesis-kernels-{os.getuid()}"
    theirs.mkdir(0o700)
    assert _cache._trusted(theirs)
    theirs.chmod(0o777)
    assert not _cache._trusted(theirs)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GENESIS_CACHE_DIR", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    assert _cache.folder() is None
    assert _cache._read("kernel.code") is None


def test_a_damaged_cache_is_compiled_again(warm: Path, tmp_path: Path) -> None:
    shutil.copytree(warm, tmp_path / "damaged")
    chosen = {"GENESIS_CACHE_DIR": str(tmp_path / "damaged")}
    for i, p in enumerate(tmp_path.rglob("*.code")):
        whole = p.read_bytes()
        p.write_bytes(whole[:-1] if i == 0 else whole[:-9] + b"?" + whole[-8:])
    assert run(chosen, NUMBA) == [*RESULT, "True"]
    assert run(chosen, NUMBA) == [*RESULT, "False"]


@pytest.fixture
def fresh_stamp() -> Iterator[None]:
    cache = pytest.importorskip("genesis_cpu._cache")
    cache._stamp.cache_clear()
    yield
    cache._stamp.cache_clear()


@pytest.mark.usefixtures("fresh_stamp")
@pytest.mark.parametrize("what", ["processor", "instructions", "setting", "numba"])
def test_code_for_another_machine_or_by_another_compiler_is_not_used(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from llvmlite import binding

    from genesis_cpu import _cache

    before = _cache._stem("text", "kernel")
    _cache._stamp.cache_clear()
    assert _cache._stem("text", "kernel") == before
    _cache._stamp.cache_clear()
    if what == "processor":
        monkeypatch.setattr(binding, "get_host_cpu_name", lambda: "i386")
    elif what == "instructions":
        features = binding.get_host_cpu_features()
        features["sse9"] = True
        monkeypatch.setattr(binding, "get_host_cpu_features", lambda: features)
    elif what == "setting":
        monkeypatch.setenv("NUMBA_OPT", "1")
    else:
        (tmp_path / "_version.py").write_text("version 99")
        spec = importlib.machinery.ModuleSpec("numba", None, origin=str(tmp_path / "__init__.py"))
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    assert _cache._stem("text", "kernel") != before


def test_a_numba_that_is_another_inside_compiles_all_the_same(tmp_path: Path) -> None:
    code = """
from genesis_cpu import _numba
def refuse(*args):
    raise _numba.Unsupported
_numba.object_code = refuse
"""
    assert run({"GENESIS_CACHE_DIR": str(tmp_path)}, code + CODE) == RESULT


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
