"""Parametrizations: a tensor of a module that is computed from others whenever it is asked for."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from genesis import no_grad
from genesis._lazy import missing as no_such_name
from genesis._tensor import Tensor
from genesis.nn.layers.container import ModuleDict, ModuleList
from genesis.nn.module import Module
from genesis.nn.parameter import Parameter

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "transfer_parametrizations_and_params",
    "type_before_parametrizations",
]

_depth = 0
_cache: dict[tuple[int, str], Any] = {}


@contextmanager
def cached() -> Iterator[None]:
    """Within it, a parametrized tensor is computed once, however often it is used.

    Example:
        >>> with parametrize.cached():
        ...     output = rnn_cell_with_orthogonal_weight_many_times(x)
    """
    global _depth
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
        if not _depth:
            _cache.clear()


def _register(module: Module, name: str, tensor: Tensor) -> None:
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, and the tensors that it is computed from.

    These are ``original``, or ``original0``, ``original1``, … if the ``right_inverse`` of the first
    parametrization gives several.

    Args:
        modules: run one after the other.
        original: the tensor.
        unsafe: do not check that shape and type stay.
    """

    original: Tensor

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if not modules:
            raise ValueError("ParametrizationList requires one or more modules")
        super().__init__(modules)
        self.unsafe = unsafe
        shape, dtype = original.shape, original.dtype
        new: Any = original
        with no_grad():
            for module in reversed(list(self)):
                if hasattr(module, "right_inverse"):
                    with suppress(NotImplementedError):  # the identity, as where there is none
                        new = module.right_inverse(new)
        if not isinstance(new, Tensor | Sequence):
            raise ValueError(
                "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...), got "
                f"{type(new).__name__}"
            )
        self.is_tensor = isinstance(new, Tensor)
        self.ntensors = 1 if isinstance(new, Tensor) else len(new)
        if isinstance(new, Tensor):
            if new.dtype is not dtype:
                raise ValueError(
                    "when `right_inverse` outputs one tensor, it may not change the dtype: "
                    f"{dtype} became {new.dtype}"
                )
            original.data = new.detach()
            _register(self, "original", original)
        else:
            for i, part in enumerate(new):
                if not isinstance(part, Tensor):
                    raise ValueError(
                        "'right_inverse' must return a Tensor or a Sequence of tensors, got element "
                        f"{i} with type {type(part).__name__}"
                    )
                part = part.detach()
                if isinstance(original, Parameter):
                    part = Parameter(part, original.requires_grad)
                _register(self, f"original{i}", part)
        if not unsafe:
            result = self()
            if not isinstance(result, Tensor):
                raise ValueError(f"a parametrization must return a tensor, got {type(result).__name__}")
            if result.dtype is not dtype or result.shape != shape:
                raise ValueError(
                    "a parametrization may not change dtype and shape, unless the `unsafe` flag is enabled: "
                    f"{dtype} {tuple(shape)} became {result.dtype} {tuple(result.shape)}"
                )

    def _originals(self) -> list[Tensor]:
        if self.is_tensor:
            return [self.original]
        return [getattr(self, f"original{i}") for i in range(self.ntensors)]

    @no_grad()
    def right_inverse(self, value: Tensor) -> None:
        """Set the originals so that the tensor becomes ``value``.

        Raises:
            RuntimeError: a parametrization has no ``right_inverse``.
        """
        new: Any = value
        for module in reversed(list(self)):
            if not hasattr(module, "right_inverse"):
                raise RuntimeError(
                    f"parametrization {type(module).__name__} does not implement right_inverse"
                )
            new = module.right_inverse(new)
        parts = [new] if self.is_tensor else list(new)
        if len(parts) != self.ntensors:
            raise ValueError(f"'right_inverse' must return {self.ntensors} tensors, got {len(parts)}")
        for original, part in zip(self._originals(), parts, strict=True):
            if not isinstance(part, Tensor):
                raise ValueError(f"`right_inverse` should return tensors, got {type(part).__name__}")
            if part.dtype is not original.dtype:
                raise ValueError(f"the tensor has dtype {part.dtype}, the original {original.dtype}")
            original.data = part.detach()

    def forward(self) -> Any:
        first, *rest = list(self)
        x = first(*self._originals())
        for module in rest:
            x = module(x)
        return x


# -- the class of a module with parametrizations -----------------------------------------------------------
def _deepcopy(self: Module, memo: dict[int, Any]) -> Module:
    replica: Module = object.__new__(type(self))
    memo[id(self)] = replica
    replica.__dict__.update(copy.deepcopy(self.__dict__, memo))
    return replica


def _getstate(self: Module) -> Any:
    raise RuntimeError(
        "Serialization of parametrized modules is only supported through state_dict(): make the module anew "
        "and load the state into it"
    )


def _change_class(module: Module) -> None:
    base = type(module)
    members = {"__getstate__": _getstate, "__deepcopy__": _deepcopy, "_unparametrized": base}
    module.__class__ = type(f"Parametrized{base.__name__}", (base,), members)


def _add_property(module: Module, name: str) -> None:
    def getter(self: Module) -> Any:
        parametrization = self.parametrizations[name]
        if not _depth:
            return parametrization()
        key = (id(self), name)
        if key not in _cache:
            _cache[key] = parametrization()
        return _cache[key]

    def setter(self: Module, value: Tensor) -> None:
        self.parametrizations[name].right_inverse(value)

    setattr(type(module), name, property(getter, setter))


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Compute ``module.<tensor_name>`` by ``parametrization`` from now on.

    The tensor itself moves to ``module.parametrizations.<tensor_name>.original``.  A ``right_inverse`` of
    the parametrization says what the original becomes, here and when the tensor is assigned to.

    Args:
        module: what has the parameter or buffer.
        tensor_name: its name.
        parametrization: a module from tensor to tensor; several may be registered, each on top.
        unsafe: allow it to change shape and type.

    Returns:
        ``module``.

    Raises:
        ValueError: there is no such tensor, or shape or type change.
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        stack = module.parametrizations[tensor_name]
        before = getattr(module, tensor_name)
        if not unsafe:
            after = parametrization(before)
            if not isinstance(after, Tensor):
                raise ValueError(f"a parametrization must return a tensor, got {type(after).__name__}")
            if after.dtype is not before.dtype or after.shape != before.shape:
                raise ValueError(
                    "registering a parametrization may not change dtype and shape of the tensor, unless the "
                    f"`unsafe` flag is enabled: {before.dtype} {tuple(before.shape)} became {after.dtype} "
                    f"{tuple(after.shape)}"
                )
            if hasattr(parametrization, "right_inverse"):
                with no_grad():
                    back = parametrization.right_inverse(after)
                if not isinstance(back, Tensor) or back.dtype is not before.dtype:
                    raise ValueError(
                        "only the first parametrization of a tensor may have a right_inverse that gives "
                        "several tensors or another dtype"
                    )
        stack.append(parametrization)
        stack.unsafe |= unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        original = getattr(module, tensor_name)
        made = ParametrizationList([parametrization], original, unsafe=unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _change_class(module)
            module.parametrizations = ModuleDict()
        _add_property(module, tensor_name)
        module.parametrizations[tensor_name] = made
    else:
        raise ValueError(
            f"module {module!r} does not have a parameter, a buffer, or a parametrized element with name "
            f"{tensor_name!r}"
        )
    return module


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """True when the module has parametrizations, or one of this tensor."""
    found = module.__dict__.get("_modules", {}).get("parametrizations")
    if not isinstance(found, ModuleDict):
        return False
    return len(found) > 0 if tensor_name is None else tensor_name in found


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Make the tensor an ordinary one again.

    Args:
        module: what has it.
        tensor_name: its name.
        leave_parametrized: it keeps its present value; otherwise it becomes the original.

    Returns:
        ``module``.

    Raises:
        ValueError: it is not parametrized, or has several originals and should become them.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"module {module!r} does not have a parametrization on {tensor_name!r}")
    stack = module.parametrizations[tensor_name]
    if stack.is_tensor:
        original = stack.original
        if leave_parametrized:
            with no_grad():
                value = getattr(module, tensor_name).detach().clone()
            if value.dtype is original.dtype:
                original.data = value
            else:
                original = Parameter(value) if original.requires_grad else value
    elif leave_parametrized:
        value = getattr(module, tensor_name)
        original = Parameter(value.detach().clone()) if value.requires_grad else value
    else:
        raise ValueError(
            "cannot leave unparametrized a tensor that is parametrized in terms of a sequence of tensors"
        )
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    _register(module, tensor_name, original)
    if not is_parametrized(module):
        delattr(module, "parametrizations")
        module.__class__ = type(module)._unparametrized  # type: ignore[attr-defined]
    return module


def type_before_parametrizations(module: Module) -> type:
    """The class of the module without its parametrizations."""
    return getattr(type(module), "_unparametrized", type(module))


def transfer_parametrizations_and_params(
    from_module: Module, to_module: Module, tensor_name: str | None = None
) -> Module:
    """Give ``to_module`` the parametrizations of ``from_module`` (of one tensor, or all) and their originals.

    Returns:
        ``to_module``.
    """
    if not is_parametrized(from_module):
        return to_module
    if tensor_name is not None and not is_parametrized(from_module, tensor_name):
        return to_module
    names = [tensor_name] if tensor_name is not None else list(from_module.parametrizations)
    for name in names:
        source = from_module.parametrizations[name]
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name).detach().clone()))
        for module in source:
            register_parametrization(to_module, name, module, unsafe=source.unsafe)
        target = to_module.parametrizations[name]
        for theirs, ours in zip(source._originals(), target._originals(), strict=True):
            ours.data = theirs.detach().clone()
    return to_module


TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = no_such_name(__name__)
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
