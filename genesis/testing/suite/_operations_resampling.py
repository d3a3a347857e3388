"""Resampling, pixels and channels, grids."""

import numpy as np

from genesis.testing.suite._operations import case, floats

IMAGE = floats(1, 2, 3, 4)
for mode in ("nearest", "bilinear", "bicubic", "area"):
    case(
        "interpolate",
        lambda ns, x, mode=mode: ns.interpolate(x, (5, 3), mode=mode),
        IMAGE,
        parity=False,
        label=mode,
    )
case(
    "interpolate",
    lambda ns, x: ns.interpolate(x, scale_factor=1.7, mode="trilinear", align_corners=True),
    floats(1, 1, 2, 3, 2),
    parity=False,
    label="trilinear",
)
case("pixel_shuffle", lambda ns, x: ns.pixel_shuffle(x, 2), floats(1, 4, 2, 3))
case("pixel_unshuffle", lambda ns, x: ns.pixel_unshuffle(x, 2), floats(1, 1, 4, 2))
case("channel_shuffle", lambda ns, x: ns.channel_shuffle(x, 2), floats(1, 4, 3))
# places that lie within pixels: at their borders the gradient jumps
GRID = np.array([[[[-0.9, -0.7], [0.13, 0.21]], [[0.77, 1.17], [-1.3, 0.4]]]])
for mode in ("bilinear", "bicubic"):
    for padding in ("zeros", "border", "reflection"):
        case(
            "grid_sample",
            lambda ns, x, g, mode=mode, padding=padding: ns.grid_sample(x, g, mode, padding, False),
            IMAGE,
            GRID,
            parity=False,
            label=f"{mode}, {padding}",
        )
case("affine_grid", lambda ns, t: ns.affine_grid(t, (2, 1, 2, 3), False), floats(2, 2, 3), parity=False)
