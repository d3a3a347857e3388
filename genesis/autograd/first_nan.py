"""Who made the first nan or infinity: every result of every device is looked at, forward and backward."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from genesis import _device
from genesis.autograd.graph import GraphError
from genesis.backend.dispatch import kernel
from genesis.backend.view import View

_OWN = str(Path(__file__).parents[1])
#: what writes a result: the place of the result among its arguments, and what it is called
_METHODS = {"map": 1, "reduce": 1, "matmul": 0, "gather": 0, "scatter": 1, "scan": 1, "join": 0}

_lock = threading.Lock()
_open: list[bool] = []  # for each context: whether infinities count, too


def watch(on: bool, inf: bool) -> None:
    """Begin or end to look at results, in all threads; what began with ``inf`` has to end with it."""
    with _lock:
        _open.append(inf) if on else _open.remove(inf)
        _device._watch[:] = [partial(Watched, inf=any(_open))] if _open else []
        known = _device._known.values()
        for name, backend in list(_device._backends.items()):
            real: Any = backend.real if isinstance(backend, Watched) else backend
            wanted: Any = Watched(real, any(_open)) if _open else real
            _device._backends[name] = wanted
            for place in known:
                if place._backend is backend:
                    place._backend = wanted


class Watched:
    """A device's backend whose results are looked at; it takes no short cuts."""

    real: Any
    inf: bool
    _table: _Kernels

    def __init__(self, real: Any, inf: bool) -> None:
        self.__dict__.update(real=real, inf=inf, _table=_Kernels(real, inf))

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.real, name)
        return _method(self, name, found) if name in _METHODS else found

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.real, name, value)

    def prepare_map(self, *args: Any) -> None:
        """No short cut."""

    prepare_walk = prepare_map


class _Kernels(dict[str, Any]):
    """The table of a device's kernels, each of which is looked at."""

    def __init__(self, real: Any, inf: bool) -> None:
        super().__init__()
        self._real, self._inf = real, inf

    def __missing__(self, name: str) -> Any:
        function = kernel(self._real, name)
        self[name] = None if function is None else self._checked(name, function)
        return self[name]

    def _checked(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(backend: Any, *args: Any, **options: Any) -> Any:
            given = list(_views(args))
            known = any(_bad(self._real, view, self._inf) for view in given)
            result = function(self._real, *args, **options)
            if not known and result is not NotImplemented:
                _look(self._real, name, [*_views((result,)), *given], self._inf)
            return result

        return run


def _method(backend: Watched, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    real, inf = backend.real, backend.inf

    def run(*args: Any) -> Any:
        out = args[_METHODS[name]]
        inputs = (*args[: _METHODS[name]], *args[_METHODS[name] + 1 :])
        known = any(_bad(real, view, inf) for view in _views(inputs))
        if name == "scatter":  # it adds to what is there
            known = known or _bad(real, out, inf)
        function(*args)
        if not known:
            _look(real, str(args[0]) if isinstance(args[0], str) else _formula(name, args[0]), [out], inf)

    return run


def _formula(name: str, first: Any) -> str:
    return getattr(first, "name", name) if name == "map" else name


def _views(values: Iterable[Any]) -> Iterator[View]:
    for value in values:
        if isinstance(value, View):
            yield value
        elif isinstance(value, tuple | list):
            yield from _views(value)


def _bad(real: Any, view: View, inf: bool) -> bool:
    return view.dtype.is_floating_point and bool(_where(real, view, inf).any())


def _where(real: Any, view: View, inf: bool) -> np.ndarray[Any, Any]:
    numbers = np.asarray(real.read(view))
    bad: np.ndarray[Any, Any] = ~np.isfinite(numbers) if inf else np.isnan(numbers)
    return bad


def _look(real: Any, name: str, results: list[View], inf: bool) -> None:
    for view in results:
        if _bad(real, view, inf):
            where = _where(real, view, inf)
            value = np.asarray(real.read(view))[where].flat[0]
            first = tuple(int(i) for i in np.argwhere(where)[0]) if where.ndim else ()
            raise GraphError(
                f"the operation {name!r} made the first {value}: {int(where.sum())} of {where.size} elements "
                f"of its result of shape {view.shape}, the first at {first}; called from {_caller()}"
            )


def _caller() -> str:
    """The line of the user's that led here."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        module = frame.f_globals.get("__name__", "").partition(".")[0]
        if not frame.f_code.co_filename.startswith(_OWN) and not module.startswith("genesis_"):
            break
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}, in {frame.f_code.co_name}"
