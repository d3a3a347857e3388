"""The training that is hurt, in processes of its own, and what is asked of it afterwards.

Processes are forked from this one, which has compiled what they need and has started no threads: a start
takes milliseconds, so hundreds of processes can be killed in a minute.
"""

from __future__ import annotations

import gc
import os
import random
import signal
import sys
import tempfile
import time
import traceback
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import genesis
from genesis import nn, optim
from genesis.amp import GradScaler
from genesis.checkpoint import Checkpointer, _safetensors, load_checkpoint
from genesis.data import DataLoader, TensorDataset
from genesis.optim import LRScheduler, Schedule
from genesis.plugin import SchedulerSpec, hookimpl, register

EPOCHS, BATCHES, BALLAST = 4, 12, 200_000
STEPS = EPOCHS * BATCHES


class Noisy:
    """Samples to which random numbers are added when they are asked for, by a worker where there is one."""

    def __init__(self) -> None:
        self.x, self.y = genesis.randn(90, 12), genesis.randn(90, 1)

    def __len__(self) -> int:
        return 90

    def __getitem__(self, index: int) -> Any:
        return self.x[index] + 0.01 * genesis.randn(12), self.y[index]


class Subject:
    """A training in which everything has a state: dropout, batch norm, AdamW, a schedule, a scaler, a
    shuffled loader, and the random numbers of Genesis, NumPy and Python.

    Args:
        workers: processes of the loader; they draw random numbers, too.
        ballast: numbers that make the checkpoint larger, so that saving takes a while.
        plugin: with the schedule of a plugin, which may fail at a step.
    """

    def __init__(self, workers: int = 0, ballast: int = BALLAST, plugin: bool = False) -> None:
        genesis.manual_seed(0)
        np.random.seed(0)
        random.seed(0)
        self.model = nn.Sequential(nn.Linear(12, 32), nn.Dropout(0.2), nn.BatchNorm1d(32), nn.Linear(32, 1))
        self.optimizer = optim.AdamW(self.model.parameters(), lr=1e-2)
        self.scheduler = (
            optim.create_scheduler("Faulty", self.optimizer)
            if plugin
            else optim.lr_scheduler.LambdaLR(self.optimizer, lambda step: 1 / (1 + 0.1 * step))
        )
        self.scaler = GradScaler("cpu", growth_interval=5)
        data = Noisy() if workers else TensorDataset(genesis.randn(90, 12), genesis.randn(90, 1))
        self.loader = DataLoader(data, batch_size=8, shuffle=True, num_workers=workers)
        self.ballast = genesis.zeros(ballast)

    def step(self, x: Any, y: Any) -> None:
        x = x + 0.1 * genesis.randn(*x.shape) * random.random() * float(np.random.rand())
        loss = nn.functional.mse_loss(self.model(x), y)
        self.optimizer.zero_grad()
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.scheduler.step()
        self.ballast += 1

    def digest(self) -> int:
        """A number that two states share only if they are the same, bit for bit."""
        total = 0
        for part in (self.model, self.optimizer, self.scaler, self.scheduler):
            total = zlib.crc32(_text(part.state_dict()), total)
        rest = genesis.get_rng_state().tolist(), random.random.__self__.getstate()[1][:20]
        total = zlib.crc32(repr((rest, np.random.get_state()[1][:20])).encode(), total)
        return zlib.crc32(self.ballast.numpy(), total)


def _text(state: Any) -> bytes:
    if isinstance(state, dict):
        return b"".join(str(key).encode() + _text(item) for key, item in state.items())
    if isinstance(state, list | tuple):
        return b"".join(map(_text, state))
    return state.numpy().tobytes() if isinstance(state, genesis.Tensor) else repr(state).encode()


class Faulty(LRScheduler):
    """The schedule of a plugin."""

    fails_at = 0  # a step; 0 for none

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        return Falling()


class Falling(Schedule):
    def at(self, step: int) -> float:
        if step == Faulty.fails_at > 0:
            raise ZeroDivisionError("an error in a plugin's schedule")
        return 1 / (1 + 0.1 * step)


class Plugin:
    @hookimpl
    def genesis_schedulers(self) -> list[SchedulerSpec]:
        return [SchedulerSpec("Faulty", "subject:Faulty", "May fail.")]


def train(
    folder: Path,
    say: Callable[[str], None],
    workers: int = 0,
    ballast: int = BALLAST,
    plugin: bool = False,
    stop_at: int | None = None,
    ready: Callable[[], None] = lambda: None,
    **options: Any,
) -> None:
    """Go on with the training in a folder to its end, and say what happens: ``resumed 12``, ``step 13 …``."""
    subject = Subject(workers, ballast, plugin)
    with Checkpointer(folder, **{"every": 3, "keep": 2} | options, **vars(subject)) as checkpointer:
        say(f"resumed {checkpointer.resume()}")
        ready()
        for _ in range(checkpointer.epoch, EPOCHS):
            for x, y in subject.loader:
                subject.step(x, y)
                say(f"step {checkpointer.global_step + 1} {subject.digest()}")
                checkpointer.step()
                if checkpointer.global_step == stop_at:
                    return
            checkpointer.end_epoch({"epoch_of_metrics": checkpointer.epoch})
    say(f"done {subject.digest()}")


class Child:
    """A forked process that does ``work(say)``, and what it said."""

    def __init__(self, work: Callable[[Callable[[str], None]], None]) -> None:
        gc.collect()
        read, write = os.pipe()
        errors, write_errors = os.pipe()  # no files: a fault may be about these
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(read)
                os.close(errors)
                _be_a_child(work, write, write_errors)
            finally:
                os._exit(70)
        os.close(write)
        os.close(write_errors)
        self._read, self._errors = read, errors

    def kill(self, number: int = signal.SIGKILL) -> None:
        os.kill(self.pid, number)

    def wait(self) -> tuple[int, list[list[str]], str]:
        """Its exit code, negative for a signal, the words that it said, and its errors."""
        with open(self._read, "rb") as file:
            said = file.read().decode()
        with open(self._errors, "rb") as file:
            errors = file.read().decode()
        _, status = os.waitpid(self.pid, 0)
        whole = said[: said.rfind("\n") + 1].splitlines()
        return os.waitstatus_to_exitcode(status), [line.split() for line in whole], errors

    def heard(self, word: str) -> str:
        """Wait until it says a line that begins like this."""
        buffer = b""
        while True:
            byte = os.read(self._read, 1)
            if not byte:
                raise AssertionError(f"the process ended before it said {word!r}")
            buffer += byte
            if byte == b"\n":
                if buffer.decode().startswith(word):
                    return buffer.decode().strip()
                buffer = b""


def _be_a_child(work: Callable[[Callable[[str], None]], None], write: int, errors: int) -> None:
    code = 70
    try:
        os.dup2(errors, 2)
        os.close(errors)
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115 - until the end
        say_to = os.write  # a fault may replace it
        work(lambda line: say_to(write, f"{line}\n".encode()) and None)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        code = 1
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        _end_children()
        os._exit(code)


def _end_children() -> None:
    import multiprocessing

    for child in multiprocessing.active_children():
        child.kill()


class Reference:
    """What a training says that nothing happened to."""

    def __init__(self, **options: Any) -> None:
        self.options = options
        with folder() as where:
            code, said, errors = Child(lambda say: train(where, say, **options)).wait()
            assert code == 0, errors
            self.digests = {int(words[1]): words[2] for words in said if words[0] == "step"}
            self.final = said[-1][1]
        assert len(self.digests) == STEPS

    def wrong(self, said: list[list[str]], resumed: int | None = None) -> str:
        """What a process said that this one did not; nothing if all is the same, bit for bit."""
        for words in said:
            if words[0] == "resumed" and resumed is not None and int(words[1]) != resumed:
                return f"went on from step {words[1]}, the newest checkpoint is of {resumed}"
            if words[0] == "step" and self.digests[int(words[1])] != words[2]:
                return f"step {words[1]} is another"
            if words[0] == "done" and words[1] != self.final:
                return "the end is another"
        return ""


def newest_good(where: Path) -> tuple[int, list[str]]:
    """The step of the newest checkpoint, and those files that bear a name and are not good."""
    steps, bad = [0], []
    for path in where.glob("step-*.ckpt"):
        try:
            state = load_checkpoint(path)
        except (RuntimeError, OSError) as error:
            bad.append(f"{path.name}: {error}")
        else:
            steps.append(state["step"])
            if "ballast" in state and not (state["ballast"] == state["step"]).all():
                bad.append(f"{path.name} holds another step")
    return max(steps), bad


@contextmanager
def folder() -> Iterator[Path]:
    """A new folder, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="genesis-faults-") as made:
        yield Path(made) / "run"


def warm_up() -> None:
    """Compile what a training needs; files of 10 kB go past the system's cache already, as large ones do."""
    _safetensors.LARGE = 10_000
    genesis.set_num_threads(1)
    register(Plugin(), name="faulty")
    with folder() as where:
        train(where, lambda line: None, background=False)
    time.sleep(0.01)
