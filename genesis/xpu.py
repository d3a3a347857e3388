"""What scripts ask about the device ``xpu``; it is there when a plugin supplies it and it can be used."""

from genesis._accelerator_functions import Accelerator
from genesis._lazy import missing

_accelerator = Accelerator("xpu")
is_available = _accelerator.is_available
device_count = _accelerator.device_count
synchronize = _accelerator.synchronize
empty_cache = _accelerator.empty_cache
manual_seed = _accelerator.manual_seed
manual_seed_all = _accelerator.manual_seed_all
seed = _accelerator.seed

TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
