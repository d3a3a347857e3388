"""Linear maps and classes as functions."""

from __future__ import annotations

from genesis import ops
from genesis._errors import ShapeError
from genesis._tensor import Tensor
from genesis.autograd.graph import PLAIN
from genesis.nn._checks import shape_of
from genesis.ops._autocast import in_widest_on_cuda, lowered


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``x Wᵀ + b``.

    Args:
        input: ``(*, in_features)``.
        weight: ``(out_features, in_features)``, or ``(in_features,)`` for a result of shape ``(*,)``.
        bias: ``(out_features,)``, any shape that broadcasts to the result's, or None.

    Raises:
        ShapeError: the last dimensions differ, or the bias does not fit.
    """
    if _common(input, weight, bias):
        return ops.linear(input, weight, bias)  # type: ignore[no-any-return]
    if input.dtype.special or weight.dtype.special:
        input, weight, bias = lowered(input, weight, bias)
    given, wanted = input.shape, weight.shape
    if len(wanted) == 1 and given[-1:] == wanted:
        return _plus(input @ weight, bias)
    if len(wanted) != 2 or not given or given[-1] != wanted[1]:
        raise ShapeError(
            f"linear: an input of shape {tuple(given)} does not fit a weight of shape {tuple(wanted)} "
            "(out_features, in_features): the last dimension of the input must be in_features"
        )
    if input.dtype is not weight.dtype:
        raise RuntimeError(
            f"linear: the input is {input.dtype} and the weight {weight.dtype}; convert one with .to(dtype)"
        )
    if bias is not None and bias.shape != wanted[:1]:
        return _plus(ops.linear(input, weight, None), bias, f" of a weight of shape {tuple(wanted)}")
    out: Tensor = ops.linear(input, weight, bias)
    return out


def linear_relu(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``relu(linear(input, weight, bias))``, as one operation where it is a usual one."""
    if _common(input, weight, bias):
        return ops.linear_relu(input, weight, bias)  # type: ignore[no-any-return]
    return ops.relu(linear(input, weight, bias))


def _common(input: Tensor, weight: Tensor, bias: Tensor | None) -> bool:
    """Whether this is what most calls are: plain tensors of one type, whose shapes fit."""
    if (
        type(input) not in PLAIN
        or type(weight) not in PLAIN
        or (bias is not None and type(bias) not in PLAIN)
    ):
        return False
    x, w = input._view, weight._view
    return (
        len(w.shape) == 2
        and len(x.shape) > 0
        and x.shape[-1] == w.shape[1]
        and x.dtype is w.dtype
        and (bias is None or bias._view.shape == w.shape[:1])
    )


def _plus(out: Tensor, bias: Tensor | None, of: str = "") -> Tensor:
    """The sum, of the shape of ``out``."""
    if bias is None:
        return out
    given, wanted = shape_of(bias), shape_of(out)
    if len(given) > len(wanted) or any(
        n not in (1, m) for n, m in zip(given[::-1], wanted[::-1], strict=False)
    ):
        raise ShapeError(f"linear: a bias of shape {given} does not fit a result of shape {wanted}{of}")
    return out + bias


@in_widest_on_cuda
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``y_k = x1ᵀ A_k x2 + b_k``.

    Args:
        input1: ``(*, in1_features)``.
        input2: ``(*, in2_features)``.
        weight: A, ``(out_features, in1_features, in2_features)``.
        bias: ``(out_features,)`` or None.

    Returns:
        Shape ``(*, out_features)``.

    Raises:
        ShapeError: the shapes do not fit.
    """
    a, b, w = shape_of(input1), shape_of(input2), shape_of(weight)
    if len(w) != 3 or not a or a[:-1] != b[:-1] or (a[-1], b[-1]) != w[1:]:
        raise ShapeError(
            f"bilinear: inputs of shape {a} and {b} do not fit a weight of shape {w} "
            "(out_features, in1_features, in2_features)"
        )
    if bias is not None and shape_of(bias) != w[:1]:
        raise ShapeError(f"bilinear: a bias of shape {shape_of(bias)} does not fit a weight of shape {w}")
    left = input1 @ weight.permute(1, 0, 2).reshape(w[1], w[0] * w[2])
    out: Tensor = (left.reshape(*a[:-1], w[0], w[2]) * input2.unsqueeze(-2)).sum(-1, dtype=left.dtype)
    return out if bias is None else out + bias


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """int64 tensor of shape ``(*tensor.shape, num_classes)``, 1 at the index and 0 elsewhere.

    Args:
        tensor: class indices, an integer dtype.
        num_classes: -1 takes the largest index plus one.
    """
    return ops.one_hot(tensor, num_classes)
