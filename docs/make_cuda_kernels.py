"""Writes docs/backends/cuda-kernels.md: what every kernel of the device `cuda` needs, for three GPUs.

    pip install -e ".[cuda-test]"                 # in an environment of its own
    python docs/make_cuda_kernels.py              # compiles what has changed; all of it takes some minutes
    python docs/make_cuda_kernels.py --check      # fails when a kernel has changed since; compiles nothing

The numbers are those of the assembler (registers, shared memory, spills); the occupancy follows from them.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import multiprocessing
import os
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "backends" / "cuda-kernels.md"
sys.path.insert(0, str(ROOT / "tests" / "cuda_compiled"))
os.environ.pop("NUMBA_ENABLE_CUDASIM", None)

HEAD = """\
# What the kernels of the device `cuda` need

Made by `python docs/make_cuda_kernels.py` from what the assembler says; `tests/cuda_compiled` fails when it
is not what the kernels are now. Compilers: {compilers}.

Of each kernel and type: registers of a thread, bytes of shared memory of a block, and the occupancy that they
allow: the part of a multiprocessor's 2048 threads that may be busy at once. {spills} What must be
held, and the exceptions with their reasons, stands in
[tests/cuda_compiled/cuda_kernels.py](../../tests/cuda_compiled/cuda_kernels.py).

{count} kernels. Occupancy of at least one half on all three: {half}; of three eighths: {less}; less: {least}.
"""


def compilers() -> str:
    """The versions that numbers depend on."""
    names = ("numba-cuda", "nvidia-nvvm", "nvidia-nvjitlink")
    return ", ".join(f"{name} {metadata.version(name)}" for name in names)


def measure(label: str) -> tuple[str, list[tuple[int, int, int, float]]]:
    import conftest  # noqa: F401 - compiling without a device
    from cuda_kernels import ARCHITECTURES, resources

    kernel = KERNELS[label]
    row = []
    for architecture in ARCHITECTURES:
        found = resources(kernel.compile(architecture)[2])
        row.append((*found, found.occupancy(architecture, kernel.threads)))
    return label, row


def prepare() -> None:
    global KERNELS
    from cuda_kernels import all_kernels

    KERNELS = all_kernels()


def kept() -> dict[str, str]:
    """The rows of the page as it is, by what their kernels were made of; none for other compilers."""
    page = PAGE.read_text() if PAGE.exists() else ""
    if compilers() not in page:
        return {}
    rows = [text for text in page.splitlines() if text.startswith("| ")][1:]
    return {text.rpartition(" | ")[2].rstrip(" |"): text for text in rows}


def write() -> None:
    from cuda_kernels import ARCHITECTURES, digests

    prepare()
    made, before = digests(KERNELS), kept()
    new = [label for label, of in made.items() if of not in before]
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count(), context, prepare) as pool:
        found = {label: line(label, row, made[label]) for label, row in pool.map(measure, new, chunksize=8)}
    lines = [found.get(label) or before[of] for label, of in made.items()]
    worst = [min(float(cell.split(", ")[2].rstrip("%")) for cell in cells(text)) for text in lines]
    spilled = [text.split(" | ")[0].strip("| ") for text in lines if "spilled" in text]
    head = HEAD.format(
        compilers=compilers(), count=len(lines), half=sum(w >= 50 for w in worst),
        less=sum(37.5 <= w < 50 for w in worst), least=sum(w < 37.5 for w in worst),
        spills=f"Registers are spilled by {', '.join(spilled)}." if spilled else "None spills registers.",
    )  # fmt: skip
    columns = [f"| kernel | {' | '.join(ARCHITECTURES)} | made of |", "|---|" + "---|" * 4]
    PAGE.write_text("\n".join([head, *columns, *lines]) + "\n")
    print(f"{PAGE}: {len(lines)} kernels, {len(new)} of them compiled")


def cells(text: str) -> list[str]:
    """What stands in a row for each architecture."""
    return text.split(" | ")[1:-1]


def line(label: str, row: list[tuple[int, int, int, float]], of: str) -> str:
    """The row of the table."""
    texts = [f"{r[0]}, {r[1]}, {r[3]:.1%}" + (f", {r[2]} spilled" if r[2] else "") for r in row]
    return f"| {label} | {' | '.join(texts)} | {of} |"


def stale() -> str:
    """What is wrong with the page, or nothing."""
    from cuda_kernels import all_kernels, digests

    page = PAGE.read_text()
    wrong = [label for label, of in digests(all_kernels()).items() if f" | {of} |" not in page]
    if not wrong:
        return ""
    return (
        f"{PAGE.relative_to(ROOT)} is not what {len(wrong)} kernels are now ({', '.join(wrong[:3])}, …): run "
        "python docs/make_cuda_kernels.py"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only say whether the page is current")
    if not parser.parse_args().check:
        write()
        return 0
    print(wrong := stale())
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
