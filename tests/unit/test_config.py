"""Configurations of schedules: any nesting survives JSON, and what comes from elsewhere can do no harm."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import types
from dataclasses import dataclass
from typing import ClassVar

import pytest

import genesis.plugin
from genesis.optim import (
    WSD,
    Constant,
    Cosine,
    Cycles,
    Exponential,
    FromFunction,
    LambdaLR,
    Linear,
    LRScheduler,
    Noise,
    ParamScheduler,
    Piecewise,
    Schedule,
    Skip,
)
from genesis.plugin import SchedulerSpec, hookimpl


@dataclass(frozen=True, repr=False)
class Ramp(Schedule):
    """A shape of somebody else, not registered."""

    formula: ClassVar[str] = "top * t / steps"
    steps: int
    top: float = 1.0

    @property
    def horizon(self) -> int:
        return self.steps

    def at(self, step: float) -> float:
        return self.top * step / self.steps


class Shapes:
    """A namespace."""

    @dataclass(frozen=True, repr=False)
    class Flat(Schedule):
        def at(self, step: float) -> float:
            return 1.0

    @staticmethod
    def halving(step):
        return 0.5**step


def decay(step):
    return 0.9**step


def round_trip(schedule):
    return Schedule.from_config(json.loads(json.dumps(schedule.to_config())))


@pytest.mark.parametrize(
    "schedule",
    [
        Linear(5, 0.0, 1.0).then(Cosine(10).towards(0.1), at=5) * Exponential(0.9) * 0.5,
        Cycles(Skip(Noise(Cosine(10), std=0.1), 2), mul=2, limit=3).with_warmup(4, overlap=True),
        WSD(20, 4, stable=Piecewise([3, 6], [1.0, 0.5, 0.25])).clip(low=0.1).repeat(2),
        Cosine(10).stretched(3, 30).clip_rate(high=0.2),
        (Cosine(10).towards(0.1) * Constant(0.3, kind="value")).for_base(0.2),
        Ramp(4, top=2.0, end="repeat").with_warmup(2) * Ramp(3),
        Shapes.Flat().then(FromFunction(decay), at=3),
        FromFunction(Shapes.halving) * FromFunction(math.cos),
    ],
    ids=lambda schedule: repr(schedule).partition(" at 0x")[0][:60],  # the same in each process
)
def test_any_nesting_survives_json(schedule):
    assert round_trip(schedule) == schedule


def test_registered_shape_of_a_third_party_is_found_by_its_name():
    module = types.ModuleType("acme_shapes")
    source = (
        "from dataclasses import dataclass\n"
        "from genesis.optim import Schedule\n"
        "@dataclass(frozen=True, repr=False)\n"
        "class AcmeFall(Schedule):\n"
        "    steps: int\n"
        "    @property\n"
        "    def horizon(self): return self.steps\n"
        "    def at(self, step): return 1 - step / self.steps\n"
    )
    sys.modules["acme_shapes"] = module
    exec(source, module.__dict__)

    @hookimpl
    def genesis_schedulers():
        return [SchedulerSpec("AcmeFall", "acme_shapes:AcmeFall", "A fall.")]

    plugin = types.ModuleType("acme_plugin")
    plugin.genesis_schedulers = genesis_schedulers
    genesis.plugin.register(plugin)
    try:
        schedule = (module.AcmeFall(4) * 0.5).with_warmup(2)
        config = schedule.to_config()
        assert config["part"]["parts"][0]["type"] == "AcmeFall"
        assert round_trip(schedule) == schedule
    finally:
        genesis.plugin.unregister(plugin)
        del sys.modules["acme_shapes"]


def test_class_with_the_name_of_a_built_in_one_is_told_apart():
    @dataclass(frozen=True, repr=False)
    class Cosine(Schedule):
        def at(self, step: float) -> float:
            return 2.0

    config = Cosine().to_config()
    assert config["type"].startswith(f"{__name__}:")
    assert round_trip(Cosine()) == Cosine()
    assert Schedule.from_config({"type": "Cosine", "steps": 3})(3) == 0.0
    with pytest.raises(ValueError, match="expected the configuration of a Cosine"):
        Cosine.from_config({"type": "genesis_schedulers.cosine:Cosine", "steps": 3})


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda step: 1.0, "a lambda has no name by which it could be found again"),
        (print, "has no name by which it could be found again"),
        (Ramp(3), "has no name by which it could be found again"),
    ],
)
def test_function_without_a_place_is_refused_with_the_reason(function, message):
    call = function if not isinstance(function, Schedule) else function.at
    with pytest.raises(TypeError, match=message):
        (FromFunction(call) * 0.5).to_config()


def test_function_inside_another_is_refused_with_the_reason():
    def inner(step):
        return 1.0

    with pytest.raises(TypeError, match="defined inside another function, has no name"):
        FromFunction(inner).to_config()


HOSTILE = [
    {"type": "os:system"},
    {"type": "os.system"},
    {"type": "subprocess:Popen", "args": "true"},
    {"type": "NoSuchSchedule"},
    {"type": "SGD", "lr": 1},
    {"type": "OrderedDict"},
    {"type": ""},
    {"type": None},
    {"type": 5},
    {"type": ["Cosine"]},
    {"type": {"type": "Cosine"}},
    {},
    None,
    [],
    "Cosine",
    {"type": "Schedule"},
    {"type": "MetricSchedule"},
    {"type": "Composition"},
    {"type": "Wrapped", "part": {"type": "Cosine", "steps": 3}},
    {"type": "Live", "schedule": {"type": "Cosine", "steps": 3}, "cell": 5},
    {"type": "LambdaLR", "lr_lambda": {"type": "Cosine", "steps": 3}},
    {"type": "cosine_with_warmup"},
    {"type": "Cosine"},
    {"type": "Cosine", "steps": 3, 4: 5},
    {"type": "Cosine", "steps": 3, "__class__": "x"},
    {"type": "Cosine", "steps": "3"},
    {"type": "Cosine", "steps": None},
    {"type": "Cosine", "steps": [3]},
    {"type": "Cosine", "steps": {"type": "Cosine", "steps": 3}},
    {"type": "Cosine", "steps": float("nan")},
    {"type": "Cosine", "steps": 3, "end": []},
    {"type": "Cosine", "steps": 3, "kind": {}},
    {"type": "Product", "parts": 5},
    {"type": "Product", "parts": [5]},
    {"type": "Product", "parts": []},
    {"type": "Product", "parts": [{"type": "os:system"}]},
    {"type": "Product", "parts": [{"type": "ParamScheduler", "schedule": {"type": "Constant"}}]},
    {"type": "Product", "parts": [{"type": "Constant"}], "base": "x"},
    {"type": "Joined", "parts": [{"type": "Constant"}], "milestones": 3},
    {"type": "Joined", "parts": [{"type": "Constant"}] * 2, "milestones": ["x"]},
    {"type": "Joined", "parts": [{"type": "Constant"}] * 2, "milestones": [1], "carry": ["yes"]},
    {"type": "Clip", "part": 5, "low": 1},
    {"type": "Clip", "part": {"type": "Constant"}, "low": "x"},
    {"type": "Clip", "part": {"type": "Constant"}, "low": 0, "rates": "no"},
    {"type": "Repeat", "part": 5},
    {"type": "Towards", "part": "x"},
    {"type": "Towards", "part": {"type": "Constant"}, "base": []},
    {"type": "Warmup", "part": None, "steps": 3},
    {"type": "Stretch", "part": 5, "at_step": 0, "total": 3},
    {"type": "Stretch", "part": {"type": "Cosine", "steps": 3}},
    {"type": "FromFunction", "function": "decay"},
    {"type": "FromFunction", "function": {"function": 5}},
    {"type": "FromFunction", "function": {"function": "decay"}},
    {"type": "FromFunction", "function": {"function": "os:_exit"}},
    {"type": "FromFunction", "function": {"function": "posix:_exit"}},
    {"type": "FromFunction", "function": {"function": "builtins:exec"}},
    {"type": "FromFunction", "function": {"function": "shutil:rmtree"}},
    {"type": "FromFunction", "function": {"function": "os.path:exists"}},
    {"type": "FromFunction", "function": {"function": "genesis:nn.Linear"}},
    {"type": "FromFunction", "function": {"function": "no_such_module:f"}},
    {"type": "FromFunction", "function": {"function": f"{__name__}:sys.exit"}},
    {"type": "FromFunction", "function": {"function": f"{__name__}:Ramp"}},
]


@pytest.mark.parametrize("config", HOSTILE, ids=lambda config: repr(config)[:70])
def test_hostile_configuration_is_refused_with_the_reason(config):
    with pytest.raises((ValueError, TypeError)) as caught:
        Schedule.from_config(config)
    assert type(caught.value) in (ValueError, TypeError)
    assert str(caught.value)


def test_very_deep_configuration_is_refused():
    config = {"type": "Constant"}
    for _ in range(20_000):
        config = {"type": "Clip", "part": config, "low": 0.0}
    with pytest.raises(ValueError, match="nested too deeply"):
        Schedule.from_config(config)


def test_configuration_imports_nothing():
    code = (
        "import sys\n"
        "from genesis.optim import Schedule\n"
        "Schedule.from_config({'type': 'Constant'})\n"
        "before = set(sys.modules)\n"
        "for config in (\n"
        "    {'type': 'xml.dom.minidom:Document'},\n"
        "    {'type': 'FromFunction', 'function': {'function': 'this:s'}},\n"
        "    {'type': 'FromFunction', 'function': {'function': 'genesis:nn.Linear'}},\n"
        "):\n"
        "    try:\n"
        "        Schedule.from_config(config)\n"
        "    except ValueError:\n"
        "        continue\n"
        "    raise SystemExit(f'accepted {config}')\n"
        "new = {name for name in set(sys.modules) - before if not name.startswith('genesis_schedulers')}\n"
        "assert not new, new\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# schedulers


def optimizer():
    return types.SimpleNamespace(param_groups=[{"lr": 1.0}, {"lr": 0.1}])


@pytest.mark.parametrize(
    "make",
    [
        lambda o: ParamScheduler(o, Cosine(9).towards(0.01) * Constant(0.5)),
        lambda o: ParamScheduler(o, [Cosine(9), Ramp(4)]),
        lambda o: LambdaLR(o, [decay, Shapes.halving]),
        lambda o: ParamScheduler(o, Cosine(9)).then(ParamScheduler(o, FromFunction(decay)), at=4) * 0.5,
    ],
)
def test_configuration_of_a_scheduler_builds_one_like_it(make):
    scheduler = make(optimizer())
    twin = LRScheduler.from_config(json.loads(json.dumps(scheduler.to_config())), optimizer())
    assert type(twin) is type(scheduler)
    assert twin.preview(12).tolist() == scheduler.preview(12).tolist()


@pytest.mark.parametrize(
    "config",
    [
        {"type": "Cosine", "steps": 3},
        {"type": "os:system"},
        {"type": "LRScheduler"},
        {"type": "ComposedLR"},
        {"type": "ParamScheduler", "schedule": 5},
        {"type": "ParamScheduler", "schedule": {"type": "x"}},
    ],
)
def test_wrong_configuration_of_a_scheduler_is_refused(config):
    with pytest.raises((ValueError, TypeError)) as caught:
        LRScheduler.from_config(config, optimizer())
    assert type(caught.value) in (ValueError, TypeError)
