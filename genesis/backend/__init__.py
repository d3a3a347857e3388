"""Contract 1, what a device implements: views, the alphabet of elementwise names, and ``Backend``."""

from genesis.backend.alphabet import ALPHABET, LEAVES, REDUCTIONS, Name
from genesis.backend.base import Availability, Backend
from genesis.backend.expr import Expr, Number, arg, call, cast, const, infer, number_dtype, topological
from genesis.backend.source import scalar_source
from genesis.backend.view import Buffer, Shape, View, contiguous_strides

__all__ = [
    "ALPHABET",
    "LEAVES",
    "REDUCTIONS",
    "Availability",
    "Backend",
    "Buffer",
    "Expr",
    "Name",
    "Number",
    "Shape",
    "View",
    "arg",
    "call",
    "cast",
    "const",
    "contiguous_strides",
    "infer",
    "number_dtype",
    "scalar_source",
    "topological",
]
