"""ParamScheduler: any schedule for any number of a parameter group."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

import genesis
from genesis import CheckpointError, nn, optim
from genesis.optim import Constant, Cosine, Exponential, FromFunction, Linear, ParamScheduler


def groups(*groups):
    return SimpleNamespace(param_groups=[dict(group) for group in groups])


def ours(name, **options):
    parameters = [[nn.Parameter(genesis.ones(2))] for _ in range(2)]
    return getattr(optim, name)(
        [{"params": parameters[0]}, {"params": parameters[1], "lr": 0.01}], lr=0.1, **options
    )


def column(optimizer, read):
    return [read(group) for group in optimizer.param_groups]


@pytest.mark.parametrize(
    ("name", "options", "param", "read"),
    [
        ("SGD", {}, "lr", lambda group: group["lr"]),
        ("SGD", {"momentum": 0.8}, "momentum", lambda group: group["momentum"]),
        ("AdamW", {"betas": (0.8, 0.99)}, "momentum", lambda group: group["betas"][0]),
        ("AdamW", {"weight_decay": 0.3}, "weight_decay", lambda group: group["weight_decay"]),
        ("AdamW", {"eps": 1e-3}, "eps", lambda group: group["eps"]),
    ],
)
def test_entry_follows_the_schedule(name, options, param, read):
    optimizer = ours(name, **options)
    bases = column(optimizer, read)
    scheduler = ParamScheduler(optimizer, Linear(4, 1.0, 0.0), param_name=param)
    for step in range(1, 6):
        optimizer.step()
        scheduler.step()
        expected = [base * max(0.0, 1 - step / 4) for base in bases]
        assert column(optimizer, read) == expected == scheduler.get_last_lr() == scheduler.value_at(step)
    if "betas" in options:
        assert [group["betas"][1] for group in optimizer.param_groups] == [0.99, 0.99]


@pytest.mark.parametrize("stop", [0, 1, 3, 6])
def test_rate_and_weight_decay_of_one_optimizer_go_on_from_their_states(stop):
    def build():
        optimizer = ours("AdamW", weight_decay=0.5)
        return (
            optimizer,
            ParamScheduler(optimizer, Cosine(6).towards(0.001).with_warmup(2)),
            ParamScheduler(
                optimizer, Constant(0.1, kind="value").then(Exponential(0.5), at=3), "weight_decay"
            ),
        )

    def go(optimizer, *schedulers, steps):
        rows = []
        for _ in range(steps):
            optimizer.step()
            for scheduler in schedulers:
                scheduler.step()
            rows.append(column(optimizer, lambda group: (group["lr"], group["weight_decay"])))
        return rows

    optimizer, *schedulers = build()
    go(optimizer, *schedulers, steps=stop)
    saved = optimizer.state_dict(), *(json.dumps(scheduler.state_dict()) for scheduler in schedulers)
    expected = go(optimizer, *schedulers, steps=8)
    assert expected[0] != expected[3]

    optimizer, *schedulers = build()
    optimizer.load_state_dict(saved[0])
    for scheduler, state in zip(schedulers, saved[1:], strict=True):
        scheduler.load_state_dict(json.loads(state))
    assert go(optimizer, *schedulers, steps=8) == expected


def test_a_schedule_for_each_group():
    optimizer = groups({"lr": 1.0}, {"lr": 0.1}, {"lr": 7.0})
    scheduler = ParamScheduler(
        optimizer, [Linear(2), Constant(0.5).towards(0.0), Constant(0.3, kind="value")]
    )
    assert scheduler.preview(3).tolist() == [[1.0, 0.05, 0.3], [0.5, 0.05, 0.3], [0.0, 0.05, 0.3]]
    optimizer.param_groups.append({"lr": 1.0})
    with pytest.raises(ValueError, match="expected 4 schedules, one for each parameter group"):
        scheduler.step()
    assert scheduler.last_epoch == 0
    assert [group["lr"] for group in optimizer.param_groups] == [1.0, 0.05, 0.3, 1.0]


def test_group_that_is_added_gets_the_schedule_given_for_all():
    optimizer = groups({"lr": 1.0, "weight_decay": 0.5})
    scheduler = ParamScheduler(optimizer, Exponential(0.5), "weight_decay")
    scheduler.step()
    optimizer.param_groups.append({"lr": 1.0, "weight_decay": 0.1})
    scheduler.step()
    assert column(optimizer, lambda group: group["weight_decay"]) == [0.125, 0.025]
    assert scheduler.preview(4)[3].tolist() == [0.0625, 0.0125]


def test_lr_scale_of_a_group_multiplies_its_values():
    optimizer = groups({"lr": 1.0, "lr_scale": 0.5}, {"lr": 1.0}, {"lr": 2.0, "lr_scale": 0.25})
    scheduler = ParamScheduler(optimizer, Linear(4).towards(0.2))
    scheduler.step()
    rows = [[0.5 * rate, rate, 0.25 * double] for rate, double in ((1.0, 2.0), (0.8, 1.55), (0.6, 1.1))]
    # sums and products in another order
    assert scheduler.preview(3) == pytest.approx(np.array(rows), rel=1e-15)
    assert [group["initial_lr"] for group in optimizer.param_groups] == [1.0, 1.0, 2.0]


def test_tensor_is_changed_in_place():
    rate = genesis.tensor(0.5)
    optimizer = groups({"lr": rate})
    ParamScheduler(optimizer, Linear(4)).step()
    assert optimizer.param_groups[0]["lr"] is rate
    assert rate.item() == 0.375


@pytest.mark.parametrize(
    ("param", "message"),
    [
        ("weight_dekay", r"param_groups\[0\] of SGD has no 'weight_dekay'; it has \["),
        ("momentun", "has no 'momentun'"),
        ("params", r"(?s)\['params'\] is .* a schedule drives an entry that is a number"),
        ("nesterov", "is False; a schedule drives an entry that is a number"),
    ],
)
def test_wrong_entry_is_refused(param, message):
    optimizer = ours("SGD")
    with pytest.raises(ValueError, match=message):
        ParamScheduler(optimizer, Linear(4), param)
    assert "initial_lr" not in optimizer.param_groups[0]


def test_two_betas_are_no_number():
    with pytest.raises(
        ValueError, match=r"\['betas'\] is \(0.9, 0.999\); a schedule drives an entry that is"
    ):
        ParamScheduler(ours("Adam"), Linear(4), "betas")


@pytest.mark.parametrize("schedule", [0.5, "Cosine", None, [0.5], lambda step: 1.0, "x"])
def test_what_is_no_schedule_is_refused(schedule):
    with pytest.raises(TypeError, match="expected a Schedule, got"):
        ParamScheduler(groups({"lr": 1.0}), schedule)


def test_entry_has_a_name():
    with pytest.raises(TypeError, match="param_name is the name of an entry such as 'lr', got int"):
        ParamScheduler(groups({"lr": 1.0}), Linear(3), 5)


@pytest.mark.parametrize("number", [0, 1, 3])
def test_list_of_another_length_is_refused(number):
    with pytest.raises(ValueError, match="expected 2 schedules, one for each parameter group"):
        ParamScheduler(groups({"lr": 1.0}, {"lr": 1.0}), [Linear(3)] * number)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"param_name": "weight_decay"}, "the state of 'weight_decay', not of 'lr'"),
        ({"schedules": []}, "has 0 schedules; expected 1"),
        ({"schedules": 5}, "has 5 schedules; expected 1"),
        ({"schedules": [{"type": "os:system"}]}, "no schedule is called 'os:system'"),
        ({"schedules": [{"type": "Cosine", "steps": -1}]}, "steps must be"),
        ({"base_lrs": [1.0, 2.0]}, "expected a list of 1 numbers"),
    ],
)
def test_foreign_state_is_refused_and_changes_nothing(change, message):
    scheduler = ParamScheduler(groups({"lr": 1.0}), Linear(4))
    scheduler.step()
    before = scheduler.state_dict()
    with pytest.raises(CheckpointError, match=message):
        scheduler.load_state_dict({**before, "last_epoch": 3, **change})
    assert scheduler.state_dict() == before
    assert scheduler.optimizer.param_groups[0]["lr"] == 0.75


def test_state_of_a_function_without_a_name_goes_on_with_the_given_one():
    def build():
        return ParamScheduler(groups({"lr": 1.0}), FromFunction(lambda step: 0.5**step) * Linear(8))

    first, second = build(), build()
    for _ in range(3):
        first.step()
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    second.step()
    assert second.get_last_lr() == first.value_at(4)


def test_state_of_another_schedule_is_gone_on_with_and_told(caplog):
    first = ParamScheduler(groups({"lr": 1.0}), Linear(4))
    first.step()
    second = ParamScheduler(groups({"lr": 1.0}), Linear(8))
    second.load_state_dict(first.state_dict())
    assert "the saved state goes on with Linear(steps=4)" in caplog.text
    assert second.preview(5).tolist() == first.preview(5).tolist()


def test_configuration_keeps_the_entry():
    scheduler = ParamScheduler(ours("SGD", momentum=0.9), [Linear(4), Constant(0.5)], "momentum")
    twin = ParamScheduler.from_config(scheduler.to_config(), ours("SGD", momentum=0.9))
    assert twin.param_name == "momentum"
    assert twin.preview(5).tolist() == scheduler.preview(5).tolist()
