"""What this plugin declares."""

from __future__ import annotations

from genesis.plugin import SchedulerSpec, hookimpl


@hookimpl
def genesis_schedulers() -> list[SchedulerSpec]:
    """Declare the schedules."""
    return [SchedulerSpec("cyclic", "collides_b.cyclic:Cyclic", "Of b.")]
