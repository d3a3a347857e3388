"""The order of the two steps, the epoch argument, and get_lr: which warnings come, and that no others do.

The tests of the project turn warnings into errors, so a warning that is not expected fails any test.
"""

from __future__ import annotations

import types
import warnings

import pytest

pytestmark = pytest.mark.parity

ORDER = r"how-to-adjust-learning-rate"
OVERRIDDEN = r"`optimizer.step\(\)` has been overridden"


@pytest.fixture(params=["fresh", "resumed"])
def scheduler(kit, request):
    """A StepLR that was just made: no warning so far."""
    optimizer = kit.optimizer(0.5)
    if request.param == "fresh":
        return kit.StepLR(optimizer, gamma=0.1, step_size=3)
    optimizer.param_groups[0]["initial_lr"] = 0.01
    return kit.StepLR(optimizer, gamma=0.1, step_size=3, last_epoch=10)


def recorded(act):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        act()
    return [str(warning.message) for warning in caught]


def test_scheduler_first_is_the_wrong_order(scheduler):
    def wrong():
        for _ in range(3):
            scheduler.step()
            scheduler.optimizer.step()

    assert len(recorded(wrong)) == 1
    assert scheduler._step_count == 4


def test_wrong_order_is_named(scheduler):
    with pytest.warns(UserWarning, match=ORDER):
        scheduler.step()


def test_wrong_order_with_an_epoch_is_named_too(kit, scheduler):
    messages = recorded(lambda: scheduler.step(3))
    assert len(messages) == 2
    assert "Detected call of `lr_scheduler.step()` before `optimizer.step()`" in messages[0]
    assert messages[1] == kit.EPOCH_DEPRECATION_WARNING


def test_optimizer_first_is_right(scheduler):
    for _ in range(5):
        scheduler.optimizer.step()
        scheduler.step()


def test_optimizer_first_with_an_epoch_warns_of_the_epoch_alone(kit, scheduler):
    for epoch in range(5):
        scheduler.optimizer.step()
        assert recorded(lambda epoch=epoch: scheduler.step(epoch)) == [kit.EPOCH_DEPRECATION_WARNING]


def _override(optimizer):
    """A loop that replaces the step of an optimizer, such as one for mixed precision."""
    original = optimizer.step

    def step(self, *args, **kwargs):
        return original(*args, **kwargs)

    optimizer.step = types.MethodType(step, optimizer)


def test_wrong_order_after_the_step_was_overridden(scheduler):
    _override(scheduler.optimizer)
    with pytest.warns(UserWarning, match=ORDER):
        scheduler.step()


def test_right_order_after_the_step_was_overridden(scheduler):
    _override(scheduler.optimizer)
    scheduler.optimizer.step()
    with pytest.warns(UserWarning, match=OVERRIDDEN) as caught:
        scheduler.step()
    assert len(caught) == 1
    scheduler.optimizer.step()
    scheduler.step()  # once is enough


def test_step_that_was_overridden_before_is_the_step(kit):
    optimizer = kit.optimizer(0.5)
    _override(optimizer)
    scheduler = kit.StepLR(optimizer, 3)
    optimizer.step()
    scheduler.step()


def test_second_scheduler_sees_the_steps_too(kit):
    optimizer = kit.optimizer(0.5)
    first = kit.StepLR(optimizer, 3)
    optimizer.step()
    second = kit.StepLR(optimizer, 3)
    first.step()
    second.step()


def test_step_of_the_optimizer_keeps_its_name_and_result(kit):
    optimizer = kit.optimizer(0.5)
    kit.StepLR(optimizer, 3)
    assert optimizer.step.__name__ == "step"
    assert optimizer.step(lambda: 7.0) == 7.0
    assert optimizer._opt_called
    assert optimizer.step._wrapped_by_lr_sched


def test_epoch_warns_once_for_each_scheduler_and_each_call(kit, closed_form):
    optimizer = kit.optimizer(0.05, 0.5)
    schedulers = [closed_form.make(kit, optimizer), closed_form.make_other(kit, optimizer)]
    for epoch in range(4):
        optimizer.step()
        messages = recorded(lambda epoch=epoch: [scheduler.step(epoch) for scheduler in schedulers])
        assert messages == [kit.EPOCH_DEPRECATION_WARNING] * 2


@pytest.mark.filterwarnings("ignore:.*epoch")
@pytest.mark.parametrize("epoch", [0, 2, 5, 11])
def test_same_epoch_gives_the_same_rate(kit, closed_form, epoch):
    scheduler = closed_form.make(kit, kit.optimizer(0.05, 0.5))
    for _ in range(4):
        scheduler.optimizer.step()
        scheduler.step(epoch)
        kit.close(kit.rates(scheduler.optimizer), [closed_form.rate(epoch, base) for base in (0.05, 0.5)])
        assert scheduler.last_epoch == epoch


@pytest.mark.filterwarnings("ignore:.*epoch")
@pytest.mark.parametrize("epoch", [0, 2, 7])
def test_absolute_schedules_take_an_epoch_too(kit, epoch):
    scheduler = kit.LambdaLR(kit.optimizer(1.0), lambda step: 1 / (1 + step))
    for _ in range(2):
        scheduler.optimizer.step()
        scheduler.step(epoch)
        assert kit.rates(scheduler.optimizer) == [1 / (1 + epoch)]


@pytest.mark.filterwarnings("ignore:.*epoch")
def test_stepping_goes_on_from_the_epoch(kit, closed_form):
    scheduler = closed_form.make(kit, kit.optimizer(0.05, 0.5))
    for _ in range(7):
        kit.advance(scheduler)
    scheduler.step(1)
    kit.advance(scheduler)
    kit.close(kit.rates(scheduler.optimizer), [closed_form.rate(2, base) for base in (0.05, 0.5)])


def test_plateau_warns_of_an_epoch(kit):
    scheduler = kit.ReduceLROnPlateau(kit.optimizer(0.5))
    scheduler.optimizer.step()
    assert recorded(lambda: scheduler.step(1.0, epoch=3)) == [kit.EPOCH_DEPRECATION_WARNING]
    assert scheduler.last_epoch == 3


def test_plateau_does_not_look_at_the_order(kit):
    scheduler = kit.ReduceLROnPlateau(kit.optimizer(0.5))
    scheduler.step(1.0)
    scheduler.step(1.0)


def test_restarts_take_an_epoch_without_a_warning(kit):
    scheduler = kit.CosineAnnealingWarmRestarts(kit.optimizer(0.5), T_0=4)
    scheduler.optimizer.step()
    scheduler.step(1.5)


def test_get_lr_outside_of_a_step_warns(kit, case):
    scheduler = case.make(kit, kit.optimizer(0.05, 0.5))
    with pytest.warns(UserWarning, match=r"please use `get_last_lr\(\)`") as caught:
        assert len(scheduler.get_lr()) == 2
    assert len(caught) == 1


def test_get_lr_of_an_absolute_schedule_is_the_present_rate(kit):
    scheduler = kit.LambdaLR(kit.optimizer(0.05, 0.5), lambda step: 1 / (1 + step))
    kit.advance(scheduler)
    with pytest.warns(UserWarning, match="get_last_lr"):
        assert list(scheduler.get_lr()) == [0.025, 0.25]


def test_warnings_point_at_the_line_that_steps(kit):
    scheduler = kit.StepLR(kit.optimizer(0.5), 3)
    with pytest.warns(UserWarning, match=ORDER) as caught:
        scheduler.step()
    assert caught[0].filename == __file__


def test_composites_take_no_epoch(kit, composite):
    scheduler = composite(kit, kit.optimizer(0.5))
    scheduler.optimizer.step()
    with pytest.raises(TypeError):
        scheduler.step(3)
