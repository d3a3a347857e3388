"""Mixed precision, as far as it goes with float32 and float64: nothing is cast, and losses can be scaled."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

from genesis._accelerators import count
from genesis._errors import GenesisError
from genesis._lazy import missing
from genesis._tensor import Tensor
from genesis.autograd.grad_mode import no_grad

F = TypeVar("F", bound=Callable[..., Any])

_told: list[str] = []


class AmpError(GenesisError, RuntimeError):
    """The steps of a ``GradScaler`` are called in another order than they can be."""


class autocast:
    """Where PyTorch computes in half precision; here the types stay as they are.

    Args:
        device_type: accepted: ``"cpu"``, ``"cuda"`` and so on.
        dtype: float32, or a type of half precision, for which a warning says once that it is not there.
        enabled: False does nothing, without a warning.
        cache_enabled: no effect.
    """

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(
                f"Expected `device_type` of type `str`, got: `{type(device_type)}`; for example 'cpu'"
            )
        self.device, self.fast_dtype, self._enabled = device_type, dtype, enabled
        name = "half precision" if dtype is None else str(dtype)
        if enabled and not name.endswith(("float32", "float64")) and not _told:
            _told.append(name)
            warnings.warn(
                f"autocast to {name}: Genesis computes in float32 and float64 only, so nothing is cast; "
                "the results are those of enabled=False",
                stacklevel=2,
            )

    def __enter__(self) -> autocast:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing was changed."""

    def __call__(self, func: F) -> F:
        return func


def is_autocast_available(device_type: str) -> bool:
    """False: nothing is cast."""
    return False


def is_autocast_enabled(device_type: str | None = None) -> bool:
    """False: nothing is cast."""
    return False


def custom_fwd(fwd: Any = None, *, device_type: str = "cuda", cast_inputs: Any = None) -> Any:
    """Decorator for ``forward`` of an ``autograd.Function``: the function itself."""
    return (lambda function: function) if fwd is None else fwd


def custom_bwd(bwd: Any = None, *, device_type: str = "cuda") -> Any:
    """Decorator for ``backward`` of an ``autograd.Function``: the function itself."""
    return (lambda function: function) if bwd is None else bwd


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
        self._scale, self._good = init_scale, 0
        self._growth_factor, self._backoff_factor = growth_factor, backoff_factor
        self._growth_interval = growth_interval
        #: of each optimizer since the last update: whether its gradients are divided, its step taken,
        # bad values
        self._states: weakref.WeakKeyDictionary[Any, dict[str, bool]] = weakref.WeakKeyDictionary()

    def scale(self, outputs: Any) -> Any:
        """Multiply a loss, or every one in a list, by the factor."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            return outputs * self._scale
        if isinstance(outputs, list | tuple):
            return type(outputs)([self.scale(o) for o in outputs])
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")

    def unscale_(self, optimizer: Any) -> None:
        """Divide the gradients of an optimizer by the factor: before they are clipped, say.

        Raises:
            RuntimeError: this was done already since the last update, or the step was taken.
        """
        if not self._enabled:
            return
        state = self._state(optimizer)
        if state["unscaled"]:
            raise AmpError("unscale_() has already been called on this optimizer since the last update().")
        if state["stepped"]:
            raise AmpError("unscale_() is being called after step().")
        factor = 1.0 / self._scale
        with no_grad():
            for group in optimizer.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        p.grad.mul_(factor)
                        state["bad"] = state["bad"] or not bool(p.grad.isfinite().all())
        state["unscaled"] = True

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """Divide the gradients if that was not done, and step unless one of them is infinite or nan.

        Raises:
            RuntimeError: the step was already taken since the last update, or a closure is given.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise AmpError("Closure use is not currently supported if GradScaler is enabled.")
        state = self._state(optimizer)
        if state["stepped"]:
            raise AmpError("step() has already been called since the last update().")
        if not state["unscaled"]:
            self.unscale_(optimizer)
        result = None if state["bad"] else optimizer.step(*args, **kwargs)
        state["stepped"] = True
        return result

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Change the factor after the steps of all optimizers; ``new_scale`` sets it.

        Raises:
            AssertionError: no gradients were looked at since the last update.
        """
        if not self._enabled:
            return
        if new_scale is not None:
            self._scale = float(new_scale)
        else:
            seen = [s for s in self._states.values() if s["unscaled"]]
            if not seen:
                raise AssertionError("No inf checks were recorded prior to update.")
            if any(s["bad"] for s in seen):
                self._scale, self._good = self._scale * self._backoff_factor, 0
            else:
                self._good += 1
                if self._good == self._growth_interval:
                    self._scale, self._good = self._scale * self._growth_factor, 0
        self._states.clear()

    def _state(self, optimizer: Any) -> dict[str, bool]:
        return self._states.setdefault(optimizer, {"unscaled": False, "stepped": False, "bad": False})

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


__all__ = ["AmpError", "GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]

TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
