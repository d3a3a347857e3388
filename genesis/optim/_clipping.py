"""What an optimizer has for the clipping of gradients: a factor that waits for the next step."""

from __future__ import annotations

from typing import Any, ClassVar

from genesis._tensor import Tensor


class Clipped:
    """The part of ``Optimizer`` that clips gradients."""

    #: whether `step` multiplies the gradients by `take_grad_scale()`; a class with another `step` says so
    #: itself
    scales_gradients: ClassVar[bool] = False

    param_groups: list[dict[str, Any]]
    _grad_scale: float = 1.0

    def clip_grad_norm_(
        self, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
    ) -> Tensor:
        """Clip the total norm of all gradients, within the next `step`: a pass over them is spared.

        The step is the one that `genesis.nn.utils.clip_grad_norm_` on all parameters would lead to, but the
        gradients themselves stay as they are: `step` multiplies them as it reads them. (Of an optimizer whose
        step cannot, they are multiplied here.) `zero_grad` forgets it.

        Args:
            max_norm: The largest norm allowed.
            norm_type: Exponent of the norm; `math.inf` for the largest absolute value.
            error_if_nonfinite: Raise when the norm is nan or inf.

        Returns:
            The norm before clipping, a tensor of no dimensions.

        Raises:
            RuntimeError: The norm is nan or inf and `error_if_nonfinite` is set.
            ValueError: `norm_type` is not positive.

        Example:
            >>> loss.backward()
            >>> norm = optimizer.clip_grad_norm_(1.0)
            >>> optimizer.step()

        Reference: Pascanu, Mikolov, Bengio, arXiv 1211.5063, algorithm 1.
        """
        from genesis.nn.utils.clip import clip_factor, clip_grads_with_norm_, get_total_norm

        params = [p for group in self.param_groups for p in group["params"] if p.grad is not None]
        total = get_total_norm([p.grad for p in params], norm_type, error_if_nonfinite)
        if self.scales_gradients:
            self._grad_scale = clip_factor(max_norm, total)
        else:
            clip_grads_with_norm_(params, max_norm, total)
        return total

    def take_grad_scale(self) -> float:
        """What this step multiplies gradients by, 1 unless they are clipped; for a step that does so.

        The next step begins with 1 again. A step with a closure asks after it has called the closure.
        """
        scale = self._grad_scale
        if scale != 1.0:
            self._grad_scale = 1.0
        return scale
