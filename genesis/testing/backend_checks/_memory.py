"""Checks of ``allocate``, ``write``, ``read``, and of how long memory lives."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from functools import partial

import numpy as np

from genesis.backend import arg, call
from genesis.testing._check import Question
from genesis.testing.backend_checks._agree import agree
from genesis.testing.backend_checks._bench import DTYPES, LAYOUTS, Bench, ignored
from genesis.testing.backend_checks._map import LARGE
from genesis.testing.backend_checks._names import ordinary


def questions(bench: Bench) -> Iterator[Question]:
    for dtype in DTYPES:
        yield f"memory/write and read/{dtype}", partial(write_and_read, bench, dtype)
    for layout in LAYOUTS:
        if layout != "contiguous":
            yield f"memory/read/{layout}", partial(read_layout, bench, layout)
            yield f"memory/write/{layout}", partial(write_layout, bench, layout)
    yield "memory/read is a copy", partial(read_is_a_copy, bench)
    yield "memory/write is a copy", partial(write_is_a_copy, bench)
    yield "memory/write any host array", partial(write_any_array, bench)
    yield "memory/allocate nothing", partial(allocate_nothing, bench)
    yield "memory/allocations are separate", partial(separate, bench)
    yield "memory/lives as long as a view", partial(lives, bench)
    yield "memory/is let go", partial(is_let_go, bench)
    yield "memory/host memory", partial(host_memory, bench)
    yield "threads", partial(threads, bench)


def write_and_read(bench: Bench, dtype: str) -> None:
    for shape in ((4, 6), (LARGE,), (1,), (), (0,), (3, 0)):
        x = ordinary(shape, dtype)
        agree(bench.read(bench.put(x)), x, f"read what was written, {dtype} {shape}")
    edge = {
        "b": [True, False],
        "f": [np.nan, np.inf, -0.0, 1e-42, 3e38],
        "i": [0, 0]
        if dtype in ("bool", "float32", "float64")
        else [np.iinfo(dtype).min, np.iinfo(dtype).max],
    }
    kind = np.dtype(dtype).kind
    x = np.array(edge["i" if kind == "u" else kind], dtype)
    agree(bench.read(bench.put(x)), x, f"read what was written, {dtype} at the edges", signed_zeros=True)


def read_layout(bench: Bench, layout: str) -> None:
    for dtype in ("float32", "int16"):
        x = ordinary((14, 9), dtype)
        place = bench.place(x, layout)
        agree(
            bench.read(place.view), x,
            f"read {dtype} of layout {layout!r} ({LAYOUTS[layout].meaning}: {place.view!r})",
            guesses={ignored(place.view, "input"): place.misread()},
        )  # fmt: skip
    got = bench.read(bench.put(np.arange(3.0)).unsqueeze(0).expand((2, 3)))
    agree(got, np.array([[0.0, 1, 2], [0, 1, 2]]), "read a view of shape (2, 3) with strides (0, 1)")
    third = bench.put(np.arange(5.0)).select(0, 3)
    agree(
        bench.read(third), np.array(3.0), "read element 3, a view without axes and with an offset",
        guesses={ignored(third, "input"): np.array(0.0)},
    )  # fmt: skip


def write_layout(bench: Bench, layout: str) -> None:
    for dtype in ("float32", "int16"):
        x = ordinary((14, 9), dtype)
        place = bench.place(np.full_like(x, 77), layout)
        bench.backend.write(place.view, x)
        meaning = LAYOUTS[layout].meaning
        place.expect(x, f"write {dtype} into layout {layout!r} ({meaning}: {place.view!r})")


def read_is_a_copy(bench: Bench) -> None:
    view = bench.put(np.arange(6.0))
    host = bench.read(view)
    if not (host.flags.c_contiguous and host.flags.writeable):
        raise AssertionError(
            f"read must return a fresh row-major array that can be written to, got {host.flags}"
        )
    host[...] = -1
    agree(
        bench.read(view), np.arange(6.0), "read, after an earlier result of read was written to",
        advice="read returned the memory of the device itself, or of an earlier result; it must copy",
    )  # fmt: skip


def write_is_a_copy(bench: Bench) -> None:
    host = np.arange(1000.0)
    view = bench.put(host)
    bench.backend.write(view, host)
    host[...] = -1
    agree(
        bench.read(view), np.arange(1000.0), "read, after the array that was written has changed",
        advice="write must have taken its copy when it returns",
    )  # fmt: skip


def write_any_array(bench: Bench) -> None:
    base = np.arange(48.0).reshape(6, 8)
    for name, host in (
        ("transposed", base.T),
        ("stepped", base[::2, ::-1]),
        ("broadcast", np.broadcast_to(1.5, (3, 4))),
    ):
        view = bench.empty(host.shape, "float64")
        bench.backend.write(view, host)
        agree(
            bench.read(view), np.ascontiguousarray(host), f"write a {name} host array, with strides "
            f"{host.strides}",
            advice="the host array need not be contiguous: np.ascontiguousarray makes it so",
        )  # fmt: skip


def allocate_nothing(bench: Bench) -> None:
    handles = [bench.backend.allocate(0, bench.index) for _ in range(3)]
    del handles
    for shape in ((0,), (0, 3), (2, 0)):
        view = bench.empty(shape, "float32")
        bench.backend.write(view, np.empty(shape, "float32"))
        agree(bench.read(view), np.empty(shape, "float32"), f"read and write of shape {shape}")


def separate(bench: Bench) -> None:
    hosts = [np.full(n, i, "float32") for i, n in enumerate((1, 3, 17, 100, 4096, 1, 1, 5))]
    views = [bench.put(x) for x in hosts]
    for i, (view, host) in enumerate(zip(views, hosts, strict=True)):
        agree(
            bench.read(view), host, f"memory number {i} of {len(hosts)}, after all others were written",
            advice="two allocations share memory",
        )  # fmt: skip


def lives(bench: Bench) -> None:
    view = bench.put(np.arange(LARGE, dtype="float32")).narrow(0, 5, 10)
    gc.collect()
    others = [bench.put(np.full(LARGE, -1, "float32")) for _ in range(5)]
    agree(
        bench.read(view), np.arange(5, 15, dtype="float32"),
        "a part of an array of which only this view is left, after new allocations",
        advice="memory may be given back only when the Buffer that every view refers to is gone",
    )  # fmt: skip
    del others


def is_let_go(bench: Bench) -> None:
    x, y = bench.put(ordinary((64, 64), "float32")), bench.put(ordinary((64, 64), "float32", 1))
    out, total, row = (
        bench.empty((64, 64), "float32"),
        bench.empty((1, 64), "float32"),
        bench.put(np.zeros((1, 64), int)),
    )
    bench.map(arg(0) + arg(1), out, x, y.permute((1, 0)))
    bench.backend.reduce("sum", total, out)
    bench.backend.matmul(out, x, y)
    bench.backend.gather(total, x, row, 0)
    bench.backend.scatter("add", out, row, total, 0)
    bench.read(out)
    bench.backend.synchronize()
    names = {"x0 of map": x, "x1 of map": y, "an output": out, "the result of reduce": total, "an index": row}
    refs = {name: weakref.ref(view.buffer) for name, view in names.items()}
    del x, y, out, total, row, names
    gc.collect()
    kept = [name for name, ref in refs.items() if ref() is not None]
    if kept:
        raise AssertionError(
            f"the memory of {', '.join(kept)} is never given back: something still refers to its Buffer "
            "after all views are gone. A cache must not hold views; what belongs to one view can lie in "
            "view.native"
        )


def host_memory(bench: Bench) -> None:
    base = np.arange(24.0).reshape(4, 6)
    for host in (base, base[::-1, ::2], base.T):
        view = bench.backend.from_numpy(host, bench.device)
        if view is None:
            continue
        text = "from_numpy must either give a view of the array's own memory, whatever its strides, or None"
        agree(bench.read(view), host, f"from_numpy of an array with strides {host.strides}", advice=text)
        bench.map(call("neg", arg(0)), view, view)
        agree(bench.read(view), host, "the array of from_numpy, after its view was changed", advice=text)
        shared = bench.backend.as_numpy(view)
        if shared is not None and not np.shares_memory(shared, host):
            raise AssertionError("as_numpy gave a copy; it must give the memory of the view itself, or None")
    frozen = np.arange(3.0)
    frozen.flags.writeable = False
    if bench.backend.from_numpy(frozen, bench.device) is not None:
        raise AssertionError(
            "from_numpy took an array that is read-only; it must return None, so that it is copied"
        )
    for layout in LAYOUTS:
        place = bench.place(ordinary((5, 7), "float32"), layout)
        seen = bench.backend.look(place.view)
        if seen is not None:
            agree(seen, ordinary((5, 7), "float32"), f"look at layout {layout!r}")
        shared = bench.backend.as_numpy(place.view)
        if shared is None:
            continue
        agree(shared, ordinary((5, 7), "float32"), f"as_numpy of layout {layout!r}")
        shared[...] = 5
        agree(
            bench.read(place.view), np.full((5, 7), 5, "float32"), f"the view, after as_numpy of layout "
            f"{layout!r} was written to", advice="as_numpy gave a copy; it must give the memory itself, or "
            "None",
        )  # fmt: skip


def threads(bench: Bench) -> None:
    wrong: list[BaseException] = []

    def work(seed: int) -> None:
        try:
            for turn in range(6):
                x = ordinary((37, 41), "float32", seed * 10 + turn)
                view, out, total = (
                    bench.put(x),
                    bench.empty((37, 41), "float32"),
                    bench.empty((37, 1), "float32"),
                )
                bench.map(arg(0) * arg(0), out, view)
                agree(bench.read(out), x * x, f"map x0 * x0 in thread {seed}, while others work too")
                bench.backend.reduce("max", total, view)
                agree(
                    bench.read(total),
                    x.max(1, keepdims=True),
                    f"reduce max in thread {seed}, while others work too",
                )
        except BaseException as error:
            wrong.append(error)

    several = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in several:
        thread.start()
    for thread in several:
        thread.join()
    if wrong:
        raise AssertionError(
            f"calls from several threads disturb each other: {wrong[0]}\n  -> put a lock around what they "
            "share, such as kernel objects that keep their arguments, staging memory and caches"
        ) from wrong[0]
