"""What plugins declare, as attributes of `genesis.optim`."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable

import pytest

import genesis
from genesis.optim import create_optimizer, create_scheduler
from genesis.plugin import PluginWarning, SchedulerSpec, _stubs, hookimpl, isolated, prefer, register

Install = Callable[..., None]
Declare = Callable[..., str]


class Optimizer:
    """As much of an optimizer as a schedule needs."""

    def __init__(self, lr: float = 1.0) -> None:
        self.param_groups = [{"params": [], "lr": lr}]
        self.defaults = {"lr": lr}

    def step(self) -> None:
        """Do nothing."""


class Mine:
    """Stands for a schedule."""

    def __init__(self, optimizer: object, factor: float = 0.5, *, floor: float = 0.0) -> None:
        self.arguments = (optimizer, factor, floor)


class MyPlugin:
    @hookimpl
    def genesis_schedulers(self) -> list[SchedulerSpec]:
        return [SchedulerSpec("Mine", f"{__name__}:Mine", "Mine.", ("get_mine", "my-own"))]


def test_names_and_aliases_are_attributes_of_both_modules() -> None:
    from genesis.optim import LambdaLR, get_cosine_schedule_with_warmup, lr_scheduler

    assert lr_scheduler.LambdaLR is LambdaLR
    assert lr_scheduler.get_cosine_schedule_with_warmup is get_cosine_schedule_with_warmup
    assert genesis.optim.cosine_with_warmup is get_cosine_schedule_with_warmup
    assert lr_scheduler.LRScheduler is genesis.optim.LRScheduler
    assert issubclass(LambdaLR, genesis.optim.LRScheduler)
    assert not hasattr(lr_scheduler, "AdamW")


def test_a_class_can_be_pickled() -> None:
    assert pickle.loads(pickle.dumps(genesis.optim.LambdaLR)) is genesis.optim.LambdaLR


def test_attributes_come_and_go_with_their_plugin() -> None:
    assert not hasattr(genesis.optim, "Mine")
    with isolated():
        register(MyPlugin())
        assert genesis.optim.Mine is genesis.optim.get_mine
        assert {"Mine", "get_mine"} <= set(dir(genesis.optim)) & set(genesis.optim.__all__)
        assert "my-own" not in dir(genesis.optim)
    assert not hasattr(genesis.optim, "Mine")


def test_a_preference_changes_the_attribute(install: Install, declare: Declare) -> None:
    builtin = genesis.optim.LambdaLR
    install(
        "acme", declare("LambdaLR", "acme.trapeze:LambdaLR"), files={"trapeze.py": "class LambdaLR: pass"}
    )
    prefer("LambdaLR", "acme")
    assert genesis.optim.LambdaLR is not builtin


@pytest.mark.parametrize(
    ("wrong", "right"), [("lambdalr", "LambdaLR"), ("LamdaLR", "LambdaLR"), ("Adamw", "AdamW")]
)
def test_an_attribute_has_to_be_spelt_as_declared(wrong: str, right: str) -> None:
    with pytest.raises(AttributeError, match=f"no attribute '{wrong}': did you mean '{right}'"):
        getattr(genesis.optim, wrong)


def test_whatever_fails_is_an_attribute_error(install: Install, declare: Declare) -> None:
    install("acme", declare("Trapeze", "acme.trapeze:Trapeze"), files={"trapeze.py": "import no_such_module"})
    install("broken", "import no_such_module")
    with (
        pytest.warns(PluginWarning, match="broken 1.0 was skipped"),
        pytest.raises(AttributeError, match=r"broken 1\.0"),
    ):
        _ = genesis.optim.Unknown
    with pytest.warns(PluginWarning, match="No module named 'no_such_module'"):
        assert not hasattr(genesis.optim, "Trapeze")
    with pytest.raises(AttributeError, match="Trapeze"):  # here every warning is an error
        _ = genesis.optim.Trapeze


def test_an_ambiguous_name_is_no_attribute(install: Install, declare: Declare) -> None:
    install("acme", declare("Trapeze", "acme.trapeze:Trapeze"))
    install("zeta", declare("Trapeze", "zeta.trapeze:Trapeze"))
    with pytest.raises(AttributeError, match="'acme:Trapeze' or 'zeta:Trapeze'"):
        _ = genesis.optim.Trapeze
    assert "Trapeze" not in dir(genesis.optim)


def test_dir_imports_nothing() -> None:
    code = """
import sys, genesis.optim
assert {"LambdaLR", "AdamW", "Optimizer"} <= set(dir(genesis.optim)) & set(genesis.optim.__all__)
print(sorted({"numpy", "genesis_schedulers.lambda_lr", "genesis.optim._optimizer"} & set(sys.modules)))
"""
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "[]"


def test_a_star_import_gives_the_public_names() -> None:
    names: dict[str, object] = {}
    exec("from genesis.optim import *", names)
    assert names.keys() >= {
        "AdamW",
        "LambdaLR",
        "LRScheduler",
        "Optimizer",
        "lr_scheduler",
        "create_scheduler",
    }
    assert names["get_cosine_schedule_with_warmup"] is names["cosine_with_warmup"]
    assert not [name for name in names if name.startswith("_") and name != "__builtins__"]


def test_create_scheduler_by_any_spelling() -> None:
    optimizer = Optimizer()
    scheduler = create_scheduler("Cosine-With-Warmup", optimizer, num_warmup_steps=2, num_training_steps=4)
    rates = [optimizer.param_groups[0]["lr"]]
    for _ in range(4):
        optimizer.step()
        scheduler.step()
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.0, 0.5, 1.0, 0.5, 0.0], abs=1e-12)  # cos(pi/2) is not exactly 0


def test_create_optimizer_passes_parameters_and_options() -> None:
    weight = genesis.tensor([1.0, 2.0], device="ref", requires_grad=True)
    optimizer = create_optimizer("adam_w", [weight], lr=0.25)
    assert type(optimizer) is genesis.optim.AdamW
    assert optimizer.param_groups[0]["lr"] == 0.25


def test_wrong_options_name_the_right_ones() -> None:
    with isolated():
        register(MyPlugin())
        assert create_scheduler("my_own", "o", floor=0.1).arguments == ("o", 0.5, 0.1)  # type: ignore[attr-defined]
        with pytest.raises(TypeError, match=r"Mine: .*'flor'; it takes factor=0\.5, floor=0\.0"):
            create_scheduler("Mine", "o", flor=0.1)


def test_an_unknown_name_suggests_near_misses() -> None:
    with pytest.raises(genesis.UnknownNameError, match="did you mean 'AdamW'"):
        create_optimizer("AdmW", [])
    with pytest.raises(genesis.UnknownNameError, match="did you mean 'LambdaLR'"):
        create_scheduler("LamdaLR", Optimizer())


def test_the_stubs_are_up_to_date() -> None:
    for path, text in _stubs.stub_texts().items():
        assert path.read_text(encoding="utf-8") == text, "run `genesis plugins stubs`"
