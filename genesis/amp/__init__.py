"""Mixed precision: ``autocast`` chooses types, ``GradScaler`` keeps small gradients from vanishing."""

from __future__ import annotations

from genesis._lazy import missing
from genesis.amp.autocast_mode import autocast, custom_bwd, custom_fwd, is_autocast_available
from genesis.amp.autocast_mode import is_autocast_enabled as is_autocast_enabled
from genesis.amp.grad_scaler import AmpError, GradScaler

__all__ = ["AmpError", "GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]

TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
