"""float16 and bfloat16 on the device ``cuda``: kept in 16 bits, computed with in float32."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import genesis
from genesis import nn
from genesis.nn import functional as F
from genesis_cuda import _fake_driver

sys.path.insert(0, str(Path(__file__).parent))
import typed


@pytest.fixture(params=[genesis.float16, genesis.bfloat16], ids=str)
def half(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.mark.parametrize("compiled", [False, True])
def test_conversions(half: Any, compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if compiled:  # the kernels with the types that Numba gives them
        monkeypatch.setattr(_fake_driver.FakeDriver, "cuLaunchKernel", typed.launch)
    bits = np.arange(0, 65536, 1 if compiled else 37, dtype=np.uint16).view(np.int16)
    here = genesis.from_numpy(bits).view(half)
    there = here.to("cuda").float().cpu()
    np.testing.assert_array_equal(there.numpy(), here.float().numpy())
    some = genesis.randn(60_000 if compiled else 800) * 30
    some[:6] = genesis.tensor([65504.0, 65519.9, 65520.0, float("inf"), 6e-8, 3e-8])
    found = some.to("cuda").to(half).cpu()
    np.testing.assert_array_equal(
        found.view(genesis.int16).numpy(), some.to(half).view(genesis.int16).numpy()
    )


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * 0.3 + x.tanh(),
        lambda x: x @ x.T,
        lambda x: F.softmax(x, -1),
        lambda x: x.sum(0),
        lambda x: x.mean(),
        lambda x: x.sort(1).values,
        lambda x: genesis.cat([x, x * 2])[genesis.tensor([5, 0, 0], device=x.device)],
        lambda x: F.layer_norm(x, (5,)),
        lambda x: genesis.where(x > 0.25, x, 0.0),
        lambda x: x.amax(1) + x.cumsum(1)[:, 0],
    ],
)
def test_as_on_the_host(f: Callable[[Any], Any], half: Any) -> None:
    genesis.manual_seed(1)
    x = genesis.randn(3, 5).to(half).requires_grad_()
    y = x.detach().to("cuda").requires_grad_()
    a, b = f(x), f(y)
    assert a.dtype is b.dtype is half
    step = genesis.finfo(half).eps
    genesis.testing.assert_close(b.cpu().float(), a.float(), rtol=step, atol=step / 4)
    seed = genesis.linspace(-1, 1, a.numel()).reshape(a.shape).to(half)
    a.backward(seed)
    b.backward(seed.to("cuda"))
    genesis.testing.assert_close(y.grad.cpu().float(), x.grad.float(), rtol=2 * step, atol=2 * step)


def test_a_step_under_autocast() -> None:
    genesis.manual_seed(0)
    layer = nn.Linear(4, 3).to("cuda")
    x = genesis.randn(5, 4).to("cuda")
    optimizer = genesis.optim.SGD(layer.parameters(), lr=0.1)
    scaler = genesis.amp.GradScaler("cuda", init_scale=8.0)
    losses = []
    for _ in range(2):
        optimizer.zero_grad()
        with genesis.autocast("cuda"):
            out = layer(x)
            loss = F.cross_entropy(out, genesis.tensor([0, 1, 2, 0, 1], device="cuda"))
            assert (out.dtype, loss.dtype) == (genesis.float16, genesis.float32)
            assert out.softmax(-1).dtype is genesis.float32
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        losses.append(loss.item())
    assert losses[1] < losses[0]
    assert layer.weight.dtype is layer.weight.grad.dtype is genesis.float32


def test_lists_of_autocast() -> None:
    x = genesis.ones(2, 2, device="cuda")
    low = x.half()
    with genesis.autocast("cuda"):
        for same in (x @ x, F.linear(x, x), x.mv(x[0]), F.prelu(x, x[0, :1])):
            assert same.dtype is genesis.float16
        wide = [low.exp(), low**2.5, low.log1p(), low.sum(), low.cumsum(0), low.norm(), low.logsumexp(0)]
        wide += [F.softmax(low, -1), F.layer_norm(low, (2,)), F.mse_loss(low, low)]
        for full in wide:
            assert full.dtype is genesis.float32
        for given in (low + low, low.relu(), low.tanh(), low.amax(), low.mean()):
            assert given.dtype is genesis.float16
    assert low.exp().dtype is low.sum().dtype is genesis.float16
