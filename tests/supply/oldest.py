"""The oldest versions of the dependencies that pyproject.toml allows, as constraints for pip.

``python tests/supply/oldest.py`` prints them; ``.ci/oldest`` installs them and runs tests.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
_REQUIREMENT = re.compile(r'"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?>=([0-9.]+)[^"]*"')


def oldest(text: str, extra: str = "test") -> dict[str, str]:
    """The lower bound of each dependency, and of those of an extra.

    Raises:
        ValueError: one has none.
    """
    found = {}
    for name in ("dependencies", extra):
        block = re.search(rf"^{name} = \[\n(.*?)^\]", text, re.M | re.S)
        assert block, name
        for line in block[1].splitlines():
            match = _REQUIREMENT.search(line)
            if match:
                found[match[1]] = match[2]
            elif line.partition("#")[0].strip():
                raise ValueError(f"a dependency without a lower bound: {line.strip()}")
    return found


if __name__ == "__main__":
    bounds = oldest(PROJECT.read_text(encoding="utf-8"))
    sys.stdout.writelines(f"{name}=={version}\n" for name, version in sorted(bounds.items()))
