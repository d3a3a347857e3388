"""docs/gallery.md shows every schedule of Genesis, made as `genesis schedulers show` makes it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from genesis.plugin import isolated, registry

DOCS = Path(__file__).resolve().parents[2] / "docs"
HOW = "run `python docs/make_gallery.py`"


@pytest.fixture(scope="module")
def gallery() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_gallery", DOCS / "make_gallery.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_schedule_is_shown() -> None:
    page = (DOCS / "gallery.md").read_text(encoding="utf-8")
    with isolated():
        declared = {c.name for c in registry("schedulers").contributions()}
    assert sorted(name for name in declared if f"\n### {name}\n" not in page) == [], HOW
    drawn = {path.stem for path in (DOCS / "gallery").glob("*.svg")}
    assert sorted(drawn ^ declared) == [], HOW


def test_the_page_is_up_to_date(gallery: ModuleType) -> None:
    assert (DOCS / "gallery.md").read_text(encoding="utf-8") == gallery.page(gallery.examples()), HOW


def test_drawing_again_changes_nothing(gallery: ModuleType, tmp_path: Path) -> None:
    made = gallery.examples()[0]
    for name in ("a.svg", "b.svg"):
        gallery.picture(made, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
