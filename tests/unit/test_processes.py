"""Threads, forks, interrupts and the end of the interpreter: each in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ALL = pytest.mark.skipif(os.environ.get("GENESIS_TEST_ALL") != "1", reason="takes a minute in all")
POSIX = pytest.mark.skipif(os.name != "posix", reason="forks and signals of POSIX")


def run(code: str, folder: Path | None = None, timeout: float = 600, kernels: Path | None = None) -> str:
    """What a program prints; it has to end well. ``kernels``: where to keep those that it compiles."""
    file = None
    if folder is not None:
        file = folder / "program.py"
        file.write_text(code)
    command = [sys.executable, *([str(file)] if file else ["-c", code])]
    environment = {**os.environ, **({"GENESIS_CACHE_DIR": str(kernels)} if kernels else {})}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=timeout, cwd=folder, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


MODEL = """
import os, sys, threading, time, warnings, genesis
from genesis import nn
from genesis.nn import functional as F
warnings.simplefilter("ignore", DeprecationWarning)  # Python's own about forks and threads
genesis.set_num_threads(3)
genesis.manual_seed(0)
model = nn.Sequential(
    nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 14 * 14, 64), nn.GELU(), nn.Linear(64, 10)
)
data = genesis.randn(32, 1, 16, 16)

def forward():
    with genesis.no_grad():
        return model.eval()(data)

def step():
    model.zero_grad()
    F.cross_entropy(model(data), genesis.arange(32) % 10).backward()
    return model[0].weight.grad.numpy().tobytes()
"""


@ALL
def test_forward_and_backward_passes_from_many_threads() -> None:
    """Each thread with its own model, and all with one for forward passes."""
    code = (
        MODEL
        + """
import copy
wanted, grad = forward().numpy().tobytes(), step()
wrong = []
def work(own):
    for i in range(8):
        if forward().numpy().tobytes() != wanted:
            wrong.append("forward")
        own.zero_grad()
        F.cross_entropy(own(data), genesis.arange(32) % 10).backward()
        if own[0].weight.grad.numpy().tobytes() != grad:
            wrong.append("backward")
threads = [threading.Thread(target=work, args=(copy.deepcopy(model),)) for _ in range(6)]
[t.start() for t in threads]
[t.join(100) for t in threads]
print(wrong, any(t.is_alive() for t in threads))
"""
    )
    assert run(code) == "[] False"


@POSIX
def test_forks_while_other_threads_compute() -> None:
    """A child has none of its parent's threads, and may find their locks held."""
    code = (
        MODEL
        + """
wanted = step()
stop = []
def work():
    while not stop:
        forward()
threads = [threading.Thread(target=work) for _ in range(2)]
[t.start() for t in threads]
for _ in range(8):
    pid = os.fork()
    if not pid:
        os._exit(0 if step() == wanted else 1)
    end = time.monotonic() + 60
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            break
        if time.monotonic() > end:
            os.kill(pid, 9)
            print("hangs")
            os._exit(1)
        time.sleep(0.005)
    assert status == 0, status
stop.append(1)
[t.join() for t in threads]
print(step() == wanted)
"""
    )
    assert run(code) == "True"


@ALL
@pytest.mark.parametrize("method", ["spawn", *(["fork", "forkserver"] if hasattr(os, "fork") else [])])
def test_workers_of_multiprocessing(tmp_path: Path, method: str) -> None:
    code = (
        MODEL
        + f"""
import multiprocessing
def work(queue):
    queue.put(step())
if __name__ == "__main__":
    wanted = step()
    context = multiprocessing.get_context({method!r})
    queue = context.Queue()
    workers = [context.Process(target=work, args=(queue,)) for _ in range(2)]
    [w.start() for w in workers]
    found = [queue.get(timeout=100) for _ in workers]
    [w.join(100) for w in workers]
    print(all(f == wanted for f in found), [w.exitcode for w in workers], step() == wanted)
"""
    )
    assert run(code, tmp_path) == "True [0, 0] True"


@ALL
@pytest.mark.parametrize("method", ["spawn", *(["fork"] if hasattr(os, "fork") else [])])
def test_workers_of_a_loader_between_kernels(tmp_path: Path, method: str) -> None:
    code = (
        MODEL
        + f"""
from genesis.data import DataLoader, TensorDataset
class Computed(TensorDataset):
    def __getitem__(self, i):
        x, y = super().__getitem__(i)
        return (x @ x).tanh(), y  # a kernel in the worker
def main():
    forward()
    loader = DataLoader(
        Computed(genesis.randn(24, 64, 64), genesis.arange(24)), batch_size=4, num_workers=2,
        multiprocessing_context={method!r},
    )
    seen = []
    for x, y in loader:
        forward()
        seen += y.tolist()
    print(sorted(seen) == list(range(24)), x.shape)
if __name__ == "__main__":
    main()
"""
    )
    assert run(code, tmp_path) == "True genesis.Size([4, 64, 64])"


@POSIX
def test_interrupts_in_a_loop_of_kernels_all_arrive_and_leave_all_in_order() -> None:
    """Also in the middle of a backward pass, or while memory goes back."""
    code = (
        MODEL
        + """
import random, signal
model = nn.Sequential(nn.Linear(16, 64), nn.GELU(), nn.Linear(64, 10))
data = genesis.randn(32, 16)
optimizer = genesis.optim.AdamW(model.parameters(), lr=0.0)
def train():
    model.zero_grad()
    F.cross_entropy(model(data), genesis.arange(32) % 10).backward()
    optimizer.step()
    return model[0].weight.grad.numpy().tobytes()
signal.signal(signal.SIGALRM, signal.default_int_handler)
wanted = train()
caught = 0
for i in range(400):
    end = time.monotonic() + 20
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.001 + 0.004 * random.random())
        while time.monotonic() < end:
            train()
    except KeyboardInterrupt:
        caught += 1
    assert train() == wanted
print(caught, genesis.get_num_threads())
"""
    )
    assert run(code) == "400 3"


@ALL
@POSIX
def test_interrupts_of_the_first_compilations_leave_a_compiler_that_works(tmp_path: Path) -> None:
    code = (
        MODEL
        + """
import signal
signal.signal(signal.SIGALRM, signal.default_int_handler)
optimizer = genesis.optim.AdamW(model.parameters(), lr=0.0)
def train():
    found = step()
    optimizer.step()
    return found
caught, results = 0, set()
while len(results) < 20:
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01 + 0.01 * (caught % 7))
        while True:
            results.add((len(results), train()))
    except KeyboardInterrupt:
        caught += 1
signal.setitimer(signal.ITIMER_REAL, 0)
print(caught > 10, {found for _, found in results} == {train()})
"""
    )
    assert run(code, kernels=tmp_path) == "True True"


INTERRUPTED = """
import faulthandler, random, signal, sys, time, warnings, genesis
from pathlib import Path
faulthandler.dump_traceback_later(500, exit=True)
signal.signal(signal.SIGALRM, signal.default_int_handler)
random.seed(0)
printed = []
def note(report):  # Python cannot raise what comes in a `__del__` or weakref callback of its own library
    module = getattr(report.object, "__module__", "")
    assert module.split(".")[0] in sys.stdlib_module_names, (module, report)
    printed.append(report.exc_type)
sys.unraisablehook = note
def interrupted(work, longest):
    printed.clear()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0005 + longest * random.random())
        end = time.monotonic() + 20
        while time.monotonic() < end and not printed:
            work()
        if printed != [KeyboardInterrupt]:
            raise SystemExit("the interrupt was lost")
    except KeyboardInterrupt:
        pass
"""


@ALL
@POSIX
@pytest.mark.parametrize("persistent", [False, True])
def test_interrupts_of_passes_with_workers_leave_a_loader_that_works(
    tmp_path: Path, persistent: bool
) -> None:
    code = (
        INTERRUPTED
        + f"""
from genesis.data import DataLoader, TensorDataset
def main():
    loader = DataLoader(
        TensorDataset(genesis.arange(60)), 4, shuffle=True, num_workers=2, persistent_workers={persistent}
    )
    for _ in range(40):
        interrupted(lambda: list(loader), 0.1)
        assert sorted(int(x) for (batch,) in loader for x in batch) == list(range(60))
    print("all")
if __name__ == "__main__":
    main()
"""
    )
    assert run(code, tmp_path) == "all"


@ALL
@POSIX
def test_interrupts_of_saving_leave_whole_checkpoints_and_a_free_folder(tmp_path: Path) -> None:
    code = (
        INTERRUPTED
        + """
from genesis.checkpoint import Checkpointer, load_checkpoint
state = genesis.zeros(100_000)
def save():
    with Checkpointer("run", every=1, keep=2, state=state) as checkpointer:
        checkpointer.resume()
        for _ in range(5):
            state.fill_(checkpointer.global_step + 1)
            checkpointer.step()
save()
for _ in range(150):
    interrupted(save, 0.03)
    for path in Path("run").glob("*.ckpt"):
        found = load_checkpoint(path)
        assert (found["state"] == found["step"]).all(), path
with Checkpointer("run", keep=2, state=state) as checkpointer:
    assert (state == checkpointer.resume()).all()
print("all")
"""
    )
    assert run(code, tmp_path) == "all"


@ALL
@POSIX
def test_an_interrupt_of_a_program_ends_it() -> None:
    # what a shell starts in the background ignores the signal, and so do its children
    heard = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code = MODEL + heard + "step()\nprint('ready', flush=True)\nwhile True:\n    step()\n"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    try:
        _, errors = process.communicate(timeout=300)
    finally:
        process.kill()
    assert process.returncode in (-signal.SIGINT, 130), errors
    assert "KeyboardInterrupt" in errors


@pytest.mark.parametrize("daemon", [pytest.param(False, marks=ALL), True])
def test_the_end_of_the_interpreter_while_a_thread_saves(tmp_path: Path, daemon: bool) -> None:
    """The file is the old one or the new one."""
    code = (
        MODEL
        + f"""
state = {{"big": genesis.ones(2_000_000), "step": 0}}
genesis.save(state, "a.pth")
def work():
    for i in range(1, 30 if {daemon} else 3):
        genesis.save({{**state, "step": i}}, "a.pth")
forward()
threading.Thread(target=work, daemon={daemon}).start()
time.sleep(0.03)
"""
    )
    run(code, tmp_path)
    check = "import genesis; s = genesis.load('a.pth'); assert s['big'].sum() == 2e6; print(s['step'])"
    done = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, cwd=tmp_path, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == 2 or daemon


@ALL
def test_the_end_of_the_interpreter_while_a_thread_computes() -> None:
    code = (
        MODEL
        + """
def work():
    while True:
        forward()
threading.Thread(target=work, daemon=True).start()
time.sleep(0.2)
print("end")
"""
    )
    for _ in range(3):
        assert run(code) == "end"


def test_no_network_while_training_saving_and_listing(tmp_path: Path) -> None:
    """With sockets denied, everything that a script does by itself works."""
    code = (
        """
import sys
def deny(event, args):
    if event.startswith(("socket.", "urllib.", "ftplib.", "smtplib.", "http.client.")):
        raise PermissionError(f"{event} {args!r:.100}")
sys.addaudithook(deny)
"""
        + MODEL
        + """
optimizer = genesis.optim.AdamW(model.parameters())
scheduler = genesis.optim.lr_scheduler.CosineAnnealingLR(optimizer, 3)
for _ in range(3):
    step(); optimizer.step(); scheduler.step()
genesis.save({"model": model.state_dict()}, "a.pth")
genesis.load("a.pth")
genesis.list_optimizers(); genesis.list_schedulers(); genesis.list_backends()
from genesis.data import load_digits, load_fashion_mnist, datasets
load_digits(); load_fashion_mnist()
try:
    datasets.MNIST("nowhere", download=True)
except FileNotFoundError as error:
    assert "nothing is downloaded" in str(error)
from genesis.cli import main
sys.argv = ["genesis", "train", "digits", "--epochs", "1", "--out", "run"]
try:
    main()
except SystemExit as end:
    print("ended with", end.code)
"""
    )
    assert run(code, tmp_path).splitlines()[-1] in ("ended with 0", "ended with None")
