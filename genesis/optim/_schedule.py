"""A schedule is a pure function of the step: the shape of a curve, knowing nothing of who follows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    _Floats = NDArray[np.float64]
    _Integers = NDArray[np.integer[Any]]

_Self = TypeVar("_Self", bound="Schedule")


@dataclass(frozen=True, repr=False)
class Schedule:
    """The shape of a curve over steps, pure and immutable.

    A subclass is a frozen dataclass whose fields are its parameters, and writes `at`, its formula for one
    step. Equality, pickling, a readable text and a configuration come from the fields.

    Args:
        end: What happens after the last step (`horizon`): `"hold"` stays at the end value, `"repeat"` starts
            over, `"raise"` refuses with a ValueError.
        kind: `"factor"` if the values multiply a parameter group's base rate, `"value"` if they are rates.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True, repr=False)
        ... class Triangle(Schedule):
        ...     steps: int
        ...
        ...     @property
        ...     def horizon(self) -> int:
        ...         return self.steps
        ...
        ...     def at(self, step: int) -> float:
        ...         return 1 - step / self.steps
        >>> Triangle(4)(1), Triangle(4)(9), Triangle(4, end="repeat")(9)
        (0.75, 0.0, 0.75)
    """

    _: KW_ONLY
    end: Literal["hold", "repeat", "raise"] = "hold"
    kind: Literal["factor", "value"] = "factor"

    def __post_init__(self) -> None:
        """Check the parameters; a subclass that checks its own calls this one too."""
        if self.end not in ("hold", "repeat", "raise"):
            raise ValueError(f"end must be 'hold', 'repeat' or 'raise', got {self.end!r}")
        if self.kind not in ("factor", "value"):
            raise ValueError(f"kind must be 'factor' or 'value', got {self.kind!r}")
        if self.end == "repeat" and not self.horizon:
            raise ValueError(f"end='repeat' needs a schedule that ends; this one has horizon={self.horizon}")

    @property
    def horizon(self) -> int | None:
        """The number of steps after which the curve has ended; None if it never does."""
        return None

    def at(self, step: int) -> float:
        """The value at one step, from 0 to `horizon`: the formula that a subclass writes."""
        raise NotImplementedError(f"{type(self).__name__} has no formula: define at(self, step)")

    def at_array(self, steps: _Integers) -> _Floats:
        """The values at many steps; a subclass may write a faster one with numpy.

        Args:
            steps: Integers of any shape, each from 0 to `horizon`.

        Returns:
            A float64 array of the same shape.
        """
        import numpy as np

        values = [self.checked(self.at(step), step) for step in steps.ravel().tolist()]
        return np.array(values, dtype=np.float64).reshape(steps.shape)

    @overload
    def __call__(self, step: int) -> float: ...
    @overload
    def __call__(self, step: _Integers) -> _Floats: ...
    def __call__(self, step: Any) -> Any:
        """The value at a step, or at each step of an integer array, with the end policy applied.

        Args:
            step: How many steps were taken, 0 or more; an int or an array of ints.

        Returns:
            A float for an int; a float64 array of the same shape for an array.

        Raises:
            TypeError: if `step` is neither.
            ValueError: if a step is negative, or past the end of a schedule with `end="raise"`.
        """
        if type(step) is not int:
            return self._call_array(step)
        horizon = self.horizon
        if step < 0 or (horizon is not None and step >= horizon):
            step = self._fold(step, horizon)
        value = self.at(step)
        return value if type(value) is float and value == value else self.checked(value, step)

    def _fold(self, step: int, horizon: int | None) -> int:
        """Bring a step that is not below the horizon back by the end policy."""
        if step < 0 or horizon is None:
            raise ValueError(f"a step is 0 or more, got {step}")
        if self.end == "repeat":
            return step % horizon
        if self.end == "raise" and step > horizon:
            raise ValueError(f"step {step} lies past the end: {self!r} ends after {horizon} steps")
        return horizon

    def _call_array(self, steps: Any) -> Any:
        """The general form of `__call__`: integers of other types, and arrays."""
        import numpy as np

        array = np.asarray(steps)
        if array.dtype.kind not in "iu":
            raise TypeError(f"a step is an int or an array of ints, got {steps!r}")
        if array.ndim == 0:
            return self(array.item())
        horizon, first, last = self.horizon, array.min(initial=0), array.max(initial=0)
        if first < 0:
            raise ValueError(f"a step is 0 or more, got {first}")
        if horizon is not None and last >= horizon:
            if self.end == "raise":
                self._fold(int(last), horizon)
            array = array % horizon if self.end == "repeat" else np.minimum(array, horizon)
        return self.at_array(array)

    def checked(self, value: Any, step: int) -> float:
        """A value as a plain float, or an error that says at which step the formula gave something else."""
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise TypeError(f"{self!r} gave {value!r} at step {step}; expected a real number") from None
        if number != number:
            raise ValueError(f"{self!r} gave nan at step {step}; a rate of nan would spoil every parameter")
        return number

    def to_config(self) -> dict[str, Any]:
        """The name of the class and its parameters, as a dict of plain values that JSON can hold."""
        parameters = {field.name: getattr(self, field.name) for field in fields(self)}
        return {"type": type(self).__name__, **parameters}

    @classmethod
    def from_config(cls: type[_Self], config: Mapping[str, Any]) -> _Self:
        """Build the schedule that `to_config` described.

        Raises:
            ValueError: if the configuration is another class's, or its parameters are not those of this one.
        """
        expected, given = {field.name for field in fields(cls)}, set(config) - {"type"}
        if config.get("type") != cls.__name__ or given != expected:
            raise ValueError(
                f"expected the configuration of a {cls.__name__} with {sorted(expected)}, "
                f"got that of a {config.get('type')} with {sorted(given)}"
            )
        return cls(**{name: config[name] for name in expected})

    def __repr__(self) -> str:
        """The class and those parameters that differ from their defaults."""
        shown = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in fields(self)
            if getattr(self, field.name) != field.default
        ]
        return f"{type(self).__name__}({', '.join(shown)})"
