"""Names in `disable` and `prefer` that nothing has."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import genesis
from genesis.plugin import PluginWarning, disable, isolated, prefer, registry

Install = Callable[..., None]
Declare = Callable[..., str]


@pytest.fixture(autouse=True)
def acme(install: Install, declare: Declare) -> None:
    install("acme-schedules", declare("Trapeze", "acme_schedules.trapeze:Trapeze"))


def test_a_name_that_is_nearly_there_is_pointed_out_once() -> None:
    disable("acme-scheduls")
    with pytest.warns(
        PluginWarning, match=r"nothing that is installed .* did you mean 'acme-schedules'"
    ) as caught:
        assert "Trapeze" in genesis.list_schedulers()
    assert len(caught) == 1
    genesis.list_optimizers()  # a second warning would be an error here


def test_the_environment_is_read_as_it_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENESIS_DISABLE_PLUGINS", "Acme_Schedule")
    with pytest.warns(PluginWarning, match=r"^'Acme_Schedule' should be disabled"):
        genesis.list_schedulers()


def test_settings_for_what_is_not_installed_here_are_no_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    # warnings are errors here
    monkeypatch.setenv("GENESIS_DISABLE_PLUGINS", "cuda-backend,*")
    monkeypatch.setenv("GENESIS_PREFER", "Lion=acme-lion,cpu:softmax=acme-kernels")
    disable("acme-schedules", "another-package")
    prefer("AdamW", "fast-adam")
    genesis.list_schedulers()
    genesis.list_optimizers()
    with isolated():
        disable("acme-scheduls")  # inside, most of what is installed does not exist
        genesis.list_schedulers()


def test_a_preferred_name_that_its_distribution_nearly_supplies() -> None:
    prefer("Trapez", "acme-schedules")
    with pytest.warns(PluginWarning, match=r"'trapez' should come from 'acme-schedules'.*mean 'Trapeze'"):
        assert registry("schedulers").find("Trapeze").distribution == "acme-schedules"
    genesis.list_schedulers()  # a second warning would be an error here


def test_where_warnings_are_errors_the_registry_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    disable("acme-scheduls")
    with pytest.raises(PluginWarning):  # as pytest is configured here
        genesis.list_schedulers()
    assert "Trapeze" in genesis.list_schedulers()
