"""How a tensor is printed: as PyTorch prints it, through NumPy's array printer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from genesis._dtypes import bool_, float32, int64

if TYPE_CHECKING:
    from genesis._tensor import Tensor


def tensor_text(t: Tensor) -> str:
    """``tensor([1., 2.], dtype=genesis.float64, requires_grad=True)``; the defaults are left out."""
    array = t.detach().numpy()
    body = np.array2string(array, precision=4, separator=", ", prefix="tensor(", threshold=1000, edgeitems=3)
    notes = []
    if array.size == 0 and array.ndim != 1:
        notes.append(f"size={tuple(array.shape)}")
    if t.dtype not in (float32, int64, bool_) or array.size == 0 and t.dtype is not float32:
        notes.append(f"dtype={t.dtype!r}")
    if t.device.type != "cpu":
        notes.append(f"device={str(t.device)!r}")
    if t.grad_fn is not None:
        notes.append(f"grad_fn={t.grad_fn!r}")
    elif t.requires_grad:
        notes.append("requires_grad=True")
    return f"tensor({', '.join([body, *notes])})"
