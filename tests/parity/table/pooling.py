"""Pooling: every kind for one to three axes, with the sizes that round and the windows that reach out."""

from typing import Any

import numpy as np

from table._entry import INTEGERS, Entry, Init, S, floats, integers

_X: dict[int, np.ndarray] = {1: floats(2, 3, 7), 2: floats(2, 3, 7, 6), 3: floats(1, 2, 5, 6, 4)}
_TIES = np.array([[[1.0, 1, 2, 2, 2, 0, 0, -1, -1]]])
_NAN = np.array([[[1.5, np.nan, 2, np.nan, 0, 1, -np.inf, -np.inf]]])

# kernel, stride, padding, dilation, ceil_mode for each number of axes
_MAX: dict[int, list[tuple[Any, ...]]] = {
    1: [(2,), (3, 2, 1), (3, 1), (2, 3, 0, 2), (3, 2, 1, 1, True), (2, 4, 1, 2, True), ((2,), (1,)), (7,)],
    2: [
        (2,),
        (3, 2, 1),
        ((2, 3),),
        ((3, 2), (2, 1), (1, 0), (1, 2)),
        (2, 2, 0, 1, True),
        (3, 3, 1, 1, True),
        (2, 1),
        ((1, 6), 5),
        (1, 2),
    ],
    3: [(2,), (3, 2, 1), ((2, 3, 1), (1, 2, 2), (1, 0, 0), (2, 1, 3)), (2, 3, 1, 1, True)],
}
_AVG: dict[int, list[dict[str, Any]]] = {
    1: [
        {"kernel_size": 2},
        {"kernel_size": 3, "stride": 2, "padding": 1},
        {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False},
        {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
        {"kernel_size": (4,), "stride": 3, "ceil_mode": True, "count_include_pad": False},
    ],
    2: [
        {"kernel_size": 2},
        {"kernel_size": 3, "stride": 2, "padding": 1},
        {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False},
        {"kernel_size": (2, 3), "stride": (1, 2), "padding": (1, 0), "ceil_mode": True},
        {"kernel_size": 3, "stride": 3, "padding": 1, "ceil_mode": True, "count_include_pad": False},
        {"kernel_size": 2, "divisor_override": 3},
        {"kernel_size": (7, 6)},
        {"kernel_size": 2, "stride": []},
    ],
    3: [
        {"kernel_size": 2},
        {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False},
        {"kernel_size": (2, 3, 1), "stride": (1, 2, 2), "padding": (1, 0, 0), "ceil_mode": True},
        {"kernel_size": 2, "divisor_override": -2},
    ],
}
_TARGETS: dict[int, list[Any]] = {
    1: [1, 3, 7, 10, (2,)],
    2: [1, (3, 4), (None, 2), 9, (7, 3)],
    3: [1, (2, 3, None), 4],
}


def _unpool(library: Any, unpool: Any, x: Any, kernel: Any, stride: Any, padding: Any, size: Any) -> Any:
    d = x.dim() - 2
    pool = getattr(library.nn.functional, f"max_pool{d}d")
    out, where = pool(x, kernel, stride, padding, return_indices=True)
    return [unpool(out, where, kernel, stride, padding, size), out, where]


ENTRIES: list[Entry] = []
for d in (1, 2, 3):
    wide = floats(1, 4, *(5, 9, 8)[-d:])
    ENTRIES += [
        Entry(
            f"nn.functional.max_pool{d}d",
            [
                *[S(_X[d], *arguments, return_indices=True) for arguments in _MAX[d]],
                S(_X[d][0], 2),
                S(_X[d][:0], 2, return_indices=True),
            ],
            errors=[
                S(_X[d], 2, padding=2),
                S(_X[d], 2, padding=-1),
                S(_X[d], 2, stride=0),
                S(_X[d], 0),
                S(_X[d], 2, dilation=0),
                S(_X[d], 11),
                S(_X[d], (2,) * 4),
                S(_X[d], 2.5),
                S(_X[d][0, 0], 2),
                S(_X[d][:, :0], 2),
                S(integers(0, 2, 2, 3, *(4,) * d).astype(bool), 2),
            ],
        ),
        Entry(
            f"nn.functional.avg_pool{d}d",
            [
                *[S(_X[d], **options) for options in _AVG[d]],
                S(_X[d][0], 2),
                S(_X[d][:0], 2),
                S(integers(-9, 9, 2, 3, *(4,) * d), 2),
                S(integers(-9, 9, 2, 3, *(4,) * d), 3, 2, 1),
            ],
            errors=[
                S(_X[d], 2, padding=2),
                S(_X[d], 2, stride=0),
                S(_X[d], 11),
                S(_X[d], (2,) * 4),
                *([S(_X[d][0, 0], 2)] if d != 2 else []),
                S(_X[d][:, :0], 2),
                S(integers(0, 9, 2, 3, *(4,) * d, dtype="int32"), 2),
                *([S(_X[d], 2, divisor_override=0)] if d > 1 else []),
            ],
        ),
        Entry(
            f"nn.functional.adaptive_avg_pool{d}d",
            [S(_X[d], t) for t in _TARGETS[d]] + [S(_X[d][0], 2), S(_X[d][:0], 2)],
            errors=[
                S(_X[d], -1),
                S(_X[d], (2,) * 4),
                S(_X[d][0, 0], 2),
                S(_X[d][..., :0], 2),
                S(integers(0, 9, 2, 3, *(4,) * d), 2),
            ],
        ),
        Entry(
            f"nn.functional.adaptive_max_pool{d}d",
            [S(_X[d], t, True) for t in _TARGETS[d]] + [S(_X[d][0], 2), S(_X[d][:0], 2)],
            errors=[S(_X[d], -1), S(_X[d][0, 0], 2), S(integers(0, 9, 2, 3, *(4,) * d), 2)],
        ),
        Entry(
            f"nn.functional.lp_pool{d}d",
            [
                S(abs(_X[d]) + 0.1, 2, 2),
                S(abs(_X[d]) + 0.1, 3.0, 3, 2),
                S(abs(_X[d]) + 0.1, 1.5, 2, ceil_mode=True),
                S(_X[d], 2, 2, 1),
                S(_X[d], float("inf"), 2),
                S(_X[d], -float("inf"), 2),
                S(_X[d] * 0, 2, 2),
            ],
        ),
        Entry(
            f"nn.functional.max_unpool{d}d",
            [
                S(floats(1, 2, *(6, 8, 2)[-d:]), 2, None, 0, None),
                S(wide, 2, 2, 0, list(wide.shape[2:])),
                S(wide, 2, 2, 0, list(wide.shape)),
                S(floats(1, 2, *(7, 4, 7)[-d:]), 3, 3, 1, None),
                S(floats(1, 2, *(4,) * d), (2,) * d, (2,) * d, 0, None),
            ],
            call=_unpool,
        ),
        Entry(
            f"nn.functional.max_unpool{d}d",
            [],
            errors=[
                S(_X[d], integers(0, 4, *_X[d].shape, dtype="int32"), 2),
                S(_X[d], integers(0, 4, *_X[d].shape)[:, :1], 2),
                S(_X[d], integers(5000, 5001, *_X[d].shape), 2),
                S(_X[d], integers(0, 4, *_X[d].shape), 2, output_size=[3] * d),
                S(_X[d], integers(0, 4, *_X[d].shape), 2, output_size=[14] * (d + 1)),
            ],
        ),
        Entry(
            f"nn.MaxPool{d}d",
            [
                S(Init(2), _X[d]),
                S(Init(3, 2, 1, 1, True, True), _X[d]),
                S(Init(2, stride=1, dilation=2), _X[d]),
            ],
        ),
        Entry(
            f"nn.AvgPool{d}d",
            [S(Init(2), _X[d]), S(Init(3, 2, 1, True, False), _X[d]), S(Init((2,) * d, 1), _X[d])],
        ),
        Entry(f"nn.AdaptiveAvgPool{d}d", [S(Init(2), _X[d]), S(Init((3,) * d), _X[d])]),
        Entry(f"nn.AdaptiveMaxPool{d}d", [S(Init(2), _X[d]), S(Init((3,) * d, True), _X[d])]),
        Entry(f"nn.LPPool{d}d", [S(Init(2, 3), abs(_X[d]) + 0.1), S(Init(1, 2, 1, True), _X[d])]),
        Entry(
            f"nn.MaxUnpool{d}d",
            [S(Init(2), floats(2, 1, *(4,) * d), 2), S(Init(3, 2, 1), floats(2, 1, *(7,) * d), 3, 2, 1)],
            call=lambda lib, layer, x, *a: layer(
                *getattr(lib.nn.functional, f"max_pool{x.dim() - 2}d")(x, *a, return_indices=True)
            ),
        ),
    ]

ENTRIES += [
    Entry("nn.functional.adaptive_avg_pool2d", [S(_X[2], 0), S(_X[2], (0, 2))], grad=False),
    Entry(
        "nn.functional.max_pool1d",
        [
            S(_TIES, 3, 2, return_indices=True, label="ties"),
            S(_TIES, 9, return_indices=True, label="all"),
            S(np.full((1, 1, 4), -np.inf), 2, 1, 1, return_indices=True, label="minus infinity"),
        ],
        layouts=("plain",),
    ),
    Entry(
        "nn.functional.max_pool1d",
        [S(_NAN, 2, 1, return_indices=True), S(_NAN, 3, 2, 1, return_indices=True), S(_NAN, 4)],
        layouts=("plain",),
        grad=False,
    ),
    Entry("nn.functional.max_pool1d", [], errors=[S(integers(0, 9, 2, 3, 4), 2)]),
    Entry("nn.functional.max_pool2d", [S(integers(0, 9, 2, 4, 5, dtype=t), 2, 1, 1) for t in INTEGERS]),
    Entry("nn.functional.max_pool3d", [S(integers(0, 9, 2, 4, 5, 3, dtype=t), 2, 1) for t in INTEGERS]),
    Entry("max_pool1d", [S(_X[1], 2), S(_X[1], 3, 2, 1, 1, True)]),
    Entry("max_pool1d_with_indices", [S(_X[1], 2), S(_X[1], 3, 2, 1, 1, True)]),
    Entry("max_pool2d", [S(_X[2], 2), S(_X[2], 3, 2, 1, 1, True)]),
    Entry("max_pool3d", [S(_X[3], 2)]),
    Entry("avg_pool1d", [S(_X[1], 3, 2, 1, True, False)]),
    Entry("adaptive_avg_pool1d", [S(_X[1], 3)]),
    Entry("adaptive_max_pool1d", [S(_X[1], 3)]),
    # larger ones, whose rows are longer than a vector of the processor
    Entry(
        "nn.functional.max_pool2d",
        [
            S(floats(2, 3, 26, 40), 2, return_indices=True),
            S(floats(2, 3, 33, 37), 3, 2, 1, return_indices=True),
            S(floats(2, 3, 33, 37), 3, 1, 1, return_indices=True),
            S(floats(1, 2, 40, 41), 5, 3, 2, return_indices=True),
        ],
        layouts=("plain",),
    ),
    Entry(
        "nn.functional.avg_pool2d",
        [S(floats(2, 3, 26, 40), 2), S(floats(2, 3, 33, 37), 3, 2, 1), S(floats(2, 3, 33, 37), 3, 1, 1)],
        layouts=("plain",),
    ),
    Entry(
        "nn.functional.adaptive_avg_pool2d",
        [S(floats(2, 3, 33, 37), 1), S(floats(2, 3, 33, 37), 7), S(floats(2, 3, 28, 35), 7)],
        layouts=("plain",),
    ),
    Entry(
        "nn.MaxPool2d",
        [S(Init(2), floats(1, 2, 2))],
        grad=False,
        layouts=("plain",),
        call=lambda lib, layer, x: [
            repr(m)
            for m in (
                layer,
                lib.nn.MaxPool1d(3, 2, 1, ceil_mode=True),
                lib.nn.AvgPool2d((2, 3), divisor_override=3),
                lib.nn.AvgPool1d(2, 1, 1),
                lib.nn.AvgPool3d(2),
                lib.nn.AdaptiveAvgPool2d((None, 3)),
                lib.nn.AdaptiveMaxPool1d(2),
                lib.nn.LPPool2d(2, 3),
                lib.nn.LPPool1d(1.5, 2, 3, True),
                lib.nn.MaxUnpool2d(2),
                lib.nn.MaxUnpool1d(3, 2, 1),
            )
        ],
    ),
]

_U2, _U3 = floats(2, 3, 2, low=0, high=1), floats(1, 2, 3, low=0, high=1)
ENTRIES += [
    Entry(
        "nn.functional.fractional_max_pool2d",
        [
            S(_X[2], 2, (4, 3), return_indices=True, _random_samples=_U2),
            S(_X[2], (3, 2), output_ratio=(0.5, 0.7), return_indices=True, _random_samples=_U2),
            S(_X[2], 2, 1, _random_samples=_U2),
            S(_X[2][0], 2, (6, 5), _random_samples=_U2[:1]),
        ],
        errors=[
            S(_X[2], 2),
            S(_X[2], 2, (7, 5)),
            S(_X[2], 2, 3, _random_samples=floats(2, 3, 3)),
            S(_X[2], 2, 3, _random_samples=floats(1, 3, 2)),
        ],
        grad=False,
        why="PyTorch refuses numbers that want a gradient",
    ),
    Entry(
        "nn.functional.fractional_max_pool3d",
        [S(_X[3], 2, (3, 3, 2), return_indices=True, _random_samples=_U3), S(_X[3][:0], 2, (3, 3, 2))],
        grad=False,
    ),
    Entry(
        "nn.FractionalMaxPool2d",
        [S(Init(2, output_ratio=0.5), _X[2]), S(Init(2, 3, return_indices=True), _X[2])],
        values=False,
        layouts=("plain",),
        errors=[S(Init(2), _X[2]), S(Init(2, 3, 0.5), _X[2]), S(Init(2, output_ratio=1.5), _X[2])],
    ),
    Entry("nn.FractionalMaxPool3d", [S(Init(2, output_ratio=0.6), _X[3])], values=False),
]
