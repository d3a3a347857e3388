"""Every kernel becomes machine code for three generations of GPUs, within limits of registers and memory."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from cuda_kernels import ARCHITECTURES, all_kernels, digests, least, resources

sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))
import make_cuda_kernels

KERNELS = all_kernels()
MADE_OF = digests(KERNELS)
PAGE = make_cuda_kernels.PAGE.read_text()


@pytest.mark.parametrize("label", KERNELS)
def test_compiles(label: str) -> None:
    kernel = KERNELS[label]
    row = []
    for architecture in ARCHITECTURES:
        entry, code, log = kernel.compile(architecture)
        assert code[:4] == b"\x7fELF"
        assert entry.encode() in code
        found = resources(log)
        assert found.registers, log
        assert not found.spilled, f"{architecture}: {log}"
        assert found.shared <= 48 << 10
        occupancy = found.occupancy(architecture, kernel.threads)
        assert occupancy >= least(label), f"{architecture}: {found.registers} registers"
        row.append((*found, occupancy))
    if make_cuda_kernels.compilers() in PAGE:  # others may need other registers
        assert make_cuda_kernels.line(label, row, MADE_OF[label]) in PAGE, (
            "run python docs/make_cuda_kernels.py"
        )


def test_the_page_is_current() -> None:
    assert not make_cuda_kernels.stale()
