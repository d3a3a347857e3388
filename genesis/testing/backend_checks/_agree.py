"""Comparing what a device gave with what it should have given, in words that point at the mistake."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

#: element types of which some hardware computes products, by the bits that they keep
_COARSE = ((2.0**-11, "10 bits, as TF32 and float16 have"), (2.0**-8, "7 bits, as bfloat16 has"))


def agree(
    got: Array,
    want: Array,
    what: str,
    *,
    allowed: Array | float = 0.0,
    why: str = "equal in every bit",
    element: Callable[[tuple[int, ...]], str] | None = None,
    before: Array | None = None,
    guesses: Mapping[str, Array | Callable[[], Array]] | None = None,
    signed_zeros: bool = False,
    advice: str | Callable[[], str] = "",
) -> None:
    """Fail with a message that points at the mistake, unless the arrays agree.

    Args:
        what: what was asked, with shapes and types.
        allowed: how far each element may be off.
        why: the reason for that, as the message says it.
        element: says what one element was computed from.
        before: what the memory held before.
        guesses: what a common mistake would have given, by the sentence that names the mistake.
        signed_zeros: whether 0.0 and -0.0 differ.
        advice: more to say; a function is asked only after a failure.

    Raises:
        AssertionError: they do not agree.
    """
    if not isinstance(got, np.ndarray):
        raise AssertionError(f"{what}: expected a NumPy array, got {type(got).__name__}")
    if got.dtype != want.dtype or got.shape != want.shape:
        raise AssertionError(
            f"{what}: got {got.dtype} of shape {got.shape}, expected {want.dtype} of shape {want.shape}"
        )
    wrong = ~_close(got, want, allowed, signed_zeros)
    if not wrong.any():
        return
    places = np.argwhere(wrong)
    first = tuple(int(i) for i in places[0])
    count = f"{len(places)} of {want.size} elements are wrong" if want.size > 1 else "the result is wrong"
    lines = [f"{what}: {count}."]
    at = f"at {list(first)}" if want.ndim else "it"
    source = f", {element(first)}" if element else ""
    lines.append(
        f"  first {at}{source}: got {got[first]!s}, expected {want[first]!s}{_distance(got, want, first)}"
    )
    lines.append(f"  allowed: {why}.")
    hints = _hints(got, want, wrong, allowed, before, guesses or {})
    hints.append(advice() if callable(advice) else advice)
    lines += [f"  -> {hint}" for hint in hints if hint]
    raise AssertionError("\n".join(lines))


def _close(got: Array, want: Array, allowed: Array | float, signed_zeros: bool = False) -> Array:
    equal: Array = got == want
    if want.dtype.kind != "f":
        return equal
    with np.errstate(all="ignore"):
        equal |= np.isnan(got) & np.isnan(want)
        equal |= np.abs(got.astype("float64") - want.astype("float64")) <= allowed
    # an infinite value is not near to a finite one, however much is allowed
    equal &= ~(np.isinf(got) ^ np.isinf(want)) | (got == want)
    if signed_zeros:
        equal &= (want != 0) | (got != 0) | (np.signbit(got) == np.signbit(want))
    return equal


def _distance(got: Array, want: Array, at: tuple[int, ...]) -> str:
    if want.dtype.kind not in "fiu":
        return ""
    if want.dtype.kind != "f":
        return f", off by {int(got[at]) - int(want[at])}"
    a, b = float(got[at]), float(want[at])
    if not (np.isfinite(a) and np.isfinite(b)):
        return ""
    unit = float(np.spacing(np.abs(want[at])))
    return f", off by {abs(a - b):.3g} ({abs(a - b) / unit:.3g} units in the last place)"


def _hints(
    got: Array,
    want: Array,
    wrong: Array,
    allowed: Array | float,
    before: Array | None,
    guesses: Mapping[str, Array | Callable[[], Array]],
) -> list[str]:
    for sentence, guess in guesses.items():
        other = guess() if callable(guess) else guess
        if other.shape == got.shape and _close(got, other.astype(got.dtype), allowed).all():
            return [sentence]
    if before is not None and _close(got, before, 0.0)[wrong].all():
        where = _run_of(wrong)
        return [f"these elements still hold what was there before, so nothing was written to them{where}"]
    hints = []
    run = _run_of(wrong)
    if run:
        hints.append(run.lstrip("; "))
    if want.dtype.kind == "f":
        if np.isnan(want[wrong]).all():
            hints.append("a nan should come out, and something else does")
        elif np.isnan(got[wrong]).all():
            hints.append("a nan comes out where there should be none")
        else:
            hints += _precision(got[wrong], want[wrong])
    return hints


def _run_of(wrong: Array) -> str:
    """Whether the wrong elements are the first or the last ones of the array."""
    flat = wrong.reshape(-1)
    start, stop = int(flat.argmax()), flat.size - int(flat[::-1].argmax())
    if flat.all() or (stop - start < 2 and flat.size < 8):
        return ""
    dense = flat[start:stop].mean() > 0.9
    if dense and stop == flat.size:
        return (
            f"; only elements from number {start} of {flat.size} on are wrong: is the remainder after the "
            "last full block (or vector, or thread) left out?"
        )
    if dense and start == 0 and stop > 1:
        return f"; only the first {stop} of {flat.size} elements are wrong"
    return ""


def _precision(got: Array, want: Array) -> list[str]:
    with np.errstate(all="ignore"):
        scale = np.abs(want.astype("float64"))
        off = np.abs(got.astype("float64") - want.astype("float64"))
        finite = np.isfinite(off) & (scale > 0)
        if not finite.any() or not finite.all():
            return []
        worst = float((off / np.maximum(scale, scale.mean()))[finite].max())
        if np.array_equal(got, -want):
            return ["the numbers are right, but their sign is wrong"]
    if want.dtype == np.float64 and 1e-10 < worst < 1e-6:
        return ["the result is right to about 7 digits only: it is computed in float32"]
    for bound, text in _COARSE:
        if bound / 64 < worst <= 2 * bound:
            return [f"right to about {text}: is it computed in a type of lower precision, or approximated?"]
    return []


def units(want: Array, count: float) -> Array:
    """So many units in the last place of each element, and the smallest normal number.

    A device may round results below the normal range to zero.
    """
    with np.errstate(all="ignore"):
        unit = np.spacing(np.abs(want)).astype("float64")
    info = np.finfo(want.dtype)
    unit = np.where(np.isfinite(unit), unit, float(info.max) * float(info.eps))
    allowed: Array = np.maximum(count * unit, float(info.tiny))
    return allowed
