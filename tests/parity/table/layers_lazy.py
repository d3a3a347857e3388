"""Lazy layers: what they are before and after the first input, and after loading."""

from __future__ import annotations

from typing import Any

import numpy as np

from table._entry import Entry, S, floats


def _call(library: Any, layer: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """Run: the same numbers as parameters; the layer after a call, and one that is loaded before it."""
    lazy = layer(*args, **kwargs).to(x.dtype)
    before = [lazy.has_uninitialized_params(), type(lazy).__name__, repr(lazy)]
    lazy(x)
    state = {}
    for i, (name, value) in enumerate(lazy.state_dict().items()):
        if value.is_floating_point():
            numbers = np.cos(np.arange(value.numel()) + i).reshape(tuple(value.shape)) + 1.5
            state[name] = library.tensor(numbers, dtype=x.dtype)
        else:
            state[name] = library.zeros_like(value)
    lazy.load_state_dict(state)
    if "Linear" in layer.__name__:  # PyTorch's others cannot be called after loading
        other = layer(*args, **kwargs).to(x.dtype)
        other.load_state_dict(state)
        before += [other(x), repr(other)]
    return [
        *before,
        repr(lazy),
        type(lazy).__name__,
        [type(p).__name__ for p in lazy.parameters()],
        lazy(x),
    ]


def _E(name: str, samples: list[S]) -> Entry:
    wide = {"float32": (1e-4, 1e-5)}
    why = "sums of some hundred products"
    return Entry(f"nn.{name}", samples, call=_call, layouts=("plain",), tolerance=wide, why=why)


_SHAPES = {1: (2, 4, 6), 2: (2, 4, 6, 5), 3: (2, 4, 5, 5, 5)}

ENTRIES = [
    _E("LazyLinear", [S(floats(3, 5), 4), S(floats(2, 3, 5), 4, bias=False), S(floats(5), 2)]),
    *[
        _E(f"LazyConv{n}d", [S(floats(*x), 6, 3, padding=1), S(floats(*x), 4, 2, 2, groups=2, bias=False)])
        for n, x in _SHAPES.items()
    ],
    *[
        _E(f"LazyConvTranspose{n}d", [S(floats(*x), 6, 3), S(floats(*x), 4, 2, stride=2, groups=2)])
        for n, x in _SHAPES.items()
    ],
    *[
        _E(f"LazyBatchNorm{n}d", [S(floats(*x)), S(floats(*x), 1e-3, affine=False)])
        for n, x in _SHAPES.items()
    ],
    *[
        _E(f"LazyInstanceNorm{n}d", [S(floats(*x)), S(floats(*x), affine=True, track_running_stats=True)])
        for n, x in _SHAPES.items()
    ],
]
