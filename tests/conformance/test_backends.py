"""The built-in devices pass the kit that authors of others use."""

from __future__ import annotations

from genesis.testing import Check, check_backend, parametrize


@parametrize(check_backend("cpu"))
def test_cpu(check: Check) -> None:
    check()


@parametrize(check_backend("ref"))
def test_ref(check: Check) -> None:
    check()
