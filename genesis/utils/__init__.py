"""What PyTorch has under ``torch.utils``: data, checkpointing."""

from __future__ import annotations

from genesis._lazy import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from genesis import data as data
    from genesis.utils import checkpoint as checkpoint

__getattr__, __dir__, __all__ = attach(
    __name__, {name: f"genesis.utils.{name}" for name in ("checkpoint", "data")}
)
