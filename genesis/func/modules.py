"""Modules as functions of their parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genesis.ops.shape import stack


def stack_module_state(models: Sequence[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters and the buffers of several models of the same kind, stacked along a new first axis.

    Args:
        models: in the same mode, with parameters of the same names and shapes.

    Returns:
        ``(parameters, buffers)``; the stacked parameters are leaves that require a gradient.
    """
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({m.training for m in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to have the same training/eval mode.")
    if len({type(m) for m in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    names = [dict(m.named_parameters()) for m in models]
    parameters = {
        n: stack([p[n].detach() for p in names]).requires_grad_(names[0][n].requires_grad) for n in names[0]
    }
    others = [dict(m.named_buffers()) for m in models]
    return parameters, {n: stack([b[n] for b in others]) for n in others[0]}


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: Any,
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call a module with other parameters and buffers than its own.

    Args:
        module: called with ``args`` and ``kwargs``.
        parameter_and_buffer_dicts: tensors by name, or a sequence of such dictionaries; what is not
        named stays. args: a tuple of arguments, or the only one.
        kwargs: arguments by name.
        tie_weights: a parameter that the module has under several names is replaced under all of them.
        strict: every parameter and buffer has to be given, and nothing else.

    Raises:
        ValueError: two dictionaries have the same name.
        RuntimeError: with ``strict``, names that are missing or unknown.
    """
    given: dict[str, Any] = {}
    dicts = parameter_and_buffer_dicts
    for each in [dicts] if isinstance(dicts, dict) else dicts:
        repeated = sorted(given.keys() & each.keys())
        if repeated:
            raise ValueError(
                f"{', '.join(repeated)} appeared in multiple dictionaries; behavior is ambiguous"
            )
        given.update(each)
    places = _places(module)
    unknown = sorted(given.keys() - places.keys())
    if tie_weights:
        for name in [n for n in given if n in places]:
            holder, key = places[name]
            own = holder[key]
            for other, (h, k) in places.items():
                if own is not None and h[k] is own:
                    given.setdefault(other, given[name])
    lacking = sorted(places.keys() - given.keys())
    if strict and (unknown or lacking):
        raise RuntimeError(f"functional_call: missing keys {lacking}, unexpected keys {unknown}")
    if unknown:
        raise RuntimeError(f"functional_call: the module has no parameter or buffer {', '.join(unknown)}")
    before = {name: places[name][0][places[name][1]] for name in given}
    arguments = () if args is None else args if isinstance(args, tuple) else (args,)
    try:
        for name, value in given.items():
            holder, key = places[name]
            holder[key] = value
        return module(*arguments, **(kwargs or {}))
    finally:
        for name, value in before.items():
            holder, key = places[name]
            holder[key] = value


def _places(module: Any) -> dict[str, tuple[dict[str, Any], str]]:
    """The dictionary and the key of every parameter and buffer."""
    found = {}
    for prefix, part in module.named_modules(remove_duplicate=False):
        for holder in (part._parameters, part._buffers):
            for key in holder:
                found[f"{prefix}.{key}" if prefix else key] = (holder, key)
    return found
