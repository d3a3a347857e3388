"""Convolution layers: what comes out, what is refused, how they look."""

from __future__ import annotations

import math

import numpy as np
import pytest

import genesis
from genesis import nn
from genesis.nn import functional as F


def test_conv2d_is_the_sum_over_windows(device):
    rng = np.random.default_rng(0)
    x, w, b = rng.standard_normal((2, 3, 5, 6)), rng.standard_normal((4, 3, 2, 3)), rng.standard_normal(4)
    out = F.conv2d(*[genesis.tensor(a, device=device) for a in (x, w, b)], stride=(1, 2), padding=1)
    wide = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    assert out.shape == (2, 4, 6, 3)
    for i in range(6):
        for j in range(3):
            window = wide[:, :, i : i + 2, 2 * j : 2 * j + 3]
            want = np.einsum("ncij,ocij->no", window, w) + b
            np.testing.assert_allclose(out[:, :, i, j].numpy(), want, rtol=1e-12, atol=1e-12)


def test_a_transpose_is_the_adjoint(device):
    x, w = (
        genesis.randn(2, 3, 7, 6, device=device).double(),
        genesis.randn(4, 3, 3, 2, device=device).double(),
    )
    options = {"stride": 2, "padding": 1, "dilation": (1, 2)}
    out = F.conv2d(x, w, **options)
    y = genesis.randn(*out.shape, device=device).double()
    back = F.conv_transpose2d(y, w, output_padding=(0, 1), **options)
    assert back.shape == x.shape
    assert (out * y).sum().item() == pytest.approx((x * back).sum().item(), rel=1e-10)


def test_depthwise_channels_do_not_see_each_other(device):
    layer = nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False, device=device)
    x = genesis.zeros(1, 4, 5, 5, device=device)
    x[0, 2] = 1.0
    assert [bool(layer(x)[0, c].detach().any().item()) for c in range(4)] == [False, False, True, False]


def test_fold_counts_the_blocks(device):
    x = genesis.ones(1, 1, 4, 4, device=device)
    count = F.fold(F.unfold(x, 3), (4, 4), 3)
    assert count[0, 0].tolist() == [[1, 2, 2, 1], [2, 4, 4, 2], [2, 4, 4, 2], [1, 2, 2, 1]]


def test_an_image_without_a_batch(device):
    layer = nn.Conv2d(3, 4, 3, device=device)
    x = genesis.randn(3, 6, 6, device=device)
    assert layer(x).tolist() == layer(x.unsqueeze(0))[0].tolist()


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_padding_modes_pad_first(device, mode):
    layer = nn.Conv2d(2, 3, 3, padding=(2, 1), padding_mode=mode, device=device)
    x = genesis.randn(1, 2, 5, 4, device=device)
    plain = F.conv2d(F.pad(x, (1, 1, 2, 2), mode), layer.weight, layer.bias)
    assert layer(x).tolist() == plain.tolist()


def test_initial_values():
    genesis.manual_seed(0)
    for layer in (nn.Conv2d(8, 64, 3, groups=2), nn.ConvTranspose1d(64, 8, 9)):
        bound = 1 / math.sqrt(layer.weight[0].numel())
        assert 0.9 * bound < abs(layer.weight).max().item() <= bound
        assert layer.bias is not None
        assert abs(layer.bias).max().item() <= bound
    assert list(nn.Conv1d(1, 1, 1).state_dict()) == ["weight", "bias"]
    assert list(nn.Conv1d(1, 1, 1, bias=False).state_dict()) == ["weight"]


def test_printed():
    assert repr(nn.Conv2d(3, 6, 3, 2, 1, groups=3, bias=False)) == (
        "Conv2d(3, 6, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), groups=3, bias=False)"
    )
    assert repr(nn.ConvTranspose1d(3, 4, 2, output_padding=1, stride=2)) == (
        "ConvTranspose1d(3, 4, kernel_size=(2,), stride=(2,), output_padding=(1,))"
    )


def test_errors_name_the_shapes(device):
    x = genesis.ones(1, 3, 4, 4, device=device)
    with pytest.raises(RuntimeError, match=r"\(4, 2, 3, 3\).*2 channels, got 3.*\(1, 3, 4, 4\)"):
        F.conv2d(x, genesis.ones(4, 2, 3, 3, device=device))
    with pytest.raises(RuntimeError, match=r"\(4 x 4\). Kernel size: \(5 x 5\)"):
        F.conv2d(x, genesis.ones(4, 3, 3, 3, device=device), dilation=2)
    with pytest.raises(RuntimeError, match=r"3 \(unbatched\) or 4 dimensions, got \(4, 4\)"):
        F.conv2d(x[0, 0], genesis.ones(4, 3, 3, 3, device=device))
    with pytest.raises(RuntimeError, match="output padding must be smaller"):
        F.conv_transpose2d(x, genesis.ones(3, 2, 2, 2, device=device), output_padding=1)
    with pytest.raises(RuntimeError, match=r"float32.*float64"):
        F.conv2d(x, genesis.ones(4, 3, 3, 3, device=device).double())
    with pytest.raises(ValueError, match=r"valid sizes range from \[9, 9\] to \[10, 10\]"):
        nn.ConvTranspose2d(3, 4, 3, stride=2, device=device)(x, output_size=(20, 20))
