"""OneCycleLR: rates, momenta, phases, and the state of older versions."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytestmark = pytest.mark.parity


def trace(kit, scheduler, count):
    """Rates and momenta of `count` steps, two arrays (count, groups)."""
    rates, momenta = [], []
    for number in range(count):
        groups = scheduler.optimizer.param_groups
        rates.append(kit.rates(scheduler.optimizer))
        momenta.append([g["betas"][0] if "betas" in g else g["momentum"] for g in groups])
        if number < count - 1:
            kit.advance(scheduler)
    return np.array(rates), np.array(momenta)


def straight(start, end, part):
    return start + (end - start) * part


def along_a_cosine(start, end, part):
    return end + (start - end) * (1 + math.cos(math.pi * part)) / 2


ANNEAL = {"linear": straight, "cos": along_a_cosine}


@pytest.mark.parametrize("strategy", ["linear", "cos"])
def test_two_phases(kit, strategy):
    scheduler = kit.OneCycleLR(
        kit.optimizer(0.05),
        max_lr=10.0,
        total_steps=11,
        pct_start=5 / 11,
        anneal_strategy=strategy,
        base_momentum=0.5,
        max_momentum=0.9,
        div_factor=10,
        final_div_factor=4,
    )
    anneal = ANNEAL[strategy]
    up, down = [t / 4 for t in range(4)], [t / 6 for t in range(7)]
    rates, momenta = trace(kit, scheduler, 11)
    kit.close(rates[:, 0], [*(anneal(1, 10, x) for x in up), *(anneal(10, 0.25, x) for x in down)])
    kit.close(momenta[:, 0], [*(anneal(0.9, 0.5, x) for x in up), *(anneal(0.5, 0.9, x) for x in down)])


@pytest.mark.parametrize("strategy", ["linear", "cos"])
def test_three_phases(kit, strategy):
    scheduler = kit.OneCycleLR(
        kit.optimizer(0.05),
        max_lr=10.0,
        total_steps=12,
        pct_start=1 / 3,
        anneal_strategy=strategy,
        base_momentum=0.5,
        max_momentum=0.9,
        div_factor=10,
        final_div_factor=4,
        three_phase=True,
    )
    anneal, phase = ANNEAL[strategy], [t / 3 for t in range(3)]
    last = [t / 5 for t in range(6)]
    rates, momenta = trace(kit, scheduler, 12)
    expected = [*(anneal(1, 10, x) for x in phase), *(anneal(10, 1, x) for x in phase)]
    kit.close(rates[:, 0], [*expected, *(anneal(1, 0.25, x) for x in last)])
    expected = [*(anneal(0.9, 0.5, x) for x in phase), *(anneal(0.5, 0.9, x) for x in phase)]
    kit.close(momenta[:, 0], [*expected, *[0.9] * 6])


def test_defaults(kit):
    """0.04 at the start, 1 at the peak, 4e-6 at the end; the peak lies between two steps."""
    scheduler = kit.OneCycleLR(kit.optimizer(0.05), 1.0, 25)
    rates, momenta = trace(kit, scheduler, 25)
    kit.close(rates[[0, -1], 0], [0.04, 4e-6])
    kit.close(momenta[[0, -1], 0], [0.95, 0.95])
    kit.close(rates[6, 0], along_a_cosine(0.04, 1, 6 / 6.5))
    kit.close(rates[7, 0], along_a_cosine(1, 4e-6, 0.5 / 17.5))
    kit.close(momenta[7, 0], along_a_cosine(0.85, 0.95, 0.5 / 17.5))


def test_steps_from_epochs(kit):
    scheduler = kit.OneCycleLR(kit.optimizer(0.05), 1.0, epochs=5, steps_per_epoch=4)
    assert scheduler.total_steps == 20
    rates, _ = trace(kit, scheduler, 20)
    kit.close(rates[[0, 5, -1], 0], [0.04, 1, 4e-6])


def test_total_steps_comes_before_epochs(kit):
    assert kit.OneCycleLR(kit.optimizer(0.05), 1.0, 7, epochs=5, steps_per_epoch=4).total_steps == 7


def test_rates_and_momenta_for_each_group(kit):
    optimizer = kit.optimizer(0.05, 0.5)
    scheduler = kit.OneCycleLR(
        optimizer,
        max_lr=[10.0, 20.0],
        total_steps=5,
        pct_start=0.6,
        anneal_strategy="linear",
        base_momentum=[0.1, 0.2],
        max_momentum=[0.5, 0.8],
        div_factor=2,
        final_div_factor=5,
    )
    rates, momenta = trace(kit, scheduler, 5)
    kit.close(rates, [[5, 10], [7.5, 15], [10, 20], [5.5, 11], [1, 2]])
    kit.close(momenta, [[0.5, 0.8], [0.3, 0.5], [0.1, 0.2], [0.3, 0.5], [0.5, 0.8]])


def test_groups_hold_the_corners(kit):
    optimizer = kit.optimizer(0.05)
    kit.OneCycleLR(optimizer, 1.0, 20, div_factor=10, final_div_factor=100)
    group = optimizer.param_groups[0]
    kit.close([group["initial_lr"], group["max_lr"], group["min_lr"]], [0.1, 1.0, 0.001])
    assert (group["base_momentum"], group["max_momentum"]) == (0.85, 0.95)


def test_without_momentum(kit):
    optimizer = kit.optimizer(0.05)
    scheduler = kit.OneCycleLR(optimizer, 1.0, 8, cycle_momentum=False)
    _, momenta = trace(kit, scheduler, 8)
    assert set(momenta[:, 0]) == {0.9}
    assert "max_momentum" not in optimizer.param_groups[0]


def test_first_beta_of_adam_is_its_momentum(kit):
    optimizer = kit.optimizer(0.05, kind="Adam", betas=(0.7, 0.99))
    scheduler = kit.OneCycleLR(optimizer, 1.0, 5, pct_start=0.6, anneal_strategy="linear")
    assert scheduler.use_beta1
    _, momenta = trace(kit, scheduler, 5)
    kit.close(momenta[:, 0], [0.95, 0.9, 0.85, 0.9, 0.95])
    assert optimizer.param_groups[0]["betas"][1] == 0.99


def test_one_step_too_many_is_allowed_and_two_are_not(kit):
    scheduler = kit.OneCycleLR(kit.optimizer(0.05), 1.0, 3)
    for _ in range(3):
        kit.advance(scheduler)
    scheduler.optimizer.step()
    with pytest.raises(ValueError, match=r"Tried to step 4 times.*total steps is 3"):
        scheduler.step()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "total_steps"),
        ({"epochs": 3}, "total_steps"),
        ({"steps_per_epoch": 3}, "total_steps"),
        ({"total_steps": 0}, "total_steps"),
        ({"total_steps": -3}, "total_steps"),
        ({"total_steps": 3.5}, "total_steps"),
        ({"epochs": 0, "steps_per_epoch": 4}, "epochs"),
        ({"epochs": 4, "steps_per_epoch": 0}, "steps_per_epoch"),
        ({"epochs": 1.5, "steps_per_epoch": 4}, "epochs"),
        ({"total_steps": 9, "pct_start": 1.1}, "pct_start"),
        ({"total_steps": 9, "pct_start": -0.1}, "pct_start"),
        ({"total_steps": 9, "anneal_strategy": "steps"}, "anneal_strategy"),
        ({"total_steps": 9, "max_momentum": [0.1, 0.2]}, "max_momentum"),
        ({"total_steps": 9, "max_lr": [0.1, 0.2]}, "max_lr"),
    ],
)
def test_refuses(kit, arguments, message):
    with pytest.raises(ValueError, match=message):
        kit.OneCycleLR(kit.optimizer(0.05), **{"max_lr": 1.0, **arguments})


def test_optimizer_without_momentum_is_refused(kit):
    optimizer = kit.optimizer(0.05)
    del optimizer.defaults["momentum"], optimizer.param_groups[0]["momentum"]
    with pytest.raises(ValueError, match="optimizer must support momentum or beta1 with `cycle_momentum`"):
        kit.OneCycleLR(optimizer, 1.0, 9)
    kit.OneCycleLR(optimizer, 1.0, 9, cycle_momentum=False)


def test_what_is_no_optimizer_is_refused(kit):
    with pytest.raises(TypeError, match="object is not an Optimizer"):
        kit.OneCycleLR(object(), 1.0, 9)


@pytest.mark.parametrize("strategy", ["linear", "cos"])
def test_state_of_an_older_version_loads(kit, strategy):
    """It holds the function itself, where newer ones hold its name."""

    def build(strategy):
        return kit.OneCycleLR(kit.optimizer(0.05), 10.0, 9, anneal_strategy=strategy, final_div_factor=2)

    one = build(strategy)
    for _ in range(3):
        kit.advance(one)
    state = one.state_dict()
    assert state.pop("_anneal_func_type") == strategy
    functions = {"linear": kit.OneCycleLR._annealing_linear, "cos": kit.OneCycleLR._annealing_cos}
    state["anneal_func"] = functions[strategy]
    other = build(strategy)
    other.optimizer.load_state_dict(one.optimizer.state_dict())
    other.load_state_dict(state)
    for mine, theirs in zip(trace(kit, other, 6), trace(kit, one, 6), strict=True):
        kit.close(mine, theirs)


def test_anneals_are_functions_of_the_class(kit):
    for name, anneal in (("_annealing_linear", straight), ("_annealing_cos", along_a_cosine)):
        for part in (0, 0.25, 0.5, 1):
            kit.close(getattr(kit.OneCycleLR, name)(2.0, 5.0, part), anneal(2, 5, part))


def test_state_names_phases_and_strategy(kit):
    state = kit.OneCycleLR(kit.optimizer(0.05), 1.0, 10, anneal_strategy="linear").state_dict()
    assert (state["total_steps"], state["_anneal_func_type"], state["cycle_momentum"]) == (10, "linear", True)
    assert state["_schedule_phases"] == [
        {
            "end_step": 2.0,
            "start_lr": "initial_lr",
            "end_lr": "max_lr",
            "start_momentum": "max_momentum",
            "end_momentum": "base_momentum",
        },
        {
            "end_step": 9,
            "start_lr": "max_lr",
            "end_lr": "min_lr",
            "start_momentum": "base_momentum",
            "end_momentum": "max_momentum",
        },
    ]


def test_both_states_go_on_where_they_were(kit):
    def build():
        return kit.OneCycleLR(kit.optimizer(0.05, 0.5), [5.0, 10.0], 12, three_phase=True)

    one = build()
    for _ in range(5):
        kit.advance(one)
    other = build()
    other.optimizer.load_state_dict(one.optimizer.state_dict())
    other.load_state_dict(one.state_dict())
    for mine, theirs in zip(trace(kit, other, 7), trace(kit, one, 7), strict=True):
        kit.close(mine, theirs)
