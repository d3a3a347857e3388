"""Every differentiable operation against finite differences in float64, and second derivatives."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import genesis
import genesis.ops
from genesis.autograd import gradcheck, gradgradcheck
from genesis.testing.suite import _operations

CASES = _operations.CASES


def second_derivatives() -> list[Any]:
    """The smallest case of each operation, and with GENESIS_TEST_ALL=1 every case."""
    cases = [c for c in CASES if c.order >= 2]
    if os.environ.get("GENESIS_TEST_ALL") == "1":
        return cases
    smallest: dict[str, Any] = {}
    for case in sorted(cases, key=lambda c: sum(np.size(a) for a in c.arrays)):
        smallest.setdefault(case.op, case)
    return list(smallest.values())


def tensors(arrays: tuple[np.ndarray, ...]) -> list[Any]:
    made = []
    for a in arrays:
        if isinstance(a, np.ndarray) and type(a).__name__ == "Strided":
            order = tuple(reversed(range(a.ndim)))
            x = genesis.tensor(np.ascontiguousarray(np.asarray(a).transpose(order))).permute(*order)
        else:
            x = genesis.tensor(np.asarray(a))
        made.append(x.requires_grad_(x.is_floating_point()))
    return made


def several(result: Any) -> Any:
    """Named pairs and tuples as tuples; only those that are functions of the inputs."""
    if isinstance(result, genesis.Tensor):
        return result
    return tuple(r for r in result if r.is_floating_point())


@pytest.fixture
def reference() -> Iterator[None]:
    """The device ``ref``, for second derivatives: they are made of first ones, which run everywhere."""
    before = genesis.get_default_device()
    genesis.set_default_device("ref")
    yield
    genesis.set_default_device(before)


@pytest.mark.parametrize("case", [c for c in CASES if c.order >= 1], ids=lambda c: c.label)
def test_first_derivative(device: str, case: Any) -> None:
    inputs = tensors(case.arrays)
    assert gradcheck(lambda *xs: several(case.run(genesis.ops, *xs)), inputs)


@pytest.mark.parametrize("case", second_derivatives(), ids=lambda c: c.label)
def test_second_derivative(reference: None, case: Any) -> None:
    assert gradgradcheck(lambda *xs: several(case.run(genesis.ops, *xs)), tensors(case.arrays))


def test_the_table_has_every_operation() -> None:
    covered = {c.op for c in CASES} | _operations.NOT_DIFFERENTIABLE
    assert set(genesis.ops.__all__) <= covered


def test_what_it_says_about_a_wrong_gradient(device: str) -> None:
    double = genesis.ops.Elementwise("wrong", lambda x: x * x, 1, grad=lambda g, x, out: (g * x,))
    x = genesis.tensor([[1.0, 2.0], [4.0, 3.0]], dtype=genesis.float64, requires_grad=True)
    with pytest.raises(
        RuntimeError, match="input 1: backward gives 4, finite differences 8, for element"
    ) as error:
        gradcheck(lambda a, b: double(b) + a, (genesis.zeros(2, 2), x))
    assert "(1, 0) of the input (shape (2, 2)) and element (1, 0) of the output" in str(error.value)
    assert not gradcheck(double, x, raise_exception=False)


def test_a_wrong_second_derivative_is_found(device: str) -> None:
    def run(x: Any) -> Any:
        return x.detach() * x * x  # right at first order only in value: d/dx loses one factor

    x = genesis.randn(3, dtype=genesis.float64, requires_grad=True)
    assert not gradcheck(run, x, raise_exception=False)
    square = genesis.ops.Elementwise("square", lambda x: x * x, 1)
    assert gradgradcheck(square, x)


def test_it_needs_float64_and_something_to_check(device: str) -> None:
    with pytest.raises(ValueError, match=r"input 0 is genesis\.float32"):
        gradcheck(lambda x: x, genesis.ones(2, requires_grad=True))
    with pytest.raises(ValueError, match="no input requires a gradient"):
        gradcheck(lambda x: x, genesis.ones(2))
