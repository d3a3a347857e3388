"""What does a step touch, and what does it leave alone?"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

import genesis
from genesis.testing._check import Question
from genesis.testing.optimizer_checks._subject import (
    Case,
    array,
    difference,
    same,
    state_tensors,
    take,
    telling,
    values,
)


def questions(case: Case) -> list[Question]:
    asked = {
        "steps/moves": moves,
        "steps/deterministic": deterministic,
        "steps/gradients_unchanged": gradients_unchanged,
        "steps/no_gradient": no_gradient,
        "steps/nothing_to_do": nothing_to_do,
        "steps/in_place": in_place,
        "steps/stale_graph": stale_graph,
        "steps/no_graph": no_graph,
        "steps/grad_mode": grad_mode,
        "steps/zero_grad": zero_grad,
        "steps/closure": closure,
        "steps/returns_none": returns_none,
        "steps/hooks": hooks,
    }
    return [(f"{name}/{case.device}", partial(question, case)) for name, question in asked.items()]


def moves(case: Case) -> None:
    """Every parameter with a gradient moves."""
    params = case.leaves()
    case.run(case.make(params), params, 0, 5)
    still = [
        n for n, (p, start) in enumerate(zip(params, case.starts(), strict=True)) if np.all(array(p) == start)
    ]
    if case.rate == 0:
        return
    assert not still, (
        f"after 5 steps with gradients of about 1, parameter{'s' * (len(still) > 1)} "
        f"{', '.join(map(str, still))} of {len(params)} had not moved: change the parameter itself, by "
        "p.sub_(...) and the like; `p = p - ...` only makes a new tensor"
    )


def deterministic(case: Case) -> None:
    """The same run twice, from the same seed, gives the same bits."""
    ends = []
    for _ in range(2):
        params = case.leaves()
        case.run(case.make(params), params, 0, 5)
        ends.append(values(params))
    gap = difference(ends[1], ends[0])
    assert not gap, (
        f"the same 5 steps from the same seed gave other numbers the second time: {gap}. Random numbers come "
        "from genesis.rand and the like, which genesis.manual_seed sets; and nothing may be kept in the class"
    )


def gradients_unchanged(case: Case) -> None:
    """A step changes no gradient, with weight decay and with `maximize` either."""
    variants: list[dict[str, Any]] = [{}]
    if "weight_decay" in case.group:
        variants.append({"weight_decay": 0.1})
    if "maximize" in case.group:
        variants.append({"maximize": not case.group["maximize"]})
    for changed in variants:
        params = case.leaves()
        optimizer = case.make(params, **changed)
        for number in range(2):
            case.give(params, case.gradients(number))
            before = [p.grad for p in params]
            copies = values([p.grad for p in params if p.grad is not None])
            take(optimizer)
            shown = "".join(f" with {key}={value}" for key, value in changed.items())
            for index, (p, grad) in enumerate(zip(params, before, strict=True)):
                assert p.grad is grad, (
                    f"the step{shown} put another tensor into .grad of parameter {index}; leave p.grad to "
                    "the user"
                )
            gap = difference(values([grad for grad in before if grad is not None]), copies)
            assert not gap, (
                f"the step{shown} changed the gradients: that of {gap}. The user may still read or "
                "accumulate them: work on a new tensor, as in `grad = p.grad + weight_decay * p`, not in "
                "place on p.grad"
            )


def no_gradient(case: Case) -> None:
    """Parameters that are frozen, or have no gradient, are left alone, and nothing is remembered of them."""
    used, unused = case.leaves(), case.leaves()
    frozen = case.leaf(case.starts()[0], requires_grad=False)
    wd = {"weight_decay": 0.1} if "weight_decay" in case.group else {}
    optimizer = case.make([unused[0], used[0], frozen, *used[1:], *unused[1:]], **wd)
    before = values([*unused, frozen])
    for number in range(3):
        case.give(used, case.gradients(number))
        take(optimizer, "step() with a parameter whose grad is None")
    gap = difference(values([*unused, frozen]), before)
    assert not gap, (
        f"a step changed a parameter without a gradient, {gap}: leave out those whose grad is None, weight "
        "decay and all, with `if p.grad is None: continue`"
    )
    kept = [n for n, p in enumerate([*unused, frozen]) if optimizer.state.get(p)]
    assert not kept, (
        "a step made state for a parameter that has no gradient: make it when the first gradient comes, or "
        "saved states hold zeros for frozen parameters"
    )
    assert np.any(array(used[0]) != case.starts()[0]) or case.rate == 0, (
        "beside a parameter without a gradient, one with a gradient did not move: go on with the next "
        "parameter (`continue`), do not end the step"
    )


def nothing_to_do(case: Case) -> None:
    """A step without any gradient, and a group without parameters, do nothing."""
    params = case.leaves()
    optimizer = case.make([{"params": []}, {"params": params}])
    with telling("step() without any gradient"):
        take(optimizer, "step() without any gradient")
    gap = difference(values(params), [s.astype(np.float32) for s in case.starts()])
    assert not gap, f"a step without any gradient changed something: {gap}"
    case.run(optimizer, params, 0, 2)
    alone = case.leaves()
    case.run(case.make(alone), alone, 0, 2)
    gap = difference(values(params), values(alone))
    assert not gap, f"beside a group without parameters, or after a step without gradients, {gap}"


def in_place(case: Case) -> None:
    """The tensors stay the same objects with the same memory."""
    params = case.leaves()
    optimizer = case.make(params)
    aliases = [p.detach() for p in params]
    case.run(optimizer, params, 0, 2)
    held = [p for group in optimizer.param_groups for p in group["params"]]
    assert all(p is q for p, q in zip(held, params, strict=True)), (
        "after a step param_groups hold other tensors than the model: change the parameters in place"
    )
    gap = difference(values(aliases), values(params))
    assert not gap, (
        "after a step, a view of a parameter that was made before (p.detach(), or a tied weight) still has "
        f"the old numbers: {gap}. The step has replaced p.data by a new tensor; write into it, by "
        "p.sub_(...), p.add_(..., alpha=...) or p.copy_(...) under genesis.no_grad()"
    )


def stale_graph(case: Case) -> None:
    """backward() through a graph from before the step notices that the parameter has changed."""
    p = case.leaf([[1.0, -2.0]])
    optimizer = case.make([p])
    loss = (p * p).sum()
    case.give([p], [np.ones((1, 2))])
    take(optimizer)
    try:
        loss.backward()
    except RuntimeError:
        return
    raise AssertionError(
        "backward() through a graph that was made before the step ran without an error, so its gradients "
        "were wrong in silence. Operations in place on the parameter, under genesis.no_grad(), count its "
        "changes; writing through .data, or replacing it, does not"
    )


def no_graph(case: Case) -> None:
    """Parameters stay leaves that require gradients, and the state holds no graph."""
    params = case.leaves()
    optimizer = case.make(params)
    case.run(optimizer, params, 0, 3)
    for number, p in enumerate(params):
        right = p.is_leaf and p.requires_grad
        assert right, (
            f"after a step parameter {number} has is_leaf={p.is_leaf} and requires_grad={p.requires_grad}; "
            "both have to stay True: take the step under genesis.no_grad()"
        )
        for name, tensor in state_tensors(optimizer, p).items():
            assert not tensor.requires_grad, (
                f"the state {name!r} of parameter {number} is part of a graph, which grows with every step "
                "until memory ends: take the step under genesis.no_grad()"
            )


def grad_mode(case: Case) -> None:
    """A step leaves recording switched as it was."""
    for enabled in (True, False):
        params = case.leaves()
        optimizer = case.make(params)
        with genesis.set_grad_enabled(enabled):
            case.run(optimizer, params, 0, 1)
            found = genesis.is_grad_enabled()
        assert found is enabled, (
            f"after a step genesis.is_grad_enabled() is {found}, and was {enabled} before: use "
            "genesis.no_grad() as a decorator or in a `with`, which puts it back"
        )


def zero_grad(case: Case) -> None:
    """`zero_grad` forgets the gradients, or fills them with zeros."""
    params = case.leaves()
    optimizer = case.make(params)
    case.run(optimizer, params, 0, 1)
    with telling("zero_grad(set_to_none=False)"):
        optimizer.zero_grad(set_to_none=False)
    assert all(p.grad is not None and not array(p.grad).any() for p in params), (
        "after zero_grad(set_to_none=False) a gradient is not zero; leave zero_grad to the base class"
    )
    with telling("zero_grad()"):
        optimizer.zero_grad()
    assert all(p.grad is None for p in params), (
        "after zero_grad() a gradient is not None; leave zero_grad to the base class"
    )


def closure(case: Case) -> None:
    """`step(closure)` calls it with gradients enabled, before it reads any, and returns its loss."""
    for enabled in (True, False):
        p = case.leaf([[3.0, -2.0]])
        optimizer = case.make([p])
        losses: list[Any] = []
        modes: list[bool] = []

        def compute(p: Any = p, optimizer: Any = optimizer, losses: Any = losses, modes: Any = modes) -> Any:
            modes.append(genesis.is_grad_enabled())
            with genesis.enable_grad():
                optimizer.zero_grad()
                losses.append((p * p).sum())
                losses[-1].backward()
            return losses[-1]

        with telling("step(closure)"), genesis.set_grad_enabled(enabled):
            result = optimizer.step(compute)
        assert losses, "step(closure) did not call the closure: begin with `loss = closure()`"
        assert all(modes), (
            "step(closure) called the closure with gradients off, where its backward() fails: call it in "
            "`with genesis.enable_grad():`"
        )
        assert any(
            result is loss or (same(result, loss) if result is not None else False) for loss in losses
        ), (
            f"step(closure) returned {result!r:.60}; it should return what the closure returned, "
            f"{losses[0].item():g}"
        )
        assert case.rate == 0 or np.any(array(p) != np.array([[3.0, -2.0]])), (
            "step(closure) did not move the parameter although the closure computed a gradient: call the "
            "closure before looking at p.grad"
        )


def returns_none(case: Case) -> None:
    """`step()` returns None, and so can be called without a closure."""
    params = case.leaves()
    optimizer = case.make(params)
    case.give(params, case.gradients(0))
    result = take(optimizer)
    assert result is None or isinstance(result, genesis.Tensor), (
        f"step() returned {result!r:.60} instead of None"
    )
    try:
        result = optimizer.step()
    except TypeError as error:
        raise AssertionError(
            f"step() without a closure raised {error}; training loops call it so: write `def step(self, "
            "closure=None)`"
        ) from error
    assert result is None, f"step() without a closure returned {result!r:.60}; it should return None"


def hooks(case: Case) -> None:
    """Hooks run once around each step."""
    params = case.leaves()
    optimizer = case.make(params)
    seen: list[str] = []
    before = optimizer.register_step_pre_hook(lambda *_: seen.append(f"pre {_moved(case, params)}"))
    optimizer.register_step_post_hook(lambda *_: seen.append(f"post {_moved(case, params)}"))
    case.run(optimizer, params, 0, 1)
    moved = case.rate != 0
    assert seen == ["pre False", f"post {moved}"], (
        "a hook before and one after the step should each run once, around it; what ran (and whether "
        f"parameters had moved): {seen}. The base class wraps `step` where a subclass defines it; do not set "
        "it on the object"
    )
    before.remove()
    case.run(optimizer, params, 1, 2)
    assert len(seen) == 3, f"a hook that was removed ran again: {seen}"


def _moved(case: Case, params: list[genesis.Tensor]) -> bool:
    return any(np.any(array(p) != start) for p, start in zip(params, case.starts(), strict=True))
