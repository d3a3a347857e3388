"""Samplers, at PyTorch's address."""

from genesis._lazy import missing
from genesis.data._sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler
from genesis.data._sampler_random import SubsetRandomSampler, WeightedRandomSampler

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]

TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
