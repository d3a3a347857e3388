"""Learning rates that are tensors: changed in place, and shared with nothing."""

from __future__ import annotations

import copy

import pytest

pytestmark = pytest.mark.parity


def tensor_groups(kit):
    return kit.optimizer(kit.tensor(0.05), kit.tensor(0.5))


def is_tensor(value):
    return hasattr(value, "fill_")


def test_values_are_those_of_floats(kit, any_case):
    # The rates are in double precision, as floats are.
    tensors = kit.trace(12, any_case.make(kit, tensor_groups(kit)))
    kit.close(tensors, kit.trace(12, any_case.make(kit, kit.optimizer(0.05, 0.5))))


def test_rates_are_changed_in_place(kit, any_case):
    optimizer = tensor_groups(kit)
    rates = [group["lr"] for group in optimizer.param_groups]
    scheduler = any_case.make(kit, optimizer)
    for _ in range(5):
        kit.advance(scheduler)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            assert group["lr"] is rate


def test_nothing_shares_the_rate(kit, each_class):
    optimizer = tensor_groups(kit)
    scheduler = each_class.make(kit, optimizer)
    for _ in range(3):
        kit.advance(scheduler)
        for number, group in enumerate(optimizer.param_groups):
            others = [value for key, value in group.items() if key not in ("lr", "params")]
            for value in vars(scheduler).values():
                others += value if isinstance(value, list) else [value]
            others += [*scheduler.get_last_lr()]
            assert not any(other is group["lr"] for other in others), number


def test_base_rates_are_not_the_initial_ones(kit, closed_form):
    optimizer = tensor_groups(kit)
    scheduler = closed_form.make(kit, optimizer)
    for group, base in zip(optimizer.param_groups, scheduler.base_lrs, strict=True):
        assert base is not group["initial_lr"]


def test_last_rates_are_copies(kit, each_class):
    optimizer = tensor_groups(kit)
    scheduler = each_class.make(kit, optimizer)
    kit.advance(scheduler)
    last = scheduler.get_last_lr()
    before = kit.rates(optimizer)
    assert all(map(is_tensor, last))
    for rate in last:
        rate.fill_(7.0)
    assert kit.rates(optimizer) == before
    kept = [float(rate) for rate in scheduler.get_last_lr()]
    kit.advance(scheduler)
    assert [float(rate) for rate in last] == kept  # a list that was taken does not change later


def test_initial_rates_stay_when_the_users_tensor_changes(kit, each_class):
    optimizer = tensor_groups(kit)
    scheduler = each_class.make(kit, optimizer)
    groups = copy.deepcopy([{k: v for k, v in g.items() if k != "params"} for g in optimizer.param_groups])
    bases = [float(rate) for rate in getattr(scheduler, "base_lrs", [])]
    for _ in range(3):
        kit.advance(scheduler)
        for group in optimizer.param_groups:
            group["lr"].mul_(0.1)
        for group, original in zip(optimizer.param_groups, groups, strict=True):
            for key in ("initial_lr", "max_lr", "min_lr", "swa_lr"):
                assert (key in group) == (key in original)
                assert float(group.get(key, 0)) == float(original.get(key, 0))
        assert [float(rate) for rate in getattr(scheduler, "base_lrs", [])] == bases


@pytest.mark.parametrize(
    ("name", "keys", "attributes"),
    [
        (
            "CyclicLR",
            {"initial_lr": 0.1, "max_momentum": 0.9, "base_momentum": 0.8},
            {"base_lrs": 0.1, "max_lrs": 0.5, "base_momentums": 0.8, "max_momentums": 0.9},
        ),
        (
            "OneCycleLR",
            {"initial_lr": 0.02, "max_lr": 0.5, "max_momentum": 0.9, "base_momentum": 0.8},
            {"base_lrs": 0.02},
        ),
        ("SWALR", {"initial_lr": 1.0, "swa_lr": 0.1}, {"base_lrs": 1.0}),
    ],
)
def test_parameters_stay_when_the_users_tensors_change(kit, name, keys, attributes):
    given = {
        "CyclicLR": {"base_lr": 0.1, "max_lr": 0.5, "base_momentum": 0.8, "max_momentum": 0.9},
        "OneCycleLR": {"max_lr": 0.5, "base_momentum": 0.8, "max_momentum": 0.9},
        "SWALR": {"swa_lr": 0.1},
    }[name]
    tensors = {key: kit.tensor(value) for key, value in given.items()}
    more = {"total_steps": 9} if name == "OneCycleLR" else {}
    optimizer = kit.optimizer(kit.tensor(1.0))
    scheduler = getattr(kit, name)(optimizer, **tensors, **more)
    for _ in range(3):
        kit.advance(scheduler)
        for tensor in tensors.values():
            tensor.mul_(0.1)
        group = optimizer.param_groups[0]
        kit.close([float(group[key]) for key in keys], list(keys.values()))
        kit.close([float(getattr(scheduler, a)[0]) for a in attributes], list(attributes.values()))


def test_sequence_shares_nothing(kit):
    optimizer = tensor_groups(kit)
    parts = [kit.LinearLR(optimizer, 0.5, 1.0, 2), kit.ExponentialLR(optimizer, 0.9)]
    scheduler = kit.SequentialLR(optimizer, parts, milestones=[2])
    for _ in range(4):
        for group in optimizer.param_groups:
            assert group["lr"] is not group["initial_lr"]
        kit.advance(scheduler)
    assert [float(group["initial_lr"]) for group in optimizer.param_groups] == [0.05, 0.5]


def test_states_of_tensor_rates_are_equal_after_loading(kit, each_class):
    one = each_class.make(kit, tensor_groups(kit))
    for _ in range(4):
        kit.advance(one)
    other = each_class.make(kit, tensor_groups(kit))
    other.load_state_dict(one.state_dict())
    assert [float(rate) for rate in other.get_last_lr()] == kit.rates(one.optimizer)
