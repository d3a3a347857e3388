"""CyclicLR: rates, momenta and the functions that scale its peaks."""

from __future__ import annotations

import pickle
import types

import numpy as np
import pytest

pytestmark = pytest.mark.parity


def momenta(optimizer):
    return [group["betas"][0] if "betas" in group else group["momentum"] for group in optimizer.param_groups]


def trace(kit, scheduler, count):
    """Rates and momenta of `count` steps, two arrays (count, groups)."""
    rates, seconds = [], []
    for _ in range(count):
        rates.append(kit.rates(scheduler.optimizer))
        seconds.append(momenta(scheduler.optimizer))
        kit.advance(scheduler)
    return np.array(rates), np.array(seconds)


def wave(t, up, down=None):
    """0 at the start of each cycle, 1 at the peak."""
    place = t % (up + (down or up))
    return place / up if place <= up else 1 - (place - up) / (down or up)


MODES = {
    "triangular": (lambda t, cycle: 1.0, {}),
    "triangular2": (lambda t, cycle: 0.5**cycle, {}),
    "exp_range": (lambda t, cycle: 0.9**t, {"gamma": 0.9}),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("up", "down"), [(4, None), (2, 5), (5, 1), (1, 1)])
def test_modes(kit, mode, up, down):
    scale, options = MODES[mode]
    optimizer = kit.optimizer(0.7)
    scheduler = kit.CyclicLR(optimizer, 1.0, 5.0, up, down, mode=mode, **options)
    rates, seconds = trace(kit, scheduler, 25)
    length = up + (down or up)
    heights = [wave(t, up, down) * scale(t, t // length) for t in range(25)]
    kit.close(rates[:, 0], [1 + 4 * height for height in heights])
    kit.close(seconds[:, 0], [0.9 - 0.1 * height for height in heights])


def test_without_momentum(kit):
    optimizer = kit.optimizer(0.7)
    scheduler = kit.CyclicLR(optimizer, 1.0, 3.0, 2, cycle_momentum=False)
    rates, seconds = trace(kit, scheduler, 6)
    kit.close(rates[:, 0], [1, 2, 3, 2, 1, 2])
    assert set(seconds[:, 0]) == {0.9}
    assert "max_momentum" not in optimizer.param_groups[0]


def test_rates_and_momenta_for_each_group(kit):
    optimizer = kit.optimizer(0.05, 0.5)
    scheduler = kit.CyclicLR(
        optimizer,
        base_lr=[1, 2.0],
        max_lr=[3.0, 10],
        step_size_up=2,
        base_momentum=[0.1, 0.2],
        max_momentum=[0.5, 0.8],
    )
    rates, seconds = trace(kit, scheduler, 5)
    kit.close(rates, [[1, 2], [2, 6], [3, 10], [2, 6], [1, 2]])
    kit.close(seconds, [[0.5, 0.8], [0.3, 0.5], [0.1, 0.2], [0.3, 0.5], [0.5, 0.8]])


def test_one_rate_for_all_groups(kit):
    rates, _ = trace(kit, kit.CyclicLR(kit.optimizer(0.05, 0.5), 1, [3, 5], 2), 5)
    kit.close(rates, [[1, 1], [2, 3], [3, 5], [2, 3], [1, 1]])


def test_construction_writes_rates_and_momenta(kit):
    optimizer = kit.optimizer(0.05)
    scheduler = kit.CyclicLR(optimizer, 1.0, 3.0)
    group = optimizer.param_groups[0]
    assert (group["lr"], group["momentum"]) == (1.0, 0.9)
    assert (group["base_momentum"], group["max_momentum"], group["initial_lr"]) == (0.8, 0.9, 1.0)
    assert (scheduler.base_lrs, scheduler.max_lrs) == ([1.0], [3.0])
    assert (scheduler.base_momentums, scheduler.max_momentums) == ([0.8], [0.9])
    assert (scheduler.total_size, scheduler.step_ratio, scheduler.use_beta1) == (4000, 0.5, False)


def test_first_beta_of_adam_is_its_momentum(kit):
    optimizer = kit.optimizer(0.05, 0.5, kind="Adam", betas=(0.7, 0.99))
    scheduler = kit.CyclicLR(optimizer, 1.0, 3.0, 2, base_momentum=0.2, max_momentum=0.6)
    assert scheduler.use_beta1
    _, seconds = trace(kit, scheduler, 5)
    kit.close(seconds[:, 0], [0.6, 0.4, 0.2, 0.4, 0.6])
    assert [group["betas"][1] for group in optimizer.param_groups] == [0.99, 0.99]
    assert "momentum" not in optimizer.param_groups[0]


def test_optimizer_without_momentum_is_refused(kit):
    optimizer = kit.optimizer(0.05)
    del optimizer.defaults["momentum"], optimizer.param_groups[0]["momentum"]
    with pytest.raises(ValueError, match="optimizer must support momentum or beta1 with `cycle_momentum`"):
        kit.CyclicLR(optimizer, 1.0, 3.0)
    kit.CyclicLR(optimizer, 1.0, 3.0, cycle_momentum=False)


def test_unknown_mode_is_refused(kit):
    with pytest.raises(ValueError, match="mode"):
        kit.CyclicLR(kit.optimizer(0.05), 1.0, 3.0, mode="hexagonal")


def test_unknown_mode_does_not_matter_beside_a_function(kit):
    kit.CyclicLR(kit.optimizer(0.05), 1.0, 3.0, mode="hexagonal", scale_fn=lambda x: 1.0)


@pytest.mark.parametrize("name", ["base_lr", "max_lr", "base_momentum", "max_momentum"])
def test_wrong_number_of_values_is_refused(kit, name):
    arguments = {"base_lr": 1.0, "max_lr": 3.0, name: [0.1, 0.2, 0.3]}
    with pytest.raises(ValueError, match=name):
        kit.CyclicLR(kit.optimizer(0.05, 0.5), **arguments)


def test_what_is_no_optimizer_is_refused(kit):
    with pytest.raises(TypeError, match="object is not an Optimizer"):
        kit.CyclicLR(object(), 1.0, 3.0)


@pytest.mark.parametrize("scale_mode", ["cycle", "iterations"])
def test_own_scale(kit, scale_mode):
    """It is asked with the number of the cycle, from 1, or with that of the step."""
    scheduler = kit.CyclicLR(
        kit.optimizer(0.05), 1.0, 3.0, 2, scale_fn=lambda x: 1 / (1 + x), scale_mode=scale_mode
    )
    rates, seconds = trace(kit, scheduler, 14)
    scales = [1 / (1 + (t if scale_mode == "iterations" else t // 4 + 1)) for t in range(14)]
    kit.close(rates[:, 0], [1 + 2 * wave(t, 2) * scale for t, scale in enumerate(scales)])
    kit.close(seconds[:, 0], [0.9 - 0.1 * wave(t, 2) * scale for t, scale in enumerate(scales)])


def test_scale_can_be_asked(kit):
    def scale_of(**options):
        return kit.CyclicLR(kit.optimizer(0.05), 1.0, 3.0, **options).scale_fn

    assert scale_of()(3) == 1.0
    assert scale_of(mode="triangular2")(3) == 0.25
    assert scale_of(mode="exp_range", gamma=0.5)(3) == 0.125
    assert scale_of(scale_fn=lambda x: x + 1)(3) == 4


# state


class Scale:
    def __init__(self, factor=0.5):
        self.factor = factor

    def __call__(self, x):
        return self.factor


def half(x):
    return 0.5


def make(kit, optimizer=None, **options):
    return kit.CyclicLR(
        optimizer or kit.optimizer(0.05, kind="Adam"), 1, 5, 4, cycle_momentum=False, **options
    )


def test_state_can_be_pickled(kit):
    scheduler = make(kit)
    assert isinstance(scheduler._scale_fn_ref, types.FunctionType)
    for scale, saved in ((None, None), (half, None), (Scale(0.5), {"factor": 0.5})):
        state = make(kit, scale_fn=scale).state_dict()
        assert "_scale_fn_ref" not in state
        assert state["_scale_fn_custom"] == saved
        assert pickle.loads(pickle.dumps(state)) == state


def test_state_with_a_built_in_scale(kit):
    for mode in ("triangular2", "exp_range"):
        one = make(kit, mode=mode, gamma=0.9)
        other = make(kit)
        other.load_state_dict(one.state_dict())
        assert other.mode == one.mode == mode
        assert callable(other._scale_fn_ref)
        assert other._scale_fn_custom is one._scale_fn_custom is None
        kit.close(kit.trace(20, other), kit.trace(20, one))


def test_state_with_a_function_keeps_that_of_the_new_scheduler(kit):
    one, other = make(kit, scale_fn=half), make(kit, scale_fn=half)
    for _ in range(3):
        kit.advance(one)
    other.load_state_dict(one.state_dict())
    assert one._scale_fn_custom is other._scale_fn_custom is half
    kit.advance(one)
    kit.advance(other)
    kit.close(kit.rates(other.optimizer), kit.rates(one.optimizer))


def test_state_with_an_object_brings_its_attributes(kit):
    one, scale = make(kit, scale_fn=Scale(0.25)), Scale(0.5)
    other = make(kit, scale_fn=scale)
    for _ in range(3):
        kit.advance(one)
    other.load_state_dict(one.state_dict())
    assert other._scale_fn_custom is scale
    assert scale.factor == 0.25
    kit.advance(one)
    kit.advance(other)
    kit.close(kit.rates(other.optimizer), kit.rates(one.optimizer))


def test_momenta_go_on_after_loading_both_states(kit):
    def build():
        return kit.CyclicLR(kit.optimizer(0.05, 0.5), [1, 2], 5, 3, mode="triangular2")

    one = build()
    for _ in range(8):
        kit.advance(one)
    other = build()
    other.optimizer.load_state_dict(one.optimizer.state_dict())
    other.load_state_dict(one.state_dict())
    for mine, theirs in zip(trace(kit, other, 12), trace(kit, one, 12), strict=True):
        kit.close(mine, theirs)


def test_last_epoch_goes_on_in_the_cycle(kit):
    optimizer = kit.optimizer(0.05)
    optimizer.param_groups[0]["initial_lr"] = 1.0
    scheduler = kit.CyclicLR(optimizer, 1.0, 5.0, 4, last_epoch=1, cycle_momentum=False)
    assert scheduler.last_epoch == 2
    kit.close(kit.trace(4, scheduler)[:, 0], [3, 4, 5, 4])
