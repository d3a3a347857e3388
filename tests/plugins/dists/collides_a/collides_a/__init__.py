"""Supplies a name that collides-b supplies too."""
