"""Wrong input gets an error at once, which says what was given and what was expected."""

from __future__ import annotations

import numpy as np
import pytest

import genesis
from genesis import DeviceError, GenesisError, ShapeError


def raises(kind, *parts):
    """An error of this kind whose message has all of the parts."""
    return pytest.raises(kind, match="".join(f"(?=.*{p})" for p in parts))


SHAPES = {
    "add": lambda a, b: a + b,
    "in place": lambda a, b: a.add_(b),
    "where": lambda a, b: genesis.where(a > 0, a, b),
    "matmul": lambda a, b: a @ b,
    "cat": lambda a, b: genesis.cat([a, b]),
    "stack": lambda a, b: genesis.stack([a, b]),
    "copy_": lambda a, b: a.copy_(b),
    "assignment": lambda a, b: a.__setitem__(slice(None), b),
    "mse_loss": lambda a, b: genesis.ops.mse_loss(a, b),
    "linear": lambda a, b: genesis.ops.linear(a, b.t()),
}


@pytest.mark.parametrize("name", SHAPES)
def test_both_shapes_are_named(device, name):
    with raises(ShapeError, r"\(2, 3\)", r"\(2, 4\)|\(4, 2\)"):
        SHAPES[name](genesis.ones(2, 3), genesis.ones(2, 4))
    with pytest.raises(RuntimeError):
        SHAPES[name](genesis.ones(2, 3), genesis.ones(2, 4))


def test_shapes_of_networks(device):
    with raises(ShapeError, r"\[\*, 4\]", r"\(2, 3\)"):
        genesis.ops.layer_norm(genesis.ones(2, 3), 4)
    with raises(ShapeError, "weight", r"\(3,\)", r"\(2,\)"):
        genesis.ops.layer_norm(genesis.ones(2, 3), 3, genesis.ones(2))
    with raises(ShapeError, r"\(2,\)", r"\(2, 3\)", r"\(3,\)"):
        genesis.ops.cross_entropy(genesis.ones(2, 3), genesis.tensor([0, 1, 2]))
    with raises(IndexError, "5", "3"):
        genesis.ops.cross_entropy(genesis.ones(2, 3), genesis.tensor([0, 5]))
    with raises(IndexError, "4"):
        genesis.ops.embedding(genesis.tensor([4]), genesis.ones(4, 2))
    with raises(RuntimeError, "int"):
        genesis.ops.nll_loss(genesis.ones(2, 3), genesis.ones(2))
    with raises(ValueError, "avg", "mean"):
        genesis.ops.mse_loss(genesis.ones(2), genesis.ones(2), reduction="avg")
    with raises(ValueError, "1.5"):
        genesis.ops.dropout(genesis.ones(2), 1.5)


def test_reshaping(device):
    x = genesis.ones(2, 3)
    with raises(ShapeError, r"\(4, 2\)", "6 elements"):
        x.reshape(4, 2)
    with raises(ShapeError, r"\(-1, -1\)", "one may be -1"):
        x.reshape(-1, -1)
    with raises(ShapeError, r"\(6,\)", r"\(3, 2\)", "reshape"):
        x.t().view(6)
    with raises(ShapeError, r"\(2, 3\)", r"\(5, 3\)"):
        x.expand(5, 3)
    with raises(ShapeError, "-1"):
        x.expand(-1, 2, 3)


def test_backward(device):
    x = genesis.ones(2, 3, requires_grad=True)
    with raises(RuntimeError, "scalar", r"\(2, 3\)", r"sum\(\)"):
        (x * 2).backward()
    with raises(RuntimeError, r"\(3,\)", r"\(2, 3\)"):
        (x * 2).backward(genesis.ones(3))
    with raises(RuntimeError, "does not require grad", "requires_grad=True"):
        genesis.ones(()).backward()
    with raises(TypeError, "float"):
        (x * 2).backward(1.0)
    with raises(TypeError, "int"):
        genesis.autograd.backward([3])


def test_devices(device):
    other = "ref" if device == "cpu" else "cpu"
    a, b = genesis.ones(2, 2), genesis.ones(2, 2, device=other)
    index = genesis.zeros(2, 2, dtype=genesis.int64)
    for name, run in {
        "add": lambda: a + b,
        "add_": lambda: a.add_(b),
        "where": lambda: genesis.where(a > 0, a, b),
        "matmul": lambda: a @ b,
        "cat": lambda: genesis.cat([a, b]),
        "stack": lambda: genesis.stack([a, b]),
        "gather": lambda: b.gather(0, index),
        "scatter": lambda: a.scatter(0, index, b),
        "linear": lambda: genesis.ops.linear(a, b),
    }.items():
        with raises(DeviceError, "one device", device, other):
            run()
        assert a.tolist() == [[1, 1], [1, 1]], name
    assert a.copy_(b * 2).tolist() == [[2, 2], [2, 2]]  # copies may cross
    with raises(GenesisError, "nowhere"):
        genesis.ones(2, device="nowhere")
    with pytest.raises(TypeError, match="device"):
        genesis.ones(2, device=3.5)


def test_a_number_from_the_host_may_join_any_device(device):
    number = genesis.tensor(2.0, device="cpu", requires_grad=True)
    product = genesis.ones(2) * number
    assert product.tolist() == [2, 2]
    assert product.device.type == device
    product.sum().backward()
    assert number.grad.item() == 2
    assert number.grad.device.type == "cpu"


@pytest.mark.parametrize(
    "run",
    [
        lambda x: x.sum(2), lambda x: x.mean(-3), lambda x: x.softmax(2), lambda x: x.transpose(0, 2),
        lambda x: x.unsqueeze(4), lambda x: x.squeeze(2), lambda x: x.select(3, 0), lambda x: x.size(2),
        lambda x: genesis.cat([x, x], 2), lambda x: genesis.stack([x, x], 3), lambda x: x.sort(2),
        lambda x: x.cumsum(2), lambda x: x.argmax(-3), lambda x: x.flip(2), lambda x: x.unbind(2),
        lambda x: x.permute(0, 2), lambda x: x.flatten(0, 2), lambda x: x.amax((0, 5)),
        lambda x: x.gather(2, x.long()),
    ],
)  # fmt: skip
def test_axes(device, run):
    with raises(IndexError, "dimension out of range", "expected to be in"):
        run(genesis.ones(2, 3))


def test_axes_twice(device):
    with raises(RuntimeError, "multiple times"):
        genesis.ones(2, 3).sum((1, -1))
    with raises(RuntimeError, "each of the 2 axes once"):
        genesis.ones(2, 3).permute(1, 1)


def test_indices(device):
    x = genesis.ones(3, 4)
    for key, parts in {
        3: ("3", "size 3"),
        -4: ("-4", "size 3"),
        (0, 4): ("4", "dimension 1", "size 4"),
        (0, 0, 0): ("too many", "dimension 2"),
    }.items():
        with raises(IndexError, *parts):
            x[key]
        with raises(IndexError, *parts):
            x[key] = 1
    for key, parts in [
        ([0, 3], ("3", "size 3")),
        ([-4], ("-4", "size 3")),
        (([0], [4]), ("4", "size 4")),
        (genesis.tensor([0.5]), ("float32",)),
        ([0.5], ("0.5",)),
        (genesis.tensor([True, False]), (r"\(2,\)", r"\(3,\)")),
        ((..., ...), ("ellipsis",)),
    ]:
        with raises(IndexError, *parts):
            x[key]
        with raises(IndexError, *parts):
            x[key] = 1.0
    assert x.tolist() == [[1] * 4] * 3
    with raises(IndexError, "0-dim"):
        genesis.tensor(1.0)[0]
    with raises(IndexError, "3"):
        x.gather(0, genesis.tensor([[3]]))
    with raises(IndexError, "3"):
        x.scatter(0, genesis.tensor([[3]]), 1.0)
    with raises(IndexError, "-1"):
        x.index_select(0, genesis.tensor([-1]))
    with pytest.raises(ValueError, match="step must be positive"):
        x[::-1]
    with raises(ShapeError, r"\(5,\)", r"\(2, 4\)"):
        x[[0, 1]] = genesis.ones(5)


def test_types(device):
    with raises(TypeError, "float17", "float32"):
        genesis.zeros(2, dtype="float17")
    with raises(TypeError, "complex64", "float32"):
        genesis.from_numpy(np.zeros(2, np.complex64))
    with raises(TypeError, "complex", "float64"):
        genesis.zeros(2, dtype=complex)
    with raises(RuntimeError, "int64", "float"):
        genesis.tensor([1, 2]).mean()
    with raises(RuntimeError, "float32", "float64"):
        genesis.ones(2, 2) @ genesis.ones(2, 2, dtype=genesis.float64)
    with raises(RuntimeError, "float32", "int64"):
        genesis.tensor([1]).add_(0.5)
    with raises(RuntimeError, "sub", "bools"):
        genesis.tensor([True]) - genesis.tensor([True])
    with raises(RuntimeError, "bitwise_and", "float32"):
        genesis.ones(1) & genesis.ones(1)
    with raises(RuntimeError, "rand", "int64"):
        genesis.rand(2, dtype=genesis.int64)
    with raises(RuntimeError, "where", "bool", "int64"):
        genesis.where(genesis.tensor([1, 0]), 1.0, 2.0)
    with raises(RuntimeError, "masked_fill", "bool", "float32"):
        genesis.ones(2).masked_fill(genesis.ones(2), 1.0)
    with raises(TypeError, "matmul", "ndarray"):
        genesis.ones(2, 2) @ np.ones((2, 2))
    with raises(TypeError, "linear", "ndarray"):
        genesis.ops.linear(genesis.ones(2, 2), np.ones((2, 2)))
    with raises(RuntimeError, "negative integer powers"):
        genesis.tensor([2]) ** -1


def test_what_is_no_data(device):
    with raises(TypeError, "object"):
        genesis.tensor(np.array([object()]))
    with raises(TypeError, "object"):
        genesis.from_numpy(np.array([1, "a"], dtype=object))
    with raises(TypeError, "str", "abc"):
        genesis.tensor("abc")
    with raises(TypeError, "NoneType"):
        genesis.tensor([1.0, None])
    with raises(ValueError, "nested sequences of equal length"):
        genesis.tensor([[1, 2], [3]])
    with raises(ValueError, "too large"):
        genesis.tensor([2**70])
    with raises(ValueError, "too large"):
        genesis.tensor(2**63)
    with raises(TypeError, "list"):
        genesis.from_numpy([1, 2])
    with raises(RuntimeError, r"\(2, -1\)"):
        genesis.zeros(2, -1)
    with raises(TypeError, "str", "genesis.tensor"):
        genesis.ones(2) + "a"


def test_asking_too_much(device):
    with raises(RuntimeError, "2 elements"):
        genesis.ones(2).item()
    with raises(RuntimeError, "ambiguous"):
        bool(genesis.ones(2))
    with raises(TypeError, "0-d"):
        len(genesis.tensor(1.0))
    with raises(TypeError, "0-d"):
        iter(genesis.tensor(1.0))
    with raises(TypeError, "index"):
        [1, 2][genesis.tensor(0.0)]
    with raises(RuntimeError, "k = 4", "3"):
        genesis.ones(3).topk(4)
    with raises(RuntimeError, r"\[2, 2\]", "4", "5"):
        genesis.ones(5).split([2, 2])
    with raises(RuntimeError, "start", "exceeds"):
        genesis.ones(5).narrow(0, 3, 3)
    with raises(TypeError, "int"):
        genesis.cat([genesis.ones(1), 2])
    with raises(TypeError, "none of them is a tensor|at least one tensor"):
        genesis.add(1, 2)


@pytest.mark.parametrize(
    "divide",
    [
        lambda a, b: a // b,
        lambda a, b: a % b,
        lambda a, b: genesis.div(a, b, rounding_mode="trunc"),
        lambda a, b: a.clone().__ifloordiv__(b),
    ],
)
def test_an_integer_divided_by_zero(device, divide):
    a = genesis.tensor([7, -7])
    for zero in (0, genesis.tensor([1, 0])):
        with raises(RuntimeError, "divided by zero"):
            divide(a, zero)
    assert divide(a, 7).tolist() in ([1, -1], [0, 0])
    assert genesis.isinf(genesis.tensor([1.0]) // 0).item()  # numbers with a point have an answer


def test_integer_powers_of_the_units(device):
    bases = genesis.tensor([1, -1, -1, 2, 3])
    assert (bases ** genesis.tensor([-3, -3, -2, -1, 3])).tolist() == [1, -1, 1, 0, 27]


@pytest.mark.parametrize(
    ("call", "kind", "parts"),
    [
        (lambda: genesis.tensor([1, 300], dtype=genesis.int8), RuntimeError, ["300", "int8", "127"]),
        (lambda: genesis.zeros(2.5), TypeError, ["2.5", "float"]),
        (lambda: genesis.ones(2).view(1.0), TypeError, ["1.0"]),
        (lambda: genesis.ones(2).uniform_(2, 1), RuntimeError, ["2", "1"]),
        (lambda: genesis.ones(2).normal_(0, -1), RuntimeError, ["-1"]),
        (lambda: genesis.bernoulli(genesis.tensor([2.0])), RuntimeError, ["0, 1"]),
        (lambda: genesis.manual_seed(2**64), ValueError, ["18446744073709551616"]),
        (lambda: genesis.manual_seed("a"), TypeError, ["str"]),
        (
            lambda: genesis.nn.functional.linear(genesis.ones(2, 2).long(), genesis.ones(2, 2)),
            RuntimeError,
            ["int64", "float32"],
        ),
        (
            lambda: genesis.nn.functional.cross_entropy(genesis.ones(2, 2).long(), genesis.tensor([0, 1])),
            RuntimeError,
            ["int64"],
        ),
    ],
)
def test_values_out_of_range(device, call, kind, parts):
    with raises(kind, *parts):
        call()
