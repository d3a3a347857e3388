"""A schedule as a value: nobody can change it, and its copies, texts and configurations are equal to it."""

from __future__ import annotations

import copy
import json
import math
import pickle
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

from genesis.optim import Explanation, Schedule
from genesis.testing._check import Question
from genesis.testing.scheduler_checks._optimizers import RATES
from genesis.testing.scheduler_checks._subject import Subject, telling

_CHANGEABLE = (list, dict, set, bytearray)


def questions(subject: Subject) -> Iterator[Question]:
    """Ask a schedule for its copies, and whether it can be changed."""
    shape = subject.shape
    if shape is None:
        return
    objects = _Objects(shape, subject.follows_metric)
    names = ["immutable", "equal", "deepcopy", "explain"]
    if plain(shape):  # a function has no text that makes it again, and a lambda no place in a file
        names += ["repr", "pickle", "config"]
    for name in names:
        yield f"object/{name}", getattr(objects, name)


def plain(value: Any) -> bool:
    """Whether a parameter, or each of a schedule, is a number, a text or None, or made of such."""
    if isinstance(value, Schedule):
        return all(plain(getattr(value, field.name)) for field in fields(value) if field.init)
    if isinstance(value, (tuple, list)):
        return all(map(plain, value))
    if isinstance(value, dict):
        return all(map(plain, value.values()))
    return not callable(value)


def configurable(shape: Schedule) -> bool:
    """Whether a schedule comes back from its configuration; one that has a place in it should."""
    try:
        return plain(shape) and Schedule.from_config(json.loads(json.dumps(shape.to_config()))) == shape
    except Exception:
        return False


def classes_in(value: Any) -> Iterator[type[Any]]:
    """The classes of the schedules that a schedule is made of."""
    if isinstance(value, Schedule):
        yield type(value)
        for field in fields(value):
            yield from classes_in(getattr(value, field.name))
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from classes_in(item)


class _Objects:
    """The questions to one schedule."""

    def __init__(self, shape: Schedule, follows_metric: bool) -> None:
        self.shape, self.follows_metric = shape, follows_metric

    def _values(self, shape: Schedule) -> list[float]:
        bound = shape.for_base(RATES[0])
        return [bound(step) for step in self._steps(bound)]

    def _steps(self, bound: Schedule) -> list[int]:
        """Some steps whose values are known."""
        if self.follows_metric:
            return [0]
        return [step for step in (0, 1, 2, 5) if bound.horizon is None or step <= bound.horizon]

    def immutable(self) -> None:
        """No field can be set, and none holds what can be changed."""
        twin = copy.copy(self.shape)
        for name in dict.fromkeys([*(field.name for field in fields(twin)), *vars(twin)]):
            try:
                setattr(twin, name, getattr(twin, name))
            except AttributeError:
                pass
            else:
                raise AssertionError(
                    f"schedule.{name} = … is allowed: a schedule that changes under the driver gives "
                    "rates that no state tells. Write @dataclass(frozen=True, repr=False) above the class, "
                    "and no __setattr__"
                )
        for field in fields(twin):
            value = getattr(twin, field.name)
            if field.init and field.compare:
                assert not isinstance(value, _CHANGEABLE), (
                    f"the field {field.name} is a {type(value).__name__}, which anybody can change: make it "
                    f"a tuple in __post_init__, object.__setattr__(self, {field.name!r}, "
                    f"tuple(self.{field.name}))"
                )

    def equal(self) -> None:
        """Equal parameters make equal schedules, with one hash."""
        given = {field.name: getattr(self.shape, field.name) for field in fields(self.shape) if field.init}
        try:
            twin = type(self.shape)(**given)
        except Exception as error:
            raise AssertionError(
                f"made again of its fields, {', '.join(given)}, it raised {type(error).__name__}: {error}. "
                "Every parameter is a field of the dataclass: write @dataclass(frozen=True, repr=False) "
                "above the class, and no __init__"
            ) from error
        assert twin == self.shape, (
            f"made again with the same parameters, {self.shape!r} is not equal to itself: a field changes in "
            "__post_init__ each time, or __eq__ is not that of the dataclass"
        )
        with telling("hash(schedule)"):
            assert hash(twin) == hash(self.shape), "two schedules that are equal have two hashes"
        if self.shape.end != "raise":
            assert replace(self.shape, end="raise") != self.shape, (
                "with another `end` it is still equal: write @dataclass(frozen=True, repr=False), whose "
                "comparison looks at every field"
            )

    def deepcopy(self) -> None:
        """A copy is equal."""
        with telling("copy.deepcopy(schedule)"):
            self._same(copy.deepcopy(self.shape), "copy.deepcopy(schedule)")

    def pickle(self) -> None:
        """It comes back from a pickle."""
        with telling("pickle (define the class at the top level of a module)"):
            again = pickle.loads(pickle.dumps(self.shape))
        self._same(again, "a pickle")

    def repr(self) -> None:
        """Its text makes it again."""
        names: dict[str, Any] = {cls.__name__: cls for cls in classes_in(self.shape)}
        text = repr(self.shape)
        with telling(f"the text of it, {text}, run as Python,"):
            again = eval(text, {**names, "replace": replace, "inf": math.inf, "nan": math.nan})
        self._same(again, f"its text, {text}")

    def config(self) -> None:
        """It comes back from JSON."""
        with telling("json.dumps(schedule.to_config())"):
            text = json.dumps(self.shape.to_config())
        for cls in (Schedule, type(self.shape)):
            with telling(f"{cls.__name__}.from_config({text})"):
                again = cls.from_config(json.loads(text))
            self._same(again, f"its configuration, {text}")

    def _same(self, again: Any, way: str) -> None:
        assert type(again) is type(self.shape), f"{way} came back as {again!r}, not as {self.shape!r}"
        for field in fields(self.shape):
            old, new = getattr(self.shape, field.name), getattr(again, field.name)
            if field.init and field.compare:
                assert new == old, (
                    f"{field.name} is lost on the way through {way}: it was {old!r} and came back as {new!r}"
                )
        assert again == self.shape, f"what came back from {way}, {again!r}, is not equal to {self.shape!r}"
        found, expected = self._values(again), self._values(self.shape)
        assert found == expected, f"what came back from {way} has other values: {found}, not {expected}"

    def explain(self) -> None:
        """It says where a value comes from."""
        bound = self.shape.for_base(RATES[0])
        formula = type(self.shape).formula
        one_line = isinstance(formula, str) and "\n" not in formula
        assert one_line, f"formula is {formula!r}; expected one line of text"
        for step in self._steps(bound):
            with telling(f"explain({step})"):
                explained = bound.explain(step)
                text = str(explained)
            assert isinstance(explained, Explanation), f"explain({step}) gave {explained!r}"
            assert explained.value == bound(step), (
                f"explain({step}) says {explained.value!r}, and the value is {bound(step)!r}"
            )
            assert isinstance(explained.phase, str), (
                f"phase({step}) gave {explained.phase!r}; expected a word"
            )
            assert repr(bound) in text, f"explain({step}) does not show the schedule: {text}"
