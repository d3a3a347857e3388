"""A table of operations with inputs: finite differences check their gradients, torch their values.

A case calls an operation through a namespace, which is ours (``genesis.ops``) or torch's; families have files
of their own, ``_operations_<family>.py``.  Arrays of floats become float64
tensors that require a gradient; other arrays become tensors of their type.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

rng = np.random.default_rng(7)


class Case(NamedTuple):
    """``run(namespace, *tensors)`` gives a tensor or several; finite differences check ``order`` derivatives.

    ``parity`` is False where torch's gradient fails or is not implemented.
    """

    op: str
    run: Callable[..., Any]
    arrays: tuple[np.ndarray, ...]
    order: int
    parity: bool
    label: str


class Strided(np.ndarray):
    """An array whose tensor does not lie row by row: it is made of the transposed array, transposed back."""


def floats(*shape: int) -> np.ndarray:
    """Numbers of both signs, none near another, nor 0, 1 or 2: differences must not cross a kink."""
    count = int(np.prod(shape))
    values = np.linspace(0.31, 1.9, count) + rng.uniform(0.001, 0.04, count)
    values[abs(values - 1) < 0.01] += 0.02
    values *= np.where(rng.random(count) < 0.5, -1, 1)
    return rng.permutation(values).reshape(shape)


def positive(*shape: int) -> np.ndarray:
    return np.abs(floats(*shape))


def strided(x: np.ndarray) -> np.ndarray:
    return x.view(Strided)


def integers(high: int, *shape: int) -> np.ndarray:
    return rng.integers(0, high, shape)


def bools(*shape: int) -> np.ndarray:
    return rng.random(shape) < 0.5


CASES: list[Case] = []


def case(
    op: str,
    run: Callable[..., Any],
    *arrays: np.ndarray,
    order: int = 2,
    parity: bool = True,
    label: str = "",
) -> None:
    shapes = ", ".join(str(a.shape).replace(",)", ")") for a in arrays)
    CASES.append(Case(op, run, arrays, order, parity, f"{op}({label or shapes})"))


A, B, ROW, COLUMN, POINT = floats(3, 4), floats(3, 4), floats(4), floats(3, 1), np.array(0.7)
POSITIVE, EMPTY, CUBE = positive(3, 4), floats(0, 4), floats(2, 3, 4)

# -- one operand -------------------------------------------------------------------------------------------
for name in (
    "abs", "ceil", "clone", "cos", "cosh", "elu", "erf", "exp", "exp2", "expm1", "floor", "gelu",
    "leaky_relu", "logsigmoid", "neg", "reciprocal", "relu", "round", "sigmoid", "sign", "silu", "sin",
    "sinh", "softplus", "square", "tan", "tanh", "trunc", "nan_to_num",
):  # fmt: skip
    case(name, lambda ns, x, name=name: getattr(ns, name)(x), A)
for name in ("log", "log1p", "log2", "log10", "sqrt", "rsqrt"):
    case(name, lambda ns, x, name=name: getattr(ns, name)(x), POSITIVE)
case("atanh", lambda ns, x: ns.atanh(x), A * 0.4)
for shape in (POINT, EMPTY, strided(A)):
    case("exp", lambda ns, x: ns.exp(x), shape, label=f"{type(shape).__name__} {shape.shape}")
case("gelu", lambda ns, x: ns.gelu(x, approximate="tanh"), A, label="tanh")
case("leaky_relu", lambda ns, x: ns.leaky_relu(x, 0.2), A, label="slope")
case("elu", lambda ns, x: ns.elu(x, 1.7), A, label="alpha")
case("softplus", lambda ns, x: ns.softplus(x, 2.0, 1.5), A, label="beta, threshold")
case("sigmoid", lambda ns, x: ns.sigmoid(x * 20), A, label="far out")

# -- two operands and more ---------------------------------------------------------------------------------
for name in ("add", "sub", "mul", "div", "true_divide", "maximum", "minimum", "remainder"):

    def binary(ns: Any, a: Any, b: Any, name: str = name) -> Any:
        return getattr(ns, name)(a, b)

    case(name, binary, A, B)
    case(name, binary, A, ROW)
    case(name, binary, COLUMN, ROW)
    if name in ("add", "mul", "div"):
        case(name, binary, POINT, A)
        case(name, binary, floats(1, 1, 4), EMPTY[:, None])
        case(name, binary, strided(A), B, label="strided")
        case(name, lambda ns, a, name=name: getattr(ns, name)(a, 3), A, label="a number")
case("add", lambda ns, a, b: ns.add(a, b, alpha=2.5), A, ROW, label="alpha")
case("sub", lambda ns, a, b: ns.sub(a, b, alpha=2.5), A, ROW, label="alpha")
case("sub", lambda ns, a: 2 - a, A, label="number first")
case("div", lambda ns, a: 2 / a, A, label="number first")
case("div", lambda ns, a, b: ns.div(a, b, rounding_mode="trunc"), A, B, label="trunc")
case("pow", lambda ns, a, b: ns.pow(a, b), POSITIVE, ROW)
for exponent in (2, 3, 0.5, -1.5, 0, 1):
    case("pow", lambda ns, a, p=exponent: ns.pow(a, p), POSITIVE, label=f"to {exponent}")
case("pow", lambda ns, a: ns.pow(a, 3), A, label="negative to 3")
case("pow", lambda ns, a: 2.0**a, A, label="2 to the x")
case("lerp", lambda ns, a, b, w: ns.lerp(a, b, w), A, B, ROW)
case("addcmul", lambda ns, x, a, b: ns.addcmul(x, a, b, value=0.3), A, COLUMN, ROW)
case("addcdiv", lambda ns, x, a, b: ns.addcdiv(x, a, b, value=0.3), A, COLUMN, ROW)
case("where", lambda ns, c, a, b: ns.where(c, a, b), bools(3, 4), A, ROW)
case("where", lambda ns, c, a: ns.where(c, a, 0.5), bools(3, 4), A, label="a number")
case("masked_fill", lambda ns, x, m: ns.masked_fill(x, m, 2.5), A, bools(4))
case("clamp", lambda ns, x: ns.clamp(x, -0.6, 0.8), A, label="both")
case("clamp", lambda ns, x: ns.clamp(x, min=0.1), A, label="min")
case("clamp", lambda ns, x: ns.clamp(x, max=0.1), A, label="max")
case(
    "clamp",
    lambda ns, x, low, high: ns.clamp(x, low, high),
    A,
    floats(4) - 1,
    positive(3, 1),
    label="tensors",
)

# -- reductions --------------------------------------------------------------------------------------------
for name in ("sum", "mean", "amax", "amin", "prod", "std", "var", "norm", "logsumexp"):
    whole = name != "logsumexp"
    if whole:
        case(name, lambda ns, x, name=name: getattr(ns, name)(x), A, label="all")
    case(name, lambda ns, x, name=name: getattr(ns, name)(x, dim=1), A, label="dim=1")
    case(name, lambda ns, x, name=name: getattr(ns, name)(x, dim=-2, keepdim=True), CUBE, label="keepdim")
    if name != "prod":
        case(name, lambda ns, x, name=name: getattr(ns, name)(x, dim=(0, 2)), CUBE, label="two axes")
    if name not in ("std", "var"):
        case(
            name,
            lambda ns, x, name=name: getattr(ns, name)(x, dim=0),
            POINT,
            label="0-d",
            order=1 if name == "norm" else 2,
        )
case("sum", lambda ns, x: ns.sum(x, dim=0), EMPTY, label="of nothing")
case("sum", lambda ns, x: ns.sum(x), strided(CUBE), label="strided")
case("prod", lambda ns, x: ns.prod(x, dim=0), np.array([[0.0, 0, 2], [3, 0, 4]]), order=1, label="zeros")
case("prod", lambda ns, x: ns.prod(x), np.array([2.0, 0, 3]), order=1, label="one zero")
case("var", lambda ns, x: ns.var(x, dim=0, correction=0), A, label="correction=0")
case("std", lambda ns, x: ns.std(x, correction=2), A, label="correction=2")
for p in (1, 3, 2.5, float("inf"), -float("inf"), 0):
    case("norm", lambda ns, x, p=p: ns.norm(x, p=p, dim=1), A, label=f"p={p}")
for name in ("max", "min"):
    case(name, lambda ns, x, name=name: getattr(ns, name)(x), A, label="all")
    case(name, lambda ns, x, name=name: getattr(ns, name)(x, 1), A, label="dim=1")
    case(name, lambda ns, x, name=name: getattr(ns, name)(x, 0, keepdim=True), A, label="keepdim")
    case(name, lambda ns, x, y, name=name: getattr(ns, name)(x, y), A, B, label="of two")
for name in ("cumsum", "cumprod"):
    case(name, lambda ns, x, name=name: getattr(ns, name)(x, 0), A, label="dim=0")
    case(name, lambda ns, x, name=name: getattr(ns, name)(x, -1), CUBE, label="dim=-1")
    case(name, lambda ns, x, name=name: getattr(ns, name)(x, 0), POINT, label="0-d")
case("cumprod", lambda ns, x: ns.cumprod(x, 1), np.array([[2.0, 0, 3, 4], [0, 5, 0, 6]]), label="zeros")

# -- shape -------------------------------------------------------------------------------------------------
case("reshape", lambda ns, x: ns.reshape(x, (4, 3)), A)
case("reshape", lambda ns, x: ns.reshape(x, (-1,)), strided(A), label="strided")
case("view", lambda ns, x: x.view(2, -1), A)
case("flatten", lambda ns, x: ns.flatten(x, 1), CUBE)
case("unflatten", lambda ns, x: ns.unflatten(x, 1, (2, 2)), A)
case("squeeze", lambda ns, x: ns.squeeze(x), floats(1, 3, 1))
case("squeeze", lambda ns, x: ns.squeeze(x, 0), floats(1, 3, 1), label="dim=0")
case("unsqueeze", lambda ns, x: ns.unsqueeze(x, -1), A)
case("permute", lambda ns, x: ns.permute(x, (2, 0, 1)), CUBE)
case("transpose", lambda ns, x: ns.transpose(x, 0, -1), CUBE)
case("movedim", lambda ns, x: ns.movedim(x, (0, 1), (2, 0)), CUBE)
case("t", lambda ns, x: ns.t(x), A)
case("expand", lambda ns, x: x.expand(2, -1, 4), floats(3, 1))
case("narrow", lambda ns, x: ns.narrow(x, 1, 1, 2), A)
case("select", lambda ns, x: ns.select(x, 1, -1), CUBE)
case("unbind", lambda ns, x: ns.unbind(x, 1), A)
case("split", lambda ns, x: ns.split(x, 3, 1), A, label="size")
case("split", lambda ns, x: ns.split(x, (1, 0, 3), 1), A, label="sizes")
case("chunk", lambda ns, x: ns.chunk(x, 3, 1), A)
case("contiguous", lambda ns, x: x.contiguous(), strided(A))
case("flip", lambda ns, x: ns.flip(x, (0, 2)), CUBE)
case("flip", lambda ns, x: ns.flip(x, ()), A, label="no axis")
case("cat", lambda ns, a, b: ns.cat([a, b, a], 1), A, COLUMN)
case("cat", lambda ns, a, b: ns.cat((a, b)), A, EMPTY)
case("stack", lambda ns, a, b: ns.stack([a, b, a]), A, B)
case("stack", lambda ns, a, b: ns.stack([a, b], -1), A, strided(B))
case("repeat", lambda ns, x: x.repeat(2, 1, 3), A)
case("repeat_interleave", lambda ns, x: ns.repeat_interleave(x, 2, 1), A, label="dim=1")
case("repeat_interleave", lambda ns, x: ns.repeat_interleave(x, 2), A, label="flat")
case("roll", lambda ns, x: ns.roll(x, 5), A, label="flat")
case("roll", lambda ns, x: ns.roll(x, (1, -2), (0, 1)), A, label="two axes")
case("tril", lambda ns, x: ns.tril(x, 1), CUBE)
case("triu", lambda ns, x: ns.triu(x, -1), A)

# -- picking -----------------------------------------------------------------------------------------------
case("gather", lambda ns, x, i: ns.gather(x, 1, i), A, integers(4, 3, 5))
case("gather", lambda ns, x, i: ns.gather(x, 0, i), CUBE, integers(2, 3, 2, 3), label="smaller")
case(
    "scatter",
    lambda ns, x, s: ns.scatter(x, 1, x.new_tensor([[3, 0], [1, 2], [0, 3]]).long(), s),
    A,
    floats(3, 2),
)
case("scatter", lambda ns, x, i: ns.scatter(x, 0, i, 2.0), A, integers(3, 1, 4), label="a number")
case("scatter_add", lambda ns, x, i, s: ns.scatter_add(x, 0, i, s), A, integers(3, 5, 2), floats(5, 2))
case(
    "scatter_add",
    lambda ns, x, i, s: ns.scatter_add(x, 0, i, s),
    A,
    integers(3, 5, 2),
    floats(5, 3),
    parity=False,
)
case("index_select", lambda ns, x, i: ns.index_select(x, 1, i), CUBE, integers(3, 5))
case("index_add", lambda ns, x, i, s: ns.index_add(x, 1, i, s, alpha=2), A, integers(4, 3), floats(3, 3))
case("masked_select", lambda ns, x, m: ns.masked_select(x, m), A, bools(4))
case("sort", lambda ns, x: ns.sort(x, 0), A, label="dim=0")
case("sort", lambda ns, x: ns.sort(x, descending=True), CUBE, label="descending")
case("topk", lambda ns, x: ns.topk(x, 2), A)
case("topk", lambda ns, x: ns.topk(x, 2, 0, largest=False), A, label="smallest")
case("embedding", lambda ns, i, w: ns.embedding(i, w), integers(5, 2, 3), floats(5, 4))
# no gradient for the row of padding, on purpose
case(
    "embedding",
    lambda ns, i, w: ns.embedding(i, w, padding_idx=1),
    np.array([0, 1, 1, 3]),
    floats(4, 2),
    order=0,
)

# -- products ----------------------------------------------------------------------------------------------
case("matmul", lambda ns, a, b: ns.matmul(a, b), A, floats(4, 2))
case("matmul", lambda ns, a, b: ns.matmul(a, b), ROW, floats(4))
case("matmul", lambda ns, a, b: ns.matmul(a, b), ROW, floats(2, 4, 3))
case("matmul", lambda ns, a, b: ns.matmul(a, b), CUBE, ROW)
case("matmul", lambda ns, a, b: ns.matmul(a, b), CUBE, floats(4, 2))
case("matmul", lambda ns, a, b: ns.matmul(a, b), floats(2, 1, 3, 4), floats(3, 4, 2))
case("matmul", lambda ns, a, b: ns.matmul(a, b), strided(A), strided(floats(4, 2)), label="strided")
case("matmul", lambda ns, a, b: ns.matmul(a, b), floats(3, 0), floats(0, 2))
case("mm", lambda ns, a, b: ns.mm(a, b), A, floats(4, 2))
case("bmm", lambda ns, a, b: ns.bmm(a, b), CUBE, floats(2, 4, 2))
case("dot", lambda ns, a, b: ns.dot(a, b), ROW, floats(4))
case("outer", lambda ns, a, b: ns.outer(a, b), ROW, floats(3))
case("addmm", lambda ns, x, a, b: ns.addmm(x, a, b, beta=0.5, alpha=2), floats(2), A, floats(4, 2))
case("linear", lambda ns, x, w, b: ns.linear(x, w, b), CUBE, floats(5, 4), floats(5))
case(
    "linear", lambda ns, x, w, b: ns.linear(x, bias=b, weight=w), A, floats(2, 4), floats(2), label="by name"
)
case("linear", lambda ns, x, w: ns.linear(x, w), A, floats(2, 4), label="no bias")
case("linear_relu", lambda ns, x, w, b: ns.linear_relu(x, w, b), CUBE, floats(5, 4), floats(5), parity=False)

# -- networks ----------------------------------------------------------------------------------------------
for name in ("softmax", "log_softmax"):
    case(name, lambda ns, x, name=name: getattr(ns, name)(x, dim=-1), A)
    case(name, lambda ns, x, name=name: getattr(ns, name)(x, dim=1), CUBE)
case("layer_norm", lambda ns, x, w, b: ns.layer_norm(x, (4,), w, b), A, ROW, floats(4))
case("layer_norm", lambda ns, x: ns.layer_norm(x, (3, 4), eps=0.1), CUBE, label="two axes")
case("dropout", lambda ns, x: ns.dropout(x, 0.4, training=False), A, label="not training")
for reduction in ("mean", "sum", "none"):
    for name in ("mse_loss", "l1_loss", "binary_cross_entropy_with_logits"):
        case(
            name,
            lambda ns, a, b, name=name, r=reduction: getattr(ns, name)(a, b, reduction=r),
            A,
            B,
            label=reduction,
        )
    for name in ("cross_entropy", "nll_loss"):
        case(
            name,
            lambda ns, x, t, name=name, r=reduction: getattr(ns, name)(x, t, reduction=r),
            A, np.array([1, 0, 3]),
            label=reduction,
        )  # fmt: skip
case("nll_loss", lambda ns, x, t: ns.nll_loss(x, t, ignore_index=1), CUBE.reshape(2, 4, 3), integers(4, 2, 3))
case(
    "cross_entropy",
    lambda ns, x, t: ns.cross_entropy(x, t, ignore_index=1),
    A,
    np.array([1, 0, 3]),
    label="ignore",
)
case(
    "cross_entropy",
    lambda ns, x, t: ns.cross_entropy(x, t, label_smoothing=0.3),
    CUBE.reshape(2, 4, 3), integers(4, 2, 3),
    label="smoothing",
)  # fmt: skip
case(
    "cross_entropy",
    lambda ns, x, t: ns.cross_entropy(x, ns.softmax(t, dim=1)),
    A, B,
    label="probabilities",
)  # fmt: skip
case(
    "binary_cross_entropy_with_logits",
    lambda ns, x, y, p: ns.binary_cross_entropy_with_logits(x, y, pos_weight=p),
    A, B, positive(4),
    label="pos_weight",
    parity=False,
)  # fmt: skip
case(
    "scaled_dot_product_attention",
    lambda ns, q, k, v: ns.scaled_dot_product_attention(q, k, v, is_causal=True),
    floats(2, 3, 4), floats(2, 3, 4), floats(2, 3, 2),
)  # fmt: skip

#: those whose result is no function of a tensor of floats, or a step function whose type is not floating
NOT_DIFFERENTIABLE = {
    # machinery and optimizers' steps
    "OVERRIDABLE", "Elementwise", "Op", "Update", "op", "adam_step", "sgd_step", "step_op", "total_norm",
    # new tensors
    "arange", "as_tensor", "bernoulli", "empty", "empty_like", "eye", "from_dlpack", "from_numpy", "full",
    "full_like", "linspace", "multinomial", "normal", "ones", "ones_like", "rand", "rand_like", "randint",
    "randn", "randn_like", "randperm", "tensor", "zeros", "zeros_like",
    # bools, integers and positions
    "all", "any", "argmax", "argmin", "argsort", "bitwise_and", "bitwise_left_shift", "bitwise_not",
    "bitwise_or", "bitwise_right_shift", "bitwise_xor", "eq", "floor_divide", "ge", "gt", "isfinite",
    "isinf", "isnan", "le", "logical_and", "logical_not", "logical_or", "logical_xor", "lt", "ne",
    "nonzero", "one_hot",
}  # fmt: skip

# -- more, a file a family: each calls `case` and adds to NOT_DIFFERENTIABLE ---------------------------------
for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
    if module.name.startswith("_operations_"):
        import_module(f"genesis.testing.suite.{module.name}")
