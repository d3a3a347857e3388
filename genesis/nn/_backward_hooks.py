"""Full backward hooks: the gradients of a module's outputs and inputs, seen together.

The inputs pass through a gate before ``forward`` and the outputs through another after it. A gate returns its
tensors unchanged, and when their gradients come back it hands all of them at once to a function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from genesis import cat, is_grad_enabled
from genesis._tensor import Tensor

if TYPE_CHECKING:
    from genesis.nn.module import Module

Grads = tuple[Tensor | None, ...]


def _gate(values: Sequence[Any], handle: Callable[[Grads], Grads | None]) -> tuple[tuple[Any, ...], bool]:
    """Return ``values`` behind a gate, and whether any of them has a gradient at all.

    Args:
        values: anything; tensors that are part of the graph are gated.
        handle: receives one gradient for each value (None where there is none) and may return others.
    """
    places = [i for i, v in enumerate(values) if isinstance(v, Tensor) and v.requires_grad]
    if not places:
        return tuple(values), False
    gated = list(values)

    def spread(grads: Sequence[Tensor]) -> Grads | None:
        full: list[Tensor | None] = [None] * len(values)
        for place, grad in zip(places, grads, strict=True):
            full[place] = grad
        changed = handle(tuple(full))
        if changed is not None and len(changed) != len(values):
            raise RuntimeError(f"a backward hook returned {len(changed)} gradients, expected {len(values)}")
        return changed

    if len(places) == 1:
        place = places[0]
        gated[place] = values[place].view(values[place].shape)

        def one(grad: Tensor) -> Tensor | None:
            changed = spread([grad])
            return None if changed is None else changed[place]

        gated[place].register_hook(one)
        return tuple(gated), True

    # Several: joined into one vector and cut apart again, so that their gradients arrive together.
    tensors = [values[place] for place in places]
    joined = cat([t.reshape(-1) for t in tensors])
    ends = [0]
    for t in tensors:
        ends.append(ends[-1] + t.numel())
    spans = list(zip(tensors, ends, ends[1:], strict=False))
    for place, (t, start, end) in zip(places, spans, strict=True):
        gated[place] = joined[start:end].reshape(t.shape).to(t.dtype)

    def several(grad: Tensor) -> Tensor | None:
        grads = [grad[start:end].reshape(t.shape) for t, start, end in spans]
        changed = spread(grads)
        if changed is None:
            return None
        new = [changed[place] for place in places]
        return cat([(g if n is None else n).reshape(-1) for g, n in zip(grads, new, strict=True)])

    joined.register_hook(several)
    return tuple(gated), True


def run_with_backward_hooks(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run ``forward`` so that every full backward hook of ``module`` is called in the backward pass."""
    if not is_grad_enabled():
        return module.forward(*args, **kwargs)
    hooks = tuple(module._backward_hooks.values())
    grad_outputs: Grads = ()

    def at_inputs(grad_inputs: Grads) -> Grads | None:
        changed = None
        for hook in hooks:
            result = hook(module, grad_inputs, grad_outputs)
            if result is not None:
                grad_inputs = changed = result if isinstance(result, tuple) else (result,)
        return changed

    def at_outputs(grads: Grads) -> None:
        nonlocal grad_outputs
        grad_outputs = grads
        if not reaches_inputs:
            at_inputs((None,) * len(args))

    args, reaches_inputs = _gate(args, at_inputs)
    result = module.forward(*args, **kwargs)
    if isinstance(result, Tensor):
        return _gate((result,), at_outputs)[0][0]
    if isinstance(result, tuple):
        outputs, _ = _gate(result, at_outputs)
        return outputs if type(result) is tuple else type(result)(*outputs)  # a named tuple
    return result
