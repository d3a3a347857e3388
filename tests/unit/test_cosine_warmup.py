"""get_cosine_schedule_with_warmup: up in a straight line, down along a cosine, and then still."""

from __future__ import annotations

import math
import pickle
from types import SimpleNamespace

import numpy as np
import pytest

from genesis.optim import LambdaLR, get_cosine_schedule_with_warmup


def groups(*rates):
    return SimpleNamespace(param_groups=[{"lr": rate} for rate in rates])


def rates_over(scheduler, steps):
    """The first group's rate at steps 0 to steps - 1."""
    rates = [scheduler.get_last_lr()[0]]
    for _ in range(steps - 1):
        scheduler.step()
        rates.append(scheduler.get_last_lr()[0])
    return rates


def test_is_a_lambda_lr_that_sets_the_first_rate():
    optimizer = groups(1.0, 0.1)
    scheduler = get_cosine_schedule_with_warmup(optimizer, 10, 100)
    assert isinstance(scheduler, LambdaLR)
    assert [group["lr"] for group in optimizer.param_groups] == [0.0, 0.0]


def test_rises_linearly_then_falls_along_a_cosine_and_stays_at_zero():
    rates = rates_over(get_cosine_schedule_with_warmup(groups(2.0), 4, 12), 40)
    assert rates[:5] == [0.0, 0.5, 1.0, 1.5, 2.0]
    expected = [1.0 + math.cos(math.pi * step / 8) for step in range(9)]
    assert rates[4:13] == pytest.approx(expected, rel=1e-15, abs=1e-15)  # another order of rounding
    assert rates[12:] == [0.0] * 28


def test_without_warmup_starts_at_the_base_rate():
    assert rates_over(get_cosine_schedule_with_warmup(groups(2.0), 0, 2), 3) == pytest.approx([2.0, 1.0, 0.0])


def test_warmup_that_lasts_the_whole_training_ends_at_the_base_rate():
    assert rates_over(get_cosine_schedule_with_warmup(groups(1.0), 2, 2), 5) == [0.0, 0.5, 1.0, 1.0, 1.0]


@pytest.mark.parametrize(("num_cycles", "end"), [(0, 1.0), (0.25, 0.5), (0.5, 0.0), (1, 1.0), (1.5, 0.0)])
def test_stays_where_the_cosine_ends(num_cycles, end):
    scheduler = get_cosine_schedule_with_warmup(groups(1.0), 2, 10, num_cycles)
    assert rates_over(scheduler, 15)[10:] == pytest.approx([end] * 5, abs=1e-15)  # the rounding of pi


def test_several_cycles_rise_again_in_between():
    rates = rates_over(get_cosine_schedule_with_warmup(groups(1.0), 0, 8, num_cycles=1), 9)
    assert rates[4] == 0.0
    assert rates[8] == 1.0


def test_lengths_may_have_fractions():
    rates = rates_over(get_cosine_schedule_with_warmup(groups(1.0), 0.1 * 25, 6.5), 10)
    assert rates[:4] == [0.0, 1 / 2.5, 2 / 2.5, 0.5 * (1 + math.cos(math.pi * 0.5 / 4))]
    assert rates[7:] == [0.0, 0.0, 0.0]


def test_preview_agrees_with_stepping():
    scheduler = get_cosine_schedule_with_warmup(groups(0.3), 7, 50)
    preview = scheduler.preview(60)[:, 0]
    # NumPy's cosine and that of the C library may differ in the last place.
    np.testing.assert_allclose(preview, rates_over(scheduler, 60), rtol=1e-14, atol=1e-16)
    assert preview[0] == 0.0
    assert (preview[50:] == 0.0).all()


@pytest.mark.parametrize("stop", [0, 1, 4, 5, 9, 12])
def test_last_epoch_and_state_resume_exactly(stop):
    optimizer = groups(1.0)
    whole = get_cosine_schedule_with_warmup(optimizer, 4, 10)
    for _ in range(stop):
        whole.step()
    by_state = get_cosine_schedule_with_warmup(groups(1.0), 4, 10)
    by_state.load_state_dict(whole.state_dict())
    resumed = groups(optimizer.param_groups[0]["lr"])
    resumed.param_groups[0]["initial_lr"] = optimizer.param_groups[0]["initial_lr"]
    whole.step()
    by_state.step()
    by_last_epoch = get_cosine_schedule_with_warmup(resumed, 4, 10, last_epoch=stop)
    assert by_last_epoch.get_last_lr() == by_state.get_last_lr() == whole.get_last_lr()


def test_can_be_pickled():
    scheduler = get_cosine_schedule_with_warmup(groups(1.0), 4, 10)
    scheduler.step()
    copy = pickle.loads(pickle.dumps(scheduler))
    assert rates_over(copy, 12) == rates_over(scheduler, 12)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((-1, 10), ValueError, "num_warmup_steps must be at least 0, got -1"),
        ((0, -10), ValueError, "num_training_steps must be at least 0, got -10"),
        ((0, 0), ValueError, "num_training_steps must be above 0, got 0"),
        ((11, 10), ValueError, "num_warmup_steps=11 is more than num_training_steps=10"),
        ((math.nan, 10), ValueError, "num_warmup_steps must be a finite number"),
        ((1, math.inf), ValueError, "num_training_steps must be a finite number"),
        ((None, 10), TypeError, "num_warmup_steps must be a number, got NoneType"),
        ((1, True), TypeError, "num_training_steps must be a number, got bool"),
        ((1, 10, -0.5), ValueError, "num_cycles must be at least 0, got -0.5"),
    ],
)
def test_degenerate_lengths_are_refused_at_once(arguments, error, message):
    optimizer = groups(0.1)
    with pytest.raises(error, match=message):
        get_cosine_schedule_with_warmup(optimizer, *arguments)
    assert optimizer.param_groups == [{"lr": 0.1}]


def test_numpy_numbers_are_lengths_and_are_saved_as_plain_ones():
    state = get_cosine_schedule_with_warmup(groups(1.0), np.int64(2), np.float32(8)).state_dict()
    (saved,) = state["lr_lambdas"]
    assert (type(saved["num_warmup_steps"]), type(saved["num_training_steps"])) == (int, float)


def test_what_is_no_optimizer_is_refused():
    with pytest.raises(TypeError, match="list is not an Optimizer"):
        get_cosine_schedule_with_warmup([1.0], 1, 10)
