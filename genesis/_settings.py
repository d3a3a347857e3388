"""Settings for a whole process, with PyTorch's names."""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from typing import Any

from genesis._device import device
from genesis._dtypes import float32, float64, set_default_dtype


def compile(
    model: Callable[..., Any] | None = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: Any = "inductor",
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
    **further: Any,
) -> Any:
    """Return a module or function as it is: nothing is compiled as a whole in Genesis.

    The CPU device compiles its kernels by itself.  All arguments of ``torch.compile`` are accepted and
    have no effect, so that ``model = genesis.compile(model)`` and
    ``@genesis.compile(mode="max-autotune")`` run.

    Args:
        model: what would be compiled; without it, a decorator is returned.
        fullgraph, dynamic, backend, mode, options, disable, further: no effect.
    """
    return (lambda function: function) if model is None else model


# -- threads -----------------------------------------------------------------------------------------------
def get_num_threads() -> int:
    """How many threads the device ``cpu`` computes with."""
    return device("cpu").backend.get_num_threads()


def set_num_threads(num: int) -> None:
    """Compute with ``num`` threads on the device ``cpu``.

    Raises:
        TypeError: ``num`` is no whole number.
        RuntimeError: it is not positive.
        ValueError: it is more than the device can have, 65535.
    """
    device("cpu").backend.set_num_threads(_positive("set_num_threads", num))


_interop = [1]


def get_num_interop_threads() -> int:
    """What ``set_num_interop_threads`` set; operations run one after another in any case."""
    return _interop[0]


def set_num_interop_threads(num: int) -> None:
    """Accepted: operations run one after another.

    Raises:
        TypeError, RuntimeError: ``num`` is no positive whole number.
    """
    _interop[0] = _positive("set_num_interop_threads", num)


def _positive(name: str, num: Any) -> int:
    if isinstance(num, bool) or not hasattr(num, "__index__"):
        raise TypeError(f"{name} expects an int, but got {type(num).__name__}")
    if index(num) <= 0:
        raise RuntimeError(f"{name} expects a positive integer, got {num}")
    return index(num)


# -- numbers -----------------------------------------------------------------------------------------------
_deterministic = [False, False]  # on, and warnings only


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Accepted: the same program gives the same numbers in any case, with the same number of threads.

    Args:
        mode: what ``are_deterministic_algorithms_enabled`` says from now on.
        warn_only: what ``is_deterministic_algorithms_warn_only_enabled`` says.
    """
    _deterministic[:] = [bool(mode), bool(warn_only)]


def are_deterministic_algorithms_enabled() -> bool:
    """What ``use_deterministic_algorithms`` set."""
    return _deterministic[0]


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """What ``use_deterministic_algorithms`` set."""
    return _deterministic[1]


_MODES = {"default": 0, "warn": 1, "error": 2}


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """Accepted, as ``use_deterministic_algorithms``.

    Args:
        debug_mode: ``"default"``, ``"warn"`` or ``"error"``, or 0, 1 or 2.
    """
    if isinstance(debug_mode, str):
        if debug_mode not in _MODES:
            raise RuntimeError(
                f"invalid value of debug_mode, expected one of {list(_MODES)}, got {debug_mode}"
            )
        debug_mode = _MODES[debug_mode]
    if debug_mode not in (0, 1, 2):
        raise RuntimeError(f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}")
    use_deterministic_algorithms(debug_mode > 0, warn_only=debug_mode == 1)


def get_deterministic_debug_mode() -> int:
    """0, 1 or 2: off, warnings, errors."""
    return (1 if _deterministic[1] else 2) if _deterministic[0] else 0


_precision = ["highest"]


def set_float32_matmul_precision(precision: str) -> None:
    """Accepted: products of float32 are computed in float32.

    Args:
        precision: ``"highest"``, ``"high"`` or ``"medium"``.
    """
    if precision not in ("highest", "high", "medium"):
        raise RuntimeError(f"Invalid precision {precision!r}; it is one of 'highest', 'high', 'medium'")
    _precision[0] = precision


def get_float32_matmul_precision() -> str:
    """What ``set_float32_matmul_precision`` set."""
    return _precision[0]


def set_flush_denormal(mode: bool) -> bool:
    """Say that this is not supported: numbers near zero keep their digits."""
    return False


def set_default_tensor_type(t: Any) -> None:
    """Set the default floating-point type by the name of a type of tensors.

    Args:
        t: ``"torch.FloatTensor"``, ``genesis.DoubleTensor`` and the like.

    Raises:
        TypeError: it is of another type than float32 and float64.
    """
    name = t if isinstance(t, str) else getattr(t, "__name__", str(t))
    kinds = {"FloatTensor": float32, "DoubleTensor": float64, "Tensor": float32}
    found = kinds.get(name.rpartition(".")[2])
    if found is None or ".cuda." in name:
        raise TypeError(f"only floating-point types on the device cpu are supported as the default, got {t}")
    set_default_dtype(found)


_warn_always = [False]


def set_warn_always(b: bool) -> None:
    """Accepted: warnings come as often as the ``warnings`` module lets them."""
    _warn_always[0] = bool(b)


def is_warn_always_enabled() -> bool:
    """What ``set_warn_always`` set."""
    return _warn_always[0]


# -- questions ---------------------------------------------------------------------------------------------
def typename(obj: Any) -> str:
    """The name of the type of an object, with its module; of a tensor, that of its elements."""
    from genesis._tensor import Tensor

    if isinstance(obj, Tensor):
        return str(obj.type())
    name = getattr(obj, "__qualname__", None)
    if name is None:
        obj = type(obj)
        name = obj.__qualname__
    module = getattr(obj, "__module__", None)
    return str(name) if module in (None, "builtins") else f"{module}.{name}"


def is_storage(obj: Any) -> bool:
    """False: storages are not visible."""
    return False
