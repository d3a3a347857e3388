"""One launch over many tensors: a block takes a chunk of one of them after the other.

What a kernel needs is one block of memory: the addresses of all tensors of the first list, then of the second
and so on; where the chunks of each begin; the sizes; then numbers, those of each tensor first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from genesis.backend import View
from genesis_cuda._copies import duplicate
from genesis_cuda._driver import Unit, call
from genesis_cuda._kernel import Kernel
from genesis_cuda._memory import Memory, address, handle, pool
from genesis_cuda._sizes import MANY, THREADS

CHUNK = 4 * THREADS

_WALK = """\
def {name}(chunks, n, own, width, table, numbers):
    starts = width * n
    sizes = starts + n
    floats = sizes + n
    options = floats + own * n
    {common}
    chunk = cuda.blockIdx.x
    while chunk < chunks:
        t, above = int64(0), int64(n)
        while above - t > 1:
            middle = (t + above) // 2
            if table[starts + middle] <= chunk:
                t = middle
            else:
                above = middle
        begin = (chunk - table[starts + t]) * {chunk}
        i = begin + cuda.threadIdx.x
        end = min(begin + {chunk}, table[sizes + t])
        {own}
        while i < end:
            {element}
            i += {threads}
        chunk += cuda.gridDim.x
"""
_PARAMETERS = ("int64", "int64", "int64", "int64", "int64*", "float64*")


def kernel(name: str, common: Sequence[str], own: Sequence[str], element: Sequence[str]) -> Kernel:
    """A kernel: lines that all share, those of one tensor ``t``, and those of an element ``i``.

    ``table[k * n + t]`` is the address of the tensor in list k, ``numbers[floats + own * t + k]`` its k-th
    number, and ``numbers[options + k]`` the k-th that all share.
    """
    text = _WALK.format(
        name=name,
        common="\n    ".join(common) or "pass",
        own="\n        ".join(own),
        element="\n            ".join(element),
        chunk=CHUNK,
        threads=THREADS,
    )
    return Kernel(name, text, _PARAMETERS, blocks=2)


def lists_of(*lists: Sequence[View], copies: int | None = None) -> list[list[View]] | None:
    """The lists, if all their tensors are contiguous and of one floating-point type, else None.

    What is only read, the list of number ``copies``, may be copied for it.
    """
    dtype = lists[0][0].dtype
    if not dtype.is_floating_point:
        return None
    found: list[list[View]] = []
    for k, views in enumerate(lists):
        made = [duplicate(v) if k == copies and not v.contiguous else v for v in views]
        if not all(v.dtype is dtype and v.contiguous for v in made):
            return None
        found.append(made)
    return found


def launch(
    made: Kernel, lists: Sequence[Sequence[View]], own: Sequence[float], options: Sequence[float]
) -> None:
    """Run a kernel over all elements of the tensors of ``lists``.

    Args:
        own: numbers that differ between the tensors, those of the first one first.
        options: numbers that do not.
    """
    first = lists[0]
    sizes = [v.size for v in first]
    starts, chunks = [], 0
    for size in sizes:
        starts.append(chunks)
        chunks += -(-size // CHUNK)
    if not chunks:
        return
    n = len(first)
    words = [*[address(v) for views in lists for v in views], *starts, *sizes]
    table = np.empty(len(words) + len(own) + len(options), np.int64)
    table[: len(words)] = words
    table[len(words) :].view(np.float64)[:] = [*own, *options]
    unit: Unit = handle(first[0]).unit
    memory = Memory(pool(unit.index), table.nbytes)
    unit.enter()
    call("cuMemcpyHtoDAsync", memory.address, table.ctypes.data, table.nbytes, unit.stream)
    args: tuple[Any, ...] = (chunks, n, len(own) // n, len(lists), memory.address, memory.address)
    made(unit, min(chunks, MANY * unit.processors), args)
    for views in lists:
        for v in views:
            handle(v).bounds = None
