"""Sorting, the largest few, running sums and positions on the device, in several runs, parts and passes."""

from __future__ import annotations

import numpy as np
import pytest

import genesis
from genesis_cuda.kernels import scan, search, sorting

SHAPES = [(1,), (7,), (33,), (100,), (3, 37), (2, 3, 5), (5, 1)]
DTYPES = ["bool", "uint8", "int32", "int64", "float32", "float64"]


def numbers(shape: tuple[int, ...], dtype: str, few: bool = False) -> np.ndarray:
    rng = np.random.default_rng(sum(shape))
    values = rng.integers(-3, 4, shape) if few else rng.permutation(int(np.prod(shape))).reshape(shape) - 20
    made = np.abs(values).astype(dtype) if dtype in ("bool", "uint8") else values.astype(dtype)
    if dtype.startswith("float") and made.size > 6:
        made.reshape(-1)[[1, 4]] = np.nan
        made.reshape(-1)[[2, 5]] = np.inf, -np.inf
    return made


@pytest.fixture(autouse=True)
def on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing goes through the host."""
    for name in ("sort", "leading", "scan", "nonzero"):
        monkeypatch.setattr(f"genesis.backend.Backend.{name}", lambda *a: pytest.fail("on the host"))


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("few", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_sort(shape, dtype, few, descending) -> None:
    x = genesis.tensor(numbers(shape, dtype, few), device="cuda")
    values, indices = x.sort(-1, descending)
    host = x.numpy()
    n = host.shape[-1]
    if descending:
        order = n - 1 - np.argsort(host[..., ::-1], axis=-1, kind="stable")[..., ::-1]
    else:
        order = np.argsort(host, axis=-1, kind="stable")
    np.testing.assert_array_equal(indices.numpy(), order)
    np.testing.assert_array_equal(values.numpy(), np.take_along_axis(host, order, -1))
    assert values.dtype is x.dtype


@pytest.mark.parametrize("largest", [False, True])
@pytest.mark.parametrize(("shape", "k"), [((100,), 3), ((3, 70), 7), ((40,), 12), ((2, 5), 2), ((300,), 1)])
@pytest.mark.parametrize("dtype", ["int64", "float32", "float64"])
def test_the_first_few(shape, k, dtype, largest) -> None:
    x = numbers(shape, dtype)
    found = genesis.tensor(x, device="cuda").topk(k, largest=largest)
    want = np.sort(x, -1)[..., ::-1][..., :k] if largest else np.sort(x, -1)[..., :k]
    np.testing.assert_array_equal(found.values.numpy(), want)
    np.testing.assert_array_equal(np.take_along_axis(x, found.indices.numpy(), -1), found.values.numpy())


@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
@pytest.mark.parametrize("dtype", ["int32", "int64", "float32", "float64"])
@pytest.mark.parametrize(
    ("shape", "dim"), [((5,), 0), ((200,), 0), ((3, 37), 1), ((130, 3), 0), ((2, 130, 2), 1), ((2, 3), 0)]
)
def test_running_totals(shape, dim, dtype, name, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "_cut", lambda unit, form, lines, n: min(3, n))
    x = np.random.default_rng(0).integers(-2, 3, shape).astype(dtype)
    if name == "cumprod":
        x = 1 + x / 9 if dtype.startswith("f") else np.where(x > 1, 2, np.where(x < 0, -1, 1))
        x = x.astype(dtype)
    out = getattr(genesis.tensor(x, device="cuda"), name)(dim)
    want = getattr(np, name)(x.astype("float64" if dtype.startswith("f") else "int64"), dim)
    np.testing.assert_allclose(out.numpy(), want, rtol=1e-6 if dtype == "float32" else 1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_of_running_sums(dtype) -> None:
    x = np.random.default_rng(0).standard_normal((3, 19)).astype(dtype)
    found = []
    for device in ("cuda", "cpu"):
        for dim in (0, 1):
            t = genesis.tensor(x, device=device, requires_grad=True)
            (t.cumsum(dim) * t).sum().backward()
            found.append(t.grad.numpy())
    for here, there in zip(found[:2], found[2:], strict=True):
        np.testing.assert_allclose(here, there, rtol=0, atol=1e-5 if dtype == "float32" else 1e-13)


def test_lines_are_cut_as_the_gpu_has_work_for() -> None:
    class Large:
        processors = 132

    assert scan._cut(Large(), "block", 1, 1 << 24) > 132
    assert scan._cut(Large(), "block", 10_000, 1 << 12) == 1
    assert scan._cut(Large(), "thread", 4, 1 << 20) > 1000


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1,), (50,), (200,), (7, 9), (2, 3, 4), (0, 3), (6,)])
def test_positions(shape, dtype) -> None:
    x = numbers(shape, dtype, few=True)
    if shape == (6,):
        x[...] = 0
    t = genesis.tensor(x, device="cuda")
    if x.size:
        np.testing.assert_array_equal(t.nonzero().numpy(), np.argwhere(x))
        for here, there in zip(t.nonzero(as_tuple=True), np.nonzero(x), strict=True):
            np.testing.assert_array_equal(here.numpy(), there)
        np.testing.assert_array_equal(t[t != 0].numpy(), x[x != 0])
    assert search.nonzero(genesis.zeros(0, device="cuda")._view) is None


@pytest.mark.simulated
def test_too_many_at_once_are_sorted_as_a_whole() -> None:
    x = genesis.arange(100, device="cuda")
    assert not sorting.leading(genesis.zeros(50, dtype=genesis.int64, device="cuda")._view, x._view, True)
