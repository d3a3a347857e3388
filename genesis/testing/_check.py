"""Named checks, and what to do with those that are expected to fail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

Question = tuple[str, Callable[[], None]]


class Check:
    """One question to something that a plugin supplies. Calling it returns nothing, or raises.

    Attributes:
        name: What is asked, from the general to the particular: `"map/exp/float32"`.
        reason: Why it is expected to fail, or None.
    """

    def __init__(self, name: str, function: Callable[[], None], reason: str | None = None) -> None:
        self.name, self.reason = name, reason
        self._function = function

    def __repr__(self) -> str:
        return f"<Check {self.name!r}>"

    def __call__(self) -> None:
        """Ask.

        Raises:
            AssertionError: The answer is wrong, or it is right although a failure was expected.
            Exception: Whatever the thing raised.
        """
        if self.reason is None:
            self._function()
            return
        try:
            self._function()
        except Exception as error:
            import pytest  # only those who expect failures need it

            pytest.xfail(f"{self.reason} ({type(error).__name__}: {error})")
        raise AssertionError(
            f"{self.name} passes, but is expected to fail ({self.reason}): take it out of expected_failures"
        )


def named(questions: Iterable[Question], expected_failures: Mapping[str, str] | None) -> list[Check]:
    """Make checks of questions.

    Args:
        questions: Names, each of them once, and functions.
        expected_failures: From a name, or a glob such as `"map/erf/*"`, to the reason.

    Raises:
        ValueError: A key fits no check, or a reason is empty.
    """
    asked = list(questions)
    names = [name for name, _ in asked]
    expected = dict(expected_failures or {})
    for key, reason in expected.items():
        if not isinstance(reason, str) or not reason.strip():
            raise ValueError(f"expected_failures[{key!r}] should be the reason, got {reason!r}")
        if not any(_fits(name, key) for name in names):
            near = get_close_matches(key, names, 3, 0.5)
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"such as {names[0]!r}"
            raise ValueError(f"expected_failures names {key!r}, and there is no such check; {hint}")
    return [
        Check(name, function, next((reason for key, reason in expected.items() if _fits(name, key)), None))
        for name, function in asked
    ]


def _fits(name: str, key: str) -> bool:
    return name == key or fnmatchcase(name, key)


def parametrize(checks: Sequence[Check]) -> Any:
    """Turn a test function with the argument `check` into one test for each check.

    Args:
        checks: What `check_backend`, `check_kernel`, `check_optimizer`, `check_scheduler` or `check_plugin`
            returned.

    Example:
        >>> @parametrize(check_scheduler("StepLR", {"step_size": 3}))
        ... def test_step(check):
        ...     check()
    """
    import pytest

    return pytest.mark.parametrize("check", checks, ids=[check.name for check in checks])
