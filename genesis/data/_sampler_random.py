"""Samplers that choose: some indices, by weight, or the share of one process."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import genesis
from genesis import distributed
from genesis._random import default_generator
from genesis._states import loads_state
from genesis.data._sampler import Begun, Sampler, T_co, _is_int


class _Drawing(Begun[Any]):
    """A sampler that draws the order of a pass when the pass begins.

    The order follows from the state of its generator at that time; with ``state_dict`` that state is kept, so
    that a restored sampler draws the same again.
    """

    def __init__(self, generator: genesis.Generator | None) -> None:
        self.generator = generator
        self._before: list[int] | None = None  # the state before the pass begun last
        self._repeat = False

    def _draw(self, generator: genesis.Generator) -> list[Any]:
        raise NotImplementedError

    def begin(self) -> Iterator[Any]:
        """Draw the order of a pass."""
        if self._repeat and self._before is not None:
            source = genesis.Generator()
            source.set_state(genesis.tensor(self._before))
        else:
            source = self.generator or default_generator
            self._before = source.get_state().tolist()
        self._repeat = False
        return iter(self._draw(source))

    def state_dict(self, resume: bool = True) -> dict[str, Any]:
        """What restores the order: the state before the pass, if one is to go on, and the generator's."""
        return {
            "before": self._before if resume else None,
            "generator": None if self.generator is None else self.generator.get_state(),
        }

    @loads_state
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned; the generator given to the constructor is set, too."""
        if not isinstance(state, dict) or set(state) != {"before", "generator"}:
            raise ValueError(
                f"not the state of a {type(self).__name__}; make the loader with the same options"
            )
        if (state["generator"] is None) != (self.generator is None):
            had, has = ("no", "one") if state["generator"] is None else ("a", "none")
            raise ValueError(
                f"the state is from a sampler that had {had} generator of its own, this has {has}"
            )
        if self.generator is not None:
            self.generator.set_state(state["generator"])
        self._before = None if state["before"] is None else [int(word) for word in state["before"]]
        self._repeat = self._before is not None


class SubsetRandomSampler(_Drawing):
    """Given indices in random order, a new one each pass.

    Args:
        indices: which; any sequence.
        generator: source of randomness; by default the global one.
    """

    def __init__(self, indices: Sequence[Any], generator: genesis.Generator | None = None) -> None:
        super().__init__(generator)
        self.indices = indices

    def _draw(self, generator: genesis.Generator) -> list[Any]:
        order = genesis.randperm(len(self.indices), generator=generator).tolist()
        return [self.indices[place] for place in order]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(_Drawing):
    """Indices from 0 to ``len(weights) - 1``, drawn with these probabilities.

    Args:
        weights: need not add up to 1.
        num_samples: how many to draw for a pass.
        replacement: an index may be drawn more than once.
        generator: source of randomness; by default the global one.

    Raises:
        ValueError: ``num_samples`` is not a positive integer, ``replacement`` not a bool, or the weights
            have more than one dimension.

    Example:
        >>> counts = genesis.bincount(labels)
        >>> WeightedRandomSampler((1 / counts)[labels], len(labels))  # every class equally often
    """

    def __init__(
        self,
        weights: Any,
        num_samples: int,
        replacement: bool = True,
        generator: genesis.Generator | None = None,
    ) -> None:
        if not _is_int(num_samples) or num_samples <= 0:
            raise ValueError(
                f"num_samples should be a positive integer value, got num_samples={num_samples!r}"
            )
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement should be a boolean value, got replacement={replacement!r}")
        super().__init__(generator)
        self.weights = genesis.as_tensor(weights, dtype=genesis.float64)
        if self.weights.ndim != 1:
            raise ValueError(f"weights should be a 1d sequence, but have shape {tuple(self.weights.shape)}")
        self.num_samples = num_samples
        self.replacement = replacement

    def _draw(self, generator: genesis.Generator) -> list[Any]:
        drawn = genesis.multinomial(self.weights, self.num_samples, self.replacement, generator=generator)
        return drawn.tolist()  # type: ignore[no-any-return]

    def __len__(self) -> int:
        return self.num_samples


class DistributedSampler(Sampler[T_co]):
    """The share of one of several processes that train together.

    All processes shuffle in the same way, from ``seed + epoch``, and take every ``num_replicas``-th index.
    Genesis trains in one process; this is for processes that are coordinated in another way.

    Args:
        dataset: has a length.
        num_replicas: how many processes there are.
        rank: the number of this one.
        shuffle: in random order; otherwise in order.
        seed: the same in all processes.
        drop_last: leave out the tail of the data to make the shares equal; otherwise some indices are
            repeated.

    Raises:
        RuntimeError: ``num_replicas`` or ``rank`` is missing, and ``genesis.distributed.init_process_group``
            has made no group to ask.
        ValueError: ``rank`` is not between 0 and ``num_replicas - 1``.

    Example:
        >>> sampler = DistributedSampler(data, num_replicas=4, rank=1)
        >>> for epoch in range(10):
        ...     sampler.set_epoch(epoch)  # otherwise every epoch has the same order
    """

    def __init__(
        self,
        dataset: Any,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if distributed.is_initialized():
            num_replicas = distributed.get_world_size() if num_replicas is None else num_replicas
            rank = distributed.get_rank() if rank is None else rank
        if num_replicas is None or rank is None:
            raise RuntimeError(
                "Requires distributed package to be available: Genesis has no group of processes to ask; "
                "give num_replicas and rank"
            )
        if not 0 <= rank < num_replicas:
            raise ValueError(f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]")
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        n = len(dataset)
        # PyTorch's share with drop_last is ceil((n - replicas) / replicas) unless it divides: n // replicas
        self.num_samples = n // num_replicas if drop_last else -(-n // num_replicas)
        self.total_size = self.num_samples * num_replicas
        self.shuffle = shuffle
        self.seed = seed

    def __iter__(self) -> Iterator[Any]:
        n = len(self.dataset)
        if self.shuffle:
            generator = genesis.Generator().manual_seed(self.seed + self.epoch)
            indices = genesis.randperm(n, generator=generator).tolist()
        else:
            indices = list(range(n))
        # repeats from the begin, or leaves the tail out
        shared = itertools.islice(itertools.cycle(indices), self.total_size)
        return itertools.islice(shared, self.rank, None, self.num_replicas)

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next pass.

        Args:
            epoch: the number of the pass.
        """
        self.epoch = epoch
