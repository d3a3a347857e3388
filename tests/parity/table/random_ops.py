"""Random tensors: shapes, types and errors; the numbers themselves are other ones."""

from typing import Any

import numpy as np
import torch

from table._entry import Entry, S, floats, integers, positive

A, INTS = floats(3, 4), integers(0, 5, 3)


def entry(name: str, *samples: S, **options: Any) -> Entry:
    return Entry(name, samples, **{"layouts": ("plain",), "values": False, **options})


def generator(library: Any, function: Any, *args: Any, **options: Any) -> Any:
    """Two draws from one state are equal, and the next differs."""
    g = library.Generator().manual_seed(3)
    state = g.get_state()
    first = function(*args, generator=g, **options)
    other = function(*args, generator=g, **options)
    g.set_state(state)
    again = function(*args, generator=g, **options)
    return [first.shape == again.shape, bool((first == again).all()), bool((first == other).all())]


def seeded(library: Any, function: Any, *args: Any, **options: Any) -> Any:
    library.manual_seed(7)
    a = function(*args, **options)
    library.manual_seed(7)
    return [bool((a == function(*args, **options)).all()), library.initial_seed()]


def overwritten(library: Any, function: Any, x: Any, *args: Any, **options: Any) -> Any:
    """A method in place: returns its tensor, whose numbers lie in the range of the distribution."""
    x = library.zeros(200, dtype=x.dtype)
    g = library.Generator().manual_seed(1)
    out = function(x, *args, generator=g, **options)
    return [out is x, x, bool(library.isfinite(x).all()), bool((x >= 0).all()), bool((x == x.round()).all())]


def spread(library: Any, function: Any, *args: Any, **options: Any) -> Any:
    """Mean and deviation of many numbers, to a digit."""
    library.manual_seed(1)
    x = function(library.zeros(40000, dtype=library.float64), *args, **options)
    return [round(float(x.mean()) * 5) / 5, round(float(x.std()) * 5) / 5]


SIZES = [S(2, 3), S((2, 3)), S(4), S(0), S(()), S(size=(2, 2)), S(3, dtype=torch.float64)]
P = positive(3, 4, low=0.05, high=0.95)

ENTRIES = [
    *[entry(n, *SIZES, errors=[S(-1)]) for n in ("rand", "randn")],
    *[entry(n, S(A), S(A, dtype=torch.float64), S(input=A)) for n in ("rand_like", "randn_like")],
    entry(
        "randint",
        S(5, (2, 3)),
        S(2, 7, (2,)),
        S(5, [3]),
        S(low=1, high=4, size=(2,)),
        S(0, 2, (3,), dtype=torch.int32),
        S(9, (2,), dtype=torch.float32),
        errors=[S(3, 3, (2,)), S(0, (2,))],
    ),
    entry("randint_like", S(A, 5), S(A, 2, 7), S(INTS, 9), S(A, 5, dtype=torch.int64), S(A, low=1, high=3)),
    entry("randperm", S(5), S(0), S(4, dtype=torch.int32), S(3, dtype=torch.float32), errors=[S(-1)]),
    entry(
        "normal",
        S(0.0, 1.0, (2, 3)),
        S(A, 1.0),
        S(A, positive(4)),
        S(2.0, positive(3)),
        S(A),
        S(mean=1.0, std=2.0, size=(4,)),
        grad=False,
        errors=[S(0.0, -1.0, (2,)), S(A, -1.0)],
    ),
    entry(
        "bernoulli", S(P), S(P, 0.3), S(INTS, 0.5), grad=False, errors=[S(floats(3) * 9), S(P, 1.5), S(INTS)]
    ),
    entry("poisson", S(P), S(P * 40), grad=False, errors=[S(-P), S(INTS)]),
    entry("binomial", S(np.round(P * 9), P), grad=False),
    entry(
        "multinomial",
        S(P, 2),
        S(P[0], 3),
        S(P[0], 9, True),
        S(P, 2, replacement=True),
        S(P, num_samples=1),
        grad=False,
        errors=[S(P, 5), S(-P, 1), S(P * 0, 1), S(floats(2, 2, 2), 1)],
    ),
    *[
        Entry(n, [s], call=generator, layouts=("plain",))
        for n, s in (
            ("rand", S(3, 4)),
            ("randn", S(7)),
            ("randint", S(100, (20,))),
            ("randperm", S(30)),
            ("normal", S(0.0, 1.0, (9,))),
        )
    ],
    *[
        Entry(n, [s], call=seeded, layouts=("plain",))
        for n, s in (("rand", S(3, 4)), ("randn", S(7)), ("randint", S(100, (20,))), ("randperm", S(30)))
    ],
    # -- in place
    *[
        Entry(
            f"Tensor.{n}",
            [S(A, *a) for a in more],
            call=overwritten,
            grad=False,
            values=False,
            layouts=("plain",),
        )
        for n, more in {
            "uniform_": [(), (1.0, 2.0)],
            "exponential_": [(), (3.0,)],
            "geometric_": [(0.3,)],
            "bernoulli_": [(), (0.3,)],
            "log_normal_": [(), (0.0, 0.5)],
            "random_": [(), (10,), (3, 9)],
        }.items()
    ],
    *[
        Entry(f"Tensor.{n}", [S(INTS, *a) for a in more], call=overwritten, grad=False, values=False)
        for n, more in {"random_": [(10,), (3, 9)], "bernoulli_": [(0.3,)], "geometric_": [(0.4,)]}.items()
    ],
    *[
        Entry(f"Tensor.{n}", [S(*a) for a in more], call=spread, layouts=("plain",))
        for n, more in {
            "uniform_": [(), (1.0, 2.0)],
            "normal_": [(), (3.0, 2.0)],
            "exponential_": [(), (0.5,)],
            "geometric_": [(0.5,)],
            "bernoulli_": [(0.3,)],
            "random_": [(11,)],
            "log_normal_": [(0.0, 0.5)],
        }.items()
    ],
    *[
        entry(f"Tensor.{n}", S(A), S(A.copy()), grad=False)
        for n in ("normal_", "uniform_", "exponential_", "cauchy_", "log_normal_", "random_")
    ],
    entry("Tensor.bernoulli_", S(A, P), S(A, floats(4) * 0 + 0.5), grad=False),
    entry("Tensor.normal_", errors=[S(A, 0.0, -1.0)]),
    entry("Tensor.uniform_", errors=[S(A, 2.0, 1.0), S(INTS)]),
    entry("Tensor.exponential_", errors=[S(A, -1.0), S(INTS)]),
    entry("Tensor.geometric_", errors=[S(A, 0.0), S(A, 1.5)]),
    entry("Tensor.cauchy_", errors=[S(A, 0.0, -1.0)]),
    entry("Tensor.log_normal_", errors=[S(A, 0.0, -1.0)]),
    entry("Tensor.bernoulli_", errors=[S(A, 1.5)]),
    entry("Tensor.random_", errors=[S(A, 5, 2)]),
    entry("Tensor.multinomial", S(P, 2), grad=False),
    entry("Tensor.bernoulli", S(P), S(P, 0.4), grad=False),
]
