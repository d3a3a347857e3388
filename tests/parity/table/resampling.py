"""Resampling: every mode, sizes and factors; pixels and channels traded; grids."""

from typing import Any

import numpy as np

from table._entry import Entry, Init, S, floats, integers

_X: dict[int, np.ndarray] = {1: floats(2, 2, 7), 2: floats(2, 2, 5, 6), 3: floats(1, 2, 3, 4, 3)}
_SIZES: dict[int, list[dict[str, Any]]] = {
    d: [
        {"size": 4},
        {"size": (9, 3, 5)[:d]},
        {"scale_factor": 2},
        {"scale_factor": 0.6},
        {"scale_factor": (1.7, 2.3, 0.9)[:d]},
        {"scale_factor": 1.3, "recompute_scale_factor": True},
        {"size": tuple(_X[d].shape[2:])},
        {"size": [1] * d},
    ]
    for d in (1, 2, 3)
}
_LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}
_F = "nn.functional."

ENTRIES: list[Entry] = []
for d in (1, 2, 3):
    ENTRIES += [
        Entry(
            f"{_F}interpolate",
            [S(_X[d], mode=mode, **o, label=f"{d}d-{mode}-{i}")
             for mode in ("nearest", "nearest-exact", "area") for i, o in enumerate(_SIZES[d])],
            layouts=("plain", "transposed"),
        ),
        Entry(
            f"{_F}interpolate",
            [S(_X[d], mode=mode, align_corners=align, **o, label=f"{d}d-{mode}-{align}-{i}")
             for mode in ((_LINEAR[d], "bicubic") if d == 2 else (_LINEAR[d],))
             for align in (None, False, True) if align is not None or d == 2
             for i, o in enumerate(_SIZES[d])],
            layouts=("plain", "transposed"),
            tolerance={"float32": (2e-5, 5e-6)},
            why="weights are differences of places computed in float32",
        ),
    ]  # fmt: skip


def _theta(n: int, axes: int) -> np.ndarray:
    return np.concatenate([np.eye(axes)[None].repeat(n, 0), np.zeros((n, axes, 1))], 2) * 0.8 + floats(
        n, axes, axes + 1, low=-0.3, high=0.3
    )


_wide = floats(2, 3, 4, 2, low=-1.4, high=1.4)
_BYTES = integers(0, 256, 2, 3, 11, 9, dtype="uint8")


def _centres(align: bool, *sizes: int) -> np.ndarray:
    """A grid of the centres of an image's pixels, of those beside them, and of the places between."""
    places = [np.arange(-1, n + 0.5, 0.5) for n in sizes]
    lines = [
        2 * p / max(n - 1, 1) - 1 if align else (2 * p + 1) / n - 1
        for p, n in zip(places, sizes, strict=True)
    ]
    return np.stack(np.meshgrid(*lines, indexing="ij")[::-1], -1)[None]


_deep = floats(1, 2, 3, 2, 3, low=-1.4, high=1.4)

ENTRIES += [
    Entry(
        f"{_F}interpolate",
        [
            S(integers(0, 200, 1, 2, 3, 4, dtype="uint8"), scale_factor=2),
            S(floats(0, 2, 3, 4), scale_factor=2),
            S(floats(0, 2, 3, 4), scale_factor=2, mode="bilinear"),
            S(floats(1, 1, 37, 41), scale_factor=1.9),
            S(floats(1, 1, 37, 41), size=(11, 64), mode="nearest-exact"),
            S(floats(1, 1, 37, 41), size=(11, 64), mode="bilinear"),
        ],
        layouts=("plain",),
        tolerance={"float32": (2e-5, 2e-5)},
        why="weights are differences of places computed in float32",
        errors=[
            S(floats(1, 1, 3, 4)),
            S(floats(1, 1, 3, 4), 2, 2),
            S(floats(1, 1, 3, 4), (2, 2, 2)),
            S(floats(1, 1, 3, 4), scale_factor=(2.0,)),
            S(floats(1, 1, 3, 4), (2.5, 2)),
            S(floats(1, 1, 3, 4), 2, mode="linear"),
            S(floats(1, 1, 3), 2, mode="bilinear"),
            S(floats(1, 1, 3), 2, mode="bicubic"),
            S(floats(1, 1, 3, 4), 2, mode="nearest", align_corners=True),
            S(floats(1, 1, 3, 4), 2, recompute_scale_factor=True),
            S(floats(1, 1, 3, 4), 0),
            S(floats(1, 1, 3, 0), 2),
            S(floats(1, 0, 3, 4), 2, mode="bilinear"),
            S(floats(3, 4), 2),
            S(floats(1, 1, 3, 4), 2, mode="unknown"),
            S(floats(1, 1, 3, 4), 2, mode="nearest", antialias=True),
            S(integers(0, 4, 1, 1, 3, 4), 2, mode="bilinear"),
        ],
    ),
    Entry(
        f"{_F}interpolate",
        [
            S(x, **size, mode=mode, align_corners=align, antialias=antialias)
            for mode in ("bilinear", "bicubic")
            for x, size, align, antialias in (
                (floats(2, 3, 9, 7), {"size": (4, 9)}, False, True),
                (floats(2, 3, 9, 7), {"size": (9, 3)}, True, True),
                (floats(1, 1, 13, 8), {"scale_factor": 0.3}, False, True),
                (floats(1, 2, 5, 6), {"scale_factor": (1.7, 0.6)}, True, True),
                (floats(1, 1, 4, 4), {"size": (1, 1)}, False, True),
                (_BYTES, {"size": (5, 4)}, False, True),
                (_BYTES, {"size": (20, 5)}, False, False),
                (_BYTES, {"scale_factor": 1.7}, False, False),
                (_BYTES, {"size": (4, 15)}, True, False),
                (_BYTES, {"scale_factor": 0.4}, True, True),
            )
        ],
        tolerance={"float32": (2e-5, 2e-5)},
        why="weights are differences of places computed in float32",
        errors=[S(floats(1, 1, 3), 2, mode="linear", antialias=True)],
    ),
    Entry(f"{_F}upsample", [S(_X[2], 7), S(_X[2], scale_factor=2, mode="bilinear", align_corners=True)]),
    Entry(f"{_F}upsample_nearest", [S(_X[2], 7), S(_X[2], scale_factor=2)]),
    Entry(
        f"{_F}upsample_bilinear",
        [S(_X[2], 7), S(_X[2], scale_factor=2)],
        tolerance={"float32": (2e-5, 5e-6)},
        why="weights are differences of places computed in float32",
    ),
    Entry(
        "nn.Upsample",
        [
            S(Init(scale_factor=2), _X[2]),
            S(Init(size=(3, 8), mode="bilinear"), _X[2]),
            S(Init(scale_factor=(1.5, 2), mode="bilinear", align_corners=True), _X[2]),
            S(Init(scale_factor=1.5, mode="linear", recompute_scale_factor=True), _X[1]),
            S(Init(size=4, mode="trilinear"), _X[3]),
        ],
        tolerance={"float32": (2e-5, 5e-6)},
        why="weights are differences of places computed in float32",
    ),
    Entry("nn.UpsamplingNearest2d", [S(Init(scale_factor=2), _X[2]), S(Init(7), _X[2])]),
    Entry(
        "nn.UpsamplingBilinear2d",
        [S(Init(scale_factor=2), _X[2]), S(Init(7), _X[2])],
        tolerance={"float32": (2e-5, 5e-6)},
        why="weights are differences of places computed in float32",
    ),
    *[
        Entry(
            name,
            [
                S(floats(2, 8, 3, 2), 2),
                S(floats(9, 2, 3), 3),
                S(floats(2, 1, 4, 3, 2), 1),
                S(integers(0, 9, 4, 2, 3), 2),
            ],
            errors=[S(floats(2, 3), 1), S(floats(3, 2, 2), 2), S(floats(4, 2, 2), 0)],
        )
        for name in (f"{_F}pixel_shuffle", "pixel_shuffle")
    ],
    *[
        Entry(
            name,
            [S(floats(2, 2, 4, 6), 2), S(floats(1, 6, 3), 3), S(floats(2, 1, 4, 3, 2), 1)],
            errors=[S(floats(2, 3), 1), S(floats(3, 3, 2), 2), S(floats(3, 2, 3), 2), S(floats(4, 2, 2), -1)],
        )
        for name in (f"{_F}pixel_unshuffle", "pixel_unshuffle")
    ],
    *[
        Entry(
            name,
            [
                S(floats(2, 6, 3), 2),
                S(floats(2, 6, 3, 2), 3),
                S(floats(1, 4, 1, 2, 2), 4),
                S(floats(2, 4, 3), 1),
            ],
            errors=[S(floats(2, 6), 2), S(floats(2, 5, 3), 2), S(floats(2, 4, 3), 0)],
        )
        for name in (f"{_F}channel_shuffle", "channel_shuffle")
    ],
    Entry("nn.PixelShuffle", [S(Init(2), floats(2, 8, 3, 2))]),
    Entry("nn.PixelUnshuffle", [S(Init(2), floats(2, 2, 4, 2))]),
    Entry("nn.ChannelShuffle", [S(Init(2), floats(2, 4, 3, 2))]),
    Entry(
        f"{_F}grid_sample",
        [
            S(_X[2], _wide, mode, padding, align)
            for mode in ("bilinear", "nearest", "bicubic")
            for padding in ("zeros", "border", "reflection")
            for align in (False, True)
        ]
        + [
            S(_X[3], _deep, mode, padding, align)
            for mode in ("bilinear", "nearest")
            for padding in ("zeros", "border", "reflection")
            for align in (False, True)
        ]
        + [  # at the very centres of pixels, and half-way between them: one of the two derivatives is taken
            S(image, _centres(align, *image.shape[2:]), mode, padding, align)
            for align, sizes in ((False, (4, 8)), (True, (5, 3)), (True, (5, 1)), (False, (2, 4, 2)))
            for image in (floats(1, 2, *sizes),)
            for mode in ("bilinear", "nearest", *(["bicubic"] if len(sizes) == 2 else []))
            for padding in ("zeros", "border", "reflection")
        ]
        + [
            S(floats(0, 2, 3, 3), floats(0, 2, 2, 2)),
            S(_X[2], floats(2, 1, 3, 2, low=-9, high=9), "bilinear", "reflection", False),
        ],
        layouts=("plain", "transposed"),
        tolerance={"float32": (3e-4, 2e-5)},
        why="a place far from the origin keeps few digits of its fraction, and cubic weights cancel",
        errors=[
            S(_X[2], _wide, "linear"),
            S(_X[2], _wide, "bilinear", "mirror"),
            S(_X[2], _wide[:1]),
            S(_X[2], floats(2, 3, 3, 3)),
            S(_X[2][0], _wide),
            S(_X[2][..., :0], _wide),
            S(_X[3], _deep, "bicubic"),
            S(integers(0, 4, 2, 2, 5, 6), _wide),
        ],
    ),
    Entry(
        f"{_F}affine_grid",
        [S(_theta(2, 2), (2, 3, 4, 5), a) for a in (False, True)]
        + [S(_theta(2, 3), (2, 3, 2, 3, 4), a) for a in (False, True)]
        + [S(_theta(1, 2), (1, 1, 1, 4), a) for a in (False, True)]
        + [S(_theta(1, 2), [1, 1, 2, 4])],
        errors=[
            S(_theta(2, 2), (2, 3, 4)),
            S(_theta(2, 3), (2, 3, 4, 5)),
            S(_theta(2, 2), (2, 3, 0, 5)),
            S(integers(0, 2, 2, 2, 3), (2, 3, 4, 5)),
        ],
    ),
    Entry(
        "nn.Upsample",
        [S(Init(scale_factor=2), floats(1, 1, 2, 2))],
        grad=False,
        layouts=("plain",),
        call=lambda lib, layer, x: [
            repr(m)
            for m in (
                layer,
                lib.nn.Upsample(size=(2, 3), mode="bilinear"),
                lib.nn.UpsamplingNearest2d(scale_factor=2),
                lib.nn.UpsamplingBilinear2d(size=4),
                lib.nn.PixelShuffle(2),
                lib.nn.PixelUnshuffle(3),
                lib.nn.ChannelShuffle(2),
                lib.nn.Upsample(scale_factor=(2, 1.5)),
            )
        ],
    ),
]
