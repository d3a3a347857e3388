"""One of the processes that answer: it opens the communicator, and asks it one question after the other."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np

from genesis.distributed import Communicator


class Subject:
    """The communicator that is asked.

    Attributes:
        c: it.
        rank, size: its numbers.
        name: by which ``init_process_group`` finds it.
    """

    def __init__(self, target: str) -> None:
        import genesis
        from genesis.plugin import CommunicatorSpec, hookimpl, register, registry

        if "::" in target:
            global _loaded
            _loaded = _class(target)
            spec = CommunicatorSpec("checked", f"{__name__}:_loaded", "What is checked.")

            class Plugin:
                @hookimpl
                def genesis_communicators(self) -> list[CommunicatorSpec]:
                    return [spec]

            register(Plugin(), name="kit")
            self.name, cls = "checked", _loaded
        else:
            self.name, cls = target, registry("communicators").find(target).load()
        able = cls.probe()
        assert able.ok, f"it cannot be used here: {able.reason}"
        host = registry("communicators").find("mpi").load().open() if cls.device != "cpu" else None
        self.c: Communicator = cls.open() if host is None else cls.open(over=host)
        self.rank, self.size = self.c.rank, self.c.size
        number = int(os.environ.get("LOCAL_RANK", 0))
        self.place = None if cls.device == "cpu" else genesis.device(cls.device, number)

    def array(self, values: Any) -> Any:
        """A flat array with these elements, in the memory that the communicator sends."""
        values = np.ascontiguousarray(values)
        if self.place is None:
            return values.copy()
        import genesis

        return genesis.from_numpy(values.copy()).to(self.place)

    def read(self, array: Any) -> Any:
        """The elements as an array of NumPy."""
        return array if self.place is None else array.cpu()._host()

    def empty(self, count: int, dtype: Any) -> Any:
        """An array with elements that nobody has sent."""
        return self.array(np.full(count, 77).astype(dtype))


_loaded: Any = None


def _class(target: str) -> Any:
    from importlib.util import module_from_spec, spec_from_file_location

    path, _, name = target.rpartition("::")
    spec = spec_from_file_location("checked_communicator", path)
    if spec is None or spec.loader is None:
        raise AssertionError(f"{path} is no module")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part)
    return found


def main() -> None:
    """Answer the questions that the command line names, in the folder that it names."""
    import genesis.distributed  # noqa: F401 - sets RANK, if a launcher knows it

    target, folder, seconds, *names = sys.argv[1:]
    rank = os.environ["RANK"]
    (Path(folder) / f"{rank}.pid").write_text(str(os.getpid()))
    with open(Path(folder) / f"{rank}.json", "w") as out:

        def answer(name: str, wrong: str) -> None:
            print(json.dumps([name, wrong]), file=out, flush=True)
            if wrong:
                (Path(folder) / f"{rank}.wrong").touch()
                os._exit(3)  # the others may wait for this process now: all begin anew

        begun: list[Any] = [time.monotonic(), ""]

        def watch() -> None:
            while True:
                time.sleep(0.1)
                since, name = begun
                if name and time.monotonic() - since > float(seconds):
                    answer(name, f"it did not come back within {float(seconds):g} s")

        threading.Thread(target=watch, daemon=True).start()
        size = _answer(target, folder, rank, names, begun, answer)
    (Path(folder) / f"{rank}.done").touch()
    until = time.monotonic() + float(seconds)  # a launcher may end the others when one goes
    while len(list(Path(folder).glob("*.done"))) < size and time.monotonic() < until:
        time.sleep(0.01)
    os._exit(0)  # what is open may wait for ever


def _answer(target: str, folder: str, rank: str, names: list[str], begun: list[Any], answer: Any) -> int:
    from genesis.testing.communicator_checks._questions import QUESTIONS

    begun[:] = time.monotonic(), "loads"
    try:
        subject = Subject(target)
    except BaseException:
        answer("loads", traceback.format_exc(limit=-3))
        raise
    if names == ["abort"]:
        subject.c.barrier()
        begun[1] = ""
        if subject.rank == subject.size - 1:
            subject.c.abort(7)
        else:
            time.sleep(float(sys.argv[3]))
        (Path(folder) / f"{rank}.back").touch()
        os._exit(0)
    for name in names:
        begun[:] = time.monotonic(), name
        try:
            QUESTIONS[name](subject)
        except BaseException as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            at = "" if isinstance(error, AssertionError) else f" ({where.filename}:{where.lineno})"
            answer(name, f"{type(error).__name__}: {error}{at}"[:1500])
        answer(name, "")
    begun[1] = ""
    return int(subject.size)
