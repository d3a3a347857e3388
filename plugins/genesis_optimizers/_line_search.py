"""A step along a direction that satisfies the strong Wolfe conditions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

# How much of the promised descent a step has to bring, and of the slope it may leave.
_DESCENT, _SLOPE = 1e-4, 0.9


class Point(NamedTuple):
    """What is known at a distance along the direction.

    Attributes:
        t: The distance.
        value: The loss there.
        grad: The gradient there, flat.
        slope: The derivative along the direction.
    """

    t: float
    value: float
    grad: Any
    slope: float


def strong_wolfe(
    evaluate: Callable[[float], Point], origin: Point, t: float, size: float, tolerance: float, most: int
) -> tuple[Point, int]:
    """Find a distance where the loss is low enough and flat enough.

    Args:
        evaluate: The point at a distance.
        origin: The point at 0.
        t: The distance to try first.
        size: The largest element of the direction.
        tolerance: A bracket in which no element moves by so much is not searched further.
        most: How many tries there are after the first one.

    Returns:
        The best point found, and the number of evaluations.

    References: Nocedal and Wright, Numerical Optimization, 2006, algorithms 3.5 and 3.6.
    """

    def too_high(point: Point) -> bool:
        return point.value > origin.value + _DESCENT * point.t * origin.slope

    def flat(point: Point) -> bool:
        return abs(point.slope) <= -_SLOPE * origin.slope

    before, point, tries = origin, evaluate(t), 0
    while tries < most:
        if too_high(point) or (tries > 1 and point.value >= before.value):
            break
        if flat(point):
            return point, tries + 1
        if point.slope >= 0:
            break
        t = _cubic(before, point, point.t + 0.01 * (point.t - before.t), 10 * point.t)
        before, point = point, evaluate(t)
        tries += 1
    else:
        before = origin  # nothing was bracketed: the better of the two ends it is
    return _zoom(evaluate, too_high, flat, [before, point], size, tolerance, tries, most)


def _zoom(
    evaluate: Callable[[float], Point], too_high: Callable[[Point], bool], flat: Callable[[Point], bool],
    bracket: list[Point], size: float, tolerance: float, tries: int, most: int,
) -> tuple[Point, int]:  # fmt: skip
    """Shrink a bracket around a good point until it is found."""
    low = int(not bracket[0].value <= bracket[1].value)
    close = False  # the last try was near an end of the bracket
    while tries < most:
        left, right = sorted((bracket[0].t, bracket[1].t))
        if (right - left) * size < tolerance:
            break
        t = _cubic(bracket[0], bracket[1], left, right)
        margin = 0.1 * (right - left)
        if min(right - t, t - left) >= margin:
            close = False
        elif close or t >= right or t <= left:
            t = right - margin if abs(t - right) < abs(t - left) else left + margin
            close = False
        else:
            close = True
        point = evaluate(t)
        tries += 1
        high = 1 - low
        if too_high(point) or point.value >= bracket[low].value:
            bracket[high] = point
            low = int(not bracket[0].value <= bracket[1].value)
            continue
        done = flat(point)
        if not done and point.slope * (bracket[high].t - bracket[low].t) >= 0:
            bracket[high] = bracket[low]
        bracket[low] = point
        if done:
            break
    return bracket[low], tries + 1


def _cubic(a: Point, b: Point, least: float, most: float) -> float:
    """Where the cubic through two points, with their slopes, is lowest between two bounds."""
    if a.t > b.t:
        a, b = b, a
    middle = (least + most) / 2
    if a.t == b.t:
        return middle
    d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:
        return middle
    d2 = math.sqrt(square)
    below = b.slope - a.slope + 2 * d2
    if below == 0:
        return middle
    return min(max(b.t - (b.t - a.t) * ((b.slope + d2 - d1) / below), least), most)
