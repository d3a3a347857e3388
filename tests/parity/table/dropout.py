"""Dropout: what does not depend on random numbers, and shapes and types of what does."""

from typing import Any

from table._entry import Entry, Init, S, floats, integers

_F = "nn.functional."
_SHAPES = {"dropout1d": (3, 4, 5), "dropout2d": (2, 3, 4, 5), "dropout3d": (2, 3, 2, 2, 2)}
_FREE = ("dropout", "alpha_dropout", "feature_alpha_dropout")


def _in_place(library: Any, function: Any, x: Any, *args: Any) -> Any:
    """The result of the function in place, which is its input."""
    mine = x.clone()
    out = function(mine, *args, True)
    return [out, mine]


ENTRIES: list[Entry] = []
for name in (*_FREE, *_SHAPES):
    x = floats(*_SHAPES.get(name, (4, 3, 5)))
    ENTRIES += [
        # nothing is drawn: evaluation, p = 0 and p = 1
        Entry(
            f"{_F}{name}",
            [S(x, 0.3, False), S(x, 0.0, True), S(x, 1.0, True), S(x[:0], 0.5, True), S(x, training=False)],
            errors=[S(x, 1.5), S(x, -0.1, True)],
        ),
        Entry(f"{_F}{name}", [S(x, 0.3, False), S(x, 1.0, True)], call=_in_place),
        Entry(f"{_F}{name}", [S(x, 0.3, True), S(x, training=True)], values=False),
    ]
ENTRIES += [
    Entry(f"{_F}dropout", [S(integers(0, 5, 3), 0.5, False)], errors=[S(integers(0, 5, 3), 0.5, True)]),
    Entry(f"{_F}dropout1d", [S(floats(3, 4), 1.0), S(floats(3, 4), 0.5, False)],
          errors=[S(floats(3)), S(floats(1, 1, 1, 1))]),
    Entry(f"{_F}dropout2d", [S(floats(2, 3, 4), 1.0), S(floats(2, 3), 1.0)], errors=[S(floats(3))]),
    Entry(f"{_F}dropout3d", [S(floats(2, 3, 4, 2), 1.0), S(floats(2, 3, 4), 1.0)]),
    Entry(f"{_F}feature_alpha_dropout", [], errors=[S(floats(3), 0.5, True)]),
    *[
        Entry(name, [S(floats(2, 3, 4), 0.5, False), S(floats(2, 3, 4), 1.0, True)])
        for name in ("dropout", "alpha_dropout", "feature_dropout", "feature_alpha_dropout")
    ],
    *[
        Entry(
            name,
            [S(floats(2, 3, 4), 0.5, False), S(floats(2, 3, 4), 1.0, True)],
        )
        for name in ("dropout_", "alpha_dropout_", "feature_dropout_", "feature_alpha_dropout_")
    ],
    *[
        Entry(
            f"nn.{name}",
            [
                S(Init(0.4, eval=True), floats(*shape)),
                S(Init(0.4, True, eval=True), floats(*shape)),
                S(Init(1.0), floats(*shape)),
            ],
            errors=[S(Init(1.2), floats(*shape))],
        )
        for name, shape in (
            ("Dropout", (3, 4)), ("Dropout1d", (2, 3, 4)), ("Dropout2d", (2, 3, 2, 2)),
            ("Dropout3d", (1, 2, 2, 2, 2)), ("AlphaDropout", (3, 4)), ("FeatureAlphaDropout", (2, 3, 2)),
        )
    ],
    Entry(
        "nn.Dropout",
        [S(Init(0.2), floats(2))],
        grad=False,
        layouts=("plain",),
        call=lambda lib, layer, x: [
            repr(m)
            for m in (
                layer, lib.nn.Dropout1d(), lib.nn.Dropout2d(0.1, True), lib.nn.Dropout3d(),
                lib.nn.AlphaDropout(0.2), lib.nn.FeatureAlphaDropout(),
            )
        ],
    ),
]  # fmt: skip
