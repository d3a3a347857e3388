"""Changes of shape, parts, joins, indexing and sorting, for the checks of gradients.

``parity=False``: tests/parity/table has the case; PyTorch warns of it, or its gradient is another.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from genesis.testing.suite._operations import NOT_DIFFERENTIABLE, bools, case, floats, integers, strided

A, B, ROW, CUBE, POINT = floats(3, 4), floats(3, 4), floats(4), floats(2, 3, 4), np.array(0.7)
SQUARE = floats(3, 3)

NOT_DIFFERENTIABLE.update(
    ["argwhere", "broadcast_shapes", "bucketize", "searchsorted", "unique", "unique_consecutive"]
)

# -- shape -------------------------------------------------------------------------------------------------
case("ravel", lambda ns, x: ns.ravel(x), strided(A))
case("swapaxes", lambda ns, x: ns.swapaxes(x, 0, 2), CUBE)
case("swapdims", lambda ns, x: ns.swapdims(x, -1, 1), CUBE)
case("adjoint", lambda ns, x: ns.adjoint(x), CUBE)
case("broadcast_to", lambda ns, x: ns.broadcast_to(x, (2, 3, 4)), ROW)
case("broadcast_tensors", lambda ns, a, b: ns.broadcast_tensors(a, b), floats(3, 1), ROW)
case("as_strided", lambda ns, x: ns.as_strided(x, (2, 2), (4, 1), 1), A)
case("as_strided", lambda ns, x: ns.as_strided(x, (3, 3), (2, 2)), A, label="elements that repeat")
case("as_strided", lambda ns, x: ns.as_strided(x, (2, 3), (1, 4)), strided(A), label="strided")
case("as_strided", lambda ns, x: ns.as_strided(x.expand(3, 4), (2,), (3,)), ROW, label="of repeated")
case("unfold", lambda ns, x: x.unfold(-1, 2, 1), A, label="overlapping")
case("unfold", lambda ns, x: x.unfold(0, 2, 2), floats(5, 2), label="with a rest")
case("diagonal", lambda ns, x: ns.diagonal(x, 1), A)
case("diagonal", lambda ns, x: ns.diagonal(x, -1, 0, 2), CUBE, label="axes")
case("diag", lambda ns, x: ns.diag(x, 1), A)
case("diag", lambda ns, x: ns.diag(x, -1), ROW)
case("diag_embed", lambda ns, x: ns.diag_embed(x, 1, 0, 2), A)
case("diagflat", lambda ns, x: ns.diagflat(x), floats(2, 2))
case("trace", lambda ns, x: ns.trace(x), A)
case("narrow_copy", lambda ns, x: ns.narrow_copy(x, 1, 1, 2), A)
case("split_with_sizes", lambda ns, x: ns.split_with_sizes(x, [1, 3], 1), A)
case("tensor_split", lambda ns, x: ns.tensor_split(x, 3, 1), A, label="number")
case("tensor_split", lambda ns, x: ns.tensor_split(x, (1, 3), 1), A, label="indices")
case("hsplit", lambda ns, x: ns.hsplit(x, 2), A)
case("vsplit", lambda ns, x: ns.vsplit(x, (1,)), A)
case("dsplit", lambda ns, x: ns.dsplit(x, 2), CUBE)
case("select_scatter", lambda ns, x, s: ns.select_scatter(x, s, 1, -1), A, floats(3))
case("slice_scatter", lambda ns, x, s: ns.slice_scatter(x, s, 1, 1, None, 2), A, floats(3, 2))
case("diagonal_scatter", lambda ns, x, s: ns.diagonal_scatter(x, s, 1), A, floats(3))

# -- joining and rearranging -------------------------------------------------------------------------------
for name in ("hstack", "vstack", "dstack", "column_stack"):
    case(name, lambda ns, a, b, name=name: getattr(ns, name)([a, b]), A, B)
    case(name, lambda ns, a, b, name=name: getattr(ns, name)([a, b]), ROW, floats(4))
for name in ("atleast_1d", "atleast_2d", "atleast_3d"):
    case(name, lambda ns, a, b, name=name: getattr(ns, name)(a, b), POINT, A)
case("block_diag", lambda ns, a, b, c: ns.block_diag(a, b, c), A, ROW, POINT)
case("fliplr", lambda ns, x: ns.fliplr(x), A)
case("flipud", lambda ns, x: ns.flipud(x), A)
for k in (1, 2, -1):
    case("rot90", lambda ns, x, k=k: ns.rot90(x, k, (0, 2)), CUBE, label=f"k={k}")
case("tile", lambda ns, x: ns.tile(x, (2, 1, 2)), A)
case(
    "repeat_interleave",
    lambda ns, x: ns.repeat_interleave(x, x.new_tensor([2, 0, 1]).long(), 0),
    A,
    label="tensor",
)


# -- indexing ----------------------------------------------------------------------------------------------
def _rows(x: Any) -> Any:
    return x.new_tensor([2, 0]).long()


case("index_copy", lambda ns, x, s: ns.index_copy(x, 0, _rows(x), s), A, floats(2, 4))
case("index_fill", lambda ns, x, v: ns.index_fill(x, 0, _rows(x), v), A, POINT)
case("index_put", lambda ns, x, v: ns.index_put(x, (_rows(x), _rows(x)), v), A, floats(2))
case(
    "index_put",
    lambda ns, x, i, v: ns.index_put(x, (i,), v, accumulate=True),
    A, integers(3, 5), floats(5, 1),
    label="accumulate",
)  # fmt: skip
for reduce in ("prod", "mean", "amax", "amin"):
    for inside in (True, False):
        case(
            "index_reduce",
            lambda ns, x, i, s, r=reduce, w=inside: ns.index_reduce(x, 0, i, s, r, include_self=w),
            A, np.array([0, 2, 0, 0]), floats(4, 4),
            parity=False,
            label=f"{reduce} {inside}",
        )  # fmt: skip
for reduce in ("sum", "prod", "mean", "amax", "amin"):
    for inside in (True, False):
        case(
            "scatter_reduce",
            lambda ns, x, i, s, r=reduce, w=inside: ns.scatter_reduce(x, 1, i, s, r, include_self=w),
            A, integers(4, 3, 5), floats(3, 5),
            label=f"{reduce} {inside}",
        )  # fmt: skip
case(
    "scatter_reduce",
    lambda ns, x, i, s: ns.scatter_reduce(x, 0, i, s, "prod"),
    np.array([2.0, 0.0, 3.0, 0.0]), np.array([0, 0, 1, 2, 2, 3]), np.array([1.5, 0.0, 2.0, 0.0, 0.0, 4.0]),
    order=1,
    label="prod of zeros",
)  # fmt: skip
case(
    "scatter",
    lambda ns, x, i, s: ns.scatter(x, 1, i, s, reduce="add"),
    A, integers(4, 3, 5), floats(3, 5),
    parity=False,
    label="add",
)  # fmt: skip
case(
    "scatter",
    lambda ns, x, i, s: ns.scatter(x, 1, i, s, reduce="multiply"),
    A, integers(4, 3, 5), floats(3, 5),
    parity=False,
    label="multiply",
)  # fmt: skip
case("masked_scatter", lambda ns, x, m, s: ns.masked_scatter(x, m, s), A, bools(3, 4), floats(12))
case("take", lambda ns, x, i: ns.take(x, i - 3), A, integers(6, 2, 3))
case("take_along_dim", lambda ns, x, i: ns.take_along_dim(x, i, 1), A, integers(4, 1, 2))
case("put", lambda ns, x, s: ns.put(x, _rows(x), s), A, floats(2))
case("put", lambda ns, x, i, s: ns.put(x, i, s, accumulate=True), A, integers(12, 5), floats(5), label="add")
case("index_select", lambda ns, x, i: ns.index_select(x, 2, i), CUBE, integers(4, 5), label="last")
case("gather", lambda ns, x, i: ns.gather(x, 0, i), POINT, integers(1, 3), label="0-d")
case("select", lambda ns, x: x[:, [0, 2, 0]], A, label="one list")
case("select", lambda ns, x: x[[0, 1, 1], :, [3, 0, 0]], CUBE, label="two lists apart")

# -- sorting -----------------------------------------------------------------------------------------------
case("msort", lambda ns, x: ns.msort(x), A)
case("topk", lambda ns, x: ns.topk(x, 1), floats(2, 40), label="of many")
case(
    "as_strided_scatter",
    lambda ns, x, s: ns.as_strided_scatter(x, s, (2, 2), (4, 2), 1),
    A,
    floats(2, 2),
    parity=False,
)
