"""Pictures of schedules and of schedulers."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from genesis import optim
from genesis.optim import LRScheduler, MetricSchedule, Schedule


@pytest.fixture
def ax() -> Axes:
    return Figure().add_subplot()


def optimizer(*rates: float) -> Any:
    return SimpleNamespace(param_groups=[{"params": [], "lr": rate, "weight_decay": 0.1} for rate in rates])


def labels(ax: Axes) -> list[str]:
    return [str(line.get_label()) for line in ax.lines]


def test_a_scheduler_draws_its_rates(ax: Axes) -> None:
    scheduler = optim.LambdaLR(optimizer(0.5), lambda step: 0.9**step)
    assert scheduler.plot(20, ax) is ax
    (line,) = ax.lines
    np.testing.assert_array_equal(line.get_xdata(), np.arange(20))
    np.testing.assert_array_equal(line.get_ydata(), scheduler.preview(20)[:, 0])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("step", "learning rate")
    assert ax.get_ylim()[0] == 0
    assert labels(ax) == ["LambdaLR"]
    assert ax.get_legend() is None, "one line needs none"


def test_equal_groups_share_a_line(ax: Axes) -> None:
    optim.LambdaLR(optimizer(1.0, 0.5, 1.0), lambda step: 0.9**step).plot(5, ax)
    assert labels(ax) == ["LambdaLR, groups 0, 2", "LambdaLR, group 1"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == labels(ax)


def test_schedules_lie_over_each_other(ax: Axes) -> None:
    optim.Cosine(10).plot(ax=ax)
    optim.Linear(20, 0.0, 3.0).plot(ax=ax, label="up", color="red", linewidth=3)
    assert labels(ax) == ["Cosine", "up"]
    assert ax.get_ylabel() == "factor"
    assert (ax.lines[1].get_color(), ax.lines[1].get_linewidth()) == ("red", 3)
    assert ax.get_ylim()[1] > 3, "the second line has found room"


def test_what_is_drawn_has_its_name(ax: Axes) -> None:
    optim.ParamScheduler(optimizer(1.0), optim.Cosine(10), param_name="weight_decay").plot(ax=ax)
    assert (ax.get_ylabel(), labels(ax)) == ("weight decay", ["Cosine"])
    other = Figure().add_subplot()
    optim.Noam(64, 10).plot(20, other)
    assert other.get_ylabel() == "learning rate", "its values are rates"


@pytest.mark.parametrize(
    ("schedule", "steps"),
    [
        (optim.Cosine(100), 106),  # to the end and a twentieth further
        (optim.Cosine(100, end="raise"), 101),  # as far as it goes
        (optim.Cosine(100, end="repeat"), 301),
        (optim.CosineWave(20), 61),  # three periods
        (optim.Constant(), 101),
        (optim.Exponential(0.9), 101),
        (optim.Exponential(0.9999), 10_001),  # as many as it takes to see it fall
        (optim.Noam(512, 4000), 10_001),  # ... and its peak
    ],
    ids=repr,
)
def test_the_picture_shows_what_a_schedule_does(schedule: Schedule, steps: int, ax: Axes) -> None:
    schedule.plot(ax=ax)
    assert len(ax.lines[0].get_xdata()) == steps


def test_a_function_that_goes_no_further_is_drawn_as_far_as_it_goes(ax: Axes) -> None:
    with pytest.raises(IndexError):
        optim.LambdaLR(optimizer(1.0), lambda step: [1.0, 0.5][step]).plot(ax=ax)
    optim.LambdaLR(optimizer(1.0), lambda step: [1.0, 0.5][step]).plot(2, ax)
    optim.LambdaLR(optimizer(1.0), lambda step: 2.0**step).plot(ax=ax)  # 2.0**1024 overflows
    assert [len(line.get_xdata()) for line in ax.lines] == [2, 101]


class Halve(MetricSchedule):
    """Half as much with each metric that is 1."""

    def start(self) -> dict[str, Any]:
        return {"factor": 1.0}

    def observe(self, state: dict[str, Any], metric: float) -> dict[str, Any]:
        return {"factor": state["factor"] / 2 if metric == 1 else state["factor"]}

    def factor_of(self, state: dict[str, Any]) -> float:
        return float(state["factor"])


def test_a_schedule_that_follows_a_metric_needs_metrics(ax: Axes) -> None:
    Halve().plot(ax=ax, metrics=[0, 1, 1])
    assert list(ax.lines[0].get_ydata()) == [1, 1, 0.5, 0.25]
    with pytest.raises(ValueError, match="needs metrics="):
        Halve().plot(ax=ax)


def test_axes_of_the_user_stay_as_they_are() -> None:
    ax = Figure().add_subplot(xlabel="batch", ylabel="rate", ylim=(0.2, 0.6), yscale="log")
    optim.Cosine(10).plot(ax=ax)
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_ylim()) == ("batch", "rate", (0.2, 0.6))


class OwnLR(LRScheduler):
    """A class with a `get_lr` of its own."""

    def get_lr(self) -> list[Any]:
        return [group["lr"] * 0.9 for group in self.optimizer.param_groups]


def test_errors(ax: Axes) -> None:
    with pytest.raises(ValueError, match="num_steps must be 1 or more, got 0"):
        optim.Cosine(10).plot(0, ax)
    with pytest.raises(ValueError, match="past the end"):
        optim.Cosine(10, end="raise").plot(20, ax)
    with pytest.raises(NotImplementedError, match="step by step in get_lr"):
        OwnLR(optimizer(1.0)).plot(ax=ax)


def test_matplotlib_is_imported_for_a_picture_only() -> None:
    code = (
        "import sys\nfrom genesis import optim\nimport genesis.optim._plot\noptim.Cosine(10)(3)\n"
        "assert 'matplotlib' not in sys.modules\nimport matplotlib\nmatplotlib.use('agg')\n"
        "print(optim.Cosine(10).plot().get_xlabel())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert (done.stdout, done.stderr) == ("step\n", "")
