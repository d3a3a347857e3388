"""A module's state as a flat dictionary: ``state_dict`` and ``load_state_dict``."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from genesis import no_grad
from genesis._errors import CheckpointError
from genesis._states import loads_state
from genesis._tensor import RemovableHandle, Tensor
from genesis.nn._hooks import Hook, add_hook
from genesis.nn.parameter import Parameter

if TYPE_CHECKING:
    from genesis.nn.module import Module


class IncompatibleKeys(NamedTuple):
    """What ``load_state_dict`` could not match: keys without a value, and keys without a place."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


#: the key under which ``get_extra_state`` is saved
EXTRA = "_extra_state"


class Stateful:
    """The half of ``Module`` that saves and restores; ``Module`` supplies the dictionaries."""

    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _non_persistent_buffers_set: set[str]
    _modules: dict[str, Module | None]
    _state_dict_hooks: OrderedDict[int, Hook]
    _state_dict_pre_hooks: OrderedDict[int, Hook]
    _load_state_dict_pre_hooks: OrderedDict[int, Hook]
    _load_state_dict_post_hooks: OrderedDict[int, Hook]

    def _saved_tensors(self) -> Iterator[tuple[str, Tensor | None]]:
        """This module's own parameters and persistent buffers, ``None`` entries included."""
        yield from self._parameters.items()
        for name, buffer in self._buffers.items():
            if name not in self._non_persistent_buffers_set:
                yield name, buffer

    #: of the module's state; ``_load_from_state_dict`` finds it as ``local_metadata["version"]``
    _version: int = 1

    def get_extra_state(self) -> Any:
        """What ``state_dict`` saves besides tensors; a subclass overrides it and ``set_extra_state``."""
        raise RuntimeError(
            "reached a code path in Module.get_extra_state() that should never be called: override it"
        )

    def set_extra_state(self, state: Any) -> None:
        """Take back what ``get_extra_state`` gave; ``load_state_dict`` calls it."""
        raise RuntimeError(
            "reached a code path in Module.set_extra_state() that should never be called: override it"
        )

    def _has_extra_state(self, method: str) -> bool:
        return getattr(type(self), method) is not getattr(Stateful, method)

    def state_dict(
        self,
        *args: Any,
        destination: OrderedDict[str, Any] | None = None,
        prefix: str = "",
        keep_vars: bool = False,
    ) -> OrderedDict[str, Any]:
        """Return every parameter and persistent buffer under its dotted name.

        The tensors share memory with the module and are detached from the graph; a tensor that two
        names share appears under both.

        Args:
            destination: dictionary to fill; a new one when None.
            prefix: put before every key.
            keep_vars: return the parameters themselves instead of detached tensors.

        Example:
            >>> nn.Linear(2, 3).state_dict().keys()
            odict_keys(['weight', 'bias'])
        """
        if args:  # PyTorch's old form: destination, prefix, keep_vars by position
            old = dict(zip(("destination", "prefix", "keep_vars"), args, strict=False))
            destination = old.get("destination", destination)
            prefix, keep_vars = old.get("prefix", prefix), old.get("keep_vars", keep_vars)
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()  # type: ignore[attr-defined]
        state: OrderedDict[str, Any] = destination
        local_metadata = {"version": self._version}
        if hasattr(state, "_metadata"):
            state._metadata[prefix[:-1]] = local_metadata
        for hook in tuple(self._state_dict_pre_hooks.values()):
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(state, prefix, keep_vars)
        for name, child in self._modules.items():
            if child is not None:
                child.state_dict(destination=state, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in tuple(self._state_dict_hooks.values()):
            changed = hook(self, state, prefix, local_metadata)
            if changed is not None:
                state = changed
        return state

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        """Write this module's own tensors (not its children's); a subclass may override it."""
        for name, tensor in self._saved_tensors():
            if tensor is not None:
                destination[prefix + name] = tensor if keep_vars else tensor.detach()
        if self._has_extra_state("get_extra_state"):
            destination[prefix + EXTRA] = self.get_extra_state()

    @loads_state
    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy the values of ``state_dict`` into this module and its children.

        Args:
            state_dict: names to tensors, as ``state_dict()`` returns them.
            strict: the names must match exactly; with False, whatever matches is loaded.
            assign: put the given tensors in place of the present ones (their dtype and device win)
                instead of copying into them.

        Returns:
            A named tuple ``(missing_keys, unexpected_keys)``.

        Raises:
            RuntimeError: names (when strict) or shapes do not match; every mismatch is listed.
            TypeError: ``state_dict`` is not a mapping.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(
                f"expected state_dict to be a mapping of names to tensors, got {type(state_dict)}"
            )
        missing: list[str] = []
        unexpected: list[str] = []
        errors: list[str] = []
        # A copy, because hooks may rename keys in it.
        state = OrderedDict(state_dict)
        metadata = getattr(state_dict, "_metadata", None)
        if metadata is not None:
            state._metadata = metadata  # type: ignore[attr-defined]

        def load(module: Stateful, prefix: str) -> None:
            module._load_from_state_dict(
                # strict=True, so that unexpected keys are found; whether they are an error is decided below
                state,
                prefix,
                {**(metadata or {}).get(prefix[:-1], {}), "assign": assign},
                True,
                missing,
                unexpected,
                errors,
            )
            for name, child in module._modules.items():
                if child is not None:
                    load(child, f"{prefix}{name}.")
            found = IncompatibleKeys(missing, unexpected)
            for hook in tuple(module._load_state_dict_post_hooks.values()):
                if hook(module, found) is not None:
                    raise TypeError(
                        "a load_state_dict post-hook must return None; to change the outcome, edit its lists"
                    )

        load(self, "")
        if strict:
            for title, keys in (("Unexpected", unexpected), ("Missing", missing)):
                if keys:
                    names = ", ".join(f'"{key}"' for key in keys)
                    errors.insert(0, f"{title} key(s) in state_dict: {names}.")
        if errors:
            lines = "\n\t".join(errors)
            raise CheckpointError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t{lines}")
        return IncompatibleKeys(missing, unexpected)

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Read this module's own tensors (not its children's); a subclass may override it."""
        for hook in tuple(self._load_state_dict_pre_hooks.values()):
            hook(self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        own = {name: tensor for name, tensor in self._saved_tensors() if tensor is not None}
        for name, tensor in own.items():
            key = prefix + name
            if key not in state_dict:
                missing_keys.append(key)
                continue
            value = state_dict[key]
            if not isinstance(value, Tensor):
                error_msgs.append(
                    f'While copying the parameter named "{key}", expected a genesis.Tensor from the '
                    f"checkpoint but received {type(value)}."
                )
            elif value.shape != tensor.shape:
                error_msgs.append(
                    f"size mismatch for {key}: copying a param with shape {tuple(value.shape)} from "
                    f"checkpoint, the shape in current model is {tuple(tensor.shape)}."
                )
            elif local_metadata.get("assign"):
                self._assign(name, tensor, value)
            else:
                with no_grad():
                    tensor.copy_(value)
        extra = prefix + EXTRA
        if self._has_extra_state("set_extra_state"):
            if extra in state_dict:
                self.set_extra_state(state_dict[extra])
            elif strict:
                missing_keys.append(extra)
        elif strict and extra in state_dict:
            unexpected_keys.append(extra)
        if strict:
            for key in state_dict:
                if key.startswith(prefix) and key != extra:
                    first, dot, _ = key[len(prefix) :].partition(".")
                    if not (first in self._modules if dot else first in own):
                        unexpected_keys.append(key)

    def _assign(self, name: str, present: Tensor, value: Tensor) -> None:
        """Make ``value`` itself the parameter or buffer ``name``, which keeps its ``requires_grad``."""
        if not isinstance(present, Parameter):
            self._buffers[name] = value
        elif isinstance(value, Parameter):
            self._parameters[name] = value
        else:
            self._parameters[name] = Parameter(value, requires_grad=present.requires_grad)

    def register_state_dict_post_hook(self, hook: Hook) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata)`` after ``state_dict`` read this module."""

        def public(*args: Any) -> None:
            hook(*args)  # what it returns does not count

        return add_hook(self._state_dict_hooks, public)

    def _register_state_dict_hook(self, hook: Hook) -> RemovableHandle:
        """PyTorch's private form: what the hook returns, unless None, replaces the state."""
        return add_hook(self._state_dict_hooks, hook)

    def _register_load_state_dict_pre_hook(self, hook: Hook, with_module: bool = False) -> RemovableHandle:
        """PyTorch's private form: the hook does not get the module, unless asked for."""
        return add_hook(
            self._load_state_dict_pre_hooks, hook if with_module else lambda module, *args: hook(*args)
        )

    def register_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Call ``hook(module, prefix, keep_vars)`` before ``state_dict`` reads this module."""
        return add_hook(self._state_dict_pre_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Call ``hook`` before this module reads its own entries.

        It receives ``(module, state_dict, prefix, local_metadata, strict, missing_keys,
        unexpected_keys, error_msgs)`` and may rename entries of ``state_dict`` in place: that is how
        an old checkpoint is brought up to date.
        """
        return add_hook(self._load_state_dict_pre_hooks, hook)

    def register_load_state_dict_post_hook(self, hook: Hook) -> RemovableHandle:
        """Call ``hook(module, incompatible_keys)`` after this module and its children were loaded.

        Keys that the hook takes out of the two lists are forgiven.
        """
        return add_hook(self._load_state_dict_post_hooks, hook)
