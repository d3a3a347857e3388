"""Products of vectors and matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from table._entry import Entry, S, floats, integers, positive

# fmt: off
# ruff: noqa: E501 - a table

A, B, C, ROW, CUBE, ZERO = floats(3, 4), floats(4, 2), floats(3, 2), floats(4), floats(2, 3, 4), np.array(0.5)
BATCH = floats(2, 4, 2)
WHOLE, OTHER = integers(-4, 5, 3, 4), integers(-4, 5, 4, 2)


def method(name: str, samples: list[S], errors: Any = (), in_place: list[S] | None = None, **options: Any) -> list[Entry]:
    """The function, the method, and the one that overwrites its tensor for the samples that fit."""
    found = [Entry(name, samples, errors=errors, **options), Entry(f"Tensor.{name}", samples, errors=errors, **{"layouts": ("plain",), **options})]
    return found + ([Entry(f"Tensor.{name}_", in_place, **options)] if in_place else [])


MATMUL = [S(A, B), S(ROW, floats(4)), S(ROW, B), S(A, ROW), S(CUBE, B), S(CUBE, BATCH), S(A, BATCH), S(CUBE, ROW), S(ROW, BATCH), S(floats(2, 1, 3, 4), floats(3, 4, 2)), S(floats(0, 4), B), S(A, floats(4, 0)),
          S(floats(3, 0), floats(0, 2)), S(WHOLE, OTHER), S(floats(2, 0, 4), B), S(floats(1, 2, 3, 4), floats(5, 1, 4, 1))]

ENTRIES = [
    *method("matmul", MATMUL, errors=[S(A, A), S(ZERO, A), S(A, floats(3)), S(CUBE, floats(3, 4, 2)), S(A, WHOLE), S(A, 2)]),
    Entry("Tensor.__matmul__", MATMUL, layouts=("plain",), errors=[S(A, A)]),
    Entry("Tensor.__matmul__", [], call=lambda library, function, x, y: x @ y, errors=[S(A, 2), S(A, "b"), S(A, A)]),
    Entry("linalg.matmul", [S(A, B), S(CUBE, BATCH)]),
    *method("mm", [S(A, B), S(floats(0, 4), B), S(A, floats(4, 0)), S(WHOLE, OTHER)], errors=[S(A, A), S(ROW, B), S(CUBE, B), S(A, WHOLE)]),
    Entry("mm", [S(input=A, mat2=B, label="names")]),
    *method("bmm", [S(CUBE, BATCH), S(floats(0, 3, 4), floats(0, 4, 2)), S(floats(2, 3, 0), floats(2, 0, 2))], errors=[S(A, B), S(CUBE, floats(3, 4, 2)), S(CUBE, CUBE)]),
    *method("mv", [S(A, ROW), S(floats(0, 4), ROW), S(WHOLE, integers(0, 3, 4))], errors=[S(A, floats(3)), S(ROW, ROW), S(A, B)]),
    *method("dot", [S(ROW, floats(4)), S(floats(0), floats(0)), S(integers(0, 5, 3), integers(0, 5, 3))], errors=[S(ROW, floats(3)), S(A, ROW), S(ROW, integers(0, 3, 4))]),
    *method("vdot", [S(ROW, floats(4)), S(floats(0), floats(0))], errors=[S(ROW, floats(3)), S(A, ROW)]),
    *method("inner", [S(ROW, floats(4)), S(A, ROW), S(A, CUBE), S(CUBE, A), S(ZERO, A), S(A, ZERO), S(WHOLE, integers(0, 3, 4))], errors=[S(A, B)]),
    *method("outer", [S(ROW, floats(3)), S(floats(0), ROW), S(ROW, integers(0, 4, 3)), S(integers(0, 4, 2), integers(0, 4, 3))], errors=[S(A, ROW), S(ZERO, ROW)]),
    *method("ger", [S(ROW, floats(3)), S(integers(0, 4, 2), integers(0, 4, 3))], errors=[S(A, ROW)]),
    Entry("outer", [S(input=ROW, vec2=floats(2), label="names")]),
    *method("addmm", [S(C, A, B), S(floats(2), A, B), S(floats(3, 1), A, B, beta=0.5), S(C, A, B, beta=0, alpha=2), S(C, A, B, beta=0.3, alpha=-2), S(integers(0, 4, 3, 2), WHOLE, OTHER, beta=2, alpha=3), S(np.full((3, 2), np.nan), A, B, beta=0), S(C, floats(3, 0), floats(0, 2))],
            errors=[S(floats(3), A, B), S(C, A, A), S(C, CUBE, B)], in_place=[S(C, A, B), S(C, A, B, beta=0.3, alpha=-2)]),
    Entry("addmm", [S(input=C, mat1=A, mat2=B, label="names")]),
    *method("addmv", [S(floats(3), A, ROW), S(ZERO, A, ROW), S(floats(3), A, ROW, beta=0.5, alpha=2), S(floats(3), A, ROW, beta=0)], errors=[S(floats(2), A, ROW), S(floats(3), A, floats(3))], in_place=[S(floats(3), A, ROW, beta=0.5, alpha=2)]),
    *method("addr", [S(A, floats(3), ROW), S(ROW, floats(3), ROW, alpha=2), S(A, floats(3), ROW, beta=0.5), S(A, floats(3), ROW, beta=0)], errors=[S(A, ROW, ROW)], in_place=[S(A, floats(3), ROW, beta=0.5, alpha=2)]),
    *method("baddbmm", [S(floats(2, 3, 2), CUBE, BATCH), S(C, CUBE, BATCH, beta=0.5), S(floats(2), CUBE, BATCH, alpha=2), S(floats(2, 3, 2), CUBE, BATCH, beta=0)], errors=[S(floats(3), CUBE, BATCH)], in_place=[S(floats(2, 3, 2), CUBE, BATCH, beta=0.5, alpha=2)]),
    *method("addbmm", [S(C, CUBE, BATCH), S(floats(2), CUBE, BATCH, beta=0.5), S(C, CUBE, BATCH, alpha=2, beta=0)], errors=[S(C, CUBE, floats(3, 4, 2))], in_place=[S(C, CUBE, BATCH, beta=0.5, alpha=2)]),
    *method("kron", [S(C, floats(2, 2)), S(ROW, floats(3)), S(floats(2, 1, 2), C), S(ZERO, C), S(integers(0, 4, 2, 2), integers(0, 4, 1, 3)), S(floats(0, 2), C)], layouts=("plain",)),
    *method("cross", [S(floats(3, 4), floats(3, 4)), S(floats(4, 3), floats(4, 3)), S(floats(4, 3), floats(4, 3), 1), S(floats(2, 3, 3), floats(2, 3, 3), dim=-1), S(floats(1, 3), floats(4, 3)), S(floats(3), floats(3)), S(integers(0, 5, 3), integers(0, 5, 3))],
            errors=[S(floats(2, 2), floats(2, 2)), S(floats(3), floats(2, 3)), S(floats(3, 4), floats(3, 4), 1)]),
    Entry("linalg.cross", [S(floats(4, 3), floats(4, 3)), S(floats(3, 4), floats(3, 4), dim=0), S(floats(4, 1, 3), floats(1, 2, 3))], errors=[S(floats(3, 4), floats(3, 4)), S(floats(3), floats(2, 3))]),
    Entry("linalg.vecdot", [S(A, ROW), S(A, floats(3, 4), dim=0), S(CUBE, A)]),
    Entry("tensordot", [S(CUBE, floats(3, 4, 2)), S(A, B, 1), S(A, B, dims=1), S(CUBE, floats(4, 3), ([1, 2], [1, 0])), S(A, floats(2, 2), 0), S(A, floats(4, 3), dims=([0, 1], [1, 0])), S(CUBE, floats(3, 1, 2), 2), S(WHOLE, OTHER, 1)],
          errors=[S(A, B, 3), S(A, A, 1), S(A, B, -1), S(A, B, ([0], [0, 1]))]),
    Entry("chain_matmul", [S(A, B), S(A, B, floats(2, 5)), S(A)], errors=[S(A, A), S(A, BATCH)]),
    Entry("linalg.multi_dot", [S([A, B]), S([A, B, floats(2, 5), floats(5, 1)]), S([ROW, B]), S([A, ROW]), S([ROW, B, floats(2)]), S([floats(10, 2), floats(2, 10), floats(10, 3)])], errors=[S([A]), S([A, A]), S([A, BATCH]), S([])]),
    *method("matrix_power", [S(floats(3, 3), n) for n in (0, 1, 2, 3, 5)] + [S(np.eye(3) * 2 + floats(2, 3, 3) * 0.3, -2), S(np.eye(2) + floats(2, 2) * 0.2, n=-1), S(floats(2, 0, 0), 2)], errors=[S(A, 2), S(ROW, 2), S(np.ones((2, 2)), -1)]),
    Entry("linalg.matrix_power", [S(floats(3, 3), 3)]),
    *[
        Entry("cdist", [S(A, floats(2, 4), p, label=f"{p}"), S(CUBE, floats(2, 5, 4), p=p, label=f"{p}, batch"), S(floats(2, 1, 3, 4), floats(3, 2, 4), p, label=f"{p}, broadcast")])
        for p in (0.0, 1.0, 1.5, 2.0, 3.0, float("inf"))
    ],
    Entry("cdist", [S(A, A, label="itself"), S(floats(30, 2), floats(3, 2), label="by a product"), S(A, floats(2, 4), compute_mode="use_mm_for_euclid_dist", label="mm"), S(floats(30, 2), floats(3, 2), compute_mode="donot_use_mm_for_euclid_dist", label="no mm"),
                    S(floats(0, 4), A, label="none"), S(floats(2, 0), floats(3, 0), label="no columns"), S(x1=A, x2=A, label="names")],
          tolerance={"float32": (1e-4, 2e-3), "float64": (1e-7, 1e-7)}, why="|a|^2 + |b|^2 - 2 a b loses half of the digits of a small distance", grad=False,
          errors=[S(A, B), S(ROW, A), S(A, A, -1.0), S(WHOLE, WHOLE)]),
    Entry("pdist", [S(A), S(A, 1.0), S(A, 3.0), S(A, float("inf")), S(floats(1, 3)), S(positive(4, 2), p=1.5)], errors=[S(CUBE), S(A, -1.0)]),
]
