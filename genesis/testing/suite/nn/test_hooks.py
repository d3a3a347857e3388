"""Hooks around forward and backward."""

from __future__ import annotations

import pytest

import genesis
from genesis import nn


@pytest.fixture
def x(device):
    return genesis.tensor([[1.0, -2.0]], device=device)


def test_forward_hooks_see_and_replace(x):
    layer = nn.ReLU()
    seen = []
    first = layer.register_forward_hook(lambda module, args, output: seen.append((module, args, output)))
    layer.register_forward_hook(lambda module, args, output: output + 1)
    assert layer(x).tolist() == [[2.0, 1.0]]
    assert seen[0][0] is layer
    assert seen[0][1] == (x,)
    assert seen[0][2].tolist() == [[1.0, 0.0]]
    first.remove()
    first.remove()  # harmless
    layer(x)
    assert len(seen) == 1


def test_pre_hooks_replace_the_arguments(x):
    layer = nn.ReLU()
    with layer.register_forward_pre_hook(lambda module, args: args[0] * -1):
        assert layer(x).tolist() == [[0.0, 2.0]]
    assert layer(x).tolist() == [[1.0, 0.0]]
    layer.register_forward_pre_hook(lambda module, args: (args[0] + 5,))
    assert layer(x).tolist() == [[6.0, 3.0]]


def test_hooks_with_keyword_arguments(x):
    class Scale(nn.Module):
        def forward(self, x, *, by):
            return x * by

    module = Scale()
    module.register_forward_pre_hook(
        lambda m, args, kwargs: (args, {"by": kwargs["by"] + 1}), with_kwargs=True
    )
    module.register_forward_hook(lambda m, args, kwargs, out: out + kwargs["by"], with_kwargs=True)
    assert module(x, by=1).tolist() == [[4.0, -2.0]]
    module.register_forward_pre_hook(lambda m, args, kwargs: args, with_kwargs=True)
    with pytest.raises(RuntimeError, match=r"None or a pair \(args, kwargs\)"):
        module(x, by=1)


def test_prepend_runs_first(x):
    layer = nn.Identity()
    order = []
    layer.register_forward_hook(lambda *_: order.append("late"))
    layer.register_forward_hook(lambda *_: order.append("early"), prepend=True)
    layer(x)
    assert order == ["early", "late"]


def test_a_hook_may_remove_itself(x):
    layer = nn.Identity()
    calls = []

    def once(*_):
        calls.append(1)
        handle.remove()

    handle = layer.register_forward_hook(once)
    layer(x)
    layer(x)
    assert calls == [1]


def test_full_backward_hook(device, x):
    layer = nn.Linear(2, 2, bias=False, device=device)
    with genesis.no_grad():
        layer.weight.copy_(genesis.tensor([[1.0, 2.0], [3.0, 4.0]], device=device))
    x.requires_grad_()
    seen = []
    handle = layer.register_full_backward_hook(
        lambda m, grad_in, grad_out: seen.append((m, grad_in, grad_out))
    )
    layer(x).backward(genesis.tensor([[1.0, 10.0]], device=device))
    ((module, grad_in, grad_out),) = seen
    assert module is layer
    assert grad_out[0].tolist() == [[1.0, 10.0]]
    assert grad_in[0].tolist() == [[31.0, 42.0]]
    assert x.grad.tolist() == [[31.0, 42.0]]
    assert layer.weight.grad.tolist() == [[1.0, -2.0], [10.0, -20.0]]
    handle.remove()
    layer(x).sum().backward()
    assert len(seen) == 1


def test_backward_hook_replaces_the_gradient_of_the_input(x):
    layer = nn.Tanh()
    x.requires_grad_()
    layer.register_full_backward_hook(lambda m, grad_in, grad_out: (grad_in[0] * 0 + 7,))
    layer(x).sum().backward()
    assert x.grad.tolist() == [[7.0, 7.0]]


def test_backward_hook_without_gradient_of_the_input(device, x):
    layer = nn.Linear(2, 2, device=device)
    seen = []
    layer.register_full_backward_hook(lambda m, grad_in, grad_out: seen.append((grad_in, grad_out)))
    layer(x).sum().backward()
    assert seen[0][0] == (None,)
    assert seen[0][1][0].tolist() == [[1.0, 1.0]]
    with genesis.no_grad():
        layer(x)
    assert len(seen) == 1


def test_backward_hook_with_several_inputs_and_outputs(device):
    class Mix(nn.Module):
        def forward(self, a, flag, b):
            return a * b, a + 1

    a = genesis.tensor([2.0, 3.0], device=device, requires_grad=True)
    b = genesis.tensor([[5.0], [7.0]], device=device, requires_grad=True)
    module = Mix()
    seen = []

    def hook(m, grad_in, grad_out):
        seen.append((grad_in, grad_out))
        return grad_in[0], None, grad_in[2] * 10

    module.register_full_backward_hook(hook)
    product, shifted = module(a, True, b)
    (product.sum() + 100 * shifted.sum()).backward()
    ((grad_in, grad_out),) = seen
    assert grad_out[0].tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert grad_out[1].tolist() == [100.0, 100.0]
    assert grad_in[0].tolist() == [112.0, 112.0]
    assert grad_in[1] is None
    assert grad_in[2].tolist() == [[5.0], [5.0]]
    assert a.grad.tolist() == [112.0, 112.0]
    assert b.grad.tolist() == [[50.0], [50.0]]


def test_backward_hook_with_the_wrong_number_of_gradients(x):
    layer = nn.Tanh()
    x.requires_grad_()
    layer.register_full_backward_hook(lambda m, grad_in, grad_out: (grad_in[0], None))
    with pytest.raises(RuntimeError, match="returned 2 gradients, expected 1"):
        layer(x).sum().backward()
