"""``scan``: running sums and products along one axis, in either direction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genesis.backend import Backend, View
from genesis_cpu._kernel import Kernel, launch, parts
from genesis_cpu._memory import address, empty
from genesis_cpu.kernels.map import contiguous

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import float64, real, reals, slot


def _scan(args, lo, hi):
    """Outer indices: ``n`` rows of ``inner`` elements each; a single one is added up in float64."""
    n, inner, size, product, back = slot(args, 2), slot(args, 3), slot(args, 4), slot(args, 5), slot(args, 6)
    for outer in range(lo, hi):
        out, x = slot(args, 0) + outer * n * inner * size, slot(args, 1) + outer * n * inner * size
        if inner == 1:
            target, source = reals(out), reals(x)
            total = float64(1) if product else float64(0)
            start, step = (n - 1, -1) if back else (0, 1)
            if product:
                for i in range(n):
                    total *= float64(source[start + i * step])
                    target[start + i * step] = real(total)
            else:
                for i in range(n):
                    total += float64(source[start + i * step])
                    target[start + i * step] = real(total)
        else:
            for i in range(n):
                at = (n - 1 - i if back else i) * inner * size
                target, source = reals(out + at), reals(x + at)
                before = reals(out + at + (inner * size if back else -inner * size))
                if i == 0:
                    for j in range(inner):
                        target[j] = source[j]
                elif product:
                    for j in range(inner):
                        target[j] = before[j] * source[j]
                else:
                    for j in range(inner):
                        target[j] = before[j] + source[j]


kernel = Kernel(_scan)


def run(op: str, out: View, x: View, axis: int, back: bool = False) -> bool:
    """``Backend.scan`` of floats; False where it is not done."""
    if not x.dtype.is_floating_point or x.dtype is not out.dtype or not out.contiguous or not x.ndim:
        return False
    if x.size:
        x = contiguous(x)
        outer, inner = math.prod(x.shape[:axis]), math.prod(x.shape[axis + 1 :])
        words = (address(out), address(x), x.shape[axis], inner, x.dtype.itemsize, op == "prod", back)
        launch(kernel(x.dtype.name), outer, parts(2 * x.size, outer), words)
    return True


def running_sum(backend: Backend, x: View, *, axis: int, back: bool) -> Any:
    """The running sums of floats, from either end."""
    if not x.ndim or not x.dtype.is_floating_point:
        return NotImplemented
    out = empty(x.shape, x.dtype, x.buffer.device)
    run("sum", out, x, axis, back)
    return out


def running_sum_backward(
    backend: Backend, needs: Sequence[bool], grad: View, *, axis: int, back: bool
) -> Any:
    """The running sums of the gradient from the other end."""
    out = running_sum(backend, grad, axis=axis, back=not back)
    return out if out is NotImplemented else (out,)
