"""The packaged data sets, the full Fashion-MNIST from IDX files, and text."""

from __future__ import annotations

import gzip
import hashlib
import re
import socket
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

import genesis
from genesis.data import CharDataset, DataLoader, load_digits, load_fashion_mnist, load_shakespeare

FILES = Path(str(files("genesis.data"))) / "files"


@pytest.fixture(autouse=True)
def _no_data_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No network, and no Fashion-MNIST that happens to be installed here."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a data set opened a connection")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr("genesis.data._datasets._SYSTEM_FOLDER", tmp_path / "nothing")
    monkeypatch.delenv("GENESIS_DATA", raising=False)


def test_the_packaged_files_are_those_that_their_readme_describes() -> None:
    listed = dict(
        reversed(line.split())
        for line in re.findall(r"^[0-9a-f]{64}  .*$", (FILES / "README.md").read_text(), re.M)
    )
    assert sorted(listed) == ["digits.csv.gz", "fashion_mnist_subset.npz", "shakespeare.txt.gz"]
    for name, digest in listed.items():
        assert hashlib.sha256((FILES / name).read_bytes()).hexdigest() == digest, name
    for licence in re.findall(r"`(LICENSE-[\w-]+\.txt)`", (FILES / "README.md").read_text()):
        assert (FILES / licence).stat().st_size > 500, licence


def test_digits() -> None:
    train, test = load_digits(), load_digits(train=False)
    assert (len(train), len(test)) == (1437, 360)
    assert train.images.shape == (1437, 8, 8)
    assert (train.images.dtype, train.labels.dtype) == (genesis.float32, genesis.int64)
    assert (train.images.numpy().min(), train.images.numpy().max()) == (0.0, 1.0)
    assert np.bincount(test.labels.numpy()).min() >= 33
    image, label = train[0]
    assert label.item() == 0
    assert image.numpy()[0].tolist() == (np.float32([0, 0, 5, 13, 9, 1, 0, 0]) / 16).tolist()


def test_the_packaged_fashion_mnist_has_equal_classes_and_the_right_statistics() -> None:
    for train, n in ((True, 5000), (False, 1000)):
        data = load_fashion_mnist(train)
        assert data.images.shape == (n, 28, 28)
        assert (data.images.dtype, data.labels.dtype) == (genesis.float32, genesis.int64)
        assert np.bincount(data.labels.numpy()).tolist() == [n // 10] * 10
        images = data.images.numpy()
        assert (images.min(), images.max()) == (0.0, 1.0)
        # The whole training set has mean 0.2860 and deviation 0.3530; a sample of 1000 images is within
        # 0.01 of both.
        assert abs(images.mean() - 0.2860) < 0.01
        assert abs(images.std() - 0.3530) < 0.01
        assert data.source == "packaged fashion_mnist_subset.npz"
        assert data.classes[9] == "Ankle boot"


def test_a_loader_takes_a_data_set_as_it_is() -> None:
    x, y = next(iter(DataLoader(load_digits(), batch_size=64, shuffle=True)))
    assert (x.shape, y.shape) == ((64, 8, 8), (64,))


# IDX files


def idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return header + array.astype(np.uint8).tobytes()


CUT_SHORT = gzip.compress(idx(np.zeros(3)), mtime=0)[:-9] + bytes(9)  # mtime: the same bytes in each process


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small data set in the files of the full one: test plain, training gzip."""
    rng = np.random.default_rng(0)
    where = tmp_path / "data" / "fashion-mnist"
    where.mkdir(parents=True)
    for prefix, n in (("train", 7), ("t10k", 3)):
        for name, array in (
            (f"{prefix}-images-idx3-ubyte", rng.integers(0, 256, (n, 28, 28))),
            (f"{prefix}-labels-idx1-ubyte", rng.integers(0, 10, n)),
        ):
            if prefix == "t10k":
                (where / name).write_bytes(idx(array))
            else:
                (where / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
    return where


def test_the_full_data_is_read_from_a_folder_plain_or_gzip(folder: Path) -> None:
    train, test = load_fashion_mnist(folder=folder), load_fashion_mnist(False, str(folder))
    assert (len(train), len(test)) == (7, 3)
    plain = (folder / "t10k-images-idx3-ubyte").read_bytes()[16:]
    np.testing.assert_array_equal(
        test.images.numpy() * 255, np.frombuffer(plain, np.uint8).reshape(3, 28, 28)
    )
    assert test.labels.tolist() == list((folder / "t10k-labels-idx1-ubyte").read_bytes()[8:])
    assert train.source == str(folder)


def test_the_full_data_is_found_and_the_subset_can_be_asked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    assert len(load_fashion_mnist()) == 5000
    with pytest.raises(
        genesis.DataError, match=r"the full Fashion-MNIST is not in .*nothing'; name its folder"
    ):
        load_fashion_mnist(full=True)
    monkeypatch.setenv("GENESIS_DATA", str(folder.parent))
    assert len(load_fashion_mnist()) == len(load_fashion_mnist(full=True)) == 7
    assert len(load_fashion_mnist(full=False)) == 5000
    monkeypatch.delenv("GENESIS_DATA")
    monkeypatch.setattr("genesis.data._datasets._SYSTEM_FOLDER", folder)
    assert load_fashion_mnist(train=False).source == str(folder)
    assert f"Fashion-MNIST: 3 images from {folder}" in caplog.messages
    assert "Fashion-MNIST: 5000 images from packaged fashion_mnist_subset.npz" in caplog.messages


def test_missing_files_are_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(
        genesis.DataError, match="does not have train-images-idx3-ubyte and train-labels-idx1-ubyte"
    ):
        load_fashion_mnist(folder=tmp_path)
    (folder / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(genesis.DataError, match=r"does not have t10k-labels-idx1-ubyte \(plain or \.gz\)"):
        load_fashion_mnist(train=False, folder=folder)


@pytest.mark.parametrize("compressed", [False, True])
def test_truncation_at_many_places_is_noticed(folder: Path, compressed: bool) -> None:
    prefix, suffix = ("train", ".gz") if compressed else ("t10k", "")
    for name in (f"{prefix}-images-idx3-ubyte{suffix}", f"{prefix}-labels-idx1-ubyte{suffix}"):
        path = folder / name
        whole = path.read_bytes()
        for size in {*range(min(len(whole), 24)), len(whole) // 2, len(whole) - 9, len(whole) - 1}:
            path.write_bytes(whole[:size])
            with pytest.raises(genesis.DataError, match=rf"{name}' is (truncated|a truncated|not an IDX)"):
                load_fashion_mnist(train=compressed, folder=folder)
        path.write_bytes(whole)
    assert len(load_fashion_mnist(train=compressed, folder=folder)) in (3, 7)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("images-idx3", b"<html>404 not found</html>", r"is not an IDX file .* begins with 3c 68 74 6d"),
        ("images-idx3", idx(np.zeros((3, 32, 32))), r"shape \(3, 32, 32\), expected \(any, 28, 28\)"),
        ("images-idx3", idx(np.zeros(3)), "not an IDX file of bytes with 3 dimensions"),
        ("images-idx3", idx(np.zeros((4, 28, 28))), "has 4 images but 3 labels"),
        ("labels-idx1", idx(np.zeros(3)) + b"more", "damaged: it has 15 bytes instead of 11"),
        ("labels-idx1", idx(np.array([1, 2, 10])), "has the label 10; labels go up to 9"),
        ("labels-idx1", CUT_SHORT, "truncated or damaged gzip file"),
    ],
)  # fmt: skip
def test_a_foreign_or_damaged_file_is_named_with_what_is_wrong(
    folder: Path, name: str, content: bytes, message: str
) -> None:
    (folder / f"t10k-{name}-ubyte").write_bytes(content)
    with pytest.raises(genesis.DataError, match=message):
        load_fashion_mnist(train=False, folder=folder)


def test_arguments_that_make_no_sense_are_refused(folder: Path) -> None:
    for load in (load_digits, load_fashion_mnist):
        with pytest.raises(TypeError, match=r"train should be True .* or False .*, got 'test'"):
            load("test")
    with pytest.raises(ValueError, match="full=False means the packaged subset"):
        load_fashion_mnist(folder=folder, full=False)


# text


def test_shakespeare_is_only_shakespeare() -> None:
    text = load_shakespeare()
    assert len(text) == 1_006_028
    assert text.isascii()
    for word in ("gutenberg", "copyright", "trademark", "http", "\r"):
        assert word not in text.lower(), word
    for line in ("To be, or not to be,--that is the question:--", "Romeo, Romeo! wherefore art thou Romeo?"):
        assert line in text


def test_windows_of_a_text() -> None:
    data = CharDataset("abcabcd", block_size=3)
    assert (data.vocabulary, data.vocab_size, len(data)) == ("abcd", 4, 4)
    x, y = data[3]
    assert (x.tolist(), y.tolist(), x.dtype) == ([0, 1, 2], [1, 2, 3], genesis.int64)
    assert data[-1][1].tolist() == [1, 2, 3]
    for index in (4, -5):
        with pytest.raises(IndexError):
            data[index]
    apart = CharDataset("abcabcd", block_size=3, stride=3)
    assert [data.decode(apart[i][0]) for i in range(len(apart))] == ["abc", "abc"]
    assert len(CharDataset("abcabc", block_size=3, stride=3)) == 1


def test_a_batch_of_windows_is_their_stack() -> None:
    data = CharDataset(load_shakespeare()[:500], block_size=16)
    x, y = next(iter(DataLoader(data, batch_size=8, shuffle=True)))
    assert (x.shape, y.shape) == ((8, 16), (8, 16))
    assert x[:, 1:].tolist() == y[:, :-1].tolist()
    (first, second) = DataLoader(data, batch_size=2, sampler=[7, 300, 5])
    assert first[0].tolist() == [data[7][0].tolist(), data[300][0].tolist()]
    assert second[1].tolist() == [data[5][1].tolist()]


def test_changing_a_sample_does_not_change_the_data() -> None:
    data = CharDataset("abcabcd", block_size=3)
    data[0][0].add_(1)
    assert data[0][0].tolist() == [0, 1, 2]


def test_encode_and_decode_are_inverse_for_any_characters() -> None:
    text = "naïve \U0001f600 text\n" * 2
    data = CharDataset(text, block_size=2)
    assert data.decode(data.encode(text)) == text
    assert data.decode([0, 1]) == data.vocabulary[:2]
    assert data.encode("").shape == (0,)


def test_a_test_text_is_numbered_by_the_vocabulary_of_the_training_text() -> None:
    train = CharDataset("hello world", block_size=2)
    test = CharDataset("hold", block_size=2, vocabulary=train.vocabulary)
    assert test.encode("low").tolist() == train.encode("low").tolist()
    with pytest.raises(ValueError, match="character 'z' at position 2 is not in the vocabulary"):
        CharDataset("ldz", block_size=2, vocabulary=train.vocabulary)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("abc", 3), "windows of 3 characters need a longer text than 3"),
        (("abc", 0), "block_size should be a positive integer, got 0"),
        (("abc", 2, None, 0), "stride should be a positive integer, got 0"),
        (("aba", 2, "aab"), "vocabulary has a character twice"),
    ],
)
def test_windows_that_make_no_sense_are_refused(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CharDataset(*arguments)  # type: ignore[arg-type]
