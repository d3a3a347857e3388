"""Signal processing, by the names of ``torch.signal``: ``windows``."""

from __future__ import annotations

from genesis._lazy import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from genesis.signal import windows as windows

__getattr__, __dir__, __all__ = attach(__name__, {"windows": "genesis.signal.windows"})
