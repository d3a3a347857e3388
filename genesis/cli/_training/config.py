"""All that determines a run, as `config.json` keeps it."""

from __future__ import annotations

import ast
import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from genesis.cli._errors import Misuse, Stopped

NO_SCHEDULER = "none"


@dataclass(frozen=True)
class Config:
    """The settings of a run: with these, the same Genesis and the same machine it repeats itself exactly.

    Attributes:
        optimizer_options: Also those of the recipe, and `lr`.
        scheduler_options: Also the numbers of steps that were filled in.
        threads: None where the device knows no such thing.
        supplied_by: For device, optimizer and scheduler the distribution and version.
    """

    recipe: str
    device: str
    threads: int | None
    optimizer: str
    optimizer_options: dict[str, Any]
    scheduler: str
    scheduler_options: dict[str, Any]
    epochs: int
    batch_size: int
    seed: int
    supplied_by: dict[str, str] = field(default_factory=dict)
    genesis: str = ""

    def to_json(self) -> str:
        """Return the text of `config.json`."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str, path: str) -> Config:
        """Return what `to_json` has written; `path` is for the message.

        Raises:
            Stopped: The text is something else.
        """
        try:
            content = json.loads(text)
            if set(content) != {f.name for f in fields(cls)}:
                raise ValueError("it has other keys")
            for f in fields(cls):
                if not isinstance(content[f.name], _TYPES[f.name]) or isinstance(content[f.name], bool):
                    raise ValueError(f"{f.name!r} is a {type(content[f.name]).__name__}")
        except (ValueError, TypeError, RecursionError) as error:
            raise Stopped(f"{path} is not a configuration that this Genesis can read: {error}") from None
        for key in ("optimizer_options", "scheduler_options"):
            content[key] = {name: _frozen(value) for name, value in content[key].items()}
        return cls(**content)


_TYPES: dict[str, Any] = {
    **dict.fromkeys(("recipe", "device", "optimizer", "scheduler", "genesis"), str),
    **dict.fromkeys(("epochs", "batch_size", "seed"), int),
    **dict.fromkeys(("optimizer_options", "scheduler_options", "supplied_by"), dict),
    "threads": int | None,
}


def parse_options(words: list[str], flag: str) -> dict[str, Any]:
    """Return the options that `k=v` words stand for.

    A value is read as a Python literal (`0.9`, `True`, `None`, `0.9,0.99`), and as text if it is none.

    Raises:
        Misuse: A word is not `k=v`, or a name comes twice.
    """
    options: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not name.isidentifier():
            raise Misuse(f"{flag} takes NAME=VALUE, such as {flag} num_cycles=0.5; got {word!r}")
        if name in options:
            raise Misuse(f"{flag} has {name!r} twice")
        options[name] = _value(text.strip(), flag, word)
    return options


def _value(text: str, flag: str, word: str) -> Any:
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        try:
            return float(text)  # inf and nan
        except ValueError:
            return text
    try:
        json.dumps(value)
    except TypeError:
        raise Misuse(f"{flag} {word}: the value is a number, a text, True, False, None or a list") from None
    return _frozen(value)


def _frozen(value: Any) -> Any:
    """Make lists tuples, which is what optimizers have as defaults; JSON has only lists."""
    if isinstance(value, list | tuple):
        return tuple(_frozen(item) for item in value)
    return value
