"""GreedyLR: a learning rate that rises while a metric improves and falls when it does not."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from genesis import CheckpointError
from genesis.optim import LRScheduler
from genesis_schedulers._checks import choice, number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# What a state holds, apart from the moving average: the names are those of transformers.
_STATE = (
    "factor",
    "min_lrs",
    "max_lrs",
    "patience",
    "verbose",
    "cooldown",
    "warmup",
    "cooldown_counter",
    "warmup_counter",
    "mode",
    "threshold",
    "threshold_mode",
    "best",
    "num_bad_epochs",
    "num_good_epochs",
    "eps",
    "last_epoch",
    "smooth",
    "window_size",
    "reset_start",
    "reset_start_original",
    "_last_lr",
    "_init_lrs",
)
_LISTS = ("min_lrs", "max_lrs", "_last_lr", "_init_lrs")


class StreamingAverage:
    """The mean of the last `window_size` values.

    Args:
        window_size: How many values count, 1 or more.

    Example:
        >>> average = StreamingAverage(2)
        >>> [average.streamavg(value) for value in (1.0, 2.0, 4.0)]
        [1.0, 1.5, 3.0]
    """

    def __init__(self, window_size: float) -> None:
        self.window_size = number("window_size", window_size, low=1)
        self.values: list[float] = []
        self.sum = 0.0

    def streamavg(self, value: float) -> float:
        """Take up a value and return the mean."""
        self.values.append(value)
        self.sum += value
        if len(self.values) > self.window_size:
            self.sum -= self.values.pop(0)
        if not math.isfinite(self.sum):
            self.sum = sum(self.values)  # nan and inf leave the mean when they leave the window
        return self.sum / len(self.values)

    def state_dict(self) -> dict[str, Any]:
        """The window and what is in it, as plain values."""
        return {"window_size": self.window_size, "values": list(self.values), "sum": self.sum}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a saved state.

        Raises:
            CheckpointError: if it is not one of a moving average.
        """
        if not isinstance(state_dict, Mapping) or set(state_dict) != {"window_size", "values", "sum"}:
            raise CheckpointError(f"expected a dict of window_size, values and sum, got {state_dict!r}")
        self.window_size = state_dict["window_size"]
        self.values = list(state_dict["values"])
        self.sum = state_dict["sum"]


class GreedyLR(LRScheduler):
    """Raise the learning rate while a metric improves step after step, and lower it when it does not.

    A metric is better if it beats the best one so far by more than `threshold`. After more than `patience`
    better ones in a row each rate is divided by `factor`, up to `max_lr`; after more than `patience` others
    in a row it is multiplied by `factor`, down to `min_lr`. Where all rates have been asked to go below
    `min_lr` `reset_start` times, everything starts over from the first rates.

    Args:
        optimizer: The one whose learning rates are set: ours, PyTorch's, or anything with `param_groups`.
        mode: `"min"` if a smaller metric is better, `"max"` if a larger one is.
        factor: Between 0 and 1.
        patience: How many steps, 0 or more, are waited for a change.
        threshold: By how much a metric must beat the best one, 0 or more.
        threshold_mode: `"abs"` if that is an amount, `"rel"` if it is a part of the best one.
        cooldown: Steps after a reduction in which metrics are not looked at.
        warmup: Steps after a raise in which metrics are not looked at.
        min_lr: The lower bound, 0 or more: a number, or a list with one for each parameter group.
        max_lr: The upper bound, likewise.
        eps: A change of a rate by no more than this is not made.
        verbose: Report each change to the logger `genesis.optim.lr_scheduler`, at level INFO.
        smooth: Look at the mean of the last `window_size` metrics instead of the metrics.
        window_size: See `smooth`.
        reset_start: How often the rates may meet the lower bound before everything starts over.

    Raises:
        TypeError: if `optimizer` is not an optimizer, or a number is not one.
        ValueError: if a number is out of its range, or a list has not one number for each group.

    Warns:
        UserWarning: if a rate lies below `min_lr`: it could be raised but never lowered.

    Example:
        >>> from genesis.optim import GreedyLR
        >>> scheduler = GreedyLR(optimizer, patience=5, min_lr=1e-5, max_lr=1e-2)  # doctest: +SKIP
        >>> scheduler.step(validation_loss)  # doctest: +SKIP

    Reference: "GreedyLR: A Novel Adaptive Learning Rate Scheduler", https://arxiv.org/abs/2512.14527
    """

    follows_metric = True

    min_lrs: list[float]
    max_lrs: list[float]
    best: float
    cooldown_counter: float
    warmup_counter: float
    num_bad_epochs: int
    num_good_epochs: int
    _init_lrs: list[float]

    def __init__(
        self,
        optimizer: Any,
        mode: str = "min",
        factor: float = 0.95,
        patience: int = 10,
        threshold: float = 1e-6,
        threshold_mode: str = "abs",
        cooldown: int = 0,
        warmup: int = 0,
        min_lr: float | Sequence[float] = 1e-3,
        max_lr: float | Sequence[float] = 1.0,
        eps: float = 1e-8,
        verbose: bool = False,
        smooth: bool = False,
        window_size: int = 50,
        reset_start: int = 500,
    ) -> None:
        # No super().__init__: the base class sets rates by the step, and here they follow metrics.
        groups = self._param_groups(optimizer)
        self.optimizer = optimizer
        self.mode = choice("mode", mode, ("min", "max"))
        self.factor = number("factor", factor, above=0, below=1)
        self.patience = number("patience", patience, low=0)
        self.threshold = number("threshold", threshold, low=0)
        self.threshold_mode = choice("threshold_mode", threshold_mode, ("rel", "abs"))
        self.cooldown = number("cooldown", cooldown, low=0)
        self.warmup = number("warmup", warmup, low=0)
        self.min_lrs = _one_each("min_lr", min_lr, len(groups))
        self.max_lrs = _one_each("max_lr", max_lr, len(groups))
        self.eps = number("eps", eps, low=0)
        self.verbose = verbose
        self.smooth = bool(smooth)
        self._streaming_avg = StreamingAverage(window_size) if smooth else None
        self.window_size = number("window_size", window_size, low=1)
        self.reset_start = self.reset_start_original = number("reset_start", reset_start, low=0)
        self.last_epoch = 0
        self._init_lrs = self._present()
        self._last_lr = self._present()
        self._forget()
        for index, (low, high) in enumerate(zip(self.min_lrs, self.max_lrs, strict=True)):
            if low > high:
                raise ValueError(f"min_lr must be at most max_lr, got {low} and {high} for group {index}")
            if self._init_lrs[index] < low:
                warnings.warn(
                    f"the rate of group {index}, {self._init_lrs[index]:g}, lies below min_lr={low:g}, so it "
                    "may rise but never fall; give a min_lr below it",
                    UserWarning,
                    stacklevel=2,
                )

    def step(self, metrics: float, epoch: int | None = None) -> None:  # type: ignore[override]
        """Look at a metric, and change the rates if it is time to.

        Args:
            metrics: A number, or a tensor with one element; nan counts as not better.
            epoch: The number of this step; by default the next one.
        """
        current = float(metrics)
        self._take_up_groups()
        if self._streaming_avg is not None:
            current = self._streaming_avg.streamavg(current)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self.cooldown_counter > 0 or self.warmup_counter > 0:
            if self.cooldown_counter > 0:
                self.cooldown_counter -= 1
            else:
                self.warmup_counter -= 1
            self.num_bad_epochs = self.num_good_epochs = 0
        else:
            self._judge(current)
        self._last_lr = self._present()

    def _judge(self, current: float) -> None:
        """Count the good and the bad metrics, and act when there are too many of one kind."""
        if self.is_better(current, self.best):
            self.best = current
            self.num_good_epochs, self.num_bad_epochs = self.num_good_epochs + 1, 0
        else:
            self.num_good_epochs, self.num_bad_epochs = 0, self.num_bad_epochs + 1
        if self.num_good_epochs > self.patience:
            self._increase_lr()
            self.warmup_counter = self.warmup
            self.num_good_epochs = 0
        elif self.num_bad_epochs > self.patience:
            self._reduce_lr()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0

    def is_better(self, current: float, best: float) -> bool:
        """Whether a metric beats another by more than the threshold."""
        sign = -1.0 if self.mode == "min" else 1.0
        if self.threshold_mode == "rel":
            bound = best * (1.0 + sign * self.threshold)
        else:
            bound = best + sign * self.threshold
        return current < bound if self.mode == "min" else current > bound

    def _increase_lr(self) -> None:
        rates = self._present()
        raised = [min(rate / self.factor, high) for rate, high in zip(rates, self.max_lrs, strict=True)]
        pairs = zip(rates, raised, strict=True)
        self._write([new if new - old > self.eps else old for old, new in pairs])
        self.reset_start = self.reset_start_original

    def _reduce_lr(self) -> None:
        rates = self._present()
        lowered = [max(rate * self.factor, low) for rate, low in zip(rates, self.min_lrs, strict=True)]
        pairs = zip(rates, lowered, strict=True)
        self._write([new if old - new > self.eps else old for old, new in pairs])
        if all(rate <= low for rate, low in zip(self._present(), self.min_lrs, strict=True)):
            self.reset_start -= 1
            if self.reset_start <= 0:
                self._reset()

    def _reset(self) -> None:
        """Start over from the first rates."""
        self._write(list(self._init_lrs))
        self._forget()
        self.reset_start = self.reset_start_original
        if self._streaming_avg is not None:
            self._streaming_avg = StreamingAverage(self.window_size)

    def _forget(self) -> None:
        """Know of no metric yet."""
        self.best = math.inf if self.mode == "min" else -math.inf
        self.num_bad_epochs = self.num_good_epochs = 0
        self.cooldown_counter = self.warmup_counter = 0

    def _present(self) -> list[float]:
        return [float(group["lr"]) for group in self.optimizer.param_groups]

    @property
    def verbose(self) -> bool:
        """Whether each change is reported."""
        return self._verbose

    @verbose.setter
    def verbose(self, value: bool) -> None:
        self._verbose = bool(value)

    def _take_up_groups(self) -> None:
        """Follow groups that the optimizer got since; they get the bounds that all others share."""
        groups, known = self.optimizer.param_groups, len(self._init_lrs)
        if len(groups) == known:
            return
        if len(groups) < known or len({*self.min_lrs}) > 1 or len({*self.max_lrs}) > 1:
            raise ValueError(
                f"the optimizer had {known} parameter groups and has {len(groups)} now, and the bounds are "
                f"min_lr={self.min_lrs} and max_lr={self.max_lrs}; make a new scheduler"
            )
        more = len(groups) - known
        self.min_lrs += self.min_lrs[:1] * more
        self.max_lrs += self.max_lrs[:1] * more
        self._init_lrs += self._present()[known:]
        self._last_lr += self._present()[known:]

    def _initial_step(self) -> None:
        """As a part of a composition: start from the base rates."""
        self._init_lrs = [
            float(group.get("initial_lr", group["lr"])) for group in self.optimizer.param_groups
        ]
        self.last_epoch = 0
        self._write(list(self._init_lrs))

    def _update_lr(self, epoch: float | None = None) -> None:
        self._initial_step()

    def get_lr(self) -> list[Any]:
        """The rates in force, as the optimizer holds them."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def value_at(self, step: Any) -> Any:
        """Not known: the rates follow the metrics, not the step.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(
            "the rates of GreedyLR follow metrics, so those of other steps are not known; give metrics to "
            "preview(num_steps, metrics)"
        )

    def preview(self, num_steps: int, metrics: Iterable[float] | None = None) -> NDArray[np.float64]:
        """The rates of the first `num_steps` steps if these were the metrics; nothing is changed.

        Args:
            num_steps: How many, the first rate included.
            metrics: At least num_steps - 1 numbers.

        Returns:
            An array (num_steps, groups).
        """
        import numpy as np

        seen = self._metrics_for(num_steps, metrics)
        trial = type(self).__new__(type(self))
        trial.optimizer = SimpleNamespace(param_groups=[{"lr": rate} for rate in self._init_lrs])
        trial._init_lrs = list(self._init_lrs)
        trial.load_state_dict({**self.state_dict(), "verbose": False, "last_epoch": 0})
        trial._reset()
        rates = [trial._present()]
        for metric in seen:
            trial.step(metric)
            rates.append(trial._present())
        return np.array(rates)

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer, as a dict of plain values, under the names of transformers."""
        state = {name: getattr(self, name) for name in _STATE}
        state.update({name: list(state[name]) for name in _LISTS})
        if self._streaming_avg is not None:
            state["_streaming_avg"] = self._streaming_avg.state_dict()
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a saved state, options included, and write its rates into the optimizer.

        Raises:
            CheckpointError: if it is no state of a GreedyLR, or is for another number of parameter groups;
                then nothing is changed.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"expected the dict that state_dict() returns, got {state_dict!r}")
        expected = {*_STATE, "_streaming_avg"} if state_dict.get("smooth") else {*_STATE}
        if set(state_dict) != expected:
            missing, unknown = sorted(expected - set(state_dict)), sorted(set(state_dict) - expected)
            raise CheckpointError(
                f"this is not the state of a GreedyLR: it lacks {missing or 'nothing'} and has "
                f"{unknown or 'nothing'} that a GreedyLR does not know"
            )
        groups = self.optimizer.param_groups
        self._take_up_groups()
        for name in _LISTS:
            if len(state_dict[name]) != len(groups):
                raise CheckpointError(
                    f"the state has {name}={state_dict[name]!r}; expected a list of {len(groups)} numbers, "
                    "one for each parameter group of the optimizer"
                )
        average = None
        if state_dict["smooth"]:
            average = StreamingAverage(state_dict["window_size"])
            average.load_state_dict(state_dict["_streaming_avg"])
        self._streaming_avg = average
        for name in _STATE:
            setattr(self, name, list(state_dict[name]) if name in _LISTS else state_dict[name])
        self._write(list(self._last_lr))
        self._last_lr = list(state_dict["_last_lr"])


def _one_each(name: str, value: Any, groups: int) -> list[float]:
    """A bound for each parameter group."""
    if not isinstance(value, (list, tuple)):
        return [number(name, value, low=0)] * groups
    if len(value) != groups:
        raise ValueError(
            f"expected {groups} {name}s, one for each parameter group, got {len(value)}: {value!r}"
        )
    return [number(f"{name}[{index}]", bound, low=0) for index, bound in enumerate(value)]
