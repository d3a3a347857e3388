"""Read files that mean harm, many of them: ``python tests/fuzz/run.py --inputs 1000000``.

Each input is made from a good file by a change that keeps most of its structure, and read in a process that may not
run programs, open connections, write files elsewhere or import more modules. A reader may return, or raise an error of
Genesis' or one that its documentation names. An input is the same for the same loader and number, so a finding is
repeated by ``--loader NAME --first NUMBER --inputs 1``. With ``--atheris`` (``pip install atheris``) the inputs follow
the lines that they reach instead of chance.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import encodings
import importlib
import json
import mmap
import os
import pkgutil
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import tracemalloc
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

SECONDS = 5  # for one input
TIMES, FREE = 64, 32 << 20  # memory for one input: times its size, and what even an empty one may take
SAMPLED = 256  # every so many inputs, all memory of Python's and NumPy's is counted exactly
SPACE = 4 << 30  # of addresses, beyond those that the imports take

FORBIDDEN = ("os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "subprocess.Popen", "os.startfile",
             "socket.", "ctypes.dlopen", "exec", "compile", "import", "marshal.", "pty.spawn", "ftplib.", "smtplib.",
             "urllib.", "webbrowser.", "code.__new__", "function.__new__", "os.kill", "os.putenv")  # fmt: skip
WRITING = (
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.mkdir",
    "os.link",
    "os.symlink",
    "os.chmod",
    "os.chown",
    "os.truncate",
    "shutil.",
)


class Watch:
    """What the interpreter tells of what is done while an input is read."""

    def __init__(self, folder: Path) -> None:
        self.on, self.seen, self.allowed = False, [], ()
        self._folders = (str(folder), tempfile.gettempdir())
        sys.addaudithook(self._hear)

    def _hear(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.on:
            return
        bad = event.startswith(FORBIDDEN) and event not in self.allowed
        if event == "ctypes.dlopen" and str(args[0]).startswith("libcuda"):  # a tensor of the file was there
            return
        if event == "open" and isinstance(args[0], str | bytes | os.PathLike):
            flags = args[2] if len(args) > 2 and isinstance(args[2], int) else 0
            writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
            bad = bool(writes) and not os.fsdecode(args[0]).startswith(self._folders)
        elif event.startswith(WRITING) and not (
            event == "os.remove" and args[1] > 0
        ):  # in a folder that is open
            bad = not all(
                os.fsdecode(a).startswith(self._folders) for a in args if isinstance(a, str | bytes)
            )
        if bad:
            self.seen.append(f"{event} {args!r:.200}")
            raise PermissionError(f"while an input was read: {event}")

    def unseen(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, which may do what it likes."""

        def call(*args: Any) -> Any:
            on, self.on = self.on, False
            try:
                return function(*args)
            finally:
                self.on = on

        return call


class TooLong(BaseException):
    """An input took more than its time."""


def _ring(*_: object) -> None:
    raise TooLong


class Judge:
    """Reads inputs of one loader and says what is wrong with how it went."""

    def __init__(self, name: str, folder: Path) -> None:
        import loaders

        import genesis

        loaders.HERE["folder"] = folder
        self.loader = loaders.loaders()[name]
        self.allowed = (genesis.GenesisError, *self.loader.errors)
        self.watch = Watch(folder)
        self.watch.allowed = self.loader.events
        self.ends: Counter[str] = Counter()
        signal.signal(signal.SIGALRM, _ring)
        for module in pkgutil.iter_modules(encodings.__path__, "encodings."):
            with contextlib.suppress(ImportError):
                importlib.import_module(module.name)
        import genesis.checkpoint._torch_reader

        with contextlib.suppress(ImportError):  # a kernel may be compiled now that is not on the disk yet
            from genesis_cpu import _cache

            _cache._loaded = self.watch.unseen(_cache._loaded)
        for device in (
            genesis.backends.list_backends()
            if hasattr(genesis.backends, "list_backends")
            else ("cpu", "ref", "cuda")
        ):
            with contextlib.suppress(genesis.GenesisError, ImportError):
                genesis.ones(1, device=device)
        for _ in range(2):  # whatever is imported or kept on the way
            for seed in self.loader.seeds:
                with contextlib.suppress(self.allowed):
                    self.loader.read(seed)
        for number in range(300):
            with contextlib.suppress(Exception):
                self.loader.read(self.input(-1 - number))
        self.peak = _peak()

    def input(self, number: int) -> Any:
        random = Random(number)
        return self.loader.change(random, random.choice(self.loader.seeds))

    def __call__(self, data: Any, exact: bool = False) -> str:
        """An empty text, or what went wrong."""
        self.watch.seen.clear()
        if exact:
            tracemalloc.start(1)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        self.watch.on = True
        wrong = ""
        try:
            self.loader.read(data)
            end = "read"
        except self.allowed as error:
            end = type(error).__name__
            if type(error) in (RecursionError, NotImplementedError):
                wrong = f"{end}: {str(error)[:300]}: {_place(error)}"
        except TooLong:
            end = wrong = f"more than {SECONDS} seconds: {_place(sys.exc_info()[1])}"
        except BaseException as error:
            end = type(error).__name__
            wrong = f"{end}: {str(error)[:300]}: {_place(error)}"
        finally:
            self.watch.on = False
            signal.setitimer(signal.ITIMER_REAL, 0)
        self.ends[end] += 1
        limit = TIMES * _size(data) + FREE
        if exact:
            used = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            if used > limit:
                wrong = wrong or f"{used} bytes of memory for an input of {_size(data)}"
        now = _peak()
        if now - self.peak > limit:
            wrong = wrong or f"{now - self.peak} bytes more resident for an input of {_size(data)}"
        self.peak = max(self.peak, now)
        if self.watch.seen:
            wrong = f"it did what it may not: {self.watch.seen}"
        return wrong


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _size(data: Any) -> int:
    if isinstance(data, str | bytes):
        return len(data)
    return (
        sum(map(_size, data)) if isinstance(data, tuple) and all(isinstance(d, bytes) for d in data) else 1000
    )


def _place(error: BaseException | None) -> str:
    frames = traceback.extract_tb(error.__traceback__) if error else []
    return " <- ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(frames[-3:]))


# -- one process for a loader ------------------------------------------------------------------------------
def work(name: str, first: int, count: int, progress: Path, seconds: float) -> None:
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        judge = Judge(name, Path(folder))
        pages = (
            int(Path("/proc/self/statm").read_text().split()[0]) if os.path.exists("/proc/self/statm") else 0
        )
        if pages:
            resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + SPACE,) * 2)
        with open(progress, "r+b") as file:
            place = mmap.mmap(file.fileno(), 8)
            end = time.monotonic() + seconds
            found: dict[str, tuple[int, str]] = {}
            number = first
            for number in range(first, first + count):
                place[:] = number.to_bytes(
                    8, "little"
                )  # who waits for this process sees where it hangs or died
                wrong = judge(judge.input(number), exact=number % SAMPLED == 0)
                if wrong:
                    kind = wrong.partition(" of an input")[0] if wrong[0].isdigit() else wrong
                    found.setdefault(re.sub(r": .*: (?=\S+:\d+ <-)", ": ", kind, flags=re.S), (number, wrong))
                if time.monotonic() > end:
                    break
    print(json.dumps({"read": number + 1 - first, "ends": judge.ends, "found": found, "peak": judge.peak}))


def run(name: str, first: int, count: int, seconds: float) -> dict[str, Any]:
    """Read inputs in a process of its own; where it hangs or dies, that is a finding."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(bytes(8))
        file.flush()
        command = [sys.executable, __file__, "--work", name, "--first", str(first), "--inputs", str(count),
                   "--progress", file.name, "--seconds", str(seconds)]  # fmt: skip
        environment = {**os.environ, "NUMBA_NUM_THREADS": "1"}
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        before, since = -1, time.monotonic()
        while True:
            try:
                out, errors = process.communicate(timeout=2)
                break
            except subprocess.TimeoutExpired:
                now = int.from_bytes(Path(file.name).read_bytes(), "little")
                if now != before:
                    before, since = now, time.monotonic()
                elif time.monotonic() - since > (300 if now == 0 else 60):  # at first it imports and compiles
                    process.kill()
        now = int.from_bytes(Path(file.name).read_bytes(), "little")
        if process.returncode == 0:
            return dict(json.loads(out.splitlines()[-1]))
        wrong = f"the process ended with {process.returncode}: {errors[-2000:]}"
        return {"read": now - first + 1, "ends": {}, "found": {wrong: (now, wrong)}, "peak": 0}


def atheris_work(name: str, count: int) -> None:
    """Inputs that follow the lines they reach; bytes only."""
    import atheris

    warnings.simplefilter("ignore")
    with atheris.instrument_imports(include=["genesis", "pickle", "zipfile"]):
        import genesis.checkpoint._interchange
        import genesis.checkpoint._torch_reader
        import genesis.data._pickles  # noqa: F401
    folder = Path(tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
    judge = Judge(name, folder)
    corpus = folder / "corpus"
    corpus.mkdir()
    kind = type(judge.loader.seeds[0])
    for number, seed in enumerate(judge.loader.seeds):
        (corpus / str(number)).write_bytes(
            seed.encode() if kind is str else b"".join(seed) if kind is tuple else seed
        )

    def one(data: bytes) -> None:
        given: Any = data
        if kind is str:
            given = data.decode("utf-8", "replace")
        elif kind is tuple:
            given = (data, judge.loader.seeds[0][1])
        wrong = judge(given)
        if wrong:
            print(f"{name}: {wrong}\n{base64.b64encode(data).decode()}", file=sys.stderr)
            raise RuntimeError(wrong)

    atheris.Setup(
        [sys.argv[0], f"-runs={count}", "-max_len=8192", "-timeout=60", "-rss_limit_mb=4096", str(corpus)],
        one,
    )
    atheris.Fuzz()


# -- the command -------------------------------------------------------------------------------------------
def names() -> list[str]:
    import loaders

    with tempfile.TemporaryDirectory() as folder:
        loaders.HERE["folder"] = Path(folder)
        return list(loaders.loaders())


def table(results: dict[str, dict[str, Any]]) -> str:
    lines = ["| reader | inputs | read | refused | seconds | findings |", "|---|---|---|---|---|---|"]
    for name, each in results.items():
        good = each["ends"].get("read", 0)
        lines.append(
            f"| {name} | {each['read']:,} | {good:,} | {each['read'] - good:,} | {each['seconds']:.0f} | "
            f"{len(each['found'])} |"
        )
    total = sum(each["read"] for each in results.values())
    lines.append(f"| all | {total:,} | | | {sum(e['seconds'] for e in results.values()):.0f} | "
                 f"{sum(len(e['found']) for e in results.values())} |")  # fmt: skip
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=20_000, help="in all, over the loaders")
    parser.add_argument("--loader", action="append", help="only this one; may be given several times")
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--seconds", type=float, default=1e9, help="for each loader at most")
    parser.add_argument("--write", action="store_true", help="write the table into docs/reliability.md")
    parser.add_argument("--atheris", action="store_true", help="let atheris make the inputs")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("--progress", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(options.work, options.first, options.inputs, Path(options.progress), options.seconds)
        return 0
    chosen = options.loader or names()
    each = max(1, options.inputs // len(chosen))
    if options.atheris:
        if len(chosen) != 1:
            parser.error("--atheris takes one --loader")
        atheris_work(chosen[0], options.inputs)
        return 0
    results: dict[str, dict[str, Any]] = {}
    for name in chosen:
        start = time.monotonic()
        results[name] = run(name, options.first, each, options.seconds)
        results[name]["seconds"] = time.monotonic() - start
        took = f"{results[name]['read']} inputs in {results[name]['seconds']:.1f} s"
        print(f"{name}: {took}, {results[name]['ends']}", flush=True)
        for number, wrong in results[name]["found"].values():
            print(f"  input {number}: {wrong}", flush=True)
    text = table(results)
    print(text)
    if options.write:
        page = HERE.parent.parent / "docs" / "reliability.md"
        before, rest = page.read_text(encoding="utf-8").split("<!-- fuzz -->\n", 1)
        after = rest.split("<!-- /fuzz -->", 1)[1]
        page.write_text(f"{before}<!-- fuzz -->\n{text}\n<!-- /fuzz -->{after}", encoding="utf-8")
    return 1 if any(result["found"] for result in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
