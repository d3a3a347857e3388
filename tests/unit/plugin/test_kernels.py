"""Kernels that plugins offer for a device, which may be somebody else's."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest

import genesis
from genesis.nn import functional as F
from genesis.plugin import (
    BackendSpec,
    KernelSpec,
    PluginError,
    PluginWarning,
    UnknownNameError,
    disable,
    hookimpl,
    isolated,
    list_kernels,
    prefer,
    register,
    registry,
    unregister,
)
from genesis.testing.reference import RefBackend, native

calls: list[str] = []


class Other(RefBackend):
    """A device of this module, without kernels of its own."""

    name = "other"


def softmax(backend: Any, x: Any, *, dim: int) -> Any:
    """Softmax by NumPy along the last axis; declines the others."""
    calls.append("softmax")
    if dim not in (-1, x.ndim - 1):
        return NotImplemented
    out = backend.empty(x.shape, x.dtype, x.buffer.device)
    e = np.exp(native(x) - native(x).max(-1, keepdims=True))
    native(out)[...] = e / e.sum(-1, keepdims=True)
    return out


def declining(backend: Any, *args: Any, **options: Any) -> Any:
    calls.append("declining")
    return NotImplemented


def doubling(backend: Any, needs: Any, grad: Any, *saved: Any, **options: Any) -> Any:
    """A gradient that nobody would take for the right one."""
    calls.append("backward")
    out = backend.empty(grad.shape, grad.dtype, grad.buffer.device)
    native(out)[...] = 7
    return (out,)


class Device:
    @hookimpl
    def genesis_backends(self) -> list[BackendSpec]:
        return [BackendSpec("other", f"{__name__}:Other", "Another device.", aliases=("others",))]


class Offers:
    def __init__(self, *kernels: tuple[str, str, str]) -> None:
        self.kernels = kernels

    @hookimpl
    def genesis_kernels(self) -> list[KernelSpec]:
        return [KernelSpec(op, device, f"{__name__}:{f}", "A kernel.") for op, device, f in self.kernels]


@pytest.fixture(autouse=True)
def no_calls() -> None:
    calls.clear()


@pytest.fixture
def alone() -> Any:
    with isolated():
        register(Device(), "device")
        yield


def run(device: str = "other", dim: int = -1) -> list[str]:
    """Take a softmax and return which kernels were called."""
    calls.clear()
    x = genesis.tensor([[0.0, math.log(3)], [0.0, 0.0]], device=device)
    got = F.softmax(x, dim)
    want = np.exp(x.numpy()) / np.exp(x.numpy()).sum(dim, keepdims=True)
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-6)
    return list(calls)


@pytest.mark.usefixtures("alone")
def test_an_offered_kernel_is_used_and_may_decline() -> None:
    assert run() == []
    register(Offers(("softmax", "other", "softmax")), "acme")
    assert run() == ["softmax"]
    assert run(dim=0) == ["softmax"]  # declined, and right all the same
    unregister("acme")
    assert run() == []


@pytest.mark.usefixtures("alone")
def test_it_goes_before_a_kernel_of_the_device_which_does_what_it_declines() -> None:
    register(Offers(("softmax", "cpu", "declining")), "acme")
    assert run("cpu") == ["declining"]
    disable("acme")
    assert run("cpu") == []


@pytest.mark.usefixtures("alone")
def test_a_gradient_is_offered_by_itself() -> None:
    register(Offers(("softmax.backward", "other", "doubling")), "acme")
    x = genesis.ones(2, 2, device="other", requires_grad=True)
    F.softmax(x, -1).sum().backward()
    assert calls == ["backward"]
    assert x.grad.tolist() == [[7, 7], [7, 7]]


@pytest.mark.usefixtures("alone")
def test_an_alias_of_the_device_will_do() -> None:
    register(Offers(("softmax", "OTHERS", "softmax"), ("softmax", "nobodys", "declining")), "acme")
    assert run() == ["softmax"]


@pytest.mark.usefixtures("alone")
def test_rivals_are_not_used_until_the_user_has_chosen() -> None:
    register(Offers(("softmax", "other", "softmax")), "acme")
    register(Offers(("softmax", "other", "declining")), "bold")
    with pytest.warns(PluginWarning, match=r"'other:softmax' is offered by acme and bold.*prefer\("):
        assert run() == []
    assert run() == []  # warnings are errors here: it is said once
    assert list_kernels() == ["acme:other:softmax", "bold:other:softmax"]
    prefer("other:softmax", "bold")
    assert run() == ["declining"]
    assert registry("kernels").find("other:softmax").distribution == "bold"
    prefer("other:softmax", "device")  # the device's own
    assert run() == []
    prefer("other:softmax", "nobody")
    with pytest.raises(UnknownNameError, match="'other:softmax' should come from 'nobody'"):
        run()


@pytest.mark.usefixtures("alone")
def test_the_environment_chooses_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from genesis.plugin import _state

    monkeypatch.setattr(_state, "_current", _state.State())
    register(Device(), "device")
    register(Offers(("softmax", "other", "softmax")), "acme")
    register(Offers(("softmax", "other", "declining")), "bold")
    monkeypatch.setenv("GENESIS_PREFER", "other:softmax=acme")
    assert run() == ["softmax"]


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("name", "reason"), [("nothing_here", "has no attribute 'nothing_here'"), ("calls", "is no function")]
)
def test_a_kernel_that_cannot_be_loaded_costs_one_warning(
    name: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(Offers(("softmax", "other", name)), "acme")
    with pytest.warns(PluginWarning, match=f"{reason}.*other does softmax without it"):
        assert run() == []
    assert run() == []  # warnings are errors here: it is said once
    prefer("x", "y")  # any change: it is looked up again
    monkeypatch.setenv("GENESIS_STRICT_PLUGINS", "1")
    with pytest.raises(PluginError, match=reason):
        run()


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (KernelSpec("soft max", "cpu", "m:f", "A."), "the op should be"),
        (KernelSpec("softmax", "cpu:0", "m:f", "A."), "the device should be"),
        (KernelSpec("softmax", "cpu", "m.f", "A."), "the target should read"),
        (KernelSpec("softmax", "cpu", "m:f", ""), "the summary should be"),
    ],
)
def test_a_wrong_declaration_says_what_is_wrong(spec: KernelSpec, reason: str) -> None:
    class Wrong:
        @hookimpl
        def genesis_kernels(self) -> list[KernelSpec]:
            return [spec]

    with isolated(), pytest.raises(PluginError, match=reason):
        register(Wrong(), "wrong")


def test_listing_kernels_imports_none() -> None:
    with isolated(), warnings.catch_warnings():
        warnings.simplefilter("error")
        register(Offers(("softmax", "cpu", "nothing_here")), "acme")
        (found,) = list_kernels("cpu:*")
    assert (found.op, found.device, found.origin, found.kind) == ("softmax", "cpu", "acme", "kernels")
