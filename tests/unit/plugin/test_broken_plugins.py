"""A broken plugin costs one warning, and nobody else anything."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable

import pytest

import genesis
from genesis.plugin import PluginError, PluginWarning, list_plugins, registry

Install = Callable[..., None]

HEAD = "from genesis.plugin import BackendSpec, SchedulerSpec, hookimpl\n"


def hook(body: str, arguments: str = "") -> str:
    """Return the text of a plugin whose hook for schedules has this body."""
    return f"{HEAD}\n@hookimpl\ndef genesis_schedulers({arguments}):\n    {body}\n"


# What is in the plugin's module, and a part of what the warning should say about it.
BROKEN = {
    "missing dependency": ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
    "syntax": ("def (", "SyntaxError"),
    "exits": ("import sys; sys.exit(3)", "SystemExit: 3"),
    "exits later": (hook("raise SystemExit('bye')"), "SystemExit: bye"),
    "fails later": (hook("1 / 0"), "ZeroDivisionError: division by zero"),
    "fails in a generator": (hook("yield 1 / 0"), "ZeroDivisionError: division by zero"),
    "wrong argument": (hook("return []", "app"), "app"),
    "misspelt hook": (
        f"{HEAD}\n@hookimpl\ndef genesis_schedulrs():\n    return []\n",
        "unknown hook 'genesis_schedulrs'; did you mean 'genesis_schedulers'?",
    ),
    "no hook": ("", "has no hook 'genesis_schedulers'"),
    "hook of another kind": (
        f"{HEAD}\n@hookimpl\ndef genesis_backends():\n    return []\n",
        "listed under the entry points 'genesis.schedulers' but has no hook",
    ),
    "returns nothing": (hook("pass"), "returned None; it should return a list of SchedulerSpec"),
    "forgot the list": (hook("return SchedulerSpec('A', 'a:A', 'Text.')"), "should return a list"),
    "not a list": (hook("return 3"), "should return a list of SchedulerSpec, got 3"),
    "another kind": (hook("return [BackendSpec('a', 'a:A', 'Text.')]"), "should return SchedulerSpec items"),
    "name": (hook("return [SchedulerSpec('a b', 'a:A', 'Text.')]"), "a Python identifier"),
    "target": (hook("return [SchedulerSpec('A', 'a.A', 'Text.')]"), '"package.module:attribute"'),
    "object as target": (hook("return [SchedulerSpec('A', print, 'Text.')]"), '"package.module:attribute"'),
    "summary": (hook("return [SchedulerSpec('A', 'a:A', '')]"), "one line of text"),
    "aliases": (hook("return [SchedulerSpec('A', 'a:A', 'Text.', 'alias')]"), "a tuple of names"),
    "same name twice": (
        hook("return [SchedulerSpec('A_b', 'a:A', 'Text.'), SchedulerSpec('AB', 'b:A', 'Text.')]"),
        "declares the name 'AB' twice",
    ),
    "asks for a name": ("from genesis.optim import LambdaLR", "may not ask for 'LambdaLR'"),
    "asks and goes on": (
        hook("hasattr(__import__('genesis').optim, 'AdamW'); return []"),
        "may not ask for 'AdamW'",
    ),
    "lists": ("import genesis; genesis.list_backends()", "may not ask for the backends"),
    "meddles": ("import genesis.plugin; genesis.plugin.disable('*')", "a change of the plugins"),
}


@pytest.mark.parametrize(("plugin", "message"), BROKEN.values(), ids=BROKEN)
def test_one_warning_says_whose_it_is_and_what_is_wrong(install: Install, plugin: str, message: str) -> None:
    install("acme-broken", plugin, version="4.2")
    with pytest.warns(PluginWarning) as caught:
        names = genesis.list_schedulers()
    genesis.list_schedulers()  # a second warning would be an error here
    registry("schedulers").find("LambdaLR")

    assert len(caught) == 1
    text = str(caught[0].message)
    assert "acme-broken 4.2" in text
    assert message in text
    assert "GENESIS_DISABLE_PLUGINS=acme-broken" in text
    assert caught[0].filename == __file__, "the warning should point at the line that asked"
    assert {"LambdaLR", "cosine_with_warmup"} <= set(names)


def test_a_name_that_is_missing_reminds_of_the_broken_plugin(install: Install) -> None:
    install("acme-broken", "import no_such_module", version="4.2")
    with pytest.warns(PluginWarning):
        genesis.list_schedulers()
    with pytest.raises(genesis.UnknownNameError) as caught:
        registry("schedulers").find("Trapeze")
    assert "acme-broken 4.2 (ModuleNotFoundError: No module named 'no_such_module')" in str(caught.value)


def test_a_module_that_serves_two_kinds_is_reported_once(install: Install) -> None:
    install("acme-broken", "import no_such_module", groups=("schedulers", "optimizers"))
    with pytest.warns(PluginWarning):
        genesis.list_schedulers()
    genesis.list_optimizers()  # a second warning would be an error here


def test_a_broken_device_does_not_disturb_a_listing_of_schedules(install: Install) -> None:
    install("acme-broken", "import no_such_module", groups=("backends",))
    assert "LambdaLR" in genesis.list_schedulers()  # a warning would be an error here


def test_warnings_as_errors_leave_the_registry_usable(install: Install) -> None:
    install("acme-broken", "import no_such_module")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(PluginWarning, match="acme-broken"):
            genesis.list_schedulers()
        assert "LambdaLR" in genesis.list_schedulers()


@pytest.mark.parametrize("plugin", ["import no_such_module", "raise SystemExit(3)"])
def test_strict_mode_raises(install: Install, monkeypatch: pytest.MonkeyPatch, plugin: str) -> None:
    monkeypatch.setenv("GENESIS_STRICT_PLUGINS", "1")
    install("acme-broken", plugin)
    with pytest.raises(PluginError, match=r"acme-broken 1\.0") as caught:
        genesis.list_schedulers()
    assert isinstance(caught.value.__cause__, (ImportError, SystemExit))


@pytest.mark.parametrize("plugin", ["import no_such_module", "", "import genesis; genesis.list_schedulers()"])
def test_a_repaired_plugin_is_found_after_refresh(
    install: Install, declare: Callable[..., str], plugin: str
) -> None:
    install("acme", plugin)
    with pytest.warns(PluginWarning):
        assert "Trapeze" not in genesis.list_schedulers()
    install("acme", declare("Trapeze", "acme.trapeze:Trapeze"))  # refreshes
    assert "Trapeze" in genesis.list_schedulers()


def test_every_plugin_is_listed_with_what_became_of_it(install: Install, declare: Callable[..., str]) -> None:
    install("acme-broken", "import no_such_module")
    install("acme-good", declare("Trapeze", "acme_good.trapeze:Trapeze"))
    with pytest.warns(PluginWarning):
        status = {(p.distribution, p.kind): p.status for p in list_plugins()}
    assert status["acme-broken", "schedulers"] == "broken"
    assert status["acme-good", "schedulers"] == "ok"
    assert status["genesis-dl", "backends"] == "ok"


def test_a_target_that_fails_says_whose_it_is(install: Install, declare: Callable[..., str]) -> None:
    install("acme", declare("Trapeze", "acme.trapeze:Trapeze"), files={"trapeze.py": "raise SystemExit(3)"})
    trapeze = registry("schedulers").find("Trapeze")
    assert "acme.trapeze" not in sys.modules
    with pytest.raises(
        PluginError, match=r"'Trapeze' of acme 1\.0 cannot be imported from 'acme\.trapeze:Trapeze'"
    ):
        trapeze.load()
    # `from genesis.optim import Trapeze` loses an exception's text, so the reason comes as a warning too.
    with pytest.warns(PluginWarning, match="SystemExit: 3"), pytest.raises(ImportError):
        from genesis.optim import Trapeze  # noqa: F401
