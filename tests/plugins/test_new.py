"""`genesis plugin new`: what it writes installs, is listed, passes its own tests, and goes again."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import genesis
from genesis.cli import main

LISTED = """
import genesis
kinds = ("backends", "kernels", "optimizers", "schedulers")
answer["listed"] = {kind: getattr(genesis, f"list_{kind}")() for kind in kinds}
answer["broken"] = [repr(p) for p in genesis.plugin.list_plugins() if p.status != "ok"]
"""
USED = {
    "optimizer": """
p = genesis.tensor([1.0], requires_grad=True)
optimizer = genesis.optim.create_optimizer("AcmeThing", [p], lr=0.1)
p.grad = genesis.ones(1)
optimizer.step()
answer["used"] = p.item()
""",
    "scheduler": """
p = genesis.tensor([1.0], requires_grad=True)
optimizer = genesis.optim.create_optimizer("SGD", [p], lr=0.8)
scheduler = genesis.optim.create_scheduler("AcmeThing", optimizer, steps=2)
optimizer.step()
scheduler.step()
answer["used"] = scheduler.get_last_lr()[0]
""",
    "kernel": """
answer["used"] = genesis.nn.functional.softmax(genesis.tensor([1.0, 1.0, 1.0, 900.0]), -1)[3].item()
""",
    "backend": """
x = genesis.full((2, 2), 0.5, device="acme_thing")
answer["used"] = (x @ x).sum().item()
""",
}
RESULT = {"optimizer": 0.9, "scheduler": 0.6, "backend": 2.0, "kernel": 1.0}
NAME = {
    "optimizer": "AcmeThing",
    "scheduler": "AcmeThing",
    "backend": "acme_thing",
    "kernel": "cpu:softmax",
}


def new(*words: object) -> int:
    with pytest.raises(SystemExit) as end:
        main(["plugin", "new", *map(str, words)])
    return int(end.value.code or 0)


@pytest.mark.parametrize("kind", ["optimizer", "scheduler", "backend", "kernel"])
def test_a_new_package_passes_the_kit_at_once(
    kind: str,
    environment: Callable[..., Any],
    build_wheels: Callable[..., dict[str, Path]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert new("Acme_Thing", f"--{kind}", "--into", tmp_path, "--author", 'Jo "J" Doe') == 0
    folder = tmp_path / "acme-thing"
    said = capsys.readouterr().out
    assert all(word in said for word in (str(folder), "pip install -e", "pytest", "genesis plugins check"))
    for file in ("README.md", "LICENSE", ".gitignore", "acme_thing/py.typed", "tests/test_acme_thing.py"):
        assert (folder / file).exists()
    assert 'Jo "J" Doe' in (folder / "LICENSE").read_text()

    made = environment("genesis-dl")
    made.install(build_wheels(tmp_path / "wheels", folder)["acme-thing"])
    name = NAME[kind]
    answer = made.ask(LISTED + USED[kind])
    assert name in answer["listed"][f"{kind}s"]
    assert answer["broken"] == []
    assert answer["used"] == pytest.approx(RESULT[kind])  # float32

    assert made.test(folder) > 10
    made.uninstall("acme-thing")
    assert name not in made.ask(LISTED)["listed"][f"{kind}s"]


@pytest.mark.skipif(importlib.util.find_spec("ruff") is None, reason="ruff comes with the extra `dev`")
def test_what_is_written_is_tidy(tmp_path: Path) -> None:
    for kind in ("optimizer", "scheduler", "backend", "kernel"):
        assert new(f"acme-{kind}", f"--{kind}", "--into", tmp_path) == 0
    rules = ["--select", "E,F,I,UP,B,SIM,TID,RUF,PT"]
    for words in (["check", "--no-cache", *rules], ["format", "--no-cache", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "."],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(importlib.util.find_spec("mypy") is None, reason="mypy comes with the extra `dev`")
def test_what_is_written_is_typed(tmp_path: Path) -> None:
    files = []
    for kind in ("optimizer", "scheduler", "backend", "kernel"):
        assert new(f"acme-{kind}", f"--{kind}", "--into", tmp_path) == 0
        files.append(str(tmp_path / f"acme-{kind}" / f"acme_{kind}"))
    core = str(Path(genesis.__file__).parents[1])
    words = ["--strict", "--follow-imports=silent", "--cache-dir", str(tmp_path / "cache")]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *words, *files],
        cwd=tmp_path,
        env={"MYPYPATH": core, "PATH": ""},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_names_are_made_of_the_package(tmp_path: Path) -> None:
    assert new("genesis-fall", "--scheduler", "--into", tmp_path) == 0
    assert "class Fall(Schedule)" in (tmp_path / "genesis-fall" / "genesis_fall" / "schedule.py").read_text()
    assert new("acme", "--backend", "--into", tmp_path, "--name", "npu") == 0
    assert "class NpuBackend(Backend)" in (tmp_path / "acme" / "acme" / "backend.py").read_text()
    assert f"genesis-dl>={genesis.__version__}" in (tmp_path / "acme" / "pyproject.toml").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["acme-lion"], "one of --backend, --kernel, --optimizer and --scheduler"),
        (
            ["acme-lion", "--optimizer", "--backend"],
            "one of --backend, --kernel, --optimizer and --scheduler",
        ),
        (["-acme", "--optimizer"], "No such option"),
        (["acme lion", "--optimizer"], "'acme lion' cannot be the name of a distribution"),
        (["3d-lion", "--optimizer"], "the package would be '3d_lion', which Python cannot import"),
        (["class", "--optimizer"], "the package would be 'class', which Python cannot import"),
        (["random", "--scheduler"], "Python has a module 'random' already"),
        (["numpy", "--scheduler"], "Python has a module 'numpy' already"),
        (["genesis", "--scheduler"], "Python has a module 'genesis' already"),
        (["genesis-adamw", "--optimizer", "--name", "AdamW"], "'AdamW' is the name of a built-in optimizer"),
        (["genesis-lambda-lr", "--scheduler"], "'LambdaLr' is the name of a built-in scheduler"),
        (["genesis-cpu2", "--backend", "--name", "CPU"], "'CPU' is the name of a built-in backend"),
        (["acme-lion", "--optimizer", "--name", "my-lion"], "'my-lion' cannot be the name of an optimizer"),
        (["acme-lion", "--optimizer", "--name", "lion"], "the name of a class, such as 'Lion'"),
        (["acme-lion", "--kernel", "--name", "Lion"], "--name is for devices, optimizers and schedules"),
        (["acme-lion", "--optimizer", "--author", "A\nB"], "the name of an author should be one line"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_names_are_refused(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert new(*words, "--into", tmp_path) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [], "nothing is written"


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "acme-lion").mkdir()
    (tmp_path / "acme-lion" / "mine").write_text("mine")
    assert new("acme-lion", "--optimizer", "--into", tmp_path) == 2
    assert "is there already" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "acme-lion").iterdir()] == ["mine"]
