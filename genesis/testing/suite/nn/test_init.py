"""Initial values: bounds, spread, structure, and that a generator decides them."""

from __future__ import annotations

import math

import numpy as np
import pytest

import genesis
from genesis import nn
from genesis.nn import init

# With 200 x 300 draws the mean of n values strays from the truth by about std / 245, and the estimate of the
# standard deviation by about std / 346. Six times that never fails by chance; the draws are seeded besides.
SHAPE = (200, 300)
MEAN_SLACK = 6 / math.sqrt(math.prod(SHAPE))
STD_SLACK = 6 / math.sqrt(2 * math.prod(SHAPE))


@pytest.fixture
def generator(device):
    return genesis.Generator(device).manual_seed(7)


@pytest.fixture
def weight(device):
    return nn.Parameter(genesis.zeros(SHAPE, device=device))


def spread(tensor):
    values = tensor.detach().numpy()
    return values.mean(), values.std(), np.abs(values).max()


@pytest.mark.parametrize(
    ("fill", "std", "bound"),
    [
        (lambda w, g: init.uniform_(w, -2, 2, generator=g), 2 / math.sqrt(3), 2),
        (lambda w, g: init.normal_(w, 0, 3, generator=g), 3, None),
        (
            lambda w, g: init.xavier_uniform_(w, gain=2, generator=g),
            2 * math.sqrt(2 / 500),
            2 * math.sqrt(6 / 500),
        ),
        (lambda w, g: init.xavier_normal_(w, generator=g), math.sqrt(2 / 500), None),
        (
            lambda w, g: init.kaiming_uniform_(w, a=math.sqrt(5), generator=g),
            1 / math.sqrt(3 * 300),
            1 / math.sqrt(300),
        ),
        (
            lambda w, g: init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu", generator=g),
            math.sqrt(2 / 200),
            None,
        ),
    ],
)
def test_spread(weight, generator, fill, std, bound):
    assert fill(weight, generator) is weight
    mean, found, largest = spread(weight)
    assert abs(mean) < MEAN_SLACK * std
    assert abs(found / std - 1) < STD_SLACK
    if bound is not None:
        # close to the bound, but not beyond it (a float32 ulp aside)
        assert 0.99 * bound < largest <= bound * (1 + 1e-6)
    assert weight.requires_grad
    assert weight.is_leaf


@pytest.mark.parametrize(
    "fill",
    [
        init.uniform_,
        init.normal_,
        init.trunc_normal_,
        init.xavier_normal_,
        init.kaiming_uniform_,
        init.orthogonal_,
    ],
)
def test_a_seed_decides_the_values(device, fill):
    def draw(seed):
        return fill(
            genesis.empty((4, 5), device=device), generator=genesis.Generator(device).manual_seed(seed)
        ).tolist()

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


def normal_moments(low, high):
    """Mean and standard deviation of N(0, 1) within [low, high], by numerical integration."""
    x = np.linspace(low, high, 20001)
    density = np.exp(-(x**2 - min(low**2, high**2)) / 2)
    density /= density.sum()
    mean = (x * density).sum()
    return mean, math.sqrt(((x - mean) ** 2 * density).sum())


@pytest.mark.parametrize(
    ("mean", "std", "a", "b"),
    [(0, 1, -2, 2), (1, 2, -1, 9), (0, 0.02, -2, 2), (0, 1, 1.9, 2.5), (0, 1, 9, 10), (0, 1, -10, -9)],
    ids=["usual", "shifted", "never cut", "thin slice", "upper tail", "lower tail"],
)
def test_trunc_normal(weight, generator, mean, std, a, b):
    init.trunc_normal_(weight, mean, std, a, b, generator=generator)
    values = weight.detach().numpy()
    assert values.min() >= a
    assert values.max() <= b
    low, high = (max(min((v - mean) / std, 12), -12) for v in (a, b))
    true_mean, true_std = normal_moments(low, high)
    assert abs((values.mean() - mean) / std - true_mean) < MEAN_SLACK * true_std
    # A cut or one-sided density has heavier fourth moments than the normal one: twice the slack.
    assert abs(values.std() / std / true_std - 1) < 2 * STD_SLACK


def test_trunc_normal_needs_an_interval(weight):
    with pytest.raises(ValueError, match="a < b"):
        init.trunc_normal_(weight, a=2, b=-2)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (4, 2, 3)])
def test_orthogonal(device, generator, shape):
    weight = init.orthogonal_(nn.Parameter(genesis.empty(shape, device=device)), gain=2, generator=generator)
    matrix = weight.detach().numpy().reshape(shape[0], -1)
    small = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    # products of float32 numbers of size 1: a few ulps of 4
    np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=5e-6)


def test_constants(device):
    weight = nn.Parameter(genesis.empty((2, 3), device=device))
    assert init.constant_(weight, 0.5).tolist() == [[0.5] * 3] * 2
    assert init.ones_(weight).tolist() == [[1.0] * 3] * 2
    assert init.zeros_(weight).tolist() == [[0.0] * 3] * 2
    assert init.eye_(weight).tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]


def test_fans_count_the_kernel(device):
    kernel = genesis.empty((8, 4, 3, 3), device=device)
    init.constant_(kernel, 0)
    init.kaiming_uniform_(kernel, a=1, generator=genesis.Generator(device).manual_seed(0))
    bound = math.sqrt(3 / 36)  # gain 1, fan_in 4 * 3 * 3
    assert 0.9 * bound < kernel.abs().max().item() <= bound * (1 + 1e-6)


def test_gains():
    assert init.calculate_gain("linear") == init.calculate_gain("conv_transpose2d") == 1
    assert init.calculate_gain("tanh") == pytest.approx(5 / 3)
    assert init.calculate_gain("relu") == pytest.approx(math.sqrt(2))
    assert init.calculate_gain("leaky_relu", 1) == pytest.approx(1)
    assert init.calculate_gain("selu") == 0.75
    with pytest.raises(ValueError, match=r"'swish'; use one of .*leaky_relu"):
        init.calculate_gain("swish")
    with pytest.raises(ValueError, match="must be a number"):
        init.calculate_gain("leaky_relu", "steep")


def test_wrong_shapes_are_refused(device):
    vector = genesis.ones(3, device=device)
    for fill in (init.xavier_uniform_, init.kaiming_normal_, init.orthogonal_, init.eye_):
        with pytest.raises(ValueError, match=r"dimensions, got shape \(3,\)"):
            fill(vector)
    with pytest.raises(ValueError, match="'fan_in' or 'fan_out', got 'fan'"):
        init.kaiming_uniform_(genesis.ones((2, 2), device=device), mode="fan")


def test_layers_start_as_in_pytorch(device):
    genesis.manual_seed(0)
    linear = nn.Linear(300, 200, device=device)
    bound = 1 / math.sqrt(300)
    for tensor in (linear.weight, linear.bias):
        _, std, largest = spread(tensor)
        assert 0.9 * bound < largest <= bound * (1 + 1e-6)
        assert abs(std / (bound / math.sqrt(3)) - 1) < 0.2  # 200 values only
    mean, std, _ = spread(nn.Embedding(*SHAPE, device=device).weight)
    assert abs(mean) < MEAN_SLACK
    assert abs(std - 1) < STD_SLACK
    norm = nn.LayerNorm(3, device=device)
    assert norm.weight.tolist() == [1, 1, 1]
    assert norm.bias.tolist() == [0, 0, 0]
    assert nn.Embedding(3, 2, padding_idx=-1, device=device).weight[2].tolist() == [0, 0]
