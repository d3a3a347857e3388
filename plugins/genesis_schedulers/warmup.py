"""Schedules that begin with a warmup, by the names and signatures that transformers gave them.

Each is a `LambdaLR` over a shape, a pure function of the step; lengths are in calls of its `step()`.
"""

from __future__ import annotations

import warnings
from typing import Any

from genesis.optim import LRScheduler
from genesis_schedulers._checks import steps
from genesis_schedulers.lambda_lr import LambdaLR
from genesis_schedulers.warmup_floors import (
    CosineWarmupWithMinLR,
    CosineWithMinLR,
    PolynomialWithWarmup,
    WarmupStableDecay,
)
from genesis_schedulers.warmup_shapes import (
    ConstantWithWarmup,
    CosineRestartsWithWarmup,
    CosineWithWarmup,
    InverseSqrtWithWarmup,
    LinearWithWarmup,
)


def get_constant_schedule(optimizer: Any, last_epoch: int = -1) -> LambdaLR:
    """Keep the learning rate that the optimizer was made with.

    Args:
        optimizer: The one whose learning rates are set: ours, PyTorch's, or anything with `param_groups`.
        last_epoch: The last step that was taken; -1 to start.

    Example:
        >>> from genesis.optim import get_constant_schedule
        >>> scheduler = get_constant_schedule(optimizer)  # doctest: +SKIP

    Reference: https://huggingface.co/docs/transformers/main_classes/optimizer_schedules
    """
    return LambdaLR(optimizer, ConstantWithWarmup(0), last_epoch)


def get_constant_schedule_with_warmup(
    optimizer: Any, num_warmup_steps: float, last_epoch: int = -1
) -> LambdaLR:
    r"""Raise the learning rate linearly from 0 to the base rate, where it stays.

    .. math:: rate = base\_lr \cdot \min(1, s / W)

    Args:
        optimizer: The one whose learning rates are set.
        num_warmup_steps: W, the steps of the rise, 0 or more.
        last_epoch: The last step that was taken; -1 to start.

    Raises:
        TypeError: if `optimizer` is not an optimizer, or the length is not a number.
        ValueError: if the length is negative.

    Example:
        >>> from genesis.optim import get_constant_schedule_with_warmup
        >>> scheduler = get_constant_schedule_with_warmup(optimizer, 100)  # doctest: +SKIP

    Reference: https://huggingface.co/docs/transformers/main_classes/optimizer_schedules
    """
    return LambdaLR(optimizer, ConstantWithWarmup(num_warmup_steps), last_epoch)


def get_linear_schedule_with_warmup(
    optimizer: Any, num_warmup_steps: float, num_training_steps: float, last_epoch: int = -1
) -> LambdaLR:
    r"""Raise the learning rate linearly from 0, then lower it linearly to 0, where it stays.

    .. math:: rate = base\_lr \cdot s / W \text{ for } s < W, \text{ then } base\_lr \cdot (N - s) / (N - W)

    Args:
        optimizer: The one whose learning rates are set.
        num_warmup_steps: W, the steps of the rise, from 0 to N; a text such as `"10%"` is a part of N.
        num_training_steps: N, all steps, those of the warmup included.
        last_epoch: The last step that was taken; -1 to start.

    Raises:
        TypeError: if `optimizer` is not an optimizer, or a length is not a number.
        ValueError: if a length is negative, or the warmup is longer than the training.

    Example:
        >>> from genesis.optim import get_linear_schedule_with_warmup
        >>> scheduler = get_linear_schedule_with_warmup(optimizer, 100, 1000)  # doctest: +SKIP

    Reference: https://huggingface.co/docs/transformers/main_classes/optimizer_schedules
    """
    return LambdaLR(optimizer, LinearWithWarmup(num_warmup_steps, num_training_steps), last_epoch)


def get_cosine_schedule_with_warmup(
    optimizer: Any,
    num_warmup_steps: float,
    num_training_steps: float,
    num_cycles: float = 0.5,
    last_epoch: int = -1,
) -> LambdaLR:
    r"""Raise the learning rate linearly from 0, then let it fall along a cosine to 0, where it stays.

    With W warmup steps, N training steps and c cycles, at step s

    .. math:: rate = base\_lr \cdot s / W \text{ for } s < W, \text{ then }
        base\_lr \cdot \tfrac12 (1 + \cos(2 \pi c \, (s - W) / (N - W)))

    The first rate, with a warmup, is exactly 0. After step N the rate stays at its end value.

    Args:
        optimizer: The one whose learning rates are set: ours, PyTorch's, or anything with `param_groups`.
        num_warmup_steps: W, the steps of the rise, from 0 to N; a text such as `"10%"` is a part of N.
        num_training_steps: N, all steps, those of the warmup included.
        num_cycles: c, the waves of the cosine; a half falls from the base rate to 0 once.
        last_epoch: The last step that was taken; -1 to start.

    Returns:
        A `LambdaLR`; call its `step()` after each step of the optimizer. It can be pickled.

    Raises:
        TypeError: if `optimizer` is not an optimizer, or a length is not a number.
        ValueError: if a length is negative, or the warmup is longer than the training.

    Example:
        >>> from genesis.optim import get_cosine_schedule_with_warmup
        >>> scheduler = get_cosine_schedule_with_warmup(
        ...     optimizer, num_warmup_steps=100, num_training_steps=1000
        ... )  # doctest: +SKIP

    Reference: https://huggingface.co/docs/transformers/main_classes/optimizer_schedules
    """
    return LambdaLR(optimizer, CosineWithWarmup(num_warmup_steps, num_training_steps, num_cycles), last_epoch)


def get_cosine_with_hard_restarts_schedule_with_warmup(
    optimizer: Any,
    num_warmup_steps: float,
    num_training_steps: float,
    num_cycles: float = 1,
    last_epoch: int = -1,
) -> LambdaLR:
    r"""Raise the learning rate linearly from 0, then let it fall along a cosine several times, the last to 0.

    .. math:: rate = base\_lr \cdot s / W \text{ for } s < W, \text{ then }
        base\_lr \cdot \tfrac12 (1 + \cos(\pi \, (c \, (s - W) / (N - W) \bmod 1)))

    Args:
        optimizer: The one whose learning rates are set.
        num_warmup_steps: W, the steps of the rise, from 0 to N; a text such as `"10%"` is a part of N.
        num_training_steps: N, all steps; from there the rate is 0.
        num_cycles: c, above 0: how many falls there are.
        last_epoch: The last step that was taken; -1 to start.

    Raises:
        TypeError: if `optimizer` is not an optimizer, or a length is not a number.
        ValueError: if a number is out of its range, or the warmup is longer than the training.

    Example:
        >>> from genesis.optim import get_cosine_with_hard_restarts_schedule_with_warmup
        >>> scheduler = get_cosine_with_hard_restarts_schedule_with_warmup(
        ...     optimizer, 100, 1000, num_cycles=3
        ... )  # doctest: +SKIP

    Reference: https://huggingface.co/docs/transformers/main_classes/optimizer_schedules
    """
    shape = CosineRestartsWithWarmup(num_warmup_steps, num_training_steps, num_cycles)
    return LambdaLR(optimizer, shape, last_epoch)


def get_polynomial_decay_schedule_with_warmup(
    optimizer: Any,
    num_warmup_steps: float,
    num_training_steps: float,
    lr_end: float = 1e-7,
    power: float = 1.0,
    last_epoch: int = -1,
) -> LambdaLR:
    r"""Raise the learning rate linearly from 0, then lower it to `lr_end` along a power of what remains.

    .. math:: rate = base\_lr \cdot s / W \text{ for } s < W, \text{ then }
        (base\_lr - lr\_end) \left( 1 - \tfrac{s - W}{N - W} \right)^p + lr\_end

    Args:
        optimizer: The one whose learning rates are set.
        num_warmup_steps: W, the steps of the rise, from 0 to N; a text such as `"10%"` is a part of N.
        num_training_steps: N, all steps, those of the warmup included.
        lr_end: The rate at the end, the same for every parameter group; it lies below the base rate of each.
            (A group whose base rate is 0 stays at 0.)
        power: p, above 0.
        last_epoch: The last step that was taken; -1 to start.

    Raises:
        TypeError: if `optimizer` is not an optimizer, or a length is not a number.
        ValueError: if a number is out of its range, or the warmup is longer than the training.

    Example:
        >>> from genesis.optim import get_polynomial_decay_schedule_with_warmup
        >>> scheduler = get_polynomial_decay_schedule_with_warmup(
        ...     optimizer, 100, 1000, lr_end=1e-6, power=2.0
        ... )  # doctest: +SKIP

    Reference: https://huggingface.co/docs/transformers/main_classes/optimizer_schedules
    """
    base = _first_base(optimizer)
    shape = PolynomialWithWarmup(num_warmup_steps, num_training_steps, lr_end, power, base)
    return LambdaLR(optimizer, shape, last_epoch)


def get_inverse_sqrt_schedule(
    optimizer: Any, num_warmup_steps: float, timescale: float | None = None, last_epoch: int = -1
) -> LambdaLR:
    r"""Raise the learning rate linearly from 0, then let it fall with the inverse square root of the step.

    .. math:: rate = base\_lr \cdot s / W \text{ for } s < W, \text{ then }
        base\_lr \cdot \sqrt{T / (s - W + T)}

    Args:
        optimizer: The one whose learning rates are set.
        num_warmup_steps: W, the steps of the rise, 0 or more.
        timescale: T, above 0; None for W, or for 10 000 if there is no warmup.
        last_epoch: The last step that was taken; -1 to start.

    Raises:
        TypeError: if `optimizer` is not an optimizer, or a length is not a number.
        ValueError: if a length is out of its range.

    Example:
        >>> from genesis.optim import get_inverse_sqrt_schedule
        >>> scheduler = get_inverse_sqrt_schedule(optimizer, 100)  # doctest: +SKIP

    Reference: https://huggingface.co/docs/transformers/main_classes/optimizer_schedules
    """
    return LambdaLR(optimizer, InverseSqrtWithWarmup(num_warmup_steps, timescale), last_epoch)


def get_cosine_with_min_lr_schedule_with_warmup(
    optimizer: Any,
    num_warmup_steps: float,
    num_training_steps: float,
    num_cycles: float = 0.5,
    last_epoch: int = -1,
    min_lr: float | None = None,
    min_lr_rate: float | None = None,
) -> LambdaLR:
    """Raise the learning rate linearly from 0, then let it fall along a cosine to a floor, where it stays.

    With the factor f of `get_cosine_schedule_with_warmup` and the floor r as a part of the base rate, the
    rate after the warmup is `base_lr * (f * (1 - r) + r)`.

    Args:
        optimizer: The one whose learning rates are set.
        num_warmup_steps: Steps of the rise; a text such as `"10%"` is a part of all steps.
        num_training_steps: All steps, those of the warmup included.
        num_cycles: The waves of the cosine; a half falls once.
        last_epoch: The last step that was taken; -1 to start.
        min_lr: The floor as a rate, the same for every parameter group; at most the base rate of each.
        min_lr_rate: The floor as a part of each group's base rate, 0 to 1. Exactly one of the two is given.

    Raises:
        TypeError: if `optimizer` is not an optimizer, or a length is not a number.
        ValueError: if both floors or neither are given, or a number is out of its range.

    Example:
        >>> from genesis.optim import get_cosine_with_min_lr_schedule_with_warmup
        >>> scheduler = get_cosine_with_min_lr_schedule_with_warmup(
        ...     optimizer, 100, 1000, min_lr_rate=0.1
        ... )  # doctest: +SKIP

    Reference: https://huggingface.co/docs/transformers/main_classes/optimizer_schedules
    """
    base = None if min_lr is None else _first_base(optimizer)
    shape = CosineWithMinLR(num_warmup_steps, num_training_steps, num_cycles, min_lr, min_lr_rate, base)
    return LambdaLR(optimizer, shape, last_epoch)


def get_cosine_with_min_lr_schedule_with_warmup_lr_rate(
    optimizer: Any,
    num_warmup_steps: float,
    num_training_steps: float,
    num_cycles: float = 0.5,
    last_epoch: int = -1,
    min_lr: float | None = None,
    min_lr_rate: float | None = None,
    warmup_lr_rate: float | None = None,
) -> LambdaLR:
    """Let the learning rate rise and fall along a cosine to a floor, one step ahead of the plain version.

    It begins above 0, at `warmup_lr_rate`, and the last training step, N - 1, has the rate of the floor.

    Args:
        optimizer: The one whose learning rates are set.
        num_warmup_steps: Steps of the rise; a text such as `"10%"` is a part of all steps.
        num_training_steps: All steps, those of the warmup included.
        num_cycles: The waves of the cosine; a half falls once.
        last_epoch: The last step that was taken; -1 to start.
        min_lr: The floor as a rate, the same for every parameter group; at most the base rate of each.
        min_lr_rate: The floor as a part of each group's base rate, 0 to 1. Exactly one of the two is given.
        warmup_lr_rate: The part of the base rate that the warmup begins at; None for 1 / num_warmup_steps.

    Raises:
        TypeError: if `optimizer` is not an optimizer, or a length is not a number.
        ValueError: if both floors or neither are given, or a number is out of its range.

    Example:
        >>> from genesis.optim import get_cosine_with_min_lr_schedule_with_warmup_lr_rate
        >>> scheduler = get_cosine_with_min_lr_schedule_with_warmup_lr_rate(
        ...     optimizer, 100, 1000, min_lr=1e-6, warmup_lr_rate=0.01
        ... )  # doctest: +SKIP

    Reference: https://huggingface.co/docs/transformers/main_classes/optimizer_schedules
    """
    base = None if min_lr is None else _first_base(optimizer)
    shape = CosineWarmupWithMinLR(
        num_warmup_steps, num_training_steps, num_cycles, min_lr, min_lr_rate, base, warmup_lr_rate
    )
    return LambdaLR(optimizer, shape, last_epoch)


def get_wsd_schedule(
    optimizer: Any,
    num_warmup_steps: float,
    num_decay_steps: float,
    num_training_steps: float | None = None,
    num_stable_steps: float | None = None,
    warmup_type: str = "linear",
    decay_type: str = "cosine",
    min_lr_ratio: float = 0,
    num_cycles: float = 0.5,
    last_epoch: int = -1,
) -> LambdaLR:
    """Raise the learning rate (warmup), keep it (stable), and lower it at the end (decay).

    Args:
        optimizer: The one whose learning rates are set.
        num_warmup_steps: Steps of the warmup; a text such as `"10%"` is a part of all steps.
        num_decay_steps: Steps of the decay.
        num_training_steps: All steps; those that the other two leave are the stable ones.
        num_stable_steps: The stable steps themselves, instead of `num_training_steps`.
        warmup_type: `"linear"`, `"cosine"` or `"1-sqrt"`.
        decay_type: `"linear"`, `"cosine"` or `"1-sqrt"`.
        min_lr_ratio: Where the warmup begins and the decay ends, as a part of the base rate, 0 to 1.
        num_cycles: The waves of the cosine decay; a half falls once.
        last_epoch: The last step that was taken; -1 to start.

    Raises:
        TypeError: if `optimizer` is not an optimizer, or a length is not a number.
        ValueError: if neither `num_training_steps` nor `num_stable_steps` is given, the phases are longer
            than the training, a type is unknown, or a number is out of its range.

    Warns:
        UserWarning: if `num_training_steps` and `num_stable_steps` contradict each other; the latter counts.

    Example:
        >>> from genesis.optim import get_wsd_schedule
        >>> scheduler = get_wsd_schedule(
        ...     optimizer, num_warmup_steps=100, num_decay_steps="20%", num_training_steps=1000
        ... )  # doctest: +SKIP

    Reference: https://huggingface.co/docs/transformers/main_classes/optimizer_schedules
    """
    if num_training_steps is None and num_stable_steps is None:
        raise ValueError("one of num_training_steps and num_stable_steps must be given, got neither")
    total = None if num_training_steps is None else steps("num_training_steps", num_training_steps)
    warmup = steps("num_warmup_steps", num_warmup_steps, total=total)
    decay = steps("num_decay_steps", num_decay_steps, total=total)
    if num_stable_steps is None:
        stable = (total or 0) - warmup - decay
        if stable < 0:
            raise ValueError(
                f"num_warmup_steps={warmup} and num_decay_steps={decay} are more than "
                f"num_training_steps={total}: both are parts of the training steps"
            )
    else:
        stable = steps("num_stable_steps", num_stable_steps, total=total)
        if total is not None and total != warmup + stable + decay:
            warnings.warn(
                f"num_training_steps={total} is not {warmup} + {stable} + {decay}, the steps of the three "
                "phases; the phases are as given, and num_training_steps is not used",
                UserWarning,
                stacklevel=2,
            )
    shape = WarmupStableDecay(warmup, stable, decay, warmup_type, decay_type, min_lr_ratio, num_cycles)
    return LambdaLR(optimizer, shape, last_epoch)


def get_reduce_on_plateau_schedule(optimizer: Any, **kwargs: Any) -> LRScheduler:
    """Lower the learning rate when a metric has stopped improving.

    Args:
        optimizer: The one whose learning rates are set.
        **kwargs: The options of `genesis.optim.ReduceLROnPlateau`, such as `patience=3`.

    Returns:
        A `ReduceLROnPlateau`; call its `step(metric)` after each evaluation.

    Example:
        >>> from genesis.optim import get_reduce_on_plateau_schedule
        >>> scheduler = get_reduce_on_plateau_schedule(optimizer, factor=0.5)  # doctest: +SKIP

    Reference: https://huggingface.co/docs/transformers/main_classes/optimizer_schedules
    """
    from genesis_schedulers.plateau import ReduceLROnPlateau

    return ReduceLROnPlateau(optimizer, **kwargs)


def get_greedy_schedule(optimizer: Any, **kwargs: Any) -> LRScheduler:
    """Raise the learning rate while a metric improves, and lower it when it has stopped.

    Args:
        optimizer: The one whose learning rates are set.
        **kwargs: The options of `genesis.optim.GreedyLR`, such as `patience=3`.

    Returns:
        A `GreedyLR`; call its `step(metric)` after each evaluation.

    Example:
        >>> from genesis.optim import get_greedy_schedule
        >>> scheduler = get_greedy_schedule(optimizer, min_lr=1e-5, max_lr=1e-3)  # doctest: +SKIP

    Reference: https://huggingface.co/docs/transformers/main_classes/optimizer_schedules
    """
    from genesis_schedulers.greedy import GreedyLR

    return GreedyLR(optimizer, **kwargs)


def _first_base(optimizer: Any) -> float | None:
    """The first group's base rate, for who asks the shape itself; a scheduler fills in that of each group."""
    try:
        group = optimizer.param_groups[0]
        return float(group.get("initial_lr", group["lr"]))
    except (AttributeError, IndexError, KeyError, TypeError):
        return None  # the scheduler says what is wrong with it
