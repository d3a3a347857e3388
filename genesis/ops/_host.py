"""Factorizations of matrices run on the host, through NumPy's LAPACK, for every device."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from genesis._errors import DeviceError, GenesisError
from genesis.autograd.graph import TensorCore
from genesis.backend.view import broadcast_shapes

Array = np.ndarray[Any, Any]


class LinAlgError(GenesisError, RuntimeError):
    """The numbers of a matrix do not allow what was asked for: it is singular, or not positive-definite."""


def read(x: Any) -> Array:
    """The elements on the host."""
    array: Array = x._view.buffer.device.backend.read(x._view)
    return array


def put(array: Any, like: Any) -> Any:
    """A host array as a tensor on the device of ``like``."""
    from genesis.ops.creation import from_host

    return from_host(np.asarray(array, order="C"), like._view.buffer.device)


# A node of the graph has one result, so a factorization is recorded as one vector with all factors, and the
# factors are views of it; the gradients of those that are used meet there.
def pack(arrays: Any, like: Any) -> Any:
    """Several host arrays as one vector."""
    return put(np.concatenate([np.asarray(a).reshape(-1) for a in arrays]), like)


def unpack(packed: Any, shapes: Any) -> list[Any]:
    """The parts of a vector, each a view with its own shape."""
    from genesis.ops._view import take_view
    from genesis.ops.shape import reshape

    out, start = [], 0
    for shape in shapes:
        n = math.prod(shape)
        out.append(reshape(take_view(packed, (("narrow", (0, start, n)),)), shape))
        start += n
    return out


def numbers(name: str, *tensors: Any) -> None:
    """Check tensors of one floating-point type on one device.

    Raises:
        TypeError: something is no tensor.
        NotImplementedError: a type is not floating (a RuntimeError, too).
        RuntimeError: types differ, or devices do.
    """
    for x in tensors:
        if not isinstance(x, TensorCore):
            raise TypeError(f"{name}: expected a tensor, got {type(x).__name__}")
        if not x._view.dtype.is_floating_point:
            raise NotImplementedError(f"{name}: expected a floating-point tensor, got {x._view.dtype}")
    types = [x._view.dtype for x in tensors]
    if any(t is not types[0] for t in types):
        raise RuntimeError(f"{name}: expected all tensors to have the same dtype, got {types}")
    devices = [x._view.buffer.device for x in tensors]
    if any(d is not devices[0] for d in devices):
        raise DeviceError(f"{name}: all tensors must be on one device, got {devices}")


def matrices(name: str, *tensors: Any) -> None:
    """``numbers``, each of two axes or more."""
    numbers(name, *tensors)
    for x in tensors:
        if len(x._view.shape) < 2:
            raise RuntimeError(
                f"{name}: the input tensor must have at least 2 dimensions, got shape {x._view.shape}"
            )


def square(name: str, *tensors: Any) -> None:
    """``matrices``, each with as many rows as columns."""
    matrices(name, *tensors)
    for x in tensors:
        if x._view.shape[-1] != x._view.shape[-2]:
            raise RuntimeError(
                f"{name}: A must be batches of square matrices, but they are {x._view.shape[-2]} by "
                f"{x._view.shape[-1]} matrices"
            )


@contextmanager
def refusing(name: str, what: str) -> Iterator[None]:
    """NumPy's LinAlgError as ours."""
    try:
        with np.errstate(all="ignore"):
            yield
    except np.linalg.LinAlgError as error:
        raise LinAlgError(f"{name}: {what} ({str(error).lower()})") from None


def each(x: Array, function: Callable[[Array], Any], out: Any) -> Any:
    """``function`` of each matrix of a batch, which may be of none."""
    flat = x.reshape(math.prod(x.shape[:-2]), *x.shape[-2:])
    found = [function(m) for m in flat]
    return np.array(found, dtype=out).reshape(x.shape[:-2])


def common_batch(a: Any, b: Any) -> tuple[Any, Any]:
    """Two batches of matrices with the leading axes that they broadcast to."""
    from genesis.ops.shape import expand

    batch = broadcast_shapes(a._view.shape[:-2], b._view.shape[:-2])
    return expand(a, (*batch, *a._view.shape[-2:])), expand(b, (*batch, *b._view.shape[-2:]))


def identity(n: int, like: Any) -> Any:
    """The unit matrix with the type and device of ``like``."""
    from genesis.ops.creation import eye

    return eye(n, dtype=like.dtype, device=like.device)
