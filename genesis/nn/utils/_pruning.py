"""Methods of pruning: which elements of a tensor become zero."""

from __future__ import annotations

import numbers
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

from genesis import no_grad, ones_like, rand, rand_like, topk, zeros_like
from genesis._tensor import Tensor
from genesis.nn.module import Module


class BasePruningMethod(ABC):
    """A way to choose what is pruned; a subclass defines ``compute_mask`` and ``PRUNING_TYPE``.

    Attributes:
        PRUNING_TYPE: ``"unstructured"``, ``"structured"`` (with an attribute ``dim``) or ``"global"``: what a
            second pruning of the same tensor sees.
    """

    PRUNING_TYPE: ClassVar[str]
    _tensor_name: str = ""

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask for importances ``t``, on top of ``default_mask``."""

    def apply_mask(self, module: Module) -> Tensor:
        """The original times its mask."""
        if not self._tensor_name:
            raise AssertionError(f"Module {module} has to be pruned")
        original = getattr(module, f"{self._tensor_name}_orig")
        out: Tensor = getattr(module, f"{self._tensor_name}_mask").to(original.dtype) * original
        return out

    @classmethod
    def apply(
        cls, module: Module, name: str, *args: Any, importance_scores: Tensor | None = None, **kwargs: Any
    ) -> BasePruningMethod:
        """Prune ``module.<name>``; on top of what was pruned before.

        Args:
            module: what has the tensor.
            name: its name.
            *args, **kwargs: of the method's constructor.
            importance_scores: in the shape of the tensor, to be used in its place.

        Returns:
            The hook.
        """
        method: BasePruningMethod = cls(*args, **kwargs)
        method._tensor_name = name
        old = pruning_hooks(module, name)
        if old:
            number, before = old[0]
            del module._forward_pre_hooks[number]
            container = before if isinstance(before, PruningContainer) else PruningContainer(before)
            container.add_pruning_method(method)
            method = container
        tensor = getattr(module, name)
        scores = tensor if importance_scores is None else importance_scores
        _check_scores(scores, tensor)
        with no_grad():
            if old:
                mask = method.compute_mask(scores.detach(), getattr(module, f"{name}_mask").clone())
            else:
                mask = method.compute_mask(scores.detach(), ones_like(tensor.detach()))
        if not old:
            del module._parameters[name]
            module.register_parameter(f"{name}_orig", tensor)
        module.register_buffer(f"{name}_mask", mask)
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def prune(
        self, t: Tensor, default_mask: Tensor | None = None, importance_scores: Tensor | None = None
    ) -> Tensor:
        """``t`` with what this method prunes set to zero."""
        scores = t if importance_scores is None else importance_scores
        _check_scores(scores, t)
        mask = ones_like(t.detach()) if default_mask is None else default_mask
        return t * self.compute_mask(scores.detach(), mask)

    def remove(self, module: Module) -> None:
        """Make the pruned tensor an ordinary parameter; what was pruned stays zero."""
        name = self._tensor_name
        if not name:
            raise AssertionError(f"Module {module} has to be pruned before pruning can be removed")
        weight = self.apply_mask(module).detach()
        if hasattr(module, name):
            delattr(module, name)
        original = module._parameters.pop(f"{name}_orig")
        assert original is not None
        original.data = weight
        del module._buffers[f"{name}_mask"]
        setattr(module, name, original)


def pruning_hooks(module: Module, name: str) -> list[tuple[int, BasePruningMethod]]:
    return [
        (number, hook)
        for number, hook in module._forward_pre_hooks.items()
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name
    ]


def _check_scores(scores: Tensor, tensor: Tensor) -> None:
    if scores.shape != tensor.shape:
        raise AssertionError(
            f"importance_scores should have the shape of the tensor, got {tuple(scores.shape)} vs "
            f"{tuple(tensor.shape)}"
        )


class PruningContainer(BasePruningMethod):
    """Several methods, one on top of the other."""

    def __init__(self, *args: BasePruningMethod) -> None:
        self._pruning_methods: tuple[BasePruningMethod, ...] = ()
        if len(args) == 1:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: BasePruningMethod | None) -> None:
        """Add a method that acts on the same tensor.

        Raises:
            TypeError: it is no method.
            ValueError: it acts on another tensor.
        """
        if method is not None and not isinstance(method, BasePruningMethod):
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if method is not None:
            if self._tensor_name != method._tensor_name:
                raise ValueError(
                    "can only add pruning methods acting on the parameter named "
                    f"{self._tensor_name!r} to this container, found {method._tensor_name!r}"
                )
            self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[BasePruningMethod]:
        return iter(self._pruning_methods)

    def __getitem__(self, index: int) -> BasePruningMethod:
        return self._pruning_methods[index]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The last method's mask for what is not pruned yet, within ``default_mask``."""
        method = self._pruning_methods[-1]
        mask = default_mask.to(t.dtype).clone()
        kind = method.PRUNING_TYPE
        if kind == "unstructured":
            part: Any = default_mask == 1
        elif kind == "structured":
            dim: int = method.dim  # type: ignore[attr-defined]
            axis = dim % t.dim()
            others = tuple(d for d in range(t.dim()) if d != axis)
            part = [slice(None)] * t.dim()
            part[axis] = (default_mask.sum(others) != 0).nonzero().reshape(-1)
            part = tuple(part)
        elif kind == "global":
            part = (slice(None),) * t.dim()
        else:
            raise ValueError(f"Unrecognized PRUNING_TYPE {kind}")
        mask[part] = method.compute_mask(t[part], default_mask[part]).to(mask.dtype)
        return mask


class Identity(BasePruningMethod):
    """Prunes nothing, but gives the tensor a mask of ones."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """``default_mask``."""
        return default_mask


class _Amount(BasePruningMethod):
    """A method that prunes a number or a share."""

    amount: float

    def __init__(self, amount: float) -> None:
        if not isinstance(amount, numbers.Real):
            raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
        whole = isinstance(amount, numbers.Integral)
        if amount < 0 or (not whole and amount > 1):
            raise ValueError(
                f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer"
            )
        self.amount = amount

    def _count(self, size: int) -> int:
        count = int(self.amount) if isinstance(self.amount, numbers.Integral) else round(self.amount * size)
        if count > size:
            raise ValueError(
                f"amount={self.amount} should be smaller than the number of parameters to prune={size}"
            )
        return count


class RandomUnstructured(_Amount):
    """Prunes single elements, drawn at random.

    Args:
        amount: how many, or (a float) which share.
    """

    PRUNING_TYPE = "unstructured"

    def _scores(self, t: Tensor) -> Tensor:
        return -rand_like(t)

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """``default_mask`` with the elements of the lowest scores set to 0."""
        mask = default_mask.clone().contiguous()
        count = self._count(t.numel())
        if count:
            mask.view(-1)[topk(self._scores(t).reshape(-1), count, largest=False).indices] = 0
        return mask


class L1Unstructured(RandomUnstructured):
    """Prunes the single elements of the smallest absolute values.

    Args:
        amount: how many, or (a float) which share.
    """

    def _scores(self, t: Tensor) -> Tensor:
        return t.abs()


class _Structured(_Amount):
    """A method that prunes whole slices along a dimension."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, dim: int = -1) -> None:
        super().__init__(amount)
        self.dim = dim

    def _slice_scores(self, t: Tensor) -> Tensor:
        raise NotImplementedError

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """``default_mask`` with the slices of the lowest scores set to 0."""
        if t.dim() <= 1:
            raise ValueError(
                "structured pruning can only be applied to multidimensional tensors, found shape "
                f"{tuple(t.shape)}"
            )
        if self.dim >= t.dim():
            raise IndexError(f"Invalid index {self.dim} for tensor of size {tuple(t.shape)}")
        size = t.shape[self.dim]
        count = self._count(size)
        if not count:
            return default_mask
        keep = topk(self._slice_scores(t), size - count, largest=True).indices
        mask = zeros_like(t)
        part: list[Any] = [slice(None)] * t.dim()
        part[self.dim] = keep
        mask[tuple(part)] = 1
        return mask * default_mask.to(mask.dtype)


class RandomStructured(_Structured):
    """Prunes whole slices, drawn at random.

    Args:
        amount: how many, or (a float) which share.
        dim: the dimension of the slices.
    """

    def _slice_scores(self, t: Tensor) -> Tensor:
        return rand(t.shape[self.dim], device=t.device)


class LnStructured(_Structured):
    """Prunes the whole slices of the smallest norms.

    Args:
        amount: how many, or (a float) which share.
        n: exponent of the norm.
        dim: the dimension of the slices.
    """

    def __init__(self, amount: float, n: Any, dim: int = -1) -> None:
        super().__init__(amount, dim)
        self.n = n

    def _slice_scores(self, t: Tensor) -> Tensor:
        others = tuple(d for d in range(t.dim()) if d != self.dim % t.dim())
        return t.norm(self.n, others)


class CustomFromMask(BasePruningMethod):
    """Prunes where a given mask is 0.

    Args:
        mask: in the shape of the tensor.
    """

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """``default_mask`` times the mask."""
        if default_mask.shape != self.mask.shape:
            raise AssertionError(
                f"the mask has shape {tuple(self.mask.shape)}, the tensor {tuple(default_mask.shape)}"
            )
        return default_mask * self.mask.to(default_mask.dtype)
