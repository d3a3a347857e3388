"""ParamScheduler drives the entries of PyTorch's optimizers as it drives those of ours."""

from __future__ import annotations

import json

import pytest
import torch

from genesis.optim import Constant, Cosine, Exponential, Linear, ParamScheduler

pytestmark = pytest.mark.parity


def theirs(name, **options):
    parameters = [[torch.nn.Parameter(torch.ones(2))] for _ in range(2)]
    return getattr(torch.optim, name)(
        [{"params": parameters[0]}, {"params": parameters[1], "lr": 0.01}], lr=0.1, **options
    )


def column(optimizer, read):
    return [read(group) for group in optimizer.param_groups]


@pytest.mark.parametrize(
    ("name", "options", "param", "read"),
    [
        ("SGD", {}, "lr", lambda group: group["lr"]),
        ("SGD", {"momentum": 0.8}, "momentum", lambda group: group["momentum"]),
        ("AdamW", {"betas": (0.8, 0.99)}, "momentum", lambda group: group["betas"][0]),
        ("AdamW", {"weight_decay": 0.3}, "weight_decay", lambda group: group["weight_decay"]),
        ("AdamW", {"eps": 1e-3}, "eps", lambda group: group["eps"]),
    ],
)
def test_entry_follows_the_schedule(name, options, param, read):
    optimizer = theirs(name, **options)
    bases = column(optimizer, read)
    scheduler = ParamScheduler(optimizer, Linear(4, 1.0, 0.0), param_name=param)
    for step in range(1, 6):
        optimizer.step()
        scheduler.step()
        expected = [base * max(0.0, 1 - step / 4) for base in bases]
        assert column(optimizer, read) == expected == scheduler.get_last_lr() == scheduler.value_at(step)
    if "betas" in options:
        assert [group["betas"][1] for group in optimizer.param_groups] == [0.99, 0.99]


@pytest.mark.parametrize("stop", [0, 1, 3, 6])
def test_rate_and_weight_decay_of_one_optimizer_go_on_from_their_states(stop):
    def build():
        optimizer = theirs("AdamW", weight_decay=0.5)
        return (
            optimizer,
            ParamScheduler(optimizer, Cosine(6).towards(0.001).with_warmup(2)),
            ParamScheduler(
                optimizer, Constant(0.1, kind="value").then(Exponential(0.5), at=3), "weight_decay"
            ),
        )

    def go(optimizer, *schedulers, steps):
        rows = []
        for _ in range(steps):
            optimizer.step()
            for scheduler in schedulers:
                scheduler.step()
            rows.append(column(optimizer, lambda group: (group["lr"], group["weight_decay"])))
        return rows

    optimizer, *schedulers = build()
    go(optimizer, *schedulers, steps=stop)
    saved = optimizer.state_dict(), *(json.dumps(scheduler.state_dict()) for scheduler in schedulers)
    expected = go(optimizer, *schedulers, steps=8)
    assert expected[0] != expected[3]

    optimizer, *schedulers = build()
    optimizer.load_state_dict(saved[0])
    for scheduler, state in zip(schedulers, saved[1:], strict=True):
        scheduler.load_state_dict(json.loads(state))
    assert go(optimizer, *schedulers, steps=8) == expected


def test_tensor_is_changed_in_place():
    rate = torch.tensor(0.5)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=rate)
    scheduler = ParamScheduler(optimizer, Linear(4))
    optimizer.step()
    scheduler.step()
    assert optimizer.param_groups[0]["lr"] is rate
    assert rate.item() == 0.375
