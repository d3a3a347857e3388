"""What is checked, in whatever form it was given: how to make it, and what it says of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from inspect import Parameter, signature
from logging import getLogger
from typing import TYPE_CHECKING, Any

from genesis.optim import LRScheduler, ParamScheduler, Schedule
from genesis.plugin import registry
from genesis.testing.scheduler_checks._optimizers import RATES, Make, PlainOptimizer, rates_of, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# How many steps are taken, and after which of them a training is stopped to go on from its state.
STEPS = 16
STOPS = range(1, 13)
METRICS = (3.0, 2.0, 2.5, 2.5, 2.5, 2.5, 1.0, 1.5, 1.5, 1.5, 1.5, 1.5, 0.5, 0.9, 0.9, 0.9)
EPSILON = 2.0**-52


class Unusable(Exception):
    """The subject cannot be made; the text says why, and what to do."""


class Subject:
    """A schedule, or a way to make schedulers.

    Attributes:
        name: What to call it.
        declared: The name by which plugins declare it, or None.
        shape: The pure schedule that is driven, or None.
        follows_metric: Whether `step` takes a metric.
        known: Whether it says the rates of other steps: `value_at`, or `preview` for given metrics.
        described: Whether a schedule describes it, so that it may be a part of every composition.
        composed: Whether it is made of other schedulers.
        chainable, carries: As the attributes of an LRScheduler.
        driven: The entry of the groups that it drives.
        steps: How many steps can be taken, at most STEPS.
    """

    def __init__(self, given: Any, options: Any, metrics: Sequence[float] | None) -> None:
        self.declared = given if isinstance(given, str) else None
        self.name = given if isinstance(given, str) else getattr(given, "__name__", repr(given))
        self._options = {} if options is None else options
        self.target: Any = self._loaded(given)
        self.shape: Schedule | None = None
        if isinstance(self.target, Schedule):
            if self._options:
                raise TypeError(f"{self.target!r} is made already; leave options out")
            self.shape = self.target
        elif _is(self.target, Schedule):
            if callable(self._options):
                raise TypeError(f"{self.name} is a Schedule and knows no optimizer: give options as a dict")
            self.shape = self._made(lambda: self.target(**self._options))
        self._by_keyword = self.shape is None and "optimizer" in _parameters(self.target)
        self._look(metrics)

    def _loaded(self, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        try:
            return registry("schedulers").find(given).load()
        except Exception as error:
            raise Unusable(f"{given!r} cannot be loaded: {type(error).__name__}: {error}") from error

    def _made(self, make: Callable[[], Any]) -> Any:
        try:
            return make()
        except Exception as error:
            hint = ""
            if isinstance(error, TypeError) and "required" in str(error):
                hint = f"; give the options that it needs: check_scheduler({self.name!r}, {{…}})"
            elif isinstance(error, AttributeError) and _is(self.target, LRScheduler):
                hint = "; super().__init__ writes the first rates, so set the attributes before you call it"
            raise Unusable(
                f"{self.name} cannot be made with {self._options!r}: {type(error).__name__}: {error}{hint}"
            ) from error

    def _look(self, metrics: Sequence[float] | None) -> None:
        """Make one, and see what it is."""
        optimizer = PlainOptimizer(*RATES)
        scheduler = self._made(lambda: self.build(optimizer))
        if isinstance(scheduler, Schedule):
            raise Unusable(
                f"{self.name}(optimizer) gave a shape; return ParamScheduler(optimizer, {scheduler!r})"
            )
        if not isinstance(scheduler, LRScheduler):
            raise Unusable(
                f"{self.name}(optimizer) gave {scheduler!r}; a scheduler derives from "
                "genesis.optim.LRScheduler, or is what ParamScheduler or LambdaLR make of a function"
            )
        try:
            scheduler.get_last_lr()
        except AttributeError as error:
            raise Unusable(
                f"{self.name} has no rates when it is made ({error}): call super().__init__(optimizer, "
                "last_epoch, verbose) at the end of its __init__"
            ) from error
        self.follows_metric = bool(self._made(lambda: scheduler.follows_metric))
        if metrics is not None and not self.follows_metric:
            raise ValueError(f"{self.name} follows no metric; leave metrics out")
        self.metrics = [float(metric) for metric in (METRICS if metrics is None else metrics)]
        if not self.metrics:
            raise ValueError("metrics is empty; give one for each step, or leave it out")
        self._made(lambda: self._note_traits(scheduler))
        self.takes_last_epoch = not self.follows_metric and (
            self.shape is not None or "last_epoch" in _parameters(self.target)
        )
        self.steps: int = self._made(lambda: self._steps_to(STEPS))

    def _note_traits(self, scheduler: Any) -> None:
        """See what it says of itself."""
        cls = type(scheduler)
        self.driven: str = getattr(scheduler, "param_name", "lr")
        self.chainable, self.carries = bool(scheduler.chainable), bool(scheduler.carries)
        self.composed = bool(members_of(scheduler))
        self.known = True
        try:
            if self.follows_metric:
                scheduler.preview(1, metrics=self.metrics)
            else:
                scheduler.value_at(0)
        except NotImplementedError:
            self.known = False
        except Exception:
            pass  # the questions will meet it again
        own = cls.get_lr is not LRScheduler.get_lr or cls.schedule_for is LRScheduler.schedule_for
        self.described = self.known and not own and self.driven == "lr"

    def _steps_to(self, limit: int) -> int:
        """How many steps can be taken before a schedule with `end="raise"`, or a like one, has ended."""
        optimizer = PlainOptimizer(*RATES)
        scheduler = self.build(optimizer)
        for step in range(limit):
            try:
                self.step(scheduler, step)
            except ValueError:
                return max(1, step)
            except Exception:
                break
        return limit

    # Making and driving.

    def options_for(self, optimizer: Any) -> dict[str, Any]:
        """The options for an optimizer."""
        if not callable(self._options):
            return dict(self._options)
        found = self._options(optimizer)
        if not isinstance(found, Mapping):
            raise TypeError(f"options(optimizer) should give a dict, got {found!r}")
        return dict(found)

    def build(self, optimizer: Any, changed: Mapping[str, Any] | None = None, **more: Any) -> Any:
        """Make the scheduler.

        Args:
            optimizer: The one that it drives.
            changed: Options to replace.
            **more: Arguments besides its options, such as last_epoch=3.
        """
        if isinstance(self.target, Schedule):
            return ParamScheduler(optimizer, self.target, **more)
        options = {**self.options_for(optimizer), **(changed or {})}
        if self.shape is not None:
            return ParamScheduler(optimizer, self.target(**options), **more)
        if self._by_keyword:
            return self.target(**{"optimizer": optimizer, **options, **more})
        return self.target(optimizer, **options, **more)

    def metric(self, step: int) -> float:
        """The metric that is given to the step after this number of steps."""
        return self.metrics[step % len(self.metrics)]

    def step(self, scheduler: Any, step: int, shift: int = 0) -> None:
        """Train and take the step after this number of steps, with the metric that belongs to it."""
        scheduler.optimizer.step()
        if self.follows_metric:
            scheduler.step(self.metric(step + shift))
        else:
            scheduler.step()

    def go(self, optimizer: Any, scheduler: Any, first: int, last: int, shift: int = 0) -> list[Any]:
        """Take the steps from `first` to `last`, and return what was in the groups after each."""
        rows = []
        for step in range(first, last):
            with telling(f"step() number {step + 1}"):
                self.step(scheduler, step, shift)
            rows.append(written(optimizer))
        return rows

    @cache  # noqa: B019 (a subject lives as long as its checks)
    def course(self, make: Make, shift: int = 0) -> list[list[float]]:
        """The rates of an uninterrupted run, those of step 0 first."""
        optimizer = make(*RATES)
        scheduler = self.build(optimizer)
        rows = [rates_of(optimizer, self.driven)]
        for step in range(self.steps):
            with telling(f"step() number {step + 1}"):
                self.step(scheduler, step, shift)
            rows.append(rates_of(optimizer, self.driven))
        return rows

    @property
    def pure(self) -> Schedule | None:
        """The shape, where its values depend on the step alone."""
        return None if self.shape is None or self.follows_metric else self.shape


def members_of(scheduler: Any) -> list[Any]:
    """The members of a composition of schedulers, which bear the name that they have in PyTorch."""
    return list(getattr(scheduler, "_schedulers", ()))


def _is(target: Any, base: type[Any]) -> bool:
    return isinstance(target, type) and issubclass(target, base)


def _parameters(target: Any) -> Mapping[str, Parameter]:
    try:
        return signature(target).parameters
    except (TypeError, ValueError):
        return {}


@contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings that schedulers log about what the kit does to them on purpose."""
    logger = getLogger("genesis.optim.lr_scheduler")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Say what was tried when something raises."""
    try:
        yield
    except AssertionError:
        raise
    except Exception as error:
        raise AssertionError(f"{what} raised {type(error).__name__}: {error}") from error


def shown(values: Any) -> str:
    """Rates for a message: one as a number, several as a list."""
    if isinstance(values, (list, tuple)):
        return shown(values[0]) if len(values) == 1 else f"[{', '.join(map(shown, values))}]"
    return f"{values:.17g}" if isinstance(values, float) else repr(values)


def close(found: float, expected: float, scale: float) -> bool:
    """Whether two ways to compute a number agree, but for the rounding of a few operations."""
    # Eight roundings: sums and products of a composition; NumPy's cosine and power differ from C's by one.
    return found == expected or abs(found - expected) <= 8 * EPSILON * max(abs(scale), abs(expected))
