"""LambdaLR: base rates times functions of the step."""

from __future__ import annotations

import copy
import functools
import math
import pickle
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

import genesis
from genesis import CheckpointError
from genesis.optim import LambdaLR, LRScheduler, Schedule


def groups(*rates):
    return SimpleNamespace(param_groups=[{"lr": rate} for rate in rates])


def rates_of(optimizer):
    return [group["lr"] for group in optimizer.param_groups]


def halve(step):
    return 0.5**step


class Decay:
    """A callable object with a parameter."""

    def __init__(self, factor):
        self.factor = factor

    def __call__(self, step):
        return self.factor**step


@dataclass(frozen=True, repr=False)
class Fall(Schedule):
    steps: int

    @property
    def horizon(self) -> int:
        return self.steps

    def at(self, step: int) -> float:
        return 1 - step / self.steps


def test_one_function_serves_every_group():
    optimizer = groups(0.8, 0.4)
    scheduler = LambdaLR(optimizer, halve)
    scheduler.step()
    assert rates_of(optimizer) == [0.4, 0.2]
    assert isinstance(scheduler, LRScheduler)
    assert scheduler.lr_lambdas == [halve, halve]


@pytest.mark.parametrize("kind", [list, tuple])
def test_each_group_may_have_its_own_function(kind):
    optimizer = groups(0.8, 0.4)
    scheduler = LambdaLR(optimizer, kind([halve, lambda step: 1]))
    scheduler.step()
    assert rates_of(optimizer) == [0.4, 0.4]


def test_first_rate_is_the_functions_at_0():
    optimizer = groups(0.8)
    LambdaLR(optimizer, lambda step: 0)
    assert rates_of(optimizer) == [0.0]


def test_schedule_is_driven_with_its_end_policy():
    optimizer = groups(1.0)
    scheduler = LambdaLR(optimizer, Fall(2, end="raise"))
    scheduler.step()
    scheduler.step()
    assert rates_of(optimizer) == [0.0]
    with pytest.raises(ValueError, match="step 3 lies past the end"):
        scheduler.step()


def test_values_of_other_types_become_plain_floats():
    optimizer = groups(0.8)
    scheduler = LambdaLR(optimizer, lambda step: np.float32(0.5))
    assert type(optimizer.param_groups[0]["lr"]) is float
    assert scheduler.state_dict()["_last_lr"] == [0.4]


def test_function_that_gives_no_number_is_named_with_the_step():
    scheduler = LambdaLR(groups(0.1), lambda step: (1 - step / 2) ** 0.9)
    scheduler.step()
    scheduler.step()
    with pytest.raises(TypeError, match=r"gave \(.*j\) at step 3; expected a real number"):
        scheduler.step()


@pytest.mark.parametrize("given", [0.5, None, "cosine", [halve, 0.5]])
def test_what_cannot_be_called_is_refused_at_once(given):
    optimizer = groups(0.1, 0.2)
    with pytest.raises(TypeError, match="expected a function of the step, got"):
        LambdaLR(optimizer, given)
    assert optimizer.param_groups == [{"lr": 0.1}, {"lr": 0.2}]


@pytest.mark.parametrize("functions", [[], [halve], [halve] * 3])
def test_wrong_number_of_functions_is_refused(functions):
    message = f"expected 2 lr_lambdas, one for each parameter group .* but got {len(functions)}"
    with pytest.raises(ValueError, match=message):
        LambdaLR(groups(0.1, 0.2), functions)


def test_what_is_no_optimizer_is_refused():
    with pytest.raises(TypeError, match="float is not an Optimizer: LambdaLR expects"):
        LambdaLR(0.1, halve)


def test_group_added_later_gets_the_function_that_all_have():
    optimizer = groups(0.8)
    scheduler = LambdaLR(optimizer, halve)
    optimizer.param_groups.append({"lr": 0.4})
    scheduler.step()
    assert rates_of(optimizer) == [0.4, 0.2]
    assert scheduler.lr_lambdas == [halve, halve]


def test_group_added_later_needs_a_function_where_each_has_its_own():
    optimizer = groups(0.8)
    scheduler = LambdaLR(optimizer, [halve])
    optimizer.param_groups.append({"lr": 0.4})
    with pytest.raises(ValueError, match=r"expected 2 lr_lambdas, one for each parameter group .* but got 1"):
        scheduler.step()


def test_state_loads_after_the_same_group_was_added_again():
    source, target = groups(0.8), groups(0.8)
    schedulers = [LambdaLR(source, halve), LambdaLR(target, halve, verbose=True)]
    for optimizer in (source, target):
        optimizer.param_groups.append({"lr": 0.4})
    schedulers[0].step()
    schedulers[1].load_state_dict(schedulers[0].state_dict())
    assert rates_of(target) == [0.4, 0.2]
    assert schedulers[1].lr_lambdas == [halve, halve]


# state


@pytest.mark.parametrize(
    "function",
    [halve, lambda step: 1.0, math.exp, Decay(0.5).__call__, float],
    ids=["function", "lambda", "builtin", "method", "class"],
)
def test_functions_are_saved_as_none(function):
    assert LambdaLR(groups(0.1), function).state_dict()["lr_lambdas"] == [None]


def test_partial_is_saved_as_nothing_and_stays():
    optimizer = groups(0.8)
    scheduler = LambdaLR(optimizer, functools.partial(pow, 0.5))
    scheduler.load_state_dict(scheduler.state_dict())
    scheduler.step()
    assert scheduler.state_dict()["lr_lambdas"] == [{}]
    assert rates_of(optimizer) == [0.4]


def test_callable_objects_are_saved_by_their_attributes_and_restored():
    source = LambdaLR(groups(0.8), Decay(0.5))
    source.step()
    state = source.state_dict()
    assert state["lr_lambdas"] == [{"factor": 0.5}]
    optimizer = groups(0.8)
    scheduler = LambdaLR(optimizer, Decay(0.9))
    scheduler.load_state_dict(state)
    scheduler.step()
    assert rates_of(optimizer) == [0.2]


def test_loading_leaves_the_state_as_it_was():
    state = LambdaLR(groups(0.8), Decay(0.5)).state_dict()
    before = copy.deepcopy(state)
    LambdaLR(groups(0.8), Decay(0.9)).load_state_dict(state)
    assert state == before


def test_schedule_is_saved_by_its_configuration_and_restored(caplog):
    source = LambdaLR(groups(1.0), Fall(4))
    source.step()
    assert source.state_dict()["lr_lambdas"] == [Fall(4).to_config()]
    optimizer = groups(1.0)
    scheduler = LambdaLR(optimizer, Fall(8))
    scheduler.load_state_dict(source.state_dict())
    scheduler.step()
    assert rates_of(optimizer) == [0.5]
    assert "goes on with Fall(steps=4); the scheduler was made with Fall(steps=8)" in caplog.text


def test_same_schedule_is_restored_silently(caplog):
    scheduler = LambdaLR(groups(1.0), Fall(4))
    scheduler.load_state_dict(scheduler.state_dict())
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (Decay(0.5), Fall(4), r"not one of Fall\(steps=4\): expected the configuration of a Fall"),
        (Fall(4), halve, "the state holds the parameters .*'steps': 4.* has none"),
    ],
)
def test_state_of_another_callable_is_refused(source, target, message):
    state = LambdaLR(groups(0.1), source).state_dict()
    with pytest.raises(CheckpointError, match=message):
        LambdaLR(groups(0.1), target).load_state_dict(state)


def test_state_with_another_number_of_functions_is_refused():
    scheduler = LambdaLR(groups(0.1), halve)
    with pytest.raises(CheckpointError, match=r"lr_lambdas=\[None, None\]; expected a list of 1"):
        scheduler.load_state_dict({**scheduler.state_dict(), "lr_lambdas": [None, None]})


def test_state_without_functions_is_refused():
    scheduler = LambdaLR(groups(0.1), halve)
    state = scheduler.state_dict()
    del state["lr_lambdas"]
    state["gamma"] = 0.1
    with pytest.raises(CheckpointError, match=r"lacks \['lr_lambdas'\] and has \['gamma'\]"):
        scheduler.load_state_dict(state)


def test_scheduler_of_a_named_function_can_be_pickled():
    scheduler = LambdaLR(groups(0.8, 0.4), halve)
    copied = pickle.loads(pickle.dumps(scheduler))
    copied.optimizer.param_groups.append({"lr": 0.2})
    copied.step()
    assert rates_of(copied.optimizer) == [0.4, 0.2, 0.1]


def test_a_rate_of_nan_is_an_error_and_is_not_written() -> None:
    optimizer = genesis.optim.SGD(genesis.nn.Linear(2, 2).parameters(), lr=0.5)
    scheduler = genesis.optim.LambdaLR(optimizer, lambda step: float("nan") if step == 1 else 1.0)
    optimizer.step()
    with pytest.raises(ValueError, match="nan at step 1"):
        scheduler.step()
    assert optimizer.param_groups[0]["lr"] == 0.5
