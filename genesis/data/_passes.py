"""One pass through the data: in this process, or by workers."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from genesis.data._fetch import IterableFetcher, fetcher_of
from genesis.data._pin import pinning
from genesis.data._sampler import begun
from genesis.data._worker import Job

if TYPE_CHECKING:
    from genesis.data._loader import DataLoader
    from genesis.data._team import Team


class Pass:
    """What both kinds have in common. A class rather than a generator, so that it begins when it is made.

    Args:
        loader: whose pass it is.
        skip: how many batches of it were given out before a restart.
        ahead: further ones by their number, if they are not given out in order.
    """

    def __init__(self, loader: DataLoader[Any], skip: int, ahead: list[int]) -> None:
        self._loader = loader
        self.served = skip  # batches given out without a gap
        self.ahead = set(ahead)
        self._left_out = frozenset(ahead)
        self._given = 0  # by this object
        self._pin = pinning(loader.pin_memory, loader.pin_memory_device)
        loader._newest = self

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self._loader)

    def __reduce__(self) -> Any:
        raise NotImplementedError(f"the iterator of a DataLoader cannot be pickled ({type(self).__name__})")

    def state(self) -> dict[str, Any]:
        """What a state of the loader has of this pass beside the number of batches."""
        return {}

    def _count(self, index: int) -> None:
        """One more batch is given out."""
        self.ahead.add(index)
        while self.served in self.ahead:
            self.ahead.remove(self.served)
            self.served += 1
        self._given += 1
        loader = self._loader
        told = loader._told_length
        if told is not None and self._given > told:
            how = " Split the data set among the workers, see get_worker_info." if loader.num_workers else ""
            warnings.warn(
                f"Length of IterableDataset {loader.dataset} was reported to be {told} (when accessing "
                f"len(dataloader)), but {self._given} samples have been fetched.{how}",
                stacklevel=3,
            )

    def _finish(self) -> None:
        if self._loader._newest is self:  # a newer pass has taken over otherwise
            self._loader._newest = None


class SerialPass(Pass):
    """Batches that are loaded when they are asked for."""

    def __init__(self, loader: DataLoader[Any], skip: int, ahead: list[int]) -> None:
        super().__init__(loader, skip, ahead)
        if loader._iterable:
            self._fetcher: Any = IterableFetcher(loader, loader._batched)
            self._indices: Iterator[tuple[int, Any]] = enumerate(begun(loader._order))
            try:
                for _ in range(skip):
                    self._fetcher.skip(next(self._indices)[1])
            except StopIteration:
                pass  # the data set has become shorter
        else:
            self._fetcher = fetcher_of(loader._job(0))
            self._indices = islice(enumerate(begun(loader._order)), skip, None)

    def __next__(self) -> Any:
        try:
            number, indices = next(self._indices)
            while number in self._left_out:
                number, indices = next(self._indices)
            if self._loader._iterable:
                batch = self._fetcher.fetch(indices)
                self._count(number)
                return batch if self._pin is None else self._pin(batch)
        except StopIteration:
            self._finish()
            raise
        self._count(number)
        batch = self._fetcher.fetch(indices)
        return batch if self._pin is None else self._pin(batch)


class WorkerPass(Pass):
    """Batches that workers load in advance.

    Tasks are numbered and given to the workers in turn; a worker answers in its order. So the next batch in
    order comes from a known worker, and the order is the same however long each of them takes.

    Args:
        loader, skip, ahead: as in `Pass`.
        team: the workers; None to start new ones.
        resumed: the result of ``state``, of the pass that goes on.
    """

    def __init__(
        self, loader: DataLoader[Any], skip: int, ahead: list[int], team: Team | None, resumed: dict[str, Any]
    ) -> None:
        super().__init__(loader, skip, ahead)
        count = loader.num_workers
        self._indices: Iterator[tuple[int, Any]] = enumerate(begun(loader._order))
        self._place = resumed.get("place", 0) if loader._iterable else skip  # tasks done before the restart
        if not loader._iterable:
            self._indices = islice(self._indices, skip, None)
        generator = loader._source_of_seeds
        self._seed = int(resumed["seed"]) if resumed else generator.child_seed()
        self._active = [True] * count
        self._turn = (
            0 if loader._iterable else skip % count
        )  # each batch to the worker that would have had it
        self._assigned: dict[int, int] = {}  # from a task that is not answered to its worker, in order
        self._waiting = [0] * count  # how many tasks each worker has
        self._limit = (loader.prefetch_factor or 2) * count
        self._keeps = loader.persistent_workers
        self._team: Team | None = loader._start_team(self._seed) if team is None else team
        self._pass_number = self._team.number + 1
        try:
            self._team.begin(self._seed)
            for _ in range(self._limit):
                self._assign()
        except BaseException:  # an interrupt, say: half a message may have been sent
            self._close(broken=True)
            raise

    @property
    def team(self) -> Team | None:
        """The workers."""
        return self._team

    def state(self) -> dict[str, Any]:
        if not self._loader._iterable:
            return {"seed": self._seed, "num_workers": self._loader.num_workers}
        if not self._loader.in_order:
            raise NotImplementedError(
                "state_dict() in the middle of a pass through an iterable data set needs in_order=True"
            )
        return {"seed": self._seed, "num_workers": self._loader.num_workers, "place": self._place}

    def _assign(self) -> None:
        """Give the next task to the worker whose turn it is."""
        assert self._team is not None
        for _ in range(len(self._active)):
            worker = self._turn
            self._turn = (worker + 1) % len(self._active)
            if self._active[worker] and (
                self._loader.in_order or self._waiting[worker] < self._limit // sum(self._active)
            ):
                break
        else:
            return
        while (task := next(self._indices, None)) is not None:
            number, indices = task
            if number not in self._left_out:
                self._assigned[number] = worker
                self._waiting[worker] += 1
                wanted = not self._loader._iterable or number >= self._place
                self._team.ask(worker, number, indices, wanted)
                return

    def __next__(self) -> Any:
        try:
            return self._next()
        except Exception:
            raise
        except BaseException:  # an interrupt: half a message may have been read, or an answer not counted
            self._close(broken=True)
            raise

    def _next(self) -> Any:
        team = self._team
        if team is None:
            raise StopIteration
        if team.number != self._pass_number:
            raise RuntimeError("a newer pass through this DataLoader has taken over its persistent workers")
        loader = self._loader
        while True:
            for number in [n for n, w in self._assigned.items() if not self._active[w]]:
                del self._assigned[number]  # its worker had come to the end before
            if not self._assigned:
                self._close()
                self._finish()
                raise StopIteration
            # in order: the worker that has the oldest task
            workers = [next(iter(self._assigned.values()))] if loader.in_order else {*self._assigned.values()}
            try:
                worker, kind, number, content = team.receive(list(workers))
            except RuntimeError as error:
                if "timed out" not in str(error):
                    self._close(broken=True)
                raise
            self._assigned.pop(number, None)
            self._waiting[worker] -= 1
            if kind == "end":
                self._active[worker] = False
            self._assign()
            if loader._iterable:
                self._place = max(self._place, number + 1)
            if kind == "error":
                if not loader._iterable:
                    self._count(number)
                content.reraise()
            if kind == "data":
                self._count(self.served if loader._iterable else number)
                return content if self._pin is None else self._pin(content)

    def _close(self, broken: bool = False) -> None:
        if self._keeps and not broken:
            return
        team, self._team = self._team, None
        if broken and self._loader._team is team:
            self._loader._team = None
        if team is not None:
            team.close(broken)


__all__ = ["Job", "Pass", "SerialPass", "WorkerPass"]
