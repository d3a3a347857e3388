"""OpenCLBackend: what OpenCL drivers offer, as a device of Genesis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from genesis import DeviceError
from genesis.backend import Availability, Backend, Expr, Number, View, arg

_missing = ""
try:
    import pyopencl as cl
except Exception as error:  # an installation may be broken in any way; `probe` says it, and nothing raises
    _missing = f"pyopencl cannot be imported ({error}); 'pip install pyopencl'"
else:
    from genesis_opencl._memory import Memory, Pool
    from genesis_opencl._unit import Unit, units
    from genesis_opencl.kernels import elementwise, indexing, product, random, reduction

_HELP = "install the driver of your GPU, or 'pip install \"pyopencl[pocl]\"' to run OpenCL on the CPU"
_COPY = arg(0)


class OpenCLBackend(Backend):
    """The OpenCL devices of this machine as `opencl:0`, `opencl:1`, …: GPUs first."""

    name: ClassVar[str] = "opencl"
    fuses: ClassVar[bool] = True
    kernels: ClassVar[Mapping[str, str]] = {"adam_step": "genesis_opencl.kernels.adam:adam_step"}

    def __init__(self) -> None:
        self._places: dict[int, tuple[Unit, Pool]] = {}

    def probe(self) -> Availability:
        if _missing:
            return Availability(False, 0, _missing)
        try:
            return Availability(True, len(units()))
        except Exception as error:
            return Availability(False, 0, f"OpenCL finds no device ({error}); {_HELP}")

    # -- memory --------------------------------------------------------------------------------------
    def allocate(self, nbytes: int, index: int) -> Any:
        unit, pool = self._places.get(index) or self._open(index)
        return Memory(unit, pool, nbytes)

    def _open(self, index: int) -> tuple[Unit, Pool]:
        found = units()
        if index >= len(found):
            names = ", ".join(f"opencl:{i} ({u.device.name.strip()})" for i, u in enumerate(found))
            raise DeviceError(f"there is no device opencl:{index}; this machine has {names}")
        place = self._places[index] = found[index], Pool(found[index])
        return place

    def write(self, out: View, source: np.ndarray[Any, Any]) -> None:
        if not out.size:
            return
        if not out.contiguous:
            copy = self.empty(out.shape, out.dtype, out.buffer.device)
            self.write(copy, source)
            self.map(_COPY, out, copy)
            return
        memory: Memory = out.buffer.handle
        host = np.ascontiguousarray(source)
        cl.enqueue_copy(memory.unit.queue, memory.buffer, host, dst_offset=out.offset * out.dtype.itemsize)
        whole = host.nbytes == out.buffer.nbytes
        memory.bounds = indexing.bounds_of(host) if whole else None

    def read(self, x: View) -> np.ndarray[Any, Any]:
        host: np.ndarray[Any, Any] = np.empty(x.shape, x.dtype.name)
        if not x.size:
            return host
        if not x.contiguous:
            copy = self.empty(x.shape, x.dtype, x.buffer.device)
            self.map(_COPY, copy, x)
            x = copy
        memory: Memory = x.buffer.handle
        cl.enqueue_copy(memory.unit.queue, host, memory.buffer, src_offset=x.offset * x.dtype.itemsize)
        return host

    def transfer(self, out: View, x: View) -> None:
        source: Memory = x.buffer.handle
        target: Memory = out.buffer.handle
        if source.unit.context != target.unit.context or not (out.contiguous and x.contiguous):
            super().transfer(out, x)
        elif x.size:
            source.unit.queue.finish()  # the two queues know nothing of each other
            size = x.dtype.itemsize
            cl.enqueue_copy(
                target.unit.queue, target.buffer, source.buffer, byte_count=x.size * size,
                src_offset=x.offset * size, dst_offset=out.offset * size,
            ).wait()  # fmt: skip
            target.bounds = None

    def synchronize(self) -> None:
        for unit, _ in list(self._places.values()):
            unit.queue.finish()

    # -- computing -----------------------------------------------------------------------------------
    def map(self, expr: Expr, out: View, *inputs: View | Number) -> None:
        elementwise.run(out.buffer.handle.unit, expr, out, inputs)

    def reduce(self, op: str, out: View, x: View) -> None:
        parts = reduction.in_parts(out.buffer.handle.unit, op, out, x)
        if parts is None:
            reduction.run(out.buffer.handle.unit, op, out, x)
            return
        divided, shape = parts
        partial = self.empty(shape, out.dtype, out.buffer.device)
        reduction.run(out.buffer.handle.unit, op, partial, divided)
        self.reduce(op, out.like((*out.shape, 1), (*out.strides, 1)), partial)

    def matmul(self, out: View, a: View, b: View) -> None:
        product.run(out.buffer.handle.unit, out, a, b)

    def gather(self, out: View, x: View, index: View, axis: int) -> None:
        indexing.gather(out.buffer.handle.unit, out, x, index, axis)

    def scatter(self, op: str, out: View, index: View, source: View, axis: int) -> None:
        indexing.scatter(out.buffer.handle.unit, op, out, index, source, axis)

    def random(self, kind: str, out: View, seed: int, offset: int) -> None:
        unit: Unit = out.buffer.handle.unit
        if not random.knows(unit, kind):
            super().random(kind, out, seed, offset)
        elif not out.contiguous:
            copy = self.empty(out.shape, out.dtype, out.buffer.device)
            self.random(kind, copy, seed, offset)
            self.map(_COPY, out, copy)
        elif out.size:
            random.run(unit, kind, out, seed, offset)
