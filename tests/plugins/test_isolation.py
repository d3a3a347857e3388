"""Every way in which an installed plugin can be broken, odd or hostile: it hurts nobody else.

Each case is a distribution of its own, built into a wheel and installed by pip. All of them share one
environment with Genesis and one healthy plugin, so every answer also shows that the others are not disturbed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent, indent
from typing import Any, NamedTuple

import pytest

HEAD = "from genesis.plugin import BackendSpec, KernelSpec, OptimizerSpec, SchedulerSpec, hookimpl\n"


def schedules(*names: str, target: str = "{package}.things:Thing", arguments: str = "") -> str:
    """The text of a plugin that declares schedules."""
    specs = ", ".join(f"SchedulerSpec({name!r}, {target!r}, 'A schedule.')" for name in names)
    return f"{HEAD}\n@hookimpl\ndef genesis_schedulers({arguments}):\n    return [{specs}]\n"


def hook(body: str, arguments: str = "") -> str:
    """The text of a plugin whose hook has this body."""
    return f"{HEAD}\n@hookimpl\ndef genesis_schedulers({arguments}):\n{indent(dedent(body), '    ')}\n"


def kernel(op: str, function: str) -> str:
    """The text of a plugin that offers a kernel for the device `ref`."""
    spec = f"KernelSpec({op!r}, 'ref', '{{package}}.things:{function}', 'A kernel.')"
    return f"{HEAD}\n@hookimpl\ndef genesis_kernels():\n    return [{spec}]\n"


class Case(NamedTuple):
    """One distribution.

    Attributes:
        plugin: The text of its `plugin.py`.
        says: A part of the one warning, or nothing if there should be none.
        status: What `list_plugins` shows.
        adds: Names that should be listed because of it.
        things: The text of the module beside it, which is imported only when it is used.
        kind: What it says it adds.
        requires: What its metadata say it needs.
        group: The group of its entry point, where it is not that of its kind.
    """

    plugin: str
    says: str = ""
    status: str = "ok"
    adds: tuple[str, ...] = ()
    things: str = "class Thing: ...\n"
    kind: str = "schedulers"
    requires: str = "genesis-dl"
    group: str = ""


def broken(plugin: str, says: str, **other: Any) -> Case:
    return Case(plugin, says, "broken", **other)


NEWER = "it was written for another version"
MODULE = "should name a module, such as 'acme.plugin'; got "

CASES = {
    # It cannot be asked.
    "import": broken("import nobody_has_this", "ModuleNotFoundError: No module named 'nobody_has_this'"),
    "syntax": broken("def (", "SyntaxError: invalid syntax"),
    "exits": broken("import sys\nsys.exit(3)", "SystemExit: 3"),
    "panics": broken("class Panic(BaseException): ...\nraise Panic('out of bounds')", "Panic: out of"),
    "silent": broken(
        "class Rude(Exception):\n    def __str__(self): raise ValueError\nraise Rude",
        "Rude: (its message cannot",
    ),
    "vanishes": broken("import sys\nsys.modules[__name__] = None", "has no hook 'genesis_schedulers'"),
    # It answers with something else, or not at all.
    "raises": broken(hook("raise RuntimeError('no licence found')"), "RuntimeError: no licence found"),
    "none": broken(hook("pass"), "returned None; it should return a list of SchedulerSpec"),
    "text": broken(hook("return 'Cosine'"), "should return a list of SchedulerSpec, got 'Cosine'"),
    "junk": broken(hook("return (1, 2)"), "should return SchedulerSpec items, got 1"),
    "kind": broken(
        hook("return [OptimizerSpec('A', 'a:A', 'A.')]"), "should return SchedulerSpec items, got O"
    ),
    "bare": broken(hook("return OptimizerSpec('A', 'a:A', 'A.')"), "return a list of SchedulerSpec, got O"),
    "hookless": broken("", "has no hook 'genesis_schedulers'"),
    "misspelt": broken(
        schedules("Misspelt").replace("genesis_schedulers", "genesis_schedulrs"),
        "unknown hook 'genesis_schedulrs'; did you mean 'genesis_schedulers'?",
    ),
    # It asks back.
    "asks": broken("from genesis.optim import LambdaLR", "may not ask for 'LambdaLR' while it"),
    "lists": broken(hook("import genesis; genesis.list_backends(); return []"), "may not ask for the b"),
    # It was written for another Genesis.
    "older": Case(schedules("Older"), adds=("Older",)),
    "newer-argument": broken(schedules("N", arguments="api, features"), "asks for 'features', and Genesis"),
    "newer-name": broken("from genesis.plugin import MetricSpec", NEWER),
    "newer-metadata": broken(
        "from genesis.plugin import MetricSpec",
        "It was made for genesis-dl>=99, and this is ",
        requires="genesis-dl>=99",
    ),
    "newer-but-works": Case(schedules("NewerButWorks"), adds=("NewerButWorks",), requires="genesis-dl>=99"),
    "newer-number": broken(
        hook("if api < 99: raise RuntimeError(f'needs contract 99, not {api}')\nreturn []", "api"),
        "RuntimeError: needs contract 99, not 1",
    ),
    # Its declaration is fine, its target is not.
    "no-module": Case(schedules("NoModule", target="{package}.nowhere:Thing"), adds=("NoModule",)),
    "no-attribute": Case(schedules("NoAttribute", target="{package}.things:Nowhere"), adds=("NoAttribute",)),
    "target-exits": Case(schedules("TargetExits"), adds=("TargetExits",), things="import sys\nsys.exit(4)"),
    # Names that others have.
    "takes-built-in": Case(schedules("StepLR"), adds=("sick-takes-built-in:StepLR",)),
    "twin-a": Case(schedules("Twin"), adds=("sick-twin-a:Twin",)),
    "twin-b": Case(schedules("twin"), adds=("sick-twin-b:twin",)),
    # It works, oddly.
    "slow": Case("import time\ntime.sleep(1)\n" + schedules("Slow"), "s to declare itself", adds=("Slow",)),
    "prints": Case("print('hello')\n" + schedules("Prints"), adds=("Prints",)),
    "warns": Case(
        "import warnings\nwarnings.warn('old', DeprecationWarning)\n" + schedules("Warns"), adds=("Warns",)
    ),
    "replaces": Case(
        f"{HEAD}import sys\nclass Plugin:\n    @hookimpl\n    def genesis_schedulers(self):\n"
        "        return [SchedulerSpec('Replaces', '{package}.things:Thing', 'A.')]\n"
        "sys.modules[__name__] = Plugin()\n",
        adds=("Replaces",),
    ),
    "group": Case(schedules("Group"), status="", group="genesis.scheduler"),
    # Kernels. The first works, the second declines.
    "kernel": Case(
        kernel("softmax", "softmax"),
        adds=("ref:softmax",),
        kind="kernels",
        things="from genesis.testing.reference import native\n"
        "def softmax(backend, x, *, dim):\n    out = backend.empty(x.shape, x.dtype, x.buffer.device)\n"
        "    native(out)[...] = 0.25\n    return out\n",
    ),
    "kernel-declines": Case(
        kernel("log_softmax", "no"),
        adds=("ref:log_softmax",),
        kind="kernels",
        things="asked = []\ndef no(*args, **options):\n    asked.append(1)\n    return NotImplemented\n",
    ),
    "kernel-lost": Case(kernel("layer_norm", "nowhere"), adds=("ref:layer_norm",), kind="kernels"),
    "kernel-raises": Case(
        kernel("embedding", "fails"),
        adds=("ref:embedding",),
        kind="kernels",
        things="def fails(*args, **options):\n    raise ZeroDivisionError('in a kernel')\n",
    ),
    # What follows is damaged after it was installed: `damage` below.
    "empty-metadata": Case(schedules("EmptyMetadata"), adds=("EmptyMetadata",)),
    "binary-metadata": Case(schedules("BinaryMetadata"), adds=("BinaryMetadata",)),
    "lost-metadata": Case(schedules("LostMetadata"), adds=("LostMetadata",)),
    "lost-and-broken": broken("import nobody_has_this", "No module named 'nobody_has_this'"),
    "unparsable": broken(schedules("Unparsable"), "its entry_points.txt cannot be read (TypeError"),
    "binary": broken(schedules("Binary"), "its entry_points.txt cannot be read (UnicodeDecodeError"),
    "malformed": broken(schedules("Malformed"), f"{MODULE}'sick plugin!'"),
    "object": broken(schedules("Object"), f"{MODULE}'sick_object.plugin:x'"),
}

# These would disturb the measure of the others: they are asked for in tests of their own only.
APART = {
    "interrupted": Case("raise KeyboardInterrupt"),
    "threads": Case(
        "import threading\ndef ask():\n    import genesis\n    heard.extend(genesis.list_schedulers())\n"
        "heard = []\nthread = threading.Thread(target=ask)\nthread.start()\nthread.join(0.1)\n"
        + schedules("Threads"),
        adds=("Threads",),
    ),
}

SPEAKING = [name for name, case in CASES.items() if case.says]
BROKEN = [name for name, case in CASES.items() if case.status == "broken"]


def project(folder: Path, name: str, case: Case, version: str = "3.1") -> Path:
    """Write the sources of a distribution."""
    package = f"sick_{name.replace('-', '_')}"
    root = folder / f"{package}-{version}"
    (root / package).mkdir(parents=True)
    (root / package / "__init__.py").write_text("")
    (root / package / "plugin.py").write_text(case.plugin.replace("{package}", package))
    (root / package / "things.py").write_text(case.things)
    (root / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        f'[project]\nname = "sick-{name}"\nversion = "{version}"\ndependencies = ["{case.requires}"]\n'
        f'[project.entry-points."{case.group or f"genesis.{case.kind}"}"]\n{package} = "{package}.plugin"\n'
    )
    return root


def damage(packages: Path) -> None:
    """Do to some of what is installed what a full disk or a careless hand does."""

    def file(name: str, which: str) -> Path:
        return packages / f"sick_{name.replace('-', '_')}-3.1.dist-info" / which

    file("empty-metadata", "METADATA").write_text("")
    file("binary-metadata", "METADATA").write_bytes(b"\x00\xff\xfe\x80" * 100)
    file("lost-metadata", "METADATA").unlink()
    file("lost-and-broken", "METADATA").unlink()
    file("unparsable", "entry_points.txt").write_text("[genesis.schedulers]\nsick_unparsable.plugin\n")
    file("binary", "entry_points.txt").write_bytes(b"[genesis.schedulers]\nsick\xff = sick_binary.plugin\n")
    file("malformed", "entry_points.txt").write_text("[genesis.schedulers]\nsick = sick plugin!\n")
    file("object", "entry_points.txt").write_text("[genesis.schedulers]\nsick = sick_object.plugin:x\n")


@pytest.fixture(scope="module")
def ward(
    environment: Callable[..., Any],
    build_wheels: Callable[..., dict[str, Path]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Any:
    """An environment with Genesis, one healthy plugin, and all the others."""
    folder = tmp_path_factory.mktemp("sick")
    sources = [project(folder, name, case) for name, case in (CASES | APART).items()]
    built = build_wheels(folder / "wheels", *sources)
    made = environment("genesis-dl", "good-schedule")
    made.install(*built.values())
    newer = project(folder, "older", Case(schedules("Older", "Newest")), "4.0")
    made.elsewhere = folder / "elsewhere"  # a folder that a user puts on the path
    made.install("--target", made.elsewhere, *build_wheels(folder / "newer", newer).values())
    damage(made.packages)  # pip itself fails from here on
    return made


def off(*names: str) -> dict[str, str]:
    """The environment in which these are disabled, and those that stand apart."""
    return {"GENESIS_DISABLE_PLUGINS": ",".join(f"sick-{name}" for name in (*APART, *names))}


def only(name: str) -> dict[str, str]:
    """The environment in which all but one are disabled."""
    others = (f"sick-{other}" for other in CASES | APART if other != name)
    return {"GENESIS_DISABLE_PLUGINS": ",".join(others)}


ASK = """
import sys, warnings
warnings.simplefilter("always")
with warnings.catch_warnings(record=True) as caught:
    import genesis
    from genesis.plugin import list_kernels, list_plugins, registry
    answer["names"] = genesis.list_schedulers() + list_kernels()
    plugins = [p for p in list_plugins() if not p.builtin]
    genesis.list_optimizers(), genesis.list_backends(), genesis.list_schedulers(), list_plugins()

    genesis.manual_seed(0)
    inputs = genesis.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], device="ref")
    targets = genesis.tensor([[2.0], [1.0], [3.0]], device="ref")
    model = genesis.nn.Linear(2, 1, device="ref")
    optimizer = genesis.optim.AdamW(model.parameters(), lr=0.2)
    schedulers = [
        genesis.optim.create_scheduler("warm-stay-fall", optimizer, warmup=2, decay=4, total=20),
        genesis.optim.StepLR(optimizer, 100),
    ]
    answer["losses"] = []
    for _ in range(20):
        loss = genesis.nn.MSELoss()(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
        answer["losses"].append(loss.item())
answer["warnings"] = [str(w.message) for w in caught if issubclass(w.category, genesis.PluginWarning)]
answer["plugins"] = {p.distribution: (p.status, p.version, p.error is not None) for p in plugins}
answer["modules"] = list(sys.modules)
"""


def trained(answer: Any) -> bool:
    return bool(answer["losses"][-1] < 0.5 * answer["losses"][0])


@pytest.fixture(scope="module")
def visit(ward: Any) -> Any:
    """What a program sees that uses nothing of the sick plugins."""
    return ward.ask(ASK, **off())


def test_everything_else_works(visit: Any) -> None:
    assert trained(visit)
    assert {"LambdaLR", "StepLR", "Trapeze", "cosine_with_warmup"} <= set(visit["names"])
    assert visit["plugins"]["good-schedule"][:2] == ["ok", "1.2"]


def test_no_warning_but_those_of_the_cases(visit: Any) -> None:
    assert len(visit["warnings"]) == len(SPEAKING), visit["warnings"]


@pytest.mark.parametrize("name", CASES)
def test_one_warning_at_most_and_the_state_is_known(visit: Any, name: str) -> None:
    case = CASES[name]
    own = [text for text in visit["warnings"] if f"sick-{name} 3.1" in text]
    assert len(own) == bool(case.says), own
    assert set(case.adds) <= set(visit["names"])
    if case.status:
        status, version, error = visit["plugins"][f"sick-{name}"]
        assert (status, version) == (case.status, "3.1")
        assert error == (case.status == "broken")
    else:
        assert f"sick-{name}" not in visit["plugins"]
    for text in own:
        assert case.says in text
        assert f"GENESIS_DISABLE_PLUGINS=sick-{name}" in text


def test_no_implementation_is_imported(visit: Any) -> None:
    assert not [
        module for module in visit["modules"] if module.startswith("sick") and module.endswith(".things")
    ]


def test_a_thread_that_a_plugin_starts_gets_its_answer(ward: Any) -> None:
    code = """
plugin = sys.modules["sick_threads.plugin"]
plugin.thread.join(20)
answer["heard"] = plugin.heard
"""
    answer = ward.ask(ASK + code, **only("threads"))
    assert {"LambdaLR", "Trapeze", "Threads"} <= set(answer["heard"])
    assert "Threads" in answer["names"]
    assert answer["warnings"] == []
    assert trained(answer)


def test_disabled_plugins_say_nothing_and_are_not_imported(ward: Any) -> None:
    answer = ward.ask(ASK, **off(*CASES))
    assert answer["warnings"] == []
    assert trained(answer)
    assert not [module for module in answer["modules"] if module.startswith("sick")]
    statuses = {status for name, (status, *_) in answer["plugins"].items() if name.startswith("sick")}
    assert statuses == {"disabled"}
    assert "Trapeze" in answer["names"]


# Asks for each broken plugin while the other sick ones are disabled, as one user has one of them.
STRICTLY = """
import os, traceback
import genesis

os.environ["GENESIS_STRICT_PLUGINS"] = "1"
for name in NAMES:
    os.environ["GENESIS_DISABLE_PLUGINS"] = ",".join(f"sick-{n}" for n in ALL if n != name)
    genesis.plugin.refresh()
    try:
        genesis.list_schedulers()
    except genesis.PluginError as error:
        cause = error.__cause__
        last = traceback.extract_tb(cause.__traceback__)[-1].filename
        answer[name] = [str(error), type(cause).__name__, "".join(traceback.format_exception(cause))]
"""


def test_strict_mode_raises_with_the_original_traceback(ward: Any) -> None:
    setup = f"NAMES = {json.dumps(BROKEN)}\nALL = {json.dumps(list(CASES | APART))}\n"
    answer = ward.ask(setup + STRICTLY)
    assert sorted(answer) == sorted(BROKEN)
    for name, (message, kind, trace) in answer.items():
        assert f"sick-{name} 3.1" in message
        assert CASES[name].says in message
        assert kind in message
        assert "Traceback" in trace or kind in {"SyntaxError", "PluginError"}
    for name, line in {
        "import": "import nobody_has_this",
        "raises": "no licence found",
        "exits": "sys.exit(3)",
    }.items():
        assert line in answer[name][2], "the plugin's own line should be in the traceback"
        assert f"sick_{name}/plugin.py" in answer[name][2].replace("\\", "/")


def test_warnings_as_errors_leave_the_registry_whole(ward: Any) -> None:
    code = """
import genesis
try:
    genesis.list_schedulers()
except genesis.PluginWarning as warning:
    answer["warning"] = str(warning)
answer["names"] = genesis.list_schedulers()
answer["again"] = genesis.list_schedulers() == answer["names"]
answer["optimizer"] = genesis.optim.SGD.__name__
answer["statuses"] = sorted({p.status for p in genesis.plugin.list_plugins()})
"""
    # By the start of its message, because Python takes no category of a package here: it reads this variable
    # before packages can be imported.
    answer = ward.ask(code, **off(), PYTHONWARNINGS="error:plugin")
    assert "GENESIS_DISABLE_PLUGINS=sick-" in answer["warning"]
    assert {"LambdaLR", "Trapeze", "Older"} <= set(answer["names"])
    assert answer["again"]
    assert answer["optimizer"] == "SGD"
    assert answer["statuses"] == ["broken", "disabled", "ok"]


def test_a_warning_of_a_plugin_that_becomes_an_error(ward: Any) -> None:
    answer = ward.ask(ASK.replace('"always"', '"error", DeprecationWarning'), **only("warns"))
    (text,) = answer["warnings"]
    assert "sick-warns 3.1 was skipped: DeprecationWarning: old" in text
    assert trained(answer)


def test_a_user_who_interrupts_is_obeyed(ward: Any) -> None:
    code = """
import genesis
try:
    genesis.list_schedulers()
except KeyboardInterrupt:
    genesis.plugin.disable("sick-interrupted")
    answer["names"] = genesis.list_schedulers()
"""
    answer = ward.ask(code, **only("interrupted"))
    assert {"LambdaLR", "Trapeze"} <= set(answer["names"])


def test_a_target_that_fails_says_whose_it_is(ward: Any) -> None:
    code = """
import warnings
warnings.simplefilter("ignore")
import genesis
for name in ("NoModule", "NoAttribute", "TargetExits"):
    try:
        genesis.plugin.registry("schedulers").resolve(name)
    except genesis.PluginError as error:
        answer[name] = str(error)
try:
    genesis.plugin.registry("schedulers").find("twin")
except genesis.AmbiguousNameError as error:
    answer["twin"] = str(error)
answer["StepLR"] = genesis.optim.StepLR.__module__
"""
    answer = ward.ask(code, **off())
    assert "'NoModule' of sick-no-module 3.1 cannot be imported" in answer["NoModule"]
    assert "No module named 'sick_no_module.nowhere'" in answer["NoModule"]
    assert "sick-no-attribute 3.1" in answer["NoAttribute"]
    assert "no attribute 'Nowhere'" in answer["NoAttribute"]
    assert "sick-target-exits 3.1" in answer["TargetExits"]
    assert "SystemExit: 4" in answer["TargetExits"]
    assert "'sick-twin-a:Twin' or 'sick-twin-b:twin'" in answer["twin"]
    assert answer["StepLR"].startswith("genesis_schedulers")


def test_kernels_that_work_decline_are_lost_or_fail(ward: Any) -> None:
    code = """
import sys, warnings
import genesis
from genesis.nn import functional as F
x = genesis.tensor([[0.0, 0.0]], device="ref")
answer["softmax"] = F.softmax(x, -1).tolist()
answer["log_softmax"] = F.log_softmax(x, -1).tolist()
answer["asked"] = len(sys.modules["sick_kernel_declines.things"].asked)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    y = genesis.tensor([[-1.0, 1.0]], device="ref")
    for _ in range(2):
        answer["layer_norm"] = F.layer_norm(y, (2,), eps=0.0).tolist()
answer["warnings"] = [str(w.message) for w in caught]
try:
    F.embedding(genesis.tensor([0], device="ref"), x)
except ZeroDivisionError as error:
    import traceback
    answer["file"] = traceback.extract_tb(error.__traceback__)[-1].filename
answer["cpu"] = F.softmax(genesis.tensor([[0.0, 0.0]]), -1).tolist()
"""
    answer = ward.ask(code, **off(*BROKEN, "slow"))
    assert answer["softmax"] == [[0.25, 0.25]]  # no softmax, but the plugin's
    assert answer["log_softmax"] == [[pytest.approx(-0.6931472)] * 2]
    assert answer["asked"] == 1
    assert answer["layer_norm"] == [[-1, 1]]
    (text,) = answer["warnings"]
    assert "sick-kernel-lost 3.1" in text
    assert "ref does layer_norm without it" in text
    # What a kernel raises is the user's: it may have written something already.
    assert Path(answer["file"]).parts[-2:] == ("sick_kernel_raises", "things.py")
    assert answer["cpu"] == [[0.5, 0.5]]


def test_of_two_versions_the_first_on_the_path_is_used_and_named(ward: Any) -> None:
    code = """
import genesis
found = genesis.plugin.registry("schedulers").find("Older")
answer["versions"] = [p.version for p in genesis.plugin.list_plugins() if p.distribution == "sick-older"]
answer["found"] = [found.version, found.load().__module__, found.origin]
answer["file"] = __import__("sick_older").__file__
answer["names"] = genesis.list_schedulers()
"""
    answer = ward.ask(code, **only("older"), PYTHONPATH=str(ward.elsewhere))
    assert answer["versions"] == ["4.0"]
    assert answer["found"] == ["4.0", "sick_older.things", "sick-older 4.0"]
    assert Path(answer["file"]).is_relative_to(ward.elsewhere)
    assert "Newest" in answer["names"]
    assert ward.ask(code, **only("older"))["versions"] == ["3.1"]


def test_what_pip_could_not_remove_is_no_plugin(ward: Any) -> None:
    left = ward.packages / "~ick_gone-3.1.dist-info"
    left.mkdir()
    (left / "METADATA").write_text("Metadata-Version: 2.1\nName: sick-gone\nVersion: 3.1\n")
    (left / "entry_points.txt").write_text("[genesis.schedulers]\nsick_gone = sick_gone.plugin\n")
    code = "import genesis; answer = [p.distribution for p in genesis.plugin.list_plugins()]"
    assert "sick-gone" not in ward.ask(code, **off(*CASES))


def test_settings_that_are_misspelt_are_pointed_out(ward: Any) -> None:
    others = only("older")["GENESIS_DISABLE_PLUGINS"]
    answer = ward.ask(
        ASK,
        GENESIS_DISABLE_PLUGINS=f"{others},sick_oldr,some-other-package",
        GENESIS_PREFER="Oldder=sick-older,LambdaLR=good-schedul",
    )
    disabled, preferred = sorted(answer["warnings"], reverse=True)
    assert "'sick_oldr' should be disabled" in disabled
    assert "did you mean 'sick-older'?" in disabled
    assert "'oldder' should come from 'sick-older'" in preferred
    assert "did you mean 'Older'?" in preferred
