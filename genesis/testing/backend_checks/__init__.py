"""The kit for authors of devices and kernels: named checks of everything that a device is asked for."""

from __future__ import annotations

from genesis.testing.backend_checks._kit import check_backend as check_backend
from genesis.testing.backend_checks._kit import check_kernel as check_kernel
from genesis.testing.backend_checks._samples import Sample as Sample

__all__ = ["Sample", "check_backend", "check_kernel"]
