"""What a communicator is asked, by all processes together: each knows what the others have."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from genesis.testing.communicator_checks import _messages, _tensors
from genesis.testing.communicator_checks._values import OPS, SIZES, TYPES, dtype, exact, folded, of, same

Ask = Callable[..., None]


# -- who is who ----------------------------------------------------------------------------------------------
def loads(s: Any) -> None:
    assert s.size > 1, f"it was opened by several processes, and has the size {s.size}"
    assert 0 <= s.rank < s.size, f"rank {s.rank} of {s.size}"


def ranks(s: Any) -> None:
    out = s.empty(s.size, np.int64)
    s.c.all_gather(out, s.array(np.array([s.rank])))
    exact(s.read(out), np.arange(s.size), "the ranks, by all_gather")


# -- one operation -------------------------------------------------------------------------------------------
def all_reduce(s: Any, op: str, name: str, count: int = 17) -> None:
    array = s.array(of(s.rank, count, name))
    assert s.c.all_reduce(array, op) is None, "all_reduce works in place and returns nothing"
    same(s.read(array), folded(s, op, count, name), f"{op} of {count} {name}")


def all_reduce_same(s: Any) -> None:
    """Models that are trained together stay the same only if the sums are, in every bit."""
    values = np.random.default_rng(s.rank).standard_normal(10_007).astype(np.float32)
    array = s.array(values)
    s.c.all_reduce(array, "sum")
    out = s.empty(10_007 * s.size, np.float32)
    s.c.all_gather(out, array)
    first = s.read(out)[:10_007]
    for r in range(s.size):
        exact(s.read(out)[10_007 * r : 10_007 * (r + 1)], first, f"the sum in rank {r} beside that in rank 0")


def all_reduce_nan(s: Any) -> None:
    values = np.array([1.0, np.inf, 2.0], np.float32)
    if s.rank == 1:
        values[0] = np.nan
    array = s.array(values)
    s.c.all_reduce(array, "sum")
    got = s.read(array)
    expected = np.array([np.nan, np.inf, 2 * s.size], np.float32)
    assert np.array_equal(got, expected, equal_nan=True), f"NaN, inf and 2 give {got}"


def broadcast(s: Any, name: str, count: int = 17) -> None:
    for root in range(s.size):
        array = s.array(of(s.rank, count, name))
        s.c.broadcast(array, root)
        exact(s.read(array), of(root, count, name), f"{count} {name} of rank {root}")


def all_gather(s: Any, name: str, count: int = 17) -> None:
    mine, out = s.array(of(s.rank, count, name)), s.empty(count * s.size, dtype(name))
    s.c.all_gather(out, mine)
    exact(s.read(out), np.concatenate([of(r, count, name) for r in range(s.size)]), f"{count} {name} of each")
    exact(s.read(mine), of(s.rank, count, name), "the array that was given")


def reduce_to(s: Any, op: str, name: str, count: int = 17) -> None:
    for root in range(s.size):
        array = s.array(of(s.rank, count, name))
        s.c.reduce(array, op, root)
        expected = folded(s, op, count, name) if s.rank == root else of(s.rank, count, name)
        same(s.read(array), expected, f"{op} of {count} {name} to rank {root}")


def reduce_scatter(s: Any, op: str, name: str, count: int = 17) -> None:
    mine, out = s.array(of(s.rank, count * s.size, name)), s.empty(count, dtype(name))
    s.c.reduce_scatter(out, mine, op)
    expected = folded(s, op, count * s.size, name)[count * s.rank : count * (s.rank + 1)]
    same(s.read(out), expected, f"{op} of {count} {name} for each")
    exact(s.read(mine), of(s.rank, count * s.size, name), "the array that was given")


def gather(s: Any, name: str, count: int = 17) -> None:
    for root in range(s.size):
        mine = s.array(of(s.rank, count, name))
        out = s.empty(count * s.size, dtype(name)) if s.rank == root else None
        s.c.gather(out, mine, root)
        if out is not None:
            expected = np.concatenate([of(r, count, name) for r in range(s.size)])
            exact(s.read(out), expected, f"{count} {name} of each, to rank {root}")


def scatter(s: Any, name: str, count: int = 17) -> None:
    for root in range(s.size):
        source = s.array(of(root, count * s.size, name)) if s.rank == root else None
        out = s.empty(count, dtype(name))
        s.c.scatter(out, source, root)
        expected = of(root, count * s.size, name)[count * s.rank : count * (s.rank + 1)]
        exact(s.read(out), expected, f"{count} {name} for each, from rank {root}")


def all_to_all(s: Any, name: str, lengths: Callable[[int, int], int]) -> None:
    sent = [lengths(s.rank, r) for r in range(s.size)]
    received = [lengths(r, s.rank) for r in range(s.size)]
    mine = s.array(of(s.rank, sum(sent), name))
    out = s.empty(sum(received), dtype(name))
    s.c.all_to_all(out, mine, received, sent)
    expected = [np.empty(0, dtype(name))]
    for r in range(s.size):
        row = [lengths(r, to) for to in range(s.size)]
        start = sum(row[: s.rank])
        expected.append(of(r, sum(row), name)[start : start + row[s.rank]])
    exact(s.read(out), np.concatenate(expected), f"{received} elements from the others")
    exact(s.read(mine), of(s.rank, sum(sent), name), "the array that was given")


def neighbours(s: Any) -> None:
    """Arrays are often parts of larger ones."""
    for op in ("sum", None):
        large = s.array(np.full(40, 5.0, np.float32))
        if op is None:
            s.c.broadcast(large[10:23], 0)
        else:
            s.c.all_reduce(large[10:23], op)
        got = s.read(large)
        beside = np.concatenate([got[:10], got[23:]])
        assert (beside == 5).all(), "what lies beside the array was overwritten"
        assert (got[10:23] == got[10]).all()
        assert got[10] in (5, 5 * s.size)


def _table() -> dict[str, Ask]:
    found: dict[str, Ask] = {"loads": loads, "ranks": ranks}
    for name in TYPES:
        whole = name in ("bool",) or name[0] in "iu"
        for op in OPS:
            if whole or op[0] != "b":
                found[f"all_reduce/{op}/{name}"] = partial(all_reduce, op=op, name=name)
    found["all_reduce/same"] = all_reduce_same
    found["all_reduce/nan"] = all_reduce_nan
    for name in TYPES:
        for kind, ask in (("broadcast", broadcast), ("all_gather", all_gather)):
            found[f"{kind}/{name}"] = partial(ask, name=name)
    for name in ("bool", "int16", "float16", "bfloat16", "float32"):
        for kind, ask in (("gather", gather), ("scatter", scatter)):
            found[f"{kind}/{name}"] = partial(ask, name=name)
        for op in ("sum", "max"):
            found[f"reduce/{op}/{name}"] = partial(reduce_to, op=op, name=name)
            found[f"reduce_scatter/{op}/{name}"] = partial(reduce_scatter, op=op, name=name)
        found[f"all_to_all/equal/{name}"] = partial(all_to_all, name=name, lengths=lambda a, b: 4)
    found["reduce/bor/int32"] = partial(reduce_to, op="bor", name="int32")
    found["reduce_scatter/bor/int32"] = partial(reduce_scatter, op="bor", name="int32")
    found["all_to_all/unequal"] = partial(all_to_all, name="float32", lengths=lambda a, b: 2 * a + b)
    found["all_to_all/none"] = partial(all_to_all, name="float32", lengths=lambda a, b: 0)
    for count in SIZES:
        found[f"all_reduce/{count}"] = partial(all_reduce, op="sum", name="float32", count=count)
        for kind, ask in (
            ("broadcast", broadcast), ("all_gather", all_gather), ("gather", gather), ("scatter", scatter),
        ):  # fmt: skip
            found[f"{kind}/{count}"] = partial(ask, name="float32", count=count)
        found[f"reduce/{count}"] = partial(reduce_to, op="sum", name="float32", count=count)
        found[f"reduce_scatter/{count}"] = partial(reduce_scatter, op="sum", name="float32", count=count)
    for count in SIZES[:-1]:
        found[f"messages/{count}"] = partial(_messages.messages, name="float32", count=count)
    for name in TYPES:
        found[f"messages/{name}"] = partial(_messages.messages, name=name, count=17)
    found |= {
        "memory/neighbours": neighbours,
        "messages/order": _messages.in_order,
        "messages/anybody": _messages.from_anybody,
        "messages/tags": _messages.tags,
        "messages/threads": _messages.threads,
        "barrier": _messages.barrier,
        "group/order": _messages.group,
        "group/several": _messages.groups,
        "group/messages": _messages.pair_only(_messages.group_messages),
        "many": _messages.many,
    }
    return found | _tensors.QUESTIONS


QUESTIONS = _table()
