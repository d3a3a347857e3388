"""What this plugin declares."""

from __future__ import annotations

from genesis.plugin import SchedulerSpec, hookimpl


@hookimpl
def genesis_schedulers() -> list[SchedulerSpec]:
    """Declare the schedules."""
    return [
        SchedulerSpec(
            "WSD", "good_schedule.wsd:WSD", "Warm up, stay, decay.", aliases=("warmup_stable_decay",)
        )
    ]
