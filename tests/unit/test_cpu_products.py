"""Products on the CPU device: of all sizes, in all orders of storage, from a bias, on several threads."""

from __future__ import annotations

import numpy as np
import pytest

import genesis
import genesis.nn.functional as F

# Around the edges of what a tile, a panel and a block hold: 1, 4, 9 or 10 rows, 32 (or 16) columns, 192 deep.
SIZES = [
    (1, 32, 64), (9, 64, 64), (10, 32, 65), (31, 30, 100), (32, 32, 64), (33, 29, 192), (45, 31, 193),
    (64, 256, 784), (99, 96, 385), (128, 65, 130), (100, 512, 70), (331, 64, 1025), (700, 64, 600),
    (1000, 32, 1024), (33, 32, 38401), (41, 20, 77), (64, 50, 784), (70, 75, 66),
]  # fmt: skip


def stored(x: np.ndarray, turned: bool) -> genesis.Tensor:
    return genesis.tensor(np.ascontiguousarray(x.T)).T if turned else genesis.tensor(x)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_products(threads: int, kind: str) -> None:
    before = genesis.get_num_threads()
    genesis.set_num_threads(threads)
    rng = np.random.default_rng(0)
    try:
        for m, n, k in SIZES:
            a, b, bias = (rng.normal(size=s).astype(kind) for s in ((m, k), (k, n), (n,)))
            exact = a.astype("float64") @ b.astype("float64")
            # Higham, Accuracy and Stability of Numerical Algorithms (2002), equation (3.5), with the bias
            bound = (k + 1) * np.finfo(kind).eps * (np.abs(a) @ np.abs(b) + np.abs(bias))
            for turned in range(4):
                x, y = stored(a, bool(turned & 1)), stored(b, bool(turned & 2))
                assert (np.abs((x @ y).numpy() - exact) <= bound).all()
                got = F.linear(x, y.T, genesis.tensor(bias)).numpy()
                assert (np.abs(got - exact - bias) <= bound).all()
    finally:
        genesis.set_num_threads(before)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_gradients_of_a_layer(threads: int, kind: str) -> None:
    """The sum for the bias comes with the product for the weight, where that copies its left factor."""
    before = genesis.get_num_threads()
    genesis.set_num_threads(threads)
    rng = np.random.default_rng(0)
    try:
        for rows, n, m in [
            (64, 256, 784),
            (101, 33, 64),
            (193, 41, 96),
            (700, 600, 64),
            (1000, 1000, 64),
            (20, 9, 8),
        ]:
            x, g = rng.normal(size=(rows, m)).astype(kind), rng.normal(size=(rows, n)).astype(kind)
            weight, bias = (
                genesis.tensor(rng.normal(size=(n, m)).astype(kind)),
                genesis.zeros(n).to(genesis.tensor(x)),
            )
            weight.requires_grad_()
            bias.requires_grad_()
            F.linear(genesis.tensor(x), weight, bias).backward(genesis.tensor(g))
            assert weight.grad is not None
            assert bias.grad is not None
            wide = g.astype("float64")
            bound = rows * np.finfo(kind).eps
            assert (np.abs(bias.grad.numpy() - wide.sum(0)) <= bound * np.abs(g).sum(0)).all()
            assert (np.abs(weight.grad.numpy() - wide.T @ x) <= bound * (np.abs(g).T @ np.abs(x))).all()
    finally:
        genesis.set_num_threads(before)
