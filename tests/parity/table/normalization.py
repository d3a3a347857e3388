"""Normalization layers and functions: statistics, running statistics, and what they refuse."""

from typing import Any

from table._entry import Entry, Init, S, floats, integers, positive

# Layers are tried with a weight and a bias that are not ones and zeros.
_SHAPES = {
    "BatchNorm1d": [(4, 3), (2, 3, 5)],
    "BatchNorm2d": [(2, 3, 4, 5)],
    "BatchNorm3d": [(2, 3, 2, 3, 2)],
    "InstanceNorm1d": [(3, 5), (2, 3, 5)],
    "InstanceNorm2d": [(3, 4, 5), (2, 3, 4, 5)],
    "InstanceNorm3d": [(3, 2, 3, 2), (2, 3, 2, 3, 2)],
}
_OPTIONS: list[dict[str, Any]] = [
    {},
    {"momentum": None},
    {"eps": 0.1, "momentum": 0.7},
    {"affine": False},
    {"bias": False, "affine": True},
    {"track_running_stats": False},
    {"affine": True, "track_running_stats": True},
]


def _twice(library: Any, layer: Any, x: Any) -> list[Any]:
    """Two batches in training, and one in evaluation; the weight is none of ones."""
    with library.no_grad():
        for i, p in enumerate(layer.parameters()):
            p.copy_(library.linspace(0.5 + i, 2.0, p.numel()).to(p.dtype))
    first, second = layer(x * 2 + 1), layer(x)
    third = layer.eval()(x)
    layer.train()
    return [first, second, third]


_batches = [
    Entry(
        f"nn.{name}",
        [
            S(Init(3, **options), floats(*shape))
            for shape in shapes
            for options in _OPTIONS
            if options.get("momentum", 0) is not None or name.startswith("Batch")
        ],
        layouts=("plain",),
        call=_twice,
        tolerance={"float32": (2e-5, 1e-5)},
        why="gradients of three calls add up, each a sum over the batch",
    )
    for name, shapes in _SHAPES.items()
]

_mean, _var, _weight, _bias = floats(3), positive(3), floats(3), floats(3)


def _functional(shape: tuple[int, ...], **options: Any) -> S:
    return S(floats(*shape), _mean, _var, **options)


ENTRIES = [
    *_batches,
    Entry(
        "nn.BatchNorm1d",
        [S(Init(3, momentum=0.2, dtype=None), floats(1, 3, 4)), S(Init(3), floats(5, 3) + 100)],
        tolerance={"float32": (1e-4, 1e-4)},
        why="100 is a hundred deviations away: what is left of the mean's rounding",
        errors=[
            S(Init(3), floats(3)),
            S(Init(3), floats(2, 4)),
            S(Init(3), floats(1, 3)),
            S(Init(3), floats(2, 3, 2, 2)),
            S(Init(3), floats(1, 3, 1)),
        ],
        layouts=("plain",),
    ),
    Entry("nn.BatchNorm2d", [], errors=[S(Init(3), floats(2, 3)), S(Init(3), floats(1, 3, 1, 1))]),
    Entry(
        "nn.InstanceNorm1d",
        [S(Init(3), floats(2, 4, 5))],
        errors=[
            S(Init(3, affine=True), floats(2, 4, 5)),
            S(Init(3), floats(3)),
            S(Init(3), floats(2, 3, 1)),
        ],
        layouts=("plain",),
    ),
    Entry(
        "nn.functional.batch_norm",
        [
            _functional((4, 3)),
            _functional((2, 3, 5), weight=_weight, bias=_bias),
            _functional((2, 3, 2, 2), weight=_weight, eps=0.3),
            _functional((2, 3, 2, 2), bias=_bias),
            _functional((0, 3, 2), weight=_weight, bias=_bias),
            S(floats(2, 3, 5), None, None, _weight, _bias, True),
            S(floats(4, 3), None, None, training=True, eps=0.01),
            S(floats(40, 70), None, None, floats(70), floats(70), True),
        ],
        errors=[
            S(floats(2, 3, 5), None, None),
            S(floats(2, 3, 5), floats(4), positive(3)),
            S(floats(2, 3, 5), _mean, None),
            S(floats(2, 3, 5), _mean, None, training=True),
            S(floats(2, 3, 5), _mean, _var, floats(4)),
            S(floats(1, 3), None, None, training=True),
            S(floats(2, 3), None, None, training=True, eps=0.0),
            S(floats(2, 3), None, None, training=True, eps=-1.0),
            S(integers(0, 5, 2, 3), None, None, training=True),
        ],
        differs="gradients of the running statistics, which PyTorch does not give either, are None",
        grad=False,
    ),
    Entry(
        "nn.functional.batch_norm",
        [
            S(floats(2, 3, 5), None, None, _weight, _bias, True),
            S(floats(4, 3), None, None, training=True, eps=0.01),
            S(floats(40, 70), None, None, floats(70), floats(70), True),
            S(floats(3, 20, 2), None, None, None, floats(20), True),
        ],
        tolerance={"float32": (2e-5, 1e-5)},
        why="sums over the batch",
    ),
    Entry(
        "nn.functional.instance_norm",
        [
            S(floats(2, 3, 5)),
            S(floats(2, 3, 2, 4), weight=_weight, bias=_bias, eps=0.2),
            S(floats(0, 3, 4)),
        ],
        tolerance={"float32": (2e-5, 1e-5)},
        why="sums over the positions",
        errors=[S(floats(2, 3, 1)), S(floats(2, 3)), S(floats(2, 3, 4), use_input_stats=False)],
    ),
    Entry(
        "nn.functional.group_norm",
        [
            S(floats(2, 6), 2),
            S(floats(2, 6, 5), 3, floats(6), floats(6)),
            S(floats(2, 6, 2, 3), 1, floats(6)),
            S(floats(2, 6, 2, 3), 6, eps=0.3),
            S(floats(3, 64, 3), 4, floats(64), floats(64)),
            S(floats(0, 6, 2), 2, floats(6), floats(6)),
        ],
        tolerance={"float32": (2e-5, 1e-5)},
        why="sums over a group and over the batch",
        errors=[
            S(floats(2, 3, 5), 2),
            S(floats(1, 4), 4),
            S(floats(4), 4),
            S(floats(2, 3, 5), 3, floats(4)),
        ],
    ),
    Entry("group_norm", [S(floats(2, 6, 2), 3, floats(6), floats(6))]),
    Entry("batch_norm", [S(floats(2, 3, 5), _weight, _bias, None, None, True, 0.1, 1e-5, False)]),
    Entry("instance_norm", [S(floats(2, 3, 5), _weight, _bias, None, None, True, 0.1, 1e-5, False)]),
    Entry("rms_norm", [S(floats(2, 3, 5), (5,)), S(floats(2, 3, 5), (3, 5), floats(3, 5), 0.1)]),
    Entry(
        "layer_norm", [S(floats(2, 3, 5), (5,)), S(floats(2, 3, 5), (3, 5), floats(3, 5), floats(3, 5), 0.1)]
    ),
    Entry(
        "nn.functional.rms_norm",
        [
            S(floats(2, 3, 5), (5,)),
            S(floats(2, 3, 5), (3, 5), floats(3, 5)),
            S(floats(2, 3, 5), (5,), floats(5), eps=0.1),
            S(floats(5), (5,), floats(5)),
            S(floats(70, 33), (33,), floats(33)),
            S(floats(0, 5), (5,), floats(5)),
            S(floats(2, 5) * 1e-6, (5,)),
        ],
        tolerance={"float32": (2e-5, 1e-5)},
        why="sums over the rows",
        errors=[
            S(floats(2, 3, 5), (4,)),
            S(floats(2, 3, 5), 5),
            S(floats(2, 3, 5), (5,), floats(4)),
            S(floats(2, 3, 5), ()),
            S(integers(0, 4, 2, 3), (3,)),
        ],
    ),
    Entry(
        "nn.functional.local_response_norm",
        [
            S(floats(2, 4, 3), 2),
            S(floats(2, 4, 3, 2), 3, 0.5, 0.6, 2.0),
            S(floats(1, 5, 2, 2, 2), 5, alpha=1.0),
            S(floats(1, 2, 3), 7, alpha=1.0),
            S(floats(2, 0, 3), 2),
        ],
        layouts=("plain", "strided"),
        errors=[S(floats(2, 3), 2)],
    ),
    Entry(
        "nn.LocalResponseNorm",
        [S(Init(2, alpha=0.3), floats(2, 4, 3, 3)), S(Init(3), floats(2, 4, 3))],
        layouts=("plain",),
    ),
    Entry(
        "nn.GroupNorm",
        [
            S(Init(3, 6), floats(2, 6, 3, 2)),
            S(Init(1, 6, eps=0.1), floats(2, 6)),
            S(Init(2, 6, affine=False), floats(2, 6, 4)),
            S(Init(2, 6, bias=False), floats(2, 6, 4)),
        ],
        tolerance={"float32": (2e-5, 1e-5)},
        why="sums over a group and over the batch",
        errors=[S(Init(4, 6), floats(2, 6))],
    ),
    Entry(
        "nn.RMSNorm",
        [
            S(Init(5), floats(2, 3, 5)),
            S(Init((3, 5), eps=0.1), floats(2, 3, 5)),
            S(Init([5], elementwise_affine=False), floats(2, 3, 5)),
        ],
        tolerance={"float32": (2e-5, 1e-5)},
        why="sums over the rows",
    ),
    Entry(
        "nn.LayerNorm",
        [
            S(Init(5), floats(2, 3, 5)),
            S(Init((3, 5), eps=0.1), floats(2, 3, 5)),
            S(Init([5], elementwise_affine=False), floats(2, 3, 5)),
            S(Init(5, bias=False), floats(4, 5)),
        ],
        tolerance={"float32": (2e-5, 1e-5)},
        why="sums over the rows",
        errors=[S(Init(4), floats(2, 5))],
    ),
    Entry(
        "nn.BatchNorm2d",
        [S(Init(3), floats(1))],
        grad=False,
        layouts=("plain",),
        call=lambda lib, layer, x: [
            [repr(m), list(m.state_dict())]
            for m in (
                layer,
                lib.nn.BatchNorm1d(4, momentum=None, affine=False),
                lib.nn.BatchNorm3d(4, 1e-3, 0.2, True, False),
                lib.nn.InstanceNorm2d(3),
                lib.nn.InstanceNorm1d(3, affine=True, track_running_stats=True),
                lib.nn.GroupNorm(2, 4),
                lib.nn.RMSNorm(4),
                lib.nn.RMSNorm((2, 4), eps=1e-3, elementwise_affine=False),
                lib.nn.LocalResponseNorm(2),
                lib.nn.LayerNorm(3, bias=False),
            )
        ],
    ),
]
