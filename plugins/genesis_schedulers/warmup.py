"""Schedules that begin with a warmup, by the names that transformers gave them."""

from __future__ import annotations

from typing import Any

from genesis_schedulers.lambda_lr import LambdaLR
from genesis_schedulers.shapes import CosineWithWarmup


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
        num_warmup_steps: W, the steps of the rise, from 0 to N.
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
