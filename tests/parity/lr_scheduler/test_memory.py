"""A scheduler keeps nothing alive: no reference cycle, and nothing in the optimizer that refers to it."""

from __future__ import annotations

import gc
import weakref

import pytest

pytestmark = pytest.mark.parity


@pytest.fixture
def no_collector():
    """The garbage collector off: what goes away has gone away by counting references."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_optimizer_has_no_referrers(kit, each_class, no_collector):
    optimizer = kit.optimizer(0.05, 0.5)
    scheduler = each_class.make(kit, optimizer)
    del scheduler
    assert gc.get_referrers(optimizer) == []


def test_nothing_is_left_to_collect(kit, each_class, no_collector):
    scheduler = each_class.make(kit, kit.optimizer(0.05, 0.5))
    for _ in range(2):
        kit.advance(scheduler)
    del scheduler
    assert gc.collect() == 0


def test_optimizer_goes_with_its_last_reference(kit, each_class, no_collector):
    optimizer = kit.optimizer(0.05, 0.5)
    alive = weakref.ref(optimizer)
    scheduler = each_class.make(kit, optimizer)
    optimizer.param_groups[0]["params"][0].sum().backward()
    kit.advance(scheduler)
    del optimizer, scheduler
    assert alive() is None


def test_scheduler_goes_with_its_last_reference(kit, each_class, no_collector):
    optimizer = kit.optimizer(0.05, 0.5)
    scheduler = each_class.make(kit, optimizer)
    kit.advance(scheduler)
    alive = weakref.ref(scheduler)
    del scheduler
    assert alive() is None


@pytest.mark.parametrize("mode", ["triangular", "triangular2", "exp_range"])
def test_cyclic_goes_in_every_mode(kit, mode, no_collector):
    optimizer = kit.optimizer(0.5)
    scheduler = kit.CyclicLR(optimizer, 0.1, 0.5, mode=mode, gamma=0.9, cycle_momentum=False)
    alive = weakref.ref(scheduler)
    del scheduler
    assert alive() is None


def test_composites_go_too(kit, composite, no_collector):
    optimizer = kit.optimizer(0.5)
    alive = weakref.ref(optimizer)
    scheduler = composite(kit, optimizer)
    kit.advance(scheduler)
    del optimizer, scheduler
    assert alive() is None
