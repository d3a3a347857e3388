"""Kernels on float16 and bfloat16 compile for GPUs, and convert by instructions."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import genesis
from genesis.backend import arg, call, cast

sys.path.insert(0, str(Path(__file__).parent))
from cuda_kernels import map_kernel, view


@pytest.mark.parametrize("half", ["float16", "bfloat16"])
@pytest.mark.parametrize("architecture", ["sm_80", "sm_90", "sm_100"])
def test_halves(half: str, architecture: str) -> None:
    kind = getattr(genesis, half)
    wide = cast(arg(0), genesis.float32)
    for expr, out, inputs in (
        (cast(arg(0), genesis.float32), "float32", [view(half)]),
        (cast(arg(0), kind), half, [view("float32")]),
        (cast(arg(0), kind), half, [view("int64")]),
        (cast(call("exp", wide) * cast(cast(arg(1), kind), genesis.float32), kind), half, [view(half), 2.5]),
        (call("lt", wide, cast(arg(1), genesis.float32)), "bool", [view(half), view(half)]),
    ):
        entry, code, _ = map_kernel(expr, view(out), *inputs).compile(architecture)
        assert code[:4] == b"\x7fELF"
        assert entry.encode() in code
