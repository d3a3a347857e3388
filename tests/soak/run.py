"""A long training in short: ``python tests/soak/run.py --minutes 60``, or ``--steps 15000``.

A small model, with workers of a loader, schedules, evaluations, checkpoints, errors that are caught, and batches of ever
other sizes. Memory, open files and threads are written down all the time; what they are after the first tenth may not
grow until the end. The hour's steps of a small model are those of weeks of a large one.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import genesis
from genesis import nn, optim
from genesis.checkpoint import Checkpointer
from genesis.data import DataLoader, TensorDataset
from genesis.nn import functional as F

WARM = 1_000  # steps before the clock starts: kernels are compiled, and every size of batch was there
MEMORY = 8 << 20  # bytes of growth of the resident memory that count as none


class Reading(NamedTuple):
    """What is held at a moment; tenths of the allocator come and go, so the lowest of many readings counts."""

    memory: int
    files: int
    threads: int
    children: int
    objects: int


def reading() -> Reading:
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    tasks = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    return Reading(
        int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"),
        len(os.listdir("/proc/self/fd")),
        int(status["Threads"]),
        len(tasks.read_text().split()) if tasks.exists() else 0,
        len(gc.get_objects()),
    )


class Model(nn.Module):
    """A bit of everything."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()
        )
        self.first = nn.Linear(8 * 5 * 5, 32)
        self.attention = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
        self.lstm = nn.LSTM(32, 16, batch_first=True)
        self.head = nn.Linear(16, 10)

    def forward(self, x: genesis.Tensor) -> genesis.Tensor:
        x = self.first(self.conv(x)).reshape(-1, 1, 32).expand(-1, 3, 32)
        out: genesis.Tensor = self.head(F.dropout(self.lstm(self.attention(x))[0][:, -1], 0.1, self.training))
        return out


def training(folder: Path, workers: int) -> Iterator[int]:
    """Go on for ever; yields after each step."""
    genesis.manual_seed(0)
    model = Model()
    optimizer = optim.AdamW(model.parameters(), lr=1e-3)
    data = TensorDataset(genesis.randn(100, 1, 12, 12), genesis.randint(0, 10, (100,)))
    steps = 0
    saver = Checkpointer(folder / "run", every=100, keep=2, model=model, optimizer=optimizer)
    while True:
        scheduler = optim.lr_scheduler.OneCycleLR(optimizer, 1e-3, total_steps=2_000)
        loader = DataLoader(
            data, batch_size=7 + steps % 5, shuffle=True, num_workers=workers, persistent_workers=workers > 0
        )
        for _ in range(20):
            for x, y in loader:
                optimizer.zero_grad()
                loss = F.cross_entropy(model(x), y)
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                if scheduler.last_epoch < 1_999:
                    scheduler.step()
                steps += 1
                saver.step({"loss": loss.item()})
                if steps % 50 == 0:
                    with suppress(IndexError, RuntimeError, ValueError):
                        F.cross_entropy(model(x), y + 99).backward()
                    with suppress(RuntimeError):
                        model(x.reshape(-1, 1, 6, 24))
                yield steps
            model.eval()
            with genesis.no_grad():
                model(x).argmax(1)
            model.train()
            state = {
                "model": model.state_dict(),
                "optimizer": optimizer.state_dict(),
                "scheduler": scheduler.state_dict(),
            }
            genesis.save(state, folder / "last.pth")
            thread = threading.Thread(target=genesis.save, args=(state, folder / "thread.pth"))
            thread.start()
            thread.join()
            state = genesis.load(folder / "last.pth")
            model.load_state_dict(state["model"])
            optimizer.load_state_dict(state["optimizer"])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--steps", type=int, help="instead of minutes; the process may be stopped meanwhile")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    if not os.path.isdir("/proc/self/fd"):
        print("needs the /proc of Linux")
        return 2
    start, seconds = time.monotonic(), options.minutes * 60
    early: list[Reading] = []
    late: list[Reading] = []
    step = 0
    with tempfile.TemporaryDirectory() as folder:
        due = 0.0
        for step in training(Path(folder), options.workers):
            now = time.monotonic()
            if step <= WARM:
                start = now
                continue
            part = (step - WARM) / options.steps if options.steps else (now - start) / seconds
            if part < due:
                continue
            due = part + (1 / 60 if options.steps else max(1.0, seconds / 60) / seconds)
            gc.collect()
            found = reading()
            print(f"{now - start:6.0f} s, step {step}: {found}", flush=True)
            if 0.1 < part <= 0.4:
                early.append(found)
            elif part > 0.7:
                late.append(found)
            if part >= 1:
                break
    before = Reading(*(max(getattr(r, name) for r in early) for name in Reading._fields))
    after = Reading(*(min(getattr(r, name) for r in late) for name in Reading._fields))
    growth = Reading(*(b - a for a, b in zip(before, after, strict=True)))
    bad = (
        growth.memory > MEMORY
        or growth.objects > 2_000
        or max(growth.files, growth.threads, growth.children) > 0
    )
    print(f"{step} steps in {time.monotonic() - start:.0f} s; most of the early readings: {before}")
    print(f"least of the late readings: {after}; growth: {growth}: {'IT GROWS' if bad else 'flat'}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
