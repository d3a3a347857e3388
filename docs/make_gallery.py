"""Draw every schedule that Genesis comes with: writes gallery.md and gallery/*.svg beside this file.

What is drawn, and with which options, is that of `genesis schedulers show`. Running it again changes nothing.
"""

from __future__ import annotations

from inspect import isclass
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, MultipleLocator

from genesis.cli._curves.examples import Example, example
from genesis.optim import LRScheduler, Schedule
from genesis.optim._plot import draw
from genesis.plugin import Contribution, isolated, registry

FOLDER = Path(__file__).parent / "gallery"
LENGTH = 100

INTRODUCTION = """# Gallery of the schedules

<!-- Written by docs/make_gallery.py; do not edit. -->

Every schedule that comes with Genesis, over a training of 100 steps with a base rate of 1. The line below a
picture is the code that it was drawn from; what it leaves out has its default.

`genesis schedulers show NAME` tells the formula and the arguments of each, and draws it in the terminal with
options of yours. `genesis schedulers plot NAME...` draws several into one picture, and so does the method
`plot()` that every schedule and every scheduler has. [schedules.md](schedules.md) tells how to use them.

```python
from types import SimpleNamespace

from genesis import optim

optimizer = SimpleNamespace(param_groups=[{"lr": 1.0, "momentum": 0.9}])  # any optimizer will do
axes = optim.WSD(steps=100, decay_steps=20, warmup_steps=10).plot()
```
"""

PARTS = {
    "Shapes": "A shape is a pure function of the step. It composes with others, and `create_scheduler` or "
    "`ParamScheduler` lets an optimizer\nfollow it.",
    "Schedulers": "Classes that are bound to an optimizer. Those of PyTorch have its names and arguments.",
    "Functions": "Functions that return a scheduler, with the arguments that transformers gave them.",
}


def examples() -> list[Example]:
    """One of each schedule of the built-in plugins."""
    with isolated():  # without what others have installed
        return [example(c, {}, LENGTH) for c in registry("schedulers").contributions()]


def part_of(found: Contribution) -> str:
    """The heading under which a schedule stands."""
    target = found.load()
    if isclass(target) and issubclass(target, Schedule):
        return "Shapes"
    return "Schedulers" if isclass(target) and issubclass(target, LRScheduler) else "Functions"


def page(made: list[Example]) -> str:
    """The text of gallery.md."""
    text = INTRODUCTION
    for part, about in PARTS.items():
        text += f"\n## {part}\n\n{about}\n"
        for each in made:
            name = each.contribution.name
            if part_of(each.contribution) == part:
                note = (
                    "Here the loss falls for 40 steps, and then no more.\n\n"
                    if each.follows_a_metric()
                    else ""
                )
                text += (
                    f"\n### {name}\n\n{each.contribution.summary}\n\n{note}![{name}](gallery/{name}.svg)\n\n"
                    f"```python\n{each.code}\n```\n"
                )
    return text


def picture(made: Example, path: Path) -> None:
    """Draw one schedule: the same axes for all but those whose rates have another size."""
    # No dates, no random names; text stays text, and points that no eye can tell apart are left out.
    style = {
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": 8,
        "path.simplify_threshold": 0.25,
        "svg.fonttype": "none",
        "svg.hashsalt": "genesis",
    }
    with rc_context(style):
        figure = Figure(figsize=(4, 1.9), layout="constrained")
        axes = figure.add_subplot()
        draw(made.rates(LENGTH + 1, all_of_them=False), axes, color="#3566a8", linewidth=1.6)
        low, high = min(0.0, axes.dataLim.y0), axes.dataLim.y1
        small = high < 0.1
        axes.set_xlim(-1, LENGTH + 1)
        axes.set_ylim(1.05 * low, 1.05 * (high if small else max(1.0, high)))
        axes.xaxis.set_major_locator(MultipleLocator(LENGTH / 4))
        axes.yaxis.set_major_locator(MaxNLocator(3) if small else MultipleLocator(0.5))
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def main() -> None:
    """Write the page and the pictures, and remove those of schedules that are gone."""
    made = examples()
    FOLDER.mkdir(exist_ok=True)
    for each in made:
        picture(each, FOLDER / f"{each.contribution.name}.svg")
    kept = {f"{each.contribution.name}.svg" for each in made}
    for file in FOLDER.glob("*.svg"):
        if file.name not in kept:
            file.unlink()
    FOLDER.with_suffix(".md").write_text(page(made), encoding="utf-8")


if __name__ == "__main__":
    main()
