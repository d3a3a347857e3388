"""Convolutions, their transposes, and sliding blocks."""

import numpy as np

from table._entry import Entry, Init, S, floats, integers

# float32: sums of up to a few hundred products in another order
SUMS = {"float32": (2e-5, 1e-5), "float64": (1e-11, 1e-12)}
WHY = "sums of hundreds of products, in another order"


def small(*shape: int) -> np.ndarray:
    """Weights as layers have them: sums stay near 1, so that what cancels is not much larger."""
    return floats(*shape, low=-0.4, high=0.4)


def conv(x: tuple[int, ...], w: tuple[int, ...], bias: bool = True, **options: object) -> S:
    label = f"{x}{w}{'' if bias else ' no bias'}" + "".join(f" {k}={v}" for k, v in options.items())
    return S(floats(*x), small(*w), floats(w[0]) if bias else None, label=label, **options)


def transpose(x: tuple[int, ...], w: tuple[int, ...], bias: bool = True, **options: object) -> S:
    outs = w[1] * int(options.get("groups", 1))  # type: ignore[call-overload]
    label = f"{x}{w}{'' if bias else ' no bias'}" + "".join(f" {k}={v}" for k, v in options.items())
    return S(floats(*x), small(*w), floats(outs) if bias else None, label=label, **options)


CONV1 = [
    conv((2, 3, 10), (4, 3, 3)),
    conv((2, 3, 10), (4, 3, 3), False),
    conv((3, 10), (4, 3, 3)),
    conv((2, 3, 11), (4, 3, 3), stride=2),
    conv((2, 3, 11), (4, 3, 4), stride=3, padding=2),
    conv((2, 3, 11), (4, 3, 3), dilation=3, padding=3),
    conv((2, 4, 9), (6, 2, 3), groups=2, padding=1),
    conv((2, 4, 9), (4, 1, 3), groups=4),
    conv((2, 4, 9), (8, 1, 4), groups=4, stride=2),
    conv((2, 3, 4), (4, 3, 8), padding=2),
    conv((2, 3, 9), (4, 3, 4), padding="same"),
    conv((2, 3, 9), (4, 3, 3), padding="same", dilation=2),
    conv((2, 3, 9), (4, 3, 3), padding="valid"),
    conv((2, 3, 1), (4, 3, 1)),
    conv((0, 3, 5), (4, 3, 2)),
    conv((1, 1, 3), (1, 1, 3)),
    conv((2, 20, 33), (18, 20, 5), padding=(2,), stride=[2]),
]
CONV2 = [
    conv((2, 3, 7, 8), (4, 3, 3, 3)),
    conv((2, 3, 7, 8), (4, 3, 3, 3), False),
    conv((3, 7, 8), (4, 3, 3, 3)),
    conv((3, 7, 8), (4, 3, 3, 3), False, padding=1, stride=2),
    conv((2, 3, 7, 8), (4, 3, 3, 3), padding=1),
    conv((2, 3, 7, 8), (4, 3, 3, 2), padding=(2, 0), stride=(2, 1)),
    conv((2, 3, 7, 8), (4, 3, 1, 1)),
    conv((2, 3, 7, 8), (4, 3, 1, 1), stride=2),
    conv((2, 3, 7, 8), (4, 3, 1, 1), padding=1),
    conv((2, 3, 7, 8), (4, 3, 2, 5), stride=(1, 3), padding=(1, 2), dilation=(2, 1)),
    conv((2, 3, 9, 8), (4, 3, 3, 3), stride=3, dilation=2, padding=2),
    conv((2, 3, 9, 9), (4, 3, 2, 2), stride=4),
    conv((2, 3, 2, 3), (4, 3, 5, 4), padding=2),
    conv((2, 3, 5, 6), (5, 3, 4, 4), stride=2, padding=1),
    conv((1, 4, 6, 6), (6, 2, 3, 3), groups=2),
    conv((2, 4, 6, 5), (4, 1, 3, 3), groups=4, padding=1),
    conv((2, 4, 6, 5), (4, 1, 3, 3), groups=4, padding=1, stride=2),
    conv((2, 4, 7, 7), (8, 1, 3, 2), groups=4, dilation=2),
    conv((2, 6, 6, 5), (9, 2, 2, 3), groups=3, stride=2, padding=1),
    conv((2, 3, 6, 5), (4, 3, 3, 3), padding="same"),
    conv((2, 3, 6, 5), (4, 3, 2, 4), padding="same", dilation=(1, 2)),
    conv((2, 3, 6, 5), (4, 3, 2, 4), padding="valid", stride=2),
    conv((0, 3, 6, 5), (4, 3, 3, 3)),
    conv((1, 1, 1, 1), (1, 1, 1, 1)),
    conv((1, 1, 3, 3), (1, 1, 3, 3)),
    conv((2, 17, 9, 9), (33, 17, 3, 3), padding=1),
    conv((3, 16, 7, 7), (32, 16, 3, 3), stride=2, padding=1),
    conv((2, 1, 12, 12), (20, 1, 5, 5)),
    conv((2, 40, 6, 6), (3, 40, 3, 3), padding=1),
    conv((17, 8, 4, 4), (48, 8, 3, 3), padding=1),
    conv((1, 32, 5, 6), (32, 8, 3, 3), groups=4, padding=1),
    conv((2, 20, 9, 17), (20, 1, 3, 3), groups=20, padding=1),
    conv((2, 20, 9, 17), (20, 1, 5, 3), groups=20, padding=(2, 1), stride=(2, 2)),
    conv((2, 12, 9, 9), (24, 1, 3, 3), groups=12, padding=2, dilation=2),
]
CONV3 = [
    conv((2, 2, 4, 5, 6), (3, 2, 2, 3, 3)),
    conv((2, 4, 5, 6), (3, 2, 2, 3, 3), False),
    conv((2, 2, 4, 5, 6), (3, 2, 2, 3, 2), stride=(1, 2, 3), padding=(1, 0, 2)),
    conv((2, 2, 5, 5, 6), (3, 2, 2, 3, 2), dilation=(3, 1, 2)),
    conv((1, 4, 4, 5, 4), (4, 1, 3, 3, 3), groups=4, padding=1),
    conv((1, 4, 4, 5, 4), (6, 2, 3, 3, 3), groups=2, padding=1, stride=2),
    conv((1, 2, 4, 5, 4), (2, 2, 3, 2, 3), padding="same"),
    conv((1, 2, 3, 4, 4), (2, 2, 1, 1, 1)),
]
TRANSPOSE1 = [
    transpose((2, 3, 5), (3, 4, 3)),
    transpose((2, 3, 5), (3, 4, 3), False),
    transpose((3, 5), (3, 4, 3), stride=2),
    transpose((2, 3, 5), (3, 4, 4), stride=2, padding=1),
    transpose((2, 3, 5), (3, 4, 3), stride=3, padding=1, output_padding=2),
    transpose((2, 3, 5), (3, 4, 3), dilation=2, output_padding=1),
    transpose((2, 4, 5), (4, 3, 3), groups=2),
    transpose((2, 4, 5), (4, 1, 3), groups=4, stride=2),
    transpose((2, 3, 5), (3, 4, 1), stride=3),
    transpose((0, 3, 5), (3, 4, 3)),
]
TRANSPOSE2 = [
    transpose((2, 3, 4, 5), (3, 4, 3, 3)),
    transpose((2, 3, 4, 5), (3, 4, 3, 3), False),
    transpose((3, 4, 5), (3, 4, 3, 3), padding=1),
    transpose((2, 3, 4, 5), (3, 4, 4, 4), stride=2, padding=1),
    transpose((2, 3, 4, 5), (3, 4, 3, 2), stride=(2, 3), padding=(1, 0), output_padding=(1, 2)),
    transpose((2, 3, 4, 5), (3, 4, 2, 2), stride=3),
    transpose((2, 3, 4, 5), (3, 4, 3, 3), dilation=2, output_padding=1),
    transpose((2, 3, 4, 5), (3, 4, 3, 3), dilation=3, stride=2, output_padding=2, padding=3),
    transpose((2, 4, 4, 5), (4, 3, 3, 3), groups=2, stride=2),
    transpose((2, 4, 4, 5), (4, 1, 3, 3), groups=4, stride=2, padding=1, output_padding=1),
    transpose((2, 4, 4, 5), (4, 2, 3, 3), groups=4),
    transpose((2, 3, 4, 5), (3, 4, 1, 1)),
    transpose((2, 3, 4, 5), (3, 4, 3, 3), padding=2),
    transpose((0, 3, 4, 5), (3, 4, 3, 3)),
    transpose((5, 20, 3, 3), (20, 33, 4, 4), stride=2, padding=1),
    transpose((2, 24, 1, 1), (24, 16, 4, 4)),
    transpose((2, 18, 6, 6), (18, 1, 4, 4), stride=2, padding=1),
]
TRANSPOSE3 = [
    transpose((2, 2, 3, 2, 3), (2, 3, 2, 3, 3)),
    transpose((2, 3, 2, 3), (2, 3, 2, 3, 3), False, stride=2),
    transpose(
        (1, 2, 3, 2, 3), (2, 3, 2, 3, 2), stride=(1, 2, 3), padding=(1, 0, 1), output_padding=(0, 1, 2)
    ),
    transpose((1, 4, 3, 2, 3), (4, 2, 2, 2, 2), groups=2, dilation=2),
]


def wrong(
    x: tuple[int, ...], w: tuple[int, ...], bias: int | None = None, label: str = "", **options: object
) -> S:
    return S(floats(*x), floats(*w), None if bias is None else floats(bias), label=label, **options)


WRONG = [
    wrong((2, 1, 2, 2), (1, 1, 3, 3), label="kernel larger than the input"),
    wrong((2, 1, 5, 5), (1, 1, 3, 3), dilation=3, label="dilated kernel larger than the input"),
    wrong((2, 1, 0, 2), (1, 1, 1, 1), label="an empty axis"),
    wrong((2, 1, 3, 3), (1, 2, 2, 2), label="channels"),
    wrong((2, 1, 3, 3), (0, 1, 2, 2), label="no output channels"),
    wrong((2, 1, 3, 3), (1, 1, 2, 2), 2, label="bias too long"),
    wrong((2, 1, 3, 3), (1, 1, 2, 2), stride=0, label="stride 0"),
    wrong((2, 1, 3, 3), (1, 1, 2, 2), stride=-1, label="negative stride"),
    wrong((2, 1, 3, 3), (1, 1, 2, 2), padding=-1, label="negative padding"),
    wrong((2, 1, 3, 3), (1, 1, 2, 2), dilation=0, label="dilation 0"),
    wrong((2, 1, 3, 3), (1, 1, 2, 2), stride=(1, 1, 1), label="three strides"),
    wrong((2, 1, 3, 3), (1, 1, 2, 2), padding=(1, 1, 1), label="three paddings"),
    wrong((2, 1, 3, 3), (1, 1, 2, 2), padding="full", label="unknown padding"),
    wrong((2, 1, 3, 3), (1, 1, 2, 2), padding="same", stride=2, label="same with a stride"),
    wrong((2, 1, 3, 3), (1, 1, 2, 2), stride=1.5, label="a fraction"),
    wrong((3, 3), (1, 1, 2, 2), label="two axes"),
    wrong((2, 1, 3, 3, 3), (1, 1, 2, 2), label="five axes"),
    wrong((1, 3, 3), (1, 1, 2), label="weight of three axes"),
    wrong((1, 3, 3, 3), (4, 1, 2, 2), groups=3, label="outputs not divisible by groups"),
    wrong((1, 3, 3, 3), (4, 1, 2, 2), groups=2, label="channels not divisible by groups"),
    wrong((1, 3, 3, 3), (4, 1, 2, 2), groups=0, label="no groups"),
    S(integers(0, 5, 1, 1, 3, 3), floats(1, 1, 2, 2), label="two types"),
    S([1.0, 2.0], floats(1, 1, 2, 2), label="a list"),
]
WRONG_TRANSPOSE = [
    wrong((1, 3, 3, 3), (3, 2, 2, 2), output_padding=1, label="output padding 1"),
    wrong((1, 3, 3, 3), (3, 2, 2, 2), output_padding=-1, label="negative output padding"),
    wrong((1, 3, 3, 3), (3, 2, 2, 2), output_padding=3, stride=3, label="output padding as the stride"),
    wrong((1, 3, 3, 3), (3, 2, 2, 2), padding=4, label="nothing left"),
    wrong((1, 3, 3, 3), (2, 2, 2, 2), label="channels"),
    wrong((1, 3, 3, 3), (3, 2, 2, 2), 3, label="bias too long"),
    wrong((1, 3, 3, 3), (3, 2, 2, 2), groups=2, label="not divisible by groups"),
    wrong((1, 3, 3, 3), (3, 2, 2, 2), padding="same", label="a word"),
    wrong((1, 3, 0, 3), (3, 2, 2, 2), label="an empty axis"),
    wrong((3, 3), (3, 2, 2, 2), label="two axes"),
    wrong((1, 3, 3, 3), (3, 2, 2, 2), stride=0, label="stride 0"),
]
UNFOLD = [
    S(floats(2, 3, 5, 6), 2),
    S(floats(3, 5, 6), 2),
    S(floats(2, 3, 5, 6), (3, 2), 1, 1),
    S(floats(2, 3, 5, 6), (3, 2), dilation=(1, 2), padding=(0, 1), stride=(2, 1)),
    S(floats(2, 3, 5, 6), 3, stride=2, padding=1),
    S(floats(2, 3, 5, 6), 1),
    S(floats(2, 3, 5, 6), (5, 6)),
    S(floats(0, 3, 5, 6), 2),
    S(floats(1, 1, 2, 2), 4, padding=1),
    S(floats(2, 1, 9, 9), 2, stride=4),
    S(floats(2, 1, 9, 9), 2, stride=[3, 2]),
]
FOLD = [
    S(floats(2, 12, 20), (5, 6), 2),
    S(floats(12, 20), (5, 6), 2),
    S(floats(2, 6, 35), (5, 6), (3, 2), 1, (1, 1), (1, 1), label="padding"),
    S(floats(2, 6, 12), (5, 6), (3, 2), dilation=(1, 2), padding=(0, 1), stride=(2, 1)),
    S(floats(2, 9, 9), 5, 3, stride=2, padding=1),
    S(floats(2, 3, 30), (5, 6), 1),
    S(floats(0, 12, 20), (5, 6), 2),
    S(floats(2, 4, 4), 9, 2, stride=4, label="gaps"),
    S(floats(1, 16, 1), 2, 4, padding=1),
]


MODES = ("reflect", "replicate", "circular")

# fmt: off
ENTRIES = [
    Entry(
        "nn.functional.conv1d",
        CONV1,
        tolerance=SUMS,
        why=WHY,
        errors=[
            wrong((2, 1, 2), (1, 1, 3), label="kernel larger than the input"),
            wrong((2, 2, 5), (1, 1, 3), label="channels"),
            wrong((1, 1, 5, 5), (1, 1, 3), label="four axes"),
            wrong((1, 1, 5), (1, 1, 3), stride=(1, 1), label="two strides"),
        ],
    ),
    Entry("nn.functional.conv2d", CONV2, tolerance=SUMS, why=WHY, errors=WRONG),
    Entry(
        "nn.functional.conv3d",
        CONV3,
        tolerance=SUMS,
        why=WHY,
        errors=[
            wrong((2, 1, 2, 3, 3), (1, 1, 3, 3, 3), label="kernel larger than the input"),
            wrong((2, 2, 3, 3, 3), (1, 1, 3, 3, 3), label="channels"),
            wrong((3, 3, 3), (1, 1, 3, 3, 3), label="three axes"),
        ],
    ),
    Entry("nn.functional.conv_transpose1d", TRANSPOSE1, tolerance=SUMS, why=WHY),
    Entry("nn.functional.conv_transpose2d", TRANSPOSE2, tolerance=SUMS, why=WHY, errors=WRONG_TRANSPOSE),
    Entry("nn.functional.conv_transpose3d", TRANSPOSE3, tolerance=SUMS, why=WHY),
    *[
        Entry(name, s[:2], tolerance=SUMS, why=WHY)
        for name, s in (
            ("conv1d", CONV1),
            ("conv2d", CONV2),
            ("conv3d", CONV3),
            ("conv_transpose1d", TRANSPOSE1),
            ("conv_transpose2d", TRANSPOSE2),
            ("conv_transpose3d", TRANSPOSE3),
        )
    ],
    Entry(
        "conv2d",
        [
            S(
                integers(-5, 6, 2, 3, 5, 5),
                integers(-5, 6, 4, 3, 3, 3),
                integers(-5, 6, 4),
                padding=1,
                label="int64",
            ),
            S(
                integers(-5, 6, 2, 3, 5, 5, dtype="int32"),
                integers(-5, 6, 4, 3, 2, 2, dtype="int32"),
                stride=2,
                label="int32",
            ),
        ],
        grad=False,
        layouts=("plain",),
    ),
    Entry(
        "nn.functional.unfold",
        UNFOLD,
        errors=[
            S(floats(1, 3, 4, 4), 5, label="window larger than the input"),
            S(floats(1, 3, 4, 4), (2, 2, 2), label="three sizes"),
            S(floats(1, 0, 4, 4), 2, label="no channels"),
            S(floats(1, 3, 4, 4), 0, label="kernel 0"),
            S(floats(1, 3, 4, 4), 2, stride=0, label="stride 0"),
            S(floats(1, 3, 4, 4), 2, padding=-1, label="negative padding"),
            S(floats(1, 3, 4, 4), 2, dilation=0, label="dilation 0"),
        ],
    ),
    Entry(
        "nn.functional.fold",
        FOLD,
        errors=[
            S(floats(1, 13, 9), 4, 2, label="rows"),
            S(floats(1, 12, 8), 4, 2, label="blocks"),
            S(floats(12), 4, 2, label="one axis"),
            S(floats(1, 12, 9), (4, 4, 4), 2, label="three sizes"),
            S(floats(1, 12, 9), 4, 2, stride=0, label="stride 0"),
        ],
    ),
    Entry(
        "nn.Conv1d",
        [
            S(Init(3, 4, 3), floats(2, 3, 9)),
            S(Init(3, 4, 3, 2, 1, 1, 1, False), floats(3, 9)),
            *[
                S(Init(3, 4, 3, padding=2, padding_mode=m), floats(2, 3, 9), label=m)
                for m in ("reflect", "replicate", "circular")
            ],
            S(
                Init(3, 4, 4, padding="same", padding_mode="circular"),
                floats(2, 3, 9),
                label="same, circular",
            ),
        ],
        tolerance=SUMS,
        why=WHY,
    ),
    Entry(
        "nn.Conv2d",
        [
            S(Init(3, 8, 3), floats(2, 3, 7, 7)),
            S(Init(3, 8, 3, padding=1), floats(3, 7, 7)),
            S(Init(3, 8, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2)), floats(2, 3, 7, 7)),
            S(Init(4, 8, 3, groups=2, bias=False), floats(2, 4, 7, 7)),
            S(Init(4, 8, 3, groups=4, padding="same"), floats(2, 4, 7, 7)),
            S(Init(4, 8, 3, padding="valid", padding_mode="reflect"), floats(2, 4, 7, 7)),
            *[
                S(Init(3, 4, 3, padding=(2, 1), padding_mode=m), floats(2, 3, 5, 6), label=m)
                for m in ("reflect", "replicate", "circular")
            ],
            *[
                S(
                    Init(3, 4, (4, 3), padding="same", dilation=(1, 2), padding_mode=m),
                    floats(2, 3, 5, 6),
                    label=f"same, {m}",
                )
                for m in ("zeros", "reflect", "replicate", "circular")
            ],
            S(
                Init(3, 4, 3, 2, padding=1, padding_mode="reflect"),
                floats(3, 5, 6),
                label="reflect, unbatched",
            ),
        ],
        tolerance=SUMS,
        why=WHY,
        errors=[
            S(Init(3, 4, 3, padding="full"), floats(2, 3, 7, 7), label="unknown padding"),
            S(Init(3, 4, 3, padding="same", stride=2), floats(2, 3, 7, 7), label="same with a stride"),
            S(Init(3, 4, 3, padding_mode="mirror"), floats(2, 3, 7, 7), label="unknown mode"),
            S(Init(3, 4, 3, groups=2), floats(2, 3, 7, 7), label="groups"),
            S(Init(4, 3, 3, groups=2), floats(2, 4, 7, 7), label="groups of outputs"),
            S(Init(4, 4, 3, groups=0), floats(2, 4, 7, 7), label="no groups"),
            S(Init(3, 4, 3), floats(2, 4, 7, 7), label="channels"),
            S(Init(3, 4, 3), floats(7, 7), label="two axes"),
            S(Init(3, 4, 3), floats(2, 3, 2, 2), label="too small"),
            S(Init(3, 4, 3, padding=1, padding_mode="reflect"), floats(3, 3), label="two axes, reflect"),
        ],
    ),
    Entry(
        "nn.Conv3d",
        [
            S(Init(2, 3, 2), floats(2, 2, 3, 4, 4)),
            S(
                Init(2, 4, (2, 3, 1), stride=(1, 2, 1), padding=(1, 1, 0), groups=2, bias=False),
                floats(2, 3, 4, 4),
            ),
            S(Init(2, 3, 3, padding=1, padding_mode="replicate"), floats(1, 2, 3, 4, 4), label="replicate"),
            S(Init(2, 3, 3, padding=1, padding_mode="circular"), floats(1, 2, 3, 4, 4), label="circular"),
        ],
        tolerance=SUMS,
        why=WHY,
    ),
    Entry(
        "nn.ConvTranspose1d",
        [
            S(Init(3, 4, 3), floats(2, 3, 5)),
            S(Init(3, 4, 3, 2, 1, 1), floats(3, 5)),
            S(Init(3, 4, 3, stride=2), floats(2, 3, 5), [12], label="output_size"),
        ],
        tolerance=SUMS,
        why=WHY,
    ),
    Entry(
        "nn.ConvTranspose2d",
        [
            S(Init(3, 4, 3), floats(2, 3, 4, 5)),
            S(Init(3, 4, 4, 2, 1, bias=False), floats(2, 3, 4, 5)),
            S(
                Init(4, 6, (3, 2), stride=(2, 3), padding=(1, 0), output_padding=(1, 2), groups=2),
                floats(4, 4, 5),
            ),
            S(Init(3, 4, 3, dilation=2), floats(2, 3, 4, 5)),
            S(Init(3, 4, 3, stride=2), floats(1, 3, 4, 4), output_size=(10, 9), label="output_size"),
            S(
                Init(3, 4, 3, stride=2),
                floats(1, 3, 4, 4),
                output_size=[1, 4, 9, 10],
                label="whole output_size",
            ),
        ],
        tolerance=SUMS,
        why=WHY,
        errors=[
            S(Init(3, 4, 3, stride=2), floats(1, 3, 4, 4), output_size=(20, 20), label="output_size"),
            S(Init(3, 4, 3, stride=2), floats(1, 3, 4, 4), output_size=(10,), label="one size"),
            S(Init(3, 4, 3, padding_mode="reflect"), floats(1, 3, 4, 4), label="reflect"),
            S(Init(3, 4, 3, output_padding=1), floats(1, 3, 4, 4), label="output padding"),
            S(Init(3, 4, 3), floats(1, 2, 4, 4), label="channels"),
            S(Init(3, 4, 3, padding="same"), floats(1, 3, 4, 4), label="a word"),
        ],
    ),
    Entry(
        "nn.ConvTranspose3d",
        [
            S(Init(2, 3, 2), floats(2, 2, 3, 2, 3)),
            S(
                Init(2, 3, (2, 3, 1), stride=(1, 2, 1), padding=(1, 1, 0), output_padding=(0, 1, 0)),
                floats(2, 3, 4, 4),
            ),
        ],
        tolerance=SUMS,
        why=WHY,
    ),
    Entry("nn.Unfold", [S(Init(2), floats(2, 3, 5, 6)), S(Init((3, 2), 1, 1, 2), floats(3, 5, 6))]),
    Entry(
        "nn.Fold", [S(Init((5, 6), 2), floats(2, 12, 20)), S(Init(5, 3, padding=1, stride=2), floats(9, 9))]
    ),
]


def printed(library, layer, *args):  # type: ignore[no-untyped-def]
    return repr(layer)


ENTRIES += [
    Entry(
        name,
        [S(init, np.zeros(1), label=f"printed {i}") for i, init in enumerate(inits)],
        call=printed,
        dtypes=("float32",),
        layouts=("plain",),
        grad=False,
    )
    for name, inits in (
        ("nn.Conv1d", [Init(3, 6, 3, 2, 1, 2, 3, False, "reflect"), Init(3, 4, 5)]),
        (
            "nn.Conv2d",
            [Init(3, 4, 3), Init(3, 4, 3, padding="same"), Init(4, 4, 3, padding=(1, 0), groups=2)],
        ),
        ("nn.Conv3d", [Init(1, 2, 3, padding=(1, 2, 0))]),
        ("nn.ConvTranspose1d", [Init(3, 4, 3)]),
        ("nn.ConvTranspose2d", [Init(3, 4, (3, 2), stride=2, output_padding=1, dilation=2)]),
        ("nn.ConvTranspose3d", [Init(3, 4, 3, bias=False)]),
        ("nn.Unfold", [Init(2), Init((2, 3), padding=1)]),
        ("nn.Fold", [Init((3, 4), 2, 1, 0, 1)]),
    )
]
