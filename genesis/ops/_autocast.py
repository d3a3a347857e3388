"""What ``genesis.autocast`` does to operations: which are computed in half precision, and which in float32.

The lists are PyTorch's (aten/src/ATen/autocast_mode.cpp). An operation that is in none takes what it is
given. While an ``autocast`` is on in some thread, ``float32.special`` is True, so that operations look here;
otherwise they pay for nothing but the look at that attribute.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar

from genesis._dtypes import bfloat16, dtype, float16, float32, float64, promote_types
from genesis.autograd.grad_mode import state as recording
from genesis.autograd.graph import TensorCore

F = TypeVar("F", bound=Callable[..., Any])


class _State(threading.local):
    """What this thread has set, by kind of device."""

    def __init__(self) -> None:
        self.enabled: dict[str, bool] = {}
        self.dtypes: dict[str, dtype] = {"cpu": bfloat16, "cuda": float16}
        self.cache_enabled = True
        self.nesting = 0
        #: of a leaf by its id: itself, the version of its memory, whether operations were recorded, the copy
        self.cache: dict[tuple[int, dtype], tuple[Any, int, bool, Any]] = {}


state = _State()
_lock = threading.Lock()
_count = 0  # of kinds of devices in all threads for which one is on


def set_enabled(kind: str, enabled: bool) -> None:
    """Switch it on or off for this thread and kind of device."""
    global _count
    if state.enabled.get(kind, False) != enabled:
        state.enabled[kind] = enabled
        with _lock:
            _count += 1 if enabled else -1
            float32.special = _count > 0


@contextmanager
def off(kind: str) -> Iterator[None]:
    """Inside an operation nothing is cast any more."""
    state.enabled[kind] = False
    try:
        yield
    finally:
        state.enabled[kind] = True


def settings() -> tuple[dict[str, bool], dict[str, dtype], bool]:
    """What this thread has set, for ``restored``."""
    return {k: on for k, on in state.enabled.items() if on}, dict(state.dtypes), state.cache_enabled


@contextmanager
def restored(found: tuple[dict[str, bool], dict[str, dtype], bool]) -> Iterator[None]:
    """As it was when ``settings`` was asked: for a forward pass that is run again."""
    before = settings()
    if before == found:
        yield
        return

    def put(wanted: tuple[dict[str, bool], dict[str, dtype], bool]) -> None:
        for kind in {*state.enabled, *wanted[0]}:
            set_enabled(kind, wanted[0].get(kind, False))
        state.dtypes, state.cache_enabled = dict(wanted[1]), wanted[2]

    put(found)
    state.nesting += 1
    try:
        yield
    finally:
        state.nesting -= 1
        if not state.nesting:
            state.cache.clear()
        put(before)


# -- lists -------------------------------------------------------------------------------------------------
#: half precision, float32, the widest type among the inputs, or whatever is given, inside of it as well
LOWER, FULL, WIDEST, AS_GIVEN = "lower", "full", "widest", "as given"

_PRODUCTS = ("attention", "conv_transpose", "convolution", "linear", "linear_relu", "lstm", "rnn")

#: of operations with kernels of their own; names that differ in several dimensions are decided where they are
OPERATIONS: dict[str, dict[str, str]] = {
    "cpu": {
        **dict.fromkeys(_PRODUCTS, LOWER),
        **dict.fromkeys(("cross_entropy", "ctc_loss", "gru", "nll_loss"), FULL),
    },
    "cuda": {
        **dict.fromkeys((*_PRODUCTS, "gru"), LOWER),
        **dict.fromkeys(
            ("cross_entropy", "group_norm", "layer_norm", "log_softmax", "nll_loss", "rms_norm", "softmax"),
            FULL,
        ),
    },
}


# -- casts -------------------------------------------------------------------------------------------------
def _kind_of(values: Any) -> str:
    """The kind of device of the first tensor, or nothing."""
    for v in values:
        if isinstance(v, TensorCore):
            return str(v._view.buffer.device.type)
        if isinstance(v, list | tuple):
            found = _kind_of(v)
            if found:
                return found
    return ""


def _eligible(x: Any, kind: str) -> bool:
    if not isinstance(x, TensorCore):
        return False
    view = x._view
    return view.dtype.is_floating_point and view.dtype is not float64 and view.buffer.device.type == kind


def _cast(x: Any, to: dtype, kind: str) -> Any:
    if isinstance(x, list | tuple) and not hasattr(x, "_fields"):
        return type(x)([_cast(v, to, kind) for v in x])
    if not _eligible(x, kind) or x._view.dtype is to:
        return x
    # a parameter is converted once, however often it is used until the outermost autocast ends
    if not (
        state.cache_enabled
        and x._view.dtype is float32
        and to is state.dtypes.get(kind)
        and x._tracked
        and x._node is None
        and x._base is None
    ):
        return x.to(to)
    key = (id(x), to)
    known = state.cache.get(key)
    version = x._view.buffer.version
    if known is not None and known[0] is x and known[1:3] == (version, recording.enabled):
        return known[3]
    made = x.to(to)
    state.cache[key] = (x, version, recording.enabled, made)
    return made


def _widest(values: Any, kind: str, best: dtype | None = None) -> dtype | None:
    for v in values:
        if isinstance(v, list | tuple):
            best = _widest(v, kind, best)
        elif _eligible(v, kind):
            best = v._view.dtype if best is None else promote_types(best, v._view.dtype)
    return best


def converted(policy: str, kind: str, values: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """The arguments as a list says."""
    to: dtype | None = float32
    if policy == LOWER:
        to = state.dtypes[kind]
    elif policy == WIDEST:
        to = _widest((*values, *options.values()), kind)
    if to is None:
        return values, options
    return (
        tuple([_cast(v, to, kind) for v in values]),
        {name: _cast(v, to, kind) for name, v in options.items()},
    )


def lowered(*tensors: Any) -> tuple[Any, ...]:
    """Tensors in half precision, where an autocast is on for them; they are special already."""
    kind = _kind_of(tensors)
    if not state.enabled.get(kind):
        return tensors
    return tuple([_cast(t, state.dtypes[kind], kind) for t in tensors])


def casts(x: Any) -> bool:
    """True where an autocast is on for a tensor: types that differ are no mistake then."""
    return x._view.dtype.special and state.enabled.get(x._view.buffer.device.type, False)


def policy_of(name: str, args: tuple[Any, ...]) -> tuple[str, str | None] | None:
    """The kind of device and the list of an operation; None where no autocast is on for its tensors."""
    if not state.enabled:
        return None
    kind = _kind_of(args)
    if not state.enabled.get(kind):
        return None
    return kind, OPERATIONS.get(kind, {}).get(name)


def listed(cpu: str | None = None, cuda: str | None = None) -> Callable[[F], F]:
    """Decorator for a function that is in a list."""
    lists = {"cpu": cpu, "cuda": cuda}

    def declare(function: F) -> F:
        @wraps(function)
        def run(*args: Any, **options: Any) -> Any:
            if not float32.special or not state.enabled:
                return function(*args, **options)
            kind = _kind_of((*args, *options.values()))
            policy = lists.get(kind)
            if policy is None or not state.enabled.get(kind):
                return function(*args, **options)
            if policy != AS_GIVEN:
                args, options = converted(policy, kind, args, options)
            with off(kind):
                return function(*args, **options)

        return run  # type: ignore[return-value]

    return declare


#: elementwise operations that take halves as float32 under an autocast for ``cuda``
_FULL_ON_CUDA = frozenset(
    ("acos", "asin", "cosh", "erfinv", "exp", "expm1", "log", "log10", "log2", "log1p", "pow", "reciprocal",
     "rsqrt", "sinh", "softplus", "tan")
)  # fmt: skip


def full_on_cuda(name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The operands of an elementwise operation or a sum, halves as float32 where the list says so."""
    if state.enabled.get("cuda") and (name in _FULL_ON_CUDA or name == "sum"):
        return tuple([_cast(a, float32, "cuda") for a in args])
    return args


in_full = listed(cpu=FULL, cuda=FULL)
in_full_on_cpu = listed(cpu=FULL)
in_full_on_cuda = listed(cuda=FULL)
in_widest_on_cuda = listed(cuda=WIDEST)
