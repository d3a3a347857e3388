"""``check_backend`` and ``check_kernel``."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from genesis._errors import UnknownNameError
from genesis.backend import Backend
from genesis.testing._check import Check, named
from genesis.testing.backend_checks import (
    _expressions,
    _indexing,
    _map,
    _matmul,
    _memory,
    _optional,
    _reduce,
)
from genesis.testing.backend_checks._bench import Bench


def check_backend(
    device: str | type[Backend], expected_failures: Mapping[str, str] | None = None
) -> list[Check]:
    """Make checks of everything that a device is asked for.

    Args:
        device: Its name, such as `"acme"` or `"acme:1"`; or a subclass of `Backend`, declared or not.
        expected_failures: From the name of a check, or a glob such as `"map/*/float64*"`, to the reason.

    Returns:
        One check, `"loads"`, where the device cannot be used here; it fails with the reason.

    Raises:
        UnknownNameError: No plugin supplies a device of this name.
        ValueError: A key of `expected_failures` fits no check.

    Example:
        >>> @parametrize(check_backend("acme"))
        ... def test_acme(check):
        ...     check()
    """
    if not isinstance(device, str) and not (isinstance(device, type) and issubclass(device, Backend)):
        raise TypeError(
            f"check_backend takes the name of a device or a subclass of Backend, got {device!r:.80}"
        )
    try:
        bench = Bench(device)
    except UnknownNameError:
        raise
    except Exception as error:
        return _unloadable(error, expected_failures)
    asked = [("loads", lambda: None)]
    for module in (_memory, _map, _reduce, _matmul, _indexing, _optional):
        asked += module.questions(bench)
    if bench.backend.fuses:
        asked += _expressions.questions(bench)
    return named(asked, expected_failures)


def _unloadable(error: Exception, expected_failures: Mapping[str, str] | None) -> list[Check]:
    def loads() -> None:
        raise AssertionError(f"it cannot be used here: {type(error).__name__}: {error}") from error

    expected = {key: why for key, why in (expected_failures or {}).items() if fnmatchcase("loads", key)}
    return named([("loads", loads)], expected)


def check_kernel(
    kernel: object,
    op: str | None = None,
    device: object = None,
    expected_failures: Mapping[str, str] | None = None,
) -> list[Check]:
    raise NotImplementedError
