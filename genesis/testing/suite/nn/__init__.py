"""Layers, on any device."""
