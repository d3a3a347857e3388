"""Whether there is a GPU to use, found out without importing Numba: most machines have none."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys

INSTALL = 'pip install "genesis-dl[cuda]"'
DRIVER = 580  # the first driver that knows CUDA 13
_CUDA = 13


def simulated() -> bool:
    """True where Numba is told to simulate the device on the host."""
    return os.environ.get("NUMBA_ENABLE_CUDASIM", "0") not in ("", "0")


def devices() -> tuple[int, str]:
    """How many devices can be used, and where there is none, the reason and what to do about it."""
    if simulated():
        return 2, ""
    driver = _library()
    if driver is None:
        return 0, (
            f"no NVIDIA driver ({_library_names()[0]} cannot be loaded); a GPU needs driver {DRIVER} or "
            f"later, and {INSTALL}"
        )
    if (code := driver.cuInit(0)) != 0:
        return 0, f"the NVIDIA driver finds no usable GPU ({_error(driver, code)}); nvidia-smi may say more"
    version, count = ctypes.c_int(), ctypes.c_int()
    driver.cuDriverGetVersion(ctypes.byref(version))
    if version.value < 1000 * _CUDA:
        have = f"{version.value // 1000}.{version.value % 1000 // 10}"
        return 0, (
            f"the NVIDIA driver is too old: it knows CUDA {have}, and CUDA {_CUDA} is needed; install driver "
            f"{DRIVER} or later"
        )
    if (code := driver.cuDeviceGetCount(ctypes.byref(count))) != 0 or not count.value:
        reason = _error(driver, code) if code else "it counts 0 of them"
        return 0, f"the NVIDIA driver finds no usable GPU ({reason}); CUDA_VISIBLE_DEVICES may hide it"
    missing = _missing()
    if missing:
        return 0, f"there is a GPU and its driver, but {missing} is not installed: {INSTALL}"
    return count.value, ""


def _library_names() -> tuple[str, ...]:
    return ("nvcuda.dll",) if sys.platform == "win32" else ("libcuda.so.1", "libcuda.so")


def _library() -> ctypes.CDLL | None:
    for name in _library_names():
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None


def _error(driver: ctypes.CDLL, code: int) -> str:
    text = ctypes.c_char_p()
    if driver.cuGetErrorName(code, ctypes.byref(text)) == 0 and text.value:
        return text.value.decode()
    return f"error {code}"


def _missing() -> str:
    """The first package that is not there, or nothing."""
    for package in ("numba", "numba_cuda", "cuda.core"):
        try:
            if importlib.util.find_spec(package) is None:
                return package.replace("_", "-").replace("cuda.core", "cuda-core")
        except ImportError:
            return package.replace("cuda.core", "cuda-core")
    return ""
