"""What a person who trains with a schedule sees: real models, optimizers and checkpoints, start to end."""

from __future__ import annotations

import math

import pytest

import genesis
from genesis import nn, optim


def regression(seed=0):
    """A model and a batch: inputs (16, 4) and targets (16, 1)."""
    genesis.manual_seed(seed)
    inputs = genesis.randn(16, 4)
    return nn.Linear(4, 1), (inputs, inputs.sum(dim=1, keepdim=True))


def train_step(model, optimizer, batch):
    inputs, targets = batch
    optimizer.zero_grad()
    loss = nn.MSELoss()(model(inputs), targets)
    loss.backward()
    optimizer.step()
    return loss.item()


def rates_over_training(scheduler, model, batch, steps):
    rates = []
    for _ in range(steps):
        rates.append(scheduler.optimizer.param_groups[0]["lr"])
        train_step(model, scheduler.optimizer, batch)
        scheduler.step()
    return rates


def test_each_optimizer_step_is_taken_with_the_rate_of_its_step():
    model, batch = regression()
    scheduler = optim.LambdaLR(optim.SGD(model.parameters(), lr=0.1), lambda step: 1 / (step + 1))
    assert rates_over_training(scheduler, model, batch, 4) == [0.1 * (1 / (step + 1)) for step in range(4)]


def test_warmup_takes_its_first_step_with_rate_0_and_changes_no_weight():
    model, batch = regression()
    before = model.weight.tolist()
    optimizer = optim.AdamW(model.parameters(), lr=0.1)
    scheduler = optim.get_cosine_schedule_with_warmup(optimizer, num_warmup_steps=2, num_training_steps=6)
    train_step(model, optimizer, batch)
    assert model.weight.tolist() == before
    scheduler.step()
    train_step(model, optimizer, batch)
    assert model.weight.tolist() != before


def test_training_past_the_end_of_the_cosine_changes_no_weight():
    model, batch = regression()
    optimizer = optim.AdamW(model.parameters(), lr=0.1)
    scheduler = optim.get_cosine_schedule_with_warmup(optimizer, 2, 6)
    rates_over_training(scheduler, model, batch, 6)
    before = model.weight.tolist()
    assert rates_over_training(scheduler, model, batch, 5) == [0.0] * 5
    assert model.weight.tolist() == before


def test_rate_can_be_printed_as_a_number_or_as_a_list():
    model, _ = regression()
    scheduler = optim.LambdaLR(optim.Adam(model.parameters(), lr=5e-4), lambda step: 0.5)
    assert f"lr={scheduler.get_last_lr():.6f}" == "lr=0.000250"
    assert f"lr={scheduler.get_last_lr()}" == "lr=[0.00025]"


def test_training_reduces_the_loss_under_a_schedule():
    model, batch = regression()
    optimizer = optim.AdamW(model.parameters(), lr=0.3)
    scheduler = optim.get_cosine_schedule_with_warmup(optimizer, 5, 60)
    losses = []
    for _ in range(60):
        losses.append(train_step(model, optimizer, batch))
        scheduler.step()
    assert losses[-1] < losses[0] / 100


@pytest.mark.parametrize("stop", [1, 3, 7])
def test_training_goes_on_from_a_checkpoint_as_if_never_stopped(stop, tmp_path):
    def build():
        model, batch = regression()
        optimizer = optim.AdamW(model.parameters(), lr=0.1)
        return model, batch, optimizer, optim.get_cosine_schedule_with_warmup(optimizer, 3, 9)

    model, batch, optimizer, scheduler = build()
    rates_over_training(scheduler, model, batch, stop)
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "epoch": stop,
    }
    genesis.save_checkpoint(state, tmp_path / "run.ckpt")
    expected = rates_over_training(scheduler, model, batch, 10 - stop)

    resumed, batch, optimizer, scheduler = build()
    state = genesis.load_checkpoint(tmp_path / "run.ckpt")
    resumed.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    scheduler.load_state_dict(state["scheduler"])
    assert state["epoch"] == scheduler.last_epoch == stop
    assert rates_over_training(scheduler, resumed, batch, 10 - stop) == expected
    assert resumed.weight.tolist() == model.weight.tolist()


def test_parameter_groups_have_rates_and_functions_of_their_own():
    body, head = nn.Linear(4, 4), nn.Linear(4, 1)
    optimizer = optim.SGD(
        [{"params": list(body.parameters()), "lr": 0.01}, {"params": list(head.parameters())}], lr=0.1
    )
    scheduler = optim.LambdaLR(optimizer, [lambda step: 0.0 if step < 2 else 1.0, lambda step: 0.5**step])
    assert scheduler.preview(4).tolist() == [[0.0, 0.1], [0.0, 0.05], [0.01, 0.025], [0.01, 0.0125]]


def test_group_added_to_an_optimizer_is_scheduled_too():
    body, head = nn.Linear(4, 4), nn.Linear(4, 1)
    optimizer = optim.SGD(head.parameters(), lr=0.1)
    scheduler = optim.LambdaLR(optimizer, lambda step: 0.5**step)
    optimizer.add_param_group({"params": list(body.parameters()), "lr": 0.01})
    optimizer.step()
    scheduler.step()
    assert scheduler.get_last_lr() == [0.05, 0.005]


def test_range_test_finds_where_the_loss_explodes():
    model, batch = regression()
    optimizer = optim.SGD(model.parameters(), lr=1e-5)
    scheduler = optim.LambdaLR(optimizer, lambda step: 1e6 ** (step / 60))
    rates, losses = [], []
    for _ in range(60):
        losses.append(train_step(model, optimizer, batch))
        rates.append(float(scheduler.get_last_lr()))
        scheduler.step()
        if losses[-1] > 4 * min(losses):
            break
    assert rates == sorted(rates)
    assert 0.05 < rates[-1] < 10


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda epoch: 0.95**epoch, {0: 1.0, 20: 0.95**20}),
        (lambda epoch: 0.5 ** (epoch // 30), {29: 1.0, 30: 0.5, 90: 0.125}),
        (lambda epoch: max(0.0, 1 - epoch / 100) ** 0.9, {50: 0.5**0.9, 100: 0.0, 101: 0.0}),
        (lambda epoch: 0.5 * (1 + math.cos(math.pi * (epoch % 50) / 50)), {25: 0.5, 50: 1.0}),
        (lambda step: min(step, 100) / 100 * max(step, 100) ** -0.5, {0: 0.0, 100: 0.1, 400: 0.05}),
    ],
    ids=["exponential", "staircase", "polynomial", "restarts", "inverse square root"],
)
def test_usual_shapes_are_a_line_each(function, expected):
    model, _ = regression()
    scheduler = optim.LambdaLR(optim.Adam(model.parameters(), lr=2.0), function)
    for step, factor in expected.items():
        assert scheduler.value_at(step) == pytest.approx([2.0 * factor])


def test_scheduler_before_the_optimizer_is_warned_of_with_our_optimizers():
    model, _ = regression()
    scheduler = optim.LambdaLR(optim.SGD(model.parameters(), lr=0.1), lambda step: 1.0)
    with pytest.warns(UserWarning, match="Detected call of `lr_scheduler.step"):
        scheduler.step()


def test_schedulers_are_made_by_name():
    model, _ = regression()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    scheduler = optim.create_scheduler(
        "cosine_with_warmup", optimizer, num_warmup_steps=2, num_training_steps=10
    )
    assert isinstance(scheduler, optim.LambdaLR)
    assert scheduler.value_at(1) == [0.05]
