"""What is checked: an optimizer in whatever form it was given, with its options, on a device."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from inspect import Parameter, signature
from typing import Any

import numpy as np
from numpy.typing import NDArray

import genesis
from genesis.optim import Optimizer
from genesis.plugin import registry

Floats = NDArray[np.float64]
Reference = Callable[..., Any]

# The weights and biases of a small network: 3 inputs, 4 units, 1 output.
Shapes = tuple[tuple[int, ...], ...]
SHAPES: Shapes = ((4, 3), (4,), (1, 4), (1,))
# Those of a deeper one without biases, for optimizers that take matrices only.
MATRICES: Shapes = ((4, 3), (2, 4), (3, 2), (1, 3))


class Unusable(Exception):
    """The subject cannot be made, or cannot take a step; the text says why, and what to do."""


class Case:
    """An optimizer with one set of options, on one device.

    Attributes:
        name: What to call the optimizer.
        options: Those that it is made with.
        device: The name of the device.
        reference: One step on arrays, or None.
        shapes: Those of the parameters: SHAPES, or MATRICES if it takes nothing else.
        group: The options of a group that gives none.
    """

    shapes: Shapes

    def __init__(
        self, given: Any, options: Mapping[str, Any], device: str, reference: Reference | None
    ) -> None:
        self.name = given if isinstance(given, str) else getattr(given, "__name__", repr(given))
        self.options, self.device, self.reference = dict(options), device, reference
        self.target = _loaded(given)
        try:
            self.group = self._probed(SHAPES)
        except Unusable:
            try:
                self.group = self._probed(MATRICES)
            except Unusable:
                self.group = self._probed(SHAPES)  # what it says of these is what the author has to know

    def _probed(self, shapes: Shapes) -> dict[str, Any]:
        """Make one and take one step, as nothing can be asked where this fails."""
        self.shapes = shapes
        try:
            genesis.zeros(1, device=self.device)
        except Exception as error:
            raise Unusable(f"the device {self.device!r} cannot be used: {error}") from error
        params = self.leaves()
        try:
            optimizer = self.make(params)
        except Exception as error:
            hint = ""
            if isinstance(error, TypeError) and "required" in str(error):
                hint = f"; give the options that it needs: check_optimizer({self.name!r}, {{...}})"
            raise Unusable(
                f"{self.name}(params{_shown(self.options)}) raised {type(error).__name__}: {error}{hint}"
            ) from error
        if not isinstance(optimizer, Optimizer):
            raise Unusable(
                f"{self.name}(params{_shown(self.options)}) gave {optimizer!r:.80}; an optimizer derives "
                "from genesis.optim.Optimizer"
            )
        if not getattr(optimizer, "param_groups", None):
            raise Unusable(
                f"{self.name} has no param_groups after it was made: its constructor should end with "
                "super().__init__(params, {option: value, ...})"
            )
        try:
            self.run(optimizer, params, 0, 1)
        except AssertionError as error:
            raise Unusable(f"{error}. Nothing else can be asked before this works") from error
        return {k: v for k, v in optimizer.param_groups[0].items() if k not in ("params", "param_names")}

    @cached_property
    def rate(self) -> float | None:
        """The learning rate of a group, or None where groups have none."""
        lr = self.group.get("lr")
        try:
            return None if lr is None or isinstance(lr, str) else float(lr)
        except (TypeError, ValueError):
            return None

    def make(self, params: Any, **changed: Any) -> Any:
        """The optimizer, with some of its options changed; in its groups, where the factory fixes them."""
        taken = {key: value for key, value in changed.items() if self.takes(key)}
        optimizer = self.target(params, **{**self.options, **taken})
        for group in optimizer.param_groups if len(taken) < len(changed) else ():
            group.update(changed)
        return optimizer

    def takes(self, option: str) -> bool:
        """Whether the constructor has an argument of this name."""
        try:
            parameters = signature(self.target).parameters
        except (TypeError, ValueError):
            return True
        return option in parameters or any(p.kind is Parameter.VAR_KEYWORD for p in parameters.values())

    def on(self, device: str) -> Case:
        """The same on another device."""
        twin: Case = object.__new__(Case)
        twin.__dict__.update({k: v for k, v in self.__dict__.items() if k != "rate"})
        twin.device = device
        return twin

    # -- parameters, gradients and steps -------------------------------------------------------------
    def leaf(self, array: Any, dtype: Any = None, requires_grad: bool = True) -> genesis.Tensor:
        """A parameter with the values of an array."""
        return genesis.tensor(
            np.asarray(array), dtype=dtype or genesis.float32, device=self.device, requires_grad=requires_grad
        )

    def leaves(self, dtype: Any = None, shapes: Shapes | None = None) -> list[genesis.Tensor]:
        """Parameters with the same values whenever they are asked for."""
        return [self.leaf(array, dtype) for array in starts(shapes or self.shapes)]

    def starts(self) -> list[Floats]:
        """The values of `leaves`."""
        return starts(self.shapes)

    def gradients(self, number: int) -> list[Floats]:
        """Gradients of a step for `leaves`."""
        return gradients(number, self.shapes)

    def give(self, params: Sequence[genesis.Tensor], grads: Sequence[Any]) -> None:
        """Set gradients; None is none."""
        for p, grad in zip(params, grads, strict=True):
            p.grad = (
                None if grad is None else genesis.tensor(np.asarray(grad), dtype=p.dtype, device=p.device)
            )

    def run(
        self, optimizer: Any, params: Sequence[genesis.Tensor], first: int, last: int, scale: float = 1.0
    ) -> None:
        """Take the steps from `first` to `last`, with gradients that depend on nothing but the number."""
        genesis.manual_seed(first)
        shapes = [tuple(p.shape) for p in params]
        for number in range(first, last):
            self.give(params, [scale * grad for grad in gradients(number, shapes)])
            take(optimizer, f"step() number {number + 1}")


def take(optimizer: Any, what: str = "step()") -> Any:
    """Take a step with the gradients that there are."""
    with telling(what):
        if _needs_closure(type(optimizer)):
            return optimizer.step(lambda: genesis.tensor(0.0))
        return optimizer.step()


def _needs_closure(cls: Any) -> bool:
    parameters = list(signature(cls.step).parameters.values())[1:]
    return any(p.name == "closure" and p.default is Parameter.empty for p in parameters)


def starts(shapes: Sequence[tuple[int, ...]]) -> list[Floats]:
    """Values of parameters, which float32 holds exactly."""
    random = np.random.default_rng(1)
    return [_rounded(random.normal(0.0, 0.5, shape)) for shape in shapes]


def gradients(number: int, shapes: Sequence[tuple[int, ...]]) -> list[Floats]:
    """Gradients of a step, which float32 holds exactly."""
    random = np.random.default_rng(100 + number)
    return [_rounded(random.normal(0.3, 1.0, shape)) for shape in shapes]


def _rounded(array: Any) -> Floats:
    return np.asarray(array, np.float32).astype(np.float64)


def _loaded(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    found = registry("optimizers").find(given)  # an unknown name is a mistake in the call
    try:
        return found.load()
    except Exception as error:
        raise Unusable(f"{given!r} cannot be loaded: {type(error).__name__}: {error}") from error


def _shown(options: Mapping[str, Any]) -> str:
    return "".join(f", {key}={value!r}" for key, value in options.items())


# -- looking ---------------------------------------------------------------------------------------------
def values(params: Sequence[genesis.Tensor]) -> list[NDArray[Any]]:
    """Copies of what parameters hold."""
    return [array(p) for p in params]


def array(x: genesis.Tensor) -> NDArray[Any]:
    """A copy of what a tensor holds."""
    return np.array(x.detach().numpy(force=True))


def same(a: Any, b: Any) -> bool:
    """Whether two arrays, tensors or other values are equal, bit for bit."""
    if isinstance(a, genesis.Tensor) and isinstance(b, genesis.Tensor):
        a, b = array(a), array(b)
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return (
            a.shape == b.shape and a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
        )
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, genesis.Tensor | np.ndarray) or isinstance(b, genesis.Tensor | np.ndarray):
        return False
    return bool(a == b)


def difference(found: Sequence[NDArray[Any]], expected: Sequence[NDArray[Any]]) -> str:
    """Where two lists of parameters differ, or an empty string."""
    for number, (f, e) in enumerate(zip(found, expected, strict=True)):
        if not same(f, e):
            if f.shape != e.shape or f.dtype != e.dtype:
                return f"parameter {number} is {f.dtype}{list(f.shape)} instead of {e.dtype}{list(e.shape)}"
            gaps = np.nan_to_num(np.abs(f - e), nan=np.inf)
            at = np.unravel_index(int(np.argmax(gaps)), gaps.shape)
            place = f"[{', '.join(map(str, at))}]" if at else ""
            return f"parameter {number}{place} is {f[at]:.9g} instead of {e[at]:.9g}"
    return ""


def state_tensors(optimizer: Any, p: genesis.Tensor) -> dict[str, genesis.Tensor]:
    """The tensors that are remembered about a parameter, by name; also those in lists and dicts."""
    found: dict[str, genesis.Tensor] = {}

    def look(name: str, value: Any) -> None:
        if isinstance(value, genesis.Tensor):
            found[name] = value
        elif isinstance(value, Mapping):
            for key, item in value.items():
                look(f"{name}.{key}" if name else str(key), item)
        elif isinstance(value, list | tuple):
            for number, item in enumerate(value):
                look(f"{name}[{number}]", item)

    look("", optimizer.state.get(p, {}))
    return found


_OF_THE_BASE = {"defaults", "param_groups", "state"}


def attributes(optimizer: Any) -> list[str]:
    """The attributes that the optimizer itself has put there, apart from plain options."""
    plain = (int, float, str, bool, type(None))
    return [
        name
        for name, value in vars(optimizer).items()
        if name not in _OF_THE_BASE and name not in ("_hooks", "step") and not isinstance(value, plain)
    ]


# -- telling ---------------------------------------------------------------------------------------------
@contextmanager
def telling(what: str) -> Iterator[None]:
    """Say what was tried when something raises, and what the error usually means."""
    try:
        yield
    except AssertionError:
        raise
    except Exception as error:
        text = str(error)
        hint = ""
        if (
            isinstance(error, RuntimeError)
            and "leaf" in text
            and "in-place" in text.replace("inplace", "in-place")
        ):
            hint = ": parameters are changed under genesis.no_grad(); put @genesis.no_grad() before step"
        elif "NoneType" in text and isinstance(error, AttributeError | TypeError):
            hint = ": a parameter without a gradient has grad None; leave it out of the step"
        elif isinstance(error, genesis.DeviceError):
            hint = (
                ": what is made on the default device is not where the parameter is; use "
                "genesis.zeros_like(p), or device=p.device"
            )
        raise AssertionError(f"{what} raised {type(error).__name__}: {text}{hint}") from error


@contextmanager
def undisturbed(device: str) -> Iterator[None]:
    """Make a device the default one, and put it and the random numbers back at the end."""
    before, random, dtype = (
        genesis.get_default_device(),
        genesis.get_rng_state(),
        genesis.empty(0).dtype,
    )
    genesis.set_default_device(device)
    genesis.manual_seed(0)
    try:
        yield
    finally:
        genesis.set_default_device(before)
        genesis.set_default_dtype(dtype)
        genesis.set_rng_state(random)
