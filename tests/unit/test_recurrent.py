"""Recurrent layers as their users see them."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import genesis
from genesis import nn
from genesis.nn.utils.rnn import pack_sequence, pad_packed_sequence, unpack_sequence


def close(a, b):
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-5, atol=1e-6)


def as_pair(h):
    return h if isinstance(h, tuple) else (h,)


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_a_packed_batch_gives_what_its_sequences_give_alone(kind):
    layer = getattr(nn, kind)(3, 4, num_layers=2, bidirectional=True)
    sequences = [genesis.randn(n, 3) for n in (2, 5, 3)]
    packed, last = layer(pack_sequence(sequences, enforce_sorted=False))
    for i, (x, y) in enumerate(zip(sequences, unpack_sequence(packed), strict=True)):
        alone, last_alone = layer(x)
        close(y, alone)
        for a, b in zip(as_pair(last), as_pair(last_alone), strict=True):
            close(a[:, i], b)
    padded, lengths = pad_packed_sequence(packed, batch_first=True)
    assert padded.shape == (3, 5, 8)
    assert lengths.tolist() == [2, 5, 3]
    assert not padded[0, 2:].any()


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_a_sequence_goes_on_from_the_last_state(kind):
    layer = getattr(nn, kind)(3, 4, num_layers=2, batch_first=True)
    x = genesis.randn(2, 6, 3)
    whole, last = layer(x)
    first, state = layer(x[:, :4])
    rest, end = layer(x[:, 4:], state)
    close(genesis.cat([first, rest], 1), whole)
    for a, b in zip(as_pair(end), as_pair(last), strict=True):
        close(a, b)


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_a_large_batch_gives_what_its_sequences_give_alone(kind):
    layer = getattr(nn, kind)(3, 100, bidirectional=True)  # large enough for several threads
    sequences = [genesis.randn(n, 3) for n in (4, 6, 2, 6, 1, 3, 5, 2, 4)]
    packed, _ = layer(pack_sequence(sequences, enforce_sorted=False))
    outputs = unpack_sequence(packed)
    genesis.cat(outputs).square().sum().backward()
    together = [p.grad for p in layer.parameters()]
    layer.zero_grad()
    for x, y in zip(sequences, outputs, strict=True):
        alone, _ = layer(x)
        close(y, alone)
        alone.square().sum().backward()
    for p, grad in zip(layer.parameters(), together, strict=True):
        np.testing.assert_allclose(grad.numpy(), p.grad.numpy(), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_a_cell_is_a_step_of_its_layer(kind):
    layer, cell = getattr(nn, kind)(3, 4), getattr(nn, f"{kind}Cell")(3, 4)
    cell.load_state_dict({name.removesuffix("_l0"): w for name, w in layer.state_dict().items()})
    x, state, outputs = genesis.randn(5, 2, 3), None, []
    for row in x:
        state = cell(row, state)
        outputs.append(as_pair(state)[0])
    close(genesis.stack(outputs), layer(x)[0])


def test_it_learns_to_remember():
    genesis.manual_seed(0)
    layer, head = nn.LSTM(1, 16, batch_first=True), nn.Linear(16, 1)
    optimizer = genesis.optim.Adam([*layer.parameters(), *head.parameters()], lr=0.02)
    x = genesis.randint(0, 2, (64, 8, 1)).float()
    target = x[:, 0]  # what came first
    for _ in range(60):
        loss = nn.functional.mse_loss(head(layer(x)[0][:, -1]), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05


def test_weights_that_are_shared_or_copied():
    layer = nn.GRU(3, 4)
    other = copy.deepcopy(layer)
    with genesis.no_grad():
        other.weight_hh_l0.zero_()
    assert layer.weight_hh_l0.any()
    x = genesis.randn(2, 1, 3)
    before = layer(x)[0].tolist()
    layer.weight_ih_l0 = nn.Parameter(genesis.zeros(12, 3))  # an assigned parameter is the one that is used
    assert layer(x)[0].tolist() != before
    assert all(layer.all_weights[0][i] is w for i, w in enumerate(layer.parameters()))


def test_dropout_between_layers_only_in_training():
    layer, x = nn.RNN(3, 50, num_layers=2, dropout=0.5), genesis.randn(4, 2, 3)
    assert layer(x)[0].tolist() != layer(x)[0].tolist()
    layer.eval()
    assert layer(x)[0].tolist() == layer(x)[0].tolist()
    with pytest.warns(UserWarning, match="does nothing"):
        nn.RNN(3, 4, dropout=0.5)
