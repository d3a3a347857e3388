"""A schedule of any name, made with example options where the user gives none, and the rates it writes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Any

from genesis.cli._errors import Misuse
from genesis.plugin._report import near_misses

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from genesis.plugin import Contribution

# What an option gets by its name, for a training of {n} steps. The first that fits counts; those with a star
# are given also where they have a default, since that is too long, too short or None for a picture.
_BY_NAME = (
    ("*num_stable_steps|hold_steps", "{n2}"),
    ("*num_decay_steps|decay_steps", "{n5}"),
    (r"*.*warm_?up\w*_(steps|iters|epochs|t)|timescale", "{n10}"),
    ("*(num_|max_|n_)?(training|total|train|max)_(steps|iters|epochs)|T_max|num_(steps|epochs)", "{n}"),
    ("*anneal_epochs|half_period", "{n2}"),
    ("*T_0|step_size|lr_decay_steps", "{n4}"),
    ("*step_size_up", "{n5}"),
    ("*patience", "{n20}"),
    ("*min_lr_rate", "0.1"),
    ("steps", "{n}"),
    ("first|period|cycle_(length|steps)", "{n4}"),
    ("milestones|boundaries", "[{n4}, {n2}]"),
    ("levels|values", "[1.0, 0.5, 0.1]"),
    ("gamma", "{gamma}"),
    ("rate|(decay|drop)_(rate|factor)|decay|factor", "0.5"),
    ("power", "2"),
    ("model_size|d_model|dim", "512"),
    ("low|base_lr|min_lr|lr_end|eta_min|end_factor|final_lr|end_lr|(end|final)_value", "0.0"),
    ("high|max_lr|init_lr|(init|peak|max)_value|(initial|peak)_(lr|learning_rate)", "1.0"),
    ("swa_lr", "0.1"),
    ("start_factor", "0.1"),
    ("function|lr_lambda|func?|fn", "lambda step: {gamma}**step"),
    ("part|schedule|base_schedule|inner", "optim.Cosine({n})"),
    (
        "schedulers",
        "[optim.LinearLR(optimizer, total_iters={n5}), optim.ExponentialLR(optimizer, gamma={gamma})]",
    ),
)

# Where a name means something else than elsewhere, or more options make a better picture.
_BY_SCHEDULE: dict[str, dict[str, str]] = {
    "ConstantUntil": {"factor": "0.3", "steps": "{n2}"},
    "ConstantLR": {"total_iters": "{n2}"},
    "LinearLR": {"total_iters": "{n2}", "start_factor": "0.1"},
    "PolynomialLR": {"power": "2"},
    "Cycles": {"part": "optim.Cosine({n4})", "decay": "0.7"},
    "Exponential": {"gamma": "{gamma}"},
    "ExponentialDecay": {"steps": "{n4}"},
    "GreedyLR": {"patience": "3", "factor": "0.8", "max_lr": "2.0"},
    "InverseTime": {"steps": "{n10}", "rate": "1"},
    "MultiplicativeLR": {"lr_lambda": "lambda step: {gamma}"},
    "MultiStep": {"gamma": "0.5"},
    "MultiStepLR": {"gamma": "0.5"},
    "Noise": {"std": "0.1"},
    "Piecewise": {"between": "'linear'"},
    "Plateau": {"factor": "0.5"},
    "Polynomial": {"power": "2"},
    "ReduceLROnPlateau": {"factor": "0.5"},
    "SequentialLR": {
        "schedulers": "[optim.LinearLR(optimizer, total_iters={n5}), "
        "optim.CosineAnnealingLR(optimizer, T_max={n45})]",
        "milestones": "[{n5}]",
    },
    "Skip": {"steps": "{n4}"},
    "Step": {"gamma": "0.5"},
    "StepLR": {"gamma": "0.5"},
    "TriStage": {"decay_steps": "{n25}"},
    "cosine_restarts_with_warmup": {"num_cycles": "3"},
    "polynomial_with_warmup": {"power": "2"},
}

# An option that the user gives takes the place of the examples for others.
_INSTEAD = {
    "min_lr": {"min_lr_rate"},
    "epochs": {"total_steps"},
    "steps_per_epoch": {"total_steps"},
    "num_stable_steps": {"num_training_steps"},
    "num_training_steps": {"num_stable_steps"},
}

_NOT_FOR_PICTURES = {"optimizer", "last_epoch", "verbose"}


class ExampleOptimizer:
    """As much of an optimizer as a schedule needs; its `step` does nothing."""

    def __init__(self, lr: float) -> None:
        self.defaults = {"lr": lr, "momentum": 0.9, "weight_decay": 0.01}
        self.param_groups: list[dict[str, Any]] = [{"params": [], **self.defaults}]
        self.state: dict[Any, Any] = {}

    def step(self) -> None:
        """Do nothing."""


@dataclass
class Example:
    """A scheduler on an optimizer of its own.

    Attributes:
        code: What makes it, as Python.
        length: The steps of the training that the examples are for.
        given: Whether the user gave options.
    """

    contribution: Contribution
    scheduler: Any
    code: str
    length: int
    given: bool

    def default_steps(self) -> int:
        """How many steps show what it does: with examples alone, those that the examples are for."""
        return self._to_its_end() if self.given else self.length + 1

    def _to_its_end(self) -> int:
        from genesis.optim import LRScheduler
        from genesis.optim._plot import default_steps

        if isinstance(self.scheduler, LRScheduler) and not self.follows_a_metric():
            return default_steps(self.scheduler)
        return self.length + 1

    def follows_a_metric(self) -> bool:
        """Whether its rates depend on a metric."""
        from genesis.optim import LRScheduler

        if isinstance(self.scheduler, LRScheduler) and self.scheduler.follows_metric:
            return True
        metrics = signature(self.scheduler.step).parameters.get("metrics")
        return metrics is not None and metrics.default is Parameter.empty

    def rates(self, steps: int, all_of_them: bool = True) -> NDArray[np.float64]:
        """The rates of steps 0 to steps - 1, an array (steps, 1).

        Args:
            steps: How many.
            all_of_them: Raise an error if the schedule refuses steps past its end, rather than give fewer.
        """
        try:
            return self._previewed(steps)
        except ValueError:
            if all_of_them:
                raise
            return self._previewed(min(steps, self._to_its_end()))

    def _previewed(self, steps: int) -> NDArray[np.float64]:
        try:
            rates: NDArray[np.float64] = self.scheduler.preview(steps, metrics=losses(steps, self.length))
        except (AttributeError, NotImplementedError):  # it knows only the way from one rate to the next
            return self._stepped(steps)
        return rates

    def _stepped(self, steps: int) -> NDArray[np.float64]:
        import numpy as np

        optimizer = self.scheduler.optimizer
        metrics = losses(steps, self.length) if self.follows_a_metric() else None
        rates = []
        for step in range(steps):
            rates.append([float(group["lr"]) for group in optimizer.param_groups])
            optimizer.step()
            self.scheduler.step(*() if metrics is None else (metrics[step],))
        return np.array(rates, dtype=np.float64)


def losses(steps: int, length: int) -> list[float]:
    """A loss that falls during the first two fifths of a training, and then no more."""
    return [0.3 + 0.7 * max(0.0, 1.0 - 2.5 * step / length) ** 2 for step in range(1, steps + 1)]


def example(found: Contribution, given: dict[str, Any], length: int = 100, lr: float = 1.0) -> Example:
    """Make a schedule with the options given, and with examples for those that it needs besides.

    Args:
        found: Which one.
        given: Options by name.
        length: The steps of the training that example lengths are parts of, unless an option tells them.
        lr: The base rate.

    Raises:
        Misuse: It does not take such options, refuses them, or needs one that there is no example for.
    """
    optimizer = ExampleOptimizer(lr)
    length = _length_given(found, given) or length
    options, texts = example_options(found, given, length, optimizer)
    try:
        scheduler = _made(found, optimizer, options)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise Misuse(f"{found}: {error}") from None
    order = [*options_of(found), *texts]
    shown = ", ".join(f"{name}={texts[name]}" for name in sorted(texts, key=order.index))
    return Example(found, scheduler, _code(found, shown), length, bool(given))


def example_options(
    found: Contribution, given: dict[str, Any], length: int, optimizer: Any
) -> tuple[dict[str, Any], dict[str, str]]:
    """Add examples to the options given, for those that a schedule needs besides.

    Args:
        found: Which schedule.
        given: Options by name.
        length: The steps of the training that example lengths are parts of.
        optimizer: What examples that are schedulers drive.

    Returns:
        The options, and the texts that they are made of.

    Raises:
        Misuse: It does not take such options, or needs one that there is no example for.
    """
    from genesis import optim

    takes = options_of(found)
    unknown = [name for name in given if not accepts(found, name)]
    if unknown:
        raise Misuse(f"{found} does not take {unknown[0]!r}; {_hint(unknown[0], list(takes))}")
    texts = {name: repr(value) for name, value in given.items()}
    options = dict(given)
    replaced = {name for each in given for name in _INSTEAD.get(each, ())}
    for name, parameter in takes.items():
        if name in given or name in replaced:
            continue
        text = _template(found, name, parameter.default is Parameter.empty)
        if text is not None:
            text = _filled(text, length)
            options[name] = eval(text, {"optim": optim, "optimizer": optimizer})  # a text of this module
            texts[name] = text
            replaced |= _INSTEAD.get(name, set())
        elif parameter.default is Parameter.empty:
            raise Misuse(f"{found} needs {name!r}, for which there is no example; give --option {name}=VALUE")
    return options, texts


def options_of(found: Contribution) -> dict[str, Parameter]:
    """The parameters of a schedule besides the optimizer."""
    parameters = _signature(found).parameters
    kinds = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    return {n: p for n, p in parameters.items() if p.kind in kinds and n not in _NOT_FOR_PICTURES}


def accepts(found: Contribution, name: str) -> bool:
    """Whether a schedule takes an option of this name."""
    anything = any(p.kind is Parameter.VAR_KEYWORD for p in _signature(found).parameters.values())
    return anything or name in options_of(found)


def _signature(found: Contribution) -> Signature:
    try:
        return found.signature()
    except ValueError:  # something written in C that does not tell
        return Signature([Parameter("options", Parameter.VAR_KEYWORD)])


def _made(found: Contribution, optimizer: ExampleOptimizer, options: dict[str, Any]) -> Any:
    from genesis.optim import create_scheduler

    if _is_shape(found) or next(iter(_signature(found).parameters), "") != "schedulers":
        return create_scheduler(found, optimizer, **options)
    return found.load()(**options)


def _is_shape(found: Contribution) -> bool:
    from genesis.optim import Schedule

    target = found.load()
    return isinstance(target, type) and issubclass(target, Schedule)


def _code(found: Contribution, options: str) -> str:
    """The line that a user would write."""
    first = (
        [] if _is_shape(found) or "optimizer" not in list(_signature(found).parameters)[:1] else ["optimizer"]
    )
    if found.isidentifier():
        return f"optim.{found}({', '.join([*first, *filter(None, [options])])})"
    return f"optim.create_scheduler({', '.join([repr(str(found)), 'optimizer', *filter(None, [options])])})"


def _length_given(found: Contribution, given: dict[str, Any]) -> int | None:
    """How long a training is by the user's own options, so that the examples are parts of that one."""
    for name, value in given.items():
        if _template(found, name, needed=True) == "{n}" and type(value) in (int, float) and 1 <= value < 1e9:
            return int(value)
    return None


def _template(found: Contribution, name: str, needed: bool) -> str | None:
    """The example for a parameter, lengths left open; None where its default will do, or nothing is known."""
    own = _BY_SCHEDULE.get(found.name, {}).get(name)
    if own is not None:
        return own
    fitting = (
        text
        for pattern, text in _BY_NAME
        if re.fullmatch(pattern.lstrip("*"), name) and (needed or pattern[0] == "*")
    )
    return next(fitting, None)


def _filled(template: str, length: int) -> str:
    """The example for a training of this length; below 4 steps, for 4: no parts fit into less."""
    length = max(4, length)
    parts = {f"n{part}": max(1, length // part) for part in (2, 4, 5, 10, 20)}
    gamma = round(0.01 ** (1 / length), 4) if length < 1000 else 0.01 ** (1 / length)
    parts |= {"n25": max(1, 2 * length // 5), "n45": max(1, length - length // 5)}
    return template.format(n=length, gamma=gamma, **parts)


def _hint(name: str, known: list[str]) -> str:
    near = near_misses(name, known)
    if near:
        return f"did you mean {' or '.join(map(repr, near))}?"
    return f"it takes {', '.join(known) or 'no options'}"
