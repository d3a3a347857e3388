"""Its hook wants an argument that Genesis does not offer."""

from __future__ import annotations

from genesis.plugin import SchedulerSpec, hookimpl


@hookimpl
def genesis_schedulers(application: object) -> list[SchedulerSpec]:
    """Never called."""
    return []
