"""The kit for optimizers: what every optimizer has to do, as named checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from genesis.plugin import list_backends
from genesis.testing._check import Check, Question, named
from genesis.testing.optimizer_checks import _groups, _learning, _reference, _state, _steps
from genesis.testing.optimizer_checks._subject import Case, Reference, Unusable, undisturbed

__all__ = ["check_optimizer"]


def check_optimizer(
    optimizer: Any,
    options: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    *,
    reference: Reference | None = None,
    device: str | Sequence[str] | None = None,
    expected_failures: Mapping[str, str] | None = None,
) -> list[Check]:
    """Ask everything of an optimizer that Genesis promises to those who use one.

    Does it find a minimum, compute what its formula says, keep to the options of its groups, leave alone what
    is not its own, save and restore all that it remembers, and refuse what is wrong.

    Args:
        optimizer: A name, such as `"AdamW"` or `"acme-lion:Lion"`; a subclass of `Optimizer`; or a function
            `(params, **options)` that returns an optimizer.
        options: The options to make it with; or a list of several such dicts, each of which is checked and
            begins the names of its checks.
        reference: One step on NumPy arrays in float64, `reference(param, grad, state, step, **options)`,
            that returns the new parameter. `state` is a dict, empty before the first step, and `step` counts
            from 1. Of the options it gets those that its signature names, or all if it has `**`.
        device: The name of a device, or several. The default is `ref` and `cpu`.
        expected_failures: From the name of a check, or a glob such as `"shapes/*"`, to the reason.

    Returns:
        The checks. If the optimizer cannot be made, or cannot take a step, it is one check, `"loads"`, that
        fails with the reason.

    Raises:
        TypeError: `optimizer` or `options` is nothing of what is expected.
        UnknownNameError: No plugin supplies an optimizer of this name.
        ValueError: A key of `expected_failures` fits no check.

    Example:
        >>> from genesis.testing import check_optimizer, parametrize
        >>> @parametrize(check_optimizer("AdamW", {"lr": 0.01}))
        ... def test_adamw(check):
        ...     check()
    """
    if not isinstance(optimizer, str) and not callable(optimizer):
        raise TypeError(
            "expected the name of an optimizer, a subclass of Optimizer or a function of parameters that "
            f"returns one; got {type(optimizer).__name__}: {optimizer!r:.80}"
        )
    devices = _devices(device)
    asked: list[Question] = []
    try:
        for label, chosen in _listed(options).items():
            for index, name in enumerate(devices):
                with undisturbed(name):
                    case = Case(optimizer, chosen, name, reference)
                asked += _asked(case, label, first=index == 0)
    except Unusable as error:
        return named([("loads", _failing(str(error)))], None)
    return named([("loads", lambda: None), *asked], expected_failures)


def _listed(options: Any) -> dict[str, Mapping[str, Any]]:
    """The sets of options, by what the names of their checks begin with."""
    if options is None or isinstance(options, Mapping):
        return {"": options or {}}
    if isinstance(options, str) or not isinstance(options, Sequence) or not options:
        raise TypeError(f"options should be a dict of options, or a list of such dicts; got {options!r:.80}")
    found: dict[str, Mapping[str, Any]] = {}
    for each in options:
        if not isinstance(each, Mapping):
            raise TypeError(
                f"options should be a dict of options, or a list of such dicts; got {each!r:.80} in it"
            )
        label = ",".join(f"{key}={value}" for key, value in each.items()) or "defaults"
        found[label.replace(" ", "") + "/"] = each
    return found


def _devices(device: str | Sequence[str] | None) -> list[str]:
    if device is None:
        declared = set(map(str, list_backends()))
        return [name for name in ("ref", "cpu") if name in declared]
    return [device] if isinstance(device, str) else list(device)


def _asked(case: Case, label: str, first: bool) -> Iterator[Question]:
    found: list[Question] = []
    if first:
        found += _groups.construction(case)
    for module in (_learning, _reference, _steps, _groups, _state):
        found += module.questions(case)
    for name, question in found:
        yield label + name, _alone(question, case.device)


def _alone(question: Callable[[], None], device: str) -> Callable[[], None]:
    """A question that leaves the default device and type and the random numbers as they were."""

    def ask() -> None:
        with undisturbed(device):
            question()

    return ask


def _failing(text: str) -> Callable[[], None]:
    def fail() -> None:
        raise AssertionError(text)

    return fail
