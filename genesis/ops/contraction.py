"""Einstein's summation, contracted two operands at a time through matrix products."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from genesis.autograd.graph import TensorCore
from genesis.ops.linalg import product
from genesis.ops.parts import diagonal
from genesis.ops.reduction import sum
from genesis.ops.shape import movedim, permute, reshape, squeeze

if TYPE_CHECKING:
    from genesis._tensor import Tensor

#: a label: a letter's number, or a negative number for an axis of the ellipsis, -1 for the last
Labels = list[int]
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ELLIPSIS = 99


def einsum(*args: Any) -> Tensor:
    """Sums of products by subscripts: ``einsum("ij,jk->ik", a, b)``.

    Letters name axes; an axis that is not in the output is summed over, a repeated letter within an operand
    takes the diagonal, ``...`` stands for any further axes, which broadcast.  Without ``->`` the output has
    the ellipsis and then the letters that appear once, in alphabetical order (capitals first).  Instead of
    the text, ``einsum(a, [0, 1], b, [1, 2], [0, 2])`` gives lists of numbers below 52 and ``...``.

    Several operands are contracted by a greedy rule: the pair whose result is smallest first.

    Raises:
        RuntimeError: the equation is malformed or does not fit the operands.
    """
    inputs, output, operands = _parse(args)
    labels, operands = _axes(inputs, operands)
    seen = [x for ls in labels for x in ls]
    if output is None:
        dots = sorted({x for x in seen if x < 0})
        once = [x for x in set(seen) if x >= 0 and _once(x, inputs)]
        want = dots + sorted(once)
    else:
        want = []
        for x in output:
            want += sorted({y for y in seen if y < 0}) if x == _ELLIPSIS else [x]
        for x in want:
            if x not in seen:
                raise RuntimeError(
                    f"einsum(): output subscript {_LETTERS[x]} does not appear in the equation for any input"
                )
        if len(set(want)) != len(want):
            raise RuntimeError("einsum(): an output subscript appears more than once in the output")
    return _contract(operands, labels, want)


def _once(x: int, inputs: list[Labels]) -> bool:
    return [y for ls in inputs for y in ls].count(x) == 1


# -- reading -----------------------------------------------------------------------------------------------
def _parse(args: tuple[Any, ...]) -> tuple[list[Labels], Labels | None, list[Any]]:
    """Labels of the operands, of the output if given, and the operands."""
    if not args:
        raise ValueError("einsum(): must specify the equation string and at least one operand")
    if isinstance(args[0], TensorCore):
        operands, rest = [], list(args)
        lists: list[Labels] = []
        while len(rest) >= 2:
            operands.append(rest.pop(0))
            lists.append([_number(x) for x in rest.pop(0)])
        output = [_number(x) for x in rest[0]] if rest else None
    else:
        equation, operands = args[0], list(args[1:])
        if not isinstance(equation, str):
            raise TypeError(f"einsum(): the equation is a text, got {type(equation).__name__}")
        if len(operands) == 1 and not isinstance(operands[0], TensorCore):
            operands = list(operands[0])
        text = equation.replace(" ", "")
        left, arrow, right = text.partition("->")
        lists = [_letters(part, equation) for part in left.split(",")]
        output = _letters(right, equation) if arrow else None
    for x in operands:
        if not isinstance(x, TensorCore):
            raise TypeError(f"einsum() takes tensors, got {type(x).__name__}")
    if not operands:
        raise ValueError("einsum(): must provide at least one operand")
    if len(lists) != len(operands):
        raise RuntimeError(
            f"einsum(): the equation has subscripts for {len(lists)} operands, but {len(operands)} were given"
        )
    return lists, output, operands


def _number(x: Any) -> int:
    if x is Ellipsis:
        return _ELLIPSIS
    if not 0 <= int(x) < len(_LETTERS):
        raise ValueError(f"einsum(): subscripts in lists are numbers from 0 to 51, got {x}")
    return int(x)


def _letters(part: str, equation: str) -> Labels:
    out: Labels = []
    i = 0
    while i < len(part):
        if part[i] == ".":
            if part[i : i + 3] != "..." or _ELLIPSIS in out:
                raise RuntimeError(
                    f"einsum(): found '.' that is not part of a single ellipsis in {equation!r}"
                )
            out.append(_ELLIPSIS)
            i += 3
            continue
        if part[i] not in _LETTERS:
            raise RuntimeError(
                f"einsum(): subscripts must be in [a-zA-Z], but found {part[i]!r} in {equation!r}"
            )
        out.append(_LETTERS.index(part[i]))
        i += 1
    return out


def _axes(inputs: list[Labels], operands: list[Any]) -> tuple[list[Labels], list[Any]]:
    """A label for each axis, with ellipses spread and repeated labels reduced to their diagonal."""
    labels, taken = [], []
    for given, x in zip(inputs, operands, strict=True):
        named = len(given) - (_ELLIPSIS in given)
        extra = x.dim() - named
        if extra < 0 or (extra and _ELLIPSIS not in given):
            raise RuntimeError(
                f"einsum(): the number of subscripts ({named}) does not match the number of dimensions "
                f"({x.dim()}) of an operand of shape {tuple(x.shape)}"
            )
        ls: Labels = []
        for label in given:
            ls += range(-extra, 0) if label == _ELLIPSIS else [label]
        for label in [y for y in dict.fromkeys(ls) if ls.count(y) > 1]:
            while ls.count(label) > 1:
                i = ls.index(label)
                j = ls.index(label, i + 1)
                if x._view.shape[i] != x._view.shape[j]:
                    raise RuntimeError(
                        f"einsum(): subscript {_LETTERS[label]} is repeated for an operand but the sizes "
                        f"don't match, {x._view.shape[j]} != {x._view.shape[i]}"
                    )
                x = movedim(diagonal(x, 0, i, j), -1, i)
                del ls[j]
        labels.append(ls)
        taken.append(x)
    _check_sizes(labels, taken)
    return labels, taken


def _check_sizes(labels: list[Labels], operands: list[Any]) -> None:
    sizes: dict[int, int] = {}
    for ls, x in zip(labels, operands, strict=True):
        for label, n in zip(ls, x._view.shape, strict=True):
            if sizes.get(label, 1) == 1:
                sizes[label] = n
            elif n not in (1, sizes[label]):
                raise RuntimeError(
                    f"einsum(): operands do not broadcast: subscript {_LETTERS[label]} has sizes "
                    f"{sizes[label]} and {n}"
                )


# -- computing ---------------------------------------------------------------------------------------------
def _contract(operands: list[Any], labels: list[Labels], want: Labels) -> Tensor:
    terms = list(zip(operands, labels, strict=True))
    while len(terms) > 1:
        i, j = _next(terms, want)
        (b, lb), (a, la) = terms.pop(j), terms.pop(i)
        needed = set(want).union(*[ls for _, ls in terms])
        terms.insert(i, _pair(a, la, b, lb, needed))
    x, ls = terms[0]
    axes = [i for i, label in enumerate(ls) if label not in want]
    if axes:  # of one operand alone: integers become int64, as in any sum
        x, ls = sum(x, axes), [label for label in ls if label in want]
    out: Tensor = permute(x, [ls.index(label) for label in want])
    return out


def _next(terms: list[Any], want: Labels) -> tuple[int, int]:
    """The pair to contract next: whose result is smallest beside what it replaces."""
    if len(terms) == 2:
        return 0, 1
    best: tuple[float, int, int] | None = None
    for i in range(len(terms)):
        for j in range(i + 1, len(terms)):
            (a, la), (b, lb) = terms[i], terms[j]
            others = [ls for k, (_, ls) in enumerate(terms) if k not in (i, j)]
            sizes: dict[int, int] = {}
            for x, ls in ((a, la), (b, lb)):
                for label, n in zip(ls, x._view.shape, strict=True):
                    sizes[label] = max(n, sizes.get(label, n))
            kept = math.prod(n for label, n in sizes.items() if label in set(want).union(*others))
            found = (float(kept - a._view.size - b._view.size), i, j)
            best = found if best is None else min(best, found)
    assert best is not None
    return best[1], best[2]


def _sum_out(x: Any, ls: Labels, needed: set[int]) -> tuple[Any, Labels]:
    """Sum over the axes that nothing else needs."""
    axes = [i for i, label in enumerate(ls) if label not in needed]
    if not axes:
        return x, ls
    return sum(x, axes, dtype=x.dtype), [label for label in ls if label in needed]


def _pair(a: Any, la: Labels, b: Any, lb: Labels, needed: set[int]) -> tuple[Any, Labels]:
    """The product of two operands, summed over what is not ``needed``."""
    for label in [x for x in la if x in lb]:  # an axis of length 1 beside a longer one: it is not there
        i, j = la.index(label), lb.index(label)
        m, n = a._view.shape[i], b._view.shape[j]
        if m == 1 and n != 1:
            a, la = squeeze(a, i), la[:i] + la[i + 1 :]
        elif n == 1 and m != 1:
            b, lb = squeeze(b, j), lb[:j] + lb[j + 1 :]
    a, la = _sum_out(a, la, needed | set(lb))
    b, lb = _sum_out(b, lb, needed | set(la))
    shared = [x for x in la if x in lb]
    batch = [x for x in shared if x in needed]
    inner = [x for x in shared if x not in needed]
    left = [x for x in la if x not in shared]
    right = [x for x in lb if x not in shared]
    a = permute(a, [la.index(x) for x in batch + left + inner])
    b = permute(b, [lb.index(x) for x in batch + inner + right])
    s, t = a._view.shape, b._view.shape
    shape = s[: len(batch) + len(left)] + t[len(batch) + len(inner) :]
    if not inner:
        wide = reshape(a, (*shape[: len(batch) + len(left)], *(1,) * len(right)))
        narrow = reshape(b, (*s[: len(batch)], *(1,) * len(left), *t[len(batch) :]))
        return wide * narrow, batch + left + right
    if a.dtype is not b.dtype:
        raise RuntimeError(f"einsum(): expected operands of the same dtype, got {a.dtype} and {b.dtype}")
    n, k = math.prod(s[: len(batch)]), math.prod(s[len(batch) + len(left) :])
    m, p = math.prod(s[len(batch) : len(batch) + len(left)]), math.prod(t[len(batch) + len(inner) :])
    if batch:
        out = product(reshape(a, (n, m, k)), reshape(b, (n, k, p)))
    else:
        out = product(reshape(a, (m, k)), reshape(b, (k, p)))
    return reshape(out, shape), batch + left + right
