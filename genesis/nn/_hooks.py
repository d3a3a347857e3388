"""Hooks of a module: how they are kept, removed and run."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from genesis._tensor import RemovableHandle

if TYPE_CHECKING:
    from genesis.nn.module import Module

Hook = Callable[..., Any]


def add_hook(hooks: OrderedDict[int, Any], entry: Any, prepend: bool = False) -> RemovableHandle:
    """Put ``entry`` into ``hooks`` (first when ``prepend``) and return the handle that removes it."""
    handle = RemovableHandle(hooks, entry)
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def call_with_hooks(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run pre-hooks, ``forward`` and hooks; what one returns, unless None, the next one sees."""
    for hook, with_kwargs in tuple(module._forward_pre_hooks.values()):
        if with_kwargs:
            changed = hook(module, args, kwargs)
            if changed is None:
                continue
            if not (isinstance(changed, tuple) and len(changed) == 2):
                raise RuntimeError(
                    "a forward pre-hook registered with with_kwargs=True must return None or a pair "
                    f"(args, kwargs), but {hook!r} returned {type(changed).__name__}"
                )
            args, kwargs = changed
        else:
            changed = hook(module, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)

    if module._backward_hooks:
        from genesis.nn._backward_hooks import run_with_backward_hooks  # few need it

        result = run_with_backward_hooks(module, args, kwargs)
    else:
        result = module.forward(*args, **kwargs)

    for hook, with_kwargs in tuple(module._forward_hooks.values()):
        changed = hook(module, args, kwargs, result) if with_kwargs else hook(module, args, result)
        if changed is not None:
            result = changed
    return result
