"""Layers that learn the size of their input from the first batch, and are ordinary layers from then on."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar, cast

from genesis import ones, zeros
from genesis.nn.layers.batchnorm import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
)
from genesis.nn.layers.convolution import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
)
from genesis.nn.layers.linear import Linear
from genesis.nn.module import Module
from genesis.nn.parameter import UninitializedParameter


class _Lazy(Module):
    """What the lazy layers share; ``cls_to_become`` is the layer that each is after its first call."""

    cls_to_become: ClassVar[type[Module]]

    def _without_shapes(self) -> None:
        """Replace the parameters, which were made for an input of size 0, by ones without a shape."""
        for name, p in list(self._parameters.items()):
            if p is not None:
                self.register_parameter(name, UninitializedParameter(device=p.device, dtype=p.dtype))

    def has_uninitialized_params(self) -> bool:
        """True before the first call."""
        return any(isinstance(p, UninitializedParameter) for p in self._parameters.values())

    def reset_parameters(self) -> None:
        """Nothing, before there are parameters."""

    def _resize(self, size: int) -> None:
        """Set the size of the input and give the parameters their shapes."""
        raise NotImplementedError

    def _size_of(self, weight: Any) -> int:
        """The size of the input, from a stored weight."""
        raise NotImplementedError

    def _become(self, size: int) -> None:
        self._resize(size)
        self.__class__ = self.cls_to_become  # type: ignore[assignment]
        cast(Any, self).reset_parameters()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Take the size from the first argument, then run."""
        given = args[0] if args else kwargs["input"]
        self._become(int(given.shape[self._place(given)]))
        return self(*args, **kwargs)

    def _place(self, given: Any) -> int:
        """The axis of the input whose size is looked for."""
        return -1

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        name = next((n for n in ("weight", "running_mean") if state_dict.get(prefix + n) is not None), None)
        if name is not None:
            if state_dict[prefix + name].numel():  # else it was saved before the first call, too
                self._become(self._size_of(state_dict[prefix + name]))
                cast(Any, self)._load_from_state_dict(state_dict, prefix, *rest)
        else:
            super()._load_from_state_dict(state_dict, prefix, *rest)


def _shape(parameter: Any, shape: tuple[int, ...]) -> None:
    if parameter is not None:
        parameter.materialize(shape)


class LazyLinear(_Lazy, Linear):
    """``Linear`` whose ``in_features`` is the last size of the first input.

    Args:
        out_features, bias, device, dtype: as in ``Linear``.
    """

    cls_to_become = Linear

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        Linear.__init__(self, 0, out_features, bias, device, dtype)
        self._without_shapes()

    def _resize(self, size: int) -> None:
        self.in_features = size
        _shape(self.weight, (self.out_features, size))
        _shape(self.bias, (self.out_features,))

    def _size_of(self, weight: Any) -> int:
        return int(weight.shape[1])


class _LazyConvolution(_Lazy):
    """A convolution whose ``in_channels`` is taken from the first input."""

    def __init__(self, out_channels: int, kernel_size: Any, *args: Any, **kwargs: Any) -> None:
        cast(Any, self.cls_to_become).__init__(self, 0, out_channels, kernel_size, *args, **kwargs)
        self._without_shapes()

    def _place(self, given: Any) -> int:
        axes = int(cast(Any, self).axes)
        if given.dim() not in (axes + 1, axes + 2):
            raise RuntimeError(
                f"{type(self).__name__}: expected {axes + 1}D or {axes + 2}D input, got {given.dim()}D"
            )
        return -axes - 1

    def _resize(self, size: int) -> None:
        layer: Any = self
        if size % layer.groups:
            raise ValueError(f"in_channels must be divisible by groups, got {size} and groups={layer.groups}")
        layer.in_channels = size
        form = (layer.out_channels, size // layer.groups)
        if layer.transposed:
            form = (size, layer.out_channels // layer.groups)
        _shape(layer.weight, (*form, *layer.kernel_size))
        _shape(layer.bias, (layer.out_channels,))

    def _size_of(self, weight: Any) -> int:
        layer: Any = self
        return int(weight.shape[0] if layer.transposed else weight.shape[1] * layer.groups)


class _LazyNorm(_Lazy):
    """A normalization whose ``num_features`` is the number of channels of the first input."""

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        cast(Any, self.cls_to_become).__init__(
            self, 0, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )
        self._without_shapes()

    def has_uninitialized_params(self) -> bool:
        """True before the first call, where there are parameters or statistics."""
        return super().has_uninitialized_params() or cast(Any, self).running_mean is not None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Check the dimensions, take the size from the first argument, then run."""
        cast(Any, self)._check_input_dim(args[0] if args else kwargs["input"])
        return super().__call__(*args, **kwargs)

    def _place(self, given: Any) -> int:
        # without a batch an input of instance normalization begins with its channels
        unbatched = isinstance(self, InstanceNorm1d | InstanceNorm2d | InstanceNorm3d) and given.dim() == min(
            self.ranks
        )
        return 0 if unbatched else 1

    def _resize(self, size: int) -> None:
        layer: Any = self
        layer.num_features = size
        _shape(layer.weight, (size,))
        _shape(layer.bias, (size,))
        if layer.running_mean is not None:
            like = {"dtype": layer.running_mean.dtype, "device": layer.running_mean.device}
            layer.running_mean, layer.running_var = zeros(size, **like), ones(size, **like)

    def _size_of(self, weight: Any) -> int:
        return int(weight.shape[0])


def _lazy(base: type[_Lazy], layer: type[Module], size: str) -> type[_Lazy]:
    name = f"Lazy{layer.__name__}"
    doc = f"``{layer.__name__}`` without ``{size}``, which is taken from the first input."
    made = type(name, (base, layer), {"cls_to_become": layer, "__doc__": doc, "__module__": __name__})
    if base is _LazyConvolution:
        given = inspect.signature(layer)
        parameters = [p for p in given.parameters.values() if p.name != size]
        made.__signature__ = given.replace(parameters=parameters)  # type: ignore[attr-defined]
    return made


LazyConv1d = _lazy(_LazyConvolution, Conv1d, "in_channels")
LazyConv2d = _lazy(_LazyConvolution, Conv2d, "in_channels")
LazyConv3d = _lazy(_LazyConvolution, Conv3d, "in_channels")
LazyConvTranspose1d = _lazy(_LazyConvolution, ConvTranspose1d, "in_channels")
LazyConvTranspose2d = _lazy(_LazyConvolution, ConvTranspose2d, "in_channels")
LazyConvTranspose3d = _lazy(_LazyConvolution, ConvTranspose3d, "in_channels")
LazyBatchNorm1d = _lazy(_LazyNorm, BatchNorm1d, "num_features")
LazyBatchNorm2d = _lazy(_LazyNorm, BatchNorm2d, "num_features")
LazyBatchNorm3d = _lazy(_LazyNorm, BatchNorm3d, "num_features")
LazyInstanceNorm1d = _lazy(_LazyNorm, InstanceNorm1d, "num_features")
LazyInstanceNorm2d = _lazy(_LazyNorm, InstanceNorm2d, "num_features")
LazyInstanceNorm3d = _lazy(_LazyNorm, InstanceNorm3d, "num_features")
