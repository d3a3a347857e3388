"""Saving and restoring a module's state."""

from __future__ import annotations

from collections import OrderedDict

import pytest

import genesis
from genesis import nn


@pytest.fixture
def net(device):
    return nn.Sequential(nn.Linear(2, 3, device=device), nn.ReLU(), nn.Linear(3, 1, device=device))


def test_state_is_detached_and_shares_memory(net):
    state = net.state_dict()
    assert type(state) is OrderedDict
    assert list(state) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert not state["0.weight"].requires_grad
    state["0.bias"].fill_(5.0)
    assert net[0].bias.tolist() == [5.0, 5.0, 5.0]
    assert net.state_dict(keep_vars=True)["0.weight"] is net[0].weight
    assert next(iter(net.state_dict(prefix="net."))) == "net.0.weight"


def test_buffers_are_saved_when_persistent(device):
    module = nn.Module()
    module.register_buffer("mean", genesis.ones(2, device=device))
    module.register_buffer("cache", genesis.ones(2, device=device), persistent=False)
    module.register_buffer("unset", None)
    assert list(module.state_dict()) == ["mean"]
    other = nn.Module()
    other.register_buffer("mean", genesis.zeros(2, device=device))
    assert str(other.load_state_dict(module.state_dict())) == "<All keys matched successfully>"
    assert other.mean.tolist() == [1.0, 1.0]


def test_loading_copies_values(net, device):
    other = nn.Sequential(nn.Linear(2, 3, device=device), nn.ReLU(), nn.Linear(3, 1, device=device))
    weight = other[0].weight
    result = other.load_state_dict(net.state_dict())
    assert result == ([], [])
    assert other[0].weight is weight
    assert weight.tolist() == net[0].weight.tolist()
    assert weight.requires_grad
    with genesis.no_grad():
        net[0].weight.zero_()
    assert weight.abs().sum().item() > 0


def test_loading_converts_dtype(net, device):
    state = {key: value.to(genesis.float64) for key, value in net.state_dict().items()}
    net.load_state_dict(state)
    assert net[0].weight.dtype is genesis.float32


def test_assign_takes_the_tensors_themselves(net, device):
    state = {
        key: genesis.ones(v.shape, dtype=genesis.float64, device=device)
        for key, v in net.state_dict().items()
    }
    net[2].bias.requires_grad_(False)
    net.load_state_dict(state, assign=True)
    assert net[0].weight.dtype is genesis.float64
    assert type(net[0].weight) is nn.Parameter
    assert net[0].weight.requires_grad
    assert not net[2].bias.requires_grad
    state["0.weight"].zero_()
    assert net[0].weight.sum().item() == 0


def test_mismatches_are_all_listed(net, device):
    state = net.state_dict()
    del state["0.bias"]
    state["2.weight"] = genesis.ones((4, 2), device=device)
    state["extra.weight"] = genesis.ones(1, device=device)
    state["1.alpha"] = genesis.ones(1, device=device)
    with pytest.raises(RuntimeError) as caught:
        net.load_state_dict(state)
    text = str(caught.value)
    assert "Error(s) in loading state_dict for Sequential:" in text
    assert 'Missing key(s) in state_dict: "0.bias".' in text
    assert '"extra.weight"' in text
    assert '"1.alpha"' in text
    assert "size mismatch for 2.weight: copying a param with shape (4, 2) from checkpoint" in text
    assert "the shape in current model is (1, 3)" in text


def test_not_strict_reports_keys_but_still_refuses_shapes(net, device):
    missing, unexpected = net.load_state_dict(
        {"0.bias": genesis.ones(3, device=device), "x": genesis.ones(1, device=device)}, strict=False
    )
    assert missing == ["0.weight", "2.weight", "2.bias"]
    assert unexpected == ["x"]
    assert net[0].bias.tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(RuntimeError, match=r"size mismatch for 0\.bias"):
        net.load_state_dict({"0.bias": genesis.ones(4, device=device)}, strict=False)


def test_foreign_things_are_refused(net):
    with pytest.raises(TypeError, match="mapping"):
        net.load_state_dict([1, 2])
    with pytest.raises(RuntimeError, match=r'"0\.weight", expected a genesis.Tensor .* received .*int'):
        net.load_state_dict({"0.weight": 3}, strict=False)


def test_saving_hooks(net):
    calls = []
    net[0].register_state_dict_pre_hook(
        lambda module, prefix, keep_vars: calls.append((module, prefix, keep_vars))
    )
    handle = net.register_state_dict_post_hook(lambda module, state, prefix, metadata: state.pop("2.bias"))
    assert list(net.state_dict()) == ["0.weight", "0.bias", "2.weight"]
    assert calls == [(net[0], "0.", False)]
    handle.remove()
    assert "2.bias" in net.state_dict()


def test_loading_hooks(net):
    def rename(module, state, prefix, metadata, strict, missing, unexpected, errors):
        state["0.weight"] = state.pop("old.weight")

    def forgive(module, keys):
        keys.missing_keys.remove("2.bias")

    net.register_load_state_dict_pre_hook(rename)
    net.register_load_state_dict_post_hook(forgive)
    state = net.state_dict()
    state["old.weight"] = state.pop("0.weight") * 0
    del state["2.bias"]
    before = list(state)
    net.load_state_dict(state)
    assert list(state) == before  # the caller's dictionary is left alone
    assert net[0].weight.abs().sum().item() == 0


def test_a_post_hook_that_returns_something_is_refused(net):
    net.register_load_state_dict_post_hook(lambda module, keys: keys)
    with pytest.raises(TypeError, match="must return None"):
        net.load_state_dict(net.state_dict())
