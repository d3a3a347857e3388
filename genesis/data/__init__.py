"""Data sets, batches, and three small real data sets that come with Genesis. Nothing here uses the
network."""

from __future__ import annotations

from genesis._lazy import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from genesis.data import dataloader as dataloader
    from genesis.data import dataset as dataset
    from genesis.data import datasets as datasets
    from genesis.data import distributed as distributed
    from genesis.data import sampler as sampler
    from genesis.data import transforms as transforms
    from genesis.data import utils as utils
    from genesis.data._collate import default_collate as default_collate
    from genesis.data._collate import default_convert as default_convert
    from genesis.data._dataset import ChainDataset as ChainDataset
    from genesis.data._dataset import ConcatDataset as ConcatDataset
    from genesis.data._dataset import Dataset as Dataset
    from genesis.data._dataset import IterableDataset as IterableDataset
    from genesis.data._dataset import StackDataset as StackDataset
    from genesis.data._dataset import Subset as Subset
    from genesis.data._dataset import TensorDataset as TensorDataset
    from genesis.data._dataset import random_split as random_split
    from genesis.data._datasets import ImageDataset as ImageDataset
    from genesis.data._datasets import load_digits as load_digits
    from genesis.data._datasets import load_fashion_mnist as load_fashion_mnist
    from genesis.data._loader import DataLoader as DataLoader
    from genesis.data._sampler import BatchSampler as BatchSampler
    from genesis.data._sampler import RandomSampler as RandomSampler
    from genesis.data._sampler import Sampler as Sampler
    from genesis.data._sampler import SequentialSampler as SequentialSampler
    from genesis.data._sampler_random import DistributedSampler as DistributedSampler
    from genesis.data._sampler_random import SubsetRandomSampler as SubsetRandomSampler
    from genesis.data._sampler_random import WeightedRandomSampler as WeightedRandomSampler
    from genesis.data._text import CharDataset as CharDataset
    from genesis.data._text import load_shakespeare as load_shakespeare
    from genesis.data._worker import get_worker_info as get_worker_info

_NAMES = {
    "_collate": (
        "default_collate",
        "default_convert",
    ),
    "_dataset": (
        "ChainDataset",
        "ConcatDataset",
        "Dataset",
        "IterableDataset",
        "StackDataset",
        "Subset",
        "TensorDataset",
        "random_split",
    ),
    "_datasets": (
        "ImageDataset",
        "load_digits",
        "load_fashion_mnist",
    ),
    "_loader": ("DataLoader",),
    "_sampler": (
        "BatchSampler",
        "RandomSampler",
        "Sampler",
        "SequentialSampler",
    ),
    "_sampler_random": (
        "DistributedSampler",
        "SubsetRandomSampler",
        "WeightedRandomSampler",
    ),
    "_text": (
        "CharDataset",
        "load_shakespeare",
    ),
    "_worker": ("get_worker_info",),
}
_MODULES = ("_utils", "dataloader", "dataset", "datasets", "distributed", "sampler", "transforms", "utils")

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        **{name: f"genesis.data.{module}:{name}" for module, names in _NAMES.items() for name in names},
        **{name: f"genesis.data.{name}" for name in _MODULES},
    },
)
__all__.remove("_utils")
