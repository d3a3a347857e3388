"""Schedules that follow a metric: it is needed, nan does no lasting harm, the shape keeps nothing."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from typing import Any

from genesis.optim import MetricSchedule
from genesis.testing._check import Question
from genesis.testing.scheduler_checks._optimizers import RATES, PlainOptimizer, rates_of
from genesis.testing.scheduler_checks._subject import Subject, quiet, telling

_LONG = 40


def questions(subject: Subject) -> Iterator[Question]:
    """Ask a scheduler that follows a metric how it takes one."""
    if not subject.follows_metric:
        return
    metrics = _Metrics(subject)
    yield "metric/needed", metrics.needed
    yield "metric/nan", metrics.nan
    if isinstance(subject.shape, MetricSchedule):
        yield "metric/shape", metrics.shape


class _Metrics:
    """The questions to one scheduler."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject

    def _built(self) -> tuple[Any, Any]:
        optimizer = PlainOptimizer(*RATES)
        return optimizer, self.subject.build(optimizer)

    def needed(self) -> None:
        """A step without one is an error that says so, and changes nothing."""
        subject = self.subject
        optimizer, scheduler = self._built()
        steps = min(6, subject.steps)  # by then a member of a composition is in force, too
        for step in range(steps):
            before = copy.deepcopy(scheduler.state_dict()), rates_of(optimizer)
            optimizer.step()
            try:
                scheduler.step()
            except TypeError as error:
                if "metric" not in str(error):
                    raise AssertionError(
                        f"step() without a metric raised {error}; say that a metric is needed: step(metric)"
                    ) from error
                assert (scheduler.state_dict(), rates_of(optimizer)) == before, (
                    "step() without a metric was refused, and has changed the state or the rates"
                )
                return
            except Exception as error:
                raise AssertionError(
                    f"step() without a metric raised {type(error).__name__}: {error}; expected a TypeError "
                    "that asks for a metric"
                ) from error
            optimizer, scheduler = self._built()
            subject.go(optimizer, scheduler, 0, step + 1)
        raise AssertionError(
            "step() without a metric is taken in silence, and the rates follow nothing: refuse None with a "
            "TypeError"
        )

    def nan(self) -> None:
        """A metric that is nan is refused, or counts once; it is not remembered as the best for ever."""
        falling, rising = ([sign * step for step in range(1, _LONG)] for sign in (-1.0, 1.0))
        clean = {sign: self._rates([0.0, *later]) for sign, later in ((-1, falling), (1, rising))}
        try:
            with quiet():
                spoilt = {
                    sign: self._rates([math.nan, *later]) for sign, later in ((-1, falling), (1, rising))
                }
        except ValueError:
            return  # refused
        for rows in spoilt.values():
            for step, row in enumerate(rows):
                assert all(math.isfinite(rate) for rate in row), (
                    f"after a metric that was nan the rates of step {step} are {row}"
                )
        better = max(clean, key=lambda sign: sum(row[0] for row in clean[sign]))
        pairs = [(a[0], b[0]) for a, b in zip(clean[better], spoilt[better], strict=True)][_LONG // 2 :]
        parts = [found / expected for expected, found in pairs if expected > 0]
        assert not parts or parts[-1] > parts[0] * (1 - 1e-9), (  # a fall is by more than any rounding
            "after one metric that was nan the rate keeps falling, although each metric is better than the "
            f"one before: from {pairs[0][1]!r} to {pairs[-1][1]!r}, and without the nan from {pairs[0][0]!r} "
            f"to {pairs[-1][0]!r}. Nothing is better than nan, so do not keep it as the best: look for it "
            "with math.isnan"
        )

    def _rates(self, metrics: list[float]) -> list[list[float]]:
        optimizer, scheduler = self._built()
        rows = [rates_of(optimizer)]
        for metric in metrics:
            optimizer.step()
            scheduler.step(metric)
            rows.append(rates_of(optimizer))
        return rows

    def shape(self) -> None:
        """start, observe and factor_of are pure, and the state is plain."""
        shape = self.subject.shape
        assert isinstance(shape, MetricSchedule)
        shape = shape.for_base(RATES[0])
        assert isinstance(shape, MetricSchedule), f"for_base gave {shape!r}, which follows no metric"
        state = shape.start()
        assert isinstance(state, dict), f"start() gave {state!r}; expected a dict of plain values"
        first = shape.factor_of(state)
        assert shape.at(0) == first, f"at(0) is {shape.at(0)!r}, and factor_of(start()) is {first!r}"
        for step in range(self.subject.steps):
            before = copy.deepcopy(state)
            with telling(f"observe(state, {self.subject.metric(step)})"):
                after = shape.observe(state, self.subject.metric(step))
                again = shape.observe(state, self.subject.metric(step))
            assert state == before, (
                f"observe has changed the state that it was given, {before} to {state}: start it with "
                "`state = dict(state)` and return that"
            )
            assert after == again, (
                f"observe gave {after}, and asked again {again}: it depends on the state alone"
            )
            assert set(after) == set(state), (
                f"observe gave a state with {sorted(after)}; start() has {sorted(state)}. A state is refused "
                "on loading if it has other entries, so name all of them in start()"
            )
            with telling("json.dumps(state)"):
                json.dumps(after)
            factor = shape.factor_of(after)
            right = isinstance(factor, (int, float)) and math.isfinite(factor) and factor >= 0
            assert right, f"factor_of gave {factor!r} for {after}; expected a finite number, 0 or more"
            state = after
