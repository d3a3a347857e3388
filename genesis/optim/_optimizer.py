"""Contract 2: ``Optimizer``, which holds parameters in groups, their options and their state."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from functools import wraps
from itertools import chain
from typing import Any

from genesis._states import loads_state
from genesis._tensor import RemovableHandle, Tensor
from genesis.autograd.grad_mode import no_grad
from genesis.ops.creation import from_dlpack
from genesis.optim._clipping import Clipped
from genesis.optim._origins import with_origin

Group = dict[str, Any]
StateDict = dict[str, Any]

_HOOKS = ("step_pre", "step_post", "state_dict_pre", "state_dict_post", "load_pre", "load_post")
#: the hooks around the steps of all optimizers
_before_all: OrderedDict[int, Callable[..., Any]] = OrderedDict()
_after_all: OrderedDict[int, Callable[..., Any]] = OrderedDict()


class _Required:
    """The default of an option that every group, or the constructor, has to give; as PyTorch's `required`."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()

#: what schedulers and users of PyTorch add to groups
_SET_BY_OTHERS = {
    *("params", "param_names", "initial_lr", "max_lr", "min_lr", "base_momentum", "max_momentum", "swa_lr"),
    *("foreach", "fused", "capturable", "differentiable", "decoupled_weight_decay", "lr_scale"),
}


class Optimizer(Clipped):
    """Base class of the optimizers: parameters in groups, each group with its own options.

    A subclass gives its constructor's options to this one as `defaults`, and overrides `step`, which reads
    `param.grad` and changes the parameters in place under `genesis.no_grad()`. What it must remember about a
    parameter it keeps in `self.state[param]`, a dict. It may also override `check_options`, to refuse bad
    options wherever they come from, and `pack_state` and `unpack_state`, where the state in use differs
    from the state that is saved.

    Args:
        params: Tensors, (name, tensor) pairs as from `model.named_parameters()`, or dicts. A dict is a group:
            `"params"` and the options in which it differs from `defaults`. Their order must be the same in
            every run, because a saved state knows them by number.
        defaults: The options of a group that does not have its own.

    Attributes:
        param_groups: A list of dicts, `"params"` and the options; change an option here at any time.
        state: What is remembered about each parameter: a dict of dicts, by parameter.
        defaults: As given.

    Raises:
        TypeError: `params` is a single tensor, a set or no iterable, or holds something other than tensors.
        ValueError: There are no parameters, one appears twice, one is not a leaf, or some have names and
            some have not.

    Example:
        >>> class Descent(Optimizer):
        ...     def __init__(self, params, lr=0.1):
        ...         super().__init__(params, {"lr": lr})
        ...
        ...     @genesis.no_grad()
        ...     def step(self, closure=None):
        ...         for group in self.param_groups:
        ...             for p in group["params"]:
        ...                 if p.grad is not None:
        ...                     p.sub_(group["lr"] * p.grad)

    Reference: https://docs.pytorch.org/docs/stable/optim.html
    """

    defaults: dict[str, Any]
    param_groups: list[Group]
    state: defaultdict[Any, dict[str, Any]]
    _hooks: dict[str, OrderedDict[int, Callable[..., Any]]]

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.check_options(defaults)
        groups = _listed(params, "the first argument of an optimizer")
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        self.state = defaultdict(dict)
        self.param_groups = []
        self._hooks = {name: OrderedDict() for name in _HOOKS}
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "step" in cls.__dict__:
            cls.scales_gradients = cls.__dict__.get("scales_gradients", False)
            cls.step = _with_hooks(cls.__dict__["step"])  # type: ignore[method-assign]
        if "state_dict" in cls.__dict__:
            cls.state_dict = with_origin(cls.__dict__["state_dict"])  # type: ignore[method-assign]

    # -- for subclasses ------------------------------------------------------------------------------
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient; subclasses define this.

        Args:
            closure: Computes the loss and its gradients anew, and returns the loss; few optimizers need it.

        Returns:
            What `closure` returned, or None.
        """
        raise NotImplementedError(f"{type(self).__name__} has no step(): an optimizer must define it")

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Raise ValueError if the options of a group are bad; called for `defaults` and for every group."""

    def pack_state(self, state: dict[str, Any]) -> dict[str, Any]:
        """What `state_dict` saves of the state of a parameter; by default, all of it as it is."""
        return state

    def unpack_state(self, param: Tensor, state: dict[str, Any]) -> dict[str, Any]:
        """The state of a parameter, from what was saved of it, whose tensors are copies of its own type.

        By default all of it as it is, after a look at the shapes: a tensor with as many axes as the parameter
        should have its shape. Override it where that is not so, or where more can be checked.

        Raises:
            ValueError: This is no state of this optimizer for this parameter.
        """
        for key, value in state.items():
            if isinstance(value, Tensor) and value.dim() == param.dim() and value.shape != param.shape:
                raise ValueError(
                    f"the loaded state does not fit a parameter of shape {tuple(param.shape)}: {key!r} has "
                    f"the shape {tuple(value.shape)}. (An optimizer for which that is right overrides "
                    "unpack_state.)"
                )
        return state

    # -- parameters ----------------------------------------------------------------------------------
    def add_param_group(self, param_group: Group) -> None:
        """Add parameters with options of their own.

        Args:
            param_group: `"params"`, as the constructor takes them or one tensor, and options; those that
                are left out come from `defaults`. The dict itself is copied.

        Raises:
            TypeError, ValueError: See the class.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group).__name__}")
        if "params" not in param_group:
            raise KeyError(f"a parameter group needs 'params'; this one has {sorted(param_group)}")
        given = param_group["params"]
        entries = [given] if isinstance(given, Tensor) else _listed(given, "'params' of a group")
        names = [entry[0] for entry in entries if isinstance(entry, tuple)]
        if names and len(names) != len(entries):
            raise ValueError(
                "all optimizer params should be with/without names. Some param names are missing"
            )
        params = [entry[1] for entry in entries] if names else entries
        group = {**self.defaults, **param_group, "params": params}
        for name, value in group.items():
            if value is required:
                raise ValueError(
                    f"parameter group didn't specify a value of required optimization parameter {name}"
                )
        if names:
            group["param_names"] = names
        self._check_params(params)
        if self.param_groups and ("param_names" in self.param_groups[0]) != ("param_names" in group):
            this, others = ("with", "without") if "param_names" in group else ("without", "with")
            raise ValueError(
                "all optimizer param groups should be with/without names. "
                f"cannot add param group {this} names to the optimizer, whose groups are {others}"
            )
        self.check_options(group)
        self.param_groups.append(group)

    def _check_params(self, params: list[Any]) -> None:
        seen = {id(p) for group in self.param_groups for p in group["params"]}
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError(
                    f"optimizer can only optimize Tensors, but one of the params is {type(p).__name__}"
                )
            if not p.is_leaf:
                raise ValueError(
                    "can't optimize a non-leaf Tensor: it is the result of an operation, not a parameter; "
                    "use detach() to make it one"
                )
        own = {id(p) for p in params}
        if own & seen:
            raise ValueError("some parameters appear in more than one parameter group")
        if len(own) != len(params):
            raise ValueError("some parameters appear more than once in a parameter group")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters.

        Args:
            set_to_none: Set them to None, so that a parameter that gets none in the next backward pass is
                left out of the step; False fills them with zeros.
        """
        self._grad_scale = 1.0
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif p.grad is not None:
                    p.grad.detach_()
                    p.grad.zero_()

    # -- saving and loading --------------------------------------------------------------------------
    @with_origin
    def state_dict(self) -> StateDict:
        """The state and the options, in PyTorch's layout; parameters are numbered in the order of the groups.

        Returns:
            `{"state": {number: {...}}, "param_groups": [{option: value, "params": [numbers]}]}`. The tensors
            are those in use, not copies: save them or deepcopy them before the next step.
        """
        for hook in self._hooks["state_dict_pre"].values():
            hook(self)
        numbers: dict[int, int] = {}
        groups = []
        for group in self.param_groups:
            for p in group["params"]:
                numbers[id(p)] = len(numbers)
            groups.append({**group, "params": [numbers[id(p)] for p in group["params"]]})
        state: dict[Any, Any] = {}
        for key, value in self.state.items():
            if not isinstance(key, Tensor):
                state[key] = value
            elif id(key) in numbers:  # a parameter that was taken out of its group has no number
                state[numbers[id(key)]] = self.pack_state(value)
        result: StateDict = {"state": state, "param_groups": groups}
        for hook in self._hooks["state_dict_post"].values():
            changed = hook(self, result)
            result = result if changed is None else changed
        return result

    @loads_state
    @no_grad()
    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a saved state: its options replace those of the groups, learning rates included.

        Tensors are copied to the type and device of their parameters (a `"step"` keeps its own). They may be
        those of another library that knows DLPack: a state that PyTorch's optimizer of the same name saved is
        welcome. Options that the saved state lacks stay as they are.

        Raises:
            ValueError: The groups differ in number or size, or the state is not this optimizer's; then
                nothing is changed.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"expected the dict that state_dict() returns, got {type(state_dict).__name__}")
        state_dict = dict(state_dict)
        for hook in self._hooks["load_pre"].values():
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
        if not {"state", "param_groups"} <= set(state_dict):
            raise ValueError(
                "this is not the state of an optimizer: expected the keys 'state' and 'param_groups', got "
                f"{sorted(map(str, state_dict))}"
            )
        saved = state_dict["param_groups"]
        self._check_sizes(saved)
        self._check_kind(saved)
        numbered = dict(
            zip(
                chain.from_iterable(group["params"] for group in saved),
                chain.from_iterable(group["params"] for group in self.param_groups),
                strict=True,
            )
        )
        state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        for key, value in state_dict["state"].items():
            if key in numbered:
                param = numbered[key]
                state[param] = self.unpack_state(param, _cast(param, value))
            else:
                state[key] = deepcopy(value)
        groups = []
        for group, new in zip(self.param_groups, saved, strict=True):
            options = {k: deepcopy(_own(v)) for k, v in new.items() if k != "params"}
            groups.append({**group, **options, "params": group["params"]})
            self.check_options(groups[-1])
        self.__setstate__({"state": state, "param_groups": groups})
        for hook in self._hooks["load_post"].values():
            hook(self)

    def _check_sizes(self, saved: Any) -> None:
        if len(saved) != len(self.param_groups):
            raise ValueError(
                "loaded state dict has a different number of parameter groups: "
                f"{len(saved)}, and the optimizer has {len(self.param_groups)}"
            )
        for number, (group, new) in enumerate(zip(self.param_groups, saved, strict=True)):
            if len(group["params"]) != len(new["params"]):
                raise ValueError(
                    "loaded state dict contains a parameter group that doesn't match the size of "
                    f"optimizer's group: group {number} has {len(new['params'])} parameters there and "
                    f"{len(group['params'])} here"
                )

    def _check_kind(self, saved: Any) -> None:
        """Another optimizer's groups have options that this one does not know, and lack some of its own."""
        for number, (group, new) in enumerate(zip(self.param_groups, saved, strict=True)):
            strange = sorted(set(new) - set(group) - set(self.defaults) - _SET_BY_OTHERS)
            absent = sorted(set(self.defaults) - set(new))
            if strange and absent:
                raise ValueError(
                    f"group {number} of the loaded state is not of {type(self).__name__}: it has "
                    f"{', '.join(strange)}, and lacks {', '.join(absent)}"
                )

    def __getstate__(self) -> dict[str, Any]:
        # Hooks belong to this object. So does a step that a scheduler has put here to watch it.
        return {k: v for k, v in self.__dict__.items() if k not in ("_hooks", "step")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over attributes, when unpickled, copied or loaded; a subclass may add what older ones lack."""
        self.__dict__.update(state)
        if "_hooks" not in self.__dict__:
            self._hooks = {name: OrderedDict() for name in _HOOKS}

    # -- hooks ---------------------------------------------------------------------------------------
    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` before each step; it may return a new (args, kwargs)."""
        return self._add("step_pre", hook)

    def register_step_post_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` after each step."""
        return self._add("step_post", hook)

    def register_state_dict_pre_hook(
        self, hook: Callable[[Any], None], prepend: bool = False
    ) -> RemovableHandle:
        """Call `hook(optimizer)` before `state_dict`; before the other such hooks if `prepend`."""
        return self._add("state_dict_pre", hook, prepend)

    def register_state_dict_post_hook(
        self, hook: Callable[[Any, StateDict], StateDict | None], prepend: bool = False
    ) -> RemovableHandle:
        """Call `hook(optimizer, state_dict)` on what `state_dict` returns; it may return another one."""
        return self._add("state_dict_post", hook, prepend)

    def register_load_state_dict_pre_hook(
        self, hook: Callable[[Any, StateDict], StateDict | None], prepend: bool = False
    ) -> RemovableHandle:
        """Call `hook(optimizer, state_dict)` before a state is loaded; it may return another one."""
        return self._add("load_pre", hook, prepend)

    def register_load_state_dict_post_hook(
        self, hook: Callable[[Any], None], prepend: bool = False
    ) -> RemovableHandle:
        """Call `hook(optimizer)` after a state was loaded; before the other such hooks if `prepend`."""
        return self._add("load_post", hook, prepend)

    def _add(self, kind: str, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        hooks = self._hooks[kind]
        handle = RemovableHandle(hooks, hook)
        if prepend:
            hooks.move_to_end(handle.id, last=False)
        return handle

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for number, group in enumerate(self.param_groups):
            lines += [""] * (number > 0) + [f"Parameter Group {number}"]
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(optimizer, args, kwargs)` before each step of any optimizer; as the method of this name."""
    return RemovableHandle(_before_all, hook)


def register_optimizer_step_post_hook(hook: Callable[..., None]) -> RemovableHandle:
    """Call `hook(optimizer, args, kwargs)` after each step of any optimizer; as the method of this name."""
    return RemovableHandle(_after_all, hook)


def _with_hooks(function: Callable[..., Any]) -> Callable[..., Any]:
    """A `step` that calls the hooks of its optimizer around it, once even if it calls a base class's."""

    @wraps(function)
    def step(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        hooks = self.__dict__.get("_hooks")
        if hooks is None:  # a wrapper that is an Optimizer by name and never called __init__
            return function(self, *args, **kwargs)
        before, after = hooks["step_pre"], hooks["step_post"]
        if not (before or after or _before_all or _after_all) or getattr(self, "_stepping", False):
            return function(self, *args, **kwargs)
        self._stepping = True  # type: ignore[attr-defined]
        try:
            for hook in (*_before_all.values(), *before.values()):
                changed = hook(self, args, kwargs)
                if changed is None:
                    continue
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise RuntimeError(
                        f"a step pre-hook must return None or a pair (args, kwargs), but got {changed!r}"
                    )
                args, kwargs = changed
            result = function(self, *args, **kwargs)
            for hook in (*after.values(), *_after_all.values()):
                hook(self, args, kwargs)
        finally:
            del self._stepping  # type: ignore[attr-defined]
        return result

    return step


def _listed(params: Any, what: str) -> list[Any]:
    """The parameters as a list, or an error that says what was given instead."""
    if isinstance(params, Tensor | dict | str) or not isinstance(params, Iterable):
        hint = "; pass its .parameters()" if hasattr(params, "parameters") else ""
        hint = "; put it in a list" if isinstance(params, Tensor | dict) else hint
        raise TypeError(
            f"{what} should be an iterable of Tensors or dicts, but got {type(params).__name__}{hint}"
        )
    if isinstance(params, set | frozenset):
        raise TypeError(
            "optimizer parameters need to be in an ordered collection: the order of a set changes between "
            "runs, and with it the numbers in a saved state. Use a list instead"
        )
    return list(params)


def _own(value: Any) -> Any:
    """A tensor of another library as one of ours; all else as it is."""
    return from_dlpack(value) if hasattr(value, "__dlpack__") and not isinstance(value, Tensor) else value


def _cast(param: Tensor, value: Any, key: Any = None) -> Any:
    """A copy of a part of a saved state, with its tensors in the type and on the device of the parameter."""
    value = _own(value)
    if isinstance(value, Tensor):
        if key == "step":
            return value.clone()
        return value.to(param.device, param.dtype if param.is_floating_point() else value.dtype, copy=True)
    if isinstance(value, Mapping):
        return {k: _cast(param, v, k) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)([_cast(param, v) for v in value])
    return deepcopy(value)
