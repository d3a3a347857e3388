"""What a Module finds, forgets, converts and shows."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import genesis
from genesis import nn


class Net(nn.Module):
    def __init__(self, device):
        super().__init__()
        self.first = nn.Linear(3, 4, device=device)
        self.act = nn.ReLU()
        self.last = nn.Linear(4, 2, device=device)
        self.register_buffer("steps", genesis.tensor([0], device=device))
        self.register_buffer("scratch", genesis.zeros(2, device=device), persistent=False)

    def forward(self, x):
        return self.last(self.act(self.first(x)))


@pytest.fixture
def net(device):
    return Net(device)


def test_members_are_found_in_order_of_assignment(net):
    assert [name for name, _ in net.named_parameters()] == [
        "first.weight",
        "first.bias",
        "last.weight",
        "last.bias",
    ]
    assert next(net.named_parameters(prefix="net"))[0] == "net.first.weight"
    assert list(net.parameters(recurse=False)) == []
    assert [name for name, _ in net.named_buffers()] == ["steps", "scratch"]
    assert [name for name, _ in net.named_children()] == ["first", "act", "last"]
    assert [name for name, _ in net.named_modules()] == ["", "first", "act", "last"]
    assert next(net.modules()) is net


def test_forward_runs_on_call(net, device):
    x = genesis.ones((5, 3), device=device)
    assert net(x).shape == (5, 2)
    assert net(x=x).shape == (5, 2)


def test_a_module_without_forward_says_so():
    class Bare(nn.Module):
        pass

    with pytest.raises(NotImplementedError, match=r"Bare.*forward"):
        Bare()(1)


def test_shared_parameters_and_modules_count_once(device):
    net = nn.Module()
    net.a = nn.Linear(2, 2, device=device)
    net.b = net.a
    net.tied = net.a.weight
    assert [name for name, _ in net.named_parameters()] == ["tied", "a.bias"]
    assert [name for name, _ in net.named_parameters(remove_duplicate=False)] == [
        "tied",
        "a.weight",
        "a.bias",
        "b.weight",
        "b.bias",
    ]
    assert len(list(net.modules())) == 2
    assert len(list(net.children())) == 1
    assert list(net.state_dict()) == ["tied", "a.weight", "a.bias", "b.weight", "b.bias"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda d: nn.Parameter(genesis.ones(1, device=d)), "cannot assign parameters before Module"),
        (lambda d: nn.Linear(1, 1, device=d), "cannot assign module before Module"),
    ],
)
def test_assigning_before_init_is_refused(device, make, message):
    class Hasty(nn.Module):
        def __init__(self):
            self.member = make(device)
            super().__init__()

    with pytest.raises(AttributeError, match=message):
        Hasty()


def test_forgetting_super_init_is_named_on_call():
    class Forgetful(nn.Module):
        def __init__(self):
            self.size = 3

        def forward(self, x):
            return x

    with pytest.raises(AttributeError, match=r"did not call super\(\).__init__"):
        Forgetful()(1)


def test_a_parameter_is_replaced_by_parameters_or_none_only(device):
    layer = nn.Linear(2, 3, device=device)
    with pytest.raises(TypeError, match="'Tensor' object as parameter 'weight'"):
        layer.weight = genesis.ones((3, 2), device=device)
    with pytest.raises(TypeError, match="'int' object as parameter 'weight'"):
        layer.weight = 3
    layer.bias = None
    assert layer.bias is None
    assert list(layer.state_dict()) == ["weight"]
    layer.bias = nn.Parameter(genesis.ones(3, device=device))
    assert list(layer.state_dict()) == ["weight", "bias"]


def test_buffers_and_children_keep_their_kind(net, device):
    net.steps = genesis.tensor([7], device=device)
    assert net.state_dict()["steps"].tolist() == [7]
    with pytest.raises(TypeError, match="as buffer 'steps'"):
        net.steps = 7
    with pytest.raises(TypeError, match="as child module 'act'"):
        net.act = lambda x: x
    net.act = nn.Tanh()
    assert [name for name, _ in net.named_children()] == ["first", "act", "last"]


def test_an_attribute_may_change_its_kind(device):
    module = nn.Module()
    module.x = 1
    module.x = nn.Parameter(genesis.ones(1, device=device))
    assert [name for name, _ in module.named_parameters()] == ["x"]
    module.x = nn.ReLU()
    assert list(module.parameters()) == []
    assert [name for name, _ in module.named_children()] == ["x"]


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("a.b", KeyError, "must not contain"),
        ("", KeyError, "must not be empty"),
        ("forward", KeyError, "already exists"),
        (3, TypeError, "should be a string, got int"),
    ],
)
def test_names_are_checked(name, error, message):
    module = nn.Module()
    for register in (module.register_parameter, module.register_buffer, module.add_module):
        with pytest.raises(error, match=message):
            register(name, None)


def test_registering_the_wrong_kind_is_refused(device):
    module = nn.Module()
    with pytest.raises(TypeError, match=r"nn\.Parameter or None"):
        module.register_parameter("w", genesis.ones(1, device=device))
    with pytest.raises(TypeError, match=r"genesis\.Tensor or None"):
        module.register_buffer("b", [1.0])
    with pytest.raises(TypeError, match="'str' object is not a Module"):
        module.register_module("m", "relu")


def test_delete(net):
    del net.act
    assert not hasattr(net, "act")
    del net.first.bias
    assert [name for name, _ in net.first.named_parameters()] == ["weight"]
    del net.steps
    assert list(net.state_dict()) == ["first.weight", "last.weight", "last.bias"]
    with pytest.raises(AttributeError):
        del net.nothing


def test_unknown_attributes_name_the_class(net):
    with pytest.raises(AttributeError, match="'Net' object has no attribute 'frist'"):
        net.frist  # noqa: B018
    assert "first" in dir(net)
    assert "steps" in dir(net)


def test_paths(net):
    assert net.get_submodule("first") is net.first
    assert net.get_submodule("") is net
    assert net.get_parameter("last.bias") is net.last.bias
    assert net.get_buffer("steps") is net.steps
    with pytest.raises(AttributeError, match="Linear has no attribute 'wieght'"):
        net.get_parameter("first.wieght")
    with pytest.raises(AttributeError, match=r"not an nn\.Module"):
        net.get_submodule("first.weight")
    with pytest.raises(AttributeError, match=r"not an nn\.Parameter"):
        net.get_parameter("steps")
    with pytest.raises(AttributeError, match="not a buffer"):
        net.get_buffer("first.weight")


def test_train_and_eval_reach_every_module(net):
    assert net.eval() is net
    assert not any(module.training for module in net.modules())
    net.first.train()
    assert net.first.training
    assert not net.training
    net.train()
    assert all(module.training for module in net.modules())
    with pytest.raises(ValueError, match="expected to be a bool"):
        net.train("yes")


def test_apply_goes_children_first(net):
    seen = []
    assert net.apply(seen.append) is net
    assert seen == [net.first, net.act, net.last, net]


def test_freezing_and_zero_grad(net, device):
    net.requires_grad_(False)
    assert not any(p.requires_grad for p in net.parameters())
    net.requires_grad_()
    net(genesis.ones((1, 3), device=device)).sum().backward()
    grad = net.last.bias.grad
    assert grad.tolist() == [1.0, 1.0]
    net.zero_grad(set_to_none=False)
    assert net.last.bias.grad.tolist() == [0.0, 0.0]
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_conversion_keeps_the_parameters_themselves(net, device):
    weight = net.first.weight
    net(genesis.ones((1, 3), device=device)).sum().backward()
    before = weight.detach().numpy().copy()
    assert net.double() is net
    assert net.first.weight is weight
    assert weight.dtype is genesis.float64
    assert weight.grad.dtype is genesis.float64
    assert weight.requires_grad
    assert weight.is_leaf
    assert net.steps.dtype is genesis.int64
    assert net.scratch.dtype is genesis.float64
    np.testing.assert_array_equal(weight.detach().numpy(), before)  # float32 to float64 is exact
    assert net(genesis.ones((1, 3), device=device, dtype=genesis.float64)).dtype is genesis.float64
    net.float()
    assert weight.dtype is genesis.float32
    net.to(genesis.zeros(1, dtype=genesis.float64, device=device))
    assert weight.dtype is genesis.float64
    net.to(device, genesis.float32)
    assert weight.dtype is genesis.float32
    net.to(device=device, dtype=genesis.float64)
    assert weight.dtype is genesis.float64
    with pytest.raises(TypeError, match=r"floating-point dtypes, got genesis\.int32"):
        net.to(genesis.int32)


def test_moving_to_another_device(device):
    other = "ref" if device != "ref" else "cpu"
    net = Net(device).to(other)
    assert all(str(t.device) == other for t in [*net.parameters(), *net.buffers()])
    assert net(genesis.ones((1, 3), device=other)).shape == (1, 2)


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_equal_and_independent(device, clone):
    net = Net(device)
    net.tied = net.first.weight
    other = clone(net)
    assert type(other.first.weight) is nn.Parameter
    assert other.first.weight.requires_grad
    assert other.tied is other.first.weight
    x = genesis.ones((1, 3), device=device)
    assert net(x).tolist() == other(x).tolist()
    with genesis.no_grad():
        other.first.weight.zero_()
    assert net.first.weight.abs().sum().item() > 0


def test_repr(net):
    assert repr(net) == (
        "Net(\n"
        "  (first): Linear(in_features=3, out_features=4, bias=True)\n"
        "  (act): ReLU()\n"
        "  (last): Linear(in_features=4, out_features=2, bias=True)\n"
        ")"
    )


def test_repr_with_extra_lines_and_nesting():
    class Extra(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Tanh())

        def extra_repr(self):
            return "heads=2"

    assert repr(Extra()) == "Extra(\n  heads=2\n  (body): Sequential(\n    (0): Tanh()\n  )\n)"


def test_parameter(device):
    data = genesis.tensor([1.0, 2.0], device=device)
    parameter = nn.Parameter(data)
    assert isinstance(parameter, genesis.Tensor)
    assert parameter.is_leaf
    assert parameter.requires_grad
    assert repr(parameter).startswith("Parameter containing:\ntensor([1., 2.]")
    data.zero_()  # the memory is shared
    assert parameter.tolist() == [0.0, 0.0]
    assert type(parameter * 2) is genesis.Tensor
    assert not nn.Parameter(data, requires_grad=False).requires_grad
    assert not nn.Parameter(genesis.tensor([1], device=device), requires_grad=False).requires_grad
    with pytest.raises(TypeError, match="list"):
        nn.Parameter([1.0])
    with pytest.raises(RuntimeError, match="floating"):
        nn.Parameter(genesis.tensor([1], device=device))
