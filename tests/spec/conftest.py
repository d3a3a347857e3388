"""Finds the specification of the learning-rate schedules, beside the checkout, and its code blocks."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

import pytest

BESIDE_THE_CHECKOUT = Path(__file__).resolve().parents[3] / "shared" / "spec" / "learning-rate-schedulers.md"


@pytest.fixture(scope="session")
def blocks() -> dict[str, str]:
    """The python blocks of the specification; each is named for its heading, and numbered below it."""
    path = Path(os.environ.get("GENESIS_SPEC", BESIDE_THE_CHECKOUT))
    if not path.is_file():
        message = f"the specification is not at {path}; GENESIS_SPEC names another place"
        if os.environ.get("GENESIS_REQUIRE_SPEC") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return extract(path.read_text(encoding="utf-8"))


def extract(text: str) -> dict[str, str]:
    """Every python block of a Markdown text, by heading and number; headings inside of blocks are code."""
    found: dict[str, str] = {}
    numbers: Counter[str] = Counter()
    heading = ""
    for match in re.finditer(r"^```(\w*)\n(.*?)^```|^#+ +(.+?) *$", text, flags=re.MULTILINE | re.DOTALL):
        language, code, title = match.groups()
        if title is not None:
            heading = title
        elif language == "python":
            numbers[heading] += 1
            found[f"{heading} {numbers[heading]}"] = code
    return found
