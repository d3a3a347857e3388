"""What the process that workers are forked from imports: tensors, without compiled kernels."""

from genesis._device import device
from genesis._tensor import Tensor
from genesis.data import _collate, _dataset, _fetch, _transport, _worker

device("cpu").backend  # noqa: B018 # loads it

__all__ = ["Tensor", "_collate", "_dataset", "_fetch", "_transport", "_worker"]
