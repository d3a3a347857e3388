"""CpuBackend: the host as a device."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from genesis.backend import Backend, Expr, Number, Shape, View
from genesis_cpu import _cache, _threads
from genesis_cpu._memory import BYTES, address, array, empty, wrap
from genesis_cpu._pool import pool
from genesis_cpu.kernels import (
    indexing,
    joining,
    map,
    matmul,
    prepared,
    random,
    reduce,
    scan,
    search,
    sorting,
)

if TYPE_CHECKING:
    from genesis import device, dtype


class CpuBackend(Backend):
    """The CPU device: loops compiled by Numba, products by BLAS, all on one pool of threads."""

    name: ClassVar[str] = "cpu"
    fuses: ClassVar[bool] = True
    halves: ClassVar[bool] = True
    kernels: ClassVar[Mapping[str, str]] = {
        "softmax": "genesis_cpu.fused.softmax:softmax",
        "softmax.backward": "genesis_cpu.fused.softmax:softmax_backward",
        "log_softmax": "genesis_cpu.fused.softmax:log_softmax",
        "log_softmax.backward": "genesis_cpu.fused.softmax:log_softmax_backward",
        "attention": "genesis_cpu.fused.attention:attention",
        "attention.backward": "genesis_cpu.fused.attention:attention_backward",
        "cross_entropy": "genesis_cpu.fused.loss:cross_entropy",
        "cross_entropy.backward": "genesis_cpu.fused.loss:cross_entropy_backward",
        "nll_loss": "genesis_cpu.fused.nll:nll_loss",
        "nll_loss.backward": "genesis_cpu.fused.nll:nll_loss_backward",
        "ctc_loss": "genesis_cpu.fused.ctc:ctc_loss",
        "ctc_loss.backward": "genesis_cpu.fused.ctc:ctc_loss_backward",
        "layer_norm": "genesis_cpu.fused.norm:layer_norm",
        "layer_norm.backward": "genesis_cpu.fused.norm:layer_norm_backward",
        "layer_norm_onto": "genesis_cpu.fused.norm:layer_norm_onto",
        "lstm": "genesis_cpu.fused.lstm:lstm",
        "lstm.backward": "genesis_cpu.fused.lstm:lstm_backward",
        "gru": "genesis_cpu.fused.recurrent:gru",
        "gru.backward": "genesis_cpu.fused.recurrent:gru_backward",
        "rnn": "genesis_cpu.fused.recurrent:rnn",
        "rnn.backward": "genesis_cpu.fused.recurrent:rnn_backward",
        "batch_norm": "genesis_cpu.fused.batch_norm:batch_norm",
        "batch_norm.backward": "genesis_cpu.fused.batch_norm:batch_norm_backward",
        "group_norm": "genesis_cpu.fused.group_norm:group_norm",
        "group_norm.backward": "genesis_cpu.fused.group_norm:group_norm_backward",
        "rms_norm": "genesis_cpu.fused.rms_norm:rms_norm",
        "rms_norm.backward": "genesis_cpu.fused.rms_norm:rms_norm_backward",
        "var": "genesis_cpu.fused.moments:var",
        "var.backward": "genesis_cpu.fused.moments:var_backward",
        "std": "genesis_cpu.fused.moments:std",
        "std.backward": "genesis_cpu.fused.moments:std_backward",
        "unit": "genesis_cpu.fused.moments:unit",
        "unit.backward": "genesis_cpu.fused.moments:unit_backward",
        "power_norm": "genesis_cpu.fused.power_norm:power_norm",
        "running_sum": "genesis_cpu.kernels.scan:running_sum",
        "running_sum.backward": "genesis_cpu.kernels.scan:running_sum_backward",
        "resample": "genesis_cpu.fused.resampling:resample",
        "resample.backward": "genesis_cpu.fused.resampling:resample_backward",
        "max_pool": "genesis_cpu.fused.pooling:max_pool",
        "max_pool.backward": "genesis_cpu.fused.pooling:max_pool_backward",
        "avg_pool": "genesis_cpu.fused.pooling:avg_pool",
        "avg_pool.backward": "genesis_cpu.fused.pooling:avg_pool_backward",
        "adaptive_max_pool": "genesis_cpu.fused.pooling:adaptive_max_pool",
        "adaptive_max_pool.backward": "genesis_cpu.fused.pooling:adaptive_max_pool_backward",
        "adaptive_avg_pool": "genesis_cpu.fused.pooling:adaptive_avg_pool",
        "adaptive_avg_pool.backward": "genesis_cpu.fused.pooling:adaptive_avg_pool_backward",
        "embedding": "genesis_cpu.fused.embedding:embedding",
        "embedding.backward": "genesis_cpu.fused.embedding:embedding_backward",
        "linear": "genesis_cpu.fused.linear:linear",
        "linear.backward": "genesis_cpu.fused.linear:linear_backward",
        "linear_relu": "genesis_cpu.fused.linear:linear_relu",
        "linear_relu.backward": "genesis_cpu.fused.linear:linear_relu_backward",
        "convolution": "genesis_cpu.fused.convolution:convolution",
        "convolution.backward": "genesis_cpu.fused.convolution:convolution_backward",
        "conv_transpose": "genesis_cpu.fused.convolution:conv_transpose",
        "conv_transpose.backward": "genesis_cpu.fused.convolution:conv_transpose_backward",
        "convolution_weight": "genesis_cpu.fused.convolution:convolution_weight",
        "adam_step": "genesis_cpu.fused.optimizer:adam_step",
        "sgd_step": "genesis_cpu.fused.optimizer:sgd_step",
        "total_norm": "genesis_cpu.fused.total_norm:total_norm",
        "update_step": "genesis_cpu.fused.update:update_step",
    }

    def allocate(self, nbytes: int, index: int) -> np.ndarray[Any, Any]:
        return np.empty(nbytes, BYTES)

    empty = staticmethod(empty)

    def write(self, out: View, source: np.ndarray[Any, Any]) -> None:
        if source.ndim == 0 and out.dtype.name in ("float32", "float64") and _threads.ready:
            _threads.settle()  # as every backward pass begins with such a number, not by NumPy
            _threads.put(address(out), out.dtype.itemsize, float(source))
        else:
            array(out)[...] = source

    def read(self, x: View) -> np.ndarray[Any, Any]:
        return array(x).copy("C")

    def from_numpy(self, host: np.ndarray[Any, Any], device: device) -> View | None:
        return wrap(host, device)

    def as_numpy(self, x: View) -> np.ndarray[Any, Any]:
        _ = x.buffer.handle  # from here on others may hold an array over it
        return array(x)

    def look(self, x: View) -> np.ndarray[Any, Any]:
        return array(x)

    def map(self, expr: Expr, out: View, *inputs: View | Number) -> None:
        map.run(expr, out, inputs)

    def prepare_map(self, expr: Expr, out: dtype, kinds: tuple[Any, ...]) -> Callable[..., View]:
        return prepared.prepare(expr, out, kinds)

    def prepare_walk(
        self, expr: Expr, out: dtype, shape: Shape, layouts: tuple[Any, ...]
    ) -> Callable[..., View] | None:
        return prepared.prepare_walk(expr, out, shape, layouts)

    def reduce(self, op: str, out: View, x: View) -> None:
        reduce.run(op, out, x)

    matmul = staticmethod(matmul.run)

    def gather(self, out: View, x: View, index: View, axis: int) -> None:
        indexing.gather(out, x, index, axis)

    def scatter(self, op: str, out: View, index: View, source: View, axis: int) -> None:
        indexing.scatter(op, out, index, source, axis)

    def random(self, kind: str, out: View, seed: int, offset: int) -> None:
        random.run(kind, out, seed, offset)

    def scan(self, op: str, out: View, x: View, axis: int) -> None:
        if not scan.run(op, out, x, axis):
            super().scan(op, out, x, axis)

    def sort(self, values: View, indices: View, x: View, descending: bool) -> None:
        if not sorting.run(values, indices, x, descending):
            super().sort(values, indices, x, descending)

    def join(self, out: View, parts: Sequence[View], axis: int) -> None:
        if not joining.run(out, parts, axis):
            super().join(out, parts, axis)

    def merge_indices(self, out: View, indices: Sequence[View], lengths: Sequence[int]) -> None:
        indexing.merge_indices(out, indices, lengths)

    def nonzero(self, x: View) -> np.ndarray[Any, Any] | View:
        found = search.nonzero(x)
        return super().nonzero(x) if found is None else found

    def leading(self, indices: View, x: View, largest: bool) -> None:
        if not search.leading(indices, x, largest):
            super().leading(indices, x, largest)

    # -- threads -------------------------------------------------------------------------------------
    def get_num_threads(self) -> int:
        """How many threads kernels use."""
        return _threads.get_num_threads()

    def set_num_threads(self, n: int) -> None:
        """Use ``n`` threads; results may differ in the last bits from those with another number."""
        _threads.set_num_threads(n)

    def synchronize(self) -> None:
        """Wait until all kernels are over that were launched."""
        _threads.settle()

    # -- memory --------------------------------------------------------------------------------------
    def memory_stats(self) -> dict[str, int]:
        used, kept = pool.used, pool.kept
        return {
            "allocated_bytes.all.current": used,
            "reserved_bytes.all.current": used + kept,
            "num_device_alloc": pool.made,
        }

    def empty_cache(self) -> None:
        pool.trim(0)

    # -- compiled kernels ----------------------------------------------------------------------------
    def watch_kernels(self, watcher: Callable[[str, bool, float], None] | None) -> None:
        _cache.watcher = watcher

    def kernel_folder(self) -> str | None:
        found = _cache.folder()
        return None if found is None else str(found)
