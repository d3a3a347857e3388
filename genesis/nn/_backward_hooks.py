"""Full backward hooks: the gradients of a module's outputs and inputs, seen together.

The inputs pass through a gate before ``forward`` and the outputs through another after it. A gate returns its
tensors unchanged, and when their gradients come back it hands all of them at once to a function.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from genesis import cat, is_grad_enabled
from genesis._tensor import Tensor
from genesis.nn._hooks import Hook, _of_all, first_tensor

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


class Gates:
    """The gates of one call of a module, and the hooks that its gradients meet there."""

    def __init__(
        self, module: Module, hooks: Sequence[Hook], before: Sequence[Hook], old: Sequence[Hook]
    ) -> None:
        self.module, self.hooks, self.before, self.old = module, hooks, before, old
        self.grad_outputs: Grads = ()
        self.reaches_inputs, self.count = True, 0

    @classmethod
    def of(cls, module: Module) -> Gates | None:
        """The gates that a call needs now; None where there are no gradients or no hooks on them."""
        own = tuple(module._backward_hooks.values())
        full = () if module._is_full_backward_hook is False else own
        hooks = (*[h for h, _, _ in _of_all("backward")], *full)
        before = (*[h for h, _, _ in _of_all("backward_pre")], *module._backward_pre_hooks.values())
        old = own if module._is_full_backward_hook is False else ()
        if not is_grad_enabled() or not (hooks or before or old):
            return None
        return cls(module, hooks, before, old)

    def _at_inputs(self, grad_inputs: Grads) -> Grads | None:
        changed = None
        for hook in self.hooks:
            result = hook(self.module, grad_inputs, self.grad_outputs)
            if result is not None:
                grad_inputs = changed = result if isinstance(result, tuple) else (result,)
        return changed

    def _at_outputs(self, grads: Grads) -> Grads | None:
        changed = None
        for hook in self.before:
            result = hook(self.module, grads)
            if result is not None:
                grads = changed = result if isinstance(result, tuple) else (result,)
        self.grad_outputs = grads
        if not self.reaches_inputs:
            self._at_inputs((None,) * self.count)
        return changed

    def inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments behind their gate."""
        if not self.hooks:
            return args
        self.count = len(args)
        args, self.reaches_inputs = _gate(args, self._at_inputs)
        return args

    def outputs(self, result: Any) -> Any:
        """The output behind its gate."""
        if self.hooks or self.before:
            if isinstance(result, Tensor):
                result = _gate((result,), self._at_outputs)[0][0]
            elif isinstance(result, tuple):
                outputs, _ = _gate(result, self._at_outputs)
                result = outputs if type(result) is tuple else type(result)(*outputs)  # a named tuple
            else:
                warnings.warn(
                    "for backward hooks to be called, a module's output should be a tensor or a tuple of "
                    f"tensors, but it is {type(result).__name__}",
                    stacklevel=4,
                )
        if self.old:
            found = first_tensor(result)
            if found is not None and found.grad_fn is not None:
                for hook in self.old:
                    found.grad_fn.register_hook(lambda gi, go, hook=hook: hook(self.module, gi, go))
        return result
