"""The processes that train one run together: who writes, who gets which part of a batch."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genesis._errors import AmbiguousNameError, UnknownNameError
from genesis.cli._errors import FAILED, INTERRUPTED, MISUSED, Misuse, Stopped

if TYPE_CHECKING:
    from genesis.cli._training.loop import Training


#: what asks the processes of ``--launch`` to save and end, as launchers pass it on
END_SIGNAL = getattr(signal, "SIGUSR1", signal.SIGTERM)


class Team:
    """This process and the others that MPI started with it; or this process alone.

    Args:
        join: look for others.
    """

    def __init__(self, join: bool = False) -> None:
        self.rank, self.size = 0, 1
        if not join:
            return
        from genesis.distributed._launch import launched

        started = launched()
        if started is not None and started[1] > 1:
            from genesis import distributed

            distributed.init_process_group("mpi")
            self.rank, self.size = distributed.get_rank(), distributed.get_world_size()

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes and speaks."""
        return self.rank == 0

    def from_leader(self, make: Callable[[], Any]) -> Any:
        """What the function gives in the first process, in all of them."""
        if self.size == 1:
            return make()
        from genesis import distributed

        what = [make() if self.leads else None]
        distributed.broadcast_object_list(what)
        return what[0]

    def be_quiet(self) -> None:
        """Leave signals to the first process, which saves and then ends all."""
        for number in (signal.SIGINT, signal.SIGTERM, END_SIGNAL):
            signal.signal(number, signal.SIG_IGN)

    def share(self, batch: list[Any]) -> tuple[list[Any], float]:
        """This process's part of a batch, and how much more than an equal part it counts.

        The mean over the processes of the weighted means over their parts is the mean over the batch. A
        process for which nothing is left gets a sample that counts nothing.
        """
        n = len(batch[0])
        start, end = self.rank * n // self.size, (self.rank + 1) * n // self.size
        weight = (end - start) * self.size / n
        if start == end:
            start, end = 0, 1
        return [column[start:end] for column in batch], weight

    def mean(self, loss: Any) -> float:
        """The mean of a weighted loss over the processes."""
        if self.size == 1:
            return float(loss.item())
        from genesis import distributed

        whole = loss.detach().clone()
        distributed.all_reduce(whole, op=distributed.ReduceOp.AVG)
        return float(whole.item())

    def wrap(self, training: Training) -> Any:
        """The model to train: the others get the first process's state of everything."""
        if self.size == 1:
            return training.model
        from genesis import nn
        from genesis.nn.parallel import DistributedDataParallel

        parts = {name: part for name, part in training.parts().items() if part is not None}
        del parts["model"]  # DistributedDataParallel sends it
        states = self.from_leader(lambda: {name: part.state_dict() for name, part in parts.items()})
        if not self.leads:
            for name, part in parts.items():
                part.load_state_dict(states[name])
        nn.SyncBatchNorm.convert_sync_batchnorm(training.model)
        return DistributedDataParallel(training.model)

    def batches(self, training: Training) -> Iterator[Any]:
        """The batches of a pass, in the order of the first process."""
        if self.size == 1:
            yield from training.loader
            return
        import genesis

        genesis.set_rng_state(self.from_leader(genesis.get_rng_state))
        order = iter(training.loader)
        for number, batch in enumerate(order):
            if number == 0 and not self.leads:  # the order is drawn now
                genesis.manual_seed(training.config.seed + training.step * self.size + self.rank)
            yield batch

    def failed(self, error: BaseException) -> None:
        """This process ends by an error, and after it has told it, all do."""
        if self.size == 1:
            return
        from genesis.distributed import _group

        if not self.leads:
            time.sleep(5)  # if it is an error of all, the first one tells it, and ends us
        host = _group.world().host
        _group.leave()
        code = getattr(error, "code", FAILED)
        if isinstance(error, UnknownNameError | AmbiguousNameError):
            code = MISUSED
        elif isinstance(error, KeyboardInterrupt):
            code = INTERRUPTED
        atexit.register(host.abort, code if isinstance(code, int) else FAILED)


def launch(number: int) -> None:
    """Start this command once more, in several processes, and end as they do.

    Raises:
        Misuse: MPI has started this process already.
        Stopped: MPI is not installed.
    """
    from genesis.distributed import is_mpi_available
    from genesis.distributed._launch import launched

    if launched() is not None:
        raise Misuse("--launch starts processes, and mpiexec has started this one; leave --launch out")
    mpiexec = Path(sys.executable).with_name("mpiexec")
    found = str(mpiexec) if mpiexec.exists() else shutil.which("mpiexec")
    if not found or not is_mpi_available():
        raise Stopped("--launch needs MPI; run `pip install 'genesis-dl[mpi]'`")
    words = iter(sys.argv[1:])
    kept = []
    for word in words:
        if word == "--launch":
            next(words, None)
        elif not word.startswith("--launch="):
            kept.append(word)
    environment = dict(os.environ)
    threads = str(max(1, (os.cpu_count() or 1) // number))
    environment.setdefault("NUMBA_NUM_THREADS", threads)
    environment.setdefault("OMP_NUM_THREADS", threads)
    environment.setdefault("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe")  # Open MPI counts cores
    command = [found, "-n", str(number), sys.executable, "-m", "mpi4py", "-m", "genesis", *kept]
    raise SystemExit(_attended(command, environment))


def _attended(command: list[str], environment: dict[str, str]) -> int:
    """Run a launcher, pass on what asks for the end, and return its exit code.

    It is out of reach of Ctrl-C, upon which Open MPI's would kill all at once; what it is sent instead, both
    launchers pass on to all processes. A third time ends it.
    """
    asked: list[int] = []

    def pass_on(number: int, frame: Any) -> None:
        asked.append(number)
        if started.poll() is None:
            started.send_signal(END_SIGNAL if len(asked) < 3 else signal.SIGKILL)

    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        started = subprocess.Popen(command, env=environment, start_new_session=True)
        for number in before:
            signal.signal(number, pass_on)
        code = started.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 128 + asked[0] if asked and code else code
