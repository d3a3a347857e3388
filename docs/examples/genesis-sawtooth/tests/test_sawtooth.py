"""Sawtooth: the kit's questions, and the values that make it what it is."""

from __future__ import annotations

import pytest

import genesis
from genesis.optim import Sawtooth
from genesis.testing import Check, check_plugin, check_scheduler, parametrize


@parametrize(check_scheduler("genesis-sawtooth:Sawtooth", {"total_steps": 12, "teeth": 3}))
def test_schedule(check: Check) -> None:
    check()


@parametrize(check_plugin("genesis-sawtooth"))
def test_plugin(check: Check) -> None:
    check()


def test_each_fall_starts_lower() -> None:
    shape = Sawtooth(12, teeth=3)
    assert [shape(step) for step in (0, 4, 8, 12)] == pytest.approx([1, 2 / 3, 1 / 3, 0])
    assert shape(3) == pytest.approx(0.25)  # three quarters of the first fall


def test_a_length_may_be_a_part_of_the_training() -> None:
    with genesis.optim.training_length(total_steps=200):
        assert Sawtooth("50%").total_steps == 100


@pytest.mark.parametrize("teeth", [0, 13])
def test_a_wrong_number_of_teeth_is_refused(teeth: int) -> None:
    with pytest.raises(ValueError, match="teeth must be from 1 to total_steps=12"):
        Sawtooth(12, teeth=teeth)
