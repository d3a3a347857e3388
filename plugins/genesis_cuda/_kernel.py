"""Kernels: Python functions, compiled when they are first launched on a kind of GPU.

Each takes addresses (``"float32*"``), whole numbers (``"int64"``) and ``"float64"``, of eight bytes each, so
a launch is to write them into one block and to make one call of the driver.
"""

from __future__ import annotations

import ctypes
import inspect
import struct
import textwrap
import threading
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

from genesis_cuda import _cache
from genesis_cuda._driver import Unit, api, call
from genesis_cuda._sizes import MANY, SIMULATED, THREADS

_lock = threading.RLock()
#: every template there is, for tests that ask whether all of them were launched and compile
templates: list[Template] = []
#: the names of kernels that were launched in this process
launched: set[str] = set()


class Kernel:
    """A kernel of fixed types; ``kernel(unit, blocks, args)`` launches it.

    Args:
        name: of the function in ``text``.
        text: Python source, with the names of ``_cuda.names()``.
        parameters: their types.
        threads: of a block.
        blocks: how many of them a multiprocessor should have room for at once, which limits registers; with
            four of the usual size half of its threads are busy.
    """

    def __init__(
        self, name: str, text: str, parameters: tuple[str, ...], threads: int = THREADS, blocks: int = 4
    ) -> None:
        self.name, self.text, self.parameters = name, text, parameters
        self.threads, self.blocks = threads, blocks
        self.syncs = any(word in text for word in ("syncthreads", "shfl_", "block_", "warp_"))
        self._function: Callable[..., None] | None = None
        self._loaded: dict[int, _Loaded] = {}

    @property
    def function(self) -> Callable[..., None]:
        """The Python function."""
        if self._function is None:
            from genesis_cuda._cuda import names

            module = ModuleType(f"_genesis_cuda_{self.name}")
            module.__dict__.update(names())
            exec(compile(self.text, f"<{self.name}>", "exec"), module.__dict__)
            self._function = getattr(module, self.name)
        return self._function

    def compile(self, architecture: str) -> tuple[str, bytes, str]:
        """The name of the entry, the machine code, and what the assembler says."""
        from genesis_cuda._cuda import machine_code

        return machine_code(self.function, self.parameters, architecture, self.threads, self.blocks)

    def __call__(self, unit: Unit, blocks: int | tuple[int, int], args: tuple[Any, ...]) -> None:
        """Put one launch into the stream of a GPU."""
        loaded = self._loaded.get(unit.index) or self._load(unit)
        loaded(unit, blocks, args)

    def _load(self, unit: Unit) -> _Loaded:
        with _lock:
            found = self._loaded.get(unit.index)
            if found is None:
                launched.add(self.name)
                found = self._loaded[unit.index] = _Loaded(self, self._entry(unit))
            return found

    def _entry(self, unit: Unit) -> Any:
        unit.enter()
        if SIMULATED:
            return api().load(self)
        start = time.perf_counter()
        form = f"{','.join(self.parameters)} {self.threads} {self.blocks}"
        stem = _cache.stem(self.name, self.text, unit.architecture, form)
        kept = _cache.read(stem)
        if kept is None:
            entry, code, _ = self.compile(unit.architecture)
            _cache.write(stem, entry, code)
        else:
            entry, code = kept
        module = call("cuModuleLoadData", code)
        found = call("cuModuleGetFunction", module, entry.encode())
        unit.kernels[stem] = module  # it lives as long as the process
        if _cache.watcher is not None:
            _cache.watcher(self.name.strip("_"), kept is None, time.perf_counter() - start)
        return found


class _Loaded:
    """A kernel on one GPU: its entry, and the block where its arguments go."""

    __slots__ = ("_block", "_pack", "_places", "_threads", "entry", "places")

    def __init__(self, kernel: Kernel, entry: Any) -> None:
        count = len(kernel.parameters)
        codes = "".join("d" if kind == "float64" else "q" for kind in kernel.parameters)
        self._pack = struct.Struct(f"={codes}").pack_into
        self._block = (ctypes.c_uint64 * count)()
        start = ctypes.addressof(self._block)
        self._places = (ctypes.c_void_p * count)(*[start + 8 * i for i in range(count)])
        self.entry, self.places, self._threads = entry, ctypes.addressof(self._places), kernel.threads

    def __call__(self, unit: Unit, blocks: int | tuple[int, int], args: tuple[Any, ...]) -> None:
        x, y = (blocks, 1) if isinstance(blocks, int) else blocks
        with unit.lock:  # the driver copies the arguments before it returns
            unit.enter()
            self._pack(self._block, 0, *args)
            call("cuLaunchKernel", self.entry, x, y, 1, self._threads, 1, 1, 0, unit.stream, self.places, 0)


class Template:
    """A kernel written as a function of this package; ``template("float32")`` is it for that type.

    In it, ``real`` is the type of elements, and ``wide`` one that sums are kept in.

    Args:
        function: the kernel.
        parameters: their types, separated by blanks; ``real*`` points to elements.
        types: what it is launched with.
        variant: what tells it from others of the same function.
        exact: sums of float32 are kept in float64.
        constants: further names, as text.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        parameters: str,
        types: tuple[str, ...] = ("float32", "float64"),
        threads: int = THREADS,
        blocks: int = 4,
        variant: str = "",
        exact: bool = False,
        **constants: str,
    ) -> None:
        self.variant, self.exact = variant, exact
        self.function, self.parameters, self.types = function, parameters.split(), types
        self.threads, self.blocks, self.constants = threads, blocks, constants
        self.__doc__ = function.__doc__
        self._kernels: dict[str, Kernel] = {}
        templates.append(self)

    @property
    def name(self) -> str:
        """Of the kernel, with what tells it from others of the same function."""
        module, name = (
            n.strip("_") for n in (self.function.__module__.rpartition(".")[2], self.function.__name__)
        )
        name = name if name.startswith(module) else f"{module}_{name}"
        return f"{name}_{self.variant}" if self.variant else name

    def __call__(self, real: str = "float32") -> Kernel:
        found = self._kernels.get(real)
        if found is None:
            with _lock:
                found = self._kernels.setdefault(real, self._make(real))
        return found

    def _make(self, real: str) -> Kernel:
        name = f"{self.name}_{real}"
        narrow = "float64" if self.exact else "float32"
        wide = {"float32": narrow, "float64": "float64"}.get(real, "int64")
        constants = {"real": real, "reals": f"{real}_pointer", "wide": wide, **self.constants}
        lines = textwrap.dedent(inspect.getsource(self.function)).splitlines()
        start = next(i for i, line in enumerate(lines) if line.startswith("def "))
        lines[start] = lines[start].replace(f"def {self.function.__name__}(", f"def {name}(", 1)
        text = "\n".join([*(f"{k} = {v}" for k, v in constants.items()), *lines[start:]]) + "\n"
        parameters = tuple(p.replace("real", real).replace("wide", wide) for p in self.parameters)
        return Kernel(name, text, parameters, self.threads, self.blocks)


def blocks_for(unit: Unit, items: int, threads: int = THREADS) -> int:
    """Blocks for so many independent items: no more than fill the GPU a few times."""
    return max(1, min(-(-items // threads), MANY * unit.processors))
