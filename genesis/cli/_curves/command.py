"""`genesis schedulers show` and `plot`, from the words that the user typed to what is printed or drawn."""

from __future__ import annotations

import math
import shutil
import sys
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genesis.cli._console import console
from genesis.cli._curves.examples import Example, accepts, example, options_of
from genesis.cli._errors import Misuse
from genesis.cli._training.config import parse_options
from genesis.plugin import Contribution, registry
from genesis.plugin._report import near_misses

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FORMATS = (".png", ".svg", ".pdf")


def show_one(name: str, words: list[str], steps: int | None, lr: float) -> None:
    """Print all about one schedule.

    Args:
        name: A name as `find` takes it.
        words: `k=v` or `NAME:k=v`.
        steps: The last step of the picture; None for a sensible one.
        lr: The base rate.
    """
    from genesis.cli._curves.chart import chart
    from genesis.cli._curves.words import description, formula, sections

    (found,) = _found([name])
    (made,) = _made([found], words, steps, lr)
    target = found.load()
    said = sections(target)
    also = f"; also {', '.join(found.aliases)}" if found.aliases else ""
    parts = [
        f"{found.name}{_bare(target)}",
        found.summary or said[""].partition("\n\n")[0],
        description(target),
        f"Supplied by {found.origin} ({found.target}){also}.",
    ]
    details = {
        "Formula": formula(target, made.scheduler),
        "Arguments": said.get("Args", ""),
        "Reference": said.get("Reference", ""),
    }
    parts += [f"{title}\n{_indented(text)}" for title, text in details.items() if text]
    rates = _rates(made, made.default_steps() if steps is None else steps + 1, steps is not None)
    note = ", on a loss that falls until two fifths of the steps" if made.follows_a_metric() else ""
    width = max(20, min(72, shutil.get_terminal_size((80, 24)).columns - 14))
    picture = chart(rates[:, 0], width, 11, sys.stdout.encoding or "ascii")
    parts.append(f"Example: {made.code}\nlearning rate from a base rate of {lr:g}{note}\n\n{picture}")
    text = "\n\n".join(filter(None, parts))
    # A terminal that has no umlauts still shows the rest.
    encoding = sys.stdout.encoding or "ascii"
    console().print(text.encode(encoding, "replace").decode(encoding), markup=False, soft_wrap=True)


def plot_all(names: list[str], words: list[str], steps: int | None, lr: float, out: str) -> None:
    """Draw schedules into a file, each as a line. The arguments are as for `show_one`."""
    path = Path(out)
    if path.suffix.lower() not in _FORMATS:
        raise Misuse(f"--out {out}: expected a name that ends in {', '.join(_FORMATS)}")
    made = _made(_found(names), words, steps, lr)
    count = max(each.default_steps() for each in made) if steps is None else steps + 1
    curves = {str(each.contribution): _rates(each, count, steps is not None) for each in made}

    from matplotlib import rc_context
    from matplotlib.figure import Figure  # not pyplot: it looks for a screen

    from genesis.checkpoint import atomic_write
    from genesis.optim._plot import draw

    # No dates and no random names: the same command draws the same file.
    with rc_context({"svg.hashsalt": "genesis"}), atomic_write(path) as temporary:
        figure = Figure(figsize=(7, 4.2), layout="constrained")
        axes = figure.add_subplot()
        for label, rates in curves.items():
            draw(rates, axes, label=label)
        if len(curves) == 1:
            axes.set_title(next(iter(curves)), fontsize=11)
        suffix = path.suffix.lower()[1:]
        metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(suffix)
        figure.savefig(temporary, format=suffix, dpi=150, metadata=metadata)
    console().print(f"wrote {out}", markup=False, soft_wrap=True)


def _found(names: list[str]) -> list[Contribution]:
    """What the names mean, each once."""
    return list({c.qualified: c for c in map(registry("schedulers").find, names)}.values())


def _made(found: list[Contribution], words: list[str], steps: int | None, lr: float) -> list[Example]:
    """The schedules, each with the options that are for it."""
    if not math.isfinite(lr):
        raise Misuse(f"--lr {lr}: expected a finite number")
    given = _options(found, words)
    return [example(c, given[c.qualified], 100 if steps is None else steps, lr) for c in found]


def _options(found: list[Contribution], words: list[str]) -> dict[str, dict[str, Any]]:
    """The options of each schedule, by its qualified name; one for a single schedule counts more."""
    shared: list[str] = []
    own: dict[str, list[str]] = {c.qualified: [] for c in found}
    for word in words:
        before, equals, value = word.partition("=")
        name, colon, key = before.rpartition(":")
        if not colon or not equals:
            shared.append(word)
            continue
        owner = registry("schedulers").find(name).qualified
        if owner not in own:
            raise Misuse(f"--option {word}: {name} is not among the schedules to draw: {', '.join(found)}")
        own[owner].append(f"{key}={value}")
    for_all = parse_options(shared, "--option")
    for name in for_all:
        if not any(accepts(c, name) for c in found):
            known = dict.fromkeys(known for c in found for known in options_of(c))
            near = near_misses(name, known)
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else _all_options(found)
            raise Misuse(f"{' and '.join(found)} {_does(found)} not take {name!r}; {hint}")
    return {
        c.qualified: {
            **{name: value for name, value in for_all.items() if accepts(c, name)},
            **parse_options(own[c.qualified], "--option"),
        }
        for c in found
    }


def _does(found: list[Contribution]) -> str:
    return "does" if len(found) == 1 else "do"


def _all_options(found: list[Contribution]) -> str:
    return "; ".join(f"{c} takes {', '.join(options_of(c)) or 'no options'}" for c in found)


def _rates(made: Example, count: int, asked: bool) -> NDArray[np.float64]:
    """The rates of the first steps: of those that there are, unless the user asked for so many."""
    try:
        return made.rates(count, all_of_them=asked)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise Misuse(f"{made.contribution}: {error}") from None


def _bare(target: Any) -> str:
    """The signature without annotations."""
    try:
        expected = signature(target)
    except ValueError:
        return "(...)"
    bare = [each.replace(annotation=Parameter.empty) for each in expected.parameters.values()]
    return str(expected.replace(parameters=bare, return_annotation=Signature.empty))


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.splitlines())
