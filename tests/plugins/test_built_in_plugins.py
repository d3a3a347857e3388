"""The built-in plugins are plugins like any other: Genesis runs without them, and one of them by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

LISTING = """
import genesis
from genesis.plugin import list_plugins, registry
answer["core"] = genesis.__file__
answer["schedulers"] = genesis.list_schedulers()
answer["optimizers"] = genesis.list_optimizers()
answer["plugins"] = {f"{p.kind}: {p.origin}": p.status for p in list_plugins()}
try:
    answer["found"] = registry("schedulers").find("lambda_lr").qualified
except genesis.UnknownNameError as error:
    answer["error"] = str(error)
"""

STEPPING = """
class Optimizer:
    def __init__(self):
        self.param_groups = [{"params": [], "lr": 1.0}]
    def step(self):
        pass

optimizer = Optimizer()
scheduler = genesis.optim.LambdaLR(optimizer, lambda step: 0.5**step)
answer["rates"] = []
for _ in range(3):
    answer["rates"].append(optimizer.param_groups[0]["lr"])
    optimizer.step()
    scheduler.step()
import genesis_schedulers
answer["file"] = genesis_schedulers.__file__
"""


def test_a_built_in_plugin_by_itself_beside_the_core(
    environment: Callable[..., Any], wheels: dict[str, Path]
) -> None:
    core = environment("core")
    alone = core.ask(LISTING)
    assert Path(alone["core"]).is_relative_to(core.packages)
    assert alone["schedulers"] == []
    assert alone["optimizers"] == []
    assert "no installed plugin supplies any scheduler" in alone["error"]
    assert "genesis-dl comes without built-in plugins" in alone["error"]

    core.install(wheels["genesis-schedulers"])
    both = core.ask(LISTING + STEPPING)
    assert {"LambdaLR", "cosine_with_warmup"} <= set(both["schedulers"])
    assert both["found"] == "genesis-schedulers:LambdaLR"
    assert both["rates"] == [1.0, 0.5, 0.25]
    assert Path(both["file"]).is_relative_to(core.packages)


def test_a_built_in_plugin_installed_twice(environment: Callable[..., Any]) -> None:
    answer = environment("genesis-dl", "genesis-schedulers").ask(LISTING)
    assert answer["found"] == "genesis-dl:LambdaLR"
    assert answer["schedulers"].count("LambdaLR") == 1
    assert answer["plugins"]["schedulers: genesis-schedulers 9.9"] == "duplicate"
