"""What this processor has, known without a compiler."""

from __future__ import annotations

from functools import cache

#: bytes of a vector of ``_panels`` and ``_gemm``; where registers are shorter, it is several
BYTES = 64
#: the squares that ``_tile.turn`` transposes have so many rows: of 32 bytes each
EDGES = {"float32": 8, "float64": 4}
#: bytes of the left factor of a product that pass by one panel, so that they stay in the second cache
LEFT = 512 << 10
#: the memory for a copy of so many, with what is written behind them
BEHIND = 128
ROOM = LEFT + BEHIND


@cache
def wide() -> bool:
    """Whether registers hold 64 bytes, and there are 32 of them: AVX-512."""
    from llvmlite import binding

    return bool(binding.get_host_cpu_features().get("avx512f"))


@cache
def converts_halves() -> bool:
    """Whether there are instructions that make float32 of float16, and back."""
    from llvmlite import binding

    arm = binding.get_process_triple().startswith(("aarch64", "arm64"))
    return arm or bool(binding.get_host_cpu_features().get("f16c"))


def vectors() -> int:
    """How many vectors a panel is wide."""
    return 2 if wide() else 1


def width(itemsize: int) -> int:
    """Columns of a panel."""
    return vectors() * BYTES // itemsize
