"""``gather`` and ``scatter``: one loop nest for any strides, with every index checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from genesis.backend import View, collapse
from genesis_cpu._kernel import Kernel, launch, parts
from genesis_cpu._memory import address, report
from genesis_cpu.kernels.map import contiguous

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import int64_pointer, real, reals, slot, udiv, umod


# The block of both kernels: three addresses (what is walked, the index, what the index points into), the
# length of the axis (for a scatter, once the indices are checked, the size of an element) and its stride in
# bytes, where to leave a bad index, the number of outer axes, the size of an element or whether to add; then
# the length and the three strides (in bytes) of the inner axis, and the same for each outer axis, last first.
def _gather(args, lo, hi):
    length, stride, bad, outer = slot(args, 3), slot(args, 4), int64_pointer(slot(args, 5)), slot(args, 6)
    n, walk, step, jump = slot(args, 8), slot(args, 9), slot(args, 10), slot(args, 11)
    for row in range(lo, hi):
        out, index, x = slot(args, 0), slot(args, 1), slot(args, 2)
        rest = row
        for d in range(outer):
            j = umod(rest, slot(args, 12 + 4 * d))
            rest = udiv(rest, slot(args, 12 + 4 * d))
            out += j * slot(args, 13 + 4 * d)
            index += j * slot(args, 14 + 4 * d)
            x += j * slot(args, 15 + 4 * d)
        if step == 0:  # one index for the whole row
            i = int64_pointer(index)[0]
            if i < 0 or i >= length:
                bad[0] = 1
                bad[1] = i
            elif walk == slot(args, 7) and jump == slot(args, 7):
                target, source = reals(out), reals(x + i * stride)
                for k in range(n):
                    target[k] = source[k]
            else:
                for k in range(n):
                    reals(out + k * walk)[0] = reals(x + i * stride + k * jump)[0]
        else:
            for k in range(n):
                i = int64_pointer(index + k * step)[0]
                if i < 0 or i >= length:
                    bad[0] = 1
                    bad[1] = i
                else:
                    reals(out + k * walk)[0] = reals(x + i * stride + k * jump)[0]


def _scatter(args, lo, hi):
    stride, outer, add = slot(args, 4), slot(args, 6), slot(args, 7)
    n, walk, step, jump = slot(args, 8), slot(args, 9), slot(args, 10), slot(args, 11)
    for row in range(lo, hi):
        source, index, out = slot(args, 0), slot(args, 1), slot(args, 2)
        rest = row
        for d in range(outer):
            j = umod(rest, slot(args, 12 + 4 * d))
            rest = udiv(rest, slot(args, 12 + 4 * d))
            source += j * slot(args, 13 + 4 * d)
            index += j * slot(args, 14 + 4 * d)
            out += j * slot(args, 15 + 4 * d)
        if step == 0:  # one index for the whole row
            out += int64_pointer(index)[0] * stride
            if walk == slot(args, 3) and jump == slot(args, 3):
                target, values = reals(out), reals(source)
                if add:
                    for k in range(n):
                        target[k] = real(target[k] + values[k])
                else:
                    for k in range(n):
                        target[k] = values[k]
            else:
                for k in range(n):
                    target, value = reals(out + k * jump), reals(source + k * walk)[0]
                    target[0] = real(target[0] + value) if add else value
        else:
            for k in range(n):
                i = int64_pointer(index + k * step)[0]
                target = reals(out + i * stride + k * jump)
                value = reals(source + k * walk)[0]
                target[0] = real(target[0] + value) if add else value


def _check(args, lo, hi):
    """Leave the first bad index of a walk, before a scatter writes anything."""
    length, bad, outer = slot(args, 3), int64_pointer(slot(args, 5)), slot(args, 6)
    n, step = slot(args, 8), slot(args, 10)
    for row in range(lo, hi):
        index = slot(args, 1)
        rest = row
        for d in range(outer):
            index += umod(rest, slot(args, 12 + 4 * d)) * slot(args, 14 + 4 * d)
            rest = udiv(rest, slot(args, 12 + 4 * d))
        for k in range(n if step else 1):
            i = int64_pointer(index + k * step)[0]
            if (i < 0 or i >= length) and bad[0] == 0:
                bad[0] = 1
                bad[1] = i


def _merge(args, lo, hi):
    """One position for several indices, each along an axis of its own; negative ones count from the end."""
    out, count, bad = int64_pointer(slot(args, 0)), slot(args, 1), int64_pointer(slot(args, 2))
    for k in range(lo, hi):
        place = 0
        for axis in range(count):
            i, length = int64_pointer(slot(args, 3 + 2 * axis))[k], slot(args, 4 + 2 * axis)
            if i < -length or i >= length:
                bad[0] = 1
                bad[1] = i
            if i < 0:
                i += length
            place = place * length + i
        out[k] = place


merge = Kernel(_merge)
gather_kernel, scatter_kernel, check = Kernel(_gather), Kernel(_scatter), Kernel(_check)
_BITS = {1: "int8", 2: "int16", 4: "int32", 8: "int64"}  # moving a number needs only its bits


def _walk(first: View, index: View, second: View, axis: int, flag: int) -> tuple[list[int], int, int]:
    """The argument block, the number of rows, and the number of elements."""
    fixed = list(second.strides)
    fixed[axis] = 0  # the index says where along this axis
    shape = index.shape
    sizes, strides = collapse(shape, [first.strides, index.strides, fixed], keep_order=True)
    if not sizes:
        sizes, strides = [1], [[0], [0], [0]]
    units = (first.dtype.itemsize, 8, second.dtype.itemsize)
    words = [
        address(first), address(index), address(second), second.shape[axis],
        second.strides[axis] * second.dtype.itemsize, report.address, len(sizes) - 1, flag,
    ]  # fmt: skip
    rows = 1
    for d in range(len(sizes) - 1, -1, -1):
        words += [sizes[d], *[s[d] * unit for s, unit in zip(strides, units, strict=True)]]
        if d < len(sizes) - 1:
            rows *= sizes[d]
    return words, rows, rows * sizes[-1]


def _complain(length: int) -> None:
    bad = report.take()
    if bad is not None:
        raise IndexError(f"index {bad} is out of range for an axis of length {length}")


def gather(out: View, x: View, index: View, axis: int) -> None:
    """``Backend.gather``."""
    if not out.size:
        return
    words, rows, size = _walk(out, index, x, axis, out.dtype.itemsize)
    launch(gather_kernel(_BITS[out.dtype.itemsize]), rows, parts(2 * size, rows), words)
    _complain(x.shape[axis])


def merge_indices(out: View, indices: Sequence[View], lengths: Sequence[int]) -> None:
    """``Backend.merge_indices``."""
    if not out.size:
        return
    words = [address(out), len(indices), report.address]
    indices = [contiguous(i) for i in indices]
    for i, length in zip(indices, lengths, strict=True):
        words += (address(i), length)
    launch(merge("int64"), out.size, parts(out.size * len(indices), out.size), words)
    bad = report.take()
    if bad is not None:
        raise IndexError(f"index {bad} is out of range")


def scatter(op: str, out: View, index: View, source: View, axis: int) -> None:
    """``Backend.scatter``; on one thread, because two indices may name the same place."""
    if not index.size:
        return
    words, rows, _ = _walk(source, index, out, axis, op == "add")
    launch(check("int64"), rows, 1, words)
    _complain(out.shape[axis])
    name = out.dtype.name if op == "add" and out.dtype.kind != "b" else _BITS[out.dtype.itemsize]
    words[3] = out.dtype.itemsize  # the length is known to be kept
    launch(scatter_kernel(name), rows, 1, words)
