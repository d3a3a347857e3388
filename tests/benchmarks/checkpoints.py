"""How much of a training's time saving takes: the same steps with a checkpoint every so often, and without.

Stretches of ``--every`` steps with one save and without take turns; the share is the median of their ratios,
less one. What a save takes by itself is measured, too, with nothing beside it.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import time
from typing import Any

import genesis
from genesis import nn, optim
from genesis.checkpoint import Checkpointer

#: name -> widths of a perceptron, and its batch
MODELS = {
    "0.2 M": ((784, 256, 10), 64),
    "2 M": ((784, 1024, 1024, 10), 128),
    "13 M": ((2048, 2048, 2048, 2048, 10), 128),
}


class Run:
    """A training whose data are always the same."""

    def __init__(self, name: str, background: bool, folder: str) -> None:
        widths, batch = MODELS[name]
        layers: list[Any] = []
        for before, after in itertools.pairwise(widths):
            layers += [nn.Linear(before, after), nn.ReLU()]
        self.model = nn.Sequential(*layers[:-1])
        self.optimizer = optim.AdamW(self.model.parameters())
        self.x, self.y = genesis.randn(batch, widths[0]), genesis.randint(0, 10, (batch,))
        self.checkpointer = Checkpointer(
            folder, keep=1, background=background, model=self.model, optimizer=self.optimizer
        )

    def stretch(self, steps: int, save: bool) -> tuple[float, float]:
        """Seconds that some steps take, and those that the first call of `save` took of them."""
        self.checkpointer.wait()
        began = time.perf_counter()
        if save:
            self.checkpointer.global_step += 1
            self.checkpointer.save()
        saved = time.perf_counter() - began
        for _ in range(steps):
            self.optimizer.zero_grad()
            nn.functional.cross_entropy(self.model(self.x), self.y).backward()
            self.optimizer.step()
        return time.perf_counter() - began, saved

    def alone(self) -> float:
        """Seconds until a save is on the disk when nothing else is done."""
        self.checkpointer.wait()
        began = time.perf_counter()
        self.checkpointer.save()
        self.checkpointer.wait()
        return time.perf_counter() - began


def measure(name: str, every: int, background: bool, seconds: float) -> str:
    with tempfile.TemporaryDirectory() as folder:
        run = Run(name, background, folder)
        run.stretch(5, True)
        run.stretch(5, True)
        ratios, plain, calls = [], [], []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or len(ratios) < 3:
            times = {}
            for save in (True, False) if len(ratios) % 2 else (False, True):
                times[save], call = run.stretch(every, save)
                if save:
                    calls.append(call)
            ratios.append(times[True] / times[False] - 1)
            plain.append(times[False] / every)
        alone = statistics.median(run.alone() for _ in range(3))
        run.checkpointer.close()
        size = sum(p.numel() for p in run.model.parameters()) * 12 / 1e6
    share = statistics.median(ratios)
    return (
        f"| {name} | {size:.0f} MB | {1e3 * statistics.median(plain):.2f} ms | {every} | "
        f"{'in the background' if background else 'at once'} | {1e3 * statistics.median(calls):.1f} ms | "
        f"{1e3 * alone:.0f} ms | {share:.1%} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=list(MODELS), metavar="MODEL", help=", ".join(MODELS))
    parser.add_argument("--every", type=int, default=100, help="steps from save to save")
    parser.add_argument("--seconds", type=float, default=15, help="for each line")
    parser.add_argument("--at-once", action="store_true", help="without the background, too")
    given = parser.parse_args()
    print(
        "| parameters | state | step | saved every | how | `save()` takes | written after | share of time |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name in given.models:
        for background in (True, False) if given.at_once else (True,):
            print(measure(name, given.every, background, given.seconds), flush=True)


if __name__ == "__main__":
    main()
