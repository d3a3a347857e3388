"""What this package adds to Genesis; importing it imports no schedule."""

from __future__ import annotations

from genesis.plugin import SchedulerSpec, hookimpl


@hookimpl
def genesis_schedulers() -> list[SchedulerSpec]:
    """Declare the schedule."""
    return [
        SchedulerSpec(
            "Sawtooth",
            "genesis_sawtooth.sawtooth:Sawtooth",
            "Straight falls to zero, each from a lower peak.",
        )
    ]
