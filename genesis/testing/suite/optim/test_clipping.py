"""``Optimizer.clip_grad_norm_``: the step is that of clipped gradients."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest

import genesis
from genesis import nn, optim

OPTIMIZERS = [
    partial(optim.SGD, lr=0.1, momentum=0.9, weight_decay=0.1),
    partial(optim.Adam, lr=0.1, weight_decay=0.1),
    partial(optim.AdamW, lr=0.1, amsgrad=True, maximize=True),
    *[
        partial(getattr(optim, name))
        for name in ("Adadelta", "Adagrad", "Adamax", "ASGD", "Lion", "NAdam", "RAdam", "RMSprop", "Rprop")
    ],
    partial(optim.Muon, lr=0.1),
    partial(optim.Adafactor, lr=0.1),
]
# a factor within the step instead of before it: another rounding of each gradient, of numbers near 1
CLOSE = {"rtol": 1e-6, "atol": 1e-6}


def run(make, device, clip, order=2.0):
    """Parameters after three steps, and the norms."""
    generator = np.random.default_rng(0)
    params = [
        genesis.tensor(generator.standard_normal(s).astype("float32"), device=device, requires_grad=True)
        for s in ((3, 4), (2, 5))
    ]
    optimizer = make(params)
    norms = []
    for _ in range(3):
        optimizer.zero_grad()
        for p in params:
            p.grad = genesis.tensor(generator.standard_normal(p.shape).astype("float32"), device=device)
        norms.append(clip(optimizer, params, order).item())
        optimizer.step()
    return [p.detach().numpy() for p in params], norms


def within(optimizer, params, order):
    return optimizer.clip_grad_norm_(0.5, order)


def before(optimizer, params, order):
    return nn.utils.clip_grad_norm_(params, 0.5, order)


@pytest.mark.parametrize("make", OPTIMIZERS, ids=lambda m: m.func.__name__)
def test_same_as_clipped_before(device, make):
    (got, norms), (want, expected) = run(make, device, within), run(make, device, before)
    assert norms == expected
    for g, w in zip(got, want, strict=True):
        np.testing.assert_allclose(g, w, **CLOSE)


@pytest.mark.parametrize("order", [1.0, 3.0, math.inf])
def test_other_norms(device, order):
    make = partial(optim.SGD, lr=0.1)
    for g, w in zip(*[run(make, device, clip, order)[0] for clip in (within, before)], strict=True):
        np.testing.assert_allclose(g, w, **CLOSE)


def one(device, optimizer=optim.SGD, **options):
    p = genesis.zeros(2, device=device).requires_grad_()
    p.grad = genesis.tensor([3.0, 4.0], device=device)
    return p, optimizer([p], lr=1.0, **options)


def test_gradients_stay_and_the_next_step_is_whole(device):
    p, optimizer = one(device)
    assert optimizer.clip_grad_norm_(1.0).item() == 5
    optimizer.step()
    assert p.grad.tolist() == [3.0, 4.0]
    np.testing.assert_allclose(p.detach().numpy(), [-0.6, -0.8], rtol=1e-6)  # 1e-6 is added to the norm
    optimizer.step()
    np.testing.assert_allclose(p.detach().numpy(), [-3.6, -4.8], rtol=1e-6)


def test_small_gradients_stay_as_they_are(device):
    p, optimizer = one(device)
    optimizer.clip_grad_norm_(6.0)
    optimizer.step()
    assert p.tolist() == [-3.0, -4.0]


def test_zero_grad_forgets_it(device):
    p, optimizer = one(device)
    optimizer.clip_grad_norm_(1.0)
    optimizer.zero_grad()
    p.grad = genesis.ones(2, device=device)
    optimizer.step()
    assert p.tolist() == [-1.0, -1.0]


class Own(optim.SGD):
    """A step that does not know of the factor."""

    @genesis.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                p.sub_(p.grad)


def test_a_step_of_ones_own_gets_clipped_gradients(device):
    p, optimizer = one(device, Own)
    optimizer.clip_grad_norm_(1.0)
    np.testing.assert_allclose(p.grad.numpy(), [0.6, 0.8], rtol=1e-6)
    optimizer.step()
    np.testing.assert_allclose(p.detach().numpy(), [-0.6, -0.8], rtol=1e-6)


def test_no_gradients(device):
    p, optimizer = one(device)
    p.grad = None
    assert optimizer.clip_grad_norm_(1.0).item() == 0
    optimizer.step()
    assert p.tolist() == [0.0, 0.0]


def test_nan(device):
    p, optimizer = one(device)
    p.grad.fill_(math.nan)
    with pytest.raises(RuntimeError, match="nan"):
        optimizer.clip_grad_norm_(1.0, error_if_nonfinite=True)
    optimizer.clip_grad_norm_(1.0)
    optimizer.step()
    assert all(math.isnan(x) for x in p.tolist())
