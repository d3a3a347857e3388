"""Remember a model, an optimizer and a loader, and put them back: the same objects, the same bits."""

from __future__ import annotations

import random
import sys
from collections import deque
from collections.abc import Callable, Iterable
from copy import deepcopy
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from genesis._random import default_generator

_ATOMS = (bool, int, float, complex, str, bytes, type(None), type, FunctionType, BuiltinFunctionType)


class Snapshot:
    """What was added, as it was then; `restore` undoes every change since, in place.

    It looks into containers, modules and optimizers of any library, which it knows by their methods. Tensors
    are cloned, with their gradients. Of any other object it keeps the reference only.
    """

    def __init__(self) -> None:
        self._undo: list[Callable[[], object]] = []
        self._seen: dict[int, Any] = {}  # by id; the reference keeps the id from being used again

    def restore(self) -> None:
        """Put everything back. An error or Ctrl-C does not stop it; the first one is raised at the end."""
        failure: BaseException | None = None
        while self._undo:
            try:
                while self._undo:
                    self._undo[-1]()
                    self._undo.pop()
            except KeyboardInterrupt as interrupt:
                failure = failure or interrupt  # the last one is done again: it may be half done
            except Exception as error:
                failure = failure or error
                self._undo.pop()
        if failure is not None:
            raise failure

    def add_random_state(self) -> None:
        """The global random numbers: Genesis', Python's, and NumPy's and PyTorch's if they are in use."""
        ours = deepcopy(default_generator).__getstate__()  # not get_state(): a tensor needs a device
        self._undo.append(lambda: default_generator.__setstate__(ours))
        self._undo.append(_call(random.setstate, random.getstate()))
        numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
        if numpy is not None:
            self._undo.append(_call(numpy.random.set_state, numpy.random.get_state()))
        if torch is not None:
            self._undo.append(_call(torch.set_rng_state, torch.get_rng_state()))
            for name in ("cuda", "xpu"):
                device: Any = getattr(torch, name, None)
                if device is not None and device.is_initialized():
                    self._undo.append(_call(device.set_rng_state_all, device.get_rng_state_all()))
            if torch.backends.mps.is_available():
                self._undo.append(_call(torch.mps.set_rng_state, torch.mps.get_rng_state()))

    def add_model(self, model: Any) -> None:
        """Parameters, buffers, gradients, modes and attributes of a model and its modules."""
        self._part(model)
        for method in ("parameters", "buffers"):  # of models that keep them where nobody can look
            for tensor in getattr(model, method, tuple)():
                self._visit(tensor)

    def add_optimizer(self, optimizer: Any) -> None:
        """State, groups, parameters and attributes of an optimizer and of those that it wraps."""
        self._part(optimizer)
        self._visit(optimizer.param_groups)

    def add_loader(self, loader: Any) -> None:
        """Position and random state of a loader, its samplers and its data set; the data are not copied."""
        self._source(loader)
        if hasattr(loader, "state_dict") and hasattr(loader, "load_state_dict"):
            # Undone before the attributes, which have the last word: a state that is loaded says where the
            # next pass begins, and a pass that is going on must not be taken for an old one.
            self._undo.append(_call(loader.load_state_dict, deepcopy(loader.state_dict())))

    def _visit(self, value: Any, is_state: bool = False) -> None:
        if isinstance(value, _ATOMS) or id(value) in self._seen:
            return
        self._seen[id(value)] = value
        kind = type(value)
        if hasattr(kind, "copy_") and hasattr(kind, "detach"):
            self._tensor(value)
        elif isinstance(value, dict | list | set | deque | tuple):
            self._container(value)
            for item in list(value.values() if isinstance(value, dict) else value):
                self._visit(item, is_state)
        elif _is_part(value):
            self._part(value)
        elif self._generator(value) or self._array(value):
            pass
        elif is_state and hasattr(value, "__dict__") and not isinstance(value, MethodType | ModuleType):
            self._visit(vars(value), is_state)  # an object of the optimizer's own

    def _part(self, part: Any) -> None:
        """A module or an optimizer."""
        self._seen[id(part)] = part
        self._visit(getattr(part, "state", None), _has_groups(part))
        attributes = getattr(part, "__dict__", {})
        self._visit(attributes)
        if _has_groups(part):  # a scheduler has put a step of its own there, which counts
            self._visit(getattr(attributes.get("step"), "__dict__", None))

    def _tensor(self, tensor: Any) -> None:
        if not _repeats(tensor):  # nobody can have written into a tensor whose elements share memory
            content = tensor.detach().clone()
            self._undo.append(lambda: tensor.detach().copy_(content))
        if not tensor.is_leaf:
            return
        grad, requires_grad = tensor.grad, tensor.requires_grad
        self._visit(grad)

        def undo() -> None:
            if tensor.grad is not grad:
                tensor.grad = grad
            if tensor.requires_grad != requires_grad:
                tensor.requires_grad_(requires_grad)

        self._undo.append(undo)

    def _container(self, value: Any) -> None:
        if isinstance(value, dict):
            self._undo.append(_call(_restore_dict, value, dict(value)))
        elif isinstance(value, set):
            self._undo.append(_call(_restore_set, value, set(value)))
        elif isinstance(value, list | deque):
            self._undo.append(_call(_restore_sequence, value, list(value)))

    def _generator(self, value: Any) -> bool:
        kind = type(value)
        if not hasattr(kind, "seed") and not hasattr(kind, "bit_generator"):
            return False
        if hasattr(kind, "get_state") and hasattr(kind, "set_state"):  # Genesis', PyTorch's
            self._undo.append(_call(value.set_state, value.get_state()))
        elif hasattr(kind, "getstate") and hasattr(kind, "setstate"):  # Python's
            self._undo.append(_call(value.setstate, value.getstate()))
        elif hasattr(kind, "bit_generator"):  # NumPy's
            self._undo.append(_call(setattr, value.bit_generator, "state", value.bit_generator.state))
        else:
            return False
        return True

    def _array(self, value: Any) -> bool:
        numpy = sys.modules.get("numpy")
        if numpy is None or not isinstance(value, numpy.ndarray):
            return False
        if value.flags.writeable:
            self._undo.append(_call(value.__setitem__, ..., value.copy()))
        return True

    def _source(self, source: Any) -> None:
        """A loader, a sampler or a data set; of a data set, which has items, only the random state."""
        if id(source) in self._seen or not hasattr(source, "__dict__"):
            return
        self._seen[id(source)] = source
        has_items = hasattr(type(source), "__getitem__")
        if not has_items:
            self._container(vars(source))
        for value in list(vars(source).values()):
            kind = type(value)
            if hasattr(kind, "copy_") or self._generator(value):
                continue
            if isinstance(value, dict | list | set | deque) or getattr(value, "ndim", 0) == 1:
                if not has_items and not self._array(value):
                    self._container(value)
            elif hasattr(kind, "__getitem__") or (
                hasattr(kind, "__iter__") and not hasattr(kind, "__next__")
            ):
                self._source(value)


def _has_groups(value: object) -> bool:
    return hasattr(value, "param_groups") and hasattr(value, "step")


def _is_part(value: object) -> bool:
    return hasattr(type(value), "state_dict") and (hasattr(type(value), "parameters") or _has_groups(value))


def _call(function: Callable[..., object], *args: object) -> Callable[[], object]:
    return lambda: function(*args)


def _same(new: Iterable[object], old: Iterable[object]) -> bool:
    return list(map(id, new)) == list(map(id, old))


def _restore_dict(target: dict[Any, Any], content: dict[Any, Any]) -> None:
    if not _same(target, content):  # keys; their order, too
        target.clear()
    elif _same(target.values(), content.values()):
        return
    target.update(content)


def _restore_set(target: set[Any], content: set[Any]) -> None:
    target.clear()
    target.update(content)


def _restore_sequence(target: Any, content: list[Any]) -> None:
    if not _same(target, content):
        target.clear()
        target.extend(content)


def _repeats(tensor: Any) -> bool:
    """Whether several elements share one place in memory, as after `expand`."""
    try:
        return any(size > 1 and step == 0 for size, step in zip(tensor.shape, tensor.stride(), strict=True))
    except (AttributeError, RuntimeError):  # sparse tensors have no strides
        return False
