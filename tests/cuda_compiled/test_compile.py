"""Every kernel becomes machine code for three generations of GPUs, within limits of registers and memory."""

from __future__ import annotations

import re

import pytest
from cuda_kernels import all_kernels

KERNELS = all_kernels()
ARCHITECTURES = ("sm_80", "sm_90", "sm_100")
REGISTERS = 65536  # of a multiprocessor, as many in all three generations
RESIDENT = 2048  # threads that it holds

#: label -> architecture -> (registers, bytes of shared memory, bytes spilled)
used: dict[str, dict[str, tuple[int, int, int]]] = {}


def number(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    return int(found[1]) if found else 0


def occupancy(registers: int, threads: int) -> float:
    """The part of a multiprocessor's threads that its registers allow, in whole blocks."""
    warps = -(-threads // 32)
    of_warp = -(-registers * 32 // 256) * 256
    blocks = min(RESIDENT // threads, REGISTERS // (of_warp * warps), 32)
    return blocks * threads / RESIDENT


def least(label: str) -> float:
    """Half for elementwise kernels, and for rows of float32.

    A quarter for products, attention and optimizers, which keep much in registers, for rows of float64, and
    for more elements than 32 bits can number.
    """
    if label.startswith("attention_backward_of_keys"):
        return 0.125  # two results in registers
    heavy = label.startswith(("attention", "matmul", "adam", "sgd", "update")) or label.endswith("wide")
    rows = not label.startswith(("map", "reduce", "gather", "scatter", "check"))
    return 0.25 if heavy or (rows and label.endswith("float64")) else 0.5


@pytest.mark.parametrize("label", KERNELS)
def test_compiles(label: str) -> None:
    kernel = KERNELS[label]
    for architecture in ARCHITECTURES:
        entry, code, log = kernel.compile(architecture)
        assert code[:4] == b"\x7fELF"
        assert entry.encode() in code
        registers, shared = number(r"Used (\d+) registers", log), number(r"(\d+) bytes smem", log)
        spilled = number(r"(\d+) bytes spill stores", log) + number(r"(\d+) bytes spill loads", log)
        assert registers, log
        assert not spilled, f"{architecture}: {log}"
        assert shared <= 48 << 10
        assert occupancy(registers, kernel.threads) >= least(label), f"{architecture}: {registers} registers"
