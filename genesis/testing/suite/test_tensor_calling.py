"""How functions may be called, and what people find wrong at once."""

from __future__ import annotations

import inspect
import math
import pickle

import numpy as np
import pytest

import genesis


def test_names_of_arguments(device):
    x = genesis.tensor([[1.0, 5.0], [3.0, 2.0]])
    assert genesis.exp(input=x).tolist() == genesis.exp(x).tolist()
    assert genesis.maximum(x, other=genesis.tensor(2.5)).tolist() == [[2.5, 5], [3, 2.5]]
    assert genesis.maximum(x1=x, x2=x).tolist() == x.tolist()
    assert genesis.sum(x, axis=0).tolist() == x.sum(axis=0).tolist() == [4, 7]
    assert x.softmax(axis=1).shape == x.unsqueeze(axis=0).squeeze(axis=0).shape
    assert genesis.zeros(size=(2,), layout=genesis.strided, pin_memory=False).tolist() == [0, 0]
    with pytest.raises(TypeError, match="both 'dim' and 'axis'"):
        genesis.sum(x, dim=0, axis=0)
    with pytest.raises(TypeError, match="unexpected"):
        genesis.exp(x, dim=1)
    with pytest.raises(TypeError, match="missing the argument 'other'"):
        genesis.atan2(input=x)
    assert "dim" in inspect.signature(genesis.sum).parameters
    assert pickle.loads(pickle.dumps(genesis.exp)) is genesis.exp


def test_out(device):
    x = genesis.tensor([1.0, 2.0])
    out = genesis.zeros(2, dtype=genesis.float64)
    assert genesis.mul(x, 3, out=out) is out
    assert out.tolist() == [3, 6]
    with pytest.warns(UserWarning, match="resized"):
        genesis.stack([x, x], out=out)
    assert out.shape == (2, 2)
    values, indices = genesis.empty(0), genesis.empty(0, dtype=genesis.int64)
    assert genesis.max(x, 0, out=(values, indices)).values is values
    assert indices.item() == 1
    with pytest.raises(RuntimeError, match="can't be cast"):
        genesis.add(x, 0.5, out=genesis.zeros(2, dtype=genesis.int64))
    with pytest.raises(RuntimeError, match="automatic differentiation"):
        genesis.add(x.requires_grad_(), 1, out=genesis.zeros(2))


def test_what_overflowed_once(device):
    assert genesis.tensor([1e30, -1e30]).std().item() == pytest.approx(math.sqrt(2) * 1e30, rel=1e-6)
    assert genesis.tensor([88.9]).cosh().isfinite().all()
    assert genesis.tensor([-89.2]).sinh().isfinite().all()
    x = genesis.tensor([math.nan, 2.0], requires_grad=True)
    (x.abs() + x.clamp(0, 1) + genesis.maximum(x, genesis.zeros(2))).sum().backward()
    assert x.grad.tolist() == [1, 2]


def test_overwriting_keeps_the_gradient_of_what_was(device):
    x = genesis.tensor([0.3, -0.4], dtype=genesis.float64, requires_grad=True)
    y = x.clone().asin_().mul_(2).fmod_(0.5)
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 / np.sqrt(1 - x.detach().numpy() ** 2))
    z = x * 1
    z.fill_(3.0)
    assert genesis.autograd.grad(z.sum(), x)[0].tolist() == [0, 0]
    with pytest.raises(RuntimeError, match="leaf"):
        x.acos_()


def test_special_values(device):
    d = genesis.float64
    assert genesis.atan2(genesis.tensor(-0.0, dtype=d), genesis.tensor(-1.0, dtype=d)).item() == -math.pi
    for f, g in ((genesis.lgamma, math.lgamma), (genesis.erfc, math.erfc), (genesis.asinh, math.asinh)):
        for v in (0.5, 3.25, 11.0):
            assert f(genesis.tensor(v, dtype=d)).item() == pytest.approx(g(v), rel=1e-12)
    assert genesis.erfinv(genesis.tensor([1.0, -1.0, 2.0])).tolist()[:2] == [math.inf, -math.inf]
    assert genesis.digamma(genesis.tensor(-1.0)).isnan()


def test_constructors(device):
    assert genesis.Tensor(2, 3).shape == (2, 3)
    assert genesis.Tensor([1, 2]).dtype is genesis.float32
    assert genesis.LongTensor([1, 2]).dtype is genesis.int64
    with pytest.raises(TypeError, match="float8_e5m2"):
        genesis.zeros(2, dtype="float8_e5m2")
    with pytest.raises(TypeError, match="complex"):
        genesis.tensor([1j])
    assert genesis.result_type(genesis.tensor(1.0), 2) is genesis.float32
    assert "precision" in inspect.signature(genesis.set_printoptions).parameters
