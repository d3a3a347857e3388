"""``update_step``: the rules of an ``Update`` as one loop, which walks all parameters laid end to end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from genesis.backend import Backend, View, scalar_source, topological
from genesis.ops import Update
from genesis_cpu._kernel import compile_text
from genesis_cpu.fused.optimizer import launch_step, tabulate
from genesis_cpu.kernels.map import weigh

_WALK = """\
def {name}(args, lo, hi):
    table, starts = int64_pointer(slot(args, 0)), int64_pointer(slot(args, 1))
    scales, options = float64_pointer(slot(args, 2)), float64_pointer(slot(args, 4))
    n = slot(args, 5)
    {common}
    t = 0
    while starts[t + 1] <= lo:
        t += 1
    at = lo
    while at < hi:
        a = at - starts[t]
        b = min(hi, starts[t + 1]) - starts[t]
        {own}
        for i in range(a, b):
            {element}
        at = starts[t] + b
        t += 1
"""


class _Loop:
    """The rules of an update for one type: the address of the kernel, and what an element costs."""

    def __init__(self, update: Update, dtype: Any) -> None:
        self.address = compile_text(_text(update, dtype), _NAME)
        self.weight = sum(weigh(expr) for expr in update.results.values()) + len(update.tensors)


_NAME = "update_kernel"
_loops: WeakKeyDictionary[Update, dict[str, _Loop]] = WeakKeyDictionary()


def update_step(backend: Backend, *lists: Sequence[View], update: Update, **numbers: Any) -> Any:
    """All rules of an update on all parameters, in one pass over each."""
    plan = tabulate(*lists)
    if plan is None:
        return NotImplemented
    dtype = lists[0][0].dtype
    loops = _loops.setdefault(update, {})
    loop = loops.get(dtype.name)
    if loop is None:
        loop = loops[dtype.name] = _Loop(update, dtype)
    common = [float(numbers[n]) for n in update.numbers if n not in update.each]
    scales: list[float] = []
    if update.each:
        for own in zip(*[numbers[n] for n in update.each], strict=True):
            scales += own
    launch_step(loop.address, loop.weight, plan, scales, 0, common)
    return None


def _text(update: Update, dtype: Any) -> str:
    """The kernel's source: numbers that all share, then those of a parameter, then the element."""
    width, real = len(update.tensors), dtype.name
    common: list[str] = []
    own = [f"p{k} = {real}_pointer(table[{k} * n + t])" for k in range(width)]
    for k, n in enumerate(update.numbers, width):
        if n in update.each:
            place = f"scales[{len(update.each)} * t + {update.each.index(n)}]"
            own.append(f"x{k} = {real}({place})")
        else:
            common.append(f"x{k} = {real}(options[{len(common)}])")
    nodes = [e for expr in update.results.values() for e in topological(expr)]
    read = sorted({e.value for e in nodes if e.name == "arg" and e.value < width})
    element = [f"x{k} = p{k}[i]" for k in read]
    types = [dtype] * (width + len(update.numbers))
    for k, expr in update.results.items():
        lines, result = scalar_source(expr, types, out=dtype)
        element += [*lines, f"r{k} = {real}({result})"]
    element += [f"p{k}[i] = r{k}" for k in update.results]
    return _WALK.format(
        name=_NAME,
        common="\n    ".join(common) or "pass",
        own="\n        ".join(own),
        element="\n            ".join(element),
    )
