"""Arguments on which the kernels of an operation are tried, by the operation's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]


class Sample(NamedTuple):
    """One call of an operation.

    Args:
        inputs: The operation's tensors in order, as arrays; None for one that is left out. Arrays of floats
            are tried in float32 and float64, and get gradients; others stay as they are.
        options: The operation's options.
        label: What is particular about it, for messages.

    Example:
        >>> Sample((np.random.randn(7, 10),), {"dim": -1}, "a few rows")
    """

    inputs: tuple[Array | None, ...]
    options: Mapping[str, Any] = {}
    label: str = ""


def _normal(*shape: int, seed: int = 0, scale: float = 1.0) -> Array:
    return np.asarray(np.random.default_rng(seed + sum(shape)).standard_normal(shape) * scale)


def _softmax() -> list[Sample]:
    extreme = np.array([[0, -1e4, 0.5], [1e4, 1e4, -1e4], [80, 90, -200], [-1e4, -1e4, -1e4]])
    return [
        Sample((_normal(7, 10, scale=5),), {"dim": 1}, "rows"),
        Sample((_normal(300, 65, scale=5),), {"dim": 1}, "many rows"),
        Sample((_normal(3, 5000),), {"dim": 1}, "long rows"),
        Sample((_normal(2, 5, 33),), {"dim": 2}, "three axes"),
        Sample((_normal(7, 10),), {"dim": 0}, "columns"),
        Sample((_normal(2, 5, 33),), {"dim": 1}, "the middle axis"),
        Sample((_normal(2, 3, 20, 30, scale=5),), {"dim": 1}, "channels of images"),
        Sample((_normal(9),), {"dim": 0}, "a vector"),
        Sample((_normal(6, 1),), {"dim": 1}, "rows of one element"),
        Sample((extreme,), {"dim": 1}, "huge logits"),
    ]


def _layer_norm() -> list[Sample]:
    made = []
    for shape, axes in (((5, 8), 1), ((3, 4, 20), 2), ((700, 65), 1), ((2, 3000), 1), ((8,), 1)):
        inner = shape[len(shape) - axes :]
        weight, bias = _normal(*inner, seed=1), _normal(*inner, seed=2)
        options = {"axes": axes, "eps": 1e-5}
        x = _normal(*shape, scale=2) + 3
        made.append(Sample((x, weight, bias), options, f"{shape}, weight and bias"))
        if shape[0] < 10:
            made.append(Sample((x, weight, None), options, f"{shape}, weight alone"))
            made.append(Sample((x, None, bias), options, f"{shape}, bias alone"))
            made.append(Sample((x, None, None), {"axes": axes, "eps": 0.1}, f"{shape}, a large eps"))
    return made


def _cross_entropy() -> list[Sample]:
    made = []
    for rows, classes in ((1, 2), (64, 10), (700, 65)):
        x = _normal(rows, classes, scale=3)
        target = np.random.default_rng(rows).integers(0, classes, rows)
        ignored = target.copy()
        if rows > 1:
            ignored[::7] = -100
        weight = np.abs(_normal(classes)) + 0.5
        for reduction in ("mean", "sum", "none"):
            for smoothing in (0.0, 0.1):
                options = {"ignore_index": -100, "reduction": reduction, "label_smoothing": smoothing}
                made.append(
                    Sample((x, ignored, None), options, f"{rows} rows, {reduction}, smoothing {smoothing}")
                )
                if rows == 64:
                    made.append(
                        Sample((x, target, weight), options, f"class weights, {reduction}, {smoothing}")
                    )
        options = {"ignore_index": 1, "reduction": "mean", "label_smoothing": 0.0}
        if rows > 1:
            made.append(Sample((x, target, None), options, "another class is ignored"))
    return made


def _class_losses() -> list[Sample]:
    """Scores of positions, (N, C, L) with targets (N, L), and (N, C)."""
    made = []
    rng = np.random.default_rng(0)
    for shape in ((3, 5, 7), (2, 10, 300), (64, 10)):
        x, classes = _normal(*shape, scale=3), shape[1]
        target = rng.integers(0, classes, shape[:1] + shape[2:])
        ignored = target.copy()
        ignored.reshape(-1)[::7] = -100
        weight = np.abs(_normal(classes)) + 0.5
        for reduction in ("mean", "sum", "none"):
            options = {"ignore_index": -100, "reduction": reduction}
            made.append(Sample((x, ignored, None), options, f"{shape}, {reduction}"))
            made.append(Sample((x, ignored, weight), options, f"{shape}, class weights, {reduction}"))
        options = {"ignore_index": 1, "reduction": "mean"}
        made.append(Sample((x, target, weight), options, f"{shape}, another class is ignored"))
    return made


def _smoothed(sample: Sample, smoothing: float) -> Sample:
    options = {**sample.options, "label_smoothing": smoothing}
    return Sample(sample.inputs, options, f"{sample.label}, smoothing {smoothing}")


def _moments() -> list[Sample]:
    made = []
    for shape, axes in (
        ((7, 10), (1,)),
        ((7, 700), (0,)),
        ((3, 4, 5), (1, 2)),
        ((2, 3, 4, 5), (2,)),
        ((9,), (0,)),
    ):
        for keepdim in (False, True):
            count = int(np.prod([shape[a] for a in axes])) - 1
            options = {"axes": axes, "keepdim": keepdim, "count": count}
            made.append(Sample((_normal(*shape) + 3,), options, f"{shape}, axes {axes}, keepdim {keepdim}"))
    return made


def _unit() -> list[Sample]:
    made = []
    for shape, axis in (((7, 10), 1), ((7, 700), 0), ((3, 4, 5), 1), ((9,), 0)):
        for eps, flat in ((1e-12, True), (1e-8, False), (2.9, True), (2.9, False)):
            options = {"axis": axis, "eps": eps, "flat": flat}
            made.append(Sample((_normal(*shape),), options, f"{shape}, axis {axis}, eps {eps}, flat {flat}"))
    return made


def _embedding() -> list[Sample]:
    made = []
    rng = np.random.default_rng(0)
    for shape, rows, width in (((7,), 10, 4), ((12, 64), 65, 128), ((2, 0), 3, 5), ((), 5, 3)):
        index = np.asarray(rng.integers(0, rows, shape))
        for padding in (None, 1):
            made.append(
                Sample(
                    (index, _normal(rows, width)),
                    {"padding_idx": padding},
                    f"index {shape}, padding {padding}",
                )
            )
    made.append(
        Sample((rng.integers(0, 6, (4, 3)), _normal(6, 2, 5)), {"padding_idx": None}, "rows with two axes")
    )
    made.append(
        Sample(
            (rng.integers(0, 6, 9).astype("int32"), _normal(6, 4)), {"padding_idx": None}, "an int32 index"
        )
    )
    return made


def _linear() -> list[Sample]:
    made = []
    for shape, out in (((4,), 6), ((5, 7), 3), ((2, 3, 40), 30), ((64, 200), 90), ((0, 4), 3), ((1, 1), 1)):
        x, weight, bias = _normal(*shape), _normal(out, shape[-1], seed=1), _normal(out, seed=2)
        made.append(Sample((x, weight, bias), {}, f"{shape} to {out}, with bias"))
        made.append(Sample((x, weight, None), {}, f"{shape} to {out}, without bias"))
    return made


def _geometry(axes: int, **options: Any) -> dict[str, Any]:
    each = {"stride": 1, "padding": 0, "dilation": 1} | {k: v for k, v in options.items() if k != "groups"}
    made = {k: v if isinstance(v, tuple) else (v,) * axes for k, v in each.items()}
    return {**made, "groups": options.get("groups", 1)}


#: input and weight of a convolution, and its options
_CONVOLUTIONS: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ((2, 3, 6, 7), (4, 3, 3, 3), {}),
    ((2, 3, 6, 7), (4, 3, 3, 3), {"padding": 1}),
    ((3, 5, 9, 8), (18, 5, 3, 2), {"padding": (1, 0), "stride": (2, 1), "dilation": (1, 2)}),
    ((2, 20, 8, 8), (33, 20, 4, 4), {"stride": 2, "padding": 1}),
    ((17, 8, 4, 4), (40, 8, 3, 3), {"padding": 1}),
    ((2, 6, 5, 5), (20, 6, 1, 1), {}),
    ((2, 6, 5, 5), (3, 6, 1, 1), {"stride": 2}),
    ((2, 1, 12, 9), (7, 1, 5, 5), {"padding": 2}),
    ((2, 6, 7, 7), (4, 3, 3, 3), {"groups": 2, "padding": 2}),
    ((2, 5, 9, 21), (5, 1, 3, 3), {"groups": 5, "padding": 1}),
    ((2, 5, 9, 21), (10, 1, 3, 5), {"groups": 5, "padding": 1, "stride": 2}),
    ((2, 3, 12), (5, 3, 4), {"stride": 3, "padding": 2}),
    ((2, 2, 5, 4, 6), (3, 2, 2, 3, 2), {"padding": (1, 0, 1), "stride": (1, 2, 1)}),
    ((0, 3, 5, 5), (2, 3, 3, 3), {}),
]


def _place(x: tuple[int, ...], weight: tuple[int, ...], options: dict[str, Any]) -> Any:
    """The options with all axes, and the size of the result."""
    made = _geometry(len(x) - 2, **options)
    size = tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, p, d, s in zip(
            x[2:], weight[2:], made["padding"], made["dilation"], made["stride"], strict=True
        )
    )
    return made, size


def _convolution() -> list[Sample]:
    made = []
    for x, weight, options in _CONVOLUTIONS:
        geometry, size = _place(x, weight, options)
        for bias in (_normal(weight[0], seed=2), None):
            label = f"{x} by {weight}, {options}{'' if bias is None else ', bias'}"
            inputs = (_normal(*x), _normal(*weight, seed=1, scale=0.3), bias)
            made.append(Sample(inputs, {**geometry, "size": size}, label))
    return made


def _conv_transpose() -> list[Sample]:
    made = []
    for out, weight, options in _CONVOLUTIONS:
        geometry, size = _place(out, weight, options)
        for bias in (_normal(out[1], seed=2), None):
            x = (out[0], weight[0], *size)
            label = f"{x} by {weight} to {out}, {options}{'' if bias is None else ', bias'}"
            inputs = (_normal(*x), _normal(*weight, seed=1, scale=0.3), bias)
            made.append(Sample(inputs, {**geometry, "size": out[2:]}, label))
    return made


def _convolution_weight() -> list[Sample]:
    made = []
    for x, weight, options in _CONVOLUTIONS:
        geometry, size = _place(x, weight, options)
        inputs = (_normal(*x), _normal(x[0], weight[0], *size, seed=1, scale=0.3))
        made.append(Sample(inputs, {**geometry, "size": weight[2:]}, f"{x} for {weight}, {options}"))
    return made


def _blocks(back: bool) -> list[Sample]:
    made = []
    for x, weight, options in _CONVOLUTIONS:
        geometry, size = _place(x, weight, options)
        del geometry["groups"]
        kernel = weight[2:]
        rows, count = x[1] * int(np.prod(kernel)), int(np.prod(size))
        made.append(
            Sample(
                (_normal(x[0], rows, count) if back else _normal(*x),),
                {**geometry, "kernel": kernel, "size": size, "source": x[2:]},
                f"{x} with {kernel}, {options}",
            )
        )
    return made


SAMPLES: dict[str, Callable[[], Sequence[Sample]]] = {
    "softmax": _softmax,
    "log_softmax": _softmax,
    "layer_norm": _layer_norm,
    "cross_entropy": lambda: [
        *_cross_entropy(),
        *[_smoothed(s, k) for s in _class_losses() for k in (0.0, 0.1)],
    ],
    "nll_loss": _class_losses,
    "std": _moments,
    "unit": _unit,
    "var": _moments,
    "power_norm": lambda: [
        Sample(
            (_normal(*shape),),
            {"p": p, "axes": axes, "keepdim": keepdim},
            f"{shape}, over {axes}, power {p}, keepdim {keepdim}",
        )
        for shape, axes in (((50,), (0,)), ((3, 40, 5), (1, 2)), ((7, 5000), (1,)), ((6, 4), (0,)))
        for p in (2.0, 1.0, 3.0)
        for keepdim in (False, True)
    ],
    "running_sum": lambda: [
        Sample((_normal(*shape),), {"axis": axis, "back": back}, f"{shape}, axis {axis}, back {back}")
        for shape, axis in (((50,), 0), ((3, 40, 5), 1), ((7, 300), 1), ((2, 0), 1), ((1, 9, 1), 1))
        for back in (False, True)
    ],
    "embedding": _embedding,
    "linear": _linear,
    "linear_relu": _linear,
    "convolution": _convolution,
    "conv_transpose": _conv_transpose,
    "convolution_weight": _convolution_weight,
    "im2col": lambda: _blocks(False),
    "col2im": lambda: _blocks(True),
}

#: arguments that are no valid index of anything: operation -> (inputs, options, words that name the mistake)
WRONG_INDEX: dict[str, tuple[tuple[Array | None, ...], dict[str, Any], tuple[str, str]]] = {
    "embedding": ((np.array([[0, 10]]), np.ones((10, 4))), {"padding_idx": None}, ("10", "10")),
    "cross_entropy": (
        (np.ones((2, 3)), np.array([0, 5]), None),
        {"ignore_index": -100, "reduction": "mean", "label_smoothing": 0.0},
        ("5", "3"),
    ),
    "nll_loss": (
        (np.ones((2, 3)), np.array([0, 5]), None),
        {"ignore_index": -100, "reduction": "mean"},
        ("5", "3"),
    ),
}
