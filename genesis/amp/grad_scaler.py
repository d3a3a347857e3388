"""``GradScaler``: losses are scaled up, so that small gradients of float16 do not become zero."""

from __future__ import annotations

import math
import struct
import warnings
from collections.abc import Iterable
from typing import Any

from genesis._accelerators import count
from genesis._dtypes import float16
from genesis._errors import GenesisError
from genesis._lazy import missing
from genesis._states import loads_state
from genesis._tensor import Tensor
from genesis.autograd.grad_mode import no_grad
from genesis.ops.creation import tensor


class AmpError(GenesisError, RuntimeError):
    """The steps of a ``GradScaler`` are called in another order than they can be."""


def _float32(value: float) -> float:
    """The nearest number of float32, in which the factor is kept; infinity beyond them."""
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


class _Since:
    """What happened to an optimizer since the last update."""

    def __init__(self) -> None:
        self.unscaled = self.stepped = False
        self.bad: bool | None = None  # None: no gradient was looked at


class GradScaler:
    """Multiplies the loss, so that small gradients are not lost, and divides the gradients again.

    A step with an infinite gradient or nan is left out, and the factor becomes smaller; after many good
    steps it becomes larger.  In float32 it is seldom needed.  Micikevicius et al., "Mixed Precision
    Training", 2018.

    Args:
        device: a kind of device; where it cannot be used, the scaler is off, and a warning says so.
        init_scale: the factor at the start.
        growth_factor, backoff_factor: what the factor is multiplied by after good steps and after a bad one.
        growth_interval: how many good steps it takes to grow.
        enabled: False does nothing: the loss is not scaled, ``step`` is the optimizer's.

    Example:
        >>> from genesis import amp, nn, ones, optim
        >>> model = nn.Linear(2, 1)
        >>> optimizer, scaler = optim.SGD(model.parameters(), lr=0.1), amp.GradScaler("cpu")
        >>> scaler.scale(model(ones(1, 2)).sum()).backward()
        >>> _ = scaler.step(optimizer)
        >>> scaler.update()
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        self._device, self._enabled = device, enabled
        if enabled and not count(device):
            warnings.warn(f"GradScaler is enabled, but {device} is not available. Disabling.", stacklevel=2)
            self._enabled = False
        if self._enabled and growth_factor <= 1.0:
            raise AssertionError("The growth factor must be > 1.0.")
        if self._enabled and backoff_factor >= 1.0:
            raise AssertionError("The backoff factor must be < 1.0.")
        self._scale, self._good = _float32(init_scale), 0
        self._growth_factor, self._backoff_factor = growth_factor, backoff_factor
        self._growth_interval = growth_interval
        self._used = False  # scale() was called
        #: of each optimizer since the last update, by its id
        self._states: dict[int, _Since] = {}

    def _since(self, optimizer: Any) -> _Since:
        return self._states.setdefault(id(optimizer), _Since())

    def _check_used(self, name: str) -> None:
        if not self._used:
            raise AssertionError(
                f"Attempted {name} but _scale is None.  This may indicate your script did not use "
                "scaler.scale(loss or outputs) earlier in the iteration."
            )

    def scale(self, outputs: Any) -> Any:
        """Multiply a loss, or every one in an iterable of them, by the factor; its type stays.

        Raises:
            ValueError: it is neither.
        """
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            self._used = True
            return outputs * self._scale
        if isinstance(outputs, Iterable) and not isinstance(outputs, str):
            scaled = map(self.scale, outputs)
            return type(outputs)(scaled) if isinstance(outputs, list | tuple) else scaled
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")

    def unscale_(self, optimizer: Any) -> None:
        """Divide the gradients of an optimizer by the factor: before they are clipped, say.

        Raises:
            RuntimeError: this was done already since the last update, or the step was taken.
            ValueError: a gradient is of float16, where small ones are lost; keep the parameters in float32.
            AssertionError: nothing was scaled yet.
        """
        if not self._enabled:
            return
        self._check_used("unscale_")
        since = self._since(optimizer)
        if since.unscaled:
            raise AmpError("unscale_() has already been called on this optimizer since the last update().")
        if since.stepped:
            raise AmpError("unscale_() is being called after step().")
        self._look(optimizer, since, _float32(1.0 / self._scale))
        since.unscaled = True

    def _look(self, optimizer: Any, since: _Since, factor: float | None) -> None:
        """Note whether all gradients are finite, and multiply them by ``factor``, if there is one."""
        since.bad = None
        with no_grad():
            for group in optimizer.param_groups:
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    if p.grad.dtype is float16 and factor is not None:
                        raise ValueError("Attempting to unscale FP16 gradients.")
                    since.bad = bool(since.bad) or not bool(p.grad.isfinite().all())
                    if factor is not None and factor != 1.0:
                        p.grad.mul_(factor)

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """Divide the gradients if that was not done, and step unless one of them is infinite or nan.

        An optimizer that says ``_step_supports_amp_scaling`` gets ``grad_scale`` and ``found_inf`` as
        attributes, and looks after the gradients itself.

        Returns:
            What the optimizer's ``step`` returns; None where it was left out.

        Raises:
            RuntimeError: the step was already taken since the last update, or a closure is given.
            AssertionError: nothing was scaled yet, or no parameter has a gradient.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise AmpError("Closure use is not currently supported if GradScaler is enabled.")
        self._check_used("step")
        since = self._since(optimizer)
        if since.stepped:
            raise AmpError("step() has already been called since the last update().")
        if getattr(optimizer, "_step_supports_amp_scaling", False):
            return self._step_with_scale(optimizer, since, args, kwargs)
        if not since.unscaled:
            self.unscale_(optimizer)
        if since.bad is None:
            raise AssertionError("No inf checks were recorded for this optimizer.")
        result = None if since.bad else optimizer.step(*args, **kwargs)
        since.stepped, since.unscaled = True, False
        return result

    def _step_with_scale(self, optimizer: Any, since: _Since, args: Any, kwargs: Any) -> Any:
        if not since.unscaled:
            self._look(optimizer, since, None)
        before = getattr(optimizer, "grad_scale", None)
        own = self._scale if before is None else self._scale * before
        optimizer.grad_scale = before if since.unscaled else tensor(own)
        optimizer.found_inf = tensor(float(bool(since.bad)))
        result = optimizer.step(*args, **kwargs)
        since.stepped, since.unscaled = True, False
        del optimizer.grad_scale, optimizer.found_inf
        return result

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Change the factor after the steps of all optimizers; ``new_scale`` sets it.

        Raises:
            AssertionError: nothing was scaled, or no gradients were looked at since the last update.
        """
        if not self._enabled:
            return
        self._check_used("update")
        if new_scale is not None:
            if isinstance(new_scale, Tensor) and (new_scale.numel() != 1 or new_scale.requires_grad):
                raise AssertionError(
                    "new_scale should be a float or a tensor of one element with requires_grad=False."
                )
            self._scale = _float32(float(new_scale))
        else:
            seen = [since.bad for since in self._states.values() if since.bad is not None]
            if not seen:
                raise AssertionError("No inf checks were recorded prior to update.")
            if any(seen):
                self._scale, self._good = _float32(self._scale * self._backoff_factor), 0
            else:
                self._good += 1
                if self._good == self._growth_interval:
                    grown = _float32(self._scale * self._growth_factor)
                    self._scale, self._good = grown if math.isfinite(grown) else self._scale, 0
        self._states.clear()

    def get_scale(self) -> float:
        """The factor; 1 when the scaler is off."""
        return self._scale if self._enabled else 1.0

    def get_growth_factor(self) -> float:
        """What the factor is multiplied by after good steps."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Set what ``get_growth_factor`` gives."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """What the factor is multiplied by after a bad step."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Set what ``get_backoff_factor`` gives."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """How many good steps it takes to grow."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Set what ``get_growth_interval`` gives."""
        self._growth_interval = new_interval

    def _get_growth_tracker(self) -> int:
        return self._good if self._enabled else 0

    def __getstate__(self) -> dict[str, Any]:
        if self._states:
            raise AssertionError(
                "A GradScaler instance may only be pickled at the beginning of an iteration, or at the end "
                "after scaler.update()."
            )
        return {**self.__dict__, "_used": False}

    def is_enabled(self) -> bool:
        """False when the scaler is off."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """The state, empty when the scaler is off."""
        if not self._enabled:
            return {}
        return {
            "scale": self._scale,
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._good,
        }

    @loads_state
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state.

        Raises:
            RuntimeError: it is empty, that of a scaler that was off.
        """
        if not self._enabled:
            return
        if not state_dict:
            raise AmpError(
                "The source state dict is empty, possibly because it was saved from a disabled GradScaler."
            )
        self._scale = float(state_dict["scale"])
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._good = int(state_dict["_growth_tracker"])


__all__ = ["AmpError", "GradScaler"]

TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
