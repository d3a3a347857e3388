"""Switches of PyTorch's libraries: they can be set, and change nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from genesis._accelerators import count
from genesis._lazy import missing, no_attribute


class _Switches(ModuleType):
    """A module whose attributes are settings; ``import genesis.backends.cudnn`` finds it."""

    __path__: list[str]

    def __init__(self, name: str, **values: Any) -> None:
        super().__init__(f"{__name__}.{name}", self.__doc__)
        self.__dict__.update(values)
        self.__path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
        sys.modules[self.__name__] = self

    @staticmethod
    def is_available() -> bool:
        """False: Genesis does not use this library."""
        return False

    @staticmethod
    def is_built() -> bool:
        """False: Genesis does not use this library."""
        return False

    @contextmanager
    def flags(self, **options: Any) -> Iterator[None]:
        """Set switches inside."""
        before = {name: self.__dict__[name] for name in options if name in self.__dict__}
        self.__dict__.update(options)
        try:
            yield
        finally:
            for name in options:
                self.__dict__.pop(name)
            self.__dict__.update(before)

    def __getattr__(self, name: str) -> Any:
        raise no_attribute(self.__name__, name, sorted(self.__dict__))


class _Cudnn(_Switches):
    @staticmethod
    def version() -> None:
        """None: there is none."""


class _Cuda(_Switches):
    matmul: _Switches
    cufft_plan_cache: _Switches

    @staticmethod
    def is_built() -> bool:
        """True when the device ``cuda`` can be used."""
        return count("cuda") > 0

    @contextmanager
    def sdp_kernel(self, *args: Any, **options: Any) -> Iterator[None]:
        """A context that does nothing: there is one way to compute attention."""
        yield

    def __getattr__(self, name: str) -> Any:
        if name.startswith("enable_"):
            return lambda enabled: setattr(self, f"_{name.removeprefix('enable_')}", bool(enabled))
        if name.endswith("_enabled") and not name.startswith("_"):
            return lambda: self.__dict__.get(f"_{name.removesuffix('_enabled')}", name == "math_sdp_enabled")
        return super().__getattr__(name)


class _Mps(_Switches):
    @staticmethod
    def is_available() -> bool:
        """True when the device ``mps`` can be used."""
        return count("mps") > 0

    is_built = is_available

    @staticmethod
    def is_macos_or_newer(major: int, minor: int) -> bool:
        """Whether this is macOS of at least this version."""
        import platform

        text = platform.mac_ver()[0]
        return bool(text) and tuple(int(n) for n in text.split(".")[:2]) >= (major, minor)


cudnn = _Cudnn(
    "cudnn",
    enabled=True,
    benchmark=False,
    benchmark_limit=10,
    deterministic=False,
    allow_tf32=True,
    fp32_precision="none",
)
cuda = _Cuda("cuda")
cuda.matmul = _Switches(
    "cuda.matmul",
    allow_tf32=False,
    allow_fp16_reduced_precision_reduction=True,
    allow_bf16_reduced_precision_reduction=True,
    allow_fp16_accumulation=False,
    fp32_precision="none",
)
cuda.cufft_plan_cache = _Switches("cuda.cufft_plan_cache", max_size=0, size=0)
mps = _Mps("mps")
mkl = _Switches("mkl")
mkldnn = _Switches("mkldnn", enabled=True, deterministic=False, allow_tf32=True, fp32_precision="none")
openmp = _Switches("openmp")
opt_einsum = _Switches("opt_einsum", enabled=False, strategy=None)
cpu = _Switches("cpu", get_cpu_capability=lambda: "DEFAULT")
quantized = _Switches("quantized", engine="none", supported_engines=[])
fp32_precision = "none"

__all__ = ["cpu", "cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp", "opt_einsum", "quantized"]

TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
