"""Changes of shape and parts: values, gradients, and that views write into their base."""

from __future__ import annotations

from typing import Any

from table._entry import Entry, S, bools, floats, integers

# fmt: off
# ruff: noqa: E501 - a table

A, B, CUBE = floats(3, 4), floats(2, 3), floats(2, 3, 4)


def another_tensor(library: Any, function: Any, x: Any, *args: Any) -> Any:
    """What has another shape by itself, though it may share memory."""
    x = x * 1
    y = function(x, *args)
    y.unsqueeze_(0)
    return [x, y, y.is_leaf]


def aliased(library: Any, function: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """The result, what it says about its memory, and the base after the result was written to."""
    base = x.clone(memory_format=library.contiguous_format)
    view = function(base, *args, **kwargs)
    if isinstance(view, tuple | list):  # PyTorch refuses to write into several views that have a history
        gradients = [v * 1 for v in view]
        base = base.detach()
        parts = function(base, *args, **kwargs)
    else:
        gradients, parts = [view * 1], (view,)
    strides = [p.stride() if p.numel() else None for p in parts]
    for i, p in enumerate(parts):
        p.mul_(i + 2)
    return gradients, strides, base


def read(library: Any, function: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """The result of a view that repeats elements, and after its base was written to."""
    base = x.clone(memory_format=library.contiguous_format)
    view = function(base, *args, **kwargs)
    before = view.clone() if not isinstance(view, tuple | list) else [v.clone() for v in view]
    base.mul_(3)
    return before, view


def attribute(library: Any, function: Any, x: Any) -> Any:
    """A property of tensors."""
    base = x.clone(memory_format=library.contiguous_format)
    view = function.__get__(x) * 1
    function.__get__(base).mul_(2)
    return view, base


def itself(library: Any, function: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """An operation that changes the shape of its tensor, which then is part of a computation."""
    y = x.clone(memory_format=library.contiguous_format)
    out = function(y, *args, **kwargs)
    assert out is y
    return y * 2, y.is_contiguous()


def inside(library: Any, function: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """The same of a view, which is then written to."""
    base = x * 1
    y = base[1:]
    function(y, *args, **kwargs)
    y.mul_(3)
    return base, y


def both(name: str, samples: list[S], call: Any = aliased, **options: Any) -> list[Entry]:
    """The function and the method."""
    return [
        Entry(name, samples, call=call, **options),
        Entry(f"Tensor.{name}", samples, call=call, **{"layouts": ("plain",), **options}),
    ]


VIEWS = [
    *both("reshape", [S(A, (4, 3)), S(A, (-1,)), S(A, (2, -1, 3)), S(floats(0, 3), (3, 0)), S(floats(1), ())]),
    *both("flatten", [S(CUBE), S(CUBE, 1), S(CUBE, 0, 1), S(CUBE, start_dim=-2), S(floats(3)), S(floats(2, 0))]),
    *both("ravel", [S(CUBE), S(floats(3)), S(floats(0, 2))]),
    *both("unflatten", [S(A, 1, (2, 2)), S(A, -1, (2, -1)), S(A, 0, (3, 1)), S(A, dim=0, sizes=(1, 3, 1))]),
    *both(
        "squeeze",
        [S(floats(1, 3, 1)), S(floats(1, 3, 1), 0), S(floats(1, 3, 1), -1), S(A, 0), S(floats(1, 3, 1), (0, 2)),
         S(floats(1, 1, 1), dim=(0, 1)), S(floats(2, 1, 1), (0, 1)), S(floats())],
    ),
    *both("unsqueeze", [S(A, 0), S(A, -1), S(A, 1), S(A, dim=-3), S(floats(), 0), S(floats(0), 1)]),
    *both("permute", [S(CUBE, (2, 0, 1)), S(CUBE, (-1, 0, -2)), S(A, dims=(1, 0)), S(floats(3), (0,))]),
    *both("transpose", [S(CUBE, 0, 2), S(A, -1, 0), S(CUBE, dim0=1, dim1=2), S(floats(3), 0, 0)]),
    *both("swapaxes", [S(CUBE, 0, 2), S(CUBE, axis0=1, axis1=-1)]),
    *both("swapdims", [S(CUBE, 0, 2), S(CUBE, dim0=1, dim1=-1)]),
    *both("movedim", [S(CUBE, 0, 2), S(CUBE, (0, 1), (2, 0)), S(CUBE, -1, 0), S(CUBE, source=1, destination=0)]),
    *both("moveaxis", [S(CUBE, 0, 2), S(CUBE, (0, 1), (-1, -2))]),
    *both("t", [S(A), S(floats(3)), S(floats()), S(floats(0, 2))]),
    *both("adjoint", [S(A), S(CUBE), S(floats(2, 0, 3))]),
    *both("narrow", [S(A, 0, 1, 2), S(A, 1, -3, 2), S(A, 1, 4, 0), S(CUBE, dim=2, start=1, length=3)]),
    *both("select", [S(A, 0, 1), S(CUBE, 1, -1), S(floats(3), 0, 2), S(CUBE, dim=-1, index=0)]),
    *both("unbind", [S(A), S(CUBE, 1), S(CUBE, dim=-1), S(floats(3))]),
    *both("split", [S(A, 2), S(A, 3, 1), S(A, [1, 3], 1), S(A, (1, 0, 2)), S(floats(5), 2), S(CUBE, 10, dim=2)]),
    *both("split_with_sizes", [S(A, [1, 2]), S(A, (2, 0, 2), 1), S(CUBE, [1, 3], dim=-1)]),
    *both(
        "tensor_split",
        [S(floats(7), 3), S(A, 3, 1), S(A, 5), S(A, (1, 2), 1), S(floats(7), (2, 1, 9)), S(floats(7), (-5, -2)),
         S(CUBE, 2, dim=-1), S(floats(5), [])],
    ),
    *both("hsplit", [S(A, 2), S(A, (1, 3)), S(floats(6), 3), S(CUBE, 3)]),
    *both("vsplit", [S(A, 3), S(A, (1,)), S(CUBE, 2)]),
    *both("dsplit", [S(CUBE, 2), S(CUBE, (1, 3))]),
    *both("chunk", [S(A, 2), S(A, 3, 1), S(floats(7), 4), S(A, 10), S(floats(0, 3), 3), S(CUBE, 2, dim=-1)]),
    *both("unsafe_chunk", [S(A, 2), S(A, 3, 1)]),
    *both(
        "diagonal",
        [S(A), S(A, 1), S(A, -1), S(CUBE, 0, 1, 2), S(CUBE, 1, 0, 2), S(CUBE, -1, -1, 0), S(A, 9),
         S(CUBE, offset=1, dim1=2, dim2=1), S(floats(0, 2))],
    ),
    *both("as_strided", [S(A, (2, 2), (4, 1)), S(A, (3, 2), (1, 4), 1), S(A, (), ()), S(A, (2, 0), (1, 1))],
          layouts=("plain",)),
    Entry("Tensor.view", [S(A, 4, 3), S(A, (2, -1)), S(floats(0, 3), 3, 0), S(A, -1)], call=aliased, layouts=("plain",)),
    Entry("Tensor.view_as", [S(A, floats(4, 3)), S(A, integers(0, 2, 2, 6))], call=aliased, layouts=("plain",)),
    Entry("Tensor.reshape", [S(A, (3, 4)), S(A, (-1, 4)), S(A, (12,))], call=another_tensor),
    Entry("Tensor.ravel", [S(floats(4)), S(A)], call=another_tensor),
    Entry("Tensor.reshape_as", [S(A, floats(4, 3)), S(A, floats(12))], call=aliased),
    Entry("Tensor.unfold", [S(floats(6), 0, 2, 2), S(A, 1, 2, 2), S(CUBE, -1, 1, 2), S(A, dimension=0, size=2, step=3)],
          call=aliased),
    Entry("Tensor.unfold", [S(floats(6), 0, 3, 1), S(A, -1, 3, 1), S(CUBE, 1, 2, 1), S(floats(), 0, 1, 1), S(floats(4), 0, 4, 5)],
          call=read),
]

BROADCASTS = [
    Entry(
        "Tensor.expand",
        [S(floats(3, 1), 3, 4), S(floats(3, 1), (2, 3, 4)), S(floats(3, 1), 2, -1, 4), S(floats(), 2), S(floats(1), 0),
         S(A, -1, -1), S(floats(3, 1), size=(3, 2))],
        call=read,
    ),
    Entry("Tensor.expand_as", [S(floats(3, 1), A), S(floats(4), CUBE)], call=read),
    *both("broadcast_to", [S(floats(3, 1), (3, 4)), S(floats(4), (2, 3, 4)), S(floats(), (2, 0))], call=read),
    Entry("broadcast_tensors", [S(floats(3, 1), floats(4)), S(floats(), A, floats(1, 1)), S(A)]),
    Entry("broadcast_shapes", [S((3, 1), (4,)), S((), (2, 1)), S((1, 0), (3, 1)), S(2, (3, 2))], errors=[S((2,), (3,))]),
]

OWN = [
    *[
        Entry(f"Tensor.{name}", samples, call=call, dtypes=("float64",), layouts=("plain",))
        for name, samples in {
            "squeeze_": [S(floats(2, 1, 3)), S(floats(2, 1, 3), 1)],
            "unsqueeze_": [S(A, 0), S(A, -1)],
            "transpose_": [S(A, 0, 1), S(CUBE, -1, 0)],
            "swapaxes_": [S(A, 0, 1)],
            "swapdims_": [S(A, 0, 1)],
            "t_": [S(A)],
        }.items()
        for call in (itself, inside)
    ],
    Entry("Tensor.tril_", [S(A), S(CUBE, 1), S(A, diagonal=-1)]),
    Entry("Tensor.triu_", [S(A), S(CUBE, 1), S(A, diagonal=-1)]),
    Entry(
        "Tensor.resize_",
        [S(A, 2, 3), S(A, (12,)), S(A, (1, 2))],
        grad=False,
        layouts=("plain",),
        call=lambda library, function, x, *args: (function(x.detach().clone(), *args), x),
    ),
    Entry(
        "Tensor.resize_as_",
        [S(A, floats(2, 2))],
        grad=False,
        layouts=("plain",),
        call=lambda library, function, x, y: function(x.detach().clone(), y),
    ),
    Entry(
        "Tensor.view",
        [S(A), S(floats(2, 4))],
        grad=False,
        layouts=("plain",),
        call=lambda library, function, x: [
            function(x, d).clone() for d in (library.int32, library.uint8, library.int64) if d is not library.int64 or x.shape[1] % 2 == 0
        ],
    ),
]

PROPERTIES = [
    Entry("Tensor.T", [S(A), S(floats(3)), S(floats())], call=attribute),
    Entry("Tensor.mT", [S(A), S(CUBE)], call=attribute),
    Entry("Tensor.H", [S(A), S(floats(0, 2))], call=attribute),
    Entry("Tensor.mH", [S(A), S(CUBE)], call=attribute),
]

COPIES = [
    *both("narrow_copy", [S(A, 0, 1, 2), S(A, 1, -3, 2)], call=None),
    *both("select_scatter", [S(A, floats(4), 0, 1), S(CUBE, floats(2, 4), dim=1, index=-1)], call=None),
    *both(
        "slice_scatter",
        [S(A, floats(2, 4), 0, 1), S(A, floats(3, 2), 1, 0, 4, 2), S(A, floats(3, 1), dim=1, start=-1),
         S(A, floats(3, 4)), S(A, floats(3, 4), dim=1, start=0, end=9)],
        call=None,
    ),
    *both("diagonal_scatter", [S(A, floats(3)), S(A, floats(3), 1), S(CUBE, floats(3, 2), 0, 0, 2)], call=None),
    *both("diag", [S(A), S(A, 1), S(floats(3)), S(floats(3), -1), S(floats(2), diagonal=2), S(floats(0))], call=None),
    *both("diag_embed", [S(floats(3)), S(A, 1), S(A, -1, 0, 2), S(A, offset=0, dim1=1, dim2=0)], call=None),
    *both("diagflat", [S(floats(3)), S(B, 1), S(B, offset=-1), S(floats())], call=None),
    *both("trace", [S(A), S(integers(0, 9, 3, 3)), S(floats(0, 2))], call=None),
    *both("tril", [S(A), S(A, 1), S(CUBE, -1), S(floats(3, 0)), S(bools(3, 3)), S(integers(0, 9, 3, 3), diagonal=1)],
          call=None),
    *both("triu", [S(A), S(A, 1), S(CUBE, -1), S(floats(3, 0)), S(bools(3, 3)), S(integers(0, 9, 3, 3), diagonal=1)],
          call=None),
    Entry("Tensor.clone", [S(A), S(CUBE), S(floats())]),
    Entry("Tensor.contiguous", [S(A), S(CUBE), S(floats())]),
    Entry(
        "Tensor.contiguous",
        [S(floats(2, 3, 2, 2), label="channels last")],
        call=lambda library, function, x: (
            lambda y: (y, y.is_contiguous() if x.is_contiguous() else None, y.stride(), y.contiguous().stride())
        )(function(x, memory_format=library.channels_last)),
    ),
    Entry(
        "Tensor.clone",
        [S(floats(2, 3, 2, 2), label="channels last")],
        call=lambda library, function, x: (
            lambda y: (y, y.stride(), y.is_contiguous(memory_format=library.channels_last))
        )(function(x, memory_format=library.channels_last)),
    ),
]

ERRORS = [
    Entry("reshape", [], errors=[S(A, (5, -1)), S(A, (-1, -1)), S(A, (3, 3)), S(A, (2.0, 6))]),
    Entry("Tensor.view", [], errors=[S(A, 5, 3), S(A, -1, -1)]),
    Entry("flatten", [], errors=[S(A, 1, 0), S(A, 0, 2)]),
    Entry("unflatten", [], errors=[S(A, 1, (3, 2)), S(A, 2, (2, 2)), S(A, 0, ())]),
    Entry("squeeze", [], errors=[S(A, 2), S(A, (0, 0))]),
    Entry("unsqueeze", [], errors=[S(A, 3), S(A, -4)]),
    Entry("permute", [], errors=[S(A, (0, 0)), S(A, (0,)), S(A, (0, 2)), S(A, (0, 1, 2))]),
    Entry("transpose", [], errors=[S(A, 0, 2), S(floats(), 0, 1)]),
    Entry("movedim", [], errors=[S(CUBE, (0, 1), (0,)), S(CUBE, (0, 0), (1, 2)), S(CUBE, 3, 0)]),
    Entry("t", [], errors=[S(CUBE)]),
    Entry("adjoint", [], errors=[S(floats(3))]),
    Entry("narrow", [], errors=[S(A, 0, 2, 2), S(A, 0, 4, 1), S(A, 0, 0, -1), S(floats(), 0, 0, 0), S(A, 2, 0, 1)]),
    Entry("select", [], errors=[S(A, 0, 3), S(A, 0, -4), S(A, 2, 0), S(floats(), 0, 0)]),
    Entry("unbind", [], errors=[S(floats()), S(A, 2)]),
    Entry("split", [], errors=[S(A, 0), S(A, -1), S(A, [1, 1]), S(floats(), 1), S(A, 1, 2)]),
    Entry("tensor_split", [], errors=[S(A, 0), S(A, -1), S(floats(), 2)]),
    Entry("hsplit", [], errors=[S(A, 3), S(floats(), 1)]),
    Entry("vsplit", [], errors=[S(A, 2), S(floats(4), 2)]),
    Entry("dsplit", [], errors=[S(CUBE, 3), S(A, 2)]),
    Entry("chunk", [], errors=[S(A, 0), S(floats(), 1)]),
    Entry("Tensor.unfold", [], errors=[S(A, 0, 4, 1), S(A, 0, 2, 0), S(A, 2, 1, 1), S(A, 0, -1, 1)]),
    Entry("as_strided", [], errors=[S(A, (2,), (1, 1)), S(A, (4, 4), (4, 1)), S(A, (2,), (-1,))]),
    Entry("diagonal", [], errors=[S(A, 0, 0, 0), S(A, 0, 0, 2), S(floats())]),
    Entry("diag", [], errors=[S(CUBE), S(floats())]),
    Entry("diag_embed", [], errors=[S(A, 0, 0, 0), S(A, 0, 0, 5)]),
    Entry("trace", [], errors=[S(CUBE), S(floats(3))]),
    Entry("tril", [], errors=[S(floats(3))]),
    Entry("select_scatter", [], errors=[S(A, floats(3), 0, 0), S(A, floats(4), 0, 3)]),
    Entry("slice_scatter", [], errors=[S(A, floats(3, 4), 0, 1)]),
    Entry("diagonal_scatter", [], errors=[S(A, floats(4))]),
    Entry("Tensor.expand", [], errors=[S(A, 4), S(A, 3, 5), S(A, -1, 3, 4), S(floats(3), 2)]),
    Entry("broadcast_tensors", [], errors=[S(floats(3), floats(4))]),
    Entry("Tensor.resize_", [], errors=[S(A, 2, -1)]),
]

ENTRIES = [*VIEWS, *BROADCASTS, *OWN, *PROPERTIES, *COPIES, *ERRORS]

ENTRIES += [
    # no gradients: PyTorch gives the input those of the part that was replaced, we give it those of the rest
    Entry("as_strided_scatter", [S(A, floats(2, 2), (2, 2), (4, 1)), S(A, floats(3), (3,), (5,), 1)], layouts=("plain",), grad=False),
    Entry("Tensor.sum_to_size", [S(A, 4), S(A, 3, 1), S(CUBE, (1, 3, 4)), S(A, 3, 4)], errors=[S(A, 3), S(A, 2, 3, 4)]),
    Entry("Tensor.fill_diagonal_", [S(A, 2.5), S(floats(7, 3), 1.0), S(floats(7, 3), 1.0, True), S(floats(3, 3, 3), 0.5), S(floats(2, 5), 1.0, wrap=True)], errors=[S(floats(3), 1.0), S(CUBE, 1.0)]),
    Entry("unsafe_split_with_sizes", [S(A, [1, 3], 1)]),
]
