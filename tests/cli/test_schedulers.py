"""`genesis schedulers`: the listing, `show` and `plot`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import genesis
from genesis.cli._curves.chart import chart
from genesis.cli._curves.examples import example
from genesis.cli._curves.words import description, formula, sections
from genesis.optim import LambdaLR, LRScheduler
from genesis.plugin import SchedulerSpec, hookimpl, register, registry, unregister

ROOT = Path(__file__).resolve().parents[2]
SVG = "{http://www.w3.org/2000/svg}"


class StrangerLR(LRScheduler):
    def __init__(self, optimizer: Any, warmup_iters: int, max_epochs: int = 7, last_epoch: int = -1) -> None:
        self.warmup_iters, self.max_epochs = warmup_iters, max_epochs
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        return [base * min(1.0, self.last_epoch / self.warmup_iters) for base in self.base_lrs]


def make_riddle(optimizer: Any, frobs: int) -> LambdaLR:
    """A schedule whose option nobody can guess."""
    return LambdaLR(optimizer, lambda step: 1 / (1 + frobs * step))


class Acme:
    """A third party."""

    @hookimpl
    def genesis_schedulers(self) -> list[SchedulerSpec]:
        return [
            SchedulerSpec("StrangerLR", f"{__name__}:StrangerLR", "One that steps."),
            SchedulerSpec("riddle", f"{__name__}:make_riddle", "Nobody knows."),
        ]


@pytest.fixture
def acme() -> Iterator[None]:
    plugin = Acme()
    register(plugin, "acme")
    yield
    unregister(plugin)


def test_the_listing_needs_no_word_of_its_own(genesis_command: Any) -> None:
    plain, listed = genesis_command("schedulers"), genesis_command("schedulers", "list")
    assert plain == listed
    assert all(name in plain.out for name in genesis.list_schedulers())
    some = genesis_command("schedulers", "cosine*")
    assert some == genesis_command("schedulers", "list", "cosine*")
    assert "CosineWave" in some.out
    assert "WSD" not in some.out


@pytest.mark.parametrize("name", [c.qualified for c in genesis.list_schedulers()])
def test_every_schedule_can_be_shown(genesis_command: Any, name: str) -> None:
    done = genesis_command("schedulers", "show", name, "--steps", 50)
    assert (done.code, done.err) == (0, "")
    found = registry("schedulers").find(name)
    assert done.out.startswith(f"{found.name}(")
    assert found.summary in done.out
    assert found.origin in done.out
    assert re.search(r"^ +0 +50$", done.out, re.MULTILINE), "the picture ends at step 50"
    assert set(done.out) & {chr(code) for code in range(0x2801, 0x2900)}, "there is a curve"


def test_what_is_shown(genesis_command: Any) -> None:
    out = genesis_command("schedulers", "show", "tri-stage", "--option", "hold_steps=7").out
    assert out.startswith(
        "TriStage(warmup_steps, hold_steps, decay_steps, init_scale=0.01, final_scale=0.01,"
    )
    assert "also tri_stage" in out
    assert "Formula\n  init_scale + (1 - init_scale) * t / warmup_steps" in out
    assert "Arguments\n  warmup_steps: The length of the rise" in out
    assert "https://arxiv.org/abs/1904.08779" in out
    assert "optim.TriStage(warmup_steps=10, hold_steps=7, decay_steps=40)" in out


def test_the_formula_of_a_function_is_that_of_its_shape(genesis_command: Any) -> None:
    out = genesis_command("schedulers", "show", "linear_with_warmup").out
    assert re.search(r"Formula\n  .*num_warmup_steps", out)
    assert "Arguments\n  optimizer:" in out


def test_formulas_speak_of_the_parameters_of_the_schedule(genesis_command: Any) -> None:
    out = genesis_command("schedulers", "show", "CosineAnnealingLR").out
    assert "Formula\n  rate = eta_min + (base_lr - eta_min) * (1 + cos(pi * t / T_max)) / 2" in out
    assert "half_period" not in out, "that is a parameter of the shape that it follows"
    assert "pct_start * total_steps - 1" in genesis_command("schedulers", "show", "OneCycleLR").out


def test_a_docstring_in_its_sections() -> None:
    def documented(optimizer: Any) -> None:
        r"""Fall.

        With p = t / n,

        .. math:: rate = \tfrac12 p

        where n is large.

        It never ends:
        - never.

        Args:
            optimizer: The
                one.
            n: The other.

        All are needed.

        Reference: A book,
        second edition
        """

    said = sections(documented)
    assert said["Args"] == "optimizer: The\n    one.\nn: The other."
    assert said["Reference"] == "A book,\nsecond edition"
    assert description(documented) == "It never ends:\n- never.\n\nAll are needed."
    assert formula(documented, None) == r"rate = \tfrac12 p"


def test_a_terminal_without_umlauts() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "genesis", "schedulers", "show", "WSD"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, timeout=300,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"**" in done.stdout
    assert b"H?gele" in done.stdout


def test_the_base_rate_and_the_steps_are_the_users(genesis_command: Any) -> None:
    out = genesis_command("schedulers", "show", "Cosine", "--lr", 0.25, "--steps", 1000).out
    assert "optim.Cosine(steps=1000)" in out
    assert re.search(r"^ *0\.25 ┤", out, re.MULTILINE)
    assert "1000" in out.splitlines()[-1]


def test_the_picture_ends_with_the_examples_or_with_the_schedule(genesis_command: Any) -> None:
    for words, last in (((), "100"), (("--option", "half_period=40"), "120")):
        out = genesis_command("schedulers", "show", "CosineWave", *words).out
        assert out.splitlines()[-1].split() == ["0", last]
    out = genesis_command(
        "schedulers", "show", "Cosine", "--option", "steps=500", "--option", "end=raise"
    ).out
    assert out.splitlines()[-1].split() == ["0", "500"]


def test_the_examples_fit_the_length_that_the_user_gives(genesis_command: Any) -> None:
    done = genesis_command("schedulers", "show", "cosine_with_warmup", "--option", "num_training_steps=5")
    assert (done.code, done.err) == (0, "")
    assert "num_warmup_steps=1, num_training_steps=5" in done.out
    done = genesis_command(
        "schedulers", "show", "WSD", "--option", "steps=4000", "--option", "warmup_steps=10%"
    )
    assert "optim.WSD(steps=4000, decay_steps=800, warmup_steps='10%')" in done.out
    assert "4200" in done.out.splitlines()[-1], "to the end, and a little further"


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_short_picture_is_one(steps: int) -> None:
    for found in registry("schedulers").contributions():
        assert len(example(found, {}, steps).rates(steps + 1)) == steps + 1


def test_a_schedule_that_follows_a_metric_is_shown_a_loss(genesis_command: Any) -> None:
    assert "on a loss that falls" in genesis_command("schedulers", "show", "GreedyLR").out
    for name in ("Cosine", "SequentialLR", "LambdaLR"):
        assert "on a loss that falls" not in genesis_command("schedulers", "show", name).out


def test_schedules_of_others_get_a_picture(genesis_command: Any, acme: None) -> None:
    done = genesis_command("schedulers", "show", "acme:StrangerLR")
    assert done.code == 0, done.err
    assert "optim.StrangerLR(optimizer, warmup_iters=10, max_epochs=100)" in done.out
    assert re.search(r"^  1 ┤ +[\u2801-\u28ff]+$", done.out, re.MULTILINE), "it ends at its highest"
    assert re.search(r"^  0 ┤[\u2801-\u28ff]$", done.out, re.MULTILINE), "it begins at 0"
    done = genesis_command("schedulers", "show", "riddle")
    assert done.code == 2
    assert "riddle needs 'frobs', for which there is no example; give --option frobs=VALUE" in done.err
    assert genesis_command("schedulers", "show", "riddle", "--option", "frobs=1").code == 0


def lines_of(path: Path) -> int:
    """How many curves an SVG of ours has: paths that are clipped to the axes and are no part of the grid."""
    groups = [g for g in ET.parse(path).iter(f"{SVG}g") if g.get("id", "").startswith("axes_")]
    return sum(1 for g in groups for child in g if child.get("id", "").startswith("line2d"))


def test_plot_draws_a_curve_for_each_name(genesis_command: Any, tmp_path: Path) -> None:
    names = ["WSD", "cosine-with-warmup", "OneCycle", "noise", "wsd"]
    done = genesis_command("schedulers", "plot", *names, "-o", "curves.svg")
    assert (done.code, done.out, done.err) == (0, "wrote curves.svg\n", "")
    assert lines_of(tmp_path / "curves.svg") == 4, "each once"
    text = (tmp_path / "curves.svg").read_bytes()
    assert genesis_command("schedulers", "plot", *names, "-o", "curves.svg").code == 0
    assert (tmp_path / "curves.svg").read_bytes() == text, "the same command draws the same file"
    assert [p.name for p in tmp_path.iterdir()] == ["curves.svg"]


def test_the_suffix_says_the_format(genesis_command: Any, tmp_path: Path) -> None:
    for words, start in (((), b"\x89PNG"), (("--out", "a.pdf"), b"%PDF"), (("-o", "a.SVG"), b"<?xml")):
        assert genesis_command("schedulers", "plot", "Cosine", *words).code == 0
        path = tmp_path / (words[1] if words else "schedulers.png")
        assert path.read_bytes().startswith(start)


def test_options_are_for_all_that_take_them_or_for_one(
    genesis_command: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from genesis.cli._curves import command

    codes: list[str] = []

    def noted(*given: Any) -> Any:
        made = example(*given)
        codes.append(made.code)
        return made

    monkeypatch.setattr(command, "example", noted)
    words = ("--option", "end_factor=0.5", "--option", "genesis-dl:rex:steps=30", "--option", "exponent=2")
    assert genesis_command("schedulers", "plot", "Cosine", "REX", "Constant", *words).code == 0
    assert codes == [
        "optim.Cosine(steps=100, end_factor=0.5, exponent=2)",
        "optim.REX(steps=30, end_factor=0.5)",
        "optim.Constant()",
    ]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["show", "Cosin"], 2, "did you mean 'Cosine'"),
        (["plot", "Cosine", "WDS"], 2, "there is no scheduler named 'WDS'"),
        (["show", "Cosine", "--option", "stepss=3"], 2, "does not take 'stepss'; did you mean 'steps'?"),
        (["show", "Cosine", "--option", "zzz=3"], 2, "Cosine takes steps, end_factor, exponent, k_decay"),
        (["plot", "Cosine", "REX", "--option", "expo=3"], 2, "do not take 'expo'; did you mean 'exponent'?"),
        (["plot", "Cosine", "REX", "--option", "REX:exponent=3"], 2, "REX does not take 'exponent'"),
        (["plot", "Cosine", "--option", "REX:steps=3"], 2, "REX is not among the schedules to draw: Cosine"),
        (["show", "Cosine", "--option", "steps"], 2, "--option takes NAME=VALUE"),
        (["show", "Cosine", "--option", "steps=-1"], 2, "Cosine: steps must be at least 0, got -1"),
        (["show", "REX", "--option", "end=raise", "--option", "steps=5", "--steps", "9"], 2, "past the end"),
        (["show", "Cosine", "--steps", "0"], 2, "--steps"),
        (["show", "Cosine", "--lr", "nan"], 2, "--lr nan: expected a finite number"),
        (["show"], 2, "Missing argument"),
        (["plot", "Cosine", "-o", "curve.gif"], 2, "expected a name that ends in .png, .svg, .pdf"),
        (["plot", "Cosine", "-o", "nowhere/curve.png"], 1, "the folder of this file does not exist"),
        (["zzz"], 1, "no schedulers fit 'zzz'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_misuse(genesis_command: Any, tmp_path: Path, words: list[str], code: int, message: str) -> None:
    done = genesis_command("schedulers", *words)
    assert done.code == code
    assert message in done.err
    assert done.out == ""
    assert list(tmp_path.iterdir()) == [], "nothing is drawn"


def test_the_commands_are_documented(genesis_command: Any) -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for command in ("list", "show", "plot"):
        flags = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", genesis_command("schedulers", command, "-h").out))
        assert sorted(flag for flag in flags if not re.search(rf"{flag}(?![\w-])", page)) == []
        assert f"genesis schedulers {command}" in page


def test_a_chart_of_braille() -> None:
    import numpy as np

    drawn = chart(np.arange(8) * 0.5, width=4, height=2)
    assert drawn.splitlines() == ["3.5 ┤  ⡠⠊", "  0 ┤⡠⠊", "    └────", "     0  7"]


def test_a_chart_where_there_is_no_braille() -> None:
    import numpy as np

    drawn = chart(np.linspace(0.0, 1.0, 101), width=5, height=3, encoding="ascii")
    assert drawn.splitlines() == ["  1 |   **", "0.5 |  *", "  0 |**", "    +-----", "     0 100"]
