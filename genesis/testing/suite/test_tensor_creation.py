"""New tensors: their values, types and memory."""

from __future__ import annotations

import numpy as np
import pytest

import genesis

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float32", "float64")


@pytest.mark.parametrize(
    ("data", "dtype", "shape"),
    [
        (1, "int64", ()),
        (2.5, "float32", ()),
        (True, "bool", ()),
        ([1, 2], "int64", (2,)),
        ([1, 2.5], "float32", (2,)),
        ([True, False], "bool", (2,)),
        ([True, 2], "int64", (2,)),
        ([[1.0], [2.0]], "float32", (2, 1)),
        (((1, 2), [3, 4]), "int64", (2, 2)),
        ([], "float32", (0,)),
        ([[], []], "float32", (2, 0)),
        (range(3), "int64", (3,)),
        (np.float64(2), "float64", ()),
        (np.int16(2), "int16", ()),
        ([np.float32(1), np.float32(2)], "float32", (2,)),
    ],
)
def test_types_of_python_data(device, data, dtype, shape):
    x = genesis.tensor(data)
    assert x.dtype is getattr(genesis, dtype)
    assert x.shape == shape
    assert x.device.type == device
    assert x.tolist() == np.array(data).tolist()


@pytest.mark.parametrize("name", DTYPES)
def test_every_type(device, name):
    dtype = getattr(genesis, name)
    array = np.array([0, 1, 1], dtype=name)
    for x in (
        genesis.tensor(array),
        genesis.tensor([0, 1, 1], dtype=dtype),
        genesis.tensor([0, 1, 1], dtype=name),
    ):
        assert x.dtype is dtype
        assert x.numpy().dtype == np.dtype(name)
        assert x.tolist() == array.tolist()
    assert x.itemsize == x.element_size() == array.itemsize
    assert x.nbytes == array.nbytes
    assert genesis.zeros(2, dtype=dtype).tolist() == [0, 0]
    assert genesis.ones(2, dtype=dtype).tolist() == [1, 1]
    assert genesis.tensor(array.astype(np.float32)).to(dtype).tolist() == array.tolist()
    assert dtype.is_floating_point == name.startswith("float")
    assert repr(dtype) == f"genesis.{name}"


def test_names_of_types(device):
    assert genesis.double is genesis.float64
    assert genesis.long is genesis.int64
    assert genesis.float is genesis.float32
    assert genesis.zeros(1, dtype=float).dtype is genesis.float32
    assert genesis.zeros(1, dtype=int).dtype is genesis.int64
    assert genesis.zeros(1, dtype=np.float64).dtype is genesis.float64
    x = genesis.ones(1)
    assert [t.dtype for t in (x.double(), x.int(), x.long(), x.bool(), x.byte(), x.float())] == [
        genesis.float64, genesis.int32, genesis.int64, genesis.bool, genesis.uint8, genesis.float32,
    ]  # fmt: skip
    assert x.type(genesis.int8).dtype is genesis.int8
    assert x.type() == "genesis.float32"
    assert x.type_as(x.double()).dtype is genesis.float64


def test_the_default_type(device):
    before = genesis.get_default_dtype()
    try:
        genesis.set_default_dtype(genesis.float64)
        for x in (genesis.tensor(1.5), genesis.zeros(1), genesis.rand(1), genesis.tensor([1]) / 2):
            assert x.dtype is genesis.float64
        assert repr(genesis.tensor(1.5)).startswith("tensor(1.5000")
        assert "float64" not in repr(genesis.tensor(1.5))
        with pytest.raises(TypeError, match="floating-point"):
            genesis.set_default_dtype(genesis.int64)
    finally:
        genesis.set_default_dtype(before)


def test_tensors_among_numbers(device):
    a = genesis.tensor(3.0)
    assert genesis.tensor([a, 1, 2.0]).tolist() == [3, 1, 2]
    assert genesis.tensor([genesis.ones(2), genesis.zeros(2)]).tolist() == [[1, 1], [0, 0]]


def test_tensor_copies_and_as_tensor_does_not(device):
    x = genesis.ones(2)
    assert genesis.as_tensor(x) is x
    copy = genesis.tensor(x, dtype=genesis.float64, requires_grad=True)
    assert copy.is_leaf
    assert copy.requires_grad
    assert copy.dtype is genesis.float64
    array = np.ones(2)
    copied = genesis.tensor(array)
    array[0] = 5
    assert copied.tolist() == [1, 1]


def test_filled(device):
    assert genesis.zeros(2, 3).tolist() == genesis.zeros((2, 3)).tolist() == [[0] * 3] * 2
    assert genesis.ones([2], dtype=genesis.int8).tolist() == [1, 1]
    assert genesis.full((2,), 7).dtype is genesis.int64
    assert genesis.full((2,), 7.5).tolist() == [7.5, 7.5]
    assert genesis.full((), True).dtype is genesis.bool
    assert genesis.full((2,), genesis.tensor(3.0)).tolist() == [3, 3]
    assert genesis.empty(2, 0).shape == (2, 0)
    x = genesis.ones(2, 3, dtype=genesis.float64)
    for like in (
        genesis.zeros_like,
        genesis.ones_like,
        genesis.empty_like,
        genesis.rand_like,
        genesis.randn_like,
    ):
        assert like(x).shape == (2, 3)
        assert like(x).dtype is genesis.float64
        assert like(x, dtype=genesis.float32).dtype is genesis.float32
    assert genesis.full_like(x, 4, dtype=genesis.int16).tolist() == [[4] * 3] * 2
    assert x.new_zeros(2).dtype is x.new_tensor([1]).dtype is genesis.float64
    assert x.new_full((1,), 2).tolist() == x.new_tensor([2]).tolist() == [2]
    assert x.new_ones(1, 2).shape == x.new_empty((1, 2)).shape == (1, 2)


@pytest.mark.parametrize(
    "bounds",
    [(5,), (2, 5), (5, 2, -1), (0, 10, 3), (0.0, 1.0, 0.25), (0, 1, 0.3), (3, 3), (-1.5,), (1e6, 1e6 + 3)],
)
def test_arange(device, bounds):
    if bounds == (-1.5,):
        with pytest.raises(RuntimeError, match="inconsistent"):
            genesis.arange(*bounds)
        return
    x = genesis.arange(*bounds)
    expected = np.arange(*bounds)
    assert x.dtype is (genesis.int64 if expected.dtype.kind == "i" else genesis.float32)
    np.testing.assert_array_equal(x.numpy(), expected.astype(x.dtype.name))


def test_arange_by_name_and_type(device):
    assert genesis.arange(end=3).tolist() == [0, 1, 2]
    assert genesis.arange(start=1, end=3).tolist() == [1, 2]
    assert genesis.arange(1, end=6, step=2).tolist() == [1, 3, 5]
    assert genesis.arange(0, 6, step=2).tolist() == [0, 2, 4]
    assert genesis.arange(3, dtype=genesis.float64).dtype is genesis.float64
    assert genesis.arange(genesis.tensor(3)).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("start", "end", "steps"), [(0, 1, 5), (-2.5, 7, 8), (3, 3, 4), (1, 0, 3), (2, 9, 1), (0, 1, 0)]
)
def test_linspace(device, start, end, steps):
    x = genesis.linspace(start, end, steps, dtype=genesis.float64)
    # the exact ends, and in between as close as one rounding of a product and a sum
    np.testing.assert_allclose(x.numpy(), np.linspace(start, end, steps), rtol=1e-15, atol=1e-15)
    if steps > 1:
        assert x[0].item() == start
        assert x[-1].item() == end


def test_eye_and_triangles(device):
    assert genesis.eye(3).tolist() == np.eye(3).tolist()
    assert genesis.eye(2, 4).tolist() == np.eye(2, 4).tolist()
    assert genesis.eye(3, 2, dtype=genesis.int64).tolist() == np.eye(3, 2).tolist()
    assert genesis.eye(0).shape == (0, 0)
    x = np.arange(1, 13).reshape(3, 4)
    for k in (-4, -1, 0, 2, 5):
        assert genesis.tensor(x).tril(k).tolist() == np.tril(x, k).tolist()
        assert genesis.tensor(x).triu(k).tolist() == np.triu(x, k).tolist()
    assert genesis.ones(2, 2, dtype=genesis.bool).tril().tolist() == [[True, False], [True, True]]


def test_requires_grad_when_made(device):
    for make in (genesis.zeros, genesis.ones, genesis.rand, genesis.randn, genesis.empty):
        assert make(2, requires_grad=True).requires_grad
    assert genesis.full((1,), 2.0, requires_grad=True).requires_grad
    assert not genesis.zeros_like(genesis.ones(1, requires_grad=True)).requires_grad


def test_size(device):
    x = genesis.ones(2, 3)
    assert x.shape == (2, 3) == x.size()
    assert x.size(-1) == 3
    assert x.shape.numel() == x.numel() == x.nelement() == 6
    assert repr(x.shape) == "genesis.Size([2, 3])"
    assert x.ndim == x.dim() == 2
    assert len(x) == 2
    with pytest.raises(IndexError, match="dimension out of range"):
        x.size(2)


def test_numbers_out_of_a_tensor(device):
    x = genesis.tensor([2])
    assert (int(x), float(x), bool(x), x.item()) == (2, 2.0, True, 2)
    assert [10, 20, 30][genesis.tensor(1)] == 20
    assert list(range(genesis.tensor(3))) == [0, 1, 2]
    assert f"{genesis.tensor(2.5):.3f}" == "2.500"
    assert isinstance(genesis.tensor(True).item(), bool)
    assert isinstance(genesis.tensor(2.0).item(), float)
    assert 2 in genesis.tensor([1, 2])
    assert 5 not in genesis.tensor([1, 2])
    assert [t.item() for t in genesis.tensor([1, 2])] == [1, 2]


def test_comparison_with_other_things(device):
    x = genesis.ones(2)
    assert (x == None) is False  # noqa: E711 - what a user may write
    assert (x != "a") is True
    assert {x: 1}[x] == 1


def test_wide_integers(device):
    big = 2**62 + 1
    assert genesis.tensor([big]).tolist() == [big]
    assert (genesis.tensor([big]) + 1).item() == big + 1
    assert genesis.full((1,), big).item() == big
    assert (genesis.tensor([2**62, 2**62]).sum()).item() == -(2**63)  # wraps
    assert (genesis.tensor([250], dtype=genesis.uint8) + 300).item() == (250 + 300) % 256
