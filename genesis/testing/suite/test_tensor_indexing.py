"""Reading and writing parts of a tensor, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import genesis

SHAPE = (4, 3, 5)
MASK3 = np.random.default_rng(0).random(SHAPE) < 0.5
ROWS = np.array([3, 0, -1, 0])

# An integer beside index arrays is left out on purpose: PyTorch selects it first, NumPy broadcasts it.
KEYS = {
    "integer": 1,
    "negative": -2,
    "integers": (1, -1),
    "all integers": (3, 2, 4),
    "numpy integer": np.int64(2),
    "slice": slice(1, 3),
    "slice of everything": slice(None),
    "steps": (slice(None, None, 2), slice(None), slice(1, None, 3)),
    "negative bounds": slice(-3, -1),
    "out of range slice": slice(2, 100),
    "empty slice": slice(3, 1),
    "slice behind the end": (slice(4, None), slice(None), slice(2, None)),
    "slice, integer": (slice(None), 1),
    "integer, slice": (2, slice(None), slice(0, 2)),
    "ellipsis": ...,
    "ellipsis, integer": (..., 0),
    "integer, ellipsis": (1, ...),
    "between": (0, ..., slice(1, 3)),
    "empty ellipsis": (0, 1, ..., 2),
    "nothing": (),
    "None": None,
    "None, slice": (None, slice(1, 2)),
    "slice, None, integer": (slice(None), None, 1),
    "ellipsis, None": (..., None),
    "two Nones": (None, ..., None),
    "list": [0, 2],
    "negative list": [-1, -4],
    "repeated": [1, 1, 1],
    "empty list": [],
    "array": ROWS,
    "matrix": ROWS.reshape(2, 2),
    "second axis": (slice(None), [2, 0]),
    "last axis": (..., [4, 0, 0]),
    "two arrays": ([0, 1, 2], [2, 1, 0]),
    "two arrays that broadcast": (ROWS[:, None], np.array([0, 2])),
    "three arrays": ([0, 1], [1, 2], [3, -1]),
    "two arrays in the middle": (slice(None), [0, 1], [2, 3]),
    "two arrays apart": ([0, 1], slice(None), [2, 3]),
    "array and slice": ([3, 1], slice(0, 2)),
    "slice and array": (slice(1, 3), [0, 2], slice(None, None, 2)),
    "None and array": (None, [0, 2]),
    "array and None": ([0, 2], None, [1, 1]),
    "mask": MASK3,
    "mask of rows": np.array([True, False, False, True]),
    "mask of a list": [True, False, True, True],
    "mask of two axes": MASK3[:, :, 0],
    "mask of the last axes": (slice(None), MASK3[0]),
    "mask and integer slice": (np.array([True, False, True, False]), slice(1, 2)),
    "mask and array": (np.array([True, False, True, False]), [0, 2]),
    "empty mask": np.zeros(4, bool),
    "full mask": np.ones(SHAPE, bool),
    "True": True,
    "False": False,
    "True and slice": (True, slice(1, 2)),
}


def data() -> np.ndarray:
    return np.arange(60, dtype=np.float32).reshape(SHAPE)


def as_tensors(key):
    if isinstance(key, tuple):
        return tuple(as_tensors(k) for k in key)
    return genesis.tensor(key) if isinstance(key, np.ndarray) else key


@pytest.mark.parametrize("name", KEYS)
def test_reading(device, name):
    array, key = data(), KEYS[name]
    for k in (key, as_tensors(key)):
        part = genesis.tensor(array)[k]
        assert part.shape == array[key].shape
        np.testing.assert_array_equal(part.numpy(), array[key])


@pytest.mark.parametrize("name", KEYS)
def test_writing(device, name):
    key = KEYS[name]
    part = data()[key]
    values = {"number": 7.5, "same shape": -np.arange(part.size, dtype=np.float32).reshape(part.shape)}
    if part.ndim:
        values["last axis"] = np.full(part.shape[-1:], 2, np.float32)
    if part.ndim and name not in ("mask", "full mask"):  # NumPy refuses more axes for these
        values["ones in front"] = np.ones((1, *part.shape), np.float32)
    for what, value in values.items():
        if np.unique(data()[key]).size < part.size:
            value = 7.5  # with repeated elements the last one wins; which that is, NumPy leaves open
        array, strided = (
            data(),
            genesis.tensor(np.ascontiguousarray(data().transpose(2, 1, 0))).permute(2, 1, 0),
        )
        x = genesis.tensor(array)
        array[key] = value
        for target in (x, strided):
            before = target
            target[as_tensors(key)] = genesis.tensor(value) if isinstance(value, np.ndarray) else value
            assert target is before
            np.testing.assert_array_equal(target.numpy(), array, err_msg=what)


@pytest.mark.parametrize("name", KEYS)
def test_gradient_of_reading(device, name):
    x = genesis.tensor(data(), requires_grad=True)
    part = x[as_tensors(KEYS[name])]
    weights = np.arange(1, part.numel() + 1, dtype=np.float32).reshape(tuple(part.shape))
    part.backward(genesis.tensor(weights))
    expected = np.zeros(SHAPE, np.float32)
    np.add.at(expected, KEYS[name], weights)
    np.testing.assert_array_equal(x.grad.numpy(), expected)


@pytest.mark.parametrize("name", KEYS)
def test_gradient_of_writing(device, name):
    if name in ("repeated", "array", "matrix", "last axis", "two arrays that broadcast"):
        return  # elements that are written twice have no defined gradient
    key = as_tensors(KEYS[name])
    x = genesis.tensor(data(), requires_grad=True)
    value = genesis.ones(data()[KEYS[name]].shape, requires_grad=True)
    y = x * 2
    y[key] = value * 3
    weights = data() + 1
    y.backward(genesis.tensor(weights))
    kept = 2 * weights
    kept[KEYS[name]] = 0
    if kept.any():
        np.testing.assert_array_equal(x.grad.numpy(), kept)
    else:
        assert x.grad is None or not x.grad.any()  # nothing of x is left
    np.testing.assert_array_equal(value.grad.numpy(), 3 * weights[KEYS[name]])


def test_an_integer_beside_an_array_is_selected_first(device):
    x = genesis.tensor(data())
    assert x[0, :, [1, 2]].shape == (3, 2)
    np.testing.assert_array_equal(x[0, :, [1, 2]].numpy(), data()[0][:, [1, 2]])


def test_the_last_of_repeated_indices_wins(device):
    x = genesis.zeros(3)
    x[[0, 1, 0]] = genesis.tensor([1.0, 2.0, 3.0])
    assert x.tolist() == [3, 2, 0]


def test_writing_converts_to_the_type_of_the_tensor(device):
    x = genesis.zeros(3, dtype=genesis.int64)
    x[0] = 2.9
    x[[1]] = genesis.tensor([3.7])
    x[genesis.tensor([False, False, True])] = 4.2
    assert x.tolist() == [2, 3, 4]
    flags = genesis.zeros(2, dtype=genesis.bool)
    flags[genesis.tensor([True, False])] = 5
    assert flags.tolist() == [True, False]


def test_writing_lists_and_arrays(device):
    x = genesis.zeros(2, 2)
    x[0] = [1, 2]
    x[1] = np.array([3.0, 4.0])
    assert x.tolist() == [[1, 2], [3, 4]]
    x[genesis.tensor([[True, False], [False, True]])] = [8, 9]
    assert x.tolist() == [[8, 2], [3, 9]]


def test_assignment_from_an_overlapping_part(device):
    x = genesis.arange(6)
    x[1:] = x[:-1]
    assert x.tolist() == [0, 0, 1, 2, 3, 4]


def test_gradients_of_repeated_elements_add_up(device):
    x = genesis.zeros(3, requires_grad=True)
    (x[[0, 2, 0, 0]] * genesis.tensor([1.0, 10.0, 100.0, 1000.0])).sum().backward()
    assert x.grad.tolist() == [1101, 0, 10]


def test_in_place_arithmetic_on_a_part(device):
    x = genesis.zeros(2, 3)
    x[:, 1] += 5
    x[[0, 1], [0, 2]] += genesis.tensor([1.0, 2.0])
    assert x.tolist() == [[1, 5, 0], [0, 5, 2]]


def test_gather_and_scatter_against_numpy(device):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(3, 4))
    index = rng.integers(0, 3, (5, 4))
    source = rng.normal(size=(5, 4))
    t = genesis.tensor(x)
    np.testing.assert_array_equal(t.gather(0, genesis.tensor(index)).numpy(), np.take_along_axis(x, index, 0))
    expected = x.copy()
    np.add.at(expected, (index, np.arange(4)[None, :]), source)
    added = t.scatter_add(0, genesis.tensor(index), genesis.tensor(source))
    np.testing.assert_allclose(added.numpy(), expected, rtol=1e-12)  # sums of a few terms in another order
    assert t.scatter_(1, genesis.tensor([[0], [1], [3]]), 9.0) is t
    x[[0, 1, 2], [0, 1, 3]] = 9
    np.testing.assert_array_equal(t.numpy(), x)


def test_finding(device):
    x = np.array([[0.0, 2.0], [3.0, 0.0]])
    t = genesis.tensor(x)
    assert t.nonzero().tolist() == np.argwhere(x).tolist()
    assert [i.tolist() for i in t.nonzero(as_tuple=True)] == [i.tolist() for i in np.nonzero(x)]
    assert [i.tolist() for i in genesis.where(t > 0)] == [[0, 1], [1, 0]]
    assert t.masked_select(t > 0).tolist() == [2, 3]
    assert genesis.tensor(3.0).nonzero().shape == (1, 0)
    assert [i.tolist() for i in genesis.tensor(3.0).nonzero(as_tuple=True)] == [[0]]
