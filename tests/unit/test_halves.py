"""float16 and bfloat16: kept in 16 bits, computed with in float32, rounded once."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import genesis
from genesis import nn
from genesis.nn import functional as F

HALVES = (genesis.float16, genesis.bfloat16)
DEVICES = ("cpu", "ref")


@pytest.fixture(params=HALVES, ids=str)
def half(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(params=DEVICES)
def on(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_names_and_sizes(half: Any) -> None:
    assert (half.itemsize, half.is_floating_point, half.is_signed, half.is_complex) == (2, True, True, False)
    assert genesis.half is genesis.float16
    assert pickle.loads(pickle.dumps(half)) is half
    assert copy.deepcopy(half) is half
    assert genesis.empty(3, 4, dtype=half).nbytes == 24
    assert genesis.ones(2).half().dtype is genesis.float16
    assert genesis.ones(2).bfloat16().dtype is genesis.bfloat16
    assert isinstance(genesis.HalfTensor([1.0]), genesis.HalfTensor)


def test_limits() -> None:
    assert (genesis.finfo(genesis.float16).max, genesis.finfo(genesis.float16).eps) == (65504.0, 2.0**-10)
    low = genesis.finfo(genesis.bfloat16)
    assert (low.bits, low.eps, low.tiny, low.dtype) == (16, 2.0**-7, 2.0**-126, "bfloat16")


@pytest.mark.parametrize(
    ("a", "b", "want"),
    [
        ("float16", "bfloat16", "float32"),
        ("float16", "float32", "float32"),
        ("bfloat16", "float64", "float64"),
        ("float16", "int64", "float16"),
        ("bfloat16", "bool", "bfloat16"),
    ],
)
def test_promotion(a: str, b: str, want: str) -> None:
    x, y = (genesis.ones(2, dtype=getattr(genesis, n)) for n in (a, b))
    for out in (x + y, y + x):
        assert out.dtype is getattr(genesis, want)
    assert genesis.promote_types(x.dtype, y.dtype) is getattr(genesis, want)


def test_numbers_and_tensors_without_axes_leave_the_type(half: Any) -> None:
    x = genesis.ones(2, dtype=half)
    assert (x * 2.5).dtype is (x + genesis.tensor(1.5)).dtype is (2 / x).dtype is half
    assert (genesis.ones(2, dtype=genesis.int64) * genesis.tensor(1.5, dtype=half)).dtype is half


def all_numbers(half: Any) -> tuple[Any, np.ndarray]:
    bits = np.arange(65536, dtype=np.uint16)
    values = genesis.from_numpy(bits.view(np.int16)).view(half)
    if half is genesis.float16:
        return values, bits.view(np.float16).astype(np.float32)
    return values, (bits.astype(np.uint32) << 16).view(np.float32)


def test_every_number_becomes_float32_and_comes_back(half: Any) -> None:
    values, want = all_numbers(half)
    np.testing.assert_array_equal(values.float().numpy(), want)
    back = values.float().to(half)
    there = ~np.isnan(want)
    same = values.view(genesis.int16).numpy() == back.view(genesis.int16).numpy()
    assert same[there].all()
    assert back.isnan().numpy()[~there].all()


def test_the_nearest_is_taken_and_the_even_one_in_the_middle(half: Any) -> None:
    _, numbers = all_numbers(half)
    ordered = np.unique(numbers[np.isfinite(numbers)])
    middle = ((ordered[:-1].astype(np.float64) + ordered[1:]) / 2).astype(np.float32)
    got = genesis.from_numpy(middle).to(half)
    even = (got.view(genesis.int16) & 1).numpy() == 0
    exact = middle.astype(np.float64) * 2 == ordered[:-1].astype(np.float64) + ordered[1:]
    assert even[exact].all()
    above = np.nextafter(middle, np.float32(np.inf))
    below = np.nextafter(middle, np.float32(-np.inf))
    np.testing.assert_array_equal(
        genesis.from_numpy(above).to(half).float().numpy()[exact], ordered[1:][exact]
    )
    np.testing.assert_array_equal(
        genesis.from_numpy(below).to(half).float().numpy()[exact], ordered[:-1][exact]
    )


def test_what_is_too_large_is_infinite() -> None:
    x = genesis.tensor([65504.0, 65519.0, 65520.0, -1e6])
    assert x.half().tolist() == [65504.0, 65504.0, float("inf"), float("-inf")]
    with pytest.raises(RuntimeError, match="float16 without overflow"):
        genesis.full((2,), 1e6, dtype=genesis.float16)


def test_an_operation_rounds_once(half: Any, on: str) -> None:
    genesis.manual_seed(0)
    for n in (50, 5000):  # as few elements, and by a kernel of their own
        x = genesis.randn(n, device=on).to(half)
        y = (genesis.rand(n, device=on) + 0.5).to(half)
        wide, other = x.double(), y.double()
        for f in (lambda a, b: a * b + a.exp(), lambda a, b: a / b, lambda a, b: (a * 0.3).tanh()):
            a, b = f(x, y), f(wide, other)
            limit = 2 * genesis.finfo(half).eps
            assert ((a.double() - b).abs() <= limit * (b.abs() + 1)).all()
        assert (
            ((x / y).double() - wide / other)
            .abs()
            .le(0.51 * genesis.finfo(half).eps * (wide / other).abs() + 2e-7)
            .all()
        )


def test_sums_are_exact_where_halves_would_stop_counting(half: Any, on: str) -> None:
    assert genesis.ones(5000, dtype=half, device=on).sum().item() == pytest.approx(5000, rel=2**-8)
    assert genesis.full((70000,), 2.0, dtype=half, device=on).mean().item() == 2.0
    a = genesis.ones(1, 5000, dtype=half, device=on)
    assert (a @ a.T).item() == pytest.approx(5000, rel=2**-8)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: F.softmax(x, -1),
        lambda x: F.layer_norm(x, (8,)),
        lambda x: F.gelu(x),
        lambda x: x @ x.T,
        lambda x: x.cumsum(1),
        lambda x: x.sort(1).values,
        lambda x: F.scaled_dot_product_attention(x[None], x[None], x[None]),
        lambda x: F.conv1d(x[None], x[:, :4, None].reshape(4, 4, 1)),
        lambda x: x[genesis.tensor([1, 1, 0])],
        lambda x: genesis.cat([x, x]).amax(0),
    ],
)
def test_gradients_are_those_of_float32_rounded(f: Callable[[Any], Any], half: Any, on: str) -> None:
    genesis.manual_seed(3)
    x = genesis.randn(4, 8, device=on).to(half).requires_grad_()
    wide = x.detach().float().requires_grad_()
    y, z = f(x), f(wide)
    assert y.dtype is half
    seed = genesis.linspace(-1, 1, y.numel(), device=on).reshape(y.shape).to(half)
    y.backward(seed)
    z.backward(seed.float())
    assert x.grad.dtype is half
    scale = float(wide.grad.abs().max()) + 1e-3
    assert (x.grad.float() - wide.grad).abs().max().item() <= 2 * genesis.finfo(half).eps * scale
    assert (y.float() - z).abs().max().item() <= genesis.finfo(half).eps * (float(z.abs().max()) + 1e-3)


def test_second_derivatives(half: Any, on: str) -> None:
    x = genesis.tensor([[0.5, -1.0, 2.0]], dtype=half, device=on, requires_grad=True)
    wide = x.detach().double().requires_grad_()
    for t in (x, wide):
        (g,) = genesis.autograd.grad((F.softmax(t, -1) ** 2).sum(), t, create_graph=True)
        (g**2).sum().backward()
    assert (x.grad.double() - wide.grad).abs().max().item() < 4 * genesis.finfo(half).eps


def test_layers_convert_and_optimizers_step(half: Any) -> None:
    genesis.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))
    model = model.half() if half is genesis.float16 else model.bfloat16()
    assert {p.dtype for p in model.parameters()} == {half}
    assert model[1].num_batches_tracked.dtype is genesis.int64
    x = genesis.randn(16, 4).to(half)
    # an eps of 1e-8 would be zero in float16
    for name, options in (("SGD", {"lr": 0.1}), ("AdamW", {"lr": 0.01, "eps": 1e-4})):
        optimizer = getattr(genesis.optim, name)(model.parameters(), **options)
        losses = []
        for _ in range(5):
            optimizer.zero_grad()
            loss = F.mse_loss(model(x), x[:, :1])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        assert losses[-1] < losses[0]
    assert {p.dtype for p in model.parameters()} == {half}
    assert model[1].running_mean.dtype is half
    assert model[1].running_mean.any()


def test_types_that_do_not_fit_are_refused(half: Any) -> None:
    with pytest.raises(RuntimeError, match="dtype"):
        nn.Linear(4, 2)(genesis.ones(2, 4, dtype=half))
    with pytest.raises(RuntimeError, match="dtype"):
        genesis.ones(2, 2) @ genesis.ones(2, 2, dtype=half)
    with pytest.raises(RuntimeError, match="same dtype"):
        F.linear(genesis.ones(2, 4, dtype=half), genesis.ones(3, 4, dtype=half), genesis.ones(3))
    mixed = F.layer_norm(genesis.ones(2, 4, dtype=half), (4,), genesis.ones(4), genesis.ones(4))
    assert mixed.dtype is half


def test_numpy_and_printing() -> None:
    x = genesis.from_numpy(np.array([1.5, 2.25], np.float16))
    assert x.dtype is genesis.float16
    assert x.numpy().dtype == np.float16
    low = genesis.tensor([1.5, 2.25], dtype=genesis.bfloat16)
    with pytest.raises(TypeError, match=r"NumPy has no bfloat16.*float\(\)"):
        low.numpy()
    assert low.tolist() == [1.5, 2.25]
    assert low[0].item() == 1.5
    assert repr(low) == "tensor([1.5000, 2.2500], dtype=genesis.bfloat16)"
    assert repr(x[0]) == "tensor(1.5000, dtype=genesis.float16)"


def test_random_numbers_stay_below_one(half: Any, on: str) -> None:
    x = genesis.rand(20000, dtype=half, device=on)
    assert x.dtype is half
    assert 0 <= x.min().item() <= x.max().item() < 1
    assert abs(genesis.randn(20000, dtype=half, device=on).float().mean().item()) < 0.05


def test_a_default_type() -> None:
    genesis.set_default_dtype(genesis.bfloat16)
    try:
        assert genesis.tensor([1.0]).dtype is genesis.ones(2).dtype is genesis.bfloat16
        assert nn.Linear(2, 2).weight.dtype is genesis.bfloat16
    finally:
        genesis.set_default_dtype(genesis.float32)


def test_copies_pickles_and_loaders(half: Any) -> None:
    x = genesis.arange(6, dtype=half).reshape(2, 3)
    for y in (copy.deepcopy(x), pickle.loads(pickle.dumps(x)), x.clone(), genesis.stack([x[0], x[1]])):
        assert y.dtype is half
        assert y.tolist() == x.tolist()
    rows = genesis.utils.data.TensorDataset(x)
    (batch,) = next(iter(genesis.utils.data.DataLoader(rows, batch_size=2)))
    assert batch.dtype is half


def test_importing_does_not_load_what_only_bfloat16_needs() -> None:
    code = "import sys, genesis; genesis.bfloat16; genesis.ones(2); print('ml_dtypes' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


@pytest.mark.parametrize("form", ["genesis", "torch"])
def test_files_keep_the_type(tmp_path: Any, half: Any, form: str) -> None:
    x = genesis.tensor([[1.5, -2.0, 3.25]], dtype=half)
    genesis.save({"x": x}, tmp_path / "a", format=form)
    # in a process that has not met the type yet
    code = f"import genesis; t = genesis.load({str(tmp_path / 'a')!r})['x']; print(t.dtype, t.tolist())"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split("\n")[0] == f"{half} [[1.5, -2.0, 3.25]]"


def test_float16_without_instructions_for_it() -> None:
    numba = pytest.importorskip("numba")
    from genesis_cpu import _halves

    wide, narrow = _halves._wide(_halves.widen_in_steps), _halves._narrow(_halves.narrow_in_steps)

    @numba.njit
    def there_and_back(bits, numbers, seen):  # type: ignore[no-untyped-def]
        for i in range(bits.size):
            numbers[i] = wide(bits[i])
            seen[i] = narrow(numbers[i])

    @numba.njit
    def rounded(numbers, seen):  # type: ignore[no-untyped-def]
        for i in range(numbers.size):
            seen[i] = narrow(numbers[i])

    bits = np.arange(65536, dtype=np.uint16)
    numbers, seen = np.empty(65536, np.float32), np.empty(65536, np.uint16)
    there_and_back(bits, numbers, seen)
    want = bits.view(np.float16).astype(np.float32)
    np.testing.assert_array_equal(numbers, want)
    np.testing.assert_array_equal(seen[~np.isnan(want)], bits[~np.isnan(want)])
    some = np.random.default_rng(0).integers(0, 2**32, 200_000, dtype=np.uint32).view(np.float32)
    some = some[~np.isnan(some)]
    seen = np.empty(some.size, np.uint16)
    rounded(some, seen)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(seen, some.astype(np.float16).view(np.uint16))
