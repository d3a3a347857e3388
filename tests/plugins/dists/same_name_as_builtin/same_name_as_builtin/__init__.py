"""Supplies the name of a built-in schedule."""
