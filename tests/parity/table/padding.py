"""Padding: every mode, for one to three axes, with negative widths."""

from typing import Any

from table._entry import INTEGERS, Entry, Init, S, bools, floats, integers

_PAD = "nn.functional.pad"


def _layers(name: str, inputs: list[Any], widths: list[Any], *more: Any) -> Entry:
    return Entry(f"nn.{name}", [S(Init(w, *more), x) for w in widths for x in inputs])


_ONE = [floats(2, 5), floats(2, 3, 5)]
_TWO = [floats(2, 4, 5), floats(2, 1, 4, 5)]
_THREE = [floats(1, 3, 4, 3), floats(2, 1, 3, 3, 4)]

ENTRIES = [
    Entry(
        _PAD,
        [
            S(floats(3, 4), (1, 2)),
            S(floats(3, 4), (1, 2, 3, 0), value=1.5),
            S(floats(2, 3, 4), (-1, 2, 0, -1, 1, 1), "constant", -2),
            S(floats(2, 3, 4), (-2, -2)),
            S(floats(2, 3, 4), (-2, 5)),
            S(floats(2, 3, 4), (0, 0)),
            S(floats(2, 3, 4), ()),
            S(floats(2, 3, 4), [1, 1]),
            S(floats(), ()),
            S(floats(2, 3, 0), (1, 1)),
            S(floats(0, 3), (1, 1)),
            S(floats(2, 1, 2, 1, 2), (1, 0, 0, 1, 1, 1, 0, 0, 2, 0), "constant", 7.0),
            S(integers(-5, 5, 2, 3), (1, 1), value=3),
            S(integers(-5, 5, 2, 3), (1, 1), value=1.5),
            S(bools(2, 3), (1, 1), value=True),
            *[S(integers(0, 9, 2, 3, dtype=d), (1, 2)) for d in INTEGERS],
        ],
        errors=[
            S(floats(2, 3), (1,)),
            S(floats(2, 3), (1, 1, 1, 1, 1, 1)),
            S(floats(2, 3), (-2, -2)),
            S(floats(2, 3), (1, 1), mode="foo"),
            S(floats(2, 3), 1),
            S(floats(2, 3), (1.5, 1)),
        ],
    ),
    Entry(
        _PAD,
        [
            *[
                S(x, w, mode)
                for x in _ONE
                for w in ((1, 2), (0, 3), (4, 0), (-1, 2), (2, -3), (-1, -1))
                for mode in ("reflect", "replicate", "circular")
            ],
            *[
                S(x, w, mode)
                for x in _TWO
                for w in ((1, 2, 3, 0), (0, 0, 1, 1), (-1, 2, 2, -2))
                for mode in ("reflect", "replicate", "circular")
            ],
            *[
                S(x, w, mode)
                for x in _THREE
                for w in ((1, 2, 2, 0, 1, 1), (0, 0, 0, 0, 2, 1), (-1, 0, 2, 0, -1, 2))
                for mode in ("reflect", "replicate", "circular")
            ],
            S(floats(2, 3), (7, 4), "replicate"),
            S(floats(2, 3), (3, 3), "circular"),
            S(floats(2, 5), (-3, 4), "reflect"),
            S(floats(0, 2, 5), (1, 2), "reflect"),
            S(floats(0, 2, 5), (1, 2), "replicate"),
            S(floats(2, 5), (1, 2), "reflect", 0.0),
            S(integers(-5, 5, 2, 3), (1, 1), "reflect"),
            S(integers(-5, 5, 2, 3), (1, 1), "replicate"),
            S(integers(-5, 5, 2, 3), (1, 1), "circular"),
            S(bools(2, 3), (1, 1), "circular"),
        ],
        errors=[
            S(floats(2, 3), (3, 0), "reflect"),
            S(floats(2, 3), (4, 0), "circular"),
            S(floats(2, 3), (-2, -1), "reflect"),
            S(floats(2, 3), (-2, -2), "replicate"),
            S(floats(2, 3), (-2, -2), "circular"),
            S(floats(3), (1, 1), "reflect"),
            S(floats(3), (1, 1), "circular"),
            S(floats(2, 3, 4), (1, 1, 1, 1, 1, 1), "replicate"),
            S(floats(2, 3, 4), (), "replicate"),
            S(floats(2, 0, 4), (1, 1), "reflect"),
            S(floats(2, 3, 0), (1, 1), "replicate"),
            S(floats(2, 3), (1, 1), "reflect", 1.0),
            S(bools(2, 3), (1, 1), "reflect"),
        ],
    ),
    Entry("constant_pad_nd", [S(floats(2, 3), (1, 1)), S(floats(2, 3), (1, -1, 2, 2), 4.5)]),
    _layers("ConstantPad1d", [*_ONE, floats(3)], [2, (1, 0), (-1, 2)], 3.5),
    _layers("ConstantPad2d", [*_TWO, floats(3, 4)], [1, (1, 0, 2, -1)], -1),
    _layers("ConstantPad3d", _THREE, [1, (1, 0, 2, -1, 0, 1)], 0.5),
    _layers("ZeroPad1d", _ONE, [2, (1, 0)]),
    _layers("ZeroPad2d", _TWO, [2, (1, 0, 2, -1)]),
    _layers("ZeroPad3d", _THREE, [2, (1, 0, 2, -1, 0, 1)]),
    _layers("ReflectionPad1d", _ONE, [2, (1, 0)]),
    _layers("ReflectionPad2d", _TWO, [2, (1, 0, 2, 1)]),
    _layers("ReflectionPad3d", _THREE, [1, (1, 0, 2, 1, 0, 1)]),
    _layers("ReplicationPad1d", _ONE, [2, (1, 0)]),
    _layers("ReplicationPad2d", _TWO, [2, (1, 0, 2, 1)]),
    _layers("ReplicationPad3d", _THREE, [1, (1, 0, 2, 1, 0, 1)]),
    _layers("CircularPad1d", _ONE, [2, (1, 0), (-1, 2)]),
    _layers("CircularPad2d", _TWO, [2, (1, 0, 2, 1)]),
    _layers("CircularPad3d", _THREE, [1, (1, 0, 2, 1, 0, 1)]),
    Entry("nn.CircularPad2d", [], errors=[S(Init(1), floats(3, 4))]),
    Entry("nn.ReflectionPad2d", [], errors=[S(Init(1), floats(3, 4)), S(Init((1, 1, 1)), floats(1, 3, 4))]),
    Entry(
        "nn.ZeroPad2d",
        [S(Init((1, 2, 3, 4)), floats(1, 1, 1, 1))],
        call=lambda lib, layer, x: [
            repr(layer),
            repr(lib.nn.ConstantPad1d(2, 3.5)),
            repr(lib.nn.ReplicationPad3d(1)),
            repr(lib.nn.CircularPad1d((1, 2))),
        ],
    ),
]
