"""Communicators that are wrong in one thing each, for the test of the kit that has to find them."""

import threading
import time

import numpy as np

from genesis_mpi.communicator import MPI


class NotThere(MPI):
    @classmethod
    def open(cls, over=None):
        raise OSError("the network is down")


class Numbered(MPI):
    """The order of a group's members is forgotten."""

    def group(self, ranks):
        return super().group(sorted(ranks))


class Smallest(MPI):
    """The sum of 16-bit integers is the smallest."""

    def all_reduce(self, array, op):
        super().all_reduce(array, "min" if array.dtype == np.int16 else op)


class Bits(MPI):
    """The last bits of a sum differ among the processes."""

    def all_reduce(self, array, op):
        super().all_reduce(array, op)
        if array.dtype == np.float32 and self.rank:
            array[:] = np.nextafter(array, np.float32(0))


class Cleaned(MPI):
    """NaN becomes 0, as if it were nothing."""

    def all_reduce(self, array, op):
        super().all_reduce(array, op)
        if array.dtype.kind == "f":
            array[np.isnan(array)] = 0


class Rooted(MPI):
    """The root of a broadcast is always 0."""

    def broadcast(self, array, root):
        super().broadcast(array, 0)


class Reversed(MPI):
    def all_gather(self, out, array):
        super().all_gather(out, array)
        out[:] = out.reshape(self.size, -1)[::-1].ravel()


class Generous(MPI):
    """Who is not the root gets the result, too."""

    def reduce(self, array, op, root):
        self.all_reduce(array, op)


class Spoiling(MPI):
    """What was given is changed."""

    def reduce_scatter(self, out, array, op):
        self.all_reduce(array, op)
        out[:] = array[self.rank * len(out) : (self.rank + 1) * len(out)]


class Nothing(MPI):
    """Waits for ever for an array without elements."""

    def all_reduce(self, array, op):
        if not len(array):
            time.sleep(1000)
        super().all_reduce(array, op)


class Large(MPI):
    """Forgets the end of a large array."""

    def broadcast(self, array, root):
        super().broadcast(array[:65536], root)


class Stranger(MPI):
    """Says that a message of anybody is from the next process."""

    def receive(self, array, source, tag):
        found = super().receive(array, source, tag)
        return found if source is not None else (found + 1) % self.size


class Untagged(MPI):
    def send(self, array, to, tag):
        super().send(array, to, 0)

    def receive(self, array, source, tag):
        return super().receive(array, source, 0)


class Early(MPI):
    def barrier(self):
        pass


class Shared(MPI):
    """Groups send by the communicator of all."""

    def group(self, ranks):
        made = super().group(ranks)
        made.send = lambda array, to, tag: MPI.send(self, array, ranks[to], tag)
        made.receive = lambda array, source, tag: ranks.index(MPI.receive(self, array, ranks[source], tag))
        return made


class Once(MPI):
    """Of one thread, and it does not say so: what another one sends is dropped."""

    def send(self, array, to, tag):
        if threading.current_thread() is threading.main_thread():
            super().send(array, to, tag)


class Immortal(MPI):
    def abort(self, code):
        pass


class Uneven(MPI):
    """Takes all parts for equal."""

    def all_to_all(self, out, array, received, sent):
        n = len(array) // self.size
        super().all_to_all(out[: n * self.size], array[: n * self.size], [n] * self.size, [n] * self.size)


#: from a class to a check that has to find it
FOUND_BY = {
    NotThere: "loads",
    Numbered: "group/order",
    Smallest: "all_reduce/sum/int16",
    Bits: "all_reduce/same",
    Cleaned: "all_reduce/nan",
    Rooted: "broadcast/int32",
    Reversed: "ranks",
    Generous: "reduce/sum/float32",
    Spoiling: "reduce_scatter/sum/float32",
    Nothing: "all_reduce/0",
    Large: "broadcast/65537",
    Stranger: "messages/anybody",
    Untagged: "messages/tags",
    Early: "barrier",
    Shared: "group/messages",
    Once: "messages/threads",
    Immortal: "abort",
    Uneven: "all_to_all/unequal",
}
