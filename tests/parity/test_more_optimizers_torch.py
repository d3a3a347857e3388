"""The other optimizers beside PyTorch's: trajectories with all options, and states, key by key."""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

import genesis

pytestmark = pytest.mark.parity

STEPS = 20
SHAPES = [(), (5,), (3, 4), (2, 3, 4), (0, 3), (200,)]
FULL = [shape for shape in SHAPES if 0 not in shape]
MATRICES = [(3, 4), (6, 2), (16, 16), (1, 5)]

# What a number may be off, as a part of the largest in its tensor so far: each step rounds a few times, in
# another order and with other fused multiply-adds; see test_optimizers_torch.py.
TOLERANCE = {"float32": 1e-6, "float64": 2e-15}
LOOSER = {
    # the variance is a difference of averages, which takes digits off, most where the gradient changes least
    "RMSprop": 20.0,
    # the size of a step is a ratio of two roots, and each step changes what the next ones are made of
    "Adadelta": 5.0,
    # 1 - beta^t and the rectification have few digits in early steps; an average may cancel
    "RAdam": 10.0,
    "NAdam": 5.0,
    "Adafactor": 5.0,
}
# Products are rounded to 8 bits, 2^-9 of an element of about 1; a sum in another order may round to the other
# side. A step takes 0.05 of this at most.
MUON = 1e-3


def grid(**choices: Any) -> list[dict[str, Any]]:
    return [dict(zip(choices, values, strict=True)) for values in product(*choices.values())]


BOOL = [False, True]
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "RMSprop": [
        {"eps": 1e-2, **o}
        for o in grid(
            momentum=[0, 0.9], centered=BOOL, weight_decay=[0, 0.1], maximize=BOOL, alpha=[0.99, 0.5]
        )
    ],
    "Adagrad": grid(
        lr_decay=[0, 0.1], weight_decay=[0, 0.1], initial_accumulator_value=[0, 0.5], maximize=BOOL
    ),
    "Adadelta": grid(rho=[0.9, 0.5], weight_decay=[0, 0.1], maximize=BOOL, eps=[1e-6, 1e-2]),
    "Adamax": grid(betas=[(0.9, 0.999), (0.3, 0.7)], weight_decay=[0, 0.1], maximize=BOOL),
    "NAdam": grid(
        betas=[(0.9, 0.999), (0.3, 0.7)], weight_decay=[0, 0.1], decoupled_weight_decay=BOOL,
        momentum_decay=[4e-3, 0.1], maximize=BOOL,
    ),
    "RAdam": grid(
        betas=[(0.9, 0.999), (0.3, 0.7)], weight_decay=[0, 0.1], decoupled_weight_decay=BOOL, maximize=BOOL
    ),
    "ASGD": grid(lambd=[1e-4, 0.1], t0=[1e6, 5], weight_decay=[0, 0.1], maximize=BOOL, alpha=[0.75, 0.3]),
    "Rprop": grid(etas=[(0.5, 1.2), (0.3, 1.5)], step_sizes=[(1e-6, 50), (1e-3, 0.05)], maximize=BOOL),
    "Adafactor": grid(
        beta2_decay=[-0.8, -0.3], eps=[(None, 1e-3), (1e-3, 0.5)], d=[1.0, 2.0], weight_decay=[0.0, 0.1],
        maximize=BOOL,
    ),
    "Muon": grid(
        nesterov=BOOL, adjust_lr_fn=[None, "match_rms_adamw"], weight_decay=[0.1, 0.0], momentum=[0.95, 0.5]
    ),
}  # fmt: skip
KINDS = [*OPTIONS]
CASES = [(kind, o) for kind in KINDS for o in [{}, {"lr": 0.05}, *OPTIONS[kind]]]
FEW = [(kind, o) for kind in KINDS for o in ({}, {"lr": 0.05}, OPTIONS[kind][-1])]


def name(case: Any) -> str:
    if isinstance(case, str):
        return case
    return ",".join(f"{k}={v}" for k, v in case.items()) or "defaults"


def shapes_of(kind: str) -> list[tuple[int, ...]]:
    return {"Muon": MATRICES, "Adafactor": FULL}.get(kind, SHAPES)


class Pair:
    """The same parameters here and in PyTorch, which get the same gradients."""

    def __init__(self, kind: str, dtype: str = "float32", seed: int = 0) -> None:
        self.kind, self.dtype, self.rng = kind, dtype, np.random.default_rng(seed)
        values = [np.asarray(self.rng.normal(size=s)).astype(dtype) for s in shapes_of(kind)]
        self.ours: list[Any] = [genesis.tensor(v, requires_grad=True) for v in values]
        self.theirs: list[Any] = [torch.tensor(v, requires_grad=True) for v in values]
        self.largest: dict[Any, float] = {}

    def optimizers(self, form: str = "list", **options: Any) -> tuple[Any, Any]:
        def groups(params: list[Any]) -> Any:
            if form == "named":
                return [(f"layer.{i}", p) for i, p in enumerate(params)]
            if form == "groups":
                return [{"params": params[:1], "lr": 0.02}, {"params": params[1:]}]
            return params

        self.a = getattr(genesis.optim, self.kind)(groups(self.ours), **options)
        self.b = getattr(torch.optim, self.kind)(groups(self.theirs), **options)
        return self.a, self.b

    def step(self, leave_out: Any = None) -> None:
        size = 0.1 + 3 * self.rng.random()
        for i, (p, q) in enumerate(zip(self.ours, self.theirs, strict=True)):
            g = np.asarray(self.rng.normal(size=tuple(p.shape)) * size).astype(self.dtype)
            out = leave_out is not None and leave_out(i)
            p.grad, q.grad = (None, None) if out else (genesis.tensor(g), torch.tensor(g))
        self.a.step()
        self.b.step()

    def compare(self) -> None:
        for i, (p, q) in enumerate(zip(self.ours, self.theirs, strict=True)):
            self.same(("p", i), p, q)
        mine, other = self.a.state_dict(), self.b.state_dict()
        assert mine["param_groups"] == other["param_groups"]
        assert mine["state"].keys() == other["state"].keys()
        for i, state in other["state"].items():
            assert mine["state"][i].keys() == state.keys()
            for key, value in state.items():
                self.same((key, i), mine["state"][i][key], value)

    def same(self, key: Any, mine: Any, other: Any) -> None:
        mine, other = mine.detach().numpy(), other.detach().numpy()
        assert (mine.dtype, mine.shape) == (other.dtype, other.shape), key
        size = self.largest[key] = max(self.largest.get(key, 0.0), float(abs(other).max(initial=0)))
        if self.kind == "Muon" and key[0] == "p":
            allowed = MUON
        else:
            # counts are tensors of float32 whatever the parameters are
            allowed = TOLERANCE[str(other.dtype)] * LOOSER.get(self.kind, 1.0)
        off = float(abs(mine - other).max(initial=0))
        assert off <= allowed * size, f"{key}: off by {off:.3g}, and {allowed * size:.3g} is allowed"


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Tensors are small here, and PyTorch's threads would wait for each other most of the time."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Iterator[str]:
    """A device and a type: the name of the type."""
    before = genesis.get_default_device()
    genesis.set_default_device(request.param[0])
    yield request.param[1]
    genesis.set_default_device(before)


# Each device with each type, so that every option meets both devices and both types.
PLACES = [("cpu", "float32"), ("ref", "float64")]
ALL_PLACES = [*PLACES, ("cpu", "float64"), ("ref", "float32")]


@pytest.mark.parametrize("place", PLACES, indirect=True, ids="-".join)
@pytest.mark.parametrize(("kind", "options"), CASES, ids=name)
def test_every_step_is_the_same(place: str, kind: str, options: dict[str, Any]) -> None:
    pair = Pair(kind, place)
    pair.optimizers(**options)
    pair.compare()
    for number in range(STEPS):
        pair.step()
        if number < 3 or number % 4 == 3:
            pair.compare()


@pytest.mark.parametrize("place", PLACES, indirect=True, ids="-".join)
@pytest.mark.parametrize("form", ["named", "groups"])
@pytest.mark.parametrize(("kind", "options"), FEW, ids=name)
def test_groups_and_names(place: str, form: str, kind: str, options: dict[str, Any]) -> None:
    pair = Pair(kind, place)
    pair.optimizers(form, **options)
    for number in range(STEPS):
        pair.step(leave_out=lambda i, n=number: (i + n) % 3 == 0)  # gradients come and go
        if number % 4 == 3:
            pair.compare()


@pytest.mark.parametrize("kind", KINDS)
def test_a_group_that_comes_late(device: Any, kind: str) -> None:
    pair = Pair(kind)
    ours, theirs = pair.ours, pair.theirs
    pair.ours, pair.theirs = ours[:2], theirs[:2]
    pair.optimizers()
    for _ in range(3):
        pair.step()
    pair.a.add_param_group({"params": ours[2:], "lr": 0.1})
    pair.b.add_param_group({"params": theirs[2:], "lr": 0.1})
    pair.ours, pair.theirs = ours, theirs
    for _ in range(5):
        pair.step()
        pair.compare()


@pytest.mark.parametrize("kind", KINDS)
def test_the_arguments_and_their_defaults_are_the_same(device: Any, kind: str) -> None:
    a, b = Pair(kind).optimizers()
    assert a.defaults == b.defaults
    assert repr(a) == repr(b)
    mine, other = (
        [(p.name, p.default, p.kind) for p in inspect.signature(getattr(lib.optim, kind)).parameters.values()]
        for lib in (genesis, torch)
    )
    assert mine == other


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW", "LBFGS"])
def test_the_arguments_of_the_others_too(device: Any, kind: str) -> None:
    mine, other = (
        [(p.name, p.default, p.kind) for p in inspect.signature(getattr(lib.optim, kind)).parameters.values()]
        for lib in (genesis, torch)
    )
    assert mine == other


def as_torch(value: Any) -> Any:
    if isinstance(value, genesis.Tensor):
        return torch.tensor(value.numpy())
    if isinstance(value, dict):
        return {k: as_torch(v) for k, v in value.items()}
    return [as_torch(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize("place", ALL_PLACES, indirect=True, ids="-".join)
@pytest.mark.parametrize(("kind", "options"), FEW, ids=name)
class TestStates:
    """A state goes from one library to the other in mid-run, and the run goes on as if nothing had been."""

    def test_from_torch(self, place: str, kind: str, options: dict[str, Any]) -> None:
        pair = Pair(kind, place)
        _, b = pair.optimizers(**options)
        for _ in range(5):
            pair.step()
        pair.a = getattr(genesis.optim, kind)(pair.ours, lr=9.0)
        pair.a.load_state_dict(b.state_dict())
        for _ in range(3):
            pair.step()
            pair.compare()

    def test_to_torch(self, place: str, kind: str, options: dict[str, Any]) -> None:
        pair = Pair(kind, place)
        a, _ = pair.optimizers(**options)
        for _ in range(5):
            pair.step()
        pair.b = getattr(torch.optim, kind)(pair.theirs, lr=9.0)
        pair.b.load_state_dict(as_torch(a.state_dict()))
        widened = place == "float64" and kind in ("ASGD", "NAdam")
        for _ in range(3):
            pair.step()
            if widened:  # PyTorch makes eta, mu and mu_product float64 when it loads, and goes on with these
                for p, q in zip(pair.ours, pair.theirs, strict=True):
                    np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-6, atol=1e-6)
            else:
                pair.compare()

    def test_copies(self, place: str, kind: str, options: dict[str, Any]) -> None:
        pair = Pair(kind, place)
        a, b = pair.optimizers(**options)
        pair.step()
        pair.a, pair.b = copy.deepcopy((a, b))
        pair.ours, pair.theirs = (list(o.param_groups[0]["params"]) for o in (pair.a, pair.b))
        for _ in range(3):
            pair.step()
        pair.compare()


@pytest.mark.parametrize("kind", [k for k in KINDS if k not in ("Muon",)])
def test_a_rate_that_is_a_tensor_and_changes(device: Any, kind: str) -> None:
    pair = Pair(kind)
    pair.a = getattr(genesis.optim, kind)(pair.ours, lr=genesis.tensor(0.05))
    pair.b = getattr(torch.optim, kind)(pair.theirs, lr=torch.tensor(0.05))
    for i in range(10):
        for optimizer in (pair.a, pair.b):
            optimizer.param_groups[0]["lr"].fill_(0.05 * 0.9**i)
        pair.step()
        for k, (p, q) in enumerate(zip(pair.ours, pair.theirs, strict=True)):
            pair.same(("p", k), p, q)


WRONG = [
    *((kind, {"lr": lr}) for kind in [*KINDS, "SGD", "Adam", "AdamW", "LBFGS"] for lr in (-1.0, -1e-9)),
    *((k, {"eps": -1.0}) for k in ("RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam", "RAdam", "Adam")),
    *((k, {"weight_decay": -1.0}) for k in KINDS if k != "Rprop"),
    *((k, {"betas": b}) for k in ("Adamax", "NAdam", "RAdam", "AdamW") for b in ((1.0, 0.9), (0.9, -0.1))),
    ("RMSprop", {"momentum": -0.1}),
    ("RMSprop", {"alpha": -0.1}),
    ("Adagrad", {"lr_decay": -0.1}),
    ("Adagrad", {"initial_accumulator_value": -0.1}),
    ("Adagrad", {"fused": True, "foreach": True}),
    ("Adam", {"fused": True, "foreach": True}),
    ("SGD", {"fused": True, "foreach": True}),
    ("SGD", {"nesterov": True}),
    ("Adadelta", {"rho": 1.1}),
    ("NAdam", {"momentum_decay": -1.0}),
    ("Rprop", {"etas": (1.5, 0.5)}),
    ("Adafactor", {"beta2_decay": 0.1}),
    ("Adafactor", {"eps": (-1.0, 0.1)}),
    ("Adafactor", {"eps": (None, -0.1)}),
    ("Adafactor", {"d": 0.5}),
    ("Muon", {"momentum": -0.1}),
    ("Muon", {"adjust_lr_fn": "other"}),
]


@pytest.mark.parametrize(("kind", "options"), WRONG, ids=name)
def test_wrong_options_raise_the_same_error(device: Any, kind: str, options: dict[str, Any]) -> None:
    errors = []
    for library in (genesis, torch):
        with pytest.raises((ValueError, RuntimeError)) as caught:
            getattr(library.optim, kind)([library.ones(2, 2, requires_grad=True)], **options)
        errors.append(caught.type)
    assert errors[0] is errors[1]


@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4)])
def test_muon_takes_matrices_only(device: Any, shape: tuple[int, ...]) -> None:
    for library in (genesis, torch):
        with pytest.raises(ValueError, match="only supports 2D parameters"):
            library.optim.Muon([library.ones(shape, requires_grad=True)])


# -- LBFGS ---------------------------------------------------------------------------------------------------
LBFGS = [
    {},
    {"lr": 0.1, "max_iter": 5},
    {"lr": 0.5, "max_eval": 7, "history_size": 3},
    *grid(line_search_fn=["strong_wolfe"], max_iter=[3, 20], history_size=[2, 100]),
    {"line_search_fn": "strong_wolfe", "max_eval": 4},
    {"line_search_fn": "strong_wolfe", "max_eval": 1},
    {"line_search_fn": "strong_wolfe", "lr": 10.0},
    {"line_search_fn": "strong_wolfe", "tolerance_change": 1e-2},
    {"tolerance_grad": 1.0, "line_search_fn": "strong_wolfe"},
]


def valley(library: Any, ps: list[Any]) -> Any:
    x, w = ps
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2 + ((w - 3) ** 4).sum()


def bowl(library: Any, ps: list[Any]) -> Any:
    x, w = ps
    return (library.cos(x) + x * x).sum() + (w.exp() - w).sum()


class Twin:
    """LBFGS here and in PyTorch on the same function."""

    def __init__(self, function: Any, dtype: str = "float64", **options: Any) -> None:
        start = [np.array([-1.2, 1.0], dtype), np.ones((2, 2), dtype)]
        self.function = function
        self.ps: list[Any] = [genesis.tensor(v, requires_grad=True) for v in start]
        self.qs: list[Any] = [torch.tensor(v, requires_grad=True) for v in start]
        self.a: Any = genesis.optim.LBFGS(self.ps, **options)
        self.b: Any = torch.optim.LBFGS(self.qs, **options)

    def step(self) -> tuple[float, float]:
        def closure(library: Any, optimizer: Any, params: list[Any]) -> Any:
            def evaluate() -> Any:
                optimizer.zero_grad()
                loss = self.function(library, params)
                loss.backward()
                return loss

            return evaluate

        mine = self.a.step(closure(genesis, self.a, self.ps))
        other = self.b.step(closure(torch, self.b, self.qs))
        return mine.item(), other.item()


@pytest.mark.parametrize("function", [valley, bowl])
@pytest.mark.parametrize("options", LBFGS, ids=name)
def test_lbfgs_goes_the_same_way(device: Any, options: dict[str, Any], function: Any) -> None:
    twin = Twin(function, **options)
    assert twin.a.defaults == twin.b.defaults
    for _ in range(5):
        mine, other = twin.step()
        # digits are lost to the curvature of the function, a factor of 1000, and to the line search
        assert math.isclose(mine, other, rel_tol=1e-6, abs_tol=1e-9)
        for p, q in zip(twin.ps, twin.qs, strict=True):
            np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-6, atol=1e-8)
        mine_, other_ = twin.a.state_dict()["state"][0], twin.b.state_dict()["state"][0]
        assert mine_.keys() == other_.keys()
        assert [mine_[k] for k in ("func_evals", "n_iter")] == [other_[k] for k in ("func_evals", "n_iter")]


@pytest.mark.parametrize("options", LBFGS[:5], ids=name)
def test_lbfgs_goes_on_from_the_other_s_state(device: Any, options: dict[str, Any]) -> None:
    twin = Twin(bowl, **{**options, "max_iter": 3})
    twin.step()
    a, b = genesis.optim.LBFGS(twin.ps, lr=9), torch.optim.LBFGS(twin.qs, lr=9)
    a.load_state_dict(twin.b.state_dict())
    b.load_state_dict(as_torch(twin.a.state_dict()))
    twin.a, twin.b = a, b
    for _ in range(3):
        mine, other = twin.step()
        assert math.isclose(mine, other, rel_tol=1e-8, abs_tol=1e-10)
    assert a.state_dict()["state"][0]["n_iter"] == b.state_dict()["state"][0]["n_iter"]


def test_lbfgs_has_one_group(device: Any) -> None:
    for library in (genesis, torch):
        p, q = library.ones(2, requires_grad=True), library.ones(2, requires_grad=True)
        with pytest.raises(ValueError, match="parameter groups"):
            library.optim.LBFGS([{"params": [p]}, {"params": [q]}])
        with pytest.raises(TypeError, match="closure"):
            library.optim.LBFGS([p]).step()
        optimizer = library.optim.LBFGS([p], line_search_fn="other")
        with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported"):
            optimizer.step(lambda p=p: (p * p).sum().backward() or (p * p).sum())
