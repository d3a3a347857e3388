"""einsum in all of its notation."""

from __future__ import annotations

from typing import Any

import numpy as np

from table._entry import Entry, S, floats, integers

# fmt: off
# ruff: noqa: E501 - a table

A, B, CUBE, ROW, SQUARE = floats(3, 4), floats(4, 2), floats(2, 3, 4), floats(4), floats(3, 3)

EQUATIONS: dict[str, tuple[Any, ...]] = {
    "ij,jk->ik": (A, B), "ij,jk": (A, B), "ij,jk->ki": (A, B), "i,i->": (ROW, floats(4)), "i,i": (ROW, floats(4)), "i,j->ij": (ROW, floats(3)), "ij->ji": (A,), "ji": (A,), "ij": (A,), "ij->": (A,), "ij->i": (A,), "ij->j": (A,),
    "ii->i": (SQUARE,), "ii->": (SQUARE,), "ii": (SQUARE,), "iij->ij": (floats(2, 2, 3),), "iji->j": (floats(2, 3, 2),), "iii->i": (floats(2, 2, 2),), "ij,ij->ij": (A, floats(3, 4)), "ij,ij->": (A, floats(3, 4)), "ij,ij->i": (A, floats(3, 4)),
    "bij,bjk->bik": (CUBE, floats(2, 4, 2)), "bij,bjk": (CUBE, floats(2, 4, 2)), "bij,jk->bik": (CUBE, B), "bij,bij->b": (CUBE, floats(2, 3, 4)), "bhqd,bhkd->bhqk": (floats(2, 2, 3, 4), floats(2, 2, 5, 4)), "bhqk,bhkd->bqhd": (floats(2, 2, 3, 5), floats(2, 2, 5, 4)),
    "...ij->...ji": (CUBE,), "...ij,...jk->...ik": (CUBE, floats(2, 4, 2)), "...i,i->...": (CUBE, ROW), "...i,...i": (CUBE, floats(3, 4)), "i...->...": (CUBE,), "...->...": (CUBE,), "...": (CUBE,), "a...,b...->ab...": (floats(2, 3), floats(4, 3)), "...a->a...": (CUBE,), "...ij->ij": (CUBE,),
    "i...j,j...k->i...k": (floats(2, 3, 4), floats(4, 3, 2)), "...ab,...bc->...ac": (floats(2, 1, 3, 4), floats(5, 4, 2)), "ij,kj,k->i": (A, floats(2, 4), floats(2)), "ij,jk,kl->il": (A, B, floats(2, 3)), "ij,jk,kl,lm->im": (A, B, floats(2, 3), floats(3, 2)), "i,j,k->ijk": (floats(2), floats(3), ROW),
    "ij,j->ij": (A, ROW), "ij,i->ij": (A, floats(3)), "ab,cd->abcd": (floats(2, 2), floats(2, 3)), "bn,anm,bm->ba": (floats(2, 3), floats(5, 3, 4), floats(2, 4)), "nk,nl->kl": (A, floats(3, 2)), "Ab,bC->AC": (A, B), "bA,Ab": (floats(2, 3), floats(3, 2)), "aB": (A,), "Ba": (A,),
    " i j , j k -> i k ": (A, B), "iij,jk->ik": (floats(2, 2, 3), floats(3, 4)), "ij,jj->i": (A, floats(4, 4)), "ijk,ik->j": (CUBE, floats(2, 4)), "i,ij,j->": (floats(3), A, ROW), "->": (np.array(2.0),), ",ij->ij": (np.array(2.0), A), ",": (np.array(2.0), np.array(3.0)),
    "ij,jk->k": (A, B), "ij,kl->": (A, B), "bi,bj->bij": (floats(2, 3), floats(2, 4)), "btd,de,bse->bts": (floats(2, 3, 4), floats(4, 2), floats(2, 5, 2)), "ijkl,klmn->ijmn": (floats(2, 2, 3, 2), floats(3, 2, 2, 2)), "pqrs,tuqvr->pstuv": (floats(2, 3, 2, 2), floats(2, 2, 3, 2, 2)),
}
BROADCAST: dict[str, tuple[Any, ...]] = {"ij,ij->ij": (floats(1, 4), floats(3, 4)), "ij,jk->ik": (floats(3, 1), B), "bij,bjk->bik": (floats(1, 3, 4), floats(2, 4, 2)), "i,i->": (floats(1), ROW)}
EMPTY: dict[str, tuple[Any, ...]] = {"ij,jk->ik": (floats(3, 0), floats(0, 2)), "ij->i": (floats(3, 0),), "bij,bjk->bik": (floats(0, 3, 4), floats(0, 4, 2))}

ENTRIES = [
    Entry("einsum", [S(e, *arrays, label=e) for e, arrays in EQUATIONS.items()]),
    Entry("einsum", [S(e, *arrays, label=f"{e}, sizes of 1") for e, arrays in BROADCAST.items()]),
    Entry("einsum", [S(e, *arrays, label=f"{e}, empty") for e, arrays in EMPTY.items()]),
    Entry("einsum", [S("ij,jk->ik", integers(-3, 4, 2, 3), integers(-3, 4, 3, 2), label="integers"), S("ij->i", integers(-3, 4, 2, 3), label="sum of integers"), S("ij,jk->ik", [A, B], label="a list")]),
    Entry(
        "einsum",
        [S(A, [0, 1], B, [1, 2], [0, 2], label="lists"), S(A, [0, 1], B, [1, 2], label="lists, no output"), S(SQUARE, [3, 3], label="lists, trace"), S(CUBE, [..., 1, 0], [..., 0, 1], label="lists, ellipsis"), S(A, [51, 2], [2, 51], label="lists, capitals")],
    ),
    Entry(
        "einsum",
        [],
        errors=[S("ij,jk->ik", A), S("ijk->i", A), S("i->i", A), S("ij->k", A), S("ij->ii", A), S("i1->i", A), S("ij,jk->ik", A, floats(3, 2)), S("ii->i", A), S("ij.->i", A), S("ij->i->j", A), S(), S("ij"), S("..i...", A), S("ij,ij", A, B), S(A, [0, 52]), S(3, A)],
    ),
]
