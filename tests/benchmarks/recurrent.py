"""Time of a character model with recurrent layers beside torch's: the same step in turn, medians, ratios.

    python tests/benchmarks/recurrent.py            # all kinds and widths
    python tests/benchmarks/recurrent.py --quick    # small ones, a few steps: only that it runs

The model is an embedding, two recurrent layers and a linear layer; forward, loss and backward are timed.
Absolute times depend on the machine and on what else it does; the ratio of one run is what counts.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

VOCABULARY = 65


def step(
    framework: str, kind: str, width: int, length: int, batch: int, layers: int = 2
) -> Callable[[], Any]:
    """Forward and backward pass of the model on random text."""
    fw = import_module(framework)
    nn, functional = import_module(f"{framework}.nn"), import_module(f"{framework}.nn.functional")
    fw.manual_seed(0)
    embedding = nn.Embedding(VOCABULARY, width)
    recurrent = getattr(nn, kind)(width, width, 2)
    head = nn.Linear(width, VOCABULARY)
    model = nn.ModuleList([embedding, recurrent, head])
    x, y = (fw.randint(0, VOCABULARY, (length, batch)) for _ in range(2))

    def run() -> Any:
        output, _ = recurrent(embedding(x))
        loss = functional.cross_entropy(head(output).view(-1, VOCABULARY), y.view(-1))
        model.zero_grad()
        loss.backward()
        return loss

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small, a few steps")
    parser.add_argument("--only", default="", help="workloads whose name contains this text")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    rounds = 3 if options.quick else options.rounds
    frameworks = ["genesis"] + (["torch"] if importlib.util.find_spec("torch") else [])
    print(
        f"{'forward and backward, median ms':34}" + "".join(f"{f:>10}" for f in frameworks) + f"{'ratio':>8}"
    )
    sizes = [(16, 8, 4)] if options.quick else [(128, 100, 32), (256, 100, 32)]
    for kind in ("LSTM", "GRU", "RNN"):
        for width, length, batch in sizes:
            name = f"{kind} {width}, 2 layers, T{length}, batch {batch}"
            if options.only not in name:
                continue
            steps = [step(f, kind, width, length, batch) for f in frameworks]
            times: list[list[float]] = [[] for _ in steps]
            for i in range(rounds + 2):
                for run, found in zip(steps, times, strict=True):
                    start = time.perf_counter()
                    loss = float(run().item())
                    if i >= 2:
                        found.append(time.perf_counter() - start)
                    assert loss < 100
            medians = [statistics.median(found) * 1e3 for found in times]
            ratio = f"{medians[0] / medians[1]:8.2f}" if len(medians) > 1 else ""
            print(f"{name:34}" + "".join(f"{m:10.2f}" for m in medians) + ratio, flush=True)


if __name__ == "__main__":
    main()
