"""LRScheduler: drives the parameter groups of anything that has them, saves, restores, warns, previews."""

from __future__ import annotations

import copy
import gc
import logging
import pickle
import warnings
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from genesis import CheckpointError
from genesis.optim import LRScheduler, Schedule


@dataclass(frozen=True, repr=False)
class Halving(Schedule):
    def at(self, step: int) -> float:
        return 0.5**step


class Half(LRScheduler):
    """Half the rate at each step."""

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        return Halving()


class Towards(LRScheduler):
    """A value schedule: half the way to `goal` at each step, whatever the base rate is."""

    def __init__(self, optimizer, goal, last_epoch=-1, verbose=False):
        self.goal = goal
        super().__init__(optimizer, last_epoch, verbose)

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        return Approach(base_lr, self.goal, kind="value")


@dataclass(frozen=True, repr=False)
class Approach(Schedule):
    start: float
    goal: float

    def at(self, step: int) -> float:
        return self.goal + (self.start - self.goal) * 0.5**step


class Recursive(LRScheduler):
    """As schedulers for PyTorch are written: from the present rate to the next."""

    def get_lr(self):
        if self._is_initial:
            return [group["lr"] for group in self.optimizer.param_groups]
        return [group["lr"] * 0.5 for group in self.optimizer.param_groups]


class Sgd:
    """The least of an optimizer."""

    def __init__(self, *rates):
        self.param_groups = [{"lr": rate} for rate in rates]
        self.steps = 0

    def step(self, closure=None):
        self.steps += 1
        return closure and closure()


class Cell:
    """A tensor with one element, as far as a scheduler is concerned."""

    def __init__(self, value):
        self.value = value

    def fill_(self, value):
        self.value = value
        return self

    def clone(self):
        return Cell(self.value)

    def __float__(self):
        return float(self.value)

    def __mul__(self, factor):
        return Cell(self.value * factor)


def groups(*rates):
    """Anything that has param_groups."""
    return SimpleNamespace(param_groups=[{"lr": rate} for rate in rates])


def rates_of(optimizer):
    return [group["lr"] for group in optimizer.param_groups]


def test_step_0_is_written_at_once_and_each_step_follows():
    optimizer = groups(0.8, 0.4)
    scheduler = Half(optimizer)
    assert (scheduler.last_epoch, scheduler._step_count) == (0, 1)
    assert rates_of(optimizer) == [0.8, 0.4]
    scheduler.step()
    assert rates_of(optimizer) == [0.4, 0.2]
    assert scheduler.get_last_lr() == [0.4, 0.2]
    assert (scheduler.last_epoch, scheduler._step_count) == (1, 2)
    assert scheduler.base_lrs == [0.8, 0.4]
    assert [group["initial_lr"] for group in optimizer.param_groups] == [0.8, 0.4]


def test_value_schedules_do_not_multiply_the_base_rate():
    optimizer = groups(0.9, 0.5)
    scheduler = Towards(optimizer, 0.1)
    scheduler.step()
    assert rates_of(optimizer) == pytest.approx([0.5, 0.3], rel=1e-15)  # rounding of one sum


def test_get_lr_may_be_overridden_as_for_pytorch():
    optimizer = groups(0.8)
    scheduler = Recursive(optimizer)
    scheduler.step()
    scheduler.step()
    assert rates_of(optimizer) == [0.2]
    with pytest.raises(NotImplementedError, match=r"Recursive computes its rates step by step in get_lr\(\)"):
        scheduler.value_at(3)


def test_get_lr_with_the_wrong_number_of_rates_is_refused():
    class Wrong(LRScheduler):
        def get_lr(self):
            return [0.1]

    with pytest.raises(ValueError, match=r"Wrong.get_lr\(\) gave 1 rates for 2 parameter groups"):
        Wrong(groups(0.1, 0.2))


def test_second_scheduler_starts_from_the_initial_rate():
    optimizer = groups(0.8)
    Half(optimizer).step()
    assert Half(optimizer).base_lrs == [0.8]


def test_schedule_that_groups_share_is_asked_once_a_step():
    asked = []

    @dataclass(frozen=True)
    class Counting(Schedule):
        def at(self, step: int) -> float:
            asked.append(step)
            return 1.0

    class Counted(LRScheduler):
        def schedule_for(self, index: int, base_lr: float) -> Schedule:
            return Counting()

    Counted(groups(0.1, 0.2, 0.3)).step()
    assert asked == [0, 1]


@pytest.mark.parametrize(
    "given",
    [0.5, None, [0.1], SimpleNamespace(param_groups=0), SimpleNamespace(param_groups=[{"rate": 1}])],
)
def test_what_is_no_optimizer_is_refused(given):
    with pytest.raises(TypeError, match=rf"{type(given).__name__} is not an Optimizer: Half expects .*got"):
        Half(given)


def test_class_without_a_schedule_says_what_to_define():
    optimizer = groups(0.1)
    with pytest.raises(NotImplementedError, match="LRScheduler has no schedule"):
        LRScheduler(optimizer)
    assert optimizer.param_groups == [{"lr": 0.1}]


@pytest.mark.parametrize("last_epoch", [-2, -10])
def test_last_epoch_below_minus_one_is_refused(last_epoch):
    with pytest.raises(ValueError, match="last_epoch is -1 to start"):
        Half(groups(0.1), last_epoch)


# resuming


def test_last_epoch_goes_on_from_the_initial_rate():
    optimizer = groups(0.1)
    optimizer.param_groups[0]["initial_lr"] = 0.8
    scheduler = Half(optimizer, last_epoch=1)
    assert scheduler.last_epoch == 2
    assert rates_of(optimizer) == [0.2]


def test_last_epoch_without_an_initial_rate_is_refused():
    optimizer = groups(0.1, 0.1)
    optimizer.param_groups[0]["initial_lr"] = 0.8
    with pytest.raises(KeyError, match=r"param 'initial_lr' is not specified in param_groups\[1\]"):
        Half(optimizer, last_epoch=1)


def saved(steps):
    """The groups of an optimizer and the state of its scheduler after some steps, and the rates then."""
    optimizer = groups(0.8, 0.4)
    scheduler = Half(optimizer)
    for _ in range(steps):
        scheduler.step()
    copies = [dict(group) for group in optimizer.param_groups]
    return copies, scheduler.state_dict(), [0.8 * 0.5**steps, 0.4 * 0.5**steps]


@pytest.mark.parametrize("steps", [0, 1, 5])
@pytest.mark.parametrize(
    "order", ["optimizer first", "scheduler first", "scheduler alone", "built after loading"]
)
def test_every_order_of_loading_resumes_exactly(steps, order):
    states, state, expected = saved(steps)
    optimizer = groups(0.8, 0.4)
    if order == "built after loading":
        optimizer.param_groups = states
    scheduler = Half(optimizer)
    if order == "optimizer first":
        optimizer.param_groups = states
    scheduler.load_state_dict(state)
    if order == "scheduler first":
        optimizer.param_groups = states
    assert rates_of(optimizer) == expected
    assert scheduler.get_last_lr() == expected
    assert scheduler.state_dict() == state
    scheduler.step()
    assert rates_of(optimizer) == [rate / 2 for rate in expected]


def test_loading_into_an_optimizer_with_other_rates_restores_the_saved_ones():
    _, state, expected = saved(2)
    optimizer = groups(1.0, 1.0)
    Half(optimizer).load_state_dict(state)
    assert rates_of(optimizer) == expected
    assert [group["initial_lr"] for group in optimizer.param_groups] == [0.8, 0.4]


def test_loading_brings_back_the_parameters_of_the_schedule():
    source = Towards(groups(0.9), 0.1)
    source.step()
    optimizer = groups(0.9)
    scheduler = Towards(optimizer, 0.7)
    scheduler.load_state_dict(source.state_dict())
    source.step()
    scheduler.step()
    assert scheduler.goal == 0.1
    assert rates_of(optimizer) == source.get_last_lr()


def test_recursive_scheduler_resumes_from_its_own_state_alone():
    source = Recursive(groups(0.8))
    source.step()
    optimizer = groups(0.8)
    scheduler = Recursive(optimizer)
    scheduler.load_state_dict(source.state_dict())
    scheduler.step()
    assert rates_of(optimizer) == [0.2]


def test_state_has_plain_values_and_no_optimizer():
    state = Half(groups(Cell(0.8), np.float64(0.4))).state_dict()
    assert state == {
        "base_lrs": [0.8, 0.4],
        "last_epoch": 0,
        "_last_lr": [0.8, 0.4],
        "_step_count": 1,
        "_is_initial": False,
        "_get_lr_called_within_step": False,
    }
    for name in ("base_lrs", "_last_lr"):
        assert type(state[name]) is list
        assert [type(rate) for rate in state[name]] == [float, float]


def test_state_does_not_change_with_later_steps():
    scheduler = Half(groups(0.8))
    state = scheduler.state_dict()
    scheduler.step()
    assert state["_last_lr"] == [0.8]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("last_epoch"), r"it lacks \['last_epoch'\] and has nothing that a Half"),
        (lambda state: state.update(gamma=1), r"it lacks nothing and has \['gamma'\] that a Half"),
        (lambda state: state.update(_last_lr=[0.1]), r"_last_lr=\[0.1\]; expected a list of 2 numbers"),
        (lambda state: state.update(base_lrs=[0.1, None]), r"base_lrs=\[0.1, None\]; expected a list of 2"),
        (lambda state: state.update(last_epoch="two"), "last_epoch='two'; expected a number"),
    ],
)
def test_wrong_state_is_refused_and_nothing_is_changed(change, message):
    _, state, _ = saved(3)
    change(state)
    optimizer = groups(1.0, 2.0)
    scheduler = Half(optimizer)
    before = scheduler.state_dict()
    with pytest.raises(CheckpointError, match=message):
        scheduler.load_state_dict(state)
    assert scheduler.state_dict() == before
    assert rates_of(optimizer) == [1.0, 2.0]


@pytest.mark.parametrize("given", [None, [1], 0.5])
def test_what_is_no_state_is_refused(given):
    with pytest.raises(TypeError, match=r"expected the dict that state_dict\(\) returns, got"):
        Half(groups(0.1)).load_state_dict(given)


def test_state_of_another_class_is_refused():
    with pytest.raises(CheckpointError, match=r"this is not the state of a Towards: it lacks \['goal'\]"):
        Towards(groups(0.1), 0.0).load_state_dict(Half(groups(0.1)).state_dict())


def test_scheduler_and_optimizer_can_be_pickled_together():
    optimizer = groups(0.8)
    scheduler = Half(optimizer, verbose=True)
    scheduler.step()
    twin = pickle.loads(pickle.dumps(scheduler))
    twin.step()
    assert rates_of(twin.optimizer) == [0.2]
    assert rates_of(optimizer) == [0.4]


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["deepcopy", "pickle"]
)
def test_copy_of_a_scheduled_optimizer_steps_itself(duplicate):
    optimizer = Sgd(0.8)
    scheduler = Half(optimizer)
    twin = duplicate(optimizer)
    twin.step()
    assert (optimizer.steps, twin.steps) == (0, 1)
    twin, follower = duplicate((optimizer, scheduler))
    assert follower.optimizer is twin
    twin.step()
    follower.step()
    assert rates_of(twin) == [0.4]
    assert (optimizer.steps, rates_of(optimizer)) == (0, [0.8])
    with pytest.warns(UserWarning, match="Detected call"):
        scheduler.step()


def test_deep_copy_of_a_scheduler_alone_drives_the_same_optimizer():
    optimizer = Sgd(0.8)
    scheduler = Half(optimizer)
    twin = copy.deepcopy(scheduler)
    assert twin.optimizer is optimizer
    optimizer.step()
    twin.step()
    assert (twin.last_epoch, scheduler.last_epoch) == (1, 0)
    assert rates_of(optimizer) == [0.4]


# tensors as learning rates


def test_tensor_rates_are_changed_in_place_and_never_shared():
    cell = Cell(0.8)
    optimizer = groups(cell)
    scheduler = Half(optimizer)
    scheduler.step()
    assert optimizer.param_groups[0]["lr"] is cell
    assert cell.value == 0.4
    scheduler.get_last_lr()[0].fill_(9.0)
    scheduler.base_lrs[0].fill_(0.8)
    assert cell.value == 0.4
    assert optimizer.param_groups[0]["initial_lr"].value == 0.8


def test_loading_writes_into_tensor_rates_in_place():
    source = Half(groups(Cell(0.8)))
    source.step()
    cell = Cell(0.8)
    scheduler = Half(groups(cell))
    scheduler.load_state_dict(source.state_dict())
    assert cell.value == 0.4
    scheduler.step()
    assert cell.value == 0.2


# groups that come later


def test_group_added_later_is_followed_from_its_own_rate():
    optimizer = groups(0.8)
    scheduler = Half(optimizer)
    scheduler.step()
    optimizer.param_groups.append({"lr": 0.4})
    scheduler.step()
    assert rates_of(optimizer) == [0.2, 0.1]
    assert scheduler.base_lrs == [0.8, 0.4]
    assert optimizer.param_groups[1]["initial_lr"] == 0.4


def test_group_added_later_is_followed_by_a_recursive_scheduler():
    optimizer = groups(0.8)
    scheduler = Recursive(optimizer)
    optimizer.param_groups.append({"lr": 0.4})
    scheduler.step()
    assert rates_of(optimizer) == [0.4, 0.2]


def test_group_taken_away_is_refused():
    optimizer = groups(0.8, 0.4)
    scheduler = Half(optimizer)
    del optimizer.param_groups[1]
    with pytest.raises(ValueError, match="had 2 parameter groups and has 1 now"):
        scheduler.step()


def test_step_that_fails_leaves_the_scheduler_where_it_was():
    @dataclass(frozen=True)
    class Failing(Schedule):
        def at(self, step: int) -> float:
            if step == 1:
                raise ZeroDivisionError
            return 1.0

    class Fails(LRScheduler):
        def schedule_for(self, index: int, base_lr: float) -> Schedule:
            return Failing()

    optimizer = groups(0.8)
    scheduler = Fails(optimizer)
    state = scheduler.state_dict()
    with pytest.raises(ZeroDivisionError):
        scheduler.step()
    assert scheduler.state_dict() == state
    assert rates_of(optimizer) == [0.8]


# what is printed


def test_rates_are_a_list_that_reads_like_a_number():
    rates = Half(groups(0.001)).get_last_lr()
    assert rates == [0.001]
    assert isinstance(rates, list)
    assert rates[0] == 0.001
    assert list(rates) == [0.001]
    assert float(rates) == 0.001
    assert f"{rates:.6f}" == "0.001000"
    assert f"{rates}" == str(rates) == "[0.001]"


def test_format_applies_to_each_of_several_rates():
    rates = Half(groups(0.1, 0.01)).get_last_lr()
    assert f"{rates:.2f}" == "[0.10, 0.01]"
    assert f"{rates}" == "[0.1, 0.01]"
    with pytest.raises(TypeError, match="there are 2 learning rates"):
        float(rates)


def test_changing_the_list_of_rates_changes_nothing_else():
    scheduler = Half(groups(0.8))
    scheduler.get_last_lr()[0] = 7.0
    assert scheduler.get_last_lr() == [0.8]


def test_text_says_where_it_stands():
    scheduler = Half(groups(0.8))
    scheduler.step()
    assert repr(scheduler) == "Half(last_epoch=1, last_lr=[0.4])"


def test_verbose_reports_each_change(caplog):
    caplog.set_level(logging.INFO, logger="genesis.optim.lr_scheduler")
    optimizer = groups(0.8, 0.0)
    scheduler = Half(optimizer, verbose=True)
    scheduler.step()
    assert caplog.messages == ["step 1: learning rate of group 0: 0.8 -> 0.4"]


def test_not_verbose_reports_nothing(caplog):
    caplog.set_level(logging.INFO, logger="genesis.optim.lr_scheduler")
    Half(groups(0.8)).step()
    assert caplog.messages == []


# looking ahead


def test_rates_of_any_step_are_shown_without_touching_the_optimizer():
    optimizer = groups(0.8, 0.4)
    scheduler = Half(optimizer)
    assert scheduler.value_at(2) == [0.2, 0.1]
    assert scheduler.value_at(np.array([[1, 2]])).tolist() == [[[0.4, 0.2], [0.2, 0.1]]]
    preview = scheduler.preview(3)
    assert preview.shape == (3, 2)
    assert preview.tolist() == [[0.8, 0.4], [0.4, 0.2], [0.2, 0.1]]
    assert rates_of(optimizer) == [0.8, 0.4]
    assert scheduler.last_epoch == 0


def test_preview_shows_what_stepping_gives():
    optimizer = groups(0.9, 0.5)
    scheduler = Towards(optimizer, 0.1)
    seen = [rates_of(optimizer)]
    for _ in range(9):
        scheduler.step()
        seen.append(rates_of(optimizer))
    assert scheduler.preview(10).tolist() == seen


# warnings


def test_scheduler_before_optimizer_warns_once():
    scheduler = Half(Sgd(0.8))
    with pytest.warns(UserWarning, match=r"Detected call of `lr_scheduler.step\(\)` before"):
        scheduler.step()
    scheduler.step()


def test_optimizer_before_scheduler_does_not_warn_and_keeps_its_arguments():
    optimizer = Sgd(0.8)
    scheduler = Half(optimizer)
    assert optimizer.step(lambda: 7) == 7
    scheduler.step()
    assert optimizer.steps == 1


def test_optimizer_without_step_does_not_warn():
    Half(groups(0.8)).step()


def test_step_replaced_after_the_scheduler_was_made_warns():
    optimizer = Sgd(0.8)
    scheduler = Half(optimizer)
    optimizer.step = lambda: None
    with pytest.warns(UserWarning, match=r"`optimizer.step\(\)` has been overridden .*how-to-adjust"):
        scheduler.step()


def test_optimizer_that_takes_no_attributes_is_driven_without_watching():
    class Closed:
        __slots__ = ("param_groups",)

        def step(self):
            pass

    optimizer = Closed()
    optimizer.param_groups = [{"lr": 0.8}]
    Half(optimizer).step()
    assert rates_of(optimizer) == [0.4]


def test_epoch_is_deprecated_but_obeyed():
    optimizer = groups(0.8)
    scheduler = Half(optimizer)
    with pytest.warns(UserWarning, match=r"`scheduler.step\(epoch\)` is deprecated"):
        scheduler.step(3)
    assert scheduler.last_epoch == 3
    assert rates_of(optimizer) == [0.1]
    scheduler.step()
    assert rates_of(optimizer) == [0.05]


def test_get_lr_outside_of_step_warns_and_gives_the_rates():
    scheduler = Half(groups(0.8))
    with pytest.warns(UserWarning, match=r"please use `get_last_lr\(\)`"):
        assert scheduler.get_lr() == [0.8]


def test_warnings_point_at_the_line_that_calls_step():
    scheduler = Half(Sgd(0.8))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        scheduler.step(1)
    assert [warning.filename for warning in caught] == [__file__, __file__]


def test_no_reference_cycle_keeps_an_optimizer_alive():
    gc.collect()
    gc.disable()
    try:
        optimizer = Sgd(0.8)
        scheduler = Half(optimizer)
        optimizer.step()
        scheduler.step()
        del scheduler, optimizer
        assert gc.collect() == 0
    finally:
        gc.enable()
