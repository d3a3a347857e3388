"""The driver of schedules: it writes their values into the learning rates of an optimizer, step by step."""

from __future__ import annotations

import copy
import operator
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from genesis.optim._lengths import to_steps
from genesis.optim._rates import Explanations, LastLR
from genesis.optim._saving import Saving
from genesis.optim._schedule import Explanation, Schedule
from genesis.optim._stepping import EPOCH_DEPRECATION_WARNING

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["EPOCH_DEPRECATION_WARNING", "LRScheduler", "LastLR"]


class LRScheduler(Saving):
    """Base class of the learning-rate schedulers: a schedule for each parameter group of an optimizer.

    The rate of step 0 is written at once. `step()`, called after `optimizer.step()`, writes the next one:

        rate = base_lr * schedule(step)     (or the schedule's value itself, where its kind is "value")

    A subclass stores its parameters as attributes, calls this constructor, and chooses the `Schedule` of a
    group in `schedule_for`; state, resuming, previews, added groups, copies and configurations follow from
    that. Or it overrides `get_lr`, as schedulers written for PyTorch do.

    Schedulers of one optimizer compose: `a.then(b, at=10)`, `a * b`, `a.clip(low, high)`, `a.repeat(times)`,
    `a.with_warmup(steps)` are schedulers too, and take the place of those that they are made of.

    Args:
        optimizer: Ours, PyTorch's, or anything with `param_groups`, a list of dicts that each hold `"lr"`. A
            learning rate that is a tensor is changed in place.
        last_epoch: The last step that was taken: -1 to start, or n to go on from step n + 1 with an optimizer
            whose state was loaded.
        verbose: Report each change of a rate to the logger `genesis.optim.lr_scheduler`, at level INFO.

    Attributes:
        chainable: Whether a rate that somebody else has changed, another scheduler or the user, is carried
            on, as PyTorch's recursive schedulers do. A class that says False overwrites it.
        carries: Whether, as a later part of a sequence, the scheduler goes on from the rate at which the part
            before left off, rather than from the base rate.

    Raises:
        TypeError: if `optimizer` has no parameter groups with learning rates.
        KeyError: if `last_epoch` is not -1 and a group has no `"initial_lr"`.

    Reference: https://docs.pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate
    """

    __slots__ = ()

    def get_last_lr(self) -> LastLR:
        """The rates in force now, one for each parameter group, as a list that formats like a number."""
        return LastLR(self._last_lr)

    def value_at(self, step: float | NDArray[Any]) -> Any:
        """The rates at any step, past or future; the optimizer is not touched.

        They are those of this scheduler alone: what somebody else makes of the rates is not known.

        Args:
            step: A step, or an array of steps.

        Returns:
            For a number a list with a rate for each group; for an array of shape (...) a float64 array of
            shape (..., groups).

        Raises:
            NotImplementedError: if the scheduler only knows the way from one rate to the next.
            ValueError: if a rate depends on metrics, which only `preview` takes.
        """
        asked: Schedule | None = None
        rates: list[Any] = []
        value: Any = None
        for schedule, base in zip(self._schedules_at(step), self.base_lrs, strict=True):
            if schedule is not asked:
                asked, value = schedule, schedule(step)
            rates.append(value if schedule.kind == "value" else float(base) * value)
        if not getattr(step, "ndim", 0):
            return LastLR(rates)
        import numpy as np

        return np.stack(rates, axis=-1)

    def preview(self, num_steps: int, metrics: Iterable[float] | None = None) -> NDArray[np.float64]:
        """The rates of steps 0 to num_steps - 1; nothing is touched.

        Args:
            num_steps: How many steps.
            metrics: What a schedule that follows a metric is to see: the metric given to the first
                `step(metric)`, to the second, and so on; num_steps - 1 of them are used.

        Returns:
            A float64 array (num_steps, groups).
        """
        import numpy as np

        if operator.index(num_steps) < 0:
            raise ValueError(f"num_steps must be 0 or more, got {num_steps}")
        self._schedules()
        if not self._cells:
            rates: NDArray[np.float64] = self.value_at(np.arange(num_steps))
            return rates
        seen = self._metrics_for(num_steps, metrics)
        twin = copy.copy(self)
        twin._cells = {}
        twin.base_lrs = [float(base) for base in twin.base_lrs]
        rows = [twin._rates(twin._bind(), 0)]
        for step, metric in enumerate(seen, start=1):
            twin._observe(step, metric)
            rows.append(twin._rates(twin._schedules(), step))
        return np.array(rows[:num_steps], dtype=np.float64).reshape(-1, len(self.base_lrs))

    @staticmethod
    def _metrics_for(num_steps: int, metrics: Iterable[float] | None) -> list[float]:
        """The metrics that a preview shows, one for each step but the first."""
        seen = list(metrics) if metrics is not None else []
        if len(seen) < num_steps - 1:
            raise ValueError(
                f"a preview of {num_steps} steps needs metrics=, one for each step but the first; "
                f"got {len(seen) if metrics is not None else 'none'}"
            )
        return seen[: max(0, num_steps - 1)]

    def explain(self, step: float | None = None) -> Explanations:
        """Say for each group where its rate at a step comes from: phase, formula and each factor.

        Args:
            step: The step; by default the present one.
        """
        step = self.last_epoch if step is None else step
        explained: list[Explanation] = []
        for schedule, base in zip(self._schedules_at(step), self.base_lrs, strict=True):
            inner = schedule.explain(step)
            if schedule.kind == "factor":
                rate = float(base) * inner.value
                inner = Explanation(f"{float(base):g} * factor", step, rate, parts=(("factor", inner),))
            explained.append(inner)
        return Explanations(explained)

    def _schedules_at(self, step: Any) -> list[Schedule]:
        """The schedule of each group; one that follows a metric knows what it has seen only at this step."""
        bound = self._schedules()
        if not self._cells or (isinstance(step, (int, float)) and step == self.last_epoch):
            return [each.schedule for each in bound]
        return [self._schedule_of(index, float(base)) for index, base in enumerate(self.base_lrs)]

    def plot(self, num_steps: int | None = None, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the rates over the steps with matplotlib, a line for each different group.

        Args:
            num_steps: How many steps; by default to the end of the schedule and a little further.
            ax: The axes to draw into; by default new ones.
            **options: For `Axes.plot`, such as `label=` or `color=`; and `metrics=` as `preview` takes it.

        Returns:
            The axes.
        """
        from genesis.optim._plot import plot_scheduler

        return plot_scheduler(self, num_steps, ax, **options)

    # Composing.

    def then(self, other: LRScheduler | Schedule, at: int | None = None) -> LRScheduler:
        """This scheduler up to step `at`, by default its end; then the other one, from its own step 0."""
        from genesis.optim._chains import then

        return then(self, other, at)

    def __mul__(self, other: LRScheduler | float) -> LRScheduler:
        """Both at once: the base rates multiplied by the factors of both, or by a factor and a number."""
        from genesis.optim._chains import times

        return times(self, other)

    __rmul__ = __mul__

    def clip(self, low: float | None = None, high: float | None = None) -> LRScheduler:
        """This scheduler, its rates kept between two rates, of which either may be left out."""
        from genesis.optim._chains import changed

        return changed(self, "clip_rate", low=low, high=high)

    def repeat(self, times: int | None = None) -> LRScheduler:
        """This scheduler again and again, `times` times or for ever."""
        from genesis.optim._chains import changed

        return changed(self, "repeat", times=times)

    def with_warmup(self, steps: int, start: float = 0.0, overlap: bool = False) -> LRScheduler:
        """A straight rise to this scheduler's first rate, then this one; see `Schedule.with_warmup`."""
        from genesis.optim._chains import changed

        return changed(self, "with_warmup", steps=steps, start=start, overlap=overlap)

    def extend(self, total_steps: int) -> None:
        """Move the end of the schedule to step `total_steps`, without a jump of the rates.

        What is left of the curve is drawn out, or pressed together, from the present step on; a schedule with
        a stable phase changes the length of that. The state records it: load it into a scheduler that is
        built as before.

        Raises:
            ValueError: if the schedule has no end or has passed it, or `total_steps` is not after this step.
        """
        if isinstance(total_steps, str):
            total_steps = to_steps(total_steps, name="total_steps")
        for bound in self._schedules():
            bound.schedule.stretched(self.last_epoch, total_steps)  # or an error, before anything changes
        self._extensions = [*self._extensions, (self.last_epoch, operator.index(total_steps))]
        self._bind()

    def __repr__(self) -> str:
        shown = {**self._parameters(), "last_epoch": self.last_epoch}
        shown["last_lr"] = [float(rate) for rate in self._last_lr]
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in shown.items())})"


# The name that scripts written for PyTorch before version 2.0 derive from.
_LRScheduler = LRScheduler
