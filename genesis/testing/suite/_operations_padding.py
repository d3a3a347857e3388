"""Padding."""

from genesis.testing.suite._operations import case, floats, strided

case("pad", lambda ns, x: ns.pad(x, (1, 2, -1, 1), value=3.0), floats(3, 4), parity=False, label="constant")
case("constant_pad_nd", lambda ns, x: ns.constant_pad_nd(x, (1, -2)), strided(floats(3, 4)))
for mode in ("reflect", "replicate", "circular"):
    case(
        "pad",
        lambda ns, x, mode=mode: ns.pad(x, (1, 2, -1, 1), mode),
        floats(1, 3, 4),
        parity=False,
        label=mode,
    )
