"""Are the options those of the groups, at every step; and are wrong ones refused?"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import genesis
from genesis.optim import LambdaLR
from genesis.testing._check import Question
from genesis.testing.optimizer_checks._subject import (
    Case,
    array,
    attributes,
    difference,
    take,
    telling,
    values,
)


def questions(case: Case) -> list[Question]:
    """Those about groups in training."""
    asked: dict[str, Callable[[Case], None]] = {"groups/add_param_group": add_param_group}
    if case.rate:
        asked |= {
            "groups/own_lr": own_lr,
            "groups/lr_zero": lr_zero,
            "groups/lr_changed": lr_changed,
            "groups/scheduler": scheduler,
        }
    found: list[Question] = [(f"{name}/{case.device}", partial(ask, case)) for name, ask in asked.items()]
    for option, value in case.group.items():
        other = _other(value)
        if option != "lr" and other is not None and case.takes(option):
            found.append((f"groups/option/{option}/{case.device}", partial(own_option, case, option, other)))
    return found


def construction(case: Case) -> list[Question]:
    """Those about making an optimizer."""
    asked: dict[str, Callable[[Case], None]] = {
        "made/params": forms_of_params,
        "made/repr": text,
        "made/unknown_option": unknown_option,
        "made/defaults": defaults,
    }
    found: list[Question] = [(name, partial(ask, case)) for name, ask in asked.items()]
    if case.rate is not None:
        for label, lr in {"negative": -1.0, "nan": math.nan}.items():
            for way in ("constructor", "group", "add_param_group", "loaded"):
                if way != "constructor" or case.takes("lr"):
                    found.append((f"refuses/lr_{label}/{way}", partial(refuses, case, lr, way)))
    return found


# -- in training -----------------------------------------------------------------------------------------
def _two(case: Case, **second: Any) -> tuple[Any, list[Any], list[Any]]:
    """An optimizer of two groups with equal parameters, the second one with options of its own."""
    first, other = case.leaves(), case.leaves()
    return case.make([{"params": first}, {"params": other, **second}]), first, other


def _alone(case: Case, steps: int, **changed: Any) -> list[Any]:
    params = case.leaves()
    case.run(case.make(params, **changed), params, 0, steps)
    return values(params)


def _both(case: Case, optimizer: Any, first: list[Any], other: list[Any], steps: int) -> None:
    """Steps in which both groups get the gradients that a single one gets."""
    genesis.manual_seed(0)
    for number in range(steps):
        case.give(first, case.gradients(number))
        case.give(other, case.gradients(number))
        take(optimizer, f"step() number {number + 1} with two groups")


_KEPT = "it probably keeps the rate that the constructor got, or reads self.defaults"


def own_lr(case: Case) -> None:
    """A group with a rate of its own goes with this rate."""
    assert case.rate
    optimizer, first, other = _two(case, lr=case.rate / 4)
    _both(case, optimizer, first, other, 3)
    _near(
        values(other), _alone(case, 3, lr=case.rate / 4), values(first),
        f"a group with lr={case.rate / 4:g} beside one with lr={case.rate:g} does not go as it would alone",
        f"the step ignores group['lr']: {_KEPT}",
    )  # fmt: skip


def lr_zero(case: Case) -> None:
    """A group with the rate 0 stands still."""
    first, other = case.leaves(), case.leaves()
    try:
        optimizer = case.make([{"params": first}, {"params": other, "lr": 0.0}])
    except ValueError:
        return  # it says that it takes none
    _both(case, optimizer, first, other, 3)
    gap = difference(values(other), [s.astype(np.float32) for s in case.starts()])
    assert not gap, (
        f"a group with lr=0 has moved: {gap}. Either the step ignores group['lr'] ({_KEPT}), or a part of "
        "it, such as weight decay, is not multiplied by the rate; schedules that end at 0 expect that "
        "nothing moves any more"
    )


def lr_changed(case: Case) -> None:
    """A rate that is changed between steps holds from the next step on."""
    assert case.rate
    params = case.leaves()
    optimizer = case.make(params)
    case.run(optimizer, params, 0, 2)
    before = values(params)
    optimizer.param_groups[0]["lr"] = 0.0
    case.run(optimizer, params, 2, 3)
    gap = difference(values(params), before)
    assert not gap, (
        f"after param_groups[0]['lr'] = 0.0 the next step still moved: {gap}. The step ignores group['lr'], "
        f"so no schedule can drive it: {_KEPT}; read group['lr'] in every step"
    )
    optimizer.param_groups[0]["lr"] = case.rate
    case.run(optimizer, params, 3, 4)
    assert difference(values(params), before), (
        "after one step with lr 0 and then the old rate again, nothing moves any more: a rate of 0 has "
        "spoilt the state"
    )


def scheduler(case: Case) -> None:
    """A scheduler drives it: the same steps as with rates that are written by hand."""
    assert case.rate
    factors = (1.0, 0.5, 0.25, 0.0, 0.125)
    driven, by_hand = case.leaves(), case.leaves()
    optimizer = case.make(driven)
    schedule = LambdaLR(optimizer, lambda step: factors[min(step, 4)])
    other = case.make(by_hand)
    for number, factor in enumerate(factors):
        case.run(optimizer, driven, number, number + 1)
        with telling("scheduler.step()"):
            schedule.step()
        for group in other.param_groups:
            group["lr"] = case.rate * factor
        case.run(other, by_hand, number, number + 1)
    gap = difference(values(driven), values(by_hand))
    assert not gap, (
        f"driven by LambdaLR, {gap}, compared with the same rates written into param_groups by hand"
    )
    constant = _alone(case, len(factors))
    assert difference(values(driven), constant), (
        "a schedule of LambdaLR changed nothing: the step ignores group['lr']: " + _KEPT
    )


def own_option(case: Case, option: str, value: Any) -> None:
    """An option of a group counts, and not that of the other groups."""
    try:
        wanted = _alone(case, 3, **{option: value})
        optimizer, first, other = _two(case, **{option: value})
        _both(case, optimizer, first, other, 3)
    except (ValueError, TypeError, NotImplementedError, AssertionError):
        return  # this value is not one that it takes
    _near(
        values(other), wanted, values(first),
        f"a group with {option}={value!r} beside one with {option}={case.group[option]!r} does not go as it "
        "would alone",
        f"the step ignores group[{option!r}]: it probably uses what the constructor got, or self.defaults",
    )  # fmt: skip
    _near(
        values(first), _alone(case, 3), values(other),
        f"a group with {option}={case.group[option]!r} beside another one with {option}={value!r} does not "
        "go as it would alone",
        f"the step takes {option!r} of the other group: read it from the group at hand",
    )  # fmt: skip


def _near(found: list[Any], wanted: list[Any], wrong: list[Any], what: str, meaning: str) -> None:
    """They agree, but for roundings; and if not, is it what the other group does?"""
    for number, (f, w) in enumerate(zip(found, wanted, strict=True)):
        # A group is a part of the work that a kernel may cut otherwise: a few roundings.
        off = float(np.abs(f - w).max())
        if off > 1e-5 * float(np.abs(w).max()):
            cause = (
                f"It goes as the other group: {meaning}" if np.allclose(f, wrong[number], 1e-6) else meaning
            )
            raise AssertionError(f"{what}: parameter {number} is off by {off:.3g} after 3 steps. {cause}")


def _other(value: Any) -> Any:
    """Another value for an option, or None where none can be guessed."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return 0.1 if value == 0 else value / 2
    if isinstance(value, tuple) and value and all(isinstance(v, float) for v in value):
        return tuple(v / 2 for v in value)
    return None


def add_param_group(case: Case) -> None:
    """A group that is added in mid-run goes as if it were alone; the others go on."""
    first, late = case.leaves(), case.leaves()
    optimizer = case.make(first[:2])
    case.run(optimizer, first[:2], 0, 2)
    with telling("add_param_group() after two steps"):
        optimizer.add_param_group({"params": late[:2]})
    genesis.manual_seed(2)
    for number in range(2, 5):
        case.give(first[:2], case.gradients(number)[:2])
        case.give(late[:2], case.gradients(number - 2)[:2])
        take(optimizer, f"step() number {number + 1}, after add_param_group(),")
    for params, steps, which in ((first, 5, "old"), (late, 3, "new")):
        alone = case.leaves()[:2]
        case.run(case.make(alone), alone, 0, steps)
        gaps = [float(np.abs(array(p) - array(q)).max()) for p, q in zip(params[:2], alone, strict=True)]
        scale = max(float(np.abs(array(q)).max()) for q in alone)
        kept = attributes(optimizer)
        extra = f" (attributes that it keeps: {', '.join(kept)})" if kept else ""
        assert max(gaps) <= 1e-5 * scale, (
            f"after a group was added in mid-run, the {which} one is off by {max(gaps):.3g} from where it "
            f"goes alone: count steps and keep averages for each parameter, in self.state[p]{extra}, and "
            "read the options of each group in the step"
        )


# -- making ----------------------------------------------------------------------------------------------
def forms_of_params(case: Case) -> None:
    """Parameters come as a list, an iterator, named pairs, or groups; one tensor alone is refused."""

    def pairs(params: list[Any]) -> Any:
        return ((f"p{number}", p) for number, p in enumerate(params))

    forms: dict[str, Callable[[list[Any]], Any]] = {
        "an iterator of tensors": iter,
        "(name, tensor) pairs": pairs,
        "a list of groups": lambda params: [{"params": params[:2]}, {"params": iter(params[2:])}],
        "a group of (name, tensor) pairs": lambda params: [{"params": pairs(params)}],
    }
    cure = "hand the argument to super().__init__(params, {...}) as it came"
    wanted = _alone(case, 2)
    for what, form in forms.items():
        params = case.leaves()
        with telling(f"making it with {what}"):
            optimizer = case.make(form(params))
        held = [p for group in optimizer.param_groups for p in group["params"]]
        assert [id(p) for p in held] == [id(p) for p in params], (
            f"made with {what}, its groups hold {len(held)} parameters instead of the {len(params)} given, "
            "or others: " + cure
        )
        case.run(optimizer, params, 0, 2)
        _near(values(params), wanted, wanted, f"made with {what}, it does not go as with a list", cure)
    single, nothing = case.leaves()[0], case.leaves()[:0]
    _refused(lambda: case.make(single), TypeError, "a tensor that is not in a list, as params,", cure)
    _refused(lambda: case.make(nothing), ValueError, "an empty list as params", cure)


def defaults(case: Case) -> None:
    """The options are in `defaults` and in every group."""
    optimizer = case.make(case.leaves())
    lost = [key for key in case.options if key not in case.group and case.takes(key)]
    assert not lost, (
        f"the option{'s' * (len(lost) > 1)} {', '.join(lost)} cannot be found in param_groups[0]: give all "
        "to super().__init__(params, {option: value, ...}), so that groups, schedules and saved states know "
        "them"
    )
    wrong = [
        key for key, value in case.options.items() if key in case.group and not _equal(case.group[key], value)
    ]
    assert not wrong, (
        f"param_groups[0][{wrong[0]!r}] is {case.group[wrong[0]]!r}, and the constructor was given "
        f"{case.options[wrong[0]]!r}"
    )
    assert isinstance(optimizer.defaults, dict), "self.defaults should be a dict of the options"
    missing = [key for key in optimizer.defaults if key not in case.group]
    assert not missing, f"the defaults {missing} are not in param_groups[0]"


def _equal(a: Any, b: Any) -> bool:
    try:
        return bool(np.array_equal(np.asarray(a), np.asarray(b)))
    except (TypeError, ValueError):
        return True


def text(case: Case) -> None:
    """The text of an optimizer shows its class and options."""
    optimizer = case.make(case.leaves())
    with telling("repr()"):
        shown = repr(optimizer)
    missing = [key for key in (type(optimizer).__name__, *optimizer.defaults) if key not in shown]
    assert not missing, (
        f"repr() does not show {', '.join(missing)}; leave it to the base class:\n{shown[:400]}"
    )


def unknown_option(case: Case) -> None:
    """An option that it does not know is a TypeError."""
    _refused(
        lambda: case.target(case.leaves(), **{**case.options, "no_such_option": 1}),
        TypeError,
        "the unknown option no_such_option=1",
        "name the options in the constructor; with **kwargs a misspelt one has no effect and says nothing",
    )


def refuses(case: Case, lr: float, way: str) -> None:
    """A wrong rate is a ValueError, wherever it comes from, and changes nothing."""
    cure = (
        "override check_options(self, options) and raise ValueError: the base class calls it for the "
        "defaults, for every group, and for what is loaded"
    )
    if way == "constructor":
        _refused(lambda: case.make(case.leaves(), lr=lr), ValueError, f"lr={lr} in the constructor", cure)
    elif way == "group":
        groups = [{"params": case.leaves(), "lr": lr}]
        _refused(lambda: case.make(groups), ValueError, f"a group with lr={lr}", cure)
    elif way == "add_param_group":
        optimizer = case.make(case.leaves())
        bad = {"params": case.leaves(), "lr": lr}
        _refused(lambda: optimizer.add_param_group(bad), ValueError, f"add_param_group with lr={lr}", cure)
        assert len(optimizer.param_groups) == 1, "the group with a wrong rate was added all the same"
    else:
        optimizer = case.make(case.leaves())
        state = optimizer.state_dict()
        state["param_groups"] = [{**group, "lr": lr} for group in state["param_groups"]]
        _refused(lambda: optimizer.load_state_dict(state), ValueError, f"a loaded state with lr={lr}", cure)
        assert optimizer.param_groups[0]["lr"] == case.group["lr"], "the wrong rate was loaded all the same"


def _refused(do: Callable[[], Any], error: type[Exception], what: str, cure: str) -> None:
    try:
        do()
    except error:
        return
    except Exception as other:
        raise AssertionError(
            f"{what} raised {type(other).__name__}: {other}; expected a {error.__name__}. {cure}"
        ) from other
    raise AssertionError(f"{what} was accepted; expected a {error.__name__}: {cure}")
