"""Every operation with awkward inputs: other layouts, short and empty axes, changes before the backward pass.

Some cases of the table, and all of them with GENESIS_TEST_ALL=1.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import genesis
import genesis.ops
from genesis.autograd import gradcheck
from genesis.testing.suite import _operations
from genesis.testing.suite.test_gradcheck import several

CASES = [c for c in _operations.CASES if c.order >= 1]
# numbers that overflow, or are none, are what some of these inputs give
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
EVERY = 1 if os.environ.get("GENESIS_TEST_ALL") == "1" else 30
ELEMENTWISE = sorted(
    {c.op for c in CASES if isinstance(getattr(genesis.ops, c.op, None), genesis.ops.Elementwise)}
)
SHAPES = ((), (1,), (0,), (1, 1), (0, 3), (3, 0, 2), (1, 5, 1), (2, 1, 1, 1, 2))
#: whose results are not determined where a matrix has no full rank
UNDETERMINED = {"qr", "svd", "eigh"}
#: what an operation says of inputs that it does not take
REFUSED = (genesis.GenesisError, ValueError, IndexError, TypeError, RuntimeError, UserWarning)


def some(cases: list[Any]) -> list[Any]:
    """A part of the cases, the same ones whatever is added to the table."""
    return [c for c in cases if zlib.crc32(c.label.encode()) % EVERY == 0]


# -- layouts -----------------------------------------------------------------------------------------------
def plain(x: np.ndarray) -> Any:
    return genesis.tensor(np.array(x))


def transposed(x: np.ndarray) -> Any:
    order = tuple(reversed(range(x.ndim)))
    return genesis.tensor(np.array(np.asarray(x).transpose(order), order="C")).permute(order)


def spread(x: np.ndarray) -> Any:
    """Every second element along each axis, from the second on."""
    whole = np.full([2 * n + 1 for n in x.shape], 9, x.dtype)
    place = (slice(1, None, 2),) * x.ndim
    whole[place] = x
    return genesis.tensor(whole)[place]


def behind(x: np.ndarray) -> Any:
    """As they lie, behind other numbers."""
    flat = genesis.tensor(np.concatenate([np.full(3, 9, x.dtype), np.asarray(x).reshape(-1)]))
    return flat[3:].reshape(x.shape)


#: which are about the layout
OF_LAYOUT = {"view", "view_copy", "as_strided", "as_strided_copy"}
LAYOUTS = (transposed, spread, behind)


def results(case: Any, make: Callable[[np.ndarray], Any]) -> list[np.ndarray]:
    genesis.manual_seed(0)
    inputs = [make(a) for a in case.arrays]
    inputs = [x.detach().requires_grad_(x.is_floating_point()) for x in inputs]
    found = several(case.run(genesis.ops, *inputs))
    found = found if isinstance(found, tuple) else (found,)
    total = sum((r * genesis.arange(1.0, r.numel() + 1).reshape(r.shape)).sum() for r in found)
    if getattr(total, "requires_grad", False):
        total.backward()
    return [np.asarray(r.detach().numpy()) for r in (*found, *(x.grad for x in inputs if x.grad is not None))]


@pytest.mark.parametrize("case", [c for c in some(CASES) if c.op not in OF_LAYOUT], ids=lambda c: c.label)
def test_layouts(device: str, case: Any) -> None:
    wanted = results(case, plain)
    for layout in LAYOUTS:
        for a, b in zip(results(case, layout), wanted, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9, err_msg=layout.__name__)


# -- shapes ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("op", ELEMENTWISE)
def test_elementwise_shapes(device: str, op: str) -> None:
    case = next(c for c in CASES if c.op == op)
    rng = np.random.default_rng(0)
    for shape in SHAPES if EVERY == 1 else SHAPES[:: 2 - len(op) % 2]:
        count = int(np.prod(shape))
        inputs = []
        for a in case.arrays:
            values = np.asarray(a).reshape(-1)
            x = genesis.tensor(rng.choice(values, count).reshape(shape).astype(a.dtype))
            inputs.append(x.requires_grad_(x.is_floating_point()))
        result = case.run(genesis.ops, *inputs)
        assert result.shape == shape
        if count:
            assert gradcheck(lambda *xs: several(case.run(genesis.ops, *xs)), inputs)
        else:
            result.sum().backward()
            assert all(x.grad.shape == shape for x in inputs if x.requires_grad and x.grad is not None)


def shorter(case: Any) -> Iterator[tuple[int, int, list[np.ndarray]]]:
    """The arrays with all axes of one length made shorter."""
    for length in sorted({n for a in case.arrays for n in a.shape if n > 1}):
        for to in (1, 0):
            yield (
                length,
                to,
                [
                    np.asarray(a)[tuple(slice(0, to if n == length else None) for n in a.shape)]
                    for a in case.arrays
                ],
            )


@pytest.mark.parametrize("case", [c for c in some(CASES) if c.op not in UNDETERMINED], ids=lambda c: c.label)
def test_short_axes(device: str, case: Any) -> None:
    for _, to, arrays in shorter(case):
        made = [genesis.tensor(np.array(a)) for a in arrays]
        made = [x.requires_grad_(x.is_floating_point()) for x in made]
        genesis.manual_seed(0)
        try:
            found = several(case.run(genesis.ops, *made))
        except REFUSED:
            continue  # another length than the call has in it
        found = found if isinstance(found, tuple) else (found,)
        if to == 0 or not all(r.numel() and bool(r.isfinite().all()) for r in found):
            total = sum(r.sum() for r in found)
            if getattr(total, "requires_grad", False):
                total.backward()
            for x in made:
                assert x.grad is None or x.grad.shape == x.shape
            continue

        def run(*xs: Any) -> Any:
            genesis.manual_seed(0)
            return several(case.run(genesis.ops, *xs))

        assert gradcheck(run, made), arrays


# -- what was changed before the backward pass -------------------------------------------------------------
@pytest.mark.parametrize("case", some(CASES), ids=lambda c: c.label)
def test_changed_before_backward(device: str, case: Any) -> None:
    """Changing an input in place is an error in the backward pass, or the gradient does not read it."""
    wanted = results(case, plain)
    for which, array in enumerate(case.arrays):
        if array.dtype == bool or not array.size:
            continue
        genesis.manual_seed(0)
        inputs = [plain(a) for a in case.arrays]
        inputs = [x.requires_grad_(x.is_floating_point()) for x in inputs]
        found = several(case.run(genesis.ops, *inputs))
        found = found if isinstance(found, tuple) else (found,)
        if any(r._view.buffer is inputs[which]._view.buffer for r in found):
            continue  # a view of it
        total = sum((r * genesis.arange(1.0, r.numel() + 1).reshape(r.shape)).sum() for r in found)
        if not getattr(total, "requires_grad", False):
            continue
        with genesis.no_grad():
            inputs[which].zero_()
        try:
            total.backward()
        except RuntimeError as error:
            if not re.search("in-?place|modified", str(error)):
                raise
            continue
        grads = [np.asarray(x.grad.numpy()) for x in inputs if x.grad is not None]
        for a, b in zip(grads, wanted[len(found) :], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)
