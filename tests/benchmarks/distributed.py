"""What averaging gradients costs: a step alone, the allreduce alone, both together, and how much is hidden.

    python tests/benchmarks/distributed.py [--quick]            # 1, 2 and 4 processes on this machine
    python tests/benchmarks/distributed.py --hosts [--quick]    # two namespaces as machines, slower networks
    mpiexec -n 2 python -m mpi4py tests/benchmarks/distributed.py --ranks [--quick]

Each run ends with what the formula of docs/distributed.md gives for the step that was measured, and for more
machines with the latency and the bandwidth that were measured.
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

QUICK = "--quick" in sys.argv
ROUNDS = 5 if QUICK else 20
WIDTH, LAYERS = 512, 6
SAMPLES = 1024 if "--large" in sys.argv else 128  # so that a slow network has something to hide behind
#: networks to play: what `tc` calls a rate
NETWORKS = ["", "4gbit", "1gbit"]


def median(call: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """Seconds of a call, that of the slowest process."""
    import genesis
    import genesis.distributed as dist

    for _ in range(3):
        call()
    taken = []
    for _ in range(rounds):
        dist.barrier()
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    slowest = genesis.tensor(statistics.median(taken), dtype=genesis.float64)
    dist.all_reduce(slowest, dist.ReduceOp.MAX)
    return float(slowest.item())


class Timeline:
    """When the gradients of a step were given to be reduced, and when that was done.

    Attributes:
        given, begun, done: for each bucket, seconds after the step began.
        over: when nothing was left but to wait.
    """

    def __init__(self, model: Any, communicator: Any) -> None:
        self._reducer, self._of = model._reducer, communicator
        send, finish, reduce = self._reducer._send, self._reducer._finish, communicator.all_reduce
        self.begin()

        def sending(bucket: Any) -> None:
            self.given.append(time.perf_counter() - self.start)
            send(bucket)

        def finishing() -> None:
            self.over = time.perf_counter() - self.start
            finish()

        def reducing(array: Any, op: str) -> None:
            begun = time.perf_counter() - self.start
            reduce(array, op)
            if array.nbytes > 1000:
                self.begun.append(begun)
                self.done.append(time.perf_counter() - self.start)

        self._reducer._send, self._reducer._finish, communicator.all_reduce = sending, finishing, reducing

    def begin(self) -> None:
        self.start = time.perf_counter()
        self.given, self.begun, self.done, self.over = [], [], [], 0.0

    def hidden(self) -> float:
        """The part of the time in reductions that has passed before anybody waited for them."""
        total = sum(d - b for b, d in zip(self.begun, self.done, strict=True))
        before = sum(max(0.0, min(d, self.over) - b) for b, d in zip(self.begun, self.done, strict=True))
        return before / total

    def close(self) -> None:
        del self._of.all_reduce
        for hook in self._reducer._handles:
            hook.remove()


def ring(p: int, nbytes: float, latency: float, bandwidth: float) -> float:
    """Seconds of an allreduce by a ring, the formula of docs/distributed.md."""
    return 2 * (p - 1) * latency + 2 * (p - 1) / p * nbytes / bandwidth if p > 1 else 0.0


def pipeline(given: list[float], sizes: list[int], alone: float, one: Callable[[int], float]) -> float:
    """Seconds of a step whose buckets are reduced one after the other, each when it is given."""
    end = 0.0
    for at, nbytes in zip(given, sizes, strict=True):
        end = max(end, at) + one(nbytes)
    return max(end, alone)


def ranks() -> None:
    import numpy as np

    import genesis
    import genesis.distributed as dist
    from genesis import nn
    from genesis.nn.parallel import DistributedDataParallel

    dist.init_process_group()
    me, n, cores = dist.get_rank(), dist.get_world_size(), len(os.sched_getaffinity(0))
    say = print if me == 0 else lambda *words: None
    net = nn.Sequential(*[layer for _ in range(LAYERS) for layer in (nn.Linear(WIDTH, WIDTH), nn.ReLU())])
    x = genesis.randn(SAMPLES, WIDTH)
    size = sum(p.numel() for p in net.parameters())

    def step(model: nn.Module, before: Callable[[], None] = lambda: None) -> Callable[[], None]:
        def call() -> None:
            for p in net.parameters():
                p.grad = None
            before()
            model(x).square().mean().backward()

        return call

    crowd = f"; {cores} cores, so they take turns: no measure of more machines" if n > cores else ""
    say(f"\n{n} processes, {size:,} parameters, {size * 4 / 1e6:.1f} MB, {SAMPLES} samples each{crowd}")
    alone = median(step(net))
    say(f"  {'a step without the others':<46}{alone * 1e3:9.3f} ms")
    if n == 1:
        dist.destroy_process_group()
        return
    host = dist.group.WORLD.host  # type: ignore[union-attr]
    times = {}
    for nbytes in (8, 1 << 16, 1 << 20, size * 4):
        array = np.zeros(nbytes // 4, np.float32)
        times[nbytes] = median(lambda array=array: host.all_reduce(array, "sum"))  # type: ignore[misc]
        say(f"  {f'allreduce of {nbytes:,} bytes':<46}{times[nbytes] * 1e3:9.3f} ms")
    small = genesis.zeros(2)
    checked = median(lambda: dist.all_reduce(small))
    say(f"  {'dist.all_reduce of 8 bytes, with the check':<46}{checked * 1e3:9.3f} ms")
    # a tree of log2(p) messages there and, in most libraries, none back; the rest of a large one is bandwidth
    latency = times[8] / max(1, (n - 1).bit_length())
    bandwidth = 2 * (n - 1) / n * size * 4 / max(times[size * 4] - 2 * (n - 1) * latency, 1e-9)
    for cap in (1, 4, 25):
        model = DistributedDataParallel(net, bucket_cap_mb=cap, gradient_as_bucket_view=True)
        line = Timeline(model, host)
        hidden: list[float] = []
        parts: list[list[float]] = []  # when a bucket was given, of the time to the end of the backward pass
        call = step(model, line.begin)

        def timed(call: Any = call, line: Any = line, hidden: Any = hidden, parts: Any = parts) -> None:
            call()
            hidden.append(line.hidden())
            parts.append([at / line.over for at in line.given])

        together = median(timed)
        sizes = [b.whole.numel() * 4 for b in model._reducer.buckets]  # type: ignore[union-attr]
        given = [statistics.median(each) * alone for each in zip(*parts, strict=True)]
        line.close()
        said = pipeline(given, sizes, alone, lambda b: ring(n, b, latency, bandwidth))
        part, beyond = statistics.median(hidden[3:]), together - alone
        say(
            f"  {f'step with {len(sizes)} buckets of at most {cap} MB':<46}{together * 1e3:9.3f} ms"
            f"  beyond the step alone {beyond * 1e3:.2f} ms, {part:.0%} of the reductions' time hidden;"
            f" the formula gives {said * 1e3:.2f} ms ({said / together - 1:+.0%})"
        )
        if cap == 1:
            for i, (a, b, c) in enumerate(zip(line.given, line.begun, line.done, strict=True)):
                times_ = f"given {a * 1e3:6.2f}, reduced from {b * 1e3:6.2f} to {c * 1e3:6.2f} ms"
                say(f"      bucket {i}: {times_}; the backward pass is over at {line.over * 1e3:.2f}")
        if cap == 4:
            kept = given, sizes
    say(f"  a message {latency * 1e6:.1f} us, bandwidth {bandwidth / 1e9:.2f} GB/s; buckets of 4 MB:")
    for p in (2, 4, 8, 16, 32, 64):

        def one(b: int, p: int = p) -> float:
            return ring(p, b, latency, bandwidth)

        t, whole = pipeline(*kept, alone, one), one(size * 4)
        say(
            f"  {p:4d} machines: step {t * 1e3:7.2f} ms, {alone / t:.0%} of one's rate each; nothing hidden "
            f"{(alone + whole) * 1e3:7.2f} ms"
        )
    dist.destroy_process_group()


def on_hosts() -> None:
    path = Path(__file__).parents[1] / "distributed" / "hosts.py"
    spec = importlib.util.spec_from_file_location("hosts_of_tests", path)
    assert spec is not None
    assert spec.loader is not None
    machines = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(machines)
    try:
        with machines.two_hosts() as hosts:
            for rate in NETWORKS[::2] if QUICK else NETWORKS:
                print(f"\n== two namespaces, {f'{rate} between them' if rate else 'as they are'}")
                if rate:
                    hosts.shape(rate=rate)
                words = [*(["--quick"] if QUICK else []), *(["--large"] if rate else [])]
                done = hosts.run("-m", "mpi4py", __file__, "--ranks", *words, timeout=300)
                print(done.stdout, done.stderr[-2000:] if done.returncode else "", flush=True)
    except machines.NoHosts as error:
        sys.exit(str(error))


def here() -> None:
    mpiexec = str(Path(sys.executable).with_name("mpiexec"))
    allowed = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    allowed["PRTE_MCA_rmaps_default_mapping_policy"] = ":oversubscribe"
    environment = {**os.environ, "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", **allowed}
    words = ["-m", "mpi4py", __file__, "--ranks", *(["--quick"] if QUICK else [])]
    for n in (1, 2, 4):
        subprocess.run([mpiexec, "-n", str(n), sys.executable, *words], env=environment, check=True)


if __name__ == "__main__":
    launched = any(name in os.environ for name in ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE"))
    if "--ranks" in sys.argv or launched:
        ranks()
    elif "--hosts" in sys.argv:
        on_hosts()
    else:
        here()
