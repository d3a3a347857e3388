"""SequentialLR and ChainedScheduler."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.parity

RATES = (0.05, 0.5)


# one after the other


def test_constant_then_exponential(kit):
    optimizer = kit.optimizer(*RATES)
    parts = [kit.ConstantLR(optimizer, 0.1, 2), kit.ExponentialLR(optimizer, 0.9)]
    scheduler = kit.SequentialLR(optimizer, parts, milestones=[5])
    factors = [0.1, 0.1, 1, 1, 1, *(0.9**t for t in range(10))]
    kit.close(kit.trace(15, scheduler), [[base * f for base in RATES] for f in factors])


def test_exponential_then_stairs(kit):
    optimizer = kit.optimizer(1.0)
    parts = [kit.ExponentialLR(optimizer, 0.5), kit.StepLR(optimizer, 2, 0.1)]
    scheduler = kit.SequentialLR(optimizer, parts, milestones=[3])
    kit.close(kit.trace(8, scheduler)[:, 0], [1, 0.5, 0.25, 1, 1, 0.1, 0.1, 0.01])


def test_three_in_a_row(kit):
    optimizer = kit.optimizer(*RATES)
    parts = [
        kit.ConstantLR(optimizer, 0.1, 2),
        kit.ExponentialLR(optimizer, 0.9),
        kit.StepLR(optimizer, 2, 0.1),
    ]
    scheduler = kit.SequentialLR(optimizer, parts, milestones=[3, 6])
    factors = [0.1, 0.1, 1, 1, 0.9, 0.81, 1, 1, 0.1, 0.1, 0.01]
    kit.close(kit.trace(11, scheduler), [[base * f for base in RATES] for f in factors])


def test_warmup_then_cosine(kit):
    optimizer = kit.optimizer(1.0)
    parts = [kit.LinearLR(optimizer, 0.25, 1.0, 3), kit.CosineAnnealingLR(optimizer, 4)]
    scheduler = kit.SequentialLR(optimizer, parts, milestones=[3])
    cosine = [1, 0.8535533905932737, 0.5, 0.1464466094067262, 0]
    kit.close(kit.trace(8, scheduler)[:, 0], [0.25, 0.5, 0.75, *cosine])


def test_multiplicative_and_polynomial_start_at_the_initial_rate(kit):
    optimizer = kit.optimizer(1.0)
    parts = [kit.LambdaLR(optimizer, lambda step: 0.5), kit.PolynomialLR(optimizer, 4)]
    scheduler = kit.SequentialLR(optimizer, parts, milestones=[2])
    assert kit.rates(optimizer) == [0.5]
    rates = kit.trace(3, scheduler)[:, 0]
    kit.close(rates[:2], [0.5, 0.5])


def test_first_of_the_parts_sets_the_first_rate(kit):
    optimizer = kit.optimizer(1.0)
    parts = [kit.ConstantLR(optimizer, 0.5), kit.ConstantLR(optimizer, 0.25), kit.StepLR(optimizer, 3)]
    assert kit.rates(optimizer) == [0.125]
    kit.SequentialLR(optimizer, parts, milestones=[2, 4])
    assert kit.rates(optimizer) == [0.5]
    assert optimizer.param_groups[0]["initial_lr"] == 1.0


def test_with_a_chain_as_the_first_part(kit):
    optimizer = kit.optimizer(1.0)
    chain = kit.ChainedScheduler(
        [kit.LinearLR(optimizer, 0.2, 1.0, 4), kit.ConstantLR(optimizer, 0.5, 4)],
    )
    optimizer.step()
    parts = [chain, kit.ConstantLR(optimizer, 0.25, 4)]
    scheduler = kit.SequentialLR(optimizer, parts, milestones=[4])
    kit.close(kit.trace(9, scheduler)[:, 0], [0.1, 0.2, 0.3, 0.4, 0.25, 0.25, 0.25, 0.25, 1])


@pytest.mark.parametrize("count", [2, 3])
def test_warns_of_nothing_in_the_right_order(kit, count):
    optimizer = kit.optimizer(1.0)
    parts = [kit.ExponentialLR(optimizer, 0.9) for _ in range(count)]
    scheduler = kit.SequentialLR(optimizer, parts, milestones=[2, 4][: count - 1])
    for _ in range(8):
        kit.advance(scheduler)


def test_counts_its_own_steps(kit):
    optimizer = kit.optimizer(1.0)
    parts = [kit.ExponentialLR(optimizer, 0.9), kit.StepLR(optimizer, 2)]
    scheduler = kit.SequentialLR(optimizer, parts, milestones=[2])
    assert scheduler.last_epoch == 0
    for _ in range(3):
        kit.advance(scheduler)
    assert scheduler.last_epoch == 3
    assert [part.last_epoch for part in scheduler._schedulers] == [1, 1]
    assert scheduler._milestones == [2]


def test_parts_stay_reachable(kit):
    optimizer = kit.optimizer(1.0)
    parts = [kit.ExponentialLR(optimizer, 0.9), kit.StepLR(optimizer, 2)]
    for scheduler in (kit.SequentialLR(optimizer, parts, milestones=[2]), kit.ChainedScheduler(parts)):
        assert [id(part) for part in scheduler._schedulers] == [id(part) for part in parts]
        assert scheduler.optimizer is optimizer


# all at once


def test_stairs_alone_in_a_chain(kit):
    scheduler = kit.ChainedScheduler([kit.StepLR(kit.optimizer(*RATES), 3, 0.1)])
    kit.close(kit.trace(9, scheduler), [[base * 0.1 ** (t // 3) for base in RATES] for t in range(9)])


def test_products_of_chains(kit, one, other):
    optimizer = kit.optimizer(*RATES)
    scheduler = kit.ChainedScheduler([one.make(kit, optimizer), other.make(kit, optimizer)])
    expected = [[one.rate(t, base) * other.rate(t, base) / base for base in RATES] for t in range(12)]
    kit.close(kit.trace(12, scheduler), expected)


def test_chain_of_four(kit):
    optimizer = kit.optimizer(*RATES)
    parts = [
        kit.ConstantLR(optimizer, 0.4, 2),
        kit.LinearLR(optimizer, 0.5, 1.0, 3),
        kit.MultiStepLR(optimizer, [4, 8], 0.1),
        kit.ExponentialLR(optimizer, 0.9),
    ]
    constant = [0.4, 0.4, *[1] * 8]
    linear = [0.5, 2 / 3, 5 / 6, *[1] * 7]
    stairs = [*[1] * 4, *[0.1] * 4, *[0.01] * 2]
    factors = [a * b * c * 0.9**t for t, (a, b, c) in enumerate(zip(constant, linear, stairs, strict=True))]
    scheduler = kit.ChainedScheduler(parts, optimizer=optimizer)
    kit.close(kit.trace(10, scheduler), [[base * f for base in RATES] for f in factors])
    assert scheduler.get_last_lr() == parts[-1].get_last_lr() == kit.rates(optimizer)


def test_chain_knows_its_rates_before_the_first_step(kit):
    optimizer = kit.optimizer(*RATES)
    parts = [kit.LinearLR(optimizer, 0.4, 1.0, 3), kit.ExponentialLR(optimizer, 0.9)]
    scheduler = kit.ChainedScheduler(parts)
    assert scheduler.get_last_lr() == parts[-1].get_last_lr()
    kit.close(scheduler.get_last_lr(), [0.02, 0.2])


def test_chain_of_one_that_carries_on_what_the_user_changes(kit):
    optimizer = kit.optimizer(1.0)
    scheduler = kit.ChainedScheduler([kit.ExponentialLR(optimizer, 0.5), kit.StepLR(optimizer, 2, 0.1)])
    kit.advance(scheduler)
    optimizer.param_groups[0]["lr"] = 2.0
    kit.advance(scheduler)
    kit.close(kit.rates(optimizer), [0.1])


# errors


@pytest.mark.parametrize("name", ["SequentialLR", "ChainedScheduler"])
def test_refuses_no_parts(kit, name):
    optimizer = kit.optimizer(1.0)
    with pytest.raises(ValueError, match="at least one scheduler"):
        kit.SequentialLR(optimizer, [], milestones=[]) if name == "SequentialLR" else kit.ChainedScheduler([])


def test_refuses_the_wrong_number_of_milestones(kit):
    optimizer = kit.optimizer(1.0)
    parts = [kit.StepLR(optimizer, 3), kit.ExponentialLR(optimizer, 0.9)]
    for milestones in ([], [1, 2]):
        with pytest.raises(ValueError, match="milestone"):
            kit.SequentialLR(optimizer, parts, milestones=milestones)


def test_refuses_parts_of_another_optimizer(kit):
    optimizer, another = kit.optimizer(1.0), kit.optimizer(1.0)
    parts = [kit.StepLR(optimizer, 3), kit.ExponentialLR(another, 0.9)]
    with pytest.raises(ValueError, match="optimizer"):
        kit.SequentialLR(optimizer, parts, milestones=[2])
    with pytest.raises(ValueError, match="optimizer"):
        kit.ChainedScheduler(parts)


def test_refuses_parts_that_are_no_schedulers(kit):
    optimizer = kit.optimizer(1.0)
    parts = [kit.StepLR(optimizer, 3), 0.5]
    with pytest.raises(TypeError):
        kit.SequentialLR(optimizer, parts, milestones=[2])
    with pytest.raises(TypeError):
        kit.ChainedScheduler(parts)


@pytest.mark.parametrize(
    "later",
    [
        lambda kit, optimizer: kit.MultiplicativeLR(optimizer, lambda step: 0.9 - 0.1 * (step % 2)),
        lambda kit, optimizer: kit.SWALR(optimizer, 0.02, anneal_epochs=4),
        lambda kit, optimizer: kit.SWALR(optimizer, [0.02, 0.01], anneal_epochs=3, anneal_strategy="linear"),
        lambda kit, optimizer: kit.SWALR(optimizer, 0.02, anneal_epochs=0),
    ],
    ids=["multiplicative", "cosine average", "linear average", "average at once"],
)
def test_later_parts_that_go_on_from_the_rate_before(torchs, ours, later):
    rates = []
    for kit in (torchs, ours):
        optimizer = kit.optimizer(*RATES)
        parts = [kit.CosineAnnealingLR(optimizer, 5, eta_min=0.001), later(kit, optimizer)]
        rates.append(kit.trace(12, kit.SequentialLR(optimizer, parts, milestones=[4])))
    ours.close(rates[1], rates[0])
