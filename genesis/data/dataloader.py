"""The loader, at PyTorch's address."""

from genesis._lazy import missing
from genesis.data._collate import default_collate, default_convert
from genesis.data._dataset import Dataset, IterableDataset
from genesis.data._loader import DataLoader
from genesis.data._sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler
from genesis.data._worker import get_worker_info

__all__ = [
    "BatchSampler",
    "DataLoader",
    "Dataset",
    "IterableDataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "default_collate",
    "default_convert",
    "get_worker_info",
]

TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
