"""``testing.assert_close`` passes where PyTorch's does, and says the same where it does not."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch

import genesis

pytestmark = pytest.mark.parity


def outcome(library: Any, a: Any, b: Any, options: dict[str, Any]) -> tuple[str, str]:
    def made(x: Any) -> Any:
        if isinstance(x, T):
            return library.tensor(x.value, dtype=getattr(library, x.dtype))
        if isinstance(x, list | tuple):
            return type(x)(made(v) for v in x)
        return {k: made(v) for k, v in x.items()} if isinstance(x, dict) else x

    try:
        library.testing.assert_close(made(a), made(b), **options)
    except Exception as error:
        return type(error).__name__, str(error).replace("genesis.", "torch.")
    return "passes", ""


class T:
    """A tensor to be, of either library."""

    def __init__(self, value: Any, dtype: str = "float32") -> None:
        self.value, self.dtype = value, dtype


nan, inf = float("nan"), float("inf")
CASES: list[tuple[Any, ...]] = [
    (T([1.0, 2.0]), T([1.0, 2.000001])),
    (T([1.0, 2.0]), T([1.0, 3.0])),
    (T([[1.0, 2.0], [5.0, 0.0]]), T([[1.0, 3.0], [4.0, 0.0]])),
    (T([[1.0, 2.0]]), T([[1.0, 3.0]]), {"rtol": 0, "atol": 0.5}),
    (T([[1.0, 2.0]]), T([[1.0, 3.0]]), {"rtol": 0, "atol": 1.5}),
    (T([1.0], "float64"), T([1.0 + 1e-6], "float64")),
    (T([1.0], "float64"), T([1.0])),
    (T([1.0], "float64"), T([1.0 + 1e-6]), {"check_dtype": False}),
    (T(1.0), T(2.0)),
    (T([1, 2], "int64"), T([1, 3], "int64")),
    (T([1, 2], "uint8"), T([3, 2], "uint8")),
    (T([True], "bool"), T([False], "bool")),
    (T([1.0]), T([1.0, 2.0])),
    (T([]), T([])),
    (T([nan]), T([nan])),
    (T([nan, 1.0]), T([nan, 1.0]), {"equal_nan": True}),
    (T([inf, 1.0]), T([1.0, 1.0])),
    (T([inf, -inf]), T([inf, -inf])),
    (1, 2), (1.0, 1.0 + 1e-7), (1.0, 2), (1.0, 0.0), (2, 2), (True, False), (True, True), (nan, nan),
    (None, None), (None, 1), ("a", "a"), (T([1.0]), 1.0), ([1.0], T([1.0])),
    ([T([1.0]), 1], [T([1.0]), 2]), ([1], [1, 2]), ((1,), [1]), ((), ()),
    ({"a": 1}, {"b": 1}), ({"a": 1}, {"a": 1, "b": 1}),
    ({"a": [1.0, {"b": T([1.0])}]}, {"a": [1.0, {"b": T([2.0])}]}),
    (np.array([1.0]), np.array([2.0])), (np.array([1, 2]), np.array([1, 2])),
    (T([1.0]), T([2.0]), {"msg": "hello"}),
    (T([1.0]), T([2.0]), {"msg": lambda text: "X " + text}),
    ([T([1.0])], [T([2.0])], {"msg": lambda text: "X " + text}),
    (T([1.0]), T([1.0]), {"rtol": 1.0}),
    (T([1.0]), T([1.0]), {"atol": 1.0}),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_outcome_is_pytorchs(case: tuple[Any, ...]) -> None:
    a, b, *rest = case
    ours, theirs = (outcome(library, a, b, rest[0] if rest else {}) for library in (genesis, torch))
    assert ours[0] == theirs[0]
    assert re.sub("<class '[^']*Tensor'>", "Tensor", ours[1]) == re.sub(
        "<class '[^']*Tensor'>", "Tensor", theirs[1]
    )
