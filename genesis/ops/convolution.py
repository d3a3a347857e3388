"""Convolutions over one, two and three axes, and their transposes.

Three maps, each linear in either argument, are one another's gradients.  For one channel and one axis, with
``i = o * stride - padding + k * dilation``:

    convolution          out[o] = sum over k of x[i] weight[k]       x outside of its axis is 0
    conv_transpose       out[i] = sum over o, k of x[o] weight[k]    what falls outside is dropped
    convolution_weight   out[k] = sum over o of x[i] grad[o]

The option ``size`` is always the length of the result along each axis, so ``padding`` is that in front.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from genesis._errors import DeviceError, ShapeError
from genesis.autograd.graph import TensorCore
from genesis.backend.view import Shape
from genesis.ops._autocast import casts, lowered
from genesis.ops._op import op
from genesis.ops.folding import _col2im, _im2col, whole_numbers
from genesis.ops.linalg import product
from genesis.ops.reduction import sum
from genesis.ops.shape import expand, permute, reshape, transpose


def _with_bias(out: Any, bias: Any) -> Any:
    if bias is None:
        return out
    return out + reshape(bias, (-1, *[1] * (out.dim() - 2)))


def _bias_gradient(grad: Any) -> Any:
    return sum(grad, (0, *range(2, grad.dim())))


@op(saves=("x", "weight", "bias"), read_for={"x": ("weight",), "weight": ("x",), "bias": ()})
def _convolution(
    x: Any,
    weight: Any,
    bias: Any,
    *,
    stride: Shape,
    padding: Shape,
    dilation: Shape,
    groups: int,
    size: Shape,
) -> Any:
    batch, channels, *source = x._view.shape
    outs, _, *kernel = weight._view.shape
    columns = _im2col(
        x,
        kernel=tuple(kernel),
        stride=stride,
        padding=padding,
        dilation=dilation,
        size=size,
        source=tuple(source),
    )
    rows = channels // groups * math.prod(kernel)
    columns = reshape(columns, (batch, groups, rows, math.prod(size)))
    matrix = reshape(weight, (1, groups, outs // groups, rows))
    out = product(expand(matrix, (batch, groups, outs // groups, rows)), columns)
    return _with_bias(reshape(out, (batch, outs, *size)), bias)


@op(saves=("x", "weight", "bias"), read_for={"x": ("weight",), "weight": ("x",), "bias": ()})
def _conv_transpose(
    x: Any,
    weight: Any,
    bias: Any,
    *,
    stride: Shape,
    padding: Shape,
    dilation: Shape,
    groups: int,
    size: Shape,
) -> Any:
    batch, channels, *source = x._view.shape
    _, outs, *kernel = weight._view.shape
    rows = outs * math.prod(kernel)
    matrix = transpose(reshape(weight, (1, groups, channels // groups, rows)), 2, 3)
    blocks = reshape(x, (batch, groups, channels // groups, math.prod(source)))
    columns = product(expand(matrix, (batch, groups, rows, channels // groups)), blocks)
    out = _col2im(
        reshape(columns, (batch, groups * rows, math.prod(source))),
        kernel=tuple(kernel),
        stride=stride,
        padding=padding,
        dilation=dilation,
        size=tuple(source),
        source=size,
    )
    return _with_bias(out, bias)


@op(saves=("x", "grad"), read_for={"x": ("grad",), "grad": ("x",)})
def _convolution_weight(
    x: Any, grad: Any, *, stride: Shape, padding: Shape, dilation: Shape, groups: int, size: Shape
) -> Any:
    batch, channels, *source = x._view.shape
    _, outs, *places = grad._view.shape
    count, rows = math.prod(places), channels // groups * math.prod(size)
    columns = _im2col(
        x,
        kernel=size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        size=tuple(places),
        source=tuple(source),
    )
    right = reshape(
        permute(reshape(columns, (batch, groups, rows, count)), (1, 0, 3, 2)), (groups, batch * count, rows)
    )
    left = permute(reshape(grad, (batch, groups, outs // groups, count)), (1, 2, 0, 3))
    out = product(reshape(left, (groups, outs // groups, batch * count)), right)
    return reshape(out, (outs, channels // groups, *size))


@_convolution.backward_rule
def _convolution_backward(
    needs: Any, grad: Any, x: Any, weight: Any, bias: Any, *, size: Shape, **geometry: Any
) -> tuple[Any, Any, Any]:
    source, kernel = x._view.shape[2:], weight._view.shape[2:]
    gx = _conv_transpose(grad, weight, None, size=source, **geometry) if needs[0] else None
    gw = _convolution_weight(x, grad, size=kernel, **geometry) if needs[1] else None
    return gx, gw, _bias_gradient(grad) if needs[2] else None


@_conv_transpose.backward_rule
def _conv_transpose_backward(
    needs: Any, grad: Any, x: Any, weight: Any, bias: Any, *, size: Shape, **geometry: Any
) -> tuple[Any, Any, Any]:
    source, kernel = x._view.shape[2:], weight._view.shape[2:]
    gx = _convolution(grad, weight, None, size=source, **geometry) if needs[0] else None
    gw = _convolution_weight(grad, x, size=kernel, **geometry) if needs[1] else None
    return gx, gw, _bias_gradient(grad) if needs[2] else None


@_convolution_weight.backward_rule
def _convolution_weight_backward(
    needs: Any, ggw: Any, x: Any, grad: Any, *, size: Shape, **geometry: Any
) -> tuple[Any, Any]:
    source, places = x._view.shape[2:], grad._view.shape[2:]
    gx = _conv_transpose(grad, ggw, None, size=source, **geometry) if needs[0] else None
    gg = _convolution(x, ggw, None, size=places, **geometry) if needs[1] else None
    return gx, gg


# -- arguments ---------------------------------------------------------------------------------------------
def _text(shape: Any) -> str:
    return " x ".join(map(str, shape))


def _check(name: str, axes: int, x: Any, weight: Any, bias: Any, groups: Any, transposed: bool) -> None:
    """Whether the tensors fit one another."""
    for what, t in (("input", x), ("weight", weight), ("bias", bias)):
        if not isinstance(t, TensorCore) and not (t is None and what == "bias"):
            raise TypeError(f"{name}: {what} must be a tensor, got {type(t).__name__}")
        if t is not None and t._view.buffer.device is not x._view.buffer.device:
            places = f"{x._view.buffer.device} and {t._view.buffer.device}"
            raise DeviceError(f"{name}: all tensors must be on one device, got {places}")
        if t is not None and t._view.dtype is not x._view.dtype:
            raise RuntimeError(
                f"{name}: the input is {x._view.dtype} and the {what} {t._view.dtype}; they must be the same"
            )
    shape, form = x._view.shape, weight._view.shape
    if len(shape) not in (axes + 1, axes + 2):
        raise ShapeError(
            f"{name}: expected an input of {axes + 1} (unbatched) or {axes + 2} dimensions, got {shape}"
        )
    if len(form) != axes + 2:
        raise ShapeError(f"{name}: expected a weight of {axes + 2} dimensions, got {form}")
    if 0 in form[2:] or not form[0] or (transposed and not form[1]):
        raise ShapeError(f"{name}: a weight must have at least one output channel and element, got {form}")
    if isinstance(groups, bool) or not isinstance(groups, int):
        raise TypeError(f"{name}: groups must be an int, got {groups!r}")
    if groups < 1:
        raise ShapeError(f"{name}: non-positive groups is not supported, got {groups}")
    if form[0] % groups:
        raise ShapeError(
            f"{name}: given groups={groups}, dimension 0 of the weight must be divisible by it, got {form}"
        )
    channels = shape[-axes - 1]
    wanted = form[0] if transposed else form[1] * groups
    if channels != wanted:
        raise ShapeError(
            f"{name}: given groups={groups} and a weight of shape {form}, expected an input with {wanted} "
            f"channels, got {channels}: {shape}"
        )
    outs = form[1] * groups if transposed else form[0]
    if bias is not None and bias._view.shape != (outs,):
        raise ShapeError(
            f"{name}: given a weight of shape {form}, expected a bias of shape ({outs},), got "
            f"{bias._view.shape}"
        )


def _run(operation: Any, axes: int, x: Any, weight: Any, bias: Any, **geometry: Any) -> Any:
    if len(x._view.shape) == axes + 2:
        return operation(x, weight, bias, **geometry)
    return operation(x.unsqueeze(0), weight, bias, **geometry).squeeze(0)


def _fixed(value: Any) -> Any:
    """What a cache can look up."""
    return tuple(value) if isinstance(value, list) else value


@lru_cache(1024, typed=True)
def _forward(
    axes: int, source: Shape, kernel: Shape, stride: Any, padding: Any, dilation: Any
) -> dict[str, Shape]:
    """Checked stride, padding in front, dilation and size of the result."""
    name = f"conv{axes}d"
    stride = whole_numbers(stride, axes, "stride", 1, name)
    dilation = whole_numbers(dilation, axes, "dilation", 1, name)
    reach = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise RuntimeError(f"{name}: invalid padding string {padding!r}; it is 'same' or 'valid'")
        if padding == "same" and any(s != 1 for s in stride):
            raise RuntimeError(
                f"{name}: padding='same' is not supported for strided convolutions, got {stride}"
            )
        before = [r // 2 if padding == "same" else 0 for r in reach]
        widths = list(reach) if padding == "same" else [0] * axes
    else:
        before = list(whole_numbers(padding, axes, "padding", 0, name))
        widths = [2 * p for p in before]
    padded = [s + w for s, w in zip(source, widths, strict=True)]
    size = tuple([(p - r - 1) // s + 1 for p, r, s in zip(padded, reach, stride, strict=True)])
    if min(size) < 1:
        raise ShapeError(
            f"{name}: calculated padded input size per channel: ({_text(padded)}). Kernel size: "
            f"({_text([r + 1 for r in reach])}). Kernel size can't be greater than actual input size"
        )
    return {"stride": stride, "padding": tuple(before), "dilation": dilation, "size": size}


@lru_cache(1024, typed=True)
def _backward(
    axes: int, source: Shape, kernel: Shape, stride: Any, padding: Any, output_padding: Any, dilation: Any
) -> dict[str, Shape]:
    """The same for a transpose."""
    name = f"conv_transpose{axes}d"
    stride = whole_numbers(stride, axes, "stride", 1, name)
    padding = whole_numbers(padding, axes, "padding", 0, name)
    output_padding = whole_numbers(output_padding, axes, "output_padding", 0, name)
    dilation = whole_numbers(dilation, axes, "dilation", 1, name)
    if any(o >= max(s, d) for o, s, d in zip(output_padding, stride, dilation, strict=True)):
        raise ShapeError(
            f"{name}: output padding must be smaller than either stride or dilation, got "
            f"output_padding={output_padding}, stride={stride}, dilation={dilation}"
        )
    size = tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + o + 1
        for n, s, p, d, k, o in zip(source, stride, padding, dilation, kernel, output_padding, strict=True)
    )
    if 0 in source or min(size) < 1:
        raise ShapeError(
            f"{name}: given input size per channel: ({_text(source)}). Calculated output size per channel: "
            f"({_text(size)}). Output size is too small"
        )
    return {"stride": stride, "padding": padding, "dilation": dilation, "size": size}


def _conv(
    axes: int, x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Any:
    if isinstance(x, TensorCore) and casts(x):
        x, weight, bias = lowered(x, weight, bias)
    _check(f"conv{axes}d", axes, x, weight, bias, groups, False)
    geometry = _forward(
        axes, x._view.shape[-axes:], weight._view.shape[2:], _fixed(stride), _fixed(padding), _fixed(dilation)
    )
    return _run(_convolution, axes, x, weight, bias, groups=groups, **geometry)


def _transpose(
    axes: int,
    x: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: Any,
    dilation: Any,
) -> Any:
    if isinstance(x, TensorCore) and casts(x):
        x, weight, bias = lowered(x, weight, bias)
    _check(f"conv_transpose{axes}d", axes, x, weight, bias, groups, True)
    geometry = _backward(
        axes,
        x._view.shape[-axes:],
        weight._view.shape[2:],
        _fixed(stride),
        _fixed(padding),
        _fixed(output_padding),
        _fixed(dilation),
    )
    return _run(_conv_transpose, axes, x, weight, bias, groups=groups, **geometry)


def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """``conv2d`` over one axis: (N, C, L) by (O, C / groups, k) to (N, O, L')."""
    return _conv(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Sliding products: (N, C, H, W) by (O, C / groups, kh, kw) and (O,) to (N, O, H', W').

    ``out[n, o, y, x] = bias[o] + sum over c, i, j of weight[o, c, i, j] *
    input[n, c, y * stride - padding + i * dilation, x * stride - padding + j * dilation]``, with 0 outside,
    and ``H' = (H + 2 * padding - dilation * (kh - 1) - 1) // stride + 1``.

    Args:
        input: with or without the batch axis.
        weight: the kernels; of C channels each sees those of its group.
        bias: one for each output channel, or None.
        stride, dilation: an int, or one for each spatial axis.
        padding: the same, or ``"valid"`` (none) or ``"same"`` (the output has the input's size; stride 1).
        groups: the channels are cut into so many parts that do not see each other.

    Raises:
        RuntimeError: shapes or types that do not fit, or an argument out of range.
    """
    return _conv(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """``conv2d`` over three axes: (N, C, D, H, W) by (O, C / groups, kd, kh, kw) to (N, O, D', H', W')."""
    return _conv(3, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """``conv_transpose2d`` over one axis: (N, C, L) by (C, O / groups, k) to (N, O, L')."""
    return _transpose(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """The gradient of ``conv2d`` as an operation: (N, C, H, W) by (C, O / groups, kh, kw) to (N, O, H', W').

    Each element of the input adds its multiple of the kernel to the output, ``stride`` apart, and
    ``H' = (H - 1) * stride - 2 * padding + dilation * (kh - 1) + output_padding + 1``.

    Args:
        input: with or without the batch axis.
        weight: the kernels; the first axis is that of the input's channels.
        bias: one for each output channel, or None.
        stride, padding, dilation: those of the convolution that it is the transpose of.
        output_padding: added to the size on one side, where several sizes would have the same convolution.
        groups: the channels are cut into so many parts that do not see each other.

    Raises:
        RuntimeError: shapes or types that do not fit, or an argument out of range.
    """
    return _transpose(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """``conv_transpose2d`` over three axes."""
    return _transpose(3, input, weight, bias, stride, padding, output_padding, groups, dilation)
