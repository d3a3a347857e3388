"""Loops over vectors ask for memory ahead: once for each place, and as written where it is written."""

from __future__ import annotations

import numpy as np
import pytest
from llvmlite import binding

import genesis
from genesis_cpu import _numba
from genesis_cpu._ahead import asks_ahead
from genesis_cpu._cache import build, source
from genesis_cpu.fused import optimizer

LOOP = """
define void @scale(ptr %x, ptr %y, i64 %n) {
entry:
  br label %vector.body

vector.body:                                      ; preds = %vector.body, %entry
  %i = phi i64 [ 0, %entry ], [ %next, %vector.body ]
  %from = getelementptr float, ptr %x, i64 %i
  %to = getelementptr float, ptr %y, i64 %i
  %wide.load = load <8 x float>, ptr %from, align 4
  %old = load <8 x float>, ptr %to, align 4
  %sum = fadd <8 x float> %wide.load, %old
  store <8 x float> %sum, ptr %to, align 4
  %next = add i64 %i, 8
  %done = icmp eq i64 %next, %n
  br i1 %done, label %out, label %vector.body

out:                                              ; preds = %vector.body
  %last = load <8 x float>, ptr %y, align 4
  store <8 x float> %last, ptr %x, align 4
  ret void
}
"""


def test_each_place_of_a_loop_once_and_nothing_outside() -> None:
    text = asks_ahead(LOOP)
    binding.parse_assembly(text).verify()
    asked = [line for line in text.splitlines() if "call void @llvm.prefetch" in line]
    assert [line.split("i32 ")[1][0] for line in asked] == ["0", "1"]  # x is read, y is written
    assert "ptr %from, i64 2048" in text
    assert "ptr %to, i64 2048" in text


def test_a_module_without_such_loops_stays_as_it_is() -> None:
    text = LOOP.replace("vector.body", "body")
    assert asks_ahead(text) == text


@pytest.mark.parametrize("n", [2048, 2063, 2064, 2065, 100_003])
def test_what_is_asked_for_may_be_behind_the_end(n: int) -> None:
    x = genesis.arange(float(n))
    assert (x * 2 + 1).tolist() == (np.arange(n, dtype=np.float32) * 2 + 1).tolist()


def test_llvm_calls_its_loops_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version may name them otherwise; then nothing would be asked, and nothing would say so."""
    seen: list[str] = []
    monkeypatch.setattr(_numba, "asks_ahead", lambda text: (seen.append(asks_ahead(text)), seen[-1])[1])
    text = source(optimizer._adam, real="float32", reals="float32_pointer")
    _numba.object_code(build(text, "_adam"), "loop")
    asked = [line for line in seen[0].splitlines() if "call void @llvm.prefetch" in line]
    assert {line.split("i32 ")[1][0] for line in asked} == {"0", "1"}
