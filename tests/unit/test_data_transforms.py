"""Transforms and data sets of images, beside what NumPy says."""

from __future__ import annotations

import gzip
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import genesis
from genesis.data import DataLoader, datasets, transforms
from genesis.data.transforms import functional as F

RNG = np.random.default_rng(0)
GREY, RGB = RNG.integers(0, 256, (6, 8), dtype=np.uint8), RNG.integers(0, 256, (6, 8, 3), dtype=np.uint8)


def test_bytes_become_numbers_channels_first() -> None:
    np.testing.assert_allclose(transforms.ToTensor()(RGB).numpy(), RGB.transpose(2, 0, 1) / np.float32(255))
    assert transforms.ToTensor()(GREY).shape == (1, 6, 8)
    assert transforms.PILToTensor()(GREY).dtype is genesis.uint8
    with pytest.raises(TypeError, match="got a tensor"):
        transforms.ToTensor()(genesis.ones(1, 2, 2))


def test_each_channel_is_normalized() -> None:
    x = transforms.ToTensor()(RGB)
    mean, std = np.array([0.1, 0.2, 0.3]), np.array([0.5, 0.6, 0.7])
    expected = (x.numpy() - mean[:, None, None]) / std[:, None, None]
    # one subtraction and one division in float32
    np.testing.assert_allclose(
        transforms.Normalize(mean.tolist(), std.tolist())(x).numpy(), expected, rtol=1e-5
    )
    with pytest.raises(ValueError, match="division by zero"):
        F.normalize(x, [0.5] * 3, [0.0] * 3)
    with pytest.raises(TypeError, match="floating-point"):
        F.normalize(transforms.PILToTensor()(RGB), [0.5] * 3, [1.0] * 3)


@pytest.mark.parametrize("image", [GREY, RGB], ids=["grey", "colour"])
def test_flips_and_crops_of_arrays_and_tensors(image: np.ndarray) -> None:
    for change, expected in (
        (F.hflip, image[:, ::-1]),
        (F.vflip, image[::-1]),
        (lambda x: F.crop(x, 1, 2, 3, 4), image[1:4, 2:6]),
        (lambda x: F.center_crop(x, (2, 4)), image[2:4, 2:6]),
        (
            lambda x: F.pad(x, 1, padding_mode="edge"),
            np.pad(image, ((1, 1), (1, 1), (0, 0))[: image.ndim], "edge"),
        ),
        (lambda x: F.pad(x, [1, 2]), np.pad(image, ((2, 2), (1, 1), (0, 0))[: image.ndim])),
    ):
        np.testing.assert_array_equal(change(image), expected)
        np.testing.assert_array_equal(
            change(F.pil_to_tensor(image)).numpy(), F.pil_to_tensor(expected).numpy()
        )


def test_random_crops_are_parts_and_can_be_repeated() -> None:
    crop = transforms.RandomCrop(4)
    genesis.manual_seed(0)
    first = [crop(GREY) for _ in range(20)]
    parts = [GREY[i : i + 4, j : j + 4] for i in range(3) for j in range(5)]
    assert all(any(np.array_equal(a, b) for b in parts) for a in first)
    assert len({a.tobytes() for a in first}) > 5
    genesis.manual_seed(0)
    assert all(np.array_equal(a, crop(GREY)) for a in first)
    with pytest.raises(ValueError, match=r"\(9, 9\) is larger than input image size \(6, 8\)"):
        transforms.RandomCrop(9)(GREY)
    assert transforms.RandomCrop(9, pad_if_needed=True)(GREY).shape[:2] == (9, 9)


def test_probabilities_of_zero_and_one() -> None:
    np.testing.assert_array_equal(transforms.RandomHorizontalFlip(p=1.0)(GREY), GREY[:, ::-1])
    assert transforms.RandomHorizontalFlip(p=0.0)(GREY) is GREY
    assert transforms.RandomVerticalFlip(p=0.0)(GREY) is GREY


@pytest.mark.parametrize(
    ("transform", "shape"),
    [
        (transforms.Resize((3, 4)), (3, 3, 4)),
        (transforms.Resize(3), (3, 3, 4)),
        (transforms.RandomResizedCrop(5), (3, 5, 5)),
        (transforms.Grayscale(), (1, 6, 8)),
        (transforms.RandomGrayscale(p=1.0), (3, 6, 8)),
        (transforms.ColorJitter(0.5, 0.5, (0.5, 1.5)), (3, 6, 8)),
        (transforms.RandomErasing(p=1.0, value="random"), (3, 6, 8)),
        (transforms.RandomOrder([transforms.Pad(1), transforms.Lambda(lambda x: x * 2)]), (3, 8, 10)),
        (transforms.RandomApply([transforms.Pad(1)], p=1.0), (3, 8, 10)),
        (transforms.RandomChoice([transforms.Pad(1)]), (3, 8, 10)),
        (transforms.ConvertImageDtype(genesis.uint8), (3, 6, 8)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_shapes(transform: Any, shape: tuple[int, ...]) -> None:
    genesis.manual_seed(0)
    assert transform(transforms.ToTensor()(RGB)).shape == shape


def test_an_image_turned_by_a_right_angle_is_its_rot90() -> None:
    x = genesis.from_numpy(RGB.transpose(2, 0, 1).copy())
    for quarters in (1, 2, 3):
        turned = F.rotate(x, 90 * quarters, expand=True)
        np.testing.assert_array_equal(turned.numpy(), np.rot90(RGB, quarters).transpose(2, 0, 1))
    moved = F.affine(x, 0, [2, 1], 1.0, 0, fill=[1, 2, 3]).numpy()
    np.testing.assert_array_equal(moved[:, 1:, 2:], x.numpy()[:, :-1, :-2])
    assert moved[:, 0, 0].tolist() == [1, 2, 3]
    corners = [[0, 0], [7, 0], [7, 5], [0, 5]]
    np.testing.assert_array_equal(F.perspective(x, corners, corners).numpy(), x.numpy())


def test_hues_go_around_a_circle() -> None:
    red, green, blue = (genesis.tensor([[[float(c == i)]] for i in range(3)]) for c in range(3))
    for start, step, end in (
        (red, 1 / 3, green),
        (green, 1 / 3, blue),
        (blue, 1 / 3, red),
        (red, -1 / 3, blue),
    ):
        # a third is not exact: 6 ulps of 1
        np.testing.assert_allclose(F.adjust_hue(start, step).numpy(), end.numpy(), atol=1e-6)
    grey = genesis.full((3, 2, 2), 0.5)
    np.testing.assert_array_equal(F.adjust_hue(grey, 0.3).numpy(), grey.numpy())


def test_a_blur_keeps_what_is_even_and_its_weights_are_a_bell() -> None:
    even = genesis.full((2, 5, 5), 0.25)
    np.testing.assert_allclose(F.gaussian_blur(even, 3, 1.0).numpy(), 0.25, rtol=1e-6)
    point = genesis.zeros(1, 7, 7)
    point[0, 3, 3] = 1.0
    bell = np.exp(-0.5 * (np.arange(-1, 2) / 0.8) ** 2)
    bell /= bell.sum()
    # rounding of float32
    np.testing.assert_allclose(
        F.gaussian_blur(point, 3, 0.8).numpy()[0, 2:5, 2:5], np.outer(bell, bell), rtol=1e-6
    )


def test_seeds_repeat_every_random_transform() -> None:
    image = transforms.ToTensor()(RGB)
    change = transforms.Compose(
        [
            transforms.RandomAffine(20, (0.1, 0.1), (0.8, 1.2), 5),
            transforms.RandomPerspective(p=1.0),
            transforms.RandomRotation(10),
            transforms.ColorJitter(0.3, 0.3, 0.3, 0.2),
            transforms.GaussianBlur(3),
            transforms.RandomChoice([transforms.RandomInvert(), transforms.RandomAutocontrast()], p=[1, 2]),
            transforms.ElasticTransform(5.0, 0.5),
            transforms.RandomErasing(p=1.0),
        ]
    )
    results = []
    for seed in (1, 1, 2):
        genesis.manual_seed(seed)
        results.append(change(image).numpy())
    np.testing.assert_array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])
    assert image.numpy().shape == results[0].shape


def test_single_numbers_are_those_of_tensors() -> None:
    from genesis.data.transforms._drawing import below, uniform

    for seed in (0, 5, 2**63 - 1):
        genesis.manual_seed(seed)
        drawn = [uniform() for _ in range(5)] + [below(1000) for _ in range(5)]
        genesis.manual_seed(seed)
        expected = [genesis.rand(1).item() for _ in range(5)]
        assert drawn == expected + [genesis.randint(1000, (1,)).item() for _ in range(5)]


def test_crops_of_five_and_ten() -> None:
    five = transforms.FiveCrop(3)(GREY)
    places = [(0, 0), (0, 5), (3, 0), (3, 5)]
    for part, (i, j) in zip(five, places, strict=False):
        np.testing.assert_array_equal(part, GREY[i : i + 3, j : j + 3])
    ten = transforms.TenCrop(3)(GREY)
    np.testing.assert_array_equal(ten[5], GREY[:3, 5:][:, ::-1])
    with pytest.raises(ValueError, match="bigger than input size"):
        transforms.FiveCrop(7)(GREY)


def test_a_batch_is_mixed_with_itself() -> None:
    from genesis.data.transforms import v2

    x, y = genesis.arange(3.0).reshape(3, 1, 1, 1).expand(3, 1, 4, 4), genesis.arange(3)
    for name in ("MixUp", "CutMix"):
        images, labels = getattr(v2, name)(num_classes=3)(x, y)
        share = labels[0, 0].item()
        assert labels[0].tolist() == [share, 0.0, pytest.approx(1 - share)]
        # image 1 is mixed with image 0: float32 sums of 16 values
        assert images[1].mean().item() == pytest.approx(labels[1, 1].item(), abs=1e-6)
    image, label = v2.Compose([v2.CenterCrop(4), v2.ToDtype(genesis.float32)])(genesis.ones(1, 6, 6), 3)
    assert (tuple(image.shape), label) == ((1, 4, 4), 3)


def test_layers_of_a_sequence() -> None:
    both = genesis.nn.Sequential(transforms.CenterCrop(4), transforms.Normalize([0.5], [0.5]))
    assert both(genesis.ones(1, 6, 6)).shape == (1, 4, 4)


def test_a_composition_prints_what_it_does() -> None:
    both = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.25,))])
    assert str(both).splitlines()[2] == "    Normalize(mean=(0.5,), std=(0.25,))"


def idx(array: np.ndarray) -> bytes:
    return (
        bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()
    )


def test_mnist_is_read_from_torchvisions_folders(tmp_path: Path) -> None:
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    images, labels = RNG.integers(0, 256, (5, 28, 28), dtype=np.uint8), np.arange(5, dtype=np.uint8)
    (raw / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
    (raw / "train-labels-idx1-ubyte").write_bytes(idx(labels))
    data = datasets.FashionMNIST(tmp_path, transform=transforms.ToTensor(), target_transform=lambda y: y + 1)
    batch, targets = next(iter(DataLoader(data, batch_size=5)))
    np.testing.assert_allclose(batch.numpy()[:, 0], images / np.float32(255))
    assert targets.tolist() == [1, 2, 3, 4, 5]
    assert data.classes[0] == "T-shirt/top"
    with pytest.raises(genesis.DataError, match=r"t10k-images-idx3-ubyte .* nothing is downloaded"):
        datasets.FashionMNIST(tmp_path, train=False, download=True)


def test_what_is_missing_and_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"cifar-10-batches-py .* download=True does not .* get it from http"
    ):
        datasets.CIFAR10(tmp_path, download=True)
    with pytest.raises(
        genesis.DataError, match=r"t10k-images.* is not in .*MNIST/raw.*; nothing is downloaded: get"
    ):
        datasets.MNIST(tmp_path, train=False)


def cifar(folder: Path, protocol: int, fine: bool = False) -> np.ndarray:
    """Files in the Python version of CIFAR; the images of the training part."""
    folder.mkdir()
    parts = ["train", "test"] if fine else [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    images = RNG.integers(0, 256, (len(parts), 2, 3072), dtype=np.uint8)
    for i, (part, data) in enumerate(zip(parts, images, strict=True)):
        labels = {"fine_labels": [i, 99], "coarse_labels": [0, 1]} if fine else {"labels": [i, 9]}
        (folder / part).write_bytes(pickle.dumps({"data": data, **labels}, protocol=protocol))
    names = {"fine_label_names" if fine else "label_names": [f"name{i}" for i in range(100 if fine else 10)]}
    (folder / ("meta" if fine else "batches.meta")).write_bytes(pickle.dumps(names, protocol=protocol))
    return images[:-1].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)


@pytest.mark.parametrize("protocol", range(6))
def test_cifar_of_pickles(tmp_path: Path, protocol: int) -> None:
    images = cifar(tmp_path / "cifar-10-batches-py", protocol)
    data = datasets.CIFAR10(tmp_path, transform=np.asarray)
    np.testing.assert_array_equal(data.data, images)
    np.testing.assert_array_equal(data[3][0], images[3])
    assert data.targets == [0, 9, 1, 9, 2, 9, 3, 9, 4, 9]
    assert data.class_to_idx["name7"] == 7
    assert len(datasets.CIFAR10(tmp_path / "cifar-10-batches-py", train=False)) == 2
    assert str(data).startswith(
        f"Dataset CIFAR10\n    Number of datapoints: 10\n    Root location: {tmp_path}\n"
    )


def test_cifar_as_python_2_wrote_it(tmp_path: Path) -> None:
    """The operations that the published files are made of."""
    cifar(tmp_path / "cifar-100-python", 2, fine=True)
    pixels = RNG.integers(0, 256, 3072, dtype=np.uint8)
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K\x01M\x00\x0c\x86"
        b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        b"\x89T\x00\x0c\x00\x00" + pixels.tobytes() + b"tb"
    )
    content = b"\x80\x02}(U\x04data" + array + b"U\x0bfine_labels]K\x07au."
    (tmp_path / "cifar-100-python" / "test").write_bytes(content)
    data = datasets.CIFAR100(tmp_path, train=False, transform=np.asarray)
    image, label = data[0]
    np.testing.assert_array_equal(image, pixels.reshape(3, 32, 32).transpose(1, 2, 0))
    assert (label, len(data.classes)) == (7, 100)


class Evil:
    def __reduce__(self) -> Any:
        return print, ("this runs",)


def test_a_pickle_runs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "cifar-10-batches-py"
    cifar(folder, 4)
    for bad, message in (
        (pickle.dumps({"data": Evil()}), r"builtins\.print, which can run any code"),
        (pickle.dumps({"data": np.array([{}], object)}), "only numbers are read"),
        (b"cos\nsystem\n(S'true'\ntR.", r"os\.system"),
        (b"\x80\x02X", "is damaged"),
        (pickle.dumps([1]), "expected a dict"),
        (pickle.dumps({"data": np.zeros((2, 3), np.uint8), "labels": [1, 2]}), r"no 'data' of bytes"),
        (pickle.dumps({"data": np.zeros((2, 3072), np.uint8), "labels": [1]}), "label for each"),
        (pickle.dumps({"data": np.zeros((1, 3072), np.uint8), "labels": [10]}), "not from 0 to 9"),
    ):
        (folder / "data_batch_2").write_bytes(bad)
        with pytest.raises(genesis.DataError, match=message):
            datasets.CIFAR10(tmp_path)
    assert capsys.readouterr().out == ""
    (folder / "data_batch_2").unlink()
    with pytest.raises(genesis.DataError, match="does not have data_batch_2"):
        datasets.CIFAR10(tmp_path)


def test_cifar_of_records_and_in_an_archive(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-100-binary"
    folder.mkdir()
    records = RNG.integers(0, 100, (4, 3074), dtype=np.uint8)
    (folder / "train.bin").write_bytes(records.tobytes())
    (folder / "fine_label_names.txt").write_text("\n".join(f"name{i}" for i in range(100)) + "\n")
    data = datasets.CIFAR100(tmp_path)
    np.testing.assert_array_equal(data.data, records[:, 2:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
    assert data.targets == records[:, 1].tolist()
    (tmp_path / "packed").mkdir()
    with tarfile.open(tmp_path / "packed" / "cifar-100-binary.tar.gz", "w:gz") as tar:
        tar.add(folder, folder.name)
    np.testing.assert_array_equal(datasets.CIFAR100(tmp_path / "packed").data, data.data)
    (folder / "train.bin").write_bytes(records.tobytes()[:-1])
    with pytest.raises(genesis.DataError, match="no multiple of 3074"):
        datasets.CIFAR100(tmp_path)


def test_a_folder_for_each_class(tmp_path: Path) -> None:
    for name in ("cat", "ant"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").write_bytes(b"")
    found = datasets.ImageFolder(tmp_path, loader=lambda path: Path(path).parent.name)
    assert [found[i] for i in range(2)] == [("ant", 0), ("cat", 1)]
    (tmp_path / "bee").mkdir()
    with pytest.raises(genesis.DataError, match=r"'bee' .* has no images"):
        datasets.ImageFolder(tmp_path)
