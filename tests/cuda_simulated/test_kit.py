"""The kit that authors of devices use."""

from __future__ import annotations

from genesis.testing import Check, check_backend, parametrize


@parametrize(check_backend("cuda"))
def test_cuda(check: Check) -> None:
    check()
