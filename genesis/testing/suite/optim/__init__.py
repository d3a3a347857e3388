"""Optimizers, on any device."""
