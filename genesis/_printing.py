"""How a tensor is printed: as PyTorch prints it, through NumPy's array printer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from genesis._dtypes import bool_, default_dtype, int64

if TYPE_CHECKING:
    from genesis._tensor import Tensor

_THRESHOLD, _EDGE = 1000, 3  # with more elements than this, only so many at each end are shown
_DIGITS = 4


def tensor_text(t: Tensor) -> str:
    """``tensor([1., 2.], dtype=genesis.float64, requires_grad=True)``; the defaults are left out."""
    array = t.detach().numpy()
    formatter: Any = None  # NumPy's own is right for integers
    if t.dtype.is_floating_point:
        formatter = {"float_kind": _float_format(_shown(array))}
    elif t.dtype is bool_:
        width = 4 if array.all() else 5
        formatter = {"bool": lambda x: str(x).rjust(width)}
    body = np.array2string(
        array, separator=", ", prefix="tensor(", threshold=_THRESHOLD, edgeitems=_EDGE, formatter=formatter
    )
    notes = []
    if array.size == 0 and array.ndim != 1:
        notes.append(f"size={tuple(array.shape)}")
    implied = (default_dtype(),) if array.size == 0 else (default_dtype(), int64, bool_)
    if t.dtype not in implied:
        notes.append(f"dtype={t.dtype!r}")
    if t.device.type != "cpu":
        notes.append(f"device={str(t.device)!r}")
    if t.grad_fn is not None:
        notes.append(f"grad_fn={t.grad_fn!r}")
    elif t.requires_grad:
        notes.append("requires_grad=True")
    return f"tensor({', '.join([body, *notes])})"


def _shown(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The elements that are printed."""
    if array.size <= _THRESHOLD:
        return array
    edges = [range(n) if n <= 2 * _EDGE else [*range(_EDGE), *range(n - _EDGE, n)] for n in array.shape]
    return array[np.ix_(*edges)]


def _float_format(shown: np.ndarray[Any, Any]) -> Any:
    """One format for all elements: whole numbers as ``2.``, others ``0.5000``, extremes ``1.0000e-05``."""
    sizes = np.abs(shown[np.isfinite(shown) & (shown != 0)].astype(np.float64))
    low, high = (sizes.min(), sizes.max()) if sizes.size else (1.0, 1.0)
    whole = bool((sizes == np.floor(sizes)).all())
    if high > 1e8 or (not whole and (low < 1e-4 or high / low > 1000)):
        text = f"{{:.{_DIGITS}e}}"
    else:
        text = "{:.0f}." if whole else f"{{:.{_DIGITS}f}}"

    def show(x: float) -> str:
        return text.format(x) if np.isfinite(x) else str(float(x))

    width = max((len(show(x)) for x in shown[np.isfinite(shown)]), default=0)
    return lambda x: show(x).rjust(width)
