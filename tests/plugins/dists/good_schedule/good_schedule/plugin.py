"""What this plugin declares."""

from __future__ import annotations

from genesis.plugin import SchedulerSpec, hookimpl


@hookimpl
def genesis_schedulers() -> list[SchedulerSpec]:
    """Declare the schedules."""
    return [
        SchedulerSpec(
            "Trapeze", "good_schedule.trapeze:Trapeze", "Warm up, stay, decay.", aliases=("warm_stay_fall",)
        )
    ]
