"""Schedulers that users write: get_lr, errors in it, resuming, and what the base class offers."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.parity


def test_own_get_lr(kit):
    class Halving(kit.LRScheduler):
        def get_lr(self):
            if self.last_epoch == 0:
                return [group["lr"] for group in self.optimizer.param_groups]
            return [group["lr"] / 2 for group in self.optimizer.param_groups]

    scheduler = Halving(kit.optimizer(0.4, 4.0))
    kit.close(kit.trace(4, scheduler), [[0.4 / 2**t, 4.0 / 2**t] for t in range(4)])
    assert scheduler.base_lrs == [0.4, 4.0]


def test_own_parameters_are_part_of_the_state(kit):
    class Scaled(kit.LRScheduler):
        def __init__(self, optimizer, factor, last_epoch=-1):
            self.factor = factor
            super().__init__(optimizer, last_epoch)

        def get_lr(self):
            return [base * self.factor**self.last_epoch for base in self.base_lrs]

    one, other = Scaled(kit.optimizer(1.0), 0.5), Scaled(kit.optimizer(1.0), 0.1)
    for _ in range(3):
        kit.advance(one)
    assert one.state_dict()["factor"] == 0.5
    other.load_state_dict(one.state_dict())
    other.optimizer.load_state_dict(one.optimizer.state_dict())
    kit.close(kit.trace(4, other), kit.trace(4, one))


def test_own_attributes_set_after_the_base_class_are_there(kit):
    class Late(kit.StepLR):
        def __init__(self, optimizer):
            super().__init__(optimizer, 2, 0.5)
            self.note = "later"

    scheduler = Late(kit.optimizer(1.0))
    assert scheduler.state_dict()["note"] == "later"
    kit.close(kit.trace(4, scheduler)[:, 0], [1, 1, 0.5, 0.5])


def test_super_get_lr(kit):
    class Floored(kit.ExponentialLR):
        def get_lr(self):
            return [max(rate, 0.2) for rate in super().get_lr()]

    scheduler = Floored(kit.optimizer(1.0), 0.5)
    kit.close(kit.trace(5, scheduler)[:, 0], [1, 0.5, 0.25, 0.2, 0.2])


def test_super_get_lr_of_an_absolute_schedule(kit):
    class Doubled(kit.LambdaLR):
        def get_lr(self):
            return [2 * rate for rate in super().get_lr()]

    scheduler = Doubled(kit.optimizer(1.0, 2.0), lambda step: 1 / (1 + step))
    kit.close(kit.trace(3, scheduler), [[2, 4], [1, 2], [2 / 3, 4 / 3]])


def test_super_get_lr_of_a_recursive_schedule_sees_what_was_written(kit):
    """Its rates go on from those in the optimizer, so what a subclass makes of them accumulates."""

    class Doubled(kit.ExponentialLR):
        def get_lr(self):
            return [2 * rate for rate in super().get_lr()]

    scheduler = Doubled(kit.optimizer(1.0), 0.25)
    kit.close(kit.trace(4, scheduler)[:, 0], [2, 1, 0.5, 0.25])


def test_own_step(kit):
    class Announcing(kit.StepLR):
        def step(self, epoch=None):
            super().step(epoch)
            said.append(self.get_last_lr()[0])

    said = []
    scheduler = Announcing(kit.optimizer(1.0), 1, 0.5)
    for _ in range(2):
        kit.advance(scheduler)
    assert said == [1.0, 0.5, 0.25]


def test_get_lr_with_an_argument_is_an_error(kit):
    class Old(kit.LRScheduler):
        def get_lr(self, epoch):
            return [base / (1 + epoch) for base in self.base_lrs]

    with pytest.raises(TypeError):
        Old(kit.optimizer(1.0))


def test_no_formula_is_an_error(kit):
    with pytest.raises(NotImplementedError):
        kit.LRScheduler(kit.optimizer(1.0))


@pytest.mark.parametrize("rates", [[], [0.1], [0.1, 0.2, 0.3]])
def test_wrong_number_of_rates_is_an_error(kit, rates):
    class Wrong(kit.LRScheduler):
        def get_lr(self):
            return rates

    with pytest.raises(ValueError, match=r".+"):
        Wrong(kit.optimizer(1.0, 2.0))


def test_what_is_no_optimizer_is_an_error(kit, closed_form):
    with pytest.raises(TypeError, match="object is not an Optimizer"):
        closed_form.make(kit, object())


def test_resuming_without_initial_rates_is_an_error(kit, case):
    optimizer = kit.optimizer(1.0, 1.0)
    optimizer.param_groups[0]["initial_lr"] = 1.0
    message = r"param 'initial_lr' is not specified in param_groups\[1\] when resuming scheduler with last"
    with pytest.raises(KeyError, match=message):
        case.make(kit, optimizer, last_epoch=3)


@pytest.mark.parametrize("name", ["LambdaLR", "MultiplicativeLR"])
def test_wrong_number_of_functions_is_an_error(kit, name):
    with pytest.raises(ValueError, match=r"2 lr_lambdas.* got 1"):
        getattr(kit, name)(kit.optimizer(1.0, 2.0), [lambda step: 1.0])


@pytest.mark.parametrize("wrong", [0.5, "fast", [0.5]])
def test_multiplicative_needs_functions(kit, wrong):
    with pytest.raises(TypeError, match="lr_lambda should be a function"):
        kit.MultiplicativeLR(kit.optimizer(1.0), wrong)


@pytest.mark.parametrize("factor", [0.0, -0.5, 1.1])
def test_linear_refuses_a_start_outside_of_0_to_1(kit, factor):
    with pytest.raises(ValueError, match=r"greater than 0 and less|start_factor"):
        kit.LinearLR(kit.optimizer(1.0), start_factor=factor)


@pytest.mark.parametrize("factor", [-0.1, 1.1])
def test_linear_refuses_an_end_outside_of_0_to_1(kit, factor):
    with pytest.raises(ValueError, match=r"between 0 and 1|end_factor"):
        kit.LinearLR(kit.optimizer(1.0), end_factor=factor)


@pytest.mark.parametrize("factor", [-0.1, 1.1])
def test_constant_refuses_a_factor_outside_of_0_to_1(kit, factor):
    with pytest.raises(ValueError, match=r"between 0 and 1|factor"):
        kit.ConstantLR(kit.optimizer(1.0), factor=factor)


def test_resuming_on_a_loaded_optimizer(kit, resumable):
    """It goes on after the step that was taken."""
    whole = resumable.make(kit, kit.optimizer(0.05, 0.5))
    for _ in range(4):
        kit.advance(whole)
    optimizer = kit.optimizer(0.05, 0.5)
    optimizer.load_state_dict(whole.optimizer.state_dict())
    resumed = resumable.make(kit, optimizer, last_epoch=whole.last_epoch - 1)
    assert resumed.last_epoch == whole.last_epoch
    kit.close(kit.trace(8, resumed), kit.trace(8, whole))


def test_names_for_older_code(kit):
    assert issubclass(kit._LRScheduler, kit.LRScheduler)
    for name in ("StepLR", "SequentialLR", "ChainedScheduler", "ReduceLROnPlateau", "OneCycleLR"):
        assert issubclass(getattr(kit, name), kit.LRScheduler)


def test_subclass_of_the_older_name(kit):
    class Old(kit._LRScheduler):
        def get_lr(self):
            return [base / (1 + self.last_epoch) for base in self.base_lrs]

    kit.close(kit.trace(3, Old(kit.optimizer(1.0)))[:, 0], [1, 1 / 2, 1 / 3])
