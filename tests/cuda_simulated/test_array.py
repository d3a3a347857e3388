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


def test_a_tensor_of_the_host_has_no_such_interface() -> None:
    assert not hasattr(genesis.ones(2), "__cuda_array_interface__")
    with pytest.raises(RuntimeError, match="requires grad"):
        np.from_dlpack(genesis.ones(2, device="cuda", requires_grad=True))
