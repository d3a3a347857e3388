"""``Optimizer`` at the address that PyTorch has for it, and hooks around the steps of all optimizers."""

from genesis._lazy import missing
from genesis.optim._optimizer import Optimizer as Optimizer
from genesis.optim._optimizer import register_optimizer_step_post_hook as register_optimizer_step_post_hook
from genesis.optim._optimizer import register_optimizer_step_pre_hook as register_optimizer_step_pre_hook
from genesis.optim._optimizer import required as required

__all__ = [
    "Optimizer",
    "register_optimizer_step_post_hook",
    "register_optimizer_step_pre_hook",
    "required",
]

TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
