"""What has a kernel and no trip through the host: running extremes, distinct elements, dropout, norms."""

from __future__ import annotations

import numpy as np
import pytest

import genesis
import genesis.nn.functional as F
from genesis_cuda import _kernel
from genesis_cuda.backend import CudaBackend

FLOATS = ("float32", "float64")


def numbers(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    rng = np.random.default_rng(len(shape))
    made = rng.integers(-9, 10, shape).astype(dtype)
    if dtype in FLOATS and made.size > 20:
        made.reshape(-1)[[7, 9]] = np.inf, -np.inf
        made.reshape(-1)[-3] = np.nan
    return made


@pytest.fixture
def on_the_device(monkeypatch: pytest.MonkeyPatch):
    """Nothing is read by the host while it lasts."""

    def within(function, *args, **options):
        with monkeypatch.context() as patch:
            patch.setattr(CudaBackend, "read", lambda *a: pytest.fail("on the host"))
            return function(*args, **options)

    return within


@pytest.mark.parametrize("name", ["cummax", "cummin"])
@pytest.mark.parametrize("dtype", ["bool", "int32", "int64", "float16", *FLOATS])
@pytest.mark.parametrize(
    ("shape", "dim"), [((150,), 0), ((1,), 0), ((3, 21), 1), ((150, 2), 0), ((2, 3, 4), 1)]
)
def test_running_extremes(on_the_device, shape, dim, dtype, name) -> None:
    x = genesis.tensor(numbers(shape, "float32" if dtype == "float16" else dtype)).to(getattr(genesis, dtype))
    want = getattr(x, name)(dim)
    got = on_the_device(getattr(x.to("cuda"), name), dim)
    np.testing.assert_array_equal(got.indices.numpy(), want.indices.numpy())
    np.testing.assert_array_equal(got.values.float().numpy(), want.values.float().numpy())
    assert got.values.dtype is x.dtype


@pytest.mark.parametrize("dtype", ["float16", *FLOATS])
@pytest.mark.parametrize(("shape", "dim"), [((150,), 0), ((3, 21), 1), ((150, 2), 0), ((2, 3, 4), 1)])
def test_logcumsumexp(on_the_device, shape, dim, dtype) -> None:
    values = np.random.default_rng(0).standard_normal(shape) * 40
    values.reshape(-1)[:2] = -np.inf
    found = []
    for device in ("cuda", "cpu"):
        x = genesis.tensor(values, dtype=getattr(genesis, dtype), device=device, requires_grad=True)
        out = on_the_device(genesis.logcumsumexp, x, dim)
        (out.float() * 0.5).nan_to_num(0, 0, 0).sum().backward()
        found.append((out.detach().float().numpy(), x.grad.float().numpy()))
    # the gradient is exp(a - b) of two numbers near 100, of which the last digit counts 1e-5
    limit = {"float16": 2e-3, "float32": 2e-5, "float64": 1e-13}[dtype]
    for here, there in zip(*found, strict=True):
        np.testing.assert_allclose(here, there, rtol=limit, atol=limit)


@pytest.mark.parametrize("name", ["unique", "unique_consecutive"])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", *FLOATS])
@pytest.mark.parametrize("shape", [(1,), (45,), (5, 3), ()])
def test_distinct_elements(on_the_device, shape, dtype, name) -> None:
    x = numbers(shape, "float32" if dtype == "float16" else "int64" if dtype in ("bool", "uint8") else dtype)
    x = genesis.tensor(np.abs(x)).to(getattr(genesis, dtype))
    want = getattr(x, name)(return_inverse=True, return_counts=True)
    got = on_the_device(getattr(x.to("cuda"), name), return_inverse=True, return_counts=True)
    assert got[0].dtype is x.dtype
    for here, there in zip(got, want, strict=True):
        np.testing.assert_array_equal(here.float().numpy(), there.float().numpy())
    np.testing.assert_array_equal(getattr(x.to("cuda"), name)().float().numpy(), want[0].float().numpy())


@pytest.mark.parametrize("dtype", ["bfloat16", *FLOATS])
@pytest.mark.parametrize("p", [0.1, 0.5])
def test_dropout_makes_the_numbers_of_the_cpu(dtype, p) -> None:
    values = np.random.default_rng(0).standard_normal((7, 11))
    found = []
    for device in ("cuda", "cpu"):
        genesis.manual_seed(3)
        x = genesis.tensor(values, dtype=getattr(genesis, dtype), device=device, requires_grad=True)
        genesis.rand(3)  # the next number is not the first of a block
        out = F.dropout(x, p)
        (g,) = genesis.autograd.grad((out * out).sum(), x, create_graph=True)
        g.sum().backward()
        found.append([v.detach().float().numpy() for v in (out, g, x.grad, genesis.rand(2))])
    for here, there in zip(*found, strict=True):
        np.testing.assert_array_equal(here, there)


def test_dropout_is_one_launch(monkeypatch: pytest.MonkeyPatch) -> None:
    x = genesis.ones(40, device="cuda")
    names = []
    launch = _kernel.Kernel.__call__
    monkeypatch.setattr(_kernel.Kernel, "__call__", lambda k, *a: (names.append(k.name), launch(k, *a))[1])
    F.dropout(x, 0.5)
    assert names == ["dropout_scaled_float32"]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shapes", [[(3, 4), (), (0, 2), (150,)], [(0,)], [(2, 3)]])
def test_total_norm(shapes, dtype) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
    tensors = [genesis.tensor(a, device="cuda") for a in arrays]
    tensors[-1] = tensors[-1].t() if tensors[-1].dim() == 2 else tensors[-1]
    got = genesis.nn.utils.get_total_norm(tensors)
    want = np.sqrt(sum((a.astype("float64") ** 2).sum() for a in arrays))
    assert got.dtype is tensors[0].dtype
    np.testing.assert_allclose(got.numpy(), want, rtol={"float32": 1e-7, "float64": 1e-15}[dtype])


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("shape", [(5, 3), (3,), (2, 4, 3)])
def test_linear_relu(shape, bias, dtype) -> None:
    from genesis.ops import linear_relu

    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(s).astype(dtype) for s in (shape, (6, 3), (6,))][: 2 + bias]
    found = []
    for device in ("cuda", "cpu"):
        inputs = [genesis.tensor(a, device=device, requires_grad=True) for a in arrays]
        out = linear_relu(*inputs)
        (out * out).sum().backward()
        found.append([out.detach().numpy(), *[v.grad.numpy() for v in inputs]])
    limit = {"float32": 5e-6, "float64": 1e-13}[dtype]
    for here, there in zip(*found, strict=True):
        np.testing.assert_allclose(here, there, rtol=limit, atol=limit)
