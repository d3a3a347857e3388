"""Text as a data set of characters."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

import genesis
from genesis.data._dataset import Columns, Dataset
from genesis.data._files import packaged


def load_shakespeare() -> str:
    """Seven tragedies of Shakespeare, about a million characters of ASCII, packaged with Genesis.

    Example:
        >>> len(load_shakespeare())
        1006028

    Reference:
        Project Gutenberg's texts, public domain; ``genesis/data/files/README.md`` has the details.
    """
    return gzip.decompress(packaged("shakespeare.txt.gz")).decode("ascii")


class CharDataset(Dataset[tuple[genesis.Tensor, genesis.Tensor]]):
    """Windows of a text, to predict each next character.

    Sample i is ``(x, y)``, both int64 of shape (block_size,): ``x`` begins at character ``i * stride``, and
    ``y`` is the same window one character later.

    Args:
        text: at least ``block_size + 1`` characters. block_size: characters in a window. vocabulary: the
        characters that have a number, in order; by default those of the text, sorted. Give the one
            of the training text to the data set of the test text.
        stride: from the begin of one window to that of the next. 1 gives every window, ``block_size`` those
        that do
            not overlap.

    Raises:
        ValueError: the text is too short, or has a character that the vocabulary lacks.

    Example:
        >>> data = CharDataset("to be or not to be", block_size=4)
        >>> x, y = data[0]
        >>> data.decode(x), data.decode(y)
        ('to b', 'o be')
    """

    def __init__(self, text: str, block_size: int, vocabulary: str | None = None, stride: int = 1) -> None:
        for name, value in (("block_size", block_size), ("stride", stride)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} should be a positive integer, got {value!r}")
        if len(text) <= block_size:
            raise ValueError(
                f"windows of {block_size} characters need a longer text than {len(text)} characters"
            )
        self.block_size = block_size
        self.stride = stride
        self.vocabulary = "".join(sorted(set(text))) if vocabulary is None else vocabulary
        points = _code_points(self.vocabulary)
        if len(set(self.vocabulary)) != len(self.vocabulary):
            raise ValueError("vocabulary has a character twice")
        self._numbers = np.argsort(points)
        self._points = points[self._numbers]
        self._data = self._encode(text)

    @property
    def vocab_size(self) -> int:
        """The number of different characters."""
        return len(self.vocabulary)

    def __len__(self) -> int:
        return (len(self._data) - self.block_size - 1) // self.stride + 1

    def __getitem__(self, index: int) -> tuple[genesis.Tensor, genesis.Tensor]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} is out of range for {len(self)} windows")
        x, y = self.__getitems__([index % len(self)]).tensors
        return x[0], y[0]

    def __getitems__(self, indices: Sequence[int]) -> Columns:
        starts = np.asarray(indices, np.int64) * self.stride
        windows = self._data[starts[:, None] + np.arange(self.block_size + 1)]
        return Columns(
            genesis.from_numpy(np.ascontiguousarray(windows[:, :-1])),
            genesis.from_numpy(np.ascontiguousarray(windows[:, 1:])),
        )

    def encode(self, text: str) -> genesis.Tensor:
        """The numbers of the characters, int64 of shape (len(text),).

        Raises:
            ValueError: a character is not in the vocabulary.
        """
        return genesis.from_numpy(self._encode(text))

    def decode(self, numbers: genesis.Tensor | Iterable[int]) -> str:
        """The text of these numbers, given as a one-dimensional tensor or as integers."""
        values = numbers.tolist() if isinstance(numbers, genesis.Tensor) else numbers
        return "".join(self.vocabulary[number] for number in values)

    def _encode(self, text: str) -> NDArray[np.int64]:
        points = _code_points(text)
        places = np.minimum(np.searchsorted(self._points, points), len(self._points) - 1)
        unknown = np.flatnonzero(self._points[places] != points)
        if len(unknown):
            where = int(unknown[0])
            raise ValueError(f"character {text[where]!r} at position {where} is not in the vocabulary")
        return self._numbers[places].astype(np.int64)


def _code_points(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint32)
