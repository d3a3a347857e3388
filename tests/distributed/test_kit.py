"""The kit of authors of communicators: on MPI, and on communicators that are wrong in one thing each."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from genesis.distributed import is_mpi_available
from genesis.plugin import UnknownNameError
from genesis.testing import Check, check_communicator, parametrize

more = pytest.mark.skipif(os.environ.get("GENESIS_TEST_ALL") != "1", reason="needs GENESIS_TEST_ALL=1")
mpi = pytest.mark.skipif(not is_mpi_available(), reason="needs the extra `mpi`")


@mpi
@parametrize(check_communicator("mpi"))
def test_mpi(check: Check) -> None:
    check()


@more
@mpi
@parametrize(check_communicator("mpi", processes=3))
def test_mpi_with_more_processes(check: Check) -> None:
    check()


def broken() -> Any:
    spec = importlib.util.spec_from_file_location(
        "broken_communicators", Path(__file__).with_name("broken.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FOUND_BY = broken().FOUND_BY if is_mpi_available() else {}


@mpi
@pytest.mark.parametrize(
    "wrong", [pytest.param(w, marks=() if w.__name__ == "Rooted" else more, id=w.__name__) for w in FOUND_BY]
)
def test_what_is_wrong_is_found(wrong: type) -> None:
    number = 3 if wrong.__name__ == "Stranger" else 2
    failed = {}
    for check in check_communicator(wrong, processes=number, timeout=3, only=FOUND_BY[wrong]):
        try:
            check()
        except AssertionError as error:
            failed[check.name] = str(error)
    assert list(failed) == [FOUND_BY[wrong]]
    if wrong.__name__ == "NotThere":
        assert "the network is down" in failed["loads"]
    if wrong.__name__ == "Nothing":
        assert "did not come back within 3 s" in failed["all_reduce/0"]
    if wrong.__name__ == "Rooted":
        assert "17 int32 of rank 1, in bytes: element 0 of 68 is" in failed["broadcast/int32"]


@more
@mpi
def test_after_a_wrong_answer_the_next_questions_are_asked() -> None:
    wrong = next(w for w in FOUND_BY if w.__name__ == "Numbered")
    failed = []
    for check in check_communicator(wrong, timeout=3):
        try:
            check()
        except AssertionError:
            failed.append(check.name)
    assert failed == ["group/order", "group/messages"]


def test_what_is_no_communicator_is_refused() -> None:
    with pytest.raises(TypeError, match=r"subclass of genesis\.distributed\.Communicator, got 3"):
        check_communicator(3)
    with pytest.raises(UnknownNameError):
        check_communicator("nobody")
    with pytest.raises(ValueError, match="numbers from 2"):
        check_communicator("mpi", processes=1)
    with pytest.raises(ValueError, match="no check fits only='messages'"):
        check_communicator("mpi", only="messages")
    with pytest.raises(ValueError, match="no such check"):
        check_communicator("mpi", {"all_reduse/*": "because"})


@more
@pytest.mark.parametrize("number", [2, 3])
def test_the_communicator_of_the_manual_passes(number: int, tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "plugins" / "communicator.md"
    code = page.read_text().split("```python\n")[1].split("```")[0]
    file = tmp_path / "sockets.py"
    file.write_text(code)
    spec = importlib.util.spec_from_file_location("sockets_of_the_manual", file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for check in check_communicator(module.Sockets, processes=number, launch=()):
        check()
