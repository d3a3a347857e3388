"""Sequential, ModuleList and ModuleDict behave as the list and dictionary they stand for."""

from __future__ import annotations

from collections import OrderedDict

import pytest

import genesis
from genesis import nn


def layers(n):
    return [nn.Identity() for _ in range(n)]


def names(module):
    return [name for name, _ in module.named_children()]


def test_sequential_runs_in_order(device):
    class Add(nn.Module):
        def forward(self, x):
            return x + 1

    class Double(nn.Module):
        def forward(self, x):
            return x * 2

    x = genesis.tensor([1.0], device=device)
    assert nn.Sequential(Add(), Double())(x).tolist() == [4.0]
    assert nn.Sequential(Double(), Add())(x).tolist() == [3.0]
    assert nn.Sequential()(x) is x


def test_sequential_keeps_given_names(device):
    net = nn.Sequential(
        OrderedDict(up=nn.Linear(2, 4, device=device), act=nn.ReLU(), down=nn.Linear(4, 1, device=device))
    )
    assert names(net) == ["up", "act", "down"]
    assert next(iter(net.state_dict())) == "up.weight"
    assert net.up is net[0]
    assert names(net[1:]) == ["act", "down"]
    assert isinstance(net[1:], nn.Sequential)


@pytest.mark.parametrize("kind", [nn.Sequential, lambda *modules: nn.ModuleList(modules)])
def test_list_interface(kind):
    a, b, c, d, e = layers(5)
    net = kind(a, b, c)
    assert len(net) == 3
    assert list(net) == [a, b, c]
    assert (net[0], net[-1]) == (a, c)
    assert b in net
    assert d not in net
    assert list(net[::2]) == [a, c]
    assert type(net[1:]) is type(net)
    net[1] = d
    net[-1] = e
    assert list(net) == [a, d, e]
    del net[0]
    assert list(net) == [d, e]
    assert names(net) == ["0", "1"]
    assert net.append(a) is net
    assert net.extend([b, c]) is net
    assert list(net) == [d, e, a, b, c]
    net.insert(1, layers(1)[0])
    assert names(net) == ["0", "1", "2", "3", "4", "5"]
    assert net.pop() is c
    assert net.pop(0) is d
    assert len(net) == 4
    del net[1:3]
    assert len(net) == 2
    net += [c]
    assert net[-1] is c
    assert len(net) == 3
    net.extend(net)
    assert len(net) == 6


@pytest.mark.parametrize("kind", [nn.Sequential, lambda *modules: nn.ModuleList(modules)])
def test_list_errors(kind):
    net = kind(*layers(2))
    for index in (2, -3):
        with pytest.raises(IndexError, match=f"index {index} is out of range for .* of 2 modules"):
            net[index]
        with pytest.raises(IndexError):
            net.pop(index)
    for wrong in (
        lambda: net.append(3),
        lambda: net.insert(0, 3),
        lambda: kind(abs),
        lambda: net.__setitem__(0, 1),
    ):
        with pytest.raises(TypeError, match="is not a Module"):
            wrong()
    with pytest.raises(TypeError, match="iterable"):
        net.extend(3)
    assert len(net) == 2


def test_insert_positions():
    a, b, c = layers(3)
    modules = nn.ModuleList([a, b])
    modules.insert(-1, c)
    assert list(modules) == [a, c, b]
    net = nn.Sequential(a, b)
    assert net.insert(2, c) is net
    assert list(net) == [a, b, c]
    with pytest.raises(IndexError, match="index 9"):
        net.insert(9, a)


def test_sequential_arithmetic():
    a, b = layers(2)
    assert list(nn.Sequential(a) + nn.Sequential(b)) == [a, b]
    assert list(nn.Sequential(a, b) * 2) == [a, b, a, b]
    assert list(2 * nn.Sequential(a)) == [a, a]
    net = nn.Sequential(a)
    net *= 3
    assert list(net) == [a, a, a]
    with pytest.raises(TypeError, match="int"):
        nn.Sequential(a) + 3
    with pytest.raises(ValueError, match="positive"):
        nn.Sequential(a) * 0
    with pytest.raises(TypeError, match="float"):
        nn.Sequential(a) * 1.5


def test_module_list_is_not_callable_and_adds():
    a, b = layers(2)
    both = nn.ModuleList([a]) + nn.ModuleList([b])
    assert list(both) == [a, b]
    with pytest.raises(NotImplementedError, match="ModuleList"):
        both(1)


def test_module_list_parameters_are_found(device):
    modules = nn.ModuleList(nn.Linear(2, 2, device=device) for _ in range(2))
    assert list(modules.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]


def test_module_list_repr_joins_equal_neighbours():
    modules = nn.ModuleList([nn.ReLU(), nn.Sequential(nn.Tanh()), nn.Sequential(nn.Tanh())])
    assert repr(modules) == ("ModuleList(\n  (0): ReLU()\n  (1-2): 2 x Sequential(\n    (0): Tanh()\n  )\n)")
    assert repr(nn.ModuleList()) == "ModuleList()"


def test_module_dict():
    a, b, c = layers(3)
    table = nn.ModuleDict({"a": a, "b": b})
    assert table["a"] is a
    assert table.b is b
    assert len(table) == 2
    assert list(table) == list(table.keys()) == ["a", "b"]
    assert list(table.values()) == [a, b]
    assert list(table.items()) == [("a", a), ("b", b)]
    assert "a" in table
    table["c"] = c
    assert table.pop("a") is a
    assert "a" not in table
    del table["b"]
    table.update([("d", a), ("c", b)])
    assert list(table.items()) == [("c", b), ("d", a)]
    table.update(nn.ModuleDict({"e": c}))
    assert list(table) == ["c", "d", "e"]
    table.clear()
    assert len(table) == 0
    assert list(nn.ModuleDict([("x", a)])) == ["x"]


def test_module_dict_errors():
    table = nn.ModuleDict()
    with pytest.raises(TypeError, match="mapping"):
        table.update(3)
    with pytest.raises(TypeError, match="is not a Module"):
        table["a"] = 3
    with pytest.raises(TypeError, match="element 0 is not a pair"):
        table.update([nn.ReLU()])
    with pytest.raises(KeyError, match="already exists"):
        table["keys"] = nn.ReLU()
    with pytest.raises(KeyError):
        table["nothing"]
