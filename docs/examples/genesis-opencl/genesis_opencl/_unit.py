"""Units: the OpenCL devices of this machine, each with its context, its queue and its compiled kernels."""

from __future__ import annotations

import os
import struct
import threading
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyopencl as cl

PLATFORM = "GENESIS_OPENCL_PLATFORM"

_HEAD = "#pragma OPENCL FP_CONTRACT OFF\n"  # x * y + z rounds twice, as it does on every other device
_DOUBLE = "#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n"


class Unit:
    """One OpenCL device.

    Args:
        serial: whether one work item should do much rather than little; by default, whether it is a CPU.

    Attributes:
        fp64: whether it knows float64.
        lock: for what threads share: kernels, which keep their arguments, and the flag.
        workers: how many work items it runs at once, where it is serial.
        local: work items in a group, where it is not.
    """

    def __init__(self, device: cl.Device, context: cl.Context, serial: bool | None = None) -> None:
        self.device, self.context = device, context
        self.queue = cl.CommandQueue(context, device)
        self.fp64 = bool(device.double_fp_config)
        self.serial = bool(device.type & cl.device_type.CPU) if serial is None else serial
        self.workers = device.max_compute_units
        self.local = min(64, device.max_work_group_size)
        exact = cl.device_fp_config.CORRECTLY_ROUNDED_DIVIDE_SQRT
        self._options = ["-cl-std=CL1.2"]
        if device.single_fp_config & exact:
            self._options.append("-cl-fp32-correctly-rounded-divide-sqrt")
        self._kernels: dict[str, Kernel] = {}
        self.lock = threading.RLock()
        self.flag: cl.Buffer | None = None  # where a kernel leaves a wrong index

    def kernel(self, text: str) -> Kernel:
        """The kernel `run` of a text, compiled on first use; the drivers keep what they compiled on disk."""
        found = self._kernels.get(text)
        if found is None:
            with self.lock, warnings.catch_warnings():
                warnings.simplefilter("ignore")  # PyOpenCL warns of whatever a compiler says
                head = _HEAD + _DOUBLE if self.fp64 else _HEAD
                program = cl.Program(self.context, head + text).build(options=self._options)
                found = self._kernels[text] = Kernel(self, cl.Kernel(program, "run"))
        return found


class Kernel:
    """A compiled kernel whose arguments are buffers, and last a struct of 64-bit words."""

    __slots__ = ("_handle", "_lock", "_pack", "_queue")

    def __init__(self, unit: Unit, handle: cl.Kernel) -> None:
        self._handle, self._queue, self._lock = handle, unit.queue, unit.lock
        self._pack: Callable[..., bytes] | None = None

    def __call__(
        self, groups: tuple[int, ...], local: tuple[int, ...], buffers: Sequence[Any], words: Sequence[int]
    ) -> None:
        """Give `groups` groups of `local` work items to the queue."""
        with self._lock:  # arguments are kept in the kernel until it is enqueued
            pack = self._pack
            if pack is None:
                pack = self._pack = struct.Struct(f"{len(words)}q").pack
                # PyOpenCL then need not try what kind of argument each is, which takes most of a launch
                self._handle.set_scalar_arg_dtypes(
                    [*[None] * len(buffers), np.dtype((np.void, 8 * len(words)))]
                )
            self._handle(self._queue, groups, local, *buffers, pack(*words), g_times_l=True)


def words_text(count: int) -> str:
    """The struct that carries `count` words."""
    return f"typedef struct {{ long w[{count}]; }} Words;\n"


def number_word(value: float | int, fp64: bool) -> int:
    """A Python number as the 64 bits of a word; `number_text` reads it again."""
    if not isinstance(value, float):
        return int(value)
    if fp64:
        return int(struct.unpack("q", struct.pack("d", value))[0])
    try:
        packed = struct.pack("f4x", value)
    except OverflowError:  # beyond float32
        packed = struct.pack("f4x", float("inf") if value > 0 else -float("inf"))
    return int(struct.unpack("q", packed)[0])


def number_text(word: str, kind: str, fp64: bool) -> str:
    """Text that gives the number back: `kind` is that of its dtype."""
    if kind == "f":
        return f"as_double({word})" if fp64 else f"as_float((int){word})"
    return f"(uchar)({word} != 0)" if kind == "b" else word


_units: list[Unit] = []
_units_lock = threading.Lock()


def units() -> list[Unit]:
    """The usable devices, those of the chosen platform or of all of them: GPUs first."""
    with _units_lock:
        if not _units:
            _units.extend(_find())
        return _units


def _find() -> list[Unit]:
    if os.environ.get("PYOPENCL_CTX") and not os.environ.get(PLATFORM):
        context = cl.create_some_context(interactive=False)
        return [Unit(device, context) for device in context.devices]
    wanted = os.environ.get(PLATFORM, "").lower()
    found: list[Unit] = []
    platforms = cl.get_platforms()
    for number, platform in enumerate(platforms):
        if wanted and wanted != str(number) and wanted not in platform.name.lower():
            continue
        try:
            devices = [d for d in platform.get_devices() if d.available and d.compiler_available]
        except cl.Error:  # a driver without its hardware
            continue
        if devices:
            context = cl.Context(devices)
            found += [Unit(device, context) for device in devices]
    if not found:
        names = ", ".join(f"{i} {p.name!r}" for i, p in enumerate(platforms)) or "none"
        asked = f" fits {PLATFORM}={wanted!r}" if wanted else " has a usable device"
        raise RuntimeError(f"no OpenCL platform{asked}; the platforms here are: {names}")
    return sorted(found, key=lambda unit: bool(unit.device.type & cl.device_type.CPU))
