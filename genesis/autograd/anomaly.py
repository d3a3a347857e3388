"""Anomaly mode: the backward pass looks for nan and says which operation made it, and where it was called."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from genesis.autograd.grad_mode import watch

if TYPE_CHECKING:
    from genesis.autograd.graph import Node


class _Settings:
    enabled = False
    check_nan = True
    results = (False, False)  # whether all results are looked at, and for infinities, too


mode = _Settings()


def is_anomaly_enabled() -> bool:
    """True in anomaly mode."""
    return mode.enabled


def is_anomaly_check_nan_enabled() -> bool:
    """True when anomaly mode looks for nan."""
    return mode.check_nan


class set_detect_anomaly:
    """Switch anomaly mode on or off at once; as a context manager, put the old mode back at the end.

    In anomaly mode every operation notes where it was called, and an error in its backward pass is
    followed by that place.  A gradient with nan is an error. It slows everything down: use it to look
    for an error.

    Args:
        mode: on or off.
        check_nan: look for nan.
        forward: look at the result of every operation at once, recorded or not, on all devices and in all
            threads. The one that makes a nan of numbers without nan is an error, which names the operation
            and the line that called it.
        check_inf: with ``forward``, an infinity counts, too. A mask of ``-inf`` is one.

    Raises:
        RuntimeError: in what follows, where a nan is made.
    """

    def __init__(
        self, mode: bool, check_nan: bool = True, *, forward: bool = False, check_inf: bool = False
    ) -> None:
        self._before = _current()
        _set(bool(mode), check_nan, (forward and bool(mode), check_inf))

    def __enter__(self) -> None:
        """It is on since it was made."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _set(*self._before)


class detect_anomaly:
    """``with genesis.autograd.detect_anomaly():`` is anomaly mode; see ``set_detect_anomaly``."""

    def __init__(self, check_nan: bool = True, *, forward: bool = False, check_inf: bool = False) -> None:
        self._check_nan, self._results = check_nan, (forward, check_inf)
        self._before: tuple[bool, bool, tuple[bool, bool]] | None = None
        warnings.warn(
            "anomaly detection slows everything down; use it to look for an error only", stacklevel=2
        )

    def __enter__(self) -> None:
        self._before = _current()
        _set(True, self._check_nan, self._results)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            _set(*self._before)


def _current() -> tuple[bool, bool, tuple[bool, bool]]:
    return mode.enabled, mode.check_nan, mode.results


def _set(enabled: bool, check_nan: bool, results: tuple[bool, bool]) -> None:
    watch.add(nodes=int(enabled) - int(mode.enabled))
    if results != mode.results:
        from genesis.autograd import first_nan

        before, mode.results = mode.results, results
        for (on, inf), begins in ((results, True), (before, False)):
            if on:
                first_nan.watch(begins, inf)
    mode.enabled, mode.check_nan = enabled, check_nan


def here() -> str:
    """The lines of the user's that led to the operation."""
    frames = [
        f for f in traceback.extract_stack() if "/genesis/autograd/" not in f.filename.replace("\\", "/")
    ]
    return "".join(traceback.format_list(frames[-12:]))


def check(node: Node, grads: Sequence[Any]) -> None:
    """Raise if a gradient has nan.

    Raises:
        RuntimeError: one has; the message names the operation, the warning before it where it was called.
    """
    from genesis.autograd.graph import Bundle, GraphError

    if not mode.check_nan:
        return
    for i, g in enumerate(grads):
        if g is None or type(g) is Bundle or not g._view.dtype.is_floating_point:
            continue
        if g.isnan().any().item():
            tell(node)
            raise GraphError(f"Function '{node.name()}' returned nan values in its {i}th output.")


def tell(node: Node) -> None:
    """Warn with the place where the operation of a node was called."""
    if node.extra is not None and node.extra.trace:
        warnings.warn(
            f"Error detected in {node.name()}. Traceback of forward call that caused the error:\n"
            f"{node.extra.trace}",
            stacklevel=2,
        )
    else:
        warnings.warn(
            f"Error detected in {node.name()}. No forward pass information available. Enable anomaly "
            "detection during the forward pass to see where it was called.",
            stacklevel=2,
        )
