"""Broken optimizers: the kit finds each mistake, says what it is, and finds nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import pytest

import genesis
from genesis.optim import Optimizer
from genesis.plugin import OptimizerSpec, hookimpl, isolated, register
from genesis.testing import Check, check_optimizer


def failures(checks: Iterable[Check]) -> dict[str, str]:
    """The checks that fail, with what they say."""
    found = {}
    for check in checks:
        try:
            check()
        except AssertionError as error:
            found[check.name] = str(error)
    return found


class Right(Optimizer):
    """What the broken ones would be if they were right: momentum, started at zero, without bias."""

    def __init__(
        self,
        params: Any,
        lr: float = 0.1,
        beta: float = 0.9,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        defaults = {"lr": lr, "beta": beta, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, defaults)

    def check_options(self, options: Any) -> None:
        if not options["lr"] >= 0:
            raise ValueError(f"lr must be 0 or more, got {options['lr']}")

    @genesis.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = None
        if closure is not None:
            with genesis.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.update(p, group)
        return loss

    def update(self, p: Any, group: Any) -> None:
        state = self.state[p]
        if not state:
            state["average"] = genesis.zeros_like(p)
            state["step"] = 0
        state["step"] += 1
        self.move(p, self.averaged(p, group, state), group["lr"])

    def direction(self, p: Any, group: Any) -> Any:
        grad = -p.grad if group["maximize"] else p.grad
        return grad + group["weight_decay"] * p

    def averaged(self, p: Any, group: Any, state: Any) -> Any:
        state["average"].lerp_(self.direction(p, group), 1 - group["beta"])
        return state["average"] / (1 - group["beta"] ** state["step"])

    def move(self, p: Any, direction: Any, lr: float) -> None:
        p.sub_(direction, alpha=lr)


def reference(
    param: Any, grad: Any, state: Any, step: int, lr: Any, beta: Any, weight_decay: Any, maximize: Any
) -> Any:
    grad = (-grad if maximize else grad) + weight_decay * param
    state["m"] = beta * state.get("m", 0.0) + (1 - beta) * grad
    return param - lr * state["m"] / (1 - beta**step)


def check(optimizer: Any, device: Any = "ref", **options: Any) -> list[Check]:
    return check_optimizer(optimizer, options, reference=reference, device=device)


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


def test_the_right_one_passes() -> None:
    assert failures(check(Right, device=None)) == {}
    assert failures(check(Right, weight_decay=0.1, maximize=True)) == {}


# -- state -------------------------------------------------------------------------------------------------
class InAnAttribute(Right):
    """The averages in a dict of its own."""

    def update(self, p: Any, group: Any) -> None:
        if not hasattr(self, "averages"):
            self.averages: dict[Any, Any] = {}
        state = self.averages.setdefault(id(p), {"average": genesis.zeros_like(p), "step": 0})
        state["step"] += 1
        self.move(p, self.averaged(p, group, state), group["lr"])


def test_state_in_an_attribute() -> None:
    text = "state_dict.. has no state at all.*Keep it in self.state.p.*attribute averages"
    copies = "keyed by id"
    expect(
        check(InAnAttribute),
        {"state/resume*": text, "state/deepcopy/*": copies, "state/pickle/*": copies},
    )


class OneCount(Right):
    """One count of steps for all parameters, in an attribute."""

    count = 0

    def step(self, closure: Any = None) -> Any:
        self.count += 1
        return super().step(closure)

    def averaged(self, p: Any, group: Any, state: Any) -> Any:
        return super().averaged(p, group, {**state, "step": self.count})


def test_one_count_of_steps_for_all_parameters() -> None:
    expect(
        check(OneCount),
        {
            "state/resume*": "all that was saved was restored: something .* a count of steps in an attribute",
            "groups/add_param_group/*": "the new one is off.*count steps .* for each parameter",
        },
        also=["steps/nothing_to_do/*"],
    )


class KeyedById(Right):
    """What belongs to a parameter under its id."""

    def update(self, p: Any, group: Any) -> None:
        state = self.state[id(p)]
        if not state:
            state.update(average=genesis.zeros_like(p), step=0)
        state["step"] += 1
        self.move(p, self.averaged(p, group, state), group["lr"])


def test_state_keyed_by_id() -> None:
    expect(
        check(KeyedById),
        {
            "state/layout/*": r"is no number of a parameter: use the parameter itself as the key",
            "state/resume*": "something that the step depends on is not in the state",
            "state/deepcopy/*": "keyed by id",
            "state/pickle/*": "keyed by id",
        },
    )


class HalfSaved(Right):
    """Packs less than it needs."""

    def pack_state(self, state: Any) -> Any:
        return {"average": state["average"]}

    def unpack_state(self, param: Any, state: Any) -> Any:
        return {"average": state["average"], "step": 0}


class Forgets(Right):
    """Makes a fresh state of every loaded one."""

    def unpack_state(self, param: Any, state: Any) -> Any:
        return {"average": genesis.zeros_like(param), "step": state["step"]}


def test_state_that_is_lost() -> None:
    expect(
        check(HalfSaved),
        {"state/resume*": "not in the state, such as .* a count of steps"},
        also=["state/refuses_other_shapes/*"],  # its unpack_state does not look
    )
    expect(
        check(Forgets),
        {
            "state/resume*": "not restored: after loading, 'average' of parameter 0 is all zeros.*opposite",
            "state/refuses_other_shapes/*": "loaded without an error: override unpack_state",
        },
    )


class Single(Right):
    """Averages in float32, wherever the default device is."""

    def update(self, p: Any, group: Any) -> None:
        if not self.state[p]:
            self.state[p].update(
                average=genesis.zeros(p.shape, dtype=genesis.float32, device=p.device), step=0
            )
        super().update(p, group)

    def averaged(self, p: Any, group: Any, state: Any) -> Any:
        state["average"].mul_(group["beta"]).add_(self.direction(p, group), alpha=1 - group["beta"])
        return state["average"] / (1 - group["beta"] ** state["step"])


class Elsewhere(Right):
    """Averages on the default device."""

    def update(self, p: Any, group: Any) -> None:
        if not self.state[p]:
            self.state[p].update(average=genesis.zeros(p.shape, dtype=p.dtype), step=0)
        super().update(p, group)


def test_state_of_another_type_or_device() -> None:
    expect(
        check(Single),
        {
            "state/device_and_type/*": "'average' of a genesis.float64 parameter is genesis.float32",
            "reference/*/float64": "look at",
        },
        also=["float64/*", "state/resume_float64/*"],
    )
    expect(check(Elsewhere), {"state/device_and_type/*": "default device.*zeros_like"})


class KeepsTheGradient(Right):
    """Remembers the gradient itself instead of a copy."""

    def update(self, p: Any, group: Any) -> None:
        super().update(p, group)
        self.state[p]["last"] = p.grad


def test_state_that_is_somebody_elses_memory() -> None:
    expect(check(KeepsTheGradient), {"state/own_memory/*": r"'last'.*zero_grad.*keep a copy, p.grad.clone"})


# -- options -----------------------------------------------------------------------------------------------
class KeepsTheRate(Right):
    """Reads the rate in the constructor."""

    def __init__(self, params: Any, lr: float = 0.1, **options: Any) -> None:
        super().__init__(params, lr, **options)
        self.lr = lr

    def move(self, p: Any, direction: Any, lr: float) -> None:
        super().move(p, direction, self.lr)


def test_a_rate_kept_from_the_constructor() -> None:
    ignores = r"the step ignores group\['lr'\].*constructor"
    expect(
        check(KeepsTheRate),
        {
            "groups/own_lr/*": "goes as the other group: " + ignores,
            "groups/lr_zero/*": ignores.replace("the", "[Tt]he", 1),
            "groups/lr_changed/*": "no schedule can drive it: it probably keeps the rate",
            "groups/scheduler/*": "compared with the same rates|" + ignores,
            "state/loaded_options/*": ignores,
        },
    )


class DecayOfTheDefaults(Right):
    """Takes the weight decay of the constructor for all groups."""

    def direction(self, p: Any, group: Any) -> Any:
        return super().direction(p, {**group, "weight_decay": self.defaults["weight_decay"]})


def test_weight_decay_of_groups_ignored() -> None:
    expect(
        check(DecayOfTheDefaults),
        {"groups/option/weight_decay/*": r"as the other group: the step ignores group\['weight_decay'\]"},
    )


class DecayBesideTheRate(Right):
    """Decays by the same part whatever the rate is."""

    def move(self, p: Any, direction: Any, lr: float) -> None:
        p.mul_(0.99)
        super().move(p, direction, lr)


def test_decay_that_does_not_end_with_the_rate() -> None:
    expect(
        check(DecayBesideTheRate),
        {
            "groups/lr_zero/*": "moved.*weight decay, is not multiplied by the rate",
            "groups/lr_changed/*": "next step still moved",
            "reference/*": "Already the first step differs: look at the formula, at weight decay",
        },
        also=["learns/maximize/*"],
    )


class Credulous(Right):
    """Checks nothing, and takes any option."""

    def __init__(self, params: Any, lr: float = 0.1, **options: Any) -> None:
        options.pop("no_such_option", None)
        super().__init__(params, lr, **options)

    def check_options(self, options: Any) -> None:
        pass


def test_wrong_options_accepted() -> None:
    expect(
        check(Credulous),
        {
            "refuses/lr_*": "was accepted; expected a ValueError: override check_options",
            "made/unknown_option": "no_such_option=1 was accepted; expected a TypeError",
        },
    )


class Hidden(Right):
    """Keeps an option out of the groups."""

    def __init__(self, params: Any, lr: float = 0.1, beta: float = 0.9) -> None:
        super().__init__(params, lr)
        self.beta = beta
        for group in (self.defaults, *self.param_groups):
            del group["beta"]

    def averaged(self, p: Any, group: Any, state: Any) -> Any:
        return super().averaged(p, {**group, "beta": self.beta}, state)


def test_an_option_outside_of_the_groups() -> None:
    checks = check_optimizer(Hidden, {"beta": 0.5}, device="ref")
    expect(checks, {"made/defaults": r"option beta cannot be found in param_groups\[0\]"})


# -- steps -------------------------------------------------------------------------------------------------
class WritesGradients(Right):
    """Adds the decay to the gradient itself."""

    def direction(self, p: Any, group: Any) -> Any:
        return (
            p.grad.add_(p, alpha=group["weight_decay"])
            if group["weight_decay"]
            else super().direction(p, group)
        )


def test_gradients_changed() -> None:
    expect(
        check(WritesGradients),
        {"steps/gradients_unchanged/*": "weight_decay=0.1 changed the gradients.*not in place on p.grad"},
        also=["shapes/expanded_gradient/*"],
    )


class NoneIsZero(Right):
    """Takes a missing gradient for zero."""

    @genesis.no_grad()
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    p.grad = genesis.zeros_like(p)
        return super().step(closure)


class NoneIsNotExpected(Right):
    """Does not look whether there is a gradient."""

    @genesis.no_grad()
    def step(self, closure: Any = None) -> Any:
        if closure is not None:
            with genesis.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                self.update(p, group)
        return loss if closure is not None else None


def test_parameters_without_a_gradient() -> None:
    expect(
        check(NoneIsZero),
        {"steps/no_gradient/*": "changed a parameter without a gradient.*`if p.grad is None: continue`"},
        also=["steps/nothing_to_do/*"],
    )
    expect(
        check(NoneIsNotExpected),
        {
            "steps/no_gradient/*": "a parameter without a gradient has grad None",
            "steps/nothing_to_do/*": "grad None",
        },
    )


class Replaces(Right):
    """Puts a new tensor into .data."""

    def move(self, p: Any, direction: Any, lr: float) -> None:
        p.data = p.detach() - lr * direction


class ReplacesTheParameter(Right):
    """Puts a new tensor into the group."""

    @genesis.no_grad()
    def step(self, closure: Any = None) -> Any:
        result = super().step(closure)
        for group in self.param_groups:
            group["params"] = [p.detach().requires_grad_() for p in group["params"]]
        return result


def test_parameters_replaced() -> None:
    expect(
        check(Replaces),
        {
            "steps/in_place/*": "still has the old numbers.*replaced p.data by a new tensor",
            "steps/stale_graph/*": "ran without an error.*count its changes",
        },
    )
    found = failures(check(ReplacesTheParameter))
    assert "hold other tensors than the model" in found["steps/in_place/ref"]


class KeepsTheGraph(Right):
    """Averages the parameters with recording on."""

    def step(self, closure: Any = None) -> Any:
        result = super().step(closure)
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.state[p]["mean"] = 0.9 * self.state[p].get("mean", 0.0) + 0.1 * p
        return result


def test_a_graph_that_grows() -> None:
    expect(
        check(KeepsTheGraph),
        {"steps/no_graph/*": "'mean' of parameter 0 is part of a graph.*genesis.no_grad"},
        also=["state/*"],  # what is part of a graph cannot be copied
    )


class LeavesItOff(Right):
    """Switches recording off and never on again."""

    def step(self, closure: Any = None) -> Any:
        result = super().step(closure)
        genesis.set_grad_enabled(False)
        return result


def test_recording_left_off() -> None:
    before = genesis.is_grad_enabled()
    try:
        found = failures(check(LeavesItOff))
    finally:
        genesis.set_grad_enabled(before)
    assert "is False, and was True before" in found["steps/grad_mode/ref"]


class ClosureWithoutGradients(Right):
    """Calls the closure under no_grad, and forgets its loss."""

    @genesis.no_grad()
    def step(self, closure: Any = None) -> Any:
        if closure is not None:
            closure()
        return super().step()


class ClosureUnused(Right):
    """Does not call the closure."""

    def step(self, closure: Any = None) -> Any:
        return super().step()


class LossForgotten(Right):
    """Does not return the loss."""

    def step(self, closure: Any = None) -> Any:
        super().step(closure)


class ClosureDemanded(Right):
    """Cannot step without a closure."""

    def step(self, closure: Any) -> Any:
        return super().step(closure)


def test_closures() -> None:
    expect(check(ClosureWithoutGradients), {"steps/closure/*": "with gradients off.*genesis.enable_grad"})
    expect(check(ClosureUnused), {"steps/closure/*": "did not call the closure"})
    expect(check(LossForgotten), {"steps/closure/*": "returned None; it should return what the closure"})
    expect(check(ClosureDemanded), {"steps/returns_none/*": r"raised.*`def step\(self, closure=None\)`"},
           also=["steps/hooks/*"])  # fmt: skip


class Dice(Right):
    """Adds noise of its own."""

    random = np.random.default_rng()

    def direction(self, p: Any, group: Any) -> Any:
        noise = genesis.tensor(self.random.normal(size=tuple(p.shape)), dtype=p.dtype, device=p.device)
        return super().direction(p, group) + noise


def test_noise_that_no_seed_sets() -> None:
    found = failures(check(Dice))
    assert "genesis.manual_seed" in found["steps/deterministic/ref"]


# -- numbers -----------------------------------------------------------------------------------------------
class Ascends(Right):
    """Adds what should be subtracted."""

    def move(self, p: Any, direction: Any, lr: float) -> None:
        p.add_(direction, alpha=lr)


class Uncorrected(Right):
    """Forgets the bias correction."""

    def averaged(self, p: Any, group: Any, state: Any) -> Any:
        return super().averaged(p, group, {**state, "step": 10_000})


class CountsFromZero(Right):
    """Corrects the bias as if one step less had been taken, but in the first."""

    def averaged(self, p: Any, group: Any, state: Any) -> Any:
        return super().averaged(p, group, {**state, "step": max(1, state["step"] - 1)})


class DecayedAscent(Right):
    """Turns the decay too when it climbs."""

    def direction(self, p: Any, group: Any) -> Any:
        grad = p.grad + group["weight_decay"] * p
        return -grad if group["maximize"] else grad


def test_wrong_numbers() -> None:
    expect(
        check(Ascends),
        {
            "learns/parabola/*": "goes up the gradient",
            "learns/rosenbrock/*": "goes up",
            "reference/*": "opposite direction",
        },
    )
    expect(
        check(Uncorrected), {"reference/*": "first step is 0.1 times what it should be.*a bias correction"}
    )
    expect(
        check(CountsFromZero),
        {"reference/*": "after step 2.*The first step is right.*count of the steps"},
    )
    expect(
        check(DecayedAscent, weight_decay=0.5),
        {"learns/maximize/*": "weight decay, for one, stays what it is"},
    )


class Flat(Right):
    """Takes the elements as they lie in memory, whatever the strides are."""

    def direction(self, p: Any, group: Any) -> Any:
        grad = super().direction(p, group)
        return grad.t().reshape(*p.shape) if p.dim() == 2 and not p.is_contiguous() else grad


def test_strides_ignored() -> None:
    found = failures(check(Flat))
    assert "shapes/transposed/ref" in found
    assert set(found) <= {"shapes/transposed/ref", "shapes/sliced/ref"}
    assert "a parameter that is a transposed view is off by" in found["shapes/transposed/ref"]
    assert "strides ignored" in found["shapes/transposed/ref"]


# -- what cannot be asked at all ---------------------------------------------------------------------------
class ForgetsNoGrad(Right):
    def step(self, closure: Any = None) -> Any:
        for p in self.param_groups[0]["params"]:
            p.sub_(p.grad)


class NoStep(Optimizer):
    def __init__(self, params: Any, lr: float = 0.1) -> None:
        super().__init__(params, {"lr": lr})


class Needy(Right):
    def __init__(self, params: Any, lr: float) -> None:
        super().__init__(params, lr)


class NoBase:
    def __init__(self, params: Any) -> None:
        pass


@pytest.mark.parametrize(
    ("optimizer", "text"),
    [
        (ForgetsNoGrad, r"put @genesis.no_grad\(\) before step"),
        (NoStep, r"NoStep has no step\(\)"),
        (Needy, r"required positional argument.*check_optimizer\('Needy', \{"),
        (NoBase, "derives from genesis.optim.Optimizer"),
    ],
)
def test_what_cannot_take_a_step(optimizer: Any, text: str) -> None:
    (only,) = check_optimizer(optimizer, device="ref")
    assert only.name == "loads"
    with pytest.raises(AssertionError, match=text):
        only()


def test_one_that_cannot_be_imported() -> None:
    class Plugin:
        @hookimpl
        def genesis_optimizers(self) -> list[OptimizerSpec]:
            return [OptimizerSpec("Gone", "no_such_module_anywhere:Gone", "Is not there.")]

    with isolated():
        register(Plugin(), name="gone")
        (only,) = check_optimizer("Gone")
        with pytest.raises(AssertionError, match=r"'Gone' cannot be loaded.*no_such_module_anywhere"):
            only()


# -- the kit itself ----------------------------------------------------------------------------------------
def test_wrong_questions() -> None:
    with pytest.raises(genesis.UnknownNameError, match="Adma"):
        check_optimizer("Adma")
    with pytest.raises(TypeError, match="expected the name of an optimizer"):
        check_optimizer(3)
    with pytest.raises(TypeError, match="dict of options, or a list of such dicts"):
        check_optimizer("SGD", ["lr"])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="no such check; did you mean 'steps/closure/ref'"):
        check_optimizer("SGD", device="ref", expected_failures={"steps/closures/ref": "why"})


def test_several_options_begin_the_names() -> None:
    names = [
        c.name for c in check_optimizer("SGD", [{"lr": 0.1}, {"lr": 0.1, "momentum": 0.9}], device="ref")
    ]
    assert "lr=0.1/steps/closure/ref" in names
    assert "lr=0.1,momentum=0.9/steps/closure/ref" in names
    assert len(names) == len(set(names))


def test_a_factory_may_fix_its_options() -> None:
    checks = check_optimizer(lambda params: Right(params, lr=0.05), device="ref")
    assert failures(checks) == {}


class Orthogonal(Right):
    """Takes matrices only: makes the singular values of the direction equal, as Muon does."""

    def add_param_group(self, param_group: Any) -> None:
        super().add_param_group(param_group)
        if any(p.dim() != 2 for p in self.param_groups[-1]["params"]):
            raise ValueError("matrices only")

    def move(self, p: Any, direction: Any, lr: float) -> None:
        x = direction / (direction.norm() + 1e-12)
        for _ in range(5):
            x = 1.5 * x - 0.5 * x @ x.T @ x
        super().move(p, x, lr)


def test_one_that_takes_matrices_only() -> None:
    checks = check_optimizer(Orthogonal, device=None)
    assert failures(checks) == {}
    names = {c.name for c in checks}
    assert "shapes/transposed/ref" in names
    assert "shapes/vector/ref" not in names


def test_a_check_leaves_the_process_as_it_was() -> None:
    genesis.manual_seed(5)
    before = genesis.get_rng_state().tolist(), str(genesis.get_default_device())
    failures(check(Elsewhere)[:20])
    assert (genesis.get_rng_state().tolist(), str(genesis.get_default_device())) == before
