"""Side by side with transformers.optimization 5.23.0: factors, signatures, get_scheduler and GreedyLR."""

from __future__ import annotations

import inspect
import itertools
import math
import random

import pytest
import torch
from transformers import optimization as theirs

from genesis import nn, optim
from genesis import optim as by_name
from genesis_schedulers import greedy
from genesis_schedulers import warmup as ours

pytestmark = pytest.mark.parity

LENGTHS = [(0, 1), (0, 7), (1, 2), (3, 10), (5, 5), (10, 100), (37, 301), (999, 1000)]
CYCLES = [0.5, 1, 1.5, 2.25, 3]


def torch_sgd(*rates):
    groups = [{"params": [torch.nn.Parameter(torch.ones(1))], "lr": rate} for rate in rates]
    return torch.optim.SGD(groups, lr=rates[0])


def genesis_sgd(*rates):
    groups = [{"params": list(nn.Linear(1, 1).parameters()), "lr": rate} for rate in rates]
    return optim.SGD(groups, lr=rates[0])


def factors(scheduler, steps):
    return [scheduler.lr_lambdas[0](step) for step in range(steps)]


def assert_factors_equal(name, *args, horizon, rate=0.1, **kwargs):
    """To the last bit up to `horizon`, by stepping too; after it ours hold, whatever theirs do."""
    mine = getattr(ours, name)(genesis_sgd(rate), *args, **kwargs)
    other = getattr(theirs, name)(torch_sgd(rate), *args, **kwargs)
    expected = factors(other, horizon + 1)
    assert factors(mine, horizon + 1) == expected
    assert [mine.lr_lambdas[0](horizon + more) for more in (1, 2, 1000)] == [expected[-1]] * 3
    for step in range(min(horizon, 60) + 1):
        assert mine.get_last_lr() == [rate * expected[step]] == other.get_last_lr()
        assert mine.optimizer.param_groups[0]["lr"] == other.optimizer.param_groups[0]["lr"]
        for scheduler in (mine, other):
            scheduler.optimizer.step()
            scheduler.step()


NAMES = [
    name
    for name, function in vars(theirs).items()
    if name.startswith("get_") and inspect.isfunction(function) and function.__module__ == theirs.__name__
]
LEFT_OUT = {"get_adafactor_schedule"}  # it reads private attributes of transformers' own Adafactor


def test_every_function_of_theirs_is_here():
    assert {name for name in NAMES if hasattr(ours, name)} == set(NAMES) - LEFT_OUT - {"get_scheduler"}


@pytest.mark.parametrize("name", sorted(set(NAMES) - LEFT_OUT - {"get_scheduler"}))
def test_signatures_are_equal(name):
    def plain(function):
        return [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]

    assert plain(getattr(ours, name)) == plain(getattr(theirs, name))


def test_constant():
    assert_factors_equal("get_constant_schedule", horizon=20)


@pytest.mark.parametrize("warmup", [0, 1, 7, 100])
def test_constant_with_warmup(warmup):
    assert_factors_equal("get_constant_schedule_with_warmup", warmup, horizon=warmup + 5)


@pytest.mark.parametrize(("warmup", "total"), LENGTHS)
def test_linear(warmup, total):
    assert_factors_equal("get_linear_schedule_with_warmup", warmup, total, horizon=total)


@pytest.mark.parametrize("cycles", [0, *CYCLES])
@pytest.mark.parametrize(("warmup", "total"), LENGTHS)
def test_cosine(warmup, total, cycles):
    assert_factors_equal("get_cosine_schedule_with_warmup", warmup, total, cycles, horizon=total)


@pytest.mark.parametrize("cycles", CYCLES)
@pytest.mark.parametrize(("warmup", "total"), LENGTHS)
def test_cosine_with_hard_restarts(warmup, total, cycles):
    name = "get_cosine_with_hard_restarts_schedule_with_warmup"
    assert_factors_equal(name, warmup, total, cycles, horizon=total)


@pytest.mark.parametrize(("lr_end", "power"), list(itertools.product([0, 1e-7, 0.03], [0.5, 1, 2.0, 3.7])))
@pytest.mark.parametrize(("warmup", "total"), [pair for pair in LENGTHS if pair[0] < pair[1]])
def test_polynomial(warmup, total, lr_end, power):
    name = "get_polynomial_decay_schedule_with_warmup"
    assert_factors_equal(name, warmup, total, lr_end, power, horizon=total)


@pytest.mark.parametrize("timescale", [None, 1, 30, 1000.5])
@pytest.mark.parametrize("warmup", [0, 1, 7, 100])
def test_inverse_sqrt(warmup, timescale):
    mine = ours.get_inverse_sqrt_schedule(genesis_sgd(0.1), warmup, timescale)
    other = theirs.get_inverse_sqrt_schedule(torch_sgd(0.1), warmup, timescale)
    assert factors(mine, 3000) == factors(other, 3000)


FLOORS = [{"min_lr": 0.0}, {"min_lr": 0.007}, {"min_lr": 0.1}, {"min_lr_rate": 0}, {"min_lr_rate": 0.3}]


@pytest.mark.parametrize("floor", FLOORS, ids=str)
@pytest.mark.parametrize("cycles", CYCLES)
@pytest.mark.parametrize(("warmup", "total"), LENGTHS)
def test_cosine_with_min_lr(warmup, total, cycles, floor):
    name = "get_cosine_with_min_lr_schedule_with_warmup"
    assert_factors_equal(name, warmup, total, num_cycles=cycles, horizon=total, **floor)


@pytest.mark.parametrize("start", [None, 0, 0.01, 0.5, 1])
@pytest.mark.parametrize("floor", FLOORS, ids=str)
@pytest.mark.parametrize(("warmup", "total"), LENGTHS)
def test_cosine_with_min_lr_and_warmup_rate(warmup, total, floor, start):
    # It runs a step ahead, so its last value is that of step total - 1 (of `total` where all is warmup).
    name, horizon = "get_cosine_with_min_lr_schedule_with_warmup_lr_rate", max(total - 1, warmup)
    for cycles in CYCLES:
        options = {"num_cycles": cycles, "warmup_lr_rate": start, **floor}
        assert_factors_equal(name, warmup, total, horizon=horizon, **options)


TYPES = ["linear", "cosine", "1-sqrt"]


@pytest.mark.parametrize("ratio", [0, 0.0, 0.1, 1])
@pytest.mark.parametrize("types", list(itertools.product(TYPES, TYPES)))
@pytest.mark.parametrize("phases", [(0, 0, 5), (0, 4, 0), (3, 0, 0), (1, 1, 1), (4, 7, 9), (30, 100, 57)])
def test_wsd(phases, types, ratio):
    warmup, stable, decay = phases
    for cycles in CYCLES:
        options = dict(zip(("warmup_type", "decay_type"), types, strict=True), min_lr_ratio=ratio)
        options.update(num_cycles=cycles, horizon=sum(phases))
        assert_factors_equal("get_wsd_schedule", warmup, decay, None, stable, **options)
        assert_factors_equal("get_wsd_schedule", warmup, decay, sum(phases), **options)


def test_where_theirs_climb_back_ours_stay():
    mine = ours.get_cosine_schedule_with_warmup(genesis_sgd(1.0), 2, 6)
    other = theirs.get_cosine_schedule_with_warmup(torch_sgd(1.0), 2, 6)
    assert [mine.lr_lambdas[0](step) for step in (7, 8, 10)] == [0.0, 0.0, 0.0]
    assert [round(other.lr_lambdas[0](step), 4) for step in (7, 8, 10)] == [0.1464, 0.5, 1.0]


@pytest.mark.parametrize(
    ("name", "args", "kwargs"),
    [
        ("get_polynomial_decay_schedule_with_warmup", (1, 10), {"lr_end": 0.1}),
        ("get_polynomial_decay_schedule_with_warmup", (1, 10), {"lr_end": 0.2}),
        ("get_cosine_with_min_lr_schedule_with_warmup", (1, 10), {}),
        ("get_cosine_with_min_lr_schedule_with_warmup", (1, 10), {"min_lr": 0.0, "min_lr_rate": 0.0}),
        ("get_cosine_with_min_lr_schedule_with_warmup_lr_rate", (1, 10), {}),
        ("get_cosine_with_min_lr_schedule_with_warmup_lr_rate", (1, 9), {"min_lr": 0, "min_lr_rate": 0}),
        ("get_wsd_schedule", (1, 10), {}),
        ("get_wsd_schedule", (1, 10, 20), {"warmup_type": "sqrt"}),
        ("get_wsd_schedule", (1, 10, 20), {"decay_type": "exp"}),
        ("get_cosine_schedule_with_warmup", (1,), {}),
        ("get_linear_schedule_with_warmup", (1, 10), {"num_cycles": 2}),
    ],
)
def test_errors_are_of_their_types(name, args, kwargs):
    with pytest.raises((ValueError, TypeError)) as expected:
        getattr(theirs, name)(torch_sgd(0.1), *args, **kwargs)
    with pytest.raises(expected.type):
        getattr(ours, name)(genesis_sgd(0.1), *args, **kwargs)


def test_contradicting_wsd_lengths_warn_as_theirs_do():
    mine, other = genesis_sgd(0.1), torch_sgd(0.1)
    with pytest.warns(UserWarning, match="num_training_steps"):
        mine = ours.get_wsd_schedule(mine, 2, 4, num_training_steps=100, num_stable_steps=3)
    with pytest.warns(UserWarning, match="num_stable_steps will be used"):
        other = theirs.get_wsd_schedule(other, 2, 4, num_training_steps=100, num_stable_steps=3)
    assert factors(mine, 20) == factors(other, 20)


def test_on_an_optimizer_of_torch_too():
    mine = ours.get_cosine_schedule_with_warmup(torch_sgd(0.1, 3e-4), 10, 100)
    other = theirs.get_cosine_schedule_with_warmup(torch_sgd(0.1, 3e-4), 10, 100)
    for _ in range(101):
        assert mine.get_last_lr() == other.get_last_lr()
        for scheduler in (mine, other):
            scheduler.optimizer.step()
            scheduler.step()
    assert math.isclose(mine.get_last_lr()[0], 0.0, abs_tol=0.0)


# GreedyLR

GREEDY = [
    {},
    {"mode": "max", "patience": 2},
    {"patience": 0, "factor": 0.5, "min_lr": 0.01, "max_lr": 0.5},
    {"patience": 1, "threshold": 0.05, "threshold_mode": "rel", "cooldown": 2, "warmup": 3},
    {"patience": 1, "smooth": True, "window_size": 5, "factor": 0.7},
    {"mode": "max", "threshold_mode": "rel", "threshold": 0.01, "patience": 1, "smooth": True},
    {"patience": 0, "factor": 0.3, "min_lr": [0.02, 0.05], "max_lr": [0.2, 0.9], "reset_start": 2},
    {"patience": 0, "factor": 0.5, "reset_start": 0, "cooldown": 1, "smooth": True, "window_size": 2},
    {"patience": 1, "eps": 0.02, "verbose": True},
]


def metrics_of(seed, steps=400):
    """A noisy walk with stretches that fall, stay and rise, and some values that are no numbers."""
    source, value = random.Random(seed), 5.0
    for step in range(steps):
        value += source.gauss((-0.2, 0.0, 0.15)[step // 40 % 3], 0.1)
        yield math.nan if source.random() < 0.01 else value


@pytest.mark.parametrize("options", GREEDY, ids=str)
@pytest.mark.parametrize("make", [torch_sgd, genesis_sgd])
def test_greedy_goes_the_same_way(options, make):
    for seed in range(5):
        mine = greedy.GreedyLR(make(0.1, 0.3), **options)
        other = theirs.GreedyLR(torch_sgd(0.1, 0.3), **options)
        for metric in metrics_of(seed):
            if options.get("smooth") and math.isnan(metric):
                continue  # their mean is nan for ever after
            mine.step(metric)
            other.step(metric)
            assert mine.state_dict() == other.state_dict()
            for one, another in zip(mine.optimizer.param_groups, other.optimizer.param_groups, strict=True):
                assert one["lr"] == another["lr"]


@pytest.mark.parametrize("options", GREEDY, ids=str)
def test_greedy_states_load_on_the_other_side(options, tmp_path):
    mine, other = (
        greedy.GreedyLR(torch_sgd(0.1, 0.3), **options),
        theirs.GreedyLR(torch_sgd(0.1, 0.3), **options),
    )
    for metric in (5.0, 4.0, 3.0, 3.0, 3.0, 2.0, 2.0):
        mine.step(metric)
        other.step(metric)
    torch.save(mine.state_dict(), tmp_path / "state.pt")
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    to_mine, to_other = greedy.GreedyLR(torch_sgd(0.7, 0.7)), theirs.GreedyLR(torch_sgd(0.7, 0.7))
    to_mine.load_state_dict(other.state_dict())
    to_other.load_state_dict(state)
    for metric in (1.0, 3.0, 3.0, 0.5, 0.25, 0.1, 0.0):
        to_mine.step(metric)
        to_other.step(metric)
        assert to_mine.state_dict() == to_other.state_dict()


def test_greedy_has_their_signature():
    for name in ("GreedyLR", "StreamingAverage"):
        one, other = (inspect.signature(getattr(m, name)).parameters.values() for m in (greedy, theirs))
        assert [(p.name, p.default) for p in one] == [(p.name, p.default) for p in other]
    assert list(inspect.signature(greedy.GreedyLR.step).parameters) == ["self", "metrics", "epoch"]


@pytest.mark.parametrize(
    "options",
    [{"factor": 1.0}, {"mode": "up"}, {"threshold_mode": "x"}, {"min_lr": [1]}, {"max_lr": [1]}, {"nope": 1}],
)
def test_greedy_errors_are_of_their_types(options):
    with pytest.raises((ValueError, TypeError)) as expected:
        theirs.GreedyLR(torch_sgd(0.1, 0.3), **options)
    with pytest.raises(expected.type):
        greedy.GreedyLR(torch_sgd(0.1, 0.3), **options)


def test_mean_recovers_from_nan_where_theirs_does_not():
    mine, other = greedy.StreamingAverage(2), theirs.StreamingAverage(2)
    means = [
        [average.streamavg(value) for value in (1.0, math.nan, 2.0, 4.0)][-1] for average in (mine, other)
    ]
    assert means[0] == 3.0
    assert math.isnan(means[1])


# get_scheduler

BY_NAME = [
    ("linear", 10, 100, None),
    ("cosine", 10, 100, {"num_cycles": 1}),
    ("cosine_with_restarts", 10, 100, {"num_cycles": 3}),
    ("polynomial", 10, 100, {"power": 2.0, "lr_end": 1e-3}),
    ("constant", None, None, None),
    ("constant_with_warmup", 10, None, None),
    ("inverse_sqrt", 10, None, {"timescale": 20}),
    ("cosine_with_min_lr", 10, 100, {"min_lr": 0.01}),
    ("cosine_warmup_with_min_lr", 10, 100, {"min_lr_rate": 0.1, "warmup_lr_rate": 0.2}),
    ("warmup_stable_decay", 10, 100, {"num_decay_steps": 30}),
    ("warmup_stable_decay", 10, None, {"num_decay_steps": 30, "num_stable_steps": 5}),
]


@pytest.mark.parametrize(("name", "warmup", "total", "options"), BY_NAME)
def test_by_name_the_factors_are_equal(name, warmup, total, options):
    expected = factors(theirs.get_scheduler(name, torch_sgd(0.1), warmup, total, options), 100)
    for given in (name, theirs.SchedulerType(name), by_name.SchedulerType(name)):
        assert (
            factors(by_name.get_scheduler(given, genesis_sgd(0.1), warmup, total, options), 100) == expected
        )


def test_greedy_by_name():
    mine = by_name.get_scheduler("greedy", genesis_sgd(0.1), scheduler_specific_kwargs={"patience": 3})
    other = theirs.get_scheduler("greedy", torch_sgd(0.1), scheduler_specific_kwargs={"patience": 3})
    assert mine.state_dict() == other.state_dict()


def test_scheduler_type_has_their_members():
    def members(kind):
        return [(member.name, member.value) for member in kind]

    assert members(by_name.SchedulerType) == members(theirs.SchedulerType)
    assert by_name.SchedulerType.COSINE == "cosine"


@pytest.mark.parametrize(
    ("name", "warmup", "total", "options"),
    [
        ("nope", 1, 10, None),
        ("cosine", None, 10, None),
        ("cosine", 1, None, None),
        ("constant_with_warmup", None, 10, None),
        ("inverse_sqrt", None, 10, None),
        ("warmup_stable_decay", 1, None, {"num_decay_steps": 3}),
        ("warmup_stable_decay", 1, 10, None),
        ("cosine", 1, 10, {"power": 2}),
        ("greedy", None, None, {"num_cycles": 2}),
        ("cosine_with_min_lr", 1, 10, None),
        ("linear", 1, 10, {"num_warmup_steps": 3}),
    ],
)
def test_by_name_errors_are_of_their_types(name, warmup, total, options):
    messages = []
    for module, optimizer in ((theirs, torch_sgd(0.1)), (by_name, genesis_sgd(0.1))):
        with pytest.raises((ValueError, TypeError)) as caught:
            module.get_scheduler(name, optimizer, warmup, total, options)
        messages.append((caught.type, "please provide that argument" in str(caught.value)))
    assert messages[0] == messages[1]


# as transformers' own tests use the schedules


class Wrapper:
    """A function of the step with an attribute, which a state holds."""

    def __init__(self, fn):
        self.fn = fn

    def __call__(self, step):
        return self.fn(step)


@pytest.mark.filterwarnings("ignore:To get the last learning rate")  # they ask get_lr()
@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize(("name", "warmup", "total", "options"), BY_NAME)
def test_saved_and_reloaded_half_way_the_rates_go_on(name, warmup, total, options, wrapped, tmp_path):
    runs = []
    for module in (by_name, theirs):
        scheduler = module.get_scheduler(name, torch_sgd(10.0), warmup, total, options)
        if wrapped and name != "constant":
            scheduler.lr_lambdas = list(map(Wrapper, scheduler.lr_lambdas))
        rates = []
        for step in range(100):
            rates.append(scheduler.get_lr()[0])
            scheduler.optimizer.step()
            scheduler.step()
            if step == 50:
                torch.save(scheduler.state_dict(), tmp_path / "schedule.bin")
                scheduler.load_state_dict(torch.load(tmp_path / "schedule.bin", weights_only=False))
        runs.append(rates)
    assert runs[0] == runs[1]
