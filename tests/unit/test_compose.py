"""Compositions: carrying, rates among factors, end policies, texts, errors; the wrappers of the plugin."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from genesis.optim import (
    WSD,
    Constant,
    Cosine,
    Cycles,
    Exponential,
    Linear,
    Noise,
    Schedule,
    Skip,
)
from genesis.optim._compose import Joined


@dataclass(frozen=True, repr=False)
class Floored(Schedule):
    """Factors that depend on the base rate: an absolute floor."""

    floor: float
    base: float = 1.0

    def at(self, step: float) -> float:
        return max(0.5**step, self.floor / self.base)

    def for_base(self, base: float) -> Schedule:
        return replace(self, base=base)


def rates(schedule: Schedule, base: float, steps: int = 8) -> list[float]:
    own = schedule.for_base(base)
    values = [own(step) for step in range(steps)]
    assert own(np.arange(steps)).tolist() == pytest.approx(values, rel=1e-15)  # numpy's powers round by 1e-16
    return values if own.kind == "value" else [base * value for value in values]


# parts that carry on


def test_carried_factors_multiply():
    schedule = Joined((Constant(0.5), Exponential(0.5), Constant(0.5)), (2, 4), (True, True))
    assert rates(schedule, 1.0, 6) == [0.5, 0.5, 0.5, 0.25, 0.125, 0.125]


def test_carried_part_towards_a_rate_starts_from_all_that_was_carried_before():
    schedule = Joined((Constant(0.5), Exponential(0.5), Linear(2).towards(0.0)), (1, 3), (True, True))
    # 1 -> 0.5; carried: 0.5, 0.25; carried: a line from 0.25 to 0
    assert rates(schedule, 1.0, 6) == [0.5, 0.5, 0.25, 0.25, 0.125, 0.0]
    assert rates(schedule, 2.0, 6) == [1.0, 1.0, 0.5, 0.5, 0.25, 0.0]


def test_factor_carries_on_from_a_rate():
    schedule = Joined((Constant(0.3, kind="value"), Exponential(0.5)), (2,), (True,))
    assert rates(schedule, 2.0, 5) == [0.3, 0.3, 0.3, 0.15, 0.075]


def test_factor_carried_from_a_factor_stays_carried_where_a_rate_follows():
    schedule = Joined((Constant(0.5), Constant(1.0), Constant(0.01, kind="value")), (2, 4), (True, False))
    assert rates(schedule, 2.0, 6) == [1.0, 1.0, 1.0, 1.0, 0.01, 0.01]


def test_carried_part_goes_on_from_the_last_part_that_had_a_step():
    schedule = Joined((Exponential(0.5), Constant(7.0), Constant(1.0)), (3, 3), (False, True))
    assert rates(schedule, 1.0, 5) == [1.0, 0.5, 0.25, 0.25, 0.25]


def test_carried_part_without_a_step_before_starts_from_the_base():
    schedule = Joined((Constant(0.5), Exponential(0.5)), (0,), (True,))
    assert rates(schedule, 2.0, 3) == [2.0, 1.0, 0.5]


def test_absolute_floor_of_a_carried_part_is_that_of_the_rate_it_carries_on_from():
    schedule = Joined((Constant(0.5), Floored(0.1)), (1,), (True,))
    assert rates(schedule, 2.0, 6) == [1.0, 1.0, 0.5, 0.25, 0.125, pytest.approx(0.1, rel=1e-15)]


def test_explanation_shows_what_is_carried():
    schedule = Joined((Constant(0.5), Exponential(0.5)), (2,), (True,))
    explained = schedule.explain(3)
    assert [value.value for _, value in explained.parts] == [0.5, 0.5]
    assert explained.value == 0.25
    assert explained.parts[1][0] == "times the end of part 1"


# floors and rates for each group


@pytest.mark.parametrize("base", [0.5, 2.0])
def test_floor_of_each_group_at_any_depth(base):
    schedule = ((Floored(0.1) * 1.0).with_warmup(1).clip(high=0.9) * Constant(1.0)).then(Constant(1.0), at=9)
    expected = [0.0, *(base * min(max(0.5**t, 0.1 / base), 0.9) for t in range(7))]
    assert rates(schedule, base) == pytest.approx(expected, rel=1e-15)  # sums in another order


def test_product_of_rates_is_bound_once():
    product = Constant(0.2, kind="value") * Constant(0.5, kind="value")
    own = product.for_base(0.1)
    assert own(0) == pytest.approx(1.0, rel=1e-15)
    assert own.for_base(7.0) == own
    assert rates(product, 0.0, 1) == [0.0]


def test_values_that_depend_on_the_base_say_so():
    schedule = (Cosine(4).towards(0.1) * Constant(1.0)).clip(low=0.0)
    for ask in (lambda: schedule(1), lambda: schedule(np.arange(3)), schedule.compiled):
        with pytest.raises(ValueError, match=r"depend on the base rate of the group; ask \.for_base"):
            ask()


# end policies


@pytest.mark.parametrize(
    ("schedule", "last"),
    [
        (Linear(3, end="raise").with_warmup(2), 5),
        (Linear(3, end="raise") * Constant(1.0), 3),
        (Constant(1.0).then(Linear(3, end="raise"), at=4).clip(low=0.0), 7),
        (Linear(3, end="raise").towards(0.1).for_base(1.0), 3),
        (replace(Linear(3).with_warmup(2), end="raise"), 5),
        (Skip(Linear(3, end="raise"), 1), 2),
        (Noise(Linear(3, end="raise")), 3),
        (Noise(Linear(3, end="raise") * 0.5, last=2), 3),
        (Skip(Constant(1.0).then(Linear(3, end="raise"), at=2), 2), 3),
    ],
)
def test_end_policy_raise_of_a_part_or_the_whole(schedule, last):
    function = schedule.compiled()
    assert function(last) == schedule(last) == schedule(np.arange(last + 1))[-1]
    for ask in (
        lambda: schedule(last + 1),
        lambda: schedule(np.arange(last + 2)),
        lambda: function(last + 1),
    ):
        with pytest.raises(ValueError, match="lies past the end"):
            ask()


def test_join_of_a_part_that_raises_asks_it_no_further_than_it_goes():
    schedule = Linear(4, end="raise").then(Constant(0.5))
    assert schedule(np.arange(6)).tolist() == [1.0, 0.75, 0.5, 0.25, 0.5, 0.5]


def test_repetition_of_a_schedule_that_repeats_ends_at_its_end():
    schedule = Linear(2, end="repeat").repeat(2)
    assert schedule(np.arange(6)).tolist() == [1.0, 0.5, 1.0, 0.5, 0.0, 0.0]
    assert [schedule(step) for step in range(6)] == [1.0, 0.5, 1.0, 0.5, 0.0, 0.0]
    assert schedule.explain(9).parts[0][1].value == 0.0


# lengths


def test_length_of_a_product_is_that_of_what_ends():
    from genesis.optim import CosineWave

    assert (Cosine(5) * Linear(9) * CosineWave(100)).length == 9
    assert (CosineWave(4) * Exponential(0.9)).length == 4
    assert (Exponential(0.9) * 0.5).length is None


def test_lengths_of_deep_nesting_are_found_at_once():
    schedule: Schedule = Cosine(5)
    for _ in range(60):  # asking each part twice would take 2**60 questions
        schedule = (schedule.with_warmup(1) * Constant(1.0)).clip(high=1.0)
    assert schedule.length == 65


# texts


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        (Linear(3).then(Cosine(9)) * 0.5, "Linear(steps=3).then(Cosine(steps=9), at=3) * 0.5"),
        ((Linear(3) * Cosine(9)).clip(low=0.1), "(Linear(steps=3) * Cosine(steps=9)).clip(low=0.1)"),
        (Cosine(9).with_warmup(2, start=0.5, overlap=True), None),
        (Cosine(9).clip_rate(0.1, 0.2).repeat(3), "Cosine(steps=9).clip_rate(low=0.1, high=0.2).repeat(3)"),
        (replace(Linear(2).then(Cosine(3)), end="repeat"), None),
        (Cosine(9).towards(0.1).with_warmup(3), "Cosine(steps=9).towards(0.1).with_warmup(3)"),
    ],
)
def test_text_is_the_expression_that_makes_it(schedule, text):
    from dataclasses import replace  # noqa: F401 (the texts name it)

    assert text is None or repr(schedule) == text
    assert eval(repr(schedule)) == schedule


def test_text_of_bound_compositions_shows_the_base():
    assert repr(Cosine(9).towards(0.1).for_base(2.0)) == "Cosine(steps=9).towards(0.1 from 2.0)"
    rate = Constant(1.0, kind="value")
    assert repr((rate * rate).for_base(2.0)).endswith(" / 2.0")


# errors


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Cosine(3) * "2", TypeError, "must be a finite number, got str"),
        (lambda: Cosine(3) * True, TypeError, "must be a finite number, got bool"),
        (lambda: Cosine(3) * float("inf"), ValueError, "must be a finite number, got inf"),
        (lambda: Cosine(3) * 10**400, ValueError, "too large"),
        (lambda: Cosine(3).then("x", at=1), TypeError, "schedules compose with schedules; got str"),
        (lambda: Exponential(0.9).then(Cosine(3)), ValueError, "has no end; say at which step"),
        (lambda: Cosine(3, end="repeat").then(Cosine(3)), ValueError, "has no end"),
        (lambda: Cosine(3).then(Cosine(3), at=-1), ValueError, "at must be 0 or more"),
        (lambda: Cosine(3).then(Cosine(3), at=2.5), TypeError, "at must be an int"),
        (lambda: Cosine(3).then(Cosine(3), at=2**60), ValueError, "at must be at most"),
        (lambda: Cosine(3).clip(), ValueError, "needs a bound"),
        (lambda: Cosine(3).clip(0.5, 0.1), ValueError, "low <= high"),
        (lambda: Exponential(0.9).repeat(), ValueError, "only a schedule that ends"),
        (lambda: Linear(0).repeat(), ValueError, "has horizon=0"),
        (lambda: Linear(3).repeat(0), ValueError, "times must be 1 or more"),
        (lambda: Linear(3).with_warmup(-1), ValueError, "must be 0 or more"),
        (lambda: Linear(3).with_warmup(2, overlap=1), TypeError, "overlap must be True or False"),
        (lambda: Linear(3, kind="value").towards(0.1), ValueError, "is for schedules of factors"),
        (lambda: Linear(3).clip_rate(0.1).towards(0.1), ValueError, "for schedules of factors"),
        (lambda: Linear(3).then(Constant(kind="value")).towards(0.1), ValueError, "for schedules of factors"),
        (lambda: Joined((), ()), ValueError, "at least one schedule"),
        (lambda: Joined((Linear(3), Linear(3)), (5, 6)), ValueError, "need 1 milestones"),
        (lambda: Joined((Linear(3),) * 3, (5, 4)), ValueError, "milestones must rise"),
        (lambda: Joined((Linear(3),) * 2, (5,), (True, True)), ValueError, "carry has one for each"),
        (lambda: Joined((Linear(3),) * 2, (5,), "y"), TypeError, "carry must be a list"),
        (lambda: Joined(5, ()), TypeError, "parts of a composition must be a list"),
    ],
)
def test_wrong_compositions_are_refused_with_the_reason(make, error, message):
    with pytest.raises(error, match=message):
        make()


# the wrappers of the plugin


@pytest.mark.parametrize(
    "wrap",
    [
        lambda part: Cycles(part, mul=2, decay=0.5, limit=2),
        lambda part: Noise(part, first=2, std=0.1),
        lambda part: Skip(part, 2),
    ],
    ids=["Cycles", "Noise", "Skip"],
)
def test_wrappers_bind_compose_explain_and_configure(wrap):
    inner = wrap(Cosine(6).towards(0.01))
    schedule = (inner.with_warmup(3) * Constant(0.5)).clip_rate(high=0.4)
    assert Schedule.from_config(schedule.to_config()) == schedule
    with pytest.raises(ValueError, match="depend on the base rate"):
        inner(np.arange(3))
    for base in (0.1, 2.0):
        part, own = wrap(Cosine(6).towards(0.01).for_base(base)), schedule.for_base(base)
        assert inner.for_base(base) == part
        assert (part.kind, own.kind) == ("value", "value")
        for step in (0, 1, 3, 4, 7.5):
            expected = min(0.5 * part(max(0, step - 3)) * min(1.0, step / 3), 0.4)
            assert own(step) == pytest.approx(expected, rel=1e-15)  # two products in another order
            assert own(np.array([step]))[0] == pytest.approx(own(step), rel=1e-14)  # numpy's cosine
        (_, shown), *_ = part.explain(3).parts
        assert shown.schedule == repr(part.part)


def test_plateau_may_follow_a_composition():
    schedule = WSD(20, 4, warmup_steps=2, stable=Constant(1.0).then(Constant(0.5), at=6))
    assert [schedule(step) for step in (1, 4, 9, 20)] == [0.5, 1.0, 0.5, 0.0]
    assert Schedule.from_config(schedule.to_config()) == schedule
