"""What this package adds to Genesis; importing it imports no optimizer."""

from __future__ import annotations

from genesis.plugin import OptimizerSpec, hookimpl


@hookimpl
def genesis_optimizers() -> list[OptimizerSpec]:
    """Declare the optimizer."""
    return [OptimizerSpec("Lion", "genesis_lion.lion:Lion", "Steps along the sign of a momentum.")]
