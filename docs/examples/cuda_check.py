"""What to run first on a GPU: does the device `cuda` work there, and how fast is it?

    pip install "genesis-dl[cuda,test]"
    python docs/examples/cuda_check.py            # writes cuda-report.md
    python docs/examples/cuda_check.py --quick    # without the long suite

With PyTorch installed, times are compared with it. The report says what was found, what failed and how long
things took; send it along with a bug report.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata, util
from pathlib import Path
from typing import Any


def section(lines: list[str], title: str) -> None:
    print(f"== {title}", flush=True)
    lines += ["", f"## {title}", ""]


def machine(lines: list[str]) -> None:
    import genesis

    backend = genesis.device("cuda").backend
    for i in range(genesis.cuda.device_count()):
        known = backend.properties(i)
        architecture = "".join(map(str, known["capability"]))
        size = f"{known['total_memory'] / 2**30:.1f} GiB, {known['multi_processor_count']} multiprocessors"
        lines.append(f"- cuda:{i}: {known['name']}, sm_{architecture}, {size}")
    names = ("genesis-dl", "numba", "numba-cuda", "cuda-bindings", "nvidia-nvvm", "nvmath-python", "torch")
    for name in names:
        try:
            lines.append(f"- {name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            lines.append(f"- {name}: not installed")
    lines.append(f"- Python {platform.python_version()}, {platform.platform()}")


def command(lines: list[str], *args: str) -> bool:
    """Run it, and keep the end of what it says."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, *args], capture_output=True, text=True)
    seconds = time.perf_counter() - start
    end = (done.stdout + done.stderr).strip().splitlines()[-40 if done.returncode else -3 :]
    lines += [f"`{' '.join(args)}`: {'ok' if done.returncode == 0 else 'FAILED'}, {seconds:.0f} s", ""]
    lines += ["```text", *end, "```", ""]
    return done.returncode == 0


RECIPES = ("digits", "fashion-mnist", "shakespeare")
KIT = """
from genesis.testing import check_backend
bad = []
checks = check_backend("cuda")
for check in checks:
    try:
        check()
    except Exception as error:
        bad.append(f"{check.name}: {type(error).__name__}: {error}")
print("\\n".join(bad))
print(f"{len(checks) - len(bad)} of {len(checks)} checks pass")
raise SystemExit(bool(bad))
"""


def median(run: Callable[[], Any], wait: Callable[[], Any]) -> float:
    """Seconds of one call, by groups of calls: the device works while Python goes on."""
    for _ in range(3):
        run()
    wait()
    found = []
    for _ in range(7):
        start = time.perf_counter()
        for _ in range(10):
            run()
        wait()
        found.append((time.perf_counter() - start) / 10)
    return statistics.median(found)


def speed(lines: list[str]) -> None:
    import genesis
    import genesis.nn.functional as F

    libraries: dict[str, tuple[Any, Any]] = {"genesis": (genesis, F)}
    if util.find_spec("torch") is not None:
        import torch

        if torch.cuda.is_available():
            libraries["torch"] = (torch, torch.nn.functional)
    cases: dict[str, Callable[[Any, Any], Callable[[], Any]]] = {
        "a + b, 2^26 elements (0.75 GiB of traffic)": lambda t, f: _of(t, lambda a: a + a, 1 << 26),
        "gelu, 2^25": lambda t, f: _of(t, f.gelu, 1 << 25),
        "sum, 2^26": lambda t, f: _of(t, lambda a: a.sum(), 1 << 26),
        "softmax, 8192 x 4096": lambda t, f: _of(t, lambda a: f.softmax(a, -1), 8192, 4096),
        "layer_norm, 8192 x 4096": lambda t, f: _of(t, lambda a: f.layer_norm(a, (4096,)), 8192, 4096),
        "matmul, 4096": lambda t, f: _of(t, lambda a: a @ a, 4096, 4096),
        "attention, 8 x 16 x 1024 x 64, causal": lambda t, f: _of(
            t, lambda a: f.scaled_dot_product_attention(a, a, a, is_causal=True), 8, 16, 1024, 64
        ),
        "softmax over channels, 64 x 256 x 56 x 56": lambda t, f: _of(
            t, lambda a: f.softmax(a, 1), 64, 256, 56, 56
        ),
        "conv2d 3 x 3, 64 x 64 x 56 x 56": lambda t, f: _convolution(t, f, 1, False),
        "the same, forward and backward": lambda t, f: _convolution(t, f, 1, True),
        "the same, a channel a group": lambda t, f: _convolution(t, f, 64, True),
        "batch_norm, forward and backward, 64 x 64 x 56 x 56": lambda t, f: _batch_norm(t, f),
        "max_pool2d of 3, 64 x 64 x 112 x 112": lambda t, f: _of(
            t, lambda a: f.max_pool2d(a, 3, 2, 1), 64, 64, 112, 112
        ),
        "cross_entropy of images, 8 x 32 x 512 x 512": lambda t, f: _loss_of_images(t, f),
        "cumsum of 2^24": lambda t, f: _of(t, lambda a: a.cumsum(0), 1 << 24),
        "sort of 2^22": lambda t, f: _of(t, lambda a: a.sort().values, 1 << 22),
        "sort of 8192 rows of 1000": lambda t, f: _of(t, lambda a: a.sort(-1).values, 8192, 1000),
        "topk, 50 of 2^22": lambda t, f: _of(t, lambda a: a.topk(50).values, 1 << 22),
        "a[a > 0], 2^24": lambda t, f: _of(t, lambda a: a[a > 0], 1 << 24),
        "one small addition, 1000 elements": lambda t, f: _of(t, lambda a: a + a, 1000),
        "a training step, MLP of 4096": lambda t, f: _step(t, f),
    }
    lines += [f"| ms | {' | '.join(libraries)} |", "|---|" + "---|" * len(libraries)]
    for name, make in cases.items():
        row = []
        for library, functions in libraries.values():
            run = make(library, functions)
            row.append(f"{1000 * median(run, library.cuda.synchronize):.3f}")
        lines.append(f"| {name} | {' | '.join(row)} |")
        print("  ", lines[-1], flush=True)


def _of(t: Any, function: Callable[[Any], Any], *shape: int) -> Callable[[], Any]:
    x = t.randn(*shape, device="cuda")

    def run() -> Any:
        with t.no_grad():
            return function(x)

    return run


def _convolution(t: Any, f: Any, groups: int, backward: bool) -> Callable[[], Any]:
    x = t.randn(64, 64, 56, 56, device="cuda", requires_grad=backward)
    w = t.randn(64, 64 // groups, 3, 3, device="cuda", requires_grad=backward)
    return _with_gradients(lambda: f.conv2d(x, w, padding=1, groups=groups), backward)


def _batch_norm(t: Any, f: Any) -> Callable[[], Any]:
    x = t.randn(64, 64, 56, 56, device="cuda", requires_grad=True)
    w, b = (t.ones(64, device="cuda", requires_grad=True) for _ in range(2))
    return _with_gradients(lambda: f.batch_norm(x, None, None, w, b, training=True), True)


def _loss_of_images(t: Any, f: Any) -> Callable[[], Any]:
    x = t.randn(8, 32, 512, 512, device="cuda", requires_grad=True)
    y = t.zeros(8, 512, 512, dtype=t.int64, device="cuda")
    return _with_gradients(lambda: f.cross_entropy(x, y), True)


def _with_gradients(function: Callable[[], Any], backward: bool) -> Callable[[], Any]:
    def run() -> None:
        out = function()
        if backward:
            out.sum().backward()

    return run


def streams(lines: list[str]) -> None:
    """Do copies from pinned memory go on beside work, and does time pass between events?"""
    import genesis

    host = genesis.randn(1 << 26).pin_memory()
    work, copies = genesis.randn(4096, 4096, device="cuda"), genesis.cuda.Stream()

    def timed(function: Callable[[], Any]) -> float:
        function()
        start, end = (genesis.cuda.Event(enable_timing=True) for _ in range(2))
        genesis.cuda.synchronize()
        start.record()
        function()
        genesis.cuda.current_stream().wait_stream(copies)
        end.record()
        end.synchronize()
        return start.elapsed_time(end)

    def copy() -> None:
        with genesis.cuda.stream(copies):
            host.to("cuda", non_blocking=True)

    def multiply() -> None:
        for _ in range(10):
            work @ work

    def both() -> None:
        copy()
        multiply()

    found = {f.__name__: timed(f) for f in (copy, multiply, both)}
    lines += [f"- {name}: {ms:.2f} ms" for name, ms in found.items()]
    lines.append("- both should take little more than the longer one of the two")
    same = host.to("cuda", non_blocking=True)
    genesis.cuda.synchronize()
    lines.append(f"- what was copied is {'right' if (same.cpu() == host).all() else 'WRONG'}")


def _step(t: Any, f: Any) -> Callable[[], Any]:
    layers = [t.nn.Linear(4096, 4096), t.nn.GELU(), t.nn.Linear(4096, 1000)]
    model = t.nn.Sequential(*layers).to("cuda")
    optimizer = t.optim.AdamW(model.parameters(), lr=1e-3)
    x, y = t.randn(512, 4096, device="cuda"), t.zeros(512, dtype=t.int64, device="cuda")

    def run() -> None:
        optimizer.zero_grad()
        f.cross_entropy(model(x), y).backward()
        optimizer.step()

    return run


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="leave out the suite and the recipes")
    parser.add_argument("--out", type=Path, default=Path("cuda-report.md"))
    options = parser.parse_args()
    import genesis

    lines = ["# The device cuda on a GPU"]
    if not genesis.cuda.is_available():
        try:
            genesis.ones(1, device="cuda")
        except genesis.DeviceError as error:
            print(error)
        return 1
    section(lines, "The machine")
    machine(lines)
    section(lines, "The kit for devices")
    fine = command(lines, "-c", KIT)
    if not options.quick:
        section(lines, "The suite")
        fine &= command(
            lines, "-m", "pytest", "-q", "-p", "genesis.testing.pytest_plugin", "--genesis-device=cuda",
            "--pyargs", "genesis.testing.suite",
        )  # fmt: skip
        section(lines, "Recipes")
        with tempfile.TemporaryDirectory() as folder:
            for recipe in RECIPES:
                words = ["train", recipe, "--device", "cuda", "--epochs", "1", "--out", f"{folder}/{recipe}"]
                fine &= command(lines, "-c", f"from genesis.cli import main; main({words})")
    section(lines, "Time, in float32")
    speed(lines)
    section(lines, "Streams, events and pinned memory")
    streams(lines)
    section(lines, "Memory")
    lines += [f"- {name}: {value}" for name, value in genesis.cuda.memory_stats().items()]
    options.out.write_text("\n".join(lines) + "\n")
    print(f"{options.out}: {'all that was asked is right' if fine else 'SOMETHING FAILED, see there'}")
    return 0 if fine else 1


if __name__ == "__main__":
    raise SystemExit(main())
