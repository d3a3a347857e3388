"""Which of the kernels that plugins offer for an operation of a device is used, if any."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from genesis._errors import PluginError, UnknownNameError
from genesis.plugin import _report, _state
from genesis.plugin._contribution import Contribution, fold
from genesis.plugin._registry import registry


def load_kernel(device: str, op: str) -> Callable[..., Any] | None:
    """Import the kernel that should be tried before a device's own; None if there is none, or it is broken.

    Raises:
        UnknownNameError: The user prefers a distribution that does not offer one.
        PluginError: It cannot be imported, and plugins are handled strictly.
    """
    offer = offered_kernel(device, op)
    if offer is None:
        return None
    try:
        function = offer.load()
        if not callable(function):
            raise PluginError(f"{offer.target!r} of {offer.origin} is no function, but {function!r:.60}")
    except PluginError as error:
        if _report.strict_mode():
            raise
        _report.warn(_report.kernel_failed(offer, error))
        return None
    kernel: Callable[..., Any] = function
    return kernel


def offered_kernel(device: str, op: str) -> Contribution | None:
    """Return the kernel that should be tried before a device's own, or None.

    It is the only one that is offered for the operation, or the one that the user prefers. Who prefers the
    distribution of the device itself gets None.

    Args:
        device: The name of the device, as `genesis.device` shows it.
        op: The name of the operation.

    Raises:
        UnknownNameError: The user prefers a distribution that does not offer one.
    """
    kernels = registry("kernels")
    offers = [c for c in kernels.contributions() if c.op == op and _means(c.device, device)]
    names = {fold(name) for c in offers for name in (c.name, f"{device}:{op}")} or {fold(f"{device}:{op}")}
    wanted = next((d for name, d in _state.current().all_preferred().items() if name in names), None)
    if wanted is not None:
        chosen = [c for c in offers if fold(c.distribution) == fold(wanted)]
        if not chosen and fold(wanted) != fold(registry("backends").find(device).distribution):
            raise UnknownNameError(_report.unmet_preference(kernels.kind, f"{device}:{op}", wanted, offers))
        return chosen[0] if chosen else None
    if len(offers) > 1:
        _report.warn(_report.rival_kernels(f"{device}:{op}", offers))
        return None
    return offers[0] if offers else None


def _means(name: str, device: str) -> bool:
    """Whether a name, which may be an alias or of no device that is installed, means this device."""
    if fold(name) == fold(device):
        return True
    found = {fold(alias): str(c) for c in registry("backends").contributions() for alias in c.aliases}
    return found.get(fold(name)) == device
