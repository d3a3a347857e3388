"""Copies of views and what is asked of complex numbers, for the checks of gradients.

``parity=False``: tests/parity/table has the case.
"""

from __future__ import annotations

from typing import Any

from genesis.testing.suite._operations import NOT_DIFFERENTIABLE, case, floats

A, ROW, CUBE = floats(3, 4), floats(6), floats(2, 3, 4)

_ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "alias_copy": (A,),
    "as_strided_copy": (ROW, (2, 2), (1, 2)),
    "diagonal_copy": (CUBE, 1, 0, 2),
    "expand_copy": (ROW, (2, 6)),
    "permute_copy": (CUBE, (2, 0, 1)),
    "select_copy": (CUBE, 1, -1),
    "slice_copy": (CUBE, 2, 1, 4, 2),
    "split_copy": (ROW, 4),
    "split_with_sizes_copy": (ROW, [1, 3, 2]),
    "squeeze_copy": (floats(1, 3),),
    "t_copy": (A,),
    "transpose_copy": (CUBE, 0, -1),
    "unbind_copy": (A,),
    "unfold_copy": (ROW, 0, 3, 2),
    "unsqueeze_copy": (A, 1),
    "view_copy": (A, (2, 6)),
}
for _name, (_x, *_rest) in _ARGUMENTS.items():
    case(_name, lambda ns, x, name=_name, rest=tuple(_rest): getattr(ns, name)(x, *rest), _x, parity=False)

for _name in ("real", "conj", "conj_physical", "resolve_conj", "resolve_neg"):
    case(_name, lambda ns, x, name=_name: getattr(ns, name)(x) * 2, A, parity=False)

NOT_DIFFERENTIABLE |= {
    "detach_copy", "empty_permuted", "geqrf", "histogramdd", "imag", "is_conj", "is_neg", "nonzero_static",
    "range",
}  # fmt: skip
