"""``check_backend`` and ``check_kernel``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from importlib import import_module
from typing import Any

from genesis._errors import UnknownNameError
from genesis.backend import Backend
from genesis.backend.dispatch import kernel as kernel_of
from genesis.plugin import registry
from genesis.testing._check import Check, Question, named
from genesis.testing.backend_checks import (
    _expressions,
    _halves,
    _indexing,
    _kernels,
    _map,
    _matmul,
    _memory,
    _named,
    _norms,
    _optional,
    _reduce,
    _steps,
    _updates,
    _walk,
)
from genesis.testing.backend_checks._bench import Bench
from genesis.testing.backend_checks._kernels import Kernels
from genesis.testing.backend_checks._samples import Sample

Reasons = Mapping[str, str] | None


def check_backend(
    device: str | type[Backend],
    expected_failures: Reasons = None,
    *,
    samples: Mapping[str, Sequence[Sample]] | None = None,
) -> list[Check]:
    """Make checks of everything that a device is asked for.

    Args:
        device: Its name, such as `"acme"` or `"acme:1"`; or a subclass of `Backend`, declared or not.
        expected_failures: From the name of a check, or a glob such as `"map/*/float64*"`, to the reason.
        samples: For kernels of operations that Genesis does not know: what to try them on, by operation.

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
    asked: list[Question] = [("loads", lambda: None)]
    for module in (_memory, _map, _walk, _reduce, _matmul, _indexing, _optional, _halves):
        asked += module.questions(bench)
    if bench.backend.fuses:
        asked += _expressions.questions(bench)
    asked += _own_kernels(bench, samples or {})
    return named(asked, expected_failures)


def check_kernel(
    kernel: str | Callable[..., Any],
    op: str | None = None,
    device: str | type[Backend] | None = None,
    expected_failures: Reasons = None,
    *,
    samples: Sequence[Sample] | None = None,
) -> list[Check]:
    """Make checks of one kernel, alone and with the other half of its operation.

    Args:
        kernel: The name of a declared kernel, such as `"cpu:softmax"` or `"acme-kernels:cpu:softmax"`; or a
            function.
        op: With a function: the operation that it computes, such as `"softmax"` or `"softmax.backward"`.
        device: With a function: where it runs, a name or a subclass of `Backend`.
        expected_failures: From the name of a check, or a glob, to the reason.
        samples: What to try it on; Genesis has samples for its own operations.

    Returns:
        One check, `"loads"`, where the kernel or its device cannot be used here; it fails with the reason.

    Raises:
        UnknownNameError: No plugin declares such a kernel, or there is no such device.
        TypeError: `op` and `device` are missing beside a function, or given beside a name.
        ValueError: A key of `expected_failures` fits no check.

    Example:
        >>> @parametrize(check_kernel("acme-kernels:cpu:softmax"))
        ... def test_softmax(check):
        ...     check()
    """
    if isinstance(kernel, str):
        if op is not None or device is not None:
            raise TypeError("check_kernel takes op and device with a function; a declared kernel has its own")
        found = registry("kernels").find(kernel)
        op, device, load = found.op, found.device, found.load
    elif callable(kernel):
        if op is None or device is None:
            raise TypeError("check_kernel of a function needs op and device, such as 'softmax' and 'cpu'")
        load = partial(_same, kernel)
    else:
        raise TypeError(f"check_kernel takes the name of a kernel or a function, got {kernel!r:.80}")
    try:
        function = load()
        bench = Bench(device)
    except UnknownNameError:
        raise
    except Exception as error:
        return _unloadable(error, expected_failures)
    asked: list[Question] = [("loads", lambda: None), *_of_kernel(bench, op, function, samples)]
    return named(asked, expected_failures)


def _same(function: Callable[..., Any]) -> Callable[..., Any]:
    return function


def _of_kernel(
    bench: Bench, op: str, function: Callable[..., Any], samples: Sequence[Sample] | None
) -> Iterator[Question]:
    if op in _steps.STEPS:
        yield from _steps.questions(bench, op, function)
        return
    if op == _updates.NAME:
        yield from _updates.questions(bench, function)
        return
    if op == _norms.NAME:
        yield from _norms.questions(bench, function)
        return
    if op in _named.NAMES:
        yield from _named.questions(bench, op, function)
        return
    base = op.removesuffix(".backward")
    if base == op:
        kernels = Kernels(base, function, kernel_of(bench.backend, f"{base}.backward"))
    else:
        kernels = Kernels(base, kernel_of(bench.backend, base), function)
    yield from _kernels.questions(bench, kernels, samples)


def _own_kernels(bench: Bench, samples: Mapping[str, Sequence[Sample]]) -> Iterator[Question]:
    """Questions about each entry of ``kernels``."""
    loaded: dict[str, Callable[..., Any]] = {}
    for name, target in bench.backend.kernels.items():
        try:
            module, _, attribute = target.partition(":")
            loaded[name] = getattr(import_module(module), attribute)
        except Exception as error:
            yield f"kernel/{name}/loads", partial(_does_not_load, name, target, error)
    for name in dict.fromkeys(name.removesuffix(".backward") for name in loaded):
        if name in _steps.STEPS:
            yield from _steps.questions(bench, name, loaded[name])
        elif name == _updates.NAME:
            yield from _updates.questions(bench, loaded[name])
        elif name == _norms.NAME:
            yield from _norms.questions(bench, loaded[name])
        elif name in _named.NAMES:
            yield from _named.questions(bench, name, loaded[name])
        else:
            kernels = Kernels(name, loaded.get(name), loaded.get(f"{name}.backward"))
            yield from _kernels.questions(bench, kernels, samples.get(name))


def _does_not_load(name: str, target: str, error: Exception) -> None:
    raise AssertionError(
        f"kernels[{name!r}] is {target!r}, which cannot be loaded: {type(error).__name__}: {error}. A "
        "target reads 'package.module:function'"
    ) from error


def _unloadable(error: Exception, expected_failures: Reasons) -> list[Check]:
    def loads() -> None:
        raise AssertionError(f"it cannot be used here: {type(error).__name__}: {error}") from error

    # what is said of other checks holds again where it can be used
    expected = {key: why for key, why in (expected_failures or {}).items() if fnmatchcase("loads", key)}
    return named([("loads", loads)], expected)
