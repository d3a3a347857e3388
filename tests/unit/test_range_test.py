"""The learning-rate range test: what it finds, what it leaves behind (nothing), what it refuses."""

from __future__ import annotations

import math
import random
import subprocess
import sys
import warnings
from functools import partial
from itertools import islice

import numpy as np
import pytest

import genesis
from genesis import nn, optim
from genesis.data import DataLoader, TensorDataset
from genesis.optim._range_test import RangeTestResult, lr_range_test


class Net(nn.Module):
    """It has all that a step can change: buffers of both kinds, counters, lists, modes, random numbers."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.5))
        self.frozen = nn.Dropout(0.9).eval()
        self.head = nn.Linear(8, 3)
        self.register_buffer("total", genesis.zeros(8))
        self.register_buffer("newest", genesis.ones(8), persistent=False)
        self.calls, self.seen = 0, []

    def get_state(self, key):
        """Not what a generator has."""

    def set_state(self, key, value):
        """Not what a generator has."""

    def forward(self, x):
        h = self.frozen(self.body(x))
        self.total.add_(h.detach().sum(0))  # in place
        self.newest = h.detach()[0]  # another object
        self.calls += 1
        self.seen.append(self.calls)
        self.late = x  # an attribute that was not there
        return self.head(h)


def data(n=40, seed=1):
    g = genesis.Generator().manual_seed(seed)
    return TensorDataset(genesis.randn(n, 4, generator=g), genesis.randint(0, 3, (n,), generator=g))


def loaded(batch_size=8):
    return DataLoader(data(), batch_size=batch_size, shuffle=True)


def train(model, optimizer, batches):
    for x, y in batches:
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def bits(value):
    """Tensors as their bytes, and everything else as it is, so that == means the same bits."""
    if isinstance(value, genesis.Tensor):
        return value.detach().numpy().tobytes(), value.dtype, tuple(value.shape)
    if isinstance(value, dict):
        return {id(k) if isinstance(k, genesis.Tensor) else k: bits(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [bits(v) for v in value]
    return value


def everything(model, optimizer):
    tensors = [*model.parameters(), *model.buffers()]
    return {
        "objects": [id(t) for t in tensors],
        "values": bits(tensors),
        "grads": [(id(p.grad), bits(p.grad)) for p in model.parameters()],
        "modes": [m.training for m in model.modules()],
        "attributes": [sorted(vars(m)) for m in model.modules()],
        "own": (model.calls, list(model.seen), id(model.seen)),
        "state": bits(optimizer.state),
        "state objects": [id(v) for state in optimizer.state.values() for v in state.values()],
        "groups": bits(optimizer.param_groups),
        "keys": [list(group) for group in optimizer.param_groups],
        "optimizer": sorted(vars(optimizer)),
        "random": (bits(genesis.get_rng_state()), random.getstate(), bits(list(np.random.get_state()[1]))),
    }


def broken(error, after=7):
    calls = 0

    def loss_fn(output, target):
        nonlocal calls
        calls += 1
        if calls > after:
            raise error
        random.random(), np.random.rand()
        return nn.functional.cross_entropy(output, target)

    return loss_fn


OPTIMIZERS = {
    "SGD": partial(optim.SGD, lr=0.1),
    "momentum": partial(optim.SGD, lr=0.1, momentum=0.9),
    "AdamW": partial(optim.AdamW, lr=1e-3, amsgrad=True),
}


@pytest.mark.parametrize("error", [None, RuntimeError("out of order"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("steps_before", [0, 3])
@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_everything_is_as_before(make, steps_before, error):
    genesis.manual_seed(0)
    model = Net()
    optimizer = make(model.parameters())
    whole = nn.Sequential(model)
    train(whole, optimizer, islice(loaded(), steps_before))
    model.head.bias.grad = None
    before = everything(model, optimizer)
    if error is None:
        lr_range_test(whole, optimizer, broken(None, after=math.inf), loaded(), num_steps=20)
    else:
        with pytest.raises(type(error)) as caught:
            lr_range_test(whole, optimizer, broken(error), loaded(), num_steps=20)
        assert caught.value is error
    after = everything(model, optimizer)
    for what, value in before.items():
        assert after[what] == value, what


def test_the_test_does_train_meanwhile():
    genesis.manual_seed(0)
    model, seen = nn.Linear(4, 3), []

    def step_fn(model, batch):
        seen.append(model.weight.detach().numpy().copy())
        return nn.functional.cross_entropy(model(batch[0]), batch[1])

    before = model.weight.detach().numpy().copy()
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    lr_range_test(model, optimizer, None, loaded(), step_fn=step_fn, num_steps=10)
    assert not np.array_equal(seen[-1], before)
    assert np.array_equal(model.weight.detach().numpy(), before)


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("in_mid_pass", [False, True])
def test_training_goes_on_as_if_there_had_been_no_test(make, in_mid_pass):
    def run(tested):
        genesis.manual_seed(3)
        model, loader = Net(), loaded()
        optimizer = make(model.parameters())
        batches = iter(loader)
        train(model, optimizer, islice(batches, 2 if in_mid_pass else None))
        if tested:
            lr_range_test(model, optimizer, nn.CrossEntropyLoss(), loader, num_steps=12)
        position = loader.state_dict()["batches_served"]
        train(model, optimizer, batches)
        train(model, optimizer, loader)
        return position, bits(model.state_dict()), bits(genesis.get_rng_state())

    assert run(tested=True) == run(tested=False)


def test_generators_of_loaders_samplers_and_data_sets_are_restored():
    class Noisy:
        rng = None

        def __getitem__(self, i):
            return np.float32(self.rng.normal(size=4)), i % 3

        def __len__(self):
            return 40

    def orders(tested):
        dataset = Noisy()
        dataset.rng = np.random.default_rng(5)
        loader = DataLoader(dataset, 8, shuffle=True, generator=genesis.Generator().manual_seed(6))
        model = nn.Linear(4, 3)
        if tested:
            lr_range_test(model, optim.SGD(model.parameters()), nn.CrossEntropyLoss(), loader, num_steps=12)
        return [(x.tolist(), y.tolist()) for x, y in loader]

    assert orders(tested=True) == orders(tested=False)


def test_a_loader_of_ones_own_is_put_back():
    class Stream:
        """Goes on where the last pass ended; its order is shuffled in place."""

        def __init__(self):
            self.position, self.order, self.rng = 0, [0, 1, 2], random.Random(1)
            self.hidden, self.numbers = {"passes": 0}, np.arange(3)

        def __iter__(self):
            self.numbers[:] = 7
            self.rng.shuffle(self.order)
            self.hidden["passes"] += 1
            for _ in range(3):
                self.position += 1
                yield genesis.ones(2, 4) * self.position, genesis.zeros(2, dtype=genesis.int64)

    stream = Stream()
    state = stream.rng.getstate()
    model = nn.Linear(4, 3)
    lr_range_test(model, optim.SGD(model.parameters()), nn.CrossEntropyLoss(), stream, num_steps=10)
    assert (stream.position, stream.order, stream.hidden) == (0, [0, 1, 2], {"passes": 0})
    assert stream.numbers.tolist() == [0, 1, 2]
    assert stream.rng.getstate() == state


def test_a_loader_that_only_its_state_dict_knows_is_put_back():
    class Sealed:
        __slots__ = ("position",)

        def __init__(self):
            self.position = 2

        def __iter__(self):
            while True:
                self.position += 1
                yield genesis.ones(2, 4), genesis.zeros(2, dtype=genesis.int64)

        def state_dict(self):
            return {"position": self.position}

        def load_state_dict(self, state):
            self.position = state["position"]

    loader, model = Sealed(), nn.Linear(4, 3)
    lr_range_test(model, optim.SGD(model.parameters()), nn.CrossEntropyLoss(), loader, num_steps=10)
    assert loader.position == 2


def test_gradients_that_are_zeroed_in_place_and_parameters_that_are_unfrozen():
    class InPlace(optim.SGD):
        def zero_grad(self):
            super().zero_grad(set_to_none=False)

    def step_fn(model, batch):
        model.bias.requires_grad_(True)
        return nn.functional.cross_entropy(model(batch[0]), batch[1])

    model = nn.Linear(4, 3)
    optimizer = InPlace(model.parameters())
    train(model, optimizer, islice(loaded(), 1))
    model.bias.requires_grad_(False)
    grad = model.weight.grad
    before = bits(grad)
    lr_range_test(model, optimizer, None, loaded(), step_fn=step_fn, num_steps=10)
    assert model.weight.grad is grad
    assert bits(grad) == before
    assert not model.bias.requires_grad


def test_the_optimizer_may_keep_objects_of_its_own_and_wrap_another():
    class Count:
        value = 0

    class Wrapper:
        """Not an Optimizer, but it has all that is needed."""

        def __init__(self, inner):
            self.inner, self.state, self.history = inner, {"count": Count(), "sum": np.zeros(2)}, []

        param_groups = property(lambda self: self.inner.param_groups)

        def state_dict(self):
            return {}

        def zero_grad(self):
            self.inner.zero_grad(set_to_none=False)

        def step(self):
            self.inner.step()
            self.state["count"].value += 1
            self.state["sum"] += 1
            self.history.append(self.state["count"].value)

    model = nn.Linear(4, 3)
    wrapper = Wrapper(optim.AdamW(model.parameters()))
    lr_range_test(model, wrapper, nn.CrossEntropyLoss(), loaded(), num_steps=10)
    assert wrapper.state["count"].value == 0
    assert wrapper.state["sum"].tolist() == [0, 0]
    assert wrapper.history == []
    assert not wrapper.inner.state
    assert model.weight.grad is None


def test_a_model_in_evaluation_mode_is_tested_in_training_mode():
    model, modes = Net().eval(), []

    def step_fn(model, batch):
        modes.append((model.training, model.body[2].training))
        return nn.functional.cross_entropy(model(batch[0]), batch[1])

    lr_range_test(model, optim.SGD(model.parameters()), None, loaded(), step_fn=step_fn, num_steps=10)
    assert set(modes) == {(True, True)}
    assert not any(m.training for m in model.modules())


def test_layers_that_were_switched_to_evaluation_stay_so():
    model, modes = Net(), []
    model.body[2].eval()

    def step_fn(model, batch):
        modes.append(model.body[2].training)
        return nn.functional.cross_entropy(model(batch[0]), batch[1])

    lr_range_test(model, optim.SGD(model.parameters()), None, loaded(), step_fn=step_fn, num_steps=10)
    assert not any(modes)


# -- what it does -----------------------------------------------------------------------------------------


class Parabola(nn.Module):
    """curvature / 2 * w^2: gradient descent converges below the rate 2 / curvature, and diverges above."""

    def __init__(self, curvature=10.0, start=1.0):
        super().__init__()
        self.w = nn.Parameter(genesis.full((4,), start))
        self.curvature = curvature

    def forward(self, x):
        return self.curvature / 2 * (self.w * self.w).mean() + 0 * x.sum()


def parabola(model, batch):
    return model(batch)


ONES = [genesis.ones(1)]


def test_on_a_parabola_the_suggestion_trains_and_the_test_stops_when_it_diverges():
    model = Parabola(curvature=40.0)  # of the mean of 4: 10 for each w
    result = lr_range_test(
        model, optim.SGD(model.parameters(), lr=1.0), None, ONES, step_fn=parabola, num_steps=200
    )
    assert 0.2 / 30 < result.suggestion < 0.2  # 2 / 10 is the limit of stability
    assert len(result.rates) < 200
    assert result.rates[-1] > 0.2
    assert "diverged" in result.reason
    optimizer = optim.SGD(model.parameters(), lr=result.suggestion)
    first = model(ONES[0]).item()
    for _ in range(200):
        optimizer.zero_grad()
        model(ONES[0]).backward()
        optimizer.step()
    assert model(ONES[0]).item() < 1e-2 * first


def test_curvature_and_suggestion_are_inverse():
    suggestions = []
    for curvature in (4.0, 400.0):
        model = Parabola(curvature)
        optimizer = optim.SGD(model.parameters(), lr=1.0)
        result = lr_range_test(
            model, optimizer, None, ONES, step_fn=parabola, start_lr=1e-7, end_lr=1e3, num_steps=400
        )
        suggestions.append(result.suggestion)
    # A hundredth of the rate takes the same steps; rates are 6 % apart.
    assert suggestions[0] / suggestions[1] == pytest.approx(100, rel=0.13)


def test_rates_grow_as_they_should():
    model = nn.Linear(4, 3)
    test = partial(
        lr_range_test, model, optim.SGD(model.parameters()), nn.CrossEntropyLoss(), loaded(), num_steps=11
    )
    result = test(start_lr=1e-6, end_lr=1e-1)
    assert result.rates == pytest.approx([10 ** (-6 + k / 2) for k in range(11)], rel=1e-12)
    assert (result.rates[0], result.rates[-1]) == (1e-6, 1e-1)
    result = test(start_lr=0.1, end_lr=0.2, mode="linear")
    assert result.rates == pytest.approx([0.1 + 0.01 * k for k in range(11)], rel=1e-12)


def test_losses_are_raw_and_smoothed_is_their_corrected_mean():
    model = nn.Linear(4, 3)
    optimizer = optim.SGD(model.parameters())
    result = lr_range_test(
        model, optimizer, nn.CrossEntropyLoss(), loaded(), end_lr=1e-2, num_steps=12, smoothing=0.8
    )
    x, y = next(iter([next(iter(DataLoader(data(), 40)))]))
    assert result.losses[0] != result.losses[5]
    assert min(result.losses) > 0
    # The first loss is that of the untouched model: each batch of a pass has a part in the mean of all.
    assert np.mean(result.losses[:5]) == pytest.approx(
        nn.functional.cross_entropy(model(x), y).item(), rel=1e-4
    )
    weights = 0.8 ** np.arange(12)[::-1]
    assert result.smoothed[-1] == pytest.approx(weights @ result.losses / weights.sum(), rel=1e-12)
    plain = lr_range_test(
        model, optimizer, nn.CrossEntropyLoss(), loaded(), end_lr=1e-2, num_steps=12, smoothing=0
    )
    assert plain.smoothed == plain.losses


def test_groups_keep_their_ratio():
    body, head = nn.Linear(4, 4), nn.Linear(4, 3)
    model, seen = nn.Sequential(body, head), []
    groups = [{"params": body.parameters(), "lr": 1e-4}, {"params": head.parameters(), "lr": 1e-3}]
    optimizer = optim.SGD(groups)

    def step_fn(model, batch):
        seen.append([group["lr"] for group in optimizer.param_groups])
        return nn.functional.cross_entropy(model(batch[0]), batch[1])

    result = lr_range_test(model, optimizer, None, loaded(), step_fn=step_fn, num_steps=10)
    assert [rates[0] for rates in seen] == result.rates
    assert [b / a for a, b in seen] == pytest.approx([10] * 10)
    assert [group["lr"] for group in optimizer.param_groups] == [1e-4, 1e-3]


def test_a_rate_that_is_a_tensor_stays_the_same_tensor():
    rate = genesis.tensor(0.25)
    model = nn.Linear(4, 3)
    optimizer = optim.SGD(model.parameters(), lr=rate)
    lr_range_test(model, optimizer, nn.CrossEntropyLoss(), loaded(), num_steps=10)
    assert optimizer.param_groups[0]["lr"] is rate
    assert rate.item() == 0.25


def test_in_a_warmup_that_has_begun_the_rates_before_it_count():
    body, head = nn.Linear(4, 4), nn.Linear(4, 3)
    model = nn.Sequential(body, head)
    optimizer = optim.SGD(
        [{"params": body.parameters(), "lr": 1.0}, {"params": head.parameters(), "lr": 3.0}]
    )
    scheduler = optim.get_cosine_schedule_with_warmup(optimizer, 5, 50)
    seen = []

    def step_fn(model, batch):
        seen.append([group["lr"] for group in optimizer.param_groups])
        return nn.functional.cross_entropy(model(batch[0]), batch[1])

    lr_range_test(model, optimizer, None, loaded(), step_fn=step_fn, num_steps=10)
    assert seen[3][1] == pytest.approx(3 * seen[3][0])
    assert scheduler.get_last_lr() == [group["lr"] for group in optimizer.param_groups] == [0, 0]
    assert scheduler.advance() == 0  # the steps of the test do not count
    with pytest.warns(UserWarning, match="before `optimizer.step"):
        scheduler.step()


def test_a_short_loader_is_started_again():
    passes = []

    class Three:
        def __iter__(self):
            passes.append(1)
            return iter([(genesis.ones(2, 4), genesis.tensor([0, 1]))] * 3)

    model = nn.Linear(4, 3)
    result = lr_range_test(model, optim.SGD(model.parameters()), nn.CrossEntropyLoss(), Three(), num_steps=10)
    assert len(result.rates) == 10
    assert len(passes) == 4


def test_dicts_go_to_step_fn():
    batches = [{"x": genesis.ones(2, 4), "more": [genesis.zeros(2), "text"]}]

    def step_fn(model, batch):
        assert batch["more"][1] == "text"
        return (model(batch["x"]) ** 2).mean()

    model = nn.Linear(4, 3)
    optimizer = optim.SGD(model.parameters())
    result = lr_range_test(
        model, optimizer, None, batches, step_fn=step_fn, end_lr=0.1, num_steps=10, device="cpu"
    )
    assert result.losses[-1] < result.losses[0]


def test_no_suggestion_where_the_loss_never_fell():
    noise = iter(np.random.default_rng(0).normal(2, 0.5, 1000).tolist())

    def nothing_learned(model, batch):
        return model(batch) * 0 + next(noise)

    model = Parabola()
    optimizer = optim.SGD(model.parameters())
    flat = lr_range_test(model, optimizer, None, ONES, step_fn=nothing_learned)
    assert flat.suggestion is None
    assert "never fell" in flat.reason
    climbing = optim.SGD(model.parameters(), maximize=True)
    climbed = lr_range_test(model, climbing, None, ONES, step_fn=parabola)
    assert climbed.suggestion is None
    assert "None" in repr(climbed)


def test_it_ends_at_a_loss_that_is_not_finite():
    def explode(model, batch):
        rate = optimizer.param_groups[0]["lr"]
        return model(batch) * (math.nan if rate > 0.05 else 1.0)

    model = Parabola()
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    result = lr_range_test(model, optimizer, None, ONES, step_fn=explode)
    assert all(map(math.isfinite, result.losses))
    assert 0.04 < result.rates[-1] <= 0.05
    assert "nan" in result.reason
    assert result.suggestion < 0.05
    assert not np.isnan(model.w.detach().numpy()).any()

    def never_finite(model, batch):
        return model(batch) * math.inf

    result = lr_range_test(model, optimizer, None, ONES, step_fn=never_finite)
    assert result.rates == result.losses == []
    assert result.suggestion is None
    assert "not finite from the start" in repr(result)
    result.plot()


def test_negative_losses_do_not_count_as_divergence():
    def shifted(model, batch):
        return model(batch) - 30.0  # from -10 to -30, and then up

    model = Parabola(curvature=40.0)
    result = lr_range_test(model, optim.SGD(model.parameters()), None, ONES, step_fn=shifted, smoothing=0.5)
    assert result.losses[0] == -10.0
    assert min(result.losses) < -29
    assert result.suggestion < 0.2
    assert "diverged" in result.reason


def test_a_loss_that_still_falls_at_the_end_is_said():
    model = Parabola()
    result = lr_range_test(model, optim.SGD(model.parameters()), None, ONES, step_fn=parabola, end_lr=0.05)
    assert result.suggestion < 0.05
    assert "still falling" in result.reason


# -- the result -------------------------------------------------------------------------------------------


def test_repr_and_plot():
    rates = [10.0 ** (k / 10 - 6) for k in range(60)]
    losses = [2.0] * 20 + [2.0 - 0.05 * k for k in range(30)] + [1e6] * 10
    result = RangeTestResult(rates, losses, losses, 1e-3, "because")
    assert repr(result) == "RangeTestResult(60 rates from 1e-06 to 0.794; suggestion 0.001: because)"
    axes = result.plot()
    assert axes.get_xscale() == "log"
    raw, smoothed, mark = axes.get_lines()
    assert list(raw.get_xdata()) == list(smoothed.get_xdata()) == rates
    assert list(mark.get_xdata()) == [1e-3, 1e-3]
    assert 2.0 < axes.get_ylim()[1] < 10  # what diverged does not hide the rest
    assert result.plot(axes) is axes
    linear = RangeTestResult(rates, losses, losses, None, "none", "linear").plot()
    assert linear.get_xscale() == "linear"
    assert len(linear.get_lines()) == 2


def test_it_costs_no_numerical_library():
    heavy = {"numpy", "torch", "matplotlib"}
    code = f"import sys, genesis.optim._range_test; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.stdout.strip() == "set()", done.stderr


# -- errors -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"start_lr": 0}, ValueError, "0 < start_lr < end_lr"),
        ({"start_lr": -1e-3}, ValueError, "start_lr=-0.001"),
        ({"start_lr": 1.0, "end_lr": 1.0}, ValueError, "0 < start_lr < end_lr"),
        ({"end_lr": math.inf}, ValueError, "end_lr=inf"),
        ({"end_lr": math.nan}, ValueError, "end_lr=nan"),
        ({"start_lr": "1e-3"}, TypeError, "start_lr must be a number, got '1e-3'"),
        ({"num_steps": 9}, ValueError, "num_steps must be 10 or more to show a curve, got 9"),
        ({"num_steps": 50.0}, TypeError, "num_steps must be an integer, got 50.0"),
        ({"num_steps": True}, TypeError, "num_steps must be an integer"),
        ({"mode": "log"}, ValueError, 'mode must be "exponential" or "linear", got \'log\''),
        ({"smoothing": 1.0}, ValueError, "smoothing must be at least 0 and less than 1"),
        ({"smoothing": -0.1}, ValueError, "smoothing"),
        ({"diverge_factor": 1}, ValueError, "diverge_factor must be more than 1, got 1"),
        ({"step_fn": len}, ValueError, "got both"),
        ({"loss_fn": None}, ValueError, "got neither"),
        ({"loss_fn": 3}, TypeError, "loss_fn must be a function that returns the loss, got 3"),
        ({"model": "net"}, TypeError, "the model must be callable and have parameters.., got str"),
        ({"optimizer": 0.1}, TypeError, "float is not an optimizer: expected param_groups"),
        ({"optimizer": nn.Linear(1, 1)}, TypeError, "Linear is not an optimizer"),
        (
            {"optimizer": optim.SGD(nn.Linear(4, 3).parameters())},
            ValueError,
            "none of the model's parameters",
        ),
        ({"loader": 3}, TypeError, "the loader must be iterable and give batches, got int"),
        ({"loader": []}, ValueError, "the loader is empty"),
        ({"loader": iter([(genesis.ones(2, 4), genesis.tensor([0, 1]))] * 4)}, ValueError, "gave 4 batches"),
        ({"loader": [{"x": 1, "y": 2}]}, TypeError, r"dict with the keys \['x', 'y'\].*step_fn"),
        ({"loader": [(1, 2, 3)]}, TypeError, "gave a tuple of 3"),
        ({"loader": [genesis.ones(2, 4)]}, TypeError, "gave a Tensor"),
        ({"loss_fn": nn.CrossEntropyLoss(reduction="none")}, ValueError, r"shape \(8,\); take its mean"),
        ({"loss_fn": lambda out, y: out.sum().item()}, TypeError, "as a scalar tensor, got float"),
        ({"loss_fn": lambda out, y: out.sum().detach()}, ValueError, "loss_fn returned has no gradient"),
        ({"loss_fn": None, "step_fn": lambda m, b: None}, TypeError, "step_fn must return the loss"),
    ],
)
def test_wrong_input_is_an_error_that_says_what_to_do(options, error, message):
    model = nn.Linear(4, 3)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    before = bits(model.state_dict())
    given = {"model": model, "optimizer": optimizer, "loss_fn": nn.CrossEntropyLoss(), "loader": loaded()}
    with warnings.catch_warnings(), pytest.raises(error, match=message):
        lr_range_test(**{**given, **options})
    assert bits(model.state_dict()) == before
    assert optimizer.param_groups[0]["lr"] == 0.1


def test_a_first_group_without_a_rate_has_no_ratio():
    body, head = nn.Linear(4, 4), nn.Linear(4, 3)
    optimizer = optim.SGD(
        [{"params": body.parameters(), "lr": 0.0}, {"params": head.parameters(), "lr": 1.0}]
    )
    with pytest.raises(ValueError, match="first parameter group is 0"):
        lr_range_test(nn.Sequential(body, head), optimizer, nn.CrossEntropyLoss(), loaded())


def test_ctrl_c_while_everything_is_put_back_does_not_stop_that():
    class Stubborn(genesis.Generator):
        """Its restoring is interrupted once."""

        interrupted = False

        def set_state(self, state):
            if not self.interrupted:
                self.interrupted = True
                raise KeyboardInterrupt
            super().set_state(state)

    genesis.manual_seed(0)
    generator = Stubborn().manual_seed(1)
    state = generator.get_state().tolist()
    model = Net()
    optimizer = optim.AdamW(model.parameters())
    loader = DataLoader(data(), 8, shuffle=True, generator=generator)
    before = everything(model, optimizer)
    with pytest.raises(KeyboardInterrupt):
        lr_range_test(model, optimizer, nn.CrossEntropyLoss(), loader, num_steps=10)
    assert everything(model, optimizer) == before
    assert generator.get_state().tolist() == state
