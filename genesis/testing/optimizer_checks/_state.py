"""Is everything that a step remembers saved, restored and copied?"""

from __future__ import annotations

import copy
import pickle
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import genesis
from genesis.testing._check import Question
from genesis.testing.optimizer_checks._subject import (
    Case,
    array,
    attributes,
    difference,
    same,
    state_tensors,
    telling,
    undisturbed,
    values,
)

_BEFORE, _AFTER = 4, 8


def questions(case: Case) -> list[Question]:
    asked: dict[str, Callable[[Case], None]] = {
        "state/resume": resume,
        "state/resume_from_a_file": resume_from_a_file,
        "state/resume_float64": partial(resume, dtype=genesis.float64),
        "state/loaded_options": loaded_options,
        "state/deepcopy": partial(copied, how="copy.deepcopy", copy_of=copy.deepcopy),
        "state/pickle": partial(copied, how="pickle", copy_of=lambda x: pickle.loads(pickle.dumps(x))),
        "state/layout": layout,
        "state/device_and_type": device_and_type,
        "state/own_memory": own_memory,
        "state/loading_copies": loading_copies,
        "state/refuses_other_groups": refuses_other_groups,
        "state/refuses_other_shapes": refuses_other_shapes,
    }
    return [(f"{name}/{case.device}", partial(question, case)) for name, question in asked.items()]


def _trained(case: Case, dtype: Any = None) -> tuple[list[Any], Any]:
    params = case.leaves(dtype)
    optimizer = case.make(params)
    case.run(optimizer, params, 0, _BEFORE)
    return params, optimizer


def _saved(optimizer: Any) -> dict[str, Any]:
    with telling("copy.deepcopy(optimizer.state_dict())"):
        return dict(copy.deepcopy(optimizer.state_dict()))


def _twins(case: Case, params: list[Any]) -> list[Any]:
    return [case.leaf(array(p), p.dtype) for p in params]


def resume(case: Case, dtype: Any = None) -> None:
    """A fresh optimizer with a loaded state goes on with the same bits."""
    params, optimizer = _trained(case, dtype)
    saved, twins = _saved(optimizer), _twins(case, params)
    fresh = case.make(twins)
    with telling("load_state_dict(state_dict())"):
        fresh.load_state_dict(saved)
    case.run(optimizer, params, _BEFORE, _AFTER)
    _goes_on(case, optimizer, params, fresh, twins, saved)


def resume_from_a_file(case: Case) -> None:
    """So does one whose state was in a checkpoint on disk."""
    params, optimizer = _trained(case)
    with tempfile.TemporaryDirectory(prefix="genesis-check-") as folder:
        with telling("genesis.save_checkpoint(optimizer.state_dict(), file)"):
            genesis.save_checkpoint(optimizer.state_dict(), Path(folder, "state"))
        with telling("genesis.load_checkpoint(file)"):
            saved = genesis.load_checkpoint(Path(folder, "state"))
    twins = _twins(case, params)
    fresh = case.make(twins)
    with telling("load_state_dict(load_checkpoint(file))"):
        fresh.load_state_dict(saved)
    case.run(optimizer, params, _BEFORE, _AFTER)
    _goes_on(case, optimizer, params, fresh, twins, saved)


def _goes_on(
    case: Case, optimizer: Any, params: list[Any], fresh: Any, twins: list[Any], saved: Mapping[str, Any]
) -> None:
    loaded = _saved(fresh)
    lost = _lost(saved, loaded)
    if not lost:
        case.run(fresh, twins, _BEFORE, _AFTER)
    gap = lost or difference(values(twins), values(params))
    if not gap:
        return
    kept = attributes(optimizer)
    where = f" This optimizer has the attribute{'s' * (len(kept) > 1)} {', '.join(kept)}." if kept else ""
    if lost:
        raise AssertionError(
            f"the state was not restored: after loading, {lost}. Keep what you remember in self.state[p], "
            f"and let pack_state and unpack_state, where you have them, be the opposite of each other.{where}"
        )
    empty = "state_dict() has no state at all" if not saved["state"] else "all that was saved was restored"
    raise AssertionError(
        f"a run that was saved after {_BEFORE} steps and loaded into a fresh optimizer went another way by "
        f"step {_AFTER}: {gap}. Yet {empty}: something that the step depends on is not in the state, such as "
        f"an average or a count of steps in an attribute of the optimizer. Keep it in self.state[p].{where}"
    )


def _lost(saved: Mapping[str, Any], loaded: Mapping[str, Any]) -> str:
    """What of a state is not in the one that was loaded."""
    for number, state in saved["state"].items():
        now = loaded["state"].get(number)
        if now is None:
            return f"there is no state of parameter {number}"
        missing = sorted(map(str, set(state) - set(now)))
        if missing:
            return f"{', '.join(map(repr, missing))} of parameter {number} is missing"
        for key, value in state.items():
            if same(value, now[key]):
                continue
            zero = isinstance(now[key], genesis.Tensor) and not array(now[key]).any()
            return f"{key!r} of parameter {number} is " + (
                "all zeros" if zero else f"{_brief(now[key])} instead of {_brief(value)}"
            )
    return ""


def _brief(value: Any) -> str:
    if isinstance(value, genesis.Tensor):
        numbers = array(value).ravel()
        return f"{str(value.dtype).rpartition('.')[2]} [{', '.join(f'{x:.6g}' for x in numbers[:3])}, ...]"
    return f"{value!r:.60}"


def loaded_options(case: Case) -> None:
    """The options of a loaded state replace those of the constructor."""
    if not case.rate:
        return
    params, optimizer = _trained(case)
    saved, twins = _saved(optimizer), _twins(case, params)
    other = case.make(twins, lr=case.rate / 2)
    with telling("load_state_dict(state_dict())"):
        other.load_state_dict(saved)
    found = float(other.param_groups[0]["lr"])
    assert found == case.rate, (
        f"a state with lr={case.rate:g} was loaded into an optimizer made with lr={case.rate / 2:g}, whose "
        f"group has {found:g} now; it should be the saved one"
    )
    same_rate = _twins(case, params)
    control = case.make(same_rate)
    control.load_state_dict(saved)
    for one, tensors in ((optimizer, params), (control, same_rate), (other, twins)):
        case.run(one, tensors, _BEFORE, _BEFORE + 1)
    if difference(values(same_rate), values(params)):
        return  # the state is not restored anyhow, as state/resume says
    gap = difference(values(twins), values(params))
    assert not gap, (
        "after a state with another lr was loaded, param_groups have the new rate, but after one more step "
        f"{gap}: the step ignores group['lr']; it probably keeps the rate from the constructor"
    )


def copied(case: Case, how: str, copy_of: Callable[[Any], Any]) -> None:
    """A copy of the optimizer goes on by itself, with the same bits."""
    params, optimizer = _trained(case)
    for p in params:
        p.grad = None
    with telling(f"{how} of the optimizer"):
        twin = copy_of(optimizer)
    twins = [p for group in twin.param_groups for p in group["params"]]
    assert not {id(p) for p in twins} & {id(p) for p in params}, (
        f"a copy by {how} does not have copies of the parameters"
    )
    before = values(params)
    case.run(twin, twins, _BEFORE, _AFTER)
    assert not difference(values(params), before), (
        f"a step of a copy by {how} changed the parameters of the original"
    )
    case.run(optimizer, params, _BEFORE, _AFTER)
    gap = difference(values(twins), values(params))
    kept = attributes(optimizer)
    where = f" (here: {', '.join(kept)})" if kept else ""
    assert not gap, (
        f"a copy by {how} went another way: {gap}. What belongs to a parameter is found by the parameter, in "
        f"self.state[p]; an attribute{where} that is keyed by id(p), or is left out of the copy, loses it"
    )


def layout(case: Case) -> None:
    """`state_dict` has PyTorch's layout: parameters are numbers, and options are in the groups."""
    first, second = case.leaves()[:2], case.leaves()[2:]
    optimizer = case.make([{"params": first}, {"params": second}])
    case.run(optimizer, [*first, *second], 0, 2)
    with telling("state_dict()"):
        state = optimizer.state_dict()
    assert set(state) == {"state", "param_groups"}, (
        f"state_dict() has the keys {sorted(map(str, state))}; expected 'state' and 'param_groups', as in "
        "PyTorch. What belongs to no parameter goes into the groups"
    )
    numbers = [group["params"] for group in state["param_groups"]]
    assert numbers == [[0, 1], [2, 3]], (
        f"'params' of the groups in state_dict() are {numbers!r:.120}; expected numbers, [[0, 1], [2, 3]]"
    )
    strange = [key for key in state["state"] if not (isinstance(key, int) and 0 <= key < 4)]
    assert not strange, (
        f"state_dict()['state'] has the key {strange[0]!r:.60}, which is no number of a parameter: use the "
        "parameter itself as the key, self.state[p], and the base class numbers it; id(p) is another one in "
        "the next run"
    )
    bad = [number for number, value in state["state"].items() if not isinstance(value, Mapping)]
    assert not bad, (
        f"the state of parameter {bad[0] if bad else 0} should be a dict: self.state[p]['momentum'] = ..."
    )
    for group, own in zip(state["param_groups"], optimizer.param_groups, strict=True):
        missing = sorted(set(own) - set(group))
        assert not missing, f"the options {', '.join(missing)} are not in param_groups of state_dict()"
        assert group is not own, (
            "state_dict() gives away the groups in use: changes to them would reach the optimizer"
        )


def device_and_type(case: Case) -> None:
    """What is remembered about a parameter has its device and type, whatever the defaults are."""
    others = [device for device in ("ref", "cpu") if device != case.device]
    for dtype in (genesis.float32, genesis.float64):
        with undisturbed(others[0]):
            params = case.leaves(dtype)
            optimizer = case.make(params)
            hint = "make it with genesis.zeros_like(p)"
            try:
                case.run(optimizer, params, 0, 2)
            except AssertionError as error:
                raise AssertionError(
                    f"with another default device than that of the parameters: {error}"
                ) from error
        for number, p in enumerate(params[:2]):
            for name, tensor in state_tensors(optimizer, p).items():
                if tensor.dim() == 0 or not tensor.is_floating_point():
                    continue  # counts and the like
                assert tensor.device == p.device, (
                    f"the state {name!r} of parameter {number} on {p.device} is on {tensor.device}, the "
                    f"default device: {hint}"
                )
                assert tensor.dtype is p.dtype, (
                    f"the state {name!r} of a {p.dtype} parameter is {tensor.dtype}: {hint}. A loaded state "
                    "is converted to the type of the parameter, so a resumed run would differ"
                )


def own_memory(case: Case) -> None:
    """What is remembered is nobody else's memory: not the gradient's, the parameter's, or another state's."""
    params, optimizer = _trained(case)
    states = [state_tensors(optimizer, p) for p in params]
    before = [{name: array(t) for name, t in state.items()} for state in states]

    def unchanged(what: str, cure: str) -> None:
        for number, (state, old) in enumerate(zip(states, before, strict=True)):
            for name, tensor in state.items():
                assert same(array(tensor), old[name]), (
                    f"the state {name!r} of parameter {number} changed when {what}: {cure}"
                )

    optimizer.zero_grad(set_to_none=False)
    unchanged("zero_grad() wrote into the gradients", "keep a copy, p.grad.clone(), not the gradient itself")
    with genesis.no_grad():
        for p in params:
            p.add_(1.0)
    unchanged("the parameter was changed", "keep a copy, p.detach().clone(), not the parameter's memory")
    seen: dict[int, str] = {}
    for number, state in enumerate(states):
        for name, tensor in state.items():
            where = f"{name!r} of parameter {number}"
            assert id(tensor) not in seen, f"one tensor is the state {seen[id(tensor)]} and {where}: make two"
            seen[id(tensor)] = where


def loading_copies(case: Case) -> None:
    """A loaded state and the optimizer do not share tensors."""
    params, optimizer = _trained(case)
    saved = _saved(optimizer)
    kept = copy.deepcopy(saved)
    twins = _twins(case, params)
    fresh = case.make(twins)
    with telling("load_state_dict(state_dict())"):
        fresh.load_state_dict(saved)
    case.run(fresh, twins, _BEFORE, _BEFORE + 2)
    assert not _lost(kept, saved), (
        f"steps after load_state_dict(state) changed the state that was given: {_lost(kept, saved)}. Copy "
        "its tensors, as the base class does"
    )


def refuses_other_groups(case: Case) -> None:
    """The state of other groups is refused, and changes nothing."""
    _, optimizer = _trained(case)
    saved = _saved(optimizer)
    several = case.make([{"params": case.leaves()[:2]}, {"params": case.leaves()[2:]}])
    fewer = case.make(case.leaves()[:3])
    for other, what in (
        (several, "of one group into an optimizer of two"),
        (fewer, "of 4 parameters into one of 3"),
    ):
        _refused(other, saved, f"a state {what}", "leave the comparison of the groups to the base class")


def refuses_other_shapes(case: Case) -> None:
    """The state of parameters of other shapes is refused, and changes nothing."""
    params, optimizer = _trained(case)
    if not any(t.dim() for p in params for t in state_tensors(optimizer, p).values()):
        return  # nothing that has a shape
    other = case.make(case.leaves(shapes=tuple((first + 1, *rest) for first, *rest in case.shapes)))
    _refused(
        other, _saved(optimizer), "the state of parameters of other shapes",
        "override unpack_state(self, param, state), and raise ValueError where the shapes do not fit",
    )  # fmt: skip


def _refused(optimizer: Any, saved: Mapping[str, Any], what: str, cure: str) -> None:
    params = [p for group in optimizer.param_groups for p in group["params"]]
    state, before = _saved(optimizer), values(params)
    try:
        optimizer.load_state_dict(saved)
    except ValueError:
        unchanged = same(_saved(optimizer), state) and not difference(values(params), before)
        assert unchanged, (
            f"{what} was refused, but a part of it was loaded: check everything before anything is changed"
        )
        return
    except Exception as error:
        raise AssertionError(
            f"{what} raised {type(error).__name__}: {error}; expected a ValueError. {cure}"
        ) from error
    raise AssertionError(f"{what} was loaded without an error: {cure}")
