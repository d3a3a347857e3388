"""Checkpoints: nested Python values with tensors, in one safetensors file, without pickle."""

from __future__ import annotations

from genesis._lazy import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from genesis.checkpoint._atomic import atomic_write as atomic_write
    from genesis.checkpoint._checkpointer import Checkpointer as Checkpointer
    from genesis.checkpoint._format import load_checkpoint as load_checkpoint
    from genesis.checkpoint._format import save_checkpoint as save_checkpoint
    from genesis.checkpoint._format import verify as verify
    from genesis.checkpoint._inspect import inspect as inspect
    from genesis.checkpoint._interchange import load as load
    from genesis.checkpoint._interchange import save as save
    from genesis.checkpoint._lock import FolderInUseError as FolderInUseError
    from genesis.checkpoint._providers import providers as providers

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Checkpointer": "genesis.checkpoint._checkpointer:Checkpointer",
        "FolderInUseError": "genesis.checkpoint._lock:FolderInUseError",
        "atomic_write": "genesis.checkpoint._atomic:atomic_write",
        "providers": "genesis.checkpoint._providers:providers",
        "load": "genesis.checkpoint._interchange:load",
        "save": "genesis.checkpoint._interchange:save",
        "load_checkpoint": "genesis.checkpoint._format:load_checkpoint",
        "save_checkpoint": "genesis.checkpoint._format:save_checkpoint",
        "inspect": "genesis.checkpoint._inspect:inspect",
        "verify": "genesis.checkpoint._format:verify",
    },
)
