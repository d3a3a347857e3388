"""What a thread finds out about its share of a row: every ``group``-th element from number ``me`` on.

The ``n`` elements begin at ``x[at]`` and lie ``step`` apart.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"
from __future__ import annotations

from genesis_cuda._cuda import device, like, math

__all__ = ["exp_sum_of_share", "top_of_share"]


@device
def top_of_share(x, at, n, step, me, group, first):
    """The largest, or the row's first element, in the type of ``first``; a nan wins."""
    top = like(first, x[at])
    i = at + me * step
    end = at + n * step
    while i < end:
        v = like(first, x[i])
        top = v if v > top or v != v else top
        i += group * step
    return top


@device
def exp_sum_of_share(x, at, n, step, me, group, top):
    """The sum of ``exp(x - top)``."""
    total = like(top, 0)
    i = at + me * step
    end = at + n * step
    while i < end:
        total += math.exp(like(top, x[i]) - top)
        i += group * step
    return total
