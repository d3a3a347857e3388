"""Messages from one process to another, and groups."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from genesis.testing.communicator_checks._values import dtype, exact, of

Ask = Callable[[Any], None]


def messages(s: Any, name: str, count: int) -> None:
    after, before = (s.rank + 1) % s.size, (s.rank - 1) % s.size
    mine, got = s.array(of(s.rank, count, name)), s.empty(count, dtype(name))

    def put() -> None:
        s.c.send(mine, after, 3)

    def get() -> None:
        assert s.c.receive(got, before, 3) == before, "receive returns the rank of the sender"

    if s.rank == 0:  # one begins, so that nobody waits in a ring
        put()
        get()
    else:
        get()
        put()
    exact(s.read(got), of(before, count, name), f"{count} {name} from rank {before}")
    exact(s.read(mine), of(s.rank, count, name), "the array that was sent")


def in_order(s: Any) -> None:
    if s.rank == 1:
        for i in range(20):
            s.c.send(s.array(np.full(5, i, np.int32)), 0, 2)
    elif s.rank == 0:
        for i in range(20):
            got = s.empty(5, np.int32)
            s.c.receive(got, 1, 2)
            assert (s.read(got) == i).all(), f"message {i} of one tag came as {s.read(got)[0]}"


def from_anybody(s: Any) -> None:
    if s.rank:
        s.c.send(s.array(np.full(3, s.rank, np.int64)), 0, 9)
        return
    heard = []
    for _ in range(s.size - 1):
        got = s.empty(3, np.int64)
        heard.append(s.c.receive(got, None, 9))
        assert (s.read(got) == heard[-1]).all(), f"receive says rank {heard[-1]}, whose is {s.read(got)}"
    assert sorted(heard) == list(range(1, s.size)), f"heard from {heard}"


def tags(s: Any) -> None:
    """The second of two messages is taken first, by its tag; each is sent by a thread."""
    if not s.c.concurrent:
        return
    if s.rank == 1:
        one = threading.Thread(target=s.c.send, args=(s.array(np.full(4, 1, np.int32)), 0, 1))
        one.start()
        time.sleep(0.1)
        s.c.send(s.array(np.full(4, 2, np.int32)), 0, 2)
        one.join()
    elif s.rank == 0:
        time.sleep(0.2)
        for tag in (2, 1):
            got = s.empty(4, np.int32)
            s.c.receive(got, 1, tag)
            assert (s.read(got) == tag).all(), f"tag {tag} was asked for, and {s.read(got)[0]} came"


def threads(s: Any) -> None:
    """Reductions in one thread, messages in two others, at the same time."""
    if not s.c.concurrent:
        return
    after, before = (s.rank + 1) % s.size, (s.rank - 1) % s.size
    failed: list[BaseException] = []

    def sending() -> None:
        for i in range(30):
            s.c.send(s.array(np.full(100, i + s.rank, np.int64)), after, 5)

    def receiving() -> None:
        try:
            for i in range(30):
                got = s.empty(100, np.int64)
                s.c.receive(got, before, 5)
                exact(s.read(got), np.full(100, i + before), f"message {i} beside reductions")
        except BaseException as error:
            failed.append(error)

    both = [threading.Thread(target=f) for f in (sending, receiving)]
    for t in both:
        t.start()
    for i in range(30):
        array = s.array(np.full(1000, i + s.rank, np.int64))
        s.c.all_reduce(array, "sum")
        total = i * s.size + s.size * (s.size - 1) // 2
        exact(s.read(array), np.full(1000, total), f"reduction {i} beside messages")
    for t in both:
        t.join()
    if failed:
        raise failed[0]


def barrier(s: Any) -> None:
    for late in range(s.size):
        s.c.barrier()
        begin = time.monotonic()
        if s.rank == late:
            time.sleep(0.2)
        s.c.barrier()
        took = time.monotonic() - begin
        assert took > 0.1, f"the barrier was passed {0.2 - took:.2f} s before rank {late} was there"


# -- groups --------------------------------------------------------------------------------------------------
def group(s: Any) -> None:
    members = [s.size - 1, 0]  # in this order
    if s.rank in members:
        g = s.c.group(members)
        assert (g.rank, g.size) == (members.index(s.rank), 2), f"rank {s.rank} is {g.rank} of {g.size}"
        out = s.empty(2, np.int64)
        g.all_gather(out, s.array(np.array([s.rank])))
        exact(s.read(out), np.array(members), "the members, in the order of the group")
        array = s.array(np.full(3, s.rank, np.int64))
        g.broadcast(array, 0)
        exact(s.read(array), np.full(3, s.size - 1), "what the first of the group has")
        g.close()
    array = s.array(np.array([1.0]))
    s.c.all_reduce(array, "sum")
    exact(s.read(array), np.array([float(s.size)]), "the sum over all, after a group was closed")


def groups(s: Any) -> None:
    """Each alone, and all again: at the same time as the groups of others."""
    alone = s.c.group([s.rank])
    everybody = s.c.group(list(range(s.size)))
    array = s.array(np.full(5, s.rank, np.int64))
    alone.all_reduce(array, "sum")
    exact(s.read(array), np.full(5, s.rank), "the sum over one process")
    everybody.all_reduce(array, "sum")
    exact(s.read(array), np.full(5, s.size * (s.size - 1) // 2), "the sum over all of them")
    for each in (everybody, alone):
        each.close()


def group_messages(s: Any) -> None:
    """A message in a group is not taken for one among all, though it has the same tag."""
    g = s.c.group([1, 0])
    if s.rank == 0:
        s.c.send(s.array(np.full(2, 10, np.int32)), 1, 4)
        g.send(s.array(np.full(2, 20, np.int32)), 0, 4)
    else:
        got = s.empty(2, np.int32)
        assert g.receive(got, 1, 4) == 1
        exact(s.read(got), np.full(2, 20, np.int32), "the message in the group")
        s.c.receive(got, 0, 4)
        exact(s.read(got), np.full(2, 10, np.int32), "the message among all")
    g.close()


def pair_only(ask: Ask) -> Ask:
    """A question for the first two."""
    return lambda s: ask(s) if s.rank < 2 else None


def many(s: Any) -> None:
    for i in range(200):
        count = i % 7
        array = s.array(np.full(count, s.rank + i, np.int32))
        s.c.broadcast(array, i % s.size)
        exact(s.read(array), np.full(count, i % s.size + i, np.int32), f"broadcast {i} of 200")
        s.c.all_reduce(array, "max")
