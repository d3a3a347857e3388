"""Scripts that several processes run, started as users start them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from genesis.distributed import is_mpi_available

SCRIPTS = Path(__file__).parent / "scripts"
#: more than one process and more than a few seconds: not in the everyday tests
ALL = os.environ.get("GENESIS_TEST_ALL") == "1"
#: what a launcher of our own tests must not inherit
LAUNCHED = re.compile(r"^(PMI_|PMIX_|OMPI_|HYDRA_|MPI_LOCAL|RANK$|WORLD_SIZE$|LOCAL_RANK$|LOCAL_WORLD_SIZE$)")

Ranks = Callable[..., "subprocess.CompletedProcess[str]"]


def launcher(number: int) -> list[str]:
    mpiexec = Path(sys.executable).with_name("mpiexec")
    found = str(mpiexec) if mpiexec.exists() else shutil.which("mpiexec")
    assert found, "there is no mpiexec beside Python"
    return [found, "-n", str(number)]


@pytest.fixture
def ranks(tmp_path: Path) -> Ranks:
    """`ranks(2, "script.py", ...)` runs a script of `scripts/` in two processes."""
    if not is_mpi_available():
        pytest.skip("needs the extra `mpi`")

    def run(
        number: int,
        script: str,
        *words: object,
        fails: bool = False,
        runner: bool = True,
        timeout: float = 300,
    ) -> subprocess.CompletedProcess[str]:
        environment = {k: v for k, v in os.environ.items() if not LAUNCHED.match(k)}
        environment |= {"NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OMPI_ALLOW_RUN_AS_ROOT": "1"}
        environment |= {
            "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
            "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
        }
        python = [sys.executable, *(["-m", "mpi4py"] if runner else [])]
        command = [*launcher(number), *python, str(SCRIPTS / script), *map(str, words)]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=timeout
        )
        if not fails:
            assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        return done

    return run
