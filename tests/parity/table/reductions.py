"""Sums, extremes, moments, order statistics, counts and scans."""

import math

import numpy as np

from table._entry import Entry, S, bools, floats, integers, positive

A, CUBE = floats(3, 4), floats(2, 3, 4)
INTS = integers(-5, 6, 3, 4)
BYTES = integers(0, 9, 3, 4, dtype="uint8")
HOLES = np.where(np.arange(12).reshape(3, 4) % 5 == 2, math.nan, A)
TIES = np.array([[1.0, 3.0, 3.0, 2.0], [2.0, 2.0, 2.0, 2.0], [0.0, -1.0, -1.0, 5.0]])
TWO = ("plain", "strided")

#: axes of CUBE in all the ways to say them
AXES = [
    S(A),
    S(CUBE, 1),
    S(CUBE, -1, True),
    S(CUBE, dim=0, keepdim=True),
    S(CUBE, (0, 2)),
    S(CUBE, dim=[1, 2], keepdim=True),
    S(floats(), 0),
    S(floats()),
]
NUMPY = [S(CUBE, axis=1), S(CUBE, axis=(0, 1), keepdims=True), S(input=A, dim=0)]


def total(name: str, *more: S, **options: object) -> Entry:
    return Entry(name, [*AXES, *more], **{"layouts": TWO, "errors": [S(A, 2), S(A, (0, 0))], **options})


LOOSE = {"float32": (2e-5, 1e-5)}

ENTRIES = [
    total(
        "sum",
        *NUMPY,
        S(floats(3, 0), 1),
        S(floats(0)),
        S(INTS),
        S(INTS, 0),
        S(BYTES),
        S(bools(3, 4), 1),
        S(A, dim=()),
        S(INTS, dim=1, keepdim=True),
    ),
    total("mean", *NUMPY, S(floats(3, 0), 0), errors=[S(INTS), S(A, 5)]),
    total("nansum", S(HOLES), S(HOLES, 1), S(INTS), errors=[]),
    total("nanmean", S(HOLES), S(HOLES, 1, True), S(HOLES, 0), errors=[]),
    Entry(
        "logsumexp",
        [
            *AXES[1:7],
            S(np.array([[90.0, 90.0], [-90.0, 2.0]]), 1),
            S(np.array([[-math.inf, 0.0]]), 1),
            S(INTS, 1),
            S(CUBE, axis=0, keepdims=True),
        ],
        layouts=TWO,
        errors=[S(A, 2)],
    ),
    Entry(
        "prod",
        [
            S(A),
            S(CUBE, 1),
            S(CUBE, -1, True),
            S(INTS),
            S(INTS, 0),
            S(bools(3, 4)),
            S(floats(3, 0), 1),
            S(floats()),
            S(np.array([[0.0, 2, 3], [4, 0, 0], [5, 6, 7]]), 1),
            S(np.array([[0.0, 2, 3], [4, 5, 6]])),
            S(CUBE, axis=1),
        ],
        layouts=TWO,
        errors=[S(A, 3)],
    ),
    *[
        total(
            n,
            S(TIES),
            S(TIES, 1),
            S(HOLES, 1),
            S(INTS, 0),
            S(INTS),
            S(bools(3, 4), 1),
            S(A, axis=0, keepdims=True),
            errors=[S(A, 2), S(floats(0, 3), 0)],
        )
        for n in ("amax", "amin")
    ],
    *[
        Entry(
            n,
            [
                S(A),
                S(CUBE, 1),
                S(CUBE, -1, True),
                S(CUBE, dim=0, keepdim=True),
                S(TIES),
                S(TIES, 1),
                S(HOLES),
                S(HOLES, 1),
                S(INTS),
                S(INTS, 0),
                S(bools(3, 4), 1),
                S(A, floats(4)),
                S(A, other=floats(3, 1)),
                S(floats()),
                S(floats(), 0),
                S(A, axis=1),
                S(INTS, INTS[::-1].copy()),
                S(floats(0, 3), 1),
                S(BYTES),
            ],
            layouts=TWO,
            errors=[S(A, 2), S(floats(0, 3), 0), S(floats(0))],
        )
        for n in ("max", "min")
    ],
    *[
        Entry(
            n,
            [
                S(A),
                S(CUBE, 1),
                S(CUBE, -1, True),
                S(TIES, 1),
                S(TIES),
                S(HOLES, 1),
                S(INTS),
                S(INTS, 0),
                S(floats()),
                S(floats(), 0),
                S(CUBE, dim=1, keepdim=True),
                S(CUBE, axis=1),
                S(CUBE, keepdim=True),
            ],
            layouts=TWO,
            errors=[S(A, 2), S(floats(0, 3), 0), S(floats(0))],
        )
        for n in ("argmax", "argmin")
    ],
    Entry(
        "aminmax",
        [S(A), S(CUBE, dim=1), S(CUBE, dim=-1, keepdim=True), S(TIES), S(INTS), S(floats()), S(TIES, dim=1)],
        layouts=TWO,
        errors=[S(floats(0))],
    ),
    *[
        Entry(
            n,
            [
                S(bools(3, 4)),
                S(bools(3, 4), 1),
                S(bools(3, 4), 0, True),
                S(INTS),
                S(INTS, 1),
                S(BYTES),
                S(BYTES, 0),
                S(A),
                S(A, 1),
                S(bools(2, 3, 4), (0, 2)),
                S(bools(3, 0)),
                S(bools(3, 0), 1),
                S(bools(3, 4), axis=1),
            ],
            grad=False,
            layouts=TWO,
            errors=[S(A, 2)],
        )
        for n in ("all", "any")
    ],
    Entry(
        "count_nonzero",
        [
            S(INTS),
            S(INTS, 1),
            S(bools(3, 4), 0),
            S(TIES, (0, 1)),
            S(HOLES),
            S(integers(0, 2, 2, 3, 4), dim=(0, 2)),
        ],
        grad=False,
        layouts=TWO,
    ),
    # -- moments
    *[
        Entry(
            n,
            [
                *AXES[:6],
                S(A, False),
                S(A, 1, False),
                S(A, 1, True, True),
                S(A, unbiased=False),
                S(A, dim=1, unbiased=True),
                S(A, correction=0),
                S(A, dim=0, correction=2),
                S(CUBE, dim=(0, 1), correction=0, keepdim=True),
                S(floats(3, 1) * 0 + 1.5),
                S(floats(5), 0),
                S(A, axis=1),
                S(np.array([1e30, -1e30, 2e30])) if "std" in n else S(A, 0),
                S(np.array([[1e6, 1e6 + 1, 1e6 + 2]]), 1),
            ],
            layouts=TWO,
            errors=[S(INTS), S(A, 2)],
            tolerance={"float32": (2e-5, 1e-5)},
            why="the mean of large numbers is rounded in the gradient",
        )
        for n in ("var", "std", "var_mean", "std_mean")
    ],
    Entry(
        "norm",
        [
            S(A),
            S(A, 2),
            S(A, 1),
            S(A, 3, 1),
            S(A, math.inf, 0),
            S(A, -math.inf, 1, True),
            S(A, 0.5, 1),
            S(A, "fro"),
            S(CUBE, 2, (0, 2)),
            S(CUBE, "fro", (1, 2)),
            S(A, p=1, dim=1),
            S(TIES, math.inf, 1),
            S(A * 0),
            S(A, 2.5),
            S(floats()),
            S(A, dim=1),
            S(A, "fro", 1, True),
        ],
        layouts=TWO,
        errors=[S(INTS)],
    ),
    Entry("norm", [S(A, 0), S(A, 0, 1), S(A, 2, None, False, dtype=None)], grad=False, layouts=TWO),
    Entry(
        "dist",
        [
            S(A, floats(3, 4)),
            S(A, floats(4), 1),
            S(A, floats(3, 4), 3),
            S(A, floats(3, 4), math.inf),
            S(A, A.copy()),
        ],
        layouts=TWO,
    ),
    Entry(
        "renorm",
        [S(A, 2, 0, 1.0), S(CUBE, 1, 1, 2.0), S(A, p=3, dim=1, maxnorm=0.5), S(A * 0.01, 2, 0, 1.0)],
        layouts=TWO,
        errors=[S(floats(3), 2, 0, 1.0), S(A, -1, 0, 1.0), S(A, 2, 0, -1.0)],
    ),
    Entry(
        "cov",
        [
            S(A),
            S(floats(5)),
            S(A, correction=0),
            S(A, fweights=integers(1, 4, 4)),
            S(A, aweights=positive(4)),
            S(A, fweights=integers(1, 4, 4), aweights=positive(4)),
            S(A, correction=2, aweights=positive(4)),
            S(floats(1, 5)),
            S(floats()),
        ],
        layouts=("plain",),
        tolerance=LOOSE,
        why="sums of products",
        errors=[S(CUBE), S(A, fweights=floats(4))],
    ),
    Entry(
        "corrcoef",
        [S(A), S(floats(5)), S(floats(2, 6))],
        layouts=("plain",),
        tolerance=LOOSE,
        why="sums of products",
    ),
    # -- order statistics
    *[
        Entry(
            n,
            [
                S(A),
                S(CUBE, 1),
                S(CUBE, -1, True),
                S(floats(5), 0),
                S(HOLES),
                S(HOLES, 1),
                S(HOLES, 0),
                S(floats()),
                S(floats(), 0),
                S(INTS),
                S(floats(3, 5), dim=1, keepdim=True),
                S(np.array([math.nan, math.nan])),
            ],
            layouts=TWO,
            errors=[S(A, 2)],
        )
        for n in ("median", "nanmedian")
    ],
    Entry(
        "mode",
        [
            S(INTS),
            S(integers(0, 3, 4, 9)),
            S(integers(0, 3, 4, 9), 0),
            S(integers(0, 2, 2, 3, 7), 1, True),
            S(A),
            S(TIES),
            S(floats()),
        ],
        layouts=TWO,
        errors=[S(A, 2)],
    ),
    Entry(
        "kthvalue",
        [
            S(A, 2),
            S(CUBE, 3, 2),
            S(CUBE, 1, dim=0, keepdim=True),
            S(floats(), 1),
            S(A, k=3, dim=0),
            S(np.array([40, 7, 93, 12, 66, 3, 51]), 4),  # no ties: which index they give is open
        ],
        layouts=TWO,
        errors=[S(A, 5), S(A, 0)],
    ),
    *[
        Entry(
            n,
            [
                S(A, 0.3),
                S(A, 0.3, 1),
                S(CUBE, 0.5, -1, True),
                S(CUBE, 0.9, dim=0),
                S(A, 1.0, 0),
                S(A, 0.0, 0),
                S(HOLES, 0.4, 1),
                S(HOLES, 0.4),
                *[
                    S(A, 0.37, 1, interpolation=i)
                    for i in ("linear", "lower", "higher", "midpoint", "nearest")
                ],
                S(A, 0.5, keepdim=True),
                S(floats(), 0.5),
            ],
            layouts=TWO,
            errors=[S(A, 1.5), S(INTS, 0.5), S(A, 0.5, interpolation="cubic"), S(A, 0.5, 2)],
        )
        for n in ("quantile", "nanquantile")
    ],
    *[
        Entry(
            n,
            [
                S(A, np.array([0.1, 0.5, 0.75])),
                S(A, np.array([0.1, 0.5, 0.75]), 1),
                S(CUBE, np.array([0.2]), 1, True),
                S(HOLES, np.array([0.2, 0.9]), 0),
                S(A, np.array([0.2, 0.9]), keepdim=True),
            ],
            layouts=("plain",),
            grad=False,
        )
        for n in ("quantile", "nanquantile")
    ],
    # -- counts
    Entry(
        "bincount",
        [
            S(integers(0, 6, 20)),
            S(integers(0, 6, 20), minlength=9),
            S(integers(0, 6, 20), positive(20)),
            S(integers(0, 3, 0)),
            S(integers(0, 6, 20), integers(0, 9, 20), 8),
        ],
        grad=False,
        layouts=TWO,
        errors=[S(INTS), S(floats(3)), S(integers(-3, -1, 3)), S(integers(0, 3, 3), positive(2))],
    ),
    Entry(
        "histc",
        [S(A), S(A, 5), S(A, 4, -1, 1), S(A, bins=3, min=-2, max=2), S(A * 0 + 2, 3), S(floats(0), 3)],
        grad=False,
        layouts=TWO,
        errors=[S(A, 0), S(A, 3, 2, 1)],
    ),
    Entry(
        "histogram",
        [
            S(A, 5),
            S(A, 4, range=(-1.0, 1.0)),
            S(A, np.array([-2.0, -0.5, 0.25, 2.0])),
            S(A, 4, density=True),
            S(A, 3, weight=positive(3, 4)),
            S(A, 3, weight=positive(3, 4), density=True),
        ],
        grad=False,
        layouts=("plain",),
        errors=[S(A, 0), S(INTS, 3)],
    ),
    # -- scans
    *[
        Entry(
            n,
            [
                S(A, 0),
                S(CUBE, 1),
                S(CUBE, dim=-1),
                S(INTS, 1),
                S(floats(), 0),
                S(floats(3, 0), 1),
                S(bools(3, 4), 0),
                S(BYTES, 0),
                S(A, axis=1),
            ],
            layouts=TWO,
            errors=[S(A, 2), S(A)],
        )
        for n in ("cumsum", "cumprod")
    ],
    Entry("cumprod", [S(np.array([[2.0, 0, 3, 4], [0, 5, 0, 6]]), 1)]),
    *[
        Entry(
            n,
            [S(A, 0), S(CUBE, 1), S(TIES, 1), S(HOLES, 1), S(INTS, dim=0), S(floats(), 0), S(A, axis=1)],
            layouts=TWO,
            errors=[S(A, 2)],
        )
        for n in ("cummax", "cummin")
    ],
    Entry(
        "logcumsumexp",
        [S(A, 0), S(CUBE, 1), S(floats(), 0), S(np.array([-1e3, 0.0, 1e3, 5.0]), 0)],
        layouts=TWO,
        errors=[S(A, 2), S(INTS, 0)],
    ),
    Entry(
        "diff",
        [
            S(A),
            S(A, 2),
            S(CUBE, 1, 0),
            S(A, dim=0),
            S(A, 1, -1, floats(3, 1)),
            S(A, 2, 0, append=floats(2, 4)),
            S(INTS),
            S(bools(3, 4)),
            S(A, 9),
            S(floats(5), prepend=floats(2), append=floats(1)),
            S(A, 0),
        ],
        layouts=TWO,
        errors=[S(floats()), S(A, -1)],
    ),
    *[
        Entry(
            n,
            [
                S(A),
                S(A, floats(4)),
                S(A, dx=0.3),
                S(A, dim=0),
                S(A, floats(3, 4), dim=0),
                S(CUBE, dx=2, dim=1),
                S(floats(5), floats(5)),
            ],
            layouts=TWO,
            errors=[S(A, floats(3))],
        )
        for n in ("trapezoid", "cumulative_trapezoid")
    ],
    Entry(
        "gradient",
        [
            S(A),
            S(CUBE, dim=1),
            S(A, spacing=2.0),
            S(A, spacing=(0.5, 3.0)),
            S(floats(5), edge_order=2),
            S(A, dim=(0, 1), edge_order=2),
            S(floats(4), spacing=(np.array([0.0, 1.0, 3.0, 3.5]),)),
            S(floats(2)),
        ],
        layouts=("plain",),
        errors=[S(floats(1)), S(A, spacing=(1.0,)), S(floats(2), edge_order=2)],
    ),
    Entry(
        "Tensor.sum_to_size", [S(CUBE, 3, 1), S(CUBE, (2, 1, 4)), S(A, 1), S(A, 3, 4)], errors=[S(A, 2, 4)]
    ),
    Entry("norm", [S(floats(3, 4), "nuc")], layouts=("plain",)),
    # -- methods
    *[
        Entry(
            f"Tensor.{n}",
            [S(A), S(CUBE, 1), S(CUBE, dim=-1, keepdim=True), S(CUBE, axis=1)],
            layouts=("plain",),
        )
        for n in (
            "sum",
            "mean",
            "amax",
            "amin",
            "max",
            "min",
            "argmax",
            "argmin",
            "all",
            "any",
            "std",
            "var",
            "median",
            "nansum",
        )
    ],
    *[
        Entry(f"Tensor.{n}", [S(CUBE, 1), S(CUBE, dim=-1)], layouts=("plain",))
        for n in (
            "cumsum",
            "cumprod",
            "cummax",
            "cummin",
            "logcumsumexp",
            "logsumexp",
            "softmax",
            "log_softmax",
        )
    ],
    *[
        Entry(f"Tensor.{n}", [S(A)], layouts=("plain",))
        for n in ("aminmax", "cov", "corrcoef", "diff", "histc", "mode", "norm", "count_nonzero")
    ],
    Entry("Tensor.quantile", [S(A, 0.2, 1)]),
    Entry("Tensor.kthvalue", [S(A, 2, 1)]),
    Entry("Tensor.bincount", [S(integers(0, 5, 9))]),
    Entry("Tensor.dist", [S(A, floats(4), 1)]),
    Entry("Tensor.renorm", [S(A, 2, 0, 0.5)]),
]
