"""Models on the device: the same losses as on the CPU, step for step."""

from __future__ import annotations

import numpy as np
import pytest

import genesis
import genesis.nn.functional as F
from genesis import nn
from genesis_cuda import _driver


class Words(nn.Module):
    """A model of words that has a bit of everything: embedding, attention, norms, dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(11, 8)
        self.norm = nn.LayerNorm(8)
        self.attention = nn.Linear(8, 24)
        self.inner, self.outer = nn.Linear(8, 12), nn.Linear(12, 8)
        self.last, self.head = nn.RMSNorm(8), nn.Linear(8, 11)

    def forward(self, index):
        x = self.table(index)
        q, k, v = self.attention(self.norm(x)).chunk(3, -1)
        x = x + F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + F.dropout(self.outer(F.gelu(self.inner(x))), 0.2)
        return self.head(self.last(x))


def losses(device: str, optimizer: str, steps: int = 3, **options: object) -> list[float]:
    genesis.manual_seed(3)
    model = Words().to(device)
    step = genesis.optim.create_optimizer(optimizer, model.parameters(), **options)
    index = genesis.tensor(np.random.default_rng(0).integers(0, 11, (2, 7)), device=device)
    found = []
    for _ in range(steps):
        loss = F.cross_entropy(
            model(index[:, :-1]).flatten(0, 1), index[:, 1:].flatten(), label_smoothing=0.1
        )
        step.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        step.step()
        found.append(loss.item())
    return found


@pytest.mark.parametrize(
    ("optimizer", "options"),
    [("AdamW", {"lr": 0.01}), ("SGD", {"lr": 0.1, "momentum": 0.9}), ("Lion", {"lr": 0.01})],
)
def test_a_model_of_words(optimizer: str, options: dict[str, float]) -> None:
    here, there = losses("cuda", optimizer, **options), losses("cpu", optimizer, **options)
    assert here == pytest.approx(there, rel=2e-5)
    assert here[-1] < here[0]


def test_a_network_of_images() -> None:
    def run(device: str) -> list[float]:
        genesis.manual_seed(0)
        model = nn.Sequential(
            nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 3)
        )
        model.to(device)
        x = genesis.tensor(
            np.random.default_rng(0).standard_normal((2, 1, 6, 6)), dtype=genesis.float32, device=device
        )
        y = genesis.tensor([0, 2], device=device)
        optimizer = genesis.optim.Adam(model.parameters(), lr=0.01)
        found = []
        for _ in range(2):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            found.append(loss.item())
        return found

    assert run("cuda") == pytest.approx(run("cpu"), rel=1e-5)


@pytest.mark.parametrize("draw", ["rand", "randn"])
def test_a_seed_means_the_same_numbers(draw: str) -> None:
    numbers = []
    for device in ("cuda", "cpu"):
        genesis.manual_seed(7)
        numbers.append(getattr(genesis, draw)(37, device=device).numpy())
    np.testing.assert_allclose(*numbers, rtol=1e-6)
    assert draw != "rand" or (numbers[0] == numbers[1]).all()


@pytest.mark.simulated
def test_one_step_of_adam_is_one_launch(monkeypatch: pytest.MonkeyPatch) -> None:
    names = []
    driver = type(_driver.api())
    launch = driver.cuLaunchKernel
    monkeypatch.setattr(
        driver, "cuLaunchKernel", lambda self, k, *a: names.append(k.name) or launch(self, k, *a)
    )
    model = Words().to("cuda")
    optimizer = genesis.optim.Adam(model.parameters())
    for p in model.parameters():
        p.grad = genesis.ones_like(p)
    optimizer.step()
    names.clear()
    optimizer.step()
    assert names == ["adam_float32"]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32"])
def test_products_of_small_integers(dtype: str) -> None:
    a, b = (np.random.default_rng(i).integers(0, 7, (5, 5)).astype(dtype) for i in (1, 2))
    found = genesis.tensor(a, device="cuda") @ genesis.tensor(b, device="cuda")
    assert (found.numpy() == a @ b).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_losses_of_many_classes(dtype: str, smoothing: float) -> None:
    rng = np.random.default_rng(1)
    scores, weight = rng.standard_normal((5, 41)).astype(dtype), rng.random(41).astype(dtype)

    def run(device: str) -> tuple[np.ndarray, np.ndarray]:
        x = genesis.tensor(scores, device=device, requires_grad=True)
        target = genesis.tensor([3, 40, -100, 0, 7], device=device)
        w = genesis.tensor(weight, device=device)
        loss = F.cross_entropy(x, target, w, label_smoothing=smoothing)
        loss.backward()
        return loss.detach().numpy(), x.grad.numpy()

    for here, there in zip(run("cuda"), run("cpu"), strict=True):
        np.testing.assert_allclose(here, there, rtol=1e-5 if dtype == "float32" else 1e-12, atol=1e-7)
