"""``genesis.backend.collapse``: with how few axes operands can be walked."""

from __future__ import annotations

import itertools

import pytest

from genesis.backend import collapse


def test_axes_are_dropped_ordered_and_merged() -> None:
    assert collapse((2, 3, 4), [(12, 4, 1)]) == ([24], [[1]])
    assert collapse((2, 1, 4), [(4, 9, 1), (1, 9, 2)]) == ([2, 4], [[4, 1], [1, 2]])
    assert collapse((2, 3), [(1, 2)]) == ([6], [[1]]), "the memory's order"
    assert collapse((2, 3), [(1, 2)], keep_order=True) == ([2, 3], [[1, 2]])
    assert collapse((2, 3), [(3, 1), (0, 0)]) == ([6], [[1], [0]])
    assert collapse((1, 1), [(5, 5), (0, 0)]) == ([], [[], []])
    assert collapse((), [()]) == ([], [[]])


@pytest.mark.parametrize("keep_order", [False, True])
def test_the_same_elements_are_walked(keep_order: bool) -> None:
    shape = (2, 3, 1, 4)
    strides = [(12, 4, 4, 1), (1, 2, 0, 6), (0, -4, 3, 1)]

    def places(sizes, steps):
        indices = itertools.product(*[range(n) for n in sizes])
        return [tuple(sum(i * t for i, t in zip(at, s, strict=True)) for s in steps) for at in indices]

    whole, fewer = places(shape, strides), places(*collapse(shape, strides, keep_order))
    assert sorted(whole) == sorted(fewer)
    assert not keep_order or whole == fewer
