"""Batches from a data set, in an order that can be saved and restored."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.context import BaseContext
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import genesis
from genesis._errors import FitError
from genesis._random import default_generator
from genesis._states import loads_state
from genesis.data._collate import default_collate, default_convert
from genesis.data._dataset import IterableDataset, length
from genesis.data._passes import Pass, SerialPass, WorkerPass
from genesis.data._sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    load_sampler_state,
    sampler_state,
)
from genesis.data._worker import Job

if TYPE_CHECKING:
    from genesis.data._team import Team

T_co = TypeVar("T_co", covariant=True)

_FIXED = ("batch_size", "batch_sampler", "dataset", "drop_last", "persistent_workers", "sampler")
_STATE = {"batches_served", "length", "sampler"}


class _Forever(Sampler[None]):
    """The sampler of an iterable data set, which knows itself what comes next."""

    def __iter__(self) -> Iterator[None]:
        while True:
            yield None


class DataLoader(Generic[T_co]):
    """Go through a data set in batches.

    A data set with ``__getitems__`` is asked for a whole batch at once. `TensorDataset` has it: with the
    default collation a batch is one gather from each tensor.

    The order can be restored exactly: `state_dict` in the middle of a pass holds the seed of the pass and
    the number of batches given out, and a new loader with this state goes on with the next batch.

    With ``num_workers`` the batches are loaded in advance by that many processes, in the same order. They
    get a pickled copy of the data set, so its class has to be one that they can import. They are started
    anew for each pass, unless ``persistent_workers``.

    Args:
        dataset: has ``dataset[i]`` and ``len(dataset)``, or is an `IterableDataset`.
        batch_size: samples in a batch; None gives single samples that are not collated.
        shuffle: a new random order each pass. Drawn from ``generator``, or from the global random state, so
            that `genesis.manual_seed` fixes it.
        sampler: gives the indices, instead of ``shuffle``.
        batch_sampler: gives lists of indices, instead of ``batch_size``, ``shuffle``, ``sampler`` and
            ``drop_last``.
        num_workers: processes that load samples; with 0 this process does.
        collate_fn: makes a batch of a list of samples; by default `default_collate`.
        pin_memory: give batches in memory of the host that the accelerator reads by itself: tensors however
            nested, and objects with a method ``pin_memory``. Without an accelerator it is a warning.
        drop_last: leave out the last batch if it is not full.
        timeout: seconds to wait for a batch from a worker; 0 for as long as it takes.
        worker_init_fn: called in each worker with its number, before it loads anything.
        multiprocessing_context: ``"forkserver"``, ``"spawn"`` or ``"fork"``, or a context of
            ``multiprocessing``. The default is ``"forkserver"`` where there is one. ``"fork"`` needs no
            pickling, but a forked worker that computes in parallel is killed.
        generator: source of randomness of ``shuffle`` and of the seeds of the workers.
        prefetch_factor: batches that are loaded in advance, for each worker; 2 by default.
        persistent_workers: keep the workers, and their copies of the data set, from pass to pass.
        pin_memory_device: accepted with a warning, as PyTorch does: the accelerator is meant.
        in_order: False gives batches out as they are ready.

    Raises:
        ValueError: options that exclude each other, or a batch size below 1.

    Example:
        >>> loader = DataLoader(dataset, batch_size=64, shuffle=True)
        >>> for x, y in loader:
        ...     loss = criterion(model(x), y)
    """

    _ready = False

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
        self._iterable = isinstance(dataset, IterableDataset)
        if self._iterable:
            if shuffle:
                raise ValueError(
                    "DataLoader with IterableDataset: expected unspecified shuffle option, but got "
                    f"shuffle={shuffle}; the data set itself sets the order"
                )
            for name, value in (("sampler", sampler), ("batch_sampler", batch_sampler)):
                if value is not None:
                    raise ValueError(
                        f"DataLoader with IterableDataset: expected unspecified {name} option, but got "
                        f"{name}={value}"
                    )
        elif not hasattr(dataset, "__getitem__"):
            raise TypeError(
                f"a data set needs __getitem__ and __len__, {type(dataset).__name__} has no __getitem__; "
                "one that is gone through derives from genesis.data.IterableDataset"
            )
        if sampler is not None and shuffle:
            raise ValueError(
                "sampler option is mutually exclusive with shuffle (sampler and shuffle exclude each other: "
                "a sampler sets the order)"
            )
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and "
                    "drop_last (batch_sampler excludes them: it sets the batches)"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError(
                "batch_size=None option disables auto-batching and is mutually exclusive with drop_last "
                "(drop_last needs batches, but batch_size is None)"
            )
        if sampler is None:
            if self._iterable:
                sampler = _Forever()  # type: ignore[assignment] # the indices mean nothing
            else:
                sampler = (
                    RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
                )
        assert sampler is not None
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
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.persistent_workers = persistent_workers
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.in_order = in_order
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.collate_fn = collate_fn or (default_collate if self._batched else default_convert)
        self._newest: Pass | None = None  # the pass that goes on
        self._resume: dict[str, Any] | None = None  # where the next pass begins, after load_state_dict
        self._team: Team | None = None  # persistent workers
        self._told_length: int | None = None  # what len() said of an iterable data set
        self._ready = True

    def __setattr__(self, name: str, value: object) -> None:
        if self._ready and name in _FIXED:
            raise ValueError(
                f"{name} attribute should not be set after DataLoader is initialized ({name} of a DataLoader "
                "cannot be changed; make a new DataLoader)"
            )
        super().__setattr__(name, value)

    @property
    def multiprocessing_context(self) -> BaseContext | None:
        """How workers are started; None for the default."""
        return self._context

    @multiprocessing_context.setter
    def multiprocessing_context(self, value: str | BaseContext | None) -> None:
        if value is not None and self.num_workers == 0:
            raise ValueError(
                "multiprocessing_context can only be used with multi-process loading (num_workers > 0), but "
                "got num_workers=0"
            )
        if isinstance(value, str):
            methods = multiprocessing.get_all_start_methods()
            if value not in methods:
                raise ValueError(
                    "multiprocessing_context option should specify a valid start method in "
                    f"{methods!r}, but got multiprocessing_context={value!r}"
                )
            value = multiprocessing.get_context(value)
        elif value is not None and not isinstance(value, BaseContext):
            raise TypeError(
                "multiprocessing_context option should be a valid context object or a string specifying the "
                f"start method, but got multiprocessing_context={value}"
            )
        self._context: BaseContext | None = value

    @property
    def _order(self) -> Iterable[Any]:
        return self.batch_sampler if self.batch_sampler is not None else self.sampler

    @property
    def _source_of_seeds(self) -> genesis.Generator:
        return self.generator or default_generator

    def _job(self, seed: int) -> Job:
        return Job(
            self.dataset, self._iterable, self._batched, self.collate_fn, self.drop_last, seed,
            self.worker_init_fn, self.num_workers,
        )  # fmt: skip

    def _start_team(self, seed: int) -> Team:
        from genesis.data._team import Team, default_context

        return Team(self._job(seed), self._context or default_context(), self.timeout)

    def __iter__(self) -> Iterator[Any]:
        if self.timeout and self.num_workers == 0:
            raise FitError(f"a timeout is for workers: num_workers is 0, timeout is {self.timeout}")
        resume, self._resume = self._resume or {}, None
        skip, ahead = resume.get("batches_served") or 0, resume.get("ahead", [])
        if self.num_workers == 0:
            return SerialPass(self, skip, ahead)
        running = WorkerPass(self, skip, ahead, self._team, resume.get("workers", {}))
        if self.persistent_workers:
            self._team = running.team
        return running

    def __len__(self) -> int:
        """The number of batches in a whole pass; of an iterable data set what its length suggests."""
        n = self._length()
        if n is None:
            return length(self.dataset if self._iterable else self._order)  # says what is missing
        if self._iterable:
            self._told_length = n
        return n

    def state_dict(self) -> dict[str, Any]:
        """Where the newest pass stands.

        Call it in the body of the loop, when the batch has been trained on, or between passes. Batches that
        workers have loaded in advance are not given out yet, and come again. The global random state is not
        in it (`genesis.get_rng_state` has that); a generator given to this loader is.

        Returns:
            A dict that `genesis.save_checkpoint` takes as it is: ``batches_served`` (None between passes),
            ``length`` (batches in a whole pass, to notice other data), ``sampler`` (the seed of the pass
            and the generator's state); with workers also ``workers`` (what their random numbers were
            started from), with ``in_order=False`` ``ahead`` (batches given out before their turn), and
            ``generator`` if one was given.
        """
        newest, resume = self._newest, self._resume
        state: dict[str, Any] = {"batches_served": None, "length": self._length(), "sampler": None}
        if resume is not None:
            state |= {key: resume[key] for key in ("batches_served", "ahead", "workers") if key in resume}
        elif newest is not None:
            state["batches_served"] = newest.served
            if newest.ahead:
                state["ahead"] = sorted(newest.ahead)
            if workers := newest.state():
                state["workers"] = workers
        state["sampler"] = sampler_state(self._order, state["batches_served"] is not None)
        if self.generator is not None:
            state["generator"] = self.generator.get_state()
        return state

    @loads_state
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Make the next pass go on where `state_dict` was called.

        The order is the same, and the batches given out are left out. The loader must be made with the same
        data and options; ``num_workers`` may be another, unless the data set is iterable. The passes after
        that one are those that would have followed. With as many workers, what they draw for a batch is the
        same, too, unless ``in_order=False``. A sampler of your own is asked for its order again and
        the first batches are left out, without loading them; see `Sampler` for samplers with a state.

        Raises:
            ValueError: the state is not from a loader with these options.
        """
        if not _STATE <= set(state) <= _STATE | {"ahead", "generator", "workers"}:
            raise ValueError(f"not the state of a DataLoader: it has the keys {sorted(state)}")
        if state["length"] != self._length():
            raise ValueError(
                f"the state is from a loader of {state['length']} batches a pass, this one has "
                f"{self._length()}; make it with the same data and batch size"
            )
        workers = state.get("workers", {}).get("num_workers", 0)
        if self._iterable and state["batches_served"] is not None and workers != self.num_workers:
            raise ValueError(
                f"the state is from a loader with num_workers={workers}, which the order of an iterable data "
                f"set depends on; this one has num_workers={self.num_workers}"
            )
        load_sampler_state(self._order, state["sampler"])
        if "generator" in state and self.generator is not None:
            self.generator.set_state(state["generator"])
        self._newest = None
        self._resume = None if state["batches_served"] is None else dict(state)

    def _length(self) -> int | None:
        try:
            if not self._iterable:
                return length(self._order)
            n = len(self.dataset)
        except TypeError:  # a sampler of one's own need not have a length, nor a data set that is iterable
            return None
        if self.batch_size is None:
            return n
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)


def _check_workers(
    num_workers: int, timeout: float, context: object, prefetch_factor: int | None, persistent: bool
) -> None:
    if not isinstance(num_workers, int) or num_workers < 0:
        raise ValueError(
            "num_workers option should be non-negative; use num_workers=0 to disable multiprocessing "
            f"(num_workers should be 0 or a positive integer, got {num_workers!r})"
        )
    if timeout < 0:
        raise ValueError(
            f"timeout option should be non-negative (timeout should not be negative, got {timeout!r})"
        )
    if num_workers == 0:
        for name, given in (
            ("prefetch_factor", prefetch_factor is not None),
            ("persistent_workers", persistent),
            ("multiprocessing_context", context is not None),
        ):
            if given:
                raise ValueError(
                    f"{name} option could only be specified in multiprocessing, that is with num_workers > 0 "
                    "(multiprocessing_context, prefetch_factor and persistent_workers need num_workers > 0)"
                )
    elif prefetch_factor is not None and prefetch_factor < 1:
        raise FitError(f"prefetch_factor option should be a positive integer, got {prefetch_factor!r}")
