"""``update_step``: the rules of an ``Update`` as one kernel, which walks all parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from genesis import dtype
from genesis.backend import Backend, View, topological
from genesis.ops import Update
from genesis_cuda._kernel import Kernel
from genesis_cuda.fused import _multi
from genesis_cuda.kernels.map import statements

_kernels: WeakKeyDictionary[Update, dict[str, Kernel]] = WeakKeyDictionary()


def update_step(backend: Backend, *lists: Sequence[View], update: Update, **numbers: Any) -> Any:
    """All rules of an update on all parameters, in one pass over each."""
    views = _multi.lists_of(*lists)
    if views is None:
        return NotImplemented
    kernels = _kernels.setdefault(update, {})
    name = lists[0][0].dtype.name
    kernel = kernels.get(name)
    if kernel is None:
        kernel = kernels[name] = update_kernel(update, lists[0][0].dtype)
    options = [float(numbers[n]) for n in update.numbers if n not in update.each]
    own: list[float] = []
    if update.each:
        for values in zip(*[numbers[n] for n in update.each], strict=True):
            own += [float(value) for value in values]
    _multi.launch(kernel, views, own, options)
    return None


def update_kernel(update: Update, dtype: dtype) -> Kernel:
    """Numbers that all share, then those of a parameter, then the element."""
    width, real = len(update.tensors), dtype.name
    common: list[str] = []
    own = [f"p{k} = {real}_pointer(table[{k} * n + t])" for k in range(width)]
    for k, n in enumerate(update.numbers, width):
        if n in update.each:
            place = f"numbers[floats + {len(update.each)} * t + {update.each.index(n)}]"
            own.append(f"x{k} = {real}({place})")
        else:
            common.append(f"x{k} = {real}(numbers[options + {len(common)}])")
    nodes = [e for expr in update.results.values() for e in topological(expr)]
    read = sorted({e.value for e in nodes if e.name == "arg" and e.value < width})
    element = [f"x{k} = p{k}[i]" for k in read]
    types = [dtype] * (width + len(update.numbers))
    for k, expr in update.results.items():
        lines, result = statements(expr, types, dtype)
        element += [*lines, f"r{k} = {real}({result})"]
    element += [f"p{k}[i] = r{k}" for k in update.results]
    return _multi.kernel(f"update_{real}", common, own, element)
