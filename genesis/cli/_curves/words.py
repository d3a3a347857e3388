"""What a docstring says, in its sections."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from typing import Any

_SECTION = re.compile(r"(Args|Raises|Warns|Returns|Yields|Attributes|Examples?|References?|Notes?):(.*)")
_MATH = re.compile(r"\.\. math:: *(.+)", re.DOTALL)
_EQUATION = re.compile(r"\w+ = .+", re.DOTALL)


def sections(target: Any) -> dict[str, str]:
    """The sections of a docstring by their headings, an s at the end left out; `""` is what is in none."""
    found = {"": ""}
    name, block = "", False
    # Of a class only its own docstring: getdoc() would give that of its base.
    told = vars(target).get("__doc__") if inspect.isclass(target) else inspect.getdoc(target)
    for line in inspect.cleandoc(told or "").splitlines():
        heading = _SECTION.fullmatch(line)
        if heading:
            name = heading[1] if heading[1] == "Args" else heading[1].removesuffix("s")
            line = heading[2].strip()
            block = not line
        elif block and line[:1].strip():  # text at the margin ends an indented section
            name, block = "", False
        found[name] = found.get(name, "") + line + "\n"
    return {heading: inspect.cleandoc(text).strip() for heading, text in found.items()}


def description(target: Any) -> str:
    """What a docstring tells besides summary and sections, without formulas and what speaks of them."""
    kept = []
    told = _paragraphs(target)
    for before, each, after in zip(told, told[1:], [*told[2:], ""], strict=False):
        leads = _MATH.match(after) and not each.endswith(".")
        goes_on = _MATH.match(before) and each[0].islower()
        if not (leads or goes_on or _MATH.match(each) or _EQUATION.fullmatch(each)):
            kept.append(each)
    return "\n\n".join(kept)


def formula(target: Any, scheduler: Any) -> str:
    """The formula of a schedule: its own, that of its docstring, or that of the shape that it follows."""
    own = getattr(target, "formula", "")
    if isinstance(own, str) and own:
        return own
    told = _paragraphs(target)
    equations = [each for each in told if _EQUATION.fullmatch(each)]
    if equations:
        return "\n".join(equations)
    math = [" ".join(found[1].split()) for each in told if (found := _MATH.match(each))]
    return _of_shape(target, scheduler) or "\n".join(math)


def _of_shape(target: Any, scheduler: Any) -> str:
    """The formula of the shape that a scheduler follows, if it speaks of the same parameters."""
    try:
        shape = scheduler._schedules()[0].schedule
        takes = inspect.signature(target).parameters
    except (AttributeError, LookupError, NotImplementedError, TypeError, ValueError):
        return ""
    words = set(re.findall(r"[A-Za-z_]\w*", shape.formula))
    return str(shape.formula) if words & {field.name for field in fields(shape)} <= set(takes) else ""


def _paragraphs(target: Any) -> list[str]:
    return [each.strip() for each in re.split(r"\n\s*\n", sections(target)[""]) if each.strip()]
