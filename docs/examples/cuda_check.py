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
            for recipe in ("digits", "fashion-mnist", "shakespeare"):
                words = ["train", recipe, "--device", "cuda", "--epochs", "1", "--out", f"{folder}/{recipe}"]
                fine &= command(lines, "-c", f"from genesis.cli import main; main({words})")
    section(lines, "Time, in float32")
    speed(lines)
    section(lines, "Memory")
    lines += [f"- {name}: {value}" for name, value in genesis.cuda.memory_stats().items()]
    options.out.write_text("\n".join(lines) + "\n")
    print(f"{options.out}: {'all that was asked is right' if fine else 'SOMETHING FAILED, see there'}")
    return 0 if fine else 1


if __name__ == "__main__":
    raise SystemExit(main())
