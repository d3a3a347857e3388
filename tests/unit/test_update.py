"""``Update``: the formulas of a step, with a kernel and without."""

from __future__ import annotations

import numpy as np
import pytest

import genesis
from genesis.backend import call
from genesis.ops import Update

PAIR = Update(
    "pair",
    ("p", "g", "m"),
    {
        "d": lambda g, p, l2: g + l2 * p,
        "p": lambda p, d, m, size: p - size * (d + m),
        "m": lambda m, d, new: m + (d - m) * new,  # d is that of the old p
    },
    each=("size",),
)


def lists(device, dtype=genesis.float32):
    rng = np.random.default_rng(0)
    return [
        [genesis.tensor(rng.normal(size=s), dtype=dtype, device=device) for s in ((2, 3), (4,), ())]
        for _ in range(3)
    ]


@pytest.mark.parametrize("dtype", [genesis.float32, genesis.float64])
def test_rules_run_one_after_the_other(device, dtype):
    ps, gs, ms = lists(device, dtype)
    want = [[x.numpy().astype("float64") for x in xs] for xs in (ps, gs, ms)]
    PAIR(ps, gs, ms, l2=0.1, new=0.3, size=[0.1, 0.2, 0.3])
    for i, (p, g, m) in enumerate(zip(*want, strict=True)):
        d = g + 0.1 * p
        close = {"rtol": 1e-6 if dtype is genesis.float32 else 1e-13, "atol": 1e-6}
        np.testing.assert_allclose(ps[i].numpy(), p - 0.1 * (i + 1) * (d + m), **close)
        np.testing.assert_allclose(ms[i].numpy(), m + (d - m) * 0.3, **close)
        np.testing.assert_array_equal(gs[i].numpy(), g)


def test_what_comes_in_is_checked():
    ps, gs, ms = lists("ref")
    with pytest.raises(TypeError, match="pair takes lists of p, g, m and the numbers l2, size, new"):
        PAIR(ps, gs, ms, l2=0.1, size=[1.0] * 3)
    with pytest.raises(RuntimeError, match="pair: the state of parameter 1 has the shape"):
        PAIR(ps, gs, [ms[0], ms[0], ms[2]], l2=0.1, new=0.1, size=[1.0] * 3)
    PAIR([], [], [], l2=0.1, new=0.1, size=[])


def test_a_step_counts_as_a_change():
    p = genesis.ones(3, requires_grad=True)
    loss = (p * p).sum()
    Update("down", ("p", "g"), {"p": lambda p, g, lr: p - lr * g})([p], [genesis.ones(3)], lr=0.5)
    assert p.tolist() == [0.5] * 3
    assert p.is_leaf
    with pytest.raises(RuntimeError):
        loss.backward()


def test_the_cpu_does_it_in_one_call(monkeypatch):
    seen = []
    backend = genesis.device("cpu").backend
    monkeypatch.setattr(type(backend), "map", lambda *_: seen.append("map"))
    ps, gs, ms = ([genesis.tensor(x.numpy()) for x in xs] for xs in lists("cpu"))
    PAIR(ps, gs, ms, l2=0.0, new=0.1, size=[0.1] * 3)
    assert seen == []


def test_strided_parameters_are_done_as_well():
    p = genesis.arange(6.0).reshape(2, 3).t()
    g = genesis.ones(3, 2)
    Update("root", ("p", "g"), {"p": lambda p, g, lr: call("sqrt", p) - lr * g})([p], [g], lr=1.0)
    np.testing.assert_allclose(p.numpy(), np.sqrt(np.arange(6.0).reshape(2, 3)).T - 1, rtol=1e-6)
