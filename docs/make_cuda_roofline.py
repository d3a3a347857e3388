"""Writes into docs/backends/cuda.md what bounds its kernels: the least time that they can take on an H100.

    python docs/make_cuda_roofline.py
    python docs/make_cuda_roofline.py --check     # fails when the page is another one

For each kernel: how many bytes it has to move between memory and the GPU, how many operations it does, and
how many bytes come from shared memory, each as a formula of its sizes. The least time is that of the slowest
of the three. Nothing here was measured.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).parent / "backends" / "cuda.md"
BEGIN, END = "<!-- made by docs/make_cuda_roofline.py: begin -->", "<!-- end -->"

MEMORY = 3.35e12  # bytes a second: HBM3 of an H100 SXM
PEAK = {"float32": 67e12, "float64": 34e12}  # operations a second, without tensor cores
PROCESSORS, CLOCK = 132, 1.755e9
SHARED = PROCESSORS * 128 * CLOCK  # bytes a second: each multiprocessor reads 128 bytes a clock
CACHE = 50 << 20  # bytes of L2
LAUNCH = 3e-6  # seconds from one launch to the next in a stream
FUNCTION = 10  # operations of exp, log, erf, tanh of float32: their sequences have 8 to 20
REAL, INDEX = 4, 8  # bytes of float32 and int64


class Case(NamedTuple):
    """A kernel at one size.

    Attributes:
        kernel: what people know it by.
        size: in words.
        count: elements that the next three are of.
        moved: bytes to and from memory; what a second pass finds in L2 or in a cache is not counted.
        operations: additions and multiplications, and ``FUNCTION`` for each function.
        shared: bytes read from shared memory.
        launches: how many of them.
        real: the type that is computed in.
    """

    kernel: str
    size: str
    count: int
    moved: float
    operations: float
    shared: float = 0
    launches: int = 1
    real: str = "float32"

    def times(self) -> dict[str, float]:
        """Seconds that each resource takes."""
        return {
            "memory": self.count * self.moved / MEMORY,
            "arithmetic": self.count * self.operations / PEAK[self.real],
            "shared memory": self.count * self.shared / SHARED,
            "launches": self.launches * LAUNCH,
        }


def merges(n: int, run: int = 1024) -> int:
    """Passes that merge sorted runs."""
    return max(0, (-(-n // run) - 1).bit_length())


def product(name: str, m: int, n: int, k: int, tile: int, each: int, moved: int) -> Case:
    """A product by tiles: a thread with ``each`` by ``each`` results reads 2 ``each`` numbers for each k."""
    shared = 2 * each * REAL / (each * each)
    size = f"({m}, {k}) by ({k}, {n}), tiles of {tile}"
    return Case(name, size, m * n, moved / (m * n), 2 * k, shared * k)


def attention(name: str, length: int, width: int, heads: int, products: int, rows: int) -> Case:
    """Queries by keys of a tile: ``rows`` + 1 numbers of shared memory for ``rows`` multiplications."""
    per_row = products * 2 * length * width + FUNCTION * length
    shared = products * length * width * (rows + 1) / rows * REAL
    moved = 4 * width * REAL
    return Case(name, f"{heads} heads, {length} rows of {width}", heads * length, moved, per_row, shared)


N, ROWS, WIDE = 1 << 26, 8192, 4096
ROW = f"{ROWS} rows of {WIDE}"
BATCH, CHANNELS, SIDE = 64, 64, 56
IMAGES = BATCH * CHANNELS * SIDE * SIDE
PICTURES = f"({BATCH}, {CHANNELS}, {SIDE}, {SIDE})"


def cases() -> list[Case]:
    """All of them, in the order of the page."""
    taps, places = 9 * CHANNELS, BATCH * SIDE * SIDE
    image_bytes = 2 * IMAGES * REAL + CHANNELS * taps * REAL
    rounds = 10 * 8 / 4  # of Philox, for one of four numbers
    return [
        Case("a + b", "2^26", N, 3 * REAL, 1),
        Case("gelu", "2^26", N, 2 * REAL, 5 + FUNCTION),
        Case("a + b", "1000", 1000, 3 * REAL, 1),
        Case("uniform numbers", "2^26", N, REAL, rounds),
        Case("dropout", "2^26", N, 2 * REAL, rounds + 2),
        Case("sum", "2^26, added up in float64", N, REAL, 1, launches=2, real="float64"),
        Case("softmax", ROW, ROWS * WIDE, 2 * REAL, 4 + 2 * FUNCTION),
        Case("softmax, gradient", ROW, ROWS * WIDE, 3 * REAL, 4),
        Case("cross_entropy", ROW, ROWS * WIDE, REAL, 3 + FUNCTION, launches=2),
        Case("cross_entropy, gradient", ROW, ROWS * WIDE, 2 * REAL, 3 + FUNCTION),
        Case("layer_norm", ROW, ROWS * WIDE, 2 * REAL, 8),
        Case("layer_norm, gradients", ROW, ROWS * WIDE, 5 * REAL, 16, launches=3),
        Case("batch_norm, training", PICTURES, IMAGES, 3 * REAL, 9, launches=3),
        Case("batch_norm, gradients", PICTURES, IMAGES, 5 * REAL, 10, launches=3),
        Case("max_pool of 2 by 2", PICTURES, IMAGES // 4, 5 * REAL + INDEX, 4),
        Case("embedding", "2^16 rows of 1024", 1 << 26, 2 * REAL + INDEX / 1024, 0),
        Case("Adam", "2^26 parameters", N, 7 * REAL, 14 + FUNCTION),
        Case("SGD with momentum", "2^26 parameters", N, 5 * REAL, 4),
        Case("norm of all gradients", "2^26 parameters", N, REAL, 2, launches=2, real="float64"),
        Case("cumsum", "2^26, one line", N, 4 * REAL, 2, launches=3, real="float64"),
        Case("cumsum", ROW, ROWS * WIDE, 2 * REAL, 1, real="float64"),
        Case("cummax", ROW, ROWS * WIDE, 6 * REAL + 4 * INDEX, 4, launches=4, real="float64"),
        Case("logcumsumexp", ROW, ROWS * WIDE, 2 * REAL, 12 * 2 * FUNCTION, real="float64"),
        Case(
            "unique", "2^24", 1 << 24, (1 + merges(1 << 24)) * 2 * (REAL + INDEX) + 3 * REAL + 3, 55 * 4,
            55 * 2 * (REAL + INDEX), 7 + merges(1 << 24),
        ),
        Case(
            "sort", "2^24", 1 << 24, (1 + merges(1 << 24)) * 2 * (REAL + INDEX), 55 * 4,
            55 * 2 * (REAL + INDEX), 1 + merges(1 << 24),
        ),
        Case("topk, k = 50", "2^24", 1 << 24, REAL * (1 + 3 * 50 / 1024), 55 * 4, 55 * 2 * (REAL + INDEX), 4),
        Case("nonzero", "2^26 bool, half of them", N, 2 + 0.5 * INDEX, 4, launches=4),
        Case("relu of x W + b, after the product", "2^26", N, 2 * REAL, 2),
        product("our own matmul", 4096, 4096, 4096, 16, 1, 3 * 4096 * 4096 * REAL),
        product("convolution of 3 by 3", CHANNELS, places, taps, 64, 4, image_bytes),
        product("convolution, gradient of x", CHANNELS, places, taps, 64, 4, image_bytes),
        product("convolution, gradient of the weight", CHANNELS, taps, places, 64, 4, image_bytes),
        attention("attention", 1024, 64, 128, 2, 2),
        attention("attention, gradients", 1024, 64, 128, 7, 1),
    ]  # fmt: skip


def amount(seconds: float) -> str:
    return f"{1e3 * seconds:.2f} ms" if seconds >= 1e-3 else f"{1e6 * seconds:.1f} µs"


def section() -> str:
    """The text between the marks."""
    ridge = PEAK["float32"] / MEMORY
    memory, shared = (f"{speed / 1e12:.2f} TB/s" for speed in (MEMORY, SHARED))
    wide, double = (f"{PEAK[name] / 1e12:.0f}" for name in ("float32", "float64"))
    lines = [
        f"An H100 moves {memory} to and from memory, reads {shared} from shared memory, and does {wide}",
        f"TFLOP/s in float32 and {double} in float64; so below {ridge:.0f} operations for a byte memory",
        f"decides. A launch costs about {1e6 * LAUNCH:.0f} µs, in which memory moves",
        f"{LAUNCH * MEMORY / 1e6:.0f} MB. What a second pass over a row finds in L2 ({CACHE >> 20} MiB) or a",
        "cache is not counted. Nothing in this table was measured: it is what the kernels are for, and the",
        "least time that they can take.",
        "",
        "| kernel | size | bytes | operations | for a byte | bound by | least time | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for case in cases():
        times = case.times()
        bound = max(times, key=lambda name: times[name])
        seconds = times[bound]
        each, unit = (
            (case.operations, "TFLOP/s") if bound in ("arithmetic", "shared memory") else (case.moved, "TB/s")
        )
        reached = f"{case.count * each / 1e12 / seconds:.1f} {unit}"
        moved, operations = (f"{x:.3g}" for x in (case.moved, case.operations))
        intensity = f"{case.operations / case.moved:.2g}" if case.operations < 100 * case.moved else "> 100"
        lines.append(
            f"| {case.kernel} | {case.size} | {moved} | {operations} | {intensity} | {bound} | "
            f"{amount(seconds)} | {reached} |"
        )
    return "\n".join(lines)


def written(page: str) -> str:
    """The page with the section as it should be."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{section()}\n{END}{tail}"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only say whether the page is current")
    check = parser.parse_args().check
    page = PAGE.read_text()
    if not check:
        PAGE.write_text(written(page))
    elif written(page) != page:
        print("docs/backends/cuda.md: run python docs/make_cuda_roofline.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
