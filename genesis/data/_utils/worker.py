"""``get_worker_info`` at PyTorch's address: ``torch.utils.data._utils.worker``."""

from genesis._lazy import missing
from genesis.data._worker import WorkerInfo, get_worker_info

__all__ = ["WorkerInfo", "get_worker_info"]

TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
