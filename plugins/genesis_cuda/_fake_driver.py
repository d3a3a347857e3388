"""The calls of NVIDIA's driver that this package makes, on the memory of the host, for the simulator."""

from __future__ import annotations

import ctypes
import time
from typing import Any

import numpy as np

from genesis_cuda import _simulator
from genesis_cuda._sizes import WARP

OUT_OF_MEMORY = 2


class FakeDriver:
    """As ``cuda.bindings.driver``: each call returns a code and what it found."""

    def __init__(self) -> None:
        self.room = 256 << 20
        self.used = 0
        self._segments: dict[int, np.ndarray[Any, Any]] = {}
        self._functions: list[Any] = []
        self._made = 0
        self._times: dict[int, float] = {}
        self.waits: list[tuple[int, int]] = []

    # -- devices ---------------------------------------------------------------------------------------
    def cuInit(self, flags: int) -> tuple[int]:
        return (0,)

    def cuDeviceGet(self, index: int) -> tuple[int, int]:
        return 0, index

    def cuDevicePrimaryCtxRetain(self, device: int) -> tuple[int, int]:
        return 0, device + 1

    def cuCtxSetCurrent(self, context: int) -> tuple[int]:
        return (0,)

    def cuDeviceGetName(self, size: int, device: int) -> tuple[int, bytes]:
        return 0, b"simulated"

    def cuDeviceGetAttribute(self, attribute: int, device: int) -> tuple[int, int]:
        return 0, {16: 1, 75: 9, 76: 0}[int(attribute)]

    # -- memory ----------------------------------------------------------------------------------------
    def cuMemGetInfo(self) -> tuple[int, int, int]:
        return 0, self.room - self.used, self.room

    def cuMemAlloc(self, nbytes: int) -> tuple[int, int]:
        if self.used + nbytes > self.room:
            return OUT_OF_MEMORY, 0
        memory = np.full(nbytes + 512, 0xA5, np.uint8)
        address = -(-memory.ctypes.data // 512) * 512
        self._segments[address] = memory
        self.used += nbytes
        return 0, address

    def cuMemFree(self, address: int) -> tuple[int]:
        if int(address) not in self._segments:
            return (1,)
        self.used -= self._segments.pop(int(address)).size - 512
        return (0,)

    def cuMemAllocHost(self, nbytes: int) -> tuple[int, int]:
        memory = np.empty(nbytes, np.uint8)
        self._segments[memory.ctypes.data] = memory
        return 0, memory.ctypes.data

    def cuMemFreeHost(self, address: int) -> tuple[int]:
        del self._segments[int(address)]
        return (0,)

    def _copy(self, to: int, source: int, nbytes: int) -> tuple[int]:
        ctypes.memmove(int(to), int(source), nbytes)
        return (0,)

    def cuMemcpyHtoDAsync(self, to: int, source: int, nbytes: int, stream: Any) -> tuple[int]:
        return self._copy(to, source, nbytes)

    cuMemcpyDtoHAsync = cuMemcpyDtoDAsync = cuMemcpyHtoDAsync

    def cuMemcpyPeerAsync(
        self, to: int, there: Any, source: int, here: Any, nbytes: int, stream: Any
    ) -> tuple[int]:
        return self._copy(to, source, nbytes)

    # -- streams and events ----------------------------------------------------------------------------
    def _new(self, *args: Any) -> tuple[int, int]:
        self._made += 1
        return 0, self._made

    cuStreamCreate = cuStreamCreateWithPriority = cuEventCreate = _new

    def _nothing(self, *args: Any) -> tuple[int]:
        return (0,)

    cuStreamSynchronize = cuStreamDestroy = cuStreamQuery = cuCtxSynchronize = _nothing
    cuEventSynchronize = cuEventDestroy = cuEventQuery = _nothing

    def cuEventRecord(self, event: int, stream: int) -> tuple[int]:
        self._times[event] = time.perf_counter()
        return (0,)

    def cuStreamWaitEvent(self, stream: int, event: int, flags: int) -> tuple[int]:
        self.waits.append((stream, event))
        return (0,)

    def cuEventElapsedTime(self, start: int, end: int) -> tuple[int, float]:
        return 0, 1000 * (self._times[end] - self._times[start])

    # -- kernels ---------------------------------------------------------------------------------------
    def load(self, kernel: Any) -> Any:
        """In place of a module of machine code: the kernel itself."""
        self._functions.append(kernel)
        return kernel

    def cuLaunchKernel(
        self,
        kernel: Any,
        gx: int,
        gy: int,
        gz: int,
        bx: int,
        by: int,
        bz: int,
        shared: int,
        stream: Any,
        parameters: int,
        extra: int,
    ) -> tuple[int]:
        count = len(kernel.parameters)
        places = (ctypes.c_void_p * count).from_address(int(parameters))
        args: list[Any] = []
        for place, kind in zip(places, kernel.parameters, strict=True):
            assert place is not None
            if kind == "float64":
                args.append(ctypes.c_double.from_address(place).value)
            else:
                word = ctypes.c_int64.from_address(place).value
                args.append(_simulator.memory.pointer(word, kind[:-1]) if kind.endswith("*") else word)
        _simulator.run(kernel.function, kernel.syncs, (gx, gy, gz), (bx, by, bz), WARP, args)
        return (0,)
