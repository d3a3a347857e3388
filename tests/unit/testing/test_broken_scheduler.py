"""Broken schedules: the kit finds each mistake, says what it is, and finds nothing else."""

from __future__ import annotations

import math
import random
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import pytest

from genesis import optim
from genesis.optim import LRScheduler, MetricSchedule, ParamScheduler, Schedule
from genesis.plugin import SchedulerSpec, hookimpl, isolated, register
from genesis.testing import Check, check_scheduler


def failures(checks: Iterable[Check]) -> dict[str, str]:
    """The checks that fail, with what they say."""
    found = {}
    for check in checks:
        try:
            check()
        except Exception as error:
            found[check.name] = str(error)
    return found


def expect(checks: list[Check], wanted: dict[str, str], also: Iterable[str] = ()) -> None:
    """Each of `wanted`, a glob, fails with what it says; what else fails fits one of `also`."""
    found = failures(checks)
    for pattern, text in wanted.items():
        fitting = {name: said for name, said in found.items() if fnmatchcase(name, pattern)}
        assert fitting, f"{pattern} did not fail; what did: {found}"
        for name, said in fitting.items():
            assert re.search(text, said), f"{name}: {said}"
    patterns = [*wanted, *also]
    stray = {name: said for name, said in found.items() if not any(fnmatchcase(name, p) for p in patterns)}
    assert stray == {}


# Pure schedules.


@dataclass(frozen=True, repr=False)
class Fall(Schedule):
    """What the broken ones would be if they were right."""

    steps: int = 9

    @property
    def horizon(self) -> int:
        return self.steps

    def at(self, step: float) -> float:
        return 1 - step / self.steps


class OtherArray(Fall):
    def at_array(self, steps: Any) -> Any:
        return np.where(steps < 7, 1 - steps / self.steps, 0.25)


class Random(Fall):
    def at(self, step: float) -> float:
        return super().at(step) * random.uniform(0.9, 1.1)


class Counting(Fall):
    def at(self, step: float) -> float:
        calls = getattr(self, "calls", 0)
        object.__setattr__(self, "calls", calls + 1)
        return super().at(step) + calls * 1e-3


class Mutable(Fall):
    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)


@dataclass(frozen=True, repr=False)
class WithList(Schedule):
    levels: list[float] = field(default_factory=lambda: [1.0, 0.5])

    def at(self, step: float) -> float:
        return self.levels[min(int(step), len(self.levels) - 1)]


class LosesSteps(Fall):
    def to_config(self) -> dict[str, Any]:
        config = super().to_config()
        del config["steps"]
        return config


class OtherText(Fall):
    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.steps + 1})"


class Negative(Fall):
    def at(self, step: float) -> float:
        return super().at(step) - 0.25


class Infinite(Fall):
    def at(self, step: float) -> float:
        return 1 / step if step else math.inf


class FractionalHorizon(Fall):
    @property
    def horizon(self) -> Any:
        return self.steps + 0.5

    def at(self, step: float) -> float:
        return max(0.0, super().at(step))


class GoesOn(Fall):
    def value(self, step: float) -> float:
        return math.exp(-step)


class WrongCompiled(Fall):
    def compiled(self) -> Any:
        return lambda step: 1 - min(step, self.steps) / (self.steps + 1)


class TakesAnyStep(Fall):
    def __call__(self, step: Any) -> Any:
        return super().__call__(step if isinstance(step, (np.ndarray, str)) else max(step, 0))


class NoDataclass(Schedule):
    """Its parameter is no field, so copies do not know it, and anybody can change it."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def at(self, step: float) -> float:
        return 1 / (1 + step / self.steps)


class WrongStretch(Fall):
    def stretched(self, at: int, total: int) -> Schedule:
        return type(self)(total)


# What asks for values fails where these are wrong, and what is composed of them or driven by them.
DRIVEN = ("drive/*", "resume/*", "member/*", "copy/*", "compose/*", "values/*", "end/*", "object/*")


@pytest.mark.parametrize(
    ("shape", "wanted", "also"),
    [
        (
            OtherArray(),
            {"values/array": "at_array differs from at at step 7: 0.25 in"},
            ["values/fractions", "drive/preview", "end/repeat"],
        ),
        (
            Random(),
            {"values/pure": "pure function of the step.*seeded with seed", "drive/rates/*": "at step 0"},
            [*DRIVEN],
        ),
        (Counting(), {"values/pure": "Keep no counters in it"}, [*DRIVEN]),
        (Mutable(), {"object/immutable": r"schedule\.end = … is allowed.*frozen=True"}, []),
        (
            WithList(),
            {
                "object/immutable": "the field levels is a list.*tuple in __post_init__",
                "object/equal": "unhashable type: 'list'",
            },
            ["object/config"],
        ),
        (
            LosesSteps(5),
            {"object/config": "steps is lost on the way through.*it was 5 and came back as 9"},
            [],
        ),
        (OtherText(), {"object/repr": "steps is lost on the way through its text, OtherText\\(10\\)"}, []),
        (
            Negative(),
            {"values/finite": "a learning rate is never below 0", "drive/rates/*": "rate of group 0 is -0"},
            ["resume/*"],
        ),
        (Infinite(), {"values/finite": "value of step 0 is inf; a rate that is not finite"}, [*DRIVEN]),
        (
            FractionalHorizon(),
            {"values/horizon": "horizon is 9.5; expected an int.*math.ceil"},
            ["end/*", "values/compiled", "compose/*"],
        ),
        (
            GoesOn(),
            {"values/compiled": "compiled.. gives 0.888.* at step 1, and the schedule itself 0.367"},
            [*DRIVEN],
        ),
        (
            WrongCompiled(),
            {
                "values/compiled": "compiled.. gives 0.9 at step 1",
                "drive/rates/*": "compiled.. or factors.. does not agree",
            },
            [
                "compose/*",
                "drive/preview",
                "drive/extend",
                "drive/added_group/*",
                "member/*",
                "end/stretched",
            ],
        ),
        (
            TakesAnyStep(),
            {"values/wrong_steps": "step -1 gave 1.0; it should be refused with a ValueError"},
            ["values/plain"],
        ),
        (
            NoDataclass(3),
            {
                "object/equal": "unexpected keyword argument.*Every parameter is a field",
                "object/immutable": r"schedule\.steps = … is allowed",
            },
            ["object/config", "object/repr"],
        ),
        (
            WrongStretch(),
            {"end/stretched": r"stretched\(3, 13\) gives 0.92.* at step 1, which has passed"},
            ["drive/extend"],
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Schedule) else "",
)
def test_a_mistake_in_a_pure_schedule(shape: Schedule, wanted: dict[str, str], also: list[str]) -> None:
    expect(check_scheduler(shape), wanted, also)


def test_the_right_one_passes() -> None:
    assert failures(check_scheduler(Fall(9))) == {}
    assert failures(check_scheduler(Fall, {"steps": 5, "end": "raise"})) == {}


# Schedulers.


@dataclass(frozen=True, repr=False)
class Half(Schedule):
    def at(self, step: float) -> float:
        return 0.5**step


class Good(LRScheduler):
    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        return Half()


class Hidden(LRScheduler):
    """Counts in an attribute that its state leaves out."""

    def __init__(self, optimizer: Any, last_epoch: int = -1) -> None:
        self.drops = 0
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        self.drops += self.last_epoch % 2
        return [base * 0.5**self.drops for base in self.base_lrs]

    def state_dict(self) -> dict[str, Any]:
        state = super().state_dict()
        del state["drops"]
        return state


class FromTheRateBefore(LRScheduler):
    """Recursive, and the factor depends on what it wrote itself: right as long as the optimizer is loaded."""

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0:
            return list(self.base_lrs)
        return [float(group["lr"]) * 0.5 for group in self.optimizer.param_groups]

    def load_state_dict(self, state_dict: Any) -> None:
        rates = [group["lr"] for group in self.optimizer.param_groups]
        super().load_state_dict(state_dict)
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate  # as PyTorch's do, it leaves the rates to the optimizer's state


class SameForAll(LRScheduler):
    def get_lr(self) -> list[float]:
        return [self.base_lrs[0] * 0.5**self.last_epoch for _ in self.base_lrs]


class DividesByTheRate(LRScheduler):
    """Has a least rate, and tells it as a factor."""

    def get_lr(self) -> list[float]:
        factor = 0.5**self.last_epoch
        if not self.last_epoch:
            return list(self.base_lrs)
        return [base * max(factor, 1e-3 / base) for base in self.base_lrs]


class Drifting(LRScheduler):
    """Steps by multiplying, and tells the closed form."""

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        return Exponential()

    def step(self, epoch: float | None = None) -> None:
        if self._step_count == 0:
            super().step()
            return
        self.__dict__["last_epoch"] += 1
        self._step_count += 1
        for group in self.optimizer.param_groups:
            group["lr"] *= 0.9
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]


@dataclass(frozen=True, repr=False)
class Exponential(Schedule):
    def at(self, step: float) -> float:
        return 0.9**step


class ForgetsLastEpoch(LRScheduler):
    def __init__(self, optimizer: Any, last_epoch: int = -1) -> None:
        super().__init__(optimizer)

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        return Half()


class LosesAnArgument(LRScheduler):
    """Keeps its argument under another name, changed."""

    def __init__(self, optimizer: Any, gamma: float = 0.5, last_epoch: int = -1) -> None:
        self.gamma = gamma**2
        super().__init__(optimizer, last_epoch)

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        return optim.Exponential(self.gamma)


class Growing(LRScheduler):
    def __init__(self, optimizer: Any, last_epoch: int = -1) -> None:
        self.history: list[float] = []
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        self.history.append(0.5)
        return [base / (1 + self.last_epoch) for base in self.base_lrs]


class HoldsAnObject(Good):
    def __init__(self, optimizer: Any, last_epoch: int = -1) -> None:
        self.shape = np.float32(0.5)
        super().__init__(optimizer, last_epoch)


class TouchesDecay(Good):
    def step(self, epoch: float | None = None) -> None:
        super().step()
        for group in self.optimizer.param_groups:
            group["weight_decay"] = 0.5 * group["lr"]


class ReplacesTensors(LRScheduler):
    def get_lr(self) -> list[float]:
        rates = [float(base) * 0.5**self.last_epoch for base in self.base_lrs]
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        return rates


class NoFirstRate(LRScheduler):
    """Leaves the optimizer as it is until the first step."""

    def __init__(self, optimizer: Any, last_epoch: int = -1) -> None:
        rates = [group["lr"] for group in optimizer.param_groups]
        super().__init__(optimizer, last_epoch)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        return Half() * 0.5


class NoCall(LRScheduler):
    """Does not call the constructor of the base class."""

    def __init__(self, optimizer: Any) -> None:
        self.optimizer = optimizer

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        return Half()


class LateAttribute(LRScheduler):
    def __init__(self, optimizer: Any) -> None:
        super().__init__(optimizer)
        self.gamma = 0.5

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        return optim.Exponential(self.gamma)


class FixedGroups(LRScheduler):
    def __init__(self, optimizer: Any, last_epoch: int = -1) -> None:
        self.factors = [0.5 for _ in optimizer.param_groups]
        super().__init__(optimizer, last_epoch)

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        return optim.Exponential(self.factors[index])


class TakesAnyState(Good):
    def load_state_dict(self, state_dict: Any) -> None:
        if "last_epoch" in state_dict:
            super().load_state_dict(state_dict)


class SharesItsState(LRScheduler):
    def __init__(self, optimizer: Any, last_epoch: int = -1) -> None:
        self.counts = [0]
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        self.counts[0] = self.last_epoch
        return [base / (1 + self.last_epoch) for base in self.base_lrs]

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "counts": self.counts}


class OneArgument(LRScheduler):
    """Computes from its argument in __init__ what loading does not compute again."""

    def __init__(self, optimizer: Any, step_size: int = 3, gamma: float = 0.5) -> None:
        self.step_size, self.gamma = step_size, gamma
        self._shape = optim.Step(step_size, gamma=0.9)
        super().__init__(optimizer)

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        return self._shape * optim.Step(self.step_size, gamma=self.gamma)

    def state_dict(self) -> dict[str, Any]:
        state = super().state_dict()
        del state["_shape"]
        return state


STEPPED = ("resume/*", "state/*", "copy/*", "drive/*", "member/*")


@pytest.mark.parametrize(
    ("make", "wanted", "also"),
    [
        (Hidden, {"resume/*": r"resumed after \d+ steps|made with last_epoch"}, ["state/foreign", "copy/*"]),
        (
            FromTheRateBefore,
            {
                "resume/scheduler_alone/*": "resumed after 1 steps .scheduler alone., the rate of step 1 "
                "is 0.4.* should be 0.2.*belongs into state_dict"
            },
            ["resume/*", "state/foreign"],
        ),
        (
            SameForAll,
            {"drive/groups": "a group with the base rate 0.1 gets 0.4.*alone 0.1.*base_lrs.index."},
            ["drive/zero_rate"],
        ),
        (
            DividesByTheRate,
            {"drive/zero_rate": r"step\(\) number 1 with a group whose base rate is 0.*ZeroDivisionError"},
            [],
        ),
        (
            Drifting,
            {"drive/preview": "tells .* for step 3, and stepping gives .*gathers rounding"},
            [
                "resume/*",
                "drive/order/*",
                "drive/tensor_rates/*",
                "drive/added_group/*",
                "drive/extend",
                "member/*",
            ],
        ),
        (ForgetsLastEpoch, {"resume/last_epoch/*": "made with last_epoch=0, that is after 1 steps"}, []),
        (Growing, {"state/bounded": "the state holds .* values after 256 steps .* in 'history'"}, []),
        (HoldsAnObject, {"state/plain": r"state_dict\(\)\['shape'\] is a float32"}, []),
        (
            TouchesDecay,
            {"drive/other_options/*": "'weight_decay' of group 0 was 0.* and is .* leaves the rest alone"},
            ["resume/*"],
        ),
        (
            ReplacesTensors,
            {"drive/tensor_rates/*": "the rate of group 0 was a tensor, and is 0.4 at step 0"},
            [],
        ),
        (
            NoFirstRate,
            {"drive/first_rate/*": r"the groups hold \[0.4, 0.1\] and get_last_lr.. tells \[0.2, 0.05\]"},
            [*STEPPED],
        ),
        (
            FixedGroups,
            {"drive/added_group/*": r"after add_param_group, step\(\) number 4 raised IndexError"},
            [],
        ),
        (TakesAnyState, {"state/foreign": r"load_state_dict\({}\) was taken in silence"}, []),
        (SharesItsState, {"state/apart": "it shares a list or a dict with the scheduler"}, ["copy/deepcopy"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_mistake_in_a_scheduler(make: Any, wanted: dict[str, str], also: list[str]) -> None:
    expect(check_scheduler(make), wanted, also)


def test_the_right_scheduler_passes() -> None:
    assert failures(check_scheduler(Good)) == {}


def test_what_the_state_lacks_is_named() -> None:
    text = failures(check_scheduler(Hidden))["resume/built_last/SGD"]
    assert "resumed after 1 steps (built last), the rate of step" in text
    assert "the state lacks 'drops'; save what step() changes in state_dict" in text


def test_options_that_a_state_does_not_bring_back() -> None:
    found = failures(check_scheduler(OneArgument, {"step_size": 3, "gamma": 0.5}))
    assert re.search("saved with step_size=3 and loaded with step_size=4", found["state/other_options"])


def test_a_configuration_that_loses_an_argument() -> None:
    text = "built from its configuration.*keep each argument as an attribute of its name"
    expect(check_scheduler(LosesAnArgument, {"gamma": 0.75}), {"copy/config": text})


def test_a_factory_that_swallows_options() -> None:
    class Plugin:
        @hookimpl
        def genesis_schedulers(self) -> list[SchedulerSpec]:
            return [SchedulerSpec("swallower", f"{__name__}:swallower", "Takes anything.")]

    with isolated():
        register(Plugin(), name="swallowing")
        expect(check_scheduler("swallower"), {"name/unknown_option": "taken in silence.*without ..kwargs"})


def swallower(optimizer: Any, **options: Any) -> LRScheduler:
    return Good(optimizer)


# Those that follow a metric.


class Best(LRScheduler):
    """Halves the rate when a metric is no better than the best so far."""

    follows_metric = True

    def __init__(self, optimizer: Any) -> None:
        self.best, self.factor = math.inf, 1.0
        super().__init__(optimizer)

    def get_lr(self) -> list[float]:
        return [base * self.factor for base in self.base_lrs]

    def step(self, metrics: Any = None) -> None:  # type: ignore[override]
        if metrics is None and self.last_epoch >= 0:
            raise TypeError("step() needs a metric")
        if metrics is not None:
            self.look(float(metrics))
        super().step()

    def look(self, metric: float) -> None:
        if metric < self.best:
            self.best = metric
        else:
            self.factor *= 0.5


class ForgetsItsBest(Best):
    def state_dict(self) -> dict[str, Any]:
        state = super().state_dict()
        del state["best"]
        return state


class KeepsNan(Best):
    def look(self, metric: float) -> None:
        if metric < self.best or self.best == math.inf:
            self.best = metric
        else:
            self.factor *= 0.5


class NeedsNothing(Best):
    def step(self, metrics: Any = None) -> None:  # type: ignore[override]
        super().step(1.0 if metrics is None and self.last_epoch >= 0 else metrics)


@pytest.mark.parametrize(
    ("make", "wanted", "also"),
    [
        (ForgetsItsBest, {"resume/*": r"resumed after \d+ steps .*the state lacks 'best'"}, []),
        (KeepsNan, {"metric/nan": "after one metric that was nan the rate keeps falling.*math.isnan"}, []),
        (NeedsNothing, {"metric/needed": r"step\(\) without a metric is taken in silence"}, []),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_mistake_with_a_metric(make: Any, wanted: dict[str, str], also: list[str]) -> None:
    expect(check_scheduler(make), wanted, also)


def test_the_right_one_with_a_metric_passes() -> None:
    assert failures(check_scheduler(Best)) == {}


@dataclass(frozen=True, repr=False)
class Worse(MetricSchedule):
    """Halves the factor when a metric is worse than the one before."""

    def start(self) -> dict[str, Any]:
        return {"last": math.inf, "factor": 1.0}

    def observe(self, state: dict[str, Any], metric: float) -> dict[str, Any]:
        factor = state["factor"] * (0.5 if metric > state["last"] else 1.0)
        return {"last": metric, "factor": factor}

    def factor_of(self, state: dict[str, Any]) -> float:
        return float(state["factor"])


class ChangesTheState(Worse):
    def observe(self, state: dict[str, Any], metric: float) -> dict[str, Any]:
        state.update(super().observe(state, metric))
        return state


class NamesItLater(Worse):
    def observe(self, state: dict[str, Any], metric: float) -> dict[str, Any]:
        return {**super().observe(state, metric), "seen": True}


def test_a_mistake_in_a_metric_schedule() -> None:
    assert failures(check_scheduler(Worse())) == {}
    expect(
        check_scheduler(ChangesTheState()), {"metric/shape": "observe has changed the state"}, ["resume/*"]
    )
    expect(
        check_scheduler(NamesItLater()),
        {"metric/shape": "name all of them in start"},
        ["resume/*", "copy/*", "drive/*"],
    )


# What cannot be made at all.


class NoHorizon(Fall):
    @property
    def horizon(self) -> int:
        raise AttributeError("length_of_it")


@pytest.mark.parametrize(
    ("schedule", "options", "text"),
    [
        ("no_such_schedule", None, "no_such_schedule.*cannot be loaded"),
        ("StepLR", None, r"step_size.*give the options that it needs: check_scheduler\('StepLR', {…}\)"),
        ("Cosine", {"steps": 0}, "cannot be made with {'steps': 0}: ValueError: steps must be"),
        (NoHorizon(), None, "length_of_it"),
        (NoCall, None, r"call super.*__init__\(optimizer, last_epoch, verbose\) at the end of its __init__"),
        (
            LateAttribute,
            None,
            "no attribute 'gamma'; super.*writes the first rates, so set the attributes before",
        ),
        (lambda optimizer: Half(), None, r"gave a shape; return ParamScheduler\(optimizer, Half\(\)\)"),
        (lambda optimizer: 0.5, None, "gave 0.5; a scheduler derives from genesis.optim.LRScheduler"),
        (lambda: None, None, "takes 0 positional arguments"),
    ],
    ids=["unknown", "options", "wrong", "no_horizon", "no_call", "late", "shape", "number", "arguments"],
)
def test_what_cannot_be_made_is_one_check_that_says_why(schedule: Any, options: Any, text: str) -> None:
    (check,) = check_scheduler(schedule, options)
    assert check.name == "loads"
    with pytest.raises(AssertionError, match=text):
        check()


@pytest.mark.parametrize(
    ("arguments", "options", "error", "text"),
    [
        ((3,), {}, TypeError, "expected the name of a schedule"),
        ((Fall(3), {"steps": 3}), {}, TypeError, "is made already"),
        ((Good,), {"metrics": [1.0]}, ValueError, "follows no metric"),
        ((Best,), {"metrics": []}, ValueError, "metrics is empty"),
        ((Good,), {"expected_failures": {"resume/all": "why"}}, ValueError, "there is no such check"),
    ],
)
def test_wrong_arguments_of_the_kit_raise_at_once(
    arguments: Any, options: Any, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        check_scheduler(*arguments, **options)


def test_torch_is_asked_for_only_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genesis.testing.scheduler_checks.find_spec", lambda name: None)
    assert not [check for check in check_scheduler(Good) if "torch" in check.name]
    (check,) = [check for check in check_scheduler(Good, torch=True) if "torch" in check.name]
    with pytest.raises(AssertionError, match="pip install torch"):
        check()


# What the contract leaves open.


@dataclass(frozen=True, repr=False)
class Table(Schedule):
    """Whole steps only."""

    levels: tuple[float, ...] = (1.0, 0.5, 0.25, 0.1)

    @property
    def horizon(self) -> int:
        return len(self.levels) - 1

    def at(self, step: Any) -> float:
        return self.levels[step]


@dataclass(frozen=True)
class UsualText(Schedule):
    """With the text that dataclasses have, and ints and numpy's numbers as values."""

    steps: int = 5

    def at(self, step: float) -> Any:
        return 1 if step < self.steps else np.float64(0.5)


@dataclass(frozen=True, repr=False)
class Rising(Schedule):
    """Rises for ever, as for a range test: far away it overflows."""

    def at(self, step: float) -> float:
        return 1.1**step


class Recursive(LRScheduler):
    """From the present rate to the next, as schedulers for PyTorch are written."""

    def get_lr(self) -> list[Any]:
        rates = [group["lr"] for group in self.optimizer.param_groups]
        return rates if self._is_initial else [rate * 0.5 for rate in rates]


def closure(optimizer: Any) -> LRScheduler:
    """Without last_epoch, and with a function that has no name."""
    return optim.LambdaLR(optimizer, lambda step: 0.5**step)


@pytest.mark.parametrize("subject", [Table(), UsualText(), Rising(), Recursive, closure])
def test_what_is_optional_is_not_demanded(subject: Any) -> None:
    assert failures(check_scheduler(subject)) == {}


def test_expected_failures_have_to_fail() -> None:
    checks = check_scheduler(SameForAll, expected_failures={"drive/groups": "one rate is the idea"})
    (check,) = [check for check in checks if check.name == "drive/groups"]
    with pytest.raises(pytest.xfail.Exception, match="one rate is the idea"):
        check()
    checks = check_scheduler(Good, expected_failures={"drive/groups": "none"})
    (check,) = [check for check in checks if check.name == "drive/groups"]
    with pytest.raises(AssertionError, match="take it out of expected_failures"):
        check()


def test_a_list_with_one_schedule_for_each_group_is_fine() -> None:
    def build(optimizer: Any) -> LRScheduler:
        return ParamScheduler(optimizer, [Fall(9), Half()])

    assert failures(check_scheduler(build)) == {}


def test_the_kit_needs_neither_pytest_nor_torch() -> None:
    code = (
        "import sys; from genesis.testing import check_scheduler\n"
        "for check in check_scheduler('StepLR', {'step_size': 3}): check()\n"
        "sys.exit(' '.join({'pytest', 'torch'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
