"""The CPU's own kernels for whole operations, against float64 NumPy; and what they decline."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import genesis
from genesis.backend import View
from genesis.backend.dispatch import kernel

#: float32 results of sums over a few hundred terms; float64 ones
TOLERANCE = {"float32": 3e-5, "float64": 1e-11}
TYPES = ["float32", "float64"]


class Bench:
    """The CPU's kernels with NumPy arrays at both ends."""

    def __init__(self) -> None:
        self.device = genesis.device("cpu")
        self.backend = self.device.backend
        self.rng = np.random.default_rng(0)

    def normal(self, shape: tuple[int, ...], dtype: str, scale: float = 1.0) -> np.ndarray:
        return np.asarray(self.rng.standard_normal(shape) * scale).astype(dtype, copy=False).reshape(shape)

    def put(self, array: np.ndarray) -> View:
        out = self.backend.empty(array.shape, getattr(genesis, array.dtype.name), self.device)
        self.backend.write(out, array)
        return out

    def own(self, name: str) -> Any:
        return kernel(self.backend, name)

    def run(self, name: str, *args: Any, **options: Any) -> Any:
        views = [self.put(a) if isinstance(a, np.ndarray) else a for a in args]
        result = self.own(name)(self.backend, *views, **options)
        assert result is not NotImplemented, f"{name} declined"
        return result

    def declines(self, name: str, *args: Any, **options: Any) -> bool:
        views = [self.put(a) if isinstance(a, np.ndarray) else a for a in args]
        return self.own(name)(self.backend, *views, **options) is NotImplemented

    def close(self, got: View | None, want: np.ndarray, dtype: str, factor: float = 1.0) -> None:
        assert got is not None
        assert got.dtype.name == dtype
        assert got.shape == want.shape
        limit = TOLERANCE[dtype] * factor
        np.testing.assert_allclose(self.backend.read(got), want, rtol=limit, atol=limit)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


# -- softmax -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [(1,), (7, 10), (2, 5, 33), (300, 65)], ids=str)
def test_softmax(bench: Bench, shape: tuple[int, ...], dtype: str) -> None:
    x, g = bench.normal(shape, dtype, 5), bench.normal(shape, dtype)
    p, gd = softmax(x.astype("float64")), g.astype("float64")
    out = bench.run("softmax", x, dim=-1)
    bench.close(out, p, dtype)
    (gx,) = bench.run("softmax.backward", (True,), g, out, dim=-1)
    bench.close(gx, p * (gd - (gd * p).sum(-1, keepdims=True)), dtype)
    out = bench.run("log_softmax", x, dim=len(shape) - 1)
    bench.close(out, np.log(p), dtype)
    (gx,) = bench.run("log_softmax.backward", (True,), g, out, dim=-1)
    bench.close(gx, gd - p * gd.sum(-1, keepdims=True), dtype, 3)


def test_softmax_of_infinite_and_huge_logits(bench: Bench) -> None:
    x = np.array(
        [[0, -np.inf, 0], [1e4, 1e4, -1e4], [-np.inf] * 3, [0, np.nan, 0], [np.inf, 0, 0]], "float32"
    )
    got = bench.backend.read(bench.run("softmax", x, dim=-1))
    np.testing.assert_array_equal(got[:2], [[0.5, 0, 0.5], [0.5, 0.5, 0]])
    assert np.isnan(got[2:]).any(-1).all()
    got = bench.backend.read(bench.run("log_softmax", x[:2], dim=-1))
    np.testing.assert_allclose(
        got,
        [[-math.log(2), -np.inf, -math.log(2)], [-math.log(2), -math.log(2), -2e4 - math.log(2)]],
        rtol=1e-6,
    )


def test_softmax_of_a_transposed_view(bench: Bench) -> None:
    x = bench.normal((6, 50), "float32")
    out = bench.run("softmax", bench.put(np.ascontiguousarray(x.T)).permute((1, 0)), dim=-1)
    bench.close(out, softmax(x.astype("float64")), "float32")


def test_softmax_declines_other_axes_types_and_nothing(bench: Bench) -> None:
    assert bench.declines("softmax", np.ones((3, 4), "float32"), dim=0)
    assert bench.declines("softmax", np.ones((3, 4), "int64"), dim=-1)
    assert bench.declines("log_softmax", np.ones((3, 0), "float32"), dim=-1)
    assert bench.declines("softmax.backward", (True,), *[np.ones((3, 4), "float32")] * 2, dim=0)


# -- cross entropy -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_cross_entropy(bench: Bench, reduction: str, smoothing: float, dtype: str) -> None:
    for n, classes in ((1, 2), (64, 10), (700, 65)):
        x = bench.normal((n, classes), dtype, 3)
        target = bench.rng.integers(0, classes, n)
        if n > 1:
            target[::7] = -100
        counted = target != -100
        wide = x.astype("float64")
        lse = np.log(np.exp(wide).sum(1))
        goal = (1 - smoothing) * np.eye(classes)[np.where(counted, target, 0)] + smoothing / classes
        losses = counted * (lse - (goal * wide).sum(1))
        total = counted.sum() if reduction == "mean" else 1
        want = losses if reduction == "none" else losses.sum() / total
        options = dict(ignore_index=-100, reduction=reduction, label_smoothing=smoothing)
        loss, got_lse, got_total = bench.run("cross_entropy", x, target, None, **options)
        bench.close(loss, np.asarray(want), dtype)
        bench.close(got_lse, lse, dtype)
        bench.close(got_total, np.asarray(float(total)), dtype)
        g = bench.normal(want.shape, dtype)
        result = bench.run(
            "cross_entropy.backward", (True, False, False), g, x, target, None, got_lse, got_total, **options
        )
        gd = g.astype("float64").reshape(-1, 1) / total
        bench.close(result[0], counted[:, None] * gd * (softmax(wide) - goal), dtype)
        assert result[1] is None
        assert result[2] is None


@pytest.mark.parametrize("bad", [3, -1])
def test_cross_entropy_names_a_wrong_target(bench: Bench, bad: int) -> None:
    with pytest.raises(IndexError, match=rf"target {bad} .*3 classes"):
        bench.run(
            "cross_entropy", np.ones((2, 3), "float32"), np.array([0, bad]), None,
            ignore_index=-100, reduction="mean", label_smoothing=0.0,
        )  # fmt: skip
    # the error is not left behind for the next call
    bench.run(
        "cross_entropy", np.ones((2, 3), "float32"), np.array([0, 1]), None,
        ignore_index=-100, reduction="mean", label_smoothing=0.0,
    )  # fmt: skip


def test_cross_entropy_declines_other_types_and_shapes(bench: Bench) -> None:
    options = dict(ignore_index=-100, reduction="mean", label_smoothing=0.0)
    x, target = np.ones((2, 3), "float32"), np.array([0, 1])
    assert bench.declines("cross_entropy", x, target, np.ones(3, "float64"), **options)
    assert bench.declines(
        "cross_entropy", np.ones((2, 3, 4, 5), "float32"), np.zeros((2, 4, 5), "int64"), None, **options
    )
    # the composite saves no lse
    assert bench.declines(
        "cross_entropy.backward",
        (True, False, False),
        np.float32([1]),
        x,
        target,
        None,
        None,
        None,
        **options,
    )


# -- layer norm --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(
    ("shape", "axes"), [((5, 8), 1), ((3, 4, 20), 2), ((700, 65), 1), ((2, 3000), 1)], ids=str
)
@pytest.mark.parametrize("affine", ["both", "weight", "none"])
def test_layer_norm(bench: Bench, shape: tuple[int, ...], axes: int, affine: str, dtype: str) -> None:
    x, g = bench.normal(shape, dtype, 2) + np.asarray(3, dtype), bench.normal(shape, dtype)
    inner = shape[len(shape) - axes :]
    weight = bench.normal(inner, dtype) if affine != "none" else None
    bias = bench.normal(inner, dtype) if affine == "both" else None
    over = tuple(range(len(shape) - axes, len(shape)))
    lead = tuple(range(len(shape) - axes))
    wide, gd = x.astype("float64"), g.astype("float64")
    mean = wide.mean(over, keepdims=True)
    rstd = 1 / np.sqrt(wide.var(over, keepdims=True) + 1e-5)
    hat = (wide - mean) * rstd
    w = np.ones(inner) if weight is None else weight.astype("float64")
    out, got_mean, got_rstd = bench.run("layer_norm", x, weight, bias, axes=axes, eps=1e-5)
    bench.close(out, hat * w + (0 if bias is None else bias), dtype)
    bench.close(got_mean, mean, dtype)
    bench.close(got_rstd, rstd, dtype)
    needs = (True, weight is not None, bias is not None)
    gx, gw, gb = bench.run(
        "layer_norm.backward", needs, g, x, weight, bias, got_mean, got_rstd, axes=axes, eps=1e-5
    )
    gh = gd * w
    want = rstd * (gh - gh.mean(over, keepdims=True) - hat * (gh * hat).mean(over, keepdims=True))
    bench.close(gx, want, dtype, 3)
    for need, got, want in zip(needs[1:], (gw, gb), ((gd * hat).sum(lead), gd.sum(lead)), strict=True):
        if need:
            bench.close(got, want, dtype, 3)
        else:
            assert got is None


def test_layer_norm_computes_only_what_is_needed(bench: Bench) -> None:
    x, w = bench.normal((6, 8), "float32"), bench.normal((8,), "float32")
    _, mean, rstd = bench.run("layer_norm", x, w, w, axes=1, eps=1e-5)
    result = bench.run("layer_norm.backward", (False, False, True), x, x, w, w, mean, rstd, axes=1, eps=1e-5)
    assert [r is None for r in result] == [True, True, False]
    assert bench.declines("layer_norm", np.ones((3, 4), "int64"), None, None, axes=1, eps=1e-5)


# -- embedding and linear ----------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("padding", [None, 1, -1])
def test_embedding(bench: Bench, dtype: str, padding: int | None) -> None:
    for shape, rows, width in (((7,), 10, 4), ((12, 64), 65, 128), ((2, 0), 3, 5)):
        index, weight = bench.rng.integers(0, rows, shape), bench.normal((rows, width), dtype)
        out = bench.run("embedding", index, weight, padding_idx=padding)
        np.testing.assert_array_equal(bench.backend.read(out), weight[index])
        g = bench.normal((*shape, width), dtype)
        none, got = bench.run("embedding.backward", (False, True), g, index, weight, padding_idx=padding)
        want = np.zeros((rows, width))
        np.add.at(want, index, g.astype("float64"))
        if padding is not None:
            want[padding] = 0
        assert none is None
        bench.close(got, want, dtype)


@pytest.mark.parametrize("bad", [10, -1])
def test_embedding_names_a_wrong_index(bench: Bench, bad: int) -> None:
    with pytest.raises(IndexError, match=rf"{bad} is out of range.*10"):
        bench.run("embedding", np.array([[0, bad]]), np.ones((10, 4), "float32"), padding_idx=None)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(
    ("shape", "out"), [((4,), 6), ((5, 7), 3), ((2, 3, 40), 30), ((64, 200), 90)], ids=str
)
def test_linear(bench: Bench, shape: tuple[int, ...], out: int, dtype: str) -> None:
    x, w, b = bench.normal(shape, dtype), bench.normal((out, shape[-1]), dtype), bench.normal((out,), dtype)
    xd, wd = x.astype("float64"), w.astype("float64")
    bench.close(bench.run("linear", x, w, b), xd @ wd.T + b, dtype, 3)
    bench.close(bench.run("linear", x, w, None), xd @ wd.T, dtype, 3)
    g = bench.normal((*shape[:-1], out), dtype)
    gd = g.astype("float64")
    gx, gw, gb = bench.run("linear.backward", (True, True, True), g, x, w, b)
    bench.close(gx, gd @ wd, dtype, 3)
    bench.close(gw, gd.reshape(-1, out).T @ xd.reshape(-1, shape[-1]), dtype, 3)
    bench.close(gb, gd.reshape(-1, out).sum(0), dtype, 3)
    assert bench.run("linear.backward", (True, False, False), g, x, w, None)[1:] == (None, None)


# -- optimizers --------------------------------------------------------------------------------------------
SHAPES = [(3, 4), (10,), (90, 300), ()]


@pytest.mark.parametrize(
    ("amsgrad", "decoupled", "maximize", "decay"), [*itertools.product((0, 1), (0, 1), (0, 1), (0.0, 0.1))]
)
def test_adam_step(bench: Bench, amsgrad: int, decoupled: int, maximize: int, decay: float) -> None:
    lr, beta1, beta2, eps = 1e-2, 0.9, 0.99, 1e-8
    for dtype, limit in (("float32", 1e-6), ("float64", 1e-13)):
        params = [bench.normal(s, dtype) for s in SHAPES]
        views = [bench.put(p) for p in params]
        lists = [[bench.put(np.zeros_like(p)) for p in params] for _ in range(2 + amsgrad)]
        wide = [p.astype("float64") for p in params]
        m, v, top = ([np.zeros(s) for s in SHAPES] for _ in range(3))
        for t in range(1, 4):
            steps = [t, t + 2, t, t]  # a parameter may have started earlier
            grads = [bench.normal(s, dtype) for s in SHAPES]
            bench.run(
                "adam_step", views, [bench.put(g) for g in grads], lists[0], lists[1],
                lists[2] if amsgrad else [],
                steps=steps, lr=lr, beta1=beta1, beta2=beta2, eps=eps, weight_decay=decay,
                decoupled=bool(decoupled), maximize=bool(maximize),
            )  # fmt: skip
            for k, step in enumerate(steps):
                g = grads[k].astype("float64") * (-1 if maximize else 1)
                if decoupled:
                    wide[k] = wide[k] * (1 - lr * decay)
                else:
                    g = g + decay * wide[k]
                m[k] = beta1 * m[k] + (1 - beta1) * g
                v[k] = beta2 * v[k] + (1 - beta2) * g * g
                top[k] = np.maximum(top[k], v[k])
                root = np.sqrt(top[k] if amsgrad else v[k]) / math.sqrt(1 - beta2**step)
                wide[k] = wide[k] - lr / (1 - beta1**step) * m[k] / (root + eps)
        for got, want in zip(views, wide, strict=True):
            # a step moves a parameter by about lr; three of them, in the last digits of numbers near 1
            np.testing.assert_allclose(bench.backend.read(got), want, rtol=limit, atol=limit)


@pytest.mark.parametrize(
    ("momentum", "dampening", "nesterov", "maximize", "decay"),
    [(0, 0, 0, 0, 0.0), (0, 0, 0, 1, 0.1), (0.9, 0, 0, 0, 0.1), (0.9, 0.5, 0, 1, 0.0), (0.9, 0, 1, 0, 0.1)],
)
def test_sgd_step(
    bench: Bench, momentum: float, dampening: float, nesterov: int, maximize: int, decay: float
) -> None:
    lr = 0.1
    for dtype, limit in (("float32", 1e-6), ("float64", 1e-13)):
        params = [bench.normal(s, dtype) for s in SHAPES]
        views = [bench.put(p) for p in params]
        # a fresh buffer may hold anything
        buffers = [bench.put(np.full_like(p, np.nan)) for p in params] if momentum else []
        wide, b = [p.astype("float64") for p in params], [np.zeros(s) for s in SHAPES]
        for t in range(3):
            grads = [bench.normal(s, dtype) for s in SHAPES]
            bench.run(
                "sgd_step", views, [bench.put(g) for g in grads], buffers,
                lr=lr, momentum=momentum, dampening=dampening, weight_decay=decay,
                nesterov=bool(nesterov), maximize=bool(maximize), first=[t == 0] * len(SHAPES),
            )  # fmt: skip
            for k, g in enumerate(grads):
                g = g.astype("float64") * (-1 if maximize else 1) + decay * wide[k]
                b[k] = g if t == 0 else momentum * b[k] + (1 - dampening) * g
                step = g if not momentum else g + momentum * b[k] if nesterov else b[k]
                wide[k] = wide[k] - lr * step
        for got, want in zip(views, wide, strict=True):
            np.testing.assert_allclose(bench.backend.read(got), want, rtol=limit, atol=limit)


def test_optimizers_take_a_transposed_gradient_and_decline_other_parameters(bench: Bench) -> None:
    options = dict(
        lr=0.5, momentum=0, dampening=0, weight_decay=0, nesterov=False, maximize=False, first=[False]
    )
    p, g = bench.normal((3, 4), "float32"), bench.normal((3, 4), "float32")
    view = bench.put(p)
    bench.run("sgd_step", [view], [bench.put(np.ascontiguousarray(g.T)).permute((1, 0))], [], **options)
    np.testing.assert_allclose(bench.backend.read(view), p - 0.5 * g, rtol=1e-6)
    before = bench.backend.read(view)
    turned = view.permute((1, 0))
    assert bench.declines("sgd_step", [turned], [turned], [], **options)
    assert bench.declines("sgd_step", [view], [bench.put(g.astype("float64"))], [], **options)
    np.testing.assert_array_equal(bench.backend.read(view), before)
