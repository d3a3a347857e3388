"""Asks for a name while it declares its own."""

from __future__ import annotations

from genesis.optim import LambdaLR  # noqa: F401
