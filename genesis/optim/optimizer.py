"""``Optimizer`` at the address that PyTorch has for it."""

from genesis._lazy import missing
from genesis.optim import Optimizer

__all__ = ["Optimizer", "required"]


class _Required:
    """Stands for an argument that has to be given."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()

TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
