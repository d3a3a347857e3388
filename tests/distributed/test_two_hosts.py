"""Two network namespaces play two machines: ranks that share neither a name nor memory talk by TCP."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from genesis.distributed import is_mpi_available

HERE = Path(__file__).parent
SCRIPTS = HERE / "scripts"
pytestmark = [
    pytest.mark.skipif(os.environ.get("GENESIS_TEST_ALL") != "1", reason="needs GENESIS_TEST_ALL=1"),
    pytest.mark.skipif(not is_mpi_available(), reason="needs the extra `mpi`"),
]
_spec = importlib.util.spec_from_file_location("hosts_of_tests", HERE / "hosts.py")
assert _spec is not None
assert _spec.loader is not None
machines = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(machines)


@pytest.fixture(scope="module")
def hosts() -> Iterator[Any]:
    try:
        with machines.two_hosts() as found:
            yield found
    except machines.NoHosts as error:
        pytest.skip(str(error))


def run(hosts: Any, script: str, *words: str) -> str:
    done = hosts.run("-m", "mpi4py", str(SCRIPTS / script), *words)
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-3000:]
    return str(done.stdout)


def test_collective_operations_over_tcp(hosts: Any) -> None:
    said = run(hosts, "collectives.py")
    assert "rank 0 is done" in said
    assert "rank 1 is done" in said


def test_training_over_tcp_gives_the_same_losses(hosts: Any) -> None:
    alone = subprocess.run(
        [sys.executable, str(SCRIPTS / "training.py"), "6", "buckets"],
        env={k: v for k, v in os.environ.items() if not machines.LAUNCHED.match(k)},
        capture_output=True, text=True, timeout=300, check=True,
    ).stdout  # fmt: skip
    losses = [
        [float(x.split()[1]) for x in s.splitlines() if x.startswith("loss")]
        for s in (alone, run(hosts, "training.py", "6", "buckets"))
    ]
    assert losses[0] == pytest.approx(losses[1], rel=2e-5)
