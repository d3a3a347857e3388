"""``matmul``: BLAS at one thread, on blocks of rows or columns, on Numba's threads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from genesis.backend import View, arg, collapse
from genesis_cpu import _threads
from genesis_cpu._kernel import Kernel, launch
from genesis_cpu._memory import address, array, scratch, table
from genesis_cpu._processor import ROOM, wide, width
from genesis_cpu.kernels import map as elementwise
from genesis_cpu.kernels.map import duplicate, remember

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import gemm, max_, product, real, reals, slot

#: multiplications below which a second thread costs more than it brings
ALONE = 400_000


def _products(args, lo, hi):
    """Blocks lo … hi - 1 of a batch of products; a block is part of the rows, columns or terms of one."""
    c, a, b, bias, plan = slot(args, 0), slot(args, 1), slot(args, 2), slot(args, 3), slot(args, 4)
    work, sums, others = slot(args, 5), slot(args, 6), slot(args, 7)
    m, n, k = slot(plan, 0), slot(plan, 1), slot(plan, 2)
    lda, ldb, ldc = slot(plan, 3), slot(plan, 4), slot(plan, 5)
    flags, pieces, inner = slot(plan, 6), slot(plan, 7), slot(plan, 8)
    a0, b0, c0 = slot(plan, 9), slot(plan, 10), slot(plan, 11)
    a1, b1, c1 = slot(plan, 12), slot(plan, 13), slot(plan, 14)
    a_turned, b_turned, by_rows, add = flags & 1, (flags >> 1) & 1, flags & 4, flags & 8
    own, positive, by_terms = flags & 16, flags & 32, flags & 64
    size = slot(plan, 15)
    for t in range(lo, hi):
        matrix, piece = t // pieces, t % pieces
        i, j = matrix // inner, matrix % inner
        pa, pb, pc = a + i * a0 + j * a1, b + i * b0 + j * b1, c + i * c0 + j * c1
        r0, r1, q0, q1, t0, t1 = 0, m, 0, n, 0, k
        if by_terms:
            t0, t1 = piece * k // pieces // 16 * 16, (piece + 1) * k // pieces // 16 * 16
            if piece == pieces - 1:
                t1 = k
        elif by_rows:
            r0, r1 = piece * m // pieces // 8 * 8, (piece + 1) * m // pieces // 8 * 8
            if piece == pieces - 1:
                r1 = m
        else:
            q0, q1 = piece * n // pieces // 16 * 16, (piece + 1) * n // pieces // 16 * 16
            if piece == pieces - 1:
                q1 = n
        if r1 <= r0 or q1 <= q0:
            continue
        pa += size * (r0 + t0 * lda if a_turned else r0 * lda + t0)
        pb += size * (q0 * ldb + t0 if b_turned else q0 + t0 * ldb)
        pc += size * (r0 * ldc + q0)
        beta = real(1) if bias or add else real(0)
        if own:
            start, pitch, across = (bias + size * q0, 0, ldc) if bias else (pc, ldc, ldc)
            total = sums + size * r0 if sums and q0 == 0 else 0
            if by_terms and piece:  # what is added to the result afterwards
                pc = others + (piece - 1) * m * (n + 1) * size
                start, pitch, across, beta = pc, n, n, real(0)
                total = pc + m * n * size if sums else 0
            product(
                a_turned, b_turned, r1 - r0, q1 - q0, t1 - t0, pa, lda, pb, ldb, beta, start, pitch, pc,
                across, size, real(1), positive, work + t * ROOM if work else 0, total,
            )  # fmt: skip
            continue
        if bias:
            # BLAS clears (or scales) its result before it adds to it, so starting from the bias is free
            row = reals(bias)
            for r in range(r1 - r0):
                target = reals(pc + size * r * ldc)
                for q in range(q1 - q0):
                    target[q] = row[q0 + q]
        gemm(a_turned, b_turned, r1 - r0, q1 - q0, k, pa, lda, pb, ldb, beta, pc, ldc)
        if positive:
            for r in range(r1 - r0):
                target = reals(pc + size * r * ldc)
                for q in range(q1 - q0):
                    target[q] = max_(target[q], real(0))


def _add_pieces(args, lo, hi):
    """Add up what the pieces of a product by terms gave, for rows lo … hi - 1; and of their sums."""
    c, others, plan, sums = slot(args, 0), slot(args, 1), slot(args, 2), slot(args, 3)
    m, n, ldc, pieces, size = slot(plan, 0), slot(plan, 1), slot(plan, 5), slot(plan, 7), slot(plan, 15)
    for piece in range(pieces - 1):
        part = others + piece * m * (n + 1) * size
        for r in range(lo, hi):
            target, source = reals(c + r * ldc * size), reals(part + r * n * size)
            for q in range(n):
                target[q] += source[q]
        if sums:
            target, source = reals(sums), reals(part + m * n * size)
            for r in range(lo, hi):
                target[r] += source[r]


add_pieces = Kernel(_add_pieces)
products = Kernel(
    _products,
    "from genesis_cpu._blas_call import gemm\nfrom genesis_cpu._gemm import product\n"
    "from genesis_cpu._processor import ROOM",
)


def _blas() -> bool:
    from genesis_cpu._blas import available

    return available()


def _stored(rows: int, columns: int, row: int, column: int) -> tuple[int, int] | None:
    """(1 if stored transposed, leading dimension) of a matrix with these strides, or None for other walks."""
    if (column == 1 or columns == 1) and (row >= columns or rows == 1):
        return 0, max(row if rows > 1 else columns, columns, 1)
    if (row == 1 or rows == 1) and (column >= rows or columns == 1):
        return 1, max(column if columns > 1 else rows, rows, 1)
    return None


def _own(m: int, n: int, k: int, itemsize: int) -> bool:
    """Whether our own tiles are faster than BLAS: by a tenth for most shapes that networks have.

    There must be enough rows to pay for the copies of the right factor, and its last panel must not be so
    empty that two fifths of the work are for nothing. BLAS is better by a few hundredths where all three are
    long.
    """
    if m < 32 or k < 64 or min(m, n, k) > 1024:
        return False
    wide = _panel(itemsize)
    return bool(wide) and n >= 0.6 * (-(-n // wide) * wide)


@cache
def _panel(itemsize: int) -> int:
    """Columns of a panel of our own products; 0 where BLAS makes them all."""
    return width(itemsize) if wide() else 0  # 32 wide registers, where the tiles were measured


def _by_terms(m: int, n: int, k: int, pieces: int) -> bool:
    """Whether to cut the terms of a product with a turned left factor, such as the gradient of a weight.

    The rows of both factors then stay with the core that wrote them; all pieces but one give a result of
    their own, which is added to that of the first.
    """
    return pieces > 1 and k * (m + n) >= 4 * (pieces - 1) * m * n


def _copied(turned: int, ld: int, itemsize: int) -> bool:
    """Whether our own tiles read a copy of the left factor: where a tile's part lies on many pages."""
    return bool(turned) or ld * itemsize >= 4096


class Plan:
    """All about a product but where its factors and its result lie.

    Attributes:
        room: bytes for copies of the left factor; 0 where it is read where it lies.
        sums: whether it can also give the sums of the rows of the left factor.
        others: bytes for the results of all pieces but the first, where the terms of the sums are cut; and 0.
        adding: the kernel that adds them up, and 0.
        rows: of the result.
    """

    __slots__ = ("_owner", "adding", "cut", "kernel", "others", "room", "rows", "sums", "total", "words")

    def __init__(
        self, kernel: int, total: int, cut: int, words: Sequence[int], room: int, turned: int, adding: int = 0
    ) -> None:
        self.kernel, self.total, self.cut, self.room = kernel, total, cut, room
        self.adding, self.rows = adding, words[0]
        self.others = (total - 1) * words[0] * (words[1] + 1) * words[-1] if adding else 0
        self.sums = bool(room and turned)
        self.words, self._owner = table(words)

    def run(self, out: View, a: View, b: View, bias: View | None = None, sums: View | None = None) -> None:
        """Multiply what lies there; ``sums`` is where those of the left factor's rows go."""
        work = 0
        out_at, a_at, b_at = address(out), address(a), address(b)
        bias_at = 0 if bias is None else address(bias)
        sums_at = 0 if sums is None else address(sums)
        if self.room:
            work, owner = scratch(self.room)  # noqa: RUF059 - owner keeps it
        if self.cut == 1:
            _threads.serial(
                self.kernel, self.total, out_at, a_at, b_at, bias_at, self.words, work, sums_at
            )  # fmt: skip
            return
        words = (out_at, a_at, b_at, bias_at, self.words, work, sums_at)
        views = (out, a, b, bias, sums)
        if not self.adding:
            launch(self.kernel, self.total, self.cut, words, views=views)
        else:
            others, owner_of_others = scratch(self.others)  # noqa: RUF059 - likewise
            launch(self.kernel, self.total, self.cut, (*words, others), views=views)
            launch(
                self.adding, self.rows, self.cut, (out_at, others, self.words, sums_at), views=(out, sums)
            )  # fmt: skip


_plans: dict[tuple[Any, ...], Plan | None] = {}


def run(out: View, a: View, b: View, bias: View | None = None, add: bool = False) -> None:
    """``Backend.matmul``, starting from ``bias`` (a contiguous row) or, with ``add``, from ``out``."""
    plan = plan_of(out, a, b, add)
    if plan is None:
        _run(out, a, b, bias, add)
    else:
        plan.run(out, a, b, bias)


def plan_of(out: View, a: View, b: View, add: bool = False, positive: bool = False) -> Plan | None:
    """How to multiply such matrices; None where that takes more than a launch.

    With ``positive``, what is below zero becomes zero.
    """
    key = (
        out.shape, out.strides, a.shape, a.strides, b.shape, b.strides,
        out.dtype, add, positive, _threads.count,
    )  # fmt: skip
    try:
        return _plans[key]
    except KeyError:
        plan: Plan | None = remember(_plans, key, _plan(out, a, b, add, positive))
        return plan


def _by_blas(out: View, a: View, b: View) -> bool:
    m, k = a.shape[-2:]
    return out.dtype.is_floating_point and max(m, b.shape[-1], k) < 2**31 and k > 0 and _blas()


def _plan(out: View, a: View, b: View, add: bool, positive: bool) -> Plan | None:
    m, k = a.shape[-2:]
    n = b.shape[-1]
    if not out.size or not _by_blas(out, a, b):
        return None
    first, second = _stored(m, k, *a.strides[-2:]), _stored(k, n, *b.strides[-2:])
    target = _stored(m, n, *out.strides[-2:])
    if target is None or target[0] or first is None or second is None:
        return None
    batch, inner = 1, 1
    sa = sb = sc = (0, 0)
    if len(out.shape) > 2:
        sizes, strides = collapse(out.shape[:-2], [v.strides[:-2] for v in (out, a, b)], keep_order=True)
        if len(sizes) > 2:
            return None
        if len(sizes) == 1:
            batch, (sc, sa, sb) = sizes[0], [(s[0], 0) for s in strides]
            if not sb[0] and not first[0] and sa[0] == m * first[1] and sc[0] == m * target[1]:
                m, batch = m * batch, 1  # one matrix on the right for all: their rows are one tall matrix
        elif sizes:
            batch, inner = sizes[0] * sizes[1], sizes[1]
            sc, sa, sb = [(s[0], s[1]) for s in strides]
    threads = _threads.get_num_threads()
    if m * n * k * batch < ALONE:
        threads = 1
    pieces = 1 if batch >= threads else -(-threads // batch)
    own = _own(m, n, k, out.dtype.itemsize)
    # what is cut is copied once, the other factor by every thread; a turned left one takes 3.5 times as long
    by_rows = m >= n or (own and first[0] == 1 and m >= 128 * threads and 7 * m >= 2 * n)
    by_terms = own and first[0] == 1 and batch == 1 and not positive and _by_terms(m, n, k, pieces)
    pieces = max(1, min(pieces, (k if by_terms else m if by_rows else n) // 16))
    flags = first[0] | second[0] << 1 | by_rows << 2 | add << 3 | own << 4 | positive << 5 | by_terms << 6
    size = out.dtype.itemsize
    words = (
        m, n, k, first[1], second[1], target[1], flags, pieces, inner,
        sa[0] * size, sb[0] * size, sc[0] * size, sa[1] * size, sb[1] * size, sc[1] * size, size,
    )  # fmt: skip
    total = batch * pieces
    room = total * ROOM if own and batch == 1 and _copied(*first, size) else 0
    real = out.dtype.name
    return Plan(
        products(real), total, min(threads, total), words, room, first[0], add_pieces(real) if by_terms else 0
    )


def _run(out: View, a: View, b: View, bias: View | None, add: bool) -> None:
    """A product that takes copies, or NumPy."""
    m, k = a.shape[-2:]
    n = b.shape[-1]
    if not out.size:
        return
    if not _by_blas(out, a, b):
        _by_numpy(out, a, b, bias, add)
        return
    target = _stored(m, n, *out.strides[-2:])
    if target is None or target[0]:
        copy = duplicate(out)
        run(copy, a, b, bias, add)
        elementwise.run(arg(0), out, (copy,))
        return
    first, second = _stored(m, k, *a.strides[-2:]), _stored(k, n, *b.strides[-2:])
    if first is None or second is None:
        run(out, duplicate(a) if first is None else a, duplicate(b) if second is None else b, bias, add)
        return
    # more than two leading axes that do not merge
    a, b = duplicate(a), duplicate(b)
    copy = out if out.contiguous else duplicate(out)
    c3, a3, b3 = (v.reshape((math.prod(out.shape[:-2]), *v.shape[-2:])) for v in (copy, a, b))
    assert c3 is not None and a3 is not None and b3 is not None  # noqa: PT018
    run(c3, a3, b3, bias, add)
    if copy is not out:
        elementwise.run(arg(0), out, (copy,))


def _by_numpy(out: View, a: View, b: View, bias: View | None, add: bool) -> None:
    result = np.matmul(array(a), array(b))
    if bias is not None:
        result = result + array(bias)
    target = array(out)
    if add:
        target += result
    else:
        target[...] = result
