"""Contract 1, what a device implements: views, the alphabet of elementwise names, and ``Backend``."""

from genesis.backend.alphabet import ALPHABET, LEAVES, REDUCTIONS, Name
from genesis.backend.base import Availability, Backend
from genesis.backend.expr import (
    Expr,
    Number,
    arg,
    call,
    cast,
    const,
    in_float32,
    infer,
    number_dtype,
    substitute,
    topological,
)
from genesis.backend.source import scalar_source
from genesis.backend.view import Buffer, Shape, View, collapse, contiguous_strides

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
    "collapse",
    "const",
    "contiguous_strides",
    "in_float32",
    "infer",
    "number_dtype",
    "scalar_source",
    "substitute",
    "topological",
]
