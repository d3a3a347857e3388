"""`curves.png`: how loss and learning rate went."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from genesis.checkpoint import atomic_write
from genesis.cli._console import warn
from genesis.cli._training.folder import read_metrics

_BLUE, _ORANGE, _GREEN = "#3566a8", "#c7632a", "#2f7d4f"


def draw_quietly(folder: Path, title: str, measure: str, steps_per_epoch: int) -> None:
    """Draw, and only warn if that fails: a picture is not worth a run."""
    try:
        draw(folder, title, measure, steps_per_epoch)
    except Exception as error:
        warn(f"curves.png could not be drawn: {type(error).__name__}: {error}")


def draw(folder: Path, title: str, measure: str, steps_per_epoch: int) -> None:
    """Draw `metrics.csv` of a run folder: the loss with the evaluations, and the learning rate below."""
    rows = read_metrics(folder / "metrics.csv")
    if not rows:
        return
    steps, losses, rates = (np.array([float(row[i]) for row in rows]) for i in (0, 2, 3))
    evaluated = np.array([(float(row[0]), float(row[5])) for row in rows if row[5]]).reshape(-1, 2)

    from matplotlib.backends.backend_agg import FigureCanvasAgg  # not pyplot: it looks for a screen
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    figure = Figure(figsize=(8, 5.6), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=11)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2.4, 1))
    # A single batch says little: the line is the mean of about a fiftieth of the run.
    width = max(1, min(steps_per_epoch, len(losses) // 50))
    smooth = np.convolve(losses, np.ones(width) / width, mode="valid")
    above.plot(steps, losses, color=_BLUE, alpha=0.2, linewidth=0.8)
    middle = steps[width // 2 :][: len(smooth)]
    (line,) = above.plot(middle, smooth, color=_BLUE, linewidth=1.8, label="training loss")
    lines = [line]
    # The first steps may be far above the rest: what matters is below.
    above.set_ylim(*_limits(losses, smooth))
    above.set_ylabel("loss")
    if len(evaluated):
        accuracy = measure.endswith("accuracy")
        axes = above.twinx() if accuracy else above
        label = f"{measure.replace('_', ' ')}"
        lines += axes.plot(*evaluated.T, "o-", color=_GREEN, markersize=3.5, linewidth=1.2, label=label)
        if accuracy:
            axes.yaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10], min_n_ticks=3))
            axes.yaxis.set_major_formatter(PercentFormatter(1))
            axes.set_ylabel(label, color=_GREEN)
            axes.tick_params(axis="y", colors=_GREEN)
            axes.spines[:].set_visible(False)
    above.legend(handles=lines, frameon=False, loc="center right")
    below.plot(steps, rates, color=_ORANGE, linewidth=1.8)
    below.set_ylim(bottom=0)
    below.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
    below.set_ylabel("learning rate")
    below.set_xlabel("step")
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25, linewidth=0.6)
        axes.margins(x=0.01)
    with atomic_write(folder / "curves.png") as temporary:
        figure.savefig(temporary, format="png", dpi=150)


def _limits(losses: np.ndarray, smooth: np.ndarray) -> tuple[float, float]:
    low, high = float(np.quantile(losses, 0.002)), float(np.quantile(smooth, 0.995))
    margin = 0.06 * (high - low or 1.0)
    return max(0.0, low - margin), high + margin
