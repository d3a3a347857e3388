"""Short cuts of ``map``: what can be known before the operands is found out once.

Everything here is the price of small operations, so it is written for speed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from genesis import dtype
from genesis.backend import Buffer, Expr, Number, Shape, View
from genesis_cpu import _threads
from genesis_cpu._kernel import ALONE, launch
from genesis_cpu._memory import address, empty, layout
from genesis_cpu.kernels import map

if TYPE_CHECKING:
    from genesis import device

_NOWHERE = Buffer(None, 0, None)


def prepare(expr: Expr, out_type: dtype, kinds: tuple[Any, ...]) -> Callable[..., View]:
    """``Backend.prepare_map``: all that can be known before the operands is found out once."""
    inputs = [View(_NOWHERE, k, (1,), (1,)) if isinstance(k, dtype) else k() for k in kinds]
    plan = map.numpy_plan(expr, inputs)
    weight = map.weigh(expr)
    itemsize = out_type.itemsize
    alone = ALONE / weight  # from so many elements on a second thread pays
    kernel = 0
    half = out_type.is_half or any([isinstance(k, dtype) and k.is_half for k in kinds])
    if half:
        from genesis_cpu.kernels import halves

    def first(device: device, shape: Shape, operands: Sequence[View | Number]) -> View:
        """As long as it is not compiled."""
        nonlocal kernel
        out = empty(shape, out_type, device)
        if half and halves.run(expr, out, operands):
            return out
        if plan is None or not plan.left or out.size >= map.SMALL:
            flat = (expr, out_type, *kinds)
            words = 1 + len(kinds) - kinds.count(float)
            found = map.plan_flat(flat, expr, out, operands, words)
            kernel = found[0]
        map.run(expr, out, operands)
        return out

    def one(device: device, shape: Shape, x: View) -> View:
        if not kernel:
            return first(device, shape, (x,))
        out = empty(shape, out_type, device)
        size, at, x_at = out.buffer.nbytes // itemsize, out.native, x.native
        if size < alone:
            _threads.serial(kernel, size, at[0], address(x) if x_at is None else x_at[0])
        else:
            launch(kernel, size, _threads.get_num_threads(), (at[0], address(x)), views=(out, x))
        return out

    def two(device: device, shape: Shape, x: View, y: View) -> View:
        if not kernel:
            return first(device, shape, (x, y))
        out = empty(shape, out_type, device)
        size, at, x_at, y_at = out.buffer.nbytes // itemsize, out.native, x.native, y.native
        if size < alone:
            _threads.serial(
                kernel, size, at[0],
                address(x) if x_at is None else x_at[0], address(y) if y_at is None else y_at[0],
            )  # fmt: skip
        else:
            words = (at[0], address(x), address(y))
            launch(kernel, size, _threads.get_num_threads(), words, views=(out, x, y))
        return out

    def with_number(device: device, shape: Shape, x: View, number: float) -> View:
        if not kernel:
            return first(device, shape, (x, number))
        out = empty(shape, out_type, device)
        size, at, x_at = out.buffer.nbytes // itemsize, out.native, x.native
        if size < alone:
            _threads.serial(kernel, size, at[0], address(x) if x_at is None else x_at[0], number)
        else:
            launch(kernel, size, _threads.get_num_threads(), (at[0], address(x)), (number,), (out, x))
        return out

    def many(device: device, shape: Shape, *operands: View | Number) -> View:
        if not kernel:
            return first(device, shape, operands)
        out = empty(shape, out_type, device)
        words: list[Any] = [out.native[0]]
        floats: list[Any] = []
        for x in operands:
            if type(x) is View:
                words.append(address(x))
            else:
                floats.append(x)
        size = out.buffer.nbytes // itemsize
        cut = 1 if size < alone else _threads.get_num_threads()
        launch(kernel, size, cut, words, floats, (out, *operands))
        return out

    views = [isinstance(k, dtype) for k in kinds]
    if views == [True]:
        return one
    if views == [True, True]:
        return two
    return with_number if views == [True, False] and kinds[1] is float else many


def prepare_walk(
    expr: Expr, out_type: dtype, shape: Shape, layouts: tuple[Any, ...]
) -> Callable[..., View] | None:
    """``Backend.prepare_walk``."""
    size, _ = layout(shape)
    types = [out_type, *[layout[0] for layout in layouts if layout is not float]]
    if not size or any([t.is_half or t.itemsize < 4 for t in types]) or map.is_shift(expr):
        return None
    # nothing but types, shapes and strides is looked at, so views of nothing stand for the operands
    samples = [
        0.0 if kind is float else View(_NOWHERE, kind[0], shape, kind[1], 0, (1, None)) for kind in layouts
    ]
    numpy = map.numpy_plan(expr, samples) if size < map.SMALL else None
    walk: Any = None

    def plan() -> Any:
        nonlocal walk
        out = View(_NOWHERE, out_type, shape, layout(shape)[1], 0, (0, None))
        walk = map.plan_walk(expr, out, samples, 1 + len(layouts) - layouts.count(float))
        return walk

    def many(device: device, *operands: View | Number) -> View:
        out = empty(shape, out_type, device)
        if walk is None:
            if numpy is not None and numpy.left:
                inputs = [
                    x.like(shape, kind[1]) if isinstance(x, View) else x
                    for x, kind in zip(operands, layouts, strict=True)
                ]
                map.run(expr, out, inputs)
                return out
            plan()
        words = [out.native[0]]
        floats: list[Any] = []
        for x in operands:
            if type(x) is View:
                native = x.native
                words.append(address(x) if native is None else native[0])
            else:
                floats.append(x)
        words += walk.words
        parts = 1 if walk.work < ALONE else min(_threads.get_num_threads(), walk.n)
        launch(walk.kernel, walk.n, parts, words, floats, (out, *operands))
        return out

    def two(device: device, x: View, y: View) -> View:
        if walk is None or walk.work >= ALONE:
            return many(device, x, y)
        out = empty(shape, out_type, device)
        x_at, y_at = x.native, y.native
        _threads.serial(
            walk.kernel, walk.n, out.native[0],
            address(x) if x_at is None else x_at[0], address(y) if y_at is None else y_at[0], *walk.words,
        )  # fmt: skip
        return out

    return two if len(layouts) == 2 and float not in layouts else many
