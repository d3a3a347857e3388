"""Convolutions, their transposes, sliding blocks."""

from typing import Any

import numpy as np

from genesis.testing.suite._operations import case, floats, strided


def each(name: str, x: np.ndarray, weight: np.ndarray, bias: int = 0, **options: Any) -> None:
    """One call of a convolution; ``bias`` is its length, 0 for none."""
    label = f"{x.shape} {weight.shape} {options}"
    if bias:
        case(
            name,
            lambda ns, x, w, b, name=name, o=options: getattr(ns, name)(x, w, b, **o),
            x, weight, floats(bias),
            label=label,
        )  # fmt: skip
    else:
        case(
            name, lambda ns, x, w, name=name, o=options: getattr(ns, name)(x, w, **o), x, weight, label=label
        )


each("conv1d", floats(2, 2, 5), floats(3, 2, 2), 3, stride=2, padding=1)
each("conv2d", floats(2, 2, 4, 3), floats(3, 2, 2, 2), 3, padding=1)
each("conv2d", floats(2, 4, 3), floats(2, 1, 2, 2), stride=2, padding=1, dilation=2, groups=2)
each("conv2d", strided(floats(1, 2, 3, 4)), strided(floats(2, 2, 1, 2)), 2, padding="same")
each("conv3d", floats(1, 1, 3, 2, 3), floats(2, 1, 2, 2, 2), 2, padding=(0, 1, 0))
each("conv_transpose1d", floats(2, 2, 3), floats(2, 2, 2), 2, stride=2, output_padding=1)
each("conv_transpose2d", floats(1, 2, 2, 3), floats(2, 1, 3, 2), 2, stride=2, padding=1, groups=2)
each("conv_transpose3d", floats(1, 1, 2, 1, 2), floats(1, 2, 2, 2, 2), stride=(1, 2, 1))
case("im2col", lambda ns, x: ns.im2col(x, 2, stride=2, padding=1), floats(1, 2, 3, 4), parity=False)
case(
    "col2im",
    lambda ns, x: ns.col2im(x, (3, 4), (2, 2), padding=(1, 0)),
    floats(1, 4, 12),
    parity=False,
)
