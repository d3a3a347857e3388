"""What a step of a schedule costs beside PyTorch's LambdaLR, and how long previews take.

    python tests/benchmarks/schedules.py [--quick]

Every scheduler drives a torch.optim.SGD with two parameter groups. They take turns, so that what else the
machine does meets all of them; the figures are medians, the ratios are to PyTorch's LambdaLR.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch.optim import lr_scheduler as peer

from genesis import optim


def optimizer() -> Any:
    """Two groups, as a body and a head have."""
    first, second = (torch.nn.Parameter(torch.zeros(1)) for _ in range(2))
    return torch.optim.SGD([{"params": [first]}, {"params": [second], "lr": 0.01}], lr=0.1)


def decay(step: int) -> float:
    return 0.95**step


def four(module: Any, sgd: Any) -> list[Any]:
    """Four schedulers to compose."""
    gammas = (0.99, 0.999, 0.98)
    return [module.LambdaLR(sgd, decay), *(module.ExponentialLR(sgd, gamma) for gamma in gammas)]


def composed() -> optim.Schedule:
    """A composition of four schedules."""
    warmup = optim.Linear(5, start_factor=0.0, end_factor=1.0)
    return warmup.then(optim.Cosine(10_000)) * optim.Exponential(0.999) * optim.Step(100, 0.9)


def schedulers() -> dict[str, Any]:
    chained, sequence, theirs = optimizer(), optimizer(), optimizer()
    return {
        "torch LambdaLR": peer.LambdaLR(optimizer(), decay),
        "torch ChainedScheduler of four": peer.ChainedScheduler(four(peer, theirs)),
        "LambdaLR": optim.LambdaLR(optimizer(), decay),
        "cosine with warmup": optim.get_cosine_schedule_with_warmup(optimizer(), 100, 100_000),
        "CosineAnnealingLR": optim.CosineAnnealingLR(optimizer(), 10_000),
        "ParamScheduler, a composition of four": optim.ParamScheduler(optimizer(), composed()),
        "ChainedScheduler of four": optim.ChainedScheduler(four(optim, chained)),
        "SequentialLR of four": optim.SequentialLR(sequence, four(optim, sequence), [1000, 2000, 3000]),
    }


def seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def step_times(rounds: int, steps: int) -> dict[str, float]:
    """The median time of a step of each, in microseconds."""
    times: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, scheduler in schedulers().items():

            def many(scheduler: Any = scheduler) -> None:
                for _ in range(steps):
                    scheduler.step()

            scheduler.step()
            times.setdefault(name, []).append(seconds(many) / steps * 1e6)
    return {name: statistics.median(each) for name, each in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few repetitions: shows that it runs")
    quick = parser.parse_args().quick
    warnings.simplefilter("ignore")  # the optimizers take no steps here

    times = step_times(rounds=3 if quick else 25, steps=100 if quick else 1000)
    print(f"{'scheduler.step()':40} {'us':>7} {'ratio':>6}")
    for name, each in times.items():
        print(f"{name:40} {each:7.2f} {each / times['torch LambdaLR']:6.2f}")

    print(f"\n{'preview of 1,000,000 steps, 2 groups':40} {'ms':>7}")
    for name, scheduler in schedulers().items():
        if hasattr(scheduler, "preview"):
            best = min(seconds(lambda s=scheduler: s.preview(10**6)) for _ in range(1 if quick else 5))
            print(f"{name:40} {best * 1e3:7.1f}")


if __name__ == "__main__":
    main()
