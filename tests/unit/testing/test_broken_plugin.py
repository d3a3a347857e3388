"""Plugins with one mistake each: the check for it fails and says what to do, and the others pass."""

from __future__ import annotations

import importlib
import re
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

import genesis
from genesis.testing import Check, check_plugin

METADATA = f"""\
Metadata-Version: 2.4
Name: {{name}}
Version: 1.5
Summary: Learning-rate schedules of Acme.
License-Expression: MIT
Requires-Python: >=3.10
Requires-Dist: genesis-dl>={genesis.__version__}

# Acme

It has the schedule Slope.
"""
DECLARATION = """\
from genesis.plugin import SchedulerSpec, hookimpl

@hookimpl
def genesis_schedulers():
    return [SchedulerSpec("Slope", "acme_slopes.slope:Slope", "A straight line.")]
"""
TARGET = """\
from dataclasses import dataclass
from genesis.optim import Schedule

@dataclass(frozen=True, repr=False)
class Slope(Schedule):
    def at(self, step):
        return 1 / (1 + step)
"""
BACKEND = """\
from genesis.backend import Availability, Backend

class Slope(Backend):
    name = "Slope"
    def allocate(self, nbytes, index): ...
    def write(self, out, source): ...
    def read(self, x): ...
    def map(self, expr, out, *inputs): ...
    def reduce(self, op, out, x): ...
    def matmul(self, out, a, b): ...
    def gather(self, out, x, index, axis): ...
    def scatter(self, op, out, index, source, axis): ...
"""

# NumPy takes long, and changes the filters of warnings when it is imported.
COST_OF_NUMPY = {"declaration/time", "declaration/leaves_the_process_alone"}

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """A function that puts a distribution on the path: `acme-slopes`, with some of its files replaced."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(
        plugin: str = DECLARATION,
        target: str = TARGET,
        init: str = "",
        metadata: str = METADATA,
        group: str = "genesis.schedulers",
        value: str = "acme_slopes.plugin",
        name: str = "acme-slopes",
        more: str = "",
    ) -> None:
        package = tmp_path / name.replace("-", "_")
        package.mkdir()
        for file, text in (("__init__", init), ("plugin", plugin), ("slope", target)):
            (package / f"{file}.py").write_text(textwrap.dedent(text))
        info = tmp_path / f"{package.name}-1.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(metadata.format(name=name))
        (info / "entry_points.txt").write_text(f"[{group}]\nacme = {value}\n{more}")
        importlib.invalidate_caches()

    return write


def failures(name: str = "acme-slopes") -> dict[str, str]:
    """Run the checks; return those that fail and what they say."""
    found = {}
    for check in check_plugin(name):
        try:
            check()
        except AssertionError as error:
            found[check.name] = str(error)
    return found


def expect(name: str, *sentences: str) -> None:
    found = failures()
    assert list(found) == [name], found
    for sentence in sentences:
        assert re.search(sentence, found[name]), found[name]


def test_a_plugin_without_a_mistake_passes(install: Install) -> None:
    install()
    assert failures() == {}
    assert failures("acme_slopes") == {}, "names are found as GENESIS_DISABLE_PLUGINS finds them"
    assert failures("acme") == {}, "this is the name of the plugin"
    names = [check.name for check in check_plugin("acme")]
    assert "declaration/imports" in names
    assert "targets/probe" not in names, "it has no device"


def test_an_unknown_name_is_an_error_at_once(install: Install) -> None:
    install()
    with pytest.raises(genesis.UnknownNameError, match=r"did you mean 'acme-slopes'.*pip install -e"):
        check_plugin("acme-slope")
    with pytest.raises(ValueError, match="there is no such check; did you mean 'metadata/readme'"):
        check_plugin("acme-slopes", {"metadata/redme": "later"})


def test_what_is_expected_to_fail(install: Install) -> None:
    install(metadata=METADATA.replace("License-Expression: MIT\n", ""))
    checks = {c.name: c for c in check_plugin("acme", {"metadata/licence": "the lawyers are at it"})}
    with pytest.raises(pytest.xfail.Exception, match="the lawyers are at it"):
        checks["metadata/licence"]()
    passing = next(c for c in check_plugin("acme", {"metadata/summary": "?"}) if c.name == "metadata/summary")
    with pytest.raises(AssertionError, match="take it out of expected_failures"):
        passing()


# -- it does not load --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"plugin": "import nothing_like_it"},
            r"'acme' of acme-slopes 1.5.*No module named 'nothing_like_it'",
        ),
        ({"plugin": DECLARATION.replace("schedulers()", "schedulrs()")}, "did you mean 'genesis_schedulers'"),
        ({"plugin": "import sys; sys.exit(3)"}, "SystemExit: 3"),
        ({"plugin": "import os; os._exit(7)"}, "ended by itself with exit code 7"),
        ({"plugin": "from genesis.optim import AdamW\n" + DECLARATION}, "while it declares itself"),
        ({"value": "acme_slopes.plugin:plugin"}, "acme_slopes.plugin:plugin"),
        ({"group": "genesis.scheduler"}, "'genesis.scheduler' is unknown.*did you mean 'genesis.schedulers'"),
        ({"group": "console_scripts"}, "has no plugin: its pyproject.toml needs a table"),
    ],
    ids=["import", "hook", "exit", "hard-exit", "asks", "value", "group", "none"],
)
def test_one_check_says_why_it_does_not_load(install: Install, files: dict[str, str], said: str) -> None:
    install(**files)
    expect("loads", f"(?s){said}")
    with pytest.raises(ValueError, match="no such check"):  # keys are still looked at
        check_plugin("acme-slopes", {"metdata": "?"})
    assert [c.name for c in check_plugin("acme-slopes", {"metadata/summary": "later"})] == ["loads"]


# -- the declaration ---------------------------------------------------------------------------------


def test_a_heavy_import(install: Install) -> None:
    install(init="from acme_slopes import slope\n", target="import numpy\n" + TARGET)
    found = failures()
    assert set(found) - COST_OF_NUMPY == {"declaration/imports"}
    assert re.match(
        r"acme_slopes/__init__\.py imports numpy \(line 1, through acme_slopes\.slope\)",
        found["declaration/imports"],
    )
    assert "python -X importtime" in found["declaration/imports"]


def test_a_heavy_import_through_genesis(install: Install) -> None:
    install(plugin="import genesis.backend\n" + DECLARATION)
    found = failures()
    assert set(found) - COST_OF_NUMPY == {"declaration/imports"}
    assert r"acme_slopes/plugin.py imports numpy (line 1, through genesis)" in found["declaration/imports"]


def test_an_optional_import_that_is_not_there_is_no_import(install: Install) -> None:
    install(plugin="try:\n    import nothing_like_it\nexcept ImportError:\n    pass\n" + DECLARATION)
    assert failures() == {}


def test_a_slow_declaration(install: Install) -> None:
    # Work, not sleep: only what the processor does is counted. It takes as long as it says on any machine.
    work = "import time\nend = time.process_time() + 0.05\nwhile time.process_time() < end:\n    pass\n"
    install(plugin=work + DECLARATION)
    expect("declaration/time", r"acme_slopes\.plugin takes \d+ ms", "python -X importtime")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("print('hello from acme')", "hello from acme"),
        ("import os; os.write(2, b'a line from C')", "a line from C"),
        ("import warnings; warnings.warn('acme is old')", "acme is old"),
    ],
    ids=["print", "descriptor", "warning"],
)
def test_a_declaration_that_prints(install: Install, line: str, said: str) -> None:
    install(init=line)
    expect("declaration/quiet", said, "take the print, the warning or the logging out")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("import warnings; warnings.simplefilter('ignore')", r"the filters of warnings \(.*ignore"),
        ("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)", "signals.*SIGTERM has changed"),
        ("import os; os.environ['ACME_MODE'] = '1'", "environment variables.*ACME_MODE is new"),
        ("import random; random.seed(0)", "the state of random"),
        ("import sys; sys.path.append('/acme')", "sys.path.*/acme is new"),
        ("import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()", "threads"),
    ],
    ids=["warnings", "signal", "environment", "random", "path", "thread"],
)
def test_a_declaration_that_changes_the_process(install: Install, line: str, said: str) -> None:
    install(plugin=f"{line}\n{DECLARATION}")
    expect("declaration/leaves_the_process_alone", said)


def test_a_hook_that_will_go_away(install: Install) -> None:
    # Nothing is deprecated now, so the plugin says it of its own hook.
    going = (
        "from genesis.plugin import specs\n"
        "specs.hookspec(warn_on_impl=DeprecationWarning('schedules go away in 0.9.'))"
        "(specs.genesis_schedulers)\n"
    )
    install(plugin=going + DECLARATION)
    expect("declaration/not_deprecated", r"uses what will go away: schedules go away in 0\.9\.")


def test_a_declaration_of_nothing(install: Install) -> None:
    plugin = "from genesis.plugin import hookimpl\n@hookimpl\ndef genesis_schedulers():\n    return []\n"
    install(plugin=plugin)
    found = failures()
    assert "acme_slopes.plugin returns no schedulers" in found["declaration/declares_something"]
    assert set(found) == {"declaration/declares_something"}


# -- names -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("summary", "said"),
    [
        ("A straight line", "does not end with a full stop"),
        ("A line. It is straight.", "more than one sentence"),
        ("A straight line, " + "very " * 20 + "straight.", r"has \d+ characters; \d+ fit"),
    ],
    ids=["stop", "two", "long"],
)
def test_bad_summaries(install: Install, summary: str, said: str) -> None:
    install(plugin=DECLARATION.replace("A straight line.", summary))
    expect("names/summaries", f"the summary of 'Slope', .*{said}")


def test_a_class_under_another_name(install: Install) -> None:
    install(target=TARGET.replace("class Slope", "class Incline") + "Slope = Incline\n")
    expect("names/classes", "is the class Incline, and it is declared as 'Slope'")


def test_a_name_of_a_built_in(install: Install) -> None:
    install(plugin=DECLARATION.replace('line.")', 'line.", aliases=("lambda-lr",))'))
    expect("names/free", "'lambda-lr' is the name of one of the built-in schedulers")


def test_a_name_of_another_plugin(install: Install) -> None:
    install()
    install(
        plugin=DECLARATION.replace("acme_slopes", "rival_slopes").replace('"Slope"', '"slope"'),
        name="rival-slopes",
        value="rival_slopes.plugin",
    )
    expect("names/free", r"'Slope' is claimed by rival-slopes 1\.5 too", "genesis.plugin.prefer")


# -- targets -----------------------------------------------------------------------------------------


def test_a_target_that_is_not_there(install: Install) -> None:
    install(plugin=DECLARATION.replace("slope:Slope", "slopes:Slope"))
    expect(
        "targets/exist", r"no module 'acme_slopes\.slopes'; did you mean 'acme_slopes\.slope'", "the wheel"
    )


def test_a_target_that_cannot_be_imported(install: Install) -> None:
    install(target="import nothing_like_it\n")
    expect("targets/load", "No module named 'nothing_like_it'", "add it to the dependencies")


def test_an_attribute_that_is_not_there(install: Install) -> None:
    install(plugin=DECLARATION.replace("slope:Slope", "slope:Slop"))
    expect("targets/load", "has no attribute 'Slop'", "package.module:attribute")


def test_a_target_that_ends_the_process(install: Install) -> None:
    install(target="import os; os._exit(9)\n")
    expect("targets/load", "ended by itself with exit code 9", r"The targets are acme_slopes\.slope:Slope")


@pytest.mark.parametrize(
    ("kind", "target", "said"),
    [
        ("scheduler", "Slope = 3", "it is a int"),
        ("scheduler", "class Slope: pass", r"expected a subclass of genesis\.optim\.Schedule or"),
        ("scheduler", "def Slope(*, optimizer): pass", "it is called with optimizer first"),
        (
            "optimizer",
            "class Slope: pass",
            r"expected a subclass of genesis\.optim\.Optimizer, or a function",
        ),
        ("optimizer", "def Slope(): pass", "it is called with params first"),
        ("backend", "class Slope: pass", r"expected a subclass of genesis\.backend\.Backend"),
        ("backend", BACKEND.replace("def matmul", "def mm"), "Slope lacks matmul"),
        ("backend", BACKEND.replace('"Slope"', '"slope2"'), "write `name = 'Slope'`"),
        ("kernel", "def Slope(): pass", "it is called with backend first"),
    ],
)
def test_a_target_of_another_kind(install: Install, kind: str, target: str, said: str) -> None:
    plugin = DECLARATION.replace("schedulers", f"{kind}s").replace("SchedulerSpec", f"{kind.title()}Spec")
    if kind == "kernel":
        plugin = plugin.replace('("Slope"', '("softmax", "cpu"')
    install(
        plugin=plugin,
        target=target,
        group=f"genesis.{kind}s",
        metadata=METADATA + "It has a kernel for softmax.\n",
    )
    expect("targets/fit", said)


def test_a_kernel_for_no_operation(install: Install) -> None:
    plugin = DECLARATION.replace("schedulers", "kernels").replace("SchedulerSpec", "KernelSpec")
    install(
        plugin=plugin.replace('("Slope"', '("softmaxx", "cpu"'),
        target="def Slope(backend, x): pass",
        group="genesis.kernels",
        metadata=METADATA + "It has a kernel for softmaxx.\n",
    )
    expect("targets/fit", "no operation 'softmaxx'.*did you mean 'softmax'")


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("def __init__(self): raise OSError('libacme.so')", r"Slope\(\) raises OSError: libacme\.so"),
        ("def probe(self): raise OSError('libacme.so')", r"probe\(\) raises OSError.*Availability\(False, 0"),
        ("def probe(self): return True", "returns True; expected a genesis.backend.Availability"),
        ("def probe(self): return Availability(False)", "says no without a reason"),
    ],
    ids=["init", "raises", "junk", "reason"],
)
def test_a_device_that_does_not_say_whether_it_can_be_used(install: Install, method: str, said: str) -> None:
    plugin = DECLARATION.replace("schedulers", "backends").replace("SchedulerSpec", "BackendSpec")
    install(plugin=plugin, target=f"{BACKEND}    {method}\n", group="genesis.backends")
    expect("targets/probe", said)


# -- metadata ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("summary", "Summary: Learning-rate schedules of Acme.\n", "", "has no summary: add `description"),
        ("licence", "License-Expression: MIT\n", "", "names no licence"),
        ("python", "Requires-Python: >=3.10\n", "", "add `requires-python"),
        ("genesis", "genesis-dl", "numpy", "does not require genesis-dl: add `dependencies"),
        ("genesis", genesis.__version__, "99", r"requires genesis-dl>=99, and this is genesis-dl"),
        ("readme", "Slope", "slopes", "does not mention Slope"),
        ("readme", "\n# Acme\n\nIt has the schedule Slope.\n", "", "has no README in its metadata"),
    ],
)
def test_metadata_that_lack_something(install: Install, name: str, old: str, new: str, said: str) -> None:
    assert old in METADATA
    install(metadata=METADATA.replace(old, new))
    expect(f"metadata/{name}", said)


def test_a_misspelt_group_beside_a_right_one(install: Install) -> None:
    install(more="[genesis.optimisers]\nacme = acme_slopes.plugin\n")
    expect("metadata/entry_points", "did you mean 'genesis.optimizers'", "Install the package again")


def test_what_this_process_has_imported_hides_nothing(install: Install) -> None:
    importlib.import_module("numpy")
    install(plugin="import numpy\n" + DECLARATION)
    assert "declaration/imports" in failures()


def test_checks_are_plain_functions(install: Install) -> None:
    install()
    assert all(isinstance(check, Check) and check() is None for check in check_plugin("acme"))
