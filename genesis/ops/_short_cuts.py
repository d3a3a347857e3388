"""Short cuts of elementwise operations: floating tensors of one type and shape without gaps, and numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from genesis._dtypes import dtype
from genesis.autograd.grad_mode import state
from genesis.autograd.graph import PLAIN, TensorCore
from genesis.backend.expr import Expr
from genesis.backend.view import View

_KEPT = 1024  # short cuts for shapes; a program whose shapes never repeat must not grow
_EXACT = 1 << 24  # whole numbers below this are the same in every floating type


class ShortCuts:
    """What an operation knows of its short cuts; this is the price of small operations."""

    def __init__(self) -> None:
        #: by types and backend: what makes the result; the expression that is written in place
        self._quick: dict[tuple[Any, ...], Callable[..., View]] = {}
        self._quick_maps: dict[tuple[Any, ...], Expr] = {}
        #: by types, shapes, strides and backend, for operands that are not all of one shape without gaps
        self._walks: dict[tuple[Any, ...], Callable[..., View] | None] = {}
        #: the type, the backend and the function that were last used for tensors alone
        self._last: tuple[Any, Any, Any] = (None, None, None)

    def _quick_view(self, args: tuple[Any, ...]) -> View | None:
        """The result of the short cut for any order and number of operands, or None."""
        kinds: list[Any] = []
        operands: list[Any] = []
        first: View | None = None
        for a in args:
            kind = type(a)
            if kind in PLAIN:
                v = a._view
                if first is None:
                    first = v
                elif v.shape != first.shape or v.buffer.device is not first.buffer.device:
                    return None
                if not v.contiguous:
                    return None
                kinds.append(v.dtype)
                operands.append(v)
            elif kind is float or (kind is int and -_EXACT < a < _EXACT):
                kinds.append(float)
                operands.append(float(a))
            else:
                return None
        if first is None:
            return None
        device = first.buffer.device
        run = self._quick.get((*kinds, device._backend))
        return None if run is None else run(device, first.shape, *operands)

    def _walked_view(self, args: tuple[Any, ...]) -> View | None:
        """The result of the short cut for tensors on one device and numbers, or None."""
        key: list[Any] = []
        operands: list[Any] = []
        device: Any = None
        for a in args:
            kind = type(a)
            if kind in PLAIN:
                v = a._view
                if device is None:
                    device = v.buffer.device
                elif v.buffer.device is not device:
                    return None
                key += (v.dtype, v.shape, v.strides)
                operands.append(v)
            elif kind is float:
                key.append(float)
                operands.append(a)
            else:
                return None
        if device is None:
            return None
        run = self._walks.get((*key, device._backend))
        return None if run is None else run(device, *operands)

    def _learn_walk(
        self, plan: tuple[Expr, dtype], args: tuple[Any, ...], shape: tuple[int, ...], backend: Any
    ) -> None:
        """The same for operands of these shapes and strides: floating tensors of the result's type."""
        key: list[Any] = []
        layouts: list[Any] = []
        for a in args:
            if type(a) in PLAIN and a._view.dtype is plan[1] and plan[1].is_floating_point:
                v = a._view
                key += (v.dtype, v.shape, v.strides)
                layouts.append((v.dtype, v.expand(shape).strides))
            elif type(a) is float:
                key.append(float)
                layouts.append(float)
            else:
                return
        key.append(backend)
        if tuple(key) not in self._walks:
            if len(self._walks) >= _KEPT:
                self._walks.clear()
            self._walks[tuple(key)] = backend.prepare_walk(*plan, shape, tuple(layouts))

    def _quick_into(self, target: Any, args: tuple[Any, ...]) -> bool:
        """``into`` by a short cut: tensors of the type and shape of ``target``, nothing to record."""
        if type(target) not in PLAIN:
            return False
        out: View = target._view
        recorded = state.enabled
        if not (out._contiguous or out.contiguous) or (recorded and not _apart(target)):
            return False
        buffer = out.buffer
        device = buffer.device
        kinds: list[Any] = []
        operands: list[Any] = []
        for a in args:
            kind = type(a)
            if kind in PLAIN:
                v = a._view
                if (
                    v.shape != out.shape
                    or v.dtype is not out.dtype
                    or v.buffer.device is not device
                    or not (v._contiguous or v.contiguous)
                    or (v.buffer is buffer and v is not out)
                    or (recorded and not _apart(a))
                ):
                    return False
                kinds.append(v.dtype)
                operands.append(v)
            elif kind is float or (kind is int and -_EXACT < a < _EXACT):
                kinds.append(float)
                operands.append(float(a))
            else:
                return False
        expr = self._quick_maps.get((*kinds, device._backend))
        if expr is None:
            return False
        device._backend.map(expr, out, *operands)
        buffer.version += 1
        return True

    def _learn(self, plan: tuple[Expr, dtype], args: tuple[Any, ...], backend: Any) -> None:
        """Let the device prepare the short cut for such operands, if it is one that is taken."""
        kinds = tuple(
            [
                a._view.dtype if isinstance(a, TensorCore) else float if type(a) is int else type(a)
                for a in args
            ]
        )
        types = {k for k in kinds if k is not float}
        if len(types) == 1 and getattr(types.pop(), "is_floating_point", False):
            if backend.name == "cuda" and plan[1].is_half:
                return  # an autocast may have other plans
            if backend.fuses and plan[1] in kinds:
                self._quick_maps[(*kinds, backend)] = plan[0]
            run = backend.prepare_map(*plan, kinds)
            if run is not None:
                whole = kinds[:1] if kinds[0] is kinds[-1] and len(kinds) == 2 else kinds
                self._quick[(*whole, backend)] = run

    def _short_cut(self, dtype: dtype, backend: Any) -> Callable[..., View] | None:
        """The short cut for tensors of one type, if there is one."""
        run = self._quick.get((dtype, backend))
        if run is not None:
            self._last = (dtype, backend, run)
        return run


def _apart(t: Any) -> bool:
    """True for a tensor that no gradient flows into and that is no view of another."""
    return not t._tracked and t._base is None
