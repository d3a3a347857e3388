"""Time of pooling and normalization, forward and backward, beside torch's: medians of alternating calls.

    python tests/benchmarks/layers.py            # all cases
    python tests/benchmarks/layers.py --quick    # small ones, once: only that it runs

Both run in one process, in turn, on the same number of threads; the ratio is what counts.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

Call = Callable[[Any, Any], Any]

CASES: dict[str, tuple[tuple[int, ...], Call]] = {
    "max_pool2d k2 (64,32,26,26)": ((64, 32, 26, 26), lambda F, x: F.max_pool2d(x, 2)),
    "max_pool2d k2 (64,64,24,24)": ((64, 64, 24, 24), lambda F, x: F.max_pool2d(x, 2)),
    "max_pool2d k3 s2 p1 (128,64,16,16)": ((128, 64, 16, 16), lambda F, x: F.max_pool2d(x, 3, 2, 1)),
    "max_pool2d k3 s2 p1 (8,64,112,112)": ((8, 64, 112, 112), lambda F, x: F.max_pool2d(x, 3, 2, 1)),
    "avg_pool2d k2 (64,32,26,26)": ((64, 32, 26, 26), lambda F, x: F.avg_pool2d(x, 2)),
    "avg_pool2d k3 s1 p1 (64,32,16,16)": ((64, 32, 16, 16), lambda F, x: F.avg_pool2d(x, 3, 1, 1)),
    "adaptive_avg_pool2d 1 (128,256,8,8)": ((128, 256, 8, 8), lambda F, x: F.adaptive_avg_pool2d(x, 1)),
    "adaptive_avg_pool2d 7 (8,256,15,15)": ((8, 256, 15, 15), lambda F, x: F.adaptive_avg_pool2d(x, 7)),
    "max_pool1d k2 (32,64,500)": ((32, 64, 500), lambda F, x: F.max_pool1d(x, 2)),
    "batch_norm (64,32,26,26)": (
        (64, 32, 26, 26),
        lambda F, x: F.batch_norm(x, *running(F, x), training=True),
    ),
    "batch_norm (128,64,16,16)": (
        (128, 64, 16, 16),
        lambda F, x: F.batch_norm(x, *running(F, x), training=True),
    ),
    "batch_norm (512,256)": ((512, 256), lambda F, x: F.batch_norm(x, *running(F, x), training=True)),
    "batch_norm evaluation (64,32,26,26)": ((64, 32, 26, 26), lambda F, x: F.batch_norm(x, *running(F, x))),
    "group_norm 8 (64,32,26,26)": ((64, 32, 26, 26), lambda F, x: F.group_norm(x, 8, *running(F, x)[2:])),
    "group_norm 32 (16,256,8,8)": ((16, 256, 8, 8), lambda F, x: F.group_norm(x, 32, *running(F, x)[2:])),
    "rms_norm (4096,768)": ((4096, 768), lambda F, x: F.rms_norm(x, (768,), running(F, x)[2])),
    "rms_norm (768,128)": ((768, 128), lambda F, x: F.rms_norm(x, (128,), running(F, x)[2])),
}
QUICK = {
    "max_pool2d k2": ((2, 3, 8, 8), lambda F, x: F.max_pool2d(x, 2)),
    "batch_norm": ((4, 3, 5, 5), lambda F, x: F.batch_norm(x, *running(F, x), training=True)),
}

_made: dict[Any, Any] = {}


def running(F: Any, x: Any) -> tuple[Any, ...]:
    """Running mean and variance, weight and bias, made once for each library and number of channels."""
    key = (F.__name__, x.shape[1])
    if key not in _made:
        library = import_module(F.__name__.partition(".")[0])
        c = x.shape[1]
        _made[key] = (
            library.zeros(c),
            library.ones(c),
            library.ones(c).requires_grad_(),
            library.zeros(c).requires_grad_(),
        )
    return _made[key]  # type: ignore[no-any-return]


class Side:
    """One library with one case."""

    def __init__(self, name: str, shape: tuple[int, ...], call: Call) -> None:
        library = import_module(name)
        self.F, self.call = import_module(f"{name}.nn.functional"), call
        host = np.random.default_rng(0).standard_normal(shape).astype("float32")
        self.wait = library.cpu.synchronize
        self.x = library.tensor(host).requires_grad_()
        self.seed = library.ones_like(self.forward()) * 0.5

    def forward(self) -> Any:
        return self.call(self.F, self.x)

    def times(self) -> tuple[float, float]:
        """Of the forward pass and of the backward pass, in microseconds."""
        start = time.perf_counter()
        out = self.forward()
        self.wait()  # what Genesis computes may go on when a call returns
        middle = time.perf_counter()
        out.backward(self.seed)
        self.wait()
        end = time.perf_counter()
        self.x.grad = None
        return (middle - start) * 1e6, (end - middle) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small cases, a few calls")
    parser.add_argument("--only", default="", help="cases whose name contains this text")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long to time each case")
    options = parser.parse_args()
    names = ["genesis"] + (["torch"] if importlib.util.find_spec("torch") else [])
    if "torch" in names:
        import_module("torch").set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "0")) or os.cpu_count())
    print(
        f"{'median microseconds':38}"
        + "".join(f"{n + ' ' + p:>18}" for p in ("forward", "backward") for n in names)
    )
    for case, (shape, call) in (QUICK if options.quick else CASES).items():
        if options.only not in case:
            continue
        sides = [Side(n, shape, call) for n in names]
        taken: list[list[tuple[float, float]]] = [[] for _ in sides]
        for side in sides:
            side.times()
        end = time.perf_counter() + (0.0 if options.quick else options.seconds)
        while time.perf_counter() < end or len(taken[0]) < 5:
            for side, list_ in zip(sides, taken, strict=True):
                list_.append(side.times())
        medians = [[statistics.median(t[i] for t in list_) for list_ in taken] for i in (0, 1)]
        text = "".join(f"{m:18.1f}" for pair in medians for m in pair)
        ratios = "  ".join(f"{pair[0] / pair[1]:6.2f}" for pair in medians) if len(names) > 1 else ""
        print(f"{case:38}{text}   ratio {ratios}", flush=True)


if __name__ == "__main__":
    main()
