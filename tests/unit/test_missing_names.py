"""What is said about names that Genesis does not have, PyTorch's above all."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

import genesis
from genesis import nn


def test_a_name_of_pytorch_gets_a_hint() -> None:
    with pytest.raises(AttributeError, match=r"genesis\.fft: not implemented; the nearest is NumPy"):
        _ = genesis.fft
    with pytest.raises(AttributeError, match=r"genesis\.fft: not implemented"):
        genesis.fft.rfft(genesis.ones(2))
    with pytest.raises(AttributeError, match=r"genesis\.complex: .* two tensors"):
        _ = genesis.complex
    with pytest.raises(
        AttributeError,
        match=r"genesis\.nn\.parallel\.parallel_apply: not implemented; the nearest is nn",
    ):
        nn.parallel.parallel_apply  # noqa: B018
    with pytest.raises(
        AttributeError, match=r"genesis\.optim\.SparseAdam: not implemented; gradients are dense"
    ):
        genesis.optim.SparseAdam  # noqa: B018


def test_a_misspelt_name_gets_the_nearest() -> None:
    with pytest.raises(
        AttributeError, match=r"module 'genesis' has no attribute 'tensr'; did you mean 'tensor'"
    ):
        genesis.tensr  # noqa: B018
    with pytest.raises(AttributeError, match="did you mean 'relu'"):
        nn.functional.rellu  # noqa: B018
    with pytest.raises(AttributeError, match="did you mean 'xavier_uniform_'"):
        nn.init.xavier_uniform__  # noqa: B018


def test_methods_of_tensors() -> None:
    x = genesis.ones(2)
    for thing in (x, genesis.Tensor):
        with pytest.raises(AttributeError, match=r"genesis\.Tensor\.cfloat: not implemented; "):
            thing.cfloat  # noqa: B018
        assert not hasattr(thing, "cfloat")
        assert getattr(thing, "cfloat", None) is None
    assert "cfloat" not in dir(x)
    assert "add" in dir(x)
    x.names = ("N",)  # a name of one's own is no matter
    assert x.names == ("N",)

    class Mine(genesis.Tensor):
        def cfloat(self) -> int:
            return 1

    assert Mine([1.0]).cfloat() == 1


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("import genesis.fft", "genesis.fft: not implemented; the nearest is NumPy"),
        ("from genesis import fft", "genesis.fft: not implemented; the nearest is NumPy"),
        ("from genesis.nn.parallel import replicate", "the nearest is nn.parallel.DistributedDataParallel"),
        (
            "from genesis.nn.parallel import DistributedDataParallelCPU",
            "the nearest is nn.parallel.DistributedDataParallel",
        ),
        ("from genesis.nn.functional import rellu", "did you mean 'relu'"),
        ("from genesis.nn.init import xavier_uniform__", "did you mean 'xavier_uniform_'"),
        ("from genesis.optim import SparseAdam", "gradients are dense"),
        ("from genesis.optim.lr_scheduler import LamdaLR", "did you mean 'LambdaLR'"),
    ],
)
def test_imports_say_the_same(statement: str, text: str) -> None:
    with pytest.raises(ImportError) as caught:
        exec(statement)
    assert isinstance(caught.value, ModuleNotFoundError)
    assert text in str(caught.value)


def test_asking_is_no_import() -> None:
    assert importlib.util.find_spec("genesis.fft") is None
    assert not hasattr(genesis, "fft")
    with pytest.raises(ModuleNotFoundError, match="No module named 'genesis_nothing'"):
        importlib.import_module("genesis_nothing")


def test_the_lists_are_read_after_a_failure_only() -> None:
    code = (
        "import sys, genesis; dir(genesis); genesis.GenesisError\n"
        "assert 'genesis._missing' not in sys.modules\n"
        "assert not hasattr(genesis, 'fft')\n"
        "assert 'genesis._missing.hints' in sys.modules and 'numpy' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
