"""The sampler for several processes, at PyTorch's address."""

from genesis._lazy import missing
from genesis.data._sampler_random import DistributedSampler

__all__ = ["DistributedSampler"]

TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
