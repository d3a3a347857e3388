"""``autocast``: which types come out, what is kept, and where it holds."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import genesis
from genesis import nn
from genesis._dtypes import float32
from genesis.nn import functional as F

X = genesis.ones(3, 4)


def test_products_take_halves_and_losses_float32() -> None:
    layer = nn.Linear(4, 2)
    with genesis.autocast("cpu"):
        y = layer(X)
        assert (
            y.dtype is (X @ X.T).dtype is F.conv1d(X[None], genesis.ones(2, 3, 1)).dtype is genesis.bfloat16
        )
        assert (X + X).dtype is F.softmax(X, -1).dtype is genesis.float32
        assert (y * 2).dtype is F.softmax(y, -1).dtype is F.relu(y).dtype is genesis.bfloat16
        assert (
            F.mse_loss(y, y).dtype is F.cross_entropy(y, genesis.tensor([0, 1, 0])).dtype is genesis.float32
        )
        assert y.prod().dtype is genesis.float32
        assert genesis.cat([y, X], 1).dtype is genesis.float32
        assert (X.double() @ X.double().T).dtype is genesis.float64
    assert layer(X).dtype is genesis.float32
    assert not float32.special


def test_gradients_reach_parameters_in_float32() -> None:
    layer = nn.Linear(4, 2)
    with genesis.autocast("cpu", dtype=genesis.float16):
        loss = layer(X).float().sum()
    loss.backward()
    assert layer.weight.grad.dtype is layer.bias.grad.dtype is genesis.float32
    genesis.testing.assert_close(layer.weight.grad, genesis.full((2, 4), 3.0))


def test_a_parameter_is_converted_once() -> None:
    layer = nn.Linear(4, 4)
    for options, same in (({}, True), ({"cache_enabled": False}, False)):
        with genesis.autocast("cpu", **options):
            first = F.linear(X, layer.weight).grad_fn.next_functions[1][0]
            second = F.linear(X, layer.weight).grad_fn.next_functions[1][0]
            assert (first is second) is same
    with genesis.autocast("cpu"):
        before = F.linear(X, layer.weight)
        with genesis.no_grad():
            layer.weight.zero_()
        assert before.any()
        assert not F.linear(X, layer.weight).any()  # what changed is converted again
        with genesis.no_grad():
            F.linear(X, layer.weight)
        assert F.linear(X, layer.weight).requires_grad
    assert not genesis.ops._autocast.state.cache


def test_nesting_and_decorating() -> None:
    with genesis.autocast("cpu"):
        with genesis.autocast("cpu", enabled=False):
            assert (X @ X.T).dtype is genesis.float32
            assert not genesis.is_autocast_enabled("cpu")
        with genesis.autocast("cpu", dtype=genesis.float16):
            assert (X @ X.T).dtype is genesis.float16
        assert (X @ X.T).dtype is genesis.bfloat16

    @genesis.autocast("cpu", dtype=genesis.float16)
    def product(x: Any) -> Any:
        """A product."""
        return x @ x.T

    assert product(X).dtype is genesis.float16
    assert product.__doc__ == "A product."
    with pytest.raises(ZeroDivisionError), genesis.autocast("cpu"):
        _ = 1 / 0
    assert not genesis.is_autocast_enabled("cpu")
    assert genesis.get_autocast_dtype("cpu") is genesis.bfloat16
    with pytest.raises(TypeError, match="requires a callable"):
        genesis.autocast("cpu")(3)  # type: ignore[type-var]


def test_it_holds_for_one_thread() -> None:
    found: list[Any] = []
    with genesis.autocast("cpu"):
        thread = threading.Thread(
            target=lambda: found.extend([genesis.is_autocast_enabled("cpu"), (X @ X.T).dtype])
        )
        thread.start()
        thread.join()
    assert found == [False, genesis.float32]


def test_what_is_asked_and_set() -> None:
    assert genesis.amp.is_autocast_available("cpu")
    assert genesis.get_autocast_dtype("cuda") is genesis.float16
    genesis.set_autocast_dtype("cpu", genesis.float16)
    genesis.set_autocast_enabled("cpu", True)
    try:
        assert (X @ X.T).dtype is genesis.float16
    finally:
        genesis.set_autocast_enabled("cpu", False)
        genesis.set_autocast_dtype("cpu", genesis.bfloat16)
        genesis.clear_autocast_cache()
    with pytest.raises(ValueError, match="Expected `device_type` of type `str`"):
        genesis.autocast(3)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="nowhere"):
        genesis.autocast("nowhere")
    with pytest.warns(UserWarning, match="not supported"):
        assert not genesis.autocast("cpu", dtype=genesis.float32)._enabled
    with genesis.cpu.amp.autocast():
        assert (X @ X.T).dtype is genesis.bfloat16


def test_functions_with_gradients_of_their_own() -> None:
    seen: list[Any] = []

    class Product(genesis.autograd.Function):
        @staticmethod
        @genesis.amp.custom_fwd(device_type="cpu", cast_inputs=genesis.float32)
        def forward(ctx: Any, a: Any, b: Any) -> Any:
            ctx.save_for_backward(a, b)
            seen.append((a.dtype, genesis.is_autocast_enabled("cpu")))
            return a @ b

        @staticmethod
        @genesis.amp.custom_bwd(device_type="cpu")
        def backward(ctx: Any, grad: Any) -> Any:
            a, b = ctx.saved_tensors
            seen.append(genesis.is_autocast_enabled("cpu"))
            return grad @ b.T, a.T @ grad

    w = genesis.ones(4, 2, requires_grad=True)
    with genesis.autocast("cpu"):
        out = Product.apply(X.bfloat16(), w)
    assert out.dtype is genesis.float32
    out.sum().backward()
    assert seen == [(genesis.float32, False), False]
    assert w.grad.dtype is genesis.float32


def test_recurrent_layers_and_attention() -> None:
    x = genesis.randn(2, 5, 8)
    with genesis.autocast("cpu"):
        assert nn.LSTM(8, 4, batch_first=True)(x)[0].dtype is genesis.bfloat16
        assert nn.GRU(8, 4, batch_first=True)(x)[0].dtype is genesis.float32
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        layer(x).float().sum().backward()
    assert {p.grad.dtype for p in layer.parameters()} == {genesis.float32}


def test_the_first_steps_may_be_left_out() -> None:
    w = genesis.ones(2, requires_grad=True)
    optimizer = genesis.optim.SGD([w], lr=1.0)
    schedule = genesis.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    scaler = genesis.amp.GradScaler("cpu", init_scale=4.0)
    rates = []
    for factor in (1.0, float("inf"), 1.0):
        optimizer.zero_grad()
        scaler.scale((w * factor).sum()).backward()
        scale = scaler.get_scale()
        scaler.step(optimizer)
        scaler.update()
        if scaler.get_scale() >= scale:  # the optimizer has stepped
            schedule.step()
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == [0.5, 0.5, 0.25]
    assert w.tolist() == [-0.5, -0.5]


@pytest.mark.parametrize("use_reentrant", [False, True])
def test_a_pass_that_is_run_again_casts_as_the_first(use_reentrant: bool) -> None:
    from genesis.utils.checkpoint import checkpoint

    genesis.manual_seed(0)
    layer = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4))
    grads = []
    for again in (False, True):
        x = genesis.linspace(-1, 1, 12).reshape(3, 4).requires_grad_()
        with genesis.autocast("cpu"):
            y = checkpoint(layer, x, use_reentrant=use_reentrant) if again else layer(x)
        assert y.dtype is genesis.bfloat16
        y.float().square().sum().backward()
        grads.append(x.grad)
        assert not genesis.is_autocast_enabled("cpu")
    assert genesis.equal(*grads)
