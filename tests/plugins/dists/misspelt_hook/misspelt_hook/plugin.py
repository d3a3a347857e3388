"""Its hook has a name that Genesis does not know."""

from __future__ import annotations

from genesis.plugin import SchedulerSpec, hookimpl


@hookimpl
def genesis_schedulrs() -> list[SchedulerSpec]:
    """Never called."""
    return []
