"""``genesis.jit`` returns what it is given, so that code written for a compiler runs."""

from __future__ import annotations

from typing import Any

import pytest

import genesis
from genesis import nn


def test_decorated_code_runs_as_it_is_written() -> None:
    @genesis.jit.script
    def scaled(x: Any, by: float) -> Any:
        return x * by

    class Net(nn.Module):
        __constants__ = ("by",)
        by: genesis.jit.Final[float]

        def __init__(self) -> None:
            super().__init__()
            self.by = 2.0

        @genesis.jit.unused
        def never(self) -> None: ...

        @genesis.jit.ignore(drop=True)
        def nor_this(self) -> None: ...

        @genesis.jit.ignore
        def neither(self) -> None: ...

        @genesis.jit.export
        def forward(self, x: Any) -> Any:
            return x if genesis.jit.is_scripting() or genesis.jit.is_tracing() else scaled(x, self.by)

    net = Net()
    x = genesis.ones(2)
    for made in (genesis.jit.script(net), genesis.jit.trace(net, x), genesis.jit.freeze(net)):
        assert made is net
    assert net(x).tolist() == [2, 2]
    assert callable(net.never)
    assert callable(net.nor_this)
    assert callable(net.neither)
    assert not isinstance(net, genesis.jit.ScriptModule)
    assert genesis.jit.isinstance([1], list[int])
    assert not genesis.jit.isinstance(1, (str, list[int]))
    assert genesis.jit.annotate(int, 3) == 3


def test_files_of_compiled_models_are_not_there() -> None:
    with pytest.raises(AttributeError, match=r"genesis\.jit\.save: not implemented; .*genesis\.save"):
        genesis.jit.save(nn.Linear(2, 2), "a.pt")


def test_a_compiler_that_is_told_to_keep_out_does() -> None:
    @genesis.compiler.disable
    def one() -> int:
        return 1

    @genesis.compiler.disable(recursive=False)
    def two() -> int:
        return 2

    with genesis.compiler.set_stance("force_eager"):
        assert (one(), two()) == (1, 2)
    assert not genesis.compiler.is_compiling()
    assert genesis.compiler.compile(one) is one
    genesis.compiler.reset()


def test_a_script_can_catch_a_lack_of_memory() -> None:
    assert genesis.cuda.OutOfMemoryError is genesis.OutOfMemoryError
    assert issubclass(genesis.OutOfMemoryError, RuntimeError)
