"""Modules that are computed together give what they give one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest

import genesis
from genesis import nn

# a product and a sum of a few numbers near 1, in another order
CLOSE = {"rtol": 1e-5, "atol": 1e-6}


def one_by_one(model, x):
    for module in model:
        x = module(x)
    return x


def gradients(run, model, x):
    model.zero_grad()
    x.grad = None
    out = run(model, x)
    (out * out).sum().backward()
    return [out.detach().numpy(), x.grad.numpy(), *[p.grad.numpy() for p in model.parameters()]]


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4), (0, 4), (40, 4)], ids=str)
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("inplace", [False, True], ids=["", "in place"])
def test_linear_and_relu(device, shape, bias, inplace):
    model = nn.Sequential(
        nn.Linear(4, 70, bias=bias), nn.ReLU(inplace), nn.Linear(70, 3, bias=bias), nn.ReLU(inplace),
        nn.Linear(3, 2),
    ).to(device)  # fmt: skip
    x = genesis.randn(*shape, device=device).requires_grad_()
    for got, want in zip(
        gradients(nn.Sequential.__call__, model, x), gradients(one_by_one, model, x), strict=True
    ):
        np.testing.assert_allclose(got, want, **CLOSE)


def test_nan_passes_and_its_gradient(device):
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU()).to(device)
    with genesis.no_grad():
        model[0].weight.copy_(genesis.tensor([[1.0, 0.0], [0.0, 1.0]]))
    x = genesis.tensor([[1.0, math.nan], [-1.0, 2.0]], device=device, requires_grad=True)
    np.testing.assert_array_equal(model(x).detach().numpy(), [[math.nan, math.nan], [0, 2]])


def test_hooks_see_their_modules(device):
    model = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1)).to(device)
    seen = []
    handles = [
        m.register_forward_hook(lambda module, args, out: seen.append((type(module).__name__, out.shape)))
        for m in model
    ]
    x = genesis.randn(5, 3, device=device)
    hooked = model(x)
    assert seen == [("Linear", (5, 2)), ("ReLU", (5, 2)), ("Linear", (5, 1))]
    for handle in handles:
        handle.remove()
    np.testing.assert_allclose(model(x).detach().numpy(), hooked.detach().numpy(), **CLOSE)
    assert len(seen) == 3
    before = nn.modules.module.register_module_forward_hook(
        lambda module, args, out: seen.append(type(module).__name__)
    )
    model(x)
    before.remove()
    assert seen[3:] == ["Linear", "ReLU", "Linear", "Sequential"]


def test_another_forward_is_called(device):
    model = nn.Sequential(nn.Linear(3, 2), nn.ReLU()).to(device)
    model[0].forward = lambda x: x * 0 - 1
    assert model(genesis.ones(1, 3, device=device)).tolist() == [[0.0, 0.0, 0.0]]

    class Doubled(nn.Linear):
        def forward(self, x):
            return 2 * super().forward(x)

    model = nn.Sequential(Doubled(3, 2), nn.ReLU()).to(device)
    x = genesis.randn(4, 3, device=device)
    np.testing.assert_allclose(model(x).detach().numpy(), one_by_one(model, x).detach().numpy(), **CLOSE)


def test_only_some_gradients(device):
    model = nn.Sequential(nn.Linear(3, 2), nn.ReLU()).to(device)
    model[0].weight.requires_grad_(False)
    model(genesis.ones(4, 3, device=device)).sum().backward()
    assert model[0].weight.grad is None
    assert model[0].bias.grad.shape == (2,)


def test_second_derivative(device):
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1)).to(device).double()
    x = genesis.randn(5, 3, device=device, dtype=genesis.float64).requires_grad_()

    def penalty(run):
        (g,) = genesis.autograd.grad((run(model, x) ** 3).sum(), x, create_graph=True)
        return genesis.autograd.grad((g * g).sum(), model[0].weight)[0].numpy()

    np.testing.assert_allclose(penalty(nn.Sequential.__call__), penalty(one_by_one), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("norm_first", [False, True])
def test_dropout_and_residual_draw_the_same_numbers(device, norm_first):
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.5, batch_first=True, norm_first=norm_first).to(
        device
    )
    x = genesis.randn(3, 5, 8, device=device).requires_grad_()

    def run():
        genesis.manual_seed(3)
        layer.zero_grad()
        x.grad = None
        out = layer(x)
        (out * out).sum().backward()
        return [out.detach().numpy(), x.grad.numpy(), *[p.grad.numpy() for p in layer.parameters()]]

    together = run()
    for module in layer.modules():
        module.register_forward_hook(lambda *args: None)  # now every module is called
    for got, want in zip(together, run(), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)  # sums over 15 rows of products
