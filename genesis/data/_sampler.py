"""The order in which a loader asks for samples.

A sampler's order can be saved and restored in the middle of a pass, through two optional methods that
`DataLoader` looks for on any sampler:

- ``state_dict(resume: bool)``: what is needed to go on from here. With ``resume`` a pass is going on, and
  the next
  pass of the restored sampler repeats it; without, the next pass is a new one.
- ``load_state_dict(state)``.

A sampler without them must give the same order in every pass for a loader to resume exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from typing import Any, Generic, TypeVar

import genesis
from genesis._states import loads_state

T_co = TypeVar("T_co", covariant=True)


class Sampler(Generic[T_co]):
    """Base class of samplers: iterating over one gives indices, or lists of them."""

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__} must define __iter__")


class Begun(Sampler[T_co]):
    """A sampler that draws when the first index is asked for; a loader lets it draw when its pass begins."""

    def __iter__(self) -> Iterator[T_co]:
        yield from self.begin()

    def begin(self) -> Iterator[T_co]:
        """Begin a pass now."""
        raise NotImplementedError(f"{type(self).__name__} must define begin")


def begun(sampler: Iterable[T_co]) -> Iterator[T_co]:
    """A pass of any sampler, which has begun where the sampler can do that."""
    if isinstance(sampler, Begun) and type(sampler).__iter__ is Begun.__iter__:
        return sampler.begin()
    return iter(sampler)


class SequentialSampler(Sampler[int]):
    """The indices 0, 1, 2, ... in order.

    Args:
        data_source: anything with a length.
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Begun[int]):
    """The indices in random order, a new one each pass.

    A pass draws one number from its generator and shuffles with that alone, so the order of a pass depends
    neither on what else draws random numbers meanwhile nor on how often the pass was interrupted.

    Args:
        data_source: anything with a length.
        replacement: draw each index independently, so that some repeat.
        num_samples: how many indices make a pass; by default as many as there are samples. Without
            replacement, more than that gives several shuffles one after another.
        generator: source of randomness; by default the global one, which `genesis.manual_seed` sets.

    Raises:
        TypeError: ``replacement`` is not a bool.
        ValueError: ``num_samples`` is not a positive integer.

    Example:
        >>> list(RandomSampler(range(4), generator=genesis.Generator().manual_seed(0)))
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: genesis.Generator | None = None,
    ) -> None:
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a bool, got {replacement!r}")
        if num_samples is not None and (not _is_int(num_samples) or num_samples <= 0):
            raise ValueError(f"num_samples should be a positive integer or None, got {num_samples!r}")
        self.data_source = data_source
        self.replacement = replacement
        self.generator = generator
        self._num_samples = num_samples
        self._seed: int | None = None  # of the pass begun last
        self._repeat = False  # the next pass uses that seed again

    @property
    def num_samples(self) -> int:
        """How many indices make a pass; follows the data's length unless it was given."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def begin(self) -> Iterator[int]:
        """Draw the seed of a pass."""
        if not self._repeat or self._seed is None:
            high, low = genesis.randint(0, 2**31 - 1, (2,), generator=self.generator).tolist()
            self._seed = high << 31 | low
        self._repeat = False
        return self._indices(self._seed)

    def _indices(self, seed: int) -> Iterator[int]:
        n, left = len(self.data_source), self.num_samples
        if n == 0:
            return
        generator = genesis.Generator().manual_seed(seed)
        while left > 0:
            count = min(n, left)  # a part at a time: num_samples may be far larger than the data
            if self.replacement:
                part = genesis.randint(0, n, (count,), generator=generator)
            else:
                part = genesis.randperm(n, generator=generator)[:count]
            yield from part.tolist()
            left -= count

    def __len__(self) -> int:
        return self.num_samples

    def state_dict(self, resume: bool = True) -> dict[str, Any]:
        """What restores the order: the seed of the pass, if one is to go on, and the generator's state."""
        return {
            "seed": self._seed if resume else None,
            "generator": None if self.generator is None else self.generator.get_state(),
        }

    @loads_state
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned; the generator given to the constructor is set, too."""
        if (state["generator"] is None) != (self.generator is None):
            had, has = ("no", "one") if state["generator"] is None else ("a", "none")
            raise ValueError(
                f"the state is from a sampler that had {had} generator of its own, this has {has}"
            )
        if self.generator is not None:
            self.generator.set_state(state["generator"])
        self._seed = state["seed"]
        self._repeat = self._seed is not None


class BatchSampler(Begun[list[int]]):
    """Lists of ``batch_size`` indices that another sampler gives.

    Args:
        sampler: gives single indices.
        batch_size: indices in a batch.
        drop_last: leave out the last batch if it is not full.

    Raises:
        ValueError: ``batch_size`` is not a positive integer, or ``drop_last`` is not a bool.

    Example:
        >>> list(BatchSampler(SequentialSampler(range(5)), 2, drop_last=False))
        [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        if not _is_int(batch_size) or batch_size <= 0:
            raise ValueError(f"batch_size should be a positive integer, got {batch_size!r}")
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a bool, got {drop_last!r}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def begin(self) -> Iterator[list[int]]:
        """Begin the inner pass now, not with the first batch."""
        return self._batches(begun(self.sampler))

    def _batches(self, indices: Iterator[int]) -> Iterator[list[int]]:
        batch: list[int] = []
        for index in indices:
            batch.append(index)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    def __len__(self) -> int:
        n = len(self.sampler)  # type: ignore[arg-type] # a sampler without a length raises TypeError here
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)

    def state_dict(self, resume: bool = True) -> Any:
        """The state of the inner sampler, if it has one."""
        return sampler_state(self.sampler, resume)

    @loads_state
    def load_state_dict(self, state: Any) -> None:
        """Restore what `state_dict` returned."""
        load_sampler_state(self.sampler, state)


def sampler_state(sampler: object, resume: bool) -> Any:
    """The state of a sampler that has one, else None."""
    method = getattr(sampler, "state_dict", None)
    return None if method is None else method(resume)


def load_sampler_state(sampler: object, state: Any) -> None:
    """Restore the result of `sampler_state`."""
    method = getattr(sampler, "load_state_dict", None)
    if (method is None) != (state is None) and not isinstance(sampler, BatchSampler):
        raise ValueError(
            f"the state is from a loader {'with' if state else 'without'} a random order, "
            f"and this one uses {type(sampler).__name__}; make it with the same options"
        )
    if method is not None:
        method(state)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
