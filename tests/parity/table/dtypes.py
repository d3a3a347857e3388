"""Element types: their rules, limits, conversions and constructors."""

from typing import Any

import numpy as np
import torch

from table._entry import Entry, S, bools, floats, integers

A, INTS = floats(3, 4), integers(-3, 4, 3)
TYPES = (
    torch.bool,
    torch.uint8,
    torch.int8,
    torch.int16,
    torch.int32,
    torch.int64,
    torch.float32,
    torch.float64,
)
FIELDS = ("bits", "eps", "max", "min", "tiny", "smallest_normal", "resolution", "dtype")


def fields(library: Any, function: Any, *args: Any) -> Any:
    info = function(*args)
    return [float(v) if isinstance(v, int | float) else v for v in (getattr(info, f, None) for f in FIELDS)]


def of_type(library: Any, function: Any, *args: Any, **options: Any) -> Any:
    """Whether a value has a type, for constructors that name one."""
    x = function(*args, **options)
    return [x, isinstance(x, function), isinstance(library.ones(1, dtype=library.int16), function)]


def attribute(name: str) -> Any:
    return lambda library, function, x: getattr(x, name)


def converted(name: str, *args: Any) -> Any:
    def call(library: Any, function: Any, x: Any) -> Any:
        own = [getattr(library, a[1:]) if isinstance(a, str) and a.startswith("@") else a for a in args]
        return getattr(x, name)(*own)

    return call


def entry(name: str, *samples: S, **options: Any) -> Entry:
    return Entry(name, samples, **{"layouts": ("plain",), "grad": False, **options})


ENTRIES = [
    entry("promote_types", *[S(a, b, label=f"{a},{b}") for a in TYPES for b in TYPES]),
    entry("can_cast", *[S(a, b, label=f"{a},{b}") for a in TYPES for b in TYPES]),
    entry(
        "result_type",
        S(A, 1),
        S(INTS, 1.5),
        S(INTS, A),
        S(bools(3), 2),
        S(2, 3.0),
        S(INTS, floats()),
        S(integers(0, 3, 2, dtype="uint8"), integers(0, 3, 2, dtype="int8")),
    ),
    entry(
        "finfo", *[S(t) for t in (torch.float32, torch.float64)], S(), call=fields, errors=[S(torch.int32)]
    ),
    entry("iinfo", *[S(t) for t in TYPES[1:6]], call=fields, errors=[S(torch.float32)]),
    *[
        entry(n, S(A), S(INTS), S(bools(3)))
        for n in ("is_floating_point", "is_complex", "is_tensor", "numel")
    ],
    entry("is_tensor", S(3), S([1])),
    entry("is_nonzero", S(np.array([1.5])), S(np.array([0])), errors=[S(A)]),
    entry("numel", S(floats(0, 3))),
    # -- constructors that name a type
    *[
        entry(n, S([1, 0]), S([[1.7, 0.2]]), S((1, 0)), S([]), call=of_type)
        for n in (
            "FloatTensor",
            "DoubleTensor",
            "LongTensor",
            "IntTensor",
            "ShortTensor",
            "CharTensor",
            "ByteTensor",
            "BoolTensor",
        )
    ],
    *[entry(n, S(2, 3), S(4), S(0, 2), S(), values=False) for n in ("FloatTensor", "LongTensor", "Tensor")],
    entry("Tensor", S([1, 2]), S([[1.5], [2]]), S([True, False]), S([]), errors=[S(None), S("a"), S(1.5)]),
    # -- conversions
    *[
        entry("clone", S(A), S(INTS), S(bools(3)), call=converted(n))
        for n in ("float", "double", "int", "long", "short", "char", "bool")
    ],
    entry("clone", S(abs(A)), S(bools(3)), call=converted("byte")),
    *[
        entry("clone", S(A), S(INTS), call=converted("to", *a))
        for a in (("cpu",), ("@float64",), ("cpu", "@int64"), ("@int8", True), ("@float64", False, True))
    ],
    *[
        entry("clone", S(A), S(INTS), call=converted("type", t))
        for t in ("torch.LongTensor", "torch.FloatTensor", "@float64")
    ],
    Entry(
        "Tensor.to",
        [
            S(A, torch.float64),
            S(A, dtype=torch.float32),
            S(A, INTS),
            S(INTS, A),
            S(A, "cpu"),
            S(A, "cpu", torch.float64),
            S(A, device="cpu", non_blocking=True),
        ],
        layouts=("plain",),
    ),
    Entry("Tensor.type_as", [S(A, INTS), S(INTS, A)], layouts=("plain",)),
    # -- what a tensor is
    *[
        entry("clone", S(A), S(INTS), S(bools(3)), S(floats()), call=attribute(n))
        for n in (
            "ndim",
            "itemsize",
            "nbytes",
            "is_cpu",
            "is_cuda",
            "is_sparse",
            "is_quantized",
            "requires_grad",
            "dtype",
            "real",
        )
    ],
    *[
        entry(f"Tensor.{n}", S(A), S(INTS), S(floats()))
        for n in (
            "dim",
            "ndimension",
            "element_size",
            "numel",
            "nelement",
            "is_signed",
            "is_floating_point",
            "is_complex",
            "is_contiguous",
            "tolist",
            "conj",
            "get_device",
            "is_conj",
            "is_neg",
        )
    ],
    entry("Tensor.item", S(np.array(3)), S(np.array([2.5])), S(np.array([[True]])), errors=[S(A)]),
    entry("Tensor.is_same_size", S(A, A.copy()), S(A, INTS)),
]
