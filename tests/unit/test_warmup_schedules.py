"""The schedules that begin with a warmup: values, ends, floors, errors, and what every shape can do."""

from __future__ import annotations

import doctest
import json
import math
import pickle
from types import SimpleNamespace

import numpy as np
import pytest

from genesis.optim import training_length
from genesis_schedulers import warmup, warmup_floors, warmup_shapes
from genesis_schedulers.warmup_floors import (
    CosineWarmupWithMinLR,
    CosineWithMinLR,
    PolynomialWithWarmup,
    WarmupStableDecay,
)
from genesis_schedulers.warmup_shapes import (
    ConstantWithWarmup,
    CosineRestartsWithWarmup,
    CosineWithWarmup,
    InverseSqrtWithWarmup,
    LinearWithWarmup,
)

SHAPES = [
    ConstantWithWarmup(0),
    ConstantWithWarmup(3),
    InverseSqrtWithWarmup(3),
    InverseSqrtWithWarmup(0, timescale=2.5),
    LinearWithWarmup(3, 10),
    LinearWithWarmup(2.5, 9.5),
    LinearWithWarmup(4, 4),
    CosineWithWarmup(3, 10, num_cycles=1.5),
    CosineRestartsWithWarmup(2, 12, num_cycles=3),
    PolynomialWithWarmup(2, 12, lr_end=0.01, power=2.5, lr_init=0.1),
    PolynomialWithWarmup(3, 3, lr_end=0.01, lr_init=0.1),
    CosineWithMinLR(2, 12, min_lr=0.01, lr_init=0.1),
    CosineWithMinLR(2, 12, min_lr_rate=0.2, end="repeat"),
    CosineWarmupWithMinLR(2, 12, min_lr_rate=0.2),
    CosineWarmupWithMinLR(4, 12, min_lr=0.2, warmup_lr_rate=0.5),
    WarmupStableDecay(2, 3, 4),
    WarmupStableDecay(2.5, 3, 4.25, "cosine", "1-sqrt", min_lr_ratio=0.1),
    WarmupStableDecay(4, 0, 3, "1-sqrt", "linear"),
    WarmupStableDecay(0, 2, 0),
]
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=repr)


def groups(*rates):
    return SimpleNamespace(param_groups=[{"lr": rate} for rate in rates])


def rates_over(scheduler, steps):
    rates = [scheduler.get_last_lr()[0]]
    for _ in range(steps - 1):
        scheduler.step()
        rates.append(scheduler.get_last_lr()[0])
    return rates


def over(shape, steps):
    return [shape(step) for step in range(steps)]


# every shape


@every_shape
def test_configuration_makes_the_same_shape_again(shape):
    assert type(shape).from_config(json.loads(json.dumps(shape.to_config()))) == shape


@every_shape
def test_can_be_pickled_and_tells_its_parameters(shape):
    assert pickle.loads(pickle.dumps(shape)) == shape
    assert eval(repr(shape)) == shape


@every_shape
def test_array_of_steps_gives_what_single_steps_give(shape):
    last = shape.horizon or 40
    whole = np.arange(last + 1, dtype=np.uint8)
    fractions = np.linspace(0, last, 101).reshape(1, 101)
    for steps in (whole, fractions):
        expected = [shape.at(step) for step in steps.ravel().tolist()]
        values = shape.at_array(steps)
        assert (values.dtype, values.shape) == (np.float64, steps.shape)
        # The cosine and the power of NumPy and of the C library may differ in the last place.
        np.testing.assert_allclose(values.ravel(), expected, rtol=1e-14, atol=1e-15)


@every_shape
def test_values_are_floats_from_0_to_1_at_any_fraction_of_a_step(shape):
    for step in np.linspace(0, shape.horizon or 40, 1001).tolist():
        value = shape.at(step)
        assert type(value) is float
        assert 0.0 <= value <= 1.0


@every_shape
def test_holds_its_last_value(shape):
    if shape.horizon is not None and shape.end == "hold":
        end = shape(shape.horizon)
        assert [shape(shape.horizon + more) for more in (1, 2, 77)] == [end] * 3


@every_shape
def test_says_its_formula_and_its_first_phase(shape):
    assert shape.formula
    assert shape.phase(0) in ("warmup", "constant", "decay", "stable")


@pytest.mark.parametrize("module", [warmup_shapes, warmup_floors])
def test_examples_run(module):
    assert doctest.testmod(module).failed == 0


# values


def test_constant_stays_at_the_base_rate():
    assert rates_over(warmup.get_constant_schedule(groups(0.3)), 4) == [0.3] * 4


def test_constant_with_warmup_rises_and_stays():
    scheduler = warmup.get_constant_schedule_with_warmup(groups(2.0), 4)
    assert rates_over(scheduler, 7) == [0.0, 0.5, 1.0, 1.5, 2.0, 2.0, 2.0]


def test_linear_rises_and_falls_to_zero():
    scheduler = warmup.get_linear_schedule_with_warmup(groups(2.0), 2, 6)
    assert rates_over(scheduler, 9) == [0.0, 1.0, 2.0, 1.5, 1.0, 0.5, 0.0, 0.0, 0.0]


def test_hard_restarts_begin_anew_and_end_at_zero():
    scheduler = warmup.get_cosine_with_hard_restarts_schedule_with_warmup(groups(1.0), 2, 10, num_cycles=2)
    half = 0.5 * (1 + math.cos(math.pi / 4))
    expected = [0.0, 0.5, 1.0, half, 0.5, 1 - half, 1.0, half, 0.5, 1 - half, 0.0, 0.0]
    assert rates_over(scheduler, 12) == pytest.approx(expected, abs=1e-15)  # the rounding of pi


def test_polynomial_ends_at_the_end_rate():
    scheduler = warmup.get_polynomial_decay_schedule_with_warmup(groups(2.0), 2, 6, lr_end=0.4, power=2)
    expected = [0.0, 1.0, 2.0, 1.3, 0.8, 0.5, 0.4, 0.4]  # 1.6 * remaining^2 + 0.4
    assert rates_over(scheduler, 8) == pytest.approx(expected, rel=1e-15)


def test_inverse_sqrt_falls_for_ever():
    scheduler = warmup.get_inverse_sqrt_schedule(groups(1.0), 4)
    assert scheduler.value_at(np.array([2, 4, 16, 64, 400])).ravel().tolist() == [0.5, 1.0, 0.5, 0.25, 0.1]
    assert warmup.get_inverse_sqrt_schedule(groups(1.0), 0).value_at(30_000) == [0.5]


def test_cosine_stops_at_its_floor():
    by_rate = warmup.get_cosine_with_min_lr_schedule_with_warmup(groups(2.0), 0, 4, min_lr_rate=0.1)
    by_value = warmup.get_cosine_with_min_lr_schedule_with_warmup(groups(2.0), 0, 4, min_lr=0.2)
    rates = rates_over(by_rate, 7)
    assert rates == rates_over(by_value, 7)
    assert rates[0::2] == pytest.approx([2.0, 1.1, 0.2, 0.2], rel=1e-15)


def test_cosine_with_a_warmup_rate_begins_above_zero_and_ends_a_step_earlier():
    function = warmup.get_cosine_with_min_lr_schedule_with_warmup_lr_rate
    plain = rates_over(function(groups(1.0), 4, 6, min_lr_rate=0.25), 8)
    assert plain == [0.25, 0.5, 0.75, 1.0, 0.625, 0.25, 0.25, 0.25]
    started = rates_over(function(groups(1.0), 3, 5, min_lr_rate=0.25, warmup_lr_rate=0.5), 4)
    assert started == [0.5, 0.75, 1.0, 0.625]


def test_wsd_rises_stays_and_falls():
    scheduler = warmup.get_wsd_schedule(groups(2.0), 2, 4, 9, decay_type="linear", min_lr_ratio=0.5)
    assert rates_over(scheduler, 11) == [1.0, 1.5, 2.0, 2.0, 2.0, 2.0, 1.75, 1.5, 1.25, 1.0, 1.0]


@pytest.mark.parametrize(
    ("kind", "rise", "fall"),
    [
        ("linear", 0.25, 0.75),
        ("cosine", 0.14644660940672624, 0.8535533905932737),
        ("1-sqrt", 0.1339745962155614, 0.5),
    ],
)
def test_wsd_shapes_a_quarter_of_the_way(kind, rise, fall):
    shape = WarmupStableDecay(4, 1, 4, kind, kind)
    assert (shape(1), shape(6)) == pytest.approx((rise, fall), rel=1e-15)


def test_wsd_lengths_may_be_given_in_two_ways():
    one = warmup.get_wsd_schedule(groups(1.0), 2, 4, num_training_steps=9)
    other = warmup.get_wsd_schedule(groups(1.0), 2, 4, num_stable_steps=3)
    both = warmup.get_wsd_schedule(groups(1.0), 2, 4, num_training_steps=9, num_stable_steps=3)
    assert one.lr_lambdas == other.lr_lambdas == both.lr_lambdas == [WarmupStableDecay(2, 3, 4)]


def test_wsd_lengths_that_contradict_are_warned_of():
    with pytest.warns(UserWarning, match="num_training_steps=10 is not 2 \\+ 3 \\+ 4"):
        scheduler = warmup.get_wsd_schedule(groups(1.0), 2, 4, num_training_steps=10, num_stable_steps=3)
    assert scheduler.lr_lambdas[0].horizon == 9


def test_phases_are_named():
    shape = WarmupStableDecay(2, 3, 4)
    assert [shape.phase(step) for step in (0, 2, 5, 9)] == ["warmup", "stable", "decay", "end"]
    assert [LinearWithWarmup(2, 6).phase(step) for step in (0, 2)] == ["warmup", "decay"]
    assert [ConstantWithWarmup(2).phase(step) for step in (0, 2)] == ["warmup", "constant"]


def test_longer_training_lengthens_the_plateau_until_the_decay_begins():
    shape = WarmupStableDecay(2, 3, 4)
    assert shape.stretched(4, 20) == WarmupStableDecay(2, 14, 4)
    assert shape.stretched(2, 6) == WarmupStableDecay(2, 0, 4)
    late = shape.stretched(7, 20)
    assert (late.horizon, late(7), late(20)) == (20, shape(7), 0.0)


def test_lengths_may_be_parts_of_the_training():
    assert LinearWithWarmup("10%", 200) == LinearWithWarmup(20, 200)
    with training_length(total_steps=500, steps_per_epoch=50):
        assert CosineWithWarmup("1ep", "10ep") == CosineWithWarmup(50, 500)
        assert ConstantWithWarmup("10%") == ConstantWithWarmup(50)
    scheduler = warmup.get_wsd_schedule(groups(1.0), "5%", "20%", num_training_steps=200)
    assert scheduler.lr_lambdas == [WarmupStableDecay(10, 150, 40)]
    with pytest.raises(ValueError, match="num_warmup_steps='10%': of how many steps"):
        ConstantWithWarmup("10%")


# floors, the same for every group


@pytest.mark.parametrize("base", [1.0, 0.3, 1e-3])
def test_floor_is_the_same_rate_for_any_base(base):
    shapes = [
        PolynomialWithWarmup(2, 6, lr_end=1e-4),
        CosineWithMinLR(2, 6, min_lr=1e-4),
        CosineWarmupWithMinLR(2, 6, min_lr=1e-4),
    ]
    for shape in shapes:
        bound = shape.for_base(base)
        assert type(bound) is type(shape)
        assert base * bound(6) == pytest.approx(1e-4, rel=1e-15)
        assert base * bound(2) <= base
    for free in (CosineWithMinLR(2, 6, min_lr_rate=0.1), LinearWithWarmup(2, 6)):
        assert free.for_base(base) == free


def test_groups_of_different_rates_end_at_the_same_floor():
    name_and_options = [
        (warmup.get_polynomial_decay_schedule_with_warmup, {"lr_end": 0.05}),
        (warmup.get_cosine_with_min_lr_schedule_with_warmup, {"min_lr": 0.05}),
        (warmup.get_cosine_with_min_lr_schedule_with_warmup_lr_rate, {"min_lr": 0.05}),
    ]
    for function, options in name_and_options:
        scheduler = function(groups(1.0, 0.1), 1, 4, **options)
        assert scheduler.value_at(4) == pytest.approx([0.05, 0.05], rel=1e-15)
        assert scheduler.value_at(1)[1] <= 0.1


def test_group_at_rate_zero_stays_there():
    for shape in (PolynomialWithWarmup(0, 4), CosineWithMinLR(0, 4, min_lr=0.1)):
        assert [0.0 * shape.for_base(0.0)(step) for step in range(6)] == [0.0] * 6


# what is refused


HOLD, LINEAR = warmup.get_constant_schedule_with_warmup, warmup.get_linear_schedule_with_warmup
RESTARTS = warmup.get_cosine_with_hard_restarts_schedule_with_warmup
POLYNOMIAL, SQRT = warmup.get_polynomial_decay_schedule_with_warmup, warmup.get_inverse_sqrt_schedule
FLOOR = warmup.get_cosine_with_min_lr_schedule_with_warmup
AHEAD, WSD = warmup.get_cosine_with_min_lr_schedule_with_warmup_lr_rate, warmup.get_wsd_schedule


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda o: HOLD(o, -1), "num_warmup_steps must be at least 0, got -1"),
        (lambda o: LINEAR(o, 11, 10), "num_warmup_steps=11 is more than num_training_steps=10"),
        (lambda o: LINEAR(o, 0, 0), "num_training_steps must be above 0, got 0"),
        (lambda o: LINEAR(o, 0, math.inf), "num_training_steps must be a finite number, got inf"),
        (lambda o: RESTARTS(o, 0, 10, num_cycles=0), "num_cycles must be above 0, got 0"),
        (
            lambda o: POLYNOMIAL(o, 0, 10, 0.1),
            r"lr_end \(0.1\) must be smaller than the initial rate \(0.1\)",
        ),
        (lambda o: POLYNOMIAL(o, 0, 10, lr_end=-1), "lr_end must be at least 0, got -1"),
        (lambda o: POLYNOMIAL(o, 0, 10, power=0), "power must be above 0, got 0"),
        (lambda o: SQRT(o, 0, timescale=0), "timescale must be above 0, got 0"),
        (lambda o: FLOOR(o, 0, 10), "one of min_lr and min_lr_rate should be set, and only one; got neither"),
        (lambda o: FLOOR(o, 0, 10, min_lr=0, min_lr_rate=0), "only one; got both"),
        (lambda o: FLOOR(o, 0, 10, min_lr=0.2), r"min_lr \(0.2\) must be at most the initial rate \(0.1\)"),
        (lambda o: FLOOR(o, 0, 10, min_lr_rate=2), "min_lr_rate must be at most 1, got 2"),
        (lambda o: AHEAD(o, 0, 10, min_lr=0, warmup_lr_rate=2), "warmup_lr_rate must be at most 1, got 2"),
        (lambda o: WSD(o, 2, 4), "one of num_training_steps and num_stable_steps must be given, got neither"),
        (lambda o: WSD(o, 6, 5, 10), "num_warmup_steps=6 and num_decay_steps=5 are more than num_training"),
        (lambda o: WSD(o, 0, 0, 0), "the number of steps in all must be above 0, got 0"),
        (lambda o: WSD(o, 2, 4, 9, decay_type="exp"), "decay_type must be one of 'linear', 'cosine', '1-sq"),
        (lambda o: WSD(o, 2, 4, 9, min_lr_ratio=2), "min_lr_ratio must be at most 1, got 2"),
    ],
)
def test_degenerate_parameters_are_refused_at_once(build, message):
    optimizer = groups(0.1)
    with pytest.raises(ValueError, match=message):
        build(optimizer)
    assert optimizer.param_groups == [{"lr": 0.1}]


@pytest.mark.parametrize("given", [None, True, [3], 1j])
def test_what_is_no_length_is_refused(given):
    for build in (HOLD, LINEAR, WSD):
        with pytest.raises(TypeError, match="num_warmup_steps must be a number, got"):
            build(groups(0.1), given, *(9, 20)[: 0 if build is HOLD else 1 if build is LINEAR else 2])


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("get_constant_schedule", ()),
        ("get_polynomial_decay_schedule_with_warmup", (1, 10)),
        ("get_wsd_schedule", (2, 4, 9)),
    ],
)
def test_what_is_no_optimizer_is_refused(name, args):
    with pytest.raises(TypeError, match="list is not an Optimizer"):
        getattr(warmup, name)([1.0], *args)


# as schedulers


@pytest.mark.parametrize("stop", [0, 2, 5, 9])
def test_state_resumes_exactly(stop):
    def build():
        return warmup.get_polynomial_decay_schedule_with_warmup(groups(0.8), 2, 7, lr_end=0.01, power=2)

    whole, resumed = build(), build()
    for _ in range(stop):
        whole.step()
    resumed.load_state_dict(json.loads(json.dumps(whole.state_dict())))
    assert rates_over(resumed, 10) == rates_over(whole, 10)


def test_scheduler_can_be_pickled():
    scheduler = warmup.get_wsd_schedule(groups(1.0), 2, 4, 9)
    scheduler.step()
    assert rates_over(pickle.loads(pickle.dumps(scheduler)), 12) == rates_over(scheduler, 12)


@pytest.mark.parametrize("warmup", [0, 1, 3, 2.5, 10])
@pytest.mark.parametrize("end", ["hold", "repeat"])
def test_what_a_driver_asks_is_the_value(warmup, end):
    shape = CosineWithWarmup(warmup, 10, 1.5, end=end)
    function = shape.compiled()
    assert [function(step) for step in range(25)] == [shape(step) for step in range(25)]
