"""What a docstring says, in its sections."""

from __future__ import annotations

import inspect
import re
from typing import Any

_SECTION = re.compile(r"^(Args|Raises|Warns|Returns|Yields|Attributes|Examples?|References?|Notes?):(.*)$")
_MATH = re.compile(r"^\.\. math:: *((?:.+\n?)*)", re.MULTILINE)


def sections(target: Any) -> dict[str, str]:
    """The sections of a docstring by their headings, without an s at the end; `""` is what stands before."""
    found = {"": ""}
    name = ""
    # A class without a docstring of its own would show that of its base.
    text = vars(target).get("__doc__") if isinstance(target, type) else getattr(target, "__doc__", None)
    for line in inspect.cleandoc(text or "").splitlines():
        heading = _SECTION.match(line)
        if heading:
            name = heading[1].removesuffix("s") if heading[1] != "Args" else "Args"
            line = heading[2].strip()
        found[name] = found.get(name, "") + line + "\n"
    return {heading: inspect.cleandoc(text).strip() for heading, text in found.items()}


def formula(target: Any, scheduler: Any) -> str:
    """The formula of a schedule: its own, that of the shape that it follows, or what its docstring says."""
    own = getattr(target, "formula", "")
    if isinstance(own, str) and own:
        return own
    try:
        explained = scheduler.explain(0)[0]
    except (AttributeError, LookupError, NotImplementedError, TypeError, ValueError):
        explained = None
    if explained is not None:
        of_shape = [part.formula for role, part in explained.parts if role == "factor"]
        if any([explained.formula, *of_shape]):
            return str(explained.formula or of_shape[0])
    said = sections(target)[""]
    found = _MATH.search(said)
    if found:
        return " ".join(found[1].split())
    return "\n".join(line.strip() for line in said.splitlines() if line.startswith(" ") and "=" in line)
