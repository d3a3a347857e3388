"""Each loss against its formula in NumPy, its options and its errors."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import genesis
from genesis import nn
from genesis.nn import functional as F

# float32 results of a few operations on numbers of size 1: a few ulps (1.2e-7 each)
CLOSE = {"rtol": 3e-6, "atol": 1e-6}
REDUCTIONS = ["mean", "sum", "none"]

rng = np.random.default_rng(0)
X = rng.normal(size=(6, 4)).astype(np.float32)
Y = rng.normal(size=(6, 4)).astype(np.float32)
CLASSES = np.array([0, 3, 1, 1, 2, 0])
WEIGHT = np.array([1.0, 0.5, 2.0, 3.0], dtype=np.float32)
BITS = (rng.random((6, 4)) > 0.5).astype(np.float32)


def log_softmax(x):
    return x - np.log(np.exp(x).sum(1, keepdims=True))


def reduced(losses, reduction):
    return {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction](losses)


def check(tensor, expected):
    np.testing.assert_allclose(tensor.detach().numpy(), expected, **CLOSE)


@pytest.fixture
def on(device):
    return lambda array: genesis.tensor(array, device=device)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_differences(on, reduction):
    check(nn.MSELoss(reduction=reduction)(on(X), on(Y)), reduced((X - Y) ** 2, reduction))
    check(nn.L1Loss(reduction=reduction)(on(X), on(Y)), reduced(abs(X - Y), reduction))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
def test_class_losses(on, reduction, weighted):
    weight = WEIGHT if weighted else np.ones(4)
    options = {"weight": on(WEIGHT) if weighted else None, "reduction": reduction, "ignore_index": 1}
    factor = np.where(CLASSES == 1, 0, weight[CLASSES])
    losses = -factor * log_softmax(X)[np.arange(6), CLASSES]
    expected = losses.sum() / factor.sum() if reduction == "mean" else reduced(losses, reduction)
    check(nn.CrossEntropyLoss(**options)(on(X), on(CLASSES)), expected)
    check(nn.NLLLoss(**options)(on(log_softmax(X)), on(CLASSES)), expected)


def test_label_smoothing(on):
    smooth = 0.9 * np.eye(4)[CLASSES] + 0.1 / 4
    expected = -(smooth * log_softmax(X)).sum(1).mean()
    check(nn.CrossEntropyLoss(label_smoothing=0.1)(on(X), on(CLASSES)), expected)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_cross_entropy_of_probabilities(on, reduction):
    target = np.abs(Y) / np.abs(Y).sum(1, keepdims=True)
    losses = -(WEIGHT * target * log_softmax(X)).sum(1)
    loss = nn.CrossEntropyLoss(on(WEIGHT), reduction=reduction)
    check(loss(on(X), on(target.astype(np.float32))), reduced(losses, reduction))


def test_cross_entropy_over_positions_and_without_a_batch(on):
    x = np.stack([X[:3], X[3:]], axis=2)  # (3, 4, 2): batch, classes, positions
    target = np.stack([CLASSES[:3], CLASSES[3:]], axis=1)
    expected = -log_softmax(X)[np.arange(6), CLASSES]
    losses = F.cross_entropy(on(x), on(target), reduction="none")
    assert losses.shape == (3, 2)
    check(losses, np.stack([expected[:3], expected[3:]], axis=1))
    check(F.cross_entropy(on(X[0]), on(CLASSES[0])), expected[0])


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_bce_with_logits(on, reduction):
    s = 1 / (1 + np.exp(-X.astype(np.float64)))
    plain = -(BITS * np.log(s) + (1 - BITS) * np.log(1 - s))
    check(nn.BCEWithLogitsLoss(reduction=reduction)(on(X), on(BITS)), reduced(plain, reduction))
    weighted = -WEIGHT[::-1] * (WEIGHT * BITS * np.log(s) + (1 - BITS) * np.log(1 - s))
    loss = nn.BCEWithLogitsLoss(on(WEIGHT[::-1].copy()), reduction=reduction, pos_weight=on(WEIGHT))
    check(loss(on(X), on(BITS)), reduced(weighted, reduction))


def test_large_scores_do_not_overflow(on):
    check(nn.BCEWithLogitsLoss()(on([1000.0, -1000.0]), on([0.0, 0.0])), 500.0)
    check(nn.CrossEntropyLoss()(on([[1000.0, -1000.0]]), on([1])), 2000.0)


def test_class_weights_are_part_of_the_state(on):
    loss = nn.CrossEntropyLoss(on(WEIGHT))
    assert list(loss.state_dict()) == ["weight"]
    assert loss.double().weight.dtype is genesis.float64
    assert list(nn.BCEWithLogitsLoss(pos_weight=on(WEIGHT)).state_dict()) == ["pos_weight"]


@pytest.mark.parametrize(
    "kind", [nn.MSELoss, nn.L1Loss, nn.CrossEntropyLoss, nn.NLLLoss, nn.BCEWithLogitsLoss]
)
def test_reductions_are_checked(kind):
    with pytest.raises(ValueError, match="'average' is not a valid value for reduction; use 'mean'"):
        kind(reduction="average")


def test_the_old_way_to_reduce(on):
    with pytest.warns(UserWarning, match="use reduction='sum' instead"):
        loss = nn.MSELoss(size_average=False)
    assert loss.reduction == "sum"
    with pytest.warns(UserWarning, match="use reduction='none' instead"):
        assert F.l1_loss(on(X), on(Y), reduce=False).shape == (6, 4)


def test_class_shapes_are_named(on):
    with pytest.raises(genesis.ShapeError, match=r"shape \(6,\) for input of shape \(6, 4\), got \(3,\)"):
        nn.CrossEntropyLoss()(on(X), on(CLASSES[:3]))
    with pytest.raises(genesis.ShapeError, match=r"\(6, 4\), got \(6, 1\)"):
        nn.NLLLoss()(on(X), on(CLASSES[:, None]))
    with pytest.raises(
        genesis.ShapeError, match=r"weight must have one entry for each class, got shape \(3,\)"
    ):
        nn.CrossEntropyLoss(on(WEIGHT[:3]))(on(X), on(CLASSES))
    with pytest.raises(genesis.ShapeError, match=r"probabilities must have the shape .*\(6, 4\), got \(6,\)"):
        nn.CrossEntropyLoss()(on(X), on(CLASSES.astype(np.float32)))
    with pytest.raises(RuntimeError, match=r"integer type, got genesis\.float32"):
        nn.NLLLoss()(on(X), on(CLASSES.astype(np.float32)))
    with pytest.raises(ValueError, match="label_smoothing must be between"):
        nn.CrossEntropyLoss(label_smoothing=1.5)


def test_a_class_out_of_range_is_refused(on):
    with pytest.raises(IndexError, match="4"):
        nn.CrossEntropyLoss()(on(X), on(CLASSES + 1))


def test_other_shapes_are_named(on):
    with pytest.warns(UserWarning, match=r"mse_loss: input of shape \(6, 4\) and target of shape \(6, 1\)"):
        nn.MSELoss()(on(X), on(Y[:, :1]))
    with pytest.warns(UserWarning, match=r"\(4,\)"):
        nn.L1Loss()(on(X), on(Y[0]))
    with pytest.raises(ValueError, match=r"\(6, 1\).*\(6, 4\)"):
        nn.BCEWithLogitsLoss()(on(X), on(BITS[:, :1]))


def test_ctc_sums_over_all_alignments(on):
    rng = np.random.default_rng(3)
    steps, classes, target = 5, 3, [1, 1]
    scores = rng.normal(size=(steps, 1, classes))
    logs = log_softmax(scores.reshape(steps, classes))
    total = 0.0
    for path in itertools.product(range(classes), repeat=steps):
        merged = [c for i, c in enumerate(path) if (i == 0 or path[i - 1] != c) and c]
        if merged == target:
            total += np.exp(sum(logs[t, c] for t, c in enumerate(path)))
    x = on(scores.astype(np.float64))
    x.requires_grad_()
    loss = nn.CTCLoss(reduction="sum")(x.log_softmax(2), on(np.array([target])), (steps,), (2,))
    assert abs(loss.item() + np.log(total)) < 1e-10
    loss.backward()
    assert abs(x.grad.numpy().sum(-1)).max() < 1e-12  # every step gives up as much probability as it gains
    assert nn.CTCLoss(zero_infinity=True)(x.log_softmax(2), on(np.array([[1, 1]])), (2,), (2,)).item() == 0
