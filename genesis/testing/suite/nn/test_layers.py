"""Each layer against its formula in NumPy, its options and its errors."""

from __future__ import annotations

import math

import numpy as np
import pytest

import genesis
from genesis import nn
from genesis.nn import functional as F

# float32 results of a few operations on numbers of size 1: a few ulps (1.2e-7 each)
CLOSE = {"rtol": 2e-6, "atol": 1e-6}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def on(device, array):
    return genesis.tensor(array, device=device)


def check(tensor, expected):
    np.testing.assert_allclose(tensor.detach().numpy(), expected, **CLOSE)


def erf(x):
    return np.vectorize(math.erf)(x)


ACTIVATIONS = [
    (nn.ReLU(), lambda x: np.maximum(x, 0)),
    (nn.SiLU(), lambda x: x / (1 + np.exp(-x))),
    (nn.GELU(), lambda x: x * (1 + erf(x / math.sqrt(2))) / 2),
    (nn.GELU("tanh"), lambda x: x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))),
    (nn.Tanh(), np.tanh),
    (nn.Sigmoid(), lambda x: 1 / (1 + np.exp(-x))),
    (nn.LeakyReLU(0.2), lambda x: np.where(x > 0, x, 0.2 * x)),
    (nn.ELU(1.5), lambda x: np.where(x > 0, x, 1.5 * np.expm1(x))),
    (nn.Softplus(2.0, 5.0), lambda x: np.where(2 * x > 5, x, np.log1p(np.exp(2 * x)) / 2)),
    (nn.Softmax(1), lambda x: np.exp(x) / np.exp(x).sum(1, keepdims=True)),
    (nn.LogSoftmax(0), lambda x: x - np.log(np.exp(x).sum(0, keepdims=True))),
    (nn.Identity(3, unused=True), lambda x: x),
]


@pytest.mark.parametrize(
    ("layer", "formula"), ACTIVATIONS, ids=lambda v: repr(v) if isinstance(v, nn.Module) else ""
)
def test_activation(device, rng, layer, formula):
    x = rng.normal(0, 2, (4, 5))
    check(layer(on(device, x.astype(np.float32))), formula(x))


@pytest.mark.parametrize(
    ("layer", "plain"),
    [
        (nn.ReLU(inplace=True), nn.ReLU()),
        (nn.SiLU(inplace=True), nn.SiLU()),
        (nn.LeakyReLU(inplace=True), nn.LeakyReLU()),
        (nn.ELU(inplace=True), nn.ELU()),
    ],
    ids=repr,
)
def test_inplace_overwrites_and_differentiates(device, layer, plain):
    start = on(device, [-1.0, 2.0]).requires_grad_()
    x = start * 1
    y = layer(x)
    assert y is x
    y.sum().backward()
    twin = on(device, [-1.0, 2.0]).requires_grad_()
    expected = plain(twin)
    expected.sum().backward()
    assert x.tolist() == expected.tolist()
    assert start.grad.tolist() == twin.grad.tolist()
    with pytest.raises(RuntimeError, match="in-place"):
        layer(start)


def test_softmax_without_a_dimension_warns(device):
    x = genesis.ones((2, 4), device=device)
    with pytest.warns(UserWarning, match="dim=1 was taken"):
        assert nn.Softmax()(x).tolist() == [[0.25] * 4] * 2
    with pytest.warns(UserWarning, match="dim=0 was taken"):
        assert nn.LogSoftmax()(x[0]).exp().sum().item() == pytest.approx(1)
    assert F.softmax(x, 1, dtype=genesis.float64).dtype is genesis.float64


def test_gelu_knows_two_forms(device):
    with pytest.raises(ValueError, match="'none' or 'tanh', got 'fast'"):
        nn.GELU("fast")(genesis.ones(1, device=device))


def test_linear(device, rng):
    layer = nn.Linear(3, 2, device=device)
    x = rng.normal(size=(4, 5, 3)).astype(np.float32)
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    check(layer(on(device, x)), x @ weight.T + bias)
    check(layer(on(device, x[0, 0])), x[0, 0] @ weight.T + bias)
    assert nn.Linear(3, 2, bias=False, device=device).bias is None
    assert nn.Linear(3, 2, device=device, dtype=genesis.float64).weight.dtype is genesis.float64


def test_linear_names_both_shapes(device):
    with pytest.raises(genesis.ShapeError, match=r"\(4, 5\).*\(2, 3\)"):
        nn.Linear(3, 2, device=device)(genesis.ones((4, 5), device=device))
    x, weight = genesis.ones((1, 3), device=device), genesis.ones((2, 3), device=device)
    with pytest.raises(genesis.ShapeError, match=r"bias of shape \(4,\).*\(2, 3\)"):
        F.linear(x, weight, genesis.ones(4, device=device))


def test_embedding(device):
    layer = nn.Embedding(4, 2, padding_idx=1, device=device)
    index = on(device, [[0, 1, 3], [3, 3, 1]])
    out = layer(index)
    table = layer.weight.detach().numpy()
    np.testing.assert_array_equal(out.detach().numpy(), table[index.numpy()])
    assert table[1].tolist() == [0, 0]
    out.sum().backward()
    assert layer.weight.grad.tolist() == [[1, 1], [0, 0], [0, 0], [3, 3]]


def test_embedding_from_a_table(device):
    table = genesis.rand((5, 3), device=device)
    layer = nn.Embedding.from_pretrained(table)
    assert not layer.weight.requires_grad
    assert layer(on(device, [4])).tolist() == [table[4].tolist()]
    assert nn.Embedding.from_pretrained(table, freeze=False).weight.requires_grad
    with pytest.raises(genesis.ShapeError, match=r"2 dimensions, got shape \(3,\)"):
        nn.Embedding.from_pretrained(table[0])


def test_embedding_errors(device):
    layer = nn.Embedding(4, 2, device=device)
    with pytest.raises(TypeError, match=r"integer dtype, got genesis\.float32"):
        layer(genesis.ones(2, device=device))
    with pytest.raises(IndexError, match="4"):
        layer(on(device, [4]))
    with pytest.raises(ValueError, match="within the 4 rows of the embedding, got 4"):
        nn.Embedding(4, 2, padding_idx=4, device=device)
    with pytest.raises(NotImplementedError, match="sparse"):
        nn.Embedding(4, 2, sparse=True, device=device)


def test_layer_norm(device, rng):
    x = rng.normal(3, 2, (4, 2, 5)).astype(np.float32)
    for shape, axes in ((5, (-1,)), ((2, 5), (-2, -1))):
        layer = nn.LayerNorm(shape, device=device)
        with genesis.no_grad():
            layer.weight.copy_(on(device, rng.normal(size=layer.normalized_shape).astype(np.float32)))
            layer.bias.copy_(on(device, rng.normal(size=layer.normalized_shape).astype(np.float32)))
        wide = x.astype(np.float64)
        plain = (wide - wide.mean(axes, keepdims=True)) / np.sqrt(wide.var(axes, keepdims=True) + 1e-5)
        check(layer(on(device, x)), plain * layer.weight.detach().numpy() + layer.bias.detach().numpy())
        check(nn.LayerNorm(shape, elementwise_affine=False)(on(device, x)), plain)
    assert list(nn.LayerNorm(5, bias=False, device=device).state_dict()) == ["weight"]


def test_layer_norm_names_both_shapes(device):
    with pytest.raises(genesis.ShapeError, match=r"\[\*, 4\], got \(2, 3\)"):
        nn.LayerNorm(4, device=device)(genesis.ones((2, 3), device=device))
    with pytest.raises(genesis.ShapeError, match=r"weight of shape \(3,\), got \(2,\)"):
        F.layer_norm(genesis.ones((2, 3), device=device), (3,), genesis.ones(2, device=device))


def test_dropout(device):
    genesis.manual_seed(0)
    layer = nn.Dropout(0.25)
    x = genesis.ones((100, 100), device=device)
    out = layer(x).numpy()
    assert set(np.unique(out)) == {np.float32(0), np.float32(1 / 0.75)}
    # 10,000 draws: the share kept has a standard deviation of 0.0043; the draws are seeded besides
    assert abs((out > 0).mean() - 0.75) < 0.03
    assert layer.eval()(x).numpy().all()
    assert nn.Dropout(1.0)(x).numpy().sum() == 0
    assert nn.Dropout(0.0)(x).numpy().all()


def test_dropout_repeats_with_the_seed_and_scales_gradients(device):
    def draw():
        genesis.manual_seed(3)
        x = genesis.ones(50, device=device, requires_grad=True)
        y = F.dropout(x, 0.5)
        y.sum().backward()
        return y.tolist(), x.grad.tolist()

    first = draw()
    assert first == draw()
    assert first[0] == first[1]


@pytest.mark.parametrize("p", [-0.1, 1.1])
def test_dropout_probability(device, p):
    with pytest.raises(ValueError, match=f"between 0 and 1, but got {p}"):
        nn.Dropout(p)
    with pytest.raises(ValueError, match=f"between 0 and 1, but got {p}"):
        F.dropout(genesis.ones(1, device=device), p)


def test_flatten_and_unflatten(device):
    x = genesis.arange(24, device=device).reshape(2, 3, 4)
    assert nn.Flatten()(x).shape == (2, 12)
    assert nn.Flatten(0, 1)(x).shape == (6, 4)
    assert nn.Flatten(0)(x).tolist() == list(range(24))
    assert nn.Unflatten(2, (2, -1))(x).shape == (2, 3, 2, 2)
    assert nn.Unflatten(-1, (2, 2))(x).shape == (2, 3, 2, 2)
    with pytest.raises(RuntimeError, match=r"3.*4|4.*3"):
        nn.Unflatten(2, (3, 3))(x)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda device: nn.Linear(2, 3, bias=False, device=device),
            "Linear(in_features=2, out_features=3, bias=False)",
        ),
        (lambda device: nn.Embedding(3, 4, padding_idx=-1, device=device), "Embedding(3, 4, padding_idx=2)"),
        (
            lambda device: nn.LayerNorm(5, device=device),
            "LayerNorm((5,), eps=1e-05, elementwise_affine=True, bias=True)",
        ),
        (lambda device: nn.GELU(), "GELU(approximate='none')"),
        (lambda device: nn.SiLU(), "SiLU()"),
        (lambda device: nn.ReLU(inplace=True), "ReLU(inplace=True)"),
        (lambda device: nn.LeakyReLU(0.1), "LeakyReLU(negative_slope=0.1)"),
        (lambda device: nn.ELU(), "ELU(alpha=1.0)"),
        (lambda device: nn.Softplus(), "Softplus(beta=1.0, threshold=20.0)"),
        (lambda device: nn.Softmax(dim=1), "Softmax(dim=1)"),
        (lambda device: nn.Dropout(0.1), "Dropout(p=0.1, inplace=False)"),
        (lambda device: nn.Flatten(), "Flatten(start_dim=1, end_dim=-1)"),
        (lambda device: nn.Unflatten(1, [2, 3]), "Unflatten(dim=1, unflattened_size=(2, 3))"),
        (lambda device: nn.CrossEntropyLoss(), "CrossEntropyLoss()"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_repr(device, make, text):
    assert repr(make(device)) == text
