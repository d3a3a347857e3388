"""Schedule: pure, immutable, for an int or an array; end policy, configuration, readable text."""

from __future__ import annotations

import json
import pickle
from dataclasses import FrozenInstanceError, dataclass

import numpy as np
import pytest

from genesis.optim import Schedule


@dataclass(frozen=True, repr=False)
class Fall(Schedule):
    """From 1 to 0 in a straight line."""

    steps: int

    @property
    def horizon(self) -> int:
        return self.steps

    def at(self, step: int) -> float:
        return 1 - step / self.steps


@dataclass(frozen=True, repr=False)
class Halving(Schedule):
    """Half as much at each step, for ever."""

    def at(self, step: int) -> float:
        return 0.5**step


def test_int_gives_a_python_float():
    value = Fall(4)(1)
    assert type(value) is float
    assert value == 0.75


def test_formula_that_gives_an_int_still_gives_a_float():
    @dataclass(frozen=True)
    class One(Schedule):
        def at(self, step: int) -> float:
            return 1

    assert type(One()(3)) is float


def test_array_gives_a_float64_array_of_its_shape():
    steps = np.array([[0, 1], [2, 9]], dtype=np.int32)
    values = Fall(4)(steps)
    assert values.dtype == np.float64
    assert values.tolist() == [[1.0, 0.75], [0.5, 0.0]]


def test_numpy_integer_is_a_step_like_an_int():
    value = Fall(4)(np.int64(1))
    assert type(value) is float
    assert value == 0.75


def test_empty_array_gives_an_empty_array():
    assert Fall(4)(np.arange(0)).shape == (0,)


@pytest.mark.parametrize(
    ("end", "expected"),
    [("hold", [0.5, 0.0, 0.0, 0.0, 0.0]), ("repeat", [0.5, 1.0, 0.5, 1.0, 0.5])],
)
def test_end_policy_for_ints_and_arrays(end, expected):
    fall = Fall(2, end=end)
    assert [fall(step) for step in range(1, 6)] == expected
    assert fall(np.arange(1, 6)).tolist() == expected


def test_end_policy_raise_allows_the_last_step_and_names_the_one_after():
    fall = Fall(2, end="raise")
    assert fall(2) == 0.0
    assert fall(np.arange(3)).tolist() == [1.0, 0.5, 0.0]
    with pytest.raises(ValueError, match=r"step 3 lies past the end: Fall\(.*steps=2\) ends after 2"):
        fall(3)
    with pytest.raises(ValueError, match="step 5 lies past the end"):
        fall(np.arange(6))


def test_schedule_without_end_goes_on():
    assert Halving().horizon is None
    assert Halving()(10) == 2.0**-10


@pytest.mark.parametrize("step", [-1, np.array([3, -1])])
def test_negative_step_is_refused(step):
    with pytest.raises(ValueError, match="a step is 0 or more, got -1"):
        Halving()(step)


@pytest.mark.parametrize("step", ["1", None, True, np.array(["a"])])
def test_step_that_is_no_number_is_refused(step):
    with pytest.raises(TypeError, match="a step is a number or an array of numbers"):
        Halving()(step)


@pytest.mark.parametrize("step", [float("nan"), float("inf"), np.array([0.0, np.nan])])
def test_step_that_is_not_finite_is_refused(step):
    with pytest.raises(ValueError, match="a step is 0 or more"):
        Halving()(step)


def test_steps_between_steps():
    assert Fall(4)(0.5) == 0.875
    assert Fall(4)(np.array([0.5, 5.5])).tolist() == [0.875, 0.0]


def test_value_that_is_no_number_is_refused_and_the_step_named():
    @dataclass(frozen=True)
    class Root(Schedule):
        def at(self, step: int) -> float:
            return (1 - step) ** 0.5  # complex from step 2 on

    with pytest.raises(TypeError, match="at step 2; expected a real number"):
        Root()(2)
    with pytest.raises(TypeError, match="at step 2; expected a real number"):
        Root()(np.arange(4))


def test_parameters_cannot_be_changed():
    fall = Fall(4)
    with pytest.raises(FrozenInstanceError):
        fall.steps = 5


def test_equal_when_class_and_parameters_are_equal():
    assert Fall(4) == Fall(4)
    assert hash(Fall(4)) == hash(Fall(4))
    assert Fall(4) != Fall(5)
    assert Fall(4) != Fall(4, end="repeat")
    assert Halving() != Fall(4)


def test_pickle_gives_an_equal_schedule():
    assert pickle.loads(pickle.dumps(Fall(4, end="repeat"))) == Fall(4, end="repeat")


def test_text_shows_what_differs_from_the_defaults():
    assert repr(Fall(4)) == "Fall(steps=4)"
    assert repr(Fall(4, kind="value")) == "Fall(kind='value', steps=4)"
    assert repr(Halving()) == "Halving()"


def test_configuration_survives_json():
    fall = Fall(4, end="repeat")
    config = json.loads(json.dumps(fall.to_config()))
    assert Fall.from_config(config) == Schedule.from_config(config) == fall
    # Other modules may have a Fall of their own; then the name is written with the module.
    assert config.pop("type").endswith("Fall")
    assert config == {"steps": 4, "end": "repeat", "kind": "factor"}


@pytest.mark.parametrize(
    "config",
    [Halving().to_config(), {**Fall(4).to_config(), "more": 1}, {"type": "Fall"}, {}],
)
def test_configuration_of_something_else_is_refused(config):
    with pytest.raises(ValueError, match=r"expected the configuration of a Fall with .*'steps'"):
        Fall.from_config(config)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"end": "stop"}, "end must be 'hold', 'repeat' or 'raise', got 'stop'"),
        ({"kind": "rate"}, "kind must be 'factor' or 'value', got 'rate'"),
        ({"end": "repeat"}, "needs a schedule that ends"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Halving(**options)


def test_schedule_without_a_formula_says_what_to_define():
    class Empty(Schedule):
        pass

    with pytest.raises(NotImplementedError, match="Empty has no formula: define at"):
        Empty()(0)
