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
        SchedulerSpec("Constant", "genesis_schedulers.decay:Constant", "The same factor at every step."),
        SchedulerSpec(
            "ConstantUntil",
            "genesis_schedulers.decay:ConstantUntil",
            "One factor until a step, and 1 from there on.",
        ),
        SchedulerSpec(
            "Linear", "genesis_schedulers.decay:Linear", "A straight line from one factor to another."
        ),
        SchedulerSpec(
            "Polynomial",
            "genesis_schedulers.decay:Polynomial",
            "A fall with a power of the time that is left, once or in ever longer cycles.",
            aliases=("poly",),
        ),
        SchedulerSpec(
            "Exponential",
            "genesis_schedulers.decay:Exponential",
            "The same ratio from each step to the next.",
        ),
        SchedulerSpec(
            "ExponentialDecay",
            "genesis_schedulers.decay:ExponentialDecay",
            "A ratio over a number of steps, smooth or in stairs, down to an end.",
            aliases=("exponential_decay",),
        ),
        SchedulerSpec(
            "Step", "genesis_schedulers.decay:Step", "A stair at each multiple of a number of steps."
        ),
        SchedulerSpec(
            "MultiStep",
            "genesis_schedulers.decay:MultiStep",
            "A stair at each of a list of steps.",
            aliases=("multistep",),
        ),
        SchedulerSpec(
            "InverseTime",
            "genesis_schedulers.inverse:InverseTime",
            "A fall with the inverse of the time, smooth or in stairs.",
            aliases=("inverse_time",),
        ),
        SchedulerSpec(
            "InverseSqrt",
            "genesis_schedulers.inverse:InverseSqrt",
            "A fall with the inverse square root of the time, or another power of it.",
            aliases=("rsqrt",),
        ),
        SchedulerSpec(
            "Noam",
            "genesis_schedulers.inverse:Noam",
            "The rates of Attention Is All You Need: a linear rise, then an inverse square root.",
            aliases=("noam",),
        ),
        SchedulerSpec(
            "Cosine",
            "genesis_schedulers.cosine:Cosine",
            "A fall along half a wave of a cosine, then constant.",
            aliases=("cosine_decay",),
        ),
        SchedulerSpec(
            "CosineWave",
            "genesis_schedulers.cosine:CosineWave",
            "A cosine that falls to 0 and climbs back, for ever.",
        ),
        SchedulerSpec(
            "CosineRestarts",
            "genesis_schedulers.cosine:CosineRestarts",
            "Falls along a cosine with warm restarts, each longer or lower.",
            aliases=("sgdr",),
        ),
        SchedulerSpec(
            "Cycles",
            "genesis_schedulers.cycles:Cycles",
            "Any schedule that ends, again and again, each time longer or lower.",
        ),
        SchedulerSpec(
            "Triangular",
            "genesis_schedulers.cyclic:Triangular",
            "A wave of straight lines between two rates, whose peaks may shrink.",
            aliases=("triangular",),
        ),
        SchedulerSpec(
            "OneCycle",
            "genesis_schedulers.cyclic:OneCycle",
            "One rise to the largest rate, one fall far below the first.",
            aliases=("one_cycle", "onecycle"),
        ),
        SchedulerSpec(
            "Tanh",
            "genesis_schedulers.curves:Tanh",
            "A fall along a hyperbolic tangent: high for long, then steep.",
            aliases=("tanh",),
        ),
        SchedulerSpec(
            "REX",
            "genesis_schedulers.curves:REX",
            "A fall that is slow at first and ever faster, for trainings of any budget.",
            aliases=("rex",),
        ),
        SchedulerSpec(
            "Piecewise",
            "genesis_schedulers.curves:Piecewise",
            "A curve through given values: stairs, lines or cosines between them.",
            aliases=("piecewise",),
        ),
        SchedulerSpec(
            "WSD",
            "genesis_schedulers.phases:WSD",
            "Warmup, a plateau that can be extended at any time, and a decay.",
            aliases=("wsd", "trapezoidal"),
        ),
        SchedulerSpec(
            "TriStage",
            "genesis_schedulers.phases:TriStage",
            "A linear rise, a plateau and an exponential fall.",
            aliases=("tri_stage",),
        ),
        SchedulerSpec(
            "Noise", "genesis_schedulers.noise:Noise", "A schedule with noise that is the same at every run."
        ),
        SchedulerSpec("Skip", "genesis_schedulers.skip:Skip", "A schedule without its first steps."),
        SchedulerSpec(
            "FromFunction",
            "genesis_schedulers.shapes:FromFunction",
            "The schedule that a function of the step gives.",
        ),
        SchedulerSpec(
            "SequentialLR", "genesis_schedulers.composite:SequentialLR", "One scheduler after another."
        ),
        SchedulerSpec(
            "ChainedScheduler",
            "genesis_schedulers.composite:ChainedScheduler",
            "Several schedulers at once, their factors multiplied.",
        ),
        SchedulerSpec(
            "constant_schedule",
            "genesis_schedulers.warmup:get_constant_schedule",
            "Keep the initial rate.",
            aliases=("get_constant_schedule",),
        ),
        SchedulerSpec(
            "constant_with_warmup",
            "genesis_schedulers.warmup:get_constant_schedule_with_warmup",
            "Rise linearly to the initial rate, and stay there.",
            aliases=("get_constant_schedule_with_warmup",),
        ),
        SchedulerSpec(
            "linear_with_warmup",
            "genesis_schedulers.warmup:get_linear_schedule_with_warmup",
            "Rise linearly to the initial rate, then fall linearly to zero.",
            aliases=("get_linear_schedule_with_warmup",),
        ),
        SchedulerSpec(
            "cosine_restarts_with_warmup",
            "genesis_schedulers.warmup:get_cosine_with_hard_restarts_schedule_with_warmup",
            "Rise linearly to the initial rate, then fall along a cosine to zero several times.",
            aliases=("get_cosine_with_hard_restarts_schedule_with_warmup",),
        ),
        SchedulerSpec(
            "polynomial_with_warmup",
            "genesis_schedulers.warmup:get_polynomial_decay_schedule_with_warmup",
            "Rise linearly to the initial rate, then fall along a power to an end rate.",
            aliases=("get_polynomial_decay_schedule_with_warmup",),
        ),
        SchedulerSpec(
            "inverse_sqrt_with_warmup",
            "genesis_schedulers.warmup:get_inverse_sqrt_schedule",
            "Rise linearly to the initial rate, then fall with the inverse square root of the step.",
            aliases=("get_inverse_sqrt_schedule",),
        ),
        SchedulerSpec(
            "cosine_with_min_lr",
            "genesis_schedulers.warmup:get_cosine_with_min_lr_schedule_with_warmup",
            "Rise linearly to the initial rate, then fall along a cosine to a floor.",
            aliases=("get_cosine_with_min_lr_schedule_with_warmup",),
        ),
        SchedulerSpec(
            "cosine_warmup_with_min_lr",
            "genesis_schedulers.warmup:get_cosine_with_min_lr_schedule_with_warmup_lr_rate",
            "The same one step ahead: it starts above zero and ends with the floor.",
            aliases=("get_cosine_with_min_lr_schedule_with_warmup_lr_rate",),
        ),
        SchedulerSpec(
            "warmup_stable_decay",
            "genesis_schedulers.warmup:get_wsd_schedule",
            "Rise to the initial rate, stay there, and fall at the end.",
            aliases=("get_wsd_schedule",),
        ),
        SchedulerSpec(
            "GreedyLR",
            "genesis_schedulers.greedy:GreedyLR",
            "Raise the rate while a metric improves, and lower it when it has stopped.",
        ),
        SchedulerSpec(
            "StepLR",
            "genesis_schedulers.torch_decay:StepLR",
            "A stair at each multiple of a number of steps, as PyTorch has it.",
        ),
        SchedulerSpec(
            "MultiStepLR",
            "genesis_schedulers.torch_decay:MultiStepLR",
            "A stair at each of a list of steps, as PyTorch has it.",
        ),
        SchedulerSpec(
            "ConstantLR",
            "genesis_schedulers.torch_decay:ConstantLR",
            "A factor until a step, as PyTorch has it.",
        ),
        SchedulerSpec(
            "LinearLR",
            "genesis_schedulers.torch_decay:LinearLR",
            "A straight line from one factor to another, as PyTorch has it.",
        ),
        SchedulerSpec(
            "ExponentialLR",
            "genesis_schedulers.torch_decay:ExponentialLR",
            "The same ratio at each step, as PyTorch has it.",
        ),
        SchedulerSpec(
            "PolynomialLR",
            "genesis_schedulers.torch_decay:PolynomialLR",
            "A fall to zero with a power of the time that is left.",
        ),
        SchedulerSpec(
            "MultiplicativeLR",
            "genesis_schedulers.torch_multiplicative:MultiplicativeLR",
            "The rate multiplied by a function of the step at each step.",
        ),
        SchedulerSpec(
            "CosineAnnealingLR",
            "genesis_schedulers.torch_cosine:CosineAnnealingLR",
            "Half a cosine down to a floor, and back up again.",
        ),
        SchedulerSpec(
            "CosineAnnealingWarmRestarts",
            "genesis_schedulers.torch_cosine:CosineAnnealingWarmRestarts",
            "Falls along a cosine with warm restarts, as PyTorch has it.",
        ),
        SchedulerSpec(
            "CyclicLR",
            "genesis_schedulers.torch_cyclic:CyclicLR",
            "Back and forth between two rates in straight lines, as PyTorch has it.",
        ),
        SchedulerSpec(
            "OneCycleLR",
            "genesis_schedulers.torch_one_cycle:OneCycleLR",
            "One rise to the largest rate, one long fall, as PyTorch has it.",
        ),
        SchedulerSpec(
            "SWALR",
            "genesis_schedulers.swa:SWALR",
            "From the present rate to that of stochastic weight averaging.",
        ),
        SchedulerSpec(
            "ReduceLROnPlateau",
            "genesis_schedulers.plateau:ReduceLROnPlateau",
            "A lower rate when a metric has stopped improving.",
        ),
        SchedulerSpec(
            "Plateau", "genesis_schedulers.plateau:Plateau", "The same as a shape, for compositions."
        ),
        SchedulerSpec(
            "reduce_on_plateau",
            "genesis_schedulers.warmup:get_reduce_on_plateau_schedule",
            "ReduceLROnPlateau, as transformers calls it.",
            aliases=("get_reduce_on_plateau_schedule",),
        ),
        SchedulerSpec(
            "greedy",
            "genesis_schedulers.warmup:get_greedy_schedule",
            "GreedyLR, as transformers calls it.",
            aliases=("get_greedy_schedule",),
        ),
    ]
