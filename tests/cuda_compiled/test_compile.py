"""Every kernel becomes machine code for three generations of GPUs, within limits of registers and memory."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from cuda_kernels import ARCHITECTURES, all_kernels, digests, least, map_kernel, resources, view
from numba import cuda

sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))
import make_cuda_kernels

from genesis.backend import arg
from genesis_cuda import _intrinsics
from genesis_cuda._kernel import Kernel

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


@pytest.mark.parametrize("real", ["float32", "float64"])
def test_a_product_and_a_sum_of_a_formula_are_rounded_one_by_one(real: str) -> None:
    """A GPU has one instruction for both, which compilers take where they are not told to leave it."""
    a, b = arg(0), arg(1)
    kernel = map_kernel(a * b + a, view(real), view(real), view(real))
    fused, product = (f"{name}.rn.f{real[5:]}" for name in ("fma", "mul"))

    def text(source: str) -> str:
        kernel = Kernel("map_kernel", source, parameters)
        found, _ = cuda.compile_ptx(kernel.function, _intrinsics.signature(parameters), cc=(9, 0))
        return str(found)

    parameters = kernel.parameters
    assert fused not in text(kernel.text)
    assert product in text(kernel.text)  # and not mul.f32, which the assembler may join with a sum
    assert fused in text(kernel.text.replace(f"times_{real}(x0, x1)", "x0 * x1"))
