"""Which name means what, whoever supplies it."""

from __future__ import annotations

import copy
import inspect
import pickle
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import genesis
from genesis.plugin import (
    API_VERSION,
    AmbiguousNameError,
    BackendSpec,
    OptimizerSpec,
    PluginError,
    SchedulerSpec,
    UnknownNameError,
    disable,
    hookimpl,
    isolated,
    list_plugins,
    prefer,
    register,
    registry,
    unregister,
)

Install = Callable[..., None]
Declare = Callable[..., str]


class Halving:
    """Stands for a schedule: these tests never call it."""


class HalvingPlugin:
    """A plugin as a notebook or a test writes it."""

    @hookimpl
    def genesis_schedulers(self) -> list[SchedulerSpec]:
        return [SchedulerSpec("Halving", f"{__name__}:Halving", "Half the rate.", ("halve-it",))]


def owner(name: str, kind: str = "schedulers") -> str:
    return registry(kind).find(name).distribution


# What a listing returns


def test_listings_are_sorted_strings_that_know_where_they_come_from() -> None:
    names = genesis.list_schedulers()
    assert names == sorted(names)
    assert all(type(str(name)) is str and isinstance(name, str) for name in names)
    cosine = next(name for name in names if name == "cosine_with_warmup")
    assert cosine.aliases == ("get_cosine_schedule_with_warmup",)
    assert (cosine.distribution, cosine.version) == ("genesis-dl", genesis.__version__)
    assert cosine.target == "genesis_schedulers.warmup:get_cosine_schedule_with_warmup"
    assert cosine.qualified == "genesis-dl:cosine_with_warmup"
    assert (cosine.status, cosine.kind) == ("ok", "schedulers")
    assert cosine.summary.endswith(".")
    assert {"cpu", "ref"} <= set(genesis.list_backends())
    assert {"Adam", "AdamW", "SGD"} <= set(genesis.list_optimizers())


@pytest.mark.parametrize("pattern", ["lambda*", "LAMBDA??", "*lr"])
def test_a_pattern_filters_names(pattern: str) -> None:
    assert "LambdaLR" in genesis.list_schedulers(pattern)
    assert "cosine_with_warmup" not in genesis.list_schedulers(pattern)


def test_a_pattern_filters_aliases_too() -> None:
    assert genesis.list_schedulers("get_cosine_schedule_w*") == ["cosine_with_warmup"]
    assert genesis.list_schedulers("nothing*") == []


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))])
def test_a_contribution_survives_copying(copied: Callable[..., genesis.plugin.Contribution]) -> None:
    cosine = registry("schedulers").find("cosine_with_warmup")
    assert vars(copied(cosine)) == vars(cosine)
    assert copied(cosine) == cosine


def test_listing_imports_no_target(install: Install, declare: Declare) -> None:
    install(
        "acme",
        declare("Trapeze", "acme.trapeze:Trapeze"),
        files={"trapeze.py": "class Trapeze:\n    def __init__(self, x, y=1): ..."},
    )
    (trapeze,) = genesis.list_schedulers("trapeze")
    assert "acme.plugin" in sys.modules
    assert "acme.trapeze" not in sys.modules
    assert str(trapeze.signature()) == "(x, y=1)"
    assert trapeze.load() is sys.modules["acme.trapeze"].Trapeze


def test_the_api_version_is_offered(install: Install, declare: Declare) -> None:
    text = declare("Trapeze", "acme.trapeze:Trapeze").replace(
        "genesis_schedulers()", "genesis_schedulers(api)"
    )
    install(
        "acme",
        text.replace("A schedule.", "Version {api}.").replace(
            "'Trapeze', 'acme.trapeze:Trapeze', \"", "'Trapeze', 'acme.trapeze:Trapeze', f\""
        ),
    )
    assert registry("schedulers").find("Trapeze").summary == f"Version {API_VERSION}."


# Looking up


@pytest.mark.parametrize(
    "spelling",
    ["LambdaLR", "lambdalr", "lambda_lr", "Lambda-LR", "genesis-dl:LambdaLR", "GENESIS_DL:lambda-lr"],
)
def test_case_hyphens_and_underscores_do_not_matter(spelling: str) -> None:
    assert registry("schedulers").find(spelling) == "LambdaLR"


def test_an_alias_finds_the_same() -> None:
    found = registry("schedulers").find("getCosineScheduleWithWarmup")
    assert found == "cosine_with_warmup"
    assert registry("schedulers").find(found) == found


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("LamdaLR", "'LambdaLR'"), ("cosine_with_warmupp", "'cosine_with_warmup'"), ("lambda", "'LambdaLR'")],
)
def test_an_unknown_name_suggests_near_misses(wrong: str, right: str) -> None:
    with pytest.raises(UnknownNameError, match="did you mean") as caught:
        registry("schedulers").find(wrong)
    assert right in str(caught.value)


def test_an_unknown_name_without_near_misses_lists_all() -> None:
    with pytest.raises(
        UnknownNameError, match=r"no optimizer named 'Quux'; the optimizers are .*Adam, AdamW"
    ):
        registry("optimizers").find("Quux")


def test_a_name_has_to_be_a_string() -> None:
    with pytest.raises(TypeError, match="should be a string, got int"):
        registry("schedulers").find(3)  # type: ignore[arg-type]


def test_an_unknown_kind() -> None:
    with pytest.raises(UnknownNameError, match="the kinds are backends, communicators, kernels, optimizers"):
        registry("scheduler")


def test_a_checkout_that_is_not_installed_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])  # no metadata anywhere
    genesis.plugin.refresh()
    assert genesis.list_schedulers() == []
    with pytest.raises(UnknownNameError, match=r"pip install -e \."):
        registry("schedulers").find("LambdaLR")


# Who gets a name


def test_a_third_party_cannot_take_a_built_in_name(install: Install, declare: Declare) -> None:
    install("acme", declare("lambda_lr", "acme.trapeze:LambdaLR"))
    assert owner("LambdaLR") == "genesis-dl"
    assert owner("acme:LambdaLR") == "acme"
    shadowed = next(s for s in genesis.list_schedulers() if s.distribution == "acme")
    assert (shadowed, shadowed.status, shadowed.name) == ("acme:lambda_lr", "shadowed", "lambda_lr")
    assert genesis.list_schedulers().count("LambdaLR") == 1


def test_nor_can_it_by_an_alias(install: Install, declare: Declare) -> None:
    install("acme", declare("Trapeze", "acme.trapeze:Trapeze", ("lambda-lr",)))
    assert owner("LambdaLR") == "genesis-dl"
    assert owner("Trapeze") == "acme"


def test_two_third_parties_have_to_be_told_apart(install: Install, declare: Declare) -> None:
    install("acme", declare("Trapeze", "acme.trapeze:Trapeze"))
    install("zeta", declare("TraPeze", "zeta.trapeze:Trapeze"))
    with pytest.raises(AmbiguousNameError) as caught:
        registry("schedulers").find("Trapeze")
    for part in (
        "acme 1.0 and zeta 1.0",
        "'acme:Trapeze' or 'zeta:TraPeze'",
        "genesis.plugin.prefer('Trapeze', 'acme')",
    ):
        assert part in str(caught.value)
    assert [(s, s.status) for s in genesis.list_schedulers("trapeze")] == [
        ("acme:Trapeze", "ambiguous"),
        ("zeta:TraPeze", "ambiguous"),
    ]
    assert owner("zeta:Trapeze") == "zeta"
    prefer("trapeze", "Zeta")
    assert owner("Trapeze") == "zeta"
    assert [(s, s.status) for s in genesis.list_schedulers("trapeze")] == [
        ("TraPeze", "ok"),
        ("acme:Trapeze", "shadowed"),
    ]


def test_only_the_user_replaces_a_built_in(
    install: Install, declare: Declare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENESIS_PREFER", "something=else, LambdaLR=acme")
    install("acme", declare("LambdaLR", "acme.trapeze:LambdaLR"))
    assert owner("lambda_lr") == "acme"
    assert owner("genesis-dl:LambdaLR") == "genesis-dl"
    with isolated():
        assert owner("LambdaLR") == "genesis-dl"


def test_a_preference_that_cannot_be_met_is_an_error() -> None:
    prefer("LambdaLR", "acme")
    with pytest.raises(UnknownNameError, match=r"should come from 'acme'.*genesis-dl .* only"):
        registry("schedulers").find("LambdaLR")
    assert owner("cosine_with_warmup") == "genesis-dl"


def test_a_preference_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENESIS_PREFER", "LambdaLR:acme")
    with pytest.raises(genesis.GenesisError, match=r"should read NAME=DISTRIBUTION.*'LambdaLR:acme'"):
        genesis.list_schedulers()


def test_the_same_target_twice_is_one_contribution(install: Install, declare: Declare) -> None:
    install("acme", declare("LambdaLR", "genesis_schedulers.lambda_lr:LambdaLR"))
    assert genesis.list_schedulers("*lambda*") == ["LambdaLR"]
    assert next(p for p in list_plugins() if p.distribution == "acme").status == "duplicate"


def test_one_distribution_with_two_plugins_that_claim_a_name(install: Install) -> None:
    plugin = """
from genesis.plugin import SchedulerSpec, hookimpl

@hookimpl
def genesis_schedulers():
    return [SchedulerSpec("Trapeze", f"{__name__}:Trapeze", "A schedule.")]
"""
    install("acme", plugin, modules=("first", "second"))
    with pytest.raises(AmbiguousNameError, match=r"acme 1\.0 declares .*\('acme_first', 'acme_second'\)"):
        registry("schedulers").find("Trapeze")
    disable("acme_first")
    assert registry("schedulers").find("Trapeze").target == "acme.second:Trapeze"


def test_every_listed_name_finds_what_it_lists(install: Install, declare: Declare) -> None:
    install("acme", declare("LambdaLR", "acme.trapeze:LambdaLR", ("trapeze",)))
    install("zeta", declare("Trapeze", "zeta.trapeze:Trapeze"))
    register(HalvingPlugin())
    listed = genesis.list_schedulers()
    assert len(listed) == len(set(listed))
    assert {"acme:LambdaLR", "zeta:Trapeze", "Halving"} <= set(listed)
    for name in listed:
        assert registry("schedulers").find(str(name)) is name


# Leaving plugins out


@pytest.mark.parametrize(
    "name", ["acme-schedules", "ACME_schedules", "acme_schedules_plugin", "*", "x, acme-schedules"]
)
def test_a_disabled_plugin_is_never_imported(
    install: Install, declare: Declare, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("GENESIS_DISABLE_PLUGINS", name)
    install("acme-schedules", declare("Trapeze", "acme_schedules.trapeze:Trapeze"))
    assert "Trapeze" not in genesis.list_schedulers()
    assert "LambdaLR" in genesis.list_schedulers()
    assert "acme_schedules" not in sys.modules
    assert next(p for p in list_plugins() if p.distribution == "acme-schedules").status == "disabled"
    with pytest.raises(UnknownNameError, match="disabled: 'acme_schedules_plugin' of acme-schedules"):
        registry("schedulers").find("Trapeze")


def test_disable_takes_effect_at_once(install: Install, declare: Declare) -> None:
    install("acme", declare("Trapeze", "acme.trapeze:Trapeze"))
    assert "Trapeze" in genesis.list_schedulers()
    disable("acme", "not-installed")
    assert "Trapeze" not in genesis.list_schedulers()
    disable("genesis-dl")
    assert genesis.list_schedulers() == []


def test_isolated_knows_the_built_ins_and_what_is_registered_inside(
    install: Install, declare: Declare
) -> None:
    install("acme", declare("Trapeze", "acme.trapeze:Trapeze"))
    disable("schedulers")
    with isolated():
        assert "LambdaLR" in genesis.list_schedulers()
        assert "Trapeze" not in genesis.list_schedulers()
        assert "acme" not in sys.modules
        register(HalvingPlugin())
        with isolated():
            assert "Halving" not in genesis.list_schedulers()
        assert "Halving" in genesis.list_schedulers()
    assert genesis.list_schedulers() == ["Trapeze"]


def test_isolated_restores_after_an_exception() -> None:
    def fail_inside() -> None:
        with isolated():
            register(HalvingPlugin())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_inside()
    assert "Halving" not in genesis.list_schedulers()


# Registering at run time


def test_a_registered_object_is_a_plugin_like_any_other() -> None:
    plugin = HalvingPlugin()
    assert register(plugin) == "HalvingPlugin"
    assert register(plugin) == "HalvingPlugin"
    halving = registry("schedulers").find("Halve_It")
    assert halving == "Halving"
    assert halving.load() is Halving
    assert halving.distribution == "HalvingPlugin"
    assert "HalvingPlugin" in [p.name for p in list_plugins()]
    unregister(plugin)
    assert "Halving" not in genesis.list_schedulers()
    with pytest.raises(UnknownNameError, match=r"no plugin .* is registered"):
        unregister("HalvingPlugin")


def test_one_object_may_add_several_kinds() -> None:
    class Both(HalvingPlugin):
        @hookimpl
        def genesis_optimizers(self, api: int) -> list[OptimizerSpec]:
            return [OptimizerSpec("Tiger", "acme.tiger:Tiger", f"Version {api}.")]

        @hookimpl
        def genesis_backends(self) -> list[BackendSpec]:
            return [BackendSpec("tpu", "acme.tpu:Tpu", "A device.", ("xla",), "acme.namespace")]

    register(Both(), name="both")
    assert owner("Halving") == owner("tiger", "optimizers") == owner("XLA", "backends") == "both"
    assert registry("backends").find("tpu").namespace == "acme.namespace"
    unregister("both")
    assert "Tiger" not in genesis.list_optimizers()


def test_a_module_can_be_registered(
    install: Install, declare: Declare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENESIS_DISABLE_PLUGINS", "acme")
    install("acme", declare("Trapeze", "acme.trapeze:Trapeze"))
    import acme.plugin  # type: ignore[import-not-found]

    assert register(acme.plugin) == "acme.plugin"
    assert owner("Trapeze") == "acme.plugin"


@pytest.mark.parametrize(
    ("plugin", "message"),
    [(object(), "no function marked @hookimpl"), (3, "no function marked @hookimpl")],
)
def test_registering_something_else_is_an_error_at_once(plugin: object, message: str) -> None:
    with pytest.raises(PluginError, match=message):
        register(plugin)
    assert "LambdaLR" in genesis.list_schedulers()


def test_a_name_is_registered_once() -> None:
    register(HalvingPlugin())
    with pytest.raises(ValueError, match=r"registered already; call genesis\.plugin\.unregister"):
        register(HalvingPlugin())
    with pytest.raises(ValueError, match="cannot be called"):
        register(HalvingPlugin(), name="genesis_dl")


# Threads


def test_threads_see_the_whole_index_or_wait_for_it(install: Install, declare: Declare) -> None:
    # The plugin is slow to import, so that all the threads ask while the first one builds the index.
    install("acme", "import time; time.sleep(0.1)\n" + declare("Trapeze", "acme.trapeze:Trapeze"))
    seen: list[object] = []
    start = threading.Barrier(8)

    def ask() -> None:
        start.wait()
        try:
            seen.append(tuple(genesis.list_schedulers()))
            registry("schedulers").find("Trapeze")
        except Exception as error:
            seen.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert len(set(seen)) == 1
    assert "Trapeze" in seen[0]  # type: ignore[operator]


def test_the_hooks_tell_what_they_are() -> None:
    from genesis.plugin import specs

    for kind in specs.KINDS.values():
        hook = getattr(specs, kind.hook)
        assert list(inspect.signature(hook).parameters) == ["api"]
        assert "api:" in inspect.getdoc(hook)
        for field in kind.spec._fields:
            assert f"{field}:" in inspect.getdoc(kind.spec), f"{kind.spec.__name__}.{field} is not documented"
