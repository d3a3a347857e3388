"""The rates of every scheduler, alone on an optimizer with two parameter groups."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.parity

RATES = (0.05, 0.5)
STEPS = 21


def test_rates_of_two_groups(kit, case):
    scheduler = case.make(kit, kit.optimizer(*RATES))
    expected = [[case.rate(step, base) for base in RATES] for step in range(STEPS)]
    kit.close(kit.trace(STEPS, scheduler), expected)


def test_rates_of_one_group(kit, closed_form):
    scheduler = closed_form.make(kit, kit.optimizer(0.05))
    kit.close(kit.trace(STEPS, scheduler), [[closed_form.rate(step, 0.05)] for step in range(STEPS)])


def test_construction_writes_the_first_rate_and_counts_one_step(kit, case):
    optimizer = kit.optimizer(*RATES)
    scheduler = case.make(kit, optimizer)
    kit.close(kit.rates(optimizer), [case.rate(0, base) for base in RATES])
    counts = case.name != "CosineAnnealingWarmRestarts"  # PyTorch does not count its steps
    assert (scheduler.last_epoch, scheduler._step_count if counts else 1) == (0, 1)
    kit.advance(scheduler)
    assert (scheduler.last_epoch, scheduler._step_count if counts else 2) == (1, 2)


def test_base_rates_are_the_initial_rates_of_the_groups(kit, closed_form):
    optimizer = kit.optimizer(*RATES)
    scheduler = closed_form.make(kit, optimizer)
    for _ in range(5):
        kit.advance(scheduler)
    assert scheduler.base_lrs == list(RATES)
    assert [group["initial_lr"] for group in optimizer.param_groups] == list(RATES)


def test_second_scheduler_starts_from_the_initial_rate_of_the_first(kit):
    optimizer = kit.optimizer(*RATES)
    kit.ConstantLR(optimizer, factor=0.5)
    assert kit.rates(optimizer) == [0.025, 0.25]
    second = kit.LambdaLR(optimizer, lambda step: 1.0)
    assert second.base_lrs == list(RATES)
    assert kit.rates(optimizer) == list(RATES)


def test_closed_form_is_where_stepping_arrives(kit, closed_form):
    stepped = closed_form.make(kit, kit.optimizer(*RATES))
    jumping = closed_form.make(kit, kit.optimizer(*RATES))
    for step in range(1, STEPS):
        kit.advance(stepped)
        with pytest.warns(UserWarning, match="epoch"):
            _jump(jumping, step)
        kit.close(kit.rates(stepped.optimizer), kit.rates(jumping.optimizer))
        kit.close(stepped.get_last_lr(), jumping.get_last_lr())


def _jump(scheduler, step):
    scheduler.optimizer.step()
    scheduler.step(step)


def test_private_closed_form_is_there_and_agrees(kit, closed_form):
    scheduler = closed_form.make(kit, kit.optimizer(*RATES))
    for step in range(STEPS):
        kit.close(scheduler._get_closed_form_lr(), [closed_form.rate(step, base) for base in RATES])
        kit.advance(scheduler)


def test_only_seven_classes_have_the_private_closed_form(kit, any_case):
    seven = [
        "StepLR",
        "MultiStepLR",
        "ConstantLR",
        "LinearLR",
        "ExponentialLR",
        "PolynomialLR",
        "CosineAnnealingLR",
    ]
    assert hasattr(getattr(kit, any_case.name), "_get_closed_form_lr") == (any_case.name in seven)


def test_cosine_climbs_back_after_its_half_period(kit):
    scheduler = kit.CosineAnnealingLR(kit.optimizer(1.0), T_max=4, eta_min=0.2)
    expected = [1, 0.8828427124746190, 0.6, 0.3171572875253810, 0.2]
    kit.close(
        kit.trace(17, scheduler)[:, 0], [*expected, *expected[-2::-1], *expected[1:], *expected[-2::-1]]
    )


@pytest.mark.parametrize(
    ("name", "arguments", "after"),
    [("PolynomialLR", (4, 2.0), 0.0), ("LinearLR", (0.5, 0.25, 4), 0.125), ("ConstantLR", (0.5, 4), 0.5)],
)
def test_others_stay_at_their_end(kit, name, arguments, after):
    scheduler = getattr(kit, name)(kit.optimizer(0.5), *arguments)
    kit.close(kit.trace(9, scheduler)[4:, 0], [after] * 5)


def test_change_by_the_user_is_carried_on(kit):
    optimizer = kit.optimizer(0.4)
    scheduler = kit.StepLR(optimizer, step_size=2, gamma=0.5)
    kit.advance(scheduler)
    optimizer.param_groups[0]["lr"] = 1.0
    kit.advance(scheduler)
    assert kit.rates(optimizer) == [0.5]
    for _ in range(2):
        kit.advance(scheduler)
    assert kit.rates(optimizer) == [0.25]


def test_change_by_the_user_is_overwritten_by_an_absolute_schedule(kit):
    optimizer = kit.optimizer(0.4)
    scheduler = kit.LambdaLR(optimizer, lambda step: 1 / (1 + step))
    optimizer.param_groups[0]["lr"] = 100.0
    kit.advance(scheduler)
    assert kit.rates(optimizer) == [0.2]


def test_cosine_carries_on_the_distance_from_its_minimum(kit):
    optimizer = kit.optimizer(1.0)
    scheduler = kit.CosineAnnealingLR(optimizer, T_max=4, eta_min=0.2)
    for _ in range(2):
        kit.advance(scheduler)
    kit.close(kit.rates(optimizer), [0.6])
    optimizer.param_groups[0]["lr"] = 0.4  # half the distance
    kit.advance(scheduler)
    kit.close(kit.rates(optimizer), [0.2 + 0.5 * (0.3171572875253810 - 0.2)])


def test_multiplicative_asks_for_no_factor_when_it_is_made(kit):
    calls = []

    def factor(step):
        calls.append(step)
        return 0.5

    scheduler = kit.MultiplicativeLR(kit.optimizer(0.4), factor)
    assert calls == []
    assert kit.rates(scheduler.optimizer) == [0.4]
    kit.advance(scheduler)
    kit.advance(scheduler)
    assert calls == [1, 2]
    assert kit.rates(scheduler.optimizer) == [0.1]


def test_multiplicative_takes_a_function_that_could_not_be_called(kit):
    kit.MultiplicativeLR(kit.optimizer(0.4), lr_lambda=lambda: 0.95)


@pytest.mark.parametrize("cycles", [1, 3])
def test_lambdas_may_read_the_step_as_an_int(kit, cycles):
    table = [1.0, 0.5, 0.25]
    scheduler = kit.LambdaLR(kit.optimizer(0.4), lambda step: table[step % 3])
    expected = [0.4, 0.2, 0.1] * cycles
    assert kit.trace(3 * cycles, scheduler)[:, 0].tolist() == expected
