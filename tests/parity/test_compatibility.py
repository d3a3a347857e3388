"""docs/compatibility.md says what the table and the installed libraries say."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

pytestmark = pytest.mark.parity

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_what_the_table_says() -> None:
    spec = importlib.util.spec_from_file_location("make_compatibility", DOCS / "make_compatibility.py")
    assert spec is not None and spec.loader is not None  # noqa: PT018
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    now = (DOCS / "compatibility.md").read_text(encoding="utf-8")
    assert now == module.page(), "out of date: run python docs/make_compatibility.py"
