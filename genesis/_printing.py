"""How a tensor is printed: as PyTorch prints it, through NumPy's array printer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from genesis._dtypes import bool_, default_dtype, int64

if TYPE_CHECKING:
    from genesis._tensor import Tensor


class _Options:
    """How much is shown, as ``set_printoptions`` says."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 75
    sci_mode: bool | None = None


_PROFILES: dict[str, dict[str, Any]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": float("inf"), "edgeitems": 3, "linewidth": 80},
}
_options = _Options()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Say how tensors are printed; what is None stays.

    Args:
        precision: digits after the point (4).
        threshold: with more elements than this (1000), only some at each end of an axis are shown.
        edgeitems: how many (3).
        linewidth: characters in a line (80).
        profile: ``"default"``, ``"short"`` or ``"full"`` sets all of these.
        sci_mode: always (True) or never (False) in scientific notation; by the numbers unless given.

    Raises:
        ValueError: there is no such profile.
    """
    if profile is not None and profile not in _PROFILES:
        raise ValueError(f"profile must be one of {', '.join(_PROFILES)}, got {profile!r}")
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    chosen = dict(_PROFILES[profile]) if profile is not None else {}
    chosen.update({k: v for k, v in given.items() if v is not None})
    for name, value in chosen.items():
        setattr(_options, name, value)
    _options.sci_mode = sci_mode


def tensor_text(t: Tensor) -> str:
    """``tensor([1., 2.], dtype=genesis.float64, requires_grad=True)``; the defaults are left out."""
    array = t.detach()._host(kept=False)
    if t.dtype.is_half:
        array = array.astype(np.float32)
    formatter: Any = None  # NumPy's own is right for integers
    if t.dtype.is_floating_point:
        formatter = {"float_kind": _float_format(_shown(array))}
    elif t.dtype is bool_:
        width = 4 if array.all() else 5
        formatter = {"bool": lambda x: str(x).rjust(width)}
    threshold: Any = _options.threshold if _options.threshold != float("inf") else max(array.size, 1)
    body = np.array2string(
        array,
        separator=", ",
        prefix="tensor(",
        threshold=threshold,
        edgeitems=_options.edgeitems,
        max_line_width=_options.linewidth,
        formatter=formatter,
    )
    body = body.replace(", ..., ", ",  ..., ")
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
    if array.size <= _options.threshold:
        return array
    edge = _options.edgeitems
    edges = [range(n) if n <= 2 * edge else [*range(edge), *range(n - edge, n)] for n in array.shape]
    return array[np.ix_(*edges)]


def _float_format(shown: np.ndarray[Any, Any]) -> Any:
    """One format for all elements: whole numbers as ``2.``, others ``0.5000``, extremes ``1.0000e-05``."""
    sizes = np.abs(shown[np.isfinite(shown) & (shown != 0)].astype(np.float64))
    low, high = (sizes.min(), sizes.max()) if sizes.size else (1.0, 1.0)
    whole = bool((sizes == np.floor(sizes)).all())
    wide = high > 1e8 or (not whole and (low < 1e-4 or high / low > 1000))
    if wide if _options.sci_mode is None else _options.sci_mode:
        text = f"{{:.{_options.precision}e}}"
    else:
        text = "{:.0f}." if whole else f"{{:.{_options.precision}f}}"

    def show(x: float) -> str:
        return text.format(x) if np.isfinite(x) else str(float(x))

    width = max((len(show(x)) for x in shown[np.isfinite(shown)]), default=0)
    return lambda x: show(x).rjust(width)
