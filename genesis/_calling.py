"""How public functions may be called: PyTorch's and NumPy's names of arguments, and ``out=``.

The functions of ``genesis.ops`` take their arguments by position, which is what the rest of Genesis does, and
pay nothing for this.  Those that people reach as ``genesis.name`` pass through ``public``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from genesis.autograd.graph import TensorCore, tracked

P = ParamSpec("P")
R = TypeVar("R")

#: NumPy's names -> ours, where the function has no such name itself
_NUMPY = {"axis": "dim", "keepdims": "keepdim", "axes": "dims", "x2": "other"}
_FIRST = ("input", "self", "x", "x1", "a")  # the first argument goes by all of these
#: where the functions are that make new tensors
_MAKERS = tuple(f"genesis.ops.{m}" for m in ("creation", "grids", "random", "windows"))


class Names:
    """The names by which the arguments of ``target`` may be given."""

    def __init__(self, name: str, target: Any) -> None:
        from genesis.ops._elementwise import Elementwise  # they import what is defined here
        from genesis.ops._op import Op

        self.name, self.target = name, target
        self.order: tuple[str, ...] = ()  # names of what only goes by position
        self.spread, self.before = "", 0
        if isinstance(target, Elementwise):
            self.order, self.known = target.names, frozenset[str]()
            first = self.order[0]
        else:
            parameters = inspect.signature(target.composite if isinstance(target, Op) else target).parameters
            self.known = frozenset(
                p.name for p in parameters.values() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
            )
            first = next(iter(parameters), "")
            kinds = [p.kind for p in parameters.values()]
            if inspect.Parameter.VAR_POSITIONAL in kinds:  # zeros(*size) may be given size=
                self.before = kinds.index(inspect.Parameter.VAR_POSITIONAL)
                self.spread = list(parameters)[self.before]
        own = self.known | set(self.order)
        self.renames = {old: new for old, new in _NUMPY.items() if new in own and old not in own}
        if first in _FIRST and (first in own):
            self.renames |= {old: first for old in _FIRST if old not in own}
        open_ = not self.order and any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        self.makes = ("dtype" in own or open_) and getattr(target, "__module__", "") in _MAKERS

    def call(self, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Call it with the names that it knows."""
        out = None if "out" in self.known else named.pop("out", None)
        order, pin = None, False
        for old in [n for n in named if n not in self.known]:
            new = self.renames.get(old)
            if new is not None:
                if new in named:
                    raise TypeError(f"{self.name}() got both {new!r} and {old!r}, which mean the same")
                named[new] = named.pop(old)
            elif old == self.spread and len(args) == self.before:
                args = (*args, named.pop(old))
            elif old == "memory_format" and self.makes:
                order = named.pop(old)
            elif old == "layout" and self.makes:
                _check_layout(self.name, named.pop(old))
            elif old == "pin_memory" and self.makes:
                pin = bool(named.pop(old))
        if self.order:
            args = self._placed(args, named)
        elif out is not None and self.makes and named.get("dtype") is None:
            named["dtype"] = out.dtype
            named.setdefault("device", out.device)
        result = self.target(*args, **named)
        if getattr(order, "name", "").startswith("channels_last"):
            result = result.contiguous(memory_format=order)
        if pin:
            result = _pinned(self.name, result)
        if out is not None and self.name in _APART:
            _check_apart(self.name, args, result, out)
        return result if out is None else write(self.name, result, out)

    def _placed(self, args: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
        for name in self.order[len(args) :]:
            if name not in named:
                raise TypeError(f"{self.name}() is missing the argument {name!r}")
            args = (*args, named.pop(name))
        if named:
            raise TypeError(f"{self.name}() got an unexpected or repeated argument {next(iter(named))!r}")
        return args


def _check_layout(name: str, value: Any) -> None:
    from genesis._dtypes import strided

    if value not in (None, strided):
        raise NotImplementedError(f"{name}: layout={value} is not implemented; tensors are dense")


def _pinned(name: str, made: Any) -> Any:
    from genesis._accelerators import current

    if current() is None:
        raise RuntimeError(f"{name}: pin_memory=True needs an accelerator, and there is none here")
    return made.detach().pin_memory().requires_grad_(made.requires_grad)


#: where PyTorch wants ``out`` of the very type of the result, and in memory of its own
_APART = {"aminmax", "gather", "index_select", "kthvalue", "masked_select", "take"}


def _check_apart(name: str, args: tuple[Any, ...], result: Any, out: Any) -> None:
    from genesis.backend.view import may_overlap, repeats_itself

    read = [a._view for a in args if isinstance(a, TensorCore)]
    results, outs = (x if isinstance(x, tuple | list) else (x,) for x in (result, out))
    for r, o in zip(results, outs, strict=False):
        if not isinstance(o, TensorCore):
            continue  # `write` says so
        if o._view.dtype is not r._view.dtype:
            raise RuntimeError(f"{name}(): expected out of type {r._view.dtype}, got {o._view.dtype}")
        shared = any(may_overlap(v, o._view) or v.same_place(o._view) for v in read)
        if shared or repeats_itself(o._view):
            raise RuntimeError(
                f"{name}(): elements of out share memory with each other or with an input; "
                "give a tensor of its own, or clone() the input"
            )


# how many of the first arguments have to be tensors, where a formula would take numbers and PyTorch does not
_PAIRS = ("atan2", "arctan2", "fmax", "fmin", "hypot", "logaddexp", "logaddexp2", "maximum", "minimum")
_LOGIC = ("logical_and", "logical_or", "logical_xor", "nextafter")
_ORDER = ("eq", "ne", "lt", "le", "gt", "ge", "less", "greater")
_MORE = ("clamp_max", "clamp_min", "copysign", "fmod", "ldexp", "max", "min", "rsub")
_TENSORS = {**dict.fromkeys((*_PAIRS, *_LOGIC), 2), **dict.fromkeys((*_ORDER, *_MORE), 1)}


def _no_tensor(name: str, place: int, value: Any) -> TypeError:
    return TypeError(
        f"{name}(): argument {place + 1} must be a tensor, got {type(value).__name__} {value!r:.40}; "
        "use genesis.tensor(...)"
    )


def public(name: str, target: Any) -> Any:
    """``target`` as people call it: also with PyTorch's and NumPy's names, and with ``out=``."""
    if not callable(target) or isinstance(target, type):
        return target
    names: Names | None = None
    tensors = _TENSORS.get(name, 0)

    def function(*args: Any, **named: Any) -> Any:
        if tensors:
            for i, a in enumerate(args[:tensors]):
                if isinstance(a, int | float):
                    raise _no_tensor(name, i, a)
        try:
            if named:
                nonlocal names
                if names is None:
                    names = Names(name, target)
                if not names.known.issuperset(named):
                    return names.call(args, named)
            return target(*args, **named)
        except AttributeError as error:
            for i, a in enumerate(args):
                if a is error.obj and not isinstance(a, TensorCore):
                    raise _no_tensor(name, i, a) from error
            raise

    function.__name__ = function.__qualname__ = name
    function.__doc__, function.__module__ = target.__doc__, "genesis"
    function.__wrapped__ = target  # type: ignore[attr-defined] # inspect.signature looks here
    return function


def method(function: Callable[P, R]) -> Callable[P, R]:
    """A method that also takes NumPy's names of arguments."""
    return public(function.__name__, function)  # type: ignore[no-any-return]


def with_numpy_names(cls: type) -> None:
    """Let those methods of a class that have ``dim`` or ``keepdim`` also take ``axis`` and ``keepdims``."""
    for name, function in list(vars(cls).items()):
        code = getattr(function, "__code__", None)
        if code is None or name.startswith("_") or hasattr(function, "__wrapped__"):
            continue
        count = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & inspect.CO_VARARGS)
        if {"dim", "keepdim", "dims"}.intersection(code.co_varnames[:count]):
            setattr(cls, name, method(function))


def write(name: str, result: Any, out: Any) -> Any:
    """Put a result into the tensor that was given as ``out``, which gets its shape; returns ``out``.

    Raises:
        TypeError: ``out`` is no tensor, or not one for each result.
        RuntimeError: gradients are recorded, or the types or devices do not fit.
    """
    if isinstance(result, tuple):
        if not isinstance(out, tuple | list) or len(out) != len(result):
            raise TypeError(f"{name}(): out must be a tuple of {len(result)} tensors")
        parts = [write(name, r, o) for r, o in zip(result, out, strict=True)]
        return type(result)(*parts) if hasattr(result, "_fields") else tuple(parts)
    if not isinstance(out, TensorCore):
        raise TypeError(f"{name}(): argument 'out' must be a tensor, not {type(out).__name__}")
    if tracked(result) or tracked(out):
        raise RuntimeError(
            f"{name}(): functions with out=... don't support automatic differentiation, but one of the "
            "arguments requires grad"
        )
    from genesis._dtypes import can_cast

    have, want = result._view, out._view
    if not can_cast(have.dtype, want.dtype):
        raise RuntimeError(f"result type {have.dtype} can't be cast to the desired output type {want.dtype}")
    if have.buffer.device is not want.buffer.device:
        raise RuntimeError(f"{name}(): expected out on {have.buffer.device}, got {want.buffer.device}")
    if have.shape == want.shape:
        out.copy_(result)  # type: ignore[attr-defined]
        return out
    if want.size:
        import warnings

        warnings.warn(
            f"an output with one or more elements was resized since its shape {want.shape} does not "
            f"match the required output shape {have.shape}",
            UserWarning,
            stacklevel=4,
        )
    out._view = result.to(want.dtype).clone()._view
    return out
