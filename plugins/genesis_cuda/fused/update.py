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
    """The rules of an update for a type of elements."""
    width, real = len(update.tensors), dtype.name
    number = {n: f"x{k}" for k, n in enumerate(update.numbers, width)}
    own = [number[n] for n in update.each]
    shared = [name for n, name in number.items() if n not in update.each]
    nodes = [e for expr in update.results.values() for e in topological(expr)]
    read = sorted({e.value for e in nodes if e.name == "arg" and e.value < width})
    element = [f"x{k} = p{k}[i]" for k in read]
    types = [dtype] * (width + len(update.numbers))
    for k, expr in update.results.items():
        lines, result = statements(expr, types, dtype)
        element += [*lines, f"p{k}[i] = {real}({result})"]
    return _multi.kernel("update", real, [f"p{k}" for k in range(width)], own, shared, element)
