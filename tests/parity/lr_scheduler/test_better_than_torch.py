"""Where torch.optim.lr_scheduler 2.13 is wrong: what it should do instead, for Genesis alone.

Each test names what PyTorch does. `whole` is always a run that was never stopped, or what was asked for
written out; PyTorch gives other rates, or an error.
"""

from __future__ import annotations

import copy
import math
import pickle

import pytest

pytestmark = pytest.mark.parity


@pytest.fixture(params=["torch's optimizers", "our optimizers"])
def kit(request, ours):
    """Genesis' schedulers, on optimizers of both libraries."""
    return ours if request.param.startswith("torch") else type(ours)("genesis", "genesis")


def advance(kit, scheduler, count):
    for _ in range(count):
        kit.advance(scheduler)


def trace(kit, scheduler, count):
    return kit.trace(count, scheduler)


# 1. Composites inside composites.


def test_1_sequence_inside_a_sequence_switches_at_its_milestone(kit):
    """PyTorch switches one step early inside, because the inner one is stepped when it is made, too."""
    optimizer = kit.optimizer(1.0)
    inner = kit.SequentialLR(
        optimizer, [kit.ConstantLR(optimizer, 0.5, 99), kit.ConstantLR(optimizer, 0.2, 99)], milestones=[2]
    )
    outer = kit.SequentialLR(optimizer, [inner, kit.ConstantLR(optimizer, 0.1, 99)], milestones=[4])
    kit.close(trace(kit, outer, 6)[:, 0], [0.5, 0.5, 0.2, 0.2, 0.1, 0.1])


def test_1_sequence_as_a_later_part_starts_when_its_turn_comes(kit):
    optimizer = kit.optimizer(1.0)
    inner = kit.SequentialLR(
        optimizer, [kit.ConstantLR(optimizer, 0.5, 99), kit.ExponentialLR(optimizer, 0.1)], milestones=[2]
    )
    outer = kit.SequentialLR(optimizer, [kit.ConstantLR(optimizer, 0.25, 99), inner], milestones=[3])
    kit.close(trace(kit, outer, 8)[:, 0], [0.25, 0.25, 0.25, 0.5, 0.5, 1, 0.1, 0.01])


def test_1_chain_as_the_first_part(kit):
    """PyTorch warns of a wrong order here, and takes a step of the exponential too many."""
    optimizer = kit.optimizer(1.0)
    chain = kit.ChainedScheduler([kit.ExponentialLR(optimizer, 0.5), kit.StepLR(optimizer, 2, 0.1)])
    outer = kit.SequentialLR(optimizer, [chain, kit.ConstantLR(optimizer, 0.25, 99)], milestones=[4])
    kit.close(trace(kit, outer, 6)[:, 0], [1, 0.5, 0.025, 0.0125, 0.25, 0.25])


def test_1_chain_as_a_later_part(kit):
    """PyTorch raises NotImplementedError when it is the chain's turn."""
    optimizer = kit.optimizer(1.0)
    chain = kit.ChainedScheduler([kit.ExponentialLR(optimizer, 0.5), kit.StepLR(optimizer, 2, 0.1)])
    outer = kit.SequentialLR(optimizer, [kit.ConstantLR(optimizer, 0.25, 99), chain], milestones=[2])
    kit.close(trace(kit, outer, 6)[:, 0], [0.25, 0.25, 1, 0.5, 0.025, 0.0125])


def test_1_sequence_inside_a_chain(kit):
    optimizer = kit.optimizer(1.0)
    sequence = kit.SequentialLR(
        optimizer, [kit.ConstantLR(optimizer, 0.5, 99), kit.ExponentialLR(optimizer, 0.1)], milestones=[2]
    )
    chain = kit.ChainedScheduler([sequence, kit.StepLR(optimizer, 3, 0.5)])
    kit.close(trace(kit, chain, 5)[:, 0], [0.5, 0.5, 1, 0.05, 0.005])


def test_1_composites_have_base_rates_and_a_step(kit):
    optimizer = kit.optimizer(0.05, 0.5)
    parts = [kit.StepLR(optimizer, 3), kit.ExponentialLR(optimizer, 0.9)]
    for scheduler in (kit.ChainedScheduler(parts), kit.SequentialLR(optimizer, parts, milestones=[2])):
        assert scheduler.base_lrs == [0.05, 0.5]
        advance(kit, scheduler, 2)
        assert scheduler.last_epoch == 2


# 2. Resuming composites, and from the scheduler's state alone.


def sequence_on(kit, optimizer, **options):
    parts = [kit.ConstantLR(optimizer, 0.5, 2), kit.ExponentialLR(optimizer, 0.9)]
    return kit.SequentialLR(optimizer, parts, milestones=[2], **options)


@pytest.mark.parametrize("steps", range(1, 7))
def test_2_sequence_resumes_with_last_epoch(kit, steps):
    """PyTorch goes on with the initial rate."""
    whole = sequence_on(kit, kit.optimizer(1.0))
    advance(kit, whole, steps)
    optimizer = kit.optimizer(1.0)
    optimizer.load_state_dict(whole.optimizer.state_dict())
    resumed = sequence_on(kit, optimizer, last_epoch=steps - 1)
    kit.close(trace(kit, resumed, 8), trace(kit, whole, 8))


@pytest.mark.parametrize("steps", range(7))
def test_2_composites_resume_from_their_state_alone(kit, composite, steps):
    whole, resumed = (composite(kit, kit.optimizer(0.05, 0.5)) for _ in range(2))
    advance(kit, whole, steps)
    resumed.load_state_dict(whole.state_dict())
    assert kit.rates(resumed.optimizer) == kit.rates(whole.optimizer)
    kit.close(trace(kit, resumed, 8), trace(kit, whole, 8))


@pytest.mark.parametrize("steps", [0, 1, 3, 5, 6])
def test_2_scheduler_resumes_from_its_state_alone(kit, any_case, steps):
    """PyTorch leaves the new optimizer's rates as they are, and those recursive go on from there for ever."""
    whole, resumed = (any_case.make(kit, kit.optimizer(0.05, 0.5)) for _ in range(2))
    advance(kit, whole, steps)
    resumed.load_state_dict(whole.state_dict())
    assert kit.rates(resumed.optimizer) == kit.rates(whole.optimizer)
    kit.close(trace(kit, resumed, 9), trace(kit, whole, 9))


@pytest.mark.parametrize("name", ["CyclicLR", "OneCycleLR"])
def test_2_momentum_resumes_from_the_state_alone(kit, name):
    def build():
        arguments = {"CyclicLR": (0.1, 1.0, 5), "OneCycleLR": (1.0, 15)}[name]
        return getattr(kit, name)(kit.optimizer(0.5), *arguments)

    whole, resumed = build(), build()
    advance(kit, whole, 3)
    resumed.load_state_dict(whole.state_dict())
    for _ in range(8):
        groups = resumed.optimizer.param_groups[0], whole.optimizer.param_groups[0]
        assert groups[0]["momentum"] == groups[1]["momentum"]
        advance(kit, whole, 1)
        advance(kit, resumed, 1)


# 3. The scheduler is built after the optimizer was loaded.


@pytest.mark.parametrize("steps", [0, 1, 3, 5, 6])
def test_3_scheduler_may_be_built_after_loading_the_optimizer(kit, any_case, steps):
    """In PyTorch the constructor multiplies the loaded rates once more, and get_last_lr says otherwise."""
    whole = any_case.make(kit, kit.optimizer(0.05, 0.5))
    advance(kit, whole, steps)
    optimizer = kit.optimizer(0.05, 0.5)
    optimizer.load_state_dict(whole.optimizer.state_dict())
    resumed = any_case.make(kit, optimizer)
    resumed.load_state_dict(whole.state_dict())
    assert kit.rates(optimizer) == kit.rates(whole.optimizer) == resumed.get_last_lr()
    kit.close(trace(kit, resumed, 9), trace(kit, whole, 9))


@pytest.mark.parametrize("steps", [0, 1, 3, 6])
def test_3_optimizer_may_be_loaded_last(kit, any_case, steps):
    whole, resumed = (any_case.make(kit, kit.optimizer(0.05, 0.5)) for _ in range(2))
    advance(kit, whole, steps)
    resumed.load_state_dict(whole.state_dict())
    resumed.optimizer.load_state_dict(whole.optimizer.state_dict())
    kit.close(trace(kit, resumed, 9), trace(kit, whole, 9))


# 4. Resuming with last_epoch.


@pytest.mark.parametrize("steps", range(1, 10))
def test_4_last_epoch_resumes_at_every_step(kit, case, steps):
    """PyTorch applies the change of a boundary twice (StepLR, MultiStepLR, ConstantLR), starts the anneal
    of SWALR anew, and forgets which cycle of growing restarts it is in."""
    whole = case.make(kit, kit.optimizer(0.05, 0.5))
    advance(kit, whole, steps)
    optimizer = kit.optimizer(0.05, 0.5)
    optimizer.load_state_dict(whole.optimizer.state_dict())
    resumed = case.make(kit, optimizer, last_epoch=steps - 1)
    assert kit.rates(optimizer) == pytest.approx(kit.rates(whole.optimizer), rel=1e-12)
    kit.close(trace(kit, resumed, 9), trace(kit, whole, 9))


# 5. Parameter groups that come later.


ABSOLUTE = ("LambdaLR", "CosineAnnealingWarmRestarts", "CyclicLR", "OneCycleLR")


def test_5_group_that_comes_later_is_followed(kit, case):
    """In PyTorch Lambda, Multiplicative, restarts, cyclic, one-cycle and SWALR fail at the next step."""
    arguments = dict(case.arguments)
    if isinstance(arguments.get("lr_lambda"), (list, tuple)):
        arguments["lr_lambda"] = arguments["lr_lambda"][-1]
    make = getattr(kit, case.name)
    optimizer = kit.optimizer(0.5)
    scheduler = make(optimizer, **arguments)
    advance(kit, scheduler, 3)
    then = kit.rates(optimizer)[0]
    optimizer.add_param_group({"params": [kit.parameter()], "lr": 0.25})
    later = trace_after_a_step(kit, scheduler, 8)
    if case.name in ABSOLUTE:
        alone = make(kit.optimizer(0.5, 0.25), **arguments)
        advance(kit, alone, 3)
        kit.close(later, trace_after_a_step(kit, alone, 8))
    elif case.name == "MultiplicativeLR" or "T_max" not in arguments:
        # It goes on from the rate that it came with, as far from the end as the first group is.
        low = arguments.get("swa_lr", 0.0)
        kit.close(later[:, 1] - low, (0.25 - low) * (later[:, 0] - low) / (then - low))
    else:
        low, length = arguments.get("eta_min", 0.0), arguments["T_max"]
        wave = [(1 + math.cos(math.pi * t / length)) / 2 for t in range(3, 12)]
        kit.close(later[:, 1] - low, [(0.25 - low) * height / wave[0] for height in wave[1:]])


def trace_after_a_step(kit, scheduler, count):
    kit.advance(scheduler)
    return kit.trace(count, scheduler)


@pytest.mark.parametrize("name", ["CyclicLR", "OneCycleLR"])
def test_5_momentum_of_a_group_that_comes_later_is_followed(kit, name):
    optimizer = kit.optimizer(0.5)
    arguments = {"CyclicLR": (0.1, 1.0, 5), "OneCycleLR": (1.0, 15)}[name]
    scheduler = getattr(kit, name)(optimizer, *arguments)
    advance(kit, scheduler, 2)
    optimizer.add_param_group({"params": [kit.parameter()], "lr": 0.25})
    advance(kit, scheduler, 2)
    first, second = optimizer.param_groups
    assert first["momentum"] == second["momentum"]
    assert first["lr"] == second["lr"]


def test_5_chain_follows_too(kit):
    optimizer = kit.optimizer(0.5)
    scheduler = kit.ChainedScheduler([kit.ExponentialLR(optimizer, 0.5), kit.StepLR(optimizer, 3, 0.1)])
    advance(kit, scheduler, 1)
    optimizer.add_param_group({"params": [kit.parameter()], "lr": 0.2})
    kit.close(trace_after_a_step(kit, scheduler, 3), [[0.125, 0.1], [0.00625, 0.005], [0.003125, 0.0025]])


def test_5_sequence_follows_too(kit):
    optimizer = kit.optimizer(0.5)
    parts = [kit.LambdaLR(optimizer, lambda t: 1.0), kit.ExponentialLR(optimizer, 0.5)]
    scheduler = kit.SequentialLR(optimizer, parts, milestones=[2])
    optimizer.add_param_group({"params": [kit.parameter()], "lr": 0.2})
    kit.close(trace_after_a_step(kit, scheduler, 4), [[0.5, 0.2], [0.5, 0.2], [0.25, 0.1], [0.125, 0.05]])


# 6. One cycle beside other schedulers.


def test_6_one_cycle_does_not_change_what_others_start_from(kit):
    """In PyTorch the warmup, made first, runs on max_lr / div_factor = 0.02 instead of on 1."""
    optimizer = kit.optimizer(1.0)
    warmup = kit.LinearLR(optimizer, 0.25, 1.0, 3)
    cycle = kit.OneCycleLR(optimizer, max_lr=0.5, total_steps=10, cycle_momentum=False)
    assert optimizer.param_groups[0]["initial_lr"] == 1.0
    scheduler = kit.SequentialLR(optimizer, [warmup, cycle], milestones=[3])
    alone = kit.OneCycleLR(kit.optimizer(1.0), max_lr=0.5, total_steps=10, cycle_momentum=False)
    rates = trace(kit, scheduler, 10)[:, 0]
    kit.close(rates[:3], [0.25, 0.5, 0.75])
    kit.close(rates[3:], trace(kit, alone, 7)[:, 0])


def test_6_warmup_before_a_cycle_is_a_warmup(kit):
    optimizer = kit.optimizer(1.0)
    warmup = kit.LinearLR(optimizer, 0.25, 1.0, 3)
    cycle = kit.CyclicLR(optimizer, 0.1, 0.5, 2, cycle_momentum=False)
    scheduler = kit.SequentialLR(optimizer, [warmup, cycle], milestones=[3])
    kit.close(trace(kit, scheduler, 8)[:, 0], [0.25, 0.5, 0.75, 0.1, 0.3, 0.5, 0.3, 0.1])


def test_6_cycle_starts_at_its_base_rate(kit):
    """In PyTorch its first rate is the initial rate of the group where another scheduler came before it."""
    optimizer = kit.optimizer(0.03)
    kit.CosineAnnealingLR(optimizer, T_max=10)
    kit.CyclicLR(optimizer, 0.001, 0.005, 2, cycle_momentum=False)
    assert kit.rates(optimizer) == [0.001]


# 7. Chains with absolute members.


@pytest.mark.parametrize("absolute_first", [True, False])
def test_7_chain_multiplies_with_a_lambda(kit, absolute_first):
    """PyTorch loses what the others did before it."""
    optimizer = kit.optimizer(1.0)
    makers = [lambda: kit.LambdaLR(optimizer, lambda t: 1 / (1 + t)), lambda: kit.StepLR(optimizer, 2, 0.1)]
    scheduler = kit.ChainedScheduler([make() for make in (makers if absolute_first else makers[::-1])])
    kit.close(trace(kit, scheduler, 7)[:, 0], [0.1 ** (t // 2) / (1 + t) for t in range(7)])


@pytest.mark.parametrize("absolute_first", [True, False])
def test_7_chain_multiplies_with_restarts(kit, absolute_first):
    optimizer = kit.optimizer(1.0)
    makers = [
        lambda: kit.CosineAnnealingWarmRestarts(optimizer, 4),
        lambda: kit.ExponentialLR(optimizer, 0.5),
    ]
    scheduler = kit.ChainedScheduler([make() for make in (makers if absolute_first else makers[::-1])])
    expected = [0.5**t * (1 + math.cos(math.pi * (t % 4) / 4)) / 2 for t in range(9)]
    kit.close(trace(kit, scheduler, 9)[:, 0], expected)


# 8. Parameters that cannot work are refused, and those that can work do.


def test_8_linear_over_no_steps_is_at_its_end(kit):
    """PyTorch stays at the start for ever."""
    scheduler = kit.LinearLR(kit.optimizer(0.5), 0.1, 0.5, total_iters=0)
    kit.close(trace(kit, scheduler, 3)[:, 0], [0.25] * 3)


def test_8_constant_factor_of_0(kit):
    """PyTorch divides by it when it ends."""
    scheduler = kit.ConstantLR(kit.optimizer(0.5), factor=0, total_iters=2)
    kit.close(trace(kit, scheduler, 4)[:, 0], [0, 0, 0.5, 0.5])


def test_8_constant_over_no_steps_changes_nothing(kit):
    """PyTorch multiplies by the factor and never back."""
    scheduler = kit.ConstantLR(kit.optimizer(0.5), factor=0.5, total_iters=0)
    kit.close(trace(kit, scheduler, 3)[:, 0], [0.5] * 3)


def test_8_milestone_0_counts(kit):
    scheduler = kit.MultiStepLR(kit.optimizer(1.0), [0, 2], 0.5)
    kit.close(trace(kit, scheduler, 4)[:, 0], [0.5, 0.5, 0.25, 0.25])


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("StepLR", {"step_size": 0}, "step_size"),
        ("StepLR", {"step_size": -2}, "step_size"),
        ("StepLR", {"step_size": 2, "gamma": math.nan}, "gamma"),
        ("MultiStepLR", {"milestones": [5, 3]}, "milestones"),
        ("MultiStepLR", {"milestones": [-1, 3]}, "milestones"),
        ("ConstantLR", {"total_iters": -1}, "total_iters"),
        ("LinearLR", {"total_iters": -1}, "total_iters"),
        ("LinearLR", {"start_factor": math.nan}, "start_factor"),
        ("ExponentialLR", {"gamma": -0.5}, "gamma"),
        ("ExponentialLR", {"gamma": math.inf}, "gamma"),
        ("PolynomialLR", {"total_iters": 0}, "total_iters"),
        ("PolynomialLR", {"power": -1}, "power"),
        ("CosineAnnealingLR", {"T_max": 0}, "T_max"),
        ("CosineAnnealingLR", {"T_max": -3}, "T_max"),
        ("CosineAnnealingLR", {"T_max": 5, "eta_min": math.nan}, "eta_min"),
        ("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 0}, "step_size_up"),
        ("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "step_size_down": 0}, "step_size_down"),
        ("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "scale_mode": "epoch"}, "scale_mode"),
        ("OneCycleLR", {"max_lr": 1.0, "total_steps": 9, "div_factor": 0}, "div_factor"),
        ("OneCycleLR", {"max_lr": 1.0, "total_steps": 9, "final_div_factor": 0}, "final_div_factor"),
        ("SWALR", {"swa_lr": math.nan}, "swa_lr"),
        ("ReduceLROnPlateau", {"factor": -0.1}, "factor"),
        ("ReduceLROnPlateau", {"patience": -1}, "patience"),
        ("ReduceLROnPlateau", {"cooldown": -1}, "cooldown"),
        ("ReduceLROnPlateau", {"threshold": math.nan}, "threshold"),
    ],
)
def test_8_parameters_that_cannot_work_are_refused_at_once(kit, name, arguments, message):
    optimizer = kit.optimizer(1.0)
    before = {k: v for k, v in optimizer.param_groups[0].items() if k != "params"}
    with pytest.raises(ValueError, match=message):
        getattr(kit, name)(optimizer, **arguments)
    assert {k: v for k, v in optimizer.param_groups[0].items() if k != "params"} == before


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("StepLR", {"step_size": "3 apples"}, "step_size"),
        ("StepLR", {"step_size": None}, "step_size"),
        ("MultiStepLR", {"milestones": 5}, "milestones"),
        ("ExponentialLR", {"gamma": "0.9"}, "gamma"),
        ("CosineAnnealingLR", {"T_max": [5]}, "T_max"),
        ("LambdaLR", {"lr_lambda": 0.5}, "function"),
    ],
)
def test_8_what_is_no_number_or_no_function_is_named(kit, name, arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        getattr(kit, name)(kit.optimizer(1.0), **arguments)


# 9. Pickling and copying.


def test_9_copy_of_a_scheduler_drives_the_same_optimizer(kit, each_class):
    """PyTorch copies the optimizer and its parameters along, which nobody steps."""
    scheduler = each_class.make(kit, kit.optimizer(0.05, 0.5))
    advance(kit, scheduler, 3)
    twin = copy.deepcopy(scheduler)
    assert twin.optimizer is scheduler.optimizer
    advance(kit, scheduler, 1)
    assert (twin.last_epoch, scheduler.last_epoch) == (3, 4)


def test_9_copies_of_optimizer_and_scheduler_go_on_alone(kit, any_case):
    scheduler = any_case.make(kit, kit.optimizer(0.05, 0.5))
    advance(kit, scheduler, 3)
    twin = copy.deepcopy((scheduler.optimizer, scheduler))[1]
    before = kit.rates(scheduler.optimizer)
    rates = trace(kit, twin, 6)
    assert kit.rates(scheduler.optimizer) == before
    kit.close(rates, trace(kit, scheduler, 6))


def test_9_scheduler_can_be_pickled(kit, each_class):
    if each_class.name in ("LambdaLR", "MultiplicativeLR"):
        each_class = type(each_class)(each_class.name, {"lr_lambda": math.cos}, {})
    scheduler = each_class.make(kit, kit.optimizer(0.05, 0.5))
    advance(kit, scheduler, 3)
    twin = pickle.loads(pickle.dumps(scheduler))
    kit.close(trace(kit, twin, 6), trace(kit, scheduler, 6))


# 10. Ends of one's choice.


def test_10_shapes_have_the_ends_that_the_classes_forbid(kit):
    """LinearLR refuses to start at 0 or to end above 1, as in PyTorch; the shapes behind them do not."""
    import genesis.optim as optim

    up = optim.ParamScheduler(kit.optimizer(1.0), optim.Linear(4, start_factor=0.0, end_factor=2.0))
    kit.close(trace(kit, up, 6)[:, 0], [0, 0.5, 1, 1.5, 2, 2])
    down = optim.ParamScheduler(kit.optimizer(1.0), optim.Polynomial(4, power=2, end_factor=0.5))
    kit.close(trace(kit, down, 6)[:, 0], [1, 0.78125, 0.625, 0.53125, 0.5, 0.5])


# Found on the way.


def test_restarts_are_exact_at_their_boundaries(kit):
    """PyTorch asks a logarithm for the cycle; log(243, 3) is below 5, so it misses a restart."""
    scheduler = kit.CosineAnnealingWarmRestarts(kit.optimizer(1.0), T_0=1, T_mult=3)
    scheduler.step(121)  # 1 + 3 + 9 + 27 + 81
    kit.close(kit.rates(scheduler.optimizer), [1.0])


def test_linear_is_at_its_end_to_the_last_bit(kit):
    """PyTorch's rates go on from one another and have moved by some 1e-13 after 1e5 steps."""
    scheduler = kit.LinearLR(kit.optimizer(0.1), 1e-3, 1.0, total_iters=1000)
    advance(kit, scheduler, 1000)
    assert kit.rates(scheduler.optimizer) == [0.1]


def test_cosine_is_at_its_minimum_to_the_last_bit(kit):
    scheduler = kit.CosineAnnealingLR(kit.optimizer(0.1), T_max=1000, eta_min=1e-3)
    advance(kit, scheduler, 1000)
    assert kit.rates(scheduler.optimizer) == [1e-3]
    advance(kit, scheduler, 1000)
    assert kit.rates(scheduler.optimizer) == [0.1]
