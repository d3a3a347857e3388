"""Run a script on two machines, played by two network namespaces: they share neither a name nor memory.

    python tests/distributed/hosts.py [--delay 1ms] [--rate 1gbit] SCRIPT WORD...

It needs root and `ip`; what shapes the network needs `tc`. The mpiexec is that beside Python.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ADDRESSES = ("10.77.90.1", "10.77.90.2")
LAUNCHED = re.compile(r"^(PMI_|PMIX_|OMPI_|HYDRA_|MPI_LOCAL|RANK$|WORLD_SIZE$|LOCAL_RANK$|LOCAL_WORLD_SIZE$)")
# What launchers call in the place of ssh: it enters the namespace and gives the "machine" a name of its own.
ENTER = """#!/bin/bash
while [[ $1 == -* ]]; do shift; done
case $1 in {0}) ns={2}; name=hosta;; {1}) ns={3}; name=hostb;; esac
shift
exec ip netns exec $ns unshare --uts bash -c "hostname $name; $*"
"""


class NoHosts(Exception):
    """This machine cannot play two."""


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, timeout=300)


class Hosts:
    """Two namespaces with a cable between them.

    Args:
        names: of the namespaces.
        enter: the script that launchers call.
    """

    def __init__(self, names: list[str], enter: Path) -> None:
        self.names, self.enter = names, enter

    def shape(self, delay: str = "", rate: str = "") -> None:
        """Make the cable slow: each message takes the delay, and no more than the rate comes through.

        Raises:
            NoHosts: there is no `tc`, or the kernel cannot shape.
        """
        if delay:
            how = ["netem", "delay", delay, *(("rate", rate) if rate else ()), "limit", "100000"]
        else:  # of the simplest kind, which more kernels have
            how = ["tbf", "rate", rate, "burst", "64kb", "latency", "400ms"]
        try:
            for name in self.names:
                _run(
                    "ip",
                    "netns",
                    "exec",
                    name,
                    "tc",
                    "qdisc",
                    "replace",
                    "dev",
                    "eth0",
                    "root",
                    *how,
                )
        except (OSError, subprocess.CalledProcessError) as error:
            raise NoHosts(
                f"the network cannot be shaped: {getattr(error, 'stderr', b'') or error!r}"
            ) from None

    def run(self, *words: str, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        """Run Python with these words in two processes, one on each."""
        mpiexec = str(Path(sys.executable).with_name("mpiexec"))
        said = subprocess.run([mpiexec, "--version"], capture_output=True, text=True, timeout=300).stdout
        environment = {k: v for k, v in os.environ.items() if not LAUNCHED.match(k)}
        environment |= {"NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        if "HYDRA" in said.upper():
            environment |= {"UCX_TLS": "tcp,self", "UCX_NET_DEVICES": "eth0"}
            reach = [
                "-localhost",
                ADDRESSES[0],
                "-hosts",
                ",".join(ADDRESSES),
                "-launcher-exec",
                str(self.enter),
            ]
            reach += ["-ppn", "1"]
        else:
            environment |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
            reach = ["--host", ",".join(f"{a}:1" for a in ADDRESSES), "--map-by", "node"]
            reach += ["--prtemca", "plm_ssh_agent", str(self.enter)]
            reach += [
                "--mca",
                "pml",
                "ob1",
                "--mca",
                "btl",
                "tcp,self",
                "--mca",
                "btl_tcp_if_include",
                "eth0",
            ]
            reach += ["--mca", "mpi_yield_when_idle", "1"]
            for name in ("PYTHONPATH", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "GENESIS_CACHE_DIR"):
                reach += ["-x", name] if name in environment else []
        # the launcher itself has to be where the machines can reach it
        command = ["ip", "netns", "exec", self.names[0], mpiexec, *reach, "-n", "2", sys.executable, *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout)


@contextmanager
def two_hosts() -> Iterator[Hosts]:
    """Two machines, as long as the context lasts.

    Raises:
        NoHosts: this machine allows no namespaces.
    """
    if os.getuid() != 0 or not shutil.which("ip"):
        raise NoHosts("namespaces need root and `ip`")
    names = [f"genesis{os.getpid()}{side}" for side in "ab"]
    ends = [f"gen{os.getpid()}{side}"[-15:] for side in "ab"]
    with tempfile.TemporaryDirectory() as folder:
        try:
            try:
                for name in names:
                    _run("ip", "netns", "add", name)
                _run("ip", "link", "add", ends[0], "type", "veth", "peer", "name", ends[1])
                for name, end, address in zip(names, ends, ADDRESSES, strict=True):
                    _run("ip", "link", "set", end, "netns", name)
                    for words in (
                        ("link", "set", end, "name", "eth0"),
                        ("addr", "add", f"{address}/24", "dev", "eth0"),
                        ("link", "set", "eth0", "up"),
                        ("link", "set", "lo", "up"),
                    ):
                        _run("ip", "-n", name, *words)
            except (OSError, subprocess.CalledProcessError) as error:
                raise NoHosts(f"this machine allows no namespaces: {error}") from None
            enter = Path(folder) / "enter.sh"
            enter.write_text(ENTER.format(*ADDRESSES, *names))
            enter.chmod(0o755)
            yield Hosts(names, enter)
        finally:
            for name in names:
                subprocess.run(["ip", "netns", "delete", name], capture_output=True, timeout=300)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--delay", default="", help="such as 1ms: how long each message takes")
    parser.add_argument("--rate", default="", help="such as 1gbit: how much comes through")
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="SCRIPT WORD...")
    given = parser.parse_args()
    try:
        with two_hosts() as hosts:
            if given.delay or given.rate:
                hosts.shape(given.delay, given.rate)
            done = hosts.run("-m", "mpi4py", *given.words, timeout=600)
    except NoHosts as error:
        sys.exit(str(error))
    sys.stdout.write(done.stdout)
    sys.stderr.write(done.stderr)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
