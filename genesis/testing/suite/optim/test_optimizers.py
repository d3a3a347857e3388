"""What the optimizers do to parameters, on every device."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest

import genesis
from genesis import nn
from genesis.ops import adam_step
from genesis.optim import SGD, Adam, AdamW

# A few operations on numbers near 1 in float32, 1.2e-7 each.
CLOSE = {"rtol": 1e-6, "atol": 1e-6}

ALL = [
    (SGD, {"lr": 0.1}),
    (SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    (Adam, {"lr": 0.1, "amsgrad": True, "weight_decay": 0.01}),
    (AdamW, {"lr": 0.1}),
]
every = pytest.mark.parametrize(("optimizer", "options"), ALL, ids=lambda x: getattr(x, "__name__", None))


def parameter(values, device, grad=None, dtype=None):
    p = genesis.tensor(values, device=device, dtype=dtype, requires_grad=True)
    if grad is not None:
        p.grad = genesis.tensor(grad, device=device, dtype=dtype)
    return p


def test_sgd_by_hand(device):
    p = parameter([1.0, -2.0], device, grad=[0.5, 1.0])
    optimizer = SGD([p], lr=0.1, momentum=0.5, dampening=0.25, weight_decay=0.2)
    optimizer.step()
    # gradient with decay 0.7, 0.6; the first buffer is just that
    np.testing.assert_allclose(p.detach().numpy(), [0.93, -2.06], **CLOSE)
    optimizer.step()
    # gradient 0.686, 0.588; buffer 0.5 b + 0.75 g = 0.8645, 0.741
    np.testing.assert_allclose(p.detach().numpy(), [0.84355, -2.1341], **CLOSE)


def test_nesterov_by_hand(device):
    p = parameter([1.0], device, grad=[1.0])
    optimizer = SGD([p], lr=0.1, momentum=0.5, nesterov=True)
    optimizer.step()
    optimizer.step()
    # steps of 0.1 (1 + 0.5 * 1) and 0.1 (1 + 0.5 * 1.5)
    np.testing.assert_allclose(p.detach().numpy(), [1 - 0.15 - 0.175], **CLOSE)


def test_adam_by_hand(device):
    p = parameter([1.0], device, grad=[2.0])
    optimizer = Adam([p], lr=0.1, betas=(0.5, 0.75), eps=0.5)
    optimizer.step()
    first = 1 - 0.1 * 2 / (2 + 0.5)  # both corrected averages are those of the only gradient
    np.testing.assert_allclose(p.detach().numpy(), [first], **CLOSE)
    p.grad = genesis.tensor([-1.0], device=device)
    optimizer.step()
    m, v = (0.5 * 1.0 + 0.5 * -1.0) / 0.75, (0.75 * 1.0 + 0.25 * 1.0) / (1 - 0.75**2)
    np.testing.assert_allclose(p.detach().numpy(), [first - 0.1 * m / (math.sqrt(v) + 0.5)], **CLOSE)


def test_adamw_decays_the_parameter_and_adam_the_gradient(device):
    # With a gradient of zero the averages stay zero, so only decay acts.
    p, q = parameter([2.0], device, grad=[0.0]), parameter([2.0], device, grad=[0.0])
    AdamW([p], lr=0.1, weight_decay=0.5).step()
    Adam([q], lr=0.1, weight_decay=0.5).step()
    np.testing.assert_allclose(p.detach().numpy(), [2.0 * 0.95], **CLOSE)
    np.testing.assert_allclose(q.detach().numpy(), [1.9], **CLOSE)  # the gradient is 1: a whole step of 0.1


def test_amsgrad_remembers_the_largest_square(device):
    p = parameter([0.0], device, grad=[10.0])
    optimizer = Adam([p], lr=0.1, amsgrad=True)
    optimizer.step()
    largest = optimizer.state[p]["max_exp_avg_sq"].item()
    p.grad = genesis.zeros(1, device=device)
    optimizer.step()
    assert optimizer.state[p]["exp_avg_sq"].item() < largest
    assert optimizer.state[p]["max_exp_avg_sq"].item() == largest


@every
def test_maximize_is_the_negative_gradient(device, optimizer, options):
    up, down = parameter([1.0, -3.0], device), parameter([1.0, -3.0], device)
    climb, descend = optimizer([up], maximize=True, **options), optimizer([down], **options)
    for scale in (1.0, -0.5):
        up.grad = genesis.tensor([2.0 * scale, 0.3], device=device)
        down.grad = -up.grad
        climb.step()
        descend.step()
    assert up.tolist() == down.tolist()


@every
def test_it_learns(device, optimizer, options):
    x = genesis.randn(64, 3, device=device)
    target = x @ genesis.tensor([[1.0], [-2.0], [0.5]], device=device) + 0.3
    model = nn.Linear(3, 1, device=device)
    opt = optimizer(model.parameters(), **options)
    losses = []
    for _ in range(60):
        loss = nn.functional.mse_loss(model(x), target)
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 50


@every
def test_parameters_without_a_gradient_are_left_alone(device, optimizer, options):
    used, unused = parameter([1.0], device, grad=[1.0]), parameter([1.0], device)
    frozen = genesis.ones(1, device=device)
    opt = optimizer([unused, used, frozen], **options)
    opt.step()
    assert used.item() != 1.0
    assert unused.item() == frozen.item() == 1.0
    assert unused not in opt.state
    opt.zero_grad()
    opt.step()  # nothing to do
    assert opt.state_dict()["state"].keys() <= {1}


def test_each_parameter_counts_its_own_steps(device):
    early, late = parameter([0.0], device, grad=[1.0]), parameter([0.0], device)
    optimizer = Adam([early, late], lr=0.1)
    optimizer.step()
    late.grad = genesis.ones(1, device=device)
    optimizer.step()
    # A constant gradient makes steps of lr, if each average is corrected by its own count.
    np.testing.assert_allclose([early.item(), late.item()], [-0.2, -0.1], **CLOSE)
    steps = [state["step"].item() for state in optimizer.state_dict()["state"].values()]
    assert steps == [2.0, 1.0]


def test_groups_have_their_own_options(device):
    slow, fast = parameter([1.0], device, grad=[1.0]), parameter([1.0], device, grad=[1.0])
    optimizer = SGD([{"params": [slow]}, {"params": [fast], "lr": 0.5, "maximize": True}], lr=0.25)
    optimizer.step()
    assert (slow.item(), fast.item()) == (0.75, 1.5)
    optimizer.param_groups[0]["lr"] = 0.5
    optimizer.step()
    assert (slow.item(), fast.item()) == (0.25, 2.0)


@every
def test_types_and_shapes_may_be_mixed_in_a_group(device, optimizer, options):
    shapes = [(2, 3), (), (0, 4), (5,)]
    types = [genesis.float32, genesis.float64]
    params = [parameter(np.ones(s), device, np.ones(s), t) for t in types for s in shapes]
    alone = [copy.deepcopy(p) for p in params]
    together = optimizer(params, **options)
    each = [optimizer([p], **options) for p in alone]
    for _ in range(2):
        for opt in (together, *each):
            opt.step()
    for p, q in zip(params, alone, strict=True):
        assert (p.shape, p.dtype) == (q.shape, q.dtype)
        assert p.tolist() == q.tolist()


@every
def test_a_transposed_parameter_and_gradient(device, optimizer, options):
    values, grad = np.arange(6.0, dtype=np.float32).reshape(2, 3), np.ones((2, 3), np.float32)
    grad[0] = -2
    straight = parameter(values, device, grad)
    turned = genesis.tensor(values.T.copy(), device=device).t().detach().requires_grad_()
    turned.grad = genesis.tensor(grad.T.copy(), device=device).t()
    assert not turned.is_contiguous()
    for p in (straight, turned):
        opt = optimizer([p], **options)
        opt.step()
        opt.step()
    # contiguous tensors may go through a fused kernel and others not
    np.testing.assert_allclose(straight.detach().numpy(), turned.detach().numpy(), **CLOSE)


@every
def test_a_step_is_noticed_by_graphs_that_saved_the_parameter(device, optimizer, options):
    p = parameter([1.0], device, grad=[1.0])
    loss = (p * p).sum()
    optimizer([p], **options).step()
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        loss.backward()


@every
def test_closures(device, optimizer, options):
    p = parameter([3.0], device)
    opt = optimizer([p], **options)

    def closure():
        opt.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with genesis.no_grad():
        assert opt.step(closure).item() == 9.0
    assert p.item() < 3.0


@every
def test_resuming_is_exact(device, optimizer, options, tmp_path):
    """A run that was saved and loaded ends with the same bits as one that was not."""

    def train(model, opt, steps):
        for x in steps:
            opt.zero_grad()
            nn.functional.mse_loss(model(x), x.sum(1, keepdim=True)).backward()
            opt.step()

    batches = [genesis.randn(8, 4, device=device) for _ in range(10)]
    model = nn.Sequential(nn.Linear(4, 8, device=device), nn.Tanh(), nn.Linear(8, 1, device=device))
    twin = copy.deepcopy(model)
    whole, first = optimizer(model.parameters(), **options), optimizer(twin.parameters(), **options)
    train(model, whole, batches)

    train(twin, first, batches[:4])
    genesis.save_checkpoint({"model": twin.state_dict(), "opt": first.state_dict()}, tmp_path / "mid")
    saved = genesis.load_checkpoint(tmp_path / "mid")
    fresh = nn.Sequential(nn.Linear(4, 8, device=device), nn.Tanh(), nn.Linear(8, 1, device=device))
    fresh.load_state_dict(saved["model"])
    second = optimizer(fresh.parameters())
    second.load_state_dict(saved["opt"])
    train(fresh, second, batches[4:])
    for p, q in zip(model.parameters(), fresh.parameters(), strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy())


@every
def test_a_gradient_that_does_not_fit_is_refused(device, optimizer, options):
    p = parameter([1.0, 2.0], device)
    opt = optimizer([p], **options)
    good = p.data
    p.grad = genesis.ones(2, device=device)  # fits, until the data are replaced
    p.data = genesis.ones(3, device=device)
    with pytest.raises(genesis.ShapeError, match=r"gradient of parameter 0 has the shape \(2,\).*\(3,\)"):
        opt.step()
    p.data = good.double()
    with pytest.raises(RuntimeError, match=r"gradient of parameter 0 has the type genesis.float32"):
        optimizer([p], **options).step()
    p.data = good
    opt = optimizer([p], **options)
    assert p.tolist() == [1.0, 2.0]
    opt.step()
    assert all(state["step"].item() == 1 for state in opt.state_dict()["state"].values() if "step" in state)


def test_replacing_a_parameter_by_one_of_another_shape_is_noticed(device):
    p = parameter([1.0, 2.0], device, grad=[1.0, 1.0])
    optimizer = Adam([p])
    optimizer.step()
    p.data = genesis.ones(3, device=device)
    p.grad = genesis.ones(3, device=device)
    with pytest.raises(genesis.ShapeError, match=r"state of parameter 0 has the shape \(2,\)"):
        optimizer.step()


def test_lists_of_unequal_length_are_refused(device):
    p = parameter([1.0], device, grad=[1.0])
    with pytest.raises(genesis.ShapeError, match="1 parameters, but 2 tensors of kind gradient"):
        adam_step(
            [p], [p.grad, p.grad], [genesis.zeros(1)], [genesis.zeros(1)], [],
            steps=[1], lr=0.1, beta1=0.9, beta2=0.9, eps=0.0, weight_decay=0.0, decoupled=False,
            maximize=False,
        )  # fmt: skip
