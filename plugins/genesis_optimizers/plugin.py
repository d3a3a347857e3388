"""What this plugin declares; importing it imports no optimizer."""

from __future__ import annotations

from genesis.plugin import OptimizerSpec, hookimpl


@hookimpl
def genesis_optimizers() -> list[OptimizerSpec]:
    """Declare the built-in optimizers."""
    return [
        OptimizerSpec(
            "Adadelta",
            "genesis_optimizers.adadelta:Adadelta",
            "Steps sized by averages of squared gradients and steps.",
        ),
        OptimizerSpec(
            "Adafactor",
            "genesis_optimizers.adafactor:Adafactor",
            "Adam's second moment as a row and a column of each matrix.",
        ),
        OptimizerSpec(
            "Adagrad",
            "genesis_optimizers.adagrad:Adagrad",
            "Steps over the root of the sum of squared gradients.",
        ),
        OptimizerSpec("Adam", "genesis_optimizers.adam:Adam", "Adaptive moments, with L2 weight decay."),
        OptimizerSpec(
            "Adamax",
            "genesis_optimizers.adamax:Adamax",
            "Adam with the largest gradient in place of the root.",
        ),
        OptimizerSpec("AdamW", "genesis_optimizers.adamw:AdamW", "Adam with decoupled weight decay."),
        OptimizerSpec(
            "ASGD", "genesis_optimizers.asgd:ASGD", "Gradient descent that also keeps the average of its way."
        ),
        OptimizerSpec(
            "LBFGS",
            "genesis_optimizers.lbfgs:LBFGS",
            "Newton's steps with a guessed Hessian; needs a closure.",
        ),
        OptimizerSpec(
            "Lion", "genesis_optimizers.lion:Lion", "Steps of one size along the sign of a momentum."
        ),
        OptimizerSpec("Muon", "genesis_optimizers.muon:Muon", "Momentum whose matrices are made orthogonal."),
        OptimizerSpec("NAdam", "genesis_optimizers.nadam:NAdam", "Adam with Nesterov's momentum."),
        OptimizerSpec("RAdam", "genesis_optimizers.radam:RAdam", "Adam that warms up by itself."),
        OptimizerSpec(
            "RMSprop",
            "genesis_optimizers.rmsprop:RMSprop",
            "Steps over the root of an average of squared gradients.",
        ),
        OptimizerSpec(
            "Rprop",
            "genesis_optimizers.rprop:Rprop",
            "Steps by the signs of gradients of the whole data set.",
        ),
        OptimizerSpec("SGD", "genesis_optimizers.sgd:SGD", "Gradient descent, with momentum if wanted."),
    ]
