"""CudaBackend: GPUs as a device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from genesis.backend import Availability, Backend, Expr, Number, Shape, View
from genesis_cuda import _array, _available, _cache, _copies, _driver, _memory, _streams
from genesis_cuda._memory import Memory
from genesis_cuda.kernels import indexing, map, matmul, random, reduce, scan, search, sorting

if TYPE_CHECKING:
    from genesis import device, dtype


class CudaBackend(Backend):
    """GPUs of NVIDIA as ``cuda:0``, ``cuda:1``, …"""

    name: ClassVar[str] = "cuda"
    fuses: ClassVar[bool] = True
    halves: ClassVar[bool] = True
    kernels: ClassVar[Mapping[str, str]] = {
        "softmax": "genesis_cuda.fused.softmax:softmax",
        "softmax.backward": "genesis_cuda.fused.softmax:softmax_backward",
        "log_softmax": "genesis_cuda.fused.softmax:log_softmax",
        "log_softmax.backward": "genesis_cuda.fused.softmax:log_softmax_backward",
        "cross_entropy": "genesis_cuda.fused.loss:cross_entropy",
        "cross_entropy.backward": "genesis_cuda.fused.loss:cross_entropy_backward",
        "nll_loss": "genesis_cuda.fused.nll:nll_loss",
        "nll_loss.backward": "genesis_cuda.fused.nll:nll_loss_backward",
        "layer_norm": "genesis_cuda.fused.norm:layer_norm",
        "layer_norm.backward": "genesis_cuda.fused.norm:layer_norm_backward",
        "rms_norm": "genesis_cuda.fused.norm:rms_norm",
        "rms_norm.backward": "genesis_cuda.fused.norm:rms_norm_backward",
        "embedding": "genesis_cuda.fused.embedding:embedding",
        "embedding.backward": "genesis_cuda.fused.embedding:embedding_backward",
        "attention": "genesis_cuda.fused.attention:attention",
        "attention.backward": "genesis_cuda.fused.attention_backward:attention_backward",
        "convolution": "genesis_cuda.fused.convolution:convolution",
        "convolution.backward": "genesis_cuda.fused.convolution:convolution_backward",
        "conv_transpose": "genesis_cuda.fused.convolution:conv_transpose",
        "conv_transpose.backward": "genesis_cuda.fused.convolution:conv_transpose_backward",
        "convolution_weight": "genesis_cuda.fused.convolution:convolution_weight",
        "batch_norm": "genesis_cuda.fused.batch_norm:batch_norm",
        "batch_norm.backward": "genesis_cuda.fused.batch_norm:batch_norm_backward",
        "group_norm": "genesis_cuda.fused.group_norm:group_norm",
        "group_norm.backward": "genesis_cuda.fused.group_norm:group_norm_backward",
        "max_pool": "genesis_cuda.fused.pooling:max_pool",
        "max_pool.backward": "genesis_cuda.fused.pooling:max_pool_backward",
        "avg_pool": "genesis_cuda.fused.pooling:avg_pool",
        "avg_pool.backward": "genesis_cuda.fused.pooling:avg_pool_backward",
        "adaptive_max_pool": "genesis_cuda.fused.pooling:adaptive_max_pool",
        "adaptive_max_pool.backward": "genesis_cuda.fused.pooling:adaptive_max_pool_backward",
        "adaptive_avg_pool": "genesis_cuda.fused.pooling:adaptive_avg_pool",
        "adaptive_avg_pool.backward": "genesis_cuda.fused.pooling:adaptive_avg_pool_backward",
        "half_matmul": "genesis_cuda.kernels.matmul:half_matmul",
        "dropout": "genesis_cuda.fused.dropout:dropout",
        "linear_relu": "genesis_cuda.fused.linear:linear_relu",
        "total_norm": "genesis_cuda.fused.total_norm:total_norm",
        "distinct": "genesis_cuda.kernels.distinct:distinct",
        "running_extreme": "genesis_cuda.kernels.scan:running_extreme",
        "logcumsumexp": "genesis_cuda.kernels.scan:logcumsumexp",
        "running_sum": "genesis_cuda.kernels.scan:running_sum",
        "running_sum.backward": "genesis_cuda.kernels.scan:running_sum_backward",
        "adam_step": "genesis_cuda.fused.optimizer:adam_step",
        "sgd_step": "genesis_cuda.fused.optimizer:sgd_step",
        "update_step": "genesis_cuda.fused.update:update_step",
    }

    def probe(self) -> Availability:
        count, reason = _available.devices()
        return Availability(count > 0, count, reason)

    # -- memory --------------------------------------------------------------------------------------
    def allocate(self, nbytes: int, index: int) -> Memory:
        return Memory(_memory.pool(index), nbytes)

    def empty(self, shape: Shape, dtype: dtype, device: device) -> View:
        return _copies.empty(shape, dtype, device)

    def write(self, out: View, source: np.ndarray[Any, Any]) -> None:
        _copies.write(out, source)

    def read(self, x: View) -> np.ndarray[Any, Any]:
        return _copies.read(x)

    def transfer(self, out: View, x: View) -> None:
        _copies.transfer(out, x)

    def export(self, x: View) -> _array.Array:
        return _array.Array(x)

    def address(self, x: View) -> int:
        return _memory.address(x)

    def adopt(self, source: Any, device: device) -> View | None:
        return _array.adopt(source, device)

    def synchronize(self) -> None:
        for unit in _driver.opened():
            unit.wait()

    # -- streams -------------------------------------------------------------------------------------
    def new_stream(self, index: int, priority: int) -> _streams.Stream:
        return _streams.new(index, priority)

    def current_stream(self, index: int) -> _streams.Stream:
        return _streams.current(index)

    def default_stream(self, index: int) -> _streams.Stream:
        return _streams.default(index)

    def set_stream(self, index: int, stream: _streams.Stream) -> None:
        _streams.choose(index, stream)

    def new_event(self, index: int, timing: bool, blocking: bool) -> _streams.Event:
        return _streams.Event(_driver.unit(index), timing, blocking)

    def record_stream(self, x: View, stream: _streams.Stream) -> None:
        memory = _memory.handle(x)
        if isinstance(memory, Memory):
            memory.others = {*(memory.others or ()), stream}

    def write_later(self, out: View, source: np.ndarray[Any, Any]) -> None:
        _copies.write(out, source, wait=False)

    def pinned(self, shape: Shape, dtype: str) -> np.ndarray[Any, Any]:
        return _memory.pinned(shape, dtype)

    def is_pinned(self, array: np.ndarray[Any, Any]) -> bool:
        return _memory.is_pinned(array)

    def memory_stats(self) -> dict[str, int]:
        total: dict[str, int] = {}
        for pool in _memory.pools():
            for name, value in pool.stats().items():
                total[name] = total.get(name, 0) + value
        return total

    def properties(self, index: int) -> dict[str, Any]:
        return _driver.unit(index).properties()

    def empty_cache(self) -> None:
        for pool in _memory.pools():
            pool.trim()
        _memory.unlock()

    # -- computing -----------------------------------------------------------------------------------
    def map(self, expr: Expr, out: View, *inputs: View | Number) -> None:
        map.run(expr, out, inputs)

    def reduce(self, op: str, out: View, x: View) -> None:
        reduce.run(op, out, x)

    def matmul(self, out: View, a: View, b: View) -> None:
        matmul.run(out, a, b)

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

    def leading(self, indices: View, x: View, largest: bool) -> None:
        if not sorting.leading(indices, x, largest):
            super().leading(indices, x, largest)

    def nonzero(self, x: View) -> np.ndarray[Any, Any] | View:
        found = search.nonzero(x)
        return super().nonzero(x) if found is None else found

    # -- compiled kernels ----------------------------------------------------------------------------
    def watch_kernels(self, watcher: Callable[[str, bool, float], None] | None) -> None:
        _cache.watcher = watcher

    def kernel_folder(self) -> str | None:
        found = _cache.folder()
        return None if found is None else str(found)
