"""From what a sampler gives to a batch, in this process or in a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from genesis.data._dataset import fetch


class Source(Protocol):
    """What a fetcher has to know; a loader's options or a worker's job."""

    dataset: Any
    collate_fn: Callable[[Any], Any]
    drop_last: bool


class MapFetcher:
    """Samples of a data set that is indexed."""

    def __init__(self, source: Source, batched: bool) -> None:
        self._dataset, self._collate, self._batched = source.dataset, source.collate_fn, batched

    def fetch(self, indices: Any) -> Any:
        """The batch with these indices, or the sample with this index."""
        dataset = self._dataset
        return self._collate(fetch(dataset, indices) if self._batched else dataset[indices])

    def skip(self, indices: Any) -> None:
        """Nothing has to be done to leave a batch out."""


class IterableFetcher:
    """Samples of a data set that is gone through; beginning a pass asks it for its iterator."""

    def __init__(self, source: Source, batched: bool) -> None:
        self._samples: Iterator[Any] = iter(source.dataset)
        self._collate, self._batched, self._drop_last = source.collate_fn, batched, source.drop_last
        self._ended = False

    def fetch(self, places: Sequence[Any] | None) -> Any:
        """The next samples, as many as there are places.

        Raises:
            StopIteration: there are none, or too few with ``drop_last``.
        """
        return self._collate(self._take(places))

    def skip(self, places: Sequence[Any] | None) -> None:
        """Leave out as many."""
        self._take(places)

    def _take(self, places: Sequence[Any] | None) -> Any:
        if self._ended:
            raise StopIteration
        if not self._batched or places is None:
            return next(self._samples)
        samples = []
        for _ in places:
            try:
                samples.append(next(self._samples))
            except StopIteration:
                self._ended = True
                break
        if not samples or (self._drop_last and len(samples) < len(places)):
            raise StopIteration
        return samples


def fetcher_of(job: Any) -> MapFetcher | IterableFetcher:
    """The fetcher for one pass."""
    return (IterableFetcher if job.iterable else MapFetcher)(job, job.batched)
