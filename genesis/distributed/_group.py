"""Groups of processes: made, kept, asked and closed."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
import traceback
import warnings
import zlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from genesis.distributed import _launch
from genesis.distributed._beside import Queue, as_here
from genesis.distributed._channel import Channel, Work
from genesis.distributed._communicator import Alone, Communicator

default_pg_timeout = timedelta(minutes=30)
#: bytes of a text that the processes show each other
_WIDTH = 600
_END = "the end of its script, or destroy_process_group()"


class DistributedError(RuntimeError):
    """Processes that train together do not do the same."""


class ProcessGroup:
    """Some of the processes, this one among them; what ``new_group`` returns.

    Args:
        communicators: by device; that of ``"cpu"`` is always there.
        ranks: the members' numbers among all processes.
        name: the name of the backend, as the user gave it.
        timeout: after this time in one operation all processes are ended.
    """

    def __init__(
        self, communicators: dict[str, Communicator], ranks: Sequence[int], name: str, timeout: timedelta
    ) -> None:
        self.communicators, self.ranks, self.backend_name = communicators, list(ranks), name
        self.host = communicators["cpu"]
        self.timeout = timeout
        self.since: float | None = None  # when the operation that is running began
        self.doing = ""
        self.checks = self.host.size > 1 and os.environ.get("GENESIS_DISTRIBUTED_CHECK", "1") != "0"
        self._channels: dict[Any, Channel] = {}
        self.queue = Queue()

    def __repr__(self) -> str:
        return f"<ProcessGroup {self.backend_name!r}: rank {self.rank()} of {self.size()}>"

    def rank(self) -> int:
        """The number of this process in the group."""
        return self.host.rank

    def size(self) -> int:
        """How many processes there are in the group."""
        return self.host.size

    def of(self, device: str) -> Communicator:
        """The communicator that sends what is on a device; from others tensors go by the host."""
        return self.communicators.get(device, self.host)

    def run(
        self,
        what: str,
        function: Callable[[], Any],
        background: bool = False,
        check: bool = True,
        result: Any = None,
        place: Any = None,
    ) -> Any:
        """Do a thing that all members do, after those before it.

        Args:
            what: the thing in words, the same in every process.
            background: return a ``Work`` at once.
            check: see first that all are about to do the same.
            result: what the ``Work`` returns.
            place: the device of the tensors; one with a communicator of its own is given its work at once,
                and does it in its own time.
        """
        if place is not None and self.of(place.type).device != "cpu":
            if check:
                self.run(what, lambda: None)
            return self.queue.run(what, function, place, background, result)
        function = as_here(place, function) if background else function

        def call() -> Any:
            self.since, self.doing = time.monotonic(), what
            try:
                if check and self.checks:
                    self.agree(what)
                return function()
            finally:
                self.since = None

        channel = self.channel("all")
        return Work(channel.submit(call), result) if background else channel.run(call)

    def channel(self, key: Any) -> Channel:
        """The order in which things of one kind are done."""
        if key not in self._channels:
            concurrent = all(c.concurrent for c in self.communicators.values())
            self._channels[key] = Channel(concurrent and self.size() > 1)
        return self._channels[key]

    def agree(self, what: str) -> None:
        """See that all members say the same.

        Raises:
            DistributedError: they do not; it shows what each says.
        """
        import numpy as np

        mine = np.array([zlib.crc32(what.encode())], np.int64)
        all_ = np.empty(self.size(), np.int64)
        self.host.all_gather(all_, mine)
        if (all_ == all_[0]).all():
            return
        text = what.encode()[:_WIDTH].ljust(_WIDTH)
        texts = np.empty(self.size() * _WIDTH, np.uint8)
        self.host.all_gather(texts, np.frombuffer(text, np.uint8).copy())
        said: dict[str, list[str]] = {}
        for r, row in enumerate(texts.reshape(self.size(), _WIDTH)):
            said.setdefault(row.tobytes().decode(errors="replace").strip(), []).append(str(self.ranks[r]))
        lines = [f"rank{'s' * (len(ranks) > 1)} {', '.join(ranks)}: {text}" for text, ranks in said.items()]
        raise DistributedError(
            "the processes do not do the same, and would wait for each other for ever:\n  "
            + "\n  ".join(lines)
        )

    def close(self) -> None:
        for channel in self._channels.values():
            channel.close()
        for communicator in self.communicators.values():
            communicator.close()


class GroupMember:
    """PyTorch's constants about groups."""

    #: what ``new_group`` returns to a process that is no member
    NON_GROUP_MEMBER = -100

    def __init__(self) -> None:
        raise TypeError("GroupMember only holds constants")


class _GroupMeta(type):
    @property
    def WORLD(cls) -> ProcessGroup | None:
        """The group of all processes, or None before ``init_process_group``."""
        return _world


class group(metaclass=_GroupMeta):
    """``group.WORLD`` is the group of all processes."""


_world: ProcessGroup | None = None
_groups: list[ProcessGroup] = []


def world() -> ProcessGroup:
    """The group of all processes.

    Raises:
        ValueError: there is none.
    """
    if _world is None:
        raise ValueError(
            "Default process group has not been initialized, please make sure to call init_process_group."
        )
    return _world


def chosen(of: Any, depth: int = 3) -> ProcessGroup | None:
    """The group that an argument means; None, with a warning, where this process is no member of it.

    Args:
        depth: how many calls above is the user's.
    """
    whole = world()
    if of is None:
        return whole
    if isinstance(of, ProcessGroup):
        return of
    if of == GroupMember.NON_GROUP_MEMBER:
        warnings.warn(
            f"rank {whole.rank()} takes part in an operation of a group that does not contain it; "
            "nothing is done",
            stacklevel=depth,
        )
        return None
    raise TypeError(f"a group is what new_group() returned, or None for all processes; got {of!r}")


def make_world(backend: str | None, size: int, number: int, timeout: timedelta) -> None:
    """Join the other processes, and keep the group of all."""
    global _world
    launched = _launch.launched()
    if size > 1 and _by_mpi(backend) and (launched is None or launched[1] != size):
        began = "was started alone" if launched is None else f"was started as one of {launched[1]}"
        raise RuntimeError(
            f"world_size is {size}, and this process {began}; processes that train together are started by "
            f"MPI: mpiexec -n {size} python -m mpi4py script.py (pip install 'genesis-dl[mpi]')"
        )
    if size == 1:
        if number != 0:
            raise ValueError(f"the only process of the group has rank 0, got {number}")
        _world = ProcessGroup({"cpu": Alone()}, [0], str(backend or "gloo"), timeout)
        _groups.append(_world)
        return
    communicators = _opened(backend)
    host = communicators["cpu"]
    if (host.rank, host.size) != (number, size):
        raise ValueError(
            f"rank {number} of {size} was asked for, but {type(host).__name__} has this process as "
            f"{host.rank} of {host.size}; leave rank and world_size away"
        )
    _world = ProcessGroup(communicators, range(size), str(backend or "mpi"), timeout)
    _groups.append(_world)
    _guard()


def _by_mpi(backend: str | None) -> bool:
    """Whether MPI has to start the processes; other communicators say themselves what they need."""
    names = {item.strip().rpartition(":")[2].lower() for item in (backend or "mpi").split(",")}
    return bool(names & {"mpi", "gloo", "ucc", "nccl"})


def _opened(backend: str | None) -> dict[str, Communicator]:
    """The communicators that a name of PyTorch's or of a plugin means."""
    from genesis.plugin import registry

    asked: dict[str, str] = {}
    for item in (backend or "mpi").split(","):  # "cpu:gloo,cuda:nccl" is PyTorch's way to name two
        device, colon, name = item.strip().rpartition(":")
        asked[device if colon else ""] = name
    names = registry("communicators")
    known = {"gloo": "mpi", "ucc": "mpi"}
    found: dict[str, Communicator] = {}
    for device, name in asked.items():
        if name == "nccl" or device == "cuda":
            continue
        cls = names.resolve(known.get(name.lower(), name))
        if cls.device == "cpu":
            found["cpu"] = _open(cls, name)
    if "cpu" not in found:
        found["cpu"] = _open(names.resolve("mpi"), "mpi")
    for name in asked.values():
        if known.get(name.lower(), name) == "mpi":
            continue
        if name == "nccl" and not names.contributions("nccl"):
            reason = "no installed plugin supplies it"
        else:
            cls = names.resolve(name)
            if cls.device in found:
                continue
            reason = _lacking(cls, found["cpu"])
            if not reason:
                found[cls.device] = cls.open(over=found["cpu"])
                continue
        if found["cpu"].rank == 0:
            warnings.warn(
                f"the communicator {name!r} cannot be used here ({reason}); "
                f"{type(found['cpu']).__name__} sends what is on other devices by way of the host",
                stacklevel=4,
            )
    return found


def _lacking(cls: type[Communicator], host: Communicator) -> str:
    """Why a communicator cannot be used by all processes; nothing if it can."""
    import numpy as np

    able = cls.probe()
    reasons = np.empty(host.size * _WIDTH, np.uint8)
    said = b"" if able.ok else (able.reason or "it does not say why").encode()
    host.all_gather(reasons, np.frombuffer(said[:_WIDTH].ljust(_WIDTH), np.uint8).copy())
    for rank, row in enumerate(reasons.reshape(host.size, _WIDTH)):
        if reason := row.tobytes().decode(errors="replace").strip():
            return reason if rank == 0 else f"rank {rank}: {reason}"
    return ""


def _open(cls: type[Communicator], name: str) -> Communicator:
    able = cls.probe()
    if not able.ok:
        raise RuntimeError(f"the communicator {name!r} cannot be used here: {able.reason}")
    return cls.open()


def part(ranks: Sequence[int], backend: str | None, timeout: timedelta | None) -> Any:
    """A group of some processes; all have to ask for it."""
    whole = world()
    whole.run(f"new_group({list(ranks)})", lambda: None)
    if whole.rank() not in ranks:
        return GroupMember.NON_GROUP_MEMBER
    communicators = {d: c.group(list(ranks)) for d, c in whole.communicators.items()}
    made = ProcessGroup(communicators, ranks, backend or whole.backend_name, timeout or whole.timeout)
    _groups.append(made)
    return made


def destroy(of: Any) -> None:
    """Close a group; that of all processes closes the others, too."""
    global _world
    whole = world()
    if isinstance(of, ProcessGroup) and of is not whole:
        if of in _groups:
            _groups.remove(of)
            of.close()
        return
    if of == GroupMember.NON_GROUP_MEMBER:
        return
    try:
        whole.run(_END, lambda: None)
    finally:
        _world = None
        for each in reversed(_groups):
            each.close()
        _groups.clear()


# -- what ends all when one ends -----------------------------------------------------------------------------
_guarded = False


def _guard() -> None:
    """From now on an exception in this process ends the others, and so does what takes too long."""
    global _guarded
    if _guarded:
        return
    _guarded = True
    before = sys.excepthook

    def hook(kind: Any, error: Any, trace: Any) -> None:
        before(kind, error, trace)
        if _world is not None:
            _say(
                f"rank {_world.rank()} of {_world.size()} ended by the exception above; the others are ended"
            )
            _abort(_world.host, 130 if issubclass(kind, KeyboardInterrupt) else 1)

    sys.excepthook = hook
    atexit.register(_leave)
    threading.Thread(target=_watch, name="genesis.distributed watch", daemon=True).start()


def _leave() -> None:
    """At the end of a script that closed nothing: see that it is the end for all."""
    if _world is None:
        return
    host = _world.host
    try:
        destroy(None)
    except BaseException:
        traceback.print_exc()
        _say("the processes are ended")
        _abort(host, 1)


def _watch() -> None:
    """End all when an operation outlasts its timeout: another process hangs, or its machine is gone."""
    while True:
        time.sleep(1.0)
        for each in list(_groups):
            since, doing = (
                (each.since, each.doing) if each.since is not None else each.queue.oldest() or (None, "")
            )
            if since is not None and time.monotonic() - since > each.timeout.total_seconds():
                _say(
                    f"rank {each.ranks[each.rank()]} has waited {each.timeout.total_seconds():g} s "
                    f"for the others in {doing}; the processes are ended (the timeout is an argument of "
                    "init_process_group)"
                )
                _abort(each.host, 1)


def leave() -> None:
    """Wait for nobody on the way out: this process has failed, and the launcher ends the others."""
    global _world
    _world = None


def _abort(host: Communicator, code: int) -> None:
    leave()
    sys.stderr.flush()
    time.sleep(0.3)  # a launcher that is told to end all at once may lose what was just written
    host.abort(code)
    os._exit(code)


def _say(text: str) -> None:
    sys.stdout.flush()
    print(f"genesis.distributed: {text}", file=sys.stderr, flush=True)
