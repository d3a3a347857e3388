"""Connectionist temporal classification as a function."""

from genesis.ops.ctc import ctc_loss

__all__ = ["ctc_loss"]
