"""Memory for other libraries, and theirs for us."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import genesis
from genesis_cuda import _array


@pytest.mark.simulated
def test_numpy_reads_the_memory_by_dlpack() -> None:
    x = genesis.arange(12.0, device="cuda").reshape(3, 4).T
    host = np.from_dlpack(x)
    assert host.tolist() == x.tolist()
    x[1, 2] = 77
    assert host[1, 2] == 77, "it is the memory itself, not a copy"
    assert len(_array._lent) == 1
    del x
    gc.collect()
    assert host[0].tolist() == [0, 4, 8], "it lives as long as somebody looks at it"
    del host
    gc.collect()
    assert not _array._lent


@pytest.mark.simulated
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int16", "int32", "int64", "float32", "float64"])
def test_types(dtype: str) -> None:
    x = genesis.tensor([1, 0, 1], dtype=getattr(genesis, dtype if dtype != "bool" else "bool"), device="cuda")
    assert np.from_dlpack(x).dtype.name == dtype
    assert x.__cuda_array_interface__["typestr"] == np.dtype(dtype).str


def test_a_capsule_that_nobody_takes_is_let_go() -> None:
    capsule = genesis.ones(3, device="cuda").__dlpack__()
    assert len(_array._lent) == 1
    del capsule
    gc.collect()
    assert not _array._lent


class Other:
    """An array of another library."""

    def __init__(self, x) -> None:
        self.x = x

    def __dlpack_device__(self):
        return (2, 1)

    @property
    def __cuda_array_interface__(self):
        return self.x.__cuda_array_interface__


@pytest.mark.simulated
def test_memory_of_others() -> None:
    x = genesis.arange(12.0, device="cuda:1").reshape(3, 4)
    for view in (x, x.T, x.flip(0), x[:, 1:3]):
        y = genesis.from_dlpack(Other(view))
        assert str(y.device) == "cuda:1"
        assert y.tolist() == view.tolist()
        assert (y * 2).tolist() == (view * 2).tolist()
    y = genesis.from_dlpack(Other(x))
    x[0, 0] = 5
    assert y[0, 0].item() == 5


class Capsules:
    """An array of another library that has only DLPack."""

    def __init__(self, x) -> None:
        self.x = x

    def __dlpack_device__(self):
        return (2, 1)

    def __dlpack__(self, *, stream):
        return self.x.__dlpack__()


@pytest.mark.simulated
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "bfloat16", "float64"])
def test_memory_of_others_by_dlpack(dtype: str) -> None:
    x = genesis.tensor([[1, 0, 1], [1, 1, 0]], dtype=getattr(genesis, dtype), device="cuda:1")
    for view in (x, x.T, x.flip(1), x[:, 1:], x[0, 0], x[:0]):
        y = genesis.from_dlpack(Capsules(view))
        assert y.dtype == x.dtype
        assert str(y.device) == "cuda:1"
        assert y.tolist() == view.tolist()
        assert y.data_ptr() == view.data_ptr()
    y = genesis.from_dlpack(Capsules(x))[1:]
    x[1, 2] = 1
    assert y.tolist() == [[1, 1, 1]]
    assert len(_array._lent) == 1
    del y
    gc.collect()
    assert not _array._lent, "who lent it was told that it is given back"


@pytest.mark.simulated
def test_types_of_others_that_there_are_not() -> None:
    x = genesis.ones(4, dtype=genesis.int16, device="cuda:1")
    other = Other(x)
    other.x = type("Given", (), {"__cuda_array_interface__": x.__cuda_array_interface__ | {"typestr": "<u2"}})
    with pytest.raises(TypeError, match=r"cuda:1 has no tensors of uint16, only of .* convert"):
        genesis.from_dlpack(other)
    other.x.__cuda_array_interface__["typestr"] = "<i4"
    other.x.__cuda_array_interface__["strides"] = (2,)
    with pytest.raises(ValueError, match="not whole elements of int32: copy"):
        genesis.from_dlpack(other)


def test_a_tensor_of_the_host_has_no_such_interface() -> None:
    assert not hasattr(genesis.ones(2), "__cuda_array_interface__")
    with pytest.raises(RuntimeError, match="requires grad"):
        np.from_dlpack(genesis.ones(2, device="cuda", requires_grad=True))


def test_data_ptr_is_the_address_on_the_gpu() -> None:
    x = genesis.arange(12.0, device="cuda").reshape(3, 4)
    assert x.data_ptr() == x.__cuda_array_interface__["data"][0] != 0
    assert x[1:].data_ptr() == x.data_ptr() + 4 * 4
    assert x.clone().data_ptr() != x.data_ptr()
    half = genesis.ones(5, dtype=genesis.bfloat16, device="cuda")
    assert half[2:].data_ptr() == half.data_ptr() + 2 * 2
