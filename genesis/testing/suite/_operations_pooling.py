"""Pooling, through the operations that a device may have kernels for."""

from typing import Any

from genesis.ops import pools
from genesis.ops.fractional import fractional_max_pool_nd
from genesis.testing.suite._operations import case, floats, positive

LINE, PLANE, SPACE = floats(1, 2, 5), floats(1, 2, 5, 4), floats(1, 1, 3, 4, 3)

case("max_pool1d", lambda ns, x: ns.max_pool1d(x, 2), LINE)
case("max_pool1d_with_indices", lambda ns, x: ns.max_pool1d_with_indices(x, 3, 2, 1)[0], LINE, parity=False)
case("max_pool2d", lambda ns, x: ns.max_pool2d(x, 3, 2, 1), PLANE, label="overlapping")
case("max_pool2d", lambda ns, x: ns.max_pool2d(x, 2, 1, 0, (2, 1)), PLANE, label="dilation")
case("max_pool3d", lambda ns, x: ns.max_pool3d(x, 2, 1), SPACE)
case("avg_pool1d", lambda ns, x: ns.avg_pool1d(x, 3, 2, 1, True, False), LINE)
case("adaptive_avg_pool1d", lambda ns, x: ns.adaptive_avg_pool1d(x, 3), LINE)
case("adaptive_max_pool1d", lambda ns, x: ns.adaptive_max_pool1d(x, 3)[0], LINE, parity=False)


def nd(name: str, run: Any, *arrays: Any, label: str) -> None:
    case(name, lambda ns, *xs: run(*xs), *arrays, parity=False, label=label)


nd("pools", lambda x: pools.avg_pool_nd(2, x, 3, 2, 1, True, True), PLANE, label="avg_pool2d")
nd("pools", lambda x: pools.avg_pool_nd(2, x, 2, 2, 0, False, True, 3), PLANE, label="avg_pool2d divisor")
nd("pools", lambda x: pools.avg_pool_nd(3, x, 2, 1, 1, False, False), SPACE, label="avg_pool3d")
nd("pools", lambda x: pools.adaptive_avg_pool_nd(2, x, (3, 2)), PLANE, label="adaptive_avg_pool2d")
nd("pools", lambda x: pools.adaptive_avg_pool_nd(2, x, 1), PLANE, label="adaptive_avg_pool2d, all")
nd("pools", lambda x: pools.adaptive_max_pool_nd(2, x, (3, 2))[0], PLANE, label="adaptive_max_pool2d")
nd("pools", lambda x: pools.adaptive_avg_pool_nd(3, x, 2), SPACE, label="adaptive_avg_pool3d")
nd("pools", lambda x: pools.adaptive_max_pool_nd(3, x, 2)[0], SPACE, label="adaptive_max_pool3d")
nd("pools", lambda x: pools.lp_pool_nd(2, x, 3.0, 2, None, True), positive(1, 2, 5, 4), label="lp_pool2d")


def fractional(x: Any) -> Any:
    u = x.new_tensor([[[0.3, 0.6], [0.8, 0.1]]])
    return fractional_max_pool_nd(2, x, 2, (3, 2), None, u)[0]


nd("pools", fractional, PLANE, label="fractional_max_pool2d")


def unpool(x: Any) -> Any:
    places = x.new_tensor([[0, 3], [9, 14]]).long().expand(1, 2, 2, 2)
    return pools.max_unpool_nd(2, x, places, 2, 2, 0, None)


nd("pools", unpool, floats(1, 2, 2, 2), label="max_unpool2d")
