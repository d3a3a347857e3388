"""``Module``: the base class of every layer and every model."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from genesis._tensor import Tensor
from genesis.nn._conversion import Convertible
from genesis.nn._hooks import Hooked, call_with_hooks, everywhere, on_registration, registered
from genesis.nn._state import Stateful
from genesis.nn.parameter import Buffer, Parameter

Self = TypeVar("Self", bound="Module")
Member = TypeVar("Member")


class Module(Hooked, Convertible, Stateful):
    """Base class of layers and models: it finds the parameters, buffers and modules assigned to it.

    A subclass calls ``super().__init__()`` first, assigns its layers to attributes, and defines
    ``forward``. Calling the module runs ``forward`` and the hooks, if there are any.

    Attributes:
        training: True in training mode (``train()``), False in evaluation mode (``eval()``).

    Example:
        >>> class Net(nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.hidden = nn.Linear(784, 256)
        ...         self.out = nn.Linear(256, 10)
        ...
        ...     def forward(self, x):
        ...         return self.out(nn.functional.relu(self.hidden(x)))
    """

    training: bool
    #: a subclass of several bases may set it: ``Module.__init__`` then calls the next base's, too
    call_super_init: bool = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if (args or kwargs) and not self.call_super_init:
            given = next(iter(kwargs), args[0] if args else None)
            raise TypeError(
                f"{type(self).__name__}.__init__() got an argument that Module does not take: {given!r}"
            )
        # Straight into __dict__: __setattr__ needs these to exist.
        self.__dict__.update(
            training=True,
            _parameters={},
            _buffers={},
            _non_persistent_buffers_set=set(),
            _modules={},
            _is_full_backward_hook=None,
            **{name: OrderedDict() for name in _HOOKS},
        )
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    # Calling

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; every subclass defines it."""
        raise NotImplementedError(
            f'Module [{type(self).__name__}] is missing the required "forward" function'
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if (
            self._forward_hooks
            or self._forward_pre_hooks
            or self._backward_hooks
            or self._backward_pre_hooks
            or everywhere
        ):
            return call_with_hooks(self, args, kwargs)
        return self.forward(*args, **kwargs)

    _call_impl = __call__

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Does nothing: operations are compiled when they run; PyTorch's arguments are accepted."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        # a module pickled by an older version lacks what came later
        defaults: dict[str, Any] = {name: OrderedDict() for name in _HOOKS}
        self.__dict__.update({"_is_full_backward_hook": None, **defaults, **state})

    # Attributes

    def _own(self, kind: str, what: str) -> dict[str, Any]:
        """The dictionary ``kind`` of this module, or an error when ``Module.__init__`` has not run."""
        found = self.__dict__.get(kind)
        if found is None:
            raise AttributeError(
                f"cannot assign {what} before Module.__init__() call: "
                f"call super().__init__() first in {type(self).__name__}.__init__"
            )
        return found  # type: ignore[no-any-return]

    def _check_name(self, name: object, what: str, registered: dict[str, Any]) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{what} name should be a string, got {type(name).__name__}")
        if name == "":
            raise KeyError(f"{what} name must not be empty")
        if "." in name:
            raise KeyError(f'{what} name must not contain ".", got {name!r}')
        if name not in registered and hasattr(self, name):
            raise KeyError(f"attribute {name!r} already exists")

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add ``param`` under ``name``; None reserves the name (``state_dict`` then leaves it out).

        Raises:
            KeyError: the name is empty, has a dot, or is an attribute already.
            TypeError: ``param`` is not a ``Parameter``.
        """
        parameters = self._own("_parameters", "parameters")
        self._check_name(name, "parameter", parameters)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign {_kind(param)} as parameter {name!r} (genesis.nn.Parameter or None expected)"
            )
        parameters[name] = registered(self, "parameter", name, param) if on_registration else param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is part of the state but is not trained, such as a running mean.

        Args:
            name: attribute it is found under.
            tensor: the buffer, or None to reserve the name.
            persistent: whether ``state_dict`` includes it.
        """
        buffers = self._own("_buffers", "buffer")
        self._check_name(name, "buffer", buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign {_kind(tensor)} as buffer {name!r} (genesis.Tensor or None expected)"
            )
        buffers[name] = registered(self, "buffer", name, tensor) if on_registration else tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a child module under ``name``."""
        modules = self._own("_modules", "module")
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{_kind(module)} is not a Module, so it cannot be the child {name!r}")
        self._check_name(name, "module", modules)
        modules[name] = registered(self, "module", name, module) if on_registration else module

    def register_module(self, name: str, module: Module | None) -> None:
        """The same as ``add_module``."""
        self.add_module(name, module)

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Parameter):
            own = self._own("_parameters", "parameters")
            self._forget(name, keep=own)
            self.register_parameter(name, value)
            return
        if isinstance(value, Module):
            own = self._own("_modules", "module")
            self._forget(name, keep=own)
            own[name] = registered(self, "module", name, value) if on_registration else value
            return
        attributes = self.__dict__
        if isinstance(value, Buffer) and name not in attributes.get("_buffers", ()):
            self._forget(name, keep=self._own("_buffers", "buffer"))
            self.register_buffer(name, value, value.persistent)
            return
        for kind, accepted, expected in _ASSIGNABLE:
            if name in attributes.get(kind, ()):
                if value is not None and not isinstance(value, accepted):
                    raise TypeError(f"cannot assign {_kind(value)} as {expected.format(name=name)}")
                attributes[kind][name] = value
                return
        object.__setattr__(self, name, value)

    def _forget(self, name: str, keep: dict[str, Any]) -> None:
        """Take ``name`` out of every place it may be in, except ``keep`` (where its order is kept)."""
        for place in (self.__dict__, self._parameters, self._buffers, self._modules):
            if place is not keep:
                place.pop(name, None)
        self._non_persistent_buffers_set.discard(name)

    def __getattr__(self, name: str) -> Any:
        # Only called when the ordinary look-up failed.
        attributes = self.__dict__
        for kind in ("_parameters", "_modules", "_buffers"):
            members = attributes.get(kind)
            if members is not None and name in members:
                return members[name]
        message = f"{type(self).__name__!r} object has no attribute {name!r}"
        if "_parameters" not in attributes and not name.startswith("__"):
            message += f": {type(self).__name__}.__init__ did not call super().__init__()"
        elif not name.startswith("_"):
            from genesis._missing import hint

            known = hint("nn.Module", name)
            message += f"; {known}" if known else ""
        raise AttributeError(message)

    def __delattr__(self, name: str) -> None:
        for members in (self._parameters, self._buffers, self._modules):
            if name in members:
                del members[name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> Iterable[str]:
        names = {*super().__dir__(), *self._parameters, *self._buffers, *self._modules}
        return sorted(name for name in names if name.isidentifier())

    # Walking

    def _named_members(
        self,
        members: Callable[[Module], Iterable[tuple[str, Member | None]]],
        prefix: str,
        recurse: bool,
        remove_duplicate: bool,
    ) -> Iterator[tuple[str, Member]]:
        seen: set[int] = set()  # identities: == on tensors compares their elements
        modules = self.named_modules(None, prefix, remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, member in members(module):
                if member is None or id(member) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(member))
                yield (f"{path}.{name}" if path else name), member

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Yield ``(dotted name, parameter)``; a shared parameter comes once, under its first name."""
        return self._named_members(lambda m: m._parameters.items(), prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Yield every parameter once, children's included when ``recurse``."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Yield ``(dotted name, buffer)``."""
        return self._named_members(lambda m: m._buffers.items(), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Yield every buffer once, children's included when ``recurse``."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield ``(name, module)`` of the direct children, each module once."""
        seen: set[Module] = set()
        for name, child in self._modules.items():
            if child is not None and child not in seen:
                seen.add(child)
                yield name, child

    def children(self) -> Iterator[Module]:
        """Yield the direct children, each once."""
        for _, child in self.named_children():
            yield child

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Yield ``(dotted name, module)`` of this module (named ``prefix``) and all below it."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, child in self._modules.items():
            if child is not None:
                path = f"{prefix}.{name}" if prefix else name
                yield from child.named_modules(memo, path, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """Yield this module and every module below it, each once."""
        for _, module in self.named_modules():
            yield module

    def get_submodule(self, target: str) -> Module:
        """Return the module at a dotted path; the empty path is this module.

        Raises:
            AttributeError: there is no such module; the message says at which step.
        """
        module: Module = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise AttributeError(
                    f"{type(module).__name__} has no attribute {name!r} (looking for {target!r})"
                )
            found = getattr(module, name)
            if not isinstance(found, Module):
                raise AttributeError(f"{name!r} is not an nn.Module (looking for {target!r})")
            module = found
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put ``module`` at a dotted path, in the place of the one that is there.

        Args:
            target: the path.
            module: the new module.
            strict: there must be one already; otherwise it may be added.

        Raises:
            ValueError: the path is empty, or ``module`` is none.
            AttributeError: the path leads nowhere, or to something that is no module.
        """
        if target == "":
            raise ValueError("cannot set the submodule without a target name")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if hasattr(parent, name):
            if not isinstance(getattr(parent, name), Module):
                raise AttributeError(f"{name!r} is not an nn.Module (setting {target!r})")
        elif strict:
            raise AttributeError(f"{type(parent).__name__} has no attribute {name!r} (setting {target!r})")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """Return the parameter at a dotted path, for instance ``"layers.0.weight"``."""
        found = self._get_member(target)
        if not isinstance(found, Parameter):
            raise AttributeError(f"{target!r} is not an nn.Parameter")
        return found

    def get_buffer(self, target: str) -> Tensor:
        """Return the buffer at a dotted path."""
        path, _, name = target.rpartition(".")
        found = self._get_member(target)
        if name not in self.get_submodule(path)._buffers:
            raise AttributeError(f"{target!r} is not a buffer")
        return found  # type: ignore[no-any-return]

    def _get_member(self, target: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(
                f"{type(module).__name__} has no attribute {name!r} (looking for {target!r})"
            )
        return getattr(module, name)

    # Changing everything at once

    def apply(self: Self, fn: Callable[[Module], object]) -> Self:
        """Call ``fn`` on every module below this one, children first, then on this one; return self.

        Example:
            >>> def init(m):
            ...     if isinstance(m, nn.Linear):
            ...         nn.init.xavier_uniform_(m.weight)
            >>> net.apply(init)
        """
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self: Self, mode: bool = True) -> Self:
        """Set training mode here and below: it switches dropout on."""
        if not isinstance(mode, bool):
            raise ValueError(f"training mode is expected to be a bool, got {mode!r}")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self: Self) -> Self:
        """Set evaluation mode here and below; the same as ``train(False)``."""
        return self.train(False)

    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:
        """Set ``requires_grad`` of every parameter: ``requires_grad_(False)`` freezes the module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters.

        Args:
            set_to_none: with False, gradients that exist become zeros instead of None.
        """
        for parameter in self.parameters():
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad = parameter.grad.detach()
                parameter.grad.zero_()

    # Showing

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What stands between the parentheses of the module's repr; a layer overrides it."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({name}): {_indented(repr(child))}" for name, child in self._modules.items()]
        if not children and len(lines) <= 1:
            return f"{self._get_name()}({extra})"
        return "\n  ".join([f"{self._get_name()}(", *lines, *children]) + "\n)"


_HOOKS = (
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_backward_hooks",
    "_backward_pre_hooks",
    "_state_dict_hooks",
    "_state_dict_pre_hooks",
    "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
)
_ASSIGNABLE: tuple[tuple[str, type, str], ...] = (
    ("_parameters", Parameter, "parameter {name!r} (genesis.nn.Parameter or None expected)"),
    ("_modules", Module, "child module {name!r} (genesis.nn.Module or None expected)"),
    ("_buffers", Tensor, "buffer {name!r} (genesis.Tensor or None expected)"),
)


def _kind(value: object) -> str:
    return f"{type(value).__name__!r} object"


def _indented(text: str) -> str:
    return text.replace("\n", "\n  ")
