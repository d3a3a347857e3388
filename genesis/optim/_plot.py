"""Pictures of schedules, with matplotlib, which is imported when one is drawn."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from genesis.optim._param_scheduler import ParamScheduler
from genesis.optim._schedule import Schedule
from genesis.optim._scheduler import LRScheduler

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from numpy.typing import NDArray


def plot_scheduler(
    scheduler: LRScheduler,
    num_steps: int | None = None,
    ax: Axes | None = None,
    *,
    metrics: Iterable[float] | None = None,
    **options: Any,
) -> Axes:
    """Draw what a scheduler writes over the steps, a line for each different parameter group.

    Args:
        scheduler: Any with a `preview`.
        num_steps: How many steps; by default to the end of the schedule and a little further. Where there is
            no end: three periods, or as many steps as it takes to see the curve move.
        ax: The axes to draw into; by default new ones of `matplotlib.pyplot`.
        metrics: For a schedule that follows a metric, as `preview` takes them.
        **options: For `Axes.plot`. With several lines, `label=` is what their labels begin with.

    Returns:
        The axes.

    Raises:
        ValueError: if `num_steps` is below 1, or there are fewer metrics than steps need.
        NotImplementedError: if the scheduler only knows the way from one rate to the next.
    """
    seen = None if metrics is None else list(metrics)
    if num_steps is None:
        num_steps = default_steps(scheduler) if seen is None else len(seen) + 1
    options.setdefault("label", _name_of(scheduler))
    rates = scheduler.preview(_checked(num_steps), seen)
    quantity = "learning rate" if scheduler._name == "lr" else scheduler._name.replace("_", " ")
    return draw(rates, ax, quantity, **options)


def plot_schedule(
    schedule: Schedule, num_steps: int | None = None, ax: Axes | None = None, **options: Any
) -> Axes:
    """Draw the values of a schedule over the steps: factors of a base rate of 1, or rates.

    The arguments are those of `plot_scheduler`.
    """
    optimizer = SimpleNamespace(param_groups=[{"params": [], "factor": 1.0, "lr": 1.0}])
    driver = ParamScheduler(optimizer, schedule, param_name="factor" if schedule.kind == "factor" else "lr")
    return plot_scheduler(driver, num_steps, ax, **options)


def default_steps(scheduler: LRScheduler) -> int:
    """How many steps to draw so that one sees what the schedule does."""
    try:
        schedules = [bound.schedule for bound in scheduler._schedules()]
    except NotImplementedError:  # nothing is known but the rates
        return 101
    horizons = [schedule.horizon for schedule in schedules]
    ends = [horizon for horizon in horizons if horizon is not None]
    if schedules and len(ends) == len(horizons):
        last = max(ends)
        if any(schedule.end == "repeat" for schedule in schedules):
            return 3 * last + 1
        beyond = last + max(1, last // 20)
        try:
            scheduler.value_at(beyond)
        except ValueError:  # the schedule refuses steps past its end, or it follows a metric
            return last + 1
        return beyond + 1
    periods = [each.length for each in schedules if each.horizon is None and each.length is not None]
    return 3 * max(periods) + 1 if periods else _visible(scheduler)


def _visible(scheduler: LRScheduler) -> int:
    """How many steps an endless curve needs to pass its peak and to change by half of its size."""
    for count in (101, 1001, 10_001):
        try:
            rates = scheduler.preview(count)
        except (ArithmeticError, LookupError, ValueError):  # metrics are missing, or a function ends
            break
        high, low = rates.max(axis=0), rates.min(axis=0)
        if ((2 * (high - low) >= abs(high)) & (rates.argmax(axis=0) < count - 1)).any():
            return count
    return 101


def draw(
    rates: NDArray[np.float64], ax: Axes | None = None, quantity: str = "learning rate", **options: Any
) -> Axes:
    """Draw the columns of an array over its rows, equal columns once.

    Args:
        rates: An array (steps, groups).
        ax: The axes to draw into; by default new ones of `matplotlib.pyplot`.
        quantity: What the values are.
        **options: For `Axes.plot`.
    """
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.subplots(figsize=(7, 4.2), layout="constrained")[1]
    lines: dict[bytes, list[int]] = {}
    for group, column in enumerate(rates.T):
        lines.setdefault(column.tobytes(), []).append(group)
    label = options.pop("label", "")
    if not {"linewidth", "lw"} & set(options):
        options["linewidth"] = 1.8
    for groups in lines.values():
        which = f"group{'s' * (len(groups) > 1)} {', '.join(map(str, groups))}" if len(lines) > 1 else ""
        name = ", ".join(part for part in (str(label), which) if part)
        ax.plot(rates[:, groups[0]], label=name, **options)
    _furnish(ax, quantity)
    return ax


def _furnish(ax: Axes, quantity: str) -> None:
    """Name the axes and let the ordinate begin at 0, unless the user has them otherwise."""
    if not ax.get_xlabel():
        ax.set_xlabel("step")
        ax.grid(alpha=0.25, linewidth=0.6)
        ax.spines[["top", "right"]].set_visible(False)
        ax.margins(x=0.01)
    if not ax.get_ylabel():
        ax.set_ylabel(quantity)
    if ax.get_autoscaley_on() and ax.get_yscale() == "linear" and ax.dataLim.y0 >= 0:
        ax.set_ylim(bottom=0, auto=None)  # a line drawn later still finds room
    named = ax.get_legend_handles_labels()[1]
    if len(named) > 1:
        ax.legend(frameon=False)


def _name_of(scheduler: LRScheduler) -> str:
    """What to call the line of a scheduler: its class, or that of the shape that it follows."""
    shapes = getattr(scheduler, "schedules", ()) if type(scheduler) is ParamScheduler else ()
    return " / ".join(dict.fromkeys(type(each).__name__ for each in shapes or (scheduler,)))


def _checked(num_steps: Any) -> int:
    count = operator.index(num_steps)
    if count < 1:
        raise ValueError(f"num_steps must be 1 or more, got {num_steps}")
    return count
