"""What this plugin declares; importing it imports no optimizer."""

from __future__ import annotations

from genesis.plugin import OptimizerSpec, hookimpl


@hookimpl
def genesis_optimizers() -> list[OptimizerSpec]:
    """Declare the built-in optimizers."""
    return [
        OptimizerSpec("SGD", "genesis_optimizers.sgd:SGD", "Gradient descent, with momentum if wanted."),
        OptimizerSpec("Adam", "genesis_optimizers.adam:Adam", "Adaptive moments, with L2 weight decay."),
        OptimizerSpec("AdamW", "genesis_optimizers.adamw:AdamW", "Adam with decoupled weight decay."),
    ]
