"""utils.checkpoint: less is kept for the backward pass, and the gradients are the same."""

from __future__ import annotations

import weakref

import pytest

import genesis
from genesis import nn
from genesis.utils.checkpoint import (
    CheckpointError,
    checkpoint,
    checkpoint_sequential,
    set_checkpoint_early_stop,
)

BOTH = pytest.mark.parametrize("use_reentrant", [True, False])


def model() -> nn.Sequential:
    genesis.manual_seed(0)
    return nn.Sequential(*[nn.Sequential(nn.Linear(8, 8), nn.Tanh(), nn.Dropout(0.4)) for _ in range(4)])


def gradients(run) -> tuple[list, list]:
    """The result and all gradients of a step, and the random numbers drawn after it."""
    net = model()
    x = genesis.linspace(-1, 1, 16).reshape(2, 8).requires_grad_()
    out = run(net, x)
    out.sum().backward()
    return [t.tolist() for t in (out, x.grad, *[p.grad for p in net.parameters()])], genesis.rand(2).tolist()


@BOTH
def test_the_same_gradients_with_dropout(use_reentrant: bool) -> None:
    plain = gradients(lambda net, x: net(x))
    assert plain == gradients(lambda net, x: checkpoint(net, x, use_reentrant=use_reentrant))
    assert plain == gradients(lambda net, x: checkpoint_sequential(net, 2, x, use_reentrant=use_reentrant))

    def nested(net: nn.Sequential, x: genesis.Tensor) -> genesis.Tensor:
        def inner(x: genesis.Tensor) -> genesis.Tensor:
            return checkpoint(net[1], net[0](x), use_reentrant=use_reentrant)

        x = checkpoint(inner, x, use_reentrant=use_reentrant)
        return checkpoint(lambda x: net[3](net[2](x)), x, use_reentrant=use_reentrant)

    assert plain == gradients(nested)


def test_random_numbers_may_differ_on_request() -> None:
    x = genesis.ones(64, requires_grad=True)
    genesis.manual_seed(0)
    checkpoint(
        lambda x: nn.functional.dropout(x * x, 0.5), x, use_reentrant=False, preserve_rng_state=False
    ).sum().backward()
    second = genesis.rand(1).item()
    genesis.manual_seed(0)
    checkpoint(lambda x: nn.functional.dropout(x * x, 0.5), x, use_reentrant=False).sum().backward()
    assert genesis.rand(1).item() != second  # there the second pass drew numbers of its own


@BOTH
def test_less_is_kept(use_reentrant: bool) -> None:
    alive: weakref.WeakSet[object] = weakref.WeakSet()

    def deep(x: genesis.Tensor) -> genesis.Tensor:
        for _ in range(10):
            x = x.tanh()
            alive.add(x._view.buffer)
        return x

    x = genesis.ones(4, requires_grad=True)
    y = deep(x)
    assert len(alive) == 10  # tanh keeps its result
    y.sum().backward()
    plain, x.grad = x.grad, None
    del y
    assert len(alive) == 0
    y = checkpoint(deep, x, use_reentrant=use_reentrant)
    assert len(alive) == 1  # the result alone
    y.sum().backward()
    assert x.grad.tolist() == plain.tolist()
    del y
    assert len(alive) == 0


def test_a_checkpoint_around_others_lets_go_of_what_is_between_them() -> None:
    alive: weakref.WeakSet[object] = weakref.WeakSet()

    def part(x: genesis.Tensor) -> genesis.Tensor:
        x = x.tanh().exp()
        alive.add(x._view.buffer)
        return x

    def all_parts(x: genesis.Tensor) -> genesis.Tensor:
        for _ in range(5):
            x = checkpoint(part, x, use_reentrant=False)
        return x

    x = genesis.full((3,), 0.1, requires_grad=True)
    y = checkpoint(all_parts, x, use_reentrant=False)
    assert len(alive) == 1
    y.sum().backward()
    found, x.grad = x.grad.tolist(), None
    all_parts(x).sum().backward()
    assert x.grad.tolist() == found


def test_second_derivatives_keywords_and_several_passes() -> None:
    x, w = genesis.tensor([0.1, 0.2], requires_grad=True), genesis.tensor([0.3, 0.4], requires_grad=True)

    def f(x: genesis.Tensor, *, scale: genesis.Tensor) -> genesis.Tensor:
        return (x * scale).exp()

    expected = genesis.autograd.grad(
        genesis.autograd.grad(f(x, scale=w).sum(), x, create_graph=True)[0].sum(), [x, w]
    )
    y = checkpoint(f, x, scale=w, use_reentrant=False)
    (g,) = genesis.autograd.grad(y.sum(), x, create_graph=True)
    found = genesis.autograd.grad(g.sum(), [x, w])
    assert [t.tolist() for t in found] == [t.tolist() for t in expected]
    y = checkpoint(f, x, scale=w, use_reentrant=False).sum()
    y.backward(retain_graph=True)
    first = x.grad.clone()
    y.backward()
    assert x.grad.tolist() == (first * 2).tolist()
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_the_second_pass_stops_early() -> None:
    steps = []

    def f(x: genesis.Tensor) -> genesis.Tensor:
        x = (x * x).exp()
        steps.append(1)
        return x + 1

    x = genesis.ones(2, requires_grad=True)
    checkpoint(f, x, use_reentrant=False).sum().backward()
    assert len(steps) == 1
    with set_checkpoint_early_stop(False):
        y = checkpoint(f, x, use_reentrant=False)
    y.sum().backward()
    assert len(steps) == 3


def test_what_is_not_the_same_twice_is_found() -> None:
    calls = []

    def f(x: genesis.Tensor) -> genesis.Tensor:
        calls.append(1)
        return x[: 3 - len(calls)].exp() * 1

    x = genesis.ones(3, requires_grad=True)
    with pytest.raises(CheckpointError, match=r"shape, type and device \(\(2,\).* in the first pass"):
        checkpoint(f, x, use_reentrant=False).sum().backward()
    calls.clear()
    checkpoint(lambda x: f(x).sum(), x, use_reentrant=False, determinism_check="none")

    def g(x: genesis.Tensor) -> genesis.Tensor:
        calls.append(1)
        return x.exp().sin() if len(calls) == 1 else x.exp()

    calls.clear()
    with pytest.raises(CheckpointError, match="saved 2 tensors, the second one"):
        checkpoint(g, x, use_reentrant=False).sum().backward()


def test_options_that_do_not_go_together() -> None:
    x = genesis.ones(2, requires_grad=True)
    with pytest.raises(ValueError, match="Unexpected keyword arguments"):
        checkpoint(lambda x: x, x, use_reentrant=True, scale=1)
    with pytest.raises(ValueError, match="determinism_check"):
        checkpoint(lambda x: x, x, use_reentrant=False, determinism_check="strict")
    with pytest.raises(RuntimeError, match=r"does not go with autograd\.grad"):
        genesis.autograd.grad(checkpoint(lambda x: x * x, x, use_reentrant=True).sum(), x)
    with genesis.no_grad():
        assert not checkpoint(lambda x: x * x, x, use_reentrant=False).requires_grad
