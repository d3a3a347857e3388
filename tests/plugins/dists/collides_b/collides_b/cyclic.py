"""A schedule that nobody makes."""

from __future__ import annotations


class Cyclic:
    """Stands for a schedule."""
