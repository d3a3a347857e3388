"""Derivatives on the device by finite differences: the smallest case of a representative part.

On a GPU the whole of it runs: ``pytest --pyargs genesis.testing.suite --genesis-device=cuda``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import genesis
from genesis.autograd import gradcheck, gradgradcheck
from genesis.testing.suite import _operations
from genesis.testing.suite.test_gradcheck import several, tensors

#: those with kernels of their own, and some of each kind that is composed
FIRST = (
    "softmax", "log_softmax", "cross_entropy", "nll_loss", "layer_norm", "rms_norm", "batch_norm",
    "group_norm", "embedding", "scaled_dot_product_attention", "conv1d", "conv2d", "conv3d",
    "conv_transpose1d", "conv_transpose2d", "max_pool1d", "max_pool2d", "avg_pool1d", "avg_pool",
    "adaptive_avg_pool1d", "adaptive_max_pool1d", "cumsum", "cumprod", "sort", "topk", "matmul", "bmm",
    "linear", "mul", "div", "pow", "where", "gelu", "silu", "tanh", "sum", "prod", "amax", "var", "gather",
    "scatter", "scatter_add", "index_select", "masked_fill", "cat", "stack", "repeat", "flip", "expand",
    "logsumexp", "norm", "mse_loss", "clamp", "tril",
)  # fmt: skip
SECOND = ("conv2d", "batch_norm", "layer_norm", "softmax", "cumsum", "matmul", "gelu", "max_pool2d", "mul")
LARGEST = 60  # numbers of all inputs: each is moved up and down


def _numbers(case: Any) -> int:
    return sum(np.size(a) for a in case.arrays)


def smallest(order: int, names: tuple[str, ...]) -> list[Any]:
    found: dict[str, Any] = {}
    for case in sorted((c for c in _operations.CASES if c.order >= order), key=_numbers):
        if (
            case.op in names
            and _numbers(case)
            and not any(type(a).__name__ == "Strided" for a in case.arrays)
        ):
            found.setdefault(case.op, case)
    return [case for case in found.values() if _numbers(case) <= LARGEST]


@pytest.fixture(autouse=True)
def on_cuda() -> Iterator[None]:
    before = genesis.get_default_device()
    genesis.set_default_device("cuda")
    yield
    genesis.set_default_device(before)


@pytest.mark.parametrize("case", smallest(1, FIRST), ids=lambda c: c.label)
def test_first_derivative(case: Any) -> None:
    assert gradcheck(lambda *xs: several(case.run(genesis.ops, *xs)), tensors(case.arrays))


@pytest.mark.parametrize("case", smallest(2, SECOND), ids=lambda c: c.label)
def test_second_derivative(case: Any) -> None:
    assert gradgradcheck(lambda *xs: several(case.run(genesis.ops, *xs)), tensors(case.arrays))
