"""Every Python block of the documentation runs, and every hook and environment variable is documented."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What the example packages say needs them installed: tests/plugins/test_examples.py uses them so.
PAGES = sorted(
    page
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    if "examples" not in page.relative_to(ROOT).parts
)
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[str]:
    return BLOCK.findall(page.read_text())


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p)], ids=lambda p: str(p.relative_to(ROOT)))
def test_the_blocks_of_a_page_run_in_order(page: Path, tmp_path: Path) -> None:
    script = tmp_path / "page.py"
    # A filter from the command line is read before Genesis is on the path, and then silently ignored.
    strict = 'import warnings, genesis\nwarnings.simplefilter("error", genesis.PluginWarning)'
    script.write_text("\n".join([strict, *blocks(page)]))
    environment = {**os.environ, "MPLBACKEND": "Agg"}
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, f"{page.name}:\n{done.stderr[-3000:]}"


def documentation() -> str:
    return "\n".join(p.read_text() for p in PAGES)


def test_every_hook_is_documented() -> None:
    hooks = re.findall(r"^def (genesis_\w+)\(", (ROOT / "genesis/plugin/specs.py").read_text(), re.MULTILINE)
    assert hooks
    assert [h for h in hooks if h not in documentation()] == []


def test_every_environment_variable_is_documented() -> None:
    source = "\n".join(
        p.read_text() for folder in ("genesis", "plugins") for p in (ROOT / folder).rglob("*.py")
    )
    variables = set(re.findall(r"[\"'](GENESIS_[A-Z_]+)[\"']", source))
    assert variables
    assert sorted(v for v in variables if v not in documentation()) == []


def test_links_between_pages_lead_somewhere() -> None:
    broken = []
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?://|#|mailto:)([^)#]+)", page.read_text()):
            if not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)} -> {target}")
    assert broken == []


def test_the_readme_starts_with_its_two_commands() -> None:
    found = re.findall(r"^```bash\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert len(found) >= 2
    train, tests = found[:2]
    assert len(train.strip().splitlines()) == 1
    assert "genesis train" in train
    assert len(tests.strip().splitlines()) == 1
    assert "pytest" in tests
