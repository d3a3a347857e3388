"""The order of elements that are sorted: by value, then by position."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"
from __future__ import annotations

from genesis_cuda._cuda import device

__all__ = ["precedes"]


@device
def precedes(a, at_a, b, at_b, bound, down):
    """Whether ``a`` comes before ``b``; a nan is the largest, positions from ``bound`` on are behind all."""
    if at_a >= bound or at_b >= bound:
        return at_a < at_b
    less = a < b or (b != b and a == a)
    greater = b < a or (a != a and b == b)
    if down != 0:
        return greater or (not less and at_a < at_b)
    return less or (not greater and at_a < at_b)
