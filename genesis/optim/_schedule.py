"""A schedule is a pure function of the step: the shape of a curve, knowing nothing of who follows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import KW_ONLY, MISSING, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, overload

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from genesis.optim._compose import Joined, Product
    from genesis.optim._wrap import Clip, Repeat, Towards, Warmup

    _Floats = NDArray[np.float64]
    _Numbers = NDArray[Any]

_Self = TypeVar("_Self", bound="Schedule")
_Other = TypeVar("_Other", bound="Schedule")


@dataclass(frozen=True)
class Explanation:
    """Where a value comes from: which schedule gave it, by which formula, out of which parts.

    Attributes:
        schedule: The schedule, as text.
        step: The step, as this schedule counts it.
        value: What the schedule gives for it.
        phase: What the schedule is doing at this step, such as `"warmup"`; may be empty.
        formula: The formula of the value, t being the step; may be empty.
        parts: The parts in force at this step, each with its role.

    Printed, it is a tree.
    """

    schedule: str
    step: float
    value: float
    phase: str = ""
    formula: str = ""
    parts: tuple[tuple[str, Explanation], ...] = ()

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> list[str]:
        phase = f", {self.phase}" if self.phase else ""
        formula = f": {self.formula}" if self.formula else ""
        lines = [f"{self.value:.8g} at step {self.step:g}{phase} = {self.schedule}{formula}"]
        for role, part in self.parts:
            first, *rest = part._lines()
            lines += [f"  {role}: {first}", *(f"  {line}" for line in rest)]
        return lines


@dataclass(frozen=True, repr=False)
class Schedule:
    """The shape of a curve over steps, pure and immutable.

    A subclass is a frozen dataclass whose fields are its parameters, and writes `at`, its formula for one
    step. Equality, pickling, a readable text and a configuration come from the fields. Schedules compose:
    `a.then(b)`, `a * b`, `a.clip(low, high)`, `a.repeat(times)`, `a.with_warmup(steps)`, `a.towards(rate)`.

    Args:
        end: What happens after the last step (`horizon`): `"hold"` stays at the end value, `"repeat"` starts
            over, `"raise"` refuses with a ValueError.
        kind: `"factor"` if the values multiply a parameter group's base rate, `"value"` if they are rates.

    Attributes:
        formula: One line of plain text with the formula, t being the step; `explain` shows it.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True, repr=False)
        ... class Triangle(Schedule):
        ...     formula = "1 - t / steps"
        ...     steps: int
        ...
        ...     @property
        ...     def horizon(self) -> int:
        ...         return self.steps
        ...
        ...     def at(self, step: float) -> float:
        ...         return 1 - step / self.steps
        >>> Triangle(4)(1), Triangle(4)(9), Triangle(4, end="repeat")(9)
        (0.75, 0.0, 0.75)
        >>> Triangle(4).then(Triangle(2), at=3)(4)
        0.5
    """

    formula: ClassVar[str] = ""
    __array_ufunc__: ClassVar[None] = None  # an array times a schedule is an error, not an array of products

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

    # What a shape defines.

    @property
    def horizon(self) -> int | None:
        """The number of steps after which the curve has ended; None if it never does."""
        return None

    @property
    def ending(self) -> int | None:
        """The horizon of a schedule that ends there for good; None for one that starts over."""
        return None if self.end == "repeat" else self.horizon

    @property
    def length(self) -> int | None:
        """The number of steps that `stretched` changes: the horizon, or the period of a curve without one."""
        return self.horizon

    def at(self, step: float) -> float:
        """The value at one step, from 0 to `horizon`: the formula that a subclass writes.

        The step may be fractional where somebody asks for one, or where the schedule was extended.
        """
        raise NotImplementedError(f"{type(self).__name__} has no formula: define at(self, step)")

    def at_array(self, steps: _Numbers) -> _Floats:
        """The values at many steps; a subclass may write a faster one with numpy.

        Args:
            steps: Numbers of any shape, each from 0 to `horizon`.

        Returns:
            A float64 array of the same shape.
        """
        import numpy as np

        flat, at = steps.ravel().tolist(), self.at
        values = [at(step) for step in flat]
        if not all(type(value) is float for value in values):
            values = [self.checked(value, step) for value, step in zip(values, flat, strict=True)]
        array = np.array(values, dtype=np.float64)
        if (wrong := np.isnan(array)).any():
            number = int(wrong.argmax())
            self.checked(values[number], flat[number])
        return array.reshape(steps.shape)

    def for_base(self, base: float) -> Schedule:
        """The schedule for a parameter group with this base rate: itself, unless its shape depends on it."""
        return self.map_parts(lambda part: part.for_base(base))

    def stretched(self, at: int, total: int) -> Schedule:
        """The schedule that goes on from step `at` without a jump, at another pace, to end at step `total`.

        Up to step `at` nothing changes; what was left of the curve then is drawn out, or pressed together.

        Raises:
            ValueError: if this schedule has no end, has passed it at step `at`, or `total` is not after it.
        """
        from genesis.optim._wrap import Stretch

        return Stretch(self, at, total)

    def phase(self, step: float) -> str:
        """What the schedule is doing at a step, in a word; a subclass with phases names them."""
        return ""

    def parts_at(self, step: float) -> Iterator[tuple[str, Schedule, float]]:
        """The parts in force at a step: the role, the part, and the step as the part counts it."""
        return iter(())

    # What everybody uses.

    @overload
    def __call__(self, step: float) -> float: ...
    @overload
    def __call__(self, step: _Numbers) -> _Floats: ...
    def __call__(self, step: Any) -> Any:
        """The value at a step, or at each step of an array, with the end policy applied.

        Args:
            step: How many steps were taken, 0 or more; a number, or an array of numbers.

        Returns:
            A float for a number; a float64 array of the same shape for an array.

        Raises:
            TypeError: if `step` is neither.
            ValueError: if a step is negative, or past the end of a schedule with `end="raise"`.
        """
        if type(step) is not int:
            return self._call_other(step)
        if step < 0:
            raise ValueError(f"a step is 0 or more, got {step}")
        return self.checked(self.value(step), step)

    def _call_other(self, step: Any) -> Any:
        """The general form of `__call__`: floats, numbers of other types, and arrays."""
        import numpy as np

        array = np.asarray(step)
        if array.dtype.kind not in "iuf":
            raise TypeError(f"a step is a number or an array of numbers, got {step!r}")
        # Small types would overflow, or round, in the sums that follow.
        array = array.astype(np.float64 if array.dtype.kind == "f" else np.int64, copy=False)
        first = array.min(initial=0)
        if not first >= 0 or not np.isfinite(array).all():
            raise ValueError(f"a step is 0 or more, got {first if first < 0 else step}")
        if array.ndim == 0:
            return self.checked(self.value(array.item()), array.item())
        return self.values(array)

    def value(self, step: float) -> float:
        """The value at one step with the end policy applied, the step and the value unchecked."""
        horizon = self.horizon
        return self.at(step if horizon is None or step < horizon else self._fold(step, horizon))

    def values(self, steps: _Numbers) -> _Floats:
        """The values at many steps with the end policy applied, the steps unchecked."""
        import numpy as np

        horizon, last = self.horizon, steps.max(initial=0)
        if horizon is None or last < horizon:
            return self.at_array(steps)
        if self.end == "repeat":
            return self.at_array(steps % horizon)
        self._fold(last, horizon)
        result = np.full(steps.shape, self.checked(self.at(horizon), horizon))
        inside = steps < horizon
        result[inside] = self.at_array(steps[inside])
        return result

    def compiled(self) -> Callable[[float], float]:
        """`value` as a plain function without checks, as fast as can be: what a driver asks at each step."""
        at, horizon = self.at, self.horizon
        if horizon is None:
            return at
        fold = self._fold
        return lambda step: at(step if step < horizon else fold(step, horizon))

    def factors(self) -> tuple[Schedule, tuple[float, float] | None] | None:
        """What a driver may ask once for all groups: the factors, and how they become rates.

        Returns:
            The schedule of factors with None, if a rate is base * factor; with (rate, span), if it is
            rate + span * factor; or None, if the values are rates that are not made of factors.
        """
        return (self, None) if self.kind == "factor" else None

    def _fold(self, step: float, horizon: int) -> float:
        """Bring a step that is not below the horizon back by the end policy."""
        if self.end == "repeat":
            return step % horizon
        if self.end == "raise" and step > horizon:
            raise ValueError(f"step {step} lies past the end: {self!r} ends after {horizon} steps")
        return horizon

    def checked(self, value: Any, step: float) -> float:
        """A value as a plain float, or an error that says at which step the formula gave something else."""
        if type(value) is float and value == value:
            return value
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise TypeError(f"{self!r} gave {value!r} at step {step}; expected a real number") from None
        if number != number:
            raise ValueError(f"{self!r} gave nan at step {step}; a rate of nan would spoil every parameter")
        return number

    def explain(self, step: float) -> Explanation:
        """Say where the value at a step comes from: the phase, the formula, and each part."""
        value, horizon = self(step), self.horizon
        if horizon is not None and step >= horizon:
            step = self._fold(step, horizon)
        parts = tuple((role, part.explain(local)) for role, part, local in self.parts_at(step))
        return Explanation(repr(self), step, value, self.phase(step), self.formula, parts)

    def plot(self, num_steps: int | None = None, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the values over the steps with matplotlib: factors of a base rate of 1, or rates.

        Args:
            num_steps: How many steps; by default to the end of the schedule and a little further.
            ax: The axes to draw into; by default new ones.
            **options: For `Axes.plot`, such as `label=` or `color=`; and `metrics=`, a list, for a schedule
                that follows a metric.

        Returns:
            The axes.
        """
        from genesis.optim._plot import plot_schedule

        return plot_schedule(self, num_steps, ax, **options)

    # The algebra.

    def then(self, other: Schedule, at: int | None = None) -> Joined:
        """This schedule up to step `at`, then the other one from its own step 0.

        Args:
            other: What comes next.
            at: When; by default where this schedule ends.

        Example:
            >>> from genesis.optim import Constant, Linear
            >>> schedule = Linear(4, start_factor=0.0, end_factor=1.0).then(Constant(0.5))
            >>> [schedule(step) for step in (0, 2, 4, 5)]
            [0.0, 0.5, 0.5, 0.5]
        """
        from genesis.optim._compose import joined

        return joined(self, other, at)

    def __mul__(self, other: Schedule | float) -> Product:
        """The product with another schedule, or with a number."""
        from genesis.optim._compose import product

        return product(self, other)

    __rmul__ = __mul__

    def clip(self, low: float | None = None, high: float | None = None) -> Clip:
        """This schedule, its values kept between two bounds, of which either may be left out."""
        from genesis.optim._wrap import Clip

        return Clip(self, low, high)

    def clip_rate(self, low: float | None = None, high: float | None = None) -> Clip:
        """This schedule, the learning rate that follows from it kept between two rates, whatever the base."""
        from genesis.optim._wrap import Clip

        return Clip(self, low, high, rates=True)

    def repeat(self, times: int | None = None) -> Repeat:
        """This schedule again and again: `times` times in all, or for ever."""
        from genesis.optim._wrap import Repeat

        return Repeat(self, times)

    def with_warmup(self, steps: int, start: float = 0.0, overlap: bool = False) -> Warmup:
        """A straight rise to this schedule's first value, then this schedule.

        Args:
            steps: The steps of the rise. At step t of it the first value is multiplied by
                start + (1 - start) * t / steps.
            start: Where the rise starts, as a part of the first value. For a warmup of W steps that begins
                with 1/W and reaches 1 with its last step, write `with_warmup(W - 1, start=1 / W)`.
            overlap: Whether this schedule starts together with the rise, which then multiplies it, rather
                than after it.
        """
        from genesis.optim._wrap import Warmup

        return Warmup(self, steps, start, overlap)

    def towards(self, rate: float) -> Towards:
        """Let factors lead from a group's base rate to `rate`, the same for all groups, instead of to 0.

        The learning rate is rate + (base - rate) * factor: with a factor that falls from 1 to 0 an absolute
        floor for each group.
        """
        from genesis.optim._wrap import Towards

        return Towards(self, rate)

    # Configurations.

    def map_parts(self: _Self, change: Callable[[Schedule], Schedule]) -> _Self:
        """A copy with each part changed; itself if there are none or none changes."""
        changes: dict[str, Any] = {}
        for field in fields(self):
            old = getattr(self, field.name)
            if isinstance(old, Schedule):
                new: Any = change(old)
                if new is not old:
                    changes[field.name] = new
            elif isinstance(old, tuple) and any(isinstance(item, Schedule) for item in old):
                new = tuple(change(item) if isinstance(item, Schedule) else item for item in old)
                if any(a is not b for a, b in zip(new, old, strict=True)):
                    changes[field.name] = new
        return replace(self, **changes) if changes else self

    def to_config(self) -> dict[str, Any]:
        """The name of the class and its parameters, as a dict of plain values that JSON can hold.

        Raises:
            TypeError: if a parameter cannot be written down, such as a function without a name.
        """
        from genesis.optim._config import encode, name_of

        names = [field.name for field in fields(self) if field.init]
        return {"type": name_of(type(self)), **{name: encode(getattr(self, name), self) for name in names}}

    @classmethod
    def from_config(cls: type[_Self], config: Mapping[str, Any]) -> _Self:
        """Build the schedule that `to_config` described; parameters with defaults may be left out.

        `Schedule.from_config` finds the class by its name: those that plugins declare, and those that are
        defined in a module that was imported. No other module is imported, so a configuration cannot run
        code that is not installed as a plugin.

        Raises:
            ValueError: if the configuration is another class's, or its parameters are not those of this one.
        """
        from genesis.optim._config import decode, schedule_class

        found = schedule_class(config, cls)
        expected = {field.name: field for field in fields(found) if field.init}
        required = {
            name
            for name, field in expected.items()
            if field.default is MISSING and field.default_factory is MISSING
        }
        given = {str(name) for name in config} - {"type"}
        if not required <= given <= set(expected):
            raise ValueError(
                f"expected the configuration of a {found.__name__} with {sorted(expected)}, "
                f"got that of a {config.get('type')} with {sorted(given)}"
            )
        schedule: _Self = found(**{name: decode(config[name]) for name in given})
        return schedule

    def __repr__(self) -> str:
        """The class and those parameters that differ from their defaults."""
        shown = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in fields(self)
            if getattr(self, field.name) != field.default
        ]
        return f"{type(self).__name__}({', '.join(shown)})"
