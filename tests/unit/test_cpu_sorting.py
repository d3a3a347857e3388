"""Sorting on the CPU: stable, in every type, also where keys are long and begin alike."""

from __future__ import annotations

import numpy as np
import pytest

import genesis

_WIDE = np.iinfo(np.int64)


def _keys(kind: str, n: int) -> np.ndarray:
    rng = np.random.default_rng(n)
    if kind == "wide":
        return rng.integers(_WIDE.min, _WIDE.max, n)
    if kind == "begin alike":  # one far away, all others within the bits that it leaves
        keys = rng.integers(0, 1 << 20, n)
        keys[n // 2] = _WIDE.max
        return keys
    if kind == "some begin alike":
        return (rng.permutation(n) // 3 << 40) + rng.integers(0, 100, n)
    if kind == "few":
        return rng.integers(-3, 3, n).astype(np.int8)
    if kind == "equal":
        return np.full(n, 7, np.int32)
    keys = rng.standard_normal(n).astype(kind)
    keys[::3] = rng.choice([0.0, -0.0, np.inf, -np.inf, np.nan], len(keys[::3]))
    return keys


@pytest.mark.parametrize("n", [1, 2, 40, 41, 3000])
@pytest.mark.parametrize(
    "kind", ["wide", "begin alike", "some begin alike", "few", "equal", "float32", "float64"]
)
def test_sort(kind: str, n: int) -> None:
    keys = np.stack([_keys(kind, n), _keys(kind, n)[::-1]])
    up = np.argsort(keys, -1, kind="stable")
    down = n - 1 - np.argsort(keys[:, ::-1], -1, kind="stable")[:, ::-1]
    for descending, order in ((False, up), (True, down)):
        values, indices = genesis.sort(genesis.tensor(keys), descending=descending)
        np.testing.assert_array_equal(indices.numpy(), order)
        np.testing.assert_array_equal(values.numpy(), np.take_along_axis(keys, order, -1))


def test_sort_of_nothing_and_of_a_column() -> None:
    assert genesis.sort(genesis.zeros(0)).values.shape == (0,)
    assert genesis.sort(genesis.zeros(3, 0)).indices.shape == (3, 0)
    x = genesis.tensor([[3.0, 1.0], [1.0, 2.0], [2.0, 0.0]])
    assert genesis.sort(x, 0).values.tolist() == [[1.0, 0.0], [2.0, 1.0], [3.0, 2.0]]


def test_a_permutation_is_what_it_was() -> None:
    permutation = genesis.randperm(8, generator=genesis.Generator().manual_seed(3))
    assert permutation.tolist() == [1, 6, 4, 5, 7, 2, 3, 0]
