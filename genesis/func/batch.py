"""vmap: a function for one slice, called for each slice of a batch."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from genesis import _random
from genesis._tensor import Tensor
from genesis.func._tree import filled, leaves, mapped
from genesis.ops.joining import stack


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that calls ``func`` for each slice of its arguments and stacks what it gives.

    It is a loop: as fast as the calls one after another.  An operation on the whole batch is faster.

    Args:
        func: takes and gives tensors or trees of tensors.
        in_dims: the axis of each argument that counts the slices, None for what is the same for all; one
        for all
            arguments, or a tuple of them (trees for trees).
        out_dims: where the new axis of the results is; one for all, or a tuple.
        randomness: ``"error"`` refuses functions that draw random numbers, ``"different"`` lets each
        slice draw its
            own, ``"same"`` gives all slices the same.
        chunk_size: accepted.

    Raises:
        ValueError: the slices are not equally many, or a result is no tensor.
        RuntimeError: random numbers with ``randomness="error"``.
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(f"randomness is one of 'error', 'different', 'same', got {randomness!r}")

    @wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if not args:
            raise ValueError("vmap: the function has to be called with at least one positional argument")
        dims = tuple([in_dims] * len(args)) if isinstance(in_dims, int) or in_dims is None else tuple(in_dims)
        if len(dims) != len(args):
            raise ValueError(f"vmap: in_dims has {len(dims)} entries for {len(args)} arguments")
        axes = leaves(tuple([_spread(d, a) for d, a in zip(dims, args, strict=True)]))
        values = leaves(args)
        sizes = {_size(t, d) for t, d in zip(values, axes, strict=True) if d is not None}
        if not sizes:
            raise ValueError("vmap: at least one of in_dims has to be a number")
        if len(sizes) > 1:
            raise ValueError(
                f"vmap: Expected all tensors to have the same size in the mapped dimension, got {sizes}"
            )
        count = sizes.pop()
        generator = _random.default_generator
        start = generator.get_state()
        results = []
        for i in range(count):
            if randomness == "same":
                generator.set_state(start)
            one = [t if d is None else t.select(d, i) for t, d in zip(values, axes, strict=True)]
            results.append(func(*filled(args, iter(one)), **kwargs))
            if randomness == "error" and generator.get_state().tolist() != start.tolist():
                raise RuntimeError(
                    "vmap: called random operation while in randomness error mode. Please use randomness="
                    "'same' or randomness='different'."
                )
        if not results:
            raise ValueError("vmap: there are no slices, so the form of the result is not known")
        return _stacked(results, out_dims)

    return wrapper


def _spread(dim: Any, tree: Any) -> Any:
    """One axis for each leaf of an argument."""
    if dim is None or isinstance(dim, int):
        return mapped(lambda t: dim if isinstance(t, Tensor) else None, tree)
    if isinstance(tree, dict):
        return {key: _spread(dim[key], tree[key]) for key in tree}
    return [_spread(d, t) for d, t in zip(dim, tree, strict=True)]


def _size(t: Any, dim: int) -> int:
    if not isinstance(t, Tensor):
        raise ValueError(f"vmap: in_dims names an axis of an argument of type {type(t).__name__}; use None")
    if not -t.dim() <= dim < t.dim():
        raise ValueError(f"vmap: there is no axis {dim} in a tensor of shape {tuple(t.shape)}")
    return int(t.shape[dim])


def _stacked(results: list[Any], out_dims: Any) -> Any:
    first = results[0]
    flat = [leaves(r) for r in results]
    for t in flat[0]:
        if not isinstance(t, Tensor):
            raise ValueError(f"vmap: the function must only return Tensors, got type {type(t).__name__}")
    dims = leaves(
        _spread(out_dims if len(flat[0]) > 1 or isinstance(out_dims, int | None) else out_dims[0], first)
    )
    columns = [
        column[0] if d is None else stack(list(column), d)
        for column, d in zip(zip(*flat, strict=True), dims, strict=True)
    ]
    return filled(first, iter(columns))
