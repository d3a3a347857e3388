"""Transforms of images beside torchvision's, on tensors and on PIL images."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import genesis
from genesis.data import transforms as ours

sys.path.insert(0, str(Path(__file__).parent))  # the files of tests are not a package
from torchvision_parts import transforms as theirs

pytestmark = pytest.mark.parity

RNG = np.random.default_rng(0)
BYTES = RNG.integers(0, 256, (3, 12, 17), dtype=np.uint8)
BYTES[:, 2:5, 3:9] = BYTES[:1, 2:5, 3:9]  # some grey
BYTES[:, :2, :4] = [[[0]], [[255]], [[255]]]
IMAGES = {
    "bytes": BYTES,
    "floats": RNG.random((3, 12, 17), dtype=np.float32),
    "doubles": RNG.random((3, 10, 9)),
    "batch": RNG.random((2, 3, 9, 8), dtype=np.float32),
    "grey": BYTES[:1],
    "grey floats": RNG.random((1, 7, 8), dtype=np.float32),
    "ints": RNG.integers(-1000, 1000, (3, 8, 8), dtype=np.int32),
}
PICTURES = {
    "RGB": Image.fromarray(BYTES.transpose(1, 2, 0)),
    "L": Image.fromarray(BYTES[0]),
    "F": Image.fromarray(RNG.random((9, 7), dtype=np.float32)),
    "RGBA": Image.fromarray(RNG.integers(0, 256, (9, 7, 4), dtype=np.uint8)),
    "1": Image.fromarray(BYTES[0]).convert("1"),
    "I": Image.fromarray(RNG.integers(0, 70000, (5, 6), dtype=np.int32)),
}


def arrays(value: Any) -> list[Any]:
    """The arrays in a result."""
    if isinstance(value, list | tuple) and not all(isinstance(v, int | float) for v in value):
        return [array for item in value for array in arrays(item)]
    if isinstance(value, Image.Image):
        return [value.mode, np.asarray(value)]
    return [value.numpy() if hasattr(value, "numpy") else value]


def compare(call: Callable[[Any, Any], Any], image: Any, loose: bool = False) -> None:
    """Both libraries give the same, or raise errors of the same kind.

    ``loose``: integers may differ by one in a hundredth of the places, where a sum in another order is
    rounded to the other side.
    """
    results: list[Any] = []
    for library, convert in ((theirs, torch.from_numpy), (ours, genesis.from_numpy)):
        given = image if isinstance(image, Image.Image) else convert(image.copy())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                results.append(call(library, given))
            except Exception as error:
                results.append(error)
    expected, found = results
    if isinstance(expected, Exception):
        assert isinstance(found, type(expected)), (expected, found)
        return
    if isinstance(found, Exception):
        raise found
    for a, b in zip(arrays(found), arrays(expected), strict=True):
        if not isinstance(b, np.ndarray):
            assert a == b
            continue
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        if b.dtype.kind == "f":
            # float32 with the same formulas: a few ulps of values up to 255
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=2e-5)
        elif loose:
            far = np.abs(a.astype(np.int64) - b)
            assert (far > 0).sum() <= max(1, 0.01 * far.size), far
            assert far.max(initial=0) <= 1
        else:
            np.testing.assert_array_equal(a, b)


FILL3 = [10.0, 20.0, 30.0]
# of a library's functional and an image; loose ones in the second table
EXACT: dict[str, Callable[[Any, Any], Any]] = {
    "hflip": lambda f, x: f.hflip(x),
    "vflip": lambda f, x: f.vflip(x),
    "get_dimensions": lambda f, x: f.get_dimensions(x),
    "get_image_size": lambda f, x: f.get_image_size(x),
    "get_image_num_channels": lambda f, x: f.get_image_num_channels(x),
    "center_crop large": lambda f, x: f.center_crop(x, [20, 5]),
    "center_crop odd": lambda f, x: f.center_crop(x, [15, 20]),
    "center_crop": lambda f, x: f.center_crop(x, 4),
    "center_crop one": lambda f, x: f.center_crop(x, [5]),
    "five_crop": lambda f, x: f.five_crop(x, [3, 4]),
    "five_crop large": lambda f, x: f.five_crop(x, 30),
    "ten_crop": lambda f, x: f.ten_crop(x, 4),
    "ten_crop vertical": lambda f, x: f.ten_crop(x, (4, 3), vertical_flip=True),
    "pad": lambda f, x: f.pad(x, 2),
    "pad two": lambda f, x: f.pad(x, [1, 3], 7),
    "pad four": lambda f, x: f.pad(x, (1, 2, 3, 4), fill=0.5),
    "pad one": lambda f, x: f.pad(x, [2]),
    "pad negative": lambda f, x: f.pad(x, [-1, 2, 1, -2]),
    "pad three": lambda f, x: f.pad(x, [1, 2, 3]),
    "pad word": lambda f, x: f.pad(x, "1"),
    "pad mode": lambda f, x: f.pad(x, 1, padding_mode="round"),
    "pad fill": lambda f, x: f.pad(x, 1, fill="red"),
    "grey": lambda f, x: f.rgb_to_grayscale(x),
    "grey 3": lambda f, x: f.rgb_to_grayscale(x, 3),
    "grey 2": lambda f, x: f.rgb_to_grayscale(x, 2),
    "resize nearest": lambda f, x: f.resize(x, [5, 9], f.InterpolationMode.NEAREST),
    "resize nearest exact": lambda f, x: f.resize(x, [5, 9], f.InterpolationMode.NEAREST_EXACT),
    "resize same": lambda f, x: f.resize(x, f.get_dimensions(x)[1:]),
    "resize three": lambda f, x: f.resize(x, [1, 2, 3]),
    "resize max small": lambda f, x: f.resize(x, 5, max_size=5),
    "resize max two": lambda f, x: f.resize(x, [5, 6], max_size=9),
    "resize mode": lambda f, x: f.resize(x, 5, interpolation=None),
    "crop negative": lambda f, x: f.crop(x, -2, -3, 6, 6),
    "crop beyond": lambda f, x: f.crop(x, 6, 5, 9, 20),
    "crop": lambda f, x: f.crop(x, 1, 2, 3, 4),
    "invert": lambda f, x: f.invert(x),
    "posterize": lambda f, x: f.posterize(x, 3),
    "posterize 8": lambda f, x: f.posterize(x, 8),
    "solarize": lambda f, x: f.solarize(x, 100),
    "solarize floats": lambda f, x: f.solarize(x, 0.5),
    "equalize": lambda f, x: f.equalize(x),
    "erase": lambda f, x: f.erase(x, 1, 2, 3, 4, 0),
    "brightness negative": lambda f, x: f.adjust_brightness(x, -1),
    "hue 1": lambda f, x: f.adjust_hue(x, 1),
    "blur even": lambda f, x: f.gaussian_blur(x, 4),
    "blur sigma": lambda f, x: f.gaussian_blur(x, 3, -1.0),
    "blur three": lambda f, x: f.gaussian_blur(x, [3, 3, 3]),
    "affine scale": lambda f, x: f.affine(x, 0, [0, 0], 0.0, [0, 0]),
    "affine translate": lambda f, x: f.affine(x, 0, [0], 1.0, [0, 0]),
    "affine shear": lambda f, x: f.affine(x, 0, [0, 0], 1.0, "1"),
    "affine angle": lambda f, x: f.affine(x, "0", [0, 0], 1.0, 0),
    "rotate center": lambda f, x: f.rotate(x, 3, center=2),
    "perspective three": lambda f, x: f.perspective(x, [[0, 0]] * 3, [[0, 0]] * 3),
} | {
    f"pad {mode}": lambda f, x, mode=mode: f.pad(x, [1, 2, 3, 0], padding_mode=mode)
    for mode in ("edge", "reflect", "symmetric")
} | {
    f"pad {mode} and crop": lambda f, x, mode=mode: f.pad(x, [-1, 2, 3, -2], padding_mode=mode)
    for mode in ("edge", "symmetric")
}  # fmt: skip

ROUNDED: dict[str, Callable[[Any, Any], Any]] = {
    "resize": lambda f, x: f.resize(x, [5, 9]),
    "resize larger": lambda f, x: f.resize(x, [25, 30]),
    "resize short": lambda f, x: f.resize(x, 5),
    "resize one": lambda f, x: f.resize(x, [5]),
    "resize max": lambda f, x: f.resize(x, 6, max_size=7),
    "resize plain": lambda f, x: f.resize(x, [5, 9], antialias=False),
    "resize bicubic": lambda f, x: f.resize(x, [5, 9], f.InterpolationMode.BICUBIC),
    "resize number": lambda f, x: f.resize(x, [5, 9], 3, antialias=False),
    "resized_crop": lambda f, x: f.resized_crop(x, 1, 2, 5, 4, [7, 3]),
    "brightness": lambda f, x: f.adjust_brightness(x, 0.3),
    "brightness up": lambda f, x: f.adjust_brightness(x, 1.7),
    "contrast": lambda f, x: f.adjust_contrast(x, 0.3),
    "contrast up": lambda f, x: f.adjust_contrast(x, 1.7),
    "saturation": lambda f, x: f.adjust_saturation(x, 0.3),
    "saturation up": lambda f, x: f.adjust_saturation(x, 2),
    "hue": lambda f, x: f.adjust_hue(x, 0.2),
    "hue back": lambda f, x: f.adjust_hue(x, -0.45),
    "hue 0": lambda f, x: f.adjust_hue(x, 0),
    "gamma": lambda f, x: f.adjust_gamma(x, 0.5),
    "gamma gain": lambda f, x: f.adjust_gamma(x, 2.2, gain=1.3),
    "sharpness": lambda f, x: f.adjust_sharpness(x, 2.5),
    "sharpness 0": lambda f, x: f.adjust_sharpness(x, 0),
    "autocontrast": lambda f, x: f.autocontrast(x),
    "blur": lambda f, x: f.gaussian_blur(x, 3),
    "blur wide": lambda f, x: f.gaussian_blur(x, [5, 3], [1.5, 0.4]),
    "blur one sigma": lambda f, x: f.gaussian_blur(x, [3, 5], 0.7),
}
WARPED: dict[str, Callable[[Any, Any], Any]] = {
    "rotate": lambda f, x: f.rotate(x, 33.3),
    # of one even and one odd side all would lie half-way between pixels, and the processor would decide
    "rotate 90": lambda f, x: f.rotate(f.center_crop(x, [9, 7]), 90, expand=True),
    "rotate 180": lambda f, x: f.rotate(x, -180),
    "rotate bilinear": lambda f, x: f.rotate(x, 33.3, f.InterpolationMode.BILINEAR, fill=[0.3]),
    "rotate expand": lambda f, x: f.rotate(x, -21.7, expand=True),
    "rotate expand bilinear": lambda f, x: f.rotate(x, 70.1, f.InterpolationMode.BILINEAR, True),
    "rotate center": lambda f, x: f.rotate(x, 10.1, center=[2, 3]),
    "rotate fill": lambda f, x: f.rotate(x, 31.0, fill=7),
    "rotate fill 3": lambda f, x: f.rotate(x, 31.0, fill=FILL3),
    "rotate bilinear fill 3": lambda f, x: f.rotate(x, 31.0, f.InterpolationMode.BILINEAR, fill=FILL3),
    "affine": lambda f, x: f.affine(x, 12.3, [2, -1], 0.83, [5.1, -7.3]),
    "affine bilinear": lambda f, x: f.affine(x, 12.3, (2, -1), 1.2, 5.0, f.InterpolationMode.BILINEAR),
    "affine center": lambda f, x: f.affine(x, -12.3, [0, 1], 1.1, [3.0], center=[1, 2], fill=0.5),
    "affine moved": lambda f, x: f.affine(x, 0, [3, 1], 1.0, [0.0, 0.0]),
    "perspective": lambda f, x: f.perspective(
        x, [[0, 0], [8, 0], [8, 8], [0, 8]], [[1, 0], [7, 1], [8, 6], [0, 8]]
    ),
    "perspective nearest": lambda f, x: f.perspective(
        x,
        [[0, 0], [8, 0], [8, 8], [0, 8]],
        [[1, 2], [7, 1], [8, 6], [1, 8]],
        f.InterpolationMode.NEAREST,
        fill=3,
    ),
}
for _table in (EXACT, ROUNDED, WARPED):
    assert all(callable(case) for case in _table.values())


@pytest.mark.parametrize("kind", IMAGES)
@pytest.mark.parametrize("name", EXACT)
def test_tensors(name: str, kind: str) -> None:
    if name == "grey 3" and kind.startswith("grey"):
        x = genesis.from_numpy(IMAGES[kind])  # torchvision gives one channel, against its documentation
        assert ours.functional.rgb_to_grayscale(x, 3).shape == (3, *x.shape[1:])
        return
    compare(lambda library, x: EXACT[name](library.functional, x), IMAGES[kind])


@pytest.mark.parametrize("kind", IMAGES)
@pytest.mark.parametrize("name", [*ROUNDED, *WARPED])
def test_tensors_that_are_rounded(name: str, kind: str) -> None:
    case = (ROUNDED | WARPED)[name]
    compare(lambda library, x: case(library.functional, x), IMAGES[kind], loose=True)


@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.parametrize("name", [*EXACT, *ROUNDED, *WARPED])
def test_pictures(name: str, kind: str) -> None:
    case = (EXACT | ROUNDED | WARPED)[name]
    compare(lambda library, x: case(library.functional, x), PICTURES[kind], loose="blur" in name)


@pytest.mark.parametrize("kind", PICTURES)
def test_pictures_become_tensors_and_pictures_again(kind: str) -> None:
    picture = PICTURES[kind]
    compare(lambda library, x: library.functional.to_tensor(x), picture)
    compare(lambda library, x: library.functional.pil_to_tensor(x), picture)
    if kind != "1":  # torchvision's tensor of booleans becomes no picture
        compare(lambda library, x: library.ToPILImage()(library.PILToTensor()(x)), picture)


@pytest.mark.parametrize("kind", ["bytes", "floats", "doubles", "batch", "grey", "grey floats", "ints"])
@pytest.mark.parametrize("mode", [None, "RGB", "YCbCr", "HSV", "L", "F", "CMYK"])
def test_tensors_become_pictures(kind: str, mode: str | None) -> None:
    compare(lambda library, x: library.functional.to_pil_image(x, mode), IMAGES[kind])
    compare(lambda library, x: library.functional.to_pil_image(x[0], mode), IMAGES[kind])


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
def test_arrays_become_pictures_and_tensors(channels: int) -> None:
    for array in (
        BYTES.transpose(1, 2, 0),
        RNG.random((4, 5, 5), dtype=np.float32),
        np.float64(IMAGES["ints"]),
    ):
        part = np.concatenate([array] * 2, -1)[..., :channels]
        compare(lambda library, x, part=part: library.functional.to_pil_image(part), BYTES)
        compare(lambda library, x, part=part: library.functional.to_tensor(part), BYTES)
        compare(lambda library, x, part=part: library.functional.to_tensor(part[..., 0]), BYTES)
        compare(lambda library, x, part=part: library.functional.to_tensor(part[0, 0]), BYTES)
    compare(lambda library, x: library.functional.to_tensor("a"), BYTES)
    compare(lambda library, x: library.functional.to_tensor(x), BYTES)


@pytest.mark.parametrize("old", ["uint8", "int8", "int16", "int32", "int64", "float32", "float64"])
@pytest.mark.parametrize("new", ["uint8", "int8", "int16", "int32", "int64", "float32", "float64"])
def test_types_are_scaled(old: str, new: str) -> None:
    image = np.array([[[0, 1, 0.5, 0.999, 0.25]]]) if "float" in old else np.array([[[0, 1, 100, 127, 64]]])
    compare(
        lambda library, x: library.ConvertImageDtype(
            getattr(torch if library is theirs else genesis, new)
        )(x),
        image.astype(old),
    )  # fmt: skip


@pytest.mark.parametrize("kind", IMAGES)
def test_normalization(kind: str) -> None:
    for mean, std in (([0.1, 0.2, 0.3], [0.5, 0.6, 0.7]), ([0.5], [0.25]), ([0.5], [0.0])):
        compare(lambda library, x, m=mean, s=std: library.Normalize(m, s)(x), IMAGES[kind])


# random ones: what they draw is given to both

GIVEN: list[tuple[str, dict[str, Any], Any]] = [
    ("RandomCrop", {"size": 6, "padding": 2}, (1, 2, 6, 6)),
    ("RandomCrop", {"size": (20, 9), "pad_if_needed": True, "padding_mode": "reflect"}, (3, 2, 20, 9)),
    ("RandomResizedCrop", {"size": 7}, (1, 2, 5, 6)),
    ("RandomResizedCrop", {"size": (5, 4), "interpolation": 0}, (1, 2, 5, 6)),
    ("RandomRotation", {"degrees": 30, "fill": 3}, 21.3),
    ("RandomRotation", {"degrees": (0, 90), "expand": True, "interpolation": 2}, 63.1),
    ("RandomAffine", {"degrees": 30, "fill": 1}, (21.3, (1, 2), 0.8, (3.0, 2.0))),
    ("RandomAffine", {"degrees": 30, "interpolation": 2, "center": [1, 1]}, (-3.3, (0, 0), 1.1, (0.0, 0.0))),
    ("RandomPerspective", {"p": 1.0}, ([[0, 0], [8, 0], [8, 8], [0, 8]], [[1, 0], [7, 1], [8, 6], [0, 8]])),
    ("GaussianBlur", {"kernel_size": 3}, 0.7),
    ("RandomErasing", {"p": 1.0, "value": 3}, (1, 2, 3, 4, 0.5)),
]


@pytest.mark.parametrize("kind", ["bytes", "floats", "batch", "grey", "RGB", "L"])
@pytest.mark.parametrize(
    ("name", "options", "drawn"), GIVEN, ids=[f"{n}{i}" for i, (n, _, _) in enumerate(GIVEN)]
)
def test_with_what_is_drawn(
    name: str, options: dict[str, Any], drawn: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for library in (ours, theirs):
        monkeypatch.setattr(getattr(library, name), "get_params", staticmethod(lambda *args, **kwargs: drawn))
    image = (IMAGES | PICTURES)[kind]
    if name == "RandomErasing" and kind in PICTURES:
        return  # torchvision fails for want of a shape
    compare(lambda library, x: getattr(library, name)(**options)(x), image, loose=True)


@pytest.mark.parametrize("kind", ["bytes", "floats", "grey", "RGB", "L"])
@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 1, 0, 2]])
def test_colours(order: list[int], kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for library, tensor in ((ours, genesis.tensor), (theirs, torch.tensor)):
        drawn = (tensor(order), 0.8, 1.3, 0.7, 0.1)
        monkeypatch.setattr(library.ColorJitter, "get_params", staticmethod(lambda *args, d=drawn: d))
    image = (IMAGES | PICTURES)[kind]
    if kind == "bytes":  # four roundings down, one after another: a byte may become another by more than one
        image = IMAGES["floats"]
    compare(lambda library, x: library.ColorJitter(0.5, 0.5, 0.5, 0.2)(x), image, loose=True)


@pytest.mark.parametrize("kind", ["bytes", "floats", "RGB"])
def test_certain_ones(kind: str) -> None:
    image = (IMAGES | PICTURES)[kind]
    for name, options in (
        ("RandomHorizontalFlip", {}),
        ("RandomVerticalFlip", {}),
        ("RandomGrayscale", {}),
        ("RandomInvert", {}),
        ("RandomPosterize", {"bits": 2}),
        ("RandomSolarize", {"threshold": 0.5}),
        ("RandomAdjustSharpness", {"sharpness_factor": 2}),
        ("RandomAutocontrast", {}),
        ("RandomEqualize", {}),
    ):
        for p in (1.0, 0.0):
            compare(
                lambda library, x, name=name, o=options, p=p: getattr(library, name)(**o, p=p)(x), image, True
            )


@pytest.mark.parametrize("kind", ["floats", "batch", "grey floats"])
def test_an_elastic_field(kind: str) -> None:
    image = IMAGES[kind]
    field = RNG.random((1, *image.shape[-2:], 2), dtype=np.float32) * 0.2
    compare(
        lambda library, x: library.functional.elastic_transform(
            x, (torch if library is theirs else genesis).from_numpy(field.copy()), fill=[0.3]
        ),
        image,
    )


SHOWN: dict[str, Callable[[Any], Any]] = {
    "Compose": lambda t: t.Compose([t.ToTensor(), t.Normalize((0.5,), (0.5,))]),
    "RandomApply": lambda t: t.RandomApply([t.CenterCrop(3), t.ToPILImage()], p=0.3),
    "RandomChoice": lambda t: t.RandomChoice([t.CenterCrop((3, 4)), t.ToPILImage("L")]),
    "RandomOrder": lambda t: t.RandomOrder([t.PILToTensor(), t.Lambda(len)]),
    "Resize": lambda t: t.Resize(3),
    "Pad": lambda t: t.Pad((1, 2), 3, "edge"),
    "RandomCrop": lambda t: t.RandomCrop(3, padding=4),
    "RandomResizedCrop": lambda t: t.RandomResizedCrop(3),
    "RandomHorizontalFlip": lambda t: t.RandomHorizontalFlip(),
    "FiveCrop": lambda t: t.FiveCrop(3),
    "TenCrop": lambda t: t.TenCrop(3),
    "ColorJitter": lambda t: t.ColorJitter(0.5, (0.5, 2), 0, 0.1),
    "RandomRotation": lambda t: t.RandomRotation(30, center=(1, 2)),
    "RandomAffine": lambda t: t.RandomAffine(
        30, (0.1, 0.2), (1, 2), 5, t.InterpolationMode.BILINEAR, 1, (1, 2)
    ),
    "RandomAffine plain": lambda t: t.RandomAffine((1, 2)),
    "Grayscale": lambda t: t.Grayscale(),
    "RandomGrayscale": lambda t: t.RandomGrayscale(),
    "RandomPerspective": lambda t: t.RandomPerspective(),
    "RandomErasing": lambda t: t.RandomErasing(),
    "GaussianBlur": lambda t: t.GaussianBlur(3),
    "RandomPosterize": lambda t: t.RandomPosterize(3),
    "RandomSolarize": lambda t: t.RandomSolarize(3, 0.2),
    "RandomAdjustSharpness": lambda t: t.RandomAdjustSharpness(3),
    "RandomInvert": lambda t: t.RandomInvert(),
    "ElasticTransform": lambda t: t.ElasticTransform(),
}


@pytest.mark.parametrize("name", SHOWN)
def test_how_they_print(name: str) -> None:
    assert repr(SHOWN[name](ours)) == repr(SHOWN[name](theirs))


NAMES = [
    *(
        "ShearX",
        "ShearY",
        "TranslateX",
        "TranslateY",
        "Rotate",
        "Brightness",
        "Color",
        "Contrast",
        "Sharpness",
    ),
    *("Posterize", "Solarize", "AutoContrast", "Equalize", "Invert", "Identity", "Nothing"),
]


@pytest.mark.parametrize("kind", ["bytes", "grey", "RGB", "L"])
@pytest.mark.parametrize("name", NAMES)
def test_the_changes_of_policies(name: str, kind: str) -> None:
    for size in (0.0, 3.0) if name == "Posterize" else (0.0, 0.31) if name in NAMES[:9] else (0.0, 100.5):
        compare(
            lambda library, x, size=size: library.autoaugment._apply_op(
                x, name, size, library.InterpolationMode.NEAREST, [3.0]
            ),
            (IMAGES | PICTURES)[kind],
            loose=True,
        )


def test_the_lists_of_policies() -> None:
    for policy in ("IMAGENET", "CIFAR10", "SVHN"):
        a, b = (library.AutoAugment(library.AutoAugmentPolicy[policy]) for library in (ours, theirs))
        assert a.policies == b.policies
        assert repr(a) == repr(b)
    for name, options, args in (
        ("AutoAugment", {}, (10, (12, 17))),
        ("RandAugment", {"fill": 3}, (31, (12, 17))),
        ("TrivialAugmentWide", {}, (31,)),
        ("AugMix", {}, (10, (12, 17))),
        ("AugMix", {"all_ops": False, "severity": 5}, (10, (12, 17))),
    ):
        a, b = (getattr(library, name)(**options) for library in (ours, theirs))
        assert repr(a) == repr(b)
        mine, known = (made._augmentation_space(*args) for made in (a, b))
        assert set(mine) == set(known)
        for key, (magnitudes, signed) in known.items():
            assert mine[key][1] == signed
            # half a unit in the last place of 255
            np.testing.assert_allclose(mine[key][0].numpy(), magnitudes.numpy(), rtol=1e-6, atol=1e-5)
            assert mine[key][0].numpy().dtype == magnitudes.numpy().dtype


@pytest.mark.parametrize("kind", ["bytes", "RGB", "L"])
@pytest.mark.parametrize("name", ["AutoAugment", "RandAugment", "TrivialAugmentWide", "AugMix"])
def test_policies_change_images(name: str, kind: str) -> None:
    image = (IMAGES | PICTURES)[kind]
    image = image if isinstance(image, Image.Image) else genesis.from_numpy(image)
    change, results = getattr(ours, name)(), []
    for seed in [*range(12), 3]:
        genesis.manual_seed(seed)
        results.append(arrays(change(image))[-1])
    assert all(r.shape == results[0].shape and r.dtype == np.uint8 for r in results)
    assert np.array_equal(results[3], results[-1])
    assert len({r.tobytes() for r in results}) > 4


WRONG: list[Callable[[Any], Any]] = [
    lambda t: t.Lambda(3),
    lambda t: t.CenterCrop((1, 2, 3)),
    lambda t: t.Resize((1, 2, 3)),
    lambda t: t.Resize(1.5),
    lambda t: t.Pad("a"),
    lambda t: t.Pad(1, fill="a"),
    lambda t: t.Pad((1, 2, 3)),
    lambda t: t.Pad(1, padding_mode="a"),
    lambda t: t.ColorJitter(-1),
    lambda t: t.ColorJitter("a"),
    lambda t: t.ColorJitter((2, 1)),
    lambda t: t.ColorJitter(hue=0.6),
    lambda t: t.ColorJitter(hue=(-0.6, 0)),
    lambda t: t.RandomRotation(-1),
    lambda t: t.RandomRotation([1]),
    lambda t: t.RandomRotation(1, fill=print),
    lambda t: t.RandomRotation(1, center=3),
    lambda t: t.RandomAffine(1, translate=(2, 0)),
    lambda t: t.RandomAffine(1, translate=2),
    lambda t: t.RandomAffine(1, scale=(0, 1)),
    lambda t: t.RandomAffine(1, shear=(1, 2, 3)),
    lambda t: t.RandomPerspective(fill=print),
    lambda t: t.RandomErasing(p=2),
    lambda t: t.RandomErasing(value="a"),
    lambda t: t.RandomErasing(scale=(0.5, 2)),
    lambda t: t.RandomErasing(scale=0.5),
    lambda t: t.RandomErasing(value=None),
    lambda t: t.GaussianBlur(2),
    lambda t: t.GaussianBlur((1, 3, 5)),
    lambda t: t.GaussianBlur(3, -1),
    lambda t: t.GaussianBlur(3, (2, 1)),
    lambda t: t.GaussianBlur(3, "ab"[:1]),
    lambda t: t.RandomOrder(3),
    lambda t: t.RandomChoice([], p=3),
    lambda t: t.ElasticTransform(alpha=1),
    lambda t: t.ElasticTransform(sigma=[1.0, 2]),
    lambda t: t.RandomCrop((1, 2, 3)),
    lambda t: t.RandomResizedCrop(3, scale=1),
    lambda t: t.AugMix(severity=11),
    lambda t: t.AutoAugment("imagenet"),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_wrong_options(number: int) -> None:
    compare(lambda library, x: WRONG[number](library), BYTES)


def test_what_is_drawn_is_alike() -> None:
    """The means of what both draw, within four standard errors of the difference."""

    def draws(library: Any, image: Any) -> Any:
        return [
            [
                *library.RandomResizedCrop.get_params(image, (0.1, 1), (0.5, 2)),
                *library.RandomCrop.get_params(image, (5, 6))[:2],
                library.RandomRotation.get_params([-10, 30]),
                *library.RandomErasing.get_params(image, (0.02, 0.33), (0.3, 3.3), [0.0])[:4],
                *np.ravel(library.RandomPerspective.get_params(17, 12, 0.5)[1]),
                *np.ravel(library.ColorJitter.get_params((0.5, 1.5), None, (0, 2), (-0.1, 0.1))[1::2]),
                *np.hstack(
                    library.RandomAffine.get_params([0, 9], (0.5, 0.5), (1, 2), [1, 2, 3, 4], [17, 12])
                ),
            ]
            for _ in range(600)
        ]

    genesis.manual_seed(0)
    torch.manual_seed(0)
    a = np.array(draws(ours, genesis.from_numpy(BYTES)), float)
    b = np.array(draws(theirs, torch.from_numpy(BYTES)), float)
    spread = np.sqrt((a.var(0) + b.var(0)) / len(a))
    assert (np.abs(a.mean(0) - b.mean(0)) <= 4 * spread + 1e-12).all()
    assert (np.abs(np.log((a.std(0) + 1e-9) / (b.std(0) + 1e-9))) < 0.25).all()
