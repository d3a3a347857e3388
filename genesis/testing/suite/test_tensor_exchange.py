"""Tensors and the rest of Python: NumPy, DLPack, printing, copying and pickling."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import genesis


# -- NumPy -------------------------------------------------------------------------------------------------
def test_numpy_and_back(device):
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    x = genesis.from_numpy(array)
    assert x.tolist() == array.tolist()
    assert x.dtype is genesis.float32
    np.testing.assert_array_equal(x.numpy(), array)
    np.testing.assert_array_equal(np.asarray(x.t()), array.T)
    assert np.asarray(x, dtype=np.int64).dtype == np.int64
    np.testing.assert_array_equal(np.array(x), array)
    assert np.array(x, copy=True) is not x.numpy()


def test_memory_is_shared_where_the_device_allows(device):
    array = np.zeros((2, 3), np.float32)
    x = genesis.from_numpy(array)
    x[0, 1] = 5
    array[1, 2] = 7
    if device == "cpu":
        assert array[0, 1] == 5
        assert x[1, 2].item() == 7
        view = x[:, 1:].numpy()
        view[0, 0] = 9
        assert x[0, 1].item() == 9
        assert x.data_ptr() == array.ctypes.data
        assert genesis.as_tensor(array).data_ptr() == array.ctypes.data
        assert genesis.tensor(array).data_ptr() != array.ctypes.data
    else:
        assert array[0, 1] == 0
        assert x[1, 2].item() == 0


@pytest.mark.parametrize("part", [np.s_[::-1], np.s_[:, ::2], np.s_[::-2, ::-1], np.s_[1:1], np.s_[...]])
def test_strided_arrays(device, part):
    array = np.arange(12.0).reshape(4, 3)[part]
    x = genesis.from_numpy(array)
    assert x.tolist() == array.tolist()
    assert (x + 1).tolist() == (array + 1).tolist()
    x.mul_(2)
    assert (x.numpy() == array).all() == (device == "cpu" or array.size == 0)


def test_read_only_arrays_are_copied(device):
    array = np.broadcast_to(np.float32(1), (3,))
    x = genesis.from_numpy(array)
    x[0] = 5
    assert x.tolist() == [5, 1, 1]
    assert array.tolist() == [1, 1, 1]


def test_a_tensor_keeps_the_array_alive(device):
    x = genesis.from_numpy(np.full(1000, 3.0))
    y = [np.full(1000, 7.0) for _ in range(10)]
    assert x.sum().item() == 3000
    del y


def test_numpy_numbers_and_arrays_in_arithmetic(device):
    x = genesis.ones(2)
    assert (x * np.float64(2)).dtype is genesis.float32
    assert (np.float64(2) * x).tolist() == [2, 2]
    assert (x + np.int64(2)).tolist() == [3, 3]
    for y in (x + np.ones(2), np.ones(2) + x):  # an array takes part as a tensor of its type
        assert y.dtype is genesis.float64
        assert y.tolist() == [2, 2]
    assert (x == np.array([1.0, 0.0])).tolist() == [True, False]
    with pytest.raises(TypeError, match="no complex types"):
        x + 1j


def test_a_recorded_tensor_is_not_an_array(device):
    x = genesis.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"detach\(\)\.numpy\(\)"):
        x.numpy()
    with pytest.raises(RuntimeError, match="detach"):
        np.asarray(x * 2)
    assert x.numpy(force=True).tolist() == [1, 1]
    assert x.detach().numpy().tolist() == [1, 1]


# -- DLPack ------------------------------------------------------------------------------------------------
def test_dlpack(device):
    x = genesis.arange(6.0).reshape(2, 3)
    if x.__dlpack_device__()[0] == 2:  # memory of a GPU, which NumPy cannot reach
        assert genesis.from_dlpack(x).tolist() == x.tolist()
        return
    array = np.from_dlpack(x)
    assert array.tolist() == x.tolist()
    assert x.__dlpack_device__() == (1, 0)
    source = np.arange(4.0)
    y = genesis.from_dlpack(source)
    source[0] = 9
    if device == "cpu":
        assert y.tolist() == [9, 1, 2, 3]
        x[0, 0] = 7
        assert array[0, 0] == 7
    assert genesis.from_dlpack(x.t()).tolist() == x.t().tolist()


# -- devices -----------------------------------------------------------------------------------------------
def test_moving_between_devices(device):
    other = "ref" if device == "cpu" else "cpu"
    x = genesis.tensor([1.0, 2.0], requires_grad=True)
    y = (x * 2).to(other)
    assert y.device.type == other
    assert y.tolist() == [2, 4]
    (y * y).sum().backward()
    assert x.grad.device.type == device
    assert x.grad.tolist() == [8, 16]
    assert x.to(other, genesis.float64).dtype is genesis.float64
    assert x.to(genesis.ones(1, dtype=genesis.float64, device=other)).device.type == other
    assert x.t().to(other).tolist() == [1, 2]
    assert genesis.ones(2, 0).to(other).shape == (2, 0)
    assert x.cpu().device.type == "cpu"


# -- printing ----------------------------------------------------------------------------------------------
def test_printing(device):
    where = "" if device == "cpu" else f", device='{device}'"
    cases = {
        "tensor([1., 2.]": genesis.tensor([1.0, 2.0]),
        "tensor([ 0.5000, -1.2500]": genesis.tensor([0.5, -1.25]),
        "tensor(3": genesis.tensor(3),
        "tensor(2.5000": genesis.tensor(2.5),
        "tensor([[ 1,  2],\n        [ 3, 40]]": genesis.tensor([[1, 2], [3, 40]]),
        "tensor([True]": genesis.tensor([True]),
        "tensor([nan, inf, 1.]": genesis.tensor([float("nan"), float("inf"), 1.0]),
        "tensor([1.0000e-05, 1.0000e+00]": genesis.tensor([1e-5, 1.0]),
        "tensor([]": genesis.tensor([]),
    }
    for text, x in cases.items():
        assert repr(x) == f"{text}{where})"
    assert repr(genesis.ones(1, dtype=genesis.float64)) == (f"tensor([1.], dtype=genesis.float64{where})")
    assert repr(genesis.zeros(2, 0)) == f"tensor([], size=(2, 0){where})"
    x = genesis.ones(1, requires_grad=True)
    assert repr(x) == f"tensor([1.]{where}, requires_grad=True)"
    assert repr(x * 2) == f"tensor([2.]{where}, grad_fn=<mul backward>)"
    assert str(x) == repr(x)
    long = repr(genesis.arange(5000))
    assert len(long) < 100
    assert "..." in long


# -- copies ------------------------------------------------------------------------------------------------
def test_pickling(device):
    x = genesis.arange(6.0).reshape(2, 3).t().requires_grad_()
    (x * x).sum().backward()
    y = pickle.loads(pickle.dumps(x))
    assert y.tolist() == x.tolist()
    assert y.requires_grad
    assert y.device.type == device
    assert pickle.loads(pickle.dumps(genesis.tensor(True))).dtype is genesis.bool
    assert pickle.loads(pickle.dumps(genesis.float32)) is genesis.float32
    with pytest.raises(RuntimeError, match="leaf"):
        pickle.dumps(x * 2)


def test_deepcopy(device):
    x = genesis.ones(2, requires_grad=True)
    (x * 3).sum().backward()
    x.note = ["kept"]
    y, again = copy.deepcopy([x, x])
    assert y is again
    assert y.requires_grad
    assert y.note == ["kept"]
    assert y.grad.tolist() == [3, 3]
    with genesis.no_grad():
        y.add_(1)
        y.grad.zero_()
    assert x.tolist() == [1, 1]
    assert x.grad.tolist() == [3, 3]
    with pytest.raises(RuntimeError, match="deepcopy"):
        copy.deepcopy(x * 2)


def test_shallow_copy(device):
    x = genesis.ones(2)
    y = copy.copy(x)
    x[0] = 5
    assert y is not x
    assert y.tolist() == [5, 1]
