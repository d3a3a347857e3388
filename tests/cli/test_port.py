"""`genesis port`: imports change, everything else stays, and what is missing is named."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from genesis.cli._porting import lacking, swap_imports

SCRIPT = '''"""Mentions import torch."""
import math, torch  # both
import torch.nn as nn
import torch.nn.functional as F
import torch.utils.data
from torch import optim
from torch.utils.data import (
    DataLoader,  # batches
    TensorDataset as Pairs,
)
from torchvision import transforms
if True:
    from torch.nn import Linear; x = 1
text = "import torch"
layer = nn.Linear(2, 3)
print(torch.fft.rfft, F.relu(layer(torch.ones(1, 2))).shape, torch.utils.data.DataLoader is DataLoader)
'''


def command(*words: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "genesis", "port", *map(str, words)]
    return subprocess.run(line, capture_output=True, text=True, timeout=300)


def test_only_the_imports_change() -> None:
    changed = swap_imports(SCRIPT)
    modules = [
        n.module if isinstance(n, ast.ImportFrom) else n.names[0].name
        for n in ast.walk(ast.parse(changed))
        if isinstance(n, ast.Import | ast.ImportFrom)
    ]
    assert not [m for m in modules if m and m.startswith("torch")]
    for line in ('"""Mentions import torch."""', 'text = "import torch"', "layer = nn.Linear(2, 3)"):
        assert line in changed
    assert "from genesis.utils.data import DataLoader, TensorDataset as Pairs" in changed
    assert "import genesis as torch  # both" in changed
    assert "    from genesis.nn import Linear; x = 1" in changed


def test_an_import_that_a_script_can_do_without_is_not_reported() -> None:
    tried = (
        "try:\n    from torch.utils.tensorboard import SummaryWriter\nexcept {}:\n    SummaryWriter = None\n"
    )
    for caught in ("ImportError", "(ModuleNotFoundError, OSError)", "Exception as error"):
        assert not lacking(tried.format(caught))
    assert [found.line for found in lacking(tried.format("ValueError"))] == [2]


def test_a_script_without_pytorch_stays_as_it_is() -> None:
    source = "import numpy as np\nimport torchaudio_like\nfrom . import torch\n"
    assert swap_imports(source) == source


def test_a_script_is_written_and_runs(tmp_path: Path) -> None:
    script = tmp_path / "net.py"
    script.write_text(
        SCRIPT.replace("torch.fft.rfft, ", "").replace("from torchvision import transforms\n", "")
    )
    done = command(script, "-o", tmp_path / "ported.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    ran = subprocess.run(
        [sys.executable, tmp_path / "ported.py"], capture_output=True, text=True, timeout=300
    )
    assert ran.stdout == "genesis.Size([1, 3]) True\n", ran.stderr
    again = command(script, "-o", tmp_path / "ported.py")
    assert again.returncode == 2
    assert "exists" in again.stderr


def test_what_is_missing_is_named_with_its_line(tmp_path: Path) -> None:
    script = tmp_path / "net.py"
    script.write_text(SCRIPT)
    done = command(script, "--check")
    assert done.returncode == 1
    assert done.stdout == ""
    assert f"{script}:16: genesis.fft: not implemented" in done.stderr


@pytest.mark.parametrize("content", [b"def f(:", b"\xff\xfe\x00"])
def test_what_is_no_script_is_refused(tmp_path: Path, content: bytes) -> None:
    script = tmp_path / "net.py"
    script.write_bytes(content)
    done = command(script)
    assert done.returncode == 2
    assert "net.py is no" in done.stderr
    assert "Traceback" not in done.stderr
