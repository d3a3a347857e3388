"""The optimizers beside PyTorch's: the same gradients lead to the same parameters, states and state dicts."""

from __future__ import annotations

import copy
from itertools import product

import numpy as np
import pytest
import torch

import genesis

pytestmark = pytest.mark.parity

SHAPES = [(), (5,), (3, 4), (2, 3, 4), (0, 3), (200,)]
STEPS = 50

# The largest deviation allowed. It is relative to the largest value so far, because rounding errors of a sum
# are relative to its largest intermediate value: for a parameter, the largest that the same number has had
# (on its way through zero it has no digits of its own); for a state, the largest in its tensor (a gradient
# and its decay may cancel, and no later value of that state tells). Both sides compute the same formulas, in
# another order and with other fused multiply-adds. A step rounds a few times, by half an ulp (6e-8 in
# float32, 1.1e-16 in float64) in directions that vary; over 50 steps these add up to some five ulps.
TOLERANCE = {"float32": 1e-6, "float64": 2e-15}


def combinations(**choices):
    return [dict(zip(choices, values, strict=True)) for values in product(*choices.values())]


SGD = [
    {"lr": 0.05, **c}
    for c in combinations(
        momentum=[0, 0.9],
        dampening=[0, 0.3],
        weight_decay=[0, 0.1],
        nesterov=[False, True],
        maximize=[False, True],
    )
    if not c["nesterov"] or (c["momentum"] and not c["dampening"])
]
ADAM = combinations(
    lr=[1e-2],
    betas=[(0.9, 0.999), (0.3, 0.7)],
    weight_decay=[0, 0.1],
    amsgrad=[False, True],
    maximize=[False, True],
)
CASES = [
    *(("SGD", options) for options in SGD),
    *(("Adam", {**options, "decoupled_weight_decay": d}) for options in ADAM for d in (False, True)),
    *(("AdamW", options) for options in ADAM),
    ("SGD", {}),
    ("Adam", {}),
    ("AdamW", {}),
    ("Adam", {"eps": 0.1}),
]


def name(case):
    if isinstance(case, str):
        return case
    return ",".join(f"{k}={v}" for k, v in case.items() if v) or "defaults"


class Pair:
    """The same parameters here and in PyTorch, which get the same gradients."""

    def __init__(self, dtype="float32", shapes=SHAPES, seed=0):
        self.rng, self.dtype = np.random.default_rng(seed), dtype
        values = [self.rng.normal(size=s).astype(dtype) for s in shapes]
        self.ours = [genesis.tensor(v, requires_grad=True) for v in values]
        self.theirs = [torch.tensor(v, requires_grad=True) for v in values]
        self.largest = {("p", i): abs(v) for i, v in enumerate(values)}

    def optimizers(self, kind, **options):
        self.a = getattr(genesis.optim, kind)(self.ours, **options)
        self.b = getattr(torch.optim, kind)(self.theirs, **options)
        return self.a, self.b

    def gradients(self):
        size = 0.1 + 3 * self.rng.random()
        for p, q in zip(self.ours, self.theirs, strict=True):
            g = (self.rng.normal(size=tuple(p.shape)) * size).astype(self.dtype)
            p.grad, q.grad = genesis.tensor(g), torch.tensor(g)

    def step(self):
        self.gradients()
        self.a.step()
        self.b.step()

    def compare(self):
        states = self.a.state_dict()["state"]
        for i, (p, q) in enumerate(zip(self.ours, self.theirs, strict=True)):
            self.same(("p", i), p, q)
            state, expected = states.get(i, {}), self.b.state[q]
            assert set(state) == set(expected)
            for key, value in expected.items():
                self.same((key, i), state[key], value)

    def same(self, key, mine, other):
        mine, other = mine.detach().numpy(), other.detach().numpy()
        assert mine.dtype == other.dtype
        assert mine.shape == other.shape
        size = abs(other) if key[0] == "p" else abs(other).max(initial=0)
        self.largest[key] = np.maximum(self.largest.get(key, 0), size)
        wrong = abs(mine - other) > TOLERANCE[self.dtype] * self.largest[key]
        assert not wrong.any(), f"{key}: {mine[wrong]} and {other[wrong]}"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("kind", "options"), CASES, ids=name)
def test_every_step_is_the_same(device, dtype, kind, options):
    pair = Pair(dtype)
    pair.optimizers(kind, **options)
    for _ in range(STEPS):
        pair.step()
        pair.compare()


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW"])
def test_the_options_and_their_defaults_are_the_same(device, kind):
    a, b = Pair().optimizers(kind)
    assert a.defaults == b.defaults
    assert repr(a) == repr(b)
    assert a.state_dict() == b.state_dict()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("SGD", {}),
        ("SGD", {"momentum": 0.9, "nesterov": True}),
        ("Adam", {"amsgrad": True, "weight_decay": 0.1}),
        ("AdamW", {"lr": 0.1, "maximize": True}),
    ],
    ids=name,
)
class TestStateDicts:
    """A state goes from one library to the other in mid-run, and the run goes on as if nothing had been."""

    def start(self, kind, options):
        pair = Pair()
        a, b = pair.optimizers(kind, **options)
        for _ in range(5):
            pair.step()
        return pair, a, b

    def test_from_torch(self, device, kind, options):
        pair, _, b = self.start(kind, options)
        pair.a = getattr(genesis.optim, kind)(pair.ours, lr=9.0)
        pair.a.load_state_dict(b.state_dict())
        for _ in range(5):
            pair.step()
            pair.compare()

    def test_to_torch(self, device, kind, options):
        pair, a, _ = self.start(kind, options)

        def as_torch(value):
            if isinstance(value, genesis.Tensor):
                return torch.tensor(value.numpy())
            return {k: as_torch(v) for k, v in value.items()} if isinstance(value, dict) else value

        pair.b = getattr(torch.optim, kind)(pair.theirs, lr=9.0)
        pair.b.load_state_dict(as_torch(a.state_dict()))
        for _ in range(5):
            pair.step()
            pair.compare()


def test_a_rate_that_changes_and_one_that_is_a_tensor(device):
    pair = Pair()
    pair.a = genesis.optim.AdamW(pair.ours, lr=genesis.tensor(0.1))
    pair.b = torch.optim.AdamW(pair.theirs, lr=torch.tensor(0.1))
    for i in range(STEPS):
        for optimizer in (pair.a, pair.b):
            optimizer.param_groups[0]["lr"].fill_(0.1 * 0.9**i)
        pair.step()
        pair.compare()
    pair.a.param_groups[0]["lr"] = pair.b.param_groups[0]["lr"] = 0.03
    pair.step()
    pair.compare()


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_momentum_that_changes(device, kind):
    pair = Pair()
    pair.optimizers(kind, lr=0.05)
    for i in range(10):
        for optimizer in (pair.a, pair.b):
            group = optimizer.param_groups[0]
            group.update({"momentum": 0.1 * (i % 5)} if kind == "SGD" else {"betas": (0.1 * (i % 5), 0.9)})
        pair.step()
        pair.compare()


def test_gradients_that_come_and_go(device):
    pair = Pair()
    pair.optimizers("Adam", lr=0.05)
    for i in range(12):
        pair.gradients()
        for k, (p, q) in enumerate(zip(pair.ours, pair.theirs, strict=True)):
            if (i + k) % 3 == 0 or k > i:
                p.grad = q.grad = None
        pair.a.step()
        pair.b.step()
        pair.compare()


def test_groups_with_their_own_options(device):
    pair = Pair()

    def groups(params):
        return [{"params": params[:2], "lr": 0.1, "weight_decay": 0.0}, {"params": params[2:], "eps": 1e-3}]

    pair.a = genesis.optim.AdamW(groups(pair.ours), betas=(0.8, 0.9))
    pair.b = torch.optim.AdamW(groups(pair.theirs), betas=(0.8, 0.9))
    for _ in range(10):
        pair.step()
        pair.compare()
    mine, other = pair.a.state_dict()["param_groups"], pair.b.state_dict()["param_groups"]
    assert mine == other


def test_a_run_with_a_closure(device):
    pair = Pair(shapes=[(5,)])
    pair.optimizers("SGD", lr=0.1, momentum=0.9)

    def closure(optimizer, p):
        def evaluate():
            optimizer.zero_grad()
            loss = (p * p * 0.5).sum()  # its gradient is p itself: no other rounding comes in
            loss.backward()
            return loss

        return evaluate

    for _ in range(10):
        mine = pair.a.step(closure(pair.a, pair.ours[0]))
        other = pair.b.step(closure(pair.b, pair.theirs[0]))
        # Each of the five squares has twice the deviation of its number; then they are summed.
        assert mine.item() == pytest.approx(other.item(), rel=3 * TOLERANCE["float32"])
        pair.compare()


def tensors(library):
    p = library.ones(2, requires_grad=True)
    return {
        "no parameters": lambda: [],
        "a tensor": lambda: p,
        "not a leaf": lambda: [p * 2],
        "a number": lambda: [3],
        "twice": lambda: [{"params": [p]}, {"params": [p]}],
        "a set": lambda: [{"params": {p}}],
        "some names": lambda: [("a", p), library.ones(2)],
        "no params": lambda: [{"lr": 1}],
        "not a dict": lambda: [{"params": [p]}, 3],
    }


@pytest.mark.parametrize("what", tensors(torch))
def test_wrong_parameters_raise_the_same_error(device, what):
    errors = []
    for library in (genesis, torch):
        with pytest.raises((TypeError, ValueError, KeyError)) as caught:
            library.optim.SGD(tensors(library)[what](), lr=0.1)
        errors.append(caught.type)
    assert errors[0] is errors[1]


def test_one_scheduler_drives_both(device):
    pair = Pair(shapes=[(2,)])
    pair.optimizers("SGD", lr=1.0)
    schedulers = [genesis.optim.LambdaLR(o, lambda step: 0.5**step) for o in (pair.a, pair.b)]
    for _ in range(3):
        pair.step()
        for scheduler in schedulers:
            scheduler.step()
        pair.compare()
    assert pair.a.param_groups[0]["lr"] == pair.b.param_groups[0]["lr"] == 0.125


def test_deepcopies_agree(device):
    pair = Pair()
    a, b = pair.optimizers("Adam")
    pair.step()
    pair.a, pair.b = copy.deepcopy((a, b))
    pair.ours, pair.theirs = (list(o.param_groups[0]["params"]) for o in (pair.a, pair.b))
    pair.step()
    pair.compare()
