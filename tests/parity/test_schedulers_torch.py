"""Side by side with torch.optim.lr_scheduler on torch's optimizers: rates, states, warnings and errors."""

from __future__ import annotations

import gc
import math
import pickle
import warnings
import weakref
from functools import partial

import pytest
import torch
from torch.optim import lr_scheduler as theirs

from genesis.optim import LambdaLR, LRScheduler, get_cosine_schedule_with_warmup

pytestmark = pytest.mark.parity


def optimizer_of(*rates, kind=torch.optim.SGD):
    """A torch optimizer with a parameter group for each rate."""
    return kind([{"params": [torch.nn.Parameter(torch.ones(1))], "lr": rate} for rate in rates], lr=rates[0])


def rates_of(optimizer):
    return [float(group["lr"]) for group in optimizer.param_groups]


def exponential(step):
    return 0.95**step


def staircase(step):
    return 0.5 ** (step // 30)


def polynomial(step, total=500, power=0.9):
    return max(0.0, 1 - step / total) ** power


def restarts(step):
    return 0.5 * (1 + math.cos(math.pi * (step % 50) / 50))


def noam(step):
    return 0 if step == 0 else min(step**-0.5, step * 4000**-1.5) * 512**-0.5


def range_test(step):
    return (10 / 1e-7) ** (step / 100)


FUNCTIONS = [exponential, staircase, polynomial, restarts, noam, range_test]


class Decay:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, step):
        return self.factor**step


def hf_cosine(step, *, num_warmup_steps, num_training_steps, num_cycles):
    """The published formula, with no end: it climbs back after the last step."""
    if step < num_warmup_steps:
        return step / max(1, num_warmup_steps)
    progress = (step - num_warmup_steps) / max(1, num_training_steps - num_warmup_steps)
    return max(0.0, 0.5 * (1.0 + math.cos(math.pi * float(num_cycles) * 2.0 * progress)))


def assert_equal_over(steps, mine, torchs):
    """Step two schedulers, each on its own optimizer, and compare all that can be seen, to the last bit."""
    for _ in range(steps):
        assert mine.get_last_lr() == torchs.get_last_lr()
        assert rates_of(mine.optimizer) == rates_of(torchs.optimizer)
        assert (mine.last_epoch, mine._step_count) == (torchs.last_epoch, torchs._step_count)
        for scheduler in (mine, torchs):
            scheduler.optimizer.step()
            scheduler.step()


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.AdamW])
def test_rates_are_equal_over_many_steps(function, kind):
    mine = LambdaLR(optimizer_of(0.1, 3e-4, kind=kind), function)
    assert_equal_over(500, mine, theirs.LambdaLR(optimizer_of(0.1, 3e-4, kind=kind), function))


def test_rates_are_equal_with_a_function_for_each_group():
    functions = [exponential, staircase, restarts]
    mine = LambdaLR(optimizer_of(0.1, 0.01, 1), functions)
    assert_equal_over(200, mine, theirs.LambdaLR(optimizer_of(0.1, 0.01, 1), functions))


@pytest.mark.parametrize(
    ("warmup", "total", "cycles"), [(10, 100, 0.5), (0, 77, 0.5), (33, 90, 1.5), (5, 50, 3)]
)
def test_cosine_with_warmup_is_equal_to_the_published_formula(warmup, total, cycles):
    formula = partial(hf_cosine, num_warmup_steps=warmup, num_training_steps=total, num_cycles=cycles)
    mine = get_cosine_schedule_with_warmup(optimizer_of(0.1, 5e-4), warmup, total, cycles)
    assert_equal_over(total + 1, mine, theirs.LambdaLR(optimizer_of(0.1, 5e-4), formula))


def test_tensor_rates_are_equal_and_changed_in_place():
    tensors = torch.tensor(0.1), torch.tensor(0.03)
    mine = LambdaLR(optimizer_of(*tensors), exponential)
    torchs = theirs.LambdaLR(optimizer_of(torch.tensor(0.1), torch.tensor(0.03)), exponential)
    assert_equal_over(50, mine, torchs)
    for group, tensor in zip(mine.optimizer.param_groups, tensors, strict=True):
        assert group["lr"] is tensor
        assert not any(
            tensor is other for other in (*mine.base_lrs, *mine.get_last_lr(), group["initial_lr"])
        )
    assert [type(rate) for rate in mine.get_last_lr()] == [torch.Tensor, torch.Tensor]


def test_scheduler_written_for_torch_runs_on_our_base_class():
    def body(base):
        class Recursive(base):
            def __init__(self, optimizer, gamma, last_epoch=-1):
                self.gamma = gamma
                super().__init__(optimizer, last_epoch)

            def get_lr(self):
                factor = 1 if self._is_initial else self.gamma
                return [group["lr"] * factor for group in self.optimizer.param_groups]

        return Recursive

    mine = body(LRScheduler)(optimizer_of(0.1, 0.2), 0.9)
    torchs = body(theirs.LRScheduler)(optimizer_of(0.1, 0.2), 0.9)
    assert_equal_over(50, mine, torchs)
    assert mine.state_dict() == torchs.state_dict()


def test_constructing_changes_the_groups_alike():
    mine, torchs = optimizer_of(0.1, 0.2), optimizer_of(0.1, 0.2)
    LambdaLR(mine, noam)
    theirs.LambdaLR(torchs, noam)
    for one, other in zip(mine.param_groups, torchs.param_groups, strict=True):
        assert one.keys() == other.keys()
        assert (one["lr"], one["initial_lr"]) == (other["lr"], other["initial_lr"])


@pytest.mark.parametrize("last_epoch", [0, 1, 7])
def test_last_epoch_resumes_alike(last_epoch):
    pair = []
    for kind in (LambdaLR, theirs.LambdaLR):
        optimizer = optimizer_of(0.1, 0.2)
        for group in optimizer.param_groups:
            group["initial_lr"] = 0.5
        pair.append(kind(optimizer, exponential, last_epoch=last_epoch))
    assert_equal_over(20, *pair)


# state dicts


@pytest.mark.parametrize("function", [exponential, Decay(0.9), partial(polynomial, power=2)])
def test_states_are_equal_and_load_on_the_other_side(function):
    mine = LambdaLR(optimizer_of(0.1, 0.2), function)
    torchs = theirs.LambdaLR(optimizer_of(0.1, 0.2), function)
    assert_equal_over(5, mine, torchs)
    assert mine.state_dict() == torchs.state_dict()
    to_mine, to_torchs = (
        LambdaLR(optimizer_of(0.1, 0.2), function),
        theirs.LambdaLR(optimizer_of(0.1, 0.2), function),
    )
    to_mine.load_state_dict(torchs.state_dict())
    to_torchs.load_state_dict(mine.state_dict())
    to_torchs.optimizer.load_state_dict(mine.optimizer.state_dict())
    assert_equal_over(20, to_mine, to_torchs)


def test_state_of_an_older_torch_loads():
    mine = LambdaLR(optimizer_of(0.1), exponential)
    older = {"base_lrs": [0.1], "last_epoch": 3, "_step_count": 4, "verbose": False, "_last_lr": [0.05]}
    mine.load_state_dict({**older, "_get_lr_called_within_step": False, "lr_lambdas": [None]})
    assert (mine.last_epoch, mine.get_last_lr(), rates_of(mine.optimizer)) == (3, [0.05], [0.05])


def test_state_survives_a_file_without_pickled_objects(tmp_path):
    mine = get_cosine_schedule_with_warmup(optimizer_of(torch.tensor(0.1), 0.2), 3, 9)
    torch.save(mine.state_dict(), tmp_path / "state.pt")
    assert torch.load(tmp_path / "state.pt", weights_only=True) == mine.state_dict()


@pytest.mark.parametrize("stop", [0, 1, 5, 11])
@pytest.mark.parametrize(
    "order", ["optimizer first", "scheduler first", "scheduler alone", "built after loading"]
)
def test_every_order_of_loading_goes_on_as_if_never_stopped(stop, order):
    def build(optimizer):
        return get_cosine_schedule_with_warmup(optimizer, 4, 10)

    whole = build(optimizer_of(0.8, 0.4))
    for _ in range(stop):
        whole.optimizer.step()
        whole.step()
    optimizer_state, state = pickle.loads(pickle.dumps((whole.optimizer.state_dict(), whole.state_dict())))

    optimizer = optimizer_of(0.8, 0.4)
    if order == "built after loading":
        optimizer.load_state_dict(optimizer_state)
    scheduler = build(optimizer)
    if order == "optimizer first":
        optimizer.load_state_dict(optimizer_state)
    scheduler.load_state_dict(state)
    if order == "scheduler first":
        optimizer.load_state_dict(optimizer_state)
    assert_equal_over(12, scheduler, whole)


def test_pickled_scheduler_goes_on():
    whole = get_cosine_schedule_with_warmup(optimizer_of(0.8, 0.4), 4, 10)
    copy = pickle.loads(pickle.dumps(whole))
    assert_equal_over(12, copy, whole)


# together on one optimizer


@pytest.mark.parametrize("first", ["mine", "torchs"])
def test_shares_an_optimizer_with_torchs_schedulers(first):
    def run(kinds):
        optimizer = optimizer_of(0.1, 0.2)
        schedulers = [kinds[0](optimizer, exponential), kinds[1](optimizer, [staircase, restarts])]
        rates = []
        for _ in range(40):
            optimizer.step()
            for scheduler in schedulers:
                scheduler.step()
                rates.append((rates_of(optimizer), list(scheduler.get_last_lr())))
        return rates

    kinds = (LambdaLR, theirs.LambdaLR) if first == "mine" else (theirs.LambdaLR, LambdaLR)
    assert run(kinds) == run((theirs.LambdaLR, theirs.LambdaLR))


def test_multiplies_with_a_recursive_scheduler_of_torch_alike():
    def run(kind):
        optimizer = optimizer_of(0.1)
        absolute, recursive = kind(optimizer, exponential), theirs.StepLR(optimizer, 3, 0.5)
        rates = []
        for _ in range(12):
            optimizer.step()
            recursive.step()
            rates.append(rates_of(optimizer))
            absolute.step()
            rates.append(rates_of(optimizer))
        return rates

    assert run(LambdaLR) == run(theirs.LambdaLR)


# warnings and errors


def warnings_of(kind, act):
    """What one scheduler warns of: the category, and the words that scripts look for."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        optimizer = optimizer_of(0.1)
        act(optimizer, kind(optimizer, exponential))
    fragments = (
        "Detected call of `lr_scheduler.step()` before `optimizer.step()`",
        "`optimizer.step()` has been overridden",
        "how-to-adjust-learning-rate",
        "please use `get_last_lr()`",
        "deprecated",
    )
    found = [(w.category, [f for f in fragments if f in str(w.message)]) for w in caught]
    assert all(hits for _, hits in found), [str(w.message) for w in caught]
    return found


def step_only(optimizer, scheduler):
    scheduler.step()
    scheduler.step()


def right_order(optimizer, scheduler):
    optimizer.step()
    scheduler.step()


def replaced(optimizer, scheduler):
    optimizer.step = lambda: None
    optimizer.step()
    scheduler.step()


def wrapped_in_a_method(optimizer, scheduler):
    original = optimizer.step
    optimizer.step = lambda *args: original(*args)
    optimizer.step()
    scheduler.step()


def with_epoch(optimizer, scheduler):
    optimizer.step()
    scheduler.step(5)


def get_lr_outside(optimizer, scheduler):
    scheduler.get_lr()


@pytest.mark.parametrize(
    "act", [step_only, right_order, replaced, wrapped_in_a_method, with_epoch, get_lr_outside]
)
def test_warnings_are_those_of_torch(act):
    assert warnings_of(LambdaLR, act) == warnings_of(theirs.LambdaLR, act)


@pytest.mark.parametrize(
    "build",
    [
        lambda kind: kind(optimizer_of(0.1, 0.2), [exponential]),
        lambda kind: kind(optimizer_of(0.1), exponential, 3),
        lambda kind: kind(optimizer_of(0.1), 0.5),
    ],
    ids=["number of functions", "last_epoch of a fresh optimizer", "not callable"],
)
def test_errors_are_of_the_type_that_torch_raises(build):
    with pytest.raises((ValueError, KeyError, TypeError)) as expected:
        build(theirs.LambdaLR)
    with pytest.raises(expected.type):
        build(LambdaLR)


def test_missing_initial_rate_has_the_message_that_scripts_look_for():
    message = r"param 'initial_lr' is not specified in param_groups\[0\] when resuming scheduler with last"
    for kind in (LambdaLR, theirs.LambdaLR):
        with pytest.raises(KeyError, match=message):
            kind(optimizer_of(0.1), exponential, last_epoch=3)


def test_leaves_no_reference_cycle():
    gc.collect()
    gc.disable()
    try:
        optimizer = optimizer_of(0.1)
        alive = weakref.ref(optimizer)
        scheduler = LambdaLR(optimizer, exponential)
        optimizer.step()
        scheduler.step()
        del scheduler
        assert gc.get_referrers(optimizer) == []
        del optimizer
        assert alive() is None
    finally:
        gc.enable()


def test_group_added_later_is_followed_where_torch_fails():
    optimizer = optimizer_of(0.1)
    scheduler = LambdaLR(optimizer, exponential)
    optimizer.step()
    scheduler.step()
    optimizer.add_param_group({"params": [torch.nn.Parameter(torch.ones(1))], "lr": 0.2})
    optimizer.step()
    scheduler.step()
    assert rates_of(optimizer) == [0.1 * 0.95**2, 0.2 * 0.95**2]


def test_step_of_a_real_training_loop_changes_the_weights_alike():
    def train(kind):
        weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
        optimizer = torch.optim.AdamW([weight], lr=0.1)
        scheduler = kind(optimizer, exponential)
        for _ in range(30):
            optimizer.zero_grad()
            (weight**2).sum().backward()
            optimizer.step()
            scheduler.step()
        return weight.detach()

    assert torch.equal(train(LambdaLR), train(theirs.LambdaLR))
