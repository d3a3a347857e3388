"""New tensors, grids and windows."""

from typing import Any

import numpy as np
import torch

from table._entry import Entry, S, bools, floats, integers

A = floats(3, 4)
DTYPES = (torch.float32, torch.float64, torch.int64, torch.int32, torch.uint8, torch.bool)


def layout_and_memory(library: Any, function: Any, *args: Any, **options: Any) -> Any:
    """With the keywords that change nothing."""
    return function(*args, layout=library.strided, pin_memory=False, device="cpu", **options)


def into(library: Any, function: Any, *args: Any, **options: Any) -> Any:
    """Into a tensor that is there, and what comes back is that tensor."""
    like = next((a for a in args if isinstance(a, library.Tensor)), None)
    out = library.empty(0, dtype=library.float32 if like is None else like.dtype)
    result = function(*args, out=out, **options)
    return [out, result is out]


def leaf(library: Any, function: Any, *args: Any, **options: Any) -> Any:
    out = function(*args, requires_grad=True, **options)
    return [out.detach(), out.requires_grad, out.is_leaf]


def with_format(library: Any, function: Any, *args: Any, **options: Any) -> Any:
    return function(*args, memory_format=library.preserve_format, **options)


def entry(name: str, *samples: S, **options: Any) -> Entry:
    return Entry(name, samples, **{"layouts": ("plain",), "grad": False, **options})


def of_tensors_and_arrays(library: Any, function: Any, numbers: Any) -> Any:
    """Sequences of both, and of Python's numbers."""
    wide, whole = np.array(numbers, "float64"), np.array(numbers, "int32")
    zero = library.tensor(1.0, dtype=library.float64)
    return [function([wide, wide]), function([whole, numbers]), function([zero, 2]), function((whole, wide))]


SCALARS = [np.float32(1.1), np.float64(1.1), np.int16(3), np.int64(3), np.uint8(3)]
SIZES = [S(2, 3), S((2, 3)), S([2, 3]), S(4), S(0), S(()), S(2, 0, dtype=torch.int64), S(size=(2, 2))]

ENTRIES = [
    *[
        entry(n, *SIZES, *[S(2, dtype=d) for d in DTYPES], errors=[S(-1), S(2, -3)])
        for n in ("zeros", "ones")
    ],
    *[
        entry(n, S(2, 3), call=call)
        for n in ("zeros", "ones", "eye")
        for call in (layout_and_memory, into, leaf)
    ],
    entry("empty", *SIZES, values=False, errors=[S(-1)]),
    entry("empty", S(2, 3), call=layout_and_memory, values=False),
    entry(
        "empty_strided",
        S((2, 3), (1, 2)),
        S((2, 3), (3, 1), dtype=torch.int64),
        S((), ()),
        values=False,
        errors=[S((2, 3), (1,))],
    ),
    entry(
        "full",
        S((2, 3), 1.5),
        S((2,), 3),
        S((2,), True),
        S([2, 2], 1, dtype=torch.float64),
        S((), 2),
        S((0, 3), 2.0),
        S(size=(2,), fill_value=1),
    ),
    *[
        entry(
            n,
            S(A),
            S(integers(0, 5, 3)),
            S(bools(3)),
            S(A, dtype=torch.int64),
            S(A, dtype=torch.bool),
            S(input=A),
        )
        for n in ("zeros_like", "ones_like")
    ],
    *[
        entry(n, S(A), call=call)
        for n in ("zeros_like", "ones_like")
        for call in (layout_and_memory, with_format)
    ],
    entry(
        "full_like",
        S(A, 2),
        S(A, 2.5),
        S(integers(0, 5, 3), 2),
        S(A, 3, dtype=torch.int64),
        S(A, fill_value=1),
    ),
    entry("empty_like", S(A), S(A, dtype=torch.int32), values=False),
    *[entry("tensor", S(x, label=str(x)), S([x, x]), S([x, 2]), S([[1.5], [x]])) for x in SCALARS],
    entry(
        "tensor",
        S([np.int8(1), np.float64(2)]),
        S([np.uint8(1), np.int8(2)]),
        S([True, np.bool_(False)]),
        S([np.bool_(True)]),
    ),
    entry("tensor", S([2, 3]), S([0]), call=of_tensors_and_arrays),
    entry(  # whole numbers that NumPy would make floats, or other whole numbers, of
        "tensor",
        *[S(2**63, dtype=d) for d in (torch.float32, torch.float64, torch.float16, torch.bool)],
        *[S([2**70, -1.5], dtype=d) for d in (None, torch.float64, torch.bool)],
        S([2**63, 1.0]),
        S([2**63 - 1, 1.0], dtype=torch.int64),
        S([2**53 + 1, 1.5], dtype=torch.int64),
        S([1, -(2**63)]),
        S([126.9, -0.9], dtype=torch.int8),
        errors=[
            *[S([2**63, 1], dtype=d) for d in (None, torch.int64, torch.int32, torch.uint8)],
            S([[2**63], [1]]),
            S(2**63),
            S((1, 2**64)),
            S([2**63, 1.0], dtype=torch.int64),
            S([300, 1.0], dtype=torch.uint8),
            S([1e10], dtype=torch.int32),
            S([float("nan")], dtype=torch.int64),
            S([127.5], dtype=torch.int8),
        ],
    ),
    entry(
        "tensor",
        S([1, 2]),
        S([1.5, 2]),
        S([[True, False]]),
        S(3),
        S(2.5),
        S(True),
        S([]),
        S([[1, 2], [3, 4]], dtype=torch.float64),
        S([1.7, -1.7], dtype=torch.int64),
        S((1, 2)),
        S([0, 1], dtype=torch.bool),
        S([[], []]),
        errors=[S([[1], [2, 3]]), S("a"), S([None])],
    ),
    entry(
        "as_tensor",
        S([1, 2]),
        S(2.5),
        S([1.5], dtype=torch.float64),
        S(A),
        S(A, dtype=torch.float64),
        S(integers(0, 4, 3), dtype=torch.float32),
    ),
    entry("asarray", S([1, 2]), S(A), S(A, copy=True), S([1, 2], dtype=torch.float64), S(2.5)),
    entry("scalar_tensor", S(1), S(2.5), S(3, dtype=torch.int64), S(True)),
    entry(
        "arange",
        S(5),
        S(1, 5),
        S(0, 10, 3),
        S(5.0),
        S(0, 1, 0.25),
        S(1, 0, -0.25),
        S(5, 0, -2),
        S(0),
        S(3, 3),
        S(5, dtype=torch.float64),
        S(0, 5, 2, dtype=torch.float32),
        S(start=1, end=4),
        S(end=4),
        S(1, end=4, step=2),
        S(-3, 3),
        S(2.5, 7, dtype=torch.int64),
        errors=[S(0, 5, -1), S(0, 5, 0), S(5, 0)],
    ),
    entry("arange", S(0, 2, 0.5), call=leaf),
    entry("arange", S(5.0), S(1.0, 4), call=into),
    entry(
        "linspace",
        S(0, 1, 5),
        S(-2, 3, 7),
        S(3, -3, 4),
        S(0, 1, 1),
        S(0, 1, 0),
        S(0, 10, 5, dtype=torch.int64),
        S(0, 1, 3, dtype=torch.float64),
        S(start=0, end=2, steps=3),
        S(0.1, 0.9, 11),
        errors=[S(0, 1, -1)],
    ),
    entry(
        "logspace",
        S(0, 2, 5),
        S(-1, 1, 3, 2.0),
        S(0, 1, 4, base=2),
        S(0, 3, 4, dtype=torch.float64),
        S(0, 1, 1),
        S(0, 1, 0),
        tolerance={"float32": (2e-6, 1e-6)},
        why="computed in float64 here",
        errors=[S(0, 1, -1)],
    ),
    entry(
        "eye", S(3), S(2, 3), S(3, 2), S(0), S(3, dtype=torch.int64), S(2, dtype=torch.bool), errors=[S(-1)]
    ),
    entry(
        "tril_indices",
        S(3, 3),
        S(3, 4, 1),
        S(4, 3, -1),
        S(0, 3),
        S(3, 3, dtype=torch.int32),
        errors=[S(-1, 2)],
    ),
    entry("triu_indices", S(3, 3), S(3, 4, 1), S(4, 3, -1), S(2, 0), S(3, 3, offset=-2)),
    Entry(
        "meshgrid",
        [
            S(floats(3), floats(4)),
            S(floats(3), floats(4), indexing="ij"),
            S(floats(3), floats(4), indexing="xy"),
            S([floats(2), floats(3), floats(4)], indexing="xy"),
            S(floats(3)),
            S(floats(), floats(3), indexing="ij"),
        ],
        layouts=("plain", "strided"),
        errors=[S(A, floats(3)), S(floats(3), integers(0, 3, 2)), S(floats(3), indexing="ab")],
    ),
    Entry(
        "cartesian_prod",
        [
            S(floats(3), floats(2)),
            S(floats(3)),
            S(floats(2), floats(3), floats(2)),
            S(integers(0, 3, 2), integers(0, 9, 3)),
        ],
        layouts=("plain", "strided"),
        errors=[S(A)],
    ),
    Entry(
        "combinations",
        [
            S(floats(4)),
            S(floats(4), 3),
            S(floats(3), 2, True),
            S(floats(3), r=1),
            S(floats(3), 0),
            S(floats(2), 3),
            S(integers(0, 9, 4), with_replacement=True),
        ],
        layouts=("plain", "strided"),
        errors=[S(A), S(floats(3), -1)],
    ),
    Entry(
        "vander",
        [
            S(floats(4)),
            S(floats(4), 3),
            S(floats(4), N=6, increasing=True),
            S(floats(3), 0),
            S(integers(-3, 4, 4)),
        ],
        layouts=("plain", "strided"),
        errors=[S(A)],
        grad=False,  # PyTorch's gradient of it fails
    ),
    *[
        entry(
            f"{n}_window",
            S(8),
            S(7),
            S(8, False),
            S(7, periodic=False),
            S(1),
            S(0),
            S(2),
            S(6, dtype=torch.float64),
            errors=[S(-1)],
            tolerance={"float32": (2e-5, 1e-6)},
            why="computed in float64 here",
        )
        for n in ("hann", "hamming", "blackman", "bartlett", "kaiser")
    ],
    entry(
        "hamming_window",
        S(6, True, 0.6),
        S(6, True, 0.6, 0.3),
        S(6, False, 0.5, 0.5),
        tolerance={"float32": (2e-5, 1e-6)},
        why="float64",
    ),
    entry(
        "kaiser_window",
        S(6, True, 5.0),
        S(6, False, beta=3.0),
        tolerance={"float32": (2e-5, 1e-6)},
        why="float64",
    ),
    entry(
        "unravel_index",
        S(integers(0, 24, 5), (2, 3, 4)),
        S(integers(0, 24, 2, 2), (24,)),
        S(integers(0, 5, 3), 6),
    ),
    entry("arange", S(-7.9, 3.2, dtype=torch.int64), S(0.5, 4, dtype=torch.int32)),
    entry("linspace", S(4.3, -3, 9, dtype=torch.int64)),
    entry("logspace", S(0, 1.2, 3, dtype=torch.int64)),
    # -- methods
    *[
        entry(
            f"Tensor.new_{n}",
            S(A, 2, 3),
            S(A, (2, 3)),
            S(A, [2]),
            S(A, 2, dtype=torch.int64),
            S(integers(0, 3, 2), 2),
            S(A, size=(2, 2)),
        )
        for n in ("zeros", "ones")
    ],
    *[
        entry(f"Tensor.new_{n}", S(A, 2, 3), call=call)
        for n in ("zeros", "ones")
        for call in (layout_and_memory, leaf)
    ],
    entry("Tensor.new_empty", S(A, 2, 3), S(A, (2,), dtype=torch.int64), values=False),
    entry("Tensor.new_empty_strided", S(A, (2, 3), (1, 2)), values=False),
    entry(
        "Tensor.new_full",
        S(A, (2, 3), 1.5),
        S(A, (2,), 3),
        S(integers(0, 3, 2), (2,), 3),
        S(A, (2,), 1, dtype=torch.int64),
    ),
    entry("Tensor.new_tensor", S(A, [1, 2]), S(integers(0, 3, 2), [1.5]), S(A, 2.0, dtype=torch.int64)),
    entry("Tensor.new", S(A, 2, 3), values=False),
    # -- out=
    *[
        entry(n, *s, call=into)
        for n, s in {
            "add": [S(A, floats(4))],
            "mul": [S(A, 2)],
            "exp": [S(A)],
            "matmul": [S(A, floats(4, 2))],
            "sum": [S(A, 1)],
            "mean": [S(A, 1)],
            "clamp": [S(A, 0, 1)],
            "cumsum": [S(A, 0)],
            "stack": [S([A, A])],
            "abs": [S(A)],
            "div": [S(A, 2)],
            "maximum": [S(A, floats(4))],
            "sigmoid": [S(A)],
            "amax": [S(A, 1)],
            "sqrt": [S(abs(A))],
            "full": [S((2,), 1.5)],
            "linspace": [S(0, 1, 3)],
            "norm": [S(A)],
            "var": [S(A, 1)],
            "prod": [S(A, 1)],
            "logsumexp": [S(A, 1)],
        }.items()
    ],
]
