"""Types of PyTorch's that a script may name, and that no tensor gets."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

import genesis
from genesis import nn
from genesis.nn import functional as F


def test_a_script_chooses_among_them_and_compares() -> None:
    assert genesis.ones(2).dtype not in (genesis.float8_e5m2, genesis.complex64)
    assert isinstance(genesis.float8_e5m2, genesis.dtype)
    assert repr(genesis.float8_e4m3fn) == "genesis.float8_e4m3fn"
    assert (genesis.float8_e5m2.itemsize, genesis.float8_e5m2.is_floating_point) == (1, True)
    assert genesis.complex64.is_complex
    assert not genesis.complex64.is_floating_point
    assert pickle.loads(pickle.dumps(genesis.float8_e5m2)) is genesis.float8_e5m2
    assert copy.deepcopy(genesis.cfloat) is genesis.complex64


@pytest.mark.parametrize(
    "make",
    [
        lambda d: genesis.tensor([1.0], dtype=d),
        lambda d: genesis.zeros(2, dtype=d),
        lambda d: genesis.ones(2).to(d),
        lambda d: genesis.ones(2).to("cpu", d),
        lambda d: genesis.ones(2).type(d),
        lambda d: genesis.ones(2).sum(dtype=d),
        lambda d: F.softmax(genesis.ones(2), -1, dtype=d),
        lambda d: nn.Linear(2, 2, dtype=d),
        lambda d: nn.Linear(2, 2).to(d),
        lambda d: genesis.set_default_dtype(d),
        lambda d: genesis.finfo(d),
    ],
)
def test_no_tensor_gets_one(make: Callable[[Any], Any]) -> None:
    for kind, near in (
        (genesis.float8_e5m2, "float16"),
        (genesis.complex64, "two tensors"),
        (genesis.uint16, "int64"),
    ):
        with pytest.raises(NotImplementedError, match=f"{kind!r} is not implemented.*the nearest is {near}"):
            make(kind)
    assert genesis.get_default_dtype() is genesis.float32
