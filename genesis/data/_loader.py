"""Batches from a data set, in an order that can be saved and restored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Generic, TypeVar

import genesis
from genesis.data._collate import default_collate, default_convert
from genesis.data._dataset import fetch, length
from genesis.data._sampler import (
    BatchSampler,
    RandomSampler,
    SequentialSampler,
    load_sampler_state,
    sampler_state,
)

T_co = TypeVar("T_co", covariant=True)

_FIXED = ("batch_size", "batch_sampler", "dataset", "drop_last", "sampler")


class DataLoader(Generic[T_co]):
    """Go through a data set in batches.

    A data set with ``__getitems__`` is asked for a whole batch at once. `TensorDataset` has it: with the
    default collation a batch is one gather from each tensor.

    The order can be restored exactly: `state_dict` in the middle of a pass holds the seed of the pass and
    the number of batches given out, and a new loader with this state goes on with the next batch.

    Args:
        dataset: has ``dataset[i]`` and ``len(dataset)``. batch_size: samples in a batch; None gives single
        samples that are not collated. shuffle: a new random order each pass. Drawn from ``generator``, or
        from the global random state, so that
            `genesis.manual_seed` fixes it.
        sampler: gives the indices, instead of ``shuffle``. batch_sampler: gives lists of indices, instead
        of ``batch_size``, ``shuffle``, ``sampler`` and ``drop_last``. num_workers: only 0: samples are
        loaded in this process. collate_fn: makes a batch of a list of samples; by default
        `default_collate`. pin_memory: accepted for compatibility; has no effect yet. drop_last: leave out
        the last batch if it is not full. timeout, worker_init_fn, multiprocessing_context, prefetch_factor,
        persistent_workers, in_order: for worker
            processes; only the defaults, or values without effect, are accepted.
        generator: source of randomness of ``shuffle``.

    Raises:
        ValueError: options that exclude each other, or a batch size below 1.
        NotImplementedError: ``num_workers`` above 0.

    Example:
        >>> loader = DataLoader(dataset, batch_size=64, shuffle=True)
        >>> for x, y in loader:
        ...     loss = criterion(model(x), y)
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[list[int]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: genesis.Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_workers(num_workers, timeout, multiprocessing_context, prefetch_factor, persistent_workers)
        if not hasattr(dataset, "__getitem__"):
            raise TypeError(
                f"a data set needs __getitem__ and __len__, {type(dataset).__name__} has no __getitem__"
            )
        if sampler is not None and shuffle:
            raise ValueError("sampler and shuffle exclude each other: a sampler sets the order")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError("batch_sampler excludes batch_size, shuffle, sampler and drop_last")
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError("drop_last needs batches, but batch_size is None")
        if sampler is None:
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        self._batched = batch_size is not None or batch_sampler is not None
        if batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.dataset = dataset
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.generator = generator
        self.num_workers = num_workers
        self.pin_memory = pin_memory
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.collate_fn = collate_fn or (default_collate if self._batched else default_convert)
        self._pass: _Pass | None = None  # the newest
        self._served: int | None = None  # batches given out in this pass; None between passes
        self._skip: int | None = None  # where the next pass begins, after load_state_dict

    def __setattr__(self, name: str, value: object) -> None:
        if name in _FIXED and name in self.__dict__:
            raise ValueError(f"{name} of a DataLoader cannot be changed; make a new DataLoader")
        super().__setattr__(name, value)

    @property
    def _order(self) -> Iterable[Any]:
        return self.batch_sampler if self.batch_sampler is not None else self.sampler

    def __iter__(self) -> Iterator[Any]:
        skip, self._skip = self._skip or 0, None
        return _Pass(self, skip)

    def __len__(self) -> int:
        """The number of batches in a whole pass."""
        return length(self._order)

    def state_dict(self) -> dict[str, Any]:
        """Where the newest pass stands.

        Call it in the body of the loop, when the batch has been trained on, or between passes. The global
        random state is not in it (`genesis.get_rng_state` has that); a generator given to this loader is.

        Returns:
            A dict that `genesis.save_checkpoint` takes as it is: ``batches_served`` (None between passes),
            ``length`` (batches in a whole pass, to notice other data) and ``sampler`` (the seed of the pass
            and the generator's state).
        """
        served = self._served if self._skip is None else self._skip
        return {
            "batches_served": served,
            "length": self._length(),
            "sampler": sampler_state(self._order, served is not None),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Make the next pass go on where `state_dict` was called.

        The order is the same, and the batches given out are left out. The loader must be made with the same
        data and options. The passes after that one are those that would have followed. A sampler of your
        own is asked for its order again and the first batches are left out, without loading them; see
        `Sampler` for samplers with a state.

        Raises:
            ValueError: the state is not from a loader with these options.
        """
        if set(state) != {"batches_served", "length", "sampler"}:
            raise ValueError(f"not the state of a DataLoader: it has the keys {sorted(state)}")
        if state["length"] != self._length():
            raise ValueError(
                f"the state is from a loader of {state['length']} batches a pass, this one has "
                f"{self._length()}; make it with the same data and batch size"
            )
        load_sampler_state(self._order, state["sampler"])
        self._pass, self._served, self._skip = None, None, state["batches_served"]

    def _length(self) -> int | None:
        try:
            return len(self)
        except TypeError:  # a sampler of one's own need not have a length
            return None


class _Pass:
    """One pass through the data; its own class rather than a generator, so that it begins when it is made."""

    def __init__(self, loader: DataLoader[Any], skip: int) -> None:
        self._loader = loader
        self._position = loader._served = skip
        loader._pass = self
        self._indices = islice(iter(loader._order), skip, None)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        loader = self._loader
        try:
            indices = next(self._indices)
        except StopIteration:
            self._tell(None)
            raise
        self._position += 1
        self._tell(self._position)
        return loader.collate_fn(
            fetch(loader.dataset, indices) if loader._batched else loader.dataset[indices]
        )

    def _tell(self, served: int | None) -> None:
        if self._loader._pass is self:  # a newer pass has taken over otherwise
            self._loader._served = served


def _check_workers(
    num_workers: int, timeout: float, context: object, prefetch_factor: int | None, persistent: bool
) -> None:
    if not isinstance(num_workers, int) or num_workers < 0:
        raise ValueError(f"num_workers should be 0 or a positive integer, got {num_workers!r}")
    if num_workers > 0:
        raise NotImplementedError(
            f"num_workers={num_workers}: worker processes are not supported yet; use num_workers=0"
        )
    if timeout < 0:
        raise ValueError(f"timeout should not be negative, got {timeout!r}")
    if context is not None or prefetch_factor is not None or persistent:
        raise ValueError(
            "multiprocessing_context, prefetch_factor and persistent_workers need num_workers > 0"
        )
