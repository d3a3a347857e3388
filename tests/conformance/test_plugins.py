"""The built-in plugins pass the kit for plugins, as a stranger's would."""

from __future__ import annotations

from typing import Any

from genesis.testing import check_plugin, parametrize


@parametrize(check_plugin("genesis-dl"))
def test_built_in_plugins(check: Any) -> None:
    check()
