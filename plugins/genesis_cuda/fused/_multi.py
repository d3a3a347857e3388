"""One launch over many tensors: a block takes a chunk of one of them.

What a kernel needs is one block of memory: the addresses of all tensors of the first list, then of the second
and so on; where the chunks of each begin; the sizes; then numbers, those of each tensor first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import genesis
from genesis.backend import View
from genesis_cuda._copies import duplicate
from genesis_cuda._driver import Unit, call
from genesis_cuda._kernel import Kernel
from genesis_cuda._memory import Memory, address, handle, pool
from genesis_cuda._sizes import THREADS

CHUNK = 4 * THREADS

_WALK = """\
def {name}(n, own, width, table, numbers):
    starts = width * n
    sizes = starts + n
    floats = sizes + n
    options = floats + own * n
    chunk = cuda.blockIdx.x
    t = tensor_of_chunk(table, starts, n, chunk)
    begin = (chunk - table[starts + t]) * {chunk}
    i = int32(cuda.threadIdx.x)
    end = int32(min({chunk}, table[sizes + t] - begin))
    {once}
    while i < end:
        {element}
        i = int32(i + {threads})
"""
_PARAMETERS = ("int64", "int64", "int64", "int64*", "float64*")


def kernel(
    kind: str,
    real: str,
    names: Sequence[str],
    own: Sequence[str],
    shared: Sequence[str],
    element: Sequence[str],
) -> Kernel:
    """A kernel for elements of type ``real``.

    Args:
        names: of the pointers to the tensors of each list.
        own: of the numbers of each tensor.
        shared: of the numbers that all share.
        element: the lines of an element ``i`` of the chunk.
    """
    size = getattr(genesis, real).itemsize
    pointers = [
        f"{name} = {real}_pointer(table[{k} * n + t] + {size} * begin)" for k, name in enumerate(names)
    ]
    numbers = [f"{name} = {real}(numbers[floats + own * t + {k}])" for k, name in enumerate(own)]
    numbers += [f"{name} = {real}(numbers[options + {k}])" for k, name in enumerate(shared)]
    # numbers of float64 would take two registers each: they are read again for each element, from a cache
    once, lines = (pointers, [*numbers, *element]) if real == "float64" else ([*pointers, *numbers], element)
    text = _WALK.format(
        name=f"{kind}_{real}",
        once="\n    ".join(once),
        element="\n        ".join(lines),
        chunk=CHUNK,
        threads=THREADS,
    )
    return Kernel(f"{kind}_{real}", text, _PARAMETERS)


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


def tabulate(
    lists: Sequence[Sequence[View]], chunk: int, numbers: Sequence[float] = ()
) -> tuple[Memory, int]:
    """The block of memory that a kernel needs, and how many chunks there are."""
    first = lists[0]
    sizes = [v.size for v in first]
    starts, chunks = [], 0
    for size in sizes:
        starts.append(chunks)
        chunks += -(-size // chunk)
    words = [*[address(v) for views in lists for v in views], *starts, *sizes]
    table = np.empty(len(words) + len(numbers), np.int64)
    table[: len(words)] = words
    table[len(words) :].view(np.float64)[:] = numbers
    unit: Unit = handle(first[0]).unit
    memory = Memory(pool(unit.index), table.nbytes)
    unit.enter()
    call("cuMemcpyHtoDAsync", memory.address, table.ctypes.data, table.nbytes, unit.stream)
    return memory, chunks


def launch(
    made: Kernel, lists: Sequence[Sequence[View]], own: Sequence[float], options: Sequence[float]
) -> None:
    """Run a kernel over all elements of the tensors of ``lists``.

    Args:
        own: numbers that differ between the tensors, those of the first one first.
        options: numbers that do not.
    """
    memory, chunks = tabulate(lists, CHUNK, [*own, *options])
    if not chunks:
        return
    n, unit = len(lists[0]), handle(lists[0][0]).unit
    args: tuple[Any, ...] = (n, len(own) // n, len(lists), memory.address, memory.address)
    made(unit, chunks, args)
    for views in lists:
        for v in views:
            handle(v).bounds = None
