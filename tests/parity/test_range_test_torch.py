"""The learning-rate range test on PyTorch's models, optimizers and loaders leaves nothing behind."""

from __future__ import annotations

import random
from functools import partial
from itertools import islice

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import genesis
from genesis.optim._range_test import lr_range_test

pytestmark = pytest.mark.parity


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv1d(1, 4, 3), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.3))
        self.frozen = nn.BatchNorm1d(4).eval()
        self.head = nn.Linear(8, 3)
        self.register_buffer("ones", torch.ones(1).expand(8))  # nothing can be written into it in place
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return self.head(self.frozen(self.body(x[:, None])).flatten(1) * self.ones)


def loaded(**options):
    g = torch.Generator().manual_seed(1)
    data = TensorDataset(torch.randn(40, 4, generator=g), torch.randint(0, 3, (40,), generator=g))
    return DataLoader(data, batch_size=8, shuffle=True, **options)


def train(model, optimizer, batches):
    for x, y in batches:
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def bits(value):
    if isinstance(value, torch.Tensor):
        return value.detach().numpy().tobytes(), value.dtype, tuple(value.shape), value.requires_grad
    if isinstance(value, dict):
        return {id(k) if isinstance(k, torch.Tensor) else k: bits(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [bits(v) for v in value]
    return value


def everything(model, optimizer):
    tensors = [*model.parameters(), *model.buffers()]
    return {
        "objects": [id(t) for t in tensors],
        "storages": [t.data_ptr() for t in tensors],
        "values": bits(tensors),
        "grads": [(id(p.grad), bits(p.grad)) for p in model.parameters()],
        "modes": [m.training for m in model.modules()],
        "attributes": [sorted(vars(m)) for m in model.modules()],
        "calls": model.calls,
        "state": bits(optimizer.state),
        "groups": bits(optimizer.param_groups),
        "keys": [list(group) for group in optimizer.param_groups],
        "optimizer": sorted(vars(optimizer)),
        "random": (bits(torch.get_rng_state()), random.getstate(), bits(genesis.get_rng_state().tolist())),
    }


OPTIMIZERS = {
    "SGD": partial(torch.optim.SGD, lr=0.1),
    "momentum": partial(torch.optim.SGD, lr=0.1, momentum=0.9, foreach=True),
    "AdamW": partial(torch.optim.AdamW, lr=1e-3, amsgrad=True),
    "rate that is a tensor": lambda p: torch.optim.Adam(p, lr=torch.tensor(1e-3)),
    "Adagrad, which has state at once": torch.optim.Adagrad,
}


@pytest.mark.parametrize("error", [None, RuntimeError("out of order"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("steps_before", [0, 3])
@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_everything_is_as_before(make, steps_before, error):
    torch.manual_seed(0)
    model, calls = Net(), 0
    optimizer = make(model.parameters())
    train(model, optimizer, islice(loaded(), steps_before))
    model.head.bias.grad = None
    before = everything(model, optimizer)

    def loss_fn(output, target):
        nonlocal calls
        calls += 1
        if error is not None and calls > 7:
            raise error
        return nn.functional.cross_entropy(output, target) + random.random()

    if error is None:
        assert len(lr_range_test(model, optimizer, loss_fn, loaded(), num_steps=20).rates) >= 10
    else:
        with pytest.raises(type(error)) as caught:
            lr_range_test(model, optimizer, loss_fn, loaded(), num_steps=20)
        assert caught.value is error
    after = everything(model, optimizer)
    for what, value in before.items():
        assert after[what] == value, what


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("in_mid_pass", [False, True])
@pytest.mark.parametrize("own_generator", [False, True])
def test_training_goes_on_as_if_there_had_been_no_test(make, in_mid_pass, own_generator):
    def run(tested):
        torch.manual_seed(3)
        generator = torch.Generator().manual_seed(4) if own_generator else None
        model, loader = Net(), loaded(generator=generator)
        optimizer = make(model.parameters())
        batches = iter(loader)
        train(model, optimizer, islice(batches, 2 if in_mid_pass else None))
        if tested:
            lr_range_test(model, optimizer, nn.CrossEntropyLoss(), loader, num_steps=12)
        train(model, optimizer, batches)
        train(model, optimizer, loader)
        return bits(model.state_dict()), bits(torch.get_rng_state())

    assert run(tested=True) == run(tested=False)


def test_a_scheduler_of_torch_that_waits_is_not_disturbed():
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer)
    rate = optimizer.param_groups[0]["lr"]
    lr_range_test(model, optimizer, nn.CrossEntropyLoss(), loaded(), num_steps=10)
    assert optimizer.param_groups[0]["lr"] == rate
    with pytest.warns(UserWarning, match="before `optimizer.step"):  # the steps of the test do not count
        scheduler.step()


def test_both_libraries_lose_the_same():
    x = np.random.default_rng(0).normal(size=(64, 5)).astype(np.float32)
    y = np.abs(x).argmax(1)
    theirs = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 5))
    ours = genesis.nn.Sequential(genesis.nn.Linear(5, 16), genesis.nn.ReLU(), genesis.nn.Linear(16, 5))
    ours.load_state_dict(
        {name: genesis.tensor(p.detach().numpy()) for name, p in theirs.state_dict().items()}
    )
    results = []
    for lib, model, tensor in ((torch, theirs, torch.from_numpy), (genesis, ours, genesis.from_numpy)):
        loader = [(tensor(x[k : k + 16]), tensor(y[k : k + 16])) for k in range(0, 64, 16)]
        optimizer = lib.optim.AdamW(model.parameters())
        results.append(
            lr_range_test(model, optimizer, lib.nn.CrossEntropyLoss(), loader, end_lr=0.1, num_steps=60)
        )
    assert results[0].rates == results[1].rates
    # Sixty steps of rounding in another order; Adam magnifies it where a gradient is near 0.
    assert results[0].losses == pytest.approx(results[1].losses, rel=1e-3)
    assert results[0].suggestion == results[1].suggestion


def test_the_loss_of_a_batch_that_is_a_dict():
    model = Net()
    batches = [{"inputs": x, "labels": y} for x, y in loaded()]

    def step_fn(model, batch):
        return nn.functional.cross_entropy(model(batch["inputs"]), batch["labels"])

    optimizer = torch.optim.AdamW(model.parameters())
    result = lr_range_test(model, optimizer, None, batches, step_fn=step_fn, num_steps=50, end_lr=0.1)
    assert len(result.losses) == 50


def test_in_no_grad_it_says_so():
    model = Net()
    with torch.no_grad(), pytest.raises(ValueError, match=r"has no gradient.*no_grad"):
        lr_range_test(model, torch.optim.SGD(model.parameters()), nn.CrossEntropyLoss(), loaded())
