"""What this plugin declares; importing it imports no schedule."""

from __future__ import annotations

from genesis.plugin import SchedulerSpec, hookimpl


@hookimpl
def genesis_schedulers() -> list[SchedulerSpec]:
    """Declare the built-in learning-rate schedules."""
    return [
        SchedulerSpec(
            "LambdaLR",
            "genesis_schedulers.lambda_lr:LambdaLR",
            "Multiply each group's initial rate by a function of the step.",
        ),
        SchedulerSpec(
            "cosine_with_warmup",
            "genesis_schedulers.warmup:get_cosine_schedule_with_warmup",
            "Rise linearly to the initial rate, then fall along a cosine to zero.",
            aliases=("get_cosine_schedule_with_warmup",),
        ),
    ]
