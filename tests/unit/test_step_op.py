"""Steps of optimizers that a plugin declares, and kernels for them."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest

import genesis
from genesis.ops import step_op
from genesis.plugin import KernelSpec, hookimpl, isolated, register

calls: list[str] = []


@step_op(each=("counts",))
def acme_test_step(params, grads, averages, *, counts, lr=0.5):
    """Down along an average."""
    calls.append(f"composite {len(params)} {counts} {len(averages)}")
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        d = averages[i].lerp_(g, 1 / counts[i]) if averages else g
        p.sub_(d, alpha=lr)


def kernel(backend: Any, params: Any, grads: Any, averages: Any, *, counts: Any, lr: float) -> Any:
    if averages:
        return NotImplemented
    calls.append(f"kernel {len(params)} {counts}")
    for p, g in zip(params, grads, strict=True):
        backend.write(p, backend.read(p) - lr * backend.read(g))
    return None


class Kernels:
    @hookimpl
    def genesis_kernels(self) -> list[KernelSpec]:
        return [KernelSpec("acme_test_step", "ref", "acme_test_kernels:kernel", "Down without an average.")]


@pytest.fixture(autouse=True)
def _on_ref():
    before = genesis.get_default_device()
    genesis.set_default_device("ref")
    calls.clear()
    yield
    genesis.set_default_device(before)


def leaf(values: Any, dtype: Any = None) -> genesis.Tensor:
    p = genesis.tensor(values, dtype=dtype, requires_grad=True)
    p.grad = genesis.ones_like(p).detach()
    return p


def take(params: list[genesis.Tensor], averages: list[genesis.Tensor], counts: list[float]) -> None:
    acme_test_step(params, [p.grad for p in params], averages, counts=counts)


def test_the_composite_is_the_definition():
    p, q = leaf([1.0, 2.0]), leaf([3.0])
    take([p, q], [genesis.zeros(2), genesis.zeros(1)], [1, 2])
    assert (p.tolist(), q.tolist()) == ([0.5, 1.5], [2.75])  # a default counts, and no no_grad is needed
    assert calls == ["composite 2 [1, 2] 2"]
    assert p.requires_grad
    assert p.is_leaf


def test_parameters_of_several_types_come_in_parts():
    p, q, r = leaf([1.0]), leaf([1.0], genesis.float64), leaf([1.0])
    take([p, q, r], [], [1, 2, 3])
    assert calls == ["composite 2 [1, 3] 0", "composite 1 [2] 0"]
    assert p.tolist() == q.tolist() == r.tolist() == [0.5]


def test_a_kernel_for_it_is_used_and_may_decline(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "acme_test_kernels", types.SimpleNamespace(kernel=kernel))
    with isolated():
        register(Kernels(), name="acme")
        p = leaf([1.0, 2.0])
        loss = (p * p).sum()
        take([p], [], [1])
        assert calls == ["kernel 1 [1]"]
        assert p.tolist() == [0.5, 1.5]
        with pytest.raises(RuntimeError, match="modified by an inplace"):
            loss.backward()
        take([p], [genesis.zeros(2)], [1])
        assert calls[1:] == ["composite 1 [1] 1"]
        assert p.tolist() == [0.0, 1.0]


def test_what_is_unlike_its_parameter_is_refused():
    p = leaf([1.0, 2.0])
    with pytest.raises(
        genesis.ShapeError, match=r"acme_test_step: the state of parameter 0 has the shape \(3,\)"
    ):
        take([p], [genesis.zeros(3)], [1])
    with pytest.raises(TypeError, match="counts"):
        acme_test_step([p], [p.grad], [])
    assert calls == []
