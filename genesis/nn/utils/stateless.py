"""A module as a function of its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from genesis._lazy import missing as no_such_name
from genesis._tensor import Tensor
from genesis.nn.module import Module

__all__ = ["functional_call"]


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: Mapping[str, Tensor] | Sequence[Mapping[str, Tensor]],
    args: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call ``module`` with other tensors in place of its parameters and buffers.

    Args:
        module: what is called; it stays as it is.
        parameter_and_buffer_dicts: dotted names to tensors, one dictionary or several.
        args: the argument, or a tuple of them.
        kwargs: further arguments by name.
        tie_weights: a tensor that two names share is replaced under both.
        strict: all parameters and buffers have to be given, and nothing else.

    Returns:
        What the call returns.

    Raises:
        RuntimeError: ``strict``, and names are missing or unknown.
        AttributeError: a name is unknown.

    Example:
        >>> functional_call(model, {"weight": weight, "bias": bias}, (x,))
    """
    given: dict[str, Tensor] = {}
    several = (
        [parameter_and_buffer_dicts]
        if isinstance(parameter_and_buffer_dicts, Mapping)
        else parameter_and_buffer_dicts
    )
    for each in several:
        twice = given.keys() & each.keys()
        if twice:
            raise ValueError(f"{sorted(twice)[0]!r} is in several dictionaries")
        given.update(each)
    own = {
        **dict(module.named_parameters(remove_duplicate=False)),
        **dict(module.named_buffers(remove_duplicate=False)),
    }
    if strict:
        unexpected = [name for name in given if name not in own]
        missing = [name for name in own if name not in given]
        if unexpected or missing:
            raise RuntimeError(
                f"functional_call: unexpected key(s): {', '.join(unexpected) or 'none'}; "
                f"missing key(s): {', '.join(missing) or 'none'}"
            )
    if tie_weights:
        for name, tensor in list(given.items()):
            if name in own:
                for other, same in own.items():
                    if same is own[name] and other not in given:
                        given[other] = tensor
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    replaced: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for name, tensor in given.items():
            path, _, last = name.rpartition(".")
            owner = module.get_submodule(path)
            place: dict[str, Any] = vars(owner)["_parameters"]
            if last in owner._buffers:
                place = owner._buffers
            if last not in place:
                raise AttributeError(f"{type(owner).__name__} has no parameter or buffer {name!r}")
            replaced.append((place, last, place[last]))
            place[last] = tensor
        return module(*args, **dict(kwargs or {}))
    finally:
        for place, last, before in reversed(replaced):
            place[last] = before


TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = no_such_name(__name__)
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
