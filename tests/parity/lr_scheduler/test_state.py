"""States: what they hold, that they survive a file, and that loading one is going on."""

from __future__ import annotations

import copy
import io
import pickle
from collections import Counter

import pytest
import torch

pytestmark = pytest.mark.parity

#: Functions are not saved, so those of the new scheduler stay.
NOT_SAVED = {"optimizer", "lr_lambdas", "_scale_fn_ref"}


def is_equal(one, other):
    return type(one) is type(other) and one == other


def test_state_is_all_but_the_optimizer(kit, closed_form):
    scheduler = closed_form.make(kit, kit.optimizer(0.05, 0.5))
    state = scheduler.state_dict()
    assert set(state) == set(scheduler.__dict__) - {"optimizer"}
    assert set(closed_form.arguments) <= set(state)
    assert {"base_lrs", "last_epoch", "_step_count", "_last_lr"} <= set(state)


@pytest.mark.parametrize("steps", [0, 10])
def test_other_options_are_replaced_key_by_key(kit, any_case, steps):
    one = any_case.make(kit, kit.optimizer(0.05, 0.5))
    other = any_case.make_other(kit, kit.optimizer(0.05, 0.5))
    for _ in range(steps):
        kit.advance(one)
    other.load_state_dict(one.state_dict())
    assert set(other.__dict__) - NOT_SAVED >= set(one.__dict__) - NOT_SAVED
    for key in set(one.__dict__) - NOT_SAVED:
        assert other.__dict__[key] == one.__dict__[key], key
    assert other.get_last_lr() == one.get_last_lr()


def test_loading_goes_on_as_if_never_stopped(kit, any_case):
    one, other = (any_case.make(kit, kit.optimizer(0.05, 0.5)) for _ in range(2))
    for _ in range(7):
        kit.advance(one)
    other.load_state_dict(one.state_dict())
    other.optimizer.load_state_dict(one.optimizer.state_dict())
    kit.close(kit.trace(9, other), kit.trace(9, one))


def test_composites_go_on_as_if_never_stopped(kit, composite):
    for steps in (0, 2, 3, 5):
        one, other = (composite(kit, kit.optimizer(0.05, 0.5), factor) for factor in (0.5, 0.7))
        for _ in range(steps):
            kit.advance(one)
        state = one.state_dict()
        before = copy.deepcopy(state)
        other.load_state_dict(state)
        assert state == before  # loading changes nothing in what is loaded
        assert other.state_dict() == state
        other.optimizer.load_state_dict(one.optimizer.state_dict())
        kit.close(kit.trace(9, other), kit.trace(9, one))


def test_state_of_a_composite_holds_those_of_its_parts(kit):
    optimizer = kit.optimizer(1.0)
    parts = [kit.ExponentialLR(optimizer, 0.5), kit.StepLR(optimizer, 2)]
    for scheduler in (kit.ChainedScheduler(parts), kit.SequentialLR(optimizer, parts, milestones=[2])):
        states = scheduler.state_dict()["_schedulers"]
        assert [state["last_epoch"] for state in states] == [part.last_epoch for part in parts]
        assert states == [part.state_dict() for part in parts]
        assert "optimizer" not in scheduler.state_dict()
    assert scheduler.state_dict()["_milestones"] == [2]


def through_a_file(state, weights_only):
    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    return torch.load(buffer, weights_only=weights_only)


@pytest.mark.parametrize("weights_only", [True, False])
def test_state_survives_a_file_of_torch(kit, any_case, weights_only):
    one = any_case.make(kit, kit.optimizer(0.05, 0.5))
    kit.advance(one)
    state = one.state_dict()
    loaded = through_a_file(state, weights_only)
    assert loaded == state
    other = any_case.make(kit, kit.optimizer(0.05, 0.5))
    other.load_state_dict(loaded)
    assert other.state_dict() == state


@pytest.mark.parametrize("weights_only", [True, False])
def test_state_of_a_composite_survives_a_file_of_torch(kit, composite, weights_only):
    one, other = (composite(kit, kit.optimizer(0.05, 0.5)) for _ in range(2))
    kit.advance(one)
    loaded = through_a_file(one.state_dict(), weights_only)
    assert loaded == one.state_dict()
    other.load_state_dict(loaded)
    assert other.state_dict() == one.state_dict()


def test_state_can_be_pickled(kit, any_case):
    state = any_case.make(kit, kit.optimizer(0.05, 0.5)).state_dict()
    assert pickle.loads(pickle.dumps(state)) == state


def test_milestones_are_counted(kit):
    scheduler = kit.MultiStepLR(kit.optimizer(1.0), [3, 3, 7])
    assert is_equal(scheduler.milestones, Counter({3: 2, 7: 1}))
    assert is_equal(scheduler.state_dict()["milestones"], Counter({3: 2, 7: 1}))


def test_rates_in_a_state_are_plain(kit):
    state = kit.StepLR(kit.optimizer(0.05, 0.5), 3).state_dict()
    assert is_equal(state["base_lrs"], [0.05, 0.5])
    assert [type(rate) for rate in state["_last_lr"]] == [float, float]


# functions


class Factor:
    def __init__(self, base):
        self.base = base

    def __call__(self, step):
        return self.base**step


def constant(step):
    return 0.5


@pytest.mark.parametrize("name", ["LambdaLR", "MultiplicativeLR"])
def test_functions_are_not_saved(kit, name):
    make = getattr(kit, name)
    one = make(kit.optimizer(1.0, 2.0), [constant, lambda step: 0.9])
    assert one.state_dict()["lr_lambdas"] == [None, None]
    for _ in range(10):
        kit.advance(one)
    other = make(kit.optimizer(1.0, 2.0), [lambda step: 0.3, constant])
    other.load_state_dict(one.state_dict())
    for key in set(one.__dict__) - NOT_SAVED:
        assert other.__dict__[key] == one.__dict__[key], key


@pytest.mark.parametrize("name", ["LambdaLR", "MultiplicativeLR"])
def test_objects_are_saved_by_their_attributes(kit, name):
    make = getattr(kit, name)
    one = make(kit.optimizer(1.0), Factor(0.5))
    assert one.state_dict()["lr_lambdas"] == [{"base": 0.5}]
    for _ in range(3):
        kit.advance(one)
    factor = Factor(0.1)
    other = make(kit.optimizer(1.0), factor)
    state = one.state_dict()
    other.load_state_dict(state)
    other.optimizer.load_state_dict(one.optimizer.state_dict())
    assert other.lr_lambdas == [factor]
    assert factor.base == 0.5
    assert state["lr_lambdas"] == [{"base": 0.5}]
    kit.close(kit.trace(4, other), kit.trace(4, one))


@pytest.mark.parametrize("name", ["LambdaLR", "MultiplicativeLR"])
def test_functions_stay_reachable(kit, name):
    scheduler = getattr(kit, name)(kit.optimizer(1.0, 2.0), constant)
    assert scheduler.lr_lambdas == [constant, constant]
    assert isinstance(scheduler.lr_lambdas, list)


def test_state_of_torch_loads_in_genesis_and_back(torchs, ours, any_case):
    """A run that was started with one library goes on with the other."""
    for source, target in ((torchs, ours), (ours, torchs)):
        one = any_case.make(source, source.optimizer(0.05, 0.5))
        other = any_case.make(target, target.optimizer(0.05, 0.5))
        for _ in range(5):
            source.advance(one)
        other.load_state_dict(through_a_file(one.state_dict(), weights_only=True))
        other.optimizer.load_state_dict(one.optimizer.state_dict())
        target.close(target.trace(9, other), source.trace(9, one))


def test_state_of_torchs_composites_loads_in_genesis_and_back(torchs, ours, composite):
    for source, target in ((torchs, ours), (ours, torchs)):
        for steps in (0, 2, 5):
            one = composite(source, source.optimizer(0.05, 0.5))
            other = composite(target, target.optimizer(0.05, 0.5))
            for _ in range(steps):
                source.advance(one)
            other.load_state_dict(through_a_file(one.state_dict(), weights_only=True))
            other.optimizer.load_state_dict(one.optimizer.state_dict())
            target.close(target.trace(9, other), source.trace(9, one))


def test_keys_of_the_state_are_those_of_torch(torchs, ours, any_case):
    """`_is_initial` and `_get_lr_called_within_step` come and go with PyTorch's versions."""
    passing = {"_is_initial", "_get_lr_called_within_step", "verbose"}
    keys = []
    for kit in (torchs, ours):
        keys.append(set(any_case.make(kit, kit.optimizer(0.05, 0.5)).state_dict()) - passing)
    assert keys[0] == keys[1]
