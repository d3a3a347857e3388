"""Operations beside PyTorch's: the same values, types, gradients and kinds of error."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

import genesis
import genesis.ops
from genesis.testing.suite import _operations

pytestmark = pytest.mark.parity

CASES = _operations.CASES

# Both sides compute the same formulas, but sum in another order and have their own exp, log and tanh: a few
# ulps (1.2e-7 in float32, 2.2e-16 in float64) of the largest term of a sum of up to 24 terms.
TOLERANCE = {
    "float32": {"rtol": 1e-5, "atol": 2e-6},
    "float64": {"rtol": 1e-12, "atol": 1e-14},
}
DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float32", "float64")
INTEGERS = ("uint8", "int8", "int16", "int32", "int64")


class Torch:
    """torch, with its functions for networks beside the rest."""

    def __getattr__(self, name):
        return getattr(torch.nn.functional, name, None) or getattr(torch, name)


TORCH, OURS = Torch(), genesis.ops


def name_of(dtype):
    return str(dtype).split(".")[-1]


def both(array, dtype=None, grad=True):
    """The same array as a tensor of ours and of PyTorch's, strides included."""
    order = tuple(reversed(range(array.ndim))) if type(array).__name__ == "Strided" else None
    plain = np.asarray(array)
    floating = plain.dtype.kind == "f"
    if floating and dtype is not None:
        plain = plain.astype(dtype)
    if order:
        plain = np.ascontiguousarray(plain.transpose(order))
    ours, theirs = genesis.tensor(plain), torch.tensor(plain)
    if order:
        ours, theirs = ours.permute(*order), theirs.permute(*order)
    if floating and grad:
        ours.requires_grad_()
        theirs.requires_grad_()
    return ours, theirs


def listed(result):
    return [result] if isinstance(result, genesis.Tensor | torch.Tensor) else list(result)


def check(ours, theirs, what, **tolerance):
    assert (ours is None) == (theirs is None), what
    if ours is not None:
        assert name_of(ours.dtype) == name_of(theirs.dtype), what
        assert tuple(ours.shape) == tuple(theirs.shape), what
        expected = theirs.detach().numpy()
        np.testing.assert_allclose(ours.detach().numpy(), expected, err_msg=what, **tolerance)


@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")  # PyTorch's, once in a process
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("case", [c for c in CASES if c.parity], ids=lambda c: c.label)
def test_operation(device, case, dtype):
    pairs = [both(a, dtype) for a in case.arrays]
    results = listed(case.run(OURS, *[a for a, _ in pairs]))
    expected = listed(case.run(TORCH, *[b for _, b in pairs]))
    assert len(results) == len(expected)
    for i, (a, b) in enumerate(zip(results, expected, strict=True)):
        check(a, b, f"result {i}", **TOLERANCE[dtype])
        assert a.requires_grad == b.requires_grad
    tracked = [(a, b) for a, b in zip(results, expected, strict=True) if b.requires_grad]
    if not tracked:
        return
    seeds = [np.linspace(-1, 2, b.numel()).reshape(b.shape).astype(dtype) for _, b in tracked]
    genesis.autograd.backward([a for a, _ in tracked], [genesis.tensor(s) for s in seeds])
    torch.autograd.backward([b for _, b in tracked], [torch.tensor(s) for s in seeds])
    for i, (a, b) in enumerate(pairs):
        if b.requires_grad and b.grad is None:
            assert not a.grad.any()  # torch leaves out some gradients that are zero everywhere
            continue
        check(a.grad, b.grad, f"gradient of input {i}", **TOLERANCE[dtype])


# -- element types -----------------------------------------------------------------------------------------
VALUES = {"bool": [True, False, True], "uint8": [3, 200, 1], "float32": [1.5, -2.0, 0.25]}


def values(dtype, shape):
    data = VALUES.get(dtype, VALUES["float32"] if dtype.startswith("float") else [3, -2, 7])
    return np.array(data[: int(np.prod(shape))], dtype=dtype).reshape(shape)


def outcome(function, *args):
    """The result, or the kind of error."""
    try:
        return function(*args)
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        return error


def compare(ours, theirs, what):
    if isinstance(theirs, Exception):
        kind = next(k for k in (IndexError, ValueError, TypeError, RuntimeError) if isinstance(theirs, k))
        assert isinstance(ours, kind), f"{what}: torch raises {theirs!r}, we give {ours!r}"
    else:
        assert not isinstance(ours, Exception), f"{what}: {ours!r}"
        tolerance = TOLERANCE["float32"] if theirs.dtype is torch.float32 else TOLERANCE["float64"]
        check(ours, theirs, what, **tolerance)


BINARY = (
    "add", "sub", "mul", "div", "floor_divide", "remainder", "maximum", "minimum", "eq", "ne", "lt", "ge",
    "logical_and", "logical_or", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor",
)  # fmt: skip


@pytest.fixture
def reference():
    """The device ``ref``, for what is decided before a device is asked."""
    before = genesis.get_default_device()
    genesis.set_default_device("ref")
    yield
    genesis.set_default_device(before)


@pytest.mark.parametrize("name", BINARY)
def test_promotion(reference, name):
    for a, b in itertools.product(DTYPES, DTYPES):
        for first, second in (((3,), (3,)), ((3,), ()), ((), (3,)), ((), ())):
            x, y = values(a, first), values(b, second)
            if name in ("floor_divide", "remainder"):
                if "bool" in (a, b) or 0 in y:
                    continue  # division by zero is left to the device
                y = (
                    np.abs(y) if "uint8" in (a, b) else y
                )  # -2 as uint8 is fine, but torch divides before it wraps
            mine = outcome(getattr(genesis.ops, name), genesis.tensor(x), genesis.tensor(y))
            torchs = outcome(getattr(torch, name), torch.tensor(x), torch.tensor(y))
            compare(mine, torchs, f"{name}({a} {first}, {b} {second})")


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "pow", "eq", "lt", "remainder", "floor_divide"])
def test_promotion_with_numbers(device, name):
    for dtype, number in itertools.product(DTYPES, (True, 2, 2.5)):
        if dtype == "bool" and name in ("remainder", "floor_divide", "pow"):
            continue  # refused by both in most combinations, and useless in the rest
        x = values(dtype, (3,))
        mine = outcome(getattr(genesis.ops, name), genesis.tensor(x), number)
        torchs = outcome(getattr(torch, name), torch.tensor(x), number)
        compare(mine, torchs, f"{name}({dtype}, {number})")


@pytest.mark.parametrize("name", ["add_", "sub_", "mul_", "div_"])
def test_promotion_in_place(device, name):
    for a, b in itertools.product(("uint8", "int64", "float32", "float64"), DTYPES):
        x, y = values(a, (3,)), values(b, (3,))
        mine = outcome(getattr(genesis.tensor(x), name), genesis.tensor(y))
        torchs = outcome(getattr(torch.tensor(x), name), torch.tensor(y))
        compare(mine, torchs, f"{a}.{name}({b})")


UNARY = (
    "abs", "neg", "sign", "square", "exp", "log", "sqrt", "sin", "tanh", "sigmoid", "relu", "floor", "ceil",
    "round", "trunc", "reciprocal", "isnan", "isinf", "isfinite", "logical_not", "bitwise_not", "sum",
    "prod", "mean", "amax", "amin", "argmax", "argmin", "all", "any", "nan_to_num", "max", "min", "nonzero",
    "erf", "rsqrt", "log2",
)  # fmt: skip


@pytest.mark.parametrize("name", UNARY)
def test_element_types(device, name):
    for dtype in DTYPES:
        x = values(dtype, (3,))
        if dtype == "uint8" and name in ("all", "any"):
            continue  # torch gives uint8 here, as it did before it had bools
        if dtype == "bool" and name in ("square", "argmax", "argmin"):
            continue  # torch squares bools to int64, and has no argmax of them
        mine = outcome(getattr(genesis.ops, name), genesis.tensor(x))
        torchs = outcome(getattr(torch, name), torch.tensor(x))
        compare(mine, torchs, f"{name}({dtype})")


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers(device, dtype):
    rng = np.random.default_rng(0)
    x = rng.integers(1, 100, (4, 5)).astype(dtype)
    y = rng.integers(1, 7, (4, 5)).astype(dtype)
    index = rng.integers(0, 4, (2, 5))
    for what, run in {
        "wraps": lambda ns, a, b: a * a * b + 200,
        "floor": lambda ns, a, b: (-a) // b,
        "remainder": lambda ns, a, b: (-a) % b,
        "trunc": lambda ns, a, b: ns.div(-a, b, rounding_mode="trunc"),
        "true": lambda ns, a, b: a / b,
        "power": lambda ns, a, b: b**2 + ns.pow(b, 3),
        "shifts": lambda ns, a, b: (a >> b) + (b << 2),
        "not": lambda ns, a, b: ~a,
        "clamp": lambda ns, a, b: ns.clamp(a, 10, 50),
        "where": lambda ns, a, b: ns.where(a > 50, a, b),
        "sum": lambda ns, a, b: a.sum(0),
        "prod": lambda ns, a, b: b.prod(1),
        "cumsum": lambda ns, a, b: a.cumsum(1),
        "max": lambda ns, a, b: a.max(1),
        "sort": lambda ns, a, b: ns.sort(a, -1, descending=True).values,
        "matmul": lambda ns, a, b: a @ b.t(),
        "gather": lambda ns, a, b: ns.gather(a, 0, ns.as_tensor(index)),
        "cat": lambda ns, a, b: ns.cat([a, b.float(), b]),
        "compare": lambda ns, a, b: a < b * 9,
        "masked_fill": lambda ns, a, b: a.masked_fill(a > 50, 3),
        "mean": lambda ns, a, b: a.float().mean(),
    }.items():
        mine = run(OURS, genesis.tensor(x), genesis.tensor(y))
        torchs = run(TORCH, torch.tensor(x), torch.tensor(y))
        for a, b in zip(listed(mine), listed(torchs), strict=True):
            check(a, b, what, rtol=1e-6)  # the means and quotients are float32


SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 1e-30, 1e30, 88.0, -104.0])


SPECIAL_FUNCTIONS = (
    "abs", "neg", "exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "tanh", "sigmoid", "relu", "silu",
    "softplus", "logsigmoid", "erf", "floor", "round", "trunc", "isnan", "isinf", "isfinite", "nan_to_num",
    "sum", "amax", "amin", "argmax", "argmin", "sinh", "cosh", "reciprocal", "square", "cumsum", "sort",
    "argsort",
)  # fmt: skip


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", SPECIAL_FUNCTIONS)
def test_special_values(device, name, dtype):
    # sign is not here: torch gives 0 for nan; nor gelu: torch gives nan for infinity, or not, by the length
    ours, theirs = genesis.tensor(SPECIAL.astype(dtype)), torch.tensor(SPECIAL.astype(dtype))
    options = {"stable": True} if name in ("sort", "argsort") else {}
    args = (0,) if name == "cumsum" else ()
    mine = listed(getattr(OURS, name)(ours, *args, **options))
    torchs = listed(getattr(TORCH, name)(theirs, *args, **options))
    for a, b in zip(mine, torchs, strict=True):
        check(a, b, name, **TOLERANCE[dtype])


@pytest.mark.parametrize(
    "name", ["maximum", "minimum", "div", "pow", "remainder", "floor_divide", "eq", "lt"]
)
def test_special_pairs(device, name):
    pairs = np.array(list(itertools.product(SPECIAL[:7], repeat=2)))
    x, y = pairs[:, 0].copy(), pairs[:, 1].copy()
    mine = getattr(genesis.ops, name)(genesis.tensor(x), genesis.tensor(y))
    check(mine, getattr(torch, name)(torch.tensor(x), torch.tensor(y)), name, rtol=0)


# -- common mistakes ---------------------------------------------------------------------------------------
MISTAKES = {
    "shapes that do not broadcast": lambda ns: ns.ones(2, 3) + ns.ones(2, 4),
    "in-place growth": lambda ns: ns.ones(3).add_(ns.ones(2, 3)),
    "inner sizes": lambda ns: ns.ones(2, 3) @ ns.ones(2, 3),
    "matmul of numbers": lambda ns: ns.matmul(ns.tensor(1.0), ns.tensor(2.0)),
    "matmul of types": lambda ns: ns.ones(2, 2) @ ns.ones(2, 2, dtype=ns.float64),
    "mm of vectors": lambda ns: ns.mm(ns.ones(2), ns.ones(2)),
    "reshape": lambda ns: ns.ones(6).reshape(4, 2),
    "two unknown sizes": lambda ns: ns.ones(6).reshape(-1, -1),
    "view that needs a copy": lambda ns: ns.ones(2, 3).t().view(6),
    "expand": lambda ns: ns.ones(3).expand(4),
    "expand by nothing": lambda ns: ns.ones(3).expand(-1, 3),
    "axis": lambda ns: ns.ones(2, 3).sum(2),
    "negative axis": lambda ns: ns.ones(2, 3).softmax(-3),
    "axis twice": lambda ns: ns.ones(2, 3).sum((0, -2)),
    "permute": lambda ns: ns.ones(2, 3).permute(0, 0),
    "permute too few": lambda ns: ns.ones(2, 3).permute(0),
    "unsqueeze": lambda ns: ns.ones(2).unsqueeze(3),
    "index": lambda ns: ns.ones(3)[3],
    "negative index": lambda ns: ns.ones(3)[-4],
    "index of a number": lambda ns: ns.tensor(1.0)[0],
    "too many indices": lambda ns: ns.ones(3)[0, 0],
    "float index": lambda ns: ns.ones(3)[ns.ones(1)],
    "index tensor": lambda ns: ns.ones(3)[ns.tensor([3])],
    "negative index tensor": lambda ns: ns.ones(3, 2)[ns.tensor([-4]), ns.tensor([0])],
    "index tensors that do not broadcast": lambda ns: ns.ones(3, 3)[ns.tensor([0, 1]), ns.tensor([0, 1, 2])],
    "mask": lambda ns: ns.ones(3)[ns.tensor([True, False])],
    "negative step": lambda ns: ns.ones(3)[::-1],
    "assigned shape": lambda ns: ns.ones(3).__setitem__(slice(None), ns.ones(2)),
    "cat": lambda ns: ns.cat([ns.ones(2, 3), ns.ones(3, 2)], 1),
    "cat of nothing": lambda ns: ns.cat([]),
    "cat of numbers": lambda ns: ns.cat([1, 2]),
    "stack": lambda ns: ns.stack([ns.ones(2), ns.ones(3)]),
    "split": lambda ns: ns.ones(5).split([2, 2]),
    "narrow": lambda ns: ns.ones(5).narrow(0, 3, 3),
    "gather dimensions": lambda ns: ns.ones(2, 3).gather(1, ns.tensor([0])),
    "gather by floats": lambda ns: ns.ones(3).gather(0, ns.ones(1)),
    "scatter types": lambda ns: ns.ones(3).scatter(0, ns.tensor([1]), ns.ones(1, dtype=ns.float64)),
    "topk": lambda ns: ns.ones(3).topk(4),
    "max of nothing": lambda ns: ns.ones(0).max(),
    "argmax of nothing": lambda ns: ns.ones(0).argmax(),
    "amax of nothing": lambda ns: ns.ones(2, 0).amax(1),
    "mean of integers": lambda ns: ns.tensor([1, 2]).mean(),
    "softmax of integers": lambda ns: ns.softmax(ns.tensor([1, 2]), 0),
    "minus of bools": lambda ns: ns.tensor([True]) - ns.tensor([True]),
    "negated bools": lambda ns: -ns.tensor([True]),
    "integer to a negative power": lambda ns: ns.tensor([2]) ** -1,
    "bits of floats": lambda ns: ns.ones(2) & ns.ones(2),
    "clamp by nothing": lambda ns: ns.ones(2).clamp(),
    "int from float in place": lambda ns: ns.tensor([1]).add_(0.5),
    "truth of several": lambda ns: bool(ns.ones(2)),
    "item of several": lambda ns: ns.ones(2).item(),
    "length of a number": lambda ns: len(ns.tensor(1.0)),
    "iteration over a number": lambda ns: list(ns.tensor(1.0)),
    "backward of several": lambda ns: (ns.ones(2, requires_grad=True) * 2).backward(),
    "backward without a graph": lambda ns: ns.ones(()).backward(),
    "gradient of the wrong shape": lambda ns: (ns.ones(2, requires_grad=True) * 2).backward(ns.ones(3)),
    "leaf in place": lambda ns: ns.ones(2, requires_grad=True).add_(1),
    "view of a leaf in place": lambda ns: ns.ones(2, requires_grad=True)[0].add_(1),
    "expanded in place": lambda ns: ns.ones(1).expand(3).add_(1),
    "numpy with gradient": lambda ns: ns.ones(2, requires_grad=True).numpy(),
    "gradients of integers": lambda ns: ns.tensor([1], requires_grad=True),
    "ragged": lambda ns: ns.tensor([[1, 2], [3]]),
    "text": lambda ns: ns.tensor("abc"),
    "array of objects": lambda ns: ns.tensor(np.array([object()])),
    "from_numpy of a list": lambda ns: ns.from_numpy([1]),
    "too large": lambda ns: ns.tensor([2**64]),
    "negative size": lambda ns: ns.zeros(-1),
    "arange": lambda ns: ns.arange(3, 0),
    "arange without a step": lambda ns: ns.arange(0, 3, 0),
    "unknown type": lambda ns: ns.zeros(2, dtype="float17"),
    "unused input": lambda ns: ns.autograd.grad(
        ns.ones((), requires_grad=True) * 2, ns.ones((), requires_grad=True)
    ),
    "where by integers": lambda ns: ns.where(ns.tensor([1, 0]), 1.0, 2.0),
    "masked_fill by floats": lambda ns: ns.ones(2).masked_fill(ns.ones(2), 1.0),
    "add text": lambda ns: ns.ones(2) + "a",
    "add None": lambda ns: ns.ones(2) + None,
    "randint": lambda ns: ns.randint(3, 3, (2,)),
    "random integers": lambda ns: ns.rand(2, dtype=ns.int64),
    "bernoulli": lambda ns: ns.multinomial(ns.tensor([-1.0, 2.0]), 1),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_mistakes_raise_the_same_kind_of_error(device, what):
    with pytest.raises(Exception) as theirs:  # noqa: PT011
        MISTAKES[what](torch)
    with pytest.raises(Exception) as ours:  # noqa: PT011
        MISTAKES[what](genesis)
    compare(ours.value, theirs.value, what)


def test_both_raise_for_a_second_pass_alike(device):
    for ns in (genesis, torch):
        x = ns.ones(2, requires_grad=True)
        linear = (x + x).sum()
        linear.backward()
        linear.backward()  # an addition saves nothing
        assert x.grad.tolist() == [4, 4]
        square = (x * x).sum()
        square.backward()
        with pytest.raises(RuntimeError, match="second time"):
            square.backward()
