"""Averages of models beside PyTorch's."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

import genesis

pytestmark = pytest.mark.parity

FUNCTIONS: dict[str, Any] = {
    "default": lambda utils: {},
    "swa": lambda utils: {"avg_fn": utils.get_swa_avg_fn()},
    "swa multi": lambda utils: {"multi_avg_fn": utils.get_swa_multi_avg_fn()},
    "ema": lambda utils: {"avg_fn": utils.get_ema_avg_fn(0.9)},
    "ema multi": lambda utils: {"multi_avg_fn": utils.get_ema_multi_avg_fn(0.9)},
    "ema, nothing kept": lambda utils: {"multi_avg_fn": utils.get_ema_multi_avg_fn(0.0)},
    "own": lambda utils: {"avg_fn": lambda averaged, current, n: averaged * 0.25 + current * 0.75},
}


def models(dtype: str = "float32") -> tuple[Any, Any]:
    """Two equal models with batch normalization."""
    pair = [
        lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.BatchNorm1d(4), lib.nn.ReLU(), lib.nn.Linear(4, 2))
        for lib in (genesis, torch)
    ]
    rng = np.random.default_rng(0)
    for p, q in zip(pair[0].parameters(), pair[1].parameters(), strict=True):
        value = rng.normal(size=tuple(q.shape)).astype("float32")
        p.data.copy_(genesis.tensor(value))
        q.data.copy_(torch.tensor(value))
    if dtype == "float64":
        pair = [m.double() for m in pair]
    return pair[0], pair[1]


def same(mine: Any, other: Any, rounded: bool = False) -> None:
    """The same state dicts, but for a few roundings."""
    mine, other = mine.state_dict(), other.state_dict()
    assert list(mine) == list(other)
    for key, value in other.items():
        a, b = mine[key].detach().numpy(), value.detach().numpy()
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        exact = b.dtype == np.float64 and not rounded
        close = {"rtol": 1e-12, "atol": 1e-14} if exact else {"rtol": 1e-5, "atol": 1e-6}
        np.testing.assert_allclose(a, b, **close, err_msg=key)


def change(a: Any, b: Any, rng: Any) -> None:
    """Move the parameters, and the statistics by a batch."""
    for p, q in zip(a.parameters(), b.parameters(), strict=True):
        value = rng.normal(size=tuple(q.shape)).astype(q.detach().numpy().dtype)
        p.data.copy_(genesis.tensor(value))
        q.data.copy_(torch.tensor(value))
    x = rng.normal(size=(8, 3)).astype(next(b.parameters()).detach().numpy().dtype)
    a(genesis.tensor(x))
    b(torch.tensor(x))


@pytest.mark.parametrize(
    ("which", "use_buffers", "dtype"),
    [
        case
        for case in product(FUNCTIONS, [False, True], ["float32", "float64"])
        if case[:2] != ("swa multi", True)  # PyTorch's function refuses integers, as a count of batches is
    ],
)
def test_averages(device: Any, which: str, use_buffers: bool, dtype: str) -> None:
    a, b = models(dtype)
    mine = genesis.optim.swa_utils.AveragedModel(
        a, **FUNCTIONS[which](genesis.optim.swa_utils), use_buffers=use_buffers
    )
    other = torch.optim.swa_utils.AveragedModel(
        b, **FUNCTIONS[which](torch.optim.swa_utils), use_buffers=use_buffers
    )
    same(mine, other)
    rng = np.random.default_rng(1)
    for _ in range(5):
        change(a, b, rng)
        mine.update_parameters(a)
        other.update_parameters(b)
        # PyTorch's function of lists has 1 / (n + 1) in float32
        same(mine, other, rounded=which == "swa multi")
        same(a, b)  # the model itself stays as it is
    x = rng.normal(size=(4, 3)).astype(dtype)
    mine.eval()
    other.eval()
    np.testing.assert_allclose(
        mine(genesis.tensor(x)).detach().numpy(),
        other(torch.tensor(x)).detach().numpy(),
        rtol=1e-4,
        atol=1e-5,
    )


@pytest.mark.parametrize("form", ["tensors", "pairs"])
@pytest.mark.parametrize("training", [True, False])
def test_update_bn(device: Any, form: str, training: bool) -> None:
    a, b = models()
    rng = np.random.default_rng(1)
    change(a, b, rng)
    mine, other = genesis.optim.swa_utils.AveragedModel(a), torch.optim.swa_utils.AveragedModel(b)
    batches = [rng.normal(size=(6, 3)).astype("float32") for _ in range(4)]
    for lib, model in ((genesis, mine), (torch, other)):
        tensors = [lib.tensor(batch) for batch in batches]
        model.train(training)
        lib.optim.swa_utils.update_bn(tensors if form == "tensors" else [(t, None) for t in tensors], model)
        assert model.training is training
        assert model.module[1].momentum == 0.1
    same(mine, other)


@pytest.mark.parametrize("decay", [-0.1, 1.1])
@pytest.mark.parametrize("name", ["get_ema_avg_fn", "get_ema_multi_avg_fn"])
def test_wrong_decays(device: Any, name: str, decay: float) -> None:
    for lib in (genesis, torch):
        with pytest.raises(ValueError, match="Invalid decay value"):
            getattr(lib.optim.swa_utils, name)(decay)


def test_both_functions(device: Any) -> None:
    for lib in (genesis, torch):
        utils = lib.optim.swa_utils
        with pytest.raises(AssertionError, match="Only one of"):
            utils.AveragedModel(
                lib.nn.Linear(1, 1), avg_fn=utils.get_swa_avg_fn(), multi_avg_fn=utils.get_swa_multi_avg_fn()
            )


def test_the_names_are_the_same(device: Any) -> None:
    mine = genesis.optim.swa_utils
    for name in torch.optim.swa_utils.__all__:
        assert getattr(mine, name) is not None
    assert mine.SWALR is genesis.optim.SWALR


def test_a_whole_recipe(device: Any) -> None:
    """Training with averages and SWALR, as in PyTorch's documentation."""
    a, b = models()
    rng = np.random.default_rng(2)
    batches = [
        (rng.normal(size=(8, 3)).astype("float32"), rng.normal(size=(8, 2)).astype("float32"))
        for _ in range(4)
    ]
    averages = []
    for lib, model in ((genesis, a), (torch, b)):
        optimizer = lib.optim.SGD(model.parameters(), lr=0.1)
        average = lib.optim.swa_utils.AveragedModel(model)
        schedule = lib.optim.swa_utils.SWALR(optimizer, swa_lr=0.05, anneal_epochs=3)
        for epoch in range(6):
            for x, y in batches:
                optimizer.zero_grad()
                lib.nn.functional.mse_loss(model(lib.tensor(x)), lib.tensor(y)).backward()
                optimizer.step()
            if epoch > 1:
                average.update_parameters(model)
                schedule.step()
        lib.optim.swa_utils.update_bn([(lib.tensor(x), lib.tensor(y)) for x, y in batches], average)
        averages.append(average)
    mine, other = ({k: v.detach().numpy() for k, v in m.state_dict().items()} for m in averages)
    for key, value in other.items():  # 24 steps of a network
        np.testing.assert_allclose(mine[key], value, rtol=1e-3, atol=1e-4, err_msg=key)
