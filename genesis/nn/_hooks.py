"""Hooks of modules: how they are kept, removed and run; those of one module and those of all."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from genesis._tensor import RemovableHandle, Tensor

if TYPE_CHECKING:
    from genesis.nn.module import Module

Hook = Callable[..., Any]

#: hooks of every module: number -> (kind, hook, with_kwargs, always_call); empty nearly always
everywhere: OrderedDict[int, tuple[str, Hook, bool, bool]] = OrderedDict()
#: called when something is registered in a module: number -> (kind, hook)
on_registration: OrderedDict[int, tuple[str, Hook]] = OrderedDict()


def add_hook(hooks: OrderedDict[int, Any], entry: Any, prepend: bool = False) -> RemovableHandle:
    """Put ``entry`` into ``hooks`` (first when ``prepend``) and return the handle that removes it."""
    handle = RemovableHandle(hooks, entry)
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def unwatched(module: Module) -> bool:
    """Whether nobody looks at the module when it is called, or has given it another ``forward``.

    Then what it computes may be computed together with what comes before or after it.
    """
    return not (
        everywhere
        or module._forward_hooks
        or module._forward_pre_hooks
        or module._backward_hooks
        or module._backward_pre_hooks
        or "forward" in module.__dict__
    )


def registered(module: Any, kind: str, name: str, value: Any) -> Any:
    """What the hooks on registrations make of a new parameter, buffer or module."""
    for of, hook in tuple(on_registration.values()):
        if of == kind:
            changed = hook(module, name, value)
            if changed is not None:
                value = changed
    return value


class Hooked:
    """The part of ``Module`` that registers hooks on calls."""

    _forward_hooks: OrderedDict[int, Hook]
    _forward_hooks_with_kwargs: OrderedDict[int, bool]
    _forward_hooks_always_called: OrderedDict[int, bool]
    _forward_pre_hooks: OrderedDict[int, Hook]
    _forward_pre_hooks_with_kwargs: OrderedDict[int, bool]
    _backward_hooks: OrderedDict[int, Hook]
    _backward_pre_hooks: OrderedDict[int, Hook]
    _is_full_backward_hook: bool | None

    def register_forward_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after every ``forward``.

        Args:
            hook: what it returns, unless None, replaces the output.
            prepend: run it before the hooks that are already there.
            with_kwargs: call ``hook(module, args, kwargs, output)`` instead.
            always_call: also after an error in ``forward`` (the output is then None).
        """
        handle = add_hook(self._forward_hooks, hook, prepend)
        if with_kwargs:
            self._forward_hooks_with_kwargs[handle.id] = True
        if always_call:
            self._forward_hooks_always_called[handle.id] = True
        return handle

    def register_forward_pre_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before every ``forward``.

        Args:
            hook: what it returns, unless None, replaces the arguments (a single value is wrapped in a tuple).
            prepend: run it before the hooks that are already there.
            with_kwargs: call ``hook(module, args, kwargs)`` instead; it returns None or ``(args, kwargs)``.
        """
        handle = add_hook(self._forward_pre_hooks, hook, prepend)
        if with_kwargs:
            self._forward_pre_hooks_with_kwargs[handle.id] = True
        return handle

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` when the gradients of the inputs are known.

        Both are tuples with one entry for each positional argument or output, None where there is no
        gradient. The hook sees calls made after it was registered.

        Args:
            hook: what it returns, unless None, replaces ``grad_input``.
            prepend: run it before the hooks that are already there.

        Raises:
            RuntimeError: the module has a hook of ``register_backward_hook``.
        """
        self._choose(True)
        return add_hook(self._backward_hooks, hook, prepend)

    def register_full_backward_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` before the gradients pass through the module.

        Args:
            hook: what it returns, unless None, replaces ``grad_output``.
            prepend: run it before the hooks that are already there.
        """
        return add_hook(self._backward_pre_hooks, hook, prepend)

    def register_backward_hook(self, hook: Hook) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` at the last operation of ``forward``.

        This is PyTorch's old form: for a module of several operations ``grad_input`` is not that of the
        module. ``register_full_backward_hook`` is what you want.

        Raises:
            RuntimeError: the module has full backward hooks.
        """
        self._choose(False)
        return add_hook(self._backward_hooks, hook)

    def _choose(self, full: bool) -> None:
        if self._backward_hooks and self._is_full_backward_hook is not full:
            raise RuntimeError(
                "cannot use both regular backward hooks and full backward hooks on a single Module; use only "
                "one of them"
            )
        self._is_full_backward_hook = full


def _of_all(kind: str) -> Iterator[tuple[Hook, bool, bool]]:
    for of, hook, with_kwargs, always in tuple(everywhere.values()):
        if of == kind:
            yield hook, with_kwargs, always


def call_with_hooks(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run pre-hooks, ``forward`` and hooks; what one returns, unless None, the next one sees."""
    after = [(hook, with_kwargs, always, -1) for hook, with_kwargs, always in _of_all("forward")]
    for number, hook in module._forward_hooks.items():
        with_kwargs = number in module._forward_hooks_with_kwargs
        after.append((hook, with_kwargs, number in module._forward_hooks_always_called, number))
    result: Any = None
    done: set[int] = set()
    try:
        args, kwargs = _before(module, args, kwargs)
        gates = None
        if module._backward_hooks or module._backward_pre_hooks or everywhere:
            from genesis.nn._backward_hooks import Gates  # few need it

            gates = Gates.of(module)
        if gates is not None:
            args = gates.inputs(args)
        result = module.forward(*args, **kwargs)
        for i, (hook, with_kwargs, _, _) in enumerate(after):
            done.add(i)
            changed = hook(module, args, kwargs, result) if with_kwargs else hook(module, args, result)
            if changed is not None:
                result = changed
        if gates is not None:
            result = gates.outputs(result)
        return result
    except Exception:
        for i, (hook, with_kwargs, always, _) in enumerate(after):
            if always and i not in done:
                try:
                    hook(module, args, kwargs, result) if with_kwargs else hook(module, args, result)
                except Exception as error:
                    warnings.warn(
                        "a forward hook with always_call=True raised an exception; it gives way to the one "
                        f"raised in forward: {error}",
                        stacklevel=3,
                    )
        raise


def _before(
    module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    hooks = [(hook, with_kwargs) for hook, with_kwargs, _ in _of_all("forward_pre")]
    for number, hook in module._forward_pre_hooks.items():
        hooks.append((hook, number in module._forward_pre_hooks_with_kwargs))
    for hook, with_kwargs in hooks:
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
    return args, kwargs


# -- hooks of every module ---------------------------------------------------------------------------------
def register_module_forward_hook(
    hook: Hook, *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call ``hook(module, args, output)`` after the ``forward`` of every module; see ``Module``'s method."""
    return RemovableHandle(everywhere, ("forward", hook, with_kwargs, always_call))


def register_module_forward_pre_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, args)`` before the ``forward`` of every module."""
    return RemovableHandle(everywhere, ("forward_pre", hook, False, False))


def register_module_full_backward_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, grad_input, grad_output)`` for every module in the backward pass."""
    return RemovableHandle(everywhere, ("backward", hook, False, False))


def register_module_full_backward_pre_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, grad_output)`` for every module in the backward pass."""
    return RemovableHandle(everywhere, ("backward_pre", hook, False, False))


def register_module_parameter_registration_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, name, param)`` for every new parameter; what it returns replaces it."""
    return RemovableHandle(on_registration, ("parameter", hook))


def register_module_buffer_registration_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, name, buffer)`` for every new buffer; what it returns replaces it."""
    return RemovableHandle(on_registration, ("buffer", hook))


def register_module_module_registration_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, name, submodule)`` for every new child; what it returns replaces it."""
    return RemovableHandle(on_registration, ("module", hook))


def first_tensor(result: Any) -> Tensor | None:
    """The first tensor of an output, for hooks of the old form."""
    while not isinstance(result, Tensor):
        if isinstance(result, dict):
            result = next((v for v in result.values() if isinstance(v, Tensor)), None)
        elif isinstance(result, list | tuple) and result:
            result = result[0]
        else:
            return None
    return result
