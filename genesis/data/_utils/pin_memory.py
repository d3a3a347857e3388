"""``pin_memory`` at PyTorch's address: ``torch.utils.data._utils.pin_memory``."""

from genesis._lazy import missing
from genesis.data._pin import pin_memory

__all__ = ["pin_memory"]

TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
