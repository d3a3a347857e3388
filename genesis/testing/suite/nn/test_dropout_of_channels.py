"""Dropout of channels and the one for SELU: what is drawn, how the rest is scaled."""

import numpy as np
import pytest

import genesis
from genesis import nn

F = nn.functional


@pytest.mark.parametrize(("function", "shape"), [
    (F.dropout1d, (30, 20, 6)), (F.dropout2d, (30, 20, 3, 2)), (F.dropout3d, (30, 20, 3, 2, 1)),
])  # fmt: skip
def test_whole_channels_go_or_stay(device, function, shape):
    x = genesis.ones(*shape, device=device, requires_grad=True)
    y = function(x, 0.25)
    kept = y.detach().numpy().reshape(600, -1)
    assert set(np.unique(kept.round(5))) == {0.0, np.float32(1 / 0.75).round(5)}
    assert (kept == kept[:, :1]).all()
    assert 0.18 < (kept[:, 0] == 0).mean() < 0.32
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), y.detach().numpy())


def test_without_a_batch(device):
    y = F.dropout1d(genesis.ones(50, 4, device=device), 0.5).numpy()
    assert 0 < (y[:, 0] == 0).sum() < 50
    assert (y == y[:, :1]).all()


def test_in_place_returns_its_input(device):
    x = genesis.ones(50, 4, device=device)
    assert F.dropout1d(x, 0.5, inplace=True) is x
    assert F.alpha_dropout(x, 0.5, True, inplace=True) is x
    assert nn.Dropout1d(0.5, inplace=True).eval()(x) is x


def dropped(y):
    """Where the value is that comes most often: what dropped elements become."""
    values, counts = np.unique(y, return_counts=True)
    return y == values[counts.argmax()]


def test_alpha_dropout_keeps_mean_and_variance(device):
    x = genesis.randn(200, 200, device=device, generator=genesis.Generator().manual_seed(0))
    y = nn.AlphaDropout(0.3)(x).numpy()
    assert abs(y.mean()) < 0.03
    assert abs(y.var() - 1) < 0.05
    assert 0.27 < dropped(y).mean() < 0.33


def test_alpha_dropout_of_channels(device):
    x = genesis.randn(20, 30, 8, device=device, requires_grad=True)
    y = nn.FeatureAlphaDropout(0.5)(x)
    gone = dropped(y.detach().numpy())
    assert (gone == gone[..., :1]).all()
    assert 0.3 < gone.mean() < 0.7
    y.sum().backward()
    assert (x.grad.numpy()[gone] == 0).all()
    assert (x.grad.numpy()[~gone] > 0.5).all()
