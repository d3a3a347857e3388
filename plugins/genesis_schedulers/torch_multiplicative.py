"""MultiplicativeLR: each rate is the one before, multiplied by a function of the step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from genesis.optim import Schedule
from genesis_schedulers._checks import function
from genesis_schedulers.lambda_lr import FunctionLR


@dataclass(frozen=True, repr=False)
class Accumulated(Schedule):
    """The product of what a function gives for the steps 1, 2, ..., t; 1 at step 0.

    Args:
        function: Maps a step, 1 or more, to a factor. It should depend on the step alone, and is asked once
            for each step.

    Between two steps the value lies on a straight line.

    Raises:
        TypeError: if `function` cannot be called.

    Example:
        >>> from genesis_schedulers.torch_multiplicative import Accumulated
        >>> [Accumulated(lambda step: 1 / step)(step) for step in range(4)]
        [1.0, 1.0, 0.5, 0.16666666666666666]
    """

    formula: ClassVar[str] = "function(1) * function(2) * ... * function(t)"
    function: Callable[[int], float]
    _products: list[float] = field(default_factory=lambda: [1.0], init=False, compare=False)

    def __post_init__(self) -> None:
        function("function", self.function)
        super().__post_init__()

    def at(self, step: float) -> float:
        whole = int(step)
        value = self._product(whole)
        return value if step == whole else value + (self._product(whole + 1) - value) * (step - whole)

    def _product(self, step: int) -> float:
        products = self._products
        while len(products) <= step:
            number = len(products)
            products.append(products[-1] * self.checked(self.function(number), number))
        return products[step]


class MultiplicativeLR(FunctionLR):
    """Multiply the learning rate of each parameter group by a function of the step, again at each step.

    rate = base_lr * lr_lambda(1) * lr_lambda(2) * ... * lr_lambda(t)

    Args:
        optimizer: The one whose learning rates are set: ours, PyTorch's, or anything with `param_groups`.
        lr_lambda: A function, or another callable, from the step, 1, 2 and so on, to a factor, or a list with
            one for each parameter group. It should depend on the step alone. Nothing is asked for step 0, but
            as a later part of a `SequentialLR`, where it goes on from the rate of the part before.
        last_epoch: The last step that was taken; -1 to start.
        verbose: Report each change to the logger `genesis.optim.lr_scheduler`, at level INFO.

    Raises:
        TypeError: if `optimizer` is not an optimizer, or `lr_lambda` cannot be called.
        ValueError: if a list has not one function for each parameter group.

    Example:
        >>> from genesis.optim import MultiplicativeLR
        >>> scheduler = MultiplicativeLR(optimizer, lambda epoch: 0.95)  # doctest: +SKIP

    Reference: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.MultiplicativeLR.html
    """

    chainable = True
    carries = True

    def __init__(
        self,
        optimizer: Any,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        for each in lr_lambda if isinstance(lr_lambda, (list, tuple)) else [lr_lambda]:
            if not callable(each):
                raise TypeError(f"lr_lambda should be a function, but got {type(each).__name__}: {each!r}")
        super().__init__(optimizer, lr_lambda, last_epoch, verbose)

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        """The products of what the group's function gives."""
        return Accumulated(self.function_for(index))

    def _later_part(self, index: int, base: float) -> Schedule:
        function = self.function_for(index)
        return Accumulated(function) * float(function(0))  # the last rate of the part before is at step -1
