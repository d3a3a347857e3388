"""Time of convolutions beside torch's, forward and backward: alternating processes, medians, ratios.

    python tests/benchmarks/convolutions.py             # all shapes
    python tests/benchmarks/convolutions.py --only 3x3  # those whose name contains this text
    python tests/benchmarks/convolutions.py --quick     # small ones, once: only that it runs
    python tests/benchmarks/convolutions.py --busy      # one thread, least time of the processor

Each framework has a process of its own, and one waits while the other works, so their pools of threads do
not meet.  A round times both, one right after the other; a ratio is the median of the rounds' ratios, so that
what else the machine does falls on both.  Where others work on the same cores, a step on two threads waits
for them; ``--busy`` counts what the processor did for one thread instead.  Backward is all three gradients,
where the input wants one.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import Any, NamedTuple

from processes import Worker, cores, environment, serve


class Case(NamedTuple):
    """Shapes of input and weight, options of the function, and whether the input wants a gradient."""

    x: tuple[int, ...]
    weight: tuple[int, ...]
    options: Mapping[str, Any] = MappingProxyType({})
    function: str = "conv2d"
    inner: bool = True

    @property
    def outs(self) -> int:
        if "transpose" in self.function:
            return self.weight[1] * int(self.options.get("groups", 1))
        return self.weight[0]

    @property
    def name(self) -> str:
        size = "x".join(map(str, self.x))
        kernel = "x".join(map(str, self.weight[2:]))
        more = "".join(f" {k[0]}{v}" for k, v in self.options.items())
        return f"{self.function.replace('conv_transpose', 'tconv')} {size} -> {self.outs}, {kernel}{more}"


CASES = [
    Case((64, 1, 28, 28), (32, 1, 3, 3), inner=False),
    Case((64, 1, 28, 28), (32, 1, 3, 3), {"padding": 1}, inner=False),
    Case((64, 32, 26, 26), (64, 32, 3, 3)),
    Case((64, 16, 14, 14), (32, 16, 5, 5), {"padding": 2}),
    Case((128, 3, 32, 32), (32, 3, 3, 3), {"padding": 1}, inner=False),
    Case((128, 64, 16, 16), (128, 64, 3, 3), {"padding": 1}),
    Case((128, 64, 16, 16), (128, 64, 3, 3), {"padding": 1, "stride": 2}),
    Case((32, 64, 56, 56), (64, 64, 3, 3), {"padding": 1}),
    Case((128, 256, 8, 8), (256, 256, 3, 3), {"padding": 1}),
    Case((64, 512, 4, 4), (512, 512, 3, 3), {"padding": 1}),
    Case((32, 20, 31, 33), (44, 20, 3, 3), {"padding": 1}),
    Case((64, 6, 14, 14), (16, 6, 5, 5)),
    Case((8, 3, 224, 224), (64, 3, 7, 7), {"stride": 2, "padding": 3}, inner=False),
    Case((32, 64, 28, 28), (256, 64, 1, 1)),
    Case((64, 256, 14, 14), (64, 256, 1, 1)),
    Case((64, 64, 28, 28), (128, 64, 1, 1), {"stride": 2}),
    Case((64, 64, 32, 32), (128, 64, 4, 4), {"stride": 2, "padding": 1}),
    Case((64, 128, 16, 16), (128, 64, 4, 4), {"stride": 2, "padding": 1}, "conv_transpose2d"),
    Case((64, 64, 32, 32), (64, 3, 4, 4), {"stride": 2, "padding": 1}, "conv_transpose2d"),
    Case((64, 100, 1, 1), (100, 256, 4, 4), {}, "conv_transpose2d"),
    Case((32, 64, 56, 56), (64, 1, 3, 3), {"padding": 1, "groups": 64}),
    Case((32, 128, 28, 28), (128, 1, 3, 3), {"padding": 1, "stride": 2, "groups": 128}),
    Case((64, 96, 14, 14), (96, 1, 5, 5), {"padding": 2, "groups": 96}),
    Case((32, 128, 14, 14), (128, 4, 3, 3), {"padding": 1, "groups": 32}),
    Case((32, 64, 128), (128, 64, 5), {}, "conv1d"),
    Case((16, 32, 1000), (64, 32, 9), {"stride": 2, "padding": 4}, "conv1d"),
    Case((4, 16, 16, 32, 32), (32, 16, 3, 3, 3), {"padding": 1}, "conv3d"),
]
QUICK = [Case((8, 1, 12, 12), (16, 1, 3, 3)), Case((2, 8, 9, 9), (8, 1, 3, 3), {"groups": 8})]


class Measure:
    """What a worker answers: the median times of forward, backward and both in milliseconds."""

    def __init__(self, framework: str) -> None:
        self.fw, self.functional = import_module(framework), import_module(f"{framework}.nn.functional")

    def __call__(self, number: int, seconds: float, quick: bool, busy: bool) -> list[float]:
        fw = self.fw
        clock = time.process_time if busy else time.perf_counter
        typical = min if busy else statistics.median
        case = (QUICK if quick else CASES)[number]
        x, weight, bias = fw.randn(*case.x), fw.randn(*case.weight), fw.randn(case.outs)
        inputs = [x, weight, bias] if case.inner else [weight, bias]
        for t in inputs:
            t.requires_grad_()
        function = getattr(self.functional, case.function)
        grad = fw.randn(*function(x, weight, bias, **case.options).shape)
        forward: list[float] = []
        backward: list[float] = []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or len(forward) < 3:
            for t in inputs:
                t.grad = None
            start = clock()
            out = function(x, weight, bias, **case.options)
            fw.cpu.synchronize()  # what Genesis computes may go on when a call returns
            middle = clock()
            out.backward(grad)
            fw.cpu.synchronize()
            stop = clock()
            forward.append(middle - start)
            backward.append(stop - middle)
        both = [f + b for f, b in zip(forward, backward, strict=True)]
        return [1e3 * typical(t) for t in (forward, backward, both)]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small shapes, one short round")
    parser.add_argument("--busy", action="store_true", help="one thread, least time of the processor")
    parser.add_argument("--only", default="", help="cases whose name contains this text")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.3, help="how long to time each process in a round")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        serve(Measure(options.worker))
        return
    cases: Sequence[Case] = QUICK if options.quick else CASES
    rounds, seconds = (1, 0.05) if options.quick else (options.rounds, options.seconds)
    frameworks = ["genesis"] + (["torch"] if importlib.util.find_spec("torch") else [])
    env = environment(1 if options.busy else cores())
    workers = [Worker(__file__, f, env) for f in frameworks]
    print(f"{'ms; genesis / torch':46}{'forward':>22}{'backward':>24}{'both':>8}")
    ratios = []
    for number, case in enumerate(cases):
        if options.only not in case.name:
            continue
        times = [
            [w.ask(number, seconds, options.quick, options.busy) for w in workers] for _ in range(rounds)
        ]
        line = f"{case.name:46}"
        for i in range(3):
            mine = statistics.median(t[0][i] for t in times)
            if len(workers) == 1:
                line += f"{mine:10.3f}"
                continue
            theirs = statistics.median(t[1][i] for t in times)
            ratio = statistics.median(t[0][i] / t[1][i] for t in times)
            line += f"{mine:9.3f}{theirs:9.3f}{ratio:6.2f}" if i < 2 else f"{ratio:8.2f}"
            if i == 2:
                ratios.append(ratio)
        print(line, flush=True)
    if ratios:
        print(f"geometric mean of the ratios, both: {statistics.geometric_mean(ratios):.2f}")
    for w in workers:
        w.close()


if __name__ == "__main__":
    main()
