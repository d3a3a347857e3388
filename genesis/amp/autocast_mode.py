"""``autocast``: products in half precision, what loses digits in float32."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import partial, wraps
from types import TracebackType
from typing import Any, TypeVar

from genesis._accelerators import count
from genesis._device import device as Device
from genesis._dtypes import as_dtype, bfloat16, dtype, float16, float64
from genesis._errors import DeviceError, GenesisError, UnknownNameError
from genesis._lazy import missing
from genesis._tensor import Tensor
from genesis.ops import _autocast as lists
from genesis.ops._autocast import state

F = TypeVar("F", bound=Callable[..., Any])


def _kind(device_type: object) -> str:
    """The kind of device of a name.

    Raises:
        ValueError: it is no string.
        RuntimeError: there is no such kind.
    """
    if not isinstance(device_type, str):
        raise ValueError(
            f"Expected `device_type` of type `str`, got: `{type(device_type)}`; for example 'cpu'"
        )
    if device_type in ("cpu", "cuda"):
        return device_type
    try:
        return Device(device_type).type
    except (UnknownNameError, DeviceError, ValueError) as error:
        raise RuntimeError(f"there is no kind of device {device_type!r}: {error}") from None


def _has_halves(kind: str) -> bool:
    try:
        return Device(kind).backend.halves
    except GenesisError:
        return kind == "cpu"


def is_autocast_available(device_type: str) -> bool:
    """True for the kinds of devices for which there is a list of operations: ``"cpu"`` and ``"cuda"``."""
    return _kind(device_type) in lists.OPERATIONS


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """True inside an ``autocast`` of this thread for this kind of device."""
    return state.enabled.get(_kind(device_type), False)


def set_autocast_enabled(device_type: str | bool, enabled: bool | None = None) -> None:
    """Switch autocast on or off for a kind of device in this thread; ``autocast`` does it for a block."""
    if isinstance(device_type, bool):
        lists.set_enabled("cuda", device_type)
        return
    if enabled is None:
        raise TypeError("set_autocast_enabled() takes a kind of device and True or False")
    lists.set_enabled(_kind(device_type), bool(enabled))


def get_autocast_dtype(device_type: str) -> dtype:
    """The type that ``autocast`` uses unless told otherwise: bfloat16 on ``cpu``, float16 on ``cuda``."""
    return state.dtypes.get(_kind(device_type), bfloat16)


def set_autocast_dtype(device_type: str, dtype: Any) -> None:
    """Set what ``get_autocast_dtype`` gives in this thread."""
    state.dtypes[_kind(device_type)] = as_dtype(dtype)


def is_autocast_cache_enabled() -> bool:
    """True when parameters are converted once for all uses."""
    return state.cache_enabled


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Set what ``is_autocast_cache_enabled`` gives in this thread."""
    state.cache_enabled = bool(enabled)


def clear_autocast_cache() -> None:
    """Forget the converted parameters."""
    state.cache.clear()


def autocast_increment_nesting() -> int:
    """Enter one more ``autocast``; how many there are then."""
    state.nesting += 1
    return state.nesting


def autocast_decrement_nesting() -> int:
    """Leave one ``autocast``; how many there are then."""
    state.nesting -= 1
    return state.nesting


def is_autocast_cpu_enabled() -> bool:
    """``is_autocast_enabled("cpu")`` by its old name."""
    return is_autocast_enabled("cpu")


def set_autocast_cpu_enabled(enabled: bool) -> None:
    """``set_autocast_enabled("cpu", enabled)`` by its old name."""
    set_autocast_enabled("cpu", enabled)


def get_autocast_cpu_dtype() -> dtype:
    """``get_autocast_dtype("cpu")`` by its old name."""
    return get_autocast_dtype("cpu")


def set_autocast_cpu_dtype(dtype: Any) -> None:
    """``set_autocast_dtype("cpu", dtype)`` by its old name."""
    set_autocast_dtype("cpu", dtype)


def get_autocast_gpu_dtype() -> dtype:
    """``get_autocast_dtype("cuda")`` by its old name."""
    return get_autocast_dtype("cuda")


def set_autocast_gpu_dtype(dtype: Any) -> None:
    """``set_autocast_dtype("cuda", dtype)`` by its old name."""
    set_autocast_dtype("cuda", dtype)


class autocast:
    """Within it, products take halves and what loses digits takes float32; a decorator, too.

    ``linear``, ``matmul`` and its relatives, convolutions and attention convert their inputs to ``dtype``;
    losses and a few others convert theirs to float32; all else takes what it is given. Parameters stay in
    float32 and get gradients in float32. It holds for this thread. Leave it before ``backward``.
    Micikevicius et al., "Mixed Precision Training", 2018; the lists are PyTorch's.

    Args:
        device_type: the kind of device of the tensors, ``"cpu"`` or ``"cuda"``.
        dtype: bfloat16 or float16; unless given, bfloat16 on ``cpu`` and float16 on ``cuda``.
        enabled: False switches it off within an outer one.
        cache_enabled: convert a parameter once for all its uses; as outside unless given.

    Raises:
        ValueError: ``device_type`` is no string.
        RuntimeError: there is no autocast for such devices.

    Example:
        >>> import genesis
        >>> model, x = genesis.nn.Linear(2, 1), genesis.ones(1, 2)
        >>> with genesis.autocast("cpu", dtype=genesis.bfloat16):
        ...     y = model(x)
        >>> y.dtype, model.weight.dtype
        (genesis.bfloat16, genesis.float32)
    """

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        self.device = _kind(device_type)
        if self.device not in lists.OPERATIONS:
            raise RuntimeError(f"User specified an unsupported autocast device_type '{device_type}'")
        self.fast_dtype = get_autocast_dtype(self.device) if dtype is None else as_dtype(dtype)
        self._cache_enabled = state.cache_enabled if cache_enabled is None else cache_enabled
        if enabled and self.device == "cuda" and not count("cuda"):
            warnings.warn("CUDA is not available. Disabling autocast.", stacklevel=2)
            enabled = False
        elif enabled and not _has_halves(self.device):
            warnings.warn(
                f"autocast: the device {self.device!r} has no half precision here, so nothing is cast; the "
                "results are those of enabled=False",
                stacklevel=2,
            )
            enabled = False
        elif enabled and self.fast_dtype not in (bfloat16, float16):
            warnings.warn(
                f"In {self.device.upper()} autocast, but the target dtype {self.fast_dtype} is not "
                "supported. Disabling autocast.\nIt only supports genesis.bfloat16 and genesis.float16.",
                stacklevel=2,
            )
            enabled = False
        self._enabled = bool(enabled)
        self._before: list[tuple[bool, dtype, bool]] = []

    def __enter__(self) -> autocast:
        kind = self.device
        self._before.append((is_autocast_enabled(kind), get_autocast_dtype(kind), state.cache_enabled))
        lists.set_enabled(kind, self._enabled)
        state.dtypes[kind], state.cache_enabled = self.fast_dtype, bool(self._cache_enabled)
        state.nesting += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        state.nesting -= 1
        if not state.nesting:
            state.cache.clear()
        enabled, state.dtypes[self.device], state.cache_enabled = self._before.pop()
        lists.set_enabled(self.device, enabled)

    def __call__(self, func: F) -> F:
        if not callable(func):
            raise TypeError(
                f"autocast()(func) requires a callable, but got {type(func).__name__}. Did you mean to use "
                "it as a context manager, `with genesis.autocast(...):`?"
            )
        return autocast_decorator(self, func)


def autocast_decorator(autocast_instance: Any, func: F) -> F:
    """``func`` within an ``autocast``."""

    @wraps(func)
    def decorate_autocast(*args: Any, **kwargs: Any) -> Any:
        with autocast_instance:
            return func(*args, **kwargs)

    return decorate_autocast  # type: ignore[return-value]


# -- functions of the user's with gradients of their own ---------------------------------------------------
def _converted(value: Any, kind: str, to: dtype) -> Any:
    if isinstance(value, Tensor):
        own = value.is_floating_point() and value.device.type == kind and value.dtype is not float64
        return value.to(to) if own else value
    if isinstance(value, str | bytes) or hasattr(value, "__array_interface__"):
        return value
    if isinstance(value, Mapping):
        return {_converted(k, kind, to): _converted(v, kind, to) for k, v in value.items()}
    if isinstance(value, Iterable):
        items = (_converted(v, kind, to) for v in value)
        return type(value)(items) if isinstance(value, list | tuple) else items
    return value


def custom_fwd(fwd: Any = None, *, device_type: str, cast_inputs: Any = None) -> Any:
    """Decorator for ``forward`` of an ``autograd.Function``, which remembers whether autocast was on.

    Args:
        fwd: the method.
        device_type: the kind of device, ``"cpu"`` or ``"cuda"``.
        cast_inputs: within an autocast the tensors are converted to this type, and autocast is off inside;
            unless given, the function runs with autocast as it is.
    """
    kind = _kind(device_type)
    if fwd is None:
        return partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @wraps(fwd)
    def decorate_fwd(*args: Any, **kwargs: Any) -> Any:
        args[0]._dtype = get_autocast_dtype(kind)
        enabled = is_autocast_enabled(kind)
        args[0]._fwd_used_autocast = enabled and cast_inputs is None
        if cast_inputs is None or not enabled:
            return fwd(*args, **kwargs)
        to = as_dtype(cast_inputs)
        with autocast(kind, enabled=False):
            given = (args[0], *[_converted(a, kind, to) for a in args[1:]])
            return fwd(*given, **{k: _converted(v, kind, to) for k, v in kwargs.items()})

    return decorate_fwd


def custom_bwd(bwd: Any = None, *, device_type: str) -> Any:
    """Decorator for ``backward`` of an ``autograd.Function``: with autocast as its ``forward`` had it."""
    kind = _kind(device_type)
    if bwd is None:
        return partial(custom_bwd, device_type=device_type)

    @wraps(bwd)
    def decorate_bwd(*args: Any, **kwargs: Any) -> Any:
        with autocast(kind, enabled=args[0]._fwd_used_autocast, dtype=args[0]._dtype):
            return bwd(*args, **kwargs)

    return decorate_bwd


__all__ = ["autocast", "autocast_decorator", "custom_bwd", "custom_fwd", "is_autocast_available"]

TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
