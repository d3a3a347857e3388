"""ReduceLROnPlateau, and the shape of it: a rate that falls when a metric has stopped improving."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, SupportsFloat

from genesis.optim import EPOCH_DEPRECATION_WARNING, LRScheduler, MetricSchedule, Schedule
from genesis_schedulers._checks import choice, number
from genesis_schedulers._fields import put
from genesis_schedulers._groups import one_each

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_log = logging.getLogger("genesis.optim.lr_scheduler")

_WORDS = {"mode": ("min", "max"), "threshold_mode": ("rel", "abs"), "on_nan": ("bad", "ignore", "raise")}
_COUNTERS = ("best", "num_bad_epochs", "cooldown_counter")


@dataclass(frozen=True, repr=False)
class Plateau(MetricSchedule):
    """A factor that falls each time a metric has stopped improving.

    It starts with 1. After more than `patience` metrics in a row that are not better than the best one, it is
    multiplied by `factor`.

    Args:
        mode: `"min"` if a smaller metric is better, `"max"` if a larger one is.
        factor: From 0 to less than 1.
        patience: How many metrics in a row, 0 or more, may be no better.
        threshold: By how much a metric must beat the best one.
        threshold_mode: `"rel"` if that is a part of the best one, `"abs"` if it is an amount.
        cooldown: For how many metrics after a fall bad ones are not counted, 0 or more.
        min_lr: The least learning rate, 0 or more.
        eps: A fall of the learning rate by no more than this is not made.
        on_nan: What a metric that is nan means: `"bad"` for no better, `"ignore"` for none at all, `"raise"`
            for an error.
        base_lr: The base rate of the group, for `min_lr` and `eps`; `for_base` sets it.

    Raises:
        TypeError: if a number is not one.
        ValueError: if a number is not finite or out of its range, or a word is none of those above.

    Example:
        >>> from genesis.optim import Plateau
        >>> shape = Plateau(factor=0.5, patience=0).for_base(0.1)
        >>> state = shape.start()
        >>> for loss in (1.0, 0.9, 0.9):
        ...     state = shape.observe(state, loss)
        >>> shape.factor_of(state)
        0.5

    Reference: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html
    """

    formula: ClassVar[str] = (
        "the factor before, times factor after more than patience metrics that are no better"
    )
    mode: Literal["min", "max"] = "min"
    factor: float = 0.1
    patience: int = 10
    threshold: float = 1e-4
    threshold_mode: Literal["rel", "abs"] = "rel"
    cooldown: int = 0
    min_lr: float = 0
    eps: float = 1e-8
    on_nan: Literal["bad", "ignore", "raise"] = "bad"
    base_lr: float | None = None

    def __post_init__(self) -> None:
        put(self, **_checked(self), min_lr=number("min_lr", self.min_lr, low=0))
        super().__post_init__()

    def for_base(self, base: float) -> Plateau:
        """The schedule for a base rate, on which `min_lr` and `eps` depend."""
        return replace(self, base_lr=base)

    def start(self) -> dict[str, Any]:
        """Nothing seen."""
        return {**_fresh(self.mode), "factor": 1.0, "seen_nan": False}

    def observe(self, state: dict[str, Any], metric: float) -> dict[str, Any]:
        """Count a metric, and let the factor fall if it is time to."""
        state, base = dict(state), 1.0 if self.base_lr is None else self.base_lr
        if math.isnan(metric):
            state["seen_nan"] = _met_nan(self.on_nan, state["seen_nan"])
        if _judge(self, state, metric):
            old = base * state["factor"]
            new = max(old * self.factor, self.min_lr)
            if old - new > self.eps:
                state["factor"] = new / base
        return state

    def factor_of(self, state: dict[str, Any]) -> float:
        """The present factor."""
        return float(state["factor"])


def _checked(options: Any) -> dict[str, Any]:
    """The options that the shape and the scheduler share, as plain values."""
    return {
        "factor": number("factor", options.factor, low=0, below=1),
        "patience": number("patience", options.patience, low=0),
        "threshold": number("threshold", options.threshold),
        "cooldown": number("cooldown", options.cooldown, low=0),
        "eps": number("eps", options.eps, low=0),
        **{name: choice(name, getattr(options, name), words) for name, words in _WORDS.items()},
    }


def _fresh(mode: str) -> dict[str, Any]:
    return {"best": math.inf if mode == "min" else -math.inf, "num_bad_epochs": 0, "cooldown_counter": 0}


def _met_nan(on_nan: str, before: bool) -> bool:
    """Say once that a metric was nan, or refuse it."""
    if on_nan == "raise":
        raise ValueError("the metric is nan, so whether it has improved is not known")
    if not before:
        meaning = "counts as no better than the best one" if on_nan == "bad" else "is not looked at"
        _log.warning("the metric is nan; it %s. This is said once", meaning)
    return True


def _is_better(options: Any, metric: float, best: float) -> bool:
    """Whether a metric beats the best one by more than the threshold; nan beats nothing."""
    sign = -1.0 if options.mode == "min" else 1.0
    amount = sign * options.threshold
    bound = best * (1.0 + amount) if options.threshold_mode == "rel" else best + amount
    return bool(metric < bound) if options.mode == "min" else bool(metric > bound)


def _judge(options: Any, state: dict[str, Any], metric: float) -> bool:
    """Count a metric; True if the rate is to fall."""
    if options.on_nan == "ignore" and math.isnan(metric):
        return False
    if _is_better(options, metric, state["best"]):
        state["best"], state["num_bad_epochs"] = metric, 0
    else:
        state["num_bad_epochs"] += 1
    if state["cooldown_counter"] > 0:
        state["cooldown_counter"] -= 1
        state["num_bad_epochs"] = 0
    if state["num_bad_epochs"] <= options.patience:
        return False
    state["cooldown_counter"], state["num_bad_epochs"] = options.cooldown, 0
    return True


class ReduceLROnPlateau(LRScheduler):
    """Multiply the learning rate by a factor each time a metric has stopped improving.

    After more than `patience` epochs in a row whose metric is not better than the best one,
    rate = max(rate * factor, min_lr). Here `step` takes the metric, and an epoch is a call of it.

    Args:
        optimizer: The one whose learning rates are set: ours, PyTorch's, or anything with `param_groups`.
        mode: `"min"` if a smaller metric is better, `"max"` if a larger one is.
        factor: From 0 to less than 1.
        patience: How many epochs in a row, 0 or more, may be no better.
        threshold: By how much a metric must beat the best one.
        threshold_mode: `"rel"` if that is a part of the best one, best * threshold; `"abs"` if it is an
            amount.
        cooldown: For how many epochs after a fall bad ones are not counted, 0 or more.
        min_lr: The least rate, 0 or more: a number, or a list with one for each parameter group.
        eps: A fall by no more than this is not made.
        verbose: Report each change to the logger `genesis.optim.lr_scheduler`, at level INFO.

    Attributes:
        on_nan: What a metric that is nan means: `"bad"`, the default, for an epoch that is no better,
            `"ignore"` for none at all, `"raise"` for an error. The first one is logged as a warning.

    As a part of a composition, such as `SequentialLR`, it counts and falls there: step the composition with
    the metric.

    Raises:
        TypeError: if `optimizer` is not an optimizer, or a number is not one.
        ValueError: if a number is not finite or out of its range, a list has not one for each group, or a
            word is none of those above.

    Example:
        >>> from genesis.optim import ReduceLROnPlateau
        >>> scheduler = ReduceLROnPlateau(optimizer, factor=0.5, patience=3)  # doctest: +SKIP
        >>> scheduler.step(validation_loss)  # doctest: +SKIP

    Reference: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html
    """

    __slots__ = ("_first", "_seen_nan")

    follows_metric = True
    _optional_state = LRScheduler._optional_state | {"on_nan"}
    on_nan: Literal["bad", "ignore", "raise"] = "bad"

    mode: Literal["min", "max"]
    min_lrs: list[float]
    default_min_lr: float | None
    best: float
    num_bad_epochs: int
    cooldown_counter: int
    _first: list[float]
    _seen_nan: bool

    def __init__(
        self,
        optimizer: Any,
        mode: Literal["min", "max"] = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: int = 0,
        min_lr: list[float] | float = 0,
        eps: float = 1e-8,
        verbose: bool = False,
    ) -> None:
        # No super().__init__: rates follow metrics and not steps, and nothing is written before the first.
        groups = self._param_groups(optimizer)
        self.factor, self.patience, self.threshold, self.cooldown = factor, patience, threshold, cooldown
        self.mode, self.threshold_mode, self.eps = mode, threshold_mode, eps
        for name, value in _checked(self).items():
            if name != "on_nan":
                setattr(self, name, value)
        self.min_lrs = one_each("min_lr", min_lr, len(groups), low=0)
        self.default_min_lr = None if isinstance(min_lr, (list, tuple)) else number("min_lr", min_lr)
        self.optimizer = optimizer
        self.last_epoch = 0
        self._last_lr = self._present()
        self._first = [float(rate) for rate in self._last_lr]
        self._seen_nan = False
        self._verbose = verbose
        self.mode_worse = _fresh(mode)["best"]
        self._reset()

    def _reset(self) -> None:
        """Forget all metrics."""
        self.__dict__.update(_fresh(self.mode))

    @property
    def in_cooldown(self) -> bool:
        """Whether bad epochs are not counted now."""
        return self.cooldown_counter > 0

    def step(self, metrics: SupportsFloat, epoch: int | None = None) -> None:  # type: ignore[override]
        """Look at a metric, and let the rates fall if it is time to.

        Args:
            metrics: A number, or a tensor with one element.
            epoch: Deprecated: the number of this epoch, instead of the next one.

        Raises:
            RuntimeError: if the optimizer has got a parameter group, and each one before has its own least
                rate; set `min_lrs`.
        """
        metric = float(metrics)
        if epoch is not None:
            warnings.warn(EPOCH_DEPRECATION_WARNING, UserWarning, stacklevel=2)
        counters = {name: getattr(self, name) for name in _COUNTERS}
        if math.isnan(metric):
            self._seen_nan = _met_nan(self.on_nan, self._seen_nan)
        rates = self._present()
        if _judge(self, counters, metric):
            rates = self._lowered(rates)
        own = self.__dict__
        own.update(counters)
        own["last_epoch"] = self.last_epoch + 1 if epoch is None else epoch
        own["_last_lr"] = [*self._last_lr, *rates[len(self._last_lr) :]]  # of groups that were added
        self._write(rates)

    def _lowered(self, rates: list[Any]) -> list[Any]:
        if len(self.min_lrs) != len(rates):
            if self.default_min_lr is None:
                raise RuntimeError(
                    "The number of param groups in the `optimizer` is "
                    f"{len(rates)}, but min_lr was given for {len(self.min_lrs)}: set `min_lrs` to a list "
                    "with the least rate of every group"
                )
            self.min_lrs = [self.default_min_lr] * len(rates)
        lowered = [max(float(rate) * self.factor, low) for rate, low in zip(rates, self.min_lrs, strict=True)]
        return [new if float(old) - new > self.eps else old for old, new in zip(rates, lowered, strict=True)]

    def _present(self) -> list[Any]:
        """Copies of the rates in force."""
        rates = (group["lr"] for group in self.optimizer.param_groups)
        return [rate.clone() if hasattr(rate, "fill_") else rate for rate in rates]

    def _next_rates(self) -> list[Any]:
        return self._present()

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        """What it is as a part of a composition."""
        low = self.min_lrs[index] if index < len(self.min_lrs) else self.default_min_lr
        if low is None:
            raise ValueError(f"min_lr was given for {len(self.min_lrs)} parameter groups; there are more now")
        names = ("mode", "factor", "patience", "threshold", "threshold_mode", "cooldown", "eps", "on_nan")
        return Plateau(**{name: getattr(self, name) for name in names}, min_lr=low)

    def preview(self, num_steps: int, metrics: Iterable[float] | None = None) -> NDArray[np.float64]:
        """The rates of epochs 0 to num_steps - 1, from the first ones on, for given metrics; nothing changes.

        Args:
            num_steps: How many epochs.
            metrics: The metrics of the first `step(metric)`, of the second, and so on; num_steps - 1 of them
                are used.

        Returns:
            A float64 array (num_steps, groups).
        """
        import numpy as np

        seen = self._metrics_for(num_steps, metrics)
        columns = []
        for index, base in enumerate(self._first):
            shape = self.schedule_for(index, base).for_base(base)
            assert isinstance(shape, Plateau)
            state, column = shape.start(), [base]
            for metric in seen:
                state = shape.observe(state, float(metric))
                column.append(base * shape.factor_of(state))
            columns.append(column[:num_steps])
        return np.array(columns, dtype=np.float64).T

    def _schedules(self) -> Any:
        raise NotImplementedError(
            f"the rates of {type(self).__name__} follow metrics, so those of other steps are not known; give "
            "metrics to preview(num_steps, metrics)"
        )

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer, as a dict of plain values, under PyTorch's names."""
        return {
            **self.__dict__,
            "min_lrs": list(self.min_lrs),
            "_last_lr": [float(rate) for rate in self._last_lr],
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a saved state, options included, and write its rates into the optimizer.

        Raises:
            CheckpointError: if it is no state of this class, or is for another number of parameter groups;
                then nothing is changed.
        """
        self._check_state(state_dict)
        rates = state_dict["_last_lr"]
        state = {key: state_dict[key] for key in state_dict if key not in ("_last_lr", "verbose")}
        self.__dict__.update({**state, "min_lrs": list(state["min_lrs"])})
        self.__dict__["_last_lr"] = self._present()
        self._write([float(rate) for rate in rates])

    def _bind(self) -> list[Any]:
        return []

    def _stand_at(self, step: float, rates: list[Any]) -> None:
        self.__dict__.update(last_epoch=max(0, step), _last_lr=rates)

    def _initial_step(self) -> None:
        """Nothing is written before the first metric."""

    def __getstate__(self) -> tuple[dict[str, Any], dict[str, Any]]:
        attributes, slots = super().__getstate__()
        return attributes, {"_first": self._first, "_seen_nan": self._seen_nan, **slots}
