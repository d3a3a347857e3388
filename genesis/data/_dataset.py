"""Data sets that are indexed by number or gone through, their parts, and their concatenation."""

from __future__ import annotations

import itertools
import math
import warnings
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar, cast

import numpy as np

import genesis
from genesis._errors import FitError

T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """Base class of data sets: ``dataset[i]`` is the sample number ``i``, ``len(dataset)`` their number.

    A subclass may define ``__getitems__(indices)``, which returns the samples of a whole batch at once as a
    list, or as a `Columns` of tensors that are stacked already. `DataLoader` uses it where it exists.
    """

    def __getitem__(self, index: int) -> T_co:
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__")

    def __add__(self, other: Dataset[T_co]) -> ConcatDataset[T_co]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co], Iterable[T_co]):
    """Base class of data sets that are gone through: ``iter(dataset)`` gives the samples.

    With workers every worker has a copy and goes through all of it. To split the samples, ask
    `get_worker_info` in ``__iter__``, or set the copy up in ``worker_init_fn``.

    Example:
        >>> class Lines(IterableDataset):
        ...     def __iter__(self):
        ...         info = get_worker_info()
        ...         with open("text.txt") as file:
        ...             yield from file if info is None else islice(file, info.id, None, info.num_workers)
    """

    def __add__(self, other: Dataset[T_co]) -> ChainDataset[T_co]:  # type: ignore[override] # as PyTorch's
        return ChainDataset([self, other])


class ChainDataset(IterableDataset[T_co]):
    """Iterable data sets one after another.

    Args:
        datasets: of `IterableDataset`; a generator of them is gone through once.

    Raises:
        AssertionError: one of them is something else; raised when it is its turn.
    """

    def __init__(self, datasets: Iterable[Dataset[T_co]]) -> None:
        self.datasets = datasets

    def __iter__(self) -> Iterator[T_co]:
        for dataset in self.datasets:
            yield from self._iterable(dataset)

    def __len__(self) -> int:
        return sum(length(self._iterable(dataset)) for dataset in self.datasets)

    @staticmethod
    def _iterable(dataset: Dataset[T_co]) -> IterableDataset[T_co]:
        if not isinstance(dataset, IterableDataset):
            raise AssertionError(f"ChainDataset only supports IterableDataset, got {type(dataset).__name__}")
        return dataset


class StackDataset(Dataset[Any]):
    """Data sets side by side: a sample is a tuple of one sample of each, or a dict.

    Args:
        args: data sets of equal length, for tuples.
        kwargs: the same with names, for dicts.

    Raises:
        ValueError: both are given, or nothing, or the lengths differ.

    Example:
        >>> StackDataset(image=images, text=texts)[0]  # {"image": images[0], "text": texts[0]}
    """

    datasets: tuple[Any, ...] | dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if bool(args) == bool(kwargs):
            what = "Supported either by position or by name, not both" if args else ""
            raise ValueError(f"StackDataset: {what or 'At least one dataset should be passed'}")
        self.datasets = args or kwargs
        lengths = [length(dataset) for dataset in args or kwargs.values()]
        if len(set(lengths)) > 1:
            raise ValueError(f"Size mismatch between datasets: they must have equal lengths, got {lengths}")
        self._length = lengths[0]

    def __getitem__(self, index: int) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        named = isinstance(self.datasets, dict)
        columns = [
            fetch(dataset, indices)
            for dataset in (self.datasets.values() if isinstance(self.datasets, dict) else self.datasets)
        ]
        for column in columns:
            if len(column) != len(indices):
                raise ValueError(
                    "Nested dataset's output size mismatch. "
                    f"Expected {len(indices)}, got {len(column)}: a data set gives one sample for each index"
                )
        rows = zip(*columns, strict=True)
        return [dict(zip(self.datasets, row, strict=True)) for row in rows] if named else list(rows)

    def __len__(self) -> int:
        return self._length


class Columns(Sequence[tuple[Any, ...]]):
    """A batch of samples that is kept as one tensor for each field; as a sequence, it is the list of samples.

    `default_collate` takes the tensors as they are, so that nothing is cut into samples and stacked again.

    Args:
        tensors: one for each field; the first dimension counts the samples.
    """

    __slots__ = ("tensors",)

    def __init__(self, *tensors: genesis.Tensor) -> None:
        self.tensors = tensors

    def __len__(self) -> int:
        return int(self.tensors[0].shape[0])

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} is out of range for {len(self)} samples")
        return tuple(tensor[index] for tensor in self.tensors)


class TensorDataset(Dataset[tuple[Any, ...]]):
    """Samples that are the rows of one or more tensors.

    Args:
        tensors: of equal length in the first dimension.

    Raises:
        ShapeError: the lengths differ.

    Example:
        >>> data = TensorDataset(genesis.randn(100, 3), genesis.arange(100))
        >>> x, y = data[7]
    """

    tensors: tuple[genesis.Tensor, ...]

    def __init__(self, *tensors: genesis.Tensor) -> None:
        if not tensors:
            raise FitError("TensorDataset needs at least one tensor")
        for tensor in tensors:
            if not isinstance(tensor, genesis.Tensor):
                raise TypeError(
                    f"TensorDataset takes tensors, got {type(tensor).__name__}; see genesis.from_numpy"
                )
        shapes = [tuple(tensor.shape) for tensor in tensors]
        if any(not shape or shape[0] != shapes[0][0] for shape in shapes):
            raise FitError(
                "Size mismatch between tensors: those of one data set must have equal lengths, got shapes "
                f"{_join(shapes)}"
            )
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[genesis.Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __getitems__(self, indices: Sequence[int]) -> Columns:
        return Columns(*(_rows(tensor, indices) for tensor in self.tensors))

    def __len__(self) -> int:
        return int(self.tensors[0].shape[0])


class Subset(Dataset[T_co]):
    """Some samples of a data set.

    Args:
        dataset: the whole.
        indices: which samples, in which order.
    """

    def __init__(self, dataset: Dataset[T_co], indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices
        own = type(self)
        if own.__getitem__ is not Subset.__getitem__ and own.__getitems__ is Subset.__getitems__:
            raise NotImplementedError(
                f"{own.__name__} overrides __getitem__ but not __getitems__, which a DataLoader calls; add\n"
                "def __getitems__(self, indices):\n    return [self[index] for index in indices]"
            )

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]  # type: ignore[index] # the data set decides
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: Sequence[int]) -> Any:
        return fetch(self.dataset, [self.indices[i] for i in indices])

    def __len__(self) -> int:
        return len(self.indices)


class ConcatDataset(Dataset[T_co]):
    """Several data sets one after another.

    Args:
        datasets: at least one; each has a length.

    Raises:
        ValueError: there is none.
    """

    datasets: list[Dataset[T_co]]
    cumulative_sizes: list[int]

    def __init__(self, datasets: Iterable[Dataset[T_co]]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise FitError(
                "datasets should not be an empty iterable: ConcatDataset needs at least one data set"
            )
        for dataset in self.datasets:
            if isinstance(dataset, IterableDataset):
                raise AssertionError("ConcatDataset does not support IterableDataset; see ChainDataset")
        self.cumulative_sizes = list(itertools.accumulate(length(dataset) for dataset in self.datasets))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> T_co:
        n = len(self)
        if not -n <= index < n:
            raise FitError(f"index {index} is out of range for {n} samples")
        index %= n
        which = bisect_right(self.cumulative_sizes, index)
        return self.datasets[which][index - (self.cumulative_sizes[which - 1] if which else 0)]

    @property
    def cummulative_sizes(self) -> list[int]:
        """The old spelling of ``cumulative_sizes``."""
        warnings.warn("cummulative_sizes is spelled cumulative_sizes", FutureWarning, stacklevel=2)
        return self.cumulative_sizes


def random_split(
    dataset: Dataset[T_co], lengths: Sequence[int | float], generator: genesis.Generator | None = None
) -> list[Subset[T_co]]:
    """Divide a data set at random into parts that do not overlap.

    Args:
        dataset: the whole.
        lengths: the sizes of the parts, which add up to that of the whole; or fractions that add up to 1. A
            fraction f of n samples is floor(f * n), and what is left over goes to the parts in turn, one
            each.
        generator: source of randomness; by default the global one.

    Raises:
        ValueError: sizes or fractions do not add up, or a fraction is not between 0 and 1.

    Example:
        >>> train, validation = random_split(data, [0.9, 0.1], generator=genesis.Generator().manual_seed(1))
    """
    n, total = length(dataset), sum(lengths)
    if math.isclose(total, 1) and total <= 1:
        for index, fraction in enumerate(lengths):
            if not 0 <= fraction <= 1:
                raise ValueError(f"fraction {index} is {fraction!r}, but fractions are between 0 and 1")
        sizes = [math.floor(n * fraction) for fraction in lengths]
        for index in range(n - sum(sizes)):
            sizes[index % len(sizes)] += 1
        for index, size in enumerate(sizes):
            if size == 0:
                warnings.warn(f"part {index} of random_split is empty: {lengths[index]} of {n}", stacklevel=2)
    else:
        if total != n:
            raise ValueError(
                "Sum of input lengths does not equal the length of the input dataset! "
                f"The lengths {list(lengths)} add up to {total}, but the data set has {n} samples"
            )
        sizes = [int(size) for size in lengths]
        if sizes != list(lengths) or min(sizes, default=0) < 0:
            raise ValueError(f"lengths are whole numbers that are not negative, got {list(lengths)}")
    indices = genesis.randperm(n, generator=generator).tolist()
    ends = itertools.accumulate(sizes)
    return [Subset(dataset, indices[end - size : end]) for end, size in zip(ends, sizes, strict=True)]


def fetch(dataset: Any, indices: Sequence[int]) -> Any:
    """The samples with these numbers, all at once where the data set can."""
    at_once = getattr(dataset, "__getitems__", None)
    return [dataset[index] for index in indices] if at_once is None else at_once(indices)


def length(dataset: object) -> int:
    """``len(dataset)``, with an error that says what is missing."""
    if not hasattr(dataset, "__len__"):
        raise TypeError(f"{type(dataset).__name__} has no length; define __len__ in your data set")
    return len(cast(Any, dataset))


def _rows(tensor: genesis.Tensor, indices: Sequence[int]) -> genesis.Tensor:
    """``tensor[indices]``. NumPy does it for host memory: without threads, and without Numba in a worker."""
    if tensor.device.type != "cpu" or tensor.requires_grad or type(tensor) is not genesis.Tensor:
        return tensor[genesis.tensor(indices, dtype=genesis.int64)]
    return genesis.from_numpy(np.take(tensor._host(), np.asarray(indices, np.int64), axis=0))


def _join(shapes: Iterable[tuple[int, ...]]) -> str:
    return ", ".join(str(shape) for shape in shapes)
