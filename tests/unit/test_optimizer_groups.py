"""Parameter groups, options, hooks, state dicts and errors of the optimizers."""

from __future__ import annotations

import copy
import pickle

import pytest

import genesis
from genesis import nn
from genesis.optim import SGD, Adam, AdamW, LambdaLR, Optimizer


@pytest.fixture(autouse=True)
def _on_ref():
    before = genesis.get_default_device()
    genesis.set_default_device("ref")
    yield
    genesis.set_default_device(before)


def leaf(*size):
    return genesis.ones(*size, requires_grad=True)


def with_grad(*size):
    p = leaf(*size)
    p.grad = genesis.ones(*size)
    return p


class Descent(Optimizer):
    """As a stranger would write it."""

    def __init__(self, params, lr=0.5):
        super().__init__(params, {"lr": lr})

    @genesis.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.sub_(group["lr"] * p.grad)
                    self.state[p]["seen"] = self.state[p].get("seen", 0) + 1


# -- groups ------------------------------------------------------------------------------------------------
def test_groups_take_defaults_for_what_they_leave_out():
    a, b = leaf(2), leaf(3)
    optimizer = AdamW([{"params": [a], "lr": 0.1}, {"params": b, "weight_decay": 0.0, "name": "b"}], lr=0.2)
    first, second = optimizer.param_groups
    assert (first["lr"], first["weight_decay"]) == (0.1, 1e-2)
    assert (second["lr"], second["weight_decay"], second["name"]) == (0.2, 0.0, "b")
    assert first["params"] == [a]
    assert second["params"] == [b]
    assert optimizer.defaults["lr"] == 0.2


def test_the_callers_groups_are_not_changed():
    group = {"params": iter([leaf(2)])}
    optimizer = SGD([group], lr=0.1)
    optimizer.param_groups[0]["lr"] = 0.5
    assert set(group) == {"params"}


def test_a_group_added_later_is_optimized():
    a, b = with_grad(2), with_grad(2)
    optimizer = SGD([a], lr=0.5)
    optimizer.add_param_group({"params": [b], "lr": 0.25})
    optimizer.step()
    assert a.tolist() == [0.5, 0.5]
    assert b.tolist() == [0.75, 0.75]


def test_names_are_kept():
    model = nn.Linear(2, 3)
    optimizer = SGD(model.named_parameters())
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert [id(p) for p in optimizer.param_groups[0]["params"]] == [id(p) for p in model.parameters()]
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]


def test_names_stay_when_a_state_without_them_is_loaded():
    state = SGD([leaf(2)], lr=0.3).state_dict()
    optimizer = SGD([("scale", leaf(2))])
    optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["param_names"] == ["scale"]
    assert optimizer.param_groups[0]["lr"] == 0.3


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: [], ValueError, "empty parameter list"),
        (lambda: leaf(2), TypeError, "iterable of Tensors or dicts, but got Tensor.*list"),
        (lambda: nn.Linear(2, 2), TypeError, r"got Linear; pass its \.parameters\(\)"),
        (lambda: {"params": [leaf(2)]}, TypeError, "got dict; put it in a list"),
        (lambda: 3, TypeError, "got int"),
        (lambda: {leaf(2), leaf(3)}, TypeError, "order of a set"),
        (lambda: [{"params": {leaf(2)}}], TypeError, "order of a set"),
        (lambda: [leaf(2), 3.0], TypeError, "can only optimize Tensors, but one of the params is float"),
        (lambda: [{"params": leaf(2)}, leaf(2)], TypeError, "param_group must be a dict, but got Tensor"),
        (lambda: [leaf(2) * 2], ValueError, "non-leaf"),
        (lambda: [{"lr": 0.1}], KeyError, "needs 'params'; this one has"),
        (lambda: [leaf(2), ("b", leaf(2))], ValueError, "names are missing"),
        (
            lambda: [{"params": [leaf(2)]}, {"params": [("b", leaf(2))]}],
            ValueError,
            "cannot add param group with names",
        ),
    ],
)
def test_wrong_parameters_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        SGD(make(), lr=0.1)


def test_a_parameter_may_appear_once():
    p = leaf(2)
    with pytest.raises(ValueError, match="more than once in a parameter group"):
        SGD([p, p])
    with pytest.raises(ValueError, match="more than one parameter group"):
        SGD([{"params": [p]}, {"params": [p]}])


@pytest.mark.parametrize(
    ("optimizer", "options", "message"),
    [
        (SGD, {"lr": -0.1}, "Invalid learning rate: -0.1"),
        (SGD, {"lr": float("nan")}, "Invalid learning rate: nan"),
        (SGD, {"lr": "0.1"}, "Invalid learning rate: '0.1'; expected a number"),
        (SGD, {"lr": None}, "Invalid learning rate: None"),
        (SGD, {"momentum": -1}, "Invalid momentum value: -1"),
        (SGD, {"weight_decay": -1}, "Invalid weight_decay value: -1"),
        (SGD, {"nesterov": True}, "Nesterov momentum requires a momentum and zero dampening"),
        (SGD, {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, "Nesterov momentum requires"),
        (Adam, {"lr": -1}, "Invalid learning rate: -1"),
        (Adam, {"eps": -1}, "Invalid epsilon value: -1"),
        (Adam, {"betas": (1.0, 0.9)}, "Invalid beta parameter at index 0: 1.0"),
        (Adam, {"betas": (0.9, -0.1)}, "Invalid beta parameter at index 1: -0.1"),
        (Adam, {"betas": 0.9}, "betas must be a pair"),
        (AdamW, {"weight_decay": -1}, "Invalid weight_decay value: -1"),
    ],
)
def test_options_out_of_range_are_refused(optimizer, options, message):
    with pytest.raises(ValueError, match=message):
        optimizer([leaf(2)], **options)
    with pytest.raises(ValueError, match=message):
        optimizer([{"params": [leaf(2)], **options}])


def test_a_rate_may_be_a_tensor_of_one_element():
    with pytest.raises(ValueError, match="Tensor lr must be 1-element"):
        Adam([leaf(2)], lr=genesis.tensor([0.1, 0.2]))
    p, rate = with_grad(2), genesis.tensor(0.5)
    optimizer = SGD([p], lr=rate)
    optimizer.step()
    rate.fill_(0.25)
    optimizer.step()
    assert p.tolist() == [0.25, 0.25]


@pytest.mark.parametrize("optimizer", [SGD, Adam, AdamW])
def test_differentiable_steps_are_refused(optimizer):
    with pytest.raises(NotImplementedError, match="differentiable=True is not implemented"):
        optimizer([leaf(2)], differentiable=True)


# -- steps -------------------------------------------------------------------------------------------------
def test_zero_grad():
    p = with_grad(2)
    optimizer = SGD([p, leaf(3)], lr=0.1)
    kept = p.grad
    optimizer.zero_grad(set_to_none=False)
    assert p.grad is kept
    assert p.grad.tolist() == [0.0, 0.0]
    optimizer.zero_grad()
    assert p.grad is None


def test_zero_grad_leaves_the_graph_of_a_recorded_gradient():
    p = leaf(2)
    (p**3).sum().backward(create_graph=True)
    SGD([p]).zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0.0, 0.0]
    assert not p.grad.requires_grad


def test_an_optimizer_without_a_step_says_so():
    class Nothing(Optimizer):
        pass

    with pytest.raises(NotImplementedError, match=r"Nothing has no step\(\)"):
        Nothing([leaf(2)], {}).step()


def test_hooks_run_around_a_step():
    seen = []
    optimizer = Descent([with_grad(2)])
    before = optimizer.register_step_pre_hook(lambda *args: seen.append(("before", args)))
    optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append(("after", o is optimizer)))
    optimizer.step(None)
    assert seen == [("before", (optimizer, (None,), {})), ("after", True)]
    before.remove()
    seen.clear()
    optimizer.step()
    assert seen == [("after", True)]


def test_a_pre_hook_may_change_the_arguments():
    optimizer = SGD([with_grad(2)])
    optimizer.register_step_pre_hook(lambda o, args, kwargs: ((), {"closure": lambda: "from the hook"}))
    assert optimizer.step() == "from the hook"
    optimizer.register_step_pre_hook(lambda o, args, kwargs: 3)
    with pytest.raises(RuntimeError, match="must return None or a pair"):
        optimizer.step()


def test_hooks_run_once_where_a_step_calls_that_of_its_base():
    class Twice(Descent):
        def step(self, closure=None):
            super().step()
            super().step()

    p, seen = with_grad(2), []
    optimizer = Twice([p], lr=0.25)
    optimizer.register_step_post_hook(lambda *args: seen.append(p.tolist()))
    optimizer.step()
    assert seen == [[0.5, 0.5]]


def test_hooks_of_state_dicts():
    seen = []
    optimizer = SGD([leaf(2)])
    optimizer.register_state_dict_pre_hook(lambda o: seen.append("pre"))
    optimizer.register_state_dict_post_hook(lambda o, state: {**state, "extra": 1})
    optimizer.register_state_dict_post_hook(lambda o, state: seen.append(sorted(state)), prepend=True)
    state = optimizer.state_dict()
    assert seen == ["pre", ["param_groups", "state"]]
    assert state["extra"] == 1

    def faster(optimizer, state):
        state["param_groups"] = [{**state["param_groups"][0], "lr": 9.0}]

    optimizer.register_load_state_dict_pre_hook(faster)
    optimizer.register_load_state_dict_post_hook(lambda o: seen.append(o.param_groups[0]["lr"]))
    optimizer.load_state_dict(state)
    assert seen[-1] == 9.0
    assert state["param_groups"][0]["lr"] == 1e-3


def test_a_scheduler_drives_it():
    p = with_grad(2)
    optimizer = SGD([p], lr=1.0)
    scheduler = LambdaLR(optimizer, lambda step: 0.5**step)
    optimizer.step()
    scheduler.step()
    assert optimizer.param_groups[0]["lr"] == 0.5
    optimizer.step()
    assert p.tolist() == [-0.5, -0.5]


# -- state dicts -------------------------------------------------------------------------------------------
def test_the_layout_of_a_state_dict():
    frozen, a, b = leaf(2), with_grad(2), with_grad(3)
    optimizer = Adam([{"params": [frozen, a]}, {"params": [b], "lr": 0.5}])
    optimizer.step()
    state = optimizer.state_dict()
    assert [group["params"] for group in state["param_groups"]] == [[0, 1], [2]]
    assert [group["lr"] for group in state["param_groups"]] == [1e-3, 0.5]
    assert sorted(state["state"]) == [1, 2]
    assert sorted(state["state"][2]) == ["exp_avg", "exp_avg_sq", "step"]
    step = state["state"][2]["step"]
    assert (step.shape, step.dtype, step.item()) == ((), genesis.float32, 1.0)
    assert optimizer.state_dict()["param_groups"][0] is not optimizer.param_groups[0]


def test_a_checkpoint_holds_a_state_dict(tmp_path):
    p = with_grad(2)
    optimizer = Adam([p], lr=genesis.tensor(0.1), betas=(0.8, 0.9))
    optimizer.step()
    genesis.save_checkpoint(optimizer.state_dict(), tmp_path / "state")
    other = Adam([leaf(2)])
    other.load_state_dict(genesis.load_checkpoint(tmp_path / "state"))
    (group,) = other.param_groups
    assert group["lr"].item() == genesis.tensor(0.1).item()
    assert group["betas"] == (0.8, 0.9)
    (state,) = other.state.values()
    assert state["step"] == 1.0
    assert state["exp_avg"].tolist() == optimizer.state[p]["exp_avg"].tolist()


def test_a_loaded_state_is_a_copy():
    a, b = with_grad(2), with_grad(2)
    first, second = (SGD([p], lr=0.1, momentum=0.9) for p in (a, b))
    first.step()
    saved = first.state_dict()
    second.load_state_dict(saved)
    second.step()
    second.param_groups[0]["lr"] = 7.0
    assert first.state[a]["momentum_buffer"].tolist() == [1.0, 1.0]
    assert second.state[b]["momentum_buffer"].tolist() == pytest.approx([1.9, 1.9])
    assert saved["param_groups"][0]["lr"] == 0.1


def test_loading_casts_to_the_type_of_the_parameter():
    single = with_grad(2)
    optimizer = Adam([single])
    optimizer.step()
    double = genesis.ones(2, dtype=genesis.float64, requires_grad=True)
    other = Adam([double])
    other.load_state_dict(optimizer.state_dict())
    assert other.state[double]["exp_avg"].dtype is genesis.float64
    assert other.state_dict()["state"][0]["step"].dtype is genesis.float32


def test_options_that_a_state_lacks_stay():
    optimizer = SGD([leaf(2)], lr=0.1, maximize=True)
    state = optimizer.state_dict()
    del state["param_groups"][0]["maximize"]
    state["param_groups"][0]["lr"] = 0.3
    optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["maximize"] is True
    assert optimizer.param_groups[0]["lr"] == 0.3


def test_a_state_of_adam_does_not_change_the_decay_of_adamw():
    optimizer = AdamW([leaf(2)])
    optimizer.load_state_dict(Adam([leaf(2)]).state_dict())
    assert optimizer.param_groups[0]["decoupled_weight_decay"] is True


def changed(state, **options):
    return {**state, "param_groups": [{**group, **options} for group in state["param_groups"]]}


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda s: [s], TypeError, r"expected the dict that state_dict\(\) returns, got list"),
        (
            lambda s: {"model": s},
            ValueError,
            r"expected the keys 'state' and 'param_groups', got \['model'\]",
        ),
        (lambda s: {**s, "param_groups": s["param_groups"] * 2}, ValueError, "groups: 2, and .* has 1"),
        (lambda s: changed(s, params=[0, 1]), ValueError, "group 0 has 2 parameters there and 1 here"),
        (lambda s: changed(s, lr=-1.0), ValueError, "Invalid learning rate"),
        (lambda s: {**s, "state": {0: {"exp_avg": leaf(2)}}}, ValueError, "not SGD's state.*'exp_avg'"),
        (lambda s: {**s, "state": {0: {"momentum_buffer": leaf(3)}}}, ValueError, r"shape \(2,\).*\(3,\)"),
    ],
)
def test_a_wrong_state_is_refused_and_changes_nothing(make, error, message):
    p = with_grad(2)
    optimizer = SGD([p], lr=0.1, momentum=0.9)
    optimizer.step()
    bad = make(optimizer.state_dict())
    with pytest.raises(error, match=message):
        optimizer.load_state_dict(bad)
    assert optimizer.param_groups[0]["lr"] == 0.1
    assert optimizer.state[p]["momentum_buffer"].tolist() == [1.0, 1.0]


def test_a_state_of_another_shape_is_refused_unless_the_optimizer_knows_better():
    class Averaging(Descent):
        def step(self, closure=None):
            super().step()
            for p in self.param_groups[0]["params"]:
                self.state[p]["average"] = p.detach().clone()
                self.state[p]["rows"] = genesis.ones(7)  # another number of axes

    class Square(Averaging):
        def unpack_state(self, param, state):
            return state

    small, large = with_grad(2, 3), with_grad(3, 3)
    saving, other = Averaging([small]), Averaging([large])
    saving.step()
    with pytest.raises(ValueError, match=r"parameter of shape \(3, 3\): 'average' has the shape \(2, 3\)"):
        other.load_state_dict(saving.state_dict())
    assert not other.state
    knowing = Square([large])
    knowing.load_state_dict(saving.state_dict())
    assert knowing.state[large]["average"].shape == (2, 3)
    same = Averaging([leaf(2, 3)])
    same.load_state_dict(saving.state_dict())
    assert same.state_dict()["state"][0]["seen"] == 1


@pytest.mark.parametrize(
    "bad",
    [
        {"momentum_buffer": [1.0, 1.0]},
        {"step": 1.0, "exp_avg": [1.0, 1.0]},
        {"step": 1.0, "exp_avg": [1.0], "exp_avg_sq": [1.0]},
    ],
)
def test_adam_refuses_the_state_of_others(bad):
    optimizer = Adam([leaf(2)])
    state = optimizer.state_dict()
    state["state"] = {0: {key: genesis.tensor(value) for key, value in bad.items()}}
    with pytest.raises(ValueError, match=r"not Adam's state of a parameter of shape \(2,\)"):
        optimizer.load_state_dict(state)


def test_a_parameter_taken_out_of_its_group_has_no_place_in_the_state():
    a, b = with_grad(2), with_grad(2)
    optimizer = Descent([a, b])
    optimizer.step()
    optimizer.param_groups[0]["params"] = [b]
    assert optimizer.state_dict()["state"] == {0: {"seen": 1}}


# -- copies and text ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_goes_on_by_itself(copied):
    p = with_grad(2)
    optimizer = SGD([p], lr=0.25, momentum=0.9)
    LambdaLR(optimizer, lambda step: 1.0)  # watches step()
    optimizer.register_step_pre_hook(lambda *args: None)
    optimizer.step()
    twin = copied(optimizer)
    (q,) = twin.param_groups[0]["params"]
    q.grad = genesis.ones(2)
    twin.step()
    assert p.tolist() == [0.75, 0.75]
    assert q.tolist() == pytest.approx([0.275, 0.275])
    assert twin.param_groups[0]["lr"] == 0.25


def test_the_text_lists_the_options_of_each_group():
    optimizer = Descent([{"params": [leaf(2)], "lr": 0.1}, {"params": [leaf(2)], "name": "b"}])
    assert repr(optimizer) == (
        "Descent (\nParameter Group 0\n    lr: 0.1\n\nParameter Group 1\n    lr: 0.5\n    name: b\n)"
    )


def test_a_fresh_state_of_another_optimizer_is_refused() -> None:
    parameters = genesis.nn.Linear(2, 2).parameters()
    optimizer = genesis.optim.SGD(parameters, lr=0.5, momentum=0.9)
    other = genesis.optim.AdamW(genesis.nn.Linear(2, 2).parameters())
    with pytest.raises(ValueError, match=r"not of SGD.*betas.*momentum"):
        optimizer.load_state_dict(other.state_dict())
    assert optimizer.param_groups[0]["lr"] == 0.5
    assert "betas" not in optimizer.param_groups[0]
