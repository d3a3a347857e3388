"""Plugins of other people, good and broken, installed with pip beside Genesis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

BROKEN = ("broken-import", "broken-signature", "misspelt-hook", "exits", "reenters")

# Every question starts so: it keeps the warnings and fills `answer`.
LISTING = """
import warnings
warnings.simplefilter("always")
with warnings.catch_warnings(record=True) as caught:
    import genesis
    from genesis.plugin import registry
    answer["names"] = genesis.list_schedulers()
    genesis.list_schedulers()
answer["warnings"] = [str(w.message) for w in caught if issubclass(w.category, genesis.PluginWarning)]
"""

TRAINING = """
genesis.manual_seed(0)
inputs = genesis.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], device="ref")
targets = genesis.tensor([[2.0], [1.0], [3.0]], device="ref")
model = genesis.nn.Linear(2, 1, device="ref")
optimizer = genesis.optim.create_optimizer("SGD", model.parameters(), lr=0.2)
scheduler = genesis.optim.create_scheduler("warm-stay-fall", optimizer, warmup=2, decay=4, total=10)
answer["rates"], answer["losses"] = [], []
for _ in range(10):
    loss = genesis.nn.MSELoss()(model(inputs), targets)
    optimizer.zero_grad()
    loss.backward()
    answer["rates"].append(scheduler.get_last_lr()[0])
    answer["losses"].append(loss.item())
    optimizer.step()
    scheduler.step()
answer["class"] = f"{genesis.optim.Trapeze.__module__}.{genesis.optim.Trapeze.__name__}"
"""


def test_a_good_plugin_trains_and_a_broken_one_costs_one_warning(environment: Callable[..., Any]) -> None:
    answer = environment("genesis-dl", "good-schedule", "broken-import").ask(LISTING + TRAINING)
    assert {"LambdaLR", "Trapeze", "cosine_with_warmup"} <= set(answer["names"])
    assert answer["class"] == "good_schedule.trapeze.Trapeze"
    assert answer["rates"] == pytest.approx([0.1, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.15, 0.1, 0.05])
    assert answer["losses"][-1] < 0.5 * answer["losses"][0]
    (warning,) = answer["warnings"]
    assert "broken-import 0.1" in warning
    assert "No module named 'a_module_that_nobody_has'" in warning


@pytest.fixture(scope="module")
def crowded(environment: Callable[..., Any]) -> Any:
    """An environment with every plugin that there is trouble with."""
    return environment(
        "genesis-dl", "good-schedule", *BROKEN, "collides-a", "collides-b", "same-name-as-builtin"
    )


def test_each_broken_plugin_is_named_once_and_the_rest_work(crowded: Any) -> None:
    answer = crowded.ask(LISTING + "answer['target'] = registry('schedulers').find('trapeze').target")
    assert answer["target"] == "good_schedule.trapeze:Trapeze"
    assert sorted(next(b for b in BROKEN if f" {b} 0.1 " in text) for text in answer["warnings"]) == sorted(
        BROKEN
    )


def test_names_that_collide(crowded: Any) -> None:
    code = """
import sys
for name in ("cyclic", "LambdaLR"):
    try:
        answer[name] = registry("schedulers").find(name).target
    except genesis.AmbiguousNameError as error:
        answer[name] = str(error)
answer["imported"] = [m for m in ("collides_a.cyclic", "genesis_schedulers.lambda_lr") if m in sys.modules]
"""
    answer = crowded.ask(LISTING + code)
    assert "'collides-a:Cyclic' or 'collides-b:cyclic'" in answer["cyclic"]
    assert answer["LambdaLR"] == "genesis_schedulers.lambda_lr:LambdaLR"
    assert {"collides-a:Cyclic", "collides-b:cyclic", "same-name-as-builtin:LambdaLR"} <= set(answer["names"])
    assert answer["imported"] == []

    chosen = crowded.ask(LISTING + code, GENESIS_PREFER="Cyclic=collides-b,LambdaLR=same-name-as-builtin")
    assert chosen["cyclic"] == "collides_b.cyclic:Cyclic"
    assert chosen["LambdaLR"] == "same_name_as_builtin.other:LambdaLR"


def test_disabled_plugins_are_not_imported(crowded: Any) -> None:
    code = "import sys; answer['modules'] = list(sys.modules)"
    answer = crowded.ask(LISTING + code, GENESIS_DISABLE_PLUGINS="*")
    assert answer["warnings"] == []
    assert answer["names"] == crowded.ask(
        "import genesis\nwith genesis.plugin.isolated(): answer = genesis.list_schedulers()"
    )
    strangers = {name.replace("-", "_") for name in BROKEN} | {"good_schedule", "collides_a", "collides_b"}
    assert not strangers & set(answer["modules"])


def test_strict_mode_stops_at_the_first_broken_plugin(crowded: Any) -> None:
    code = """
try:
    genesis.list_schedulers()
except genesis.PluginError as error:
    answer["error"], answer["cause"] = str(error), type(error.__cause__).__name__
"""
    answer = crowded.ask("import genesis" + code, GENESIS_STRICT_PLUGINS="1")
    assert "broken-import 0.1" in answer["error"]
    assert answer["cause"] == "ModuleNotFoundError"
