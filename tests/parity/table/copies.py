"""Copies of views, what is asked of complex numbers, ranges and places, by PyTorch's less common names."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from table._entry import Entry, S, floats, integers

# fmt: off
# ruff: noqa: E501 - a table

A, CUBE, ROW = floats(3, 4), floats(2, 3, 4), floats(6)
INF = float("inf")
MASK = integers(0, 2, 3, 4)


def method(name: str, samples: list[S], errors: Any = (), **options: Any) -> list[Entry]:
    return [Entry(name, samples, errors=errors, **options), Entry(f"Tensor.{name}", samples, errors=errors, **{"layouts": ("plain",), **options})]


def walk(library: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
    out = function(*args, **kwargs)
    return out.shape, out.stride(), out.dtype


def into(library: Any, function: Any, out: Any, *args: Any) -> Any:
    return function(*args, out=out)


def into_itself(library: Any, function: Any, x: Any, *args: Any) -> Any:
    return function(x, *args, out=x)


ENTRIES = [
    # -- copies --------------------------------------------------------------------------------------------
    Entry("alias_copy", [S(A)]),
    Entry("as_strided_copy", [S(ROW, (2, 2), (1, 2)), S(ROW, (2,), (2,), 1)], layouts=("plain",)),
    Entry("detach_copy", [S(A)], grad=False),
    Entry("diagonal_copy", [S(A), S(CUBE, 1, 0, 2)]),
    Entry("expand_copy", [S(ROW, (2, 6)), S(floats(3, 1), (-1, 4)), S(floats(), (2,), implicit=True)]),
    Entry("narrow_copy", [S(CUBE, 1, 0, 2)], errors=[S(CUBE, 3, 0, 0)]),
    Entry("permute_copy", [S(CUBE, (2, 0, 1)), S(CUBE, dims=(-1, 0, 1))], errors=[S(CUBE, (0, 1))]),
    Entry("select_copy", [S(CUBE, 1, -1)], errors=[S(CUBE, 1, 3)]),
    Entry("slice_copy", [S(CUBE), S(CUBE, 2, 1, 4, 2), S(CUBE, -1, None, -1)]),
    Entry("split_copy", [S(ROW, 4), S(CUBE, 2, 1)]),
    Entry("split_with_sizes_copy", [S(ROW, [1, 3, 2]), S(CUBE, [2, 1], dim=1)], errors=[S(ROW, [1, 2])]),
    Entry("squeeze_copy", [S(floats(1, 3, 1)), S(floats(1, 3, 1), 0)]),
    Entry("t_copy", [S(A), S(ROW)], errors=[S(CUBE)]),
    Entry("transpose_copy", [S(CUBE, 0, -1)]),
    Entry("unbind_copy", [S(A), S(A, 1)]),
    Entry("unfold_copy", [S(ROW, 0, 3, 2)]),
    Entry("unsqueeze_copy", [S(A, 1), S(A, -1)]),
    Entry("view_copy", [S(A, (2, 6)), S(A, (-1,)), S(integers(0, 5, 4), torch.float64)], layouts=("plain",), errors=[S(A, (5,))]),
    # -- real numbers --------------------------------------------------------------------------------------
    *[Entry(name, [S(A), S(MASK)]) for name in ("real", "conj", "conj_physical", "resolve_conj", "resolve_neg", "is_conj", "is_neg", "Tensor.conj_physical_")],
    Entry("real", [], errors=[S(1.0)]),
    Entry("imag", [], errors=[S(A)]),
    # -- ranges, places ------------------------------------------------------------------------------------
    Entry("range", [S(0, 3), S(1, 2, 0.25), S(-0.9, 4, 2.0, dtype=torch.int32), S(3, -1, -2, dtype=torch.float64)], errors=[S(0, 3, 0), S(3, 0)]),
    Entry("arange", [S(-0.9, 2.1, 1, dtype=torch.int32), S(0, 6, 0.5, dtype=torch.int32), S(-0.9, 2.1, 2.0, dtype=torch.uint8), S(1.5, 7.9, 1.9, dtype=torch.int64)], errors=[S(0, 1, 0), S(0, 64, 0.5, dtype=torch.int64)]),
    Entry("linspace", [S(0, 3, 4)], errors=[S(0, 3, 1.0), S(0, 3, True)]),
    Entry("logspace", [S(0, 3, 4)], errors=[S(0, 3, 1.0)]),
    Entry("empty_permuted", [S((2, 3, 4), (2, 0, 1)), S((2, 3), (0, 1), dtype=torch.int64)], call=walk, errors=[S((2, 3), (0, 0)), S((2, 3), (0,))]),
    *method("nonzero_static", [S(MASK, size=3), S(MASK, size=20, fill_value=7), S(MASK, size=0), S(integers(0, 2), size=2)], errors=[S(MASK, size=-1)]),
    # -- types ---------------------------------------------------------------------------------------------
    Entry("square", [S(integers(0, 2, 4).astype(bool))]),
    Entry("where", [S(integers(0, 2, 4).astype("uint8"), floats(4), floats(4))], errors=[S(floats(4), floats(4), floats(4))]),
    Entry("Tensor.sum_to_size", [S(integers(0, 9, 3, dtype="uint8"), ()), S(integers(0, 9, dtype="uint8"), ()), S(integers(0, 9, 3, dtype="uint8"), 1)]),
    Entry("Tensor.float_power_", [S(A, 2)], dtypes=("float64",), errors=[S(A, 2)]),
    Entry("Tensor.renorm_", [S(A, 2, 0, 1.0), S(CUBE, 1, -1, 0.5)]),
    Entry("nn.functional.bilinear", [S(integers(0, 3, 2, 3, dtype="uint8"), integers(0, 3, 2, 4, dtype="uint8"), integers(0, 2, 5, 3, 4, dtype="uint8"))]),
    # -- what takes tensors only ---------------------------------------------------------------------------
    *[Entry(name, [], errors=[S(A, 2), S(2, A)]) for name in ("maximum", "fmin", "atan2", "hypot", "logaddexp", "logical_and")],
    *[Entry(name, [], errors=[S(2, A)]) for name in ("eq", "le", "fmod", "copysign", "clamp_min", "max", "min")],
    *[Entry(name, [], errors=[S(2)]) for name in ("exp", "sum", "max", "abs")],
    # -- out= that must fit exactly ------------------------------------------------------------------------------
    *[Entry(name, [], grad=False, call=into, errors=[S(np.zeros((3, 4), "int32"), A, *rest)]) for name, rest in (("gather", (1, MASK)), ("index_select", (0, np.array([0, 1, 2]))), ("take", (MASK,)))],
    *[Entry(name, [], grad=False, call=into_itself, errors=[S(A, *rest)]) for name, rest in (("gather", (1, MASK)), ("index_select", (0, np.array([0, 1, 2]))), ("take", (MASK,)), ("masked_select", (MASK > 0,)))],
    # -- memory ------------------------------------------------------------------------------------------------
    *[Entry(f"Tensor.{name}", [S(A)], layouts=("plain",)) for name in ("is_pinned", "to_dense")],
    Entry("Tensor.dim_order", [S(CUBE)], layouts=("plain", "transposed")),
    Entry("Tensor.apply_", [S(A), S(MASK)], grad=False, call=lambda library, function, x: function(x, lambda v: v * 2 + 1), errors=[]),
    Entry("Tensor.map_", [S(A, floats(3, 1))], grad=False, call=lambda library, function, x, y: function(x, y.expand(3, 4), lambda a, b: a - b)),
    *[Entry(name, [S(A)], grad=False, call=lambda library, function, x: (function(x), x)) for name in ("zero_",)],
    Entry("fill_", [S(A, 3)], grad=False),
    # -- where nan and inf are met -----------------------------------------------------------------------------
    Entry("div", [S(np.array([0.0, -0.0, 1.0, INF, -INF, np.nan]), np.array([0.0, 2.0, 0.0, 1.0, 1.0, 1.0]), rounding_mode="trunc")]),
    Entry("nextafter", [S(A, floats(3, 1)), S(np.array([1.0, 2.0, np.nan]), np.array([1.0, 3.0, 1.0]))], grad=True),
    Entry("angle", [S(np.array([0.0, 1.0, -1.0, INF, -INF, np.nan]))]),
    Entry("histogramdd", [S(floats(6, 2), [3, 2]), S(floats(6, 2), 3, weight=floats(6)), S(floats(6, 2), [2, 3], range=[-1.0, 1.0, 0.0, 2.0], density=True), S(floats(5, 1), (np.array([-1.0, 0.0, 1.5]),)), S(np.zeros((0, 2)), [2, 2])], grad=False, errors=[S(floats(6, 2), [3]), S(floats(6), 3), S(floats(6, 2), [0, 1]), S(floats(6, 2), 2, range=[0.0, 1.0])]),
    # -- a gradient of zero to what random numbers are drawn from --------------------------------------------
    Entry("bernoulli", [S(floats(5, low=0.0, high=0.02)), S(floats(2, 2, low=0.0, high=0.001))], values=False),
    Entry("normal", [S(A, floats(3, 1, low=0.0, high=1.0)), S(A, 1.0)], values=False),
]
