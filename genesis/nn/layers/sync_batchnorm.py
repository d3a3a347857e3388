"""Batch normalization over the batches of several processes."""

from __future__ import annotations

from typing import Any

from genesis import cat, distributed, rsqrt, stack, tensor
from genesis._tensor import Tensor
from genesis.autograd.function import Function
from genesis.nn.layers.batchnorm import _BatchNorm
from genesis.nn.module import Module
from genesis.ops.batch_norm import _columns, _update


class SyncBatchNorm(_BatchNorm):
    """Normalizes each channel of ``(N, C, *)`` over the batches of all processes; see ``BatchNorm1d``.

    ``y = (x - mean) / sqrt(var + eps) * weight + bias`` with mean and (biased) variance of the whole batch,
    made of each process's count, mean and variance (Chan, Golub, LeVeque 1979). In evaluation, and in a group
    of one, it is batch normalization.

    Args:
        num_features, eps, momentum, affine, track_running_stats, device, dtype: as of ``BatchNorm1d``.
        process_group: the processes; None for all.

    Example:
        >>> model = DistributedDataParallel(nn.SyncBatchNorm.convert_sync_batchnorm(model))
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        process_group: Any = None,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        self.process_group = process_group

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"expected at least 2D input (got {input.dim()}D input)")

    def forward(self, input: Tensor) -> Tensor:
        """The normalized input."""
        self._check_input_dim(input)
        training = self.training or (self.running_mean is None and self.running_var is None)
        if not (
            training and distributed.is_initialized() and distributed.get_world_size(self.process_group) > 1
        ):
            return super().forward(input)
        if input.shape[1] != self.num_features:
            raise RuntimeError(f"expected {self.num_features} channels, got {input.shape[1]}")
        momentum = 0.0 if self.momentum is None else self.momentum
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:  # the average of all batches
                momentum = 1.0 / float(self.num_batches_tracked.item())
        used = self.training and self.track_running_stats
        made: Tensor = _Normalized.apply(
            input, self.weight, self.bias,
            self.running_mean if used else None, self.running_var if used else None,
            momentum, self.eps, self.process_group,
        )  # fmt: skip
        return made

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Module:
        """The model with a ``SyncBatchNorm`` in the place of each batch normalization, with its parameters.

        Args:
            module: the model, which is changed.
            process_group: the processes; None for all.

        Returns:
            The model; if it is itself a batch normalization, what takes its place.
        """
        made = module
        if isinstance(module, _BatchNorm):
            made = cls(
                module.num_features, module.eps, module.momentum, module.affine, module.track_running_stats,
                process_group, bias=module.bias is not None,
            )  # fmt: skip
            if module.affine:
                made.weight, made.bias = module.weight, module.bias
            made.running_mean, made.running_var = module.running_mean, module.running_var
            made.num_batches_tracked = module.num_batches_tracked
            made.training = module.training
        for name, child in module.named_children():
            made.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return made


class _Normalized(Function):
    """The formula of batch normalization, with sums over all processes both ways."""

    @staticmethod
    def forward(
        ctx: Any, x: Any, weight: Any, bias: Any, mean_: Any, var_: Any, momentum: Any, eps: Any, group: Any
    ) -> Any:
        axes = (0, *range(2, x.dim()))
        channels = x.shape[1]
        count = x.numel() // channels
        if count:
            center = x.mean(axes)
            spread = (x - _columns(center, x.dim())).square().mean(axes)
        else:
            center = spread = x.new_zeros(channels)
        mine = cat([center, spread, tensor([float(count)], dtype=x.dtype, device=x.device)])
        n = distributed.get_world_size(group)
        parts = [x.new_empty(2 * channels + 1) for _ in range(n)]
        distributed.all_gather(parts, mine, group)
        every = stack(parts)
        centers, spreads, counts = every[:, :channels], every[:, channels:-1], every[:, -1:]
        total = float(counts.sum().item())
        if total <= 1:
            raise ValueError(
                f"Expected more than 1 value per channel when training, got {int(total)} in all processes"
            )
        mean = (centers * counts).sum(0) / total
        var = ((spreads + (centers - mean).square()) * counts).sum(0) / total
        rstd = rsqrt(var + eps)
        if mean_ is not None:
            _update(mean_, mean, momentum, 1.0)
            _update(var_, var, momentum, total / (total - 1))
        ctx.save_for_backward(x, weight, mean, rstd)
        ctx.total, ctx.axes, ctx.group, ctx.biased = total, axes, group, bias is not None
        out = (x - _columns(mean, x.dim())) * _columns(rstd if weight is None else rstd * weight, x.dim())
        return out if bias is None else out + _columns(bias, x.dim())

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, weight, mean, rstd = ctx.saved_tensors
        unit = (x - _columns(mean, x.dim())) * _columns(rstd, x.dim())
        both = stack([grad.sum(ctx.axes), (grad * unit).sum(ctx.axes)])
        local = both.clone()
        distributed.all_reduce(both, group=ctx.group)
        mean_grad, mean_unit = both / ctx.total
        scale = rstd if weight is None else rstd * weight
        gx = (grad - _columns(mean_grad, x.dim()) - unit * _columns(mean_unit, x.dim())) * _columns(
            scale, x.dim()
        )
        gw = None if weight is None else local[1]
        gb = local[0] if ctx.biased else None
        return gx, gw, gb, None, None, None, None, None
