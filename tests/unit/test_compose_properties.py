"""Compositions of any nesting are the pointwise product, join, clip and so on of their parts."""

from __future__ import annotations

import copy
import json
import math
import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from genesis.optim import Cosine, CosineWave, Exponential, Linear, Schedule, Skip, Step

# The model does the same sums and products in another order, and numpy's cosine differs from that of math:
# each operation rounds by 1e-16, values are near 1, and there are some tens of operations.
CLOSE = {"rel": 1e-12, "abs": 1e-12}

BASES = (0.1, 1.0, 3.0)


@dataclass(frozen=True)
class Model:
    """What a schedule should be: its values for a base rate, and where it ends."""

    kind: str
    value: Callable[[float, float], float]  # (base, step)
    horizon: int | None

    def rate(self, base: float, step: float) -> float:
        value = self.value(base, step)
        return value if self.kind == "value" else base * value


Pair = tuple[Schedule, Model]


@st.composite
def leaves(draw) -> Pair:
    kind = draw(st.sampled_from(["factor", "factor", "value"]))
    steps = draw(st.integers(1, 9))
    end = draw(st.sampled_from(["hold", "hold", "repeat"]))
    which = draw(st.integers(0, 4))
    if which == 0:
        return Exponential(0.9, kind=kind), Model(kind, lambda base, t: 0.9**t, None)
    if which == 1:
        return Step(steps, 0.5, kind=kind), Model(kind, lambda base, t: 0.5 ** (t // steps), None)
    if which == 2:
        return CosineWave(steps, kind=kind), Model(
            kind, lambda base, t: 0.5 * (1 + math.cos(math.pi * t / steps)), None
        )
    if which == 3:
        shape = Linear(steps, 0.25, 1.5, end=end, kind=kind)
        return shape, ended(Model(kind, lambda base, t: 0.25 + 1.25 * t / steps, steps), end)
    shape = Cosine(steps, end=end, kind=kind)
    return shape, ended(Model(kind, lambda base, t: 0.5 * (1 + math.cos(math.pi * t / steps)), steps), end)


def ended(model: Model, end: str) -> Model:
    """The model with an end policy."""
    horizon = model.horizon
    if end == "repeat":
        return Model(model.kind, lambda base, t: model.value(base, t % horizon), None)
    return Model(model.kind, lambda base, t: model.value(base, min(t, horizon)), horizon)


def latest(*horizons: int | None) -> int | None:
    return None if None in horizons else max(horizons)


@st.composite
def compositions(draw, parts: st.SearchStrategy[Pair]) -> Pair:
    (a, x), which = draw(parts), draw(st.integers(0, 8))
    if which == 0:
        (b, y) = draw(parts)
        at = draw(st.integers(0, 12))
        kind = x.kind if x.kind == y.kind else "value"

        def join(base: float, t: float) -> float:
            part, local = (x, t) if t < at else (y, t - at)
            return part.value(base, local) if x.kind == y.kind else part.rate(base, local)

        return a.then(b, at), Model(kind, join, None if y.horizon is None else at + y.horizon)
    if which == 1:
        (b, y) = draw(parts)
        rates = (x.kind == "value") + (y.kind == "value")

        def times(base: float, t: float) -> float:
            return x.value(base, t) * y.value(base, t) / (base if rates == 2 else 1)

        return a * b, Model("value" if rates else "factor", times, latest(x.horizon, y.horizon))
    if which == 2:
        return 0.5 * a, replace(x, value=lambda base, t: 0.5 * x.value(base, t))
    if which == 3:
        return a.clip(0.2, 0.7), replace(x, value=lambda base, t: min(max(x.value(base, t), 0.2), 0.7))
    if which == 4:
        return a.clip_rate(low=0.05), Model("value", lambda base, t: max(x.rate(base, t), 0.05), x.horizon)
    if which == 5:
        steps, overlap = draw(st.integers(0, 6)), draw(st.booleans())
        shift = 0 if overlap else steps

        def warm(base: float, t: float) -> float:
            rise = 0.1 + 0.9 * t / steps if t < steps else 1.0
            return rise * x.value(base, max(0, t - shift))

        horizon = None if x.horizon is None else max(steps, shift + x.horizon)
        return a.with_warmup(steps, 0.1, overlap), replace(x, value=warm, horizon=horizon)
    if which == 6:
        assume(x.kind == "factor")
        return a.towards(0.02), Model(
            "value", lambda base, t: 0.02 + (base - 0.02) * x.value(base, t), x.horizon
        )
    assume(x.horizon)
    if which == 7:
        times = draw(st.none() | st.integers(1, 3))
        horizon = None if times is None else times * x.horizon

        def again(base: float, t: float) -> float:
            return x.value(base, t % x.horizon if horizon is None or t < horizon else x.horizon)

        return a.repeat(times), replace(x, value=again, horizon=horizon)
    skipped = draw(st.integers(0, x.horizon))
    return Skip(a, skipped), replace(
        x, value=lambda base, t: x.value(base, t + skipped), horizon=x.horizon - skipped
    )


@st.composite
def with_end(draw, pairs: st.SearchStrategy[Pair]) -> Pair:
    """Now and then an end policy for the composition itself."""
    schedule, model = draw(pairs)
    if model.horizon and draw(st.integers(0, 5)) == 0:
        return replace(schedule, end="repeat"), ended(model, "repeat")
    return schedule, model


deep = leaves()
for _ in range(3):
    deep = st.one_of(deep, with_end(compositions(deep)))

steps_of = st.lists(
    st.one_of(st.integers(0, 60), st.floats(0, 60, allow_subnormal=False)), min_size=1, max_size=8
)


def bound(schedule: Schedule, base: float) -> Schedule:
    return schedule.for_base(base)


@settings(max_examples=300, deadline=None)
@given(deep, steps_of, st.sampled_from(BASES))
def test_composition_is_what_its_parts_make_pointwise(pair, steps, base):
    schedule, model = pair
    own = bound(schedule, base)
    assert own.kind == model.kind
    function = own.compiled()
    for step in steps:
        assert own(step) == pytest.approx(model.value(base, step), **CLOSE)
        assert function(step) == own(step)
    assert own(np.array(steps)).tolist() == pytest.approx([own(step) for step in steps], **CLOSE)
    whole = [math.floor(step) for step in steps]
    assert own(np.array(whole)).tolist() == pytest.approx([own(step) for step in whole], **CLOSE)


@settings(max_examples=150, deadline=None)
@given(deep, st.sampled_from(BASES))
def test_horizon_is_where_nothing_changes_any_more(pair, base):
    schedule, model = pair
    horizon = None if schedule.end == "repeat" else schedule.horizon
    assert horizon == model.horizon
    if horizon is not None:
        own = bound(schedule, base)
        assert own(horizon + 7.5) == own(horizon) == own(horizon + 1)


@settings(max_examples=150, deadline=None)
@given(deep, st.sampled_from(BASES), st.sampled_from(BASES), st.integers(0, 30))
def test_what_is_bound_to_a_base_stays_bound(pair, base, other, step):
    own = bound(pair[0], base)
    assert bound(own, base) == own
    assert bound(own, other)(step) == own(step)


@settings(max_examples=150, deadline=None)
@given(deep, st.sampled_from(BASES))
def test_equal_after_json_pickle_and_copies(pair, base):
    for schedule in (pair[0], bound(pair[0], base)):
        again = (
            Schedule.from_config(json.loads(json.dumps(schedule.to_config()))),
            pickle.loads(pickle.dumps(schedule)),
            copy.deepcopy(schedule),
        )
        for twin in again:
            assert twin == schedule
            assert hash(twin) == hash(schedule)
            assert repr(twin) == repr(schedule)


def remade(schedule: Schedule, parts: list[float], step: float) -> float | None:
    """The value as the formula of a composition makes it of the values of its parts."""
    name = type(schedule).__name__
    if name == "Product":
        rates = sum(part.kind == "value" for part in schedule.parts)
        return math.prod(parts) * schedule.scale / (schedule.base if rates > 1 else 1) ** max(0, rates - 1)
    if name == "Clip":
        low = -math.inf if schedule.low is None else schedule.low
        return min(max(parts[0], low), math.inf if schedule.high is None else schedule.high)
    if name == "Towards":
        return schedule.rate + (schedule.base - schedule.rate) * parts[0]
    if name == "Warmup" and step < schedule.steps:
        return (schedule.start + (1 - schedule.start) * step / schedule.steps) * parts[0]
    return math.prod(parts) if parts else None  # those that hand on the value of one part


@settings(max_examples=150, deadline=None)
@given(deep, st.sampled_from(BASES), st.one_of(st.integers(0, 40), st.floats(0, 40)))
def test_explanation_makes_the_value_of_its_parts(pair, base, step):
    def check(schedule: Schedule, explained) -> None:
        found = list(schedule.parts_at(explained.step))
        assert len(found) == len(explained.parts)
        values = [inner.value for _, inner in explained.parts]
        made = remade(schedule, values, explained.step)
        if made is not None:
            assert made == pytest.approx(explained.value, **CLOSE)
        for (_, part, local), (_, inner) in zip(found, explained.parts, strict=True):
            assert inner.value == part(local)
            check(part, inner)

    own = bound(pair[0], base)
    explained = own.explain(step)
    assert explained.value == own(step)
    check(own, explained)


@settings(max_examples=200, deadline=None)
@given(deep, st.sampled_from(BASES), st.data())
def test_stretching_leaves_the_past_and_moves_the_end(pair, base, data):
    schedule = pair[0]
    length = schedule.length
    assume(length)
    at = data.draw(st.integers(0, length - 1))
    total = data.draw(st.integers(at + 1, at + 40))
    longer = schedule.stretched(at, total)
    assert longer.length == total or longer.horizon is None
    assert bound(longer, base) == bound(bound(schedule, base).stretched(at, total), base)
    old, new = bound(schedule, base), bound(longer, base)
    for step in {0, at // 2, at}:
        assert new(step) == pytest.approx(old(step), **CLOSE)
    if schedule.end != "repeat" and schedule.horizon is not None:
        assert new(total) == pytest.approx(old(schedule.horizon), **CLOSE)
        assert longer.horizon == total
    further = data.draw(st.integers(at, total - 1))
    assume(longer.length is not None and further < longer.length)
    assert bound(longer.stretched(further, total + 5), base)(further) == pytest.approx(new(further), **CLOSE)


def test_depth_is_no_matter():
    schedule: Schedule = Cosine(50)
    for number in range(20):
        schedule = (schedule * 0.99).clip(0.0, 2.0).with_warmup(1, 0.5).then(Linear(9, 0.1), at=60 + number)
    assert schedule.for_base(0.3)(np.arange(90)).tolist() == pytest.approx(
        [schedule.for_base(0.3)(step) for step in range(90)], **CLOSE
    )
    assert schedule.stretched(5, 500)(np.arange(79)).tolist() == schedule(np.arange(79)).tolist()
    assert schedule.stretched(5, 500).horizon == 500
    assert Schedule.from_config(schedule.to_config()) == schedule
